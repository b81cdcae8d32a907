/* SPDX-License-Identifier: ISC */
/*
 * courier_state.h - one courier, as the files about couriers know it; all others know couriers.h.
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_COURIER_STATE_H
#define CHATROOMD_SUPERVISOR_COURIER_COURIER_STATE_H

#include "supervisor/state.h"

#include <event2/util.h>

/* Between two attempts to start a courier, if the last one failed or the courier did nothing. */
#define COURIER_RETRY_MS 100u

struct courier {
    struct child child; /* first, so that a pointer to it is one to the courier */
    unsigned number;
    uint32_t generation;
    struct cursor cursor;
    struct courier_part part;
    int handover_fd;
    struct event *handover_writable;
    uint64_t retry_at; /* milliseconds: it is not started before; 0: at once */
    bool is_missed;    /* it could not be started, and that is logged */

    unsigned clients, members;
    unsigned ending; /* clients for which CLOSE is due or sent */
    struct slot_list served, news, handovers;
    bool is_dirty;

    uint64_t stuck_at; /* its position at the last tick, ... */
    uint64_t stuck_ms; /* ... and for how long it has blocked the ring there */
};

/* --- courier_notify.c */

/* There is something to send to the courier about the client; or there is not any more. */
void courier_mark(struct slot *slot);
void courier_unmark(struct slot *slot);

/* The client's descriptor is to be sent. */
void courier_hand_over(struct slot *slot);

/* Sends what there is to send, and the descriptors that wait. */
void courier_notify(struct courier *courier);

/* A libevent callback; `argument` is the courier, whose handover socket accepts more. */
void courier_handover_writable(evutil_socket_t fd, short what, void *argument);

/* --- courier_client.c */

/* Handles a checked DETACHED. */
void courier_read_detached(struct courier *courier, const struct frame *frame);

/* The client's courier has detached it, or is dead: what the client did not get begins at `position`.
 * `reason` is why, if that is not the reason that it had already; `how` is that of shutdown(2). */
void courier_detach(struct slot *slot, uint64_t position, enum disconnect_reason reason, int how);

/* Where the client's courier publishes how far it is. */
static inline const struct delivery_state *courier_delivery(
    const struct courier *courier, const struct slot *slot)
{
    return &courier->part.deliveries[slot->number];
}

/* --- courier_process.c */

/* Requests its process; what there is to send waits in its sockets. */
void courier_start(struct courier *courier);

void courier_close_handover(struct courier *courier);

/* Handlers of couriers, see struct child_ops. */
void courier_created(struct child *child);
void courier_failed(struct child *child, int failure);
void courier_writable(struct child *child);
void courier_log_fault(struct child *child, const char *what);
void courier_exited(struct child *child);
bool courier_has_work(struct child *child);
uint64_t courier_last_answer(const struct child *child);

/* --- courier_recovery.c */

/* It is gone: the next one begins where it has stopped, at once or soon. */
void courier_recover(struct child *child);

#endif
