/* SPDX-License-Identifier: ISC */
/*
 * record.c - composes records and writes them into the ring.
 *
 * Model: a record holds the bytes that a line client receives, name and line feed included, so that
 * delivering it needs no work per message.
 *
 *     [alice] text\n        a message
 *     * alice joined\n      an event
 *     ! No such ...\n       an error
 *
 * The name comes from the supervisor's own table, never from the worker. A worker's text is copied
 * once, into bytes that only the supervisor writes, and checked there: the bytes that were checked
 * are the bytes that are delivered.
 */
#include "config.h"

#include "supervisor/order/record.h"

#include "base/text.h"
#include "supervisor/client/slot.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Around the name of a message. */
#define BEFORE_NAME "["
#define AFTER_NAME  "] "

void record_line_begin(struct record_line *line, const char *prefix)
{
    line->length = 0;
    record_line_add(line, prefix, strlen(prefix));
}

void record_line_add(struct record_line *line, const char *text, size_t length)
{
    size_t left = sizeof line->bytes - 1 - line->length;

    if (length > left)
        length = left;
    memcpy(line->bytes + line->length, text, length);
    line->length += length;
}

void record_line_print(struct record_line *line, const char *format, ...)
{
    char text[RECORD_LINE_MAX];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    record_line_add(line, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void record_line_end(struct record_line *line)
{
    line->bytes[line->length++] = '\n';
}

/* Counts a record for the room. `own` as for turn_add(). */
static uint64_t record_for_room(struct supervisor *supervisor, uint64_t sequence, uint64_t *own)
{
    turn_add(&supervisor->turn, sequence, own);
    supervisor->counters.records++;
    return sequence;
}

size_t record_message_length(size_t name_length, size_t text_length)
{
    return strlen(BEFORE_NAME) + name_length + strlen(AFTER_NAME) + text_length + 1;
}

bool record_message(struct slot *slot, struct reservation *reservation, uint16_t room,
    const char *text, size_t length)
{
    struct supervisor *supervisor = slot->supervisor;
    const char *name = names_of(supervisor->names, slot->number);
    size_t name_length = strlen(name);
    size_t total = record_message_length(name_length, length);
    char *end = ring_open(&supervisor->ring, reservation, total), *copy;

    end = mempcpy(end, BEFORE_NAME, strlen(BEFORE_NAME));
    end = mempcpy(end, name, name_length);
    end = mempcpy(end, AFTER_NAME, strlen(AFTER_NAME));
    copy = end;
    end = mempcpy(end, text, length);
    *end = '\n';
    if (text_check(copy, length) != TEXT_OK)
        return false;
    struct record_label label = {
        .kind = RECORD_MESSAGE,
        .room = room,
        .sender = slot->number,
        .sender_generation = slot->generation,
        .recipient = REGION_NO_SLOT,
    };
    record_for_room(
        supervisor, ring_commit(&supervisor->ring, reservation, &label, total), &slot->own_in_turn);
    supervisor->counters.messages++;
    supervisor->counters.message_bytes += length;
    return true;
}

/* Copies a line into the ring as the next record. */
static uint64_t commit_line(struct supervisor *supervisor, struct reservation *reservation,
    const struct record_line *line, struct record_label *label, const struct slot *about)
{
    label->room = ROOM_LOBBY;
    label->sender = REGION_NO_SLOT;
    if (about != NULL) {
        label->sender = about->number;
        label->sender_generation = about->generation;
    }
    memcpy(ring_open(&supervisor->ring, reservation, line->length), line->bytes, line->length);
    return ring_commit(&supervisor->ring, reservation, label, line->length);
}

uint64_t record_room_event(struct slot *slot, struct reservation *reservation,
    enum record_kind kind, const struct record_line *line)
{
    struct record_label label = {.kind = kind, .recipient = REGION_NO_SLOT};

    return record_for_room(
        slot->supervisor, commit_line(slot->supervisor, reservation, line, &label, slot), NULL);
}

uint64_t record_notice(
    struct supervisor *supervisor, struct reservation *reservation, const struct record_line *line)
{
    struct record_label label = {.kind = RECORD_NOTICE, .recipient = REGION_NO_SLOT};

    return record_for_room(
        supervisor, commit_line(supervisor, reservation, line, &label, NULL), NULL);
}

uint64_t record_private(struct slot *slot, struct reservation *reservation, enum record_kind kind,
    const struct record_line *line)
{
    struct record_label label = {
        .kind = kind,
        .recipient = slot->number,
        .recipient_generation = slot->generation,
    };
    uint64_t sequence = commit_line(slot->supervisor, reservation, line, &label, slot);

    slot->private_last = sequence;
    slot->private_bytes += line->length;
    slot->supervisor->counters.records++;
    slot_add_pending(slot, sequence, sequence);
    return sequence;
}

void record_left(struct slot *slot, struct reservation *reservation, const char *announcement,
    const char *reason, size_t length)
{
    struct record_line line;

    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_print(&line, "%s left%s", slot->name, announcement);
    if (length > 0) {
        line.length--; /* the closing bracket of `announcement` comes after the reason */
        record_line_print(&line, ": %.*s)", (int)length, reason);
    }
    record_line_end(&line);
    record_room_event(slot, reservation, RECORD_LEFT, &line);
    names_release(slot->supervisor->names, slot->number);
    slot->left_recorded = true;
    slot->left_due = false;
}
