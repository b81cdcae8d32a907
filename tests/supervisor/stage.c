/*
 * The test's side of a supervisor without processes; see stage.h.
 */
#include "config.h"

#include "tests/supervisor/stage.h"

#include "base/alloc.h"
#include "relay/handover.h"
#include "supervisor/couriers.h"
#include "supervisor/order.h"
#include "supervisor/tell.h"

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
    memset(region.header, 0, header.total_size);
    header.next_sequence = header.oldest_sequence = 1;
    memcpy(region.header, &header, sizeof header);
    return region;
}

struct stage *stage_open(void)
{
    return stage_open_with_couriers(0);
}

struct stage *stage_open_with_couriers(unsigned count)
{
    struct stage *stage = alloc_zeroed(1, sizeof *stage);
    struct supervisor *supervisor = &stage->supervisor;

    stage->options.max_clients = STAGE_CLIENTS;
    stage->options.stall_grace_ms = STAGE_GRACE_MS;
    stage->options.couriers = count;
    stage->options.courier_clients = STAGE_CLIENTS;
    supervisor->options = &stage->options;
    supervisor->base = event_base_new();
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
    /* Without a forker none is made, but there is what each would have to be told. */
    ck_assert(couriers_open(supervisor) == (count == 0));
    for (int i = 0; i < STAGE_CLIENTS; i++)
        stage->worker_ends[i] = -1;
    return stage;
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
    slots_free(supervisor);
    room_free(supervisor->lobby);
    names_free(supervisor->names);
    event_base_free(supervisor->base);
    free(stage);
}

/* The slot's worker gets its client. */
static void give_client(struct slot *slot, int client_fd)
{
    int theirs;

    ck_assert_int_ge(client_fd, 0);
    ck_assert(handover_pair(&slot->handover_fd, &theirs));
    slot_give(slot, client_fd);
    close(theirs);
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
    give_client(slot, client_fd);
    return slot;
}

/* Nobody speaks to this client. */
struct slot *stage_take(struct stage *stage)
{
    int client_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct slot *slot = stage_take_client(stage, client_fd);

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
