/* SPDX-License-Identifier: ISC */
/*
 * selftests.c - sending them in, and reading their deaths.
 *
 * Model: a canary has no relay to speak over; how it ended is all that it says, and only the
 * expected ends are good: its own exit status for "refused", or death by the filter's SIGSYS. A
 * canary that is not back in time has neither been refused nor escaped, which is not good enough.
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

/* For all of them; a tenth of a second is usual. */
#define TIMEOUT_MS 10000
#define LOOK_MS    1

enum fate { FATE_REFUSED, FATE_WEAK, FATE_ESCAPED, FATE_UNKNOWN };

static const char *act_word(enum selftest_attempt act)
{
    static const char *const words[SELFTEST_ATTEMPT_COUNT] = {
#define ATTEMPT(symbol, word) [SELFTEST_##symbol] = word,
        SELFTEST_ATTEMPTS(ATTEMPT)
#undef ATTEMPT
    };
    return words[act];
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

/* Makes one canary; its relay leads nowhere. Returns its pid, or 0. */
static pid_t send_in(struct spawner *spawner, enum selftest_attempt act)
{
    struct forker_request request = {.kind = KIND_SELFTEST, .act = act};
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

/* Waits without a signal handler, which there is none of yet. */
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

static enum fate judge(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? FATE_REFUSED : FATE_UNKNOWN;
    if (WEXITSTATUS(status) == CHILD_EXIT_SELFTEST_REFUSED)
        return FATE_REFUSED;
    if (WEXITSTATUS(status) > CHILD_EXIT_SELFTEST_STEP &&
        WEXITSTATUS(status) < CHILD_EXIT_SELFTEST_STEP + JAIL_STEP_COUNT)
        return FATE_WEAK;
    return WEXITSTATUS(status) == CHILD_EXIT_SETUP ? FATE_UNKNOWN : FATE_ESCAPED;
}

/* Says what is wrong with the jail, in the log or, where that is the end, on stderr. */
static void complain(enum jail_mode jail, const char *what, const char *detail)
{
    if (jail == JAIL_REQUIRED)
        fprintf(stderr,
            "chatroomd: jail = required, but in the jail of workers %s %s; use a kernel and a "
            "build "
            "with seccomp, or set jail = best-effort\n",
            what, detail);
    else
        log_event(
            LOG_LEVEL_WARNING, "jail", "mode=best-effort what=\"%s\" detail=%s", what, detail);
}

static bool is_refused(enum jail_mode jail, enum selftest_attempt act, pid_t pid)
{
    int status = 0;
    enum fate fate = pid != 0 && wait_for(pid, &status) ? judge(status) : FATE_UNKNOWN;

    switch (fate) {
    case FATE_REFUSED:
        return true;
    case FATE_WEAK:
        complain(jail,
            "a step cannot be done:", step_word(WEXITSTATUS(status) - CHILD_EXIT_SELFTEST_STEP));
        return false;
    case FATE_ESCAPED:
        complain(jail, "this succeeds:", act_word(act));
        return false;
    case FATE_UNKNOWN:
        break;
    }
    complain(jail, "this could not be tried:", act_word(act));
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
    for (int act = 0; act < SELFTEST_ATTEMPT_COUNT; act++)
        pids[act] = send_in(spawner, (enum selftest_attempt)act);
    for (int act = 0; act < SELFTEST_ATTEMPT_COUNT; act++)
        whole = is_refused(jail, (enum selftest_attempt)act, pids[act]) && whole;
    if (whole)
        log_event(LOG_LEVEL_INFO, "jail", "mode=%s acts-refused=%d", jail_mode_word(jail),
            SELFTEST_ATTEMPT_COUNT);
    return whole || jail != JAIL_REQUIRED;
}
