/* SPDX-License-Identifier: ISC */
/*
 * The forkers in the supervisor's loop: a forker that dies or does not answer is replaced by the
 * standby, requests that it has not answered fail, and a child that it did not announce is reaped.
 * The forkers are real ones, stopped and continued; the time that passes is what the test says.
 */
#include "config.h"

#include "supervisor/child/orphans.h"
#include "supervisor/child/spawner.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"
#include "tests/system/bounded.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT FORKER_TIMEOUT_MS
#define TICK    100u

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct spawner *spawner;
static unsigned answers, failures;
static struct forker_answer last;

/* A child that exits when its relay reads EOF. */
static int wait_for_end(struct heritage *heritage)
{
    char byte;

    return read(heritage->relay_fd, &byte, 1) == 0 ? 0 : 1;
}

static const struct process_kind child_kind = {.name = "child", .run = wait_for_end};
static const struct process_kind *const rows[] = {&child_kind};
static const struct process_kinds kinds = {.rows = rows, .count = 1};

static void take_answer(struct supervisor *whose, const struct forker_answer *answer)
{
    (void)whose;
    answers += answer->pid != 0;
    failures += answer->pid == 0;
    last = *answer;
}

static pid_t known;

static bool knows(const struct supervisor *whose, pid_t pid)
{
    (void)whose;
    return pid == known;
}

static const struct spawner_handler handler = {take_answer, knows};

static void open_spawner(void)
{
    struct forker forkers[2];

    ck_assert(forker_start(&forkers[0], &kinds, false));
    ck_assert(forker_start(&forkers[1], &kinds, true));
    fixture = fixture_open();
    supervisor = &fixture->supervisor;
    spawner = &supervisor->spawner;
    fixture->options.jail = JAIL_OFF;
    ck_assert(spawner_prepare(spawner, supervisor, &kinds, forkers, false));
    spawner->handlers[0] = &handler;
    ck_assert(spawner_open(spawner));
}

static void close_spawner(void)
{
    spawner_finish(spawner);
    fixture_close(fixture);
}

/* Returns the other end of the child's relay. */
static int ask_for(uint32_t slot, uint32_t generation)
{
    struct forker_request request = {.slot = slot, .generation = generation};
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(spawner_ask(spawner, &request, ends[0], -1));
    close(ends[0]);
    return ends[1];
}

static void ask(void)
{
    close(ask_for(0, 1));
}

static void run_until(const unsigned *count, unsigned value)
{
    while (*count < value)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(*count, value);
}

/* Waits until there is a standby. */
static void await_standby(void)
{
    while (spawner->standby.pid == 0)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
}

static void stop_process(pid_t pid)
{
    int status;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
}

/* Kills a process and leaves it to be waited for. */
static void kill_process(pid_t pid)
{
    siginfo_t exited;

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &exited, WEXITED | WNOWAIT), 0);
}

/* Lets the forker answer after so much time. */
static void answer_after(uint64_t milliseconds)
{
    unsigned before = answers;

    stop_process(spawner->forker.pid);
    ask();
    spawner_tick(spawner, milliseconds);
    ck_assert_int_eq(kill(spawner->forker.pid, SIGCONT), 0);
    run_until(&answers, before + 1);
    ck_assert_int_eq(waitpid(last.pid, NULL, 0), last.pid);
}

static void expect_gone(pid_t pid)
{
    ck_assert_int_eq(kill(pid, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
}

/* The standby has taken over, has made the next one, and serves. */
static void expect_taken_over(pid_t dead, pid_t standby)
{
    ck_assert_int_eq(spawner->forker.pid, standby);
    expect_gone(dead);
    await_standby();
    ck_assert_int_ne(spawner->standby.pid, standby);
    ck_assert(spawner_is_ready(spawner) && !spawner->is_lost);
    answer_after(1);
}

START_TEST(one_without_requests_has_all_time)
{
    pid_t first = spawner->forker.pid;

    stop_process(first);
    spawner_tick(spawner, 10 * TIMEOUT);
    kill(first, SIGCONT);
    answer_after(1);
    spawner_tick(spawner, 10 * TIMEOUT);
    ck_assert(!spawner_turn(spawner));
    answer_after(TIMEOUT); /* the time before the request does not count */
    ck_assert_int_eq(spawner->forker.pid, first);
    ck_assert_uint_eq(failures, 0);
}
END_TEST

START_TEST(one_that_does_not_answer_is_replaced)
{
    for (int times = 0; times < 3; times++) {
        pid_t stopped = spawner->forker.pid, standby = spawner->standby.pid;
        unsigned before = failures;

        stop_process(stopped);
        ask();
        ck_assert(spawner_turn(spawner));
        spawner_tick(spawner, TIMEOUT - 1);
        spawner_tick(spawner, 1);
        ck_assert(!spawner->is_hung);
        spawner_tick(spawner, 1);
        ck_assert(spawner->is_hung);
        run_until(&failures, before + 1);
        expect_taken_over(stopped, standby);
    }
}
END_TEST

/* It dies with three requests that it has not read. None is repeated. */
START_TEST(pending_requests_fail)
{
    pid_t dead = spawner->forker.pid, standby = spawner->standby.pid;

    stop_process(dead);
    for (uint32_t slot = 0; slot < 3; slot++)
        close(ask_for(slot, 10 + slot));
    ck_assert_int_eq(kill(dead, SIGKILL), 0);
    run_until(&failures, 3);
    ck_assert_uint_eq(answers, 0);
    ck_assert_int_eq(last.failure, ECHILD);
    ck_assert_uint_eq(last.slot, 2);
    ck_assert_uint_eq(last.generation, 12);
    expect_taken_over(dead, standby);
    ck_assert_uint_eq(answers, 1);
}
END_TEST

START_TEST(a_standby_that_dies_is_replaced)
{
    pid_t dead = spawner->standby.pid, first = spawner->forker.pid;

    kill_process(dead);
    while (spawner->standby.pid == dead)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    await_standby();
    expect_gone(dead);
    ck_assert_int_eq(spawner->forker.pid, first);
    kill_process(first);
    dead = spawner->standby.pid;
    while (spawner->forker.pid == first)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    expect_taken_over(first, dead);
}
END_TEST

/* No descriptor is free for its control socket; it is requested again later. */
START_TEST(a_standby_that_cannot_be_made_is_retried)
{
    pid_t first = spawner->forker.pid, standby = spawner->standby.pid;
    struct rlimit before, none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    kill_process(first);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    while (spawner->forker.pid == first)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    ck_assert(spawner->retry_at != 0 && spawner_turn(spawner));
    ck_assert_int_eq(spawner->standby.pid, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    supervisor->now_ms = spawner->retry_at;
    supervisor->clock_is_old = false;
    ck_assert(spawner_turn(spawner));
    expect_taken_over(first, standby);
    ck_assert_uint_eq(spawner->retry_at, 0);
}
END_TEST

START_TEST(without_a_forker_nothing_is_asked)
{
    struct forker_request request = {.slot = 0};

    kill_process(spawner->standby.pid);
    stop_process(spawner->forker.pid); /* so that it makes no other */
    ask();
    while (spawner->standby.pid != 0)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    ck_assert_int_eq(kill(spawner->forker.pid, SIGKILL), 0);
    run_until(&failures, 1);
    ck_assert(spawner->is_lost);
    ck_assert(!spawner_is_ready(spawner) && !spawner_ask(spawner, &request, 0, -1));
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_int_eq(spawner->standby.control, -1);
    spawner_give_up(spawner);
    ck_assert_uint_eq(failures, 1);
}
END_TEST

/* Whether a child of this process has exited and was not waited for. */
static pid_t exited_child(void)
{
    siginfo_t exited = {.si_pid = 0};

    waitid(P_ALL, 0, &exited, WEXITED | WNOHANG | WNOWAIT);
    return exited.si_pid;
}

/* Looks for children that nobody knows; returns whether there may be more. */
static bool sweep(void)
{
    spawner->supervisor->has_dead_children = true;
    spawner->supervisor->next_sweep = 0;
    return reap_unknown_children(spawner->supervisor);
}

static void await_exit(pid_t other_than)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (exited_child() == other_than)
        ck_assert(bounded_turn(deadline));
}

/* A child that exits at once. */
static pid_t fork_child(void)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(0);
    return pid;
}

/* How many children there are, zombies included. */
static unsigned child_count(void)
{
    FILE *children = fopen("/proc/thread-self/children", "r");
    unsigned count = 0;
    long pid;

    ck_assert_ptr_nonnull(children);
    while (fscanf(children, "%ld", &pid) == 1)
        count++;
    fclose(children);
    return count;
}

/* The forker creates a child but cannot announce it, and dies. The request has failed; when its
 * relay is closed, the child exits and is reaped, and a known child is left alone. */
START_TEST(a_child_that_is_not_announced_is_reaped)
{
    pid_t dead = spawner->forker.pid, standby = spawner->standby.pid;
    int relay;

    ck_assert_int_eq(shutdown(spawner->forker.control, SHUT_RD), 0);
    relay = ask_for(2, 7);
    run_until(&failures, 1);
    ck_assert_int_eq(last.failure, ECHILD);
    expect_taken_over(dead, standby);
    known = fork_child();
    close(relay);
    while (spawner_has_pending(spawner))
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    for (int64_t deadline = bounded_deadline(BOUND_MS); child_count() > 3;) {
        ck_assert(bounded_turn(deadline));
        if (exited_child() != known) /* a known one hides it until it is waited for */
            sweep();
        else if (child_count() == 4) {
            ck_assert_int_eq(waitpid(known, NULL, 0), known);
            known = fork_child();
        }
    }
    await_exit(0);
    ck_assert(sweep());
    ck_assert_int_eq(exited_child(), known);
    ck_assert_int_eq(waitpid(known, NULL, 0), known);
    known = 0;
    ck_assert(!sweep());
    ck_assert_int_eq(exited_child(), 0);
}
END_TEST

/* While a request is pending, the exited child may be its own. */
START_TEST(nothing_is_reaped_while_requests_are_pending)
{
    stop_process(spawner->forker.pid);
    ask();
    known = fork();
    ck_assert_int_ge(known, 0);
    if (known == 0)
        _exit(0);
    await_exit(0);
    known = 0;
    ck_assert(sweep());
    ck_assert_int_ne(exited_child(), 0);
    ck_assert_int_eq(kill(spawner->forker.pid, SIGCONT), 0);
    run_until(&answers, 1);
    ck_assert_int_eq(waitpid(last.pid, NULL, 0), last.pid);
    ck_assert(!sweep());
    ck_assert_int_eq(exited_child(), 0);
}
END_TEST

/* The forker's end of its socket, as a process that was stopped at its very beginning has it. */
static int copy_of_control(void)
{
    int process = (int)syscall(SYS_pidfd_open, spawner->forker.pid, 0), copy = -1;
    struct stat is;

    ck_assert_int_ge(process, 0);
    for (int fd = 3; fd < 64 && copy < 0; fd++) {
        copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
        if (copy >= 0 && (fstat(copy, &is) != 0 || !S_ISSOCK(is.st_mode))) {
            close(copy);
            copy = -1;
        }
    }
    close(process);
    ck_assert_int_ge(copy, 0);
    return copy;
}

START_TEST(one_that_dies_is_replaced_although_its_socket_is_held)
{
    pid_t dead = spawner->forker.pid, standby = spawner->standby.pid;
    int copy;

    answer_after(1); /* it has no socket but that one by then */
    copy = copy_of_control();
    kill_process(dead);
    ask();
    spawner_tick(spawner, TIMEOUT + 1);
    spawner_tick(spawner, 1);
    ck_assert_uint_eq(failures, 1);
    expect_taken_over(dead, standby);
    close(copy);
}
END_TEST

static Suite *spawner_suite(void)
{
    Suite *suite = suite_create("spawner");
    TCase *cases = tcase_create("spawner");

    tcase_add_checked_fixture(cases, open_spawner, close_spawner);
    tcase_add_test(cases, one_without_requests_has_all_time);
    tcase_add_test(cases, one_that_does_not_answer_is_replaced);
    tcase_add_test(cases, pending_requests_fail);
    tcase_add_test(cases, a_standby_that_dies_is_replaced);
    tcase_add_test(cases, a_standby_that_cannot_be_made_is_retried);
    tcase_add_test(cases, without_a_forker_nothing_is_asked);
    tcase_add_test(cases, a_child_that_is_not_announced_is_reaped);
    tcase_add_test(cases, nothing_is_reaped_while_requests_are_pending);
    tcase_add_test(cases, one_that_dies_is_replaced_although_its_socket_is_held);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(spawner_suite)
