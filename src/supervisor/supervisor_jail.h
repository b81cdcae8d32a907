/* SPDX-License-Identifier: ISC */
/*
 * supervisor_jail.h - what the supervisor itself gives up, once its addresses are bound.
 */
#ifndef CHATROOMD_SUPERVISOR_SUPERVISOR_JAIL_H
#define CHATROOMD_SUPERVISOR_SUPERVISOR_JAIL_H

#include "base/options.h"

#include <stdbool.h>

/* Whether the server's processes become another user: `user` is set, and they are not that user. */
bool supervisor_changes_user(const struct options *options);

/*
 * Becomes `user` and `group`, keeps CAP_KILL if children have uids of their own and no other
 * capability, and loads a filter, unless `jail = off`. Returns false, with the error reported on
 * stderr, if that fails; it succeeds if there are no privileges to give up.
 */
bool supervisor_jail_enter(const struct options *options);

#endif
