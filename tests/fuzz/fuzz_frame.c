/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target of the supervisor's frame handlers, with a live region: what four workers and two
 * couriers may write to their relays and parts of the region, in any order, with turns and deaths
 * in between.
 *
 * The input is a list of acts: a byte that names act and slot, and what the act needs. The highest
 * bit of the first byte means that there are couriers. Then the act is a courier's if one of the
 * next two bits of its byte is set. Whatever the input, the supervisor continues, every record that
 * it has accepted can be written to a terminal, and what a courier needs is still in the ring.
 */
#include "config.h"

#include "base/log.h"
#include "base/text.h"
#include "supervisor/client/stall.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/order.h"
#include "tests/supervisor/fixture.h"

#include <assert.h>
#include <check.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fixture asserts by libcheck, which needs a runner that there is not: here, a failure aborts. */
void _mark_point(const char *file, int line)
{
    (void)file, (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expression, const char *words, ...)
{
    (void)file, (void)line, (void)expression, (void)words;
    abort();
}

#define WITH_COURIERS 0x80u
#define OF_COURIER    0x60u

struct input {
    const uint8_t *data;
    size_t size;
};

/* Copies what is left of the input, and zeros after it. */
static void take(struct input *input, void *to, size_t length)
{
    size_t there = length < input->size ? length : input->size;

    memset(to, 0, length);
    memcpy(to, input->data, there);
    input->data += there;
    input->size -= there;
}

static uint8_t take_byte(struct input *input)
{
    uint8_t byte;

    take(input, &byte, 1);
    return byte;
}

static void send_frame(struct input *input, struct slot *slot)
{
    struct frame frame;

    take(input, &frame, sizeof frame);
    if (slot->child.relay != NULL)
        order_frame(slot, &frame);
}

/* A frame that a worker may send, with a place of its outbox. */
static void send_likely_frame(struct input *input, struct slot *slot)
{
    struct frame frame = {
        .kind = take_byte(input) % (FRAME_SPACE + 1),
        .detail = take_byte(input) % 2,
        .length = take_byte(input),
        .offset = take_byte(input),
    };

    if (slot->child.relay != NULL)
        order_frame(slot, &frame);
}

static void write_outbox(struct input *input, struct slot *slot)
{
    struct outbox outbox = region_outbox(&slot->supervisor->region, slot->number);
    size_t offset = take_byte(input), length = take_byte(input);

    take(input, outbox.bytes + offset, length);
}

static void move_position(struct input *input, struct slot *slot)
{
    uint64_t position;

    take(input, &position, sizeof position);
    fixture_deliver_to(slot, position);
}

/* Takes a newcomer in, or ends who is in the slot. */
static void come_or_go(struct fixture *fixture, struct slot *slot)
{
    if (slot->state == SLOT_FREE)
        fixture_take(fixture);
    else if (slot->child.relay != NULL)
        fixture_end_relay(fixture, slot);
}

/* Every record is one line, and begins as one. */
static void check_record(const struct supervisor *supervisor, uint64_t sequence)
{
    const struct record_entry *entry = region_entry(&supervisor->view, sequence);
    const char *bytes = supervisor->view.ring + entry->offset % supervisor->view.ring_size;

    assert(entry->sequence == sequence && entry->kind < RECORD_KIND_COUNT);
    assert(
        entry->offset % supervisor->view.ring_size + entry->length <= supervisor->view.ring_size);
    assert(entry->length > 0 && bytes[entry->length - 1] == '\n');
    assert(text_check(bytes, entry->length - 1) == TEXT_OK);
    assert(*bytes == '[' || *bytes == '*' || *bytes == '!');
    assert(entry->sender == REGION_NO_SLOT || entry->sender < FIXTURE_CLIENTS);
}

static uint64_t check_records(const struct fixture *fixture, uint64_t from)
{
    const struct ring *ring = &fixture->supervisor.ring;

    if (from < ring->oldest_sequence)
        from = ring->oldest_sequence;
    for (; from < ring->next_sequence; from++)
        check_record(&fixture->supervisor, from);
    return from;
}

/* One of its frames, by the way that they come. */
static void send_courier_frame(struct fixture *fixture, unsigned number, const struct frame *frame)
{
    if (fixture->courier_ends[number].relay >= 0)
        send(
            fixture->courier_ends[number].relay, frame, sizeof *frame, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A DONE of a slot in this or a neighbouring generation, or a SPACE. */
static void send_likely_courier_frame(struct input *input, struct fixture *fixture, unsigned number)
{
    uint8_t which = take_byte(input);
    uint32_t slot = which & 3;

    send_courier_frame(fixture, number,
        &(struct frame){
            .kind = (which & 4) != 0 ? FRAME_SPACE : FRAME_DETACHED,
            .detail = which >> 3 & 1,
            .slot = slot,
            .generation = fixture->supervisor.slots[slot].generation + (which >> 4 & 3) % 3 - 1,
        });
}

/* What a courier says of one of its clients: how far it is and whether it waits. */
static void show_client(struct input *input, struct courier *courier)
{
    uint8_t which = take_byte(input);
    uint32_t slot = which & 3, life = courier->child.supervisor->slots[slot].generation;
    struct delivery_state *state = &courier->part.deliveries[slot];
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(
        &state->marks[version % 2].position, courier->cursor.notified_to - take_byte(input));
    atomic_store(&state->marks[version % 2].bytes, take_byte(input));
    atomic_store(&state->version, version);
    atomic_store(&state->waits, which >> 2 & 1);
    atomic_store(&state->generation, life + (which >> 3 & 1));
}

static void pass_time(struct input *input, struct supervisor *supervisor)
{
    uint64_t milliseconds = take_byte(input);

    couriers_tick(supervisor, milliseconds);
    stall_tick(supervisor, milliseconds);
}

static void do_couriers_act(struct input *input, struct fixture *fixture, uint8_t what)
{
    unsigned number = what >> 3 & 1;
    struct courier *courier = &fixture->supervisor.couriers[number];
    struct courier_state *state = courier->part.state;
    struct frame frame;
    uint64_t place;

    switch (what & 7) {
    case 0:
        take(input, &frame, sizeof frame);
        send_courier_frame(fixture, number, &frame);
        break;
    case 1:
        send_likely_courier_frame(input, fixture, number);
        break;
    case 2:
        take(input, &place, sizeof place);
        atomic_store(&state->oldest_needed, place);
        break;
    case 3:
        atomic_store(&state->oldest_needed, courier->cursor.notified_to - take_byte(input));
        break;
    case 4:
        atomic_store(&state->answered, courier->child.pinged + take_byte(input) % 3 - 1);
        break;
    case 5:
        show_client(input, courier);
        break;
    case 6:
        fixture_end_courier(fixture, number);
        break;
    default:
        pass_time(input, &fixture->supervisor);
    }
}

/* What couriers wrote is read, and who has died is replaced. */
static void serve_couriers(struct fixture *fixture)
{
    event_base_loop(fixture->supervisor.base, EVLOOP_NONBLOCK);
    couriers_turn(&fixture->supervisor);
    space_check_cursors(&fixture->supervisor.space);
    fixture_make_couriers(fixture);
}

/* What they hold is there. */
static void check_holds(struct fixture *fixture)
{
    struct supervisor *supervisor = &fixture->supervisor;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        uint64_t hold = cursor_needs(&supervisor->couriers[i].cursor);
        assert(hold == 0 || hold >= supervisor->ring.oldest_sequence);
    }
}

static void do_act(struct input *input, struct fixture *fixture, uint8_t what)
{
    struct slot *slot = &fixture->supervisor.slots[what >> 3 & 3];

    switch (what & 7) {
    case 0:
        send_frame(input, slot);
        break;
    case 1:
    case 2:
        send_likely_frame(input, slot);
        break;
    case 3:
        write_outbox(input, slot);
        break;
    case 4:
        move_position(input, slot);
        break;
    case 5:
        if (slot->state != SLOT_FREE)
            fixture_catch_up(slot);
        break;
    case 6:
        come_or_go(fixture, slot);
        break;
    default:
        fixture_turn(fixture);
        if (fixture->supervisor.couriers != NULL)
            serve_couriers(fixture);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool with_couriers = size > 0 && (*data & WITH_COURIERS) != 0;
    struct fixture *fixture =
        with_couriers ? fixture_open_with_forker(FIXTURE_COURIERS) : fixture_open();
    struct input input = {data, size};
    uint64_t checked = 1;

    if (with_couriers)
        serve_couriers(fixture);
    fixture_join(fixture);
    fixture_join(fixture);
    while (input.size > 0) {
        uint8_t what = take_byte(&input);

        if (with_couriers && (what & OF_COURIER) != 0)
            do_couriers_act(&input, fixture, what);
        else
            do_act(&input, fixture, what);
        check_holds(fixture);
        checked = check_records(fixture, checked);
    }
    fixture_close(fixture);
    return 0;
}
