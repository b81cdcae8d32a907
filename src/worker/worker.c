/*
 * worker.c - a new process becomes a client worker.
 *
 * Order: its part of the region is mapped from the two descriptors, which are closed then; only
 * after that is the client's first byte read. What is left is standard input, output and error
 * (nowhere), the client's socket, the relay, and the event loop's own descriptors. Where couriers
 * deliver, that part is the outbox and nothing else.
 */
#include "config.h"

#include "worker/worker.h"

#include "base/title.h"
#include "region/region.h"
#include "worker/session.h"

#include <unistd.h>

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
    if (!attached)
        return WORKER_EXIT_SETUP;
    title_set("chatroomd: spare worker", NULL);
    return session_run(heritage, heritage->delivers ? &view : NULL, &outbox);
}
