/* SPDX-License-Identifier: ISC */
/*
 * orphans.c - reaps children that no part of the supervisor knows.
 *
 * Model: the first process of a container inherits every orphan of the container; a shell script
 * that becomes chatroomd leaves it the script's children; a forker that dies may have created a
 * child without announcing it. All of them would stay zombies. A zombie is looked at without
 * reaping it, and is reaped only if nobody knows it, since the status of a known child belongs to
 * its owner. While requests are pending there may be children whose process IDs are not known yet,
 * so nothing is reaped then.
 *
 * The kernel names one zombie at a time. If its owner has yet to reap it, the rest wait. Comparing a
 * process ID takes time that grows with max-clients, so this is done at most once a second.
 */
#include "config.h"

#include "supervisor/child/orphans.h"

#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <sys/wait.h>

#define SWEEP_EVERY_MS 1000u

/* Returns whether none is left. */
static bool sweep(struct supervisor *supervisor)
{
    siginfo_t ended = {.si_pid = 0};

    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
        if (spawner_knows(&supervisor->spawner, ended.si_pid))
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
    if (now < supervisor->next_sweep || spawner_has_pending(&supervisor->spawner))
        return true;
    supervisor->next_sweep = now + SWEEP_EVERY_MS;
    supervisor->has_dead_children = !sweep(supervisor);
    return supervisor->has_dead_children;
}
