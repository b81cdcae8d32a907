/* SPDX-License-Identifier: ISC */
/*
 * Waiting with a bound, for the system tests.
 *
 * Model: a test process is one thread, and every wait in it is a poll(2) with a deadline. A
 * descriptor that somebody must read all the time (the log of a daemon, which would otherwise fill
 * its pipe) is a watched one: whoever waits, for whatever, serves it in passing. So a test needs no
 * threads, and nothing is ever waited for by sleeping.
 *
 * Times are milliseconds of CLOCK_MONOTONIC. There is no error to handle: what cannot be polled is
 * a fault of the test itself and asserts.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_BOUNDED_H
#define CHATROOMD_TESTS_SYSTEM_BOUNDED_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a test waits for what must happen: far more than it takes, far less than Check's limit
 * for one test case, which is in seconds for tcase_set_timeout. Both are multiplied by
 * CK_TIMEOUT_MULTIPLIER of the environment, as for a daemon under strace. */
#ifdef CHATROOMD_SANITIZERS
#define BOUND_MS           (60000 * bounded_multiplier())
#define BOUND_CASE_SECONDS 240
#else
#define BOUND_MS           (20000 * bounded_multiplier())
#define BOUND_CASE_SECONDS 90
#endif

/* CK_TIMEOUT_MULTIPLIER, which Check reads too, or 1. */
int bounded_multiplier(void);

/* Now, in milliseconds since some fixed moment. */
int64_t bounded_now(void);

/* The moment that is `milliseconds` from now. */
int64_t bounded_deadline(int milliseconds);

/* From now on every wait calls `serve(context)` when `descriptor` can be read or is at its end. */
void bounded_watch(int descriptor, void (*serve)(void *context), void *context);

/* Ends bounded_watch; a descriptor that is not watched is no error. */
void bounded_unwatch(int descriptor);

/* poll(2) that serves the watched descriptors too. Returns how many of `set` are ready; 0 once the
 * deadline has passed, and never before. */
int bounded_poll(struct pollfd *set, nfds_t count, int64_t deadline);

/* Whether `events` come on one descriptor before the deadline. */
bool bounded_ready(int descriptor, short events, int64_t deadline);

/* One short turn (2 ms) for conditions that give no event, such as a file in /proc: to be called in
 * a loop that checks the condition and the deadline. Returns false once the deadline has passed. */
bool bounded_turn(int64_t deadline);

#endif
