/* SPDX-License-Identifier: ISC */
/*
 * own_delivery.c - writes a client's records, and waits for EV_WRITE if its socket is full.
 *
 * Model: the supervisor's DELIVER frames announce records. After all frames of a read,
 * own_delivery_write() writes them. What the socket does not take is written when it becomes
 * writable. When the position passes what the supervisor waits for, SPACE is sent to it.
 *
 * Overflow: none; pending records stay in the ring.
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

static void write_records(struct own_delivery *own_delivery)
{
    struct delivery *delivery = &own_delivery->delivery;
    enum delivery_outcome outcome =
        delivery_is_done(delivery) ? DELIVERY_DONE : delivery_write(delivery, own_delivery->fd);

    if (delivery->space_passed) {
        delivery->space_passed = false;
        relay_send(own_delivery->relay, &(struct frame){.kind = FRAME_SPACE}, 1);
    }
    if (outcome == DELIVERY_DONE)
        own_delivery->handler->done(own_delivery->context);
    else if (outcome == DELIVERY_LOST || event_add(own_delivery->writable, NULL) != 0)
        own_delivery->handler->lost(own_delivery->context);
}

static void own_client_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    write_records(argument);
}

struct own_delivery *own_delivery_new(const struct own_delivery_setup *setup,
    const struct own_delivery_handler *handler, void *context)
{
    struct own_delivery *own_delivery = alloc_zeroed(1, sizeof *own_delivery);
    const struct region_view *view = setup->view;

    own_delivery->relay = setup->relay;
    own_delivery->fd = setup->fd;
    own_delivery->handler = handler;
    own_delivery->context = context;
    own_delivery->writable =
        event_new(setup->base, setup->fd, EV_WRITE, own_client_writable, own_delivery);
    if (own_delivery->writable == NULL) {
        free(own_delivery);
        return NULL;
    }
    delivery_init(&own_delivery->delivery, view, setup->state,
        &(struct delivery_start){.slot = setup->slot, .generation = setup->generation});
    prefault_init(&own_delivery->index_pages, view->index, view->index_count * sizeof *view->index);
    prefault_init(&own_delivery->ring_pages, view->ring, view->ring_size);
    return own_delivery;
}

bool own_delivery_frame(struct own_delivery *own_delivery, const struct frame *frame)
{
    struct delivery *delivery = &own_delivery->delivery;

    if (frame->kind == FRAME_MEMBERSHIP)
        return delivery_set_membership(delivery, frame->room, frame->from, frame->detail != 0);
    if (!delivery_extend(delivery, frame->from, frame->to))
        return false;
    prefault_records(&own_delivery->index_pages, &own_delivery->ring_pages, delivery->view,
        frame->from, frame->to);
    return true;
}

void own_delivery_write(struct own_delivery *own_delivery)
{
    if (!event_pending(own_delivery->writable, EV_WRITE, NULL))
        write_records(own_delivery);
}

bool own_delivery_at_line_boundary(const struct own_delivery *own_delivery)
{
    return delivery_at_line_boundary(&own_delivery->delivery);
}
