/* SPDX-License-Identifier: ISC */
/*
 * orphans.c - children that the supervisor has and did not make.
 *
 * Model: a container's first process inherits every orphan of the container, and a shell script
 * that becomes chatroomd leaves it the script's children. They would stay zombies. A zombie is
 * looked at without reaping it, and reaped only if it is no process that we know: the status of a
 * known one is its owner's. While the forker has unanswered requests there may be children of ours
 * that we do not know yet, so nothing is reaped then.
 *
 * The kernel names one zombie at a time. If that is one of ours, its owner has yet to reap it, and
 * the rest wait. To compare a pid costs time that grows with max-clients, so it is done once a
 * second at most.
 */
#include "config.h"

#include "supervisor/child/orphans.h"

#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/state.h"

#include <sys/wait.h>

#define SWEEP_EVERY_MS 1000u

static bool is_ours(struct supervisor *supervisor, pid_t pid)
{
    if (pid == supervisor->spawner.forker.pid || couriers_own(supervisor, pid))
        return true;
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid == pid && !supervisor->slots[i].reaped)
            return true;
    return false;
}

/* Returns whether none is left. */
static bool sweep(struct supervisor *supervisor)
{
    siginfo_t ended = {.si_pid = 0};

    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
        if (is_ours(supervisor, ended.si_pid))
            return false;
        waitpid(ended.si_pid, NULL, WNOHANG);
        ended.si_pid = 0;
    }
    return true;
}

bool reap_unknown_children(struct supervisor *supervisor)
{
    uint64_t now;

    if (!supervisor->has_dead_children)
        return false;
    now = clock_ms(supervisor);
    if (now < supervisor->next_sweep || spawner_waits(&supervisor->spawner))
        return true;
    supervisor->next_sweep = now + SWEEP_EVERY_MS;
    supervisor->has_dead_children = !sweep(supervisor);
    return supervisor->has_dead_children;
}
