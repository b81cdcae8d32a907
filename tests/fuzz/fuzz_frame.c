/*
 * Fuzz target of the supervisor's frame handler, with a live region: what four workers at once may
 * write to their relays and outboxes, in any order, with turns and deaths in between.
 *
 * The input is a list of acts: a byte that names act and slot, and what the act takes. Whatever
 * comes, the supervisor goes on, and every record it has accepted is one that a terminal can be
 * given.
 */
#include "config.h"

#include "base/log.h"
#include "base/text.h"
#include "supervisor/order.h"
#include "tests/supervisor/stage.h"

#include <assert.h>
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The stage asserts by libcheck, which needs a runner that there is not: here, a failure aborts. */
void _mark_point(const char *file, int line)
{
    (void)file, (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expression, const char *words, ...)
{
    (void)file, (void)line, (void)expression, (void)words;
    abort();
}

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
    if (slot->relay != NULL)
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

    if (slot->relay != NULL)
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
    stage_deliver_to(slot, position);
}

/* Takes a newcomer in, or ends who is in the slot. */
static void come_or_go(struct stage *stage, struct slot *slot)
{
    if (slot->state == SLOT_FREE)
        stage_take(stage);
    else if (slot->relay != NULL)
        stage_end_relay(stage, slot);
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
    assert(entry->sender == REGION_NO_SLOT || entry->sender < STAGE_CLIENTS);
}

static uint64_t check_records(const struct stage *stage, uint64_t from)
{
    const struct ring *ring = &stage->supervisor.ring;

    if (from < ring->oldest_sequence)
        from = ring->oldest_sequence;
    for (; from < ring->next_sequence; from++)
        check_record(&stage->supervisor, from);
    return from;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct stage *stage = stage_open();
    uint64_t checked = 1;

    stage_join(stage);
    stage_join(stage);
    while (input.size > 0) {
        uint8_t what = take_byte(&input);
        struct slot *slot = &stage->supervisor.slots[what >> 3 & 3];

        switch (what & 7) {
        case 0:
            send_frame(&input, slot);
            break;
        case 1:
        case 2:
            send_likely_frame(&input, slot);
            break;
        case 3:
            write_outbox(&input, slot);
            break;
        case 4:
            move_position(&input, slot);
            break;
        case 5:
            if (slot->state != SLOT_FREE)
                stage_catch_up(slot);
            break;
        case 6:
            come_or_go(stage, slot);
            break;
        default:
            stage_turn(stage);
        }
        checked = check_records(stage, checked);
    }
    stage_close(stage);
    return 0;
}
