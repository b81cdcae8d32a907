/* SPDX-License-Identifier: ISC */
/*
 * own_delivery.c - delivering at once, and waiting for EV_WRITE only where the socket is full.
 *
 * Model: the supervisor's DELIVER says what is owed; own_delivery_go_on(), after all frames of a read,
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

struct own_delivery {
    struct delivery delivery;
    struct prefault index_pages, ring_pages;
    struct event *writable;
    struct relay *relay;
    int fd;
    const struct own_delivery_handler *handler;
    void *context;
};

static void deliver(struct own_delivery *own_delivery)
{
    enum delivery_outcome outcome = own_delivery_is_done(own_delivery)
                                        ? DELIVERY_DONE
                                        : delivery_write(&own_delivery->delivery, own_delivery->fd);

    if (own_delivery->delivery.space_passed) {
        own_delivery->delivery.space_passed = false;
        relay_send(own_delivery->relay, &(struct frame){.kind = FRAME_SPACE}, 1);
    }
    switch (outcome) {
    case DELIVERY_DONE:
        own_delivery->handler->done(own_delivery->context);
        break;
    case DELIVERY_MORE:
    case DELIVERY_BLOCKED:
        if (event_add(own_delivery->writable, NULL) != 0)
            own_delivery->handler->lost(own_delivery->context); /* nothing would go on */
        break;
    case DELIVERY_LOST:
        own_delivery->handler->lost(own_delivery->context);
        break;
    }
}

static void writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    deliver(argument);
}

struct own_delivery *own_delivery_new(struct event_base *base, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, int fd,
    const struct own_delivery_handler *handler, void *context)
{
    struct own_delivery *own_delivery = alloc_zeroed(1, sizeof *own_delivery);

    own_delivery->fd = fd;
    own_delivery->handler = handler;
    own_delivery->context = context;
    own_delivery->writable = event_new(base, fd, EV_WRITE, writable, own_delivery);
    if (own_delivery->writable == NULL) {
        free(own_delivery);
        return NULL;
    }
    delivery_init(&own_delivery->delivery, view, state, slot, generation, 0, 0);
    prefault_init(&own_delivery->index_pages, view->index, view->index_count * sizeof *view->index);
    prefault_init(&own_delivery->ring_pages, view->ring, view->ring_size);
    return own_delivery;
}

void own_delivery_set_relay(struct own_delivery *own_delivery, struct relay *relay)
{
    own_delivery->relay = relay;
}

bool own_delivery_take(struct own_delivery *own_delivery, const struct frame *frame)
{
    struct delivery *delivery = &own_delivery->delivery;

    if (frame->kind == FRAME_MEMBERSHIP)
        return delivery_member(delivery, frame->room, frame->from, frame->detail != 0);
    if (!delivery_extend(delivery, frame->from, frame->to))
        return false;
    prefault_records(&own_delivery->index_pages, &own_delivery->ring_pages, delivery->view,
        frame->from, frame->to);
    return true;
}

void own_delivery_go_on(struct own_delivery *own_delivery)
{
    if (!event_pending(own_delivery->writable, EV_WRITE, NULL))
        deliver(own_delivery);
}

bool own_delivery_is_done(const struct own_delivery *own_delivery)
{
    return delivery_is_done(&own_delivery->delivery);
}

bool own_delivery_at_line_boundary(const struct own_delivery *own_delivery)
{
    return delivery_at_line_boundary(&own_delivery->delivery);
}
