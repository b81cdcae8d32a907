/* SPDX-License-Identifier: ISC */
/*
 * own_delivery.h - a worker's delivery to its own client: the delivery, its pages, its waiting.
 *
 * Only in a server without couriers; with them a client worker has none of this, and not even the
 * ring's mapping.
 */
#ifndef CHATROOMD_WORKER_OWN_DELIVERY_H
#define CHATROOMD_WORKER_OWN_DELIVERY_H

#include "delivery/delivery.h"
#include "relay/relay.h"

#include <event2/event.h>

struct own_delivery;

struct own_delivery_handler {
    void (*done)(void *context); /* nothing more is owed at present */
    void (*lost)(void *context); /* the client's socket is dead */
};

/* For the client of `slot`, whose socket is `fd`. `handler` must outlive it. NULL where there is no
 * event to be had. It ends with the process. */
struct own_delivery *own_delivery_new(struct event_base *base, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, int fd,
    const struct own_delivery_handler *handler, void *context);

/* SPACE goes here. */
void own_delivery_set_relay(struct own_delivery *own_delivery, struct relay *relay);

/* A DELIVER or MEMBER; false where it is wrong. */
bool own_delivery_take(struct own_delivery *own_delivery, const struct frame *frame);

/* Writes what is owed unless it waits for the socket. */
void own_delivery_go_on(struct own_delivery *own_delivery);

/* Whether all that is owed has left, and whether what has left ends with a whole line. */
bool own_delivery_is_done(const struct own_delivery *own_delivery);
bool own_delivery_at_line_boundary(const struct own_delivery *own_delivery);

#endif
