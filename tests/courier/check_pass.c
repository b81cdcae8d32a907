/* SPDX-License-Identifier: ISC */
/*
 * The clients of a courier and its passes over them, in one process: a region, a relay whose other
 * end is a bare descriptor, and a socketpair for each client.
 */
#include "config.h"

#include "courier/pass.h"

#include "base/clock.h"
#include "chat/disconnect.h"
#include "relay/loop.h"

#include "tests/check_main.h"
#include "tests/delivery/records.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static struct clients clients;
static struct pass pass;
static struct courier_state courier_state;
static struct delivery_state delivery_states[SLOTS];
static _Atomic uint64_t wanted;
static int relay_end;         /* where the courier's frames arrive */
static int far_ends[SLOTS];   /* the clients' ends of their sockets */
static uint64_t announced_to; /* the last record that was announced */

static bool on_frame(void *context, const struct frame *frame)
{
    (void)context, (void)frame;
    return true;
}

static void ignore(void *context)
{
    (void)context;
}

static const struct relay_handler handler = {on_frame, NULL, ignore, ignore};

static void make_sockets(int *near_end, int *far_end)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    *near_end = ends[0];
    *far_end = ends[1];
}

static void set_up(void)
{
    int near_end;

    signal(SIGPIPE, SIG_IGN); /* as in all our processes */
    open_ring(256 * 1024);
    memset(&clients, 0, sizeof clients);
    memset(&pass, 0, sizeof pass);
    memset(&courier_state, 0, sizeof courier_state);
    memset(delivery_states, 0, sizeof delivery_states);
    memset(far_ends, -1, sizeof far_ends);
    wanted = announced_to = 0;
    courier_state.oldest_needed = 1;
    clients.view = view;
    clients.part = (struct courier_part){.state = &courier_state, .deliveries = delivery_states};
    clients.wanted = &wanted;
    clients.base = loop_new();
    clients_init(&clients);
    make_sockets(&near_end, &relay_end);
    clients.reports.relay = relay_open(clients.base, near_end, &handler, NULL);
    ck_assert_ptr_nonnull(clients.reports.relay);
    ck_assert(pass_open(&pass, &clients));
}

static void tear_down(void)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (clients.slots[slot].writable != NULL)
            event_free(clients.slots[slot].writable);
        if (clients.slots[slot].fd >= 0)
            close(clients.slots[slot].fd);
        if (far_ends[slot] >= 0)
            close(far_ends[slot]);
    }
    relay_close(clients.reports.relay);
    close(relay_end);
    event_free(pass.timer);
    event_base_free(clients.base);
    batch_free(&pass.batch);
    free(clients.slots);
    free(clients.attached);
    region_destroy(&region);
}

static void attach(uint32_t slot)
{
    struct frame frame = {
        .kind = FRAME_ATTACH, .slot = slot, .generation = GENERATION, .from = announced_to + 1};

    ck_assert(served_attach(&clients.slots[slot], &frame));
    ck_assert(delivery_set_membership(&clients.slots[slot].delivery, 0, announced_to + 1, true));
}

static void join(uint32_t slot)
{
    int near_end;

    attach(slot);
    make_sockets(&near_end, &far_ends[slot]);
    served_receive_socket(&clients.slots[slot], GENERATION, near_end);
    clients_report(&clients);
}

static struct record_label joined(uint32_t sender)
{
    struct record_label label = message_of(sender);

    label.kind = RECORD_JOINED;
    return label;
}

/* Announces all records that were put since the last time, as after a turn of the supervisor. */
static void announce(void)
{
    ck_assert(pass_announce(&pass, announced_to + 1, ring.next_sequence - 1));
    announced_to = ring.next_sequence - 1;
    pass_deliver(&pass);
    clients_report(&clients);
}

/* Reads what the client has received since the last time, and returns how many bytes that are. */
static size_t received(uint32_t slot)
{
    char bytes[4096];
    size_t total = 0;
    ssize_t length;

    while ((length = read(far_ends[slot], bytes, sizeof bytes)) > 0)
        total += (size_t)length;
    ck_assert(length == 0 || errno == EAGAIN);
    return total;
}

/* Turns of the event loop, until the client has received so many bytes. */
static void turn_until_received(uint32_t slot, size_t bytes)
{
    uint64_t deadline = clock_monotonic_ns() + 10 * SECOND;
    size_t total = 0;

    while ((total += received(slot)) < bytes) {
        ck_assert_uint_lt(clock_monotonic_ns(), deadline);
        ck_assert_int_ge(event_base_loop(clients.base, EVLOOP_NONBLOCK), 0);
    }
    ck_assert_uint_eq(total, bytes);
}

/* As after a long pass. */
static void hold_off(uint64_t nanoseconds)
{
    pass.hold_off.until = clock_monotonic_ns() + nanoseconds;
}

/* The next frame from the courier; its kind is FRAME_KIND_COUNT if there is none. */
static struct frame reported(void)
{
    struct frame frame = {.kind = FRAME_KIND_COUNT};

    if (read(relay_end, &frame, sizeof frame) < 0)
        ck_assert_int_eq(errno, EAGAIN);
    return frame;
}

static uint64_t oldest_needed(void)
{
    return atomic_load(&courier_state.oldest_needed);
}

/* --- passes */

START_TEST(a_message_reaches_everybody_but_its_sender)
{
    for (uint32_t slot = 1; slot <= 3; slot++)
        join(slot);
    put(message_of(1), 10);
    announce();
    ck_assert_uint_eq(received(1), 0);
    ck_assert_uint_eq(received(2), 10);
    ck_assert_uint_eq(received(3), 10);
    ck_assert_uint_eq(oldest_needed(), 2);
}
END_TEST

START_TEST(joins_wait_for_the_hold_off_and_leave_with_a_message)
{
    join(1);
    join(2);
    hold_off(100 * SECOND);
    put(joined(3), 20);
    announce();
    put(joined(4), 20);
    announce();
    ck_assert_uint_eq(received(1) + received(2), 0);
    ck_assert(evtimer_pending(pass.timer, NULL));
    ck_assert_uint_eq(oldest_needed(), 1);
    put(message_of(1), 10);
    announce();
    ck_assert_uint_eq(received(1), 40);
    ck_assert_uint_eq(received(2), 50);
    ck_assert_uint_eq(oldest_needed(), 4);
}
END_TEST

START_TEST(what_waited_leaves_when_the_hold_off_is_over)
{
    join(1);
    join(2);
    hold_off(SECOND / 50);
    put(joined(3), 20);
    announce();
    turn_until_received(1, 20);
    turn_until_received(2, 20);
    ck_assert_uint_eq(oldest_needed(), 2);
}
END_TEST

START_TEST(a_private_record_does_not_wait)
{
    join(1);
    join(2);
    hold_off(100 * SECOND);
    put(joined(3), 20);
    put(private_to(2, GENERATION), 7);
    announce();
    ck_assert_uint_eq(received(1), 0);
    ck_assert_uint_eq(received(2), 27);
    pass_deliver_all(&pass);
    ck_assert_uint_eq(received(1), 20);
    ck_assert_uint_eq(received(2), 0);
}
END_TEST

START_TEST(too_many_private_records_end_the_hold_off)
{
    join(1);
    join(2);
    hold_off(100 * SECOND);
    put(joined(3), 20);
    for (int i = 0; i < PASS_PRIVATE_MAX; i++)
        put(private_to(2, GENERATION), 1);
    announce();
    ck_assert_uint_eq(received(1), 0);
    put(private_to(2, GENERATION), 1);
    for (int i = 0; i < PASS_PRIVATE_MAX; i++)
        put(private_to(2, GENERATION), 1);
    announce();
    ck_assert_uint_eq(received(1), 20);
    ck_assert_uint_eq(received(2), 20 + 2 * PASS_PRIVATE_MAX + 1);
}
END_TEST

START_TEST(a_supervisor_that_waits_ends_the_hold_off)
{
    join(1);
    hold_off(100 * SECOND);
    wanted = 2;
    put(joined(3), 20);
    announce();
    ck_assert_uint_eq(received(1), 20);
    ck_assert_int_eq(reported().kind, FRAME_SPACE);
    ck_assert_int_eq(reported().kind, FRAME_KIND_COUNT);
}
END_TEST

START_TEST(announcements_that_go_back_are_invalid)
{
    join(1);
    put(message_of(2), 10);
    put(message_of(2), 10);
    announce();
    ck_assert(!pass_announce(&pass, 1, 1));
    ck_assert(!pass_announce(&pass, 4, 3));
    ck_assert_uint_eq(received(1), 20);
}
END_TEST

/* Records that no client receives may be skipped without being read. */
START_TEST(a_gap_is_skipped)
{
    join(1);
    join(2);
    put(message_of(1), 10);
    announce();
    for (int i = 0; i < 3; i++)
        put(private_to(6, GENERATION), 5);
    announced_to = ring.next_sequence - 1;
    put(message_of(1), 10);
    announce();
    ck_assert_uint_eq(received(2), 20);
    ck_assert_uint_eq(oldest_needed(), 6);
}
END_TEST

/* --- clients */

/* Fills the client's socket, and returns with how many bytes. */
static size_t fill(uint32_t slot)
{
    static const char bytes[4096];
    size_t total = 0;
    ssize_t length;

    while ((length = write(clients.slots[slot].fd, bytes, sizeof bytes)) > 0)
        total += (size_t)length;
    return total;
}

START_TEST(a_full_socket_delays_nobody)
{
    size_t filled;

    join(1);
    join(2);
    filled = fill(1);
    put(message_of(3), 10);
    announce();
    put(message_of(3), 10);
    announce();
    ck_assert_uint_eq(received(2), 20);
    ck_assert_uint_eq(atomic_load(&delivery_states[1].waits), 1);
    ck_assert_uint_eq(atomic_load(&delivery_states[2].waits), 0);
    ck_assert_uint_eq(oldest_needed(), 1);
    wanted = 3;
    turn_until_received(1, filled + 20);
    ck_assert_uint_eq(atomic_load(&delivery_states[1].waits), 0);
    ck_assert_uint_eq(oldest_needed(), 3);
    ck_assert_int_eq(reported().kind, FRAME_SPACE);
}
END_TEST

static void expect_detached(uint32_t slot, enum frame_detached why)
{
    struct frame frame = reported();

    ck_assert_int_eq(frame.kind, FRAME_DETACHED);
    ck_assert_uint_eq(frame.slot, slot);
    ck_assert_uint_eq(frame.generation, GENERATION);
    ck_assert_int_eq(frame.detail, why);
    ck_assert(!clients.slots[slot].is_attached);
}

START_TEST(a_client_that_is_closed_receives_what_precedes_it)
{
    struct frame frame = {.kind = FRAME_CLOSE, .detail = FRAME_CLOSE_DRAIN, .slot = 1, .to = 1};
    size_t filled;
    char byte;

    join(1);
    join(2);
    filled = fill(1);
    put(message_of(2), 10);
    announce();
    served_close(&clients.slots[1], &frame);
    put(message_of(2), 10);
    announce();
    ck_assert_int_eq(reported().kind, FRAME_KIND_COUNT);
    turn_until_received(1, filled + 10);
    clients_report(&clients);
    expect_detached(1, FRAME_DETACHED_CLOSED);
    ck_assert_int_eq(read(far_ends[1], &byte, 1), 0);
    ck_assert_uint_eq(clients.attached_count, 1);
    ck_assert_ptr_eq(clients.attached[0], &clients.slots[2]);
    ck_assert_uint_eq(clients.slots[2].place, 0);
}
END_TEST

START_TEST(an_evicted_client_gets_a_last_line)
{
    struct frame frame = {
        .kind = FRAME_CLOSE, .detail = FRAME_CLOSE_EVICT, .length = DISCONNECT_STALLED, .slot = 1};

    join(1);
    served_close(&clients.slots[1], &frame);
    clients_report(&clients);
    expect_detached(1, FRAME_DETACHED_CLOSED);
    ck_assert_uint_eq(received(1), strlen(disconnect_last_line(DISCONNECT_STALLED)));
}
END_TEST

START_TEST(a_dead_connection_is_reported)
{
    join(1);
    join(2);
    close(far_ends[1]);
    far_ends[1] = -1;
    put(message_of(3), 10);
    announce();
    expect_detached(1, FRAME_DETACHED_LOST);
    ck_assert_uint_eq(received(2), 10);
}
END_TEST

START_TEST(a_socket_may_arrive_before_its_client_is_attached)
{
    int near_end;

    make_sockets(&near_end, &far_ends[1]);
    served_receive_socket(&clients.slots[1], GENERATION, near_end);
    attach(1);
    put(message_of(3), 10);
    announce();
    ck_assert_uint_eq(received(1), 10);
}
END_TEST

/* Of an older client, and one of a client that was never attached before the next one was. */
START_TEST(a_socket_of_another_client_is_closed)
{
    int near_end;
    char byte;

    make_sockets(&near_end, &far_ends[1]);
    served_receive_socket(&clients.slots[1], GENERATION - 1, near_end);
    attach(1);
    ck_assert_int_eq(read(far_ends[1], &byte, 1), 0);
    close(far_ends[1]);
    make_sockets(&near_end, &far_ends[1]);
    served_receive_socket(&clients.slots[1], GENERATION - 1, near_end);
    ck_assert_int_eq(read(far_ends[1], &byte, 1), 0);
    ck_assert_int_eq(clients.slots[1].fd, -1);
}
END_TEST

START_TEST(a_slot_has_one_client_and_others_have_none)
{
    struct frame frame = {.kind = FRAME_ATTACH, .slot = 1, .generation = GENERATION + 1, .from = 1};

    join(1);
    ck_assert(!served_attach(&clients.slots[1], &frame));
    ck_assert_ptr_eq(clients_find(&clients, SLOTS - 1), &clients.slots[SLOTS - 1]);
    ck_assert_ptr_null(clients_find(&clients, SLOTS));
    ck_assert_ptr_null(clients_find(&clients, UINT32_MAX));
}
END_TEST

static Suite *pass_suite(void)
{
    Suite *suite = suite_create("courier: pass");
    TCase *passes = tcase_create("passes"), *served = tcase_create("clients");

    tcase_add_checked_fixture(passes, set_up, tear_down);
    tcase_add_test(passes, a_message_reaches_everybody_but_its_sender);
    tcase_add_test(passes, joins_wait_for_the_hold_off_and_leave_with_a_message);
    tcase_add_test(passes, what_waited_leaves_when_the_hold_off_is_over);
    tcase_add_test(passes, a_private_record_does_not_wait);
    tcase_add_test(passes, too_many_private_records_end_the_hold_off);
    tcase_add_test(passes, a_supervisor_that_waits_ends_the_hold_off);
    tcase_add_test(passes, announcements_that_go_back_are_invalid);
    tcase_add_test(passes, a_gap_is_skipped);
    suite_add_tcase(suite, passes);
    tcase_add_checked_fixture(served, set_up, tear_down);
    tcase_add_test(served, a_full_socket_delays_nobody);
    tcase_add_test(served, a_client_that_is_closed_receives_what_precedes_it);
    tcase_add_test(served, an_evicted_client_gets_a_last_line);
    tcase_add_test(served, a_dead_connection_is_reported);
    tcase_add_test(served, a_socket_may_arrive_before_its_client_is_attached);
    tcase_add_test(served, a_socket_of_another_client_is_closed);
    tcase_add_test(served, a_slot_has_one_client_and_others_have_none);
    suite_add_tcase(suite, served);
    return suite;
}

CHECK_MAIN(pass_suite)
