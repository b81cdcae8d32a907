/* SPDX-License-Identifier: ISC */
/*
 * order.c - the one order: every record comes to be here, in the order in which frames are
 * answered.
 *
 * Model:
 * 1. A frame from a worker is judged (frame.c) and then answered by its row of the table below:
 * DONE, or it must wait for the ring or for the client to take its private records, or it broke a
 * rule.
 * 2. What waits is in its slot's queue, and while something waits for the ring, whatever comes
 * later waits behind it; so the order in a slot is kept, and slots are taken in turn, one frame
 * each.
 * 3. Nothing is half done: a handler asks for all the space it needs before it changes anything.
 * 4. A client that is gone gets no replies any more; what it published before is still accepted.
 *
 * Overflow: a queue has space for all the frames that credit allows; one more is a broken rule, and
 * ends that worker.
 */
#include "config.h"

#include "supervisor/order/order.h"

#include "base/log.h"
#include "base/text.h"
#include "supervisor/client/slot.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/record.h"
#include "supervisor/ring/space.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* No line about names is longer than this; space for one is asked for before names change. */
#define NAME_LINE_MAX 128u

/* A listing of members is cut into lines of about this many bytes. */
#define WHO_LINE 400u

/* At most so many waiting frames are answered before what they made is told. */
#define ORDER_TURN_MAX 2048u

enum answer { ANSWER_DONE, ANSWER_WAIT_RING, ANSWER_WAIT_PRIVATE, ANSWER_FAULT };

static enum answer ask_space(struct slot *slot, struct ring_need need, struct reservation *space)
{
    return space_reserve(&slot->supervisor->space, need, SPACE_COMMON, space) ? ANSWER_DONE
                                                                              : ANSWER_WAIT_RING;
}

static enum answer ask_private(struct slot *slot, size_t length, struct reservation *space)
{
    return slot_private_fits(slot, length) ? ask_space(slot, ring_need_of(length), space)
                                           : ANSWER_WAIT_PRIVATE;
}

/* The text of a frame, where the worker may still be writing: copy once, then use the copy. */
static const char *text_of(const struct slot *slot, const struct frame *frame)
{
    return region_outbox(&slot->supervisor->region, slot->number).bytes + frame->offset;
}

static enum answer answer_publish(struct slot *slot, const struct frame *frame)
{
    struct supervisor *supervisor = slot->supervisor;
    struct reservation space;
    enum answer answer;
    size_t length;

    if (slot->state != SLOT_PRESENT || frame->length == 0)
        return ANSWER_FAULT;
    length =
        record_message_length(strlen(names_of(supervisor->names, slot->number)), frame->length);
    answer = ask_space(slot, ring_need_of(length), &space);
    if (answer != ANSWER_DONE)
        return answer;
    return record_message(slot, &space, frame->room, text_of(slot, frame), frame->length)
               ? ANSWER_DONE
               : ANSWER_FAULT;
}

static enum answer answer_reply(struct slot *slot, const struct frame *frame)
{
    bool is_error = frame->detail == FRAME_REPLY_ERROR;
    struct reservation space;
    struct record_line line;
    enum answer answer;

    record_line_begin(&line, is_error ? RECORD_ERROR_PREFIX : RECORD_EVENT_PREFIX);
    record_line_add(&line, text_of(slot, frame), frame->length);
    record_line_end(&line);
    if (text_check(line.bytes, line.length - 1) != TEXT_OK)
        return ANSWER_FAULT;
    answer = ask_private(slot, line.length, &space);
    if (answer == ANSWER_DONE)
        record_private(slot, &space, is_error ? RECORD_ERROR : RECORD_REPLY, &line);
    return answer;
}

/* "* NAME joined" to the room, then the welcome to the newcomer, who is in it from the first on. */
static enum answer answer_enter(struct slot *slot, const struct frame *frame)
{
    static const struct ring_need two_lines = {
        .length = 2 * NAME_LINE_MAX, .longest = NAME_LINE_MAX, .count = 2};
    struct supervisor *supervisor = slot->supervisor;
    struct reservation space;
    struct record_line line;
    enum answer answer;
    const char *name;

    (void)frame;
    if (slot->state != SLOT_STARTING)
        return ANSWER_FAULT;
    answer = ask_space(slot, two_lines, &space);
    if (answer != ANSWER_DONE)
        return answer;
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

static enum answer answer_rename(struct slot *slot, const struct frame *frame)
{
    struct supervisor *supervisor = slot->supervisor;
    char before[NAME_LENGTH_MAX + 1], wish[FRAME_NAME_MAX];
    enum names_verdict verdict;
    struct reservation space;
    struct record_line line;
    enum answer answer;

    if (slot->state != SLOT_PRESENT)
        return ANSWER_FAULT;
    answer = ask_private(slot, NAME_LINE_MAX, &space);
    if (answer != ANSWER_DONE)
        return answer;
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

/* Fills one line of a listing, from slot who_next on. */
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

/* Whether any member's slot is at or after `number`. */
static bool more_to_list(const struct supervisor *supervisor, uint32_t number)
{
    while (number < supervisor->slot_count && !room_has(supervisor->lobby, number))
        number++;
    return number < supervisor->slot_count;
}

/* Lists members by slot, so that one who is there throughout is listed exactly once, however long
 * the listing has to wait between two of its lines. */
static enum answer answer_who(struct slot *slot, const struct frame *frame)
{
    struct reservation space;
    struct record_line line;

    (void)frame;
    if (slot->state != SLOT_PRESENT)
        return ANSWER_FAULT;
    do {
        enum answer answer = ask_private(slot, WHO_LINE + NAME_LINE_MAX, &space);
        if (answer != ANSWER_DONE)
            return answer;
        slot->who_next = list_members(slot, &line);
        slot->who_lines++;
        record_private(slot, &space, RECORD_REPLY, &line);
    } while (more_to_list(slot->supervisor, slot->who_next));
    slot->who_next = 0;
    slot->who_lines = 0;
    return ANSWER_DONE;
}

/* Records that the slot's client has left; the name is free from here on. */
static void record_left(struct slot *slot, struct reservation *space, const char *told,
    const char *reason, size_t length)
{
    struct record_line line;

    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_print(&line, "%s left%s", slot->name, told);
    if (length > 0) {
        line.length--; /* the closing bracket of `told` comes after the reason */
        record_line_print(&line, ": %.*s)", (int)length, reason);
    }
    record_line_end(&line);
    record_room_event(slot, space, RECORD_LEFT, &line);
    names_release(slot->supervisor->names, slot->number);
    slot->left_recorded = true;
    slot->left_due = false;
}

static enum answer answer_finish(struct slot *slot, const struct frame *frame)
{
    bool is_quit = frame->detail == FRAME_GOODBYE_QUIT;
    enum disconnect_reason end = is_quit ? DISCONNECT_QUIT : DISCONNECT_CLOSED;
    char reason[FRAME_REASON_MAX];

    memcpy(reason, text_of(slot, frame), frame->length);
    if (text_check(reason, frame->length) != TEXT_OK || (!is_quit && frame->length > 0))
        return ANSWER_FAULT;
    if (slot->state == SLOT_PRESENT) {
        struct reservation space;
        enum answer answer = ask_space(slot, ring_need_of(frame->length + NAME_LINE_MAX), &space);
        if (answer != ANSWER_DONE)
            return answer;
        record_left(slot, &space, disconnect_announcement(end), reason, frame->length);
    }
    slot_end(slot, end, FRAME_CLOSE_DRAIN);
    return ANSWER_DONE;
}

struct order_rule {
    enum answer (*answer)(struct slot *slot, const struct frame *frame);
    bool is_for_client; /* answered only while there is a client to take the answer */
};

static const struct order_rule order_rules[FRAME_KIND_COUNT] = {
    [FRAME_PUBLISH] = {answer_publish, false},
    [FRAME_REPLY] = {answer_reply, true},
    [FRAME_HELLO] = {answer_enter, false},
    [FRAME_RENAME] = {answer_rename, true},
    [FRAME_WHO] = {answer_who, true},
    [FRAME_GOODBYE] = {answer_finish, false},
};

/* Answers one frame; false where it has to wait. */
static bool answer(struct slot *slot, const struct frame *frame)
{
    const struct order_rule *rule = &order_rules[frame->kind];
    enum answer outcome = ANSWER_DONE;

    if (!rule->is_for_client || slot->child.relay != NULL)
        outcome = rule->answer(slot, frame);
    if (outcome == ANSWER_FAULT) {
        child_fault(&slot->child, frame_word(frame->kind));
        return true;
    }
    slot->waits_for_private = outcome == ANSWER_WAIT_PRIVATE;
    if (outcome != ANSWER_DONE)
        return false;
    slot->credit_due++;
    slot->credit_bytes += frame->length;
    slot_mark(slot);
    return true;
}

static void enqueue(struct slot *slot, const struct frame *frame)
{
    slot->queue[(slot->queue_first + slot->queue_count) % OUTBOX_CREDIT_FRAMES] = *frame;
    slot->queue_count++;
    slot_set_waiting(slot, true);
}

void order_frame(struct slot *slot, const struct frame *frame)
{
    struct supervisor *supervisor = slot->supervisor;
    enum frame_verdict verdict;

    if (slot->end != DISCONNECT_NONE || supervisor->stopping)
        return;
    verdict = frame_check(frame, FRAME_FROM_WORKER, &supervisor->limits);
    if (verdict != FRAME_FINE) {
        child_fault(&slot->child, frame_verdict_word(verdict));
        return;
    }
    if (frame->kind == FRAME_HELLO)
        child_cancel_kill(&slot->child); /* it is up in time */
    if (!frame_costs_credit(frame))
        return; /* SPACE: that it came is enough, the turn looks at what waits */
    if (slot->queue_count + slot->credit_due >= OUTBOX_CREDIT_FRAMES) {
        child_fault(&slot->child, "more frames than credit");
        return;
    }
    if (supervisor->space.blocked || slot->queue_count > 0 || !answer(slot, frame))
        enqueue(slot, frame);
}

/* Answers the oldest frame of a queue; false where it must go on waiting. */
static bool answer_oldest(struct slot *slot)
{
    struct frame frame = slot->queue[slot->queue_first];

    if (!answer(slot, &frame))
        return false;
    if (slot->queue_count > 0) { /* not ended by the answer */
        slot->queue_first = (slot->queue_first + 1) % OUTBOX_CREDIT_FRAMES;
        slot->queue_count--;
    }
    if (slot->queue_count == 0)
        slot_set_waiting(slot, false);
    return true;
}

/* Leaves that were not asked for by a frame: of crashed, faulty and evicted workers. */
static void record_leaves(struct supervisor *supervisor)
{
    struct reservation space;
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&supervisor->leaving); slot != NULL; slot = next) {
        next = TAILQ_NEXT(slot, leaving_link);
        if (!space_reserve(&supervisor->space, ring_need_of(NAME_LINE_MAX), SPACE_ALL, &space))
            return;
        slot_set_leaving(slot, false);
        record_left(slot, &space, disconnect_announcement(slot->end), NULL, 0);
        slot_try_free(slot);
    }
}

bool order_resume(struct supervisor *supervisor)
{
    unsigned answered = 0, in_vain = 0;
    struct slot *slot;

    record_leaves(supervisor);
    if (!space_resume(&supervisor->space))
        return false;
    while (answered < ORDER_TURN_MAX && in_vain < supervisor->waiting_count) {
        slot = TAILQ_FIRST(&supervisor->waiting);
        TAILQ_REMOVE(&supervisor->waiting, slot, waiting_link);
        TAILQ_INSERT_TAIL(&supervisor->waiting, slot, waiting_link);
        if (answer_oldest(slot)) {
            answered++;
            in_vain = 0;
        } else {
            in_vain++;
        }
        if (!supervisor->space.blocked)
            continue;
        /* It stays the next one: or small records would use up the space that a long one waits for.
         */
        TAILQ_REMOVE(&supervisor->waiting, slot, waiting_link);
        TAILQ_INSERT_HEAD(&supervisor->waiting, slot, waiting_link);
        break;
    }
    /* What was answered may have been the last of a worker that is gone: children_reap() ends it. */
    return answered == ORDER_TURN_MAX ||
           (answered > 0 && !TAILQ_EMPTY(&supervisor->children.closing));
}

bool order_stop_notice(struct supervisor *supervisor)
{
    struct reservation space;
    struct record_line line;

    if (!space_reserve(&supervisor->space, ring_need_of(NAME_LINE_MAX), SPACE_ALL, &space))
        return false;
    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_print(&line, "The server is shutting down");
    record_line_end(&line);
    record_notice(supervisor, &space, &line);
    return true;
}
