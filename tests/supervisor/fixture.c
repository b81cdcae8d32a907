/* SPDX-License-Identifier: ISC */
/*
 * The test's side of a supervisor without processes; see stage.h.
 */
#include "config.h"

#include "tests/supervisor/fixture.h"

#include "base/alloc.h"
#include "relay/handover.h"
#include "relay/loop.h"
#include "supervisor/accept/acceptor.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/notify.h"
#include "supervisor/order/order.h"

#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void no_frame(struct child *child, const struct frame *frame)
{
    (void)child, (void)frame;
}

/* The test passes on what a worker sends when it likes. */
static const struct child_ops worker_ops = {
    .frame = no_frame,
    .writable = slot_worker_writable,
    .created = acceptor_worker_created,
    .failed = acceptor_worker_failed,
    .fault = slot_worker_fault,
    .closed = slot_worker_closed,
    .exited = slot_worker_exited,
    .gone = slot_worker_gone,
    .exit_grace_ms = EXIT_GRACE_MS,
};

/* What may have been written beyond the last record: one that was refused then. */
#define BEYOND ((size_t)2 * FIXTURE_MAX_MESSAGE)

/* Zeroes all of it that may have been written to: the rest of the ring and its index would take a
 * good part of a fuzzer's time. */
static void clear(struct region *region)
{
    struct region_header *header = region->header;
    uint64_t entries = header->next_sequence, bytes = header->ring_size;

    if (entries < header->index_count) {
        const struct record_entry *last = &region->index[entries - 1]; /* or none, all zeros */
        if (last->offset + last->length + BEYOND < bytes)
            bytes = last->offset + last->length + BEYOND;
        entries++;
    } else {
        entries = header->index_count;
    }
    memset(region->ring, 0, bytes);
    memset(region->index, 0, entries * sizeof *region->index);
    memset(region->outboxes, 0, header->total_size - header->outboxes_offset);
    memset(header, 0, header->index_offset);
}

/* The process's one region, as if just made. */
static struct region new_region(void)
{
    static struct region region;
    struct region_geometry geometry = {
        .slot_count = FIXTURE_CLIENTS,
        .courier_count = FIXTURE_COURIERS,
        .ring_size = FIXTURE_RING_SIZE,
        .outbox_size = FIXTURE_OUTBOX_SIZE,
    };
    struct region_header header;
    char error[512];

    if (region.header == NULL) {
        ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
        return region;
    }
    memcpy(&header, region.header, sizeof header);
    clear(&region);
    header.next_sequence = 1;
    memcpy(region.header, &header, sizeof header);
    return region;
}

/* The test plays the forker. */
static void open_forker(struct fixture *fixture)
{
    struct spawner *spawner = &fixture->supervisor.spawner;

    spawner->supervisor = &fixture->supervisor;
    spawner->forker.pid = FIXTURE_NO_PROCESS;
    ck_assert(handover_pair(&spawner->forker.control, &fixture->forker_end));
    ck_assert_int_eq(fcntl(fixture->forker_end, F_SETFL, O_NONBLOCK), 0);
}

static struct fixture *open_stage(unsigned count, bool has_forker)
{
    struct fixture *fixture = alloc_zeroed(1, sizeof *fixture);
    struct supervisor *supervisor = &fixture->supervisor;

    fixture->forker_end = -1;
    fixture->options.max_clients = FIXTURE_CLIENTS;
    fixture->options.stall_grace_ms = FIXTURE_GRACE_MS;
    fixture->options.couriers = count;
    fixture->options.clients_per_courier = FIXTURE_CLIENTS;
    supervisor->options = &fixture->options;
    supervisor->base = loop_new();
    supervisor->region = new_region();
    supervisor->view = region_view_of(&supervisor->region);
    ring_init(&supervisor->ring, &supervisor->region);
    space_init(&supervisor->space, &supervisor->ring, &supervisor->turn);
    supervisor->limits = (struct frame_limits){
        .outbox_size = FIXTURE_OUTBOX_SIZE,
        .max_message = FIXTURE_MAX_MESSAGE,
        .room_count = ROOM_COUNT,
        .slot_count = FIXTURE_CLIENTS,
    };
    supervisor->names = names_new(FIXTURE_CLIENTS);
    supervisor->lobby = room_new(FIXTURE_CLIENTS);
    children_init(supervisor);
    supervisor->delivery = count == 0 ? &worker_delivery_ops : &courier_delivery_ops;
    slots_init(supervisor, &worker_ops);
    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        fixture->worker_ends[i] = -1;
    for (int i = 0; i < FIXTURE_COURIERS; i++)
        fixture->courier_ends[i].relay = fixture->courier_ends[i].handover = -1;
    if (has_forker)
        open_forker(fixture);
    /* Without a forker none is made, but there is what each would have to be told. */
    ck_assert(couriers_open(supervisor) == (count == 0 || has_forker));
    return fixture;
}

struct fixture *fixture_open(void)
{
    return open_stage(0, false);
}

struct fixture *fixture_open_with_couriers(unsigned count)
{
    return open_stage(count, false);
}

struct fixture *fixture_open_with_forker(unsigned count)
{
    return open_stage(count, true);
}

void fixture_end_courier(struct fixture *fixture, unsigned number)
{
    if (fixture->courier_ends[number].relay < 0)
        return;
    close(fixture->courier_ends[number].relay);
    close(fixture->courier_ends[number].handover);
    fixture->courier_ends[number].relay = fixture->courier_ends[number].handover = -1;
}

void fixture_make_couriers(struct fixture *fixture)
{
    struct supervisor *supervisor = &fixture->supervisor;
    struct forker_request request;
    int ends[2];

    while (handover_receive(fixture->forker_end, &request, sizeof request, ends, 2) > 0) {
        struct forker_answer answer = {
            .kind = request.kind,
            .slot = request.slot,
            .generation = request.generation,
            .pid = FIXTURE_NO_PROCESS,
        };

        fixture_end_courier(fixture, request.slot);
        fixture->courier_ends[request.slot].relay = ends[0];
        fixture->courier_ends[request.slot].handover = ends[1];
        supervisor->spawner.forker.pending--;
        supervisor->spawner.handlers[KIND_COURIER]->answered(supervisor, &answer);
    }
}

void fixture_close(struct fixture *fixture)
{
    struct supervisor *supervisor = &fixture->supervisor;

    for (int i = 0; i < FIXTURE_CLIENTS; i++) {
        child_destroy(&supervisor->slots[i].child);
        if (fixture->worker_ends[i] >= 0)
            close(fixture->worker_ends[i]);
        if (supervisor->slots[i].client_fd > 0)
            close(supervisor->slots[i].client_fd);
    }
    couriers_close(supervisor);
    for (unsigned i = 0; i < FIXTURE_COURIERS; i++)
        fixture_end_courier(fixture, i);
    if (fixture->forker_end >= 0) {
        close(fixture->forker_end);
        close(supervisor->spawner.forker.control);
    }
    slots_free(supervisor);
    room_free(supervisor->lobby);
    names_free(supervisor->names);
    event_base_free(supervisor->base);
    free(fixture);
}

/* The slot's worker gets its client. */
static void give_client(struct fixture *fixture, struct slot *slot, int client_fd)
{
    struct handover_client about;

    ck_assert_int_ge(client_fd, 0);
    ck_assert(slot_assign(slot, client_fd));
    ck_assert_int_eq(
        recv(fixture->worker_ends[slot->number], &about, sizeof about, 0), (ssize_t)sizeof about);
    ck_assert(!slot->child.kill_pending);
    slot->supervisor->delivery->assigned(slot);
}

struct slot *fixture_take_client(struct fixture *fixture, int client_fd)
{
    struct slot *slot = slot_take(&fixture->supervisor);
    int ends[2];

    if (slot == NULL)
        return NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(child_open(&slot->child, ends[0]));
    slot->child.state = CHILD_RUNNING;
    slot->child.pid = FIXTURE_NO_PROCESS;
    fixture->worker_ends[slot->number] = ends[1];
    give_client(fixture, slot, client_fd);
    return slot;
}

/* Nobody speaks to this client. */
struct slot *fixture_take(struct fixture *fixture)
{
    static int nobody = -1;
    int client_fd;
    struct slot *slot;

    if (nobody < 0)
        nobody = open("/dev/null", O_RDWR | O_CLOEXEC);
    client_fd = dup(nobody);
    slot = fixture_take_client(fixture, client_fd);
    if (slot == NULL)
        close(client_fd);
    return slot;
}

struct slot *fixture_join(struct fixture *fixture)
{
    struct slot *slot = fixture_take(fixture);

    ck_assert_ptr_nonnull(slot);
    fixture_frame(slot, FRAME_HELLO);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    return slot;
}

void fixture_frame(struct slot *slot, enum frame_kind kind)
{
    order_frame(slot, &(struct frame){.kind = (uint8_t)kind});
}

void fixture_say(struct slot *slot, size_t length)
{
    struct outbox outbox = region_outbox(&slot->supervisor->region, slot->number);

    memset(outbox.bytes, 'x', length);
    order_frame(slot, &(struct frame){.kind = FRAME_PUBLISH, .length = (uint32_t)length});
}

void fixture_turn(struct fixture *fixture)
{
    struct supervisor *supervisor = &fixture->supervisor;

    bool again;

    do {
        children_reap(supervisor);
        again = order_resume(supervisor);
        notify_turn(supervisor);
        again = space_check_cursors(&supervisor->space) || again;
    } while (again);
}

void fixture_deliver_to(struct slot *slot, uint64_t position)
{
    struct outbox outbox = region_outbox(&slot->supervisor->region, slot->number);
    struct delivery_state *state = &outbox.state->delivery;
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(&state->marks[version % 2].position, position);
    atomic_store(&state->version, version);
    atomic_store(&state->generation, slot->generation);
}

struct fixture *fixture_of(const struct slot *slot)
{
    return (
        struct fixture *)(void *)((char *)slot->supervisor - offsetof(struct fixture, supervisor));
}

void fixture_catch_up(struct slot *slot)
{
    struct fixture *fixture = fixture_of(slot);
    struct frame frame;

    while (fixture_told(fixture, slot, &frame))
        continue;
    fixture_deliver_to(slot, slot->cursor.notified_to);
}

bool fixture_told(struct fixture *fixture, const struct slot *slot, struct frame *frame)
{
    ssize_t length = read(fixture->worker_ends[slot->number], frame, sizeof *frame);

    return length == (ssize_t)sizeof *frame;
}

void fixture_end_relay(struct fixture *fixture, struct slot *slot)
{
    close(fixture->worker_ends[slot->number]);
    fixture->worker_ends[slot->number] = -1;
    while (slot->child.relay != NULL)
        ck_assert_int_eq(event_base_loop(fixture->supervisor.base, EVLOOP_ONCE), 0);
}
