/* SPDX-License-Identifier: ISC */
/*
 * How long a forker may owe answers before it is taken for hung: long enough for a busy machine,
 * and longer each time that this was not enough. And what becomes of who waits for it when it dies.
 * The forker is a real one, frozen and thawed; the time that passes is what the test says.
 */
#include "config.h"

#include "supervisor/child/spawner.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"
#include "tests/system/bounded.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 3000u /* milliseconds, for a forker that answers at once */
#define LONGEST  60000u

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct spawner *spawner;
static unsigned answers, losses;
static struct forker_answer last;

static int end_at_once(struct heritage *heritage)
{
    (void)heritage;
    return 0;
}

static const struct process_kind kinds[KIND_COUNT] = {
    [KIND_WORKER] = {"client", end_at_once, NULL},
};

static void take_answer(struct supervisor *whose, const struct forker_answer *answer)
{
    (void)whose;
    answers += answer->pid != 0;
    losses += answer->pid == 0;
    last = *answer;
}

static const struct spawner_handler handler = {.answered = take_answer};

static void open_spawner(void)
{
    fixture = fixture_open();
    supervisor = &fixture->supervisor;
    spawner = &supervisor->spawner;
    ck_assert(spawner_prepare(spawner, supervisor, kinds));
    spawner->handlers[KIND_WORKER] = &handler;
    ck_assert(spawner_open(spawner));
}

static void close_spawner(void)
{
    spawner_finish(spawner);
    fixture_close(fixture);
}

static void ask_for(uint32_t slot, uint32_t generation)
{
    struct forker_request request = {.kind = KIND_WORKER, .slot = slot, .generation = generation};
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(spawner_ask(spawner, &request, ends[0], -1));
    close(ends[0]);
    close(ends[1]);
}

static void ask(void)
{
    ask_for(0, 1);
}

static void run_until(const unsigned *count, unsigned value)
{
    while (*count < value)
        ck_assert_int_eq(event_base_loop(supervisor->base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(*count, value);
}

static void freeze(void)
{
    int status;

    ck_assert_int_eq(kill(spawner->forker.pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(spawner->forker.pid, &status, WUNTRACED), spawner->forker.pid);
    ck_assert(WIFSTOPPED(status));
}

/* Lets the forker answer, which took so long. */
static void answer_after(uint64_t milliseconds)
{
    unsigned before = answers;

    freeze();
    ask();
    spawner_tick(spawner, milliseconds);
    ck_assert_int_eq(kill(spawner->forker.pid, SIGCONT), 0);
    run_until(&answers, before + 1);
    ck_assert_int_eq(waitpid(last.pid, NULL, 0), last.pid);
}

/* A frozen forker is left alone until just then, and replaced after it. */
static void expect_patience(uint64_t milliseconds)
{
    pid_t frozen = spawner->forker.pid;
    unsigned before = losses;

    freeze();
    ask();
    spawner_tick(spawner, milliseconds - 1);
    spawner_tick(spawner, 1);
    ck_assert(!spawner->is_hung);
    spawner_tick(spawner, 1);
    ck_assert(spawner->is_hung);
    spawner_tick(spawner, LONGEST); /* killed already, and counted once */
    run_until(&losses, before + 1);
    ck_assert_int_ne(spawner->forker.pid, frozen);
    ck_assert_int_eq(kill(frozen, 0), -1);
    ck_assert(spawner_is_ready(spawner) && !spawner_waits(spawner));
}

START_TEST(one_that_owes_nothing_has_all_time)
{
    pid_t first = spawner->forker.pid;

    freeze();
    spawner_tick(spawner, 10 * LONGEST);
    kill(first, SIGCONT);
    answer_after(1);
    spawner_tick(spawner, 10 * LONGEST);
    ck_assert(!spawner_waits(spawner));
    answer_after(PATIENCE); /* the time before it was asked does not count */
    ck_assert_int_eq(spawner->forker.pid, first);
    ck_assert_uint_eq(losses, 0);
}
END_TEST

START_TEST(one_that_is_frozen_is_replaced)
{
    answer_after(1);
    expect_patience(PATIENCE);
    answer_after(1);
    expect_patience(PATIENCE);
}
END_TEST

/* It answers after two thirds of the time: the next answer may take twice as long. */
START_TEST(one_that_is_slow_is_given_more_time)
{
    answer_after(2500);
    answer_after(4500);
    answer_after(8500);
    ck_assert_uint_eq(losses, 0);
    expect_patience(17000);
}
END_TEST

START_TEST(none_is_killed_again_and_again_for_being_slow)
{
    for (uint64_t patience = PATIENCE; patience < LONGEST; patience *= 2)
        expect_patience(patience);
    expect_patience(LONGEST);
    expect_patience(LONGEST);
    answer_after(1);
    expect_patience(PATIENCE);
}
END_TEST

/* It dies with three requests that it has not read. */
START_TEST(who_waits_in_vain_is_told)
{
    freeze();
    for (uint32_t slot = 0; slot < 3; slot++)
        ask_for(slot, 10 + slot);
    ck_assert_int_eq(kill(spawner->forker.pid, SIGKILL), 0);
    run_until(&losses, 3);
    ck_assert_uint_eq(answers, 0);
    ck_assert_int_eq(last.failure, ECHILD);
    ck_assert_uint_eq(last.slot, 2);
    ck_assert_uint_eq(last.generation, 12);
    ck_assert(spawner_is_ready(spawner) && !spawner_waits(spawner));
}
END_TEST

/* It can make processes, but not answer, and ends. Whom it has made may be in the room by then. */
START_TEST(who_is_made_and_not_announced_is_announced)
{
    const _Atomic pid_t *born = &spawner->forker.born[2];
    int64_t deadline = bounded_deadline(BOUND_MS);

    ck_assert_int_eq(shutdown(spawner->forker.control, SHUT_RD), 0);
    ask_for(2, 7);
    while (atomic_load(born) == 0)
        ck_assert(bounded_turn(deadline));
    run_until(&answers, 1);
    ck_assert_uint_eq(losses, 0);
    ck_assert_int_eq(last.pid, atomic_load(born));
    ck_assert_uint_eq(last.slot, 2);
    ck_assert_uint_eq(last.generation, 7);
    ck_assert_int_eq(waitpid(last.pid, NULL, 0), last.pid);
    answer_after(1);
}
END_TEST

/* The forker's end of its socket, as a process that was frozen at its very beginning has it. */
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
    pid_t dead = spawner->forker.pid;
    siginfo_t ended;
    int copy;

    answer_after(1); /* it has no socket but that one by then */
    copy = copy_of_control();
    ck_assert_int_eq(kill(dead, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)dead, &ended, WEXITED | WNOWAIT), 0);
    ask();
    spawner_tick(spawner, PATIENCE + 1);
    spawner_tick(spawner, 1);
    ck_assert_uint_eq(losses, 1);
    ck_assert_int_ne(spawner->forker.pid, dead);
    answer_after(1);
    close(copy);
}
END_TEST

static Suite *spawner_suite(void)
{
    Suite *suite = suite_create("spawner");
    TCase *patience = tcase_create("patience");
    TCase *death = tcase_create("death");

    tcase_add_checked_fixture(patience, open_spawner, close_spawner);
    tcase_add_test(patience, one_that_owes_nothing_has_all_time);
    tcase_add_test(patience, one_that_is_frozen_is_replaced);
    tcase_add_test(patience, one_that_is_slow_is_given_more_time);
    tcase_add_test(patience, none_is_killed_again_and_again_for_being_slow);
    suite_add_tcase(suite, patience);
    tcase_add_checked_fixture(death, open_spawner, close_spawner);
    tcase_add_test(death, who_waits_in_vain_is_told);
    tcase_add_test(death, who_is_made_and_not_announced_is_announced);
    tcase_add_test(death, one_that_dies_is_replaced_although_its_socket_is_held);
    suite_add_tcase(suite, death);
    return suite;
}

CHECK_MAIN(spawner_suite)
