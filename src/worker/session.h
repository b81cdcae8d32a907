/* SPDX-License-Identifier: ISC */
/*
 * session.h - one client's session: its bytes to frames, its records to bytes.
 */
#ifndef CHATROOMD_WORKER_SESSION_H
#define CHATROOMD_WORKER_SESSION_H

#include "process/heritage.h"
#include "region/region.h"

/* Waits for a client and runs its session to the end. Takes over the heritage's descriptors; `view`
 * is NULL where a courier delivers. Returns an enum child_exit. */
int session_run(
    const struct heritage *heritage, const struct region_view *view, const struct outbox *outbox);

#endif
