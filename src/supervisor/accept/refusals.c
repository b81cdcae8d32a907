/* SPDX-License-Identifier: ISC */
/*
 * refusals.c - see refusals.h.
 *
 * Model: a run begins with a refusal. It ends when somebody has got in since the last one and that
 * is REFUSALS_QUIET_MS ago: a server that is full, and has a place now and then, is in one run; and
 * runs, with their lines, are never closer than that time.
 */
#include "config.h"

#include "supervisor/accept/refusals.h"

#include <string.h>

bool refusals_note(struct refusals *refusals, enum refusal why, uint64_t now)
{
    bool first = !refusals->told[why];

    refusals->told[why] = true;
    refusals->running = true;
    refusals->let_in = false;
    refusals->last_at = now;
    refusals->count += why != REFUSAL_ACCEPT;
    return first;
}

void refusals_let_in(struct refusals *refusals)
{
    refusals->let_in = true;
}

bool refusals_pass(const struct refusals *refusals)
{
    return refusals->running && refusals->let_in;
}

bool refusals_over(struct refusals *refusals, uint64_t now, uint64_t *count)
{
    if (!refusals_pass(refusals) || now - refusals->last_at < REFUSALS_QUIET_MS)
        return false;
    *count = refusals->count;
    memset(refusals, 0, sizeof *refusals);
    return true;
}
