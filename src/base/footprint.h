/* SPDX-License-Identifier: ISC */
/* How much memory this process has, and what the kernel is to think of it when there is too little.
 */
#ifndef CHATROOMD_BASE_FOOTPRINT_H
#define CHATROOMD_BASE_FOOTPRINT_H

#include <stdbool.h>
#include <sys/resource.h>

/* Bytes of address space, and of what RLIMIT_DATA counts together with the stack (proc(5), statm).
 */
struct footprint {
    rlim_t all, data;
};

/* This process, now. All 0 where /proc does not tell. */
struct footprint footprint_now(void);

/* Adds 500 of 1000 to the score by which the kernel, out of memory, chooses whom to kill; children
 * inherit that. False, with errno, where it is refused; where the score is higher already, that is
 * as good. */
bool footprint_offer_to_oom(void);

#endif
