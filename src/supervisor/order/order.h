/* SPDX-License-Identifier: ISC */
/*
 * order.h - turns the workers' frames into records, in one order for all.
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_ORDER_H
#define CHATROOMD_SUPERVISOR_ORDER_ORDER_H

#include "supervisor/state.h"

/* Checks a frame from the slot's worker, and answers it now or puts it into the slot's queue. */
void order_frame(struct slot *slot, const struct frame *frame);

/* Continues with what waits, as far as there is space: first the leaves, then the queues, one frame
 * of each in turn. Returns true if another turn is due at once: there are more frames than one turn
 * answers, or a dead worker's last frame was answered. */
bool order_resume(struct supervisor *supervisor);

/* Records that the server stops, as the last record for everyone. Returns false if there is no
 * space. */
bool order_stop_notice(struct supervisor *supervisor);

#endif
