/* SPDX-License-Identifier: ISC */
/*
 * events.c - the supervisor's signals and timers.
 *
 * The tick runs every TICK_MS while something needs it: a deadline, a client that blocks others, a
 * process that should answer, a stop. An idle server does not wake up.
 */
#include "config.h"

#include "supervisor/events.h"

#include "base/log.h"
#include "supervisor/client/slot.h"
#include "supervisor/client/stall.h"
#include "supervisor/clock.h"
#include "supervisor/counters.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/stop.h"

#include <event2/event.h>
#include <signal.h>

#define TICK_MS STALL_TICK_MS

/* A longer pause between two ticks was ours (a stopped process, a busy machine), not the clients'.
 */
#define TICK_ELAPSED_MAX (4 * TICK_MS)

static void on_child(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)number, (void)what;
    run->supervisor.has_dead_children = true;
}

static void on_other_signal(evutil_socket_t number, short what, void *argument)
{
    (void)what, (void)argument;
    log_event(LOG_LEVEL_NOTICE, "signal", "signal=%d action=ignored", (int)number);
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
    (void)number, (void)what, (void)argument;
    log_event(LOG_LEVEL_NOTICE, "hangup", "action=ignored");
}

/* The clock runs only while somebody needs it: an idle server does not wake. */
void run_clock(struct run *run, bool needed)
{
    struct timeval delay = {.tv_usec = TICK_MS * 1000};

    if (!needed || run->ticked_at != 0)
        return;
    run->ticked_at = clock_ms(&run->supervisor);
    event_add(run->tick, &delay);
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct run *run = argument;
    struct supervisor *supervisor = &run->supervisor;
    uint64_t elapsed;

    (void)fd, (void)what;
    elapsed = clock_ms(supervisor) - run->ticked_at;
    run->ticked_at = 0;
    if (elapsed > TICK_ELAPSED_MAX)
        elapsed = TICK_ELAPSED_MAX;
    spawner_tick(&supervisor->spawner, elapsed);
    couriers_tick(supervisor, elapsed);
    stall_tick(supervisor, elapsed);
    if (!supervisor->stopping)
        return;
    if (supervisor->stop_notice_due && clock_ms(supervisor) >= run->drained_at)
        end_all(supervisor);
    if (clock_ms(supervisor) < run->finished_at)
        return;
    spawner_give_up(&supervisor->spawner);
    couriers_abandon(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].state != SLOT_FREE)
            child_kill_after(&supervisor->slots[i].child, 0);
}

static void on_rest(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument; /* that the turn ends now is enough */
}

/* Lets the loop wake when the first of these is due (milliseconds; 0: it is not). */
void rest_until(struct run *run, unsigned one, unsigned other)
{
    unsigned due = one == 0 || (other != 0 && other < one) ? other : one;

    if (due > 0)
        event_add(run->rest, &(struct timeval){.tv_usec = (suseconds_t)due * 1000});
}

bool watch_signals(struct run *run)
{
    static const struct {
        int number;
        event_callback_fn callback;
    } table[] = {
        {SIGTERM, on_stop_signal},
        {SIGINT, on_stop_signal},
        {SIGCHLD, on_child},
        {SIGHUP, on_hangup},
        {SIGUSR1, on_counters},
        {SIGQUIT, on_quit},
        {SIGUSR2, on_other_signal},
        {SIGALRM, on_other_signal},
        {SIGVTALRM, on_other_signal},
        {SIGPROF, on_other_signal},
        {SIGIO, on_other_signal},
        {SIGPWR, on_other_signal},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        run->signals[i] =
            evsignal_new(run->supervisor.base, table[i].number, table[i].callback, run);
        if (run->signals[i] == NULL || event_add(run->signals[i], NULL) != 0)
            return false;
    }
    run->tick = evtimer_new(run->supervisor.base, on_tick, run);
    run->rest = evtimer_new(run->supervisor.base, on_rest, run);
    return run->tick != NULL && run->rest != NULL;
}
