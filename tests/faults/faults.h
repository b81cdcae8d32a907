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

/* The limit of one case of these tests, in seconds: the long forms take their time. */
#define FAULT_CASE_SECONDS (fault_long() ? 3600 : 180)

/* Whether the long forms are asked for (make check-long: CHATROOMD_LONG=1). */
bool fault_long(void);

/* The number for the short form or for the long one. */
int fault_times(int in_short, int in_long);

/* Whether the daemon under test has sanitizers, whose memory and time are not the daemon's own. */
bool fault_sanitizers(void);

/* Prints "skipped: WHY". */
void fault_skip(const char *why, ...) __attribute__((format(printf, 1, 2)));

/* Whether a program of that name is in PATH. */
bool fault_has_tool(const char *name);

/* Whether one starts chatroomd so that it can be looked into: with this in its options, or "" where
 * it has no such option. A jailed worker can be traced by nobody. */
const char *fault_no_jail(void);

/* Memory of the process alone, in KiB: what is anonymous and resident. 0 where it is gone. */
size_t fault_private_kib(pid_t process);

/* Processor time that a process has used, user and system, in milliseconds. */
int64_t fault_cpu_ms(pid_t process);

/* How many descriptors a process has open. */
size_t fault_descriptors(pid_t process);

/* Waits until the process has `count` descriptors. It may close those of a client later than it frees
 * the slot, and replaces a spare worker that a new client took 5 ms later. */
void fault_wait_descriptors(pid_t process, size_t count);

/* Two join, the first in this daemon. Returns how many descriptors it has with them, when it has
 * let go of those that it keeps while a worker is in the making. */
size_t fault_join_pair(struct daemon *daemon, struct client **pair);

/* Signals USR1 and waits for the counters, of which this is one. */
unsigned long long fault_counter(struct daemon *daemon, const char *key);

/* Waits until the daemon has so many slots in use, so many workers, and no zombie. */
void fault_wait_slots(struct daemon *daemon, unsigned count);

/* How many lines of the daemon's log, from its start on, hold these words. */
size_t fault_count_log(struct daemon *daemon, const char *words);

/* Waits until the log accounts for `count` refused connections, in lines of their own or as
 * suppressed ones; it must not have more lines about them than one per second since `start` for
 * each reason, of which there is one. */
void fault_expect_refusals(struct daemon *daemon, unsigned long long count, int64_t start);

/* Lets `count` clients join at once, and waits for all welcomes, which give them their names.
 * `receive_buffer` as client_open has it. */
void fault_join_many(
    const char *address, struct client **clients, size_t count, int receive_buffer);

/* One who has joined says `words`, and the cursor of all others is put behind that, so that
 * crowd.h can compare what they get from there on. */
void fault_align(
    struct client *speaker, struct client *const *clients, size_t count, const char *words);

/* Lets bytes move for all until nothing has moved for `milliseconds`. */
void fault_run_until_quiet(struct client *const *clients, size_t count, int milliseconds);

/* Forgets what the client was given, but for a line that has not come whole. */
void fault_forget(struct client *client);

void fault_close_all(struct client *const *clients, size_t count);

#endif
