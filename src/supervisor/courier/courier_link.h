/* SPDX-License-Identifier: ISC */
/*
 * courier_link.h - the part of a slot that belongs to its courier, from the first pending record
 * until the courier has detached the client (courier_client.c).
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_COURIER_LINK_H
#define CHATROOMD_SUPERVISOR_COURIER_COURIER_LINK_H

#include "relay/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct courier;
struct slot;

struct courier_link {
    struct courier *courier; /* NULL: none */
    uint64_t from;           /* where the courier began, ... */
    size_t partial;          /* ... and how many bytes of that record had left before */
    uint64_t wire_base;      /* bytes on the connection before the first byte of that record */
    bool was_attached;       /* to a courier, perhaps a former one */

    /* What is to be sent to the courier: in the lists of its news and of its handovers. */
    bool attach_due, membership_due, close_due, handover_due, has_news;
    bool is_closing; /* CLOSE is due or sent */
    enum frame_close close_how;
    uint64_t close_to; /* the last record that is the client's */

    TAILQ_ENTRY(slot) served_link;
    TAILQ_ENTRY(slot) news_link;
    TAILQ_ENTRY(slot) handover_link;
};

#endif
