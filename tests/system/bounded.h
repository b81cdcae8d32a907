/* SPDX-License-Identifier: ISC */
/*
 * bounded.h - waits with a deadline, for the system tests.
 *
 * Model: a test process is one thread, and every wait in it is a poll(2) with a deadline. Some
 * descriptors must be read all the time, such as the log of a daemon, which would otherwise fill
 * its pipe. They are watched: every wait, whatever it waits for, also calls their callbacks. So a
 * test needs no threads, and never waits by sleeping.
 *
 * Times are milliseconds of CLOCK_MONOTONIC. There are no errors to handle: a poll that fails is an
 * error in the test and fails an assertion.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_BOUNDED_H
#define CHATROOMD_TESTS_SYSTEM_BOUNDED_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a test waits for something that must happen: far longer than it takes, far shorter
 * than Check's limit for one case (in seconds, for tcase_set_timeout). Both are multiplied by
 * CK_TIMEOUT_MULTIPLIER in the environment, for a daemon under strace. */
#ifdef CHATROOMD_SANITIZERS
#define BOUND_MS           (60000 * bounded_multiplier())
#define BOUND_CASE_SECONDS 240
#else
#define BOUND_MS           (20000 * bounded_multiplier())
#define BOUND_CASE_SECONDS 90
#endif

/* Returns CK_TIMEOUT_MULTIPLIER, which Check reads as well, or 1. */
int bounded_multiplier(void);

/* Returns the time in milliseconds since some fixed moment. */
int64_t bounded_now(void);

/* Returns the time `milliseconds` from now. */
int64_t bounded_deadline(int milliseconds);

/* From now on every wait calls `serve(context)` when `descriptor` can be read or is at its end. */
void bounded_watch(int descriptor, void (*serve)(void *context), void *context);

/* Stops watching a descriptor; one that is not watched is no error. */
void bounded_unwatch(int descriptor);

/* poll(2) that serves the watched descriptors too. Returns how many of `set` are ready; 0 once the
 * deadline has passed, and never before. */
int bounded_poll(struct pollfd *set, nfds_t count, int64_t deadline);

/* Waits for `events` on one descriptor; returns whether they come before the deadline. */
bool bounded_ready(int descriptor, short events, int64_t deadline);

/* Waits for 2 ms, for conditions that give no event, such as a file in /proc: called in a loop
 * that checks the condition and the result. Returns false once the deadline has passed. */
bool bounded_turn(int64_t deadline);

#endif
