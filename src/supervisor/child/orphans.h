/* SPDX-License-Identifier: ISC */
/*
 * orphans.h - children that the supervisor has and did not make.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_ORPHANS_H
#define CHATROOMD_SUPERVISOR_CHILD_ORPHANS_H

#include <stdbool.h>

struct supervisor;

/* At the end of a turn, after our own dead children have been reaped: reaps the others. Returns
 * whether the clock must come back for more. */
bool reap_unknown_children(struct supervisor *supervisor);

#endif
