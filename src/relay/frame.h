/* SPDX-License-Identifier: ISC */
/*
 * frame.h - what the supervisor, a worker and a courier say to each other, each kind described
 * once.
 *
 * Model: frames have one size, and what a message says lies in the region: a frame tells where.
 * Which client a worker's frame is about follows from the socket that it came on, never from the
 * frame. A courier has many clients, and names them by slot and generation. A worker may be
 * hostile: frame_check() is asked before anything of a frame from a worker or courier is used.
 */
#ifndef CHATROOMD_RELAY_FRAME_H
#define CHATROOMD_RELAY_FRAME_H

#include "base/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest texts, in bytes, of a reply to one's own client, of a name asked for (one more than is
 * allowed, so that the supervisor sees that it is too long), and of a reason for leaving. */
#define FRAME_REPLY_MAX  1024u
#define FRAME_NAME_MAX   33u
#define FRAME_REASON_MAX 200u

/* Which kinds of children may send a frame; those of nobody are the supervisor's. */
#define FRAME_FROM_NOBODY  0u
#define FRAME_FROM_WORKER  (1u << KIND_WORKER)
#define FRAME_FROM_COURIER (1u << KIND_COURIER)

/*
 * symbol, word for logs, who sends it, costs credit, longest text in bytes (a PUBLISH's is
 * max-message-size)
 *
 *   PUBLISH  {room, offset, length}  a message for the room
 *   REPLY    {detail, offset, length} text for the worker's own client; detail: enum frame_reply
 *   HELLO      {room}                   the client wants in, under a guest's name
 *   RENAME   {offset, length}         the client asks for a name
 *   WHO      {room}                   the client asks who is there
 *   GOODBYE    {detail, offset, length} the client is done; text: why; detail: enum frame_goodbye
 *   SPACE    {}                       a position has passed what the supervisor waited for
 *   DETACHED   {client, detail}         the courier has let go of the client; detail: enum frame_detached
 *   DELIVER  {from, to}               what is yours lies in these sequence numbers, both included
 *   CREDIT   {length}                 so many of your frames are answered
 *   MEMBERSHIP {room, detail, from}     from this record on your client is in the room (1) or not (0)
 *   CLOSE      {detail, length, to}     nothing beyond `to` will be yours; detail: enum frame_close;
 *                                     length: why, enum disconnect_reason
 *   ATTACH     {client, from, length}   deliver to this client too, from this record on, of which so
 *                                     many bytes have left; its descriptor comes beside the relay
 *   PING       {from}                   put this number into your part of the region
 *
 * To a courier MEMBERSHIP and CLOSE name the client.
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

/*
 * How a client is to be ended: after all that is owed is delivered; now, with one last line by who
 * delivers (ends.h); now, since nobody is there to take it (to a courier); as soon as the client
 * has taken what its courier has written and shut down (to a worker, after DRAIN).
 */
enum frame_close { FRAME_CLOSE_DRAIN, FRAME_CLOSE_EVICT, FRAME_CLOSE_DROP, FRAME_CLOSE_WHEN_READ };

/* Why a courier has let go of a client: it was told to, or the client's socket is dead. */
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

/* Judges a frame that came from `sender`, FRAME_FROM_WORKER or FRAME_FROM_COURIER. Pure: every bit
 * of the frame may be arbitrary. What a fine one promises is proven (tests/proof). */
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

/* Whether an answer (CREDIT) is owed for a judged frame of this kind. */
bool frame_costs_credit(const struct frame *frame);

/* For logs; "unknown" for a kind that there is not. */
const char *frame_word(unsigned kind);
const char *frame_verdict_word(enum frame_verdict verdict);

#endif
