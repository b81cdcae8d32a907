/* SPDX-License-Identifier: ISC */
/*
 * Fault test: system calls fail, one at a time, in a fixed session: the N-th of its kind, in the
 * supervisor from its start, in the forker, or in one worker. The result is an error line or a lost
 * client, but no crash, hang or leak, and clients that connect later are served.
 *
 * Model: strace injects the error into one process and records that it did. The short form tries
 * the first few calls of each kind, the long form continues until the session has no N-th call. A
 * supervisor that cannot start says why and exits; once it is ready, it runs until it is stopped.
 * The exception is libevent's own signal pipe: if reading it fails, the server logs that and exits
 * with 1; if writing it fails, the signal is lost. So a call that libevent makes for itself fails
 * only until the server is ready, and then once more.
 */
#include "config.h"

#include "tests/faults/faults.h"
#include "tests/faults/trace.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The call that fails, and how many of its kind the short form tries. */
struct fault {
    const char *call;
    const char *error;
    int tries;
    enum { OTHER_CALL, READ_OF_SIGNALS, WRITE_OF_SIGNALS } pipe;
};

static const struct fault in_supervisor[] = {
    {"accept4", "EMFILE", 2, OTHER_CALL},
    {"accept4", "ECONNABORTED", 1, OTHER_CALL},
    {"socketpair", "EMFILE", 3, OTHER_CALL},
    {"clone", "EAGAIN", 1, OTHER_CALL},
    {"mmap", "ENOMEM", 8, OTHER_CALL},
    {"epoll_create1", "EMFILE", 1, OTHER_CALL},
    {"epoll_ctl", "ENOMEM", 6, OTHER_CALL},
    {"epoll_wait", "EINTR", 1, OTHER_CALL},
    {"read", "EIO", 4, READ_OF_SIGNALS}, /* after three at the start */
    {"read", "ECONNRESET", 6, OTHER_CALL},
    {"read", "EINTR", 5, OTHER_CALL},
    {"recvfrom", "EINTR", 2, OTHER_CALL},
    {"recvfrom", "EIO", 2, OTHER_CALL},
    {"write", "EINTR", 2, WRITE_OF_SIGNALS},
    {"sendto", "ENOBUFS", 2, OTHER_CALL},
    {"sendto", "ECONNRESET", 2, OTHER_CALL},
    {"sendmsg", "ENOBUFS", 2, OTHER_CALL},
    {"openat", "EMFILE", 4, OTHER_CALL},
    {"fallocate", "ENOSPC", 1, OTHER_CALL},
    {"madvise", "ENOMEM", 2, OTHER_CALL},
    {"listen", "EADDRINUSE", 1, OTHER_CALL},
};

static const struct fault in_forker[] = {
    {"clone", "EAGAIN", 2, OTHER_CALL},
    {"recvmsg", "EINTR", 1, OTHER_CALL},
    {"recvmsg", "ENOMEM", 1, OTHER_CALL},
    {"sendto", "ENOBUFS", 1, OTHER_CALL},
};

static const struct fault in_worker[] = {
    {"epoll_ctl", "ENOMEM", 2, OTHER_CALL},
    {"epoll_wait", "EINTR", 2, OTHER_CALL},
    {"epoll_wait", "EBADF", 1, OTHER_CALL},
    {"read", "ECONNRESET", 2, OTHER_CALL},
    {"read", "EINTR", 2, OTHER_CALL},
    {"write", "ECONNRESET", 2, OTHER_CALL},
    {"write", "EINTR", 2, OTHER_CALL},
    {"sendto", "ENOBUFS", 2, OTHER_CALL},
    {"sendto", "EPIPE", 2, OTHER_CALL},
    {"ioctl", "EIO", 2, OTHER_CALL},
    {"shutdown", "ENOTCONN", 1, OTHER_CALL},
};
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define TRIES_MAX    400

/* --- the session --- */

/* Waits until the client has received such a line, or its connection has ended. Returns whether
 * it has received it. */
static bool gets(struct client *client, const char *words)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (client->in.length == 0 || strstr(client->in.data, words) == NULL) {
        if (client->ended)
            return false;
        ck_assert_msg(client_turn(&client, 1, deadline), "neither \"%s\" nor an end comes, but: %s",
            words, client->in.length > 0 ? client->in.data : "(nothing)");
    }
    return true;
}

/* One client uses every command. If it is disconnected meanwhile, the rest is skipped. */
static void play(struct client *client)
{
    static const char *const said[] = {"hello\n/who\n", "/nick alice\n", "/help\n", "/nope\n"};
    static const char *const answers[] = {" here:", "is now alice", "/quit", "Unknown command"};

    for (int at = 0; at < COUNT(said); at++) {
        client_queue_text(client, "%s", said[at]);
        if (!gets(client, answers[at]))
            return;
    }
    client_queue_text(client, "/quit that is all\n");
    client_turn(&client, 1, bounded_deadline(BOUND_MS));
}

static void open_and_play(struct daemon *daemon)
{
    struct client *client = client_open(daemon_address(daemon, 0), 0);

    if (gets(client, "Welcome"))
        play(client);
    client_read_to_end(client);
    client_close(client);
}

/* Returns whether the second client receives what the first says; false if one of them is
 * disconnected first. */
static bool hears(struct client *const *pair)
{
    static const char words[] = "are you there";
    int64_t deadline = bounded_deadline(BOUND_MS);

    client_queue_text(pair[0], "%s\n", words);
    while (strstr(pair[1]->in.data, words) == NULL) {
        if (pair[0]->ended || pair[1]->ended)
            return false;
        ck_assert_msg(client_turn(pair, 2, deadline), "\"%s\" does not come, nor an end", words);
    }
    return true;
}

/* Two more clients join and talk. They may be told that the server is busy while the fault
 * lasts. */
static void expect_service(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    struct client *pair[2];
    bool served = false;

    while (!served) {
        ck_assert_msg(bounded_turn(deadline), "nobody is served any more");
        ck_assert_msg(!daemon_ended(daemon), "the supervisor has ended:\n%s", daemon_log(daemon));
        pair[0] = client_open(daemon_address(daemon, 0), 0);
        pair[1] = client_open(daemon_address(daemon, 0), 0);
        served = gets(pair[0], "Welcome") && gets(pair[1], "Welcome") && hears(pair);
        fault_close_all(pair, 2);
    }
}

static void expect_nothing_left(struct daemon *daemon, size_t descriptors)
{
    fault_wait_slots(daemon, 0);
    fault_wait_descriptors(daemon_pid(daemon), descriptors);
}

/* --- in the supervisor --- */

/* Returns how many descriptors a supervisor without faults and without clients has. */
static size_t usual_descriptors(void)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "spare-workers=0"));
    size_t count;

    open_and_play(daemon);
    daemon_wait_workers(daemon, 0);
    count = fault_descriptors(daemon_pid(daemon));
    daemon_stop(daemon);
    return count;
}

/* Makes chatroomd under strace the program that is started. With -D strace is not its parent, so
 * that everything else is as without it. */
static void use_traced(const struct fault *fault, int number, const char *output)
{
    static char binary[4096];
    char text[9000], script[200];

    if (binary[0] == '\0')
        snprintf(binary, sizeof(binary), "%s", getenv("CHATROOMD_BINARY"));
    snprintf(text, sizeof(text),
        "#!/bin/sh\nexec strace -D -qq -o '%s' -e inject=%s:error=%s:when=%d '%s' \"$@\"\n", output,
        fault->call, fault->error, number, binary);
    folder_write(script, sizeof(script), "traced", text);
    ck_assert_int_eq(chmod(script, 0700), 0);
    setenv("CHATROOMD_BINARY", script, 1);
}

/* Returns how many such calls the loader makes before main() opens its first file. */
static int calls_before_main(const struct fault *fault)
{
    char command[9000], line[4096];
    size_t length = strlen(fault->call);
    int count = 0;
    FILE *calls;

    snprintf(command, sizeof(command), "strace -qq -e trace=%s,openat '%s' --version 2>&1",
        fault->call, getenv("CHATROOMD_BINARY"));
    calls = popen(command, "re");
    ck_assert_ptr_nonnull(calls);
    while (
        fgets(line, sizeof(line), calls) != NULL && strstr(line, "\"/dev/null\", O_RDWR") == NULL)
        count += strncmp(line, fault->call, length) == 0 && line[length] == '(';
    pclose(calls);
    return count;
}

/* A server that ends by itself must say why, with an exit code. */
static void expect_reason(struct daemon *daemon, const char *what)
{
    ck_assert_msg(WIFEXITED(daemon_status(daemon)) && WEXITSTATUS(daemon_status(daemon)) != 0,
        "%s: ended with wait status 0x%x:\n%s", what, (unsigned)daemon_status(daemon),
        daemon_log(daemon));
    ck_assert_msg(daemon_log(daemon)[0] != '\0', "%s: ended without a word", what);
}

/* Waits until the server is ready or has ended with a reason. Returns whether it is ready. */
static bool starts(struct daemon *daemon, const char *what)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (!daemon_has_log(daemon, "event=ready", NULL)) {
        if (daemon_ended(daemon)) {
            expect_reason(daemon, what);
            return false;
        }
        ck_assert_msg(bounded_turn(deadline), "%s: it neither starts nor ends", what);
    }
    return true;
}

/* The next such call is libevent's, when the signal that this function sends arrives. */
static void fail_of_signals(struct daemon *daemon, const struct fault *fault, const char *what)
{
    daemon_signal(daemon, SIGUSR1);
    if (fault->pipe == READ_OF_SIGNALS) {
        daemon_wait_log(daemon, "evsig", NULL);
        daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
        return;
    }
    open_and_play(daemon);
    ck_assert_msg(!daemon_has_log(daemon, "event=counters", NULL), "%s: no signal is lost", what);
    expect_service(daemon);
    daemon_stop(daemon);
}

/* Returns whether there is such a call, and there may be more. */
static bool fail_in_supervisor(const struct fault *fault, int number, size_t usual)
{
    char output[200], what[100];
    struct daemon *daemon;
    bool hit;

    snprintf(what, sizeof(what), "%s %s %d", fault->call, fault->error, number);
    folder_name(output, sizeof(output), "", "trace");
    unlink(output);
    use_traced(fault, number, output);
    daemon = daemon_launch(
        OPTIONS("-o", "max-clients=10", "-o", "ring-size=1 MiB", "-o", "spare-workers=0"));
    if (!starts(daemon, what)) {
        hit = trace_injected(output);
        daemon_release(daemon);
        ck_assert_msg(hit, "%s: ended without that call", what);
        return true;
    }
    if (fault->pipe != OTHER_CALL && !trace_injected(output)) {
        fail_of_signals(daemon, fault, what);
        return false;
    }
    open_and_play(daemon);
    expect_service(daemon);
    expect_nothing_left(daemon, usual);
    daemon_stop(daemon);
    return trace_injected(output);
}

START_TEST(a_call_that_fails_in_the_supervisor)
{
    const struct fault *fault = &in_supervisor[_i];
    int before, tried = 0, tries = fault_times(fault->tries, TRIES_MAX);
    size_t usual;

    if (!trace_possible())
        return;
    if (fault_sanitizers() && strcmp(fault->call, "mmap") == 0) {
        fault_skip("the sanitizers do not live through a failing mmap");
        return;
    }
    usual = usual_descriptors();
    before = calls_before_main(fault);
    while (tried < tries && fail_in_supervisor(fault, before + tried + 1, usual))
        tried++;
    printf("supervisor: %s failed with %s, %d times\n", fault->call, fault->error, tried);
}
END_TEST

/* --- in the forker, and in one worker --- */

/* A room of two clients that must not notice, in a server that can be traced. */
struct room {
    struct daemon *daemon;
    struct client *crowd[2];
    size_t descriptors;
    char output[200];
};

static void room_open(struct room *room)
{
    const char *no_jail = fault_no_jail();

    room->daemon =
        daemon_start(OPTIONS("-o", "spare-workers=0", no_jail[0] != '\0' ? "-o" : NULL, no_jail));
    room->descriptors = fault_join_pair(room->daemon, room->crowd);
    folder_name(room->output, sizeof(room->output), "", "trace");
    unlink(room->output);
}

/* Skips what they have received from others, and checks that the two receive each other's
 * messages. */
static void expect_unaffected(struct room *room)
{
    static unsigned number;
    char words[40];

    for (size_t at = 0; at < 2; at++) {
        snprintf(words, sizeof(words), "still here %u", ++number);
        fault_align(room->crowd[at], room->crowd, 2, words);
    }
}

static void room_close(struct room *room)
{
    fault_wait_slots(room->daemon, 2);
    fault_wait_descriptors(daemon_pid(room->daemon), room->descriptors);
    expect_unaffected(room);
    fault_close_all(room->crowd, 2);
    daemon_stop(room->daemon);
}

static void make_injection(char *text, size_t size, const struct fault *fault, int number)
{
    snprintf(text, size, "inject=%s:error=%s:when=%d", fault->call, fault->error, number);
}

/* Returns whether there is such a call. */
static bool fail_in_forker(const struct fault *fault, int number)
{
    struct room room;
    char inject[200];
    pid_t strace;

    room_open(&room);
    make_injection(inject, sizeof(inject), fault, number);
    strace = trace_start(daemon_forker(room.daemon), inject, room.output, false);
    for (int times = 0; times < 3; times++)
        open_and_play(room.daemon);
    expect_unaffected(&room);
    trace_stop(strace);
    expect_service(room.daemon);
    room_close(&room);
    return trace_injected(room.output);
}

START_TEST(a_call_that_fails_in_the_forker)
{
    const struct fault *fault = &in_forker[_i];
    int number = 1, tries = fault_times(fault->tries, TRIES_MAX);

    if (!trace_possible())
        return;
    while (number <= tries && fail_in_forker(fault, number))
        number++;
    printf("forker: %s failed with %s, %d times\n", fault->call, fault->error, number - 1);
}
END_TEST

/* Returns whether there is such a call. */
static bool fail_in_worker(const struct fault *fault, int number)
{
    struct client *victim;
    struct room room;
    char inject[200];
    pid_t strace;

    room_open(&room);
    victim = client_join(daemon_address(room.daemon, 0));
    make_injection(inject, sizeof(inject), fault, number);
    strace = trace_start(daemon_worker_of(room.daemon, victim->name), inject, room.output, false);
    expect_unaffected(&room);
    play(victim);
    client_read_to_end(victim);
    client_close(victim);
    expect_unaffected(&room);
    trace_stop(strace);
    expect_service(room.daemon);
    room_close(&room);
    return trace_injected(room.output);
}

START_TEST(a_call_that_fails_in_a_worker)
{
    const struct fault *fault = &in_worker[_i];
    int number = 1, tries = fault_times(fault->tries, TRIES_MAX);

    if (!trace_possible())
        return;
    while (number <= tries && fail_in_worker(fault, number))
        number++;
    printf("worker: %s failed with %s, %d times\n", fault->call, fault->error, number - 1);
}
END_TEST

/* The forker is killed between creating a worker and announcing it. The newcomer is refused, or
 * disconnected if its worker let it in before that; the worker is gone, and is reaped. */
START_TEST(a_forker_that_does_not_announce_a_worker)
{
    int times = fault_times(5, 100);

    if (!trace_possible())
        return;
    for (int time = 0; time < times; time++) {
        struct client *newcomer;
        struct room room;
        pid_t strace;

        room_open(&room);
        strace = trace_start(
            daemon_forker(room.daemon), "inject=sendto:signal=KILL:when=1", room.output, false);
        newcomer = client_open(daemon_address(room.daemon, 0), 0);
        ck_assert_msg(gets(newcomer, "!") || gets(newcomer, "Welcome") || mode_is_workers(),
            "neither refused nor let in: %s", newcomer->in.length > 0 ? newcomer->in.data : "");
        client_read_to_end(newcomer);
        client_close(newcomer);
        daemon_wait_log(room.daemon, "event=forker-replaced", NULL);
        expect_unaffected(&room);
        trace_stop(strace);
        room_close(&room);
    }
    printf("%d workers were created and not announced\n", times);
}
END_TEST

/* The worker cannot wait for its client's socket. The client receives everything all the same,
 * or is disconnected, but does not wait without end. */
START_TEST(a_worker_that_cannot_wait_dies)
{
    static const char inject[] = "inject=epoll_ctl:error=ENOMEM";
    int64_t deadline = bounded_deadline(BOUND_MS);
    struct client *victim;
    struct room room;
    pid_t strace;

    if (!trace_possible())
        return;
    room_open(&room);
    victim = client_join_small(daemon_address(room.daemon, 0), 4096);
    strace = trace_start(daemon_worker_of(room.daemon, victim->name), inject, room.output, false);
    victim->reads = false;
    crowd_queue(room.crowd[0], 0, CROWD_BACKLOG);
    while (!trace_injected(room.output)) {
        ck_assert_msg(bounded_now() < deadline, "it never waits");
        client_turn(room.crowd, 2, bounded_deadline(10));
    }
    crowd_run_until_messages(room.crowd, 2, room.crowd[1], CROWD_BACKLOG);
    victim->reads = true;
    while (!victim->ended && crowd_messages(victim) < CROWD_BACKLOG)
        ck_assert_msg(client_turn(&victim, 1, deadline), "it waits for ever");
    client_close(victim);
    trace_stop(strace);
    expect_service(room.daemon);
    room_close(&room);
    printf("a worker could not wait for its client: it is no worker any more\n");
}
END_TEST

/* --- a signal just after a worker's creation --- */

#define NEWCOMERS 8

/* Each new worker receives the signal at its first steps. It ignores the signals of the group,
 * and a signal that kills it disconnects only its own client. */
START_TEST(a_signal_at_a_worker_s_first_steps)
{
    static const char *const signals[] = {"TERM", "INT", "HUP", "USR1", "PIPE", "KILL", "SEGV"};
    bool deadly = _i >= 5;
    struct client *newcomer;
    struct room room;
    char inject[80];
    pid_t strace;

    if (!trace_possible())
        return;
    room_open(&room);
    snprintf(inject, sizeof(inject), "inject=prctl:signal=%s:when=1", signals[_i]);
    strace = trace_start(daemon_forker(room.daemon), inject, room.output, true);
    for (int times = 0; times < NEWCOMERS; times++) {
        newcomer = client_open(daemon_address(room.daemon, 0), 0);
        ck_assert_msg(gets(newcomer, "Welcome") != deadly, "signal %s", signals[_i]);
        client_close(newcomer);
    }
    expect_unaffected(&room);
    trace_stop(strace);
    expect_service(room.daemon);
    room_close(&room);
    printf("%d workers got SIG%s just after their creation\n", NEWCOMERS, signals[_i]);
}
END_TEST

static Suite *syscalls_suite(void)
{
    Suite *suite = suite_create("faults: system calls");
    TCase *calls = tcase_create("calls");

    /* LeakSanitizer does not work under strace. */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    tcase_set_timeout(calls, FAULT_CASE_SECONDS);
    tcase_add_loop_test(calls, a_call_that_fails_in_the_supervisor, 0, COUNT(in_supervisor));
    tcase_add_loop_test(calls, a_call_that_fails_in_the_forker, 0, COUNT(in_forker));
    tcase_add_loop_test(calls, a_call_that_fails_in_a_worker, 0, COUNT(in_worker));
    tcase_add_test(calls, a_forker_that_does_not_announce_a_worker);
    if (mode_is_workers())
        tcase_add_test(calls, a_worker_that_cannot_wait_dies);
    tcase_add_loop_test(calls, a_signal_at_a_worker_s_first_steps, 0, 7);
    suite_add_tcase(suite, calls);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(syscalls_suite)
