/*
 * worker.c - a new process becomes a client worker.
 *
 * Order: the region is mapped from its two descriptors, which are closed then; only after that is
 * the client's first byte read. What is left is standard input, output and error (nowhere), the
 * client's socket, the relay, and the event loop's own descriptor.
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
    bool attached = region_attach(&view, &outbox, heritage->region_read_only_fd,
        heritage->region_read_write_fd, heritage->slot);

    close(heritage->region_read_only_fd);
    close(heritage->region_read_write_fd);
    if (!attached)
        return WORKER_EXIT_SETUP;
    title_set("chatroomd: worker - %s", heritage->address);
    return session_run(heritage, &view, &outbox);
}
