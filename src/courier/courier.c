/* SPDX-License-Identifier: ISC */
/*
 * courier.c - one process, the sockets of many clients, one way: from the ring to them.
 *
 * Model:
 * 1. What a client may be given has been judged before it came into the ring, and sending parses
 *    nothing; so one process may do it for many, where reading needs a process for each. A courier
 *    never reads from a client's socket, and its filter sees to that.
 * 2. The supervisor says which clients are this courier's (SERVE), in which room they are (MEMBER),
 *    what has been recorded (one DELIVER for all), and when one's end has come (END). A client's
 *    descriptor comes by a socket of its own, sooner or later than its SERVE; its delivery waits
 *    for it.
 * 3. A client is either caught up, and then stands at `from` or beyond, whatever its own position
 *    says, or it is behind: its socket was full, or it has none yet, or it is being ended. After
 *    the frames of a read, one pass gives what is new to all that are caught up (batch.c), with one
 *    write each.
 *    One that is behind goes on when its socket takes more (EV_WRITE), a bounded piece at a time,
 *    and delays nobody. A long pass is made in several turns. That somebody has joined or left may
 *    wait (rest.c): records of one client alone, such as a newcomer's welcome, are given to it
 *    meanwhile, and a message waits for nothing and takes along what does.
 * 4. `oldest_needed` is the lowest position of those that are behind, or `from`. It is published
 *    after a pass and after each step of one that is behind, and then, after a seq_cst fence, the
 *    courier's `wanted` word is read, as for a single delivery (delivery.c).
 * 5. A client is let go in one place: its last position is published, its descriptor closed, and
 *    DONE sent. The supervisor ends the connection itself.
 * 6. What is in this courier's part of the region outlives it: from that and from what the kernel
 *    has of each connection the supervisor knows where the next courier has to go on.
 *
 * Overflow: the ring keeps what is owed; a client's state has one size; frames back are DONE, at
 * most one for each SERVE, and SPACE, at most one for each waiting of the supervisor.
 */
#include "config.h"

#include "courier/courier.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/proctitle.h"
#include "chat/room.h"
#include "courier/hold_off.h"
#include "delivery/batch.h"
#include "delivery/graceful_close.h"
#include "delivery/prefault.h"
#include "process/jail.h"
#include "relay/handover.h"
#include "relay/loop.h"
#include "relay/relay.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

/* How long a pass may take in one turn; far less than the supervisor's patience. */
#define PASS_MAX_NS UINT64_C(200000000)

/* Clients that are given something of their own while the others wait. */
#define OWN_MAX 64

struct courier;

/* A slot, as far as this courier knows it. */
struct served {
    struct courier *courier;
    uint32_t generation; /* of the last client that was its */
    bool is_live;        /* between SERVE and DONE */
    bool is_behind;
    bool is_ending; /* its delivery has an end of its own */
    int fd;         /* -1 until it has come */
    uint32_t early_generation;
    int early_fd; /* came before its SERVE, else -1 */
    unsigned place;
    struct event *writable; /* NULL while it never had to wait */
    struct delivery delivery;
    TAILQ_ENTRY(served) behind_link;
};

TAILQ_HEAD(served_list, served);

struct courier {
    const struct heritage *heritage;
    struct region_view view;
    struct courier_part part;
    struct event_base *base;
    struct relay *relay;
    struct event *handover, *rested;
    struct served *slots;
    struct served **live; /* the live ones, without gaps */
    unsigned live_count;
    struct served_list behind;
    struct served *oldest; /* the one behind that `oldest_needed` was when last looked at */
    uint64_t oldest_needed;
    uint64_t from, end;          /* what is new lies in [from, end) */
    bool is_urgent;              /* and somebody waits for it */
    struct served *own[OWN_MAX]; /* who has records of its own in it, and may not have them yet */
    size_t own_count;
    struct hold_off rest;
    struct batch batch;
    struct prefault index_pages, ring_pages;
    struct frame_batch reports;
    int status;
};

static void courier_end(struct courier *courier, enum child_exit status)
{
    if (courier->status < 0)
        courier->status = (int)status;
    event_base_loopbreak(courier->base);
}

/* --- who is behind */

static void set_behind(struct served *served, bool behind)
{
    struct courier *courier = served->courier;

    if (served->is_behind == behind)
        return;
    served->is_behind = behind;
    if (behind) {
        TAILQ_INSERT_TAIL(&courier->behind, served, behind_link);
        return;
    }
    TAILQ_REMOVE(&courier->behind, served, behind_link);
    if (courier->oldest == served)
        courier->oldest = NULL;
}

/* The lowest position of those that are behind, and of those that are not. */
static uint64_t find_oldest(struct courier *courier)
{
    uint64_t lowest = courier->from;
    struct served *served;

    courier->oldest = NULL;
    TAILQ_FOREACH (served, &courier->behind, behind_link)
        if (served->delivery.position < lowest) {
            lowest = served->delivery.position;
            courier->oldest = served;
        }
    return lowest;
}

/* Model, 4. */
static void publish_oldest(struct courier *courier)
{
    uint32_t place = courier->heritage->place;
    uint64_t before = courier->oldest_needed, wanted;

    if (courier->oldest != NULL && courier->oldest->delivery.position == before)
        return;
    courier->oldest_needed = find_oldest(courier);
    if (courier->oldest_needed == before)
        return;
    atomic_store_explicit(
        &courier->part.state->oldest_needed, courier->oldest_needed, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    wanted = atomic_load_explicit(&courier->view.slots[place].wanted, memory_order_acquire);
    if (before < wanted && wanted <= courier->oldest_needed)
        frame_batch_add(&courier->reports, &(struct frame){.kind = FRAME_SPACE});
}

/* --- one client */

static void let_go(struct served *served, enum frame_detached why)
{
    struct courier *courier = served->courier;
    struct delivery *delivery = &served->delivery;

    if (!served->is_ending && delivery->end < courier->end)
        delivery->end = courier->end;
    delivery_move_to_next(delivery);
    set_behind(served, false);
    if (served->writable != NULL)
        event_free(served->writable);
    served->writable = NULL;
    if (served->fd >= 0)
        close(served->fd);
    served->fd = -1;
    served->is_live = false;
    courier->live[served->place] = courier->live[--courier->live_count];
    courier->live[served->place]->place = served->place;
    frame_batch_add(&courier->reports, &(struct frame){
                                           .kind = FRAME_DETACHED,
                                           .detail = (uint8_t)why,
                                           .slot = delivery->slot,
                                           .generation = delivery->generation,
                                       });
}

static void client_writable(evutil_socket_t fd, short what, void *argument);

/* Waits for its socket; a client for which nothing can wait is as good as lost. */
static bool wait_for(struct served *served)
{
    if (served->writable == NULL)
        served->writable =
            event_new(served->courier->base, served->fd, EV_WRITE, client_writable, served);
    return served->writable != NULL && event_add(served->writable, NULL) == 0;
}

/* What has become of a write. */
static void settle(struct served *served, enum delivery_outcome outcome)
{
    struct delivery *delivery = &served->delivery;

    if (delivery->space_passed) {
        delivery->space_passed = false;
        frame_batch_add(&served->courier->reports, &(struct frame){.kind = FRAME_SPACE});
    }
    if (outcome == DELIVERY_LOST) {
        let_go(served, FRAME_DETACHED_LOST);
        return;
    }
    delivery_set_waiting(delivery, outcome != DELIVERY_DONE);
    if (outcome != DELIVERY_DONE) {
        set_behind(served, true);
        if (!wait_for(served))
            let_go(served, FRAME_DETACHED_LOST);
    } else if (served->is_ending) {
        let_go(served, FRAME_DETACHED_CLOSED);
    } else {
        set_behind(served, false);
    }
}

/* One that is behind goes on, up to the newest record. */
static void go_on(struct served *served)
{
    struct courier *courier = served->courier;
    struct delivery *delivery = &served->delivery;

    if (!served->is_ending && delivery->end < courier->end)
        delivery->end = courier->end;
    settle(served, delivery_write(delivery, served->fd));
}

static void client_writable(evutil_socket_t fd, short what, void *argument)
{
    struct served *served = argument;
    struct courier *courier = served->courier;

    (void)fd, (void)what;
    go_on(served);
    publish_oldest(courier);
    frame_batch_send(&courier->reports);
}

/* --- all clients */

/* Gives a client that was caught up what the batch has for it. */
static void give(struct served *served)
{
    struct courier *courier = served->courier;
    struct delivery *delivery = &served->delivery;

    if (served->is_behind || delivery->position >= courier->batch.end)
        return;
    delivery_skip(delivery, courier->batch.from);
    delivery->end = courier->batch.end;
    settle(served, batch_write(&courier->batch, delivery, served->fd));
}

/* Goes on giving what is new in another turn. */
static void come_back(struct courier *courier, uint64_t microseconds)
{
    struct timeval delay = {.tv_usec = (suseconds_t)microseconds};

    if (event_add(courier->rested, &delay) != 0)
        courier_end(courier, CHILD_EXIT_SETUP);
}

/* Gives what is new to all, or in this turn as much of it as takes PASS_MAX_NS and a batch: the
 * supervisor waits for an answer. Letting go moves the last one to the place, so the way is from
 * the last to the first. */
static void pass(struct courier *courier, bool whole)
{
    uint64_t began = clock_monotonic_ns(), ended = began;

    while (courier->from < courier->end && (whole || ended - began < PASS_MAX_NS)) {
        batch_gather(&courier->batch, courier->from, courier->end);
        for (unsigned i = courier->live_count; i-- > 0;)
            give(courier->live[i]);
        courier->from = courier->batch.end;
        ended = clock_monotonic_ns();
    }
    if (courier->from < courier->end) {
        come_back(courier, 0);
        return;
    }
    courier->is_urgent = false;
    courier->own_count = 0;
    hold_off_begin(&courier->rest, began, ended);
}

/* Whether the supervisor waits for this courier's clients to need less of the ring. */
static bool is_waited_for(const struct courier *courier)
{
    uint32_t place = courier->heritage->place;

    return atomic_load_explicit(&courier->view.slots[place].wanted, memory_order_acquire) >
           courier->oldest_needed;
}

/* What is new waits for a while, but for who has records of its own in it. */
static void let_wait(struct courier *courier, uint64_t microseconds)
{
    for (size_t i = 0; i < courier->own_count; i++) {
        struct served *served = courier->own[i];
        if (!served->is_live || served->is_behind)
            continue;
        delivery_skip(&served->delivery, courier->from);
        go_on(served);
    }
    courier->own_count = 0;
    if (!evtimer_pending(courier->rested, NULL))
        come_back(courier, microseconds);
}

/* Gives what is new, or lets it wait where it can. */
static void give_new(struct courier *courier)
{
    uint64_t left;

    if (courier->from == courier->end)
        return;
    left = courier->is_urgent || is_waited_for(courier)
               ? 0
               : hold_off_left(&courier->rest, clock_monotonic_ns());
    if (left == 0)
        pass(courier, false);
    else
        let_wait(courier, left);
}

static void rest_over(evutil_socket_t fd, short what, void *argument)
{
    struct courier *courier = argument;

    (void)fd, (void)what;
    if (courier->from < courier->end)
        pass(courier, false);
    publish_oldest(courier);
    frame_batch_send(&courier->reports);
}

/* Whose record this is, where it is one client's alone; that it is urgent, where others wait. */
static void look_at(struct courier *courier, const struct record_entry *entry)
{
    if (entry->recipient == REGION_NO_SLOT)
        courier->is_urgent = entry->kind != RECORD_JOINED && entry->kind != RECORD_LEFT;
    else if (courier->own_count == OWN_MAX)
        courier->is_urgent = true;
    else if (entry->recipient < courier->view.slot_count)
        courier->own[courier->own_count++] = &courier->slots[entry->recipient];
}

/* --- frames */

/* Nothing in [end, from) is any client's, and so it may be written over already, unless one that is
 * behind holds it. */
static void jump(struct courier *courier, uint64_t from)
{
    struct served *served;

    TAILQ_FOREACH (served, &courier->behind, behind_link)
        if (served->delivery.position >= courier->end && !served->is_ending)
            delivery_skip(&served->delivery, from);
    courier->from = courier->end = from;
}

static bool take_delivery(struct courier *courier, uint64_t from, uint64_t to)
{
    if (from > to || to + 1 < courier->end)
        return false;
    if (courier->from == courier->end && from > courier->end)
        jump(courier, from);
    uint64_t next = courier->end > from ? courier->end : from;
    courier->end = to + 1;
    prefault_records(&courier->index_pages, &courier->ring_pages, &courier->view, from, to);
    for (; next <= to && !courier->is_urgent; next++)
        look_at(courier, region_entry(&courier->view, next));
    return true;
}

static void attach(struct served *served, int fd)
{
    served->fd = fd;
    go_on(served);
}

static bool take_client(struct courier *courier, struct served *served, const struct frame *frame)
{
    if (served->is_live)
        return false;
    served->generation = frame->generation;
    served->is_live = true;
    served->is_ending = false;
    served->place = courier->live_count;
    courier->live[courier->live_count++] = served;
    delivery_init(&served->delivery, &courier->view, &courier->part.deliveries[frame->slot],
        &(struct delivery_start){.slot = frame->slot,
            .generation = frame->generation,
            .position = frame->from,
            .partial = frame->length});
    set_behind(served, true);
    if (served->early_fd < 0)
        return true;
    if (served->early_generation == frame->generation)
        attach(served, served->early_fd);
    else
        close(served->early_fd);
    served->early_fd = -1;
    return true;
}

static bool take_end(struct served *served, const struct frame *frame)
{
    struct delivery *delivery = &served->delivery;

    if (!served->is_behind)
        delivery_skip(delivery, served->courier->end); /* all before it has been given */
    served->is_ending = true;
    if (frame->to + 1 > delivery->end)
        delivery->end = frame->to + 1;
    if (frame->detail == FRAME_CLOSE_DRAIN) {
        set_behind(served, true);
        if (served->fd >= 0)
            go_on(served);
        return true;
    }
    if (frame->detail == FRAME_CLOSE_EVICT && served->fd >= 0 &&
        delivery_at_line_boundary(delivery))
        last_line_send(served->fd, frame->length);
    let_go(served, FRAME_DETACHED_CLOSED);
    return true;
}

/* A frame about one client. What is about one that was let go meanwhile has been overtaken. */
static bool take_about(struct courier *courier, const struct frame *frame)
{
    struct served *served = &courier->slots[frame->slot];

    if (frame->slot >= courier->view.slot_count)
        return false;
    if (frame->kind == FRAME_ATTACH)
        return take_client(courier, served, frame);
    if (!served->is_live || served->generation != frame->generation)
        return true;
    if (frame->kind == FRAME_CLOSE)
        return take_end(served, frame);
    return delivery_set_membership(&served->delivery, frame->room, frame->from, frame->detail != 0);
}

static bool take_frame(void *context, const struct frame *frame)
{
    struct courier *courier = context;
    bool fine = true;

    switch (frame->kind) {
    case FRAME_DELIVER:
        fine = take_delivery(courier, frame->from, frame->to);
        break;
    case FRAME_ATTACH:
    case FRAME_MEMBERSHIP:
    case FRAME_CLOSE:
        /* What was told before it is given before it. */
        if (frame->kind == FRAME_CLOSE && courier->from < courier->end)
            pass(courier, true);
        fine = take_about(courier, frame);
        break;
    case FRAME_PING:
        atomic_store_explicit(&courier->part.state->answered, frame->from, memory_order_release);
        break;
    default:
        fine = false;
    }
    if (!fine)
        courier_end(courier, CHILD_EXIT_SETUP);
    return true;
}

static void frames_taken(void *context)
{
    struct courier *courier = context;

    if (courier->status >= 0)
        return;
    give_new(courier);
    publish_oldest(courier);
    frame_batch_send(&courier->reports);
}

static void relay_writable(void *context)
{
    (void)context; /* nothing waits for that */
}

static void relay_ended(void *context)
{
    courier_end(context, CHILD_EXIT_NO_SUPERVISOR);
}

static const struct relay_handler supervisor_handler = {
    .frame = take_frame,
    .settled = frames_taken,
    .writable = relay_writable,
    .ended = relay_ended,
};

/* --- descriptors */

/* A client's socket has come: before its SERVE, in time, or when its client is gone already. */
static void take_socket(struct courier *courier, const struct handover_served *whose, int fd)
{
    struct served *served = &courier->slots[whose->slot];
    int32_t ahead = (int32_t)(whose->generation - served->generation);

    if (ahead > 0) {
        if (served->early_fd >= 0)
            close(served->early_fd);
        served->early_fd = fd;
        served->early_generation = whose->generation;
    } else if (ahead == 0 && served->is_live && served->fd < 0) {
        attach(served, fd);
    } else {
        close(fd);
    }
}

static void handover_readable(evutil_socket_t fd, short what, void *argument)
{
    struct courier *courier = argument;
    struct handover_served whose;
    ssize_t length;
    int descriptor;

    (void)what;
    while ((length = handover_receive(fd, &whose, sizeof whose, &descriptor, 1)) > 0) {
        if (length != (ssize_t)sizeof whose || descriptor < 0 ||
            whose.slot >= courier->view.slot_count) {
            courier_end(courier, CHILD_EXIT_SETUP);
            return;
        }
        take_socket(courier, &whose, descriptor);
    }
    if (length == 0)
        courier_end(courier, CHILD_EXIT_NO_SUPERVISOR);
    publish_oldest(courier);
    frame_batch_send(&courier->reports);
}

/* --- the process */

/* All memory that grows with the clients, but for what waits for a full socket, is taken now. */
static void allocate_tables(struct courier *courier)
{
    uint32_t count = courier->view.slot_count;

#ifdef HAVE_MALLOPT
    mallopt(M_MMAP_MAX, 0); /* the filter allows brk(2) and not mmap(2) */
#endif
    courier->slots = alloc_zeroed(count, sizeof *courier->slots);
    courier->live = alloc_zeroed(count, sizeof *courier->live);
    for (uint32_t i = 0; i < count; i++) {
        courier->slots[i].courier = courier;
        courier->slots[i].fd = courier->slots[i].early_fd = -1;
    }
    TAILQ_INIT(&courier->behind);
    batch_init(&courier->batch, &courier->view, ROOM_LOBBY);
    prefault_init(&courier->index_pages, courier->view.index,
        courier->view.index_count * sizeof *courier->view.index);
    prefault_init(&courier->ring_pages, courier->view.ring, courier->view.ring_size);
    courier->oldest_needed = atomic_load(&courier->part.state->oldest_needed);
    courier->from = courier->end = courier->oldest_needed;
}

static bool open_courier(struct courier *courier)
{
    const struct heritage *heritage = courier->heritage;

    courier->base = loop_new();
    if (courier->base == NULL)
        return false;
    courier->relay = relay_open(courier->base, heritage->relay_fd, &supervisor_handler, courier);
    courier->reports.relay = courier->relay;
    courier->rested = evtimer_new(courier->base, rest_over, courier);
    courier->handover = event_new(
        courier->base, heritage->handover_fd, EV_READ | EV_PERSIST, handover_readable, courier);
    return courier->relay != NULL && courier->rested != NULL && courier->handover != NULL &&
           event_add(courier->handover, NULL) == 0;
}

static int serve(struct courier *courier)
{
    if (!open_courier(courier))
        return CHILD_EXIT_SETUP;
    if (jail_enter(courier->heritage) != JAIL_WHOLE && courier->heritage->jail == JAIL_REQUIRED)
        return CHILD_EXIT_JAIL;
    while (courier->status < 0)
        if (event_base_dispatch(courier->base) != 0)
            courier_end(courier, CHILD_EXIT_SETUP);
    return courier->status;
}

int courier_run(struct heritage *heritage)
{
    struct courier courier = {.heritage = heritage, .status = -1};
    struct heritage_maps maps;
    char number[12];

    if (!heritage_attach(heritage, &maps) || fcntl(heritage->handover_fd, F_SETFL, O_NONBLOCK) != 0)
        return CHILD_EXIT_SETUP;
    courier.view = maps.view;
    courier.part = maps.part;
    snprintf(number, sizeof number, "%u", (unsigned)heritage->slot);
    proctitle_set("chatroomd: courier ", number, NULL);
    allocate_tables(&courier);
    return serve(&courier);
}
