/* SPDX-License-Identifier: ISC */
/*
 * privilege.h - giving up what a process may do, for good.
 */
#ifndef CHATROOMD_BASE_PRIVILEGE_H
#define CHATROOMD_BASE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits for privilege_keep(), of <linux/capability.h>. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* Whether this process has the capability (a number of <linux/capability.h>) in force. */
bool privilege_has(unsigned capability);

/* Keeps these capabilities, of those it has, and no others: not in reserve either. False, with
 * errno set, where the kernel refuses. */
bool privilege_keep(uint64_t capabilities);

/*
 * Becomes this user and group and nobody else: no further groups, and no way back. Capabilities
 * in force are kept as far as they are in `capabilities`. False, with errno set, where the kernel
 * refuses; the process is not to go on then.
 */
bool privilege_become(uid_t user, gid_t group, uint64_t capabilities);

/* No exec ever gives this process or its children more than they have; needed for a filter. */
bool privilege_no_more(void);

#endif
