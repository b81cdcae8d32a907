/* SPDX-License-Identifier: ISC */
/*
 * graceful_close.h - the two ways to close a client's socket: in order and within a time limit, or
 * at once, with a last line that says why.
 */
#ifndef CHATROOMD_DELIVERY_GRACEFUL_CLOSE_H
#define CHATROOMD_DELIVERY_GRACEFUL_CLOSE_H

#include "chat/disconnect.h"

#include <stdbool.h>

struct event_base;
struct graceful_close;

/*
 * Starts a time limit of `timeout_ms` milliseconds. `over` is called once: with `in_time` false
 * when the limit has passed, or true when, after graceful_close_when_read(), the peer's kernel has
 * acknowledged everything written to `fd`. Returns NULL if no timer can be created. The object is
 * never freed; it exists until the process exits.
 */
struct graceful_close *graceful_close_start(struct event_base *base, int fd, unsigned timeout_ms,
    void (*over)(void *context, bool in_time), void *context);

/* Waits until the peer has acknowledged everything. The caller has written everything and shut the
 * socket down for writing. A second call has no effect. */
void graceful_close_when_read(struct graceful_close *closing);

/* Writes the last line of a client that is disconnected for `reason`, if there is one for this
 * reason and the socket takes it without blocking. The last byte written before must have ended a
 * line. */
void last_line_send(int fd, enum disconnect_reason reason);

#endif
