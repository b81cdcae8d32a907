/*
 * couriers.c - the supervisor's side of couriers.
 *
 * Model:
 * 1. A client gets a courier with the first record that it is owed: the first courier that has less
 *    than courier-clients, so that a small room wakes one process, or else the one with the fewest.
 *    The first courier is made at the start, each other when it is needed.
 * 2. A courier is one reader of the ring (reader.c), whatever the number of its clients. It is told
 *    of a turn's records once; nothing is done here for each client and message. Where one client
 *    stands is only looked at when it ends, when it may have to be evicted, and when its courier
 *    has died.
 * 3. What is due for a client (SERVE, MEMBER, END) is state in its slot, and the slot is in the
 *    courier's list of news; SERVE and MEMBER are said before the turn's DELIVER, END after it (so
 *    who ends is out of the room before: the turn goes on after its `left`). The
 *    descriptor goes by the handover socket, and what that does not take waits in a list.
 * 4. A courier lets go of a client with DONE. Then the supervisor, which has kept a descriptor,
 *    shuts the connection down: for writing, and the worker waits until that is taken, where the
 *    end is a drain; wholly in any other case, since copies of the descriptor would keep it open.
 * 5. Death: EOF on the relay, then the process is killed, should it still be there, and reaped.
 *    Only then, when it can write no more, its clients' stands are found out (resume.c) and
 *    recorded as the beginning for the next courier, which has the same number and a part of the
 *    region zeroed for it. Whose stand cannot be known is ended, with a reason.
 * 6. Hanging: while there is something that it should do, a courier is asked with ALIVE, each tick
 *    that the last one was answered; one that does not answer for HANG_MS is killed. A client's
 *    stalling counts only while its courier answers, or a courier's fault would be its clients'.
 *
 * Overflow: each list holds a slot at most once; frames that a relay does not take wait there, at
 * most four for each client, and as long as they do none are added.
 */
#include "config.h"

#include "supervisor/couriers.h"

#include "base/alloc.h"
#include "base/log.h"
#include "relay/handover.h"
#include "relay/relay.h"
#include "supervisor/clock.h"
#include "supervisor/resume.h"
#include "supervisor/slot.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a courier may take to answer; a busy machine takes its time. */
#define HANG_MS 3000u

/* Between two tries to make one, when the last try failed or what it made did nothing. */
#define RETRY_MS 100u

/* Frames that leave in one send. */
#define BATCH_MAX 64u

/* More time than that between two judgements was ours or the courier's. */
#define JUDGED_MAX_MS 400u

enum courier_phase {
    COURIER_DOWN,   /* there is none, and none is being made */
    COURIER_MAKING, /* asked for; its relay is there, its process may be */
    COURIER_RUNS,
    COURIER_DYING /* its relay is at its end, or it is killed; not reaped yet */
};

struct courier {
    struct supervisor *supervisor;
    unsigned number;
    enum courier_phase state;
    struct reader reader;
    struct courier_part part;
    struct relay *relay;
    int handover_fd;
    struct event *handover_writable;
    pid_t pid;
    uint32_t generation;
    uint64_t retry_at;
    unsigned clients, members;
    struct slot_list served, news, handovers;
    bool is_dirty;
    bool is_asked_for;         /* the forker has not answered yet */
    const _Atomic pid_t *born; /* the forker died before it could tell: the pid, or 0 */
    bool is_missed;            /* it could not be made, and that is logged */

    uint64_t asked, asked_at;
    uint64_t unjudged_ms, judged_ms;
};

/* --- frames to a courier */

struct courier_batch {
    struct courier *courier;
    struct frame frames[BATCH_MAX];
    size_t count;
};

static void send_batch(struct courier_batch *batch)
{
    if (batch->count > 0)
        relay_send(batch->courier->relay, batch->frames, batch->count);
    batch->count = 0;
}

static void add_to_batch(struct courier_batch *batch, const struct frame *frame)
{
    if (batch->count == BATCH_MAX)
        send_batch(batch);
    batch->frames[batch->count++] = *frame;
}

static void mark(struct slot *slot)
{
    struct courier *courier = slot->courier;

    courier->is_dirty = true;
    if (slot->has_news)
        return;
    slot->has_news = true;
    TAILQ_INSERT_TAIL(&courier->news, slot, news_link);
}

static void unmark(struct slot *slot)
{
    if (slot->has_news)
        TAILQ_REMOVE(&slot->courier->news, slot, news_link);
    slot->has_news = false;
}

/* What comes before the turn's records. */
static void say_beginning(struct courier_batch *batch, struct slot *slot)
{
    struct frame frame = {.slot = slot->number, .generation = slot->generation};

    if (slot->serve_due) {
        frame.kind = FRAME_SERVE;
        frame.from = slot->served_from;
        frame.length = (uint32_t)slot->served_partial;
        add_to_batch(batch, &frame);
    }
    if (slot->courier_member_due) {
        frame.kind = FRAME_MEMBER;
        frame.detail = 1;
        frame.room = ROOM_LOBBY;
        frame.from = slot->joined;
        add_to_batch(batch, &frame);
    }
    if (slot->courier_end_due) {
        frame.kind = FRAME_MEMBER;
        frame.detail = 0;
        frame.room = ROOM_LOBBY;
        frame.from = slot->courier_end_to + 1;
        add_to_batch(batch, &frame);
    }
    slot->serve_due = slot->courier_member_due = false;
}

/* What comes after them. */
static void say_end(struct courier_batch *batch, struct slot *slot)
{
    if (slot->courier_end_due)
        add_to_batch(batch, &(struct frame){
                                .kind = FRAME_END,
                                .detail = (uint8_t)slot->courier_end_how,
                                .to = slot->courier_end_to,
                                .slot = slot->number,
                                .generation = slot->generation,
                            });
    slot->courier_end_due = false;
}

static void send_descriptors(struct courier *courier)
{
    struct slot *slot;

    while ((slot = TAILQ_FIRST(&courier->handovers)) != NULL) {
        struct handover_served whose = {.slot = slot->number, .generation = slot->generation};

        if (!handover_send(courier->handover_fd, &whose, sizeof whose, &slot->client_fd, 1)) {
            if (errno == EAGAIN)
                event_add(courier->handover_writable, NULL);
            else
                courier->is_dirty =
                    true; /* too many in flight, or it is dead and its relay tells */
            return;
        }
        TAILQ_REMOVE(&courier->handovers, slot, handover_link);
        slot->handover_due = false;
    }
}

static void handover_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    send_descriptors(argument);
}

static void tell(struct courier *courier)
{
    struct supervisor *supervisor = courier->supervisor;
    struct courier_batch batch = {.courier = courier};
    struct frame deliver;
    struct slot *slot;

    if (courier->relay == NULL || relay_blocked(courier->relay))
        return; /* its becoming writable, or its replacement, looks again */
    courier->is_dirty = false;
    /* What is before it in the order is told with it. */
    if (courier->reader.untold_from != 0 && courier->members > 0 && supervisor->turn_first != 0)
        reader_owe(&courier->reader, supervisor->turn_first, supervisor->turn_last);
    TAILQ_FOREACH(slot, &courier->news, news_link)
    say_beginning(&batch, slot);
    if (reader_tell(&courier->reader, &deliver))
        add_to_batch(&batch, &deliver);
    while ((slot = TAILQ_FIRST(&courier->news)) != NULL) {
        say_end(&batch, slot);
        unmark(slot);
    }
    send_batch(&batch);
    send_descriptors(courier);
}

void couriers_tell(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++)
        if (supervisor->couriers[i].is_dirty)
            tell(&supervisor->couriers[i]);
}

void couriers_owe_turn(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (courier->members > 0 &&
            reader_owe(&courier->reader, supervisor->turn_first, supervisor->turn_last))
            courier->is_dirty = true;
    }
}

/* --- one client */

static void start(struct courier *courier);

static struct courier *choose(struct supervisor *supervisor)
{
    struct courier *least = &supervisor->couriers[0];

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (courier->clients < supervisor->options->courier_clients)
            return courier;
        if (courier->clients < least->clients)
            least = courier;
    }
    return least;
}

static void add_handover(struct slot *slot)
{
    if (!slot->handover_due)
        TAILQ_INSERT_TAIL(&slot->courier->handovers, slot, handover_link);
    slot->handover_due = true;
}

/* The client gets its courier, which is to begin with record `from`. */
static void serve(struct slot *slot, uint64_t from)
{
    struct courier *courier = choose(slot->supervisor);

    slot->courier = courier;
    slot->was_served = true;
    slot->served_from = slot->reader.position = from;
    slot->served_partial = 0;
    if (!resume_written(slot->client_fd, &slot->wire_base))
        slot->wire_base = 0;
    slot->serve_due = true;
    courier->clients++;
    TAILQ_INSERT_TAIL(&courier->served, slot, served_link);
    add_handover(slot);
    mark(slot);
    if (courier->state == COURIER_DOWN && courier->retry_at == 0)
        start(courier);
}

void courier_owe(struct slot *slot, uint64_t first, uint64_t last)
{
    if (slot->courier == NULL && !slot->was_served)
        serve(slot, first);
    if (slot->courier != NULL && reader_owe(&slot->courier->reader, first, last))
        slot->courier->is_dirty = true;
}

void courier_joined(struct slot *slot)
{
    slot->courier->members++;
    slot->courier_member_due = true;
    mark(slot);
}

void courier_left(struct slot *slot)
{
    if (slot->courier != NULL)
        slot->courier->members--;
}

void courier_end(struct slot *slot, enum frame_end how)
{
    if (slot->courier == NULL) {
        slot->close_due = slot->close_due || how == FRAME_END_DRAIN;
        return;
    }
    if (slot->courier_is_ending && how <= slot->courier_end_how)
        return;
    slot->courier_is_ending = true;
    slot->courier_end_due = true;
    slot->courier_end_how = how;
    slot->courier_end_to = slot->courier->reader.owed_to - 1;
    slot->reader.owed_to = slot->courier->reader.owed_to;
    if (how == FRAME_END_DROP)
        shutdown(slot->client_fd, SHUT_RDWR);
    mark(slot);
}

const struct delivery_state *courier_delivery(const struct slot *slot)
{
    return &slot->courier->part.deliveries[slot->number];
}

static void fault(struct courier *courier, const char *what)
{
    char quoted[128];

    if (courier->state != COURIER_MAKING && courier->state != COURIER_RUNS)
        return;
    log_event(LOG_LEVEL_ERROR, "courier-fault", "courier=%u pid=%ld what=%s", courier->number,
        (long)courier->pid, log_quote(quoted, sizeof quoted, what));
    if (courier->pid != 0)
        kill(courier->pid, SIGKILL);
}

uint64_t courier_position(struct slot *slot)
{
    const struct delivery_state *state = courier_delivery(slot);
    uint64_t position;

    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation)
        return slot->reader.position;
    position = atomic_load_explicit(&region_mark(state)->position, memory_order_acquire);
    if (position < slot->reader.position || position > slot->courier->reader.told_to)
        fault(slot->courier, "position outside of what was delivered");
    else
        slot->reader.position = position;
    return slot->reader.position;
}

uint64_t courier_stalled_at(struct slot *slot)
{
    const struct delivery_state *state = courier_delivery(slot);

    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation ||
        atomic_load_explicit(&state->waits, memory_order_acquire) == 0)
        return 0;
    return courier_position(slot);
}

uint64_t courier_judged_ms(const struct slot *slot)
{
    return slot->courier->judged_ms;
}

/* The client is no courier's any more. */
static void release(struct slot *slot)
{
    struct courier *courier = slot->courier;

    unmark(slot);
    if (slot->handover_due)
        TAILQ_REMOVE(&courier->handovers, slot, handover_link);
    TAILQ_REMOVE(&courier->served, slot, served_link);
    slot->handover_due = slot->serve_due = slot->courier_end_due = false;
    courier->clients--;
    slot->courier = NULL;
    if (slot->end_how == FRAME_END_DRAIN) {
        slot->close_due = true;
        slot_mark(slot);
    }
}

/* Its courier is done with it, or dead: what it did not get begins at `position`. `reason` is why,
 * where that is not the end that it had already. */
static void part_with(struct slot *slot, uint64_t position, enum end_reason reason, int how)
{
    if (reason != END_NONE)
        slot_end(slot, reason, FRAME_END_EVICT);
    slot->first_missing = position <= slot->courier_end_to ? position : 0;
    slot->cut_by = reason;
    shutdown(slot->client_fd, how);
    release(slot);
    slot_try_free(slot);
}

static void take_done(struct courier *courier, const struct frame *frame)
{
    struct slot *slot = &courier->supervisor->slots[frame->slot];
    /* Where it is to be dropped, it was the supervisor that took the connection away. */
    bool is_lost = frame->detail == FRAME_DONE_LOST &&
                   !(slot->courier_is_ending && slot->courier_end_how == FRAME_END_DROP);
    bool drained = frame->detail == FRAME_DONE_ENDED && slot->end_how == FRAME_END_DRAIN;

    if (slot->courier != courier || slot->generation != frame->generation ||
        (frame->detail == FRAME_DONE_ENDED && !slot->courier_is_ending)) {
        fault(courier, "done with a client that is not its own");
        return;
    }
    part_with(slot, courier_position(slot), is_lost ? END_CONNECTION_LOST : END_NONE,
        drained ? SHUT_WR : SHUT_RDWR);
}

/* --- its process */

static bool take_frame(void *context, const struct frame *frame)
{
    struct courier *courier = context;
    enum frame_verdict verdict =
        frame_judge(frame, FRAME_FROM_COURIER, &courier->supervisor->limits);

    if (verdict != FRAME_FINE)
        fault(courier, frame_verdict_word(verdict));
    else if (frame->kind == FRAME_DONE)
        take_done(courier, frame);
    return true; /* SPACE: that it came is enough, the turn looks at what waits */
}

static void relay_writable(void *context)
{
    struct courier *courier = context;

    courier->is_dirty = true;
}

static void relay_ended(void *context)
{
    struct courier *courier = context;

    relay_close(courier->relay);
    courier->relay = NULL;
    courier->state = COURIER_DYING;
    if (courier->pid != 0)
        kill(courier->pid, SIGKILL);
}

static const struct relay_handler courier_handler = {
    .frame = take_frame,
    .writable = relay_writable,
    .ended = relay_ended,
};

static void close_sockets(struct courier *courier)
{
    if (courier->relay != NULL)
        relay_close(courier->relay);
    courier->relay = NULL;
    if (courier->handover_writable != NULL)
        event_free(courier->handover_writable);
    courier->handover_writable = NULL;
    if (courier->handover_fd >= 0)
        close(courier->handover_fd);
    courier->handover_fd = -1;
}

/* Its sockets, and the other ends of them. */
static bool open_sockets(struct courier *courier, int *handover, int *relay)
{
    int ends[2];

    if (!handover_pair(&courier->handover_fd, handover))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        close(*handover);
        return false;
    }
    courier->relay = relay_open(courier->supervisor->base, ends[0], &courier_handler, courier);
    courier->handover_writable = event_new(
        courier->supervisor->base, courier->handover_fd, EV_WRITE, handover_writable, courier);
    *relay = ends[1];
    if (courier->relay != NULL && courier->handover_writable != NULL)
        return true;
    close(*handover);
    close(*relay);
    return false;
}

static void log_missing(struct courier *courier, const char *what, int failure)
{
    char quoted[128];

    if (!courier->is_missed)
        log_event(LOG_LEVEL_ERROR, "courier-missing", "courier=%u what=%s error=%s",
            courier->number, what, log_quote(quoted, sizeof quoted, strerror(failure)));
    courier->is_missed = true;
}

static void go_down(struct courier *courier, const char *what, int failure)
{
    close_sockets(courier);
    courier->state = COURIER_DOWN;
    courier->retry_at = clock_ms(courier->supervisor) + RETRY_MS;
    log_missing(courier, what, failure);
}

/* Model, 6. */
static void ask(struct courier *courier)
{
    if (courier->relay == NULL)
        return;
    courier->asked++; /* one frame, whatever waits before it: it is what tells that it hangs */
    courier->asked_at = clock_ms(courier->supervisor);
    relay_send(courier->relay, &(struct frame){.kind = FRAME_ALIVE, .from = courier->asked}, 1);
}

static uint64_t last_answer(const struct courier *courier)
{
    return atomic_load_explicit(&courier->part.state->answered, memory_order_acquire);
}

/* Asks for its process; what there is to say waits in its sockets. */
static void start(struct courier *courier)
{
    struct forker_request request = {
        .kind = WORKER_KIND_COURIER,
        .slot = courier->number,
        .generation = ++courier->generation,
    };
    int handover, relay;
    bool asked;

    courier->retry_at = 0;
    courier->pid = 0;
    courier->born = NULL;
    courier->asked = 0;
    if (!open_sockets(courier, &handover, &relay)) {
        go_down(courier, "sockets", errno);
        return;
    }
    asked = maker_ask(&courier->supervisor->maker, &request, handover, relay);
    int failure = errno;
    close(handover);
    close(relay);
    courier->state = COURIER_MAKING;
    courier->is_asked_for = asked;
    courier->is_dirty = true;
    if (asked)
        ask(courier);
    else
        go_down(courier, "forker", failure);
}

static void answered(struct supervisor *supervisor, const struct forker_answer *answer)
{
    struct courier *courier = &supervisor->couriers[answer->slot];

    courier->is_asked_for = false;
    if (answer->pid == 0) {
        log_missing(courier, "fork", answer->failure);
        courier->state = COURIER_DYING; /* what was said in vain is to be said again */
        return;
    }
    courier->pid = answer->pid;
    courier->is_missed = false;
    courier->asked_at = clock_ms(supervisor);
    if (courier->state == COURIER_MAKING)
        courier->state = COURIER_RUNS;
    log_event(LOG_LEVEL_INFO, "courier", "courier=%u pid=%ld", courier->number, (long)answer->pid);
}

/* One in the making may have been made all the same. It is asked to go, and killed as soon as it is
 * known; the end of its relay tells that it is gone, or never was. */
static void lost(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (!courier->is_asked_for)
            continue;
        courier->is_asked_for = false;
        courier->born = maker_born(&supervisor->maker, WORKER_KIND_COURIER, i);
        if (courier->relay != NULL)
            relay_finish(courier->relay);
    }
}

static const struct maker_handler courier_maker = {.answered = answered, .lost = lost};

/* --- its death */

/* Where the clients of a dead courier stand. Returns the lowest record that one of them needs, or
 * `told_to`. */
static uint64_t resume_all(struct courier *courier, uint64_t oldest_needed, uint64_t told_to)
{
    uint64_t lowest = told_to;
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&courier->served); slot != NULL; slot = next) {
        bool is_known, goes_on = !slot->courier_is_ending || slot->end_how == FRAME_END_DRAIN;

        next = TAILQ_NEXT(slot, served_link);
        is_known = resume_slot(slot, oldest_needed, told_to);
        if (!is_known || !goes_on || courier->supervisor->abandons) {
            part_with(slot, slot->served_from, is_known && !goes_on ? END_NONE : END_COURIER_LOST,
                SHUT_RDWR);
            continue;
        }
        if (slot->served_from < lowest)
            lowest = slot->served_from;
        slot->reader.position = slot->served_from;
        slot->serve_due = true;
        slot->courier_member_due = slot->joined != 0;
        slot->courier_end_due = slot->courier_is_ending;
        add_handover(slot);
        mark(slot);
    }
    return lowest;
}

/* The courier is dead and reaped: the next one begins where it has stopped. */
static void recover(struct courier *courier)
{
    struct reader *reader = &courier->reader;
    uint64_t told_to = reader->told_to;
    bool did_nothing = last_answer(courier) == 0;
    uint64_t lowest = resume_all(courier, reader_next(reader), told_to);

    close_sockets(courier);
    region_clear_courier(&courier->supervisor->region, courier->number);
    atomic_store(&courier->part.state->oldest_needed, lowest);
    reader->has_lied = false;
    reader->position = reader->told_to = lowest;
    reader->jump_end = reader->jump_from = 0;
    if (lowest < told_to)
        reader->untold_from = lowest;
    courier->state = COURIER_DOWN;
    courier->retry_at = did_nothing ? clock_ms(courier->supervisor) + RETRY_MS : 0;
    if (courier->retry_at == 0 && !courier->supervisor->abandons)
        start(courier);
}

/* The process that the forker did not live to announce, if there is one, has to go. */
static void find_unannounced(struct courier *courier)
{
    if (courier->born == NULL || courier->pid != 0)
        return;
    courier->pid = atomic_load(courier->born);
    if (courier->pid != 0)
        kill(courier->pid, SIGKILL);
}

static void reap(struct courier *courier)
{
    int status = 0;

    find_unannounced(courier);
    if (courier->is_asked_for ||
        (courier->pid != 0 && waitpid(courier->pid, &status, WNOHANG) == 0))
        return;
    if (courier->pid != 0)
        log_event(LOG_LEVEL_ERROR, "courier-crash", "courier=%u pid=%ld %s=%d clients=%u",
            courier->number, (long)courier->pid, WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), courier->clients);
    courier->pid = 0;
    recover(courier);
}

/* Whether there is anything that the courier has not done yet. */
static bool has_work(struct courier *courier)
{
    return courier->supervisor->waited ||
           reader_position(&courier->reader) < courier->reader.told_to;
}

bool couriers_turn(struct supervisor *supervisor)
{
    bool clock_needed = false;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (courier->reader.has_lied)
            fault(courier, "position outside of what was delivered");
        find_unannounced(courier);
        if (courier->state == COURIER_DYING)
            reap(courier);
        if (courier->state == COURIER_DOWN && courier->retry_at != 0 &&
            courier->retry_at <= clock_ms(supervisor))
            start(courier);
        clock_needed = clock_needed || courier->retry_at != 0 ||
                       !TAILQ_EMPTY(&courier->handovers) ||
                       (courier->state == COURIER_RUNS &&
                           (has_work(courier) || last_answer(courier) != courier->asked));
    }
    return clock_needed;
}

void couriers_tick(struct supervisor *supervisor, uint64_t elapsed)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        courier->judged_ms = 0;
        if (courier->state != COURIER_RUNS)
            continue;
        courier->unjudged_ms += elapsed;
        if (last_answer(courier) != courier->asked) {
            if (clock_ms(supervisor) - courier->asked_at > HANG_MS) {
                fault(courier, "it does not answer");
                courier->asked_at = clock_ms(supervisor);
            }
            continue;
        }
        courier->judged_ms =
            courier->unjudged_ms < JUDGED_MAX_MS ? courier->unjudged_ms : JUDGED_MAX_MS;
        courier->unjudged_ms = 0;
        if (has_work(courier))
            ask(courier);
    }
}

/* --- all of them */

bool couriers_open(struct supervisor *supervisor)
{
    unsigned count = supervisor->options->couriers;

    if (count == 0)
        return true;
    supervisor->couriers = alloc_zeroed(count, sizeof *supervisor->couriers);
    supervisor->courier_count = count;
    supervisor->maker.handlers[WORKER_KIND_COURIER] = &courier_maker;
    for (unsigned i = 0; i < count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        courier->supervisor = supervisor;
        courier->number = i;
        courier->handover_fd = -1;
        courier->part = region_courier(&supervisor->region, i);
        courier->reader = (struct reader){
            .oldest_needed = &courier->part.state->oldest_needed,
            .wanted = &supervisor->region.slots[supervisor->slot_count + i].wanted,
            .is_open = true,
        };
        TAILQ_INIT(&courier->served);
        TAILQ_INIT(&courier->news);
        TAILQ_INIT(&courier->handovers);
    }
    start(&supervisor->couriers[0]);
    return supervisor->couriers[0].state == COURIER_MAKING;
}

void couriers_abandon(struct supervisor *supervisor)
{
    supervisor->abandons = true;
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (courier->pid != 0)
            kill(courier->pid, SIGKILL);
        else if (courier->relay != NULL)
            relay_finish(courier->relay);
        else
            recover(courier);
    }
}

void couriers_close(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        close_sockets(courier);
        if (courier->pid == 0)
            continue;
        kill(courier->pid, SIGKILL); /* its clients are gone; it holds nothing else */
        while (waitpid(courier->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    free(supervisor->couriers);
    supervisor->couriers = NULL;
    supervisor->courier_count = 0;
}

struct reader *courier_reader(struct supervisor *supervisor, unsigned number)
{
    return &supervisor->couriers[number].reader;
}
