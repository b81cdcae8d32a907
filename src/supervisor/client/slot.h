/* SPDX-License-Identifier: ISC */
/*
 * slot.h - the life of a client's slot: taking it, what is pending for it, its end, freeing it.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_SLOT_H
#define CHATROOMD_SUPERVISOR_CLIENT_SLOT_H

#include "supervisor/state.h"

/* Creates the table for options->max_clients slots, whose workers have these handlers. */
void slots_init(struct supervisor *supervisor, const struct child_ops *ops);
void slots_free(struct supervisor *supervisor);

/* The slot whose worker this is. */
struct slot *slot_of(const struct child *child);

/* Returns a free slot in a new generation, SPARE; NULL: there is none. */
struct slot *slot_take(struct supervisor *supervisor);

/* There is something for the slot's client in [first, last]. */
void slot_add_pending(struct slot *slot, uint64_t first, uint64_t last);

/* What the turn has recorded so far is pending for the slot, a member of the room, unless all of it
 * is its own messages. */
void slot_add_turn(struct slot *slot);

/* There is something to send to the slot's worker at the end of the turn. */
void slot_mark(struct slot *slot);

/* Gives the slot's worker, which may not be created yet, its client; slot->address is set. Returns
 * false, with nothing given, if the worker was created and is dead: then its slot will be free
 * again. If the worker is not created yet, the forker's answer decides. */
bool slot_assign(struct slot *slot, int client_fd);

/* Returns the lowest record that the client still needs, checked. */
uint64_t slot_position(struct slot *slot);

/* Returns the first record that must stay in the ring because of this client; 0: none. */
uint64_t slot_needs(struct slot *slot);

/* Whether `length` more bytes of private records may be pending for the slot. */
bool slot_private_fits(struct slot *slot, size_t length);

/*
 * Disconnects the slot's client for `reason`, unless there was a reason before. Requests in its queue
 * are dropped, and no more records become pending for it. If the reason is announced to the room,
 * the client's `left` becomes due. The worker is sent CLOSE as `how` says.
 */
void slot_end(struct slot *slot, enum disconnect_reason reason, enum frame_close how);

/* The worker of the slot will never be created. */
void slot_give_up(struct slot *slot, enum disconnect_reason reason);

/* Frees the slot unless something still needs it. */
void slot_try_free(struct slot *slot);

/* Handlers of workers, see struct child_ops. */
void slot_worker_writable(struct child *child);
void slot_worker_fault(struct child *child, const char *what);
void slot_worker_closed(struct child *child);
void slot_worker_exited(struct child *child);
void slot_worker_gone(struct child *child);

/* Notes what the slot's oldest frame waits for; the supervisor has a list of all slots that wait. */
void slot_set_wait(struct slot *slot, enum wait wait);

/* Add the slot to the list of slots that are to be recorded as left, or whose worker waits for a
 * client, or remove it. */
void slot_set_leaving(struct slot *slot, bool leaving);
void slot_set_spare(struct slot *slot, bool spare);

#endif
