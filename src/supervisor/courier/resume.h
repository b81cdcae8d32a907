/* SPDX-License-Identifier: ISC */
/*
 * resume.h - the position of a client whose courier has died.
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_RESUME_H
#define CHATROOMD_SUPERVISOR_COURIER_RESUME_H

#include "supervisor/state.h"

/* Sets `bytes` to how many have been written to a TCP connection: those that the other side has
 * acknowledged and those that still wait here. Returns false for any other socket. */
bool resume_written(int fd, uint64_t *bytes);

/*
 * Determines the position of the slot's client. `notified_to` is one beyond the last record of which
 * the courier, which is reaped, was notified; `oldest_needed` is where it would have continued
 * (cursor_next()). Sets from, partial and wire_base of slot->link to where the next courier
 * continues. Returns false, with `from` set to the first record in doubt, if that is unknown.
 */
bool resume_slot(struct slot *slot, uint64_t oldest_needed, uint64_t notified_to);

#endif
