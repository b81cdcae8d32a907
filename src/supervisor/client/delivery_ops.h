/* SPDX-License-Identifier: ISC */
/*
 * delivery_ops.h - who delivers to the clients: their own workers, or couriers. Chosen once, at the
 * start.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_DELIVERY_OPS_H
#define CHATROOMD_SUPERVISOR_CLIENT_DELIVERY_OPS_H

#include "relay/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct slot;
struct supervisor;

struct delivery_ops {
    /* A slot begins a new life. */
    void (*begin)(struct slot *slot);

    /* Its worker exists and has its client: the supervisor may need the descriptor no more. */
    void (*assigned)(struct slot *slot);

    /* The client has entered the room with record slot->joined, or has left it. */
    void (*joined)(struct slot *slot);
    void (*left)(struct slot *slot);

    /* There is something for the client in [first, last]. */
    void (*add_pending)(struct slot *slot, uint64_t first, uint64_t last);

    /* The records of the turn are pending for all members of the room. */
    void (*add_turn)(struct supervisor *supervisor);

    /* Milliseconds between two notifications of a room that is never quiet. */
    unsigned (*pace)(const struct supervisor *supervisor);

    /* The client is disconnected like this; a later, harder way takes the place of an earlier one. */
    void (*close)(struct slot *slot, enum frame_close how);

    /* Its worker has exited. */
    void (*worker_exited)(struct slot *slot);

    /* The lowest record that the client still needs, as published by whoever delivers, checked. */
    uint64_t (*position)(struct slot *slot);

    /* The first record that must stay in the ring because of this client alone; 0: none. */
    uint64_t (*needs)(struct slot *slot);

    /* Asks to be woken when the client has received record `wanted` - 1. Returns true if it has. */
    bool (*ask)(struct slot *slot, uint64_t wanted);

    /* How much of `elapsed` milliseconds counts as the client's own slowness. */
    uint64_t (*counted_ms)(const struct slot *slot, uint64_t elapsed);

    /* Whether it is the client's deliverer alone that claims that the client does not wait. */
    bool is_claimed;
};

extern const struct delivery_ops worker_delivery_ops, courier_delivery_ops;

#endif
