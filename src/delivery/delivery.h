/* SPDX-License-Identifier: ISC */
/*
 * delivery.h - which records one client receives, and how many of them have been written.
 *
 * A delivery is an object, not a process: it has a view of the region, the slot and rooms of its
 * client and a position, and writes to the descriptor that its caller passes. A worker without
 * couriers has one, a courier has one for each of its clients, and the supervisor uses a temporary
 * one to find out what a client of a dead courier has received.
 */
#ifndef CHATROOMD_DELIVERY_DELIVERY_H
#define CHATROOMD_DELIVERY_DELIVERY_H

#include "region/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Longest run of adjacent records in bytes, and the most runs in one write. When many clients join
 * at once, each announcement is a run of its own, because a welcome lies between any two. */
#define DELIVERY_RUN_MAX  ((size_t)256 * 1024)
#define DELIVERY_RUNS_MAX 64

/* Rooms of one client. A membership that has ended counts until the position has passed its end. */
#define DELIVERY_ROOMS_MAX 4

struct delivery_room {
    uint16_t room;
    uint64_t from;  /* the first record that the client receives */
    uint64_t until; /* the first that it no longer receives; UINT64_MAX: it is a member */
};

struct delivery {
    const struct region_view *view;
    struct delivery_state *state; /* in the region; the supervisor reads it */
    uint32_t slot;
    uint32_t generation;
    struct delivery_room rooms[DELIVERY_ROOMS_MAX];
    unsigned room_count;
    uint64_t position; /* the lowest sequence number that the client still needs */
    uint64_t bytes;    /* total length of the records before it that the client received */
    size_t partial;    /* bytes of the record at `position` that were written */
    uint64_t end;      /* one beyond the last record that the supervisor announced */
    bool waits;        /* a copy of state->waits */
    bool space_passed; /* the position passed what the supervisor waits for; the caller sends SPACE
                          and clears this */
};

enum delivery_outcome {
    DELIVERY_DONE,    /* everything announced is written */
    DELIVERY_MORE,    /* the share of a turn is written, and there is more */
    DELIVERY_BLOCKED, /* the descriptor takes no more for now */
    DELIVERY_LOST     /* the connection is dead; errno says why */
};

/* Whose delivery it is, and where it begins: at record `position`, of which `partial` bytes were
 * written before. */
struct delivery_start {
    uint32_t slot, generation;
    uint64_t position;
    size_t partial;
};

/* Initialises the delivery and stores its position in `state`. */
void delivery_init(struct delivery *delivery, const struct region_view *view,
    struct delivery_state *state, const struct delivery_start *start);

/* The client is a member of `room` from record `from` on, or is not. Returns false if it is in too
 * many rooms. */
bool delivery_set_membership(struct delivery *delivery, uint16_t room, uint64_t from, bool in);

/* The supervisor announces the records [from, to]: only these, and those announced before, may be
 * for the client. Returns false if the range is empty, begins before the position, or ends before
 * what was announced. */
bool delivery_extend(struct delivery *delivery, uint64_t from, uint64_t to);

/*
 * Collects the client's records from the position on in at most DELIVERY_RUNS_MAX runs, which refer
 * to the ring. Returns the number of runs, or 0 if the client receives none of the records up to
 * `end`; then the position is `end`. `reached` becomes the position that is right after all of the
 * runs are written.
 */
int delivery_gather(struct delivery *delivery, struct iovec *runs, uint64_t *reached);

/* Stores in the state whether the socket did not take everything. */
void delivery_set_waiting(struct delivery *delivery, bool waits);

/* Moves the position to record `to` if it is before that: the client receives no record in
 * between. */
void delivery_skip(struct delivery *delivery, uint64_t to);

/* Moves the position to the next record that the client receives, or to `end`. */
void delivery_move_to_next(struct delivery *delivery);

/* Appends the bytes of a record to the last run, or begins a run. Returns false if there are
 * DELIVERY_RUNS_MAX runs already. */
bool delivery_add_run(struct iovec *runs, int *count, const char *bytes, size_t length);

/* Returns whether the client that a record of this kind is by or about receives it too. */
bool delivery_includes_sender(uint16_t kind);

/* Returns whether the client receives this record. */
bool delivery_includes(const struct delivery *delivery, const struct record_entry *entry);

/* Moves the position after `length` of the `gathered` bytes were written. */
void delivery_advance(struct delivery *delivery, size_t length, size_t gathered, uint64_t reached);

/* Writes the runs to `fd` once; `reached` as above. DELIVERY_DONE means that all were written. */
enum delivery_outcome delivery_send(
    struct delivery *delivery, int fd, const struct iovec *runs, int count, uint64_t reached);

/* Writes to `fd`, which is non-blocking, until everything or the share of a turn is written, or
 * nothing more can be written. */
enum delivery_outcome delivery_write(struct delivery *delivery, int fd);

/* Returns whether the client is a member of `room`, and of no other, for all records from `from`
 * on. */
bool delivery_is_only_in(const struct delivery *delivery, uint16_t room, uint64_t from);

static inline bool delivery_is_done(const struct delivery *delivery)
{
    return delivery->position == delivery->end;
}

/* Returns whether the last byte that was written ended a line. */
static inline bool delivery_at_line_boundary(const struct delivery *delivery)
{
    return delivery->partial == 0;
}

#endif
