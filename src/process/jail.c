/* SPDX-License-Identifier: ISC */
/*
 * jail.c - the order in which a worker gives up what it could do.
 *
 * Model: each step takes away something that no later step needs, and the filter comes last, since
 * it takes away the means of all others. What a worker then has: its end of the relay, an event
 * loop, the region's common part read-only from a descriptor that never was writable (not where
 * couriers deliver), its own outbox, and memory of its own. It is jailed before it has a client:
 * the client's socket is the one descriptor that it can still be given, and to have taken these
 * steps before keeps nobody waiting.
 *
 * 1. oom_score_adj: when memory runs out a worker goes, not the service. It is inherited from the
 *    forker, which is replaceable, too.
 * 2. Identity: the slot's own uid where there is one, and no capability in any case. Workers of one
 *    uid could signal each other, were there no filter.
 * 3. The supervisor's death, after the change of uid, which forgets it. Across uids the signal is
 *    delivered because the dying supervisor has CAP_KILL then; getppid() covers a death before.
 * 4. Not dumpable: /proc/PID is root's, and nobody of the same uid can trace it.
 * 5. no_new_privs.
 * 6. Limits: no new process, file content, core file or locked memory; one more descriptor, for
 *    the client (a courier: one for each); and a bound on memory, from what the forker had (one
 *    that replaced a dead one carries more) and what is mapped of the region. It holds for the
 *    address space too, since what is mapped to be read only is no data to the kernel, and yet
 *    costs it page tables.
 * 7. The filter.
 *
 * Builds with sanitizers have no limits, and the looser filter, since their reports open files and
 * make processes.
 */
#include "config.h"

#include "process/jail.h"

#include "base/privilege.h"
#include "process/jail_filter.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Bytes of memory that a worker may take beyond what it was made with. It needs a few times
 * max-message-size (64 KiB at most) for input, and its relay's unsent frames. */
#define DATA_MORE ((rlim_t)8 * 1024 * 1024)

/* What a courier takes for each client, in all, and what other descriptors it has. */
#define COURIER_DATA_PER_CLIENT 1536u
#define COURIER_DESCRIPTORS     64u

static struct filter filters[KIND_COUNT];

bool jail_prepare(enum kind_number kind)
{
    return filters[kind].length != 0 || filter_make(&filters[kind], jail_filter_of(kind));
}

/* Bytes of the region that it has mapped. */
static size_t mapped(const struct heritage *heritage)
{
    switch (heritage->kind) {
    case KIND_COURIER:
        return heritage->places.view_size + heritage->places.courier_stride;
    case KIND_WORKER:
        return (heritage->delivers ? heritage->places.view_size : 0) +
               heritage->places.outbox_stride;
    default:
        return heritage->places.view_size + heritage->places.outbox_stride;
    }
}

/* A macro, since glibc and musl declare setrlimit(2) with different types for RESOURCE. */
#define LIMIT(resource, most) (setrlimit(resource, &(struct rlimit){most, most}) == 0)

/* The limit of open files is one on their numbers: the lowest that is free is the client's. */
static rlim_t one_descriptor_more(void)
{
    int free_number = dup(STDIN_FILENO);

    close(free_number);
    return (rlim_t)free_number + 1;
}

static rlim_t descriptors_of(const struct heritage *heritage)
{
    switch (heritage->kind) {
    case KIND_WORKER:
        return one_descriptor_more();
    case KIND_COURIER:
        return heritage->max_clients + COURIER_DESCRIPTORS;
    default:
        return 0;
    }
}

static bool set_limits(const struct heritage *heritage)
{
    bool is_courier = heritage->kind == KIND_COURIER;
    rlim_t more = DATA_MORE + (is_courier ? heritage->max_clients * COURIER_DATA_PER_CLIENT : 0);
    struct footprint before = heritage->footprint;

    if (!LIMIT(RLIMIT_CORE, 0))
        return false;
#ifdef CHATROOMD_SANITIZERS
    (void)before, (void)more, (void)mapped, (void)descriptors_of;
    return true;
#else
    return LIMIT(RLIMIT_NPROC, 0) && LIMIT(RLIMIT_FSIZE, 0) && LIMIT(RLIMIT_MEMLOCK, 0) &&
           LIMIT(RLIMIT_MSGQUEUE, 0) &&
           (before.all == 0 || LIMIT(RLIMIT_AS, before.all + mapped(heritage) + more)) &&
           (before.data == 0 || LIMIT(RLIMIT_DATA, before.data + more)) &&
           LIMIT(RLIMIT_NOFILE, descriptors_of(heritage));
#endif
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

static bool hide(const struct heritage *heritage)
{
    (void)heritage;
    return prctl(PR_SET_DUMPABLE, 0L) == 0;
}

static bool follow_supervisor(const struct heritage *heritage)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    if (getppid() != heritage->supervisor)
        exit(CHILD_EXIT_NO_SUPERVISOR);
    return true;
}

static bool refuse_privileges(const struct heritage *heritage)
{
    (void)heritage;
    return privilege_no_more();
}

static bool load_filter(const struct heritage *heritage)
{
    bool is_selftest = heritage->kind == KIND_SELFTEST;

    return filter_load(&filters[is_selftest ? KIND_WORKER : heritage->kind]);
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
