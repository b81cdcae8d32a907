/* SPDX-License-Identifier: ISC */
/*
 * child.c - see child.h.
 *
 * Model:
 * 1. The relay of a child is open before its process exists: what is sent meanwhile waits there.
 * 2. The death of a child is seen in two halves, in either order: EOF on its relay, which comes after
 *    its last frame, and its exit status. EOF always comes, since only the child has the other end.
 *    So only children whose relay has ended are reaped, each by its own process ID.
 * 3. Exits reach the rest of the supervisor by the calls `exited` and `gone` of the kind, from here
 *    alone.
 * 4. The watchdog pings a watched child that has work, one PING at a time; a child that does not
 *    answer for HANG_MS is at fault. Only time in which the supervisor ran counts: if all processes
 *    stood still, none of them was late. A child that answers a PING that has not left yet guesses,
 *    and is at fault too: otherwise what it does not read would pile up here.
 *
 * Overflow: a child has one size; frames that its relay does not accept are bounded by whoever sends
 * them.
 */
#include "config.h"

#include "supervisor/child/child.h"

#include "relay/relay.h"
#include "supervisor/child/spawner.h"
#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a watched child may take to answer; on a busy machine that takes longer. */
#define HANG_MS 3000u

/* More time than that between two answers was the supervisor's or the child's, not its clients'. */
#define COUNTED_MAX_MS 400u

static struct child *find(const struct supervisor *supervisor, unsigned kind, unsigned number)
{
    return (struct child *)(void *)((char *)supervisor->children.tables[kind].first +
                                    number * supervisor->children.tables[kind].stride);
}

static bool knows_child(const struct supervisor *supervisor, pid_t pid)
{
    for (unsigned kind = 0; kind < KINDS_MAX; kind++)
        for (unsigned i = 0; i < supervisor->children.tables[kind].count; i++) {
            const struct child *child = find(supervisor, kind, i);
            if (child->pid == pid && child->state == CHILD_RUNNING)
                return true;
        }
    return false;
}

static void child_answered(struct supervisor *supervisor, const struct forker_answer *answer)
{
    struct child *child = find(supervisor, answer->kind, answer->slot);

    child->silent_ms = 0;
    if (answer->pid == 0) {
        child_give_up(child);
        child->ops->failed(child, answer->failure);
    } else {
        child->state = CHILD_RUNNING;
        child->pid = answer->pid;
        child->ops->created(child);
    }
    children_reap(supervisor);
}

static const struct spawner_handler child_handler = {child_answered, knows_child};

void children_init(struct supervisor *supervisor)
{
    TAILQ_INIT(&supervisor->children.to_kill);
    TAILQ_INIT(&supervisor->children.closing);
}

void children_register(struct supervisor *supervisor, enum kind_number kind,
    const struct child_ops *ops, struct child *first, size_t stride, unsigned count)
{
    supervisor->children.tables[kind].first = first;
    supervisor->children.tables[kind].stride = stride;
    supervisor->children.tables[kind].count = count;
    supervisor->spawner.handlers[kind] = &child_handler;
    for (unsigned i = 0; i < count; i++)
        *find(supervisor, kind, i) =
            (struct child){.supervisor = supervisor, .ops = ops, .kind = kind, .number = i};
}

/* --- its relay */

static bool child_frame(void *context, const struct frame *frame)
{
    struct child *child = context;

    if (!child->faulted)
        child->ops->frame(child, frame);
    return true;
}

static void child_writable(void *context)
{
    struct child *child = context;

    child->ping_waits = false;
    child->ops->writable(child);
}

static void child_closed(void *context)
{
    struct child *child = context;

    relay_close(child->relay);
    child->relay = NULL;
    child_kill_after(child, child->ops->exit_grace_ms);
    if (!child->is_closing)
        TAILQ_INSERT_TAIL(&child->supervisor->children.closing, child, closing_link);
    child->is_closing = true;
    child->ops->closed(child);
}

static const struct relay_handler child_relay_handler = {
    .frame = child_frame,
    .writable = child_writable,
    .ended = child_closed,
};

bool child_open(struct child *child, int relay_fd)
{
    *child = (struct child){.supervisor = child->supervisor,
        .ops = child->ops,
        .kind = child->kind,
        .number = child->number};
    child->relay = relay_open(child->supervisor->base, relay_fd, &child_relay_handler, child);
    return child->relay != NULL;
}

const char *child_ask(struct child *child, uint32_t generation, int handover_fd)
{
    struct supervisor *supervisor = child->supervisor;
    struct forker_request request = {
        .kind = child->kind, .slot = child->number, .generation = generation};
    int ends[2], failure;
    bool is_asked;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return "socketpair";
    if (!child_open(child, ends[0])) {
        failure = errno;
        close(ends[1]);
        errno = failure;
        return "relay";
    }
    is_asked = spawner_ask(&supervisor->spawner, &request, ends[1], handover_fd);
    failure = errno;
    close(ends[1]);
    errno = failure;
    if (!is_asked)
        return "forker";
    child->state = CHILD_ASKED;
    return NULL;
}

/* --- its end */

void child_fault(struct child *child, const char *what)
{
    if (child->faulted || child->state == CHILD_NONE)
        return;
    child->faulted = true;
    child->ops->fault(child, what);
    child_kill_after(child, 0);
}

static void set_kill_pending(struct child *child, bool pending)
{
    struct child_list *list = &child->supervisor->children.to_kill;

    if (child->kill_pending == pending)
        return;
    child->kill_pending = pending;
    if (pending)
        TAILQ_INSERT_TAIL(list, child, kill_link);
    else
        TAILQ_REMOVE(list, child, kill_link);
}

void child_kill_after(struct child *child, unsigned delay)
{
    uint64_t when = clock_ms(child->supervisor) + delay;

    if (child->state == CHILD_REAPED || child->state == CHILD_NONE)
        return;
    if (!child->kill_pending || when < child->kill_at)
        child->kill_at = when;
    set_kill_pending(child, true);
}

void child_cancel_kill(struct child *child)
{
    set_kill_pending(child, false);
}

bool children_kill_due(struct supervisor *supervisor)
{
    struct child *child, *next;

    for (child = TAILQ_FIRST(&supervisor->children.to_kill); child != NULL; child = next) {
        next = TAILQ_NEXT(child, kill_link);
        /* A child whose process ID is not known yet is killed when it is. */
        if (child->kill_at > clock_ms(supervisor) || child->state != CHILD_RUNNING)
            continue;
        kill(child->pid, SIGKILL);
        child->killed = true;
        set_kill_pending(child, false);
    }
    return !TAILQ_EMPTY(&supervisor->children.to_kill);
}

/* From here on its process ID may be another process's. */
static void set_reaped(struct child *child)
{
    child->state = CHILD_REAPED;
    set_kill_pending(child, false);
}

void child_give_up(struct child *child)
{
    set_reaped(child);
    if (child->relay != NULL)
        relay_finish(child->relay); /* a child that was created all the same exits then */
}

bool child_is_gone(const struct child *child)
{
    return child->relay == NULL && (child->state == CHILD_REAPED || child->state == CHILD_NONE);
}

static void reap(struct child *child)
{
    pid_t pid;

    if (child->state != CHILD_RUNNING)
        return;
    pid = waitpid(child->pid, &child->wait_status, WNOHANG);
    if (pid == 0)
        return;
    if (pid < 0)
        child->wait_status = 0; /* somebody else has waited for it; it has exited all the same */
    set_reaped(child);
    child->ops->exited(child);
}

void children_reap(struct supervisor *supervisor)
{
    struct children *children = &supervisor->children;
    struct child *child;

    for (child = TAILQ_FIRST(&children->closing); child != NULL; child = children->next) {
        children->next = TAILQ_NEXT(child, closing_link);
        reap(child);
        if (child_is_gone(child))
            child->ops->gone(child);
    }
}

void child_forget(struct child *child)
{
    struct children *children = &child->supervisor->children;

    set_kill_pending(child, false);
    if (children->next == child)
        children->next = TAILQ_NEXT(child, closing_link);
    if (child->is_closing)
        TAILQ_REMOVE(&children->closing, child, closing_link);
    child->is_closing = false;
    child->state = CHILD_NONE;
    child->pid = 0;
}

void child_destroy(struct child *child)
{
    if (child->relay != NULL)
        relay_close(child->relay);
    child->relay = NULL;
    if (child->state == CHILD_RUNNING) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    child_forget(child);
}

/* --- the watchdog */

/* A new child is pinged once in any case. */
static bool has_work(struct child *child)
{
    return child->pinged == 0 || child->ops->has_work(child);
}

static bool has_answered(const struct child *child)
{
    return child->ops->last_answer(child) == child->pinged;
}

static void ping(struct child *child)
{
    child->pinged++;
    child->silent_ms = 0;
    relay_send(child->relay, &(struct frame){.kind = FRAME_PING, .from = child->pinged}, 1);
    child->ping_waits = relay_blocked(child->relay);
}

bool child_is_watched(struct child *child)
{
    return child->state == CHILD_RUNNING && child->relay != NULL &&
           (has_work(child) || !has_answered(child));
}

void child_watch(struct child *child, uint64_t elapsed)
{
    child->counted_ms = 0;
    if (child->state != CHILD_RUNNING || child->relay == NULL)
        return;
    child->uncounted_ms += elapsed;
    if (!has_answered(child)) {
        child->silent_ms += elapsed;
        if (child->silent_ms > HANG_MS)
            child_fault(child, "it does not answer");
        return;
    }
    if (child->ping_waits) {
        child_fault(child, "it answers what it was not asked yet");
        return;
    }
    child->counted_ms = child->uncounted_ms < COUNTED_MAX_MS ? child->uncounted_ms : COUNTED_MAX_MS;
    child->uncounted_ms = 0;
    if (has_work(child))
        ping(child);
}
