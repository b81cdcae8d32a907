/* SPDX-License-Identifier: ISC */
/*
 * served.c - delivers to each client of a courier.
 *
 * Model:
 * 1. A client is either caught up or behind. If it is caught up, it needs no record before
 *    clients->from, whatever its own position says. It is behind if its socket was full, if its
 *    socket has not arrived, or while it is closing. A client that is behind continues when its
 *    socket becomes writable, a bounded piece at a time, and delays no other client.
 * 2. `oldest_needed` is the lowest position of the clients that are behind, or clients->from. The
 *    courier publishes it after each pass and after each write to a client that is behind, executes
 *    a seq_cst fence and reads its `wanted` word, as delivery.c does for a single client.
 * 3. detach() is the one place in which a client is released: it stores the last position, closes
 *    the descriptor and reports DETACHED. The supervisor shuts the connection down.
 * 4. A client's descriptor arrives on another socket than its ATTACH, before or after it.
 *
 * Overflow: a client's state has a fixed size. Reports are DETACHED, at most one for each ATTACH,
 * and SPACE, at most one each time the supervisor waits.
 */
#include "config.h"

#include "courier/served.h"

#include "base/alloc.h"
#include "delivery/graceful_close.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <unistd.h>

void clients_init(struct clients *clients)
{
    uint32_t count = clients->view.slot_count;

    clients->slots = alloc_zeroed(count, sizeof *clients->slots);
    clients->attached = alloc_zeroed(count, sizeof *clients->attached);
    for (uint32_t i = 0; i < count; i++) {
        clients->slots[i].clients = clients;
        clients->slots[i].fd = clients->slots[i].early_fd = -1;
    }
    TAILQ_INIT(&clients->behind);
    clients->oldest_needed = atomic_load(&clients->part.state->oldest_needed);
    clients->from = clients->end = clients->oldest_needed;
}

struct served *clients_find(struct clients *clients, uint32_t slot)
{
    return slot < clients->view.slot_count ? &clients->slots[slot] : NULL;
}

/* --- clients that are behind */

static void set_behind(struct served *served, bool behind)
{
    struct clients *clients = served->clients;

    if (served->is_behind == behind)
        return;
    served->is_behind = behind;
    if (behind) {
        TAILQ_INSERT_TAIL(&clients->behind, served, behind_link);
        return;
    }
    TAILQ_REMOVE(&clients->behind, served, behind_link);
    if (clients->oldest == served)
        clients->oldest = NULL;
}

static uint64_t find_oldest(struct clients *clients)
{
    uint64_t lowest = clients->from;
    struct served *served;

    clients->oldest = NULL;
    TAILQ_FOREACH (served, &clients->behind, behind_link)
        if (served->delivery.position < lowest) {
            lowest = served->delivery.position;
            clients->oldest = served;
        }
    return lowest;
}

/* See rule 2. */
static void publish_oldest(struct clients *clients)
{
    uint64_t before = clients->oldest_needed, wanted;

    if (clients->oldest != NULL && clients->oldest->delivery.position == before)
        return;
    clients->oldest_needed = find_oldest(clients);
    if (clients->oldest_needed == before)
        return;
    atomic_store_explicit(
        &clients->part.state->oldest_needed, clients->oldest_needed, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    wanted = atomic_load_explicit(clients->wanted, memory_order_acquire);
    if (before < wanted && wanted <= clients->oldest_needed)
        frame_batch_add(&clients->reports, &(struct frame){.kind = FRAME_SPACE});
}

void clients_report(struct clients *clients)
{
    publish_oldest(clients);
    frame_batch_send(&clients->reports);
}

/* --- one client */

/* Lets the delivery go on to the newest record, unless it has an end of its own. */
static void extend_to_newest(struct served *served)
{
    if (!served->is_closing && served->delivery.end < served->clients->end)
        served->delivery.end = served->clients->end;
}

static void detach(struct served *served, enum frame_detached why)
{
    struct clients *clients = served->clients;
    struct served *last;

    extend_to_newest(served);
    delivery_move_to_next(&served->delivery);
    set_behind(served, false);
    if (served->writable != NULL)
        event_free(served->writable);
    served->writable = NULL;
    if (served->fd >= 0)
        close(served->fd);
    served->fd = -1;
    served->is_attached = false;
    last = clients->attached[--clients->attached_count];
    clients->attached[served->place] = last;
    last->place = served->place;
    frame_batch_add(&clients->reports, &(struct frame){
                                           .kind = FRAME_DETACHED,
                                           .detail = (uint8_t)why,
                                           .slot = served->delivery.slot,
                                           .generation = served->delivery.generation,
                                       });
}

static void served_socket_writable(evutil_socket_t fd, short what, void *argument)
{
    struct served *served = argument;

    (void)fd, (void)what;
    served_write(served);
    clients_report(served->clients);
}

/* Waits until the socket is writable. Returns false if the event loop cannot do that. */
static bool await_writable(struct served *served)
{
    if (served->writable == NULL)
        served->writable =
            event_new(served->clients->base, served->fd, EV_WRITE, served_socket_writable, served);
    return served->writable != NULL && event_add(served->writable, NULL) == 0;
}

/* Continues after a write according to its outcome. */
static void handle_outcome(struct served *served, enum delivery_outcome outcome)
{
    struct delivery *delivery = &served->delivery;

    if (delivery->space_passed)
        frame_batch_add(&served->clients->reports, &(struct frame){.kind = FRAME_SPACE});
    delivery->space_passed = false;
    if (outcome == DELIVERY_LOST) {
        detach(served, FRAME_DETACHED_LOST);
        return;
    }
    delivery_set_waiting(delivery, outcome != DELIVERY_DONE);
    if (outcome != DELIVERY_DONE) {
        set_behind(served, true);
        if (!await_writable(served))
            detach(served, FRAME_DETACHED_LOST);
    } else if (served->is_closing) {
        detach(served, FRAME_DETACHED_CLOSED);
    } else {
        set_behind(served, false);
    }
}

void served_write(struct served *served)
{
    extend_to_newest(served);
    handle_outcome(served, delivery_write(&served->delivery, served->fd));
}

void served_write_batch(struct served *served, const struct batch *batch)
{
    struct delivery *delivery = &served->delivery;

    if (served->is_behind || delivery->position >= batch->end)
        return;
    delivery_skip(delivery, batch->from);
    delivery->end = batch->end;
    handle_outcome(served, batch_write(batch, delivery, served->fd));
}

static void set_socket(struct served *served, int fd)
{
    served->fd = fd;
    served_write(served);
}

bool served_attach(struct served *served, const struct frame *frame)
{
    struct clients *clients = served->clients;
    int early_fd = served->early_fd;

    if (served->is_attached)
        return false;
    served->generation = frame->generation;
    served->is_attached = true;
    served->is_closing = false;
    served->place = clients->attached_count;
    clients->attached[clients->attached_count++] = served;
    delivery_init(&served->delivery, &clients->view, &clients->part.deliveries[frame->slot],
        &(struct delivery_start){
            .slot = frame->slot,
            .generation = frame->generation,
            .position = frame->from,
            .partial = frame->length,
        });
    set_behind(served, true);
    served->early_fd = -1;
    if (early_fd >= 0 && served->early_generation == frame->generation)
        set_socket(served, early_fd);
    else if (early_fd >= 0)
        close(early_fd);
    return true;
}

void served_receive_socket(struct served *served, uint32_t generation, int fd)
{
    int32_t ahead = (int32_t)(generation - served->generation);

    if (ahead > 0) {
        if (served->early_fd >= 0)
            close(served->early_fd);
        served->early_fd = fd;
        served->early_generation = generation;
    } else if (ahead == 0 && served->is_attached && served->fd < 0) {
        set_socket(served, fd);
    } else {
        close(fd);
    }
}

void served_close(struct served *served, const struct frame *frame)
{
    struct delivery *delivery = &served->delivery;

    if (!served->is_behind)
        delivery_skip(delivery, served->clients->end); /* it has received everything before */
    served->is_closing = true;
    if (frame->to + 1 > delivery->end)
        delivery->end = frame->to + 1;
    if (frame->detail == FRAME_CLOSE_DRAIN) {
        set_behind(served, true);
        if (served->fd >= 0)
            served_write(served);
        return;
    }
    if (frame->detail == FRAME_CLOSE_EVICT && served->fd >= 0 &&
        delivery_at_line_boundary(delivery))
        last_line_send(served->fd, frame->length);
    detach(served, FRAME_DETACHED_CLOSED);
}
