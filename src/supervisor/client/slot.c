/* SPDX-License-Identifier: ISC */
/*
 * slot.c - the life of a slot: its client, what is pending for it, and the reuse of the slot.
 *
 * Model:
 * 1. A slot is named together with its generation, which increases each time the slot is taken.
 * 2. Who delivers to the client, its worker or a courier, is asked through delivery_ops.
 * 3. The slot's worker is a struct child. When it is gone, requests that it left in the queue are
 *    answered first; then its client's `left` is recorded, if that has not happened; then the slot is
 *    freed, once nobody delivers to the client any more.
 *
 * Invariants: a slot that is in no list is FREE or has nothing due. `left` is recorded at most once
 * in a life.
 */
#include "config.h"

#include "supervisor/client/slot.h"

#include "base/alloc.h"
#include "relay/handover.h"
#include "relay/relay.h"
#include "supervisor/client/leave.h"
#include "supervisor/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void slots_init(struct supervisor *supervisor, const struct child_ops *ops)
{
    supervisor->slot_count = supervisor->options->max_clients;
    supervisor->slots = alloc_zeroed(supervisor->slot_count, sizeof *supervisor->slots);
    TAILQ_INIT(&supervisor->free);
    TAILQ_INIT(&supervisor->waiting);
    TAILQ_INIT(&supervisor->dirty);
    TAILQ_INIT(&supervisor->leaving);
    TAILQ_INIT(&supervisor->spares);
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        slot->supervisor = supervisor;
        slot->number = i;
        TAILQ_INSERT_TAIL(&supervisor->free, slot, free_link);
    }
    children_register(supervisor, KIND_WORKER, ops, &supervisor->slots[0].child,
        sizeof *supervisor->slots, supervisor->slot_count);
}

void slots_free(struct supervisor *supervisor)
{
    free(supervisor->slots);
}

struct slot *slot_of(const struct child *child)
{
    return &child->supervisor->slots[child->number];
}

struct slot *slot_take(struct supervisor *supervisor)
{
    struct slot *slot = TAILQ_FIRST(&supervisor->free);
    struct region_slot *shown;

    if (slot == NULL)
        return NULL;
    TAILQ_REMOVE(&supervisor->free, slot, free_link);
    supervisor->used++;
    memset((char *)slot + offsetof(struct slot, state), 0,
        offsetof(struct slot, queue) - offsetof(struct slot, state));
    slot->state = SLOT_SPARE;
    slot->generation++;
    slot->client_fd = -1;
    shown = &supervisor->region.slots[slot->number];
    atomic_store_explicit(&shown->wanted, 0, memory_order_relaxed);
    atomic_store_explicit(&shown->generation, slot->generation, memory_order_release);
    slot->cursor.wanted = &shown->wanted;
    supervisor->delivery->begin(slot);
    return slot;
}

void slot_mark(struct slot *slot)
{
    if (slot->is_dirty || slot->child.relay == NULL)
        return;
    slot->is_dirty = true;
    TAILQ_INSERT_TAIL(&slot->supervisor->dirty, slot, dirty_link);
}

void slot_set_wait(struct slot *slot, enum wait wait)
{
    bool waited = slot->wait != WAIT_NONE, waits = wait != WAIT_NONE;

    slot->wait = wait;
    if (waits == waited)
        return;
    if (waits) {
        TAILQ_INSERT_TAIL(&slot->supervisor->waiting, slot, waiting_link);
        slot->supervisor->waiting_count++;
    } else {
        TAILQ_REMOVE(&slot->supervisor->waiting, slot, waiting_link);
        slot->supervisor->waiting_count--;
    }
}

void slot_set_leaving(struct slot *slot, bool leaving)
{
    if (slot->is_leaving == leaving)
        return;
    slot->is_leaving = leaving;
    if (leaving)
        TAILQ_INSERT_TAIL(&slot->supervisor->leaving, slot, leaving_link);
    else
        TAILQ_REMOVE(&slot->supervisor->leaving, slot, leaving_link);
}

void slot_set_spare(struct slot *slot, bool spare)
{
    struct supervisor *supervisor = slot->supervisor;

    if (slot->is_spare == spare)
        return;
    slot->is_spare = spare;
    if (spare) {
        TAILQ_INSERT_TAIL(&supervisor->spares, slot, spare_link);
        supervisor->spare_count++;
    } else {
        TAILQ_REMOVE(&supervisor->spares, slot, spare_link);
        supervisor->spare_count--;
    }
}

void slot_add_pending(struct slot *slot, uint64_t first, uint64_t last)
{
    slot->supervisor->delivery->add_pending(slot, first, last);
}

void slot_add_turn(struct slot *slot)
{
    const struct turn *turn = &slot->supervisor->turn;
    uint64_t first = turn_since(turn, slot->joined);
    bool has_news = turn_has_news(turn, &slot->own_in_turn);

    if (first != 0 && (has_news || slot->supervisor->delivery->is_claimed))
        slot_add_pending(slot, first, turn->last);
}

uint64_t slot_position(struct slot *slot)
{
    return slot->supervisor->delivery->position(slot);
}

uint64_t slot_needs(struct slot *slot)
{
    return slot->state == SLOT_FREE ? 0 : slot->supervisor->delivery->needs(slot);
}

bool slot_private_fits(struct slot *slot, size_t length)
{
    if (slot->private_bytes + length > PRIVATE_PENDING_MAX &&
        slot_position(slot) > slot->private_last)
        slot->private_bytes = 0;
    return slot->private_bytes + length <= PRIVATE_PENDING_MAX;
}

/* --- its client */

bool slot_assign(struct slot *slot, int client_fd)
{
    struct handover_client about;
    bool given;
    int failure;

    memcpy(about.address, slot->address, sizeof about.address);
    given = relay_give(slot->child.relay, &about, sizeof about, client_fd);
    failure = errno;
    if (!given)
        child_kill_after(&slot->child, 0); /* it is dead, or useless without its client */
    if (!given && slot->child.state != CHILD_ASKED && (failure == EPIPE || failure == ECONNRESET))
        return false;
    slot->state = SLOT_STARTING;
    slot->client_fd = client_fd;
    return true;
}

void slot_end(struct slot *slot, enum disconnect_reason reason, enum frame_close how)
{
    struct supervisor *supervisor = slot->supervisor;

    if (slot->end != DISCONNECT_NONE)
        return;
    slot->end = reason;
    slot_set_spare(slot, false);
    if (reason != DISCONNECT_UNUSED)
        supervisor->counters.ends[reason]++;
    if (slot->state == SLOT_PRESENT) {
        slot_add_turn(slot);
        room_leave(supervisor->lobby, slot->number);
        supervisor->delivery->left(slot);
        slot->left_due = !slot->left_recorded && disconnect_announcement(reason) != NULL;
        slot_set_leaving(slot, slot->left_due);
    }
    slot->state = SLOT_GONE;
    slot->queue_count = 0;
    slot_set_wait(slot, WAIT_NONE);
    slot->end_due = true;
    slot->end_how = how;
    supervisor->delivery->close(slot, how);
    slot_mark(slot);
    if (slot->child.relay != NULL)
        child_kill_after(&slot->child, supervisor->options->drain_timeout_ms + DRAIN_MARGIN_MS);
}

void slot_give_up(struct slot *slot, enum disconnect_reason reason)
{
    child_give_up(&slot->child);
    slot_end(slot, reason, FRAME_CLOSE_EVICT);
    slot_try_free(slot);
}

/* --- its worker */

void slot_worker_fault(struct child *child, const char *what)
{
    struct slot *slot = slot_of(child);

    leave_log_fault(slot, what);
    slot_end(slot, DISCONNECT_WORKER_FAULT, FRAME_CLOSE_EVICT);
}

void slot_worker_writable(struct child *child)
{
    slot_mark(slot_of(child));
}

void slot_worker_closed(struct child *child)
{
    struct slot *slot = slot_of(child);

    if (slot->is_spare) { /* the next client is to get a worker that lives */
        slot_set_spare(slot, false);
        slot->supervisor->spare_died = true;
    }
    if (!slot->is_dirty)
        return;
    slot->is_dirty = false;
    TAILQ_REMOVE(&slot->supervisor->dirty, slot, dirty_link);
}

void slot_worker_exited(struct child *child)
{
    leave_log_crash(slot_of(child));
}

void slot_worker_gone(struct child *child)
{
    struct slot *slot = slot_of(child);
    const struct delivery_ops *delivery = slot->supervisor->delivery;

    if (slot->queue_count == 0 && slot->end == DISCONNECT_NONE) {
        enum disconnect_reason reason = leave_reason(slot);

        slot_end(slot, reason, leave_how(reason));
    }
    delivery->worker_exited(slot);
    if (slot->end != DISCONNECT_NONE)
        delivery->close(slot, leave_how(slot->end));
    slot_try_free(slot);
}

void slot_try_free(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    struct outbox outbox = region_outbox(&supervisor->region, slot->number);

    if (!child_is_gone(&slot->child) || slot->end == DISCONNECT_NONE || slot->left_due ||
        slot->link.courier != NULL)
        return;
    assert(slot->state != SLOT_FREE);
    leave_log(slot);
    if (slot->client_fd >= 0)
        close(slot->client_fd);
    slot->client_fd = -1;
    names_release(supervisor->names, slot->number);
    memset(outbox.bytes, 0, outbox.size);
    memset(outbox.state, 0, sizeof *outbox.state);
    space_remove_cursor(&supervisor->space, &slot->cursor);
    child_forget(&slot->child);
    assert(slot->wait == WAIT_NONE && !slot->is_dirty && !slot->is_leaving && !slot->is_spare);
    assert(!slot->link.has_news);
    slot->state = SLOT_FREE;
    TAILQ_INSERT_HEAD(&supervisor->free, slot, free_link);
    supervisor->used--;
}
