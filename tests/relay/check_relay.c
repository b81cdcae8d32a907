/* SPDX-License-Identifier: ISC */
/*
 * Frames over a real socketpair: one end is a relay on an event loop, the other a bare descriptor.
 */
#include "config.h"

#include "relay/relay.h"

#include "relay/loop.h"

#include "tests/check_main.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MAX 20000

/* What a relay told. */
struct witness {
    struct event_base *base;
    struct relay *relay;
    int other; /* the bare end */
    struct frame frames[KEPT_MAX];
    size_t frame_count;
    unsigned settled, writable, ended;
    size_t close_at; /* closes the relay in its own callback at this frame */
};

static bool on_frame(void *context, const struct frame *frame)
{
    struct witness *witness = context;

    CHECK_QUICKLY(witness->ended == 0);
    CHECK_QUICKLY(witness->frame_count < KEPT_MAX);
    witness->frames[witness->frame_count++] = *frame;
    if (witness->frame_count != witness->close_at)
        return true;
    relay_close(witness->relay);
    witness->relay = NULL;
    return false;
}

static void on_settled(void *context)
{
    ((struct witness *)context)->settled++;
}

static void on_writable(void *context)
{
    ((struct witness *)context)->writable++;
}

static void on_ended(void *context)
{
    struct witness *witness = context;

    witness->ended++;
    relay_close(witness->relay);
    witness->relay = NULL;
}

static const struct relay_handler handler = {on_frame, on_settled, on_writable, on_ended};

static struct witness witness;

static void set_up(void)
{
    int ends[2];

    signal(SIGPIPE, SIG_IGN); /* as in all our processes */
    memset(&witness, 0, sizeof witness);
    witness.base = loop_new();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    witness.relay = relay_open(witness.base, ends[0], &handler, &witness);
    ck_assert_ptr_nonnull(witness.relay);
    witness.other = ends[1];
}

static void tear_down(void)
{
    if (witness.relay != NULL)
        relay_close(witness.relay);
    if (witness.other >= 0)
        close(witness.other);
    event_base_free(witness.base);
}

/* Turns of the loop until nothing more happens at once. */
static void turn(void)
{
    for (int i = 0; i < 20; i++)
        CHECK_QUICKLY(event_base_loop(witness.base, EVLOOP_NONBLOCK) >= 0);
}

static struct frame numbered(uint64_t number)
{
    return (struct frame){.kind = (uint8_t)number,
        .detail = (uint8_t)(number >> 3),
        .room = (uint16_t)(number * 7),
        .length = (uint32_t)(number * 13),
        .from = number,
        .to = ~number};
}

static void expect_numbered(const struct frame *frame, uint64_t number)
{
    struct frame expected = numbered(number);

    if (memcmp(frame, &expected, sizeof expected) != 0)
        ck_abort_msg("not frame %llu", (unsigned long long)number);
}

static void put(const void *bytes, size_t length)
{
    ck_assert_int_eq(write(witness.other, bytes, length), (ssize_t)length);
}

static void put_frames(uint64_t first, uint64_t count)
{
    struct frame frames[500];

    ck_assert_uint_le(count, 500);
    for (uint64_t i = 0; i < count; i++)
        frames[i] = numbered(first + i);
    put(frames, count * sizeof frames[0]);
}

static void close_other(void)
{
    close(witness.other);
    witness.other = -1;
}

/* --- in */

START_TEST(frames_come_in_order)
{
    put_frames(1, 100);
    turn();
    ck_assert_uint_eq(witness.frame_count, 100);
    for (uint64_t i = 0; i < 100; i++)
        expect_numbered(&witness.frames[i], i + 1);
    ck_assert_uint_ge(witness.settled, 1);
    ck_assert_uint_eq(witness.ended, 0);
}
END_TEST

START_TEST(a_frame_may_come_in_two_pieces)
{
    struct frame frames[2] = {numbered(1), numbered(2)};

    for (size_t cut = 1; cut < sizeof frames; cut++) {
        size_t before = witness.frame_count;
        put(frames, cut);
        turn();
        ck_assert_uint_eq(witness.frame_count, before + cut / sizeof frames[0]);
        put((const char *)frames + cut, sizeof frames - cut);
        turn();
        ck_assert_uint_eq(witness.frame_count, before + 2);
        expect_numbered(&witness.frames[before], 1);
        expect_numbered(&witness.frames[before + 1], 2);
    }
}
END_TEST

START_TEST(a_frame_may_come_byte_by_byte)
{
    struct frame frame = numbered(77);

    for (size_t i = 0; i < sizeof frame; i++) {
        ck_assert_uint_eq(witness.frame_count, 0);
        put((const char *)&frame + i, 1);
        turn();
    }
    ck_assert_uint_eq(witness.frame_count, 1);
    expect_numbered(&witness.frames[0], 77);
}
END_TEST

/* All relays of a process are read into one buffer. */
START_TEST(a_piece_waits_while_another_relay_is_read)
{
    struct frame frame = numbered(5), others[3] = {numbered(6), numbered(7), numbered(8)};
    struct relay *other;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    other = relay_open(witness.base, ends[0], &handler, &witness);
    ck_assert_ptr_nonnull(other);
    put(&frame, 20);
    turn();
    ck_assert_int_eq(write(ends[1], others, sizeof others), sizeof others);
    turn();
    put((const char *)&frame + 20, sizeof frame - 20);
    turn();
    ck_assert_uint_eq(witness.frame_count, 4);
    for (uint64_t i = 0; i < 3; i++)
        expect_numbered(&witness.frames[i], 6 + i);
    expect_numbered(&witness.frames[3], 5);
    relay_close(other);
    close(ends[1]);
}
END_TEST

START_TEST(the_relay_may_be_closed_by_a_frame)
{
    witness.close_at = 3;
    put_frames(1, 10);
    turn();
    ck_assert_uint_eq(witness.frame_count, 3);
    ck_assert_uint_eq(witness.settled, 0);
    ck_assert_uint_eq(witness.ended, 0);
    struct pollfd closed = {.fd = witness.other, .events = POLLIN};
    ck_assert_int_eq(poll(&closed, 1, 5000), 1);
    ck_assert(closed.revents & POLLHUP);
}
END_TEST

/* --- the end */

START_TEST(the_end_comes_once_after_the_last_frame)
{
    put_frames(1, 500);
    close_other();
    turn();
    ck_assert_uint_eq(witness.frame_count, 500);
    expect_numbered(&witness.frames[499], 500);
    ck_assert_uint_eq(witness.ended, 1);
}
END_TEST

START_TEST(a_partial_frame_at_the_end_is_dropped)
{
    static const size_t cuts[] = {1, 12, sizeof(struct frame) - 1};
    struct frame frame = numbered(2);

    put_frames(1, 1);
    put(&frame, cuts[_i]);
    turn();
    close_other();
    turn();
    ck_assert_uint_eq(witness.frame_count, 1);
    ck_assert_uint_eq(witness.ended, 1);
}
END_TEST

/* The other end dies with frames on the way to it, and ones from it still unread. */
START_TEST(a_dead_end_loses_nothing_that_it_sent)
{
    struct frame frame = numbered(9);

    relay_send(witness.relay, &frame, 1); /* never read: the close is a reset */
    put_frames(1, 200);
    close_other();
    for (int i = 0; i < 5; i++)
        relay_send(witness.relay, &frame, 1);
    turn();
    ck_assert_uint_eq(witness.frame_count, 200);
    for (uint64_t i = 0; i < 200; i++)
        expect_numbered(&witness.frames[i], i + 1);
    ck_assert_uint_eq(witness.ended, 1);
}
END_TEST

START_TEST(a_dead_end_loses_nothing_that_it_sent_while_we_are_blocked)
{
    struct frame frame = numbered(9);

    while (!relay_blocked(witness.relay))
        relay_send(witness.relay, &frame, 1);
    put_frames(1, 200);
    close_other();
    turn();
    ck_assert_uint_eq(witness.frame_count, 200);
    expect_numbered(&witness.frames[199], 200);
    ck_assert_uint_eq(witness.ended, 1);
}
END_TEST

/* --- out */

/* Reads from the bare end as long as there is anything; returns the next number expected. */
static uint64_t take_numbered(uint64_t number)
{
    struct frame frame;
    ssize_t length;

    while ((length = read(witness.other, &frame, sizeof frame)) > 0) {
        /* A frame may be cut where the socket was full. */
        while (length < (ssize_t)sizeof frame) {
            turn();
            ssize_t more =
                read(witness.other, (char *)&frame + length, sizeof frame - (size_t)length);
            ck_assert_int_gt(more, 0);
            length += more;
        }
        expect_numbered(&frame, number++);
    }
    ck_assert_int_eq(errno, EAGAIN);
    return number;
}

START_TEST(frames_go_out_at_once)
{
    struct frame frames[3] = {numbered(1), numbered(2), numbered(3)};

    relay_send(witness.relay, frames, 3);
    ck_assert(!relay_blocked(witness.relay));
    ck_assert_uint_eq(take_numbered(1), 4); /* without a turn of the loop */
    turn();
    ck_assert_uint_eq(witness.writable, 0);
}
END_TEST

START_TEST(a_full_socket_keeps_the_order)
{
    uint64_t sent = 1, taken = 1;
    int small = 4096;

    setsockopt(witness.other, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int round = 0; round < 20; round++) {
        unsigned writable = witness.writable;
        while (!relay_blocked(witness.relay)) {
            struct frame frames[100];
            for (int i = 0; i < 100; i++)
                frames[i] = numbered(sent++);
            relay_send(witness.relay, frames, 100);
        }
        for (int i = 0; i < 30; i++) { /* more of it while it is blocked, in between too */
            struct frame frame = numbered(sent++);
            relay_send(witness.relay, &frame, 1);
            ck_assert(relay_blocked(witness.relay));
        }
        turn();
        ck_assert_uint_eq(witness.writable, writable);
        for (int i = 0; i < 100000 && taken < sent; i++) {
            taken = take_numbered(taken);
            turn();
        }
        ck_assert_uint_eq(taken, sent);
        ck_assert(!relay_blocked(witness.relay));
        ck_assert_uint_eq(witness.writable, writable + 1);
    }
    ck_assert_uint_eq(witness.ended, 0);
}
END_TEST

START_TEST(a_kept_frame_is_not_overtaken)
{
    uint64_t sent = 1, taken = 1;
    struct frame frame;

    while (!relay_blocked(witness.relay)) {
        frame = numbered(sent++);
        relay_send(witness.relay, &frame, 1);
    }
    for (; taken < sent / 2; taken++) { /* room in the socket, and the loop has not turned */
        ck_assert_int_eq(read(witness.other, &frame, sizeof frame), (ssize_t)sizeof frame);
        expect_numbered(&frame, taken);
    }
    frame = numbered(sent++);
    relay_send(witness.relay, &frame, 1);
    for (int i = 0; i < 1000 && taken < sent; i++) {
        taken = take_numbered(taken);
        turn();
    }
    ck_assert_uint_eq(taken, sent);
}
END_TEST

START_TEST(a_batch_may_be_taken_in_part)
{
    static struct frame frames[20000];
    uint64_t taken = 1;

    for (uint64_t i = 0; i < 20000; i++)
        frames[i] = numbered(i + 1);
    relay_send(witness.relay, frames, 20000);
    ck_assert(relay_blocked(witness.relay));
    for (int i = 0; i < 1000 && taken <= 20000; i++) {
        taken = take_numbered(taken);
        turn();
    }
    ck_assert_uint_eq(taken, 20001);
    ck_assert(!relay_blocked(witness.relay));
}
END_TEST

START_TEST(frames_go_both_ways_at_once)
{
    uint64_t sent = 1, taken = 1, put_count = 0;

    while (put_count < 10000) {
        for (int i = 0; i < 50; i++) {
            struct frame frame = numbered(sent++);
            relay_send(witness.relay, &frame, 1);
        }
        put_frames(put_count + 1, 50);
        put_count += 50;
        turn();
        taken = take_numbered(taken);
    }
    turn();
    taken = take_numbered(taken);
    ck_assert_uint_eq(taken, sent);
    ck_assert_uint_eq(witness.frame_count, put_count);
    for (uint64_t i = 0; i < put_count; i++)
        expect_numbered(&witness.frames[i], i + 1);
}
END_TEST

/* --- batches */

/* Nothing is sent before there are FRAME_BATCH_MAX frames more than fit, or frame_batch_send() is
 * called. */
START_TEST(a_batch_is_sent_when_it_is_full_or_flushed)
{
    struct frame_batch batch = {.relay = witness.relay};
    uint64_t taken = 1;

    frame_batch_send(&batch);
    for (uint64_t i = 1; i <= 2 * FRAME_BATCH_MAX + 1; i++) {
        struct frame frame = numbered(i);

        frame_batch_add(&batch, &frame);
        taken = take_numbered(taken);
        ck_assert_uint_eq(taken, 1 + (i - 1) / FRAME_BATCH_MAX * FRAME_BATCH_MAX);
    }
    frame_batch_send(&batch);
    ck_assert_uint_eq(take_numbered(taken), 2 * FRAME_BATCH_MAX + 2);
    frame_batch_send(&batch);
    ck_assert_uint_eq(take_numbered(1), 1);
}
END_TEST

/* --- its loop --- */

START_TEST(the_environment_does_not_change_the_loop)
{
    struct event_base *base;

    setenv("EVENT_NOEPOLL", "1", 1);
    base = loop_new();
    ck_assert_ptr_nonnull(base);
    ck_assert_str_eq(event_base_get_method(base), "epoll");
    event_base_free(base);
}
END_TEST

static Suite *relay_suite(void)
{
    Suite *suite = suite_create("relay");
    TCase *frames = tcase_create("frames"), *loop = tcase_create("loop");

    tcase_set_timeout(frames, 60);
    tcase_add_checked_fixture(frames, set_up, tear_down);
    tcase_add_test(frames, frames_come_in_order);
    tcase_add_test(frames, a_frame_may_come_in_two_pieces);
    tcase_add_test(frames, a_frame_may_come_byte_by_byte);
    tcase_add_test(frames, a_piece_waits_while_another_relay_is_read);
    tcase_add_test(frames, the_relay_may_be_closed_by_a_frame);
    tcase_add_test(frames, the_end_comes_once_after_the_last_frame);
    tcase_add_loop_test(frames, a_partial_frame_at_the_end_is_dropped, 0, 3);
    tcase_add_test(frames, a_dead_end_loses_nothing_that_it_sent);
    tcase_add_test(frames, a_dead_end_loses_nothing_that_it_sent_while_we_are_blocked);
    tcase_add_test(frames, frames_go_out_at_once);
    tcase_add_test(frames, a_full_socket_keeps_the_order);
    tcase_add_test(frames, a_kept_frame_is_not_overtaken);
    tcase_add_test(frames, a_batch_may_be_taken_in_part);
    tcase_add_test(frames, frames_go_both_ways_at_once);
    tcase_add_test(frames, a_batch_is_sent_when_it_is_full_or_flushed);
    suite_add_tcase(suite, frames);
    tcase_add_test(loop, the_environment_does_not_change_the_loop);
    suite_add_tcase(suite, loop);
    return suite;
}

CHECK_MAIN(relay_suite)
