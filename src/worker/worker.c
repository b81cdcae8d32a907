/* SPDX-License-Identifier: ISC */
/*
 * worker.c - a new process becomes a client worker.
 *
 * Order: its part of the region is mapped from the two descriptors, which are closed then; only
 * after that is the worker jailed, and given its client. What is left is standard input, output and
 * error (nowhere), the relay, the event loop's own descriptors, and the client's socket. Where
 * couriers deliver, that part is the outbox and nothing else.
 */
#include "config.h"

#include "worker/worker.h"

#include "base/proctitle.h"
#include "process/jail_filter.h"
#include "region/region.h"
#include "worker/session.h"

#include <unistd.h>

/* Gives the relay the number that the filter knows, if it has not got that from the forker. */
static bool move_relay(struct heritage *heritage)
{
    int relay = heritage->relay_fd;

    if (relay == WORKER_RELAY_FD)
        return true;
    heritage->relay_fd = dup2(relay, WORKER_RELAY_FD);
    close(relay);
    return heritage->relay_fd == WORKER_RELAY_FD;
}

int worker_run_client(struct heritage *heritage)
{
    struct region_view view;
    struct outbox outbox;
    bool attached =
        region_attach_outbox(
            &outbox, &heritage->places, heritage->region_read_write_fd, heritage->slot) &&
        (!heritage->delivers || region_attach_view(&view, heritage->region_read_only_fd));

    close(heritage->region_read_only_fd);
    close(heritage->region_read_write_fd);
    if (!attached || !move_relay(heritage))
        return CHILD_EXIT_SETUP;
    proctitle_set("chatroomd: spare worker", NULL);
    return session_run(heritage, heritage->delivers ? &view : NULL, &outbox);
}
