/* SPDX-License-Identifier: ISC */
/*
 * supervisor_jail.h - what the supervisor itself gives up, once its addresses are bound.
 */
#ifndef CHATROOMD_SUPERVISOR_SUPERVISOR_JAIL_H
#define CHATROOMD_SUPERVISOR_SUPERVISOR_JAIL_H

#include "base/options.h"
#include "process/heritage.h"

#include <stdbool.h>

/*
 * Lets worker kinds prepare themselves, becomes `user` and `group`, keeps the capabilities that
 * worker-uid-base needs and no other, and, unless `jail = off`, goes under a filter that still lets
 * it and the forker do their work. All that it forks inherits this. Returns false, with what is
 * wrong said on stderr, where that cannot be done; without privileges to give up there is nothing
 * wrong.
 */
bool confinement_enter(const struct options *options, const struct process_kind *kinds);

#endif
