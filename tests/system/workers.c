/* SPDX-License-Identifier: ISC */
/*
 * workers.c - the children of a daemon under test; see workers.h.
 *
 * They are told apart by their process titles, as an administrator does with ps: the title of a
 * worker shows its slot, and the log the name of the client in that slot.
 */
#include "config.h"

#include "tests/system/workers.h"

#include "tests/system/bounded.h"
#include "tests/system/daemon.h"
#include "tests/system/process.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN_MAX  2048
#define FORKER_TITLE  "chatroomd: forker"
#define STANDBY_TITLE "chatroomd: standby forker"
#define COURIER_TITLE "chatroomd: courier "
#define WORKER_TITLE  "chatroomd: worker "

/* Finds its children whose title begins with `start`. */
static size_t children_with(struct daemon *daemon, const char *start, pid_t *found, size_t room)
{
    static pid_t children[CHILDREN_MAX];
    size_t count = process_children(daemon_pid(daemon), children, CHILDREN_MAX), kept = 0;
    char title[PROCESS_TEXT_MAX];

    for (size_t at = 0; at < count; at++) {
        process_title(children[at], title, sizeof(title));
        if (strncmp(title, start, strlen(start)) != 0)
            continue;
        ck_assert_uint_lt(kept, room);
        found[kept++] = children[at];
    }
    return kept;
}

size_t daemon_workers(struct daemon *daemon, pid_t *workers, size_t room)
{
    return children_with(daemon, WORKER_TITLE, workers, room);
}

size_t daemon_couriers(struct daemon *daemon, pid_t *couriers, size_t room)
{
    return children_with(daemon, COURIER_TITLE, couriers, room);
}

/* Counts children that are exiting: zombies, and those whose memory, and so the title, the
 * kernel has already freed. */
static size_t count_ending(struct daemon *daemon)
{
    static pid_t children[CHILDREN_MAX];
    size_t count = process_children(daemon_pid(daemon), children, CHILDREN_MAX);
    size_t ending = process_zombies(daemon_pid(daemon));
    char title[PROCESS_TEXT_MAX];

    for (size_t at = 0; at < count; at++) {
        process_title(children[at], title, sizeof(title));
        ending += title[0] == '\0';
    }
    return ending;
}

size_t daemon_count_workers(struct daemon *daemon)
{
    static pid_t workers[CHILDREN_MAX];

    return daemon_workers(daemon, workers, CHILDREN_MAX) + count_ending(daemon);
}

void daemon_wait_workers(struct daemon *daemon, size_t count)
{
    static pid_t workers[CHILDREN_MAX];
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t found;

    while ((found = daemon_workers(daemon, workers, CHILDREN_MAX)) != count ||
           count_ending(daemon) != 0)
        ck_assert_msg(bounded_turn(deadline),
            "%zu workers and %zu that are ending instead of %zu and 0:\n%s", found,
            count_ending(daemon), count, daemon_log(daemon));
}

/* Waits for a child whose title begins with `start`. */
static pid_t wait_title(struct daemon *daemon, const char *start)
{
    static pid_t children[CHILDREN_MAX];
    int64_t deadline = bounded_deadline(BOUND_MS);
    char title[PROCESS_TEXT_MAX];

    for (;;) {
        size_t count = process_children(daemon_pid(daemon), children, CHILDREN_MAX);

        for (size_t at = 0; at < count; at++) {
            process_title(children[at], title, sizeof(title));
            if (strncmp(title, start, strlen(start)) == 0)
                return children[at];
        }
        ck_assert_msg(bounded_turn(deadline), "no child of chatroomd has the title \"%s...\":\n%s",
            start, daemon_log(daemon));
    }
}

/* Writes the beginning of the title of the named client's worker. It shows the slot, which the
 * log has in the last line that gives a client this name. Returns false if there is none. */
static bool find_title(struct daemon *daemon, const char *name, char *start, size_t size)
{
    static const char *const lines[] = {" event=join slot=", " event=rename slot="};
    static const char *const keys[] = {" name=%s ", " to=%s "};
    bool found = false;

    for (size_t kind = 0; kind < 2; kind++) {
        const char *at = daemon_log(daemon), *end;
        char given[128];

        snprintf(given, sizeof(given), keys[kind], name);
        for (; (at = strstr(at, lines[kind])) != NULL; at = end) {
            const char *there = strstr(at, given);

            end = strchrnul(at, '\n');
            if (there == NULL || there > end)
                continue;
            snprintf(start, size, WORKER_TITLE "%lu ", strtoul(at + strlen(lines[kind]), NULL, 10));
            found = true;
        }
    }
    return found;
}

bool daemon_worker_is_of_one(struct daemon *daemon, pid_t worker, const char *const *names)
{
    char title[PROCESS_TEXT_MAX], start[80];

    process_title(worker, title, sizeof(title));
    for (; *names != NULL; names++)
        if (find_title(daemon, *names, start, sizeof(start)) &&
            strncmp(title, start, strlen(start)) == 0)
            return true;
    return false;
}

pid_t daemon_worker_of(struct daemon *daemon, const char *name)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    char start[80];

    while (!find_title(daemon, name, start, sizeof(start)))
        ck_assert_msg(
            bounded_turn(deadline), "nobody is named %s in the log:\n%s", name, daemon_log(daemon));
    return wait_title(daemon, start);
}

/* Returns how many lines of the log contain these words. */
static unsigned count_lines(struct daemon *daemon, const char *words)
{
    const char *at = daemon_log(daemon);
    unsigned count = 0;

    for (; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

pid_t daemon_forker(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (count_lines(daemon, "event=forker-standby ") <
           count_lines(daemon, "event=forker-replaced "))
        ck_assert_msg(bounded_turn(deadline), "there is no standby:\n%s", daemon_log(daemon));
    return wait_title(daemon, FORKER_TITLE);
}

pid_t daemon_standby(struct daemon *daemon)
{
    return wait_title(daemon, STANDBY_TITLE);
}
