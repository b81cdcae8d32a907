/* SPDX-License-Identifier: ISC */
/*
 * spawner.c - the forker in the supervisor's loop.
 *
 * Model:
 * 1. Who needs a process asks, and is told by its kind's handler, in a later turn, which process
 *    there is.
 * 2. When the forker dies, what it has not answered is answered for it: which processes it has made
 *    is known (forker.h), and these are as good as any; the others will not be made. Then the
 *    forker is made anew, now or every RETRY_MS.
 * 3. A forker that owes answers and has given none for its patience is taken for hung and killed;
 *    from there on it is as in 2. That it is dead is known by the end of its socket, or by asking
 *    where a process that was just made and is frozen holds that open, too; so one that the kernel
 *    cannot end at once does not keep the loop waiting. What counts is time in which the supervisor
 *    ran: where both stood still, nobody was late.
 * 4. Where the machine is so busy that a forker is slow and not hung, killing it helps nobody. So
 *    the patience is twice what the last answer took, doubles with each forker that is killed
 *    before it has answered, and lies between PATIENCE_MIN_MS and PATIENCE_MAX_MS.
 *
 * Overflow: at most FORKER_PENDING_MAX requests are unanswered; who asks looks at spawner_is_ready().
 */
#include "config.h"

#include "supervisor/child/spawner.h"

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>

#define RETRY_MS 100u

/* An answer takes less than a millisecond; a busy machine takes its time. */
#define PATIENCE_MIN_MS 3000u
#define PATIENCE_MAX_MS 60000u

static void answers_readable(evutil_socket_t fd, short what, void *argument);

static bool watch_answers(struct spawner *spawner)
{
    spawner->answers = event_new(spawner->supervisor->base, spawner->forker.control,
        EV_READ | EV_PERSIST, answers_readable, spawner);
    return spawner->answers != NULL && event_add(spawner->answers, NULL) == 0;
}

static void set_patience(struct spawner *spawner, uint64_t patience)
{
    spawner->patience_ms = patience < PATIENCE_MIN_MS   ? PATIENCE_MIN_MS
                           : patience > PATIENCE_MAX_MS ? PATIENCE_MAX_MS
                                                        : patience;
}

static void forget_forker(struct spawner *spawner)
{
    if (spawner->answers != NULL)
        event_free(spawner->answers);
    spawner->answers = NULL;
    forker_stop(&spawner->forker);
}

static bool make_forker(struct spawner *spawner)
{
    const char *reason = spawner->is_hung ? "no-answer" : "died";
    char quoted[128];

    if (forker_start(&spawner->forker, &spawner->setup) && watch_answers(spawner)) {
        log_event(LOG_LEVEL_ERROR, "forker-replaced", "pid=%ld reason=%s",
            (long)spawner->forker.pid, reason);
        spawner->is_hung = false;
        spawner->retry_at = 0;
        return true;
    }
    if (spawner->retry_at == 0)
        log_event(LOG_LEVEL_ERROR, "forker-lost", "reason=%s error=%s", reason,
            log_quote(quoted, sizeof quoted, strerror(errno)));
    forget_forker(spawner);
    spawner->retry_at = clock_ms(spawner->supervisor) + RETRY_MS;
    return false;
}

static void hand_on(struct spawner *spawner, const struct forker_answer *answer)
{
    if (spawner->handlers[answer->kind] != NULL)
        spawner->handlers[answer->kind]->answered(spawner->supervisor, answer);
}

void spawner_give_up(struct spawner *spawner)
{
    struct forker_answer answer;

    forget_forker(spawner);
    spawner->retry_at = 0;
    while (forker_take_unanswered(&spawner->forker, &spawner->setup, &answer))
        hand_on(spawner, &answer);
}

static void replace(struct spawner *spawner)
{
    spawner_give_up(spawner);
    make_forker(spawner);
}

static void answers_readable(evutil_socket_t fd, short what, void *argument)
{
    struct spawner *spawner = argument;
    struct forker_answer answer;
    int outcome;

    (void)fd, (void)what;
    while ((outcome = forker_take(&spawner->forker, &answer)) == 1) {
        set_patience(spawner, 2 * spawner->silent_ms);
        spawner->silent_ms = 0;
        hand_on(spawner, &answer);
    }
    if (outcome != 0)
        replace(spawner);
}

bool spawner_prepare(
    struct spawner *spawner, struct supervisor *supervisor, const struct process_kind *kinds)
{
    const struct options *options = supervisor->options;

    spawner->supervisor = supervisor;
    set_patience(spawner, 0);
    spawner->setup = (struct forker_setup){
        .kinds = kinds,
        .region_read_only_fd = supervisor->region.read_only_fd,
        .region_read_write_fd = supervisor->region.read_write_fd,
        .places = region_places_of(&supervisor->region),
        .max_message = options->max_message_size,
        .max_clients = options->max_clients,
        .couriers = options->couriers,
        .drain_timeout_ms = options->drain_timeout_ms,
        .jail = options->jail,
        .worker_uid_base = options->worker_uid_base,
        .worker_gid = options->gid,
    };
    return forker_start(&spawner->forker, &spawner->setup);
}

bool spawner_open(struct spawner *spawner)
{
    return watch_answers(spawner);
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
    return forker_ask(&spawner->forker, &spawner->setup, request, relay_fd, handover_fd);
}

bool spawner_turn(struct spawner *spawner)
{
    if (spawner->retry_at != 0 && spawner->retry_at <= clock_ms(spawner->supervisor))
        make_forker(spawner);
    return spawner->retry_at != 0;
}

bool spawner_waits(const struct spawner *spawner)
{
    return spawner->forker.pid != 0 && spawner->forker.pending > 0;
}

void spawner_tick(struct spawner *spawner, uint64_t elapsed)
{
    if (!spawner_waits(spawner))
        return;
    if (spawner->is_hung) {
        if (forker_is_dead(&spawner->forker))
            replace(spawner);
        return;
    }
    spawner->silent_ms += elapsed;
    if (spawner->silent_ms <= spawner->patience_ms)
        return;
    spawner->is_hung = true;
    set_patience(spawner, 2 * spawner->patience_ms);
    kill(spawner->forker.pid, SIGKILL);
}

void spawner_finish(struct spawner *spawner)
{
    forget_forker(spawner);
}
