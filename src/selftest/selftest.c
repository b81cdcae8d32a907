/* SPDX-License-Identifier: ISC */
/*
 * selftest.c - five attempts, each in a process of its own, since the jail may kill that process.
 *
 * Model: an attempt returns true if it succeeds in any of the ways that it tries. An execve that
 * succeeds does not return: the server's own program then exits with a status that no selftest has.
 */
#include "config.h"

#include "selftest/selftest.h"

#include "process/jail.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The region is looked for behind descriptors below this number. */
#define DESCRIPTORS_MAX 64

struct scene {
    const struct heritage *heritage;
    struct heritage_maps maps;
};

static void *writable(const void *address)
{
    return (void *)(uintptr_t)address;
}

/* Makes the common part writable, or opens the object that it is mapped from. */
static bool write_region(const struct scene *scene)
{
    void *header = writable(scene->maps.view.header);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char path[64];

    if (mprotect(header, page, PROT_READ | PROT_WRITE) == 0)
        return true;
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++) {
        if (mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
            return true;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (open(path, O_RDWR) >= 0)
            return true;
    }
    snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)header,
        (unsigned long)header + (unsigned long)scene->maps.view.header->outboxes_offset);
    return open(path, O_RDWR) >= 0;
}

/* Extends the mapping of its outbox into the next slot's outbox. */
static bool grow_outbox(const struct scene *scene)
{
    size_t size = (size_t)scene->maps.view.header->outbox_stride;

    return mremap(scene->maps.outbox.state, size, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED;
}

static bool execute(const struct scene *scene)
{
    char *arguments[] = {(char[]){"chatroomd"}, (char[]){"--version"}, NULL};

    (void)scene;
    execv("/proc/self/exe", arguments);
    return false;
}

static bool open_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

/* Signal 0 succeeds if another signal would. */
static bool send_signal(const struct scene *scene)
{
    return kill(scene->heritage->supervisor, 0) == 0;
}

int selftest_run(struct heritage *heritage)
{
    static bool (*const attempts[SELFTEST_ATTEMPT_COUNT])(const struct scene *scene) = {
        [SELFTEST_WRITE_REGION] = write_region,
        [SELFTEST_GROW_OUTBOX] = grow_outbox,
        [SELFTEST_EXECUTE] = execute,
        [SELFTEST_OPEN_SOCKET] = open_socket,
        [SELFTEST_SIGNAL] = send_signal,
    };
    struct scene scene = {.heritage = heritage};
    enum jail_step failed;

    if (!heritage_attach(heritage, &scene.maps))
        return CHILD_EXIT_SETUP;
    failed = jail_enter(heritage);
    if (attempts[heritage->act](&scene))
        return CHILD_EXIT_SELFTEST_ESCAPED;
    return failed == JAIL_WHOLE ? CHILD_EXIT_SELFTEST_REFUSED
                                : CHILD_EXIT_SELFTEST_STEP + (int)failed;
}

static rlim_t no_files(const struct heritage *heritage)
{
    (void)heritage;
    return 0;
}

static rlim_t data_of_worker(const struct heritage *heritage)
{
    return worker_kind.data(heritage);
}

/* It stands for a worker: `count` and `filter` are NULL, so that it has the first worker's place and
 * the workers' filter. */
const struct process_kind selftest_kind = {
    .name = "selftest",
    .maps = MAP_VIEW | MAP_OUTBOX,
    .files = no_files,
    .data = data_of_worker,
    .run = selftest_run,
};
