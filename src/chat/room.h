/* SPDX-License-Identifier: ISC */
/*
 * room.h - a room: the set of its members, as slot numbers.
 *
 * Pure state. Every function except `room_new` and `room_free` takes constant time.
 */
#ifndef CHATROOMD_CHAT_ROOM_H
#define CHATROOMD_CHAT_ROOM_H

#include <stdbool.h>

/* The only room. */
#define ROOM_LOBBY 0u
#define ROOM_COUNT 1u

struct room;

/* Creates an empty room for slots 0 to `slots` - 1. `slots` is at least 1. */
struct room *room_new(unsigned slots);
void room_free(struct room *room);

/* Adds `slot`. Returns false if it is already a member. */
bool room_enter(struct room *room, unsigned slot);

/* Removes `slot`. Returns false if it is not a member. */
bool room_leave(struct room *room, unsigned slot);

bool room_has(const struct room *room, unsigned slot);
unsigned room_count(const struct room *room);

/* Returns the slot of the member at `index`, 0 to room_count() - 1. Members are in the order of
 * entering until one leaves, whose place is then taken by the last member. A loop that removes
 * members must count downwards. */
unsigned room_member(const struct room *room, unsigned index);

#endif
