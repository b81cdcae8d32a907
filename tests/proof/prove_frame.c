/*
 * What Eva starts from to judge frame_judge(): every bit of the frame arbitrary, from a worker and
 * from a courier, and the limits that a configuration can set (options_table.h), outboxes of 4 KiB
 * to 1 MiB by powers of two, and one or two rooms, by themselves. What a fine frame promises must
 * then hold.
 *
 * Eva knows no relation between two fields, so that what is asserted of them is each one's range;
 * that their sum lies within the outbox is for tests/relay/check_frame.c.
 */
#include "relay/frame.h"

#include <__fc_builtin.h>

#define OUTBOX_LEAST     4096UL
#define OUTBOX_DOUBLINGS 8 /* to 1 MiB */
#define MESSAGE_LEAST    64
#define MESSAGE_MOST     65536
#define ROOMS_MOST       2
#define SLOTS_MOST       100000

int main(void);

static void expect_fine(const struct frame *frame, const struct frame_limits *limits)
{
    //@ assert kind: frame->kind < FRAME_KIND_COUNT;
    //@ assert room: frame->room < limits->room_count;
    (void)frame_costs_credit(frame);
}

static void expect_fine_of_worker(const struct frame *frame, const struct frame_limits *limits)
{
    expect_fine(frame, limits);
    //@ assert short_enough: frame->length <= MESSAGE_MOST;
    //@ assert length: frame->length <= limits->outbox_size;
    //@ assert offset: frame->offset <= limits->outbox_size;
}

static void expect_fine_of_courier(const struct frame *frame, const struct frame_limits *limits)
{
    expect_fine(frame, limits);
    //@ assert slot: frame->slot < limits->slot_count;
}

static void fill(struct frame *frame)
{
    frame->kind = Frama_C_unsigned_char_interval(0, UINT8_MAX);
    frame->detail = Frama_C_unsigned_char_interval(0, UINT8_MAX);
    frame->room = Frama_C_unsigned_short_interval(0, UINT16_MAX);
    frame->length = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    frame->offset = Frama_C_unsigned_long_interval(0, UINT64_MAX);
    frame->to = Frama_C_unsigned_long_interval(0, UINT64_MAX);
    frame->slot = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    frame->generation = Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

int main(void)
{
    static struct frame frame;
    static struct frame_limits limits;
    enum frame_verdict of_worker, of_courier;
    unsigned doublings = Frama_C_unsigned_int_interval(0, OUTBOX_DOUBLINGS);
    unsigned rooms = Frama_C_unsigned_int_interval(1, ROOMS_MOST);

    //@ split doublings;
    limits.outbox_size = OUTBOX_LEAST << doublings;
    //@ split rooms;
    limits.room_count = rooms;
    limits.max_message = Frama_C_unsigned_int_interval(MESSAGE_LEAST, MESSAGE_MOST);
    limits.slot_count = SLOTS_MOST;
    fill(&frame);
    of_worker = frame_judge(&frame, FRAME_FROM_WORKER, &limits);
    //@ assert verdict: FRAME_FINE <= of_worker <= FRAME_OUTSIDE_OUTBOX;
    if (of_worker == FRAME_FINE)
        expect_fine_of_worker(&frame, &limits);
    fill(&frame);
    of_courier = frame_judge(&frame, FRAME_FROM_COURIER, &limits);
    //@ assert verdict: FRAME_FINE <= of_courier <= FRAME_OUTSIDE_OUTBOX;
    if (of_courier == FRAME_FINE)
        expect_fine_of_courier(&frame, &limits);
    return frame_verdict_word(of_worker)[0] + frame_verdict_word(of_courier)[0] +
           frame_word(frame.kind)[0];
}
