/* SPDX-License-Identifier: ISC */
/*
 * loop.h - the event loop that each process of the service has; the model is in loop.c.
 */
#ifndef CHATROOMD_RELAY_LOOP_H
#define CHATROOMD_RELAY_LOOP_H

#include <stdbool.h>

struct event_base;

/* What is the same for the loops of this process and of those that are forked from it later. Without
 * it, loop_new() does this first. Returns false where there is no memory. */
bool loop_prepare(void);

/* A new event loop, the caller's to free by event_base_free(3); NULL where there is none to have,
 * and errno tells why. */
struct event_base *loop_new(void);

#endif
