/* SPDX-License-Identifier: ISC */
/*
 * workers.h - the children of a daemon under test: forkers, workers and couriers.
 *
 * Every function that waits has the bound BOUND_MS and fails the test after that.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_WORKERS_H
#define CHATROOMD_TESTS_SYSTEM_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct daemon;

/* Finds the daemon's workers that have a client. Returns their number. */
size_t daemon_workers(struct daemon *daemon, pid_t *workers, size_t room);

/* Returns the number of its workers and its exiting children together. */
size_t daemon_count_workers(struct daemon *daemon);

/* Waits until it has exactly `count` workers and no exiting child, not even a zombie. */
void daemon_wait_workers(struct daemon *daemon, size_t count);

/* Waits for the worker of the client with that name, and returns it. */
pid_t daemon_worker_of(struct daemon *daemon, const char *name);

/* Returns whether it is the worker of a client with one of these names, which a NULL ends. */
bool daemon_worker_is_of_one(struct daemon *daemon, pid_t worker, const char *const *names);

/* Finds the daemon's couriers. Returns their number. */
size_t daemon_couriers(struct daemon *daemon, pid_t *couriers, size_t room);

/* Waits for the active forker, and until the supervisor knows of a standby. Returns the active
 * one. */
pid_t daemon_forker(struct daemon *daemon);

/* Waits for the standby forker, and returns it. */
pid_t daemon_standby(struct daemon *daemon);

#endif
