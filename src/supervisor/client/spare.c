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

#include <errno.h>

#define RETRY_MS 1000u
#define REST_MS  5u

const char *spare_make(struct slot *slot)
{
    return child_ask(&slot->child, slot->generation, -1);
}

struct slot *spare_take(struct supervisor *supervisor)
{
    struct slot *slot = TAILQ_FIRST(&supervisor->spares);

    supervisor->spares_wanted_at = clock_ms(supervisor) + REST_MS;
    if (slot != NULL)
        slot_set_spare(slot, false);
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
    if (supervisor->spare_died)
        spare_failed(supervisor);
    supervisor->spare_died = false;
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
        slot_set_spare(slot, true);
        if (spare_make(slot) != NULL) {
            slot_give_up(slot, DISCONNECT_UNUSED);
            spare_failed(supervisor);
            return true;
        }
    }
    return false;
}
