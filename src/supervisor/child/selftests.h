/* SPDX-License-Identifier: ISC */
/*
 * selftests.h - testing the jail before a client is accepted.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H
#define CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H

#include "supervisor/child/spawner.h"

#include <stdbool.h>

/*
 * Requests a selftest for each attempt, waits for all of them and logs the results. Returns whether
 * the server may serve under `jail`: with JAIL_REQUIRED only if each attempt was refused in a whole
 * jail; otherwise the fault is reported on stderr. With JAIL_OFF nothing is tested. To be called
 * while there are no other children.
 */
bool selftests_pass(struct spawner *spawner, enum jail_mode jail);

#endif
