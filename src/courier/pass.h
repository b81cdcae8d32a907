/* SPDX-License-Identifier: ISC */
/*
 * pass.h - delivers new records to all clients of a courier that are caught up.
 */
#ifndef CHATROOMD_COURIER_PASS_H
#define CHATROOMD_COURIER_PASS_H

#include "courier/hold_off.h"
#include "courier/served.h"
#include "delivery/prefault.h"

/* Clients whose private records are delivered while the other new records wait. */
#define PASS_PRIVATE_MAX 64

struct pass {
    struct clients *clients;
    struct batch batch;
    struct prefault index_pages, ring_pages;
    struct hold_off hold_off;
    struct event *timer;                         /* for the next pass */
    bool is_urgent;                              /* the new records may not wait */
    struct served *recipients[PASS_PRIVATE_MAX]; /* of private records among the new ones */
    size_t recipient_count;
};

/* Initialises a pass over `clients`, whose `base` is set. Returns false if there is no timer. */
bool pass_open(struct pass *pass, struct clients *clients);

/* The supervisor announces the records [from, to]. Returns false if the range is invalid. */
bool pass_announce(struct pass *pass, uint64_t from, uint64_t to);

/* Delivers the new records, or defers those that may wait. */
void pass_deliver(struct pass *pass);

/* Delivers all new records now. */
void pass_deliver_all(struct pass *pass);

#endif
