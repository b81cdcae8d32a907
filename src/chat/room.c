/* SPDX-License-Identifier: ISC */
/*
 * A room, as two arrays: the members without gaps, in no order that lasts, and for every slot
 * its place among them. Each is the other's inverse: members[place[slot] - 1] == slot for all slots
 * that are in; the place of all others is ABSENT. There is room for every slot, so it is never
 * full.
 */
#include "config.h"

#include "chat/room.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { ABSENT = 0 };

struct room {
    unsigned slots;
    unsigned count;
    unsigned *members; /* the slots that are in: the first COUNT */
    unsigned *place;   /* per slot: its index in members plus 1, or ABSENT */
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
