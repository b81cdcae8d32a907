/* SPDX-License-Identifier: ISC */
/*
 * slot.h - the life of a client's slot: taking it, what it is owed and holds, its end, freeing it.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_SLOT_H
#define CHATROOMD_SUPERVISOR_CLIENT_SLOT_H

#include "supervisor/state.h"

/* Makes the table for options->max_clients slots. */
void slots_init(struct supervisor *supervisor);
void slots_free(struct supervisor *supervisor);

/* A free slot in a new generation, SPARE; NULL where there is none. */
struct slot *slot_take(struct supervisor *supervisor);

/* The slot is owed something in [first, last]. */
void slot_add_pending(struct slot *slot, uint64_t first, uint64_t last);

/* The slot, a member of the room, is owed what the turn has recorded so far, unless all of that is
 * its own messages. */
void slot_add_turn(struct slot *slot);

/* There is something to say to the slot's worker at the end of the turn. */
void slot_mark(struct slot *slot);

/* Gives the slot's worker, which may still be in the making, its client; slot->address is set.
 * Returns false, with nothing given, where it was made and is dead; its slot will be free again. Of
 * one in the making the forker's answer tells. */
bool slot_give(struct slot *slot, int client_fd);

/* The slot's position, copied once and checked. */
uint64_t slot_position(struct slot *slot);

/* The first record that this slot's client, as far as is known, still needs, and so holds up the
 * others with; 0: none. */
uint64_t slot_needs(struct slot *slot);

/* Whether `length` more bytes of private records may be owed to the slot. */
bool slot_private_fits(struct slot *slot, size_t length);

/*
 * Ends the slot's client for `reason`; the first reason stays. What waited in its queue is dropped,
 * nothing more is owed to it, and its `left`, where the room is to be told, becomes due. Its worker
 * is told to end as `how` says.
 */
void slot_end(struct slot *slot, enum disconnect_reason reason, enum frame_close how);

/* The worker broke the rules of the relay or the region: logs what it did and kills it. */
void slot_fault(struct slot *slot, const char *what);

/* Kills the worker unless it is gone in `delay` milliseconds. */
void slot_kill_after(struct slot *slot, unsigned delay);

/* No worker was made for the slot. */
void slot_give_up(struct slot *slot, enum disconnect_reason reason);

/* The worker is reaped, or there never was one: its pid, if any, may be another process's from now
 * on, and is not killed any more. */
void slot_worker_is_gone(struct slot *slot);

/* The worker may go on. */
void slot_cancel_kill(struct slot *slot);

/* Kills the doomed whose time has come. Returns whether any are left. */
bool slots_kill_due(struct supervisor *supervisor);

/* The worker's relay is read to EOF: it is dying, or must. */
void slot_relay_ended(struct slot *slot);

/* Reaps what has died, gives an end to those that had none, and frees what can be freed. */
void slots_reap(struct supervisor *supervisor);

/* Frees the slot where nothing stands against it any more. */
void slot_try_free(struct slot *slot);

/* Adds to or takes from the lists of slots that wait, or that are to be recorded as left. */
void slot_set_waiting(struct slot *slot, bool waiting);
void slot_set_leaving(struct slot *slot, bool leaving);

#endif
