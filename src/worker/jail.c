/*
 * jail.c - the order in which a worker gives up what it could do.
 *
 * Model: each step takes away something that no later step needs, and the filter comes last, since
 * it takes away the means of all others. What a worker then has: its client's socket, its end of
 * the relay, an event loop, the region's common part read-only from a descriptor that never was
 * writable (not where couriers deliver), its own outbox, and memory of its own.
 *
 * 1. oom_score_adj: when memory runs out a worker goes, not the service.
 * 2. Identity: the slot's own uid where there is one, and no capability in any case. Workers of one
 *    uid could signal each other, were there no filter.
 * 3. The supervisor's death, after the change of uid, which forgets it. Across uids the signal is
 *    delivered because the dying supervisor has CAP_KILL then; getppid() covers a death before.
 * 4. Not dumpable: /proc/PID is root's, and nobody of the same uid can trace it.
 * 5. no_new_privs. Up to here a spare worker goes while it waits for its client.
 * 6. Limits: no new descriptor, process, file content, core file or locked memory, and a bound on
 *    memory that counts from what there was at the fork (a forker that replaced a dead one carries
 *    more). It holds for the address space too, since what is mapped to be read only is no data to
 *    the kernel, and yet costs it page tables.
 * 7. The filter.
 *
 * Builds with sanitizers have no limits, and the looser filter, since their reports open files and
 * make processes.
 */
#include "config.h"

#include "worker/jail.h"

#include "base/privilege.h"
#include "worker/jail_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of 1000; added to what the kernel thinks of the process by its size. */
#define OOM_SCORE_ADJUSTMENT "500"

/* Bytes of memory that a worker may take beyond what it was made with. It needs a few times
 * max-message (64 KiB at most) for input, and its relay's unsent frames. */
#define DATA_MORE ((rlim_t)8 * 1024 * 1024)

/* What a courier takes for each client, and what other descriptors it has. */
#define COURIER_DATA_PER_CLIENT 1024u
#define COURIER_DESCRIPTORS     64u

static struct filter filters[WORKER_KIND_COUNT];

bool jail_prepare(enum worker_kind_number kind)
{
    return filters[kind].length != 0 || filter_make(&filters[kind], jail_filter_of(kind));
}

struct sizes {
    rlim_t all, data; /* bytes; data with the stack */
};

/* The sizes now: the first and the sixth number of statm. 0 where /proc does not tell. Not by
 * sscanf, which would cost each worker some pages. */
static struct sizes sizes_now(void)
{
    char text[256] = "", *next = text;
    rlim_t pages[6] = {0}, page = (rlim_t)sysconf(_SC_PAGESIZE);
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return (struct sizes){0, 0};
    if (read(fd, text, sizeof text - 1) > 0)
        for (int number = 0; number < 6; number++)
            pages[number] = strtoul(next, &next, 10);
    close(fd);
    return (struct sizes){pages[0] * page, pages[5] * page};
}

static bool limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit both = {most, most};

    return setrlimit(resource, &both) == 0;
}

static bool set_limits(const struct heritage *heritage)
{
    bool is_courier = heritage->kind == WORKER_KIND_COURIER;
    rlim_t descriptors = is_courier ? heritage->max_clients + COURIER_DESCRIPTORS : 0;
    rlim_t more = DATA_MORE + (is_courier ? heritage->max_clients * COURIER_DATA_PER_CLIENT : 0);
    struct sizes now = sizes_now();

    if (!limit(RLIMIT_CORE, 0))
        return false;
#ifdef CHATROOMD_SANITIZERS
    (void)now, (void)descriptors, (void)more;
    return true;
#else
    return limit(RLIMIT_NPROC, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_MEMLOCK, 0) &&
           limit(RLIMIT_MSGQUEUE, 0) && (now.all == 0 || limit(RLIMIT_AS, now.all + more)) &&
           (now.data == 0 || limit(RLIMIT_DATA, now.data + more)) &&
           limit(RLIMIT_NOFILE, descriptors);
#endif
}

/* The file is root's as long as the process is not dumpable, which it is not after the supervisor's
 * change of user. Raising the score is everybody's right; where it is higher already the write may
 * be refused, and that is as good. */
static bool offer_to_oom(const struct heritage *heritage)
{
    ssize_t length;
    int fd;

    (void)heritage;
    if (prctl(PR_SET_DUMPABLE, 1L) != 0)
        return false;
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = write(fd, OOM_SCORE_ADJUSTMENT, strlen(OOM_SCORE_ADJUSTMENT));
    close(fd);
    return length > 0 || errno == EACCES;
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
        exit(WORKER_EXIT_NO_SUPERVISOR);
    return true;
}

static bool refuse_privileges(const struct heritage *heritage)
{
    (void)heritage;
    return privilege_no_more();
}

static bool load_filter(const struct heritage *heritage)
{
    bool is_canary = heritage->kind == WORKER_KIND_CANARY;

    return filter_load(&filters[is_canary ? WORKER_KIND_CLIENT : heritage->kind]);
}

struct step {
    enum jail_step step;
    bool (*take)(const struct heritage *heritage);
};

static enum jail_step take_steps(
    const struct heritage *heritage, const struct step *steps, size_t count)
{
    enum jail_step failed = JAIL_WHOLE;

    for (size_t i = 0; i < count; i++)
        if (!steps[i].take(heritage) && failed == JAIL_WHOLE)
            failed = steps[i].step;
    return failed;
}

enum jail_step jail_approach(const struct heritage *heritage)
{
    static const struct step steps[] = {
        {JAIL_OOM, offer_to_oom},
        {JAIL_IDENTITY, change_identity},
        {JAIL_FOLLOW, follow_supervisor},
        {JAIL_DUMPABLE, hide},
        {JAIL_NO_NEW_PRIVILEGES, refuse_privileges},
    };

    if (heritage->jail == JAIL_OFF)
        return follow_supervisor(heritage) ? JAIL_WHOLE : JAIL_FOLLOW;
    return take_steps(heritage, steps, sizeof steps / sizeof steps[0]);
}

enum jail_step jail_shut(const struct heritage *heritage)
{
    static const struct step steps[] = {
        {JAIL_LIMITS, set_limits},
        {JAIL_FILTER, load_filter},
    };

    if (heritage->jail == JAIL_OFF)
        return JAIL_WHOLE;
    return take_steps(heritage, steps, sizeof steps / sizeof steps[0]);
}

enum jail_step jail_enter(const struct heritage *heritage)
{
    enum jail_step approach = jail_approach(heritage), shut = jail_shut(heritage);

    return approach != JAIL_WHOLE ? approach : shut;
}
