/* SPDX-License-Identifier: ISC */
/*
 * slot.c - slots, from newcomer to reuse.
 *
 * Model:
 * 1. A slot is named with its generation wherever it is named; the generation grows at each taking.
 * 2. What a client is owed is owed by its worker's reader (reader.c) or, where there are couriers,
 *    by that of the courier that it gets with its first record.
 * 3. A worker's death is seen in two halves in either order: EOF on its relay, which comes after
 * its last frame, and its exit status. EOF always comes (only the worker has the other end), and a
 *    child that has closed its descriptors is about to be waited for; so reaping looks only at
 * slots whose relay has ended, by their own pid, and never at children it does not know.
 * 4. Frames that a dead worker left in the queue are answered before its `left` is recorded.
 *
 * Invariants: a slot on no list is FREE or has nothing due; `left` is recorded at most once a life.
 */
#include "config.h"

#include "supervisor/client/slot.h"
#include "supervisor/client/spare.h"
#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"

#include "base/alloc.h"
#include "base/log.h"
#include "relay/handover.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void slots_init(struct supervisor *supervisor)
{
    supervisor->slot_count = supervisor->options->max_clients;
    supervisor->slots = alloc_zeroed(supervisor->slot_count, sizeof *supervisor->slots);
    TAILQ_INIT(&supervisor->free);
    TAILQ_INIT(&supervisor->waiting);
    TAILQ_INIT(&supervisor->dirty);
    TAILQ_INIT(&supervisor->leaving);
    TAILQ_INIT(&supervisor->to_kill);
    TAILQ_INIT(&supervisor->dying);
    TAILQ_INIT(&supervisor->spares);
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        slot->supervisor = supervisor;
        slot->number = i;
        TAILQ_INSERT_TAIL(&supervisor->free, slot, free_link);
    }
}

void slots_free(struct supervisor *supervisor)
{
    free(supervisor->slots);
}

/* The worker published a position that it cannot have. */
static void position_fault(void *owner)
{
    slot_fault(owner, "position outside of what was delivered");
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
    slot->cursor = (struct cursor){
        .delivery = &region_outbox(&supervisor->region, slot->number).state->delivery,
        .wanted = &shown->wanted,
        .generation = slot->generation,
        .fault = position_fault,
        .owner = slot,
    };
    if (supervisor->couriers == NULL)
        space_add_cursor(&supervisor->space, &slot->cursor);
    return slot;
}

void slot_mark(struct slot *slot)
{
    if (slot->is_dirty || slot->relay == NULL)
        return;
    slot->is_dirty = true;
    TAILQ_INSERT_TAIL(&slot->supervisor->dirty, slot, dirty_link);
}

void slot_set_waiting(struct slot *slot, bool waiting)
{
    if (slot->is_waiting == waiting)
        return;
    slot->is_waiting = waiting;
    if (waiting) {
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

void slot_add_pending(struct slot *slot, uint64_t first, uint64_t last)
{
    if (slot->supervisor->couriers != NULL)
        courier_add_pending(slot, first, last);
    else if (cursor_extend(&slot->cursor, first, last))
        slot_mark(slot);
}

void slot_add_turn(struct slot *slot)
{
    const struct turn *turn = &slot->supervisor->turn;
    uint64_t first = turn_since(turn, slot->joined);
    bool has_news = turn_has_news(turn, &slot->own_in_turn);

    if (first != 0 && (has_news || slot->supervisor->couriers != NULL))
        slot_add_pending(slot, first, turn->last);
}

uint64_t slot_position(struct slot *slot)
{
    return slot->courier != NULL ? courier_position(slot) : cursor_position(&slot->cursor);
}

/* Nothing of the region is mapped by a worker of this slot any more. */
static bool worker_is_gone(const struct slot *slot)
{
    return slot->relay == NULL && slot->reaped;
}

uint64_t slot_needs(struct slot *slot)
{
    if (slot->state == SLOT_FREE)
        return 0;
    if (slot->supervisor->couriers != NULL)
        return slot->courier != NULL ? courier_stalled_at(slot) : 0;
    return cursor_needs(&slot->cursor);
}

bool slot_private_fits(struct slot *slot, size_t length)
{
    if (slot->private_bytes + length > PRIVATE_PENDING_MAX &&
        slot_position(slot) > slot->private_last)
        slot->private_bytes = 0;
    return slot->private_bytes + length <= PRIVATE_PENDING_MAX;
}

static void set_kill_pending(struct slot *slot, bool doomed)
{
    if (slot->kill_pending == doomed)
        return;
    slot->kill_pending = doomed;
    if (doomed)
        TAILQ_INSERT_TAIL(&slot->supervisor->to_kill, slot, kill_link);
    else
        TAILQ_REMOVE(&slot->supervisor->to_kill, slot, kill_link);
}

void slot_kill_after(struct slot *slot, unsigned delay)
{
    uint64_t when = clock_ms(slot->supervisor) + delay;

    if (slot->reaped)
        return;
    if (!slot->kill_pending || when < slot->kill_at)
        slot->kill_at = when;
    set_kill_pending(slot, true);
}

void slot_cancel_kill(struct slot *slot)
{
    set_kill_pending(slot, false);
}

void slot_end(struct slot *slot, enum disconnect_reason reason, enum frame_close how)
{
    struct supervisor *supervisor = slot->supervisor;

    if (slot->end != DISCONNECT_NONE)
        return;
    slot->end = reason;
    spare_remove(slot);
    if (reason != DISCONNECT_UNUSED)
        supervisor->counters.ends[reason]++;
    if (slot->state == SLOT_PRESENT) {
        slot_add_turn(slot);
        room_leave(supervisor->lobby, slot->number);
        courier_left(slot);
        slot->left_due = !slot->left_recorded && disconnect_announcement(reason) != NULL;
        slot_set_leaving(slot, slot->left_due);
    }
    slot->state = SLOT_GONE;
    slot->queue_count = 0;
    slot_set_waiting(slot, false);
    slot->end_due = true;
    slot->end_how = how;
    if (supervisor->couriers != NULL)
        courier_end(slot, how);
    slot_mark(slot);
    if (slot->relay != NULL)
        slot_kill_after(slot, supervisor->options->drain_timeout_ms + DRAIN_MARGIN_MS);
}

/* The worker crashed or lied: its client's address pays for it, if that goes on. */
static void punish(const struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t time =
        penalty_crashed(supervisor->penalties, &slot->penalty_key, clock_ms(supervisor));

    if (time > 0)
        log_event(LOG_LEVEL_WARNING, "penalty", "address=%s refused_s=%" PRIu64, slot->address,
            time / 1000);
}

/* A name as log_quote() makes it: each byte may need another before it. */
#define SHOWN_NAME_MAX (2 * (NAME_LENGTH_MAX + 1))

/* The slot's last name for the log, "-" where it never had one. */
static const char *shown_name(const struct slot *slot, char buffer[SHOWN_NAME_MAX])
{
    return slot->name[0] != '\0' ? log_quote(buffer, SHOWN_NAME_MAX, slot->name) : "-";
}

void slot_fault(struct slot *slot, const char *what)
{
    char name[SHOWN_NAME_MAX], quoted[128];

    if (slot->faulted)
        return;
    slot->faulted = true;
    log_event(LOG_LEVEL_ERROR, "worker-fault",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s pid=%ld what=%s", slot->number,
        slot->generation, shown_name(slot, name), slot->address, (long)slot->pid,
        log_quote(quoted, sizeof quoted, what));
    punish(slot);
    slot_end(slot, DISCONNECT_WORKER_FAULT, FRAME_CLOSE_EVICT);
    slot_kill_after(slot, 0);
}

void slot_worker_is_gone(struct slot *slot)
{
    slot->reaped = true;
    set_kill_pending(slot, false);
}

void slot_give_up(struct slot *slot, enum disconnect_reason reason)
{
    slot_worker_is_gone(slot);
    if (slot->relay != NULL)
        relay_finish(slot->relay); /* a worker that was created all the same exits then */
    slot_end(slot, reason, FRAME_CLOSE_EVICT);
    slot_try_free(slot);
}

bool slot_give(struct slot *slot, int client_fd)
{
    struct handover_client about;
    bool given;

    memcpy(about.address, slot->address, sizeof about.address);
    given = relay_give(slot->relay, &about, sizeof about, client_fd);
    int failure = errno;
    if (!given)
        slot_kill_after(slot, 0); /* it is dead, or has nothing to live for */
    if (!given && !slot->is_making && (failure == EPIPE || failure == ECONNRESET))
        return false;
    slot->state = SLOT_STARTING;
    slot->client_fd = client_fd;
    return true;
}

bool slots_kill_due(struct supervisor *supervisor)
{
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&supervisor->to_kill); slot != NULL; slot = next) {
        next = TAILQ_NEXT(slot, kill_link);
        /* A worker whose pid has not come yet is killed when it has. */
        if (slot->kill_at > clock_ms(supervisor) || slot->pid == 0)
            continue;
        kill(slot->pid, SIGKILL);
        slot->killed = true;
        set_kill_pending(slot, false);
    }
    return !TAILQ_EMPTY(&supervisor->to_kill);
}

void slot_relay_ended(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;

    relay_close(slot->relay);
    slot->relay = NULL;
    if (slot->is_spare) {
        spare_remove(slot); /* the next newcomer is to get one that lives */
        spare_failed(supervisor);
    }
    if (slot->is_dirty) {
        slot->is_dirty = false;
        TAILQ_REMOVE(&supervisor->dirty, slot, dirty_link);
    }
    if (!slot->reaped)
        slot_kill_after(slot, EXIT_GRACE_MS);
    if (!slot->is_dying) {
        slot->is_dying = true;
        TAILQ_INSERT_TAIL(&supervisor->dying, slot, dying_link);
    }
}

/* What a dead worker died of, where the end had no reason before. */
static enum disconnect_reason reason_of(struct slot *slot)
{
    int status = slot->wait_status;

    if (slot->state == SLOT_SPARE)
        return DISCONNECT_UNUSED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_CONNECTION_LOST)
        return DISCONNECT_CONNECTION_LOST;
    return DISCONNECT_WORKER_CRASH;
}

/* Whether a worker's exit status is one that it may have, given how it was told to end. */
static bool is_orderly(const struct slot *slot)
{
    int status = slot->wait_status;

    if (WIFSIGNALED(status))
        return slot->killed && WTERMSIG(status) == SIGKILL;
    return WEXITSTATUS(status) == CHILD_EXIT_CONNECTION_LOST ||
           (slot->end != DISCONNECT_NONE && WEXITSTATUS(status) <= CHILD_EXIT_EVICTED);
}

static void log_crash(const struct slot *slot)
{
    char name[SHOWN_NAME_MAX];
    int status = slot->wait_status;

    if (is_orderly(slot))
        return;
    log_event(LOG_LEVEL_ERROR, "worker-crash",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s pid=%ld %s=%d", slot->number,
        slot->generation, shown_name(slot, name), slot->address, (long)slot->pid,
        WIFSIGNALED(status) ? "signal" : "exit",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    /* SIGKILL is an operator's, or the kernel's that is out of memory. */
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        punish(slot);
}

static void reap(struct slot *slot)
{
    pid_t pid;

    if (slot->reaped || slot->is_making || slot->pid == 0)
        return;
    pid = waitpid(slot->pid, &slot->wait_status, WNOHANG);
    if (pid == 0)
        return;
    if (pid < 0)
        slot->wait_status = 0; /* somebody else waited for it; it is gone all the same */
    slot_worker_is_gone(slot);
    log_crash(slot);
}

/* A dead worker holds nothing any more; what its client did not get is for the log. */
static void close_cursor(struct slot *slot)
{
    if (!slot->cursor.is_open || !worker_is_gone(slot))
        return;
    slot->first_missing = cursor_needs(&slot->cursor);
    if (slot->cursor.out_of_range)
        position_fault(slot);
    space_remove_cursor(&slot->supervisor->space, &slot->cursor);
}

/* How a courier ends the client of a dead worker: where there is a last line, that is said. */
static enum frame_close how_without_worker(enum disconnect_reason reason)
{
    return disconnect_last_line(reason) != NULL ? FRAME_CLOSE_EVICT : FRAME_CLOSE_DROP;
}

static void end_without_worker(struct slot *slot)
{
    enum disconnect_reason reason = reason_of(slot);

    slot_end(slot, reason, how_without_worker(reason));
}

void slots_reap(struct supervisor *supervisor)
{
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&supervisor->dying); slot != NULL; slot = next) {
        next = TAILQ_NEXT(slot, dying_link);
        reap(slot);
        if (slot->reaped && slot->queue_count == 0 && slot->end == DISCONNECT_NONE)
            end_without_worker(slot);
        close_cursor(slot);
        if (slot->reaped && slot->end != DISCONNECT_NONE)
            courier_end(slot, how_without_worker(slot->end));
        slot_try_free(slot);
    }
}

/* A line for whoever was here; not for one that was refused a worker (there may be very many), nor
 * for a worker that never had a client. */
static enum log_level leave_level(const struct slot *slot)
{
    return slot->end == DISCONNECT_NO_WORKER || slot->end == DISCONNECT_UNUSED ? LOG_LEVEL_DEBUG
                                                                               : LOG_LEVEL_INFO;
}

/* What became of the drain of a client that left in order: done, or what cut it short. That it is
 * done is what the worker says; what is missing is what the supervisor sees. */
static const char *drain_word(const struct slot *slot, uint64_t missing)
{
    int status = slot->wait_status;

    if (!disconnect_drains(slot->end))
        return "none";
    if (missing == 0 && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_DONE)
        return "done";
    if (slot->evicted)
        return disconnect_word(DISCONNECT_STALLED);
    if (slot->faulted)
        return disconnect_word(DISCONNECT_WORKER_FAULT);
    if (slot->cut_by != DISCONNECT_NONE)
        return disconnect_word(slot->cut_by);
    if (WIFSIGNALED(status))
        return is_orderly(slot) ? "killed" : disconnect_word(DISCONNECT_WORKER_CRASH);
    switch (WEXITSTATUS(status)) {
    case CHILD_EXIT_DONE:
        return disconnect_word(DISCONNECT_WORKER_FAULT); /* it is not */
    case CHILD_EXIT_CONNECTION_LOST:
        return disconnect_word(DISCONNECT_CONNECTION_LOST);
    case CHILD_EXIT_DRAIN_TIMEOUT:
        return "timeout";
    default:
        return disconnect_word(DISCONNECT_WORKER_CRASH);
    }
}

static void log_leave(struct slot *slot)
{
    char name[SHOWN_NAME_MAX], missing[32] = "none";
    uint64_t first = slot->first_missing != 0 ? slot->first_missing : slot->cursor.unnotified_from;

    if (first != 0)
        snprintf(missing, sizeof missing, "%" PRIu64, first);
    log_event(leave_level(slot), "leave",
        "slot=%" PRIu32 " generation=%" PRIu32
        " name=%s address=%s reason=%s drain=%s joined=%" PRIu64 " owed_to=%" PRIu64
        " first_missing=%s",
        slot->number, slot->generation, shown_name(slot, name), slot->address,
        disconnect_word(slot->end), drain_word(slot, first), slot->joined, slot->cursor.pending_to,
        missing);
}

void slot_try_free(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    struct outbox outbox = region_outbox(&supervisor->region, slot->number);

    if (!worker_is_gone(slot) || slot->end == DISCONNECT_NONE || slot->left_due ||
        slot->courier != NULL)
        return;
    log_leave(slot);
    if (slot->client_fd >= 0)
        close(slot->client_fd);
    slot->client_fd = -1;
    names_release(supervisor->names, slot->number);
    memset(outbox.bytes, 0, outbox.size);
    memset(outbox.state, 0, sizeof *outbox.state);
    space_remove_cursor(&supervisor->space, &slot->cursor);
    if (slot->is_dying)
        TAILQ_REMOVE(&supervisor->dying, slot, dying_link);
    assert(!slot->is_waiting && !slot->is_dirty && !slot->is_leaving && !slot->kill_pending);
    assert(!slot->has_news);
    slot->state = SLOT_FREE;
    TAILQ_INSERT_HEAD(&supervisor->free, slot, free_link);
    supervisor->used--;
}
