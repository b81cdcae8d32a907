/* SPDX-License-Identifier: ISC */
/*
 * user_group.h - looks up the user and group named in the options.
 */
#ifndef CHATROOMD_BASE_USER_GROUP_H
#define CHATROOMD_BASE_USER_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* An identity on this system, or an error message about it. */
struct user_group {
    bool is_set; /* `user` is not empty: `uid` and `gid` are valid */
    uid_t uid;
    gid_t gid;
    const char *key; /* the option that `fault` is about */
    char *fault;     /* NULL if there is no error; the caller frees it */
};

/*
 * Looks up `user` and `group` by name. If `user` is empty, no identity is set, and `group` must be
 * empty too; if `group` is empty, the group is the user's own.
 */
struct user_group user_group_find(const char *user, const char *group);

/* Looks up a group by name. Returns NULL, or an error message that the caller frees. */
char *user_group_find_group(const char *name, gid_t *gid);

/*
 * Checks that `count` uids starting at `base` can be given to child processes: a user must be set,
 * and its uid must not be one of them. `base` 0 means that none are given. Sets `fault` on error.
 */
void user_group_check_uids(struct user_group *identity, unsigned base, unsigned count);

#endif
