/*
 * frame.h - what the supervisor and a worker say to each other, each kind described once.
 *
 * Model: frames have one size and no bytes of their own: what a message says lies in the region,
 * and a frame tells where. Which client a frame is about follows from the socket that it came on,
 * never from the frame. A worker may be hostile: frame_judge() is asked before anything of a frame
 * from a worker is used.
 */
#ifndef CHATROOMD_RELAY_FRAME_H
#define CHATROOMD_RELAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest texts, in bytes, of a reply to one's own client, of a name asked for (one more than is
 * allowed, so that the supervisor sees that it is too long), and of a reason for leaving. */
#define FRAME_REPLY_MAX  1024u
#define FRAME_NAME_MAX   33u
#define FRAME_REASON_MAX 200u

/*
 * symbol, word for logs, sent by a worker (1) or by the supervisor (0), costs credit, longest text
 * in bytes (a PUBLISH's is max-message)
 *
 *   PUBLISH  {room, offset, length}  a message for the room
 *   REPLY    {detail, offset, length} text for the worker's own client; detail: enum frame_reply
 *   ENTER    {room}                   the client wants in, under a guest's name
 *   RENAME   {offset, length}         the client asks for a name
 *   WHO      {room}                   the client asks who is there
 *   FINISH   {detail, offset, length} the client is done; text: why; detail: enum frame_finish
 *   SPACE    {}                       the position has passed what the supervisor waited for
 *   DELIVER  {from, to}               what is yours lies in these sequence numbers, both included
 *   CREDIT   {length}                 so many of your frames are answered
 *   MEMBER   {room, detail, from}     from this record on your client is in the room (1) or not (0)
 *   NAMED    {from}                   your client's name stands in this record, which you are owed
 *   END      {detail, to}             nothing beyond `to` will be yours; detail: enum frame_end
 */
#define FRAMES(FRAME)                                                                              \
    FRAME(PUBLISH, "publish", 1, 1, 0)                                                             \
    FRAME(REPLY, "reply", 1, 1, FRAME_REPLY_MAX)                                                   \
    FRAME(ENTER, "enter", 1, 1, 0)                                                                 \
    FRAME(RENAME, "rename", 1, 1, FRAME_NAME_MAX)                                                  \
    FRAME(WHO, "who", 1, 1, 0)                                                                     \
    FRAME(FINISH, "finish", 1, 1, FRAME_REASON_MAX)                                                \
    FRAME(SPACE, "space", 1, 0, 0)                                                                 \
    FRAME(DELIVER, "deliver", 0, 0, 0)                                                             \
    FRAME(CREDIT, "credit", 0, 0, 0)                                                               \
    FRAME(MEMBER, "member", 0, 0, 0)                                                               \
    FRAME(NAMED, "named", 0, 0, 0)                                                                 \
    FRAME(END, "end", 0, 0, 0)

enum frame_kind {
#define FRAME(symbol, word, from_worker, costs_credit, longest) FRAME_##symbol,
    FRAMES(FRAME)
#undef FRAME
        FRAME_KIND_COUNT
};

enum frame_reply { FRAME_REPLY_EVENT, FRAME_REPLY_ERROR };

enum frame_finish { FRAME_FINISH_CLOSED, FRAME_FINISH_QUIT };

/* How a worker is to end: after all that is owed is delivered, or now, with one last line. */
enum frame_end { FRAME_END_DRAIN, FRAME_END_EVICT };

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
};

_Static_assert(sizeof(struct frame) == 24, "frames have one size and no padding");

struct frame_limits {
    size_t outbox_size; /* bytes */
    size_t max_message; /* bytes */
    unsigned room_count;
};

enum frame_verdict {
    FRAME_FINE,
    FRAME_UNKNOWN_KIND,
    FRAME_WRONG_DIRECTION,
    FRAME_WRONG_DETAIL,
    FRAME_WRONG_ROOM,
    FRAME_TOO_LONG,
    FRAME_OUTSIDE_OUTBOX
};

/* Judges a frame that came from a worker. Pure: every bit of the frame may be arbitrary. */
enum frame_verdict frame_judge(const struct frame *frame, const struct frame_limits *limits);

/* Whether an answer (CREDIT) is owed for a judged frame of this kind. */
bool frame_costs_credit(const struct frame *frame);

/* For logs; "unknown" for a kind that there is not. */
const char *frame_word(unsigned kind);
const char *frame_verdict_word(enum frame_verdict verdict);

#endif
