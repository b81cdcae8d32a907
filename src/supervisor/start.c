/* SPDX-License-Identifier: ISC */
/*
 * start.c - bringing the server up and taking it down.
 *
 * The start binds the addresses, creates the region, gives up the supervisor's privileges, sets up
 * the forkers, creates the tables and runs the selftests, and only then creates an event loop:
 * whatever can fail fails before a client is accepted.
 */
#include "config.h"

#include "supervisor/start.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/requirements.h"
#include "relay/loop.h"
#include "supervisor/child/selftests.h"
#include "supervisor/client/peer.h"
#include "supervisor/client/slot.h"
#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/events.h"
#include "supervisor/order/order.h"
#include "supervisor/supervisor_jail.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors beyond one relay per client and, with couriers, its socket: those of newcomers in the
 * making, those of spare workers and couriers, and our own. */
#define OTHER_DESCRIPTORS (3 * FORKER_PENDING_MAX + 256)

static bool has_requirements(const struct options *options)
{
    char *missing = requirements_missing(options->jail);

    if (missing != NULL)
        fprintf(stderr, "chatroomd: %s\n", missing);
    free(missing);
    return missing == NULL;
}

/* Raises the limit of open files to what max-clients needs. */
static bool raise_descriptors(const struct options *options)
{
    unsigned max_clients = options->max_clients;
    rlim_t each = options->couriers == 0 ? 1 : 2;
    rlim_t needed = each * max_clients + OTHER_DESCRIPTORS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    if (limit.rlim_cur >= needed)
        return true;
    rlim_t had = limit.rlim_max;
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed)
        limit.rlim_max = needed; /* root may */
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    fprintf(stderr,
        "chatroomd: max-clients = %u needs %llu open files and the limit is %llu; raise it "
        "(ulimit -n, LimitNOFILE=) or lower max-clients\n",
        max_clients, (unsigned long long)needed, (unsigned long long)had);
    return false;
}

static bool open_listeners(struct run *run)
{
    const struct options *options = run->supervisor.options;
    char error[512];

    run->listeners = alloc_zeroed(options->listen_count, sizeof *run->listeners);
    for (size_t i = 0; i < options->listen_count; i++) {
        if (!listener_open(&run->listeners[i], options->listen[i], options, error, sizeof error)) {
            fprintf(stderr, "chatroomd: %s\n", error);
            return false;
        }
        run->listener_count++;
    }
    return true;
}

static bool make_region(struct supervisor *supervisor)
{
    struct region_geometry geometry = {
        .slot_count = supervisor->options->max_clients,
        .courier_count = supervisor->options->couriers,
        .ring_size = supervisor->options->ring_size,
        .outbox_size = supervisor->options->outbox_size,
    };
    char error[512];

    if (!region_create(&supervisor->region, &geometry, error, sizeof error)) {
        fprintf(stderr, "chatroomd: %s\n", error);
        return false;
    }
    supervisor->view = region_view_of(&supervisor->region);
    ring_init(&supervisor->ring, &supervisor->region);
    space_init(&supervisor->space, &supervisor->ring, &supervisor->turn);
    supervisor->limits = (struct frame_limits){
        .outbox_size = (size_t)supervisor->region.header->outbox_size,
        .max_message = supervisor->options->max_message_size,
        .room_count = ROOM_COUNT,
        .slot_count = supervisor->options->max_clients,
    };
    return true;
}

static void worker_frame(struct child *child, const struct frame *frame)
{
    order_frame(slot_of(child), frame);
}

static const struct child_ops worker_ops = {
    .frame = worker_frame,
    .writable = slot_worker_writable,
    .created = acceptor_worker_created,
    .failed = acceptor_worker_failed,
    .fault = slot_worker_fault,
    .closed = slot_worker_closed,
    .exited = slot_worker_exited,
    .gone = slot_worker_gone,
    .exit_grace_ms = EXIT_GRACE_MS,
};

static void make_tables(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;
    unsigned max_clients = supervisor->options->max_clients;

    children_init(supervisor);
    supervisor->delivery =
        supervisor->options->couriers == 0 ? &worker_delivery_ops : &courier_delivery_ops;
    slots_init(supervisor, &worker_ops);
    supervisor->names = names_new(max_clients);
    supervisor->lobby = room_new(max_clients);
    supervisor->penalties = penalties_new();
    acceptor_prepare(&run->acceptor, supervisor, run->listeners, run->listener_count);
}

/* Gives up the supervisor's privileges and sets up the forkers. */
static bool become_safe(struct run *run, const struct process_kinds *kinds, struct forker *forkers)
{
    struct supervisor *supervisor = &run->supervisor;
    bool changes_user = supervisor_changes_user(supervisor->options);

    if (!supervisor_jail_enter(supervisor->options))
        return false;
    if (spawner_prepare(&supervisor->spawner, supervisor, kinds, forkers, changes_user))
        return true;
    fprintf(stderr, "chatroomd: cannot set up the process that creates all others: %s\n",
        strerror(errno));
    return false;
}

static void log_ready(const struct run *run)
{
    size_t size = run->listener_count * (2 * LISTENER_TEXT_MAX + 16) + 1, length = 0;
    char *text = alloc_zeroed(size, 1), quoted[2 * LISTENER_TEXT_MAX];

    for (size_t i = 0; i < run->listener_count; i++)
        length += (size_t)snprintf(text + length, size - length, "%slisten=%s", i > 0 ? " " : "",
            log_quote(quoted, sizeof quoted, run->listeners[i].text));
    log_event(LOG_LEVEL_NOTICE, "ready", "%s", text);
    free(text);
}

bool start(struct run *run, const struct process_kinds *kinds, struct forker *forkers)
{
    struct supervisor *supervisor = &run->supervisor;
    const struct options *options = supervisor->options;

    log_event(LOG_LEVEL_NOTICE, "start", "version=%s pid=%ld max-clients=%u", PACKAGE_VERSION,
        (long)getpid(), options->max_clients);
    clock_forget(supervisor);
    if (!has_requirements(options) || !raise_descriptors(options) || !open_listeners(run) ||
        !make_region(supervisor) || !become_safe(run, kinds, forkers))
        return false;
    make_tables(run);
    if (!selftests_pass(&supervisor->spawner, options->jail))
        return false;
    supervisor->base = loop_new();
    if (supervisor->base == NULL || !events_open(run) || !spawner_open(&supervisor->spawner) ||
        !couriers_open(supervisor) || !peers_open(supervisor) || !acceptor_open(&run->acceptor)) {
        fprintf(stderr, "chatroomd: cannot create the event loop: %s\n", strerror(errno));
        return false;
    }
    log_ready(run);
    return true;
}

/* Undoes as much of start() as was done. */
void finish(struct run *run)
{
    struct supervisor *supervisor = &run->supervisor;

    if (!run->acceptor.closed && run->acceptor.supervisor != NULL)
        acceptor_close(&run->acceptor);
    else if (run->acceptor.supervisor == NULL)
        for (size_t i = 0; i < run->listener_count; i++)
            listener_close(&run->listeners[i]);
    spawner_finish(&supervisor->spawner);
    couriers_close(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        child_destroy(&supervisor->slots[i].child);
    for (size_t i = 0; i < sizeof run->signals / sizeof run->signals[0]; i++)
        if (run->signals[i] != NULL)
            event_free(run->signals[i]);
    peers_close(supervisor);
    if (run->tick != NULL)
        event_free(run->tick);
    if (run->wake != NULL)
        event_free(run->wake);
    if (supervisor->base != NULL)
        event_base_free(supervisor->base);
    names_free(supervisor->names);
    room_free(supervisor->lobby);
    penalties_free(supervisor->penalties);
    slots_free(supervisor);
    if (supervisor->region.header != NULL)
        region_destroy(&supervisor->region);
    free(run->listeners);
}
