/* SPDX-License-Identifier: ISC */
/*
 * pass.c - delivers new records to all clients of a courier that are caught up.
 *
 * Model:
 * 1. The supervisor announces a turn's records once for all clients. A pass collects them in
 *    batches (batch.c) and writes each batch to every client that is caught up, with one write per
 *    client.
 * 2. A pass takes at most PASS_MAX_NS and one batch, because the supervisor expects answers from
 *    the courier. If records are left, the next turn continues.
 * 3. The announcements that clients joined or left may wait (hold_off.c). Records for one client
 *    alone, such as its welcome, are delivered to it at once. A message ends the waiting, and so
 *    does the supervisor when it waits for ring space.
 *
 * Overflow: records stay in the ring until they are delivered. If more than PASS_PRIVATE_MAX
 * private records are new, nothing waits.
 */
#include "config.h"

#include "courier/pass.h"

#include "base/clock.h"
#include "chat/room.h"

#include <event2/event.h>
#include <stdatomic.h>

/* How long a pass may take in one turn; far less than the supervisor waits for an answer. */
#define PASS_MAX_NS UINT64_C(200000000)

/* Lets the timer run the next pass. If it cannot, all new records are delivered now. */
static void schedule_pass(struct pass *pass, uint64_t microseconds)
{
    struct timeval delay = {.tv_usec = (suseconds_t)microseconds};

    if (event_add(pass->timer, &delay) != 0)
        pass_deliver_all(pass);
}

/* Runs a pass, until `limit_ns` have passed or all new records are delivered. detach() moves the
 * last client to the place of the detached one, so the loop runs from the last to the first. */
static void run_pass(struct pass *pass, uint64_t limit_ns)
{
    struct clients *clients = pass->clients;
    uint64_t began = clock_monotonic_ns(), ended = began;

    while (clients->from < clients->end && ended - began < limit_ns) {
        batch_gather(&pass->batch, clients->from, clients->end);
        for (unsigned i = clients->attached_count; i-- > 0;)
            served_write_batch(clients->attached[i], &pass->batch);
        clients->from = pass->batch.end;
        ended = clock_monotonic_ns();
    }
    if (clients->from < clients->end) {
        schedule_pass(pass, 0);
        return;
    }
    pass->is_urgent = false;
    pass->recipient_count = 0;
    hold_off_begin(&pass->hold_off, began, ended);
}

void pass_deliver_all(struct pass *pass)
{
    if (pass->clients->from < pass->clients->end)
        run_pass(pass, UINT64_MAX);
}

/* Returns whether the supervisor waits until the clients of this courier need less of the ring. */
static bool supervisor_waits(const struct clients *clients)
{
    return atomic_load_explicit(clients->wanted, memory_order_acquire) > clients->oldest_needed;
}

/* Lets the new records wait, except for the clients with private records among them. */
static void defer_pass(struct pass *pass, uint64_t microseconds)
{
    for (size_t i = 0; i < pass->recipient_count; i++) {
        struct served *served = pass->recipients[i];

        if (!served->is_attached || served->is_behind)
            continue;
        delivery_skip(&served->delivery, pass->clients->from);
        served_write(served);
    }
    pass->recipient_count = 0;
    if (!evtimer_pending(pass->timer, NULL))
        schedule_pass(pass, microseconds);
}

void pass_deliver(struct pass *pass)
{
    const struct clients *clients = pass->clients;
    uint64_t left = 0;

    if (clients->from == clients->end)
        return;
    if (!pass->is_urgent && !supervisor_waits(clients))
        left = hold_off_left(&pass->hold_off, clock_monotonic_ns());
    if (left == 0)
        run_pass(pass, PASS_MAX_NS);
    else
        defer_pass(pass, left);
}

static void pass_timer_expired(evutil_socket_t fd, short what, void *argument)
{
    struct pass *pass = argument;

    (void)fd, (void)what;
    if (pass->clients->from < pass->clients->end)
        run_pass(pass, PASS_MAX_NS);
    clients_report(pass->clients);
}

bool pass_open(struct pass *pass, struct clients *clients)
{
    const struct region_view *view = &clients->view;

    pass->clients = clients;
    batch_init(&pass->batch, view, ROOM_LOBBY);
    prefault_init(&pass->index_pages, view->index, view->index_count * sizeof *view->index);
    prefault_init(&pass->ring_pages, view->ring, view->ring_size);
    pass->timer = evtimer_new(clients->base, pass_timer_expired, pass);
    return pass->timer != NULL;
}

/* Notes the recipient of a private record, or that the record may not wait. */
static void note_record(struct pass *pass, const struct record_entry *entry)
{
    struct served *served;

    if (entry->recipient == REGION_NO_SLOT)
        pass->is_urgent = entry->kind != RECORD_JOINED && entry->kind != RECORD_LEFT;
    else if (pass->recipient_count == PASS_PRIVATE_MAX)
        pass->is_urgent = true;
    else if ((served = clients_find(pass->clients, entry->recipient)) != NULL)
        pass->recipients[pass->recipient_count++] = served;
}

/* No client receives a record in [end, from), so these may be overwritten already, except for those
 * that a client which is behind still needs. */
static void jump(struct clients *clients, uint64_t from)
{
    struct served *served;

    TAILQ_FOREACH (served, &clients->behind, behind_link)
        if (served->delivery.position >= clients->end && !served->is_closing)
            delivery_skip(&served->delivery, from);
    clients->from = clients->end = from;
}

bool pass_announce(struct pass *pass, uint64_t from, uint64_t to)
{
    struct clients *clients = pass->clients;
    uint64_t next;

    if (from > to || to + 1 < clients->end)
        return false;
    if (clients->from == clients->end && from > clients->end)
        jump(clients, from);
    next = clients->end > from ? clients->end : from;
    clients->end = to + 1;
    prefault_records(&pass->index_pages, &pass->ring_pages, &clients->view, from, to);
    for (; next <= to && !pass->is_urgent; next++)
        note_record(pass, region_entry(&clients->view, next));
    return true;
}
