/* SPDX-License-Identifier: ISC */
/*
 * courier_recovery.c - from the end of a courier's relay to the one that goes on in its place.
 *
 * Model:
 * 1. EOF on the relay, then the process is killed, should it still be there, and reaped.
 * 2. Only then, when it can write no more, its clients' stands are found out (resume.c) and
 *    recorded as the beginning for the next courier, which has the same number and a part of the
 *    region zeroed for it.
 * 3. Whose stand cannot be known is ended, with a reason.
 *
 * Overflow: its clients are gone through once for each death; the next one is made at once only
 * where this one had done anything, else after COURIER_RETRY_MS.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/courier/resume.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Where the clients of a dead courier stand. Returns the lowest record that one of them needs, or
 * `notified_to`. */
static uint64_t resume_all(struct courier *courier, uint64_t oldest_needed, uint64_t notified_to)
{
    uint64_t lowest = notified_to;
    struct slot *slot, *next;

    for (slot = TAILQ_FIRST(&courier->served); slot != NULL; slot = next) {
        bool is_known, goes_on = !slot->courier_is_ending || slot->end_how == FRAME_CLOSE_DRAIN;

        next = TAILQ_NEXT(slot, served_link);
        is_known = resume_slot(slot, oldest_needed, notified_to);
        if (!is_known || !goes_on || courier->supervisor->abandons) {
            courier_detach(slot, slot->served_from,
                is_known && !goes_on ? DISCONNECT_NONE : DISCONNECT_COURIER_LOST, SHUT_RDWR);
            continue;
        }
        if (slot->served_from < lowest)
            lowest = slot->served_from;
        slot->cursor.position = slot->served_from;
        slot->serve_due = true;
        slot->courier_member_due = slot->joined != 0;
        slot->courier_end_due = slot->courier_is_ending;
        courier_hand_over(slot);
        courier_mark(slot);
    }
    return lowest;
}

void courier_recover(struct courier *courier)
{
    struct cursor *cursor = &courier->cursor;
    uint64_t notified_to = cursor->notified_to;
    bool did_nothing = courier_last_answer(courier) == 0;
    uint64_t lowest = resume_all(courier, cursor_next(cursor), notified_to);

    courier_close_sockets(courier);
    region_clear_courier(&courier->supervisor->region, courier->number);
    atomic_store(&courier->part.state->oldest_needed, lowest);
    cursor->out_of_range = false;
    cursor->position = cursor->notified_to = lowest;
    cursor->jump_end = cursor->jump_from = 0;
    if (lowest < notified_to)
        cursor->unnotified_from = lowest;
    courier->state = COURIER_DOWN;
    courier->retry_at = did_nothing ? clock_ms(courier->supervisor) + COURIER_RETRY_MS : 0;
    if (courier->retry_at == 0 && !courier->supervisor->abandons)
        courier_start(courier);
}

void courier_reap(struct courier *courier)
{
    int status = 0;

    if (courier->is_asked_for ||
        (courier->pid != 0 && waitpid(courier->pid, &status, WNOHANG) == 0))
        return;
    if (courier->pid != 0)
        log_event(LOG_LEVEL_ERROR, "courier-crash", "courier=%u pid=%ld %s=%d clients=%u",
            courier->number, (long)courier->pid, WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), courier->clients);
    courier->pid = 0;
    courier_recover(courier);
}
