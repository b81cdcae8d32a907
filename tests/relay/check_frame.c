/* SPDX-License-Identifier: ISC */
/*
 * The check of frames that a worker or a courier has sent: every kind, every field at its limits
 * and beyond them, and frames of random bytes. No frame may pass that reaches outside of the outbox
 * or names a slot that does not exist.
 */
#include "config.h"

#include "relay/frame.h"

#include "tests/check_main.h"

#include <string.h>

static const struct frame_limits limits = {
    .outbox_size = 16384, .max_message = 4096, .room_count = 3, .slot_count = 10};

#define WORKER  FRAME_FROM_WORKER
#define COURIER FRAME_FROM_COURIER

/* What the table in frame.h says, written down once more by hand; what is not here is sent by the
 * supervisor alone. */
static const struct expectation {
    unsigned kind;
    const char *word;
    unsigned senders;
    uint8_t largest_detail;
    uint32_t longest;
    bool costs_credit;
} expectations[] = {
    {FRAME_PUBLISH, "publish", WORKER, 0, 4096, true},
    {FRAME_REPLY, "reply", WORKER, 1, 1024, true},
    {FRAME_HELLO, "hello", WORKER, 0, 0, true},
    {FRAME_RENAME, "rename", WORKER, 0, 33, true},
    {FRAME_WHO, "who", WORKER, 0, 0, true},
    {FRAME_GOODBYE, "goodbye", WORKER, 1, 200, true},
    {FRAME_SPACE, "space", WORKER | COURIER, 0, 0, false},
    {FRAME_DETACHED, "detached", COURIER, 1, 0, false},
};

#define EXPECTED ((int)(sizeof expectations / sizeof expectations[0]))

static bool may_send(unsigned sender, unsigned kind)
{
    for (int i = 0; i < EXPECTED; i++)
        if (expectations[i].kind == kind)
            return (expectations[i].senders & sender) != 0;
    return false;
}

/* One who may send this kind. */
static unsigned sender_of(const struct expectation *expected)
{
    return (expected->senders & WORKER) != 0 ? WORKER : COURIER;
}

static enum frame_verdict check_from(unsigned sender, struct frame frame)
{
    return frame_check(&frame, sender, &limits);
}

/* A worker's frame. */
static enum frame_verdict judge(struct frame frame)
{
    return check_from(WORKER, frame);
}

static struct frame of_kind(unsigned kind)
{
    return (struct frame){.kind = (uint8_t)kind};
}

START_TEST(each_sender_may_send_its_own_kinds_only)
{
    static const unsigned senders[] = {FRAME_FROM_NOBODY, WORKER, COURIER};

    for (int i = 0; i < 3; i++)
        for (unsigned kind = 0; kind < 256; kind++) {
            enum frame_verdict verdict = check_from(senders[i], of_kind(kind));

            if (kind >= FRAME_KIND_COUNT)
                ck_assert_int_eq(verdict, FRAME_UNKNOWN_KIND);
            else
                ck_assert_int_eq(
                    verdict, may_send(senders[i], kind) ? FRAME_FINE : FRAME_WRONG_DIRECTION);
        }
}
END_TEST

START_TEST(a_detail_out_of_range_is_a_fault)
{
    for (const struct expectation *expected = expectations; expected < expectations + EXPECTED;
         expected++) {
        for (unsigned detail = 0; detail < 256; detail++) {
            struct frame frame = of_kind(expected->kind);
            frame.detail = (uint8_t)detail;
            ck_assert_int_eq(check_from(sender_of(expected), frame),
                detail <= expected->largest_detail ? FRAME_FINE : FRAME_WRONG_DETAIL);
        }
    }
}
END_TEST

START_TEST(a_room_out_of_range_is_a_fault)
{
    for (const struct expectation *expected = expectations; expected < expectations + EXPECTED;
         expected++) {
        for (unsigned room = 0; room < 65536; room++) {
            struct frame frame = of_kind(expected->kind);
            frame.room = (uint16_t)room;
            CHECK_QUICKLY(check_from(sender_of(expected), frame) ==
                          (room < limits.room_count ? FRAME_FINE : FRAME_WRONG_ROOM));
        }
    }
}
END_TEST

START_TEST(a_length_out_of_range_is_a_fault)
{
    for (const struct expectation *expected = expectations; expected < expectations + EXPECTED;
         expected++) {
        static const uint32_t extremes[] = {
            16384, 16385, 65536, 0x7fffffff, 0x80000000, UINT32_MAX};
        struct frame frame = of_kind(expected->kind);

        if (expected->senders == COURIER)
            continue; /* it has no outbox */
        for (frame.length = 0; frame.length < 5000; frame.length++)
            CHECK_QUICKLY(
                judge(frame) == (frame.length <= expected->longest ? FRAME_FINE : FRAME_TOO_LONG));
        for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
            frame.length = extremes[i];
            CHECK_QUICKLY(judge(frame) == FRAME_TOO_LONG);
        }
    }
}
END_TEST

START_TEST(an_offset_out_of_range_is_a_fault)
{
    for (const struct expectation *expected = expectations; expected < expectations + EXPECTED;
         expected++) {
        const uint32_t tried[] = {0, expected->longest / 2, expected->longest};

        if (expected->senders == COURIER)
            continue; /* it has no outbox */
        for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
            struct frame frame = of_kind(expected->kind);
            uint64_t last = limits.outbox_size - tried[i];
            const uint64_t outside[] = {last + 1, limits.outbox_size + 1, UINT32_MAX,
                UINT64_C(1) << 32, UINT64_MAX - tried[i], UINT64_MAX - tried[i] + 1, INT64_MAX,
                UINT64_C(1) << 63, UINT64_MAX};

            frame.length = tried[i];
            frame.offset = last;
            ck_assert_int_eq(judge(frame), FRAME_FINE);
            for (size_t j = 0; j < sizeof outside / sizeof outside[0]; j++) {
                frame.offset = outside[j];
                if (frame.offset <= last) /* UINT64_MAX - 0 + 1 */
                    continue;
                ck_assert_int_eq(judge(frame), FRAME_OUTSIDE_OUTBOX);
            }
        }
    }
}
END_TEST

START_TEST(an_outbox_smaller_than_the_longest_text)
{
    const struct frame_limits small = {
        .outbox_size = 100, .max_message = 4096, .room_count = 1, .slot_count = 1};
    struct frame frame = of_kind(FRAME_PUBLISH);

    frame.length = 100;
    ck_assert_int_eq(frame_check(&frame, WORKER, &small), FRAME_FINE);
    frame.offset = 1;
    ck_assert_int_eq(frame_check(&frame, WORKER, &small), FRAME_OUTSIDE_OUTBOX);
    frame.offset = 0;
    frame.length = 101;
    ck_assert_int_eq(frame_check(&frame, WORKER, &small), FRAME_OUTSIDE_OUTBOX);
    frame.offset = (uint64_t)-1;
    ck_assert_int_eq(frame_check(&frame, WORKER, &small), FRAME_OUTSIDE_OUTBOX);
}
END_TEST

START_TEST(a_courier_s_slot_out_of_range_is_a_fault)
{
    static const uint32_t outside[] = {10, 11, 0x7fffffff, 0x80000000, UINT32_MAX};
    struct frame frame = of_kind(FRAME_DETACHED);

    for (frame.slot = 0; frame.slot < limits.slot_count; frame.slot++)
        ck_assert_int_eq(check_from(COURIER, frame), FRAME_FINE);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        frame.slot = outside[i];
        ck_assert_int_eq(check_from(COURIER, frame), FRAME_WRONG_SLOT);
    }
    frame = of_kind(FRAME_PUBLISH);
    frame.slot = UINT32_MAX; /* a worker names none: its socket does */
    ck_assert_int_eq(judge(frame), FRAME_FINE);
}
END_TEST

static uint64_t next_random(void)
{
    static uint64_t random = 88172645463325252u;

    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

/* Every second one is nearly right. */
static struct frame random_frame(int number)
{
    uint64_t words[sizeof(struct frame) / sizeof(uint64_t)];
    struct frame frame;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = next_random();
    memcpy(&frame, words, sizeof frame);
    if (number % 2 == 0) {
        frame.kind = (uint8_t)(frame.kind % 9);
        frame.detail = (uint8_t)(frame.detail % 3);
        frame.room = (uint16_t)(frame.room % 4);
        frame.length %= 5000;
        frame.offset %= 20000;
        frame.slot %= 12;
    }
    return frame;
}

START_TEST(no_frame_of_random_bytes_reaches_outside)
{
    unsigned fine[2] = {0, 0};

    for (int i = 0; i < 2000000; i++) {
        struct frame frame = random_frame(i);

        if (check_from(WORKER, frame) == FRAME_FINE) {
            fine[0]++;
            CHECK_QUICKLY(may_send(WORKER, frame.kind) && frame.detail <= 1 && frame.room < 3);
            CHECK_QUICKLY(frame.length <= limits.max_message);
            CHECK_QUICKLY(frame.offset <= limits.outbox_size);
            CHECK_QUICKLY(frame.offset + frame.length <= limits.outbox_size);
        }
        if (check_from(COURIER, frame) == FRAME_FINE) {
            fine[1]++;
            CHECK_QUICKLY(may_send(COURIER, frame.kind) && frame.detail <= 1 && frame.room < 3);
            CHECK_QUICKLY(frame.slot < limits.slot_count);
        }
    }
    CHECK_QUICKLY(fine[0] > 1000);
    CHECK_QUICKLY(fine[1] > 1000);
}
END_TEST

START_TEST(every_kind_has_a_cost_and_a_word)
{
    for (const struct expectation *expected = expectations; expected < expectations + EXPECTED;
         expected++) {
        struct frame frame = of_kind(expected->kind);

        ck_assert(frame_costs_credit(&frame) == expected->costs_credit);
        ck_assert_str_eq(frame_word(frame.kind), expected->word);
    }
}
END_TEST

START_TEST(every_kind_and_verdict_has_a_word)
{
    for (unsigned kind = 0; kind < FRAME_KIND_COUNT; kind++)
        ck_assert_str_ne(frame_word(kind), "unknown");
    ck_assert_str_eq(frame_word(FRAME_KIND_COUNT), "unknown");
    ck_assert_str_eq(frame_word(UINT32_MAX), "unknown");
    for (int verdict = FRAME_FINE; verdict <= FRAME_OUTSIDE_OUTBOX; verdict++)
        ck_assert_uint_gt(strlen(frame_verdict_word((enum frame_verdict)verdict)), 0);
}
END_TEST

static Suite *frame_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *judging = tcase_create("judging");

    tcase_set_timeout(judging, 60);
    tcase_add_test(judging, each_sender_may_send_its_own_kinds_only);
    tcase_add_test(judging, a_detail_out_of_range_is_a_fault);
    tcase_add_test(judging, a_room_out_of_range_is_a_fault);
    tcase_add_test(judging, a_length_out_of_range_is_a_fault);
    tcase_add_test(judging, an_offset_out_of_range_is_a_fault);
    tcase_add_test(judging, an_outbox_smaller_than_the_longest_text);
    tcase_add_test(judging, a_courier_s_slot_out_of_range_is_a_fault);
    tcase_add_test(judging, no_frame_of_random_bytes_reaches_outside);
    tcase_add_test(judging, every_kind_has_a_cost_and_a_word);
    tcase_add_test(judging, every_kind_and_verdict_has_a_word);
    suite_add_tcase(suite, judging);
    return suite;
}

CHECK_MAIN(frame_suite)
