/* SPDX-License-Identifier: ISC */
/*
 * served.h - the clients of a courier: for each one its delivery, its socket and its state.
 */
#ifndef CHATROOMD_COURIER_SERVED_H
#define CHATROOMD_COURIER_SERVED_H

#include "delivery/batch.h"
#include "delivery/delivery.h"
#include "relay/relay.h"

#include <sys/queue.h>

struct clients;
struct event;
struct event_base;

/* A slot as this courier knows it. */
struct served {
    struct clients *clients;
    uint32_t generation; /* of the last client that was attached */
    bool is_attached;    /* between ATTACH and DETACHED */
    bool is_behind;
    bool is_closing; /* CLOSE came: the delivery has an end of its own */
    int fd;          /* -1 until it has arrived */
    uint32_t early_generation;
    int early_fd;           /* arrived before its ATTACH; -1: none */
    unsigned place;         /* in clients->attached */
    struct event *writable; /* NULL if the client never had to wait */
    struct delivery delivery;
    TAILQ_ENTRY(served) behind_link;
};

TAILQ_HEAD(served_list, served);

/* All slots, and what the courier reports to the supervisor about them. */
struct clients {
    struct event_base *base;
    struct frame_batch reports; /* to the supervisor */
    struct region_view view;
    struct courier_part part;
    const _Atomic uint64_t *wanted; /* the position that the supervisor waits for */
    struct served *slots;
    struct served **attached; /* without gaps */
    unsigned attached_count;
    struct served_list behind;
    struct served *oldest; /* whose position was `oldest_needed` when that was last computed */
    uint64_t oldest_needed;
    uint64_t from, end; /* the records in [from, end) are new: announced, and not yet in a pass */
};

/* Allocates the tables. `view`, `part` and `wanted` are set; `base` and the relay of `reports` may
 * be set later. */
void clients_init(struct clients *clients);

/* Returns a slot by its number, or NULL if there is no such slot. */
struct served *clients_find(struct clients *clients, uint32_t slot);

/* Publishes the lowest position that any client needs, and sends the reports. */
void clients_report(struct clients *clients);

/* Begins to deliver to a client, as the ATTACH frame says. Returns false if the slot has one. */
bool served_attach(struct served *served, const struct frame *frame);

/* Receives the socket of the client of this generation, which may not be attached yet, or may have
 * been detached already. */
void served_receive_socket(struct served *served, uint32_t generation, int fd);

/* Ends the delivery, as the CLOSE frame says: after the last record, or now. */
void served_close(struct served *served, const struct frame *frame);

/* Writes to a client that is behind, up to the newest record. */
void served_write(struct served *served);

/* Writes a batch to a client that has everything before the batch. */
void served_write_batch(struct served *served, const struct batch *batch);

#endif
