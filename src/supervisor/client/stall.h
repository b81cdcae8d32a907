/* SPDX-License-Identifier: ISC */
/*
 * stall.h - clients that block others: asking them to wake the supervisor, and evicting those that
 * do so for too long.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_STALL_H
#define CHATROOMD_SUPERVISOR_CLIENT_STALL_H

#include <stdbool.h>
#include <stdint.h>

struct supervisor;

#define STALL_TICK_MS 50

/* The part of a slot that belongs here. */
struct stall {
    uint64_t ms;       /* for so long the client has blocked others */
    uint64_t target;   /* the position at which that is reset */
    uint64_t position; /* at the last tick */
    bool holds;        /* it has been in the oldest quarter of the ring since its time began */
    bool evicted;
};

/* To be called before the supervisor sleeps, after it has notified everybody: asks the deliveries
 * that requests wait for to wake it. Returns true if there is no need to sleep: then another turn is
 * due at once. */
bool stall_arm(struct supervisor *supervisor);

/* To be called every STALL_TICK_MS or so: adds `elapsed` milliseconds to the time of all clients
 * that block others, and evicts those whose stall-grace is over. */
void stall_tick(struct supervisor *supervisor, uint64_t elapsed);

#endif
