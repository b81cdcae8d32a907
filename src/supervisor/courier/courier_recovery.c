/* SPDX-License-Identifier: ISC */
/*
 * courier_recovery.c - from a courier that is gone to the one that continues in its place.
 *
 * Model:
 * 1. When the courier has exited and can write no more, the positions of its clients are determined
 *    (resume.c). They are where the next courier begins, which has the same number and a part of the
 *    region that is zeroed for it.
 * 2. A client whose position cannot be determined is disconnected, with a reason.
 *
 * Overflow: the clients are visited once for each death. The next courier is started at once only if
 * this one had done anything, otherwise after COURIER_RETRY_MS.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "supervisor/clock.h"
#include "supervisor/courier/resume.h"

#include <sys/socket.h>

/* Determines where the clients of the courier continue. Returns the lowest record that one of them
 * needs, or `notified_to`. */
static uint64_t resume_all(struct courier *courier, uint64_t oldest_needed, uint64_t notified_to)
{
    uint64_t lowest = notified_to;
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&courier->served); slot != NULL; slot = next) {
        bool is_known, goes_on = !slot->link.is_closing || slot->end_how == FRAME_CLOSE_DRAIN;

        next = TAILQ_NEXT(slot, link.served_link);
        is_known = resume_slot(slot, oldest_needed, notified_to);
        if (!is_known || !goes_on || courier->child.supervisor->abandons) {
            courier_detach(slot, slot->link.from,
                is_known && !goes_on ? DISCONNECT_NONE : DISCONNECT_COURIER_LOST, SHUT_RDWR);
            continue;
        }
        if (slot->link.from < lowest)
            lowest = slot->link.from;
        slot->cursor.position = slot->link.from;
        slot->link.attach_due = true;
        slot->link.membership_due = slot->joined != 0;
        slot->link.close_due = slot->link.is_closing;
        courier_hand_over(slot);
        courier_mark(slot);
    }
    return lowest;
}

void courier_recover(struct child *child)
{
    struct courier *courier = (struct courier *)child;
    struct supervisor *supervisor = child->supervisor;
    struct cursor *cursor = &courier->cursor;
    uint64_t notified_to = cursor->notified_to;
    bool did_nothing = courier_last_answer(child) == 0;
    uint64_t lowest = resume_all(courier, cursor_next(cursor), notified_to);

    courier_close_handover(courier);
    child_forget(child);
    region_clear_courier(&supervisor->region, courier->number);
    atomic_store(&courier->part.state->oldest_needed, lowest);
    cursor->out_of_range = false;
    cursor->position = cursor->notified_to = lowest;
    cursor->jump_end = cursor->jump_from = 0;
    if (lowest < notified_to)
        cursor->unnotified_from = lowest;
    courier->is_dirty = true; /* couriers_notify() starts the next one */
    courier->retry_at = did_nothing ? clock_ms(supervisor) + COURIER_RETRY_MS : 0;
}
