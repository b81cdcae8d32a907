/* SPDX-License-Identifier: ISC */
/*
 * kinds.h - the table of process kinds: all that differs between the children of one kind and those
 * of another, before a child's own code runs.
 *
 * To add a kind: a folder with its code, its filter table and its row; a line in base/kind.h; the
 * supervisor's handlers for it (supervisor/child/spawner.h); its options and its manual entry. The
 * forker, the jail and the region are not touched, since they ask the row.
 */
#ifndef CHATROOMD_PROCESS_KINDS_H
#define CHATROOMD_PROCESS_KINDS_H

#include "base/filter.h"
#include "base/kind.h"
#include "base/options.h"
#include "process/heritage.h"

#include <stdint.h>
#include <sys/resource.h>

/* What a child maps of the region, by heritage_attach(). */
#define MAP_VIEW   1u /* header to ring, read-only */
#define MAP_OUTBOX 2u /* the outbox of its number, read-write */
#define MAP_PART   4u /* the courier's part of its number, read-write */
/* The view, if there are no couriers. */
#define MAP_VIEW_TO_DELIVER 8u

/* Which descriptors a child receives beside its relay. */
#define PASS_HANDOVER 1u /* one end of a handover_pair(), as CHILD_HANDOVER_FD */

struct process_kind {
    const char *name; /* for titles and logs */

    /* How many children of this kind there are at most. They are numbered from 0, and each has a
     * place of its own (struct heritage). NULL: they take the places of the first kind. */
    unsigned (*count)(const struct options *options);

    unsigned maps;   /* MAP_... */
    unsigned passes; /* PASS_... */

    /* The system calls that it may make once it is in its jail. NULL: those of the first kind. */
    const struct filter_table *filter;

    /* Its limits in the jail: the highest number of a descriptor plus 1, bytes of private memory
     * (RLIMIT_DATA), and the bytes that a file may have that it writes. */
    rlim_t (*files)(const struct heritage *heritage);
    rlim_t (*data)(const struct heritage *heritage);
    rlim_t file_size;

    /* Runs in the new process. Returns its exit status, enum child_exit. */
    int (*run)(struct heritage *heritage);
};

/* Rows by kind_number. */
struct process_kinds {
    const struct process_kind *const *rows;
    unsigned count; /* at most KINDS_MAX */
};

#define KIND(symbol, row) extern const struct process_kind row;
KINDS(KIND)
#undef KIND

/* Fills `places` with the first place of each kind under these options. */
void kinds_lay_out(
    const struct process_kinds *kinds, const struct options *options, uint32_t places[KINDS_MAX]);

#endif
