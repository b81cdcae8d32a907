/*
 * The judgement of frames that a worker sent: every kind, every field at its limits and beyond, and
 * frames of random bytes, of which none may be let through that reaches outside of the outbox.
 */
#include "config.h"

#include "relay/frame.h"

#include "tests/check_main.h"

#include <string.h>

static const struct frame_limits limits = {
    .outbox_size = 16384, .max_message = 4096, .room_count = 3};

/* What the table in frame.h says, written down once more by hand. */
static const struct expectation {
    unsigned kind;
    const char *word;
    uint8_t largest_detail;
    uint32_t longest;
    bool costs_credit;
} expectations[] = {
    {FRAME_PUBLISH, "publish", 0, 4096, true},
    {FRAME_REPLY, "reply", 1, 1024, true},
    {FRAME_ENTER, "enter", 0, 0, true},
    {FRAME_RENAME, "rename", 0, 33, true},
    {FRAME_WHO, "who", 0, 0, true},
    {FRAME_FINISH, "finish", 1, 200, true},
    {FRAME_SPACE, "space", 0, 0, false},
};

#define FROM_WORKER ((int)(sizeof expectations / sizeof expectations[0]))

static enum frame_verdict judge(struct frame frame)
{
    return frame_judge(&frame, &limits);
}

static struct frame of_kind(unsigned kind)
{
    return (struct frame){.kind = (uint8_t)kind};
}

START_TEST(only_kinds_of_workers_are_fine)
{
    for (unsigned kind = 0; kind < 256; kind++) {
        enum frame_verdict verdict = judge(of_kind(kind));

        if (kind >= FRAME_KIND_COUNT)
            ck_assert_int_eq(verdict, FRAME_UNKNOWN_KIND);
        else if (kind >= (unsigned)FROM_WORKER)
            ck_assert_int_eq(verdict, FRAME_WRONG_DIRECTION);
        else
            ck_assert_int_eq(verdict, FRAME_FINE);
    }
    ck_assert_int_eq(FRAME_DELIVER, FROM_WORKER); /* all kinds after these are the supervisor's */
}
END_TEST

START_TEST(details)
{
    for (const struct expectation *expected = expectations; expected < expectations + FROM_WORKER;
         expected++) {
        for (unsigned detail = 0; detail < 256; detail++) {
            struct frame frame = of_kind(expected->kind);
            frame.detail = (uint8_t)detail;
            ck_assert_int_eq(
                judge(frame), detail <= expected->largest_detail ? FRAME_FINE : FRAME_WRONG_DETAIL);
        }
    }
}
END_TEST

START_TEST(rooms)
{
    for (const struct expectation *expected = expectations; expected < expectations + FROM_WORKER;
         expected++) {
        for (unsigned room = 0; room < 65536; room++) {
            struct frame frame = of_kind(expected->kind);
            frame.room = (uint16_t)room;
            CHECK_QUICKLY(
                judge(frame) == (room < limits.room_count ? FRAME_FINE : FRAME_WRONG_ROOM));
        }
    }
}
END_TEST

START_TEST(lengths)
{
    for (const struct expectation *expected = expectations; expected < expectations + FROM_WORKER;
         expected++) {
        static const uint32_t extremes[] = {
            16384, 16385, 65536, 0x7fffffff, 0x80000000, UINT32_MAX};
        struct frame frame = of_kind(expected->kind);

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

START_TEST(offsets)
{
    for (const struct expectation *expected = expectations; expected < expectations + FROM_WORKER;
         expected++) {
        const uint32_t tried[] = {0, expected->longest / 2, expected->longest};

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
    const struct frame_limits small = {.outbox_size = 100, .max_message = 4096, .room_count = 1};
    struct frame frame = of_kind(FRAME_PUBLISH);

    frame.length = 100;
    ck_assert_int_eq(frame_judge(&frame, &small), FRAME_FINE);
    frame.offset = 1;
    ck_assert_int_eq(frame_judge(&frame, &small), FRAME_OUTSIDE_OUTBOX);
    frame.offset = 0;
    frame.length = 101;
    ck_assert_int_eq(frame_judge(&frame, &small), FRAME_OUTSIDE_OUTBOX);
    frame.offset = (uint64_t)-1;
    ck_assert_int_eq(frame_judge(&frame, &small), FRAME_OUTSIDE_OUTBOX);
}
END_TEST

START_TEST(frames_of_random_bytes)
{
    uint64_t random = 88172645463325252u;
    unsigned fine = 0;

    for (int i = 0; i < 2000000; i++) {
        struct frame frame;
        uint64_t words[3];

        for (int j = 0; j < 3; j++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            words[j] = random;
        }
        memcpy(&frame, words, sizeof frame);
        if (i % 2 == 0) { /* nearly right ones */
            frame.kind = (uint8_t)(frame.kind % 8);
            frame.detail = (uint8_t)(frame.detail % 3);
            frame.room = (uint16_t)(frame.room % 4);
            frame.length %= 5000;
            frame.offset %= 20000;
        }
        if (judge(frame) != FRAME_FINE)
            continue;
        fine++;
        CHECK_QUICKLY(frame.kind < FRAME_DELIVER && frame.detail <= 1 && frame.room < 3);
        CHECK_QUICKLY(frame.length <= limits.max_message);
        CHECK_QUICKLY(frame.offset <= limits.outbox_size);
        CHECK_QUICKLY(frame.offset + frame.length <= limits.outbox_size);
    }
    CHECK_QUICKLY(fine > 1000);
}
END_TEST

START_TEST(credit_and_words)
{
    for (const struct expectation *expected = expectations; expected < expectations + FROM_WORKER;
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
    tcase_add_test(judging, only_kinds_of_workers_are_fine);
    tcase_add_test(judging, details);
    tcase_add_test(judging, rooms);
    tcase_add_test(judging, lengths);
    tcase_add_test(judging, offsets);
    tcase_add_test(judging, an_outbox_smaller_than_the_longest_text);
    tcase_add_test(judging, frames_of_random_bytes);
    tcase_add_test(judging, credit_and_words);
    tcase_add_test(judging, every_kind_and_verdict_has_a_word);
    suite_add_tcase(suite, judging);
    return suite;
}

CHECK_MAIN(frame_suite)
