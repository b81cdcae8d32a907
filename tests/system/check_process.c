/* SPDX-License-Identifier: ISC */
/*
 * System test: the processes of the server. The descriptors of a worker, its part of the region,
 * its signals and its title; and that nothing of a worker is left when its client is gone.
 */
#include "config.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 256
#define MAPPINGS_MAX    16
#define OUTBOX_SIZE     ((size_t)12 * 1024)

static struct daemon *daemon_here;
static struct client *room[3];

/* Only root may look into a jailed process. A worker without a jail has the same descriptors and
 * mappings. */
static void open_room(void)
{
    daemon_here = daemon_start(
        OPTIONS("-o", "outbox-size=12 KiB", "-o", "max-clients=20", "-o", "clients-per-courier=20",
            "-o", "spare-workers=0", "-o", geteuid() == 0 ? "jail=best-effort" : "jail=off"));
    client_join_room(daemon_address(daemon_here, 0), room, 3);
}

static void close_room(void)
{
    for (size_t at = 0; at < 3; at++)
        client_close(room[at]);
    daemon_stop(daemon_here);
}

static pid_t worker(unsigned number)
{
    return daemon_worker_of(daemon_here, room[number]->name);
}

/* Standard input, output and error of a worker are /dev/null, except that sanitizers write
 * errors. */
static void check_standard(const struct process_descriptor *descriptor)
{
#ifdef CHATROOMD_SANITIZERS
    if (descriptor->number == STDERR_FILENO && strncmp(descriptor->target, "pipe:", 5) == 0)
        return;
#endif
    ck_assert_msg(strcmp(descriptor->target, "/dev/null") == 0, "descriptor %d of a worker is %s",
        descriptor->number, descriptor->target);
}

/* Whether a process has this file open. */
static bool has_open(pid_t process, const char *target)
{
    static struct process_descriptor found[DESCRIPTORS_MAX];
    size_t count = process_descriptors(process, found, DESCRIPTORS_MAX);

    for (size_t at = 0; at < count; at++)
        if (strcmp(found[at].target, target) == 0)
            return true;
    return false;
}

/* The two ends of the pipe that libevent makes for signals in every event_base, whether any are
 * used or not: one pipe, and the worker's own. */
static void check_pipe(const struct process_descriptor *const *ends, unsigned count)
{
    if (count == 0)
        return;
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(ends[0]->target, ends[1]->target);
    ck_assert_msg(!has_open(daemon_pid(daemon_here), ends[0]->target), "a worker inherited %s",
        ends[0]->target);
}

/* Besides these: the socket of its client, that of its relay, and those of its event loop. */
static void check_descriptors(pid_t process)
{
    static struct process_descriptor found[DESCRIPTORS_MAX];
    size_t count = process_descriptors(process, found, DESCRIPTORS_MAX);
    unsigned standard = 0, sockets = 0, polls = 0, pipes = 0;
    const struct process_descriptor *ends[2];

    for (size_t at = 0; at < count; at++) {
        if (found[at].number <= STDERR_FILENO) {
            check_standard(&found[at]);
            standard++;
        } else if (strncmp(found[at].target, "socket:", 7) == 0) {
            sockets++;
        } else if (strcmp(found[at].target, "anon_inode:[eventpoll]") == 0) {
            polls++;
        } else if (strncmp(found[at].target, "pipe:", 5) == 0 && pipes < 2) {
            ends[pipes++] = &found[at];
        } else {
            ck_abort_msg("a worker has descriptor %d open: %s", found[at].number, found[at].target);
        }
    }
    ck_assert_uint_eq(standard, 3);
    ck_assert_uint_eq(sockets, 2);
    ck_assert_uint_eq(polls, 1);
    check_pipe(ends, pipes);
}

START_TEST(a_worker_has_only_its_own_descriptors)
{
    open_room();
    for (unsigned number = 0; number < 3; number++)
        check_descriptors(worker(number));
    close_room();
}
END_TEST

static size_t descriptor_count(pid_t process)
{
    static struct process_descriptor found[DESCRIPTORS_MAX];

    return process_descriptors(process, found, DESCRIPTORS_MAX);
}

/* Waits until a process has `count` descriptors: those of a client that has left are closed a
 * moment later. */
static void wait_descriptors(pid_t process, size_t count, const char *whose)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (descriptor_count(process) != count)
        ck_assert_msg(bounded_turn(deadline), "%s has %zu descriptors open instead of %zu", whose,
            descriptor_count(process), count);
}

/* Supervisor and forker keep no descriptor of a worker that is gone; otherwise its client would
 * never read EOF. */
START_TEST(a_client_leaves_no_descriptors_behind)
{
    struct client *more[10];
    size_t supervisor, forker;

    open_room();
    supervisor = descriptor_count(daemon_pid(daemon_here));
    forker = descriptor_count(daemon_forker(daemon_here));
    for (int times = 0; times < 3; times++) {
        client_join_room(daemon_address(daemon_here, 0), more, 10);
        wait_descriptors(daemon_forker(daemon_here), forker, "the forker");
        for (size_t at = 0; at < 10; at++)
            client_close(more[at]);
        daemon_wait_workers(daemon_here, 3);
        wait_descriptors(daemon_pid(daemon_here), supervisor, "the supervisor");
        wait_descriptors(daemon_forker(daemon_here), forker, "the forker");
    }
    close_room();
}
END_TEST

/* Checks what a worker maps of the region, and returns the part that it writes. If couriers
 * deliver, it maps that part only. */
static struct process_mapping check_mappings(pid_t process)
{
    struct process_mapping found[MAPPINGS_MAX], outbox;
    size_t count = process_shared_mappings(process, found, MAPPINGS_MAX);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned own;

    ck_assert_uint_eq(count, mode_is_workers() ? 2 : 1);
    own = strcmp(found[0].rights, "rw-s") == 0 ? 0 : 1;
    outbox = found[own];
    ck_assert_str_eq(outbox.rights, "rw-s");
    ck_assert_uint_eq(outbox.length, page + OUTBOX_SIZE);
    if (mode_is_workers()) {
        ck_assert_str_eq(found[1 - own].rights, "r--s");
        ck_assert_uint_eq(found[1 - own].offset, 0);
        ck_assert_uint_ge(outbox.offset, found[1 - own].length);
        ck_assert_uint_eq(found[1 - own].inode, outbox.inode);
    }
    ck_assert_msg(strstr(outbox.path, " (deleted)") != NULL, "%s still has its name", outbox.path);
    return outbox;
}

/* The supervisor maps the region and shares nothing else. */
static struct process_mapping check_supervisors_mappings(void)
{
    struct process_mapping found[MAPPINGS_MAX];

    ck_assert_uint_eq(process_shared_mappings(daemon_pid(daemon_here), found, MAPPINGS_MAX), 1);
    return found[0];
}

START_TEST(a_worker_maps_its_part_of_the_region)
{
    struct process_mapping outbox[3], region;

    open_room();
    region = check_supervisors_mappings();
    for (unsigned number = 0; number < 3; number++) {
        outbox[number] = check_mappings(worker(number));
        ck_assert_uint_eq(outbox[number].inode, region.inode);
        for (unsigned other = 0; other < number; other++)
            ck_assert(outbox[other].offset + outbox[other].length <= outbox[number].offset ||
                      outbox[number].offset + outbox[number].length <= outbox[other].offset);
    }
    close_room();
}
END_TEST

START_TEST(the_forker_maps_no_shared_memory_for_writing)
{
    struct process_mapping found[MAPPINGS_MAX];
    size_t count;

    open_room();
    count = process_shared_mappings(daemon_forker(daemon_here), found, MAPPINGS_MAX);
    for (size_t at = 0; at < count; at++)
        ck_assert_msg(
            found[at].rights[1] != 'w', "the forker maps %s %s", found[at].path, found[at].rights);
    close_room();
}
END_TEST

/* Returns the KiB of the forker's own memory in a server with `max_clients`. */
static long forker_memory(const char *max_clients)
{
    const char *options[] = {
        "-o", max_clients, "-o", "ring-size=1MiB", "-o", "outbox-size=12KiB", NULL};
    struct daemon *daemon = daemon_start(options);
    char value[64];

    ck_assert(process_status(daemon_forker(daemon), "RssAnon", value, sizeof(value)));
    daemon_stop(daemon);
    return strtol(value, NULL, 10);
}

/* Each worker is a copy of the forker, with all of its memory. */
START_TEST(the_forker_s_memory_does_not_grow_with_the_clients)
{
    long few = forker_memory("max-clients=10"), many = forker_memory("max-clients=2000");

    ck_assert_int_le(many, few + 256);
}
END_TEST

START_TEST(a_worker_ignores_the_signals_of_the_group)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
    uint64_t set;

    open_room();
    for (unsigned number = 0; number < 3; number++) {
        set = process_signals(worker(number), "SigIgn");
        for (size_t at = 0; at < sizeof(ignored) / sizeof(ignored[0]); at++)
            ck_assert_msg((set >> (ignored[at] - 1) & 1) != 0, "a worker does not ignore signal %d",
                ignored[at]);
        set = process_signals(worker(number), "SigBlk");
        ck_assert_msg(set == 0, "a worker blocks signals: %016" PRIx64, set);
    }
    set = process_signals(daemon_forker(daemon_here), "SigIgn");
    ck_assert_msg((set >> (SIGINT - 1) & 1) != 0, "the forker dies of Ctrl-C");
    close_room();
}
END_TEST

static void wait_title(pid_t process, const char *expected)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    char title[PROCESS_TEXT_MAX];

    for (;;) {
        process_title(process, title, sizeof(title));
        if (strcmp(title, expected) == 0)
            return;
        ck_assert_msg(
            bounded_turn(deadline), "the title is \"%s\" instead of \"%s\"", title, expected);
    }
}

/* The title of the client's worker, which is in `slot`. */
static void expect_title(const struct client *client, unsigned slot)
{
    char address[64], expected[200];

    address_local(client->input, address, sizeof(address));
    snprintf(expected, sizeof(expected), "chatroomd: worker %u %s", slot, address);
    wait_title(daemon_worker_of(daemon_here, client->name), expected);
}

START_TEST(process_titles_show_slot_and_address)
{
    struct client *more[8];

    open_room();
    client_join_room(daemon_address(daemon_here, 0), more, 8);
    for (unsigned slot = 0; slot < 3; slot++)
        expect_title(room[slot], slot);
    for (unsigned slot = 3; slot < 11; slot++)
        expect_title(more[slot - 3], slot);
    for (size_t at = 0; at < 8; at++)
        client_close(more[at]);
    wait_title(daemon_forker(daemon_here), "chatroomd: forker");
    wait_title(daemon_standby(daemon_here), "chatroomd: standby forker");
    close_room();
}
END_TEST

/* Each worker is a child of the supervisor, and each client has one. */
START_TEST(each_client_has_a_worker)
{
    pid_t workers[8];

    open_room();
    ck_assert_uint_eq(daemon_workers(daemon_here, workers, 8), 3);
    ck_assert_int_ne(worker(0), worker(1));
    ck_assert_int_ne(worker(1), worker(2));
    client_send(room[2], "/quit\n");
    client_read_to_end(room[2]);
    daemon_wait_workers(daemon_here, 2);
    close_room();
}
END_TEST

/* Returns the process ID that a script has written to the file. */
static pid_t pid_in(const char *path)
{
    FILE *file = fopen(path, "re");
    int pid = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

static void wait_no_zombies(void)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (process_zombies(daemon_pid(daemon_here)) > 0)
        ck_assert_msg(bounded_turn(deadline), "a dead child is not reaped");
}

/* The script that becomes the server has children, as the first process of a container has
 * orphans. One ends before the event loop runs, one while clients talk. The statuses of the
 * server's own children are not lost. */
START_TEST(children_of_other_processes_are_reaped)
{
    char script[200], pid_file[200], text[1000];
    struct client *pair[2];

    folder_name(pid_file, sizeof(pid_file), "", "pid");
    snprintf(text, sizeof(text), "#!/bin/sh\ntrue & sleep 1000 & echo $! >%s\nexec '%s' \"$@\"\n",
        pid_file, getenv("CHATROOMD_BINARY"));
    folder_write(script, sizeof(script), "script", text);
    ck_assert_int_eq(chmod(script, 0700), 0);
    setenv("CHATROOMD_BINARY", script, 1);
    daemon_here = daemon_start(NULL);
    wait_no_zombies();
    client_join_room(daemon_address(daemon_here, 0), pair, 2);
    ck_assert_int_eq(kill(pid_in(pid_file), SIGKILL), 0);
    ck_assert_int_eq(kill(daemon_worker_of(daemon_here, "guest2"), SIGKILL), 0);
    daemon_wait_log(daemon_here, "event=worker-crash", "name=guest2", "signal=9", NULL);
    wait_no_zombies();
    client_close(pair[0]);
    client_close(pair[1]);
    daemon_stop(daemon_here);
}
END_TEST

static Suite *process_suite(void)
{
    Suite *suite = suite_create("system: process");
    TCase *process = tcase_create("process");

    tcase_set_timeout(process, BOUND_CASE_SECONDS);
    tcase_add_test(process, a_worker_has_only_its_own_descriptors);
    tcase_add_test(process, a_client_leaves_no_descriptors_behind);
    tcase_add_test(process, a_worker_maps_its_part_of_the_region);
    tcase_add_test(process, the_forker_maps_no_shared_memory_for_writing);
    tcase_add_test(process, the_forker_s_memory_does_not_grow_with_the_clients);
    tcase_add_test(process, a_worker_ignores_the_signals_of_the_group);
    tcase_add_test(process, process_titles_show_slot_and_address);
    tcase_add_test(process, each_client_has_a_worker);
    tcase_add_test(process, children_of_other_processes_are_reaped);
    suite_add_tcase(suite, process);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(process_suite)
