/* SPDX-License-Identifier: ISC */
/*
 * spawner.c - the forkers in the supervisor's loop.
 *
 * Model:
 * 1. Whoever needs a child requests it, and its kind's handler learns in a later turn which process
 *    that is.
 * 2. When the working forker dies, the standby takes over: its first request is the next standby.
 *    Then the requests that the dead forker has not answered are answered for it, as failed. None
 *    of them is repeated, since it may be what killed the forker.
 * 3. The dead forker served requests one by one, so it may have created one child, or one standby,
 *    without announcing it. The relay of such a child is finished (spawner.h), so that it exits, and
 *    orphans.c reaps it.
 * 4. A forker that has requests pending, and has not answered for FORKER_TIMEOUT_MS in which the
 *    supervisor ran, is killed; then 2 follows. Its death is known from the end of its socket, or
 *    by asking, if a child that was just created and is frozen holds that open. So a forker that the
 *    kernel cannot end at once does not block the loop.
 * 5. A standby that cannot be created is requested again every RETRY_MS. Without any forker nothing
 *    can be created any more, and the server stops (supervisor.c).
 *
 * Overflow: at most FORKER_PENDING_MAX requests are pending; spawner_is_ready() returns whether there
 * may be another.
 */
#include "config.h"

#include "supervisor/child/spawner.h"

#include "base/log.h"
#include "relay/handover.h"
#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 100u

static void answers_readable(evutil_socket_t fd, short what, void *argument);
static void standby_readable(evutil_socket_t fd, short what, void *argument);

static struct event *watch(struct spawner *spawner, int control, event_callback_fn callback)
{
    struct event *event =
        event_new(spawner->supervisor->base, control, EV_READ | EV_PERSIST, callback, spawner);

    if (event != NULL && event_add(event, NULL) == 0)
        return event;
    if (event != NULL)
        event_free(event);
    return NULL;
}

static void forget(struct forker *forker, struct event **event)
{
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
    forker_stop(forker);
    if (forker->control >= 0)
        close(forker->control);
    forker->control = -1;
}

/* --- the standby */

static void standby_is_late(struct spawner *spawner, int failure)
{
    char quoted[128];

    forget(&spawner->standby, &spawner->standby_ended);
    if (!spawner->is_standby_late)
        log_event(LOG_LEVEL_ERROR, "forker-missing", "error=%s",
            log_quote(quoted, sizeof quoted, strerror(failure)));
    spawner->is_standby_late = true;
    spawner->retry_at = clock_ms(spawner->supervisor) + RETRY_MS;
}

static void ask_standby(struct spawner *spawner)
{
    struct forker_request request = {.kind = FORKER_STANDBY};
    bool is_asked;
    int theirs, failure;

    spawner->retry_at = 0;
    spawner->standby = (struct forker){.control = -1};
    if (!handover_pair(&spawner->standby.control, &theirs)) {
        standby_is_late(spawner, errno);
        return;
    }
    is_asked = spawner_ask(spawner, &request, theirs, -1);
    failure = errno;
    close(theirs);
    if (!is_asked)
        standby_is_late(spawner, failure);
}

static void standby_answered(struct spawner *spawner, const struct forker_answer *answer)
{
    spawner->standby.pid = answer->pid;
    if (answer->pid != 0)
        spawner->standby_ended = watch(spawner, spawner->standby.control, standby_readable);
    if (spawner->standby_ended == NULL) {
        standby_is_late(spawner, answer->pid != 0 ? ENOMEM : answer->failure);
        return;
    }
    log_event(LOG_LEVEL_INFO, "forker-standby", "pid=%ld", (long)answer->pid);
    spawner->is_standby_late = false;
}

/* It has nothing to say: it has died. */
static void standby_readable(evutil_socket_t fd, short what, void *argument)
{
    struct spawner *spawner = argument;

    (void)fd, (void)what;
    forget(&spawner->standby, &spawner->standby_ended);
    ask_standby(spawner);
}

/* --- the forker that works */

static void hand_on(struct spawner *spawner, const struct forker_answer *answer)
{
    if (answer->kind == FORKER_STANDBY) {
        if (answer->failure != ECHILD) /* else it was the dead forker's, and is requested anew */
            standby_answered(spawner, answer);
    } else if (spawner->handlers[answer->kind] != NULL) {
        spawner->handlers[answer->kind]->answered(spawner->supervisor, answer);
    }
}

static void fail_pending(struct spawner *spawner, struct forker *dead)
{
    struct forker_answer answer;

    while (forker_take_unanswered(dead, &answer))
        hand_on(spawner, &answer);
}

static void lose(struct spawner *spawner)
{
    spawner->is_lost = true;
    log_event(
        LOG_LEVEL_ERROR, "failed", "what=\"both forkers have died, so no process can be created\"");
}

static void take_over(struct spawner *spawner)
{
    struct forker dead;

    forget(&spawner->forker, &spawner->answers);
    dead = spawner->forker;
    if (spawner->standby.pid == 0) {
        forget(&spawner->standby, &spawner->standby_ended);
        spawner->forker = (struct forker){.control = -1};
        spawner->retry_at = 0;
        lose(spawner);
    } else {
        spawner->forker = spawner->standby;
        spawner->answers = watch(spawner, spawner->forker.control, answers_readable);
        event_free(spawner->standby_ended);
        spawner->standby_ended = NULL;
        log_event(LOG_LEVEL_ERROR, "forker-replaced", "pid=%ld reason=%s",
            (long)spawner->forker.pid, spawner->is_hung ? "no-answer" : "died");
        ask_standby(spawner);
    }
    spawner->is_hung = false;
    fail_pending(spawner, &dead);
}

static void answers_readable(evutil_socket_t fd, short what, void *argument)
{
    struct spawner *spawner = argument;
    struct forker_answer answer;
    int outcome;

    (void)fd, (void)what;
    while ((outcome = forker_take(&spawner->forker, &answer)) == 1) {
        spawner->silent_ms = 0;
        hand_on(spawner, &answer);
    }
    if (outcome != 0)
        take_over(spawner);
}

/* --- for the supervisor */

bool spawner_prepare(struct spawner *spawner, struct supervisor *supervisor,
    const struct process_kinds *kinds, struct forker *forkers, bool changes_user)
{
    const struct options *options = supervisor->options;
    const struct region *region = &supervisor->region;
    struct forker_setup setup = {
        .places = region_places_of(region),
        .max_message = options->max_message_size,
        .max_clients = options->max_clients,
        .couriers = options->couriers,
        .drain_timeout_ms = options->drain_timeout_ms,
        .jail = options->jail,
        .changes_user = changes_user,
        .uid = options->uid,
        .gid = options->gid,
        .worker_uid_base = options->worker_uid_base,
    };

    spawner->supervisor = supervisor;
    spawner->forker = forkers[0];
    spawner->standby = forkers[1];
    forkers[0].pid = forkers[1].pid = 0;
    kinds_lay_out(kinds, options, setup.first_places);
    return getrlimit(RLIMIT_NOFILE, &setup.files) == 0 &&
           forker_set_up(&spawner->forker, &setup, region->read_only_fd, region->read_write_fd) &&
           forker_set_up(&spawner->standby, &setup, region->read_only_fd, region->read_write_fd);
}

bool spawner_open(struct spawner *spawner)
{
    spawner->answers = watch(spawner, spawner->forker.control, answers_readable);
    spawner->standby_ended = watch(spawner, spawner->standby.control, standby_readable);
    return spawner->answers != NULL && spawner->standby_ended != NULL;
}

bool spawner_is_ready(const struct spawner *spawner)
{
    return spawner->forker.pid != 0 && spawner->forker.pending < FORKER_PENDING_MAX;
}

bool spawner_ask(
    struct spawner *spawner, const struct forker_request *request, int relay_fd, int handover_fd)
{
    if (spawner->forker.pid == 0) {
        errno = ECHILD;
        return false;
    }
    if (spawner->forker.pending == 0)
        spawner->silent_ms = 0;
    return forker_ask(&spawner->forker, request, relay_fd, handover_fd);
}

bool spawner_has_pending(const struct spawner *spawner)
{
    return spawner->forker.pid != 0 && spawner->forker.pending > 0;
}

bool spawner_knows(const struct spawner *spawner, pid_t pid)
{
    if (pid == spawner->forker.pid || pid == spawner->standby.pid)
        return true;
    for (unsigned kind = 0; kind < KINDS_MAX; kind++)
        if (spawner->handlers[kind] != NULL &&
            spawner->handlers[kind]->knows(spawner->supervisor, pid))
            return true;
    return false;
}

bool spawner_turn(struct spawner *spawner)
{
    if (spawner->retry_at != 0 && spawner->retry_at <= clock_ms(spawner->supervisor))
        ask_standby(spawner);
    return spawner->retry_at != 0 || spawner_has_pending(spawner);
}

void spawner_tick(struct spawner *spawner, uint64_t elapsed)
{
    if (!spawner_has_pending(spawner))
        return;
    if (spawner->is_hung) {
        if (forker_is_dead(&spawner->forker))
            take_over(spawner);
        return;
    }
    spawner->silent_ms += elapsed;
    if (spawner->silent_ms <= FORKER_TIMEOUT_MS)
        return;
    spawner->is_hung = true;
    kill(spawner->forker.pid, SIGKILL);
}

void spawner_give_up(struct spawner *spawner)
{
    spawner_finish(spawner);
    spawner->retry_at = 0;
    fail_pending(spawner, &spawner->forker);
}

void spawner_finish(struct spawner *spawner)
{
    if (spawner->supervisor == NULL)
        return;
    forget(&spawner->forker, &spawner->answers);
    forget(&spawner->standby, &spawner->standby_ended);
}
