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
#include "supervisor/client/stall.h"
#include "supervisor/clock.h"
#include "supervisor/counters.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/stop.h"

#include <event2/event.h>
#include <signal.h>

#define TICK_MS STALL_TICK_MS

/* If more time than this passes between two ticks, the supervisor itself was late (it was stopped,
 * or the machine is busy), and the clients are not charged for it. */
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

void events_start_tick(struct run *run)
{
    struct timeval delay = {.tv_usec = TICK_MS * 1000};

    if (run->ticked_at != 0)
        return;
    run->ticked_at = clock_ms(&run->supervisor);
    event_add(run->tick, &delay);
}

static void on_usr1(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)number, (void)what;
    counters_log(&run->supervisor);
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
    if (supervisor->stopping)
        stop_tick(run);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument; /* it only ends the wait for events */
}

void events_wake_in(struct run *run, unsigned one, unsigned other)
{
    unsigned due = one == 0 || (other != 0 && other < one) ? other : one;

    if (due > 0)
        event_add(run->wake, &(struct timeval){.tv_usec = (suseconds_t)due * 1000});
}

bool events_open(struct run *run)
{
    static const struct {
        int number;
        event_callback_fn callback;
    } table[] = {
        {SIGTERM, on_stop_signal},
        {SIGINT, on_stop_signal},
        {SIGCHLD, on_child},
        {SIGHUP, on_hangup},
        {SIGUSR1, on_usr1},
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
    run->wake = evtimer_new(run->supervisor.base, on_wake, run);
    return run->tick != NULL && run->wake != NULL;
}
