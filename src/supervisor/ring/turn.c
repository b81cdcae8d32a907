/* SPDX-License-Identifier: ISC */
/*
 * turn.c - collects the records for a room until its members are notified.
 *
 * Model: records are written while events are handled, and the members are notified once for all of
 * them at the end of the turn, or some turns later if they were notified only just before
 * (notify.c). Until then the ring must keep the records (space.c), although no cursor has them
 * pending. Records that are private to one client are not part of this.
 */
#include "config.h"

#include "supervisor/ring/turn.h"

#include <stddef.h>

void turn_add(struct turn *turn, uint64_t sequence, uint64_t *own)
{
    if (turn->first == 0)
        turn->first = sequence;
    turn->last = sequence;
    turn->records++;
    if (own != NULL)
        (*own)++;
}

uint64_t turn_since(const struct turn *turn, uint64_t since)
{
    if (turn->first == 0 || turn->last < since)
        return 0;
    return turn->first > since ? turn->first : since;
}

bool turn_has_news(const struct turn *turn, uint64_t *own)
{
    bool has_news = turn->records > *own;

    *own = 0;
    return has_news;
}

unsigned turn_due_in(const struct turn *turn, uint64_t now, uint64_t pace)
{
    uint64_t due = turn->notified_at + pace;

    return turn->first != 0 && due > now ? (unsigned)(due - now) : 0;
}

void turn_end(struct turn *turn, uint64_t now)
{
    *turn = (struct turn){.notified_at = now};
}
