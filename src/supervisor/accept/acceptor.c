/* SPDX-License-Identifier: ISC */
/*
 * acceptor.c - accepts connections and assigns them to workers.
 *
 * Model:
 * 1. A new connection gets a slot with a worker: a spare one that lives, or one that is created for
 *    it (spare.c). The supervisor keeps the connection's descriptor until the worker exists, in order
 *    to refuse the connection if it cannot be created; with couriers it keeps it to the end.
 * 2. Accepting pauses after ACCEPTS_PER_TURN, so that a crowd does not delay the clients that are
 *    connected; while FORKER_PENDING_MAX workers are being created; and for ACCEPT_RETRY_MS if
 *    accept(2) fails, since libevent would call the error callback in a loop (after EMFILE the
 *    connection stays in the backlog).
 * 3. A refused connection gets one best-effort line. The log has at most one line per second for
 *    each reason of refusal (log_event_limited()).
 * 4. If the forker dies, connections whose worker it has not announced are refused. If such a worker
 *    was created nevertheless, and its client is in the room already, it is treated as a worker that
 *    has died.
 *
 * Overflow: only the kernel's backlog grows with connections that are not accepted.
 */
#include "config.h"

#include "supervisor/accept/acceptor.h"

#include "base/alloc.h"
#include "base/log.h"
#include "supervisor/client/slot.h"
#include "supervisor/client/spare.h"
#include "supervisor/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 32u
#define ACCEPT_RETRY_MS  100u

/* Up to so many bytes of input are read before a refused connection is closed: a close with unread
 * input would reset the connection, and the line with the reason could be lost. */
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

static void refuse_full(struct acceptor *acceptor, int fd)
{
    struct supervisor *supervisor = acceptor->supervisor;
    char line[96];

    supervisor->counters.refused_full++;
    log_event_limited(&acceptor->log_full, LOG_LEVEL_WARNING, "refused",
        "reason=full max-clients=%u", supervisor->slot_count);
    snprintf(line, sizeof line, "! The server is full (%u clients); try again later\n",
        supervisor->slot_count);
    refuse(fd, line);
}

static void refuse_busy(struct acceptor *acceptor, int fd, const char *what, int failure)
{
    struct supervisor *supervisor = acceptor->supervisor;
    char quoted[128];

    supervisor->counters.refused_busy++;
    log_event_limited(&acceptor->log_busy, LOG_LEVEL_ERROR, "refused",
        "reason=busy what=%s error=%s", what, log_quote(quoted, sizeof quoted, strerror(failure)));
    refuse(fd, "! The server is busy; try again later\n");
}

/* Refuses the connection if its address is in a penalty for crashes. Returns whether it did. */
static bool refuse_penalty(struct acceptor *acceptor, int fd, const struct penalty_key *key)
{
    struct supervisor *supervisor = acceptor->supervisor;
    uint64_t left = penalty_left(supervisor->penalties, key, clock_ms(supervisor));
    char line[128];

    if (left == 0)
        return false;
    supervisor->counters.refused_punished++;
    snprintf(line, sizeof line,
        "! Too many connections from your address have crashed; try again in %" PRIu64 " s\n",
        (left + 999) / 1000);
    refuse(fd, line);
    return true;
}

static void pause_accepting(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->count && !acceptor->paused; i++)
        evconnlistener_disable(acceptor->served[i].evlistener);
    acceptor->paused = true;
}

/* Returns a slot whose worker exists or is requested. Returns NULL if there is none, and refuses the
 * connection. */
static struct slot *find_worker(struct acceptor *acceptor, int fd)
{
    struct slot *slot = spare_take(acceptor->supervisor);
    const char *failed;

    if (slot != NULL)
        return slot;
    slot = slot_take(acceptor->supervisor);
    if (slot == NULL) {
        refuse_full(acceptor, fd);
        return NULL;
    }
    failed = spare_make(slot);
    if (failed == NULL)
        return slot;
    refuse_busy(acceptor, fd, failed, errno);
    slot_give_up(slot, DISCONNECT_NO_WORKER);
    return NULL;
}

/* Assigns the connection to the worker. Returns false if the worker is dead. */
static bool assign(
    struct slot *slot, int fd, const struct sockaddr *peer, const struct penalty_key *key)
{
    listener_peer_text(fd, peer, slot->address, sizeof slot->address);
    slot->penalty_key = *key;
    if (slot_assign(slot, fd))
        return true;
    slot->address[0] = '\0';
    memset(&slot->penalty_key, 0, sizeof slot->penalty_key);
    return false;
}

/* The worker exists and has its client. */
static void note_assigned(struct slot *slot)
{
    slot->supervisor->delivery->assigned(slot);
    if (slot->end == DISCONNECT_NONE && slot->state == SLOT_STARTING && slot->queue_count == 0)
        child_kill_after(&slot->child, ENTER_TIMEOUT_MS);
}

static void accepted(struct evconnlistener *evlistener, evutil_socket_t fd, struct sockaddr *peer,
    int peer_length, void *argument)
{
    struct acceptor *acceptor = ((struct served_listener *)argument)->acceptor;
    struct penalty_key key = penalty_key_of(peer);
    struct slot *slot;

    (void)evlistener, (void)peer_length;
    acceptor->supervisor->counters.accepted++;
    if (++acceptor->accepted_in_turn >= ACCEPTS_PER_TURN)
        pause_accepting(acceptor);
    if (refuse_penalty(acceptor, fd, &key))
        return;
    do
        slot = find_worker(acceptor, fd);
    while (slot != NULL && !assign(slot, fd, peer, &key));
    if (slot != NULL && slot->child.state != CHILD_ASKED)
        note_assigned(slot);
    if (!spawner_is_ready(&acceptor->supervisor->spawner))
        pause_accepting(acceptor);
}

static void accept_failed(struct evconnlistener *evlistener, void *argument)
{
    const struct served_listener *served = argument;
    struct acceptor *acceptor = served->acceptor;
    int failure = errno;
    char quoted[128];

    (void)evlistener;
    log_event_limited(&acceptor->log_failed, LOG_LEVEL_ERROR, "refused",
        "reason=accept listen=%s error=%s", served->listener->text,
        log_quote(quoted, sizeof quoted, strerror(failure)));
    acceptor->resume_at = clock_ms(acceptor->supervisor) + ACCEPT_RETRY_MS;
    pause_accepting(acceptor);
}

void acceptor_worker_created(struct child *child)
{
    struct slot *slot = slot_of(child);

    if (slot->client_fd >= 0)
        note_assigned(slot);
}

/* If the client is in the room, its worker was created all the same, and dies like any other. */
void acceptor_worker_failed(struct child *child, int failure)
{
    struct slot *slot = slot_of(child);

    if (slot->state == SLOT_PRESENT) {
        note_assigned(slot);
    } else if (slot->client_fd >= 0) {
        refuse_busy(child->supervisor->acceptor, slot->client_fd, "fork", failure);
        slot->client_fd = -1;
        slot_give_up(slot, DISCONNECT_NO_WORKER);
    } else {
        slot_give_up(slot, DISCONNECT_UNUSED);
        spare_failed(child->supervisor);
    }
}

void acceptor_prepare(struct acceptor *acceptor, struct supervisor *supervisor,
    struct listener *listeners, size_t count)
{
    acceptor->supervisor = supervisor;
    acceptor->listeners = listeners;
    acceptor->count = count;
    supervisor->acceptor = acceptor;
}

bool acceptor_open(struct acceptor *acceptor)
{
    struct event_base *base = acceptor->supervisor->base;

    acceptor->served = alloc_zeroed(acceptor->count, sizeof *acceptor->served);
    for (size_t i = 0; i < acceptor->count; i++) {
        struct served_listener *served = &acceptor->served[i];
        served->acceptor = acceptor;
        served->listener = &acceptor->listeners[i];
        served->evlistener = evconnlistener_new(base, accepted, served,
            LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, served->listener->fd);
        if (served->evlistener == NULL)
            return false;
        evconnlistener_set_error_cb(served->evlistener, accept_failed);
        if (evconnlistener_enable(served->evlistener) != 0)
            return false;
    }
    return true;
}

/* Whether there is still a reason to pause. */
static bool must_pause(struct acceptor *acceptor)
{
    struct spawner *spawner = &acceptor->supervisor->spawner;

    if (acceptor->resume_at > clock_ms(acceptor->supervisor))
        return true;
    acceptor->resume_at = 0;
    return spawner->forker.pid == 0 || spawner->forker.pending >= FORKER_PENDING_MAX / 2;
}

/* Accepts again where it is paused and the reason is gone. Returns whether a later try is due. */
static bool resume_accepting(struct acceptor *acceptor)
{
    if (!acceptor->paused || acceptor->closed || must_pause(acceptor))
        return acceptor->resume_at != 0;
    acceptor->paused = false;
    for (size_t i = 0; i < acceptor->count; i++)
        if (evconnlistener_enable(acceptor->served[i].evlistener) != 0) {
            acceptor->resume_at = clock_ms(acceptor->supervisor) + ACCEPT_RETRY_MS;
            acceptor->paused = true;
        }
    return acceptor->paused;
}

bool acceptor_turn(struct acceptor *acceptor)
{
    acceptor->accepted_in_turn = 0;
    if (!spawner_is_ready(&acceptor->supervisor->spawner))
        pause_accepting(acceptor);
    return resume_accepting(acceptor);
}

void acceptor_close(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->count; i++) {
        if (acceptor->served != NULL && acceptor->served[i].evlistener != NULL)
            evconnlistener_free(acceptor->served[i].evlistener);
        listener_close(&acceptor->listeners[i]);
    }
    free(acceptor->served);
    acceptor->served = NULL;
    acceptor->count = 0;
    acceptor->closed = true;
    acceptor->resume_at = 0;
}
