/* SPDX-License-Identifier: ISC */
/*
 * requests.c - answers the workers' requests, one function for each kind.
 *
 * Model: a request is answered completely or not at all: a function reserves all the ring space
 * that it needs before it changes anything, and the reservation is what its records are checked
 * against (ring.h). In which states a slot may make a request is in the table in order.c.
 *
 * The text of a request lies in the outbox, where the worker may still be writing: it is copied
 * once, and the copy is checked and used.
 */
#include "config.h"

#include "supervisor/order/requests.h"

#include "base/log.h"
#include "base/text.h"
#include "supervisor/client/slot.h"
#include "supervisor/order/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A listing of members is cut into lines of about this many bytes. */
#define WHO_LINE 400u

/* Reserves ring space for a request. If there is none, the request waits. */
static bool reserve(struct slot *slot, struct ring_need need, struct reservation *space)
{
    if (space_reserve(&slot->supervisor->space, need, SPACE_COMMON, space))
        return true;
    slot_set_wait(slot, WAIT_RING);
    return false;
}

/* The same for one private record. */
static bool reserve_private(struct slot *slot, size_t length, struct reservation *space)
{
    if (slot_private_fits(slot, length))
        return reserve(slot, ring_need_of(length), space);
    slot_set_wait(slot, WAIT_PRIVATE);
    return false;
}

/* Returns the text of a frame, where the worker may still be writing. */
static const char *text_of(const struct slot *slot, const struct frame *frame)
{
    return region_outbox(&slot->supervisor->region, slot->number).bytes + frame->offset;
}

enum answer answer_publish(struct slot *slot, const struct frame *frame)
{
    struct supervisor *supervisor = slot->supervisor;
    struct reservation space;
    size_t length;

    if (frame->length == 0)
        return ANSWER_FAULT;
    length =
        record_message_length(strlen(names_of(supervisor->names, slot->number)), frame->length);
    if (!reserve(slot, ring_need_of(length), &space))
        return ANSWER_WAIT;
    return record_message(slot, &space, frame->room, text_of(slot, frame), frame->length)
               ? ANSWER_DONE
               : ANSWER_FAULT;
}

enum answer answer_reply(struct slot *slot, const struct frame *frame)
{
    bool is_error = frame->detail == FRAME_REPLY_ERROR;
    struct reservation space;
    struct record_line line;

    record_line_begin(&line, is_error ? RECORD_ERROR_PREFIX : RECORD_EVENT_PREFIX);
    record_line_add(&line, text_of(slot, frame), frame->length);
    record_line_end(&line);
    if (text_check(line.bytes, line.length - 1) != TEXT_OK)
        return ANSWER_FAULT;
    if (!reserve_private(slot, line.length, &space))
        return ANSWER_WAIT;
    record_private(slot, &space, is_error ? RECORD_ERROR : RECORD_REPLY, &line);
    return ANSWER_DONE;
}

/* Records "* NAME joined" for the room and then the welcome for the client, which is a member from
 * the first of the two on. */
enum answer answer_hello(struct slot *slot, const struct frame *frame)
{
    static const struct ring_need two_lines = {
        .length = 2 * NAME_LINE_MAX, .longest = NAME_LINE_MAX, .count = 2};
    struct supervisor *supervisor = slot->supervisor;
    struct reservation space;
    struct record_line line;
    const char *name;

    (void)frame;
    if (!reserve(slot, two_lines, &space))
        return ANSWER_WAIT;
    name = names_take_guest(supervisor->names, slot->number);
    snprintf(slot->name, sizeof slot->name, "%s", name);
    slot->state = SLOT_PRESENT;
    room_enter(supervisor->lobby, slot->number);

    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_print(&line, "%s joined", name);
    record_line_end(&line);
    slot->joined = record_room_event(slot, &space, RECORD_JOINED, &line);

    record_line_begin(&line, RECORD_EVENT_PREFIX "Welcome to chatroomd; you are ");
    record_line_print(
        &line, "%s; %u here; /help lists the commands", name, room_count(supervisor->lobby));
    record_line_end(&line);
    record_private(slot, &space, RECORD_WELCOME, &line);
    supervisor->delivery->joined(slot);

    supervisor->counters.joins++;
    log_event(LOG_LEVEL_INFO, "join",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s sequence=%" PRIu64,
        slot->number, slot->generation, name, slot->address, slot->joined);
    return ANSWER_DONE;
}

static void log_rename(const struct slot *slot, const char *before, uint64_t sequence)
{
    char old_name[80], new_name[80];

    log_event(LOG_LEVEL_INFO, "rename",
        "slot=%" PRIu32 " generation=%" PRIu32 " from=%s to=%s sequence=%" PRIu64, slot->number,
        slot->generation, log_quote(old_name, sizeof old_name, before),
        log_quote(new_name, sizeof new_name, slot->name), sequence);
}

enum answer answer_rename(struct slot *slot, const struct frame *frame)
{
    struct supervisor *supervisor = slot->supervisor;
    char before[NAME_LENGTH_MAX + 1], wish[FRAME_NAME_MAX];
    enum names_verdict verdict;
    struct reservation space;
    struct record_line line;

    if (!reserve_private(slot, NAME_LINE_MAX, &space))
        return ANSWER_WAIT;
    memcpy(before, slot->name, sizeof before);
    memcpy(wish, text_of(slot, frame), frame->length);
    verdict = names_take(supervisor->names, slot->number, wish, frame->length);
    if (verdict != NAMES_OK) {
        record_line_begin(&line, RECORD_ERROR_PREFIX);
        record_line_print(&line, "%s", names_verdict_text(verdict));
        record_line_end(&line);
        record_private(slot, &space, RECORD_ERROR, &line);
        return ANSWER_DONE;
    }
    snprintf(slot->name, sizeof slot->name, "%s", names_of(supervisor->names, slot->number));
    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_print(&line, "%s is now %s", before, slot->name);
    record_line_end(&line);
    log_rename(slot, before, record_room_event(slot, &space, RECORD_RENAMED, &line));
    return ANSWER_DONE;
}

/* Composes one line of a listing, from slot who_next on. Returns the slot to continue with. */
static uint32_t list_members(const struct slot *slot, struct record_line *line)
{
    const struct supervisor *supervisor = slot->supervisor;
    uint32_t number = slot->who_next;

    record_line_begin(line, RECORD_EVENT_PREFIX);
    if (slot->who_lines == 0)
        record_line_print(line, "%u here:", room_count(supervisor->lobby));
    else
        record_line_print(line, "also here:");
    for (; number < supervisor->slot_count && line->length < WHO_LINE; number++)
        if (room_has(supervisor->lobby, number))
            record_line_print(line, " %s", names_of(supervisor->names, number));
    record_line_end(line);
    return number;
}

/* Returns whether there is a member in slot `number` or a later one. */
static bool more_to_list(const struct supervisor *supervisor, uint32_t number)
{
    while (number < supervisor->slot_count && !room_has(supervisor->lobby, number))
        number++;
    return number < supervisor->slot_count;
}

/* Lists the members in the order of their slots. So a client that stays a member is listed exactly
 * once, even if the listing has to wait between two of its lines. */
enum answer answer_who(struct slot *slot, const struct frame *frame)
{
    struct reservation space;
    struct record_line line;

    (void)frame;
    do {
        if (!reserve_private(slot, WHO_LINE + NAME_LINE_MAX, &space))
            return ANSWER_WAIT;
        slot->who_next = list_members(slot, &line);
        slot->who_lines++;
        record_private(slot, &space, RECORD_REPLY, &line);
    } while (more_to_list(slot->supervisor, slot->who_next));
    slot->who_next = 0;
    slot->who_lines = 0;
    return ANSWER_DONE;
}

enum answer answer_goodbye(struct slot *slot, const struct frame *frame)
{
    bool is_quit = frame->detail == FRAME_GOODBYE_QUIT;
    enum disconnect_reason end = is_quit ? DISCONNECT_QUIT : DISCONNECT_CLOSED;
    char reason[FRAME_REASON_MAX];

    memcpy(reason, text_of(slot, frame), frame->length);
    if (text_check(reason, frame->length) != TEXT_OK || (!is_quit && frame->length > 0))
        return ANSWER_FAULT;
    if (slot->state == SLOT_PRESENT) {
        struct reservation space;
        if (!reserve(slot, ring_need_of(frame->length + NAME_LINE_MAX), &space))
            return ANSWER_WAIT;
        record_left(slot, &space, disconnect_announcement(end), reason, frame->length);
    }
    slot_end(slot, end, FRAME_CLOSE_DRAIN);
    return ANSWER_DONE;
}
