/* SPDX-License-Identifier: ISC */
/*
 * own_delivery.h - a worker's delivery to its own client.
 *
 * Only a server without couriers uses this. With couriers a worker does not even have the ring
 * mapped.
 */
#ifndef CHATROOMD_WORKER_OWN_DELIVERY_H
#define CHATROOMD_WORKER_OWN_DELIVERY_H

#include "delivery/delivery.h"
#include "relay/relay.h"

#include <event2/event.h>

struct own_delivery;

struct own_delivery_handler {
    void (*done)(void *context); /* everything announced so far is written */
    void (*lost)(void *context); /* the client's connection is dead */
};

struct own_delivery_setup {
    struct event_base *base;
    struct relay *relay; /* SPACE is sent here */
    const struct region_view *view;
    struct delivery_state *state;
    uint32_t slot, generation;
    int fd; /* the client's socket */
};

/* `handler` must outlive the object, which exists until the process exits. Returns NULL if the
 * event loop cannot watch the socket. */
struct own_delivery *own_delivery_new(const struct own_delivery_setup *setup,
    const struct own_delivery_handler *handler, void *context);

/* Applies a DELIVER or MEMBERSHIP frame. Returns false if the frame is invalid. */
bool own_delivery_frame(struct own_delivery *own_delivery, const struct frame *frame);

/* Writes to the client, unless an earlier write waits for its socket. */
void own_delivery_write(struct own_delivery *own_delivery);

/* Returns whether the last byte written ended a line. */
bool own_delivery_at_line_boundary(const struct own_delivery *own_delivery);

#endif
