/* SPDX-License-Identifier: ISC */
/*
 * selftest.c - five acts, each in a process of its own, since the jail may kill who tries.
 *
 * Model: an act returns true where it succeeded in any way that it knows. An execve that succeeds
 * does not return: the server's own program then exits with a status that is no canary's.
 */
#include "config.h"

#include "selftest/selftest.h"

#include "process/jail.h"
#include "region/region.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors through which the region is looked for. */
#define DESCRIPTORS_MAX 64

struct scene {
    const struct heritage *heritage;
    struct region_view view;
    struct outbox outbox;
};

static void *writable(const void *address)
{
    return (void *)(uintptr_t)address;
}

/* Makes the common part writable, or opens what it is mapped from again. */
static bool write_region(const struct scene *scene)
{
    void *header = writable(scene->view.header);
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
        (unsigned long)header + (unsigned long)scene->view.header->outboxes_offset);
    return open(path, O_RDWR) >= 0;
}

/* Lets the outbox's mapping grow into the next slot's. */
static bool grow_outbox(const struct scene *scene)
{
    size_t size = (size_t)scene->view.header->outbox_stride;

    return mremap(scene->outbox.state, size, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED;
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

/* Signal 0 tells whether the supervisor could be signalled. */
static bool send_signal(const struct scene *scene)
{
    return kill(scene->heritage->supervisor, 0) == 0;
}

int selftest_run(struct heritage *heritage)
{
    static bool (*const acts[SELFTEST_ATTEMPT_COUNT])(const struct scene *scene) = {
        [SELFTEST_WRITE_REGION] = write_region,
        [SELFTEST_GROW_OUTBOX] = grow_outbox,
        [SELFTEST_EXECUTE] = execute,
        [SELFTEST_OPEN_SOCKET] = open_socket,
        [SELFTEST_SIGNAL] = send_signal,
    };
    struct scene scene = {.heritage = heritage};
    bool attached = region_attach_view(&scene.view, heritage->region_read_only_fd) &&
                    region_attach_outbox(&scene.outbox, &heritage->places,
                        heritage->region_read_write_fd, heritage->slot);

    close(heritage->region_read_only_fd);
    close(heritage->region_read_write_fd);
    if (!attached)
        return CHILD_EXIT_SETUP;
    enum jail_step missing = jail_enter(heritage);
    if (acts[heritage->act](&scene))
        return CHILD_EXIT_SELFTEST_ESCAPED;
    return missing == JAIL_WHOLE ? CHILD_EXIT_SELFTEST_REFUSED
                                 : CHILD_EXIT_SELFTEST_STEP + (int)missing;
}
