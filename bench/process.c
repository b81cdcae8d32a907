/* Starting and ending servers; see process.h. */
#include "config.h"

#include "process.h"

#include "clock.h"
#include "fail.h"

#include <assert.h>
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

enum {
    SERVER_START_MS = 20000,
    SERVER_STOP_MS = 20000,
};

static struct server *server_running;

/* The last resort: after a fault there is nobody left to stop the server, and its log may tell why.
 */
static void server_abandon(void)
{
    if (server_running == NULL)
        return;
    fprintf(stderr, "--- the last the server said:\n%s---\n", server_running->log);
    kill(server_running->pid, SIGKILL);
    waitpid(server_running->pid, NULL, 0);
}

/* Keep what the server has said; the oldest half goes when the log is full. False: end of file. */
static bool server_listen(struct server *server, int timeout_ms)
{
    struct pollfd readable = {.fd = server->output, .events = POLLIN};

    if (poll(&readable, 1, timeout_ms) <= 0)
        return true;
    if (server->log_length == SERVER_LOG_SIZE) {
        server->log_length = SERVER_LOG_SIZE / 2;
        memmove(server->log, server->log + SERVER_LOG_SIZE / 2, server->log_length);
    }
    ssize_t length = read(
        server->output, server->log + server->log_length, SERVER_LOG_SIZE - server->log_length);
    if (length <= 0)
        return false;
    server->log_length += (size_t)length;
    server->log[server->log_length] = '\0';
    return true;
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
    int output[2], report[2], reason = 0;

    if (pipe2(output, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        fail("no pipe: %s", strerror(errno));
    fflush(NULL);
    server->pid = fork();
    if (server->pid < 0)
        fail("no fork: %s", strerror(errno));
    if (server->pid == 0)
        server_become(arguments, output[1], report[1]);
    close(output[1]);
    close(report[1]);
    server->output = output[0];
    if (read(report[0], &reason, sizeof(reason)) != sizeof(reason))
        reason = 0; /* end of file: the exec closed it, and went well */
    close(report[0]);
    return reason;
}

/* Has the server said READY, and the rest of that line? */
static bool server_ready(struct server *server, const char *ready)
{
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

    while (!server_ready(server, ready))
        if (!server_listen(server, 100) || clock_now() > deadline)
            fail("%s did not say that it is ready (%s)", arguments[0], ready);
    return server->ready;
}

/* The end of the pipe tells that the server is gone, and meanwhile it must not block on its log. */
void server_stop(struct server *server, bool strict)
{
    uint64_t deadline = clock_now() + SERVER_STOP_MS * (CLOCK_SECOND / 1000);
    int status;

    kill(server->pid, SIGTERM);
    while (server_listen(server, 100))
        if (clock_now() > deadline)
            fail("the server has not ended %d s after SIGTERM", SERVER_STOP_MS / 1000);
    waitpid(server->pid, &status, 0);
    server_running = NULL;
    close(server->output);
    if (strict && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        fputs(server->log, stderr);
        fail("the server ended with %s %d", WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
}
