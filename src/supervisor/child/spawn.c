/*
 * maker.c - the forker in the supervisor's loop.
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
 * Overflow: at most FORKER_PENDING_MAX requests are unanswered; who asks looks at maker_is_ready().
 */
#include "config.h"

#include "supervisor/child/spawn.h"

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

static bool watch_answers(struct maker *maker)
{
    maker->answers = event_new(maker->supervisor->base, maker->forker.control, EV_READ | EV_PERSIST,
        answers_readable, maker);
    return maker->answers != NULL && event_add(maker->answers, NULL) == 0;
}

static void set_patience(struct maker *maker, uint64_t patience)
{
    maker->patience_ms = patience < PATIENCE_MIN_MS   ? PATIENCE_MIN_MS
                         : patience > PATIENCE_MAX_MS ? PATIENCE_MAX_MS
                                                      : patience;
}

static void forget_forker(struct maker *maker)
{
    if (maker->answers != NULL)
        event_free(maker->answers);
    maker->answers = NULL;
    forker_stop(&maker->forker);
}

static bool make_forker(struct maker *maker)
{
    const char *reason = maker->is_hung ? "no-answer" : "died";
    char quoted[128];

    if (forker_start(&maker->forker, &maker->setup) && watch_answers(maker)) {
        log_event(LOG_LEVEL_ERROR, "forker-replaced", "pid=%ld reason=%s", (long)maker->forker.pid,
            reason);
        maker->is_hung = false;
        maker->retry_at = 0;
        return true;
    }
    if (maker->retry_at == 0)
        log_event(LOG_LEVEL_ERROR, "forker-lost", "reason=%s error=%s", reason,
            log_quote(quoted, sizeof quoted, strerror(errno)));
    forget_forker(maker);
    maker->retry_at = clock_ms(maker->supervisor) + RETRY_MS;
    return false;
}

static void hand_on(struct maker *maker, const struct forker_answer *answer)
{
    if (maker->handlers[answer->kind] != NULL)
        maker->handlers[answer->kind]->answered(maker->supervisor, answer);
}

void maker_give_up(struct maker *maker)
{
    struct forker_answer answer;

    forget_forker(maker);
    maker->retry_at = 0;
    while (forker_take_unanswered(&maker->forker, &maker->setup, &answer))
        hand_on(maker, &answer);
}

static void replace(struct maker *maker)
{
    maker_give_up(maker);
    make_forker(maker);
}

static void answers_readable(evutil_socket_t fd, short what, void *argument)
{
    struct maker *maker = argument;
    struct forker_answer answer;
    int outcome;

    (void)fd, (void)what;
    while ((outcome = forker_take(&maker->forker, &answer)) == 1) {
        set_patience(maker, 2 * maker->silent_ms);
        maker->silent_ms = 0;
        hand_on(maker, &answer);
    }
    if (outcome != 0)
        replace(maker);
}

bool maker_prepare(
    struct maker *maker, struct supervisor *supervisor, const struct worker_kind *kinds)
{
    const struct options *options = supervisor->options;

    maker->supervisor = supervisor;
    set_patience(maker, 0);
    maker->setup = (struct forker_setup){
        .kinds = kinds,
        .region_read_only_fd = supervisor->region.read_only_fd,
        .region_read_write_fd = supervisor->region.read_write_fd,
        .places = region_places_of(&supervisor->region),
        .max_message = options->max_message,
        .max_clients = options->max_clients,
        .couriers = options->couriers,
        .drain_timeout_ms = options->drain_timeout_ms,
        .jail = options->jail,
        .worker_uid_base = options->worker_uid_base,
        .worker_gid = options->gid,
    };
    return forker_start(&maker->forker, &maker->setup);
}

bool maker_open(struct maker *maker)
{
    return watch_answers(maker);
}

bool maker_is_ready(const struct maker *maker)
{
    return maker->forker.pid != 0 && maker->forker.pending < FORKER_PENDING_MAX;
}

bool maker_ask(
    struct maker *maker, const struct forker_request *request, int relay_fd, int handover_fd)
{
    if (maker->forker.pid == 0) {
        errno = ECHILD;
        return false;
    }
    if (maker->forker.pending == 0)
        maker->silent_ms = 0;
    return forker_ask(&maker->forker, &maker->setup, request, relay_fd, handover_fd);
}

bool maker_turn(struct maker *maker)
{
    if (maker->retry_at != 0 && maker->retry_at <= clock_ms(maker->supervisor))
        make_forker(maker);
    return maker->retry_at != 0;
}

bool maker_waits(const struct maker *maker)
{
    return maker->forker.pid != 0 && maker->forker.pending > 0;
}

void maker_tick(struct maker *maker, uint64_t elapsed)
{
    if (!maker_waits(maker))
        return;
    if (maker->is_hung) {
        if (forker_is_dead(&maker->forker))
            replace(maker);
        return;
    }
    maker->silent_ms += elapsed;
    if (maker->silent_ms <= maker->patience_ms)
        return;
    maker->is_hung = true;
    set_patience(maker, 2 * maker->patience_ms);
    kill(maker->forker.pid, SIGKILL);
}

void maker_finish(struct maker *maker)
{
    forget_forker(maker);
}
