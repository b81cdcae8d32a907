/* SPDX-License-Identifier: ISC */
/*
 * supervisor.c - the main loop and its turns.
 *
 * Model: one thread, one event_base. In each turn the supervisor waits for events and handles them:
 * frames become records, connections are assigned to slots, signals set flags. Then it handles once
 * what waits, records what is due, notifies its children, and asks to be woken. Nobody is notified in
 * the middle of a turn, so that a burst costs each child one wake-up.
 *
 * A notification costs a wake-up and a write for each client, whatever is in it. So after a turn with
 * several records for the room, the supervisor lets the senders run (sched_yield) and looks for events
 * again before it notifies anybody, as long as the records become more. A single message is announced
 * at once.
 */
#include "config.h"

#include "supervisor/supervisor.h"

#include "base/alloc.h"
#include "base/log.h"
#include "supervisor/child/orphans.h"
#include "supervisor/client/peer.h"
#include "supervisor/client/slot.h"
#include "supervisor/client/spare.h"
#include "supervisor/client/stall.h"
#include "supervisor/clock.h"
#include "supervisor/counters.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/events.h"
#include "supervisor/order/notify.h"
#include "supervisor/order/order.h"
#include "supervisor/start.h"
#include "supervisor/stop.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <stdlib.h>

/* How often a turn looks for more events, and how many more records each look must have brought. With
 * 4,096 or 256 messages in flight this gave 1.1 to 2 times the deliveries; more looks gave no more. */
#define LOOKS_MAX  4
#define LOOK_WORTH 2u

/* Ends a turn. Returns whether the next one is due at once. */
static bool end_turn(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    bool again = false; /* the next turn is due at once */
    bool tick;          /* there is something to do by the clock */
    unsigned notify_due, spares_due;

    clock_forget(supervisor);
    supervisor->counters.turns++;
    peers_turn(supervisor);
    children_reap(supervisor);
    tick = couriers_turn(supervisor);
    tick |= reap_unknown_children(supervisor);
    if (!supervisor->stopping)
        again = order_resume(supervisor);
    if (supervisor->stop_notice_due && order_stop_notice(supervisor))
        stop_disconnect_all(supervisor);
    notify_due = notify_turn(supervisor);
    if (supervisor->space.blocked || supervisor->waiting_count > 0)
        again |= stall_arm(supervisor);
    again |= space_check_cursors(&supervisor->space);
    tick |= children_kill_due(supervisor);
    tick |= spawner_turn(&supervisor->spawner);
    if (supervisor->spawner.is_lost && !supervisor->stopping)
        stop_begin(run, "fault");
    tick |= acceptor_turn(&run->acceptor);
    tick |= spares_turn(supervisor, &spares_due);
    events_wake_in(run, notify_due, spares_due);
    tick |= supervisor->space.waited || supervisor->stopping;
    tick |= !log_flush();
    if (tick)
        events_start_tick(run);
    return again;
}

/* Looks for more events without waiting. Returns false if the loop failed. */
static bool look_again(struct supervisor *supervisor)
{
    uint64_t seen = 0;

    for (int look = 0; look < LOOKS_MAX && supervisor->turn.records >= seen + LOOK_WORTH; look++) {
        if (supervisor->space.blocked || supervisor->stopping)
            return true;
        seen = supervisor->turn.records;
        sched_yield();
        if (event_base_loop(supervisor->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) < 0)
            return false;
    }
    return true;
}

static int serve(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    bool again = true; /* the spare workers are created before any event */

    while (!supervisor->stopping || supervisor->used > 0) {
        clock_forget(supervisor);
        if (event_base_loop(supervisor->base, EVLOOP_ONCE | (again ? EVLOOP_NONBLOCK : 0)) < 0 ||
            !look_again(supervisor)) {
            log_event(LOG_LEVEL_ERROR, "failed", "what=\"the event loop\" error=%d", errno);
            return SUPERVISOR_EXIT_FAILED;
        }
        again = end_turn(run);
        if (run->killed_by != NULL) {
            stop_kill_all(run);
            return SUPERVISOR_EXIT_FAILED;
        }
    }
    counters_log(supervisor);
    log_event(LOG_LEVEL_NOTICE, "stopped", "orderly=yes");
    return supervisor->spawner.is_lost ? SUPERVISOR_EXIT_FAILED : SUPERVISOR_EXIT_STOPPED;
}

int supervisor_run(
    const struct options *options, const struct process_kinds *kinds, struct forker *forkers)
{
    struct run *run = alloc_zeroed(1, sizeof *run);
    int status = SUPERVISOR_EXIT_FAILED;

    run->supervisor.options = options;
    run->supervisor.has_dead_children = true; /* of a script that has become this program */
    if (start(run, kinds, forkers))
        status = serve(run);
    finish(run);
    log_close(); /* it knows limits in *run */
    free(run);
    return status;
}
