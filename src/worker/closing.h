/*
 * closing.h - the orderly end of a client's socket, within a time.
 */
#ifndef CHATROOMD_WORKER_CLOSING_H
#define CHATROOMD_WORKER_CLOSING_H

#include <stdbool.h>

struct event_base;
struct closing;

/*
 * From now on `timeout_ms` run. `over` is called once: with false when they have, with true when,
 * after closing_when_taken(), the other side's kernel has taken all that was written to `fd`.
 * Returns NULL where there is no timer to be had.
 */
struct closing *closing_start(struct event_base *base, int fd, unsigned timeout_ms,
    void (*over)(void *context, bool in_time), void *context);

/* Everything is written and shut down: wait until it is taken. May be called again. */
void closing_when_taken(struct closing *closing);

void closing_stop(struct closing *closing);

#endif
