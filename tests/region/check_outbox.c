/* SPDX-License-Identifier: ISC */
/*
 * check_outbox.c - tests of region/outbox against a naive model: pieces are contiguous, never
 * overlap an unanswered piece, keep their content and are freed in order; and the property of
 * `outbox_lazy_credit`.
 */
#include "config.h"

#include "region/outbox.h"

#include "tests/check_main.h"

#include <string.h>

#define SIZE_MAX_TRIED 65536

static char memory[SIZE_MAX_TRIED + 64]; /* 64 bytes after the outbox must stay unchanged */
static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % bound);
}

static struct outbox_writer writer_of(size_t size)
{
    struct outbox_writer writer;

    outbox_writer_init(&writer, (struct outbox){.bytes = memory, .size = size});
    return writer;
}

/* --- the model: the unanswered pieces, oldest first, and the owner of each byte */

struct piece {
    size_t offset, length;
    char filling;
};

struct model {
    struct outbox_writer writer;
    struct piece pieces[OUTBOX_CREDIT_FRAMES];
    unsigned first, count;
    size_t bytes; /* unanswered */
    bool taken[SIZE_MAX_TRIED];
    char next_filling;
};

static void model_begin(struct model *model, size_t size)
{
    memset(model, 0, sizeof *model);
    model->writer = writer_of(size);
    memset(memory, 0x55, sizeof memory);
}

static bool model_put(struct model *model, size_t length)
{
    static char text[SIZE_MAX_TRIED];
    char filling = model->next_filling++;
    int64_t offset;

    memset(text, filling, length);
    offset = outbox_put(&model->writer, length > 0 ? text : NULL, length);
    if (offset < 0)
        return false;
    CHECK_QUICKLY(model->count < OUTBOX_CREDIT_FRAMES);
    CHECK_QUICKLY((size_t)offset + length <= model->writer.outbox.size);
    for (size_t i = (size_t)offset; i < (size_t)offset + length; i++) {
        CHECK_QUICKLY(!model->taken[i]);
        model->taken[i] = true;
    }
    model->pieces[(model->first + model->count++) % OUTBOX_CREDIT_FRAMES] =
        (struct piece){(size_t)offset, length, filling};
    model->bytes += length;
    return true;
}

/* The supervisor reads the oldest piece and answers it. */
static void model_answer(struct model *model, unsigned count)
{
    CHECK_QUICKLY(count <= model->count);
    for (unsigned i = 0; i < count; i++) {
        const struct piece *piece = &model->pieces[model->first];
        for (size_t at = piece->offset; at < piece->offset + piece->length; at++) {
            CHECK_QUICKLY(memory[at] == piece->filling);
            model->taken[at] = false;
        }
        model->bytes -= piece->length;
        model->first = (model->first + 1) % OUTBOX_CREDIT_FRAMES;
        model->count--;
    }
    CHECK_QUICKLY(outbox_answered(&model->writer, count));
}

static struct model model;

START_TEST(an_empty_outbox_takes_all_of_its_size)
{
    model_begin(&model, 4096);
    for (int i = 0; i < 3; i++) {
        ck_assert(!model_put(&model, 4097));
        ck_assert(model_put(&model, 4096));
        ck_assert(!model_put(&model, 1));
        ck_assert(model_put(&model, 0)); /* no bytes, but a frame */
        model_answer(&model, 2);
    }
}
END_TEST

START_TEST(no_more_frames_than_credit)
{
    for (size_t length = 0; length <= 1; length++) {
        model_begin(&model, 4096);
        for (unsigned i = 0; i < OUTBOX_CREDIT_FRAMES; i++)
            ck_assert(model_put(&model, length));
        ck_assert(!model_put(&model, length));
        ck_assert(!model_put(&model, 0));
        model_answer(&model, 1);
        ck_assert(model_put(&model, length));
        ck_assert(!model_put(&model, length));
        model_answer(&model, OUTBOX_CREDIT_FRAMES);
    }
}
END_TEST

START_TEST(no_more_answers_than_pieces)
{
    struct outbox_writer writer = writer_of(4096);

    ck_assert(!outbox_answered(&writer, 1));
    ck_assert(outbox_answered(&writer, 0));
    ck_assert_int_eq(outbox_put(&writer, "abc", 3), 0);
    ck_assert_int_eq(outbox_put(&writer, "de", 2), 3);
    ck_assert(!outbox_answered(&writer, 3));
    ck_assert(!outbox_answered(&writer, UINT32_MAX));
    ck_assert_uint_eq(writer.pending, 2);
    ck_assert(outbox_answered(&writer, 2));
    ck_assert(!outbox_answered(&writer, 1));
}
END_TEST

START_TEST(a_quiet_worker_stays_at_the_begin)
{
    struct outbox_writer writer = writer_of(65536);

    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(outbox_put(&writer, "hello", 5), 0);
        ck_assert(outbox_answered(&writer, 1));
    }
}
END_TEST

START_TEST(going_round)
{
    model_begin(&model, 4096);
    ck_assert(model_put(&model, 2000));
    ck_assert(model_put(&model, 1500));
    ck_assert(!model_put(&model, 600)); /* 596 after the last piece, nothing free before it */
    model_answer(&model, 1);
    ck_assert(!model_put(&model, 2001));
    ck_assert(model_put(&model, 1999)); /* at the beginning again */
    ck_assert(!model_put(&model, 2));
    ck_assert(model_put(&model, 1)); /* fits exactly */
    ck_assert(!model_put(&model, 1));
    model_answer(&model, 1);
    ck_assert(model_put(&model, 1500)); /* in place of the second one */
    model_answer(&model, 3);
}
END_TEST

START_TEST(random_pieces)
{
    static const size_t sizes[] = {64, 4096, 8192, 16384};
    size_t size = sizes[_i];
    size_t answered = 0, refused = 0;

    model_begin(&model, size);
    for (int round = 0; round < 200000; round++) {
        size_t longest = 1 + (size_t)(round / 1000) * 7 % size;
        if (random_below(100) < 60) {
            if (!model_put(&model, random_below(10) == 0 ? 0 : random_below(longest)))
                refused++;
        } else if (model.count > 0) {
            unsigned count = 1 + (unsigned)random_below(model.count);
            if (random_below(8) != 0)
                count = 1;
            model_answer(&model, count);
            answered += count;
        }
        if (round % 50000 == 0 && model.count > 0)
            model_answer(&model, model.count);
    }
    ck_assert_uint_gt(refused, 100);
    ck_assert_uint_gt(answered, 10000);
    for (size_t i = size; i < size + 64; i++)
        ck_assert_int_eq(memory[i], 0x55);
}
END_TEST

/* --- lazy credit */

/* If at most `lazy` bytes are unanswered, the longest piece fits. */
static void expect_room(const struct outbox_writer *writer, size_t longest)
{
    static const char text[SIZE_MAX_TRIED];
    struct outbox_writer copy = *writer;

    if (outbox_put(&copy, text, longest) < 0)
        ck_abort_msg("no room for %zu of %zu bytes: head %zu tail %zu wrapped %d", longest,
            writer->outbox.size, writer->head, writer->tail, writer->wrapped);
}

/* A worker, and a supervisor that announces credit as late as it may. */
static void try_lazy(size_t size, size_t longest, int rounds)
{
    size_t lazy = outbox_lazy_credit(size, longest);
    struct outbox_writer writer = writer_of(size);
    size_t lengths[OUTBOX_CREDIT_FRAMES], unanswered = 0;
    unsigned first = 0, count = 0;
    static const char text[SIZE_MAX_TRIED];

    for (int round = 0; round < rounds; round++) {
        size_t length = random_below(3) == 0 ? longest : random_below(longest + 1);
        if (count < OUTBOX_CREDIT_FRAMES) {
            CHECK_QUICKLY(outbox_put(&writer, text, length) >= 0);
            lengths[(first + count++) % OUTBOX_CREDIT_FRAMES] = length;
            unanswered += length;
        }
        /* turn.c announces all credit when `lazy` is reached; announcing a part must work too. */
        while (count > 0 && (unanswered >= lazy + (lazy == 0) || count == OUTBOX_CREDIT_FRAMES)) {
            CHECK_QUICKLY(outbox_answered(&writer, 1));
            unanswered -= lengths[first];
            first = (first + 1) % OUTBOX_CREDIT_FRAMES;
            count--;
        }
        expect_room(&writer, longest);
    }
}

START_TEST(lazy_credit_never_starves_a_worker)
{
    static const size_t sizes[] = {4096, 8192, 12288, 16384, 32768, 65536};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t longest = 1; longest <= 4096; longest += 1 + longest / 16)
            try_lazy(sizes[i], longest, 400);
    try_lazy(16384, 4096, 100000);
    try_lazy(4096, 1024, 100000);
    try_lazy(4096, 1365, 20000);
    try_lazy(4096, 1366, 20000);
}
END_TEST

START_TEST(lazy_credit_is_worth_it_and_cannot_wrap)
{
    ck_assert_uint_eq(outbox_lazy_credit(16384, 4096), 4096);
    ck_assert_uint_eq(outbox_lazy_credit(4096, 1365), 1);
    ck_assert_uint_eq(outbox_lazy_credit(4096, 1366), 0);
    ck_assert_uint_eq(outbox_lazy_credit(4096, 4096), 0);
}
END_TEST

static Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    TCase *pieces = tcase_create("pieces");
    TCase *credit = tcase_create("credit");

    tcase_set_timeout(pieces, 60);
    tcase_add_test(pieces, an_empty_outbox_takes_all_of_its_size);
    tcase_add_test(pieces, no_more_frames_than_credit);
    tcase_add_test(pieces, no_more_answers_than_pieces);
    tcase_add_test(pieces, a_quiet_worker_stays_at_the_begin);
    tcase_add_test(pieces, going_round);
    tcase_add_loop_test(pieces, random_pieces, 0, 4);
    suite_add_tcase(suite, pieces);
    tcase_set_timeout(credit, 60);
    tcase_add_test(credit, lazy_credit_never_starves_a_worker);
    tcase_add_test(credit, lazy_credit_is_worth_it_and_cannot_wrap);
    suite_add_tcase(suite, credit);
    return suite;
}

CHECK_MAIN(outbox_suite)
