/* SPDX-License-Identifier: ISC */
/*
 * supervisor.c - the loop, the signals and the stop.
 *
 * Model: one thread, one event_base. A turn is: wait for events and answer them (frames become
 * records, newcomers become slots, signals become flags); then, once, look at what waits, record
 * what is due, tell the workers, and ask to be woken. Nothing is told in the middle of a turn, so a
 * burst costs each worker one wake-up. A turn in which the room was given several records looks
 * again before it tells of them, as long as they become more: those who speak run first
 * (sched_yield), and what they say is told with the rest. A telling costs a wake-up and a write for
 * each client, whatever is in it; a single message, and so a room in which few speak, is told at
 * once.
 *
 * The stop (SIGTERM, SIGINT): nobody is accepted any more and no frame answered; "the server is
 * stopping" is recorded as the last record for all, each worker delivers up to it and closes,
 * within drain-timeout; what is left then is killed, the forker first. A second signal, unless it
 * repeats the first within a second, and SIGQUIT kill at once. No `left` is recorded at a stop: all leave at the same record.
 *
 * The start binds first, then makes the region, gives up the supervisor's privileges, sets up the
 * forkers, makes the tables and runs the selftests, and only then makes an event loop: whatever can
 * fail fails before a client is accepted.
 */
#include "config.h"

#include "supervisor/supervisor.h"

#include "base/log.h"
#include "base/requirements.h"
#include "relay/loop.h"
#include "supervisor/accept/acceptor.h"
#include "supervisor/child/orphans.h"
#include "supervisor/child/selftests.h"
#include "supervisor/client/slot.h"
#include "supervisor/client/spare.h"
#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/order.h"
#include "supervisor/order/turn.h"
#include "supervisor/ring/space.h"
#include "supervisor/state.h"
#include "supervisor/supervisor_jail.h"

#include "base/alloc.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors beyond one relay per client and, with couriers, its socket: those of newcomers in the
 * making, those of spare workers and couriers, and our own. */
#define OTHER_DESCRIPTORS (3 * FORKER_PENDING_MAX + 256)

/* What workers may take beyond drain-timeout to exit before they are killed. */
#define STOP_MARGIN_MS 500u

/* The same signal once more within this time is a repetition: timeout(1) signals its child and then
 * the whole process group. */
#define STOP_REPEATED_MS 1000u

/* So often is looked again in one turn, as long as so many records were added. With 4,096 or 256
 * messages in flight this made 1.1 to 2 times the deliveries; more looks gave nothing more. */
#define LOOKS_MAX  4
#define LOOK_WORTH 2u

#define TICK_MS SPACE_TICK_MS

/* A longer pause between two ticks was ours (a stopped process, a busy machine), not the clients'.
 */
#define TICK_ELAPSED_MAX (4 * TICK_MS)

struct run {
    struct supervisor supervisor;
    struct acceptor acceptor;
    struct listener *listeners;
    size_t listener_count;
    struct event *signals[16];
    struct event *tick;
    struct event *rest;    /* the room is to be told the rest */
    uint64_t ticked_at;    /* 0: the clock is not running */
    uint64_t drained_at;   /* while stopping: when draining is over ... */
    uint64_t finished_at;  /* ... and when the rest is killed */
    int stop_signal;       /* that began the stop ... */
    uint64_t repeated_to;  /* ... and until when the same one is a repetition */
    const char *killed_by; /* why everything ends at once, as the log has it; NULL: it does not */
};

/* Everyone has the same last record: from here on workers drain, or are ended when time is up. */
static void end_all(struct supervisor *supervisor)
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

static void begin_stop(struct run *run, const char *cause)
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

static void on_stop_signal(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)what;
    if (!run->supervisor.stopping) {
        begin_stop(run, number == SIGINT ? "SIGINT" : "SIGTERM");
        run->stop_signal = number;
        run->repeated_to = clock_ms(&run->supervisor) + STOP_REPEATED_MS;
    } else if (number != run->stop_signal || clock_ms(&run->supervisor) >= run->repeated_to) {
        run->killed_by = "\"a second signal\"";
    }
}

static void on_quit(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)number, (void)what;
    run->killed_by = "SIGQUIT";
}

static void on_other_signal(evutil_socket_t number, short what, void *argument)
{
    (void)what, (void)argument;
    log_event(LOG_LEVEL_NOTICE, "signal", "signal=%d done=nothing", (int)number);
}

static void on_child(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;

    (void)number, (void)what;
    run->supervisor.has_dead_children = true;
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
    (void)number, (void)what, (void)argument;
    log_event(LOG_LEVEL_NOTICE, "hangup", "action=ignored");
}

static void log_ends(const struct counters *counters, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int i = DISCONNECT_NONE + 1; i < DISCONNECT_COUNT && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, " ended-%s=%" PRIu64,
            disconnect_word((enum disconnect_reason)i), counters->ends[i]);
}

static void on_counters(evutil_socket_t number, short what, void *argument)
{
    struct run *run = argument;
    const struct supervisor *supervisor = &run->supervisor;
    const struct counters *counters = &supervisor->counters;
    char ends[512];

    (void)number, (void)what;
    log_ends(counters, ends, sizeof ends);
    log_event(LOG_LEVEL_NOTICE, "counters",
        "clients=%u slots=%u accepted=%" PRIu64 " joins=%" PRIu64 " refused-full=%" PRIu64
        " refused-busy=%" PRIu64 " refused-penalty=%" PRIu64 " messages=%" PRIu64
        " message-bytes=%" PRIu64 " records=%" PRIu64 " ring-waits=%" PRIu64 " turns=%" PRIu64 "%s",
        room_count(supervisor->lobby), supervisor->used - supervisor->spare_count,
        counters->accepted, counters->joins, counters->refused_full, counters->refused_busy,
        counters->refused_punished, counters->messages, counters->message_bytes, counters->records,
        counters->waits, counters->turns, ends);
}

/* The clock runs only while somebody needs it: an idle server does not wake. */
static void run_clock(struct run *run, bool needed)
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
    space_tick(supervisor, elapsed);
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
            slot_kill_after(&supervisor->slots[i], 0);
}

static void on_rest(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument; /* that the turn ends now is enough */
}

/* Lets the loop wake when the first of these is due (milliseconds; 0: it is not). */
static void rest_until(struct run *run, unsigned one, unsigned other)
{
    unsigned due = one == 0 || (other != 0 && other < one) ? other : one;

    if (due > 0)
        event_add(run->rest, &(struct timeval){.tv_usec = (suseconds_t)due * 1000});
}

/* The end of a turn. Returns whether the next one is due at once. */
static bool end_turn(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    bool again = false, clock_needed;
    unsigned tell_due, spares_due;

    clock_forget(supervisor);
    supervisor->counters.turns++;
    if (!TAILQ_EMPTY(&supervisor->dying))
        slots_reap(supervisor);
    clock_needed = couriers_turn(supervisor);
    clock_needed = reap_unknown_children(supervisor) || clock_needed;
    if (!supervisor->stopping)
        again = order_resume(supervisor);
    if (supervisor->stop_notice_due && order_stop_notice(supervisor))
        end_all(supervisor);
    tell_due = turn_notify(supervisor);
    if (supervisor->blocked || supervisor->waiting_count > 0)
        again = space_arm(supervisor) || again;
    clock_needed = slots_kill_due(supervisor) || clock_needed;
    clock_needed = spawner_turn(&supervisor->spawner) || clock_needed;
    if (supervisor->spawner.is_lost && !supervisor->stopping)
        begin_stop(run, "fault");
    clock_needed = acceptor_turn(&run->acceptor) || clock_needed;
    clock_needed = spares_turn(supervisor, &spares_due) || clock_needed;
    rest_until(run, tell_due, spares_due);
    clock_needed = clock_needed || supervisor->waited || supervisor->stopping;
    clock_needed = !log_flush() || clock_needed;
    run_clock(run, clock_needed);
    return again;
}

static void kill_all(struct run *run)
{
    for (unsigned i = 0; i < run->supervisor.slot_count; i++)
        slot_kill_after(&run->supervisor.slots[i], 0);
    slots_kill_due(&run->supervisor);
    couriers_abandon(&run->supervisor);
    log_event(LOG_LEVEL_ERROR, "stopped", "orderly=no cause=%s clients=%u", run->killed_by,
        run->supervisor.used);
}

/* Looks for more to tell, without waiting. False: the loop has failed. */
static bool look_again(struct supervisor *supervisor)
{
    uint64_t seen = 0;

    for (int look = 0; look < LOOKS_MAX && supervisor->turn_records >= seen + LOOK_WORTH; look++) {
        if (supervisor->blocked || supervisor->stopping)
            return true;
        seen = supervisor->turn_records;
        sched_yield();
        if (event_base_loop(supervisor->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) < 0)
            return false;
    }
    return true;
}

static int serve(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    bool again = true; /* the spare workers are made before anything happens */

    while (!supervisor->stopping || supervisor->used > 0) {
        clock_forget(supervisor);
        if (event_base_loop(supervisor->base, EVLOOP_ONCE | (again ? EVLOOP_NONBLOCK : 0)) < 0 ||
            !look_again(supervisor)) {
            log_event(LOG_LEVEL_ERROR, "failed", "what=\"the event loop\" error=%d", errno);
            return SUPERVISOR_EXIT_FAILED;
        }
        again = end_turn(run);
        if (run->killed_by != NULL) {
            kill_all(run);
            return SUPERVISOR_EXIT_FAILED;
        }
    }
    on_counters(0, 0, run);
    log_event(LOG_LEVEL_NOTICE, "stopped", "orderly=yes");
    return supervisor->spawner.is_lost ? SUPERVISOR_EXIT_FAILED : SUPERVISOR_EXIT_STOPPED;
}

static bool watch_signals(struct run *run)
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

static bool has_requirements(const struct options *options)
{
    char *missing = requirements_missing(options->jail);

    if (missing != NULL)
        fprintf(stderr, "chatroomd: %s\n", missing);
    free(missing);
    return missing == NULL;
}

/* Raises the limit of open files to what max-clients needs. */
static bool raise_descriptors(const struct options *options)
{
    unsigned max_clients = options->max_clients;
    rlim_t each = options->couriers == 0 ? 1 : 2;
    rlim_t needed = each * max_clients + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    if (limit.rlim_cur >= needed)
        return true;
    rlim_t had = limit.rlim_max;
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed)
        limit.rlim_max = needed; /* root may */
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    fprintf(stderr,
        "chatroomd: max-clients = %u needs %llu open files and the limit is %llu; raise it "
        "(ulimit -n, LimitNOFILE=) or lower max-clients\n",
        max_clients, (unsigned long long)needed, (unsigned long long)had);
    return false;
}

static bool open_listeners(struct run *run)
{
    const struct options *options = run->supervisor.options;
    char error[512];

    run->listeners = alloc_zeroed(options->listen_count, sizeof *run->listeners);
    for (size_t i = 0; i < options->listen_count; i++) {
        if (!listener_open(&run->listeners[i], options->listen[i], options, error, sizeof error)) {
            fprintf(stderr, "chatroomd: %s\n", error);
            return false;
        }
        run->listener_count++;
    }
    return true;
}

static bool make_region(struct supervisor *supervisor)
{
    struct region_geometry geometry = {
        .slot_count = supervisor->options->max_clients,
        .courier_count = supervisor->options->couriers,
        .ring_size = supervisor->options->ring_size,
        .outbox_size = supervisor->options->outbox_size,
    };
    char error[512];

    if (!region_create(&supervisor->region, &geometry, error, sizeof error)) {
        fprintf(stderr, "chatroomd: %s\n", error);
        return false;
    }
    supervisor->view = region_view_of(&supervisor->region);
    ring_init(&supervisor->ring, &supervisor->region);
    supervisor->needed_from = supervisor->ring.next_sequence;
    supervisor->limits = (struct frame_limits){
        .outbox_size = (size_t)supervisor->region.header->outbox_size,
        .max_message = supervisor->options->max_message_size,
        .room_count = ROOM_COUNT,
        .slot_count = supervisor->options->max_clients,
    };
    return true;
}

static void make_tables(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    unsigned max_clients = supervisor->options->max_clients;

    slots_init(supervisor);
    supervisor->names = names_new(max_clients);
    supervisor->lobby = room_new(max_clients);
    supervisor->penalties = penalties_new();
    acceptor_prepare(&run->acceptor, supervisor, run->listeners, run->listener_count);
}

static void log_ready(const struct run *run)
{
    size_t size = run->listener_count * (LISTENER_TEXT_MAX + 16) + 1, length = 0;
    char *text = alloc_zeroed(size, 1);

    for (size_t i = 0; i < run->listener_count; i++)
        length += (size_t)snprintf(
            text + length, size - length, "%slisten=%s", i > 0 ? " " : "", run->listeners[i].text);
    log_event(LOG_LEVEL_NOTICE, "ready", "%s", text);
    free(text);
}

/* Gives up the supervisor's privileges and sets up the forkers. */
static bool become_safe(struct run *run, const struct process_kinds *kinds, struct forker *forkers)
{
    struct supervisor *supervisor = &run->supervisor;
    bool changes_user = supervisor_changes_user(supervisor->options);

    if (!supervisor_jail_enter(supervisor->options))
        return false;
    if (spawner_prepare(&supervisor->spawner, supervisor, kinds, forkers, changes_user))
        return true;
    fprintf(stderr, "chatroomd: cannot set up the process that creates all others: %s\n",
        strerror(errno));
    return false;
}

/* Everything up to the ready line. Errors are reported on stderr. */
static bool start(struct run *run, const struct process_kinds *kinds, struct forker *forkers)
{
    struct supervisor *supervisor = &run->supervisor;
    const struct options *options = supervisor->options;

    log_event(LOG_LEVEL_NOTICE, "start", "version=%s pid=%ld max-clients=%u", PACKAGE_VERSION,
        (long)getpid(), options->max_clients);
    clock_forget(supervisor);
    if (!has_requirements(options) || !raise_descriptors(options) || !open_listeners(run) ||
        !make_region(supervisor) || !become_safe(run, kinds, forkers))
        return false;
    make_tables(run);
    if (!selftests_pass(&supervisor->spawner, options->jail))
        return false;
    supervisor->base = loop_new();
    if (supervisor->base == NULL || !watch_signals(run) || !spawner_open(&supervisor->spawner) ||
        !couriers_open(supervisor) || !acceptor_open(&run->acceptor)) {
        fprintf(stderr, "chatroomd: cannot create the event loop: %s\n", strerror(errno));
        return false;
    }
    log_ready(run);
    return true;
}

/* Undoes as much of start() as was done. */
static void finish(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;

    if (!run->acceptor.closed && run->acceptor.supervisor != NULL)
        acceptor_close(&run->acceptor);
    else if (run->acceptor.supervisor == NULL)
        for (size_t i = 0; i < run->listener_count; i++)
            listener_close(&run->listeners[i]);
    spawner_finish(&supervisor->spawner);
    couriers_close(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].relay != NULL)
            relay_close(supervisor->slots[i].relay);
    for (size_t i = 0; i < sizeof run->signals / sizeof run->signals[0]; i++)
        if (run->signals[i] != NULL)
            event_free(run->signals[i]);
    if (run->tick != NULL)
        event_free(run->tick);
    if (run->rest != NULL)
        event_free(run->rest);
    if (supervisor->base != NULL)
        event_base_free(supervisor->base);
    names_free(supervisor->names);
    room_free(supervisor->lobby);
    penalties_free(supervisor->penalties);
    slots_free(supervisor);
    if (supervisor->region.header != NULL)
        region_destroy(&supervisor->region);
    free(run->listeners);
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
    free(run);
    log_close();
    return status;
}
