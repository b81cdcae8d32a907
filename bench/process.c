/* SPDX-License-Identifier: ISC */
/* Starting and ending servers; see process.h. */
#include "config.h"

#include "process.h"

#include "clock.h"
#include "fail.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SERVER_START_MS = 20000,
    SERVER_STOP_MS = 20000,
    SERVER_SIGNAL_MS = 20000,
    SERVER_PAUSE_NS = 2000000, /* between two looks at a server that starts or ends */
};

static struct server *server_running;

static void server_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = SERVER_PAUSE_NS}, NULL);
}

/* Read the end of what the server has said. */
static void server_read_log(struct server *server)
{
    off_t end = lseek(server->output, 0, SEEK_END);
    off_t begin = end > SERVER_LOG_SIZE ? end - SERVER_LOG_SIZE : 0;
    ssize_t length = pread(server->output, server->log, SERVER_LOG_SIZE, begin);

    server->log[length > 0 ? length : 0] = '\0';
}

/* Has it ended? Then STATUS tells how. */
static bool server_ended(const struct server *server, int *status)
{
    return waitpid(server->pid, status, WNOHANG) == server->pid;
}

/* The last resort: after a fault there is nobody left to stop the server, and its log may tell why.
 */
static void server_abandon(void)
{
    if (server_running == NULL)
        return;
    server_read_log(server_running);
    fprintf(stderr, "--- the last the server said:\n%s---\n", server_running->log);
    kill(server_running->pid, SIGKILL);
    waitpid(server_running->pid, NULL, 0);
}

/* In the child: become the server, or tell the parent through REPORT why not. */
static _Noreturn void server_become(const char *const arguments[], int output, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execvp(arguments[0], (char *const *)arguments);

    int reason = errno;
    ssize_t written = write(report, &reason, sizeof(reason));
    _exit(written > 0 ? 126 : 127);
}

/* Fork and exec. Returns 0, or the errno of the exec. */
static int server_spawn(struct server *server, const char *const arguments[])
{
    int report[2], reason = 0;

    server->output = memfd_create("log", MFD_CLOEXEC);
    /* Appending, so that nobody minds where the reader is. */
    if (server->output < 0 || fcntl(server->output, F_SETFL, O_APPEND) < 0 ||
        pipe2(report, O_CLOEXEC) < 0)
        fail("no log or pipe: %s", strerror(errno));
    fflush(NULL);
    server->pid = fork();
    if (server->pid < 0)
        fail("no fork: %s", strerror(errno));
    if (server->pid == 0)
        server_become(arguments, server->output, report[1]);
    close(report[1]);
    if (read(report[0], &reason, sizeof(reason)) != sizeof(reason))
        reason = 0; /* end of file: the exec closed it, and went well */
    close(report[0]);
    return reason;
}

/* Has the server said READY, and the rest of that line? */
static bool server_ready(struct server *server, const char *ready)
{
    server_read_log(server);
    const char *found = strstr(server->log, ready);

    if (found == NULL || strchr(found, '\n') == NULL)
        return false;
    found += strlen(ready);
    snprintf(server->ready, sizeof(server->ready), "%.*s", (int)strcspn(found, " \n"), found);
    return true;
}

const char *server_start(struct server *server, const char *const arguments[], const char *ready)
{
    static bool registered;
    int status;
    uint64_t deadline = clock_now() + SERVER_START_MS * (CLOCK_SECOND / 1000);

    assert(server_running == NULL);
    memset(server, 0, sizeof(*server));
    int reason = server_spawn(server, arguments);
    if (reason != 0) {
        close(server->output);
        waitpid(server->pid, NULL, 0);
        if (reason == ENOENT)
            return NULL;
        fail("%s cannot be run: %s", arguments[0], strerror(reason));
    }
    if (!registered)
        registered = atexit(server_abandon) == 0;
    server_running = server;

    while (!server_ready(server, ready)) {
        if (server_ended(server, &status))
            fail("%s has ended instead of being ready", arguments[0]);
        if (clock_now() > deadline)
            fail("%s did not say that it is ready (%s)", arguments[0], ready);
        server_pause();
    }
    return server->ready;
}

bool program_there(const char *name)
{
    const char *folder = getenv("PATH");
    char path[4096];

    while (folder != NULL && *folder != '\0') {
        size_t length = strcspn(folder, ":");

        snprintf(path, sizeof(path), "%.*s/%s", (int)length, folder, name);
        if (access(path, X_OK) == 0)
            return true;
        folder += length + (folder[length] == ':');
    }
    return false;
}

const char *server_ask(struct server *server, const char *const arguments[])
{
    memset(server, 0, sizeof(*server));
    int reason = server_spawn(server, arguments);

    waitpid(server->pid, NULL, 0);
    if (reason != 0)
        fail("%s cannot be run: %s", arguments[0], strerror(reason));
    server_read_log(server);
    close(server->output);
    return server->log;
}

const char *server_signal(struct server *server, int number, const char *words)
{
    uint64_t deadline = clock_now() + SERVER_SIGNAL_MS * (CLOCK_SECOND / 1000);
    off_t place = lseek(server->output, 0, SEEK_END);

    kill(server->pid, number);
    while (clock_now() < deadline) {
        ssize_t length = pread(server->output, server->log, SERVER_LOG_SIZE, place);
        server->log[length > 0 ? length : 0] = '\0';
        const char *found = strstr(server->log, words), *last = strrchr(server->log, '\n');

        if (found != NULL && strchr(found, '\n') != NULL)
            return found + strlen(words);
        if (found == NULL && last != NULL)
            place += last + 1 - server->log;
        server_pause();
    }
    fail("signal %d did not make the server say \"%s\"", number, words);
}

void server_stop(struct server *server, bool strict)
{
    uint64_t deadline = clock_now() + SERVER_STOP_MS * (CLOCK_SECOND / 1000);
    int status;

    kill(server->pid, SIGTERM);
    while (!server_ended(server, &status)) {
        if (clock_now() > deadline)
            fail("the server has not ended %d s after SIGTERM", SERVER_STOP_MS / 1000);
        server_pause();
    }
    server_running = NULL;
    server_read_log(server);
    close(server->output);
    if (strict && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        fputs(server->log, stderr);
        fail("the server ended with %s %d", WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
}
