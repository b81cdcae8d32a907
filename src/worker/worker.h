/* SPDX-License-Identifier: ISC */
/*
 * worker.h - the kinds of worker: what runs in a process that the forker made.
 */
#ifndef CHATROOMD_WORKER_WORKER_H
#define CHATROOMD_WORKER_WORKER_H

#include "process/heritage.h"

/* Serves one client, with the line protocol, until it is gone. Returns an enum child_exit. */
int worker_run_client(struct heritage *heritage);

#endif
