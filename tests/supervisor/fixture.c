/*
 * The test's side of a supervisor without processes; see stage.h.
 */
#include "config.h"

#include "tests/supervisor/fixture.h"

#include "base/alloc.h"
#include "relay/handover.h"
#include "relay/loop.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"
#include "supervisor/order/order.h"
#include "supervisor/order/turn.h"

#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool no_frame(void *context, const struct frame *frame)
{
    (void)context, (void)frame;
    return true;
}

static void no_event(void *context)
{
    (void)context;
}

static const struct relay_handler no_handler = {no_frame, NULL, no_event, no_event};

/* What may have been written beyond the last record: one that was refused then. */
#define BEYOND ((size_t)2 * STAGE_MAX_MESSAGE)

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
        .slot_count = STAGE_CLIENTS,
        .courier_count = STAGE_COURIERS,
        .ring_size = STAGE_RING_SIZE,
        .outbox_size = STAGE_OUTBOX_SIZE,
    };
    struct region_header header;
    char error[512];

    if (region.header == NULL) {
        ck_assert_msg(region_create(&region, &geometry, error, sizeof error), "%s", error);
        return region;
    }
    memcpy(&header, region.header, sizeof header);
    clear(&region);
    header.next_sequence = header.oldest_sequence = 1;
    memcpy(region.header, &header, sizeof header);
    return region;
}

/* The forker's place is the test's. */
static void open_forker(struct stage *stage)
{
    static _Atomic pid_t born[STAGE_CLIENTS + STAGE_COURIERS];
    struct maker *maker = &stage->supervisor.maker;

    maker->supervisor = &stage->supervisor;
    maker->setup.max_clients = STAGE_CLIENTS;
    maker->forker.pid = STAGE_NO_PROCESS;
    maker->forker.born = born;
    ck_assert(handover_pair(&maker->forker.control, &stage->forker_end));
    ck_assert_int_eq(fcntl(stage->forker_end, F_SETFL, O_NONBLOCK), 0);
}

static struct stage *open_stage(unsigned count, bool has_forker)
{
    struct stage *stage = alloc_zeroed(1, sizeof *stage);
    struct supervisor *supervisor = &stage->supervisor;

    stage->forker_end = -1;
    stage->options.max_clients = STAGE_CLIENTS;
    stage->options.stall_grace_ms = STAGE_GRACE_MS;
    stage->options.couriers = count;
    stage->options.courier_clients = STAGE_CLIENTS;
    supervisor->options = &stage->options;
    supervisor->base = loop_new();
    supervisor->region = new_region();
    supervisor->view = region_view_of(&supervisor->region);
    ring_init(&supervisor->ring, &supervisor->region);
    supervisor->held = supervisor->ring.next_sequence;
    supervisor->limits = (struct frame_limits){
        .outbox_size = STAGE_OUTBOX_SIZE,
        .max_message = STAGE_MAX_MESSAGE,
        .room_count = ROOM_COUNT,
        .slot_count = STAGE_CLIENTS,
    };
    supervisor->names = names_new(STAGE_CLIENTS);
    supervisor->lobby = room_new(STAGE_CLIENTS);
    slots_init(supervisor);
    for (int i = 0; i < STAGE_CLIENTS; i++)
        stage->worker_ends[i] = -1;
    for (int i = 0; i < STAGE_COURIERS; i++)
        stage->courier_ends[i].relay = stage->courier_ends[i].handover = -1;
    if (has_forker)
        open_forker(stage);
    /* Without a forker none is made, but there is what each would have to be told. */
    ck_assert(couriers_open(supervisor) == (count == 0 || has_forker));
    return stage;
}

struct stage *stage_open(void)
{
    return open_stage(0, false);
}

struct stage *stage_open_with_couriers(unsigned count)
{
    return open_stage(count, false);
}

struct stage *stage_open_with_forker(unsigned count)
{
    return open_stage(count, true);
}

void stage_end_courier(struct stage *stage, unsigned number)
{
    if (stage->courier_ends[number].relay < 0)
        return;
    close(stage->courier_ends[number].relay);
    close(stage->courier_ends[number].handover);
    stage->courier_ends[number].relay = stage->courier_ends[number].handover = -1;
}

void stage_make_couriers(struct stage *stage)
{
    struct supervisor *supervisor = &stage->supervisor;
    struct forker_request request;
    int ends[2];

    while (handover_receive(stage->forker_end, &request, sizeof request, ends, 2) > 0) {
        struct forker_answer answer = {
            .kind = request.kind,
            .slot = request.slot,
            .generation = request.generation,
            .pid = STAGE_NO_PROCESS,
        };

        stage_end_courier(stage, request.slot);
        stage->courier_ends[request.slot].relay = ends[0];
        stage->courier_ends[request.slot].handover = ends[1];
        supervisor->maker.forker.pending--;
        courier_maker_handler.answered(supervisor, &answer);
    }
}

void stage_close(struct stage *stage)
{
    struct supervisor *supervisor = &stage->supervisor;

    for (int i = 0; i < STAGE_CLIENTS; i++) {
        if (supervisor->slots[i].relay != NULL)
            relay_close(supervisor->slots[i].relay);
        if (stage->worker_ends[i] >= 0)
            close(stage->worker_ends[i]);
        if (supervisor->slots[i].client_fd > 0)
            close(supervisor->slots[i].client_fd);
    }
    couriers_close(supervisor);
    for (unsigned i = 0; i < STAGE_COURIERS; i++)
        stage_end_courier(stage, i);
    if (stage->forker_end >= 0) {
        close(stage->forker_end);
        close(supervisor->maker.forker.control);
    }
    slots_free(supervisor);
    room_free(supervisor->lobby);
    names_free(supervisor->names);
    event_base_free(supervisor->base);
    free(stage);
}

/* The slot's worker gets its client. */
static void give_client(struct stage *stage, struct slot *slot, int client_fd)
{
    struct handover_client about;

    ck_assert_int_ge(client_fd, 0);
    ck_assert(slot_give(slot, client_fd));
    ck_assert_int_eq(recv(stage->worker_ends[slot->number], &about, sizeof about, 0),
        (ssize_t)sizeof about);
    ck_assert(!slot->is_doomed);
    if (slot->supervisor->couriers != NULL)
        return;
    close(client_fd);
    slot->client_fd = -1;
}

struct slot *stage_take_client(struct stage *stage, int client_fd)
{
    struct slot *slot = slot_take(&stage->supervisor);
    int ends[2];

    if (slot == NULL)
        return NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    slot->relay = relay_open(stage->supervisor.base, ends[0], &no_handler, slot);
    ck_assert_ptr_nonnull(slot->relay);
    slot->pid = STAGE_NO_PROCESS;
    stage->worker_ends[slot->number] = ends[1];
    give_client(stage, slot, client_fd);
    return slot;
}

/* Nobody speaks to this client. */
struct slot *stage_take(struct stage *stage)
{
    static int nobody = -1;
    int client_fd;
    struct slot *slot;

    if (nobody < 0)
        nobody = open("/dev/null", O_RDWR | O_CLOEXEC);
    client_fd = dup(nobody);
    slot = stage_take_client(stage, client_fd);
    if (slot == NULL)
        close(client_fd);
    return slot;
}

struct slot *stage_join(struct stage *stage)
{
    struct slot *slot = stage_take(stage);

    ck_assert_ptr_nonnull(slot);
    stage_frame(slot, FRAME_ENTER);
    stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    return slot;
}

void stage_frame(struct slot *slot, enum frame_kind kind)
{
    order_frame(slot, &(struct frame){.kind = (uint8_t)kind});
}

void stage_say(struct slot *slot, size_t length)
{
    struct outbox outbox = region_outbox(&slot->supervisor->region, slot->number);

    memset(outbox.bytes, 'x', length);
    order_frame(slot, &(struct frame){.kind = FRAME_PUBLISH, .length = (uint32_t)length});
}

void stage_turn(struct stage *stage)
{
    struct supervisor *supervisor = &stage->supervisor;

    bool again;

    do {
        if (!TAILQ_EMPTY(&supervisor->dying))
            slots_reap(supervisor);
        again = order_resume(supervisor);
        tell_all(supervisor);
    } while (again);
}

void stage_deliver_to(struct slot *slot, uint64_t position)
{
    struct outbox outbox = region_outbox(&slot->supervisor->region, slot->number);
    struct delivery_state *state = &outbox.state->delivery;
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(&state->marks[version % 2].position, position);
    atomic_store(&state->version, version);
    atomic_store(&state->generation, slot->generation);
}

struct stage *stage_of(const struct slot *slot)
{
    return (struct stage *)(void *)((char *)slot->supervisor - offsetof(struct stage, supervisor));
}

void stage_catch_up(struct slot *slot)
{
    struct stage *stage = stage_of(slot);
    struct frame frame;

    while (stage_told(stage, slot, &frame))
        continue;
    stage_deliver_to(slot, slot->reader.told_to);
}

bool stage_told(struct stage *stage, const struct slot *slot, struct frame *frame)
{
    ssize_t length = read(stage->worker_ends[slot->number], frame, sizeof *frame);

    return length == (ssize_t)sizeof *frame;
}

void stage_end_relay(struct stage *stage, struct slot *slot)
{
    close(stage->worker_ends[slot->number]);
    stage->worker_ends[slot->number] = -1;
    slot_relay_ended(slot);
}
