/* SPDX-License-Identifier: ISC */
/*
 * How far a delivery is after any number of bytes, and that these are the right ones: compared with
 * a plain list of the records, and through a real socket.
 */
#include "config.h"

#include "delivery/delivery.h"

#include "tests/check_main.h"
#include "tests/delivery/records.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- any number of bytes at a time, against a list */

#define LIST_MAX 4096 /* more than the index has entries */

static struct {
    struct record_label label;
    char bytes[512];
    size_t length;
} list[LIST_MAX];

/* What the client has still to get: the record and the byte in it. */
static uint64_t list_next, list_end;
static size_t list_byte;
static uint64_t joined, left;

static bool list_gives(uint64_t sequence)
{
    const struct record_label *label = &list[sequence % LIST_MAX].label;

    if (label->recipient != REGION_NO_SLOT)
        return label->recipient == ME && label->recipient_generation == GENERATION;
    if (label->sender == ME && label->sender_generation == GENERATION && label->kind <= RECORD_LEFT)
        return false;
    return label->room == 0 && sequence >= joined && sequence < left;
}

static void list_skip(void)
{
    while (list_next < list_end &&
           (!list_gives(list_next) || list_byte == list[list_next % LIST_MAX].length)) {
        list_next++;
        list_byte = 0;
    }
}

/* The bytes that come must be the list's next. */
static void list_take(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        list_skip();
        CHECK_QUICKLY(list_next < list_end);
        CHECK_QUICKLY(bytes[i] == list[list_next % LIST_MAX].bytes[list_byte++]);
    }
    list_skip();
}

static void put_random(void)
{
    static const uint32_t recipients[] = {REGION_NO_SLOT, REGION_NO_SLOT, REGION_NO_SLOT, ME, 2};
    struct record_label label = {
        .kind = (enum record_kind)random_below(RECORD_KIND_COUNT),
        .room = (uint16_t)(random_below(8) == 0),
        .sender = random_below(3) == 0 ? ME : 2,
        .sender_generation = GENERATION - (random_below(6) == 0),
        .recipient = recipients[random_below(5)],
        .recipient_generation = GENERATION - (random_below(4) == 0),
    };
    size_t length = 1 + random_below(random_below(4) == 0 ? 500 : 30);
    uint64_t held = delivery_is_done(&delivery) ? ring.next_sequence : delivery.position;
    struct ring_need need = ring_need_of(length);

    if (!ring_fits(&ring, held, &need))
        return;
    uint64_t sequence = put(label, length);
    list[sequence % LIST_MAX].label = label;
    list[sequence % LIST_MAX].length = length;
    memcpy(list[sequence % LIST_MAX].bytes,
        view.ring + region_entry(&view, sequence)->offset % view.ring_size, length);
}

/* Tells the delivery of all that has been put, as the supervisor would. */
static void extend(void)
{
    uint64_t last = ring.next_sequence - 1, first = delivery.end > 1 ? delivery.end : 1;

    if (first > last)
        return;
    if (delivery_is_done(&delivery))
        while (first < last && !list_gives(first) && random_below(4) != 0)
            first++; /* where nothing was owed the range begins later */
    list_end = last + 1;
    CHECK_QUICKLY(delivery_extend(&delivery, first, last));
    CHECK_QUICKLY(delivery.end == list_end);
}

static void begin_list(void)
{
    open_ring(64 * 1024);
    ck_assert_uint_le(view.index_count, LIST_MAX);
    list_next = list_end = 0;
    list_byte = 0;
    joined = 20;
    left = UINT64_MAX;
    ck_assert(delivery_set_membership(&delivery, 0, joined, true));
}

/* Now and then the client leaves the room, or comes back. */
static void move_member(void)
{
    if (left == UINT64_MAX && random_below(3000) == 0) {
        left = ring.next_sequence;
        ck_assert(delivery_set_membership(&delivery, 0, left, false));
    } else if (left != UINT64_MAX && delivery.position > left && random_below(100) == 0) {
        joined = ring.next_sequence;
        left = UINT64_MAX;
        ck_assert(delivery_set_membership(&delivery, 0, joined, true));
    }
}

static void expect_position(void)
{
    CHECK_QUICKLY(delivery.position == list_next);
    CHECK_QUICKLY(delivery.partial == list_byte);
    CHECK_QUICKLY(delivery_at_line_boundary(&delivery) == (list_byte == 0));
    CHECK_QUICKLY(stated_position() == list_next);
}

/* One gathering of which only some of the bytes leave. */
static void deliver_some(void)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;
    int count = delivery_gather(&delivery, runs, &reached);
    size_t gathered = 0, length;

    for (int i = 0; i < count; i++)
        gathered += runs[i].iov_len;
    if (count == 0) {
        list_skip();
        CHECK_QUICKLY(list_next == list_end);
        expect_position();
        return;
    }
    length = random_below(3) == 0 ? gathered : 1 + random_below(gathered);
    if (random_below(4) == 0)
        length = 1;
    size_t rest = length;
    for (int i = 0; i < count && rest > 0; i++) {
        size_t part = rest < runs[i].iov_len ? rest : runs[i].iov_len;
        list_take(runs[i].iov_base, part);
        rest -= part;
    }
    delivery_advance(&delivery, length, gathered, reached);
    expect_position();
}

START_TEST(a_write_may_take_any_number_of_bytes)
{
    begin_list();
    for (int round = 0; round < 60000; round++) {
        for (size_t i = random_below(6); i > 0; i--)
            put_random();
        move_member();
        if (random_below(3) != 0)
            extend();
        deliver_some();
    }
    ck_assert_uint_gt(ring.head, 20 * view.ring_size);
    region_destroy(&region);
}
END_TEST

/* --- to a descriptor */

static int near_end, far_end;

static void open_socket(void)
{
    int ends[2], small = 4096;

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    near_end = ends[0];
    far_end = ends[1];
    setsockopt(near_end, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
}

START_TEST(a_small_socket_gets_every_byte_once)
{
    char bytes[6000];
    uint64_t blocked = 0, done = 0, total = 0;

    begin_list();
    open_socket();
    for (int round = 0; round < 30000; round++) {
        for (size_t i = random_below(20); i > 0; i--)
            put_random();
        extend();
        enum delivery_outcome outcome = delivery_write(&delivery, near_end);
        CHECK_QUICKLY(outcome != DELIVERY_LOST);
        CHECK_QUICKLY((outcome == DELIVERY_DONE) == delivery_is_done(&delivery));
        blocked += outcome == DELIVERY_BLOCKED;
        done += outcome == DELIVERY_DONE;
        if (round / 200 % 2 == 0)
            continue; /* the client does not read for a while */
        ssize_t length = read(far_end, bytes, 1 + random_below(sizeof bytes));
        if (length > 0) {
            list_take(bytes, (size_t)length);
            total += (uint64_t)length;
        }
    }
    list_skip();
    while (delivery_write(&delivery, near_end) != DELIVERY_DONE || list_next < list_end) {
        ssize_t length = read(far_end, bytes, sizeof bytes);
        CHECK_QUICKLY(length > 0 || (length < 0 && errno == EAGAIN));
        if (length > 0)
            list_take(bytes, (size_t)length);
        list_skip();
    }
    expect_position();
    CHECK_QUICKLY(blocked > 100);
    CHECK_QUICKLY(done > 100);
    CHECK_QUICKLY(total > 10 * view.ring_size);
    close(near_end);
    close(far_end);
    region_destroy(&region);
}
END_TEST

START_TEST(a_turn_writes_a_bounded_number_of_bytes)
{
    int big = 4 * 1024 * 1024;
    unsigned turns = 0;

    open_ring(1024 * 1024);
    open_socket();
    setsockopt(near_end, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int i = 0; i < 50 * DELIVERY_RUNS_MAX; i++)
        put(message_of(i % 2 == 0 ? 2 : ME), 10); /* no two leave as one run */
    ck_assert(delivery_extend(&delivery, 1, (uint64_t)50 * DELIVERY_RUNS_MAX));
    enum delivery_outcome outcome;
    while ((outcome = delivery_write(&delivery, near_end)) == DELIVERY_MORE)
        turns++;
    ck_assert_int_eq(outcome, DELIVERY_DONE);
    ck_assert_uint_gt(turns, 2);
    ck_assert_int_eq(delivery_write(&delivery, near_end), DELIVERY_DONE);
    close(near_end);
    close(far_end);
    region_destroy(&region);
}
END_TEST

START_TEST(a_dead_connection_is_reported)
{
    open_ring(64 * 1024);
    open_socket();
    close(far_end);
    ck_assert_int_eq(delivery_write(&delivery, near_end), DELIVERY_DONE); /* nothing to say */
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    put(message_of(2), 10);
    ck_assert(delivery_extend(&delivery, 1, 1));
    ck_assert_int_eq(delivery_write(&delivery, near_end), DELIVERY_LOST);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_uint_eq(delivery.position, 1);
    close(near_end);
    region_destroy(&region);
}
END_TEST

static Suite *progress_suite(void)
{
    Suite *suite = suite_create("progress");
    TCase *random = tcase_create("random");

    tcase_set_timeout(random, 60);
    tcase_add_test(random, a_write_may_take_any_number_of_bytes);
    tcase_add_test(random, a_small_socket_gets_every_byte_once);
    tcase_add_test(random, a_turn_writes_a_bounded_number_of_bytes);
    tcase_add_test(random, a_dead_connection_is_reported);
    suite_add_tcase(suite, random);
    return suite;
}

CHECK_MAIN(progress_suite)
