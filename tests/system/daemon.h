/* SPDX-License-Identifier: ISC */
/*
 * daemon.h - starts, watches, signals, stops and checks the chatroomd under test.
 *
 * Model: a struct daemon is one started program. Every wait of the test reads what it has written
 * into memory (see bounded.h). A daemon receives SIGKILL when the test process dies, for any
 * reason. The test process is a subreaper, so that it can wait for orphaned workers.
 *
 * The program is the one named by CHATROOMD_BINARY, which automake's tests environment sets. It
 * runs with `-f /dev/null` and `-l 127.0.0.1:0` unless the given options say otherwise, so that an
 * installed configuration or another test does not get in the way.
 *
 * Every function that waits has the bound BOUND_MS and fails the test after that, with the end of
 * the log. If the log contains the text of a sanitizer, the function that ends the daemon fails the
 * test.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_DAEMON_H
#define CHATROOMD_TESTS_SYSTEM_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon;

/* Exit codes, as chatroomd(8) words them. */
enum {
    DAEMON_EXIT_STOPPED = 0,
    DAEMON_EXIT_FAILED = 1,
    DAEMON_EXIT_USAGE = 2,
    DAEMON_EXIT_CONFIGURATION = 78
};

/* Command-line options for a start. */
#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Starts the daemon with OPTIONS, or NULL for none, and waits until it is ready. */
struct daemon *daemon_start(const char *const *options);

/* The same without waiting: for a start that is to fail. */
struct daemon *daemon_launch(const char *const *options);

/* Starts it in a session of its own on a pseudo-terminal, as a shell would, and waits until it is
 * ready. Its log still goes where daemon_log finds it. If no pseudo-terminal can be opened, prints
 * that the test case is skipped and returns NULL. */
struct daemon *daemon_start_on_terminal(const char *const *options);

/* Types on the daemon's terminal. */
void daemon_type(struct daemon *daemon, const char *keys);

pid_t daemon_pid(const struct daemon *daemon);

/* The n-th address of the ready line: "127.0.0.1:41234", "[::1]:41234", "unix:PATH". */
const char *daemon_address(const struct daemon *daemon, size_t number);

/* All that came on standard error, and on standard output, until now. */
const char *daemon_log(struct daemon *daemon);
const char *daemon_output(struct daemon *daemon);

/* Waits for a log line that holds all the words, which a NULL ends. The line is the daemon's until
 * the next call. Lines before the mark are passed over; daemon_mark sets it to here, a start sets
 * it to the beginning. */
const char *daemon_wait_log(struct daemon *daemon, const char *word, ...) __attribute__((sentinel));
void daemon_mark(struct daemon *daemon);

/* Whether such a line is there already, from the mark on. */
bool daemon_has_log(struct daemon *daemon, const char *word, ...) __attribute__((sentinel));

/* Whether it has ended; looks without waiting. */
bool daemon_ended(struct daemon *daemon);

/* The wait status of one that has ended. */
int daemon_status(const struct daemon *daemon);

void daemon_signal(struct daemon *daemon, int signal_number);

/* Waits for the end and checks its exit code, that nothing holds its standard error any more, and
 * that no sanitizer complained; then releases the daemon. */
void daemon_expect_exit(struct daemon *daemon, int code);

/* SIGTERM, then daemon_expect_exit(daemon, 0). */
void daemon_stop(struct daemon *daemon);

/* SIGKILL, reaped; the daemon's log stays readable until daemon_release. */
void daemon_kill(struct daemon *daemon);
void daemon_release(struct daemon *daemon);

#endif
