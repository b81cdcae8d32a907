/* SPDX-License-Identifier: ISC */
/*
 * user_group.h - the users and groups that options name.
 */
#ifndef CHATROOMD_BASE_USER_GROUP_H
#define CHATROOMD_BASE_USER_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Who USER and GROUP (by name; "": not set, and GROUP then is the user's own) are on this system.
 * Without USER nothing is changed. Returns false where there is no such one, with the KEY to blame
 * and a sentence in FAULT, which the caller frees.
 */
bool user_group_find(
    const char *user, const char *group, uid_t *uid, gid_t *gid, const char **key, char **fault);

/* Whether COUNT uids from BASE on (0: none) can be the workers', who are not to have USER's own.
 * What is wrong is told as above. */
bool user_group_base_fits(
    const char *user, uid_t uid, unsigned base, unsigned count, const char **key, char **fault);

#endif
