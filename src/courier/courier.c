/* SPDX-License-Identifier: ISC */
/*
 * courier.c - the process of a courier: frames and descriptors from the supervisor.
 *
 * Model:
 * 1. Records are validated before they are in the ring, and writing them parses nothing. So one
 *    process can write to many clients, while reading needs a process for each. A courier never
 *    reads from a client's socket; its filter ensures that.
 * 2. The supervisor says which clients this courier delivers to (ATTACH), in which room they are
 *    (MEMBERSHIP), which records there are (one DELIVER for all clients), and when a client must be
 *    closed (CLOSE). A client's descriptor arrives on the handover socket, before or after its
 *    ATTACH.
 * 3. After the frames of a read, one pass delivers the new records to all clients that are caught
 *    up (pass.c). Other clients are served when their sockets are writable (served.c).
 * 4. This courier's part of the region outlives it: the supervisor reads there, and from the
 *    kernel, where the next courier has to continue for each client.
 *
 * Overflow: pending records stay in the ring; see served.c for the frames to the supervisor.
 */
#include "config.h"

#include "courier/courier.h"

#include "base/proctitle.h"
#include "courier/pass.h"
#include "process/jail.h"
#include "relay/handover.h"
#include "relay/loop.h"

#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct courier {
    const struct heritage *heritage;
    struct clients clients;
    struct pass pass;
    struct event *handover;
    int status; /* -1 while it runs */
};

/* Ends the loop. If it is called more than once, the first status counts. */
static void courier_stop(struct courier *courier, enum child_exit status)
{
    if (courier->status < 0)
        courier->status = (int)status;
    event_base_loopbreak(courier->clients.base);
}

/* --- frames */

/* Handles a frame about one client. A frame about a client that was detached has been overtaken. */
static bool handle_client_frame(struct courier *courier, const struct frame *frame)
{
    struct served *served = clients_find(&courier->clients, frame->slot);

    if (served == NULL)
        return false;
    if (frame->kind == FRAME_ATTACH)
        return served_attach(served, frame);
    if (!served->is_attached || served->generation != frame->generation)
        return true;
    if (frame->kind == FRAME_MEMBERSHIP)
        return delivery_set_membership(
            &served->delivery, frame->room, frame->from, frame->detail != 0);
    served_close(served, frame);
    return true;
}

static bool courier_relay_frame(void *context, const struct frame *frame)
{
    struct courier *courier = context;
    bool valid = true;

    switch (frame->kind) {
    case FRAME_DELIVER:
        valid = pass_announce(&courier->pass, frame->from, frame->to);
        break;
    case FRAME_CLOSE:
        pass_deliver_all(&courier->pass); /* what was announced before is delivered before */
        valid = handle_client_frame(courier, frame);
        break;
    case FRAME_ATTACH:
    case FRAME_MEMBERSHIP:
        valid = handle_client_frame(courier, frame);
        break;
    case FRAME_PING:
        atomic_store_explicit(
            &courier->clients.part.state->answered, frame->from, memory_order_release);
        break;
    default:
        valid = false;
    }
    if (!valid)
        courier_stop(courier, CHILD_EXIT_SETUP);
    return true;
}

static void courier_relay_settled(void *context)
{
    struct courier *courier = context;

    if (courier->status >= 0)
        return;
    pass_deliver(&courier->pass);
    clients_report(&courier->clients);
}

static void courier_relay_writable(void *context)
{
    (void)context; /* the courier always sends; the number of its reports is bounded */
}

static void courier_relay_ended(void *context)
{
    courier_stop(context, CHILD_EXIT_NO_SUPERVISOR);
}

static const struct relay_handler supervisor_handler = {
    .frame = courier_relay_frame,
    .settled = courier_relay_settled,
    .writable = courier_relay_writable,
    .ended = courier_relay_ended,
};

/* --- descriptors */

static void courier_handover_readable(evutil_socket_t fd, short what, void *argument)
{
    struct courier *courier = argument;
    struct handover_served whose;
    struct served *served;
    ssize_t length;
    int descriptor;

    (void)what;
    while ((length = handover_receive(fd, &whose, sizeof whose, &descriptor, 1)) > 0) {
        served = clients_find(&courier->clients, whose.slot);
        if (length != (ssize_t)sizeof whose || descriptor < 0 || served == NULL) {
            courier_stop(courier, CHILD_EXIT_SETUP);
            return;
        }
        served_receive_socket(served, whose.generation, descriptor);
    }
    if (length == 0)
        courier_stop(courier, CHILD_EXIT_NO_SUPERVISOR);
    clients_report(&courier->clients);
}

/* --- the process */

/* All memory that grows with the number of clients is allocated here, except the events of clients
 * whose sockets were full. */
static bool open_courier(struct courier *courier)
{
    const struct heritage *heritage = courier->heritage;
    struct clients *clients = &courier->clients;

#ifdef HAVE_MALLOPT
    mallopt(M_MMAP_MAX, 0); /* the filter allows brk(2) and not mmap(2) */
#endif
    clients_init(clients);
    clients->base = loop_new();
    if (clients->base == NULL)
        return false;
    clients->reports.relay =
        relay_open(clients->base, heritage->relay_fd, &supervisor_handler, courier);
    courier->handover = event_new(clients->base, heritage->handover_fd, EV_READ | EV_PERSIST,
        courier_handover_readable, courier);
    return clients->reports.relay != NULL && pass_open(&courier->pass, clients) &&
           courier->handover != NULL && event_add(courier->handover, NULL) == 0;
}

static int run_loop(struct courier *courier)
{
    if (!open_courier(courier))
        return CHILD_EXIT_SETUP;
    if (jail_enter(courier->heritage) != JAIL_WHOLE && courier->heritage->jail == JAIL_REQUIRED)
        return CHILD_EXIT_JAIL;
    while (courier->status < 0)
        if (event_base_dispatch(courier->clients.base) != 0)
            courier_stop(courier, CHILD_EXIT_SETUP);
    return courier->status;
}

int courier_run(struct heritage *heritage)
{
    struct courier courier = {.heritage = heritage, .status = -1};
    struct clients *clients = &courier.clients;
    struct heritage_maps maps;
    char number[12];

    if (!heritage_attach(heritage, &maps) || fcntl(heritage->handover_fd, F_SETFL, O_NONBLOCK) != 0)
        return CHILD_EXIT_SETUP;
    clients->view = maps.view;
    clients->part = maps.part;
    clients->wanted = &clients->view.slots[heritage->place].wanted;
    snprintf(number, sizeof number, "%u", (unsigned)heritage->slot);
    proctitle_set("chatroomd: courier ", number, NULL);
    return run_loop(&courier);
}
