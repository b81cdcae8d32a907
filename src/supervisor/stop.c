/* SPDX-License-Identifier: ISC */
/*
 * stop.c - the stop sequence.
 *
 * On SIGTERM and SIGINT the supervisor accepts no more connections and answers no more frames. "The
 * server is shutting down" is recorded as the last record for all clients; each client receives
 * everything up to that record and is then disconnected, within drain-timeout. Whatever is left then
 * is killed, the forkers first. A second signal, unless it repeats the first within a second, and
 * SIGQUIT kill everything at once. No `left` is recorded during a stop: all clients leave at the same
 * record.
 */
#include "config.h"

#include "supervisor/stop.h"

#include "base/log.h"
#include "supervisor/client/slot.h"
#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"

#include <signal.h>

/* What workers may take beyond drain-timeout to exit before they are killed. */
#define STOP_MARGIN_MS 500u

/* The same signal once more within this time is a repetition: timeout(1) signals its child and then
 * the whole process group. */
#define STOP_REPEATED_MS 1000u

void stop_disconnect_all(struct supervisor *supervisor)
{
    supervisor->stop_notice_due = false;
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state == SLOT_FREE)
            continue;
        slot_end(slot, slot->state == SLOT_SPARE ? DISCONNECT_UNUSED : DISCONNECT_STOPPED,
            FRAME_CLOSE_DRAIN);
        slot_set_leaving(slot, false);
        slot->left_due = false;
        slot_try_free(slot);
    }
}

void stop_begin(struct run *run, const char *cause)
{
    struct supervisor *supervisor = &run->supervisor;
    unsigned drain = supervisor->options->drain_timeout_ms;

    supervisor->stopping = true;
    supervisor->stop_notice_due = true;
    run->drained_at = clock_ms(supervisor) + drain;
    run->finished_at = run->drained_at + STOP_MARGIN_MS;
    log_event(LOG_LEVEL_NOTICE, "stop", "cause=%s clients=%u drain-timeout_ms=%u", cause,
        supervisor->used - supervisor->spare_count, drain);
    acceptor_close(&run->acceptor);
}

void on_stop_signal(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)what;
    if (!run->supervisor.stopping)
        stop_begin(run, number == SIGINT ? "SIGINT" : "SIGTERM");
    if (run->stop_signal == 0) {
        run->stop_signal = number;
        run->repeated_to = clock_ms(&run->supervisor) + STOP_REPEATED_MS;
    } else if (number != run->stop_signal || clock_ms(&run->supervisor) >= run->repeated_to) {
        run->killed_by = "\"a second signal\"";
    }
}

void on_quit(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)number, (void)what;
    run->killed_by = "SIGQUIT";
}

void stop_tick(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;

    if (supervisor->stop_notice_due && clock_ms(supervisor) >= run->drained_at)
        stop_disconnect_all(supervisor);
    if (clock_ms(supervisor) < run->finished_at)
        return;
    spawner_give_up(&supervisor->spawner);
    couriers_abandon(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].state != SLOT_FREE)
            child_kill_after(&supervisor->slots[i].child, 0);
}

void stop_kill_all(struct run *run)
{
    for (unsigned i = 0; i < run->supervisor.slot_count; i++)
        child_kill_after(&run->supervisor.slots[i].child, 0);
    children_kill_due(&run->supervisor);
    couriers_abandon(&run->supervisor);
    log_event(LOG_LEVEL_ERROR, "stopped", "orderly=no cause=%s clients=%u", run->killed_by,
        run->supervisor.used);
}
