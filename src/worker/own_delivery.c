/*
 * deliverer.c - delivering at once, and waiting for EV_WRITE only where the socket is full.
 *
 * Model: the supervisor's DELIVER says what is owed; deliverer_go_on(), after all frames of a read,
 * writes it. What does not go is written when the socket takes it. SPACE goes back on the relay
 * when the position has passed what the supervisor waits for.
 *
 * Overflow: none; the ring keeps what is owed.
 */
#include "config.h"

#include "worker/own_delivery.h"

#include "base/alloc.h"
#include "delivery/prefault.h"

#include <stdlib.h>

struct deliverer {
    struct delivery delivery;
    struct prefault index_pages, ring_pages;
    struct event *writable;
    struct relay *relay;
    int fd;
    const struct deliverer_handler *handler;
    void *context;
};

static void deliver(struct deliverer *deliverer)
{
    enum delivery_outcome outcome = deliverer_is_done(deliverer)
                                        ? DELIVERY_DONE
                                        : delivery_write(&deliverer->delivery, deliverer->fd);

    if (deliverer->delivery.space_passed) {
        deliverer->delivery.space_passed = false;
        relay_send(deliverer->relay, &(struct frame){.kind = FRAME_SPACE}, 1);
    }
    switch (outcome) {
    case DELIVERY_DONE:
        deliverer->handler->done(deliverer->context);
        break;
    case DELIVERY_MORE:
    case DELIVERY_BLOCKED:
        if (event_add(deliverer->writable, NULL) != 0)
            deliverer->handler->lost(deliverer->context); /* nothing would go on */
        break;
    case DELIVERY_LOST:
        deliverer->handler->lost(deliverer->context);
        break;
    }
}

static void writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    deliver(argument);
}

struct deliverer *deliverer_new(struct event_base *base, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, int fd,
    const struct deliverer_handler *handler, void *context)
{
    struct deliverer *deliverer = alloc_zeroed(1, sizeof *deliverer);

    deliverer->fd = fd;
    deliverer->handler = handler;
    deliverer->context = context;
    deliverer->writable = event_new(base, fd, EV_WRITE, writable, deliverer);
    if (deliverer->writable == NULL) {
        free(deliverer);
        return NULL;
    }
    delivery_init(&deliverer->delivery, view, state, slot, generation, 0, 0);
    prefault_init(&deliverer->index_pages, view->index, view->index_count * sizeof *view->index);
    prefault_init(&deliverer->ring_pages, view->ring, view->ring_size);
    return deliverer;
}

void deliverer_set_relay(struct deliverer *deliverer, struct relay *relay)
{
    deliverer->relay = relay;
}

bool deliverer_take(struct deliverer *deliverer, const struct frame *frame)
{
    struct delivery *delivery = &deliverer->delivery;

    if (frame->kind == FRAME_MEMBER)
        return delivery_member(delivery, frame->room, frame->from, frame->detail != 0);
    if (!delivery_extend(delivery, frame->from, frame->to))
        return false;
    prefault_records(
        &deliverer->index_pages, &deliverer->ring_pages, delivery->view, frame->from, frame->to);
    return true;
}

void deliverer_go_on(struct deliverer *deliverer)
{
    if (!event_pending(deliverer->writable, EV_WRITE, NULL))
        deliver(deliverer);
}

bool deliverer_is_done(const struct deliverer *deliverer)
{
    return delivery_is_done(&deliverer->delivery);
}

bool deliverer_at_line_boundary(const struct deliverer *deliverer)
{
    return delivery_at_line_boundary(&deliverer->delivery);
}
