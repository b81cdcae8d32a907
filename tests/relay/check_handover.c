/* SPDX-License-Identifier: ISC */
/*
 * Descriptors from process to process: each arrives with its message or not at all, and none is
 * left open without an owner.
 */
#include "config.h"

#include "relay/handover.h"

#include "tests/check_main.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ours, theirs;

static void set_up(void)
{
    ck_assert(handover_pair(&ours, &theirs));
}

static void tear_down(void)
{
    close(ours);
    close(theirs);
}

/* A descriptor of a pipe of its own; `other` is the pipe's other end. */
static int make_pipe(int *other)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    *other = ends[0];
    return ends[1];
}

/* Both lead to one file. */
static bool are_same(int one, int another)
{
    struct stat first, second;

    return fstat(one, &first) == 0 && fstat(another, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

START_TEST(a_pair_keeps_messages_apart_and_only_our_end_never_blocks)
{
    int type;
    socklen_t length = sizeof type;

    ck_assert_int_eq(getsockopt(ours, SOL_SOCKET, SO_TYPE, &type, &length), 0);
    ck_assert_int_eq(type, SOCK_SEQPACKET);
    ck_assert(fcntl(ours, F_GETFL) & O_NONBLOCK);
    ck_assert(!(fcntl(theirs, F_GETFL) & O_NONBLOCK));
    ck_assert(fcntl(ours, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(theirs, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(a_sent_descriptor_arrives)
{
    struct handover_client about = {.address = "[2001:db8::1]:4711"}, seen;
    int other, sent = make_pipe(&other), received;

    ck_assert(handover_send(ours, &about, sizeof about, &sent, 1));
    ck_assert_int_eq(handover_receive(theirs, &seen, sizeof seen, &received, 1), sizeof seen);
    ck_assert_mem_eq(&seen, &about, sizeof about);
    ck_assert_int_ge(received, 0);
    ck_assert_int_ne(received, sent);
    ck_assert(are_same(received, sent)); /* the sender keeps its own */
    ck_assert(fcntl(received, F_GETFD) & FD_CLOEXEC);
    close(received);
    close(sent);
    close(other);
}
END_TEST

START_TEST(several_descriptors_keep_their_places)
{
    int others[2], received[2];
    int sent[2] = {make_pipe(&others[0]), make_pipe(&others[1])};
    char bytes[16];

    ck_assert(handover_send(ours, "two", 3, sent, 2));
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, received, 2), 3);
    for (int i = 0; i < 2; i++) {
        ck_assert(are_same(received[i], sent[i]));
        close(received[i]);
        close(sent[i]);
        close(others[i]);
    }
}
END_TEST

START_TEST(messages_keep_their_order_and_their_bounds)
{
    int others[50], sent[50];
    int count = 0;

    for (; count < 50; count++) {
        struct handover_served whose = {
            .slot = (uint32_t)count, .generation = 100 - (uint32_t)count};
        sent[count] = make_pipe(&others[count]);
        if (!handover_send(ours, &whose, sizeof whose, &sent[count], 1))
            break;
    }
    ck_assert_int_ge(count, 10);
    for (int i = 0; i < count; i++) {
        struct handover_served whose;
        char more[256];
        int received;

        memset(more, 0, sizeof more);
        ck_assert_int_eq(handover_receive(theirs, more, sizeof more, &received, 1), sizeof whose);
        memcpy(&whose, more, sizeof whose);
        ck_assert_uint_eq(whose.slot, (uint32_t)i);
        ck_assert_uint_eq(whose.generation, 100 - (uint32_t)i);
        ck_assert(are_same(received, sent[i]));
        close(received);
    }
    for (int i = 0; i < count; i++) {
        close(sent[i]);
        close(others[i]);
    }
}
END_TEST

START_TEST(sending_does_not_wait_for_a_full_socket)
{
    int other, sent = make_pipe(&other), received;
    char bytes[8];
    unsigned count = 0;

    while (handover_send(ours, "whole", 5, &sent, 1))
        count++;
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_gt(count, 0);
    for (; count > 0; count--) { /* what was not taken has left nothing of it behind */
        ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), 5);
        close(received);
    }
    ck_assert_int_eq(fcntl(theirs, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(received, -1);
    ck_assert(handover_send(ours, "whole", 5, &sent, 1));
    close(sent);
    close(other);
}
END_TEST

START_TEST(a_closed_other_end_is_reported)
{
    int other, sent = make_pipe(&other), received = 77;
    char bytes[8];

    ck_assert(handover_send(ours, "last", 4, &sent, 1));
    close(ours);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), 4);
    close(received);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), 0);
    ck_assert_int_eq(received, -1);
    ck_assert(!handover_send(theirs, "x", 1, &sent, 1)); /* and no SIGPIPE */
    ck_assert_int_eq(errno, EPIPE);
    close(sent);
    close(other);
    ours = dup(theirs); /* for tear_down() */
}
END_TEST

START_TEST(bytes_may_come_without_a_descriptor)
{
    int received[2] = {77, 77};
    char bytes[8];

    ck_assert_int_eq(send(ours, "bare", 4, 0), 4);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, received, 2), 4);
    ck_assert_int_eq(received[0], -1);
    ck_assert_int_eq(received[1], -1);
}
END_TEST

START_TEST(fewer_descriptors_may_come_than_fit)
{
    int other, sent = make_pipe(&other), received[2] = {77, 77};
    char bytes[8];

    ck_assert(handover_send(ours, "one", 3, &sent, 1));
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, received, 2), 3);
    ck_assert(are_same(received[0], sent));
    ck_assert_int_eq(received[1], -1);
    close(received[0]);
    close(sent);
    close(other);
}
END_TEST

/* What there is no room for is neither written nor left open. */
START_TEST(more_descriptors_than_fit_are_closed)
{
    int others[2], received[2] = {77, 77};
    int sent[2] = {make_pipe(&others[0]), make_pipe(&others[1])};
    unsigned before = count_descriptors();
    char bytes[8];

    ck_assert(handover_send(ours, "two", 3, sent, 2));
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, received, 1), 3);
    ck_assert(are_same(received[0], sent[0]));
    ck_assert_int_eq(received[1], 77);
    ck_assert_uint_eq(count_descriptors(), before + 1);
    close(received[0]);
    for (int i = 0; i < 2; i++) {
        close(sent[i]);
        close(others[i]);
    }
}
END_TEST

/* The message comes all the same, so that the next one is not taken for it. */
START_TEST(a_process_at_its_limit_of_descriptors_loses_none)
{
    int other, sent = make_pipe(&other), received = 77;
    struct rlimit few, before;
    char bytes[8];

    ck_assert(handover_send(ours, "one", 3, &sent, 1));
    ck_assert(handover_send(ours, "again", 5, &sent, 1));
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 3; /* as many as are open at least */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ssize_t length = handover_receive(theirs, bytes, sizeof bytes, &received, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(length, 3);
    ck_assert_int_eq(received, -1);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), 5);
    ck_assert(are_same(received, sent));
    close(received);
    close(sent);
    close(other);
}
END_TEST

#define SIGNALS 1000

static int handled[2]; /* a pipe: a byte for each signal that was */

static void on_signal(int signal)
{
    char byte = (char)signal;

    if (write(handled[1], &byte, 1) != 1)
        abort();
}

/* The other side: each signal comes when the one before it has been handled. */
static void signal_and_send(pid_t receiver)
{
    char byte;

    close(handled[1]);
    for (int i = 0; i < SIGNALS; i++)
        if (kill(receiver, SIGUSR1) != 0 || read(handled[0], &byte, 1) != 1)
            _exit(1);
    _exit(handover_send(ours, "late", 4, &ours, 1) ? 0 : 1);
}

/* The child signals its parent, which waits or is about to, again and again before it sends. */
START_TEST(a_signal_does_not_end_a_wait)
{
    struct sigaction action = {.sa_handler = on_signal};
    pid_t receiver = getpid(), pid;
    int received, status;
    char bytes[8];

    ck_assert_int_eq(pipe2(handled, O_CLOEXEC), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        signal_and_send(receiver);
    ck_assert_int_eq(handover_receive(theirs, bytes, sizeof bytes, &received, 1), 4);
    ck_assert_int_ge(received, 0);
    close(received);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(handled[0]);
    close(handled[1]);
}
END_TEST

static Suite *handover_suite(void)
{
    Suite *suite = suite_create("handover");
    TCase *passing = tcase_create("passing");

    tcase_set_timeout(passing, 60);
    tcase_add_checked_fixture(passing, set_up, tear_down);
    tcase_add_test(passing, a_pair_keeps_messages_apart_and_only_our_end_never_blocks);
    tcase_add_test(passing, a_sent_descriptor_arrives);
    tcase_add_test(passing, several_descriptors_keep_their_places);
    tcase_add_test(passing, messages_keep_their_order_and_their_bounds);
    tcase_add_test(passing, sending_does_not_wait_for_a_full_socket);
    tcase_add_test(passing, a_closed_other_end_is_reported);
    tcase_add_test(passing, bytes_may_come_without_a_descriptor);
    tcase_add_test(passing, fewer_descriptors_may_come_than_fit);
    tcase_add_test(passing, more_descriptors_than_fit_are_closed);
    tcase_add_test(passing, a_process_at_its_limit_of_descriptors_loses_none);
    tcase_add_test(passing, a_signal_does_not_end_a_wait);
    suite_add_tcase(suite, passing);
    return suite;
}

CHECK_MAIN(handover_suite)
