/* SPDX-License-Identifier: ISC */
/*
 * A process kind that lives in this file: its row, its filter and its code. A real forker creates
 * its children beside those of the server's kinds, in the same jail; nothing of process/ knows it.
 *
 * Its child may open, write and flush a file, as no worker and no courier may. It does what the
 * bytes on its relay say, one by one, and answers each with 'y' or with 'n' and an errno.
 */
#include "config.h"

#include "courier/courier.h"
#include "process/filter_rules.h"
#include "process/forker.h"
#include "process/jail.h"
#include "selftest/selftest.h"
#include "worker/worker.h"

#include "tests/check_main.h"
#include "tests/system/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the kind */

enum { KIND_EXTRA = KIND_COUNT, EXTRA_KINDS };

/* As many children of it there are at most, bytes that a file of theirs may have, and descriptors. */
#define CHILDREN  2
#define FILE_SIZE 8
#define FILES     8

static const struct filter_rule rules[] = {
    FILTER_OF_CHILD,
    ALLOW_IF("read", 0, LOW, CHILD_RELAY_FD),
    ALLOW_IF("openat", 2, LOW, O_WRONLY),
    ALLOW("fsync"),
    ALLOW("close"),
};

static const struct filter_table extra_filter = FILTER_TABLE(rules);

static unsigned count(const struct options *options)
{
    (void)options;
    return CHILDREN;
}

static rlim_t files(const struct heritage *heritage)
{
    (void)heritage;
    return FILES;
}

static rlim_t data(const struct heritage *heritage)
{
    return worker_kind.data(heritage);
}

static bool obey(const struct heritage *heritage, char order)
{
    char bytes[FILE_SIZE + 1] = "";

    switch (order) {
    case 'o': /* open a file for writing */
        return open("/dev/null", O_WRONLY) >= 0;
    case 'w': /* write to the file that was passed */
        return write(heritage->handover_fd, bytes, FILE_SIZE) == FILE_SIZE;
    case 'f': /* flush it */
        return fsync(heritage->handover_fd) == 0;
    case 'b': /* write more than it may */
        return write(heritage->handover_fd, bytes, sizeof bytes) > 0;
    case 'c': /* has no row */
        return dup(heritage->relay_fd) >= 0;
    case 'r': /* has a row, but its condition does not hold */
        return open("/dev/null", O_RDONLY) >= 0;
    case 's': /* is on the list of the worst */
        return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
    default:
        return false;
    }
}

static int run(struct heritage *heritage)
{
    struct heritage_maps maps;
    char order;

    if (!heritage_attach(heritage, &maps) || maps.view.header != NULL || maps.outbox.state != NULL)
        return CHILD_EXIT_SETUP;
    signal(SIGXFSZ, SIG_IGN);
    if (jail_enter(heritage) != JAIL_WHOLE)
        return CHILD_EXIT_JAIL;
    if (write(heritage->relay_fd, &heritage->place, sizeof heritage->place) < 0)
        return CHILD_EXIT_NO_SUPERVISOR;
    while (read(heritage->relay_fd, &order, 1) == 1) {
        char answer[2] = {'y', 0};

        errno = 0;
        if (!obey(heritage, order)) {
            answer[0] = 'n';
            answer[1] = (char)errno;
        }
        if (write(heritage->relay_fd, answer, sizeof answer) != (ssize_t)sizeof answer)
            return CHILD_EXIT_NO_SUPERVISOR;
    }
    return CHILD_EXIT_DONE;
}

static const struct process_kind extra_kind = {
    .name = "extra",
    .count = count,
    .passes = PASS_HANDOVER,
    .filter = &extra_filter,
    .files = files,
    .data = data,
    .file_size = FILE_SIZE,
    .run = run,
};

/* --- the test */

static const struct process_kind *const rows[EXTRA_KINDS] = {
#define KIND(symbol, row) [KIND_##symbol] = &row,
    KINDS(KIND)
#undef KIND
        [KIND_EXTRA] = &extra_kind,
};

static const struct process_kinds kinds = {.rows = rows, .count = EXTRA_KINDS};

static const struct options options = {.max_clients = 4, .couriers = 3};

static struct forker forker;
static struct region region;
static int file;

static void open_forker(void)
{
    struct region_geometry geometry = {4, 3, 65536, 4096};
    char error[256], path[] = "/tmp/chatroomd-extra-XXXXXX";
    struct forker_setup setup = {
        .max_message = 4096,
        .max_clients = options.max_clients,
        .couriers = options.couriers,
        .jail = filter_built_in() ? JAIL_REQUIRED : JAIL_OFF,
    };

    ck_assert(forker_start(&forker, &kinds, false));
    ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
    setup.places = region_places_of(&region);
    kinds_lay_out(&kinds, &options, setup.first_places);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &setup.files), 0);
    ck_assert(forker_set_up(&forker, &setup, region.read_only_fd, region.read_write_fd));
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    unlink(path);
}

static void close_forker(void)
{
    forker_stop(&forker);
    region_destroy(&region);
    close(file);
}

struct child {
    pid_t pid;
    int relay;
};

static void await(int fd)
{
    ck_assert(bounded_ready(fd, POLLIN, bounded_deadline(BOUND_MS)));
}

static struct child spawn(uint32_t number)
{
    struct forker_request request = {.kind = KIND_EXTRA, .slot = number, .generation = 9};
    struct forker_answer answer;
    struct child child;
    uint32_t place;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(forker_ask(&forker, &request, ends[1], file));
    close(ends[1]);
    await(forker.control);
    ck_assert_int_eq(forker_take(&forker, &answer), 1);
    ck_assert_uint_eq(answer.kind, KIND_EXTRA);
    ck_assert_uint_eq(answer.slot, number);
    ck_assert_uint_eq(answer.generation, 9);
    ck_assert_int_gt(answer.pid, 0);
    child = (struct child){answer.pid, ends[0]};
    await(child.relay);
    ck_assert_int_eq(read(child.relay, &place, sizeof place), (ssize_t)sizeof place);
    ck_assert_uint_eq(place, options.max_clients + options.couriers + number);
    return child;
}

/* Returns the errno of what it did, 0 for success, -1 if it is gone. */
static int give_order(const struct child *child, char order)
{
    char answer[2];

    ck_assert_int_eq(send(child->relay, &order, 1, MSG_NOSIGNAL), 1);
    await(child->relay);
    if (read(child->relay, answer, sizeof answer) != (ssize_t)sizeof answer)
        return -1;
    return answer[0] == 'y' ? 0 : answer[1];
}

static int wait_status(const struct child *child)
{
    int status;

    ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
    close(child->relay);
    return status;
}

static void expect_done(const struct child *child)
{
    ck_assert_int_eq(shutdown(child->relay, SHUT_WR), 0);
    ck_assert_int_eq(wait_status(child), CHILD_EXIT_DONE);
}

START_TEST(it_runs_beside_the_others)
{
    struct child first = spawn(0), second = spawn(1);

    ck_assert_int_eq(give_order(&first, 'o'), 0);
    ck_assert_int_eq(give_order(&second, 'o'), 0);
    expect_done(&second);
    ck_assert_int_eq(give_order(&first, 'w'), 0);
    ck_assert_int_eq(give_order(&first, 'f'), 0);
    expect_done(&first);
}
END_TEST

#ifndef CHATROOMD_SANITIZERS
START_TEST(its_limits_are_those_of_its_row)
{
    struct child child = spawn(0);

    ck_assert_int_eq(give_order(&child, 'w'), 0);
    ck_assert_int_eq(give_order(&child, 'b'), EFBIG);
    for (int fd = CHILD_HANDOVER_FD + 1; fd < FILES; fd++)
        ck_assert_int_eq(give_order(&child, 'o'), 0);
    ck_assert_int_eq(give_order(&child, 'o'), EMFILE);
    expect_done(&child);
}
END_TEST

START_TEST(its_filter_refuses_what_has_no_row)
{
    struct child child = spawn(0);

    ck_assert_int_eq(give_order(&child, 'c'), ENOSYS);
    ck_assert_int_eq(give_order(&child, 'r'), ENOSYS);
    ck_assert_int_eq(give_order(&child, 'f'), 0);
    expect_done(&child);
}
END_TEST
#endif

START_TEST(its_filter_kills_for_the_worst)
{
    struct child child = spawn(0);
    int status;

    ck_assert_int_eq(give_order(&child, 's'), -1);
    status = wait_status(&child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}
END_TEST

static bool allows(const struct filter_table *table, const char *call)
{
    for (size_t row = 0; row < table->count; row++)
        if (table->rules[row].verdict == FILTER_ALLOW && strcmp(table->rules[row].call, call) == 0)
            return true;
    return false;
}

START_TEST(no_other_kind_may_do_the_same)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (rows[kind]->filter == NULL)
            continue; /* it has the filter of the first kind */
        ck_assert(!allows(rows[kind]->filter, "openat"));
        ck_assert(!allows(rows[kind]->filter, "fsync"));
    }
    ck_assert(allows(extra_kind.filter, "openat") && allows(extra_kind.filter, "fsync"));
}
END_TEST

static Suite *extra_kind_suite(void)
{
    Suite *suite = suite_create("process: an extra kind");
    TCase *extra = tcase_create("extra");

    tcase_add_checked_fixture(extra, open_forker, close_forker);
    suite_add_tcase(suite, extra);
    tcase_add_test(extra, no_other_kind_may_do_the_same);
    if (!filter_built_in())
        return suite;
    tcase_add_test(extra, it_runs_beside_the_others);
    tcase_add_test(extra, its_filter_kills_for_the_worst);
#ifndef CHATROOMD_SANITIZERS
    tcase_add_test(extra, its_limits_are_those_of_its_row);
    tcase_add_test(extra, its_filter_refuses_what_has_no_row);
#endif
    return suite;
}

CHECK_MAIN(extra_kind_suite)
