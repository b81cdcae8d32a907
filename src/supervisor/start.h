/* SPDX-License-Identifier: ISC */
/*
 * start.h - bringing the server up and taking it down.
 */
#ifndef CHATROOMD_SUPERVISOR_START_H
#define CHATROOMD_SUPERVISOR_START_H

#include "supervisor/run.h"

/* Does everything up to the ready line. `forkers`: the two that main() has forked. Returns false on
 * failure; the error was reported on stderr then. */
bool start(struct run *run, const struct process_kinds *kinds, struct forker *forkers);

/* Undoes as much of start() as was done. */
void finish(struct run *run);

#endif
