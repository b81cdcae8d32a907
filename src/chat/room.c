/* SPDX-License-Identifier: ISC */
/*
 * room.c - a room as two arrays.
 *
 * Model: `members` contains the members without gaps, and `place` contains for each slot its
 * position in `members`. For every member, members[place[slot] - 1] == slot; for all other slots,
 * place[slot] is ABSENT. There is a place for every slot, so a room is never full.
 */
#include "config.h"

#include "chat/room.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

enum { ABSENT = 0 };

struct room {
    unsigned slots;
    unsigned count;
    unsigned *members; /* the first `count` elements are the slots of the members */
    unsigned *place;   /* per slot: its index in `members` plus 1, or ABSENT */
};

struct room *room_new(unsigned slots)
{
    assert(slots > 0);
    struct room *room = alloc_zeroed(1, sizeof *room);

    room->slots = slots;
    room->members = alloc_zeroed(slots, sizeof *room->members);
    room->place = alloc_zeroed(slots, sizeof *room->place);
    return room;
}

void room_free(struct room *room)
{
    if (room == NULL)
        return;
    free(room->members);
    free(room->place);
    free(room);
}

bool room_enter(struct room *room, unsigned slot)
{
    if (room_has(room, slot))
        return false;
    assert(room->count < room->slots);
    room->members[room->count++] = slot;
    room->place[slot] = room->count;
    return true;
}

bool room_leave(struct room *room, unsigned slot)
{
    if (!room_has(room, slot))
        return false;

    unsigned last = room->members[--room->count];
    room->members[room->place[slot] - 1] = last;
    room->place[last] = room->place[slot];
    room->place[slot] = ABSENT;
    return true;
}

bool room_has(const struct room *room, unsigned slot)
{
    assert(slot < room->slots);
    return room->place[slot] != ABSENT;
}

unsigned room_count(const struct room *room)
{
    return room->count;
}

unsigned room_member(const struct room *room, unsigned index)
{
    assert(index < room->count);
    return room->members[index];
}
