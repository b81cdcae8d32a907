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

/* Exit codes, as in chatroomd(8). */
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

/* The same without waiting, for a start that must fail. */
struct daemon *daemon_launch(const char *const *options);

/* Starts it in a session of its own on a pseudo-terminal, as a shell would, and waits until it is
 * ready. Its log still goes where daemon_log finds it. If no pseudo-terminal can be opened, prints
 * that the test case is skipped and returns NULL. */
struct daemon *daemon_start_on_terminal(const char *const *options);

/* Types on the daemon's terminal. */
void daemon_type(struct daemon *daemon, const char *keys);

pid_t daemon_pid(const struct daemon *daemon);

/* Returns the n-th address of the ready line: "127.0.0.1:41234", "[::1]:41234", "unix:PATH". */
const char *daemon_address(const struct daemon *daemon, size_t number);

/* Return everything that it has written to standard error, or to standard output, until now. */
const char *daemon_log(struct daemon *daemon);
const char *daemon_output(struct daemon *daemon);

/* Waits for a log line that contains all the words, which a NULL ends. The line is valid until
 * the next call. Lines before the mark are skipped; daemon_mark() sets it to the end of the log,
 * a start to its beginning. */
const char *daemon_wait_log(struct daemon *daemon, const char *word, ...) __attribute__((sentinel));
void daemon_mark(struct daemon *daemon);

/* Returns whether the log already has such a line after the mark. */
bool daemon_has_log(struct daemon *daemon, const char *word, ...) __attribute__((sentinel));

/* Returns whether it has ended, without waiting. */
bool daemon_ended(struct daemon *daemon);

/* Returns the wait status of a daemon that has ended. */
int daemon_status(const struct daemon *daemon);

void daemon_signal(struct daemon *daemon, int signal_number);

/* Waits for its end and checks the exit code, that no process has its standard error open any
 * more, and that no sanitizer has reported anything. Then releases the daemon. */
void daemon_expect_exit(struct daemon *daemon, int code);

/* Sends SIGTERM, then calls daemon_expect_exit(daemon, 0). */
void daemon_stop(struct daemon *daemon);

/* Kills it with SIGKILL and reaps it; the log can be read until daemon_release(). */
void daemon_kill(struct daemon *daemon);
void daemon_release(struct daemon *daemon);

#endif
