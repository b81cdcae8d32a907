/*
 * A chatroomd some of whose workers are taken over: built for the tests only.
 *
 * Model: the same daemon with another table of worker kinds. Clients on TCP get the real client
 * worker. Clients on a local socket get the hostile one, which is set up and jailed in just the
 * same way, but first reads a line `ACT SIBLING [lawful]` from its client, and then does that act.
 * What came of a CALL act it tells its client: "succeeded", or "refused: WHY"; nothing where it was
 * killed. After a FRAME act it waits for its end, or for its client's.
 *
 * Built with CARELESS, the checks that catch FRAME acts find everything fine (careless.c).
 */
#include "config.h"

#include "base/log.h"
#include "base/options.h"
#include "base/title.h"
#include "relay/frame.h"
#include "supervisor/supervisor.h"
#include "tests/jail/acts.h"
#include "worker/canary.h"
#include "worker/jail.h"
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
    CALL_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control, inside) {#name, NULL, act_##name, inside},
        FRAME_ACTS(ACT)
#undef ACT
};

#define ACT_COUNT (sizeof acts / sizeof acts[0])

/* Reads the client's line, while waiting is still allowed. */
static const struct act *read_order(const struct heritage *heritage, struct scene *scene)
{
    char line[256] = "", name[128] = "", how[32] = "";
    size_t length = 0;
    struct pollfd client = {.fd = heritage->client_fd, .events = POLLIN};
    int sibling = 0;

    while (strchr(line, '\n') == NULL && length < sizeof line - 1) {
        if (poll(&client, 1, -1) < 0)
            return NULL;
        ssize_t got = recv(heritage->client_fd, line + length, sizeof line - 1 - length, 0);
        if (got <= 0)
            return NULL;
        length += (size_t)got;
    }
    sscanf(line, "%127s %d %31s", name, &sibling, how);
    scene->sibling = sibling;
    scene->lawful = strcmp(how, "lawful") == 0;
    for (size_t i = 0; i < ACT_COUNT; i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}

static void tell(const struct heritage *heritage, const char *text)
{
    send(heritage->client_fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Until the supervisor or the client ends it; all that either says is thrown away. */
static void wait_for_end(const struct heritage *heritage, int loop)
{
    int fds[] = {heritage->client_fd, heritage->relay_fd};
    char bytes[4096];
    struct epoll_event event;

    for (int i = 0; i < 2; i++) {
        event = (struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]};
        epoll_ctl(loop, EPOLL_CTL_ADD, fds[i], &event);
    }
    while (epoll_wait(loop, &event, 1, -1) == 1 &&
           recv(event.data.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static int run_hostile(struct heritage *heritage)
{
    struct scene scene = {.heritage = heritage};
    struct frame enter = {.kind = FRAME_ENTER};
    const struct act *act = read_order(heritage, &scene);
    int loop = epoll_create1(0);

    if (act == NULL || loop < 0 ||
        !region_attach(&scene.view, &scene.outbox, heritage->region_read_only_fd,
            heritage->region_read_write_fd, heritage->slot))
        return WORKER_EXIT_SETUP;
    close(heritage->region_read_only_fd);
    close(heritage->region_read_write_fd);
    title_set("chatroomd: worker %s", act->name);
    if (jail_enter(heritage) != JAIL_WHOLE && heritage->jail == JAIL_REQUIRED)
        return WORKER_EXIT_JAIL;
    if (act->call != NULL) {
        char text[128];
        errno = 0;
        bool succeeded = act->call(&scene);
        snprintf(text, sizeof text, succeeded ? "succeeded\n" : "refused: %s\n", strerror(errno));
        tell(heritage, text);
        return WORKER_EXIT_DONE;
    }
    if (act->inside)
        send(heritage->relay_fd, &enter, sizeof enter, MSG_NOSIGNAL);
    act->frame(&scene);
    tell(heritage, "done\n");
    wait_for_end(heritage, loop);
    return WORKER_EXIT_CONNECTION_LOST;
}

static int run_either(struct heritage *heritage)
{
    return strncmp(heritage->address, "unix:", 5) == 0 ? run_hostile(heritage)
                                                       : worker_run_client(heritage);
}

static const struct worker_kind worker_kinds[WORKER_KIND_COUNT] = {
    [WORKER_KIND_CLIENT] = {"client", run_either, jail_prepare},
    [WORKER_KIND_CANARY] = {"canary", canary_run, NULL},
};

int main(int argc, char **argv)
{
    struct options options;
    int status = EXIT_SUCCESS;

    title_init(argc, argv);
    if (options_read(&options, argc, argv, &status) == OPTIONS_EXIT)
        return status;
    log_open(options.log_level);
    status = supervisor_run(&options, worker_kinds);
    options_free(&options);
    return status;
}
