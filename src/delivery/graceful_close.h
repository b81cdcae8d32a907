/* SPDX-License-Identifier: ISC */
/*
 * graceful_close.h - the end of a client's socket: in order and within a time, or with a last line.
 */
#ifndef CHATROOMD_DELIVERY_GRACEFUL_CLOSE_H
#define CHATROOMD_DELIVERY_GRACEFUL_CLOSE_H

#include "chat/disconnect.h"

#include <stdbool.h>

struct event_base;
struct graceful_close;

/*
 * From now on `timeout_ms` run. `over` is called once: with false when they have, with true when,
 * after graceful_close_when_read(), the other side's kernel has taken all that was written to `fd`.
 * Returns NULL where there is no timer to be had. It ends with the process.
 */
struct graceful_close *graceful_close_start(struct event_base *base, int fd, unsigned timeout_ms,
    void (*over)(void *context, bool in_time), void *context);

/* Everything is written and shut down: wait until it is taken. May be called again. */
void graceful_close_when_read(struct graceful_close *closing);

/* Writes the last line of a client that is ended for `reason`, where that has one and the socket
 * takes it. To be called at the end of a line. */
void last_line_send(int fd, enum disconnect_reason reason);

#endif
