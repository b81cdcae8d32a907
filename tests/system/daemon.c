/* SPDX-License-Identifier: ISC */
/*
 * daemon.c - the chatroomd under test; see daemon.h for the model.
 *
 * Invariants: every daemon that runs is in `running`, from its fork to daemon_release(), so that
 * the exit handler finds it. The whole log is kept: a test is short, and the log shows why a test
 * failed.
 */
#include "config.h"

#include "tests/system/daemon.h"

#include "tests/system/bounded.h"
#include "tests/system/modes.h"
#include "tests/system/stream.h"
#include "tests/terminal.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS_MAX 48
#define ADDRESS_MAX 160
#define LOG_TAIL    3000

struct daemon {
    pid_t pid;
    int status;
    bool reaped;
    struct stream log;
    struct stream output;
    int terminal;
    size_t mark;
    struct daemon *next;
};

static struct daemon *running;

static const char *log_tail(const struct daemon *daemon)
{
    size_t length = daemon->log.length;

    return daemon->log.text + (length > LOG_TAIL ? length - LOG_TAIL : 0);
}

/* Kills daemons that the test has not ended. If Check forks for each test, they die with it
 * anyway. */
static void kill_running(void)
{
    for (struct daemon *daemon = running; daemon != NULL; daemon = daemon->next)
        if (!daemon->reaped)
            kill(daemon->pid, SIGKILL);
}

/* Once in each test process: Check forks one for every test. */
static void prepare_process(void)
{
    static pid_t prepared;

    if (prepared == getpid())
        return;
    prepared = getpid();
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    atexit(kill_running);
}

struct command {
    char *words[OPTIONS_MAX];
    size_t count;
};

static void command_add(struct command *command, const char *word)
{
    ck_assert_uint_lt(command->count + 1, OPTIONS_MAX);
    command->words[command->count++] = (char *)(uintptr_t)word;
    command->words[command->count] = NULL;
}

static bool command_has(const struct command *command, const char *word)
{
    for (size_t at = 0; at < command->count; at++)
        if (strcmp(command->words[at], word) == 0)
            return true;
    return false;
}

/* Adds the options of this run's mode. The caller's options come later and override them. */
static void command_add_mode(struct command *command)
{
    static const char *const workers[] = {"-o", "couriers=0", NULL};
    static const char *const couriers[] = {"-o", "couriers=3", "-o", "clients-per-courier=4", NULL};

    if (getenv(MODE_VARIABLE) == NULL)
        return;
    for (const char *const *word = mode_is_workers() ? workers : couriers; *word != NULL; word++)
        command_add(command, *word);
}

/* Adds the program, the options of the mode and of the caller, and defaults for the rest. */
static void command_make(struct command *command, const char *const *options)
{
    const char *program = getenv("CHATROOMD_BINARY");

    ck_assert_msg(program != NULL, "CHATROOMD_BINARY is not set: run this test with make check");
    *command = (struct command){.count = 0};
    command_add(command, program);
    command_add_mode(command);
    for (; options != NULL && *options != NULL; options++)
        command_add(command, *options);
    if (!command_has(command, "-f")) {
        command_add(command, "-f");
        command_add(command, "/dev/null");
    }
    if (!command_has(command, "-l")) {
        command_add(command, "-l");
        command_add(command, "127.0.0.1:0");
    }
}

/* Makes the terminal the controlling one of a new session with this process as its foreground
 * group. */
static void take_terminal(int slave)
{
    if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
        _exit(126);
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDOUT_FILENO);
}

/* In the child: never returns. */
static void execute(const struct command *command, int log, int output, int slave)
{
    struct rlimit no_core = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    unsetenv("JOURNAL_STREAM");
    unsetenv("NOTIFY_SOCKET");
    if (slave >= 0) {
        take_terminal(slave);
    } else {
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
    }
    dup2(log, STDERR_FILENO);
    execv(command->words[0], command->words);
    fprintf(stderr, "%s: %s\n", command->words[0], strerror(errno));
    _exit(127);
}

/* `terminal` and `slave` are the ends of the terminal that it is started on, or -1. */
static struct daemon *launch(const char *const *options, int terminal, int slave)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    struct command command;
    int log, output;

    ck_assert_ptr_nonnull(daemon);
    command_make(&command, options);
    prepare_process();
    log = stream_open(&daemon->log);
    output = stream_open(&daemon->output);
    daemon->terminal = terminal;
    fflush(NULL);
    daemon->pid = fork();
    ck_assert_int_ge(daemon->pid, 0);
    if (daemon->pid == 0)
        execute(&command, log, output, slave);
    close(log);
    close(output);
    if (slave >= 0)
        close(slave);
    daemon->next = running;
    running = daemon;
    return daemon;
}

bool daemon_ended(struct daemon *daemon)
{
    if (!daemon->reaped)
        daemon->reaped = waitpid(daemon->pid, &daemon->status, WNOHANG) == daemon->pid;
    return daemon->reaped;
}

int daemon_status(const struct daemon *daemon)
{
    return daemon->status;
}

static void wait_ready(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (!daemon_has_log(daemon, "event=ready", NULL)) {
        ck_assert_msg(!daemon_ended(daemon),
            "chatroomd ended before it was ready (wait status 0x%x):\n%s", (unsigned)daemon->status,
            log_tail(daemon));
        ck_assert_msg(
            bounded_turn(deadline), "chatroomd did not become ready:\n%s", log_tail(daemon));
    }
}

struct daemon *daemon_launch(const char *const *options)
{
    return launch(options, -1, -1);
}

struct daemon *daemon_start(const char *const *options)
{
    struct daemon *daemon = launch(options, -1, -1);

    wait_ready(daemon);
    return daemon;
}

struct daemon *daemon_start_on_terminal(const char *const *options)
{
    int slave, terminal = terminal_open(&slave);
    struct daemon *daemon;

    if (terminal < 0)
        return NULL;
    daemon = launch(options, terminal, slave);
    wait_ready(daemon);
    return daemon;
}

void daemon_type(struct daemon *daemon, const char *keys)
{
    ck_assert_int_eq(write(daemon->terminal, keys, strlen(keys)), (ssize_t)strlen(keys));
}

pid_t daemon_pid(const struct daemon *daemon)
{
    return daemon->pid;
}

const char *daemon_address(const struct daemon *daemon, size_t number)
{
    static char addresses[4][ADDRESS_MAX];
    static size_t turn;
    char *address = addresses[turn++ % 4];
    const char *at = strstr(daemon->log.text, "event=ready");
    const char *end = at == NULL ? NULL : strchrnul(at, '\n');

    for (size_t found = 0; at != NULL && at < end; found++) {
        at = strstr(at, " listen=");
        if (at == NULL || at > end)
            break;
        at += strlen(" listen=");
        if (found == number) {
            snprintf(address, ADDRESS_MAX, "%.*s", (int)strcspn(at, " \n"), at);
            return address;
        }
    }
    ck_abort_msg("the ready line has no address number %zu:\n%s", number, daemon->log.text);
    return NULL;
}

const char *daemon_log(struct daemon *daemon)
{
    bounded_poll(NULL, 0, 0);
    return daemon->log.text;
}

const char *daemon_output(struct daemon *daemon)
{
    bounded_poll(NULL, 0, 0);
    return daemon->output.text;
}

void daemon_mark(struct daemon *daemon)
{
    bounded_poll(NULL, 0, 0);
    daemon->mark = daemon->log.length;
}

bool daemon_has_log(struct daemon *daemon, const char *word, ...)
{
    va_list more;
    bool found;

    bounded_poll(NULL, 0, 0);
    va_start(more, word);
    found = stream_find(&daemon->log, daemon->mark, word, more) != NULL;
    va_end(more);
    return found;
}

const char *daemon_wait_log(struct daemon *daemon, const char *word, ...)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    const char *line;
    va_list more;

    va_start(more, word);
    while ((line = stream_find(&daemon->log, daemon->mark, word, more)) == NULL)
        ck_assert_msg(daemon->log.descriptor >= 0 && bounded_turn(deadline),
            "no log line with \"%s\" and the rest came:\n%s", word, log_tail(daemon));
    va_end(more);
    return line;
}

void daemon_signal(struct daemon *daemon, int signal_number)
{
    ck_assert_msg(!daemon_ended(daemon), "chatroomd has ended (wait status 0x%x):\n%s",
        (unsigned)daemon->status, log_tail(daemon));
    ck_assert_int_eq(kill(daemon->pid, signal_number), 0);
}

/* Waits until the daemon is reaped and its standard error is at its end, which shows that no
 * child is left that has it open. */
static void wait_end(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (!daemon_ended(daemon))
        ck_assert_msg(bounded_turn(deadline), "chatroomd does not end:\n%s", log_tail(daemon));
    while (daemon->log.descriptor >= 0)
        ck_assert_msg(bounded_turn(deadline),
            "chatroomd ended, but somebody holds its standard error:\n%s", log_tail(daemon));
}

static void check_sanitizers(const struct daemon *daemon)
{
    static const char *const complaints[] = {
        "AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion"};

    for (size_t at = 0; at < sizeof(complaints) / sizeof(complaints[0]); at++)
        ck_assert_msg(strstr(daemon->log.text, complaints[at]) == NULL, "%s in the log:\n%s",
            complaints[at], strstr(daemon->log.text, complaints[at]));
}

void daemon_expect_exit(struct daemon *daemon, int code)
{
    wait_end(daemon);
    check_sanitizers(daemon);
    ck_assert_msg(WIFEXITED(daemon->status) && WEXITSTATUS(daemon->status) == code,
        "chatroomd ended with wait status 0x%x instead of exit code %d:\n%s",
        (unsigned)daemon->status, code, log_tail(daemon));
    daemon_release(daemon);
}

void daemon_stop(struct daemon *daemon)
{
    daemon_signal(daemon, SIGTERM);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}

void daemon_kill(struct daemon *daemon)
{
    daemon_signal(daemon, SIGKILL);
    wait_end(daemon);
}

void daemon_release(struct daemon *daemon)
{
    struct daemon **link = &running;

    wait_end(daemon);
    check_sanitizers(daemon);
    while (*link != daemon)
        link = &(*link)->next;
    *link = daemon->next;
    stream_release(&daemon->log);
    stream_release(&daemon->output);
    if (daemon->terminal >= 0)
        close(daemon->terminal);
    free(daemon);
}
