/* SPDX-License-Identifier: ISC */
/*
 * delivery.h - what one client is owed, and how far it has got.
 *
 * A delivery is an object, not a process: it knows the region, its client's slot and rooms and its
 * position, and writes to whatever descriptor it is given. A worker that delivers to its own client
 * has one, a courier has one for each of its clients, and the supervisor makes one for a moment to
 * find out where a dead courier's client stands.
 */
#ifndef CHATROOMD_DELIVERY_DELIVERY_H
#define CHATROOMD_DELIVERY_DELIVERY_H

#include "region/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Longest run of neighbouring records that leaves as one piece, and how many pieces leave at once:
 * where many join at once each "has joined" is one, since a welcome lies between any two. */
#define DELIVERY_RUN_MAX  ((size_t)256 * 1024)
#define DELIVERY_RUNS_MAX 64

/* Rooms of one client; memberships that have ended count until the position has passed their end.
 */
#define DELIVERY_ROOMS_MAX 4

struct delivery_room {
    uint16_t room;
    uint64_t from;  /* the first record that is the client's */
    uint64_t until; /* the first that is not any more, UINT64_MAX while it is in */
};

struct delivery {
    const struct region_view *view;
    struct delivery_state *state; /* where the supervisor reads how far it is */
    uint32_t slot;
    uint32_t generation;
    struct delivery_room rooms[DELIVERY_ROOMS_MAX];
    unsigned room_count;
    uint64_t position; /* the lowest sequence number that the client still needs */
    uint64_t bytes;    /* of the records before it that it was given */
    size_t partial;    /* bytes of the record at `position` that have left */
    uint64_t end;      /* one beyond the last record that may be the client's */
    bool waits;        /* as its state has it */
    bool space_passed; /* the position passed what the supervisor waits for: tell it, then clear */
};

enum delivery_outcome {
    DELIVERY_DONE,    /* all that is owed has left */
    DELIVERY_MORE,    /* a turn's share has left, and there is more */
    DELIVERY_BLOCKED, /* the descriptor takes no more now */
    DELIVERY_LOST     /* the descriptor is dead; errno says why */
};

/* Begins at record `position`, of which `partial` bytes have left already, and says so in `state`.
 */
void delivery_init(struct delivery *delivery, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, uint64_t position,
    size_t partial);

/* From record `from` on the client is in `room`, or is not. Returns false where it is in too many.
 */
bool delivery_member(struct delivery *delivery, uint16_t room, uint64_t from, bool in);

/* What is the client's lies in [from, to], and in what was said before. Returns false for a range
 * that goes back. */
bool delivery_extend(struct delivery *delivery, uint64_t from, uint64_t to);

/*
 * Gathers what is owed, from where it stands, into at most DELIVERY_RUNS_MAX runs by reference to
 * the ring. Returns how many; 0 where nothing is owed, and the position is at the end then.
 * `reached` is the position that stands when all of the runs have left.
 */
int delivery_gather(struct delivery *delivery, struct iovec *runs, uint64_t *reached);

/* Shows in its state whether its socket did not take all that it is owed. */
void delivery_show_waiting(struct delivery *delivery, bool waits);

/* Nothing before record `to` is the client's any more, nor has to be looked at. */
void delivery_skip(struct delivery *delivery, uint64_t to);

/* Moves on to the first record that the client is really given, or to the end. */
void delivery_settle(struct delivery *delivery);

/* Adds a record's bytes to the last run, or begins one; false where there is no space for it. */
bool delivery_add_run(struct iovec *runs, int *count, const char *bytes, size_t length);

/* Whether a record of this kind is given to the client that it is by or about, too. */
bool delivery_given_to_sender(uint16_t kind);

/* Whether the client is given this record. */
bool delivery_is_given(const struct delivery *delivery, const struct record_entry *entry);

/* `length` bytes of the gathered runs have left. */
void delivery_advance(struct delivery *delivery, size_t length, size_t gathered, uint64_t reached);

/* Writes these runs to `fd` once; `reached` as above. DELIVERY_DONE: all of them have left. */
enum delivery_outcome delivery_send(
    struct delivery *delivery, int fd, const struct iovec *runs, int count, uint64_t reached);

/* Writes to `fd`, non-blocking, until a turn's share is gone or one of the outcomes comes. */
enum delivery_outcome delivery_write(struct delivery *delivery, int fd);

/* The client has been in `room`, and in no other, for all records from `from` on. */
bool delivery_is_only_in(const struct delivery *delivery, uint16_t room, uint64_t from);

static inline bool delivery_is_done(const struct delivery *delivery)
{
    return delivery->position == delivery->end;
}

/* Whether the last byte that left ended a line. */
static inline bool delivery_at_line_boundary(const struct delivery *delivery)
{
    return delivery->partial == 0;
}

#endif
