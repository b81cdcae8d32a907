/* SPDX-License-Identifier: ISC */
/*
 * hostile.c - a chatroomd some of whose workers are taken over: built for the tests only.
 *
 * Model: the daemon with other functions in its table of process kinds. Clients on TCP get the real
 * worker. Clients on a local socket get the hostile one. It is set up and jailed in the same way,
 * but first reads a line `ACT SIBLING [lawful|confined]` from its client and then does that act;
 * with `confined` it enters the supervisor's jail instead of its own. A new worker sees which of
 * the two it is to be when its client's socket arrives. It tells its client the result of a CALL
 * act: "succeeded", or "refused: WHY"; nothing if it was killed. After a FRAME act it waits for its
 * end or its client's.
 *
 * If the environment names a courier (hostile_courier.c), that is taken over, and no worker is.
 *
 * In the build with CARELESS, the checks that find FRAME acts accept everything (careless.c).
 */
#include "config.h"

#include "base/log.h"
#include "base/options.h"
#include "base/proctitle.h"
#include "courier/courier.h"
#include "process/forker.h"
#include "process/jail.h"
#include "relay/frame.h"
#include "relay/handover.h"
#include "selftest/selftest.h"
#include "supervisor/supervisor.h"
#include "supervisor/supervisor_jail.h"
#include "tests/jail/acts.h"
#include "tests/jail/hostile.h"
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct act {
    const char *name;
    call_act *call;
    frame_act *frame;
    bool inside;
};

static const struct act acts[] = {
#define ACT(name) {#name, act_##name, NULL, false},
    VIEW_CALL_ACTS(ACT) CALL_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control, inside) {#name, NULL, act_##name, inside},
        FRAME_ACTS(ACT) POSITION_FRAME_ACTS(ACT)
#undef ACT
};

#define ACT_COUNT (sizeof acts / sizeof acts[0])

/* Reads the client's line, while waiting is still allowed. */
static const struct act *read_order(struct scene *scene)
{
    char line[256] = "", name[128] = "", how[32] = "";
    size_t length = 0;
    struct pollfd client = {.fd = scene->client_fd, .events = POLLIN};
    int sibling = 0;

    while (strchr(line, '\n') == NULL && length < sizeof line - 1) {
        if (poll(&client, 1, -1) < 0)
            return NULL;
        ssize_t got = recv(scene->client_fd, line + length, sizeof line - 1 - length, 0);
        if (got <= 0)
            return NULL;
        length += (size_t)got;
    }
    sscanf(line, "%127s %d %31s", name, &sibling, how);
    scene->sibling = sibling;
    scene->lawful = strcmp(how, "lawful") == 0;
    scene->confined = strcmp(how, "confined") == 0;
    for (size_t i = 0; i < ACT_COUNT; i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}

static void tell(const struct scene *scene, const char *text)
{
    send(scene->client_fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Until the supervisor or the client ends it; all that either says is thrown away. */
static void wait_for_end(const struct scene *scene, int loop)
{
    int fds[] = {scene->client_fd, scene->heritage->relay_fd};
    char bytes[4096];
    struct epoll_event event;

    for (int i = 0; i < 2; i++) {
        event = (struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]};
        epoll_ctl(loop, EPOLL_CTL_ADD, fds[i], &event);
    }
    while (epoll_wait(loop, &event, 1, -1) == 1 && read(event.data.fd, bytes, sizeof bytes) > 0)
        continue;
}

/* As worker.c does it. */
static bool attach(struct scene *scene)
{
    struct heritage_maps maps;
    bool attached = heritage_attach(scene->heritage, &maps);

    scene->view = maps.view;
    scene->outbox = maps.outbox;
    return attached;
}

/* As session.c does it. */
static bool receive_client(struct scene *scene)
{
    struct handover_client about;
    ssize_t length;

    handover_await(scene->heritage->relay_fd);
    length =
        handover_receive(scene->heritage->relay_fd, &about, sizeof about, &scene->client_fd, 1);
    return length == (ssize_t)sizeof about && scene->client_fd >= 0;
}

static int do_call(const struct scene *scene, const struct act *act)
{
    char text[128];
    bool succeeded;

    errno = 0;
    succeeded = act->call(scene);
    snprintf(text, sizeof text, succeeded ? "succeeded\n" : "refused: %s\n", strerror(errno));
    tell(scene, text);
    return CHILD_EXIT_DONE;
}

static int do_frames(const struct scene *scene, const struct act *act, int loop)
{
    struct frame enter = {.kind = FRAME_HELLO};

    if (act->inside)
        send(scene->heritage->relay_fd, &enter, sizeof enter, MSG_NOSIGNAL);
    act->frame(scene);
    tell(scene, "done\n");
    wait_for_end(scene, loop);
    return CHILD_EXIT_CONNECTION_LOST;
}

static int run_hostile(struct heritage *heritage)
{
    struct scene scene = {.heritage = heritage};
    struct options supervisor = {.user = (char[]){""}, .jail = JAIL_REQUIRED};
    bool must_be_jailed = heritage->jail == JAIL_REQUIRED;
    const struct act *act;
    int loop = epoll_create1(0);

    if (loop < 0 || !attach(&scene))
        return CHILD_EXIT_SETUP;
    if (!receive_client(&scene))
        return CHILD_EXIT_DONE;
    act = read_order(&scene);
    if (act == NULL)
        return CHILD_EXIT_SETUP;
    proctitle_set("chatroomd: worker ", act->name, NULL);
    if (scene.confined && !supervisor_jail_enter(&supervisor))
        return CHILD_EXIT_JAIL;
    if (!scene.confined && jail_enter(heritage) != JAIL_WHOLE && must_be_jailed)
        return CHILD_EXIT_JAIL;
    return act->call != NULL ? do_call(&scene, act) : do_frames(&scene, act, loop);
}

/* A courier is, and then no worker. */
static bool is_courier_hostile;

/* Looks whose socket waits, and leaves it to be taken. */
static int run_either(struct heritage *heritage)
{
    struct handover_client about = {.address = ""};

    if (is_courier_hostile)
        return worker_run_client(heritage);
    handover_await(heritage->relay_fd);
    recv(heritage->relay_fd, &about, sizeof about, MSG_PEEK);
    return strncmp(about.address, "unix:", 5) == 0 ? run_hostile(heritage)
                                                   : worker_run_client(heritage);
}

static int run_courier(struct heritage *heritage)
{
    return is_courier_hostile ? hostile_courier_run(heritage) : courier_run(heritage);
}

int main(int argc, char **argv)
{
    struct process_kind worker = worker_kind, courier = courier_kind;
    const struct process_kind *rows[KIND_COUNT] = {
        [KIND_WORKER] = &worker,
        [KIND_COURIER] = &courier,
        [KIND_SELFTEST] = &selftest_kind,
    };
    struct process_kinds kinds = {.rows = rows, .count = KIND_COUNT};
    struct forker forkers[2];
    struct options options;
    int status = EXIT_SUCCESS;

    worker.run = run_either;
    courier.run = run_courier;
    is_courier_hostile = hostile_courier_read_plan();
    proctitle_init(argc, argv);
    for (int i = 0; i < 2; i++)
        if (!forker_start(&forkers[i], &kinds, i > 0))
            return EXIT_FAILURE;
    if (options_read(&options, argc, argv, &status) == OPTIONS_EXIT)
        return status;
    log_open(options.log_level);
    status = supervisor_run(&options, &kinds, forkers);
    options_free(&options);
    return status;
}
