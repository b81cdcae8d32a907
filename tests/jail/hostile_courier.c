/* SPDX-License-Identifier: ISC */
/*
 * hostile_courier.c - the courier of the hostile chatroomd.
 *
 * Model: the environment names the number of one courier. In its odd generations it is the real
 * courier. In each even one it is set up and jailed in the same way, but receives its first
 * client's socket before that, does the next act of the list, and ends. So every act is done by a
 * new courier, and the next, honest one serves its clients; the test kills that one when it has
 * seen enough.
 *
 * The exit status is the result of a call (hostile.h). After a FRAME act that has a fault, and is
 * not LAWFUL, the courier waits for its end.
 */
#include "config.h"

#include "tests/jail/hostile.h"

#include "base/proctitle.h"
#include "courier/courier.h"
#include "process/jail.h"
#include "tests/jail/acts_courier.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

struct row {
    const char *name;
    call_act *call;
    frame_act *frame;
    const char *fault;
};

static const struct row rows[] = {
#define ACT(name) {#name, act_##name, NULL, NULL},
    VIEW_CALL_ACTS(ACT) CALL_ACTS(ACT) COURIER_CALL_ACTS(ACT) COURIER_MEMORY_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control) {#name, NULL, act_##name, fault},
        COURIER_FRAME_ACTS(ACT)
#undef ACT
#define ACT(name, fault) {#name, NULL, act_##name, fault},
            COURIER_CLIENT_ACTS(ACT)
#undef ACT
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

static struct {
    unsigned number;
    size_t first; /* row */
    bool lawful;
    bool open; /* it keeps the region's descriptors, and maps all of it for writing */
} plan;

bool hostile_courier_read_plan(void)
{
    const char *text = getenv("CHATROOMD_HOSTILE_COURIER");
    char name[128] = "", how[32] = "";

    if (text == NULL || sscanf(text, "%u %127s %31s", &plan.number, name, how) < 2)
        return false;
    plan.lawful = strcmp(how, "lawful") == 0;
    plan.open = strcmp(how, "open") == 0;
    for (plan.first = 0; plan.first < ROW_COUNT; plan.first++)
        if (strcmp(rows[plan.first].name, name) == 0)
            return true;
    return false;
}

/* NULL where it is the honest one's turn. */
static const struct row *row_of(const struct heritage *heritage)
{
    size_t at = plan.first + heritage->generation / 2 - 1;

    if (heritage->slot != plan.number || heritage->generation % 2 != 0)
        return NULL;
    return at < ROW_COUNT ? &rows[at] : NULL;
}

/* As courier.c does it; or all of it, so that nothing keeps it from writing. */
static bool attach(struct scene *scene, const struct heritage *heritage)
{
    struct region_header *header;
    struct region region;
    char *base;

    if (!plan.open) {
        struct heritage_maps maps;
        bool attached = heritage_attach(heritage, &maps);

        scene->view = maps.view;
        scene->part = maps.part;
        return attached;
    }
    if (!region_attach_view(&scene->view, heritage->region_read_only_fd))
        return false;
    base = mmap(NULL, scene->view.header->total_size, PROT_READ | PROT_WRITE, MAP_SHARED,
        heritage->region_read_write_fd, 0);
    if (base == MAP_FAILED)
        return false;
    header = (struct region_header *)(void *)base;
    region = (struct region){.header = header,
        .slots = (struct region_slot *)(void *)(base + header->slots_offset),
        .index = (struct record_entry *)(void *)(base + header->index_offset),
        .ring = base + header->ring_offset,
        .outboxes = base + header->outboxes_offset,
        .couriers = base + header->couriers_offset};
    scene->view = region_view_of(&region);
    scene->part = region_courier(&region, heritage->slot);
    return true;
}

static void note(struct scene *scene, const struct frame *frame)
{
    if (frame->kind == FRAME_ATTACH && scene->own_count < COURIER_OWN_MAX) {
        scene->own_from[scene->own_count] = frame->from;
        scene->own[scene->own_count++] = frame->slot;
    }
    if (frame->kind == FRAME_DELIVER) {
        if (scene->notified_to == scene->begin)
            scene->begin = frame->from; /* what is before that is nobody's */
        scene->notified_to = frame->to + 1;
    }
    if (frame->kind == FRAME_PING)
        scene->asked = frame->from;
}

/* Waits for its first client, and reads what it is told with it; all that is there when it begins
 * is told at once. Other clients' sockets stay where they are. */
static bool meet_clients(struct scene *scene)
{
    struct pollfd relay = {.fd = scene->heritage->relay_fd, .events = POLLIN};
    struct frame frame;

    do {
        if (poll(&relay, 1, -1) < 0)
            return false;
        while (read(relay.fd, &frame, sizeof frame) == (ssize_t)sizeof frame)
            note(scene, &frame);
    } while (scene->own_count == 0 && (relay.revents & POLLHUP) == 0);
    return handover_receive(scene->heritage->handover_fd, &scene->client, sizeof scene->client,
               &scene->client_fd, 1) == (ssize_t)sizeof scene->client &&
           fcntl(scene->heritage->handover_fd, F_SETFL, O_NONBLOCK) == 0;
}

/* A process that it could signal, were it not for the jail. */
static pid_t find_sibling(const struct heritage *heritage)
{
    for (pid_t pid = getpid() - 1; pid > heritage->supervisor; pid--)
        if (kill(pid, 0) == 0)
            return pid;
    return heritage->supervisor;
}

static void fill(struct scene *scene, const struct heritage *heritage)
{
    struct region_header layout = *scene->view.header;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    scene->heritage = heritage;
    scene->lawful = plan.lawful;
    scene->sibling = find_sibling(heritage);
    scene->begin = scene->notified_to = atomic_load(&scene->part.state->oldest_needed);
    scene->outbox = (struct outbox){
        .state = (struct outbox_state *)(void *)scene->part.state,
        .bytes = (char *)scene->part.state + page,
        .size = layout.courier_stride - page,
    };
}

static int do_call(const struct scene *scene, const struct row *row)
{
    errno = 0;
    return row->call(scene) ? HOSTILE_EXIT_SUCCEEDED : HOSTILE_EXIT_REFUSED + errno;
}

static int do_frames(const struct scene *scene, const struct row *row)
{
    struct epoll_event event;
    char bytes[4096];

    row->frame(scene);
    if (plan.lawful || row->fault == NULL)
        return HOSTILE_EXIT_SUCCEEDED;
    while (epoll_wait(scene->loop, &event, 1, -1) != 1 ||
           read(scene->heritage->relay_fd, bytes, sizeof bytes) != 0)
        continue;
    return HOSTILE_EXIT_SUCCEEDED;
}

int hostile_courier_run(struct heritage *heritage)
{
    const struct row *row = row_of(heritage);
    struct scene scene = {.loop = -1};
    struct epoll_event event = {.events = EPOLLIN};

    if (row == NULL)
        return courier_run(heritage);
    if (!attach(&scene, heritage))
        return CHILD_EXIT_SETUP;
    proctitle_set("chatroomd: hostile courier: ", row->name, NULL);
    fill(&scene, heritage);
    scene.loop = epoll_create1(0);
    if (scene.loop < 0 || epoll_ctl(scene.loop, EPOLL_CTL_ADD, heritage->relay_fd, &event) != 0 ||
        !meet_clients(&scene))
        return CHILD_EXIT_SETUP;
    /* Another descriptor of the relay, so that the courier is not killed as soon as it has closed the
     * first one or has started a program. */
    if (row->call != NULL && fcntl(heritage->relay_fd, F_DUPFD, 64) < 0)
        return CHILD_EXIT_SETUP;
    if (jail_enter(heritage) != JAIL_WHOLE && heritage->jail == JAIL_REQUIRED)
        return CHILD_EXIT_JAIL;
    return row->call != NULL ? do_call(&scene, row) : do_frames(&scene, row);
}
