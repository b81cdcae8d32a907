/* SPDX-License-Identifier: ISC */
/*
 * faults.h - what the fault tests share: many clients at once, figures of a process, and tools that
 * may be missing.
 *
 * Model: a fault test starts a daemon (tests/system/daemon.h), lets clients talk, injects one kind
 * of fault many times, and checks the clients that it does not concern. It prints how often it did
 * so. A case that needs root or a missing tool prints "skipped: WHY" and passes.
 *
 * Every function that waits has the bound BOUND_MS and fails the test after that.
 */
#ifndef CHATROOMD_TESTS_FAULTS_FAULTS_H
#define CHATROOMD_TESTS_FAULTS_FAULTS_H

#include "tests/system/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon;

/* The limit of one case of these tests, in seconds: the long forms take long. */
#define FAULT_CASE_SECONDS (fault_long() ? 3600 : 180)

/* Returns whether the long forms are requested (make check-long: CHATROOMD_LONG=1). */
bool fault_long(void);

/* Returns the number for the short form or for the long one. */
int fault_times(int in_short, int in_long);

/* Returns whether the daemon has sanitizers, which use memory and time of their own. */
bool fault_sanitizers(void);

/* Prints "skipped: WHY". */
void fault_skip(const char *why, ...) __attribute__((format(printf, 1, 2)));

/* Returns whether a program of that name is in PATH. */
bool fault_has_tool(const char *name);

/* Returns the option with which chatroomd can be traced, or "" if it has no such option. No
 * process can trace a jailed worker. */
const char *fault_no_jail(void);

/* Returns the private memory of a process in KiB, anonymous and resident; 0 if it is gone. */
size_t fault_private_kib(pid_t process);

/* Returns the processor time that a process has used, user and system, in milliseconds. */
int64_t fault_cpu_ms(pid_t process);

/* Returns how many descriptors a process has open. */
size_t fault_descriptors(pid_t process);

/* Waits until the process has `count` descriptors. It may close those of a client later than it frees
 * the slot, and replaces a spare worker that a new client took 5 ms later. */
void fault_wait_descriptors(pid_t process, size_t count);

/* Connects two clients, the first of this daemon. Waits until it has closed the descriptors that
 * it needs while it creates workers. Returns how many it has then. */
size_t fault_join_pair(struct daemon *daemon, struct client **pair);

/* Sends SIGUSR1, waits for the counters in the log, and returns the one with this name. */
unsigned long long fault_counter(struct daemon *daemon, const char *key);

/* Waits until the daemon has `count` slots in use, `count` workers, and no zombie. */
void fault_wait_slots(struct daemon *daemon, unsigned count);

/* Returns how many lines of the daemon's whole log contain these words. */
size_t fault_count_log(struct daemon *daemon, const char *words);

/* Waits until the log accounts for `count` refused connections, in lines of their own or as
 * suppressed ones. All have the same reason, so it must not have more lines about them than one
 * per second since `start`. */
void fault_expect_refusals(struct daemon *daemon, unsigned long long count, int64_t start);

/* Connects `count` clients at once and waits for all welcomes, which contain their names.
 * `receive_buffer` is as in client_open(). */
void fault_join_many(
    const char *address, struct client **clients, size_t count, int receive_buffer);

/* `speaker` says `words`, and the cursors of all others are set behind that, so that crowd.h can
 * compare what they receive from there on. */
void fault_align(
    struct client *speaker, struct client *const *clients, size_t count, const char *words);

/* Sends and receives for all until nothing has moved for `milliseconds`. */
void fault_run_until_quiet(struct client *const *clients, size_t count, int milliseconds);

/* Discards what the client has received, except an unfinished line. */
void fault_forget(struct client *client);

void fault_close_all(struct client *const *clients, size_t count);

#endif
