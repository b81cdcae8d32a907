/* SPDX-License-Identifier: ISC */
/*
 * prove_frame.c - what Eva starts with to analyse frame_check(): every bit of the frame arbitrary,
 * from a worker and from a courier, and any limits that a configuration can set (options_table.h),
 * with any number of rooms and slots.
 *
 * Eva proves that there is no run-time error, and every property of a single number. It knows no
 * relation between two numbers. WP then proves what the contract in frame.h says about those, and
 * that no difference is below zero, for frames and limits of any value.
 */
#include "relay/frame.h"

#include <__fc_builtin.h>

#define OUTBOX_LEAST  4096
#define OUTBOX_MOST   1048576
#define MESSAGE_LEAST 64
#define MESSAGE_MOST  65536

int main(void);

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

    limits.outbox_size = Frama_C_unsigned_long_interval(OUTBOX_LEAST, OUTBOX_MOST);
    limits.room_count = Frama_C_unsigned_int_interval(1, UINT32_MAX);
    limits.max_message = Frama_C_unsigned_int_interval(MESSAGE_LEAST, MESSAGE_MOST);
    limits.slot_count = Frama_C_unsigned_int_interval(1, UINT32_MAX);
    fill(&frame);
    of_worker = frame_check(&frame, FRAME_FROM_WORKER, &limits);
    //@ assert worker: FRAME_FINE <= of_worker <= FRAME_OUTSIDE_OUTBOX;
    if (of_worker == FRAME_FINE) {
        //@ assert short_enough: frame.length <= MESSAGE_MOST;
        (void)frame_costs_credit(&frame);
    }
    fill(&frame);
    of_courier = frame_check(&frame, FRAME_FROM_COURIER, &limits);
    //@ assert courier: FRAME_FINE <= of_courier <= FRAME_OUTSIDE_OUTBOX;
    return frame_verdict_word(of_worker)[0] + frame_verdict_word(of_courier)[0] +
           frame_word(frame.kind)[0];
}
