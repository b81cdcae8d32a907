/* SPDX-License-Identifier: ISC */
/*
 * resume.h - where a client stands when its courier has died.
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_RESUME_H
#define CHATROOMD_SUPERVISOR_COURIER_RESUME_H

#include "supervisor/state.h"

/* How many bytes have been written to a TCP connection since it was made: those that the other side
 * has acknowledged and those that still wait here. False for any other socket. */
bool resume_written(int fd, uint64_t *bytes);

/*
 * Finds out how far the slot's client got: `notified_to` is one beyond what the courier, which is dead
 * and reaped, knew of; `oldest_needed` where it was going on (cursor_next()). Sets served_from,
 * served_partial and wire_base to where the next courier goes on. False, with served_from set to
 * the first record that is in doubt, where that cannot be known.
 */
bool resume_slot(struct slot *slot, uint64_t oldest_needed, uint64_t notified_to);

#endif
