/* SPDX-License-Identifier: ISC */
/*
 * couriers.c - all couriers: the supervisor's side of the processes that deliver to many clients
 * each.
 *
 * Model:
 * 1. A courier is one reader of the ring (reader.c), whatever the number of its clients; nothing is
 *    done here for each client and message. What it is told is in courier_tell.c, its relation to
 *    one client in courier_client.c, its process in courier_process.c, whether that does what it
 *    should in courier_duty.c, what follows from its death in courier_death.c, and here what is
 *    done with all of them in their turn.
 * 2. The first courier is made at the start, each other when it is needed.
 *
 * Overflow: the table has options->couriers entries.
 */
#include "config.h"

#include "supervisor/courier/couriers.h"

#include "base/alloc.h"
#include "relay/relay.h"
#include "supervisor/clock.h"
#include "supervisor/courier/courier_state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

void couriers_notify(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++)
        if (supervisor->couriers[i].is_dirty)
            courier_notify(&supervisor->couriers[i]);
}

void couriers_add_turn(struct supervisor *supervisor)
{
    const struct turn *turn = &supervisor->turn;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (courier->members > 0 && cursor_extend(&courier->cursor, turn->first, turn->last))
            courier->is_dirty = true;
    }
}

bool couriers_turn(struct supervisor *supervisor)
{
    bool clock_needed = false;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (courier->state == COURIER_DYING)
            courier_reap(courier);
        if (courier->state == COURIER_DOWN && courier->retry_at != 0 &&
            courier->retry_at <= clock_ms(supervisor))
            courier_start(courier);
        clock_needed =
            clock_needed || courier->retry_at != 0 || !TAILQ_EMPTY(&courier->handovers) ||
            (courier->state == COURIER_RUNS &&
                (courier_has_work(courier) || courier_last_answer(courier) != courier->asked));
    }
    return clock_needed;
}

void couriers_tick(struct supervisor *supervisor, uint64_t elapsed)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++)
        courier_judge(&supervisor->couriers[i], elapsed);
}

/* The courier published a position, its own or a client's, that it cannot have. */
static void position_fault(void *owner)
{
    courier_fault(owner, "position outside of what was delivered");
}

bool couriers_open(struct supervisor *supervisor)
{
    unsigned count = supervisor->options->couriers;

    if (count == 0)
        return true;
    supervisor->couriers = alloc_zeroed(count, sizeof *supervisor->couriers);
    supervisor->courier_count = count;
    supervisor->spawner.handlers[KIND_COURIER] = &courier_spawner_handler;
    for (unsigned i = 0; i < count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        courier->supervisor = supervisor;
        courier->number = i;
        courier->handover_fd = -1;
        courier->part = region_courier(&supervisor->region, i);
        courier->cursor = (struct cursor){
            .oldest_needed = &courier->part.state->oldest_needed,
            .wanted = &supervisor->region.slots[supervisor->slot_count + i].wanted,
            .fault = position_fault,
            .owner = courier,
        };
        space_add_cursor(&supervisor->space, &courier->cursor);
        TAILQ_INIT(&courier->served);
        TAILQ_INIT(&courier->news);
        TAILQ_INIT(&courier->handovers);
    }
    courier_start(&supervisor->couriers[0]);
    return supervisor->couriers[0].state == COURIER_MAKING;
}

void couriers_abandon(struct supervisor *supervisor)
{
    supervisor->abandons = true;
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        if (courier->pid != 0)
            kill(courier->pid, SIGKILL);
        else if (courier->relay != NULL)
            relay_finish(courier->relay);
        else
            courier_recover(courier);
    }
}

void couriers_close(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];

        space_remove_cursor(&supervisor->space, &courier->cursor);
        courier_close_sockets(courier);
        if (courier->pid == 0)
            continue;
        kill(courier->pid, SIGKILL); /* its clients are gone; it holds nothing else */
        while (waitpid(courier->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    free(supervisor->couriers);
    supervisor->couriers = NULL;
    supervisor->courier_count = 0;
}
