/* SPDX-License-Identifier: ISC */
/*
 * user_group.c - names to numbers, at the start only.
 */
#include "config.h"

#include "base/user_group.h"

#include "base/alloc.h"
#include "base/log.h"

#include <grp.h>
#include <pwd.h>

static bool fail(const char **key, const char *whose, char **fault, char *words)
{
    *key = whose;
    *fault = words;
    return false;
}

bool user_group_find(
    const char *user, const char *group, uid_t *uid, gid_t *gid, const char **key, char **fault)
{
    char quoted[128];

    if (*user == '\0' && *group != '\0')
        return fail(key, "group", fault, alloc_string("this goes with user, which is not set"));
    if (*user == '\0')
        return true;
    const struct passwd *account = getpwnam(user);
    if (account == NULL)
        return fail(key, "user", fault,
            alloc_print(
                "there is no user %s on this system", log_quote(quoted, sizeof quoted, user)));
    *uid = account->pw_uid;
    *gid = account->pw_gid;
    if (*group == '\0')
        return true;
    const struct group *other = getgrnam(group);
    if (other == NULL)
        return fail(key, "group", fault,
            alloc_print(
                "there is no group %s on this system", log_quote(quoted, sizeof quoted, group)));
    *gid = other->gr_gid;
    return true;
}

bool user_group_base_fits(
    const char *user, uid_t uid, unsigned base, unsigned count, const char **key, char **fault)
{
    if (base == 0)
        return true;
    if (*user == '\0')
        return fail(
            key, "worker-uid-base", fault, alloc_string("this goes with user, which is not set"));
    if (uid < base || uid - base >= count)
        return true;
    return fail(key, "worker-uid-base", fault,
        alloc_print("%u to %u are to be the workers' own, and the uid of user, %lu, is one of them",
            base, base + count - 1, (unsigned long)uid));
}
