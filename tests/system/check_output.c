/* SPDX-License-Identifier: ISC */
/*
 * System test: what the server writes to. A log whose reader is gone, a log file that may not grow,
 * a terminal that stops background processes that write to it: none of them disconnects a client.
 * An option whose output does not fit on a full disk fails with a message.
 *
 * Model: a shell script in the test's folder prepares the environment and then executes the program
 * under test. If its log cannot be read, the test connects a client to a local socket to see that
 * it serves.
 */
#include "config.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PATH_ROOM 160

/* Little shared memory, so that a limit on the sizes of files can be above it. */
#define SMALL                                                                                      \
    "-o", "max-clients=8", "-o", "ring-size=512KiB", "-o", "spare-workers=0", "-o",                \
        "log-level=debug"

static char socket_address[PATH_ROOM];

/* From now on the daemon is started by these shell commands, in which $0 is the script's path. */
static void set_scene(const char *commands)
{
    char path[PATH_ROOM], text[2048];

    snprintf(text, sizeof text, "#!/bin/sh\n%s\nexec '%s' \"$@\"\n", commands,
        getenv("CHATROOMD_BINARY"));
    folder_write(path, sizeof path, "scene", text);
    ck_assert_int_eq(chmod(path, 0700), 0);
    setenv("CHATROOMD_BINARY", path, 1);
    folder_name(socket_address, sizeof socket_address, "unix:", "socket");
}

/* Whether this child has ended; it is not reaped. */
static bool has_ended(pid_t process)
{
    siginfo_t ended = {.si_pid = 0};

    return waitid(P_PID, (id_t)process, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           ended.si_pid != 0;
}

/* Waits until a server listens there and joins; returns NULL once `process` has ended. */
static struct client *join_when_up(pid_t process)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    for (;;) {
        int fd = address_connect(socket_address, 0);

        if (fd >= 0) {
            struct client *client = client_adopt(fd, fd, "first");
            client_expect_welcome(client);
            return client;
        }
        if (has_ended(process))
            return NULL;
        ck_assert_msg(bounded_turn(deadline), "nobody listens on %s", socket_address);
    }
}

/* Two clients talk while the log cannot be written; then the server stops in order. */
static void expect_service(struct daemon *daemon)
{
    struct client *two[2];

    two[0] = join_when_up(daemon_pid(daemon));
    ck_assert_msg(two[0] != NULL, "the server has ended, wait status 0x%x",
        (unsigned)(daemon_ended(daemon) ? daemon_status(daemon) : 0));
    two[1] = client_join(socket_address);
    client_expect(two[0], "* guest2 joined");
    client_expect_silence(two[0], &two[1], 1);
    client_expect_silence(two[1], &two[0], 1);
    client_close(two[0]);
    client_close(two[1]);
    daemon_stop(daemon);
}

/* As after `chatroomd 2>&1 | head -1`. */
START_TEST(a_log_without_a_reader_costs_no_client)
{
    set_scene("mkfifo \"$0.pipe\"; exec 3<>\"$0.pipe\"; exec 2>\"$0.pipe\"; exec 3<&-");
    expect_service(daemon_launch(OPTIONS("-l", socket_address, SMALL)));
}
END_TEST

/* The limit is in units of 512 bytes: 2 MiB, which is above the shared memory. */
START_TEST(a_log_file_at_its_limit_costs_no_client)
{
    struct stat status;
    char path[PATH_ROOM];

    set_scene("ulimit -f 4096; truncate -s 2097100 \"$0.log\"; exec 2>>\"$0.log\"");
    expect_service(daemon_launch(OPTIONS("-l", socket_address, SMALL)));
    ck_assert_int_eq(stat(folder_name(path, sizeof path, "", "scene.log"), &status), 0);
    ck_assert_int_eq(status.st_size, 4096 * 512);
}
END_TEST

START_TEST(a_file_limit_below_the_shared_memory_is_named)
{
    struct daemon *daemon;

    set_scene("ulimit -f 100");
    daemon = daemon_launch(OPTIONS("-l", socket_address, SMALL));
    daemon_wait_log(daemon, "KiB of shared memory", "ulimit -f", "LimitFSIZE=", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

/* In the leader of a new session on the terminal: starts the server in the background, with its
 * log on the terminal. The terminal stops background processes that write to it. Exits with 0 if
 * the server ended in order, with 1 if it was stopped or killed. */
static _Noreturn void run_session(const char *terminal)
{
    struct termios modes;
    int status, fd;
    pid_t server;

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fd = open(terminal, O_RDWR);
    if (fd < 0 || tcgetattr(fd, &modes) != 0)
        _exit(2);
    modes.c_lflag |= TOSTOP;
    if (tcsetattr(fd, TCSANOW, &modes) != 0)
        _exit(2);
    server = fork();
    if (server == 0) {
        const char *program = getenv("CHATROOMD_BINARY");

        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDERR_FILENO);
        execl(program, program, "-f", "/dev/null", "-l", socket_address, SMALL, (char *)NULL);
        _exit(127);
    }
    setpgid(server, server);
    waitpid(server, &status, WUNTRACED);
    if (WIFSTOPPED(status))
        kill(server, SIGKILL);
    _exit(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1);
}

/* Returns the process that listens on the client's local socket. */
static pid_t server_of(const struct client *client)
{
    struct ucred who;
    socklen_t length = sizeof who;

    ck_assert_int_eq(getsockopt(client->input, SOL_SOCKET, SO_PEERCRED, &who, &length), 0);
    return who.pid;
}

START_TEST(a_background_process_of_a_terminal_is_not_stopped)
{
    int slave, terminal = terminal_open(&slave), status;
    struct client *client;
    pid_t session;

    if (terminal < 0)
        return;
    close(slave);
    set_scene("");
    session = fork();
    if (session == 0)
        run_session(ptsname(terminal));
    client = join_when_up(session);
    ck_assert_msg(client != NULL, "writing to the terminal has stopped the server");
    ck_assert_int_eq(kill(server_of(client), SIGTERM), 0);
    ck_assert_int_eq(waitpid(session, &status, 0), session);
    ck_assert_int_eq(status, 0);
    client_close(client);
}
END_TEST

static const char *const printing[] = {"-V", "-h", "-T", "-t"};

START_TEST(output_to_a_full_disk_fails_with_a_message)
{
    struct daemon *daemon;

    if (access("/dev/full", W_OK) != 0) {
        printf("skipped: there is no /dev/full here\n");
        return;
    }
    set_scene("exec >/dev/full");
    daemon = daemon_launch(OPTIONS(printing[_i]));
    daemon_wait_log(daemon, "standard output", "No space left", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

static Suite *output_suite(void)
{
    Suite *suite = suite_create("system: output");
    TCase *output = tcase_create("output");

    tcase_set_timeout(output, BOUND_CASE_SECONDS);
    tcase_add_test(output, a_log_without_a_reader_costs_no_client);
    tcase_add_test(output, a_log_file_at_its_limit_costs_no_client);
    tcase_add_test(output, a_file_limit_below_the_shared_memory_is_named);
    tcase_add_test(output, a_background_process_of_a_terminal_is_not_stopped);
    tcase_add_loop_test(output, output_to_a_full_disk_fails_with_a_message, 0,
        sizeof printing / sizeof printing[0]);
    suite_add_tcase(suite, output);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(output_suite)
