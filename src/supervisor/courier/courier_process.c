/* SPDX-License-Identifier: ISC */
/*
 * courier_process.c - the process behind a courier's number: its sockets, its making, what it says,
 * and whether it answers.
 *
 * Model:
 * 1. Its sockets are there before it is: what there is to say waits in them.
 * 2. The forker is asked for it, and answers later, or spawner.c does if the forker has died.
 * 3. What it says is judged before it is used. One that breaks a rule, or does not answer ALIVE in
 *    time, is at fault: that is logged once, nothing that it says counts any more, and the process
 *    is killed as soon as it is known. The end of its relay tells that it is gone; courier_death.c
 *    goes on from there.
 *
 * Overflow: one ALIVE is under way at a time; it does not wait for what waits before it, since it
 * is what tells that the courier hangs.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "base/log.h"
#include "relay/handover.h"
#include "relay/relay.h"
#include "supervisor/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void courier_fault(struct courier *courier, const char *what)
{
    char quoted[128];

    if (courier->is_at_fault ||
        (courier->state != COURIER_MAKING && courier->state != COURIER_RUNS))
        return;
    courier->is_at_fault = true;
    log_event(LOG_LEVEL_ERROR, "courier-fault", "courier=%u pid=%ld what=%s", courier->number,
        (long)courier->pid, log_quote(quoted, sizeof quoted, what));
    if (courier->pid != 0)
        kill(courier->pid, SIGKILL);
}

static bool take_frame(void *context, const struct frame *frame)
{
    struct courier *courier = context;
    enum frame_verdict verdict =
        frame_check(frame, FRAME_FROM_COURIER, &courier->supervisor->limits);

    if (courier->is_at_fault)
        return true;
    if (verdict != FRAME_FINE)
        courier_fault(courier, frame_verdict_word(verdict));
    else if (frame->kind == FRAME_DETACHED)
        courier_take_done(courier, frame);
    return true; /* SPACE: that it came is enough, the turn looks at what waits */
}

static void relay_writable(void *context)
{
    struct courier *courier = context;

    courier->ask_waits = false;
    courier->is_dirty = true;
}

static void relay_ended(void *context)
{
    struct courier *courier = context;

    relay_close(courier->relay);
    courier->relay = NULL;
    courier->state = COURIER_DYING;
    if (courier->pid != 0)
        kill(courier->pid, SIGKILL);
}

static const struct relay_handler courier_handler = {
    .frame = take_frame,
    .writable = relay_writable,
    .ended = relay_ended,
};

void courier_close_sockets(struct courier *courier)
{
    if (courier->relay != NULL)
        relay_close(courier->relay);
    courier->relay = NULL;
    if (courier->handover_writable != NULL)
        event_free(courier->handover_writable);
    courier->handover_writable = NULL;
    if (courier->handover_fd >= 0)
        close(courier->handover_fd);
    courier->handover_fd = -1;
}

/* Its sockets, and the other ends of them. */
static bool open_sockets(struct courier *courier, int *handover, int *relay)
{
    int ends[2];

    if (!handover_pair(&courier->handover_fd, handover))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        close(*handover);
        return false;
    }
    courier->relay = relay_open(courier->supervisor->base, ends[0], &courier_handler, courier);
    courier->handover_writable = event_new(courier->supervisor->base, courier->handover_fd,
        EV_WRITE, courier_handover_writable, courier);
    *relay = ends[1];
    if (courier->relay != NULL && courier->handover_writable != NULL)
        return true;
    close(*handover);
    close(*relay);
    return false;
}

static void log_missing(struct courier *courier, const char *what, int failure)
{
    char quoted[128];

    if (!courier->is_missed)
        log_event(LOG_LEVEL_ERROR, "courier-missing", "courier=%u what=%s error=%s",
            courier->number, what, log_quote(quoted, sizeof quoted, strerror(failure)));
    courier->is_missed = true;
}

static void go_down(struct courier *courier, const char *what, int failure)
{
    courier_close_sockets(courier);
    courier->state = COURIER_DOWN;
    courier->retry_at = clock_ms(courier->supervisor) + COURIER_RETRY_MS;
    log_missing(courier, what, failure);
}

void courier_ask(struct courier *courier)
{
    if (courier->relay == NULL)
        return;
    courier->asked++;
    courier->due = courier->asked_to;
    courier->asked_to = courier->cursor.notified_to;
    courier->silent_ms = 0;
    relay_send(courier->relay, &(struct frame){.kind = FRAME_PING, .from = courier->asked}, 1);
    courier->ask_waits = relay_blocked(courier->relay);
}

uint64_t courier_last_answer(const struct courier *courier)
{
    return atomic_load_explicit(&courier->part.state->answered, memory_order_acquire);
}

void courier_start(struct courier *courier)
{
    struct forker_request request = {
        .kind = KIND_COURIER,
        .slot = courier->number,
        .generation = ++courier->generation,
    };
    int handover, relay;
    bool asked;

    courier->retry_at = 0;
    courier->pid = 0;
    courier->is_at_fault = false;
    courier->asked = courier->asked_to = courier->due = courier->idle_ms = 0;
    if (!open_sockets(courier, &handover, &relay)) {
        go_down(courier, "sockets", errno);
        return;
    }
    asked = spawner_ask(&courier->supervisor->spawner, &request, relay, handover);
    int failure = errno;
    close(handover);
    close(relay);
    courier->state = COURIER_MAKING;
    courier->is_asked_for = asked;
    courier->is_dirty = true;
    if (asked)
        courier_ask(courier);
    else
        go_down(courier, "forker", failure);
}

static void answered(struct supervisor *supervisor, const struct forker_answer *answer)
{
    struct courier *courier = &supervisor->couriers[answer->slot];

    courier->is_asked_for = false;
    if (answer->pid == 0) {
        log_missing(courier, "fork", answer->failure);
        if (courier->relay != NULL)
            relay_finish(courier->relay); /* one that was created all the same exits then */
        return;
    }
    courier->pid = answer->pid;
    courier->is_missed = false;
    courier->silent_ms = 0;
    if (courier->state == COURIER_MAKING)
        courier->state = COURIER_RUNS;
    if (courier->is_at_fault)
        kill(courier->pid, SIGKILL);
    log_event(LOG_LEVEL_INFO, "courier", "courier=%u pid=%ld", courier->number, (long)answer->pid);
}

static bool knows(const struct supervisor *supervisor, pid_t pid)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++)
        if (supervisor->couriers[i].pid == pid)
            return true;
    return false;
}

const struct spawner_handler courier_spawner_handler = {answered, knows};
