/* SPDX-License-Identifier: ISC */
/*
 * order.h - from a worker's frames to records, in one order for all.
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_ORDER_H
#define CHATROOMD_SUPERVISOR_ORDER_ORDER_H

#include "supervisor/state.h"

/* A frame from the slot's worker: judged, then answered now or put into the slot's queue. */
void order_frame(struct slot *slot, const struct frame *frame);

/* What waited goes on as far as there is space: leaves first, then the queues, one frame of each in
 * turn. Returns true where another turn is due at once: a turn's share is done and there is more,
 * or what was answered may have been the last of a worker that is gone. */
bool order_resume(struct supervisor *supervisor);

/* Records that the server stops, as the last record for everyone; false where there is no space. */
bool order_stop_notice(struct supervisor *supervisor);

#endif
