/* SPDX-License-Identifier: ISC */
/*
 * space.h - who holds the ring, waiting until there is space, and ending those who let others wait.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_SPACE_H
#define CHATROOMD_SUPERVISOR_RING_SPACE_H

#include "supervisor/state.h"

/* What a record may use: all but the reserve, or all. */
enum space_share { SPACE_COMMON, SPACE_ALL };

/* Reserves space for the records of `need`, whose spare the share determines. If they do not fit
 * now, returns false: then they wait, and so does everything that comes after them. */
bool space_reserve(struct supervisor *supervisor, struct ring_need need, enum space_share share,
    struct reservation *reservation);

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
