/* SPDX-License-Identifier: ISC */
/*
 * relay.h - one end of the socketpair between the supervisor and a child.
 *
 * Both ends are alike. read(2) copies incoming frames into memory that no other process can write,
 * so what is checked is what is used; they are passed to a callback one by one. relay_send() sends
 * frames. The close of the other end is reported once.
 */
#ifndef CHATROOMD_RELAY_RELAY_H
#define CHATROOMD_RELAY_RELAY_H

#include "relay/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct relay;

struct relay_handler {
    /* Handles one frame. Returns false if it closed the relay. */
    bool (*frame)(void *context, const struct frame *frame);
    /* All frames of one read have been handled; may be NULL. */
    void (*settled)(void *context);
    /* The relay is no longer blocked. */
    void (*writable)(void *context);
    /* The other end was closed, perhaps after a part of a frame. No further call follows. */
    void (*ended)(void *context);
};

/* Makes a relay that owns `fd`, a non-blocking stream socket. `handler` must outlive the relay. If
 * the event loop cannot watch another descriptor, closes `fd` and returns NULL. */
struct relay *relay_open(
    struct event_base *base, int fd, const struct relay_handler *handler, void *context);

/* Closes the descriptor and frees the relay; may be called from any callback. */
void relay_close(struct relay *relay);

/*
 * Sends `count` frames. What the socket does not take is kept and sent later; relay_blocked()
 * returns true until then. The caller bounds what is kept: while the relay is blocked it sends only
 * frames whose number is limited in another way.
 */
void relay_send(struct relay *relay, const struct frame *frames, size_t count);

/*
 * Sends `length` bytes with a copy of a descriptor. This must be the first that is sent; the other
 * end calls handover_receive() before its loop reads. Returns false and sets errno on failure:
 * EPIPE or ECONNRESET if the other end is closed.
 */
bool relay_give(struct relay *relay, const void *bytes, size_t length, int descriptor);

/* Shuts the socket down for writing. The other end sees EOF, and is expected to close as well. */
void relay_finish(struct relay *relay);

/* Returns whether frames are kept because the socket was full. */
bool relay_blocked(const struct relay *relay);

/* Frames that leave in one send. */
#define FRAME_BATCH_MAX 64u

/* Frames for `relay` that are collected and sent together. */
struct frame_batch {
    struct relay *relay;
    size_t count;
    struct frame frames[FRAME_BATCH_MAX];
};

/* Adds a frame, after sending the others if the batch is full. */
void frame_batch_add(struct frame_batch *batch, const struct frame *frame);

/* Sends the frames that were added since the last time. */
void frame_batch_send(struct frame_batch *batch);

#endif
