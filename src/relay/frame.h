/* SPDX-License-Identifier: ISC */
/*
 * frame.h - the messages between the supervisor, workers and couriers; each kind is described once.
 *
 * Model: all frames have one size. The text of a message is in the region, and the frame says
 * where. Which client a worker's frame is about follows from the socket that it came on, never from
 * the frame. A courier has many clients, and identifies them by slot and generation. A child may be
 * hostile: the supervisor calls frame_check() before it uses any other part of a frame.
 */
#ifndef CHATROOMD_RELAY_FRAME_H
#define CHATROOMD_RELAY_FRAME_H

#include "base/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest texts, in bytes: of a reply to the worker's own client, of a requested nickname (one
 * more than is allowed, so that the supervisor sees that it is too long), and of a reason for
 * leaving. */
#define FRAME_REPLY_MAX  1024u
#define FRAME_NAME_MAX   33u
#define FRAME_REASON_MAX 200u

/* Which kinds of children may send a frame; those of nobody are the supervisor's. */
#define FRAME_FROM_NOBODY  0u
#define FRAME_FROM_WORKER  (1u << KIND_WORKER)
#define FRAME_FROM_COURIER (1u << KIND_COURIER)

/*
 * symbol, word for logs, who sends it, costs credit, longest text in bytes (of a PUBLISH:
 * max-message-size)
 *
 *   PUBLISH    {room, offset, length}   a message for the room
 *   REPLY      {detail, offset, length} a text for the worker's own client; detail: enum
 *                                       frame_reply
 *   HELLO      {room}                   the client enters the room under a guest name
 *   RENAME     {offset, length}         the client requests a nickname
 *   WHO        {room}                   the client requests the list of members
 *   GOODBYE    {detail, offset, length} the client leaves; text: its reason; detail: enum
 *                                       frame_goodbye
 *   SPACE      {}                       a position has passed what the supervisor waits for
 *   DETACHED   {client, detail}         the courier has released the client; detail: enum
 *                                       frame_detached
 *   DELIVER    {from, to}               records for the receiver are among these, both included
 *   CREDIT     {length}                 so many frames of the receiver are answered
 *   MEMBERSHIP {room, detail, from}     from this record on the client is a member (1) or not (0)
 *   CLOSE      {detail, length, to}     no record after `to` is for the client; detail: enum
 *                                       frame_close; length: enum disconnect_reason
 *   ATTACH     {client, from, length}   deliver to this client, from this record on, of which so
 *                                       many bytes are written; its descriptor comes beside the
 *                                       relay
 *   PING       {from}                   store this number in your part of the region
 *
 * MEMBERSHIP and CLOSE to a courier identify the client.
 */
#define FRAMES(FRAME)                                                                              \
    FRAME(PUBLISH, "publish", FRAME_FROM_WORKER, 1, 0)                                             \
    FRAME(REPLY, "reply", FRAME_FROM_WORKER, 1, FRAME_REPLY_MAX)                                   \
    FRAME(HELLO, "hello", FRAME_FROM_WORKER, 1, 0)                                                 \
    FRAME(RENAME, "rename", FRAME_FROM_WORKER, 1, FRAME_NAME_MAX)                                  \
    FRAME(WHO, "who", FRAME_FROM_WORKER, 1, 0)                                                     \
    FRAME(GOODBYE, "goodbye", FRAME_FROM_WORKER, 1, FRAME_REASON_MAX)                              \
    FRAME(SPACE, "space", FRAME_FROM_WORKER | FRAME_FROM_COURIER, 0, 0)                            \
    FRAME(DETACHED, "detached", FRAME_FROM_COURIER, 0, 0)                                          \
    FRAME(DELIVER, "deliver", FRAME_FROM_NOBODY, 0, 0)                                             \
    FRAME(CREDIT, "credit", FRAME_FROM_NOBODY, 0, 0)                                               \
    FRAME(MEMBERSHIP, "membership", FRAME_FROM_NOBODY, 0, 0)                                       \
    FRAME(CLOSE, "close", FRAME_FROM_NOBODY, 0, 0)                                                 \
    FRAME(ATTACH, "attach", FRAME_FROM_NOBODY, 0, 0)                                               \
    FRAME(PING, "ping", FRAME_FROM_NOBODY, 0, 0)

enum frame_kind {
#define FRAME(symbol, word, senders, costs_credit, longest) FRAME_##symbol,
    FRAMES(FRAME)
#undef FRAME
        FRAME_KIND_COUNT
};

enum frame_reply { FRAME_REPLY_EVENT, FRAME_REPLY_ERROR };

enum frame_goodbye { FRAME_GOODBYE_CLOSED, FRAME_GOODBYE_QUIT };

/* How a client is closed. */
enum frame_close {
    FRAME_CLOSE_DRAIN,    /* after all pending records are delivered */
    FRAME_CLOSE_EVICT,    /* now, with a last line from the process that delivers (disconnect.h) */
    FRAME_CLOSE_DROP,     /* now, because the client's worker is dead (to a courier) */
    FRAME_CLOSE_WHEN_READ /* when the client has read everything that its courier has written (to a
                             worker, after FRAME_CLOSE_DRAIN) */
};

/* Why a courier has released a client: after CLOSE, or because the connection is dead. */
enum frame_detached { FRAME_DETACHED_CLOSED, FRAME_DETACHED_LOST };

struct frame {
    uint8_t kind; /* enum frame_kind */
    uint8_t detail;
    uint16_t room;
    uint32_t length; /* bytes in the outbox, or a count */
    union {
        uint64_t offset; /* of the text in the outbox */
        uint64_t from;   /* a sequence number */
    };
    uint64_t to; /* a sequence number */
    uint32_t slot;
    uint32_t generation;
};

_Static_assert(sizeof(struct frame) == 32, "frames have one size and no padding");

struct frame_limits {
    size_t outbox_size; /* bytes */
    size_t max_message; /* bytes */
    unsigned room_count;
    uint32_t slot_count;
};

enum frame_verdict {
    FRAME_FINE,
    FRAME_UNKNOWN_KIND,
    FRAME_WRONG_DIRECTION,
    FRAME_WRONG_DETAIL,
    FRAME_WRONG_ROOM,
    FRAME_WRONG_SLOT,
    FRAME_TOO_LONG,
    FRAME_OUTSIDE_OUTBOX
};

/* Checks a frame that came from `sender`, FRAME_FROM_WORKER or FRAME_FROM_COURIER. Every bit of the
 * frame may be arbitrary. The function is pure, and its contract is proven (tests/proof). */
/*@ requires \valid_read(frame) && \valid_read(limits);
    assigns \nothing;
    ensures kind: \result == FRAME_FINE ==> frame->kind < FRAME_KIND_COUNT;
    ensures room: \result == FRAME_FINE ==> frame->room < limits->room_count;
    ensures slot: \result == FRAME_FINE && sender == FRAME_FROM_COURIER ==>
        frame->slot < limits->slot_count;
    ensures place: \result == FRAME_FINE && sender == FRAME_FROM_WORKER ==>
        frame->offset + frame->length <= limits->outbox_size;
*/
enum frame_verdict frame_check(
    const struct frame *frame, unsigned sender, const struct frame_limits *limits);

/* Returns whether the supervisor must answer a checked frame of this kind with CREDIT. */
bool frame_costs_credit(const struct frame *frame);

/* Return words for logs; "unknown" for an unknown kind. */
const char *frame_word(unsigned kind);
const char *frame_verdict_word(enum frame_verdict verdict);

#endif
