/*
 * tell.h - the end of a turn: telling each worker, once, what is new for it.
 */
#ifndef CHATROOMD_SUPERVISOR_TELL_H
#define CHATROOMD_SUPERVISOR_TELL_H

#include "supervisor/state.h"

/* Makes what was recorded for the room in this turn owed to its members, and tells all workers that
 * there is anything to tell. Closes the turn. */
void tell_all(struct supervisor *supervisor);

#endif
