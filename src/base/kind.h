/* SPDX-License-Identifier: ISC */
/*
 * kind.h - the kinds of child processes, one line each.
 *
 * The row of a kind (process/kinds.h) is defined in its folder; main() builds the table of rows
 * from this list.
 */
#ifndef CHATROOMD_BASE_KIND_H
#define CHATROOMD_BASE_KIND_H

/* Symbol, and the name of its row. */
#define KINDS(KIND)                                                                                \
    KIND(WORKER, worker_kind)                                                                      \
    KIND(COURIER, courier_kind)                                                                    \
    KIND(SELFTEST, selftest_kind)

enum kind_number {
#define KIND(symbol, row) KIND_##symbol,
    KINDS(KIND)
#undef KIND
        KIND_COUNT
};

/* Maximum number of rows in a table; tests add kinds of their own. */
#define KINDS_MAX 16

_Static_assert(KIND_COUNT <= KINDS_MAX, "tables by kind have a place for each kind");

#endif
