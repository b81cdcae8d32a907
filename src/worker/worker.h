/* SPDX-License-Identifier: ISC */
/*
 * worker.h - the child kind "worker": it reads one client.
 */
#ifndef CHATROOMD_WORKER_WORKER_H
#define CHATROOMD_WORKER_WORKER_H

#include "process/kinds.h"

extern const struct filter_table worker_filter;

/* Serves one client, with the line protocol, until it is disconnected. Returns an enum
 * child_exit. */
int worker_run_client(struct heritage *heritage);

#endif
