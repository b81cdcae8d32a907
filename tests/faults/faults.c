/* SPDX-License-Identifier: ISC */
/*
 * faults.c - what the fault tests share; see faults.h.
 */
#include "config.h"

#include "tests/faults/faults.h"

#include "tests/system/bounded.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/stream.h"
#include "tests/system/workers.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool fault_long(void)
{
    const char *wish = getenv("CHATROOMD_LONG");

    return wish != NULL && wish[0] != '\0' && strcmp(wish, "0") != 0;
}

int fault_times(int in_short, int in_long)
{
    return fault_long() ? in_long : in_short;
}

bool fault_sanitizers(void)
{
#ifdef CHATROOMD_SANITIZERS
    return true;
#else
    return false;
#endif
}

void fault_skip(const char *why, ...)
{
    va_list arguments;

    printf("skipped: ");
    va_start(arguments, why);
    vprintf(why, arguments);
    va_end(arguments);
    printf("\n");
}

bool fault_has_tool(const char *name)
{
    const char *path = getenv("PATH");
    char *folders = strdup(path != NULL ? path : ""), *rest = folders, *folder;
    bool found = false;

    ck_assert_ptr_nonnull(folders);
    while (!found && (folder = strsep(&rest, ":")) != NULL) {
        char file[4096];

        snprintf(file, sizeof(file), "%s/%s", folder, name);
        found = access(file, X_OK) == 0;
    }
    free(folders);
    return found;
}

const char *fault_no_jail(void)
{
    static char known = '?';
    char command[4096];

    if (known == '?') {
        snprintf(
            command, sizeof(command), "'%s' --help | grep -q jail", getenv("CHATROOMD_BINARY"));
        known = system(command) == 0 ? 'y' : 'n';
    }
    return known == 'y' ? "jail=off" : "";
}

size_t fault_private_kib(pid_t process)
{
    char value[64];

    return process_status(process, "RssAnon", value, sizeof(value)) ? strtoul(value, NULL, 10) : 0;
}

int64_t fault_cpu_ms(pid_t process)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    const char *rest;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(text, sizeof(text), file) != NULL && (rest = strrchr(text, ')')) != NULL)
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(file);
    return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

size_t fault_descriptors(pid_t process)
{
    char path[64];
    size_t count = 0;
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)process);
    folder = opendir(path);
    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

void fault_wait_descriptors(pid_t process, size_t count)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t found;

    while ((found = fault_descriptors(process)) != count)
        ck_assert_msg(bounded_turn(deadline), "%zu descriptors instead of %zu", found, count);
}

size_t fault_join_pair(struct daemon *daemon, struct client **pair)
{
    size_t each = mode_is_workers() ? 1 : 2; /* its relay, and its socket */
    size_t expected = fault_descriptors(daemon_pid(daemon)) + 2 * each;

    client_join_room(daemon_address(daemon, 0), pair, 2);
    fault_wait_descriptors(daemon_pid(daemon), expected);
    return expected;
}

unsigned long long fault_counter(struct daemon *daemon, const char *key)
{
    daemon_mark(daemon);
    daemon_signal(daemon, SIGUSR1);
    return log_line_number(daemon_wait_log(daemon, "event=counters", NULL), key);
}

void fault_wait_slots(struct daemon *daemon, unsigned count)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    unsigned long long slots;

    daemon_wait_workers(daemon, count);
    while ((slots = fault_counter(daemon, "slots")) != count)
        ck_assert_msg(bounded_turn(deadline), "%llu slots are in use instead of %u", slots, count);
}

size_t fault_count_log(struct daemon *daemon, const char *words)
{
    const char *at = daemon_log(daemon);
    size_t count = 0;

    while ((at = strstr(at, words)) != NULL) {
        count++;
        at = strchrnul(at, '\n');
    }
    return count;
}

/* Counts the refused connections that the log accounts for, and their lines. */
static unsigned long long logged_refusals(struct daemon *daemon, size_t *lines)
{
    static const char suppressed[] = "event=log-suppressed lines=";
    unsigned long long count = fault_count_log(daemon, "event=refused ");
    const char *at = daemon_log(daemon);

    *lines = count;
    while ((at = strstr(at, suppressed)) != NULL && strchr(at, '\n') != NULL) {
        at += strlen(suppressed);
        count += strtoull(at, NULL, 10);
        ++*lines;
    }
    return count;
}

void fault_expect_refusals(struct daemon *daemon, unsigned long long count, int64_t start)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t lines;

    while (logged_refusals(daemon, &lines) != count)
        ck_assert_msg(bounded_turn(deadline), "%llu refusals instead of %llu in the log:\n%s",
            logged_refusals(daemon, &lines), count, daemon_log(daemon));
    ck_assert_uint_le(lines, 1 + (size_t)(bounded_now() - start) / 1000);
}

/* Reads the welcome; returns false if it has not arrived. */
static bool take_welcome(struct client *client)
{
    static const char start[] = "* Welcome to chatroomd; you are ";
    const char *line;

    while (client->name[0] == '(' && (line = client_take(client)) != NULL)
        if (strncmp(line, start, strlen(start)) == 0)
            snprintf(client->name, sizeof(client->name), "%.*s",
                (int)strcspn(line + strlen(start), ";"), line + strlen(start));
    return client->name[0] != '(';
}

void fault_join_many(const char *address, struct client **clients, size_t count, int receive_buffer)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t welcomed = 0;

    for (size_t at = 0; at < count; at++)
        clients[at] = client_open(address, receive_buffer);
    for (;;) {
        while (welcomed < count && take_welcome(clients[welcomed]))
            welcomed++;
        if (welcomed == count)
            return;
        ck_assert_msg(!clients[welcomed]->ended, "a newcomer is closed: %s",
            clients[welcomed]->in.length > 0 ? clients[welcomed]->in.data : "");
        ck_assert_msg(
            client_turn(clients, count, deadline), "only %zu of %zu are welcomed", welcomed, count);
    }
}

void fault_align(
    struct client *speaker, struct client *const *clients, size_t count, const char *words)
{
    client_send(speaker, "%s\n", words);
    for (size_t at = 0; at < count; at++)
        if (clients[at] != speaker)
            client_expect_later(clients[at], "[%s] %s", speaker->name, words);
}

void fault_run_until_quiet(struct client *const *clients, size_t count, int milliseconds)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (client_turn(clients, count, bounded_deadline(milliseconds)))
        ck_assert_msg(bounded_now() < deadline, "it does not become quiet");
}

void fault_forget(struct client *client)
{
    const char *last =
        client->in.length > 0 ? memrchr(client->in.data, '\n', client->in.length) : NULL;
    size_t whole = last == NULL ? 0 : (size_t)(last + 1 - client->in.data);

    if (whole == 0)
        return;
    memmove(client->in.data, client->in.data + whole, client->in.length - whole + 1);
    client->in.length -= whole;
    client->cursor = 0;
    client->count = (struct client_count){.from = 0};
}

void fault_close_all(struct client *const *clients, size_t count)
{
    for (size_t at = 0; at < count; at++)
        client_close(clients[at]);
}
