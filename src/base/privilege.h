/* SPDX-License-Identifier: ISC */
/*
 * privilege.h - permanently gives up privileges of the process.
 */
#ifndef CHATROOMD_BASE_PRIVILEGE_H
#define CHATROOMD_BASE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The bit of a capability, a number from <linux/capability.h>, in a set. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* Returns whether `capability`, a number from <linux/capability.h>, is effective. */
bool privilege_has(unsigned capability);

/* Drops all capabilities except those in the set `capabilities`, from all sets of the process.
 * Returns false and sets errno if the kernel refuses. */
bool privilege_keep(uint64_t capabilities);

/*
 * Changes the user and group permanently, drops all supplementary groups, and keeps only the
 * capabilities in the set `capabilities`. Returns false and sets errno if the kernel refuses; then
 * the process must not continue.
 */
bool privilege_become(uid_t user, gid_t group, uint64_t capabilities);

/* Sets no_new_privs, so that no exec gives the process or its children more privileges. A seccomp
 * filter requires this. Returns false and sets errno if the kernel refuses. */
bool privilege_no_more(void);

#endif
