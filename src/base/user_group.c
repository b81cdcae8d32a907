/* SPDX-License-Identifier: ISC */
/*
 * user_group.c - looks up users and groups by getpwnam(3) and getgrnam(3), at the start only.
 */
#include "config.h"

#include "base/user_group.h"

#include "base/alloc.h"
#include "base/log.h"

#include <grp.h>
#include <pwd.h>

static const char needs_user[] = "requires user, which is not set";

static void fail(struct user_group *identity, const char *key, char *fault)
{
    identity->key = key;
    identity->fault = fault;
}

char *user_group_find_group(const char *name, gid_t *gid)
{
    char quoted[128];

    const struct group *found = getgrnam(name);
    if (found == NULL)
        return alloc_print("no such group: %s", log_quote(quoted, sizeof quoted, name));
    *gid = found->gr_gid;
    return NULL;
}

struct user_group user_group_find(const char *user, const char *group)
{
    struct user_group identity = {.is_set = *user != '\0'};
    char quoted[128];

    if (!identity.is_set) {
        if (*group != '\0')
            fail(&identity, "group", alloc_string(needs_user));
        return identity;
    }
    const struct passwd *account = getpwnam(user);
    if (account == NULL) {
        fail(&identity, "user",
            alloc_print("no such user: %s", log_quote(quoted, sizeof quoted, user)));
        return identity;
    }
    identity.uid = account->pw_uid;
    identity.gid = account->pw_gid;
    if (*group == '\0')
        return identity;
    fail(&identity, "group", user_group_find_group(group, &identity.gid));
    return identity;
}

void user_group_check_uids(struct user_group *identity, unsigned base, unsigned count)
{
    static const char key[] = "worker-uid-base";

    if (base == 0)
        return;
    if (!identity->is_set)
        fail(identity, key, alloc_string(needs_user));
    else if (identity->uid >= base && identity->uid - base < count)
        fail(identity, key,
            alloc_print("the range %u to %u contains the uid of user, %lu", base, base + count - 1,
                (unsigned long)identity->uid));
}
