/* SPDX-License-Identifier: ISC */
/*
 * couriers.c - all couriers: the supervisor's side of the processes that deliver to many clients each.
 *
 * Model:
 * 1. A courier is one reader of the ring with one cursor, whatever the number of its clients; nothing
 *    is done here for each client and message. courier_notify.c is what it is sent,
 *    courier_client.c its relation to one client, courier_process.c its process, courier_recovery.c
 *    what follows from its death, and this file what is done with all couriers in their turn.
 * 2. The first courier is started with the server, each other one when it is needed.
 * 3. A courier that blocks the ring without moving is killed after STUCK_MS, and stall-grace before
 *    that: within it a client that is to blame is evicted.
 *
 * Overflow: the table has options->couriers entries.
 */
#include "config.h"

#include "supervisor/courier/couriers.h"

#include "base/alloc.h"
#include "relay/relay.h"
#include "supervisor/clock.h"
#include "supervisor/courier/courier_state.h"

#include <signal.h>
#include <stdlib.h>

#define STUCK_MS 10000u

static void courier_frame(struct child *child, const struct frame *frame)
{
    enum frame_verdict verdict = frame_check(frame, FRAME_FROM_COURIER, &child->supervisor->limits);

    if (verdict != FRAME_FINE)
        child_fault(child, frame_verdict_word(verdict));
    else if (frame->kind == FRAME_DETACHED)
        courier_read_detached((struct courier *)child, frame);
    /* SPACE: the end of the turn looks at what waits */
}

static void courier_closed(struct child *child)
{
    (void)child;
}

static const struct child_ops courier_ops = {
    .frame = courier_frame,
    .writable = courier_writable,
    .created = courier_created,
    .failed = courier_failed,
    .fault = courier_log_fault,
    .closed = courier_closed,
    .exited = courier_exited,
    .gone = courier_recover,
    .has_work = courier_has_work,
    .last_answer = courier_last_answer,
};

void couriers_notify(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (!courier->is_dirty)
            continue;
        if (courier->child.state == CHILD_NONE && courier->retry_at == 0 && !supervisor->abandons)
            courier_start(courier);
        courier_notify(courier);
    }
}

bool couriers_turn(struct supervisor *supervisor)
{
    bool clock_needed = false;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (courier->retry_at != 0 && courier->retry_at <= clock_ms(supervisor))
            courier->retry_at = 0;
        clock_needed = clock_needed || courier->retry_at != 0 ||
                       !TAILQ_EMPTY(&courier->handovers) || child_is_watched(&courier->child);
    }
    return clock_needed;
}

/* Model, 3. */
static void check_progress(struct courier *courier, uint64_t elapsed)
{
    struct supervisor *supervisor = courier->child.supervisor;
    uint64_t position = cursor_position(&courier->cursor);

    if (!supervisor->space.blocked || supervisor->space.slowest != &courier->cursor ||
        position != courier->stuck_at)
        courier->stuck_ms = 0;
    else
        courier->stuck_ms += elapsed;
    courier->stuck_at = position;
    if (courier->stuck_ms > supervisor->options->stall_grace_ms + STUCK_MS)
        child_fault(&courier->child, "it blocks the ring and does not deliver");
}

void couriers_tick(struct supervisor *supervisor, uint64_t elapsed)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        child_watch(&supervisor->couriers[i].child, elapsed);
        check_progress(&supervisor->couriers[i], elapsed);
    }
}

/* The courier published a position, its own or a client's, that it cannot have. */
static void position_fault(void *owner)
{
    child_fault(owner, "position outside of what was delivered");
}

static void init_courier(struct supervisor *supervisor, unsigned number)
{
    struct courier *courier = &supervisor->couriers[number];

    courier->number = number;
    courier->handover_fd = -1;
    courier->part = region_courier(&supervisor->region, number);
    courier->cursor = (struct cursor){
        .oldest_needed = &courier->part.state->oldest_needed,
        .wanted = &supervisor->region.slots[supervisor->slot_count + number].wanted,
        .fault = position_fault,
        .owner = &courier->child,
    };
    space_add_cursor(&supervisor->space, &courier->cursor);
    TAILQ_INIT(&courier->served);
    TAILQ_INIT(&courier->news);
    TAILQ_INIT(&courier->handovers);
}

bool couriers_open(struct supervisor *supervisor)
{
    unsigned count = supervisor->options->couriers;

    if (count == 0)
        return true;
    supervisor->couriers = alloc_zeroed(count, sizeof *supervisor->couriers);
    supervisor->courier_count = count;
    children_register(supervisor, KIND_COURIER, &courier_ops, &supervisor->couriers[0].child,
        sizeof *supervisor->couriers, count);
    for (unsigned i = 0; i < count; i++)
        init_courier(supervisor, i);
    courier_start(&supervisor->couriers[0]);
    return supervisor->couriers[0].child.state == CHILD_ASKED;
}

void couriers_abandon(struct supervisor *supervisor)
{
    supervisor->abandons = true;
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct child *child = &supervisor->couriers[i].child;

        if (child->state == CHILD_RUNNING)
            kill(child->pid, SIGKILL);
        else if (child->relay != NULL)
            relay_finish(child->relay);
        else if (child->state == CHILD_NONE)
            courier_recover(child);
    }
}

void couriers_close(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        space_remove_cursor(&supervisor->space, &courier->cursor);
        courier_close_handover(courier);
        child_destroy(&courier->child); /* its clients are gone; it holds nothing else */
    }
    free(supervisor->couriers);
    supervisor->couriers = NULL;
    supervisor->courier_count = 0;
}
