/* SPDX-License-Identifier: ISC */
/*
 * selftests.c - requests the selftests and evaluates how they end.
 *
 * Model: a selftest says nothing over its relay; its exit is its result. Only the expected exits
 * are good: its own status for "refused", or death by the filter's SIGSYS. A selftest that has not
 * exited in time counts as neither refused nor successful, which is not good enough.
 */
#include "config.h"

#include "supervisor/child/selftests.h"

#include "base/filter.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For each of them; a tenth of a second is usual for all. */
#define TIMEOUT_MS 10000
#define LOOK_MS    1

enum result { RESULT_REFUSED, RESULT_WEAK, RESULT_ESCAPED, RESULT_UNKNOWN };

static const char *attempt_word(enum selftest_attempt attempt)
{
    static const char *const words[SELFTEST_ATTEMPT_COUNT] = {
#define ATTEMPT(symbol, word) [SELFTEST_##symbol] = word,
        SELFTEST_ATTEMPTS(ATTEMPT)
#undef ATTEMPT
    };
    return words[attempt];
}

static const char *step_word(int step)
{
    static const char *const words[JAIL_STEP_COUNT] = {[JAIL_WHOLE] = "none",
#define STEP(symbol, word) [JAIL_##symbol] = word,
        JAIL_STEPS(STEP)
#undef STEP
    };
    return step >= 0 && step < JAIL_STEP_COUNT ? words[step] : "unknown";
}

/* Requests one selftest, whose relay has no other end. Returns its process ID, or 0. */
static pid_t start_selftest(struct spawner *spawner, enum selftest_attempt attempt)
{
    struct forker_request request = {.kind = KIND_SELFTEST, .act = attempt};
    struct forker_answer answer = {0};
    struct pollfd control = {.fd = spawner->forker.control, .events = POLLIN};
    int relay[2];
    bool asked;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, relay) != 0)
        return 0;
    asked = spawner_ask(spawner, &request, relay[1], -1);
    close(relay[0]);
    close(relay[1]);
    while (asked && poll(&control, 1, TIMEOUT_MS) < 0 && errno == EINTR)
        continue;
    return asked && forker_take(&spawner->forker, &answer) == 1 ? answer.pid : 0;
}

/* Waits for its exit. There is no signal handler yet. */
static bool wait_for(pid_t pid, int *status)
{
    static const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};

    for (int waited = 0; waited < TIMEOUT_MS; waited += LOOK_MS) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&look, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, status, 0);
    return false;
}

static enum result result_of(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? RESULT_REFUSED : RESULT_UNKNOWN;
    if (WEXITSTATUS(status) == CHILD_EXIT_SELFTEST_REFUSED)
        return RESULT_REFUSED;
    if (WEXITSTATUS(status) > CHILD_EXIT_SELFTEST_STEP &&
        WEXITSTATUS(status) < CHILD_EXIT_SELFTEST_STEP + JAIL_STEP_COUNT)
        return RESULT_WEAK;
    return WEXITSTATUS(status) == CHILD_EXIT_SETUP ? RESULT_UNKNOWN : RESULT_ESCAPED;
}

/* Reports a fault of the jail: in the log, or on stderr if the server does not start then. */
static void complain(enum jail_mode jail, const char *what, const char *detail)
{
    if (jail == JAIL_REQUIRED)
        fprintf(stderr,
            "chatroomd: jail = required, but in the jail of workers %s %s; use a kernel and a "
            "build with seccomp, or set jail = best-effort\n",
            what, detail);
    else
        log_event(
            LOG_LEVEL_WARNING, "jail", "mode=best-effort what=\"%s\" detail=%s", what, detail);
}

static bool is_refused(enum jail_mode jail, enum selftest_attempt attempt, pid_t pid)
{
    int status = 0;
    enum result result = pid != 0 && wait_for(pid, &status) ? result_of(status) : RESULT_UNKNOWN;

    switch (result) {
    case RESULT_REFUSED:
        return true;
    case RESULT_WEAK:
        complain(jail, "a step fails:", step_word(WEXITSTATUS(status) - CHILD_EXIT_SELFTEST_STEP));
        return false;
    case RESULT_ESCAPED:
        complain(jail, "this attempt succeeds:", attempt_word(attempt));
        return false;
    case RESULT_UNKNOWN:
        break;
    }
    complain(jail, "this attempt could not be made:", attempt_word(attempt));
    return false;
}

bool selftests_pass(struct spawner *spawner, enum jail_mode jail)
{
    pid_t pids[SELFTEST_ATTEMPT_COUNT];
    bool whole = true;

    if (jail == JAIL_OFF)
        return true;
    if (!filter_built_in())
        complain(jail, "a part is not built in:", "seccomp");
    for (int i = 0; i < SELFTEST_ATTEMPT_COUNT; i++)
        pids[i] = start_selftest(spawner, (enum selftest_attempt)i);
    for (int i = 0; i < SELFTEST_ATTEMPT_COUNT; i++)
        whole = is_refused(jail, (enum selftest_attempt)i, pids[i]) && whole;
    if (whole)
        log_event(LOG_LEVEL_INFO, "jail", "mode=%s acts-refused=%d", jail_mode_word(jail),
            SELFTEST_ATTEMPT_COUNT);
    return whole || jail != JAIL_REQUIRED;
}
