/* SPDX-License-Identifier: ISC */
/*
 * System test: no child has the configuration in its memory, where a client that takes it over
 * could read it. The configuration file contains a marker. The supervisor's memory contains it;
 * that of forkers, workers and couriers does not.
 */
#include "config.h"

#include "tests/check_main.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE     ((size_t)1024 * 1024)
#define CHILD_MAX 32

/* AddressSanitizer maps an eighth of the address space, in which it keeps no bytes of the program's.
 * Reading all of it would take hours. */
#ifdef CHATROOMD_SANITIZERS
#define MAPPING_MAX ((unsigned long)32 * 1024 * 1024 * 1024)
#else
#define MAPPING_MAX ULONG_MAX
#endif

enum { NOT_FOUND, FOUND, NOT_PERMITTED };

/* Whether the bytes of one mapping have the marker. */
static bool mapping_has(int memory, unsigned long start, unsigned long end, const char *marker)
{
    static char piece[PIECE];
    size_t length = strlen(marker);

    for (unsigned long at = start; at < end; at += PIECE - length) {
        size_t wanted = end - at < PIECE ? end - at : PIECE;
        ssize_t got = pread(memory, piece, wanted, (off_t)at);

        if (got > 0 && memmem(piece, (size_t)got, marker, length) != NULL)
            return true;
        if (wanted < PIECE)
            break;
    }
    return false;
}

/* Searches all memory of a process. */
static int search(pid_t process, const char *marker)
{
    char path[64], line[PROCESS_TEXT_MAX], rights[8];
    unsigned long start, end;
    int found = NOT_FOUND, memory;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
    maps = fopen(path, "re");
    if (memory < 0 || maps == NULL || fgets(line, sizeof(line), maps) == NULL)
        found = NOT_PERMITTED;
    else
        do
            if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 && rights[0] == 'r' &&
                end - start <= MAPPING_MAX && mapping_has(memory, start, end, marker))
                found = FOUND;
        while (found == NOT_FOUND && fgets(line, sizeof(line), maps) != NULL);
    if (memory >= 0)
        close(memory);
    if (maps != NULL)
        fclose(maps);
    return found;
}

/* A server whose configuration is in a file alone: a script starts it without any argument of the
 * test's but that file's name. */
static struct daemon *start(const char *marker, unsigned couriers)
{
    char text[9000], configuration[200], script[200], address[200];

    folder_name(address, sizeof(address), "unix:", marker);
    snprintf(text, sizeof(text),
        "listen = {\"127.0.0.1:0\", \"%s\"}\ncouriers = %u\njail = %s\nring-size = \"1 MiB\"\n",
        address, couriers, geteuid() == 0 ? "best-effort" : "off");
    folder_write(configuration, sizeof(configuration), "configuration", text);
    snprintf(text, sizeof(text), "#!/bin/sh\nexec '%s' -f '%s'\n", getenv("CHATROOMD_BINARY"),
        configuration);
    folder_write(script, sizeof(script), "script", text);
    ck_assert_int_eq(chmod(script, 0700), 0);
    setenv("CHATROOMD_BINARY", script, 1);
    return daemon_start(NULL);
}

/* Both forkers, the workers and the couriers. Returns their number. */
static size_t find_children(struct daemon *daemon, pid_t children[CHILD_MAX])
{
    size_t count = 0;

    children[count++] = daemon_forker(daemon);
    children[count++] = daemon_standby(daemon);
    count += daemon_couriers(daemon, children + count, CHILD_MAX - count);
    count += daemon_workers(daemon, children + count, CHILD_MAX - count);
    return count;
}

START_TEST(no_child_has_the_configuration)
{
    char marker[64], title[128];
    pid_t children[CHILD_MAX];
    struct client *client;
    struct daemon *daemon;
    unsigned couriers = _i == 0 ? 0 : 1;
    size_t count;

#ifdef CHATROOMD_SANITIZERS
    printf("skipped: the sanitizers' memory is too large to be searched\n");
    return;
#endif
    snprintf(marker, sizeof(marker), "marker-%d-secret", (int)getpid());
    daemon = start(marker, couriers);
    client = client_join(daemon_address(daemon, 0));
    count = find_children(daemon, children);
    ck_assert_uint_ge(count, 3 + couriers);
    if (search(daemon_pid(daemon), marker) == NOT_PERMITTED) {
        printf("skipped: this user may not read the memory of its own processes\n");
    } else {
        ck_assert_int_eq(search(daemon_pid(daemon), marker), FOUND);
        for (size_t at = 0; at < count; at++) {
            process_title(children[at], title, sizeof(title));
            ck_assert_msg(search(children[at], marker) == NOT_FOUND,
                "\"%s\" has the configuration, or cannot be read", title);
        }
    }
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

static Suite *secret_suite(void)
{
    Suite *suite = suite_create("system: secret");
    TCase *secret = tcase_create("secret");

    tcase_set_timeout(secret, BOUND_CASE_SECONDS);
    tcase_add_loop_test(secret, no_child_has_the_configuration, 0, 2);
    suite_add_tcase(suite, secret);
    return suite;
}

CHECK_MAIN(secret_suite)
