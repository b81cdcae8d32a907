/* SPDX-License-Identifier: ISC */
/*
 * delivery.c - one client's part of the ring, to its output.
 *
 * Model:
 * 1. [position, end) is what the supervisor said may be the client's. Of it the client is given
 * every record to itself, and every record to all in a room while it is in, but its own messages.
 * 2. Neighbouring records lie side by side in the ring, so they leave as one run; a run is cut by a
 *    record that is not the client's, by the ring's end, and at DELIVERY_RUN_MAX.
 * 3. Runs go to writev(2) straight from the ring. An evbuffer of references would do the same with
 * an allocation and a callback per run, and would tell what has left later; here the position is
 *    exact after every write, and nothing is kept that could disagree with it.
 * 4. The position advances by the bytes that have left. It is stored for the supervisor, then,
 * after a seq_cst fence, the slot's `wanted` word is read; the supervisor stores that word, fences,
 * and reads the position. One of the two always sees the other, so a wake-up cannot be lost; with
 *    release and acquire alone it can.
 * 5. Position and bytes are published together, in the mark that does not count, before the version
 *    makes it the one that does (layout.h): whoever looks after a crash finds a pair that belongs
 *    together, and what has left beyond it the kernel knows.
 *
 * Invariants: position <= end; the ring is not written over at or after `position`, because the
 * supervisor reads it before it writes; the only writer of `state` is the process that has this
 * object.
 *
 * Overflow: none. A client that does not take its bytes holds the position back, and the supervisor
 * sees that.
 */
#include "config.h"

#include "delivery/delivery.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* One delivery writes at most this much before others, or the relay, get their turn. */
#define DELIVERY_TURN_WRITES 4

static const bool given_to_sender[RECORD_KIND_COUNT] = {
#define KIND(symbol, word, to_sender) [RECORD_##symbol] = to_sender,
    RECORD_KINDS(KIND)
#undef KIND
};

/* Makes the place where the delivery stands visible. */
static void publish(struct delivery *delivery)
{
    struct delivery_state *state = delivery->state;
    uint32_t version = atomic_load_explicit(&state->version, memory_order_relaxed) + 1;
    struct delivery_mark *mark = &state->marks[version % 2];

    atomic_store_explicit(&mark->position, delivery->position, memory_order_relaxed);
    atomic_store_explicit(&mark->bytes, delivery->bytes, memory_order_relaxed);
    atomic_store_explicit(&state->version, version, memory_order_release);
}

void delivery_init(struct delivery *delivery, const struct region_view *view,
    struct delivery_state *state, uint32_t slot, uint32_t generation, uint64_t position,
    size_t partial)
{
    memset(delivery, 0, sizeof *delivery);
    delivery->view = view;
    delivery->state = state;
    delivery->slot = slot;
    delivery->generation = generation;
    delivery->position = delivery->end = position;
    delivery->partial = partial;
    publish(delivery);
    atomic_store_explicit(&state->waits, 0, memory_order_relaxed);
    atomic_store_explicit(&state->generation, generation, memory_order_release);
}

/* Publishes a new position, and learns whether the supervisor waits for that. */
static void move_to(struct delivery *delivery, uint64_t position)
{
    uint64_t before = delivery->position;
    uint64_t wanted;

    if (position == before)
        return;
    delivery->position = position;
    publish(delivery);
    atomic_thread_fence(memory_order_seq_cst);
    wanted =
        atomic_load_explicit(&delivery->view->slots[delivery->slot].wanted, memory_order_acquire);
    if (before < wanted && wanted <= position)
        delivery->space_passed = true;
}

/* Memberships whose end the position has passed make space for new ones. */
static void forget_ended(struct delivery *delivery)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < delivery->room_count; i++)
        if (delivery->rooms[i].until > delivery->position)
            delivery->rooms[kept++] = delivery->rooms[i];
    delivery->room_count = kept;
}

bool delivery_member(struct delivery *delivery, uint16_t room, uint64_t from, bool in)
{
    if (!in) {
        for (unsigned i = 0; i < delivery->room_count; i++)
            if (delivery->rooms[i].room == room && delivery->rooms[i].until == UINT64_MAX)
                delivery->rooms[i].until = from;
        return true;
    }
    forget_ended(delivery);
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
        move_to(delivery, from);
    }
    delivery->end = to + 1;
    return true;
}

bool delivery_given_to_sender(uint16_t kind)
{
    return given_to_sender[kind];
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

/* Rule 1 of the model. */
bool delivery_is_given(const struct delivery *delivery, const struct record_entry *entry)
{
    if (entry->recipient != REGION_NO_SLOT)
        return entry->recipient == delivery->slot &&
               entry->recipient_generation == delivery->generation;
    if (entry->sender == delivery->slot && entry->sender_generation == delivery->generation &&
        !delivery_given_to_sender(entry->kind))
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
    runs[*count].iov_base = (char *)(uintptr_t)bytes; /* writev(2) does not write there */
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
        if (!delivery_is_given(delivery, entry))
            continue;
        size_t skip = sequence == delivery->position ? delivery->partial : 0;
        const char *bytes = view->ring + entry->offset % view->ring_size + skip;
        if (!delivery_add_run(runs, &count, bytes, entry->length - skip))
            break;
    }
    *reached = sequence;
    if (count == 0)
        move_to(delivery, sequence);
    return count;
}

void delivery_show_waiting(struct delivery *delivery, bool waits)
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
        move_to(delivery, to);
}

void delivery_settle(struct delivery *delivery)
{
    uint64_t sequence = delivery->position;

    while (sequence < delivery->end &&
           !delivery_is_given(delivery, region_entry(delivery->view, sequence)))
        sequence++;
    move_to(delivery, sequence);
}

void delivery_advance(struct delivery *delivery, size_t length, size_t gathered, uint64_t reached)
{
    uint64_t sequence = delivery->position;
    size_t before = delivery->partial;

    if (length == gathered) {
        delivery->partial = 0;
        delivery->bytes += before + length;
        move_to(delivery, reached);
        return;
    }
    length += before;
    for (;; sequence++) {
        const struct record_entry *entry = region_entry(delivery->view, sequence);

        if (!delivery_is_given(delivery, entry))
            continue;
        if (length < entry->length)
            break;
        length -= entry->length;
        delivery->bytes += entry->length;
    }
    delivery->partial = length;
    move_to(delivery, sequence);
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
