/* SPDX-License-Identifier: ISC */
/*
 * loop.h - the event loop of each process; the model is in loop.c.
 */
#ifndef CHATROOMD_RELAY_LOOP_H
#define CHATROOMD_RELAY_LOOP_H

#include <stdbool.h>

struct event_base;

/* Prepares what the loops of this process, and of the processes forked from it, have in common. If
 * it is not called, loop_new() does this. Returns false if there is no memory. */
bool loop_prepare(void);

/* Returns a new event loop, which the caller frees with event_base_free(3). Returns NULL and sets
 * errno on failure. */
struct event_base *loop_new(void);

#endif
