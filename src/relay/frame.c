/* SPDX-License-Identifier: ISC */
/*
 * frame.c - the table of frames, and the check of a frame that a child sent.
 *
 * The check is small and pure, because it stands between a compromised worker and the supervisor.
 * It reads only its arguments and computes no sum that could wrap.
 */
#include "config.h"

#include "relay/frame.h"

struct frame_rule {
    const char *word;
    unsigned senders;
    bool costs_credit;
    size_t longest;
};

static const struct frame_rule frame_rules[FRAME_KIND_COUNT] = {
#define FRAME(symbol, word, senders, costs_credit, longest)                                        \
    [FRAME_##symbol] = {word, senders, costs_credit, longest},
    FRAMES(FRAME)
#undef FRAME
};

/* The largest `detail` of a kind. */
//@ assigns \nothing;
static uint8_t largest_detail(unsigned kind)
{
    switch (kind) {
    case FRAME_REPLY:
        return FRAME_REPLY_ERROR;
    case FRAME_GOODBYE:
        return FRAME_GOODBYE_QUIT;
    case FRAME_DETACHED:
        return FRAME_DETACHED_LOST;
    default:
        return 0;
    }
}

enum frame_verdict frame_check(
    const struct frame *frame, unsigned sender, const struct frame_limits *limits)
{
    const struct frame_rule *rule;
    size_t longest;

    if (frame->kind >= FRAME_KIND_COUNT)
        return FRAME_UNKNOWN_KIND;
    rule = &frame_rules[frame->kind];
    if ((rule->senders & sender) == 0)
        return FRAME_WRONG_DIRECTION;
    if (frame->detail > largest_detail(frame->kind))
        return FRAME_WRONG_DETAIL;
    if (frame->room >= limits->room_count)
        return FRAME_WRONG_ROOM;
    if (sender == FRAME_FROM_COURIER)
        return frame->slot < limits->slot_count ? FRAME_FINE : FRAME_WRONG_SLOT;
    longest = frame->kind == FRAME_PUBLISH ? limits->max_message : rule->longest;
    if (frame->length > longest)
        return FRAME_TOO_LONG;
    if (frame->length > limits->outbox_size || frame->offset > limits->outbox_size - frame->length)
        return FRAME_OUTSIDE_OUTBOX;
    return FRAME_FINE;
}

bool frame_costs_credit(const struct frame *frame)
{
    return frame_rules[frame->kind].costs_credit;
}

const char *frame_word(unsigned kind)
{
    return kind < FRAME_KIND_COUNT ? frame_rules[kind].word : "unknown";
}

const char *frame_verdict_word(enum frame_verdict verdict)
{
    static const char *const words[] = {
        [FRAME_FINE] = "fine",
        [FRAME_UNKNOWN_KIND] = "unknown-kind",
        [FRAME_WRONG_DIRECTION] = "wrong-direction",
        [FRAME_WRONG_DETAIL] = "wrong-detail",
        [FRAME_WRONG_ROOM] = "wrong-room",
        [FRAME_WRONG_SLOT] = "wrong-slot",
        [FRAME_TOO_LONG] = "too-long",
        [FRAME_OUTSIDE_OUTBOX] = "outside-outbox",
    };
    return words[verdict];
}
