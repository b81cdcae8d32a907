/* SPDX-License-Identifier: ISC */
/*
 * order.c - assigns the one order: all records are written here, in the order in which frames are
 * answered.
 *
 * Model:
 * 1. A frame from a worker is checked (frame.c) and then answered by its row in the table below.
 *    The outcome is that it was answered, that it must wait, or that its worker broke a rule.
 * 2. A frame that must wait stays in its slot's queue. While a frame waits for ring space, all
 *    later frames wait behind it; so the order within a slot is kept. The slots are served in
 *    turn, one frame each.
 * 3. A dead worker gets no replies, but messages that it published before are still accepted.
 *
 * Overflow: a queue has space for all frames that credit allows; one more is a broken rule, for
 * which the worker is killed.
 */
#include "config.h"

#include "supervisor/order/order.h"

#include "supervisor/client/slot.h"
#include "supervisor/order/record.h"
#include "supervisor/order/requests.h"

/* At most so many waiting frames are answered before the workers are notified of the records. */
#define ORDER_TURN_MAX 2048u

/* The states in which a worker has a client. */
#define STARTING (1u << SLOT_STARTING)
#define PRESENT  (1u << SLOT_PRESENT)

static const struct order_rule {
    enum answer (*answer)(struct slot *slot, const struct frame *frame);
    unsigned states;    /* in which the frame may be sent, 1 << enum slot_state each */
    bool is_for_client; /* answered only while there is a worker to receive the answer */
} order_rules[FRAME_KIND_COUNT] = {
    [FRAME_PUBLISH] = {answer_publish, PRESENT, false},
    [FRAME_REPLY] = {answer_reply, STARTING | PRESENT, true},
    [FRAME_HELLO] = {answer_hello, STARTING, false},
    [FRAME_RENAME] = {answer_rename, PRESENT, true},
    [FRAME_WHO] = {answer_who, PRESENT, true},
    [FRAME_GOODBYE] = {answer_goodbye, STARTING | PRESENT, false},
};

/* Answers one frame. Returns false if it has to wait. */
static bool answer(struct slot *slot, const struct frame *frame)
{
    const struct order_rule *rule = &order_rules[frame->kind];
    enum answer outcome = ANSWER_DONE;

    if ((rule->states & (1u << slot->state)) == 0)
        outcome = ANSWER_FAULT;
    else if (!rule->is_for_client || slot->child.relay != NULL)
        outcome = rule->answer(slot, frame);
    if (outcome == ANSWER_FAULT) {
        child_fault(&slot->child, frame_word(frame->kind));
        return true;
    }
    if (outcome == ANSWER_WAIT)
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
    if (slot->wait == WAIT_NONE)
        slot_set_wait(slot, WAIT_RING);
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
        child_cancel_kill(&slot->child); /* it has started in time */
    if (!frame_costs_credit(frame))
        return; /* SPACE only wakes the supervisor: every turn looks at the frames that wait */
    if (slot->queue_count + slot->credit_due >= OUTBOX_CREDIT_FRAMES) {
        child_fault(&slot->child, "more frames than credit");
        return;
    }
    if (supervisor->space.blocked || slot->queue_count > 0 || !answer(slot, frame))
        enqueue(slot, frame);
}

/* Answers the oldest frame of a queue. Returns false if it must continue to wait. */
static bool answer_oldest(struct slot *slot)
{
    struct frame frame = slot->queue[slot->queue_first];

    if (!answer(slot, &frame))
        return false;
    if (slot->queue_count > 0) { /* not disconnected by the answer */
        slot->queue_first = (slot->queue_first + 1) % OUTBOX_CREDIT_FRAMES;
        slot->queue_count--;
    }
    slot_set_wait(slot, slot->queue_count > 0 ? WAIT_RING : WAIT_NONE);
    return true;
}

/* Records the leaves of clients whose workers did not ask for it: they crashed, were at fault, or
 * were evicted. */
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
    unsigned answered = 0, failed = 0;
    struct slot *slot;

    record_leaves(supervisor);
    if (!space_resume(&supervisor->space))
        return false;
    while (answered < ORDER_TURN_MAX && failed < supervisor->waiting_count) {
        slot = TAILQ_FIRST(&supervisor->waiting);
        TAILQ_REMOVE(&supervisor->waiting, slot, waiting_link);
        TAILQ_INSERT_TAIL(&supervisor->waiting, slot, waiting_link);
        if (answer_oldest(slot)) {
            answered++;
            failed = 0;
        } else {
            failed++;
        }
        if (!supervisor->space.blocked)
            continue;
        /* It stays first. Otherwise short records would use up the space that a long one waits
         * for. */
        TAILQ_REMOVE(&supervisor->waiting, slot, waiting_link);
        TAILQ_INSERT_HEAD(&supervisor->waiting, slot, waiting_link);
        break;
    }
    /* This may have been the last frame of a dead worker: then children_reap() is due. */
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
