/* SPDX-License-Identifier: ISC */
/*
 * relay.h - one end of the socketpair between the supervisor and a worker.
 *
 * Both ends are alike: frames come in through a callback, one by one, each copied into a local
 * before it is looked at; frames go out by relay_send(). The other end's close is told once.
 */
#ifndef CHATROOMD_RELAY_RELAY_H
#define CHATROOMD_RELAY_RELAY_H

#include "relay/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct relay;

struct relay_handler {
    /* One frame; returns false where the relay was closed in the call. */
    bool (*frame)(void *context, const struct frame *frame);
    /* The frames of one read have all been given; NULL where that does not matter. */
    void (*settled)(void *context);
    /* What was held back by a full socket has gone: there may be more to say. */
    void (*writable)(void *context);
    /* The other end is closed, or sent a piece of a frame before it closed. The last call. */
    void (*ended)(void *context);
};

/* Takes over `fd`, a non-blocking stream socket. `handler` must outlive the relay. Returns NULL,
 * with `fd` closed, where the event loop takes no more descriptors. */
struct relay *relay_open(
    struct event_base *base, int fd, const struct relay_handler *handler, void *context);

/* Closes the descriptor and frees; allowed from any callback. */
void relay_close(struct relay *relay);

/*
 * Sends `count` frames, at once where the socket takes them; what it does not take is kept, and
 * relay_blocked() is true until it is gone. The caller bounds what is kept by sending nothing while
 * blocked, but for what it has counted.
 */
void relay_send(struct relay *relay, const struct frame *frames, size_t count);

/*
 * Sends `length` bytes with a descriptor, of which the caller keeps its copy: the first that is sent,
 * for the other end to take by handover_receive() before its loop reads. Returns false with errno
 * set: EPIPE or ECONNRESET where there is no other end.
 */
bool relay_give(struct relay *relay, const void *bytes, size_t length, int descriptor);

/* Nothing more will be sent: the other end sees that as our close, and is expected to close too. */
void relay_finish(struct relay *relay);

bool relay_blocked(const struct relay *relay);

/* Frames that leave in one send. */
#define FRAME_BATCH_MAX 64u

/* Frames for `relay` that are collected and sent together. */
struct frame_batch {
    struct relay *relay;
    size_t count;
    struct frame frames[FRAME_BATCH_MAX];
};

/* Adds a frame; sends first what is there if the batch is full. */
void frame_batch_add(struct frame_batch *batch, const struct frame *frame);

/* Sends what has been added since the last time. */
void frame_batch_send(struct frame_batch *batch);

#endif
