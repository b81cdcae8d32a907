/*
 * closing.h - the end of a client's socket: in order and within a time, or with a last line.
 */
#ifndef CHATROOMD_DELIVERY_LINGER_H
#define CHATROOMD_DELIVERY_LINGER_H

#include "chat/disconnect.h"

#include <stdbool.h>

struct event_base;
struct closing;

/*
 * From now on `timeout_ms` run. `over` is called once: with false when they have, with true when,
 * after closing_when_taken(), the other side's kernel has taken all that was written to `fd`.
 * Returns NULL where there is no timer to be had. It ends with the process.
 */
struct closing *closing_start(struct event_base *base, int fd, unsigned timeout_ms,
    void (*over)(void *context, bool in_time), void *context);

/* Everything is written and shut down: wait until it is taken. May be called again. */
void closing_when_taken(struct closing *closing);

/* Writes the last line of a client that is ended for `reason`, where that has one and the socket
 * takes it. To be called at the end of a line. */
void closing_say(int fd, enum end_reason reason);

#endif
