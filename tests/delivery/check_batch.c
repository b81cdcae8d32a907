/* SPDX-License-Identifier: ISC */
/*
 * One batch for many clients: which clients it suits, and that each client receives the bytes that
 * it would receive alone, compared with a plain list of its records.
 */
#include "config.h"

#include "delivery/batch.h"

#include "tests/check_main.h"
#include "tests/delivery/records.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct batch batch;

static void open_batch(size_t ring_size)
{
    open_ring(ring_size);
    batch_init(&batch, &view, 0);
}

static void set_up(void)
{
    open_batch(256 * 1024);
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
}

static void tear_down(void)
{
    batch_free(&batch);
    region_destroy(&region);
}

/* A caught-up delivery at the batch's beginning, as courier.c has it. */
static void stand_at(struct delivery *one, uint64_t position)
{
    delivery_skip(one, position);
    ck_assert_uint_eq(one->position, position);
}

/* The batch has the runs that the delivery of a plain member gathers. */
static void expect_own_runs(void)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    ck_assert(batch_matches(&batch, &delivery));
    delivery.end = ring.next_sequence;
    int count = delivery_gather(&delivery, runs, &reached);
    ck_assert_int_eq(count, batch.count);
    ck_assert_uint_eq(reached, batch.end);
    for (int i = 0; i < count; i++) {
        ck_assert_ptr_eq(runs[i].iov_base, batch.runs[i].iov_base);
        ck_assert_uint_eq(runs[i].iov_len, batch.runs[i].iov_len);
    }
}

/* --- whom it suits */

START_TEST(a_member_receives_all_records)
{
    for (int i = 0; i < 10; i++)
        put(message_of(2), 100);
    batch_gather(&batch, 1, ring.next_sequence);
    stand_at(&delivery, 1);
    ck_assert_int_eq(batch.count, 1);
    ck_assert_uint_eq(batch.runs[0].iov_len, 1000);
    ck_assert_uint_eq(batch.end, 11);
    expect_own_runs();
}
END_TEST

START_TEST(no_records_make_an_empty_batch)
{
    put(message_of(2), 100);
    batch_gather(&batch, 2, 2);
    ck_assert_int_eq(batch.count, 0);
    ck_assert_uint_eq(batch.end, 2);
}
END_TEST

START_TEST(a_message_does_not_suit_its_sender)
{
    put(message_of(ME), 100);
    put(message_of(2), 100);
    batch_gather(&batch, 1, 3);
    stand_at(&delivery, 1);
    ck_assert(!batch_matches(&batch, &delivery));
    batch_gather(&batch, 2, 3); /* what it said is before that */
    stand_at(&delivery, 2);
    expect_own_runs();
}
END_TEST

/* What is given to its sender too makes no difference. */
START_TEST(a_rename_suits_its_own_client)
{
    struct record_label label = message_of(ME);

    label.kind = RECORD_RENAMED;
    put(label, 100);
    batch_gather(&batch, 1, 2);
    stand_at(&delivery, 1);
    expect_own_runs();
}
END_TEST

START_TEST(a_batch_does_not_suit_the_recipient_of_a_private_record)
{
    put(message_of(2), 100);
    put(private_to(ME, GENERATION), 100);
    batch_gather(&batch, 1, 3);
    stand_at(&delivery, 1);
    ck_assert_uint_eq(batch.runs[0].iov_len, 100); /* what is private is in nobody's batch */
    ck_assert(!batch_matches(&batch, &delivery));
}
END_TEST

START_TEST(the_private_record_of_another_makes_a_gap)
{
    put(message_of(2), 100);
    put(private_to(2, GENERATION), 100);
    put(message_of(3), 100);
    batch_gather(&batch, 1, 4);
    stand_at(&delivery, 1);
    ck_assert_int_eq(batch.count, 2);
    expect_own_runs();
}
END_TEST

/* The last record that makes a difference counts, and each slot's own. */
START_TEST(each_slot_has_its_own_exceptions)
{
    put(message_of(ME), 10);
    put(private_to(2, GENERATION), 10);
    put(message_of(3), 10);
    batch_gather(&batch, 1, 2);
    batch_gather(&batch, 2, 4);
    stand_at(&delivery, 2);
    expect_own_runs();
}
END_TEST

START_TEST(a_record_without_a_client_suits_all)
{
    struct record_label label = message_of(REGION_NO_SLOT);

    label.kind = RECORD_NOTICE;
    put(label, 100);
    label.kind = RECORD_LEFT;
    put(label, 100);
    batch_gather(&batch, 1, 3);
    stand_at(&delivery, 1);
    expect_own_runs();
}
END_TEST

START_TEST(a_batch_leaves_out_other_rooms)
{
    struct record_label other = message_of(2);

    other.room = 1;
    put(message_of(2), 10);
    put(other, 10);
    put(message_of(2), 10);
    batch_gather(&batch, 1, 4);
    stand_at(&delivery, 1);
    ck_assert_int_eq(batch.count, 2);
    expect_own_runs();
    ck_assert(delivery_set_membership(&delivery, 1, 1, true)); /* one who is in both */
    ck_assert(!batch_matches(&batch, &delivery));
}
END_TEST

START_TEST(a_batch_suits_only_clients_in_the_room_throughout)
{
    struct delivery_state states[4] = {0};
    struct delivery newcomer, leaver, none, other;

    for (int i = 0; i < 5; i++)
        put(message_of(2), 10);
    batch_gather(&batch, 3, 6);
    delivery_init(&newcomer, &view, &states[0],
        &(struct delivery_start){.slot = 1, .generation = 1, .position = 3});
    ck_assert(delivery_set_membership(&newcomer, 0, 3, true));
    ck_assert(batch_matches(&batch, &newcomer));
    newcomer.rooms[0].from = 4;
    ck_assert(!batch_matches(&batch, &newcomer));
    delivery_init(&leaver, &view, &states[1],
        &(struct delivery_start){.slot = 1, .generation = 1, .position = 3});
    ck_assert(delivery_set_membership(&leaver, 0, 1, true));
    ck_assert(delivery_set_membership(&leaver, 0, 6, false));
    ck_assert(!batch_matches(&batch, &leaver));
    delivery_init(&none, &view, &states[2],
        &(struct delivery_start){.slot = 1, .generation = 1, .position = 3});
    ck_assert(!batch_matches(&batch, &none));
    delivery_init(&other, &view, &states[3],
        &(struct delivery_start){.slot = 1, .generation = 1, .position = 3});
    ck_assert(delivery_set_membership(&other, 1, 1, true));
    ck_assert(!batch_matches(&batch, &other));
}
END_TEST

START_TEST(a_batch_suits_only_clients_at_its_beginning)
{
    for (int i = 0; i < 5; i++)
        put(message_of(2), 10);
    batch_gather(&batch, 3, 6);
    stand_at(&delivery, 2);
    ck_assert(!batch_matches(&batch, &delivery));
    stand_at(&delivery, 3);
    ck_assert(batch_matches(&batch, &delivery));
    delivery.partial = 1;
    ck_assert(!batch_matches(&batch, &delivery));
    delivery.partial = 0;
    stand_at(&delivery, 4);
    ck_assert(!batch_matches(&batch, &delivery));
}
END_TEST

/* --- how far it goes */

START_TEST(a_batch_ends_when_its_runs_are_used_up)
{
    uint64_t from = 1;
    struct record_label other = message_of(2);

    other.room = 1;
    for (int i = 0; i < 5 * DELIVERY_RUNS_MAX / 2; i++) {
        put(message_of(2), 10);
        put(other, 10); /* no two leave as one run */
    }
    stand_at(&delivery, from);
    for (int i = 0; i < 3; i++) {
        batch_gather(&batch, from, ring.next_sequence);
        ck_assert_int_eq(batch.count, i < 2 ? DELIVERY_RUNS_MAX : DELIVERY_RUNS_MAX / 2);
        expect_own_runs();
        ck_assert_uint_gt(batch.end, from);
        from = batch.end;
        stand_at(&delivery, from);
    }
    ck_assert_uint_eq(from, ring.next_sequence);
}
END_TEST

START_TEST(a_batch_continues_over_the_ring_s_end)
{
    put(message_of(2), view.ring_size - 50);
    put(message_of(2), 30);
    put(message_of(2), 40);
    batch_gather(&batch, 2, 4);
    stand_at(&delivery, 2);
    ck_assert_int_eq(batch.count, 2);
    ck_assert_ptr_eq(batch.runs[0].iov_base, view.ring + view.ring_size - 50);
    ck_assert_ptr_eq(batch.runs[1].iov_base, view.ring);
    expect_own_runs();
}
END_TEST

/* --- many clients, as a courier has them, against what each is owed */

/* Bytes that a client may not have read yet: more than the ring holds. */
#define OWED_MAX ((size_t)128 * 1024)

#define RING_SIZE ((size_t)64 * 1024)

struct client {
    struct delivery delivery;
    struct delivery_state state;
    bool is_live, is_behind;
    uint32_t generation;
    uint64_t joined, left; /* the first record as a member, and the first after that */
    int near_end, far_end;
    char owed[OWED_MAX]; /* a circle: what it is owed and has not read */
    uint64_t owed_head, owed_tail;
    uint64_t blocked, whole; /* writes that did not take all, or did */
};

static struct client clients[SLOTS];
static uint64_t gathered_to;

/* Said once more by hand. */
static bool is_owed(
    const struct client *client, uint32_t slot, const struct record_label *label, uint64_t sequence)
{
    if (label->recipient != REGION_NO_SLOT)
        return label->recipient == slot && label->recipient_generation == client->generation;
    if (label->sender == slot && label->sender_generation == client->generation &&
        (label->kind == RECORD_MESSAGE || label->kind == RECORD_JOINED ||
            label->kind == RECORD_LEFT))
        return false;
    return label->room == 0 && sequence >= client->joined && sequence < client->left;
}

static void owe(struct client *client, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        client->owed[client->owed_head++ % OWED_MAX] = bytes[i];
    CHECK_QUICKLY(client->owed_head - client->owed_tail <= OWED_MAX);
}

static uint64_t lowest_needed(void)
{
    uint64_t lowest = gathered_to;

    for (int slot = 0; slot < SLOTS; slot++)
        if (clients[slot].is_live && clients[slot].is_behind &&
            clients[slot].delivery.position < lowest)
            lowest = clients[slot].delivery.position;
    return lowest;
}

static struct record_label random_label(void)
{
    uint32_t sender = (uint32_t)random_below(SLOTS + 1), recipient = REGION_NO_SLOT;
    uint32_t back = random_below(8) == 0;

    if (sender == SLOTS)
        sender = REGION_NO_SLOT;
    if (random_below(6) == 0)
        recipient = (uint32_t)random_below(SLOTS);
    return (struct record_label){
        .kind = (enum record_kind)random_below(RECORD_KIND_COUNT),
        .room = (uint16_t)(random_below(12) == 0),
        .sender = sender,
        .sender_generation = sender < SLOTS ? clients[sender].generation - back : 0,
        .recipient = recipient,
        .recipient_generation = recipient < SLOTS ? clients[recipient].generation - back : 0,
    };
}

static void put_random(void)
{
    struct record_label label = random_label();
    size_t length = 1 + random_below(random_below(8) == 0 ? 4000 : 60);
    struct ring_need need = ring_need_of(length);

    if (!ring_fits(&ring, lowest_needed(), &need))
        return;
    uint64_t sequence = put(label, length);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (clients[slot].is_live && is_owed(&clients[slot], slot, &label, sequence))
            owe(&clients[slot], view.ring + region_entry(&view, sequence)->offset % view.ring_size,
                length);
}

/* A client comes, a member from the next record on, or a few later. */
static void come(uint32_t slot)
{
    struct client *client = &clients[slot];
    int ends[2], small = 4096;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    client->near_end = ends[0];
    client->far_end = ends[1];
    client->generation++;
    client->is_live = true;
    client->is_behind = false;
    client->owed_head = client->owed_tail = 0;
    client->joined = ring.next_sequence + random_below(3);
    client->left = UINT64_MAX;
    delivery_init(&client->delivery, &view, &client->state,
        &(struct delivery_start){
            .slot = slot, .generation = client->generation, .position = ring.next_sequence});
    ck_assert(delivery_set_membership(&client->delivery, 0, client->joined, true));
}

static void go(struct client *client)
{
    close(client->near_end);
    close(client->far_end);
    client->is_live = false;
}

/* Leaves the room, and goes on being delivered to. */
static void leave_room(struct client *client)
{
    if (client->left != UINT64_MAX || client->joined >= ring.next_sequence)
        return;
    client->left = ring.next_sequence;
    ck_assert(delivery_set_membership(&client->delivery, 0, client->left, false));
}

static void settle(struct client *client, enum delivery_outcome outcome)
{
    CHECK_QUICKLY(outcome != DELIVERY_LOST);
    client->is_behind = outcome != DELIVERY_DONE;
    client->blocked += outcome == DELIVERY_BLOCKED;
    client->whole += outcome == DELIVERY_DONE;
}

/* What is new to all who are caught up, as courier.c gives it. */
static void pass(void)
{
    while (gathered_to < ring.next_sequence) {
        uint64_t before = gathered_to;

        batch_gather(&batch, gathered_to, ring.next_sequence);
        CHECK_QUICKLY(batch.from == before && batch.end > before);
        for (int slot = 0; slot < SLOTS; slot++) {
            struct client *client = &clients[slot];
            if (!client->is_live || client->is_behind || client->delivery.position >= batch.end)
                continue;
            delivery_skip(&client->delivery, batch.from);
            client->delivery.end = batch.end;
            settle(client, batch_write(&batch, &client->delivery, client->near_end));
        }
        gathered_to = batch.end;
    }
}

static void go_on(struct client *client)
{
    client->delivery.end = gathered_to;
    settle(client, delivery_write(&client->delivery, client->near_end));
}

static void read_some(struct client *client, size_t most)
{
    char bytes[6000];
    ssize_t length = read(client->far_end, bytes, most < sizeof bytes ? most : sizeof bytes);

    for (ssize_t i = 0; i < length; i++) {
        CHECK_QUICKLY(client->owed_tail < client->owed_head);
        CHECK_QUICKLY(bytes[i] == client->owed[client->owed_tail++ % OWED_MAX]);
    }
}

static void one_round(int round)
{
    for (size_t i = random_below(random_below(8) == 0 ? 100 : 8); i > 0; i--)
        put_random();
    pass();
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        struct client *client = &clients[slot];

        if (!client->is_live) {
            if (random_below(100) == 0)
                come(slot);
            continue;
        }
        if (client->is_behind)
            go_on(client);
        if (slot % 2 == 0 || round / 64 % 4 != 0) /* half of them do not read for a while */
            read_some(client, 1 + random_below(6000));
        if (random_below(500) == 0)
            leave_room(client);
        else if (random_below(400) == 0)
            go(client);
    }
}

/* Everybody reads to the end: nothing may be owed then. */
static void finish(struct client *client)
{
    while (client->is_behind) {
        read_some(client, SIZE_MAX);
        go_on(client);
    }
    while (client->owed_tail < client->owed_head)
        read_some(client, SIZE_MAX);
    char byte;
    CHECK_QUICKLY(read(client->far_end, &byte, 1) < 0);
    CHECK_QUICKLY(delivery_is_done(&client->delivery));
    go(client);
}

START_TEST(each_client_receives_its_own_records)
{
    uint64_t blocked = 0, whole = 0;

    open_batch(RING_SIZE);
    gathered_to = ring.next_sequence;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        come(slot);
    for (int round = 0; round < 20000; round++)
        one_round(round);
    pass();
    for (int slot = 0; slot < SLOTS; slot++) {
        if (clients[slot].is_live)
            finish(&clients[slot]);
        blocked += clients[slot].blocked;
        whole += clients[slot].whole;
    }
    CHECK_QUICKLY(blocked > 1000);
    CHECK_QUICKLY(whole > 10000);
    CHECK_QUICKLY(ring.head > 20 * view.ring_size);
    tear_down();
}
END_TEST

static Suite *batch_suite(void)
{
    Suite *suite = suite_create("batch");
    TCase *suiting = tcase_create("suiting"), *random = tcase_create("random");

    tcase_set_timeout(suiting, 60);
    tcase_add_checked_fixture(suiting, set_up, tear_down);
    tcase_add_test(suiting, a_member_receives_all_records);
    tcase_add_test(suiting, no_records_make_an_empty_batch);
    tcase_add_test(suiting, a_message_does_not_suit_its_sender);
    tcase_add_test(suiting, a_rename_suits_its_own_client);
    tcase_add_test(suiting, a_batch_does_not_suit_the_recipient_of_a_private_record);
    tcase_add_test(suiting, the_private_record_of_another_makes_a_gap);
    tcase_add_test(suiting, each_slot_has_its_own_exceptions);
    tcase_add_test(suiting, a_record_without_a_client_suits_all);
    tcase_add_test(suiting, a_batch_leaves_out_other_rooms);
    tcase_add_test(suiting, a_batch_suits_only_clients_in_the_room_throughout);
    tcase_add_test(suiting, a_batch_suits_only_clients_at_its_beginning);
    tcase_add_test(suiting, a_batch_ends_when_its_runs_are_used_up);
    tcase_add_test(suiting, a_batch_continues_over_the_ring_s_end);
    suite_add_tcase(suite, suiting);
    tcase_set_timeout(random, 60);
    tcase_add_test(random, each_client_receives_its_own_records);
    suite_add_tcase(suite, random);
    return suite;
}

CHECK_MAIN(batch_suite)
