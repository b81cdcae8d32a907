/* SPDX-License-Identifier: ISC */
/*
 * check_ring.c - tests of the ring and its index, case by case and against a naive model that
 * knows the owner of each byte.
 *
 * Whatever `ring_reserve` allows, no byte of the record `held` or of a later one is overwritten.
 */
#include "config.h"

#include "region/ring.h"

#include "tests/check_main.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct region region;
static struct ring ring;
static uint64_t size, entries;

static void open_ring(size_t pages)
{
    struct region_geometry geometry = {
        .slot_count = 1, .ring_size = pages * (size_t)sysconf(_SC_PAGESIZE), .outbox_size = 4096};
    char error[512];

    ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
    ring_init(&ring, &region);
    size = region.header->ring_size;
    entries = region.header->index_count;
}

static void set_up(void)
{
    open_ring(2);
}

static void tear_down(void)
{
    region_destroy(&region);
}

static bool fits_one(uint64_t held, size_t length)
{
    struct ring_need need = ring_need_of(length);

    return ring_fits(&ring, held, &need);
}

static bool fit(uint64_t held, struct ring_need need)
{
    return ring_fits(&ring, held, &need);
}

/* Reserves for one record, for which all others may be overwritten. */
static struct reservation reserve(size_t length)
{
    struct ring_need need = ring_need_of(length);
    struct reservation reservation;

    ck_assert(ring_reserve(&ring, ring.next_sequence, &need, &reservation));
    return reservation;
}

/* Appends one record, filled with the low byte of its number. */
static uint64_t put(size_t length)
{
    static const struct record_label label = {.recipient = REGION_NO_SLOT};

    struct reservation reservation = reserve(length);

    memset(ring_open(&ring, &reservation, length), (int)ring.next_sequence & 0x7f, length);
    return ring_commit(&ring, &reservation, &label, length);
}

static const struct record_entry *entry(uint64_t sequence)
{
    return &region.index[sequence % entries];
}

START_TEST(a_commit_shows_all_of_a_record)
{
    struct record_label label = {RECORD_RENAMED, 1, 2, 3, 4, 5};

    ck_assert_uint_eq(atomic_load(&region.header->next_sequence), 1);
    struct reservation reservation = reserve(6);

    memcpy(ring_open(&ring, &reservation, 6), "hello\n", 6);
    ck_assert_uint_eq(atomic_load(&region.header->next_sequence), 1); /* not yet */
    ck_assert_uint_eq(ring_commit(&ring, &reservation, &label, 6), 1);
    ck_assert_uint_eq(atomic_load(&region.header->next_sequence), 2);
    const struct record_entry *shown = entry(1);
    ck_assert_uint_eq(shown->sequence, 1);
    ck_assert_uint_eq(shown->offset, 0);
    ck_assert_uint_eq(shown->length, 6);
    ck_assert_uint_eq(shown->kind, RECORD_RENAMED);
    ck_assert_uint_eq(shown->room, 1);
    ck_assert_uint_eq(shown->sender, 2);
    ck_assert_uint_eq(shown->sender_generation, 3);
    ck_assert_uint_eq(shown->recipient, 4);
    ck_assert_uint_eq(shown->recipient_generation, 5);
    ck_assert_mem_eq(region.ring, "hello\n", 6);
}
END_TEST

START_TEST(neighbours_are_packed)
{
    uint64_t offset = 0;

    for (size_t length = 1; length < 60; length++) {
        uint64_t sequence = put(length);
        ck_assert_uint_eq(entry(sequence)->offset, offset);
        offset += length;
    }
    ck_assert_uint_eq(ring_bytes_since(&ring, 1), offset);
    ck_assert_uint_eq(ring_bytes_since(&ring, 59), 59);
    ck_assert_uint_eq(ring_bytes_since(&ring, ring.next_sequence), 0);
}
END_TEST

START_TEST(an_exact_fit_by_bytes)
{
    uint64_t held = put(size / 2);

    ck_assert(!fits_one(held, size / 2 + 1));
    ck_assert(fits_one(held, size / 2));
    put(size / 2);
    ck_assert(!fits_one(held, 1));
    ck_assert(fits_one(held + 1, size / 2));
    ck_assert(!fits_one(held + 1, size / 2 + 1));
    ck_assert_uint_eq(ring.oldest_sequence, 1);
    put(size / 2);
    ck_assert_uint_eq(entry(3)->offset, size);
    ck_assert_uint_eq(ring.oldest_sequence, 2);
}
END_TEST

START_TEST(all_of_the_ring_in_one_record)
{
    ck_assert(fits_one(1, size));
    ck_assert(!fits_one(1, size + 1));
    put(size);
    ck_assert(!fits_one(1, 1));
    ck_assert(fits_one(2, size));
    put(size);
    ck_assert_uint_eq(ring.oldest_sequence, 2);
    ck_assert_int_eq(region.ring[0], 2);
    ck_assert_int_eq(region.ring[size - 1], 2);
}
END_TEST

START_TEST(a_record_that_crosses_the_end_begins_the_next_lap)
{
    put(size - 100);
    ck_assert(fits_one(1, 100));
    ck_assert(!fits_one(1, 101)); /* would skip the last 100 bytes and overwrite the first record */
    ck_assert(fits_one(2, 101));
    put(101);
    ck_assert_uint_eq(entry(2)->offset, size);
    ck_assert_uint_eq(ring.oldest_sequence, 2);
    ck_assert_uint_eq(ring_bytes_since(&ring, 2), 101);
}
END_TEST

START_TEST(an_exact_fit_by_entries)
{
    struct ring_need two = {.length = 2, .longest = 1, .count = 2};

    for (uint64_t i = 1; i < entries; i++)
        put(1);
    ck_assert(fits_one(1, 1));
    ck_assert(!fit(1, two));
    ck_assert(fit(2, two));
    put(1);
    ck_assert_uint_eq(ring.oldest_sequence, 1);
    ck_assert(!fits_one(1, 1));
    ck_assert(fits_one(2, 1));
    put(1);
    ck_assert_uint_eq(ring.oldest_sequence, 2);
    ck_assert_uint_eq(entry(2)->sequence, 2);
    ck_assert_uint_eq(ring.next_sequence - ring.oldest_sequence, entries);
}
END_TEST

START_TEST(the_reserve_is_left_over)
{
    put(100);
    struct ring_need bytes = ring_need_of(size - 200), one = ring_need_of(1);

    bytes.spare = 100;
    ck_assert(fit(1, bytes));
    bytes.spare = 101;
    ck_assert(!fit(1, bytes));
    one.spare_entries = (unsigned)entries - 2;
    ck_assert(fit(1, one));
    one.spare_entries = (unsigned)entries - 1;
    ck_assert(!fit(1, one));
    ck_assert(fit(2, one));
}
END_TEST

START_TEST(several_records_fit_in_any_order)
{
    /* 100 bytes remain in the lap, of which records of 60 and 50 bytes can waste up to 59 or 49. */
    put(size - 100);
    put(50);
    struct ring_need need = {.length = 110, .longest = 60, .count = 2};

    ck_assert(fit(2, (struct ring_need){.length = 50, .longest = 30, .count = 2}));
    ck_assert(fit(2, need));
    need.spare = size - 50 - 110 - 60;
    ck_assert(fit(2, need));
    need.spare++;
    ck_assert(!fit(2, need));
}
END_TEST

START_TEST(opening_gives_up_what_is_in_the_way)
{
    put(size);
    ck_assert_uint_eq(ring.oldest_sequence, 1);
    struct reservation reservation = reserve(1);
    char *bytes = ring_open(&ring, &reservation, 1);
    ck_assert_uint_eq(ring.oldest_sequence, 2);
    ck_assert_int_eq(bytes[0], 1);
    ck_assert_uint_eq(atomic_load(&region.header->next_sequence), 2);
}
END_TEST

START_TEST(what_is_not_committed_leaves_no_trace)
{
    put(size - 100);
    struct reservation reservation = reserve(200);
    memset(ring_open(&ring, &reservation, 200), 0x7f, 200); /* on the next lap */
    ck_assert_uint_eq(ring.next_sequence, 2);
    ck_assert_uint_eq(put(10), 2);
    ck_assert_int_eq(region.ring[entry(2)->offset % size], 2);
    ck_assert_uint_eq(entry(2)->length, 10);
    ck_assert_uint_eq(put(10), 3);
    ck_assert_uint_eq(entry(3)->offset, entry(2)->offset + 10);
}
END_TEST

START_TEST(a_record_may_be_shorter_than_what_was_opened)
{
    static const struct record_label label = {.recipient = REGION_NO_SLOT};

    struct reservation reservation = reserve(500);

    ring_open(&ring, &reservation, 500);
    ck_assert_uint_eq(ring_commit(&ring, &reservation, &label, 20), 1);
    put(5);
    ck_assert_uint_eq(entry(2)->offset, 20);
}
END_TEST

/* --- writing beyond a reservation */

/* Each of these overwrites what it was not granted, and must abort. */
static void write_wrongly(int how)
{
    static const struct record_label label = {.recipient = REGION_NO_SLOT};
    struct ring_need two = {.length = 30, .longest = 20, .count = 2};
    struct reservation reservation, other;

    ck_assert(ring_reserve(&ring, ring.next_sequence, &two, &reservation));
    switch (how) {
    case 0: /* longer than the longest */
        ring_open(&ring, &reservation, 21);
        break;
    case 1: /* more bytes in all */
        ring_open(&ring, &reservation, 20);
        ring_commit(&ring, &reservation, &label, 20);
        ring_open(&ring, &reservation, 11);
        break;
    case 2: /* more records */
        for (int i = 0; i < 3; i++) {
            ring_open(&ring, &reservation, 5);
            ring_commit(&ring, &reservation, &label, 5);
        }
        break;
    case 3: /* more than was opened */
        ring_open(&ring, &reservation, 10);
        ring_commit(&ring, &reservation, &label, 11);
        break;
    case 4: /* nothing was opened */
        ring_commit(&ring, &reservation, &label, 1);
        break;
    case 5: /* another was written since */
        put(1);
        ring_open(&ring, &reservation, 1);
        break;
    case 6: /* another was opened since, and that has skipped the end of the lap */
        put(size - 40);
        ck_assert(ring_reserve(&ring, ring.next_sequence, &two, &reservation));
        other = reserve(50);
        ring_open(&ring, &other, 50);
        ring_open(&ring, &reservation, 20);
        break;
    case 7: /* no reservation at all */
        reservation = (struct reservation){.head = ring.head};
        ring_open(&ring, &reservation, 1);
        break;
    default: /* no bytes */
        ring_open(&ring, &reservation, 0);
    }
}

START_TEST(writing_beyond_a_reservation_aborts)
{
    write_wrongly(_i);
}
END_TEST

START_TEST(a_reservation_covers_what_was_asked_for)
{
    static const struct record_label label = {.recipient = REGION_NO_SLOT};
    struct ring_need two = {.length = 30, .longest = 20, .count = 2};
    struct reservation reservation;

    ck_assert(ring_reserve(&ring, ring.next_sequence, &two, &reservation));
    ring_open(&ring, &reservation, 20); /* and is not committed */
    for (size_t length = 20; length >= 10; length -= 10) {
        ring_open(&ring, &reservation, length);
        ring_commit(&ring, &reservation, &label, length);
    }
    ck_assert_uint_eq(ring.next_sequence, 3);
    ck_assert_uint_eq(reservation.length, 0);
}
END_TEST

/* --- the model */

#define MODEL_RING_MAX (8 * 65536)

static uint32_t owner[MODEL_RING_MAX]; /* of each byte: the record it was last written for */
static uint64_t model_head, model_next, model_oldest, model_held;

static uint64_t random_state;

static size_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % bound);
}

static uint64_t model_start(size_t length)
{
    uint64_t start = model_head;

    while (start % size + length > size)
        start++;
    return start;
}

/* Returns the largest owner of `length` bytes from `start` on. */
static uint32_t newest_owner(uint64_t start, size_t length)
{
    uint32_t newest = 0;
    uint64_t at = start % size;

    for (size_t left = length; left > 0;) {
        size_t part = left < size - at ? left : (size_t)(size - at);
        for (size_t i = 0; i < part; i++)
            newest = owner[at + i] > newest ? owner[at + i] : newest;
        left -= part;
        at = 0;
    }
    return newest;
}

/* Returns whether one record fits, by examining each byte that it and the spare need. */
static bool model_fits(size_t length, size_t spare, unsigned spare_entries)
{
    uint64_t start = model_start(length);

    if (model_next + spare_entries >= model_held + entries)
        return false;
    if (start - model_head + length + spare > size)
        return false;
    return newest_owner(start, length + spare) < model_held;
}

static void model_put(struct reservation *reservation, size_t length, bool commit)
{
    static const struct record_label label = {.recipient = REGION_NO_SLOT};
    uint64_t start = model_start(length);
    uint32_t newest = newest_owner(start, length);
    char *bytes = ring_open(&ring, reservation, length);

    CHECK_QUICKLY(newest < model_held);
    if (newest >= model_oldest)
        model_oldest = newest + 1;
    while (model_next - model_oldest >= entries)
        model_oldest++;
    CHECK_QUICKLY(bytes == region.ring + start % size);
    CHECK_QUICKLY(ring.oldest_sequence == model_oldest);
    CHECK_QUICKLY(model_oldest <= model_held);
    for (size_t i = 0; i < length; i++)
        owner[start % size + i] = commit ? (uint32_t)model_next : 0;
    model_head = start;
    if (!commit)
        return;
    CHECK_QUICKLY(ring_commit(&ring, reservation, &label, length) == model_next);
    CHECK_QUICKLY(entry(model_next)->offset == start);
    model_head += length;
    model_next++;
}

/* Several records that were allowed at once do fit. */
static void put_several(size_t longest)
{
    struct ring_need need = {.count = 2 + (unsigned)random_below(3)};
    struct reservation reservation;
    size_t lengths[4];

    for (unsigned i = 0; i < need.count; i++) {
        lengths[i] = 1 + random_below(longest);
        need.length += lengths[i];
        need.longest = lengths[i] > need.longest ? lengths[i] : need.longest;
    }
    if (!ring_reserve(&ring, model_held, &need, &reservation))
        return;
    for (unsigned i = 0; i < need.count; i++)
        model_put(&reservation, lengths[i], true);
}

static void move_held(void)
{
    if (random_below(4) == 0)
        model_held = model_next;
    else
        model_held += random_below((size_t)(model_next - model_held) + 1);
}

static void run_model(size_t longest, int records)
{
    size_t refused = 0;

    memset(owner, 0, sizeof owner);
    model_head = 0;
    model_next = model_oldest = model_held = 1;
    random_state = 88172645463325252u + longest;
    for (int i = 0; i < records; i++) {
        size_t length = 1 + random_below(random_below(4) == 0 ? longest : longest / 8 + 1);
        struct ring_need need = ring_need_of(length);
        struct reservation reservation;
        bool fits;

        need.spare = random_below(2) == 0 ? 0 : random_below((size_t)size / 4);
        need.spare_entries = random_below(2) == 0 ? 0 : (unsigned)random_below(20);
        fits = ring_reserve(&ring, model_held, &need, &reservation);
        CHECK_QUICKLY(fits == model_fits(length, need.spare, need.spare_entries));
        if (fits) {
            model_put(&reservation, length, random_below(50) != 0);
        } else {
            refused++;
            move_held();
        }
        if (random_below(20) == 0)
            put_several(longest);
        CHECK_QUICKLY(ring.next_sequence == model_next);
    }
    CHECK_QUICKLY(refused > (size_t)records / 1000);
}

/* With short records entries run out first, with long ones bytes. */
START_TEST(random_records)
{
    static const struct {
        size_t pages, longest;
        int records;
    } runs[] = {{2, 40, 500000}, {2, 300, 300000}, {1, 1500, 150000}, {4, 4000, 50000}};

    open_ring(runs[_i].pages);
    ck_assert_uint_le(size, MODEL_RING_MAX);
    run_model(runs[_i].longest, runs[_i].records);
    region_destroy(&region);
}
END_TEST

static Suite *ring_suite(void)
{
    Suite *suite = suite_create("ring");
    TCase *cases = tcase_create("cases");
    TCase *random = tcase_create("random");

    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_commit_shows_all_of_a_record);
    tcase_add_test(cases, neighbours_are_packed);
    tcase_add_test(cases, an_exact_fit_by_bytes);
    tcase_add_test(cases, all_of_the_ring_in_one_record);
    tcase_add_test(cases, a_record_that_crosses_the_end_begins_the_next_lap);
    tcase_add_test(cases, an_exact_fit_by_entries);
    tcase_add_test(cases, the_reserve_is_left_over);
    tcase_add_test(cases, several_records_fit_in_any_order);
    tcase_add_test(cases, opening_gives_up_what_is_in_the_way);
    tcase_add_test(cases, what_is_not_committed_leaves_no_trace);
    tcase_add_test(cases, a_record_may_be_shorter_than_what_was_opened);
    tcase_add_test(cases, a_reservation_covers_what_was_asked_for);
    tcase_add_loop_test_raise_signal(cases, writing_beyond_a_reservation_aborts, SIGABRT, 0, 9);
    suite_add_tcase(suite, cases);
    tcase_set_timeout(random, 60);
    tcase_add_loop_test(random, random_records, 0, 4);
    suite_add_tcase(suite, random);
    return suite;
}

CHECK_MAIN(ring_suite)
