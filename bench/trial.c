/* SPDX-License-Identifier: ISC */
/* Running a trial in a process of its own; see trial.h. */
#include "config.h"

#include "trial.h"

#include "clock.h"
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The group of the trial's processes, for the handler: nothing may be left of it. */
static volatile pid_t trial_group;

static trial_function *trial_function_of(unsigned figure)
{
    switch (figures[figure].kind) {
    case FIGURE_JOINS:
        return trial_joins;
    case FIGURE_WELCOME_P50:
    case FIGURE_WELCOME_P99:
        return trial_welcome;
    case FIGURE_STORM:
        return trial_storm;
    case FIGURE_STALLED:
    case FIGURE_STALLED_MEMORY:
        return trial_stalled;
    default:
        return trial_room;
    }
}

unsigned trial_end(unsigned first)
{
    unsigned end = first + 1;

    while (end < figure_count && figures[end].receivers == figures[first].receivers &&
           trial_function_of(end) == trial_function_of(first))
        end++;
    return end;
}

static void trial_on_signal(int number)
{
    if (trial_group > 0)
        kill(-trial_group, SIGKILL);
    signal(number, SIG_DFL);
    raise(number);
}

/* In the child: measure, and tell through REPORT. */
static _Noreturn void trial_child(const struct trial *trial, struct sample *samples, int report)
{
    size_t size = sizeof(*samples) * figure_count;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    fail_report_to(report);
    trial_function_of(trial->first)(trial, samples);
    if (write(report, samples, size) != (ssize_t)size)
        fail("the results cannot be told: %s", strerror(errno));
    exit(EXIT_SUCCESS);
}

/* Read up to SIZE bytes of REPORT, until its end or DEADLINE. Returns how many. */
static size_t trial_read(int report, char *bytes, size_t size, uint64_t deadline)
{
    size_t used = 0;

    while (used < size && clock_now() < deadline) {
        struct pollfd readable = {.fd = report, .events = POLLIN};

        if (poll(&readable, 1, 1000) <= 0)
            continue;
        ssize_t got = read(report, bytes + used, size - used);
        if (got <= 0)
            return used;
        used += (size_t)got;
    }
    return used;
}

/* The child's samples begin with a bool, and its words with FAIL_MARK. */
static bool trial_take(
    const char *bytes, size_t used, size_t size, bool ended, struct sample *samples, char *reason)
{
    if (used == size) {
        memcpy(samples, bytes, size);
        return true;
    }
    if (used > 0 && bytes[0] == FAIL_MARK)
        snprintf(reason, ARM_REASON_SIZE, "%.*s", (int)used - 1, bytes + 1);
    else
        snprintf(reason, ARM_REASON_SIZE, "the measuring process %s",
            ended ? "has ended" : "was not done in time");
    reason[strcspn(reason, "\n")] = '\0';
    return false;
}

bool trial_run(const struct trial *trial, struct sample *samples, char *reason)
{
    static char bytes[sizeof(struct sample) * FIGURE_COUNT_MAX];
    size_t size = sizeof(*samples) * figure_count;
    int report[2];

    memset(samples, 0, size);
    if (pipe2(report, O_CLOEXEC) < 0)
        fail("no pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        fail("no fork: %s", strerror(errno));
    if (child == 0)
        trial_child(trial, samples, report[1]);
    setpgid(child, child);
    trial_group = child;
    signal(SIGINT, trial_on_signal);
    signal(SIGTERM, trial_on_signal);
    close(report[1]);
    uint64_t deadline = clock_now() + TRIAL_MAX_S * CLOCK_SECOND;
    size_t used = trial_read(report[0], bytes, size, deadline);
    bool ended = clock_now() < deadline;
    close(report[0]);
    if (used != size) /* its own end may take it long */
        kill(-child, SIGTERM);
    waitpid(child, NULL, 0);
    kill(-child, SIGKILL);
    trial_group = 0;
    return trial_take(bytes, used, size, ended, samples, reason);
}
