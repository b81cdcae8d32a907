/* SPDX-License-Identifier: ISC */
/*
 * selftests.h - trying the jail before anybody is served.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H
#define CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H

#include "supervisor/child/spawner.h"

#include <stdbool.h>

/*
 * Has the forker make a canary for each act, waits for all, and logs what they came to. Returns
 * whether the server may serve under `jail`: with JAIL_REQUIRED only if every act was refused in a
 * whole jail; what is wrong is said on stderr. With JAIL_OFF nothing is tried. To be called while
 * there are no other workers.
 */
bool selftests_pass(struct spawner *spawner, enum jail_mode jail);

#endif
