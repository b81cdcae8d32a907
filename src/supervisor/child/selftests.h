/*
 * canaries.h - trying the jail before anybody is served.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H
#define CHATROOMD_SUPERVISOR_CHILD_SELFTESTS_H

#include "supervisor/child/spawn.h"

#include <stdbool.h>

/*
 * Has the forker make a canary for each act, waits for all, and logs what they came to. Returns
 * whether the server may serve under `jail`: with JAIL_REQUIRED only if every act was refused in a
 * whole jail; what is wrong is said on stderr. With JAIL_OFF nothing is tried. To be called while
 * there are no other workers.
 */
bool canaries_fly(struct maker *maker, enum jail_mode jail);

#endif
