/* SPDX-License-Identifier: ISC */
/*
 * privilege.c - identities and capabilities, by system calls.
 *
 * Model: a change of uid from 0 to another clears the capabilities of the process. With
 * PR_SET_KEEPCAPS it clears the effective ones only (capabilities(7)). The wanted capabilities are
 * then made effective again, and all others are dropped in the same step.
 */
#include "config.h"

#include "base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS _LINUX_CAPABILITY_U32S_3

static bool read_sets(struct __user_cap_data_struct *sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capget, &header, sets) == 0;
}

bool privilege_has(unsigned capability)
{
    struct __user_cap_data_struct sets[WORDS];

    return read_sets(sets) && (sets[capability / 32].effective >> capability % 32 & 1) != 0;
}

bool privilege_keep(uint64_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[WORDS];

    if (!read_sets(sets))
        return false;
    for (unsigned i = 0; i < WORDS; i++) {
        sets[i].permitted &= (uint32_t)(capabilities >> 32 * i);
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) == 0;
}

bool privilege_become(uid_t user, gid_t group, uint64_t capabilities)
{
    if (prctl(PR_SET_KEEPCAPS, capabilities != 0 ? 1L : 0L) != 0)
        return false;
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(user, user, user) != 0)
        return false;
    return privilege_keep(capabilities) && prctl(PR_SET_KEEPCAPS, 0L) == 0;
}

bool privilege_no_more(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0;
}
