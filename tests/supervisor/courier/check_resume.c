/* SPDX-License-Identifier: ISC */
/*
 * Where a client stands when its courier has died: to the byte on a TCP connection, from what the
 * kernel has of it; on a unix socket only where nothing was under way.
 *
 * Model: the supervisor's side is real, and the test is the courier. It writes to the client as a
 * courier does, and dies before or after it has published that. What the client is owed is a list
 * of bytes that is made with the records; what was written, a count. So where the next courier must
 * go on is known without the code under test.
 */
#include "config.h"

#include "supervisor/courier/resume.h"

#include "delivery/delivery.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/order.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORDS_MAX 200000

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct slot *slot, *speaker; /* the client, and one who talks */
static int far_end;                 /* the client's own */
static struct courier_part part;
static struct cursor *cursor;
static struct delivery delivery; /* the courier's, and where that began */
static uint64_t begun_from, begun_base;
static size_t begun_partial;

/* What the client is owed: of each record whose it is where its bytes begin in the stream, and the
 * stream's bytes. */
static struct {
    uint64_t begin;
    bool is_owed;
} records[RECORDS_MAX];
static char stream[8 * 1024 * 1024];
static uint64_t stream_length, written, received;
static uint64_t noted; /* the first record that is not in it yet */

/* --- two kinds of connection */

/* A TCP connection on loopback, of which little is under way: the client's window is small. */
static int connect_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), near_end, small = 4096;

    far_end = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(far_end, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(connect(far_end, (struct sockaddr *)&address, length), 0);
    near_end = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(near_end, 0);
    close(listener);
    return near_end;
}

static int connect_unix(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    far_end = ends[1];
    return ends[0];
}

/* --- the supervisor's side */

static bool is_owed(const struct record_entry *entry)
{
    if (entry->recipient != REGION_NO_SLOT)
        return entry->recipient == slot->number;
    return entry->sequence >= slot->joined &&
           (entry->sender != slot->number || entry->kind == RECORD_RENAMED);
}

/* Notes what has been recorded. */
static void note(void)
{
    for (; noted < supervisor->ring.next_sequence; noted++) {
        const struct record_entry *entry = region_entry(&supervisor->view, noted);

        CHECK_QUICKLY(noted < RECORDS_MAX);
        records[noted].begin = stream_length;
        records[noted].is_owed = is_owed(entry);
        if (!records[noted].is_owed)
            continue;
        CHECK_QUICKLY(stream_length + entry->length <= sizeof stream);
        memcpy(stream + stream_length,
            supervisor->view.ring + entry->offset % supervisor->view.ring_size, entry->length);
        stream_length += entry->length;
    }
}

/* Somebody says `length` bytes that are like no others. */
static void say(struct slot *who, size_t length)
{
    static unsigned number;
    struct outbox outbox = region_outbox(&supervisor->region, who->number);

    number++;
    for (size_t i = 0; i < length; i++)
        outbox.bytes[i] = (char)('a' + (number * 7 + i * i + i / 26) % 26);
    order_frame(who, &(struct frame){.kind = FRAME_PUBLISH, .length = (uint32_t)length});
    note();
}

/* The end of a turn: the courier is told of what there is. */
static void tell(void)
{
    struct frame frame;

    fixture_turn(fixture);
    note();
    cursor_notify(cursor, &frame);
    delivery.end = cursor->notified_to;
}

/* --- the courier's side */

static void begin_courier(void)
{
    begun_from = slot->link.from;
    begun_partial = slot->link.partial;
    begun_base = slot->link.wire_base;
    delivery_init(&delivery, &supervisor->view, &part.deliveries[slot->number],
        &(struct delivery_start){.slot = slot->number,
            .generation = slot->generation,
            .position = slot->link.from,
            .partial = slot->link.partial});
    ck_assert(delivery_set_membership(&delivery, ROOM_LOBBY, slot->joined, true));
    delivery.end = cursor->notified_to;
}

static void show_oldest_needed(void)
{
    atomic_store(&part.state->oldest_needed,
        delivery_is_done(&delivery) ? cursor->notified_to : delivery.position);
}

/* Writes all that the socket takes, and publishes it. */
static void write_all(void)
{
    enum delivery_outcome outcome;

    do
        outcome = delivery_write(&delivery, slot->client_fd);
    while (outcome == DELIVERY_MORE);
    ck_assert_int_ne(outcome, DELIVERY_LOST);
    if (delivery_is_done(&delivery))
        written = stream_length;
    else
        written = records[delivery.position].begin + delivery.partial;
    show_oldest_needed();
}

/* Writes up to `most` bytes from what was published on, and publishes nothing of that; once in a
 * courier's life. Returns how many there were. */
static size_t write_unpublished(size_t most)
{
    struct delivery copy = delivery;
    struct delivery_state scratch = {0};
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;
    size_t total = 0;
    int count;

    copy.state = &scratch;
    count = delivery_gather(&copy, runs, &reached);
    for (int i = 0; i < count && most > 0; i++) {
        size_t length = runs[i].iov_len < most ? runs[i].iov_len : most;
        ssize_t taken = write(slot->client_fd, runs[i].iov_base, length);

        if (taken <= 0)
            break;
        total += (size_t)taken;
        most -= (size_t)taken;
    }
    written += total;
    return total;
}

/* --- the client */

static void read_some(size_t most)
{
    char bytes[16384];
    ssize_t length;

    while (most > 0 && (length = recv(far_end, bytes, most < sizeof bytes ? most : sizeof bytes,
                            MSG_DONTWAIT)) > 0) {
        CHECK_QUICKLY(received + (uint64_t)length <= stream_length);
        CHECK_QUICKLY(memcmp(bytes, stream + received, (size_t)length) == 0);
        received += (uint64_t)length;
        most -= (size_t)length;
    }
}

/* --- a death */

/* May be asked again, unlike resume_slot(). */
static bool resume(void)
{
    slot->link.from = begun_from;
    slot->link.partial = begun_partial;
    slot->link.wire_base = begun_base;
    return resume_slot(slot, cursor_next(cursor), cursor->notified_to);
}

/* The record and the byte in it that come next, as the list has it. */
static void expect_stand(void)
{
    uint64_t sequence = slot->link.from, end = cursor->notified_to;
    uint64_t begin = sequence < end ? records[sequence].begin : stream_length;

    CHECK_QUICKLY(begin + slot->link.partial == written);
    CHECK_QUICKLY(sequence == end || records[sequence].is_owed);
    if (sequence < end) {
        uint64_t next = sequence + 1 < noted ? records[sequence + 1].begin : stream_length;
        CHECK_QUICKLY(begin + slot->link.partial < next);
    }
}

/* The next courier begins, as courier_recover() has it. */
static void replace_courier(void)
{
    uint64_t notified_to = cursor->notified_to;

    region_clear_courier(&supervisor->region, 0);
    atomic_store(&part.state->oldest_needed, slot->link.from);
    cursor->position = cursor->notified_to = slot->link.from;
    cursor->jump_end = cursor->jump_from = 0;
    if (slot->link.from < notified_to)
        cursor->unnotified_from = slot->link.from;
    begin_courier();
    tell();
}

static void open_stage(int near_end)
{
    fixture = fixture_open_with_couriers(1);
    supervisor = &fixture->supervisor;
    cursor = &supervisor->couriers[0].cursor;
    part = region_courier(&supervisor->region, 0);
    stream_length = written = received = 0;
    noted = 1;
    speaker = fixture_join(fixture);
    slot = fixture_take_client(fixture, near_end);
    fixture_frame(slot, FRAME_HELLO);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    tell();
    atomic_store(&part.state->oldest_needed, slot->link.from);
    begin_courier();
}

static void open_tcp(void)
{
    open_stage(connect_tcp());
}

static void open_unix(void)
{
    open_stage(connect_unix());
}

static void close_stage(void)
{
    fixture_close(fixture);
    close(far_end);
}

/* --- what the kernel knows */

START_TEST(all_that_was_written_is_counted)
{
    char bytes[100000] = "", taken[3000];
    uint64_t before, now;
    ssize_t length;

    ck_assert(resume_written(slot->client_fd, &before));
    ck_assert_int_eq(write(slot->client_fd, bytes, 10), 10);
    ck_assert(resume_written(slot->client_fd, &now));
    ck_assert_uint_eq(now, before + 10);
    before = now;
    while ((length = write(slot->client_fd, bytes, sizeof bytes)) > 0)
        before += (uint64_t)length; /* most of it waits: the client does not read */
    for (int i = 0; i < 10; i++) {
        ck_assert(resume_written(slot->client_fd, &now));
        ck_assert_uint_eq(now, before);
        ck_assert_int_gt(recv(far_end, taken, sizeof taken, 0), 0);
    }
}
END_TEST

START_TEST(of_other_sockets_it_is_not_known)
{
    uint64_t bytes;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    ck_assert(!resume_written(slot->client_fd, &bytes));
    ck_assert(!resume_written(null, &bytes));
    close(null);
}
END_TEST

/* --- TCP */

START_TEST(one_that_had_all)
{
    say(speaker, 100);
    tell();
    write_all();
    ck_assert_uint_eq(written, stream_length);
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, cursor->notified_to);
    ck_assert_uint_eq(slot->link.partial, 0);
    expect_stand();
}
END_TEST

START_TEST(one_that_had_nothing_of_what_came_last)
{
    tell();
    write_all();
    uint64_t first = supervisor->ring.next_sequence;
    for (int i = 0; i < 5; i++)
        say(speaker, 100);
    tell();
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, first);
    ck_assert_uint_eq(slot->link.partial, 0);
    expect_stand();
}
END_TEST

/* Every number of bytes of five records, of which two are not the client's. */
START_TEST(one_that_had_more_than_was_published)
{
    for (size_t bytes = 0;; bytes++) {
        for (int i = 0; i < 5; i++)
            say(i % 2 == 0 ? speaker : slot, 5 + (size_t)i);
        tell();
        size_t wrote = write_unpublished(bytes);
        ck_assert(resume());
        expect_stand();
        replace_courier();
        write_all();
        read_some(SIZE_MAX);
        if (wrote < bytes)
            break;
    }
    ck_assert_uint_eq(received, stream_length);
}
END_TEST

/* What was published is within a record, and what came after it is, too. */
START_TEST(one_that_stood_within_a_record)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    write_all();
    for (int i = 0; i < 3; i++)
        say(speaker, 100);
    tell();
    uint64_t first = delivery.position;
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 1);
    ck_assert_int_eq(write(slot->client_fd, runs[0].iov_base, 30), 30);
    delivery_advance(&delivery, 30, runs[0].iov_len, reached);
    show_oldest_needed();
    written += 30;
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, first);
    ck_assert_uint_eq(slot->link.partial, 30);
    ck_assert_uint_eq(write_unpublished(25), 25);
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, first);
    ck_assert_uint_eq(slot->link.partial, 55);
    replace_courier();
    ck_assert_uint_eq(write_unpublished(100), 100);
    ck_assert(resume()); /* that one dies too, before it has published anything of its own */
    ck_assert_uint_eq(slot->link.from, first + 1);
    expect_stand();
}
END_TEST

START_TEST(one_that_had_not_begun)
{
    uint64_t from = slot->link.from, base = slot->link.wire_base;

    region_clear_courier(&supervisor->region, 0);
    begun_partial = 3;
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, from);
    ck_assert_uint_eq(slot->link.partial, 3);
    ck_assert_uint_eq(slot->link.wire_base, base);
    atomic_store(&part.deliveries[slot->number].generation, slot->generation - 1);
    atomic_store(&part.deliveries[slot->number].marks[0].position, UINT64_MAX);
    ck_assert(resume()); /* what the slot's last client has left says nothing */
    ck_assert_uint_eq(slot->link.from, from);
    ck_assert(resume_slot(slot, from + 5, from + 10)); /* what is not kept for it is not its */
    ck_assert_uint_eq(slot->link.from, from + 5);
}
END_TEST

/* It was caught up, and published nothing while others got theirs; what is where it says that it
 * stands is new. */
START_TEST(one_that_slept_while_the_ring_went_round)
{
    write_all();
    uint64_t position = delivery.position;
    while (supervisor->ring.next_sequence - position < supervisor->view.index_count) {
        say(slot, 10); /* its own: the courier is told, and gives it nothing */
        tell();
        atomic_store(&part.state->oldest_needed, cursor->notified_to);
    }
    uint64_t first = supervisor->ring.next_sequence;
    say(slot, 10);
    say(speaker, 100);
    tell();
    ck_assert_uint_eq(atomic_load(&region_mark(delivery.state)->position), position);
    ck_assert_uint_gt(supervisor->ring.oldest_sequence, position);
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, first + 1);
    delivery.position = first;
    ck_assert_uint_eq(write_unpublished(7), 7);
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, first + 1);
    ck_assert_uint_eq(slot->link.partial, 7);
    expect_stand();
}
END_TEST

START_TEST(one_with_much_under_way)
{
    for (int i = 0; i < 20; i++)
        say(speaker, 4000);
    tell();
    ck_assert_uint_gt(write_unpublished(SIZE_MAX), 8192); /* more than the client's window */
    ck_assert(resume());
    expect_stand();
    for (int i = 0; i < 5; i++) { /* and while the client goes on reading */
        read_some(1000);
        ck_assert(resume());
        expect_stand();
    }
}
END_TEST

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % bound);
}

/* A courier's life: some writes that are published, and perhaps one that is not. */
static void live_and_die(void)
{
    for (size_t turns = random_below(4); turns > 0; turns--) {
        for (size_t i = random_below(8); i > 0; i--)
            say(random_below(3) == 0 ? slot : speaker,
                1 + random_below(random_below(4) == 0 ? 4000 : 50));
        if (random_below(4) == 0)
            fixture_frame(random_below(2) == 0 ? slot : speaker, FRAME_WHO);
        tell();
        if (random_below(4) != 0)
            write_all();
        if (random_below(3) != 0)
            read_some(1 + random_below(20000));
    }
    if (random_below(4) == 0)
        return;
    say(speaker, 1 + random_below(100));
    say(speaker, 1 + random_below(100));
    tell();
    write_unpublished(1 + random_below(250));
}

START_TEST(a_thousand_couriers)
{
    int one = 1, small = 16384, within = 0;

    setsockopt(slot->client_fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    setsockopt(slot->client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    for (int life = 0; life < 1000; life++) {
        live_and_die();
        CHECK_QUICKLY(resume());
        expect_stand();
        within += slot->link.partial > 0;
        replace_courier();
    }
    while (received < stream_length) {
        write_all();
        read_some(SIZE_MAX);
    }
    ck_assert(delivery_is_done(&delivery));
    ck_assert_int_gt(within, 100);
    ck_assert_uint_gt(stream_length, 3 * FIXTURE_RING_SIZE);
}
END_TEST

/* --- what cannot be known */

/* Neither further than it was told, nor back, nor more than was ever written. */
START_TEST(a_courier_that_lies_is_doubted)
{
    struct delivery_mark *mark;

    say(speaker, 100);
    tell();
    write_all();
    mark = &delivery.state->marks[atomic_load(&delivery.state->version) % 2];
    uint64_t position = atomic_load(&mark->position), bytes = atomic_load(&mark->bytes);
    ck_assert(resume());
    atomic_store(&mark->position, cursor->notified_to + 1);
    ck_assert(!resume());
    atomic_store(&mark->position, UINT64_MAX);
    ck_assert(!resume());
    atomic_store(&mark->position, begun_from - 1);
    ck_assert(!resume());
    atomic_store(&mark->position, 0);
    ck_assert(!resume());
    atomic_store(&mark->position, position);
    atomic_store(&mark->bytes, bytes + 1);
    ck_assert(!resume());
    atomic_store(&mark->bytes, UINT64_MAX);
    ck_assert(!resume());
    atomic_store(&mark->bytes, UINT64_MAX - begun_base + 1);
    ck_assert(!resume());
    ck_assert_uint_le(slot->link.from, cursor->notified_to);
}
END_TEST

/* What it says would lie beyond all that it was told of. */
START_TEST(bytes_of_no_record_are_doubted)
{
    struct delivery_mark *mark;

    say(speaker, 100);
    tell();
    write_all();
    mark = &delivery.state->marks[atomic_load(&delivery.state->version) % 2];
    atomic_fetch_sub(&mark->bytes, 1);
    ck_assert(!resume());
    atomic_fetch_add(&mark->bytes, 1);
    ck_assert(resume());
    ck_assert_int_eq(write(slot->client_fd, "x", 1), 1);
    ck_assert(!resume());
}
END_TEST

/* --- unix sockets */

START_TEST(a_unix_client_that_had_all_is_known)
{
    write_all();
    say(slot, 100); /* its own messages are not under way */
    say(slot, 100);
    tell();
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, cursor->notified_to);
    ck_assert_uint_eq(slot->link.partial, 0);
}
END_TEST

START_TEST(a_unix_client_that_is_owed_something_is_not)
{
    write_all();
    say(slot, 100);
    uint64_t first = supervisor->ring.next_sequence;
    say(speaker, 100);
    tell();
    ck_assert(!resume());
    ck_assert_uint_eq(slot->link.from, first); /* the first that it may not have got */
    write_unpublished(10);
    ck_assert(!resume());
    ck_assert_uint_eq(slot->link.from, first);
}
END_TEST

START_TEST(a_unix_client_that_had_not_begun_is_known)
{
    uint64_t from = slot->link.from;

    region_clear_courier(&supervisor->region, 0);
    ck_assert(resume());
    ck_assert_uint_eq(slot->link.from, from);
}
END_TEST

static Suite *resume_suite(void)
{
    Suite *suite = suite_create("resume");
    TCase *tcp = tcase_create("tcp"), *local = tcase_create("unix");

    tcase_set_timeout(tcp, 60);
    tcase_add_checked_fixture(tcp, open_tcp, close_stage);
    tcase_add_test(tcp, all_that_was_written_is_counted);
    tcase_add_test(tcp, one_that_had_all);
    tcase_add_test(tcp, one_that_had_nothing_of_what_came_last);
    tcase_add_test(tcp, one_that_had_more_than_was_published);
    tcase_add_test(tcp, one_that_stood_within_a_record);
    tcase_add_test(tcp, one_that_had_not_begun);
    tcase_add_test(tcp, one_that_slept_while_the_ring_went_round);
    tcase_add_test(tcp, one_with_much_under_way);
    tcase_add_test(tcp, a_thousand_couriers);
    tcase_add_test(tcp, a_courier_that_lies_is_doubted);
    tcase_add_test(tcp, bytes_of_no_record_are_doubted);
    suite_add_tcase(suite, tcp);
    tcase_set_timeout(local, 60);
    tcase_add_checked_fixture(local, open_unix, close_stage);
    tcase_add_test(local, of_other_sockets_it_is_not_known);
    tcase_add_test(local, a_unix_client_that_had_all_is_known);
    tcase_add_test(local, a_unix_client_that_is_owed_something_is_not);
    tcase_add_test(local, a_unix_client_that_had_not_begun_is_known);
    suite_add_tcase(suite, local);
    return suite;
}

CHECK_MAIN(resume_suite)
