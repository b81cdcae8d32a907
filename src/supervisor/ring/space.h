/* SPDX-License-Identifier: ISC */
/*
 * space.h - the space of the ring: which records must stay, and waiting until there is space.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_SPACE_H
#define CHATROOMD_SUPERVISOR_RING_SPACE_H

#include "region/ring.h"
#include "supervisor/ring/cursor.h"
#include "supervisor/ring/turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ring bytes and index entries that only leaves and the stop may use. */
#define RESERVE_BYTES   4096u
#define RESERVE_ENTRIES 64u

struct space {
    struct ring *ring;
    const struct turn *turn;
    struct cursor_list cursors; /* of all processes that read the ring */
    bool out_of_range;          /* one of them was found out of range since the last check */

    uint64_t needed_from;   /* no record from this one on may be overwritten */
    struct cursor *slowest; /* the cursor that needs the oldest record; NULL: none does */

    bool blocked;                  /* requests wait for space ... */
    struct ring_need blocked_need; /* ... for this */
    bool waited;                   /* `blocked` was set at some time since the last stall_tick() */
    uint64_t waits;                /* how often it was set */
};

/* What a record may use: all but the reserve, or all. */
enum space_share { SPACE_COMMON, SPACE_ALL };

/* The ring has no readers at first. `ring` and `turn` stay the caller's. */
void space_init(struct space *space, struct ring *ring, const struct turn *turn);

/* Adds or removes a process that reads the ring. What it needs stays in the ring only in between.
 * To remove a cursor that is not in the list has no effect. */
void space_add_cursor(struct space *space, struct cursor *cursor);
void space_remove_cursor(struct space *space, struct cursor *cursor);

/* Reserves space for the records of `need`, whose spare the share determines. If they do not fit
 * now, returns false: then they wait, and so does everything that comes after them. */
bool space_reserve(struct space *space, struct ring_need need, enum space_share share,
    struct reservation *reservation);

/* Returns whether nothing waits for space, or what waits fits now; then nothing is blocked. */
bool space_resume(struct space *space);

/*
 * To be called while something waits, before the supervisor sleeps and after it has notified
 * everybody: asks the slowest process to wake it. Returns true if there is no need to sleep: then
 * another turn is due at once.
 */
bool space_arm(struct space *space);

/* At the end of a turn: reports each cursor that was found out of range to its owner, which kills
 * the process. Returns whether there was any. */
bool space_check_cursors(struct space *space);

#endif
