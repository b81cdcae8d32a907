/* SPDX-License-Identifier: ISC */
/*
 * records.c - see records.h.
 */
#include "config.h"

#include "tests/delivery/records.h"

#include <check.h>
#include <stdatomic.h>
#include <string.h>

struct region region;
struct region_view view;
struct ring ring;
struct delivery delivery;
struct delivery_state state;
static uint64_t random_state;

size_t random_below(size_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % bound);
}

void open_ring(size_t ring_size)
{
    struct region_geometry geometry = {
        .slot_count = SLOTS, .ring_size = ring_size, .outbox_size = 4096};
    char error[512];

    ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
    view = region_view_of(&region);
    ring_init(&ring, &region);
    memset(&state, 0, sizeof state);
    delivery_init(
        &delivery, &view, &state, &(struct delivery_start){.slot = ME, .generation = GENERATION});
    random_state = 88172645463325252u;
}

uint64_t stated_position(void)
{
    return atomic_load(&region_mark(&state)->position);
}

uint64_t put(struct record_label label, size_t length)
{
    struct ring_need need = ring_need_of(length);
    struct reservation reservation;
    char *bytes;

    ck_assert(ring_reserve(&ring, ring.next_sequence, &need, &reservation));
    bytes = ring_open(&ring, &reservation, length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(ring.next_sequence * 31 + i * 7);
    return ring_commit(&ring, &reservation, &label, length);
}

struct record_label message_of(uint32_t sender)
{
    return (struct record_label){.kind = RECORD_MESSAGE,
        .sender = sender,
        .sender_generation = GENERATION,
        .recipient = REGION_NO_SLOT};
}

struct record_label private_to(uint32_t recipient, uint32_t generation)
{
    return (struct record_label){.kind = RECORD_REPLY,
        .sender = recipient,
        .sender_generation = generation,
        .recipient = recipient,
        .recipient_generation = generation};
}
