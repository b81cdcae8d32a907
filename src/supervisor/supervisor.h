/* SPDX-License-Identifier: ISC */
/*
 * supervisor.h - the parent process: its whole run, from binding to the exit status.
 */
#ifndef CHATROOMD_SUPERVISOR_SUPERVISOR_H
#define CHATROOMD_SUPERVISOR_SUPERVISOR_H

#include "base/options.h"
#include "process/heritage.h"

/* Exit statuses of a run; what options say is wrong has its own (options.h). */
enum supervisor_exit {
    SUPERVISOR_EXIT_STOPPED = 0, /* after an orderly stop */
    SUPERVISOR_EXIT_FAILED = 1,  /* it could not run, or was stopped twice */
};

/* Serves until it is stopped. `kinds` has KIND_COUNT rows. Returns the exit status; what was
 * wrong is on stderr by then. */
int supervisor_run(const struct options *options, const struct process_kind *kinds);

#endif
