/*
 * newcomer.c - accepting.
 *
 * Model:
 * 1. A newcomer gets a slot, a relay and, through the forker, a worker. Until the forker's answer
 * the supervisor keeps the client's descriptor, to tell it where there is no worker to be had.
 * 2. Accepting pauses after ACCEPTS_PER_TURN, so that a crowd does not delay those who are there;
 * while FORKER_PENDING_MAX workers are in the making; and for ACCEPT_RETRY_MS when accept(2) fails,
 * since libevent would call the error callback without end (EMFILE leaves the connection in the
 * backlog).
 * 3. A refused newcomer gets one best-effort line. A run of refusals for the same reason is one
 * line in the log at its beginning and one with the count at its end.
 * 4. When the forker dies, newcomers in the making are refused, and it is made anew. A worker that
 * was made but not announced sees its end on its relay; its exit status is swept up unread.
 *
 * Overflow: nothing grows with those who are not let in but the kernel's backlog.
 */
#include "config.h"

#include "supervisor/newcomer.h"

#include "base/alloc.h"
#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/order.h"
#include "supervisor/slot.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 32u
#define ACCEPT_RETRY_MS  100u

/* What a newcomer may have sent already is read before the close, up to this many bytes: closing
 * with unread input would reset the connection, and the line with the reason could be lost. */
#define REFUSAL_DISCARD_MAX 65536

static void refuse(int fd, const char *line)
{
    char discarded[4096];
    size_t total = 0;
    ssize_t length;

    if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        shutdown(fd, SHUT_WR);
    while (total < REFUSAL_DISCARD_MAX &&
           (length = recv(fd, discarded, sizeof discarded, MSG_DONTWAIT)) > 0)
        total += (size_t)length;
    close(fd);
}

static void refuse_full(struct newcomers *newcomers, int fd)
{
    struct supervisor *supervisor = newcomers->supervisor;
    char line[96];

    supervisor->counters.refused_full++;
    newcomers->refused_in_run++;
    if (!newcomers->told_full)
        log_event(
            LOG_LEVEL_WARNING, "refused", "reason=full max-clients=%u", supervisor->slot_count);
    newcomers->told_full = true;
    snprintf(line, sizeof line, "! The server is full (%u clients); try again later\n",
        supervisor->slot_count);
    refuse(fd, line);
}

static void refuse_busy(struct newcomers *newcomers, int fd, const char *what, int failure)
{
    char quoted[128];

    newcomers->supervisor->counters.refused_busy++;
    newcomers->refused_in_run++;
    if (!newcomers->told_busy)
        log_event(LOG_LEVEL_ERROR, "refused", "reason=busy what=%s error=%s", what,
            log_quote(quoted, sizeof quoted, strerror(failure)));
    newcomers->told_busy = true;
    refuse(fd, "! The server is busy; try again later\n");
}

/* Whether the peer's address pays for crashes; then it is told, and closed. */
static bool refuse_punished(struct newcomers *newcomers, int fd, const struct penalty_key *key)
{
    struct supervisor *supervisor = newcomers->supervisor;
    uint64_t left = penalty_left(supervisor->penalties, key, clock_ms(supervisor));
    char line[128];

    if (left == 0)
        return false;
    supervisor->counters.refused_punished++;
    newcomers->refused_in_run++;
    snprintf(line, sizeof line,
        "! Too many connections from your address have crashed; try again in %" PRIu64 " s\n",
        (left + 999) / 1000);
    refuse(fd, line);
    return true;
}

/* A newcomer was let in: a run of refusals is over. */
static void log_run_over(struct newcomers *newcomers)
{
    if (newcomers->refused_in_run > 0)
        log_event(LOG_LEVEL_NOTICE, "accepting", "refused=%" PRIu64, newcomers->refused_in_run);
    newcomers->refused_in_run = 0;
    newcomers->told_full = newcomers->told_busy = false;
}

/* Nothing came of this newcomer: no worker was made. */
static void give_up(struct slot *slot)
{
    slot_worker_is_gone(slot);
    if (slot->relay != NULL)
        slot_relay_ended(slot);
    slot_end(slot, END_NO_WORKER, FRAME_END_EVICT);
    slot_try_free(slot);
}

static bool relay_frame(void *context, const struct frame *frame)
{
    order_frame(context, frame);
    return true;
}

static void relay_writable(void *context)
{
    slot_mark(context);
}

static void relay_ended(void *context)
{
    slot_relay_ended(context);
}

static const struct relay_handler worker_handler = {
    .frame = relay_frame,
    .writable = relay_writable,
    .ended = relay_ended,
};

/* Makes the relay and asks for the worker. Returns NULL, or what could not be done. */
static const char *start_worker(struct newcomers *newcomers, struct slot *slot)
{
    struct forker_request request = {
        .kind = WORKER_KIND_CLIENT, .slot = slot->number, .generation = slot->generation};
    int ends[2];
    bool asked;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return "socketpair";
    slot->relay = relay_open(newcomers->supervisor->base, ends[0], &worker_handler, slot);
    if (slot->relay == NULL) {
        close(ends[1]);
        return "relay";
    }
    memcpy(request.address, slot->address, sizeof request.address);
    asked = forker_ask(&newcomers->forker, &request, slot->client_fd, ends[1]);
    int failure = errno;
    close(ends[1]);
    errno = failure;
    return asked ? NULL : "forker";
}

static void pause_accepting(struct newcomers *newcomers)
{
    for (size_t i = 0; i < newcomers->count && !newcomers->paused; i++)
        evconnlistener_disable(newcomers->acceptors[i]);
    newcomers->paused = true;
}

static void accepted(struct evconnlistener *acceptor, evutil_socket_t fd, struct sockaddr *peer,
    int peer_length, void *argument)
{
    struct newcomers *newcomers = argument;
    struct penalty_key key = penalty_key_of(peer);
    struct slot *slot;
    const char *failed;

    (void)acceptor, (void)peer_length;
    newcomers->supervisor->counters.accepted++;
    newcomers->told_accept = false;
    if (++newcomers->accepted_in_turn >= ACCEPTS_PER_TURN)
        pause_accepting(newcomers);
    if (refuse_punished(newcomers, fd, &key))
        return;
    slot = slot_take(newcomers->supervisor);
    if (slot == NULL) {
        refuse_full(newcomers, fd);
        return;
    }
    listener_peer_text(fd, peer, slot->address, sizeof slot->address);
    slot->penalty_key = key;
    slot->client_fd = fd;
    failed = start_worker(newcomers, slot);
    if (failed != NULL) {
        refuse_busy(newcomers, fd, failed, errno);
        slot->client_fd = -1;
        give_up(slot);
    }
    if (newcomers->forker.pending >= FORKER_PENDING_MAX)
        pause_accepting(newcomers);
}

static void accept_failed(struct evconnlistener *acceptor, void *argument)
{
    struct newcomers *newcomers = argument;
    int failure = errno;
    char quoted[128];

    (void)acceptor;
    if (!newcomers->told_accept)
        log_event(LOG_LEVEL_ERROR, "refused", "reason=accept error=%s",
            log_quote(quoted, sizeof quoted, strerror(failure)));
    newcomers->told_accept = true;
    newcomers->resume_at = clock_ms(newcomers->supervisor) + ACCEPT_RETRY_MS;
    pause_accepting(newcomers);
}

/* The forker's answer about one newcomer. */
static void settle(struct newcomers *newcomers, const struct forker_answer *answer)
{
    struct slot *slot = &newcomers->supervisor->slots[answer->slot];
    int fd = slot->client_fd;

    slot->client_fd = -1;
    if (answer->pid == 0) {
        refuse_busy(newcomers, fd, "fork", answer->failure);
        give_up(slot);
        return;
    }
    close(fd);
    slot->pid = answer->pid;
    if (slot->state == SLOT_STARTING && slot->queue_count == 0)
        slot_doom(slot, ENTER_TIMEOUT_MS);
    log_run_over(newcomers);
    slots_reap(newcomers->supervisor);
}

/* Refuses all newcomers in the making; their workers may or may not exist. */
static void lose_pending(struct newcomers *newcomers)
{
    struct supervisor *supervisor = newcomers->supervisor;

    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state == SLOT_FREE || slot->client_fd < 0)
            continue;
        refuse_busy(newcomers, slot->client_fd, "forker", ECHILD);
        slot->client_fd = -1;
        slot->pid_lost = true;
        supervisor->lost_children++;
        slot_end(slot, END_NO_WORKER, FRAME_END_EVICT);
    }
}

static void answers_readable(evutil_socket_t fd, short what, void *argument);

static bool watch_answers(struct newcomers *newcomers)
{
    newcomers->answers = event_new(newcomers->supervisor->base, newcomers->forker.control,
        EV_READ | EV_PERSIST, answers_readable, newcomers);
    return newcomers->answers != NULL && event_add(newcomers->answers, NULL) == 0;
}

static void replace_forker(struct newcomers *newcomers)
{
    char quoted[128];

    event_free(newcomers->answers);
    newcomers->answers = NULL;
    forker_stop(&newcomers->forker);
    lose_pending(newcomers);
    if (forker_start(&newcomers->forker, &newcomers->setup) && watch_answers(newcomers)) {
        log_event(LOG_LEVEL_ERROR, "forker-replaced", "pid=%ld", (long)newcomers->forker.pid);
        return;
    }
    log_event(LOG_LEVEL_ERROR, "forker-lost", "error=%s",
        log_quote(quoted, sizeof quoted, strerror(errno)));
    forker_stop(&newcomers->forker);
    newcomers->resume_at = clock_ms(newcomers->supervisor) + ACCEPT_RETRY_MS;
    pause_accepting(newcomers);
}

static void answers_readable(evutil_socket_t fd, short what, void *argument)
{
    struct newcomers *newcomers = argument;
    struct forker_answer answer;
    int outcome;

    (void)fd, (void)what;
    while ((outcome = forker_take(&newcomers->forker, &answer)) == 1)
        settle(newcomers, &answer);
    if (outcome < 0)
        replace_forker(newcomers);
}

bool newcomers_prepare(struct newcomers *newcomers, struct supervisor *supervisor,
    const struct worker_kind *kinds, struct listener *listeners, size_t count)
{
    newcomers->supervisor = supervisor;
    newcomers->listeners = listeners;
    newcomers->count = count;
    newcomers->setup = (struct forker_setup){
        .kinds = kinds,
        .region_read_only_fd = supervisor->region.read_only_fd,
        .region_read_write_fd = supervisor->region.read_write_fd,
        .max_message = supervisor->options->max_message,
        .drain_timeout_ms = supervisor->options->drain_timeout_ms,
        .jail = supervisor->options->jail,
        .worker_uid_base = supervisor->options->worker_uid_base,
        .worker_gid = supervisor->options->gid,
    };
    return forker_start(&newcomers->forker, &newcomers->setup);
}

bool newcomers_open(struct newcomers *newcomers)
{
    struct event_base *base = newcomers->supervisor->base;

    newcomers->acceptors = alloc_zeroed(newcomers->count, sizeof *newcomers->acceptors);
    for (size_t i = 0; i < newcomers->count; i++) {
        newcomers->acceptors[i] = evconnlistener_new(base, accepted, newcomers,
            LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, newcomers->listeners[i].fd);
        if (newcomers->acceptors[i] == NULL)
            return false;
        evconnlistener_set_error_cb(newcomers->acceptors[i], accept_failed);
        if (evconnlistener_enable(newcomers->acceptors[i]) != 0)
            return false;
    }
    return watch_answers(newcomers);
}

/* Whether there is still a reason to pause; where the forker is missing, tries to make one. */
static bool must_pause(struct newcomers *newcomers)
{
    if (newcomers->resume_at > clock_ms(newcomers->supervisor))
        return true;
    newcomers->resume_at = 0;
    if (newcomers->forker.pid == 0) {
        if (!forker_start(&newcomers->forker, &newcomers->setup) || !watch_answers(newcomers)) {
            newcomers->resume_at = clock_ms(newcomers->supervisor) + ACCEPT_RETRY_MS;
            return true;
        }
    }
    return newcomers->forker.pending >= FORKER_PENDING_MAX / 2;
}

bool newcomers_turn(struct newcomers *newcomers)
{
    newcomers->accepted_in_turn = 0;
    if (!newcomers->paused || newcomers->closed || must_pause(newcomers))
        return newcomers->resume_at != 0;
    newcomers->paused = false;
    for (size_t i = 0; i < newcomers->count; i++)
        if (evconnlistener_enable(newcomers->acceptors[i]) != 0) {
            newcomers->resume_at = clock_ms(newcomers->supervisor) + ACCEPT_RETRY_MS;
            newcomers->paused = true;
        }
    return newcomers->paused;
}

void newcomers_close(struct newcomers *newcomers)
{
    for (size_t i = 0; i < newcomers->count; i++) {
        if (newcomers->acceptors != NULL && newcomers->acceptors[i] != NULL)
            evconnlistener_free(newcomers->acceptors[i]);
        listener_close(&newcomers->listeners[i]);
    }
    free(newcomers->acceptors);
    newcomers->acceptors = NULL;
    newcomers->count = 0;
    newcomers->closed = true;
    newcomers->resume_at = 0;
}

void newcomers_finish(struct newcomers *newcomers)
{
    if (newcomers->answers != NULL)
        event_free(newcomers->answers);
    newcomers->answers = NULL;
    forker_stop(&newcomers->forker);
}
