/* SPDX-License-Identifier: ISC */
/*
 * A server under measurement, started and ended by the benchmark.
 *
 * It runs in the foreground, with stdout and stderr in one file in memory, where it never waits for
 * a reader, and says there in a line when it is ready. The last SERVER_LOG_SIZE bytes are shown
 * where something goes wrong. Whatever happens to the generator, the server goes with it: an exit
 * ends it, and the kernel does so by PR_SET_PDEATHSIG after a kill.
 */
#ifndef CHATROOMD_BENCH_PROCESS_H
#define CHATROOMD_BENCH_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum { SERVER_LOG_SIZE = 16384 };

struct server {
    pid_t pid;       /* 0: not running */
    int output;      /* the file with what it says */
    char ready[128]; /* what server_start has returned */
    char log[SERVER_LOG_SIZE + 1];
};

/* Is there a program NAME in PATH? */
bool program_there(const char *name);

/*
 * Start ARGUMENTS (argv, NULL at the end; found in PATH) and wait until a line with READY in it
 * has been read. Returns what follows READY in that line, up to a blank (kept in SERVER); NULL
 * where there is no such program. Any other failure ends the benchmark. One server runs at a time.
 */
const char *server_start(struct server *server, const char *const arguments[], const char *ready);

/* Run ARGUMENTS to their end. Returns what they said, kept in SERVER; what cannot be run ends the
 * benchmark. */
const char *server_ask(struct server *server, const char *const arguments[]);

/*
 * Send SERVER the signal NUMBER and wait for the next line with WORDS in it. Returns what follows
 * them there, kept in SERVER; no such line in time ends the benchmark.
 */
const char *server_signal(struct server *server, int number, const char *words);

/* SIGTERM, and wait until it has ended; not in time is a fault, and so is a status other than 0
 * where the server is STRICT about it. */
void server_stop(struct server *server, bool strict);

#endif
