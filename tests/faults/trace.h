/* SPDX-License-Identifier: ISC */
/*
 * trace.h - strace as a child of the test, to inject errors and signals into a running process.
 *
 * Every function that waits has the bound BOUND_MS and fails the test after that.
 */
#ifndef CHATROOMD_TESTS_FAULTS_TRACE_H
#define CHATROOMD_TESTS_FAULTS_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/* Returns whether strace is there and may trace; otherwise prints that the case is skipped. */
bool trace_possible(void);

/* Attaches to a process, and with `follow` to those that it creates, and waits until that is
 * done. `what` is strace's option -e, `output` the file that it writes. Returns strace's process
 * ID. */
pid_t trace_start(pid_t process, const char *what, const char *output, bool follow);

/* Detaches. */
void trace_stop(pid_t strace);

/* Returns whether something was injected, according to `output`. */
bool trace_injected(const char *output);

#endif
