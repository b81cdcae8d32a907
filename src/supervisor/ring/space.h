/* SPDX-License-Identifier: ISC */
/*
 * space.h - who holds the ring, waiting until there is space, and ending those who let others wait.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_SPACE_H
#define CHATROOMD_SUPERVISOR_RING_SPACE_H

#include "supervisor/state.h"

/* What a record may use: all but the reserve, or all. */
enum space_share { SPACE_COMMON, SPACE_ALL };

/* Whether `count` records of `length` bytes in all, none longer than `longest`, fit now. */
bool space_fits(struct supervisor *supervisor, size_t length, size_t longest, unsigned count,
    enum space_share share);

/* Something did not fit: it waits, and what comes after it. */
void space_block(struct supervisor *supervisor, size_t length, unsigned count);

/* Whether what was blocked fits now, or nothing is blocked; unblocks. */
bool space_resume(struct supervisor *supervisor);

/*
 * Before the supervisor sleeps, after everything was told: asks those that hold what is waited for
 * to wake it. Returns true where there is no need to wait: another turn is due at once.
 */
bool space_arm(struct supervisor *supervisor);

/* Adds `elapsed` milliseconds to the time of all who hold others up, and evicts those whose
 * stall-grace is over. To be called every SPACE_TICK_MS or so. */
void space_tick(struct supervisor *supervisor, uint64_t elapsed);

#define SPACE_TICK_MS 50

#endif
