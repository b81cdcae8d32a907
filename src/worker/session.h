/* SPDX-License-Identifier: ISC */
/*
 * session.h - the session of one client in its worker.
 */
#ifndef CHATROOMD_WORKER_SESSION_H
#define CHATROOMD_WORKER_SESSION_H

#include "process/heritage.h"
#include "region/region.h"

/* Waits for a client and runs its session until it ends. Owns the descriptors of the heritage from
 * then on. `view` is NULL if a courier delivers. Returns an enum child_exit. */
int session_run(
    const struct heritage *heritage, const struct region_view *view, const struct outbox *outbox);

#endif
