/*
 * newcomer.c - accepting.
 *
 * Model:
 * 1. A newcomer gets a slot with a worker: a spare one that lives, or one that is made for it
 *    (spare.c). Until the forker's answer the supervisor keeps the client's descriptor, to tell it
 *    where there is no worker to be had; with couriers, to its end.
 * 2. Accepting pauses after ACCEPTS_PER_TURN, so that a crowd does not delay those who are there;
 * while FORKER_PENDING_MAX workers are in the making; and for ACCEPT_RETRY_MS when accept(2) fails,
 * since libevent would call the error callback without end (EMFILE leaves the connection in the
 * backlog).
 * 3. A refused newcomer gets one best-effort line. A run of refusals is one line in the log for
 *    each of its reasons and one with the count at its end (refusals.h).
 * 4. When the forker dies, newcomers whose worker it has not made are refused; those whose worker
 * is there may be in the room already, and stay (maker.c).
 *
 * Overflow: nothing grows with those who are not let in but the kernel's backlog.
 */
#include "config.h"

#include "supervisor/accept/acceptor.h"

#include "base/alloc.h"
#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/client/slot.h"
#include "supervisor/client/spare.h"

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
    if (refusals_note(&newcomers->refusals, REFUSAL_FULL, clock_ms(supervisor)))
        log_event(
            LOG_LEVEL_WARNING, "refused", "reason=full max-clients=%u", supervisor->slot_count);
    snprintf(line, sizeof line, "! The server is full (%u clients); try again later\n",
        supervisor->slot_count);
    refuse(fd, line);
}

static void refuse_busy(struct newcomers *newcomers, int fd, const char *what, int failure)
{
    struct supervisor *supervisor = newcomers->supervisor;
    char quoted[128];

    supervisor->counters.refused_busy++;
    if (refusals_note(&newcomers->refusals, REFUSAL_BUSY, clock_ms(supervisor)))
        log_event(LOG_LEVEL_ERROR, "refused", "reason=busy what=%s error=%s", what,
            log_quote(quoted, sizeof quoted, strerror(failure)));
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
    snprintf(line, sizeof line,
        "! Too many connections from your address have crashed; try again in %" PRIu64 " s\n",
        (left + 999) / 1000);
    refuse(fd, line);
    return true;
}

/* Logs the end of a run of refusals, if that has come. Returns whether it is to be looked for
 * later. */
static bool look_for_run_end(struct newcomers *newcomers)
{
    uint64_t count;

    if (!refusals_pass(&newcomers->refusals))
        return false;
    if (!refusals_over(&newcomers->refusals, clock_ms(newcomers->supervisor), &count))
        return true;
    log_event(LOG_LEVEL_NOTICE, "accepting", "refused=%" PRIu64, count);
    return false;
}

static void pause_accepting(struct newcomers *newcomers)
{
    for (size_t i = 0; i < newcomers->count && !newcomers->paused; i++)
        evconnlistener_disable(newcomers->acceptors[i]);
    newcomers->paused = true;
}

/* A slot with a worker, or with one in the making. NULL where there is none: the client is told. */
static struct slot *find_worker(struct newcomers *newcomers, int fd)
{
    struct slot *slot = spare_take(newcomers->supervisor);
    const char *failed;

    if (slot != NULL)
        return slot;
    slot = slot_take(newcomers->supervisor);
    if (slot == NULL) {
        refuse_full(newcomers, fd);
        return NULL;
    }
    failed = spare_make(slot);
    if (failed == NULL)
        return slot;
    refuse_busy(newcomers, fd, failed, errno);
    slot_give_up(slot, END_NO_WORKER);
    return NULL;
}

/* Gives the worker its client; false where it is dead, and nobody's again. */
static bool give(
    struct slot *slot, int fd, const struct sockaddr *peer, const struct penalty_key *key)
{
    listener_peer_text(fd, peer, slot->address, sizeof slot->address);
    slot->penalty_key = *key;
    if (slot_give(slot, fd))
        return true;
    slot->address[0] = '\0';
    memset(&slot->penalty_key, 0, sizeof slot->penalty_key);
    return false;
}

/* The worker is there, and so is its client. */
static void welcome(struct newcomers *newcomers, struct slot *slot)
{
    if (slot->supervisor->couriers == NULL) {
        close(slot->client_fd);
        slot->client_fd = -1;
    }
    if (slot->end == END_NONE && slot->state == SLOT_STARTING && slot->queue_count == 0)
        slot_doom(slot, ENTER_TIMEOUT_MS);
    refusals_let_in(&newcomers->refusals);
}

static void accepted(struct evconnlistener *acceptor, evutil_socket_t fd, struct sockaddr *peer,
    int peer_length, void *argument)
{
    struct newcomers *newcomers = argument;
    struct penalty_key key = penalty_key_of(peer);
    struct slot *slot;

    (void)acceptor, (void)peer_length;
    newcomers->supervisor->counters.accepted++;
    if (++newcomers->accepted_in_turn >= ACCEPTS_PER_TURN)
        pause_accepting(newcomers);
    if (refuse_punished(newcomers, fd, &key))
        return;
    do
        slot = find_worker(newcomers, fd);
    while (slot != NULL && !give(slot, fd, peer, &key));
    if (slot != NULL && !slot->is_making)
        welcome(newcomers, slot);
    if (!maker_is_ready(&newcomers->supervisor->maker))
        pause_accepting(newcomers);
}

static void accept_failed(struct evconnlistener *acceptor, void *argument)
{
    struct newcomers *newcomers = argument;
    int failure = errno;
    char quoted[128];

    (void)acceptor;
    if (refusals_note(&newcomers->refusals, REFUSAL_ACCEPT, clock_ms(newcomers->supervisor)))
        log_event(LOG_LEVEL_ERROR, "refused", "reason=accept error=%s",
            log_quote(quoted, sizeof quoted, strerror(failure)));
    newcomers->resume_at = clock_ms(newcomers->supervisor) + ACCEPT_RETRY_MS;
    pause_accepting(newcomers);
}

/* The forker's answer about one worker, or the one for it. */
static void answered(struct supervisor *supervisor, const struct forker_answer *answer)
{
    struct newcomers *newcomers = supervisor->newcomers;
    struct slot *slot = &supervisor->slots[answer->slot];

    slot->is_making = false;
    slot->pid = answer->pid;
    if (answer->pid != 0 && slot->client_fd >= 0) {
        welcome(newcomers, slot);
    } else if (answer->pid == 0 && slot->client_fd >= 0) {
        refuse_busy(newcomers, slot->client_fd, "fork", answer->failure);
        slot->client_fd = -1;
        slot_give_up(slot, END_NO_WORKER);
    } else if (answer->pid == 0) {
        slot_give_up(slot, END_UNUSED);
    }
    slots_reap(supervisor);
}

static const struct maker_handler worker_maker = {.answered = answered};

void newcomers_prepare(struct newcomers *newcomers, struct supervisor *supervisor,
    struct listener *listeners, size_t count)
{
    newcomers->supervisor = supervisor;
    newcomers->listeners = listeners;
    newcomers->count = count;
    supervisor->newcomers = newcomers;
    supervisor->maker.handlers[WORKER_KIND_CLIENT] = &worker_maker;
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
    return true;
}

/* Whether there is still a reason to pause. */
static bool must_pause(struct newcomers *newcomers)
{
    struct maker *maker = &newcomers->supervisor->maker;

    if (newcomers->resume_at > clock_ms(newcomers->supervisor))
        return true;
    newcomers->resume_at = 0;
    return maker->forker.pid == 0 || maker->forker.pending >= FORKER_PENDING_MAX / 2;
}

/* Accepts again where it is paused and the reason is gone. Returns whether a later try is due. */
static bool resume_accepting(struct newcomers *newcomers)
{
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

bool newcomers_turn(struct newcomers *newcomers)
{
    bool run_goes_on = look_for_run_end(newcomers);

    newcomers->accepted_in_turn = 0;
    if (!maker_is_ready(&newcomers->supervisor->maker))
        pause_accepting(newcomers);
    return resume_accepting(newcomers) || run_goes_on;
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
