/* SPDX-License-Identifier: ISC */
/*
 * spare.c - creates workers, and keeps some of them ready.
 *
 * Model: a worker is created for a slot, not for a client: it maps the slot's outbox, opens its
 * relay, enters its jail, and then waits for a client. spare-workers of them wait, as long as there
 * are free slots. A new client gets the oldest one or, if there is none, one that is created for it.
 * So there is one way to create a worker and one way to assign it a client.
 *
 * Creating a worker takes longer than admitting its client, and would compete with that for the
 * processors. So spare workers are replaced only after HOLD_OFF_MS without a new connection, or if
 * less than half of them are left.
 *
 * A spare worker takes no slot from a client, since the next client gets it. One that dies unused is
 * replaced after RETRY_MS, so that a fault which kills them all does not become a loop of forks. A
 * client never gets a dead one: EOF on its relay or a failed send reveals it.
 */
#include "config.h"

#include "supervisor/client/spare.h"

#include "supervisor/client/slot.h"
#include "supervisor/clock.h"

#include <errno.h>

#define RETRY_MS    1000u
#define HOLD_OFF_MS 5u

const char *spare_make(struct slot *slot)
{
    return child_ask(&slot->child, slot->generation, -1);
}

struct slot *spare_take(struct supervisor *supervisor)
{
    struct slot *slot = TAILQ_FIRST(&supervisor->spares);

    supervisor->spares_wanted_at = clock_ms(supervisor) + HOLD_OFF_MS;
    if (slot != NULL)
        slot_set_spare(slot, false);
    return slot;
}

void spare_failed(struct supervisor *supervisor)
{
    supervisor->spare_retry_at = clock_ms(supervisor) + RETRY_MS;
}

/* Returns the milliseconds until used spare workers are replaced. */
static unsigned hold_off_of(struct supervisor *supervisor)
{
    uint64_t now = clock_ms(supervisor);

    if (supervisor->spare_count < (supervisor->options->spare_workers + 1) / 2 ||
        supervisor->spares_wanted_at <= now)
        return 0;
    return (unsigned)(supervisor->spares_wanted_at - now);
}

bool spares_turn(struct supervisor *supervisor, unsigned *due_in)
{
    struct slot *slot;

    *due_in = 0;
    if (supervisor->spare_died)
        spare_failed(supervisor);
    supervisor->spare_died = false;
    if (supervisor->stopping || supervisor->spare_count >= supervisor->options->spare_workers)
        return false;
    if (supervisor->spare_retry_at > clock_ms(supervisor))
        return true;
    supervisor->spare_retry_at = 0;
    *due_in = hold_off_of(supervisor);
    if (*due_in > 0)
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
