/* SPDX-License-Identifier: ISC */
/*
 * The position of a delivery as the supervisor finds it when the delivering process has died:
 * position and bytes must belong together at any moment.
 *
 * Model: a child delivers. Its parent lets it execute one instruction after the other (ptrace(2))
 * and reads the position after each. So whichever instruction is the child's last, the test has
 * seen what it would leave.
 */
#include "config.h"

#include "delivery/delivery.h"

#include "tests/check_main.h"
#include "tests/delivery/records.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 100

/* More than any of the children needs. */
#define STEPS_MAX 1000000u

/* The bytes that the client was given before record N; as the records say, not the delivery. */
static uint64_t bytes_before[RECORDS + 2];

static struct delivery_state *shared;

static void set_up(void)
{
    open_ring(64 * 1024);
    ck_assert(region_attach_view(&view, region.read_only_fd)); /* the child has it, too */
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void tear_down(void)
{
    munmap(shared, sizeof *shared);
    region_destroy(&region);
}

/* Messages, of which every third is the client's own, and some that are private to others. */
static void put_records(void)
{
    for (uint64_t sequence = 1; sequence <= RECORDS; sequence++) {
        size_t length = 1 + random_below(50);
        bool is_own = sequence % 3 == 0, is_private = !is_own && random_below(4) == 0;

        put(is_private ? private_to(2, GENERATION) : message_of(is_own ? ME : 2), length);
        bytes_before[sequence + 1] =
            bytes_before[sequence] + (is_own || is_private ? 0 : (uint64_t)length);
    }
}

/* Delivers all records, any number of bytes at a time. */
static void deliver(struct delivery *one)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;
    int count;

    while ((count = delivery_gather(one, runs, &reached)) > 0) {
        size_t gathered = 0;
        for (int i = 0; i < count; i++)
            gathered += runs[i].iov_len;
        size_t most = random_below(8) == 0 || gathered < 100 ? gathered : 100;
        delivery_advance(one, 1 + random_below(most), gathered, reached);
    }
    delivery_set_waiting(one, true);
}

/* Runs `child` one instruction at a time, and `look` after each. Returns how many there were; 0
 * where processes may not be traced here. */
static uint64_t step(void (*child)(void), void (*look)(void))
{
    uint64_t steps = 0;
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        raise(SIGSTOP);
        child();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    while (WIFSTOPPED(status)) {
        look();
        CHECK_QUICKLY(WSTOPSIG(status) == (steps == 0 ? SIGSTOP : SIGTRAP));
        CHECK_QUICKLY(steps++ < STEPS_MAX);
        CHECK_QUICKLY(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
        CHECK_QUICKLY(waitpid(pid, &status, 0) == pid);
    }
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0)
        return steps;
    printf("skipped: processes may not be traced here\n");
    return 0;
}

/* --- one client from its first record to its last */

static uint64_t seen_position, marks_seen;

static void deliver_all(void)
{
    struct delivery one;

    delivery_init(&one, &view, shared,
        &(struct delivery_start){.slot = ME, .generation = GENERATION, .position = 1});
    delivery_set_membership(&one, 0, 1, true);
    delivery_extend(&one, 1, RECORDS);
    deliver(&one);
}

static void expect_a_pair(void)
{
    const struct delivery_mark *mark = region_mark(shared);
    uint64_t position = atomic_load(&mark->position);

    if (atomic_load(&shared->generation) == 0)
        return; /* not begun */
    CHECK_QUICKLY(position >= 1 && position <= RECORDS + 1);
    CHECK_QUICKLY(position >= seen_position);
    CHECK_QUICKLY(atomic_load(&mark->bytes) == bytes_before[position]);
    marks_seen += position != seen_position;
    seen_position = position;
}

START_TEST(position_and_bytes_belong_together_at_every_instruction)
{
    put_records();
    if (step(deliver_all, expect_a_pair) == 0)
        return;
    ck_assert_uint_eq(seen_position, RECORDS + 1);
    ck_assert_uint_gt(marks_seen, 20);
    ck_assert_uint_eq(atomic_load(&shared->waits), 1);
}
END_TEST

/* --- a slot's next client, in the state that the one before has left */

static void begin_anew(void)
{
    struct delivery one;

    delivery_init(&one, &view, shared,
        &(struct delivery_start){
            .slot = ME, .generation = GENERATION + 1, .position = 40, .partial = 7});
}

/* Whose generation it shows, that one's the rest is. */
static void expect_one_or_the_other(void)
{
    const struct delivery_mark *mark = region_mark(shared);

    if (atomic_load(&shared->generation) == GENERATION)
        return; /* of a client that is gone, nobody asks */
    CHECK_QUICKLY(atomic_load(&shared->generation) == GENERATION + 1);
    CHECK_QUICKLY(atomic_load(&mark->position) == 40);
    CHECK_QUICKLY(atomic_load(&mark->bytes) == 0);
    CHECK_QUICKLY(atomic_load(&shared->waits) == 0);
}

START_TEST(the_next_client_of_a_slot_begins_with_a_whole_record)
{
    put_records();
    deliver_all();
    if (step(begin_anew, expect_one_or_the_other) == 0)
        return;
    ck_assert_uint_eq(atomic_load(&shared->generation), GENERATION + 1);
}
END_TEST

/* --- bytes */

/* What had left of the first record, before this delivery began, is not asked for again, and counts
 * when the record is whole. */
START_TEST(bytes_count_for_a_delivery_that_begins_within_a_record)
{
    struct delivery one;
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached, first = put(message_of(2), 100);

    put(message_of(2), 50);
    delivery_init(&one, &view, shared,
        &(struct delivery_start){
            .slot = ME, .generation = GENERATION, .position = first, .partial = 30});
    ck_assert(delivery_set_membership(&one, 0, 1, true));
    ck_assert(delivery_extend(&one, first, first + 1));
    ck_assert(!delivery_at_line_boundary(&one));
    ck_assert_int_eq(delivery_gather(&one, runs, &reached), 1);
    ck_assert_ptr_eq(runs[0].iov_base, view.ring + 30);
    ck_assert_uint_eq(runs[0].iov_len, 120);
    delivery_advance(&one, 69, 120, reached);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->position), first);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->bytes), 0);
    delivery_advance(&one, 1, 51, reached);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->position), first + 1);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->bytes), 100);
    delivery_advance(&one, 50, 50, reached);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->position), first + 2);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->bytes), 150);
}
END_TEST

/* The same, where all leaves at once. */
START_TEST(bytes_count_for_one_that_began_within_a_record_and_wrote_all)
{
    struct delivery one;
    uint64_t first = put(message_of(2), 100);

    put(message_of(2), 50);
    delivery_init(&one, &view, shared,
        &(struct delivery_start){
            .slot = ME, .generation = GENERATION, .position = first, .partial = 30});
    ck_assert(delivery_set_membership(&one, 0, 1, true));
    ck_assert(delivery_extend(&one, first, first + 1));
    delivery_advance(&one, 120, 120, first + 2);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->position), first + 2);
    ck_assert_uint_eq(atomic_load(&region_mark(shared)->bytes), 150);
    ck_assert(delivery_at_line_boundary(&one));
}
END_TEST

static Suite *marks_suite(void)
{
    Suite *suite = suite_create("marks");
    TCase *marks = tcase_create("marks");

    tcase_set_timeout(marks, 120);
    tcase_add_checked_fixture(marks, set_up, tear_down);
    tcase_add_test(marks, position_and_bytes_belong_together_at_every_instruction);
    tcase_add_test(marks, the_next_client_of_a_slot_begins_with_a_whole_record);
    tcase_add_test(marks, bytes_count_for_a_delivery_that_begins_within_a_record);
    tcase_add_test(marks, bytes_count_for_one_that_began_within_a_record_and_wrote_all);
    suite_add_tcase(suite, marks);
    return suite;
}

CHECK_MAIN(marks_suite)
