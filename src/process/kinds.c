/* SPDX-License-Identifier: ISC */
/*
 * kinds.c - where the children of each kind have their places.
 */
#include "config.h"

#include "process/kinds.h"

#include <assert.h>

void kinds_lay_out(
    const struct process_kinds *kinds, const struct options *options, uint32_t places[KINDS_MAX])
{
    uint32_t next = 0;

    assert(kinds->count <= KINDS_MAX);
    for (unsigned kind = 0; kind < kinds->count; kind++) {
        bool has_places = kinds->rows[kind]->count != NULL;

        places[kind] = has_places ? next : 0;
        next += has_places ? kinds->rows[kind]->count(options) : 0;
    }
}
