/* SPDX-License-Identifier: ISC */
/*
 * A room: the set of slots that are in it. Pure state; every call but new and free takes constant
 * time.
 */
#ifndef CHATROOMD_CHAT_ROOM_H
#define CHATROOMD_CHAT_ROOM_H

#include <stdbool.h>

/* The one room that there is. */
#define ROOM_LOBBY 0u
#define ROOM_COUNT 1u

struct room;

/* An empty room for slots 0 to SLOTS - 1. At least 1 slot. */
struct room *room_new(unsigned slots);
void room_free(struct room *room);

/* False when SLOT was in already. */
bool room_enter(struct room *room, unsigned slot);

/* False when SLOT was not in. */
bool room_leave(struct room *room, unsigned slot);

bool room_has(const struct room *room, unsigned slot);
unsigned room_count(const struct room *room);

/* The slot of the INDEX-th member, 0 to room_count() - 1. The order is that of entering, until
 * someone leaves: then the last member takes the place of the one who left. A walk that makes
 * members leave goes downwards. */
unsigned room_member(const struct room *room, unsigned index);

#endif
