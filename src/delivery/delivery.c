/* SPDX-License-Identifier: ISC */
/*
 * delivery.c - writes one client's records from the ring to its socket.
 *
 * Model:
 * 1. The supervisor has announced the records [position, end). Of these the client receives every
 *    record that is addressed to it alone, and every record for a room while it is a member, except
 *    its own messages.
 * 2. Consecutive records are adjacent in the ring, so they leave as one run. A run ends before a
 *    record that is not for the client, at the end of the ring, and at DELIVERY_RUN_MAX.
 * 3. Runs go to writev(2) directly from the ring. An evbuffer of references would need an
 *    allocation and a callback for each run, and would report later what was written. Here the
 *    position is exact after every write, and no second state can disagree with it.
 * 4. The position advances by the bytes that were written. The process stores it for the
 *    supervisor, executes a seq_cst fence, and reads the slot's `wanted` word. The supervisor
 *    stores that word, executes a fence, and reads the position. At least one of the two sees what
 *    the other stored, so no wake-up is lost; release and acquire alone do not ensure that.
 * 5. Position and byte count are stored together, in the mark that is not valid, before the version
 *    makes that mark valid (layout.h). After a crash the supervisor finds a consistent pair; the
 *    kernel knows how many more bytes were written.
 *
 * Invariants: position <= end. The supervisor reads the position before it overwrites the ring, so
 * the ring is intact from `position` on. Only the process that has this object writes `state`.
 *
 * Overflow: none. If a client does not read, its position stays, and the supervisor sees that.
 */
#include "config.h"

#include "delivery/delivery.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

/* How many times delivery_write() writes before other clients and the relay have their turn. */
#define DELIVERY_TURN_WRITES 4

static const bool includes_sender[RECORD_KIND_COUNT] = {
#define KIND(symbol, word, to_sender) [RECORD_##symbol] = to_sender,
    RECORD_KINDS(KIND)
#undef KIND
};

/* Stores position and byte count for the supervisor; see rule 5. */
static void publish_mark(struct delivery *delivery)
{
    struct delivery_state *state = delivery->state;
    uint32_t version = atomic_load_explicit(&state->version, memory_order_relaxed) + 1;
    struct delivery_mark *mark = &state->marks[version % 2];

    atomic_store_explicit(&mark->position, delivery->position, memory_order_relaxed);
    atomic_store_explicit(&mark->bytes, delivery->bytes, memory_order_relaxed);
    atomic_store_explicit(&state->version, version, memory_order_release);
}

void delivery_init(struct delivery *delivery, const struct region_view *view,
    struct delivery_state *state, const struct delivery_start *start)
{
    *delivery = (struct delivery){
        .view = view,
        .state = state,
        .slot = start->slot,
        .generation = start->generation,
        .position = start->position,
        .end = start->position,
        .partial = start->partial,
    };
    publish_mark(delivery);
    atomic_store_explicit(&state->waits, 0, memory_order_relaxed);
    atomic_store_explicit(&state->generation, start->generation, memory_order_release);
}

/* Stores a new position, and notes whether the supervisor waits for it; see rule 4. */
static void set_position(struct delivery *delivery, uint64_t position)
{
    uint64_t before = delivery->position;
    uint64_t wanted;

    if (position == before)
        return;
    delivery->position = position;
    publish_mark(delivery);
    atomic_thread_fence(memory_order_seq_cst);
    wanted =
        atomic_load_explicit(&delivery->view->slots[delivery->slot].wanted, memory_order_acquire);
    if (before < wanted && wanted <= position)
        delivery->space_passed = true;
}

/* Removes memberships that ended before the position. */
static void remove_ended(struct delivery *delivery)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < delivery->room_count; i++)
        if (delivery->rooms[i].until > delivery->position)
            delivery->rooms[kept++] = delivery->rooms[i];
    delivery->room_count = kept;
}

bool delivery_set_membership(struct delivery *delivery, uint16_t room, uint64_t from, bool in)
{
    if (!in) {
        for (unsigned i = 0; i < delivery->room_count; i++)
            if (delivery->rooms[i].room == room && delivery->rooms[i].until == UINT64_MAX)
                delivery->rooms[i].until = from;
        return true;
    }
    remove_ended(delivery);
    if (delivery->room_count == DELIVERY_ROOMS_MAX)
        return false;
    delivery->rooms[delivery->room_count++] =
        (struct delivery_room){.room = room, .from = from, .until = UINT64_MAX};
    return true;
}

bool delivery_extend(struct delivery *delivery, uint64_t from, uint64_t to)
{
    if (from > to || to + 1 < delivery->end || from < delivery->position)
        return false;
    if (delivery_is_done(delivery)) {
        delivery->end = to + 1;
        set_position(delivery, from);
    }
    delivery->end = to + 1;
    return true;
}

bool delivery_includes_sender(uint16_t kind)
{
    return includes_sender[kind];
}

static bool is_in_room(const struct delivery *delivery, const struct record_entry *entry)
{
    for (unsigned i = 0; i < delivery->room_count; i++) {
        const struct delivery_room *room = &delivery->rooms[i];
        if (room->room == entry->room && entry->sequence >= room->from &&
            entry->sequence < room->until)
            return true;
    }
    return false;
}

bool delivery_is_only_in(const struct delivery *delivery, uint16_t room, uint64_t from)
{
    return delivery->room_count == 1 && delivery->rooms[0].room == room &&
           delivery->rooms[0].from <= from && delivery->rooms[0].until == UINT64_MAX;
}

/* See rule 1. */
bool delivery_includes(const struct delivery *delivery, const struct record_entry *entry)
{
    if (entry->recipient != REGION_NO_SLOT)
        return entry->recipient == delivery->slot &&
               entry->recipient_generation == delivery->generation;
    if (entry->sender == delivery->slot && entry->sender_generation == delivery->generation &&
        !delivery_includes_sender(entry->kind))
        return false;
    return is_in_room(delivery, entry);
}

bool delivery_add_run(struct iovec *runs, int *count, const char *bytes, size_t length)
{
    struct iovec *last = *count > 0 ? &runs[*count - 1] : NULL;

    if (last != NULL && (const char *)last->iov_base + last->iov_len == bytes &&
        last->iov_len + length <= DELIVERY_RUN_MAX) {
        last->iov_len += length;
        return true;
    }
    if (*count == DELIVERY_RUNS_MAX)
        return false;
    runs[*count].iov_base = (char *)(uintptr_t)bytes; /* writev(2) only reads it */
    runs[*count].iov_len = length;
    (*count)++;
    return true;
}

int delivery_gather(struct delivery *delivery, struct iovec *runs, uint64_t *reached)
{
    const struct region_view *view = delivery->view;
    uint64_t sequence = delivery->position;
    uint64_t place = sequence % view->index_count;
    int count = 0;

    for (; sequence < delivery->end; sequence++) {
        const struct record_entry *entry = &view->index[place];

        if (++place == view->index_count)
            place = 0;
        if (!delivery_includes(delivery, entry))
            continue;
        size_t skip = sequence == delivery->position ? delivery->partial : 0;
        const char *bytes = view->ring + entry->offset % view->ring_size + skip;
        if (!delivery_add_run(runs, &count, bytes, entry->length - skip))
            break;
    }
    *reached = sequence;
    if (count == 0)
        set_position(delivery, sequence);
    return count;
}

void delivery_set_waiting(struct delivery *delivery, bool waits)
{
    if (delivery->waits == waits)
        return;
    delivery->waits = waits;
    atomic_store_explicit(&delivery->state->waits, waits, memory_order_release);
}

void delivery_skip(struct delivery *delivery, uint64_t to)
{
    if (delivery->end < to)
        delivery->end = to;
    if (delivery->position < to)
        set_position(delivery, to);
}

void delivery_move_to_next(struct delivery *delivery)
{
    uint64_t sequence = delivery->position;

    while (sequence < delivery->end &&
           !delivery_includes(delivery, region_entry(delivery->view, sequence)))
        sequence++;
    set_position(delivery, sequence);
}

void delivery_advance(struct delivery *delivery, size_t length, size_t gathered, uint64_t reached)
{
    uint64_t sequence = delivery->position;
    size_t before = delivery->partial;

    if (length == gathered) {
        delivery->partial = 0;
        delivery->bytes += before + length;
        set_position(delivery, reached);
        return;
    }
    length += before;
    for (;; sequence++) {
        const struct record_entry *entry = region_entry(delivery->view, sequence);

        if (!delivery_includes(delivery, entry))
            continue;
        if (length < entry->length)
            break;
        length -= entry->length;
        delivery->bytes += entry->length;
    }
    delivery->partial = length;
    set_position(delivery, sequence);
}

enum delivery_outcome delivery_send(
    struct delivery *delivery, int fd, const struct iovec *runs, int count, uint64_t reached)
{
    size_t gathered = 0;
    ssize_t written;

    for (int run = 0; run < count; run++)
        gathered += runs[run].iov_len;
    do
        written =
            count == 1 ? write(fd, runs[0].iov_base, runs[0].iov_len) : writev(fd, runs, count);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return errno == EAGAIN ? DELIVERY_BLOCKED : DELIVERY_LOST;
    delivery_advance(delivery, (size_t)written, gathered, reached);
    return (size_t)written < gathered ? DELIVERY_BLOCKED : DELIVERY_DONE;
}

enum delivery_outcome delivery_write(struct delivery *delivery, int fd)
{
    enum delivery_outcome outcome = DELIVERY_DONE;
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    for (int i = 0; i < DELIVERY_TURN_WRITES && outcome == DELIVERY_DONE; i++) {
        int count = delivery_gather(delivery, runs, &reached);

        if (count == 0)
            return DELIVERY_DONE;
        outcome = delivery_send(delivery, fd, runs, count, reached);
    }
    if (outcome != DELIVERY_DONE)
        return outcome;
    return delivery_is_done(delivery) ? DELIVERY_DONE : DELIVERY_MORE;
}
