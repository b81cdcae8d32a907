/* SPDX-License-Identifier: ISC */
/*
 * trace.c - strace; see trace.h.
 */
#include "config.h"

#include "tests/faults/trace.h"

#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool trace_possible(void)
{
    if (!fault_has_tool("strace")) {
        fault_skip("strace is not there");
        return false;
    }
    if (system("strace -qq -o /dev/null true 2>/dev/null") != 0) {
        fault_skip("strace cannot trace here");
        return false;
    }
    return true;
}

pid_t trace_start(pid_t process, const char *what, const char *output, bool follow)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    char number[32], tracer[32] = "0";
    pid_t strace;

    snprintf(number, sizeof(number), "%d", (int)process);
    fflush(NULL);
    strace = fork();
    ck_assert_int_ge(strace, 0);
    if (strace == 0) {
        execlp("strace", "strace", follow ? "-fqq" : "-qq", "-o", output, "-e", what, "-p", number,
            (char *)NULL);
        _exit(127);
    }
    while (process_status(process, "TracerPid", tracer, sizeof(tracer)) && atoi(tracer) == 0)
        ck_assert_msg(bounded_turn(deadline), "strace does not attach");
    return strace;
}

void trace_stop(pid_t strace)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    kill(strace, SIGTERM);
    while (waitpid(strace, NULL, WNOHANG) == 0)
        ck_assert_msg(bounded_turn(deadline), "strace does not end");
}

bool trace_injected(const char *output)
{
    char line[4096];
    bool found = false;
    FILE *file = fopen(output, "re");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        found = found || strstr(line, "(INJECTED)") != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}
