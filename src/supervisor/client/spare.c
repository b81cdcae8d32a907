/* SPDX-License-Identifier: ISC */
/*
 * spare.c - making client workers, and keeping some ahead.
 *
 * Model: a worker is made for a slot, not for a client: it maps the slot's outbox, opens its relay
 * and enters its jail, and then waits for a client to come by the relay. spare-workers of them
 * wait, as long as there are free slots; a newcomer gets the one that was made first, or, where
 * there is none, one that is made for it. So there is one way to make a worker and one way to give
 * it a client.
 *
 * To make a worker takes longer than to let its client in, and would take the processors from it.
 * So those that are taken are replaced when nobody has come for REST_MS, or when less than half are
 * left.
 *
 * A spare takes a slot from nobody: it is the next newcomer's. One that dies unused is replaced
 * after RETRY_MS, so that what kills them all does not become a loop of forks. A newcomer who comes
 * meanwhile is given none of the dead: that its relay has ended, or that it cannot be given
 * anything, tells.
 */
#include "config.h"

#include "supervisor/client/spare.h"

#include "supervisor/client/slot.h"
#include "supervisor/clock.h"
#include "supervisor/order/order.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MS 1000u
#define REST_MS  5u

static bool relay_frame(void *context, const struct frame *frame)
{
    order_frame(context, frame);
    return true;
}

static void relay_writable(void *context)
{
    slot_mark(context);
}

static void relay_ended(void *context)
{
    slot_relay_ended(context);
}

static const struct relay_handler worker_handler = {
    .frame = relay_frame,
    .writable = relay_writable,
    .ended = relay_ended,
};

const char *spare_make(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    struct forker_request request = {
        .kind = KIND_WORKER, .slot = slot->number, .generation = slot->generation};
    int relay[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, relay) != 0)
        return "socketpair";
    slot->relay = relay_open(supervisor->base, relay[0], &worker_handler, slot);
    if (slot->relay == NULL) {
        close(relay[1]);
        return "relay";
    }
    slot->is_making = spawner_ask(&supervisor->spawner, &request, relay[1], -1);
    int failure = errno;
    close(relay[1]);
    errno = failure;
    return slot->is_making ? NULL : "forker";
}

void spare_remove(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;

    if (!slot->is_spare)
        return;
    slot->is_spare = false;
    TAILQ_REMOVE(&supervisor->spares, slot, spare_link);
    supervisor->spare_count--;
}

struct slot *spare_take(struct supervisor *supervisor)
{
    struct slot *slot = TAILQ_FIRST(&supervisor->spares);

    supervisor->spares_wanted_at = clock_ms(supervisor) + REST_MS;
    if (slot != NULL)
        spare_remove(slot);
    return slot;
}

void spare_failed(struct supervisor *supervisor)
{
    supervisor->spare_retry_at = clock_ms(supervisor) + RETRY_MS;
}

/* Milliseconds until those that were taken are replaced. */
static unsigned rest_of(struct supervisor *supervisor)
{
    uint64_t now = clock_ms(supervisor);

    if (supervisor->spare_count < (supervisor->options->spare_workers + 1) / 2 ||
        supervisor->spares_wanted_at <= now)
        return 0;
    return (unsigned)(supervisor->spares_wanted_at - now);
}

bool spares_turn(struct supervisor *supervisor, unsigned *rest_due)
{
    struct slot *slot;

    *rest_due = 0;
    if (supervisor->stopping || supervisor->spare_count >= supervisor->options->spare_workers)
        return false;
    if (supervisor->spare_retry_at > clock_ms(supervisor))
        return true;
    supervisor->spare_retry_at = 0;
    *rest_due = rest_of(supervisor);
    if (*rest_due > 0)
        return false;
    while (supervisor->spare_count < supervisor->options->spare_workers &&
           spawner_is_ready(&supervisor->spawner) && (slot = slot_take(supervisor)) != NULL) {
        slot->is_spare = true;
        TAILQ_INSERT_TAIL(&supervisor->spares, slot, spare_link);
        supervisor->spare_count++;
        if (spare_make(slot) != NULL) {
            slot_give_up(slot, DISCONNECT_UNUSED);
            spare_failed(supervisor);
            return true;
        }
    }
    return false;
}
