/* SPDX-License-Identifier: ISC */
/*
 * supervisor.h - the parent process: its whole run, from binding to the exit status.
 */
#ifndef CHATROOMD_SUPERVISOR_SUPERVISOR_H
#define CHATROOMD_SUPERVISOR_SUPERVISOR_H

#include "base/options.h"
#include "process/forker.h"

/* Exit statuses of a run; errors in the options have their own (options.h). */
enum supervisor_exit {
    SUPERVISOR_EXIT_STOPPED = 0, /* after an orderly stop */
    SUPERVISOR_EXIT_FAILED = 1,  /* it could not run, was stopped twice, or lost both forkers */
};

/* Serves until it is stopped. `forkers` are two that forker_start() has made; they are gone
 * afterwards, unless the start fails early. Returns the exit status; errors have been reported on
 * stderr by then. */
int supervisor_run(
    const struct options *options, const struct process_kinds *kinds, struct forker *forkers);

#endif
