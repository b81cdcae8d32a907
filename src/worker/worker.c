/* SPDX-License-Identifier: ISC */
/*
 * worker.c - a new process becomes a worker.
 *
 * Order: it maps its part of the region, opens its event loop and its relay, enters its jail, and
 * only then receives its client. It then has standard input, output and error (/dev/null), the
 * relay, the event loop's own descriptors and the client's socket. If couriers deliver, its part of
 * the region is the outbox and nothing else.
 */
#include "config.h"

#include "worker/worker.h"

#include "base/proctitle.h"
#include "process/jail.h"
#include "worker/session.h"

/* It begins with less than 1 MiB, and needs a few times max-message (64 KiB at most) for input, and
 * its relay's unsent frames. */
#define DATA_MOST ((rlim_t)8 * 1024 * 1024)

static unsigned count(const struct options *options)
{
    return options->max_clients;
}

/* The one that it still receives is its client's socket. */
static rlim_t files(const struct heritage *heritage)
{
    (void)heritage;
    return jail_next_descriptor() + 1;
}

static rlim_t data(const struct heritage *heritage)
{
    (void)heritage;
    return DATA_MOST;
}

int worker_run_client(struct heritage *heritage)
{
    struct heritage_maps maps;

    if (!heritage_attach(heritage, &maps))
        return CHILD_EXIT_SETUP;
    proctitle_set("chatroomd: spare worker", NULL);
    return session_run(heritage, heritage->delivers ? &maps.view : NULL, &maps.outbox);
}

const struct process_kind worker_kind = {
    .name = "worker",
    .count = count,
    .maps = MAP_OUTBOX | MAP_VIEW_TO_DELIVER,
    .filter = &worker_filter,
    .files = files,
    .data = data,
    .run = worker_run_client,
};
