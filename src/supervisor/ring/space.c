/* SPDX-License-Identifier: ISC */
/*
 * space.c - the space of the ring.
 *
 * Model:
 * 1. A process that reads the ring (a worker that delivers, or a courier) has a cursor, and needs
 *    the records from cursor_needs() on, if anything is pending for it. `needed_from` is never
 *    beyond what any of them needs: a need only moves on, and a new one begins at a newer record.
 *    So most records are written without a look at any cursor. If one does not fit before
 *    `needed_from`, the supervisor looks at the slowest cursor, and at all of them only if that one
 *    has moved.
 * 2. Records of which nobody was notified yet are needed from the beginning of the turn on.
 * 3. No wake-up is lost. Before it sleeps, the supervisor stores the position that frees enough in
 *    the slowest cursor's `wanted` word, fences, and reads the position again. The process that
 *    delivers stores its position, fences, and reads `wanted` (delivery.c, courier.c). A process
 *    that was not notified of what it needs cannot move; then its relay becoming writable, or its
 *    death, wakes the supervisor.
 *
 * Overflow: what does not fit waits in the queue of its slot, which credit bounds.
 */
#include "config.h"

#include "supervisor/ring/space.h"

void space_init(struct space *space, struct ring *ring, const struct turn *turn)
{
    *space = (struct space){.ring = ring, .turn = turn, .needed_from = ring->next_sequence};
    TAILQ_INIT(&space->cursors);
}

void space_add_cursor(struct space *space, struct cursor *cursor)
{
    cursor->is_open = true;
    cursor->noted = &space->out_of_range;
    TAILQ_INSERT_TAIL(&space->cursors, cursor, link);
}

void space_remove_cursor(struct space *space, struct cursor *cursor)
{
    if (!cursor->is_open)
        return;
    cursor->is_open = false;
    TAILQ_REMOVE(&space->cursors, cursor, link);
    if (space->slowest == cursor)
        space->slowest = NULL;
}

/* Finds the slowest cursor. Returns the first record that is needed, by a cursor or by the turn. */
static uint64_t find_slowest(struct space *space)
{
    uint64_t needed_from = space->ring->next_sequence;
    struct cursor *cursor;

    space->slowest = NULL;
    TAILQ_FOREACH (cursor, &space->cursors, link) {
        uint64_t needs = cursor_needs(cursor);
        if (needs == 0 || needs >= needed_from)
            continue;
        needed_from = needs;
        space->slowest = cursor;
    }
    if (space->turn->first != 0 && space->turn->first < needed_from)
        needed_from = space->turn->first;
    return needed_from;
}

/* Brings `needed_from` up to date. Returns whether that has freed anything. */
static bool refresh(struct space *space)
{
    uint64_t before = space->needed_from;

    if (space->slowest != NULL && cursor_needs(space->slowest) == before)
        return false;
    space->needed_from = find_slowest(space);
    return space->needed_from != before;
}

/* Reserves from what is known to be free or, if that is not enough, is found to be free now. */
static bool reserve(
    struct space *space, const struct ring_need *need, struct reservation *reservation)
{
    return ring_reserve(space->ring, space->needed_from, need, reservation) ||
           (refresh(space) && ring_reserve(space->ring, space->needed_from, need, reservation));
}

bool space_reserve(struct space *space, struct ring_need need, enum space_share share,
    struct reservation *reservation)
{
    if (share == SPACE_COMMON) {
        need.spare = RESERVE_BYTES;
        need.spare_entries = RESERVE_ENTRIES;
    }
    if (reserve(space, &need, reservation))
        return true;
    if (!space->blocked)
        space->waits++;
    space->blocked = true;
    space->waited = true;
    space->blocked_need = need;
    return false;
}

bool space_resume(struct space *space)
{
    struct reservation unused;

    if (space->blocked && reserve(space, &space->blocked_need, &unused))
        space->blocked = false;
    return !space->blocked;
}

/* Returns the position of the slowest cursor from which on what waits would fit. */
static uint64_t position_that_frees(const struct space *space)
{
    uint64_t sequence = space->needed_from + 1;

    while (sequence < space->ring->next_sequence &&
           !ring_fits(space->ring, sequence, &space->blocked_need))
        sequence++;
    return sequence;
}

bool space_arm(struct space *space)
{
    if (space_resume(space))
        return true;
    return space->slowest != NULL && cursor_ask(space->slowest, position_that_frees(space));
}

bool space_check_cursors(struct space *space)
{
    struct cursor *cursor, *next;

    if (!space->out_of_range)
        return false;
    space->out_of_range = false;
    for (cursor = TAILQ_FIRST(&space->cursors); cursor != NULL; cursor = next) {
        next = TAILQ_NEXT(cursor, link);
        if (cursor->out_of_range)
            cursor->fault(cursor->owner);
    }
    return true;
}
