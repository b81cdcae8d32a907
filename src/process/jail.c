/* SPDX-License-Identifier: ISC */
/*
 * jail.c - the steps in which a child gives up what it does not need.
 *
 * Model: each step takes away something that no later step needs, and the filter comes last, since
 * it takes away the means of all others. A worker then has: its end of the relay, an event loop, its
 * own outbox, memory of its own, and with couriers=0 the region's common part, read-only, from a
 * descriptor that was never writable. It is jailed before it receives its client's socket, the one
 * descriptor that it can still receive; so no client waits for these steps.
 *
 * 1. oom_score_adj: when memory runs out a child is killed, not the supervisor. It is inherited from
 *    the forker.
 * 2. Identity: the child's own uid if there is one, and no capability in any case. Without a filter,
 *    children of one uid could signal each other.
 * 3. The supervisor's death kills the child. This comes after the change of uid, which cancels it.
 *    The signal reaches another uid because the dying supervisor has CAP_KILL; getppid() detects a
 *    death before that.
 * 4. Not dumpable: /proc/PID belongs to root, and no process of the same uid can trace it.
 * 5. no_new_privs.
 * 6. Limits: no new process, core file or locked memory; descriptors, private memory and the size of
 *    files as the kind's row says; and address space for that, for the program and its libraries
 *    (PROGRAM_MOST), and for what is mapped of the region. The latter bounds read-only mappings,
 *    which are no data to the kernel but cost it page tables.
 * 7. The filter. It is the only one: the forker has none, because filters are inherited.
 *
 * Builds with sanitizers have no limits and a looser filter, since their reports open files and
 * make processes.
 */
#include "config.h"

#include "process/jail.h"

#include "base/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Address space of the program, its libraries and its stack: it has about 10 MiB of them. */
#define PROGRAM_MOST ((rlim_t)64 * 1024 * 1024)

/* Of 1000; added to what the kernel computes from the size of the process. */
#define OOM_SCORE_ADJUSTMENT "500"

bool jail_make_filters(const struct process_kinds *kinds, struct filter filters[KINDS_MAX])
{
    bool made = true;

    for (unsigned kind = 0; kind < kinds->count; kind++) {
        const struct filter_table *table = kinds->rows[kind]->filter;

        made = filter_make(&filters[kind], table != NULL ? table : kinds->rows[0]->filter) && made;
    }
    return made;
}

bool jail_limit(int resource, rlim_t most)
{
#ifdef __GLIBC__ /* it and musl declare setrlimit(2) with different types */
    return setrlimit((__rlimit_resource_t)resource, &(struct rlimit){most, most}) == 0;
#else
    return setrlimit(resource, &(struct rlimit){most, most}) == 0;
#endif
}

rlim_t jail_next_descriptor(void)
{
    int number = dup(STDIN_FILENO);

    close(number);
    return (rlim_t)number;
}

bool jail_offer_to_oom(void)
{
    bool was_dumpable = prctl(PR_GET_DUMPABLE) == 1;
    ssize_t length = -1;
    int fd = -1, failure;

    /* Otherwise the file belongs to root, also after a change of user. */
    if (prctl(PR_SET_DUMPABLE, 1L) == 0)
        fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        length = write(fd, OOM_SCORE_ADJUSTMENT, strlen(OOM_SCORE_ADJUSTMENT));
    failure = errno;
    if (fd >= 0)
        close(fd);
    prctl(PR_SET_DUMPABLE, was_dumpable ? 1L : 0L);
    errno = failure;
    return length > 0 || (fd >= 0 && failure == EACCES);
}

static bool is_offered_to_oom(const struct heritage *heritage)
{
    return heritage->is_offered_to_oom;
}

static bool change_identity(const struct heritage *heritage)
{
    if (heritage->uid == (uid_t)-1)
        return privilege_keep(0);
    return privilege_become(heritage->uid, heritage->gid, 0);
}

bool jail_follow(pid_t supervisor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    if (getppid() != supervisor)
        exit(CHILD_EXIT_NO_SUPERVISOR);
    return true;
}

static bool follow_supervisor(const struct heritage *heritage)
{
    return jail_follow(heritage->supervisor);
}

static bool hide(const struct heritage *heritage)
{
    (void)heritage;
    return prctl(PR_SET_DUMPABLE, 0L) == 0;
}

static bool refuse_privileges(const struct heritage *heritage)
{
    (void)heritage;
    return privilege_no_more();
}

static bool set_limits(const struct heritage *heritage)
{
    rlim_t data = heritage->kind->data(heritage), files = heritage->kind->files(heritage);

    if (!jail_limit(RLIMIT_CORE, 0))
        return false;
#ifdef CHATROOMD_SANITIZERS
    (void)data, (void)files;
    return true;
#else
    return jail_limit(RLIMIT_NPROC, 0) && jail_limit(RLIMIT_FSIZE, heritage->kind->file_size) &&
           jail_limit(RLIMIT_MEMLOCK, 0) && jail_limit(RLIMIT_MSGQUEUE, 0) &&
           jail_limit(RLIMIT_AS, heritage_mapped(heritage) + data + PROGRAM_MOST) &&
           jail_limit(RLIMIT_DATA, data) && jail_limit(RLIMIT_NOFILE, files);
#endif
}

static bool load_filter(const struct heritage *heritage)
{
    return filter_load(heritage->filter);
}

struct step {
    enum jail_step step;
    bool (*take)(const struct heritage *heritage);
};

enum jail_step jail_enter(const struct heritage *heritage)
{
    static const struct step steps[] = {
        {JAIL_OOM, is_offered_to_oom},
        {JAIL_IDENTITY, change_identity},
        {JAIL_FOLLOW, follow_supervisor},
        {JAIL_DUMPABLE, hide},
        {JAIL_NO_NEW_PRIVILEGES, refuse_privileges},
        {JAIL_LIMITS, set_limits},
        {JAIL_FILTER, load_filter},
    };
    enum jail_step failed = JAIL_WHOLE;

    if (heritage->jail == JAIL_OFF)
        return follow_supervisor(heritage) ? JAIL_WHOLE : JAIL_FOLLOW;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!steps[i].take(heritage) && failed == JAIL_WHOLE)
            failed = steps[i].step;
    return failed;
}
