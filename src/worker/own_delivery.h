/*
 * deliverer.h - a worker's delivery to its own client: the delivery, its pages, its waiting.
 *
 * Only in a server without couriers; with them a client worker has none of this, and not even the
 * ring's mapping.
 */
#ifndef CHATROOMD_WORKER_OWN_DELIVERY_H
#define CHATROOMD_WORKER_OWN_DELIVERY_H

#include "delivery/delivery.h"
#include "relay/relay.h"

#include <event2/event.h>

struct deliverer;

struct deliverer_handler {
    void (*done)(void *context); /* nothing more is owed at present */
    void (*lost)(void *context); /* the client's socket is dead */
};

/* For the client of `slot`, whose socket is `fd`. `handler` must outlive it. NULL where there is no
 * event to be had. It ends with the process. */
struct deliverer *deliverer_new(struct event_base *base, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, int fd,
    const struct deliverer_handler *handler, void *context);

/* SPACE goes here. */
void deliverer_set_relay(struct deliverer *deliverer, struct relay *relay);

/* A DELIVER or MEMBER; false where it is wrong. */
bool deliverer_take(struct deliverer *deliverer, const struct frame *frame);

/* Writes what is owed unless it waits for the socket. */
void deliverer_go_on(struct deliverer *deliverer);

/* Whether all that is owed has left, and whether what has left ends with a whole line. */
bool deliverer_is_done(const struct deliverer *deliverer);
bool deliverer_at_line_boundary(const struct deliverer *deliverer);

#endif
