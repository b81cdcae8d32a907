/* SPDX-License-Identifier: ISC */
/*
 * Allocation that cannot fail, for everything that is made at start or grows with what an
 * operator has asked for. Where memory has run out there is nothing a chat server can still do
 * well, so these print what was asked for and exit(1); no caller has an error path that is never
 * tested. Memory that grows with what a peer sends is bounded before it comes here. What they
 * return is freed with free().
 */
#ifndef CHATROOMD_BASE_ALLOC_H
#define CHATROOMD_BASE_ALLOC_H

#include <stddef.h>

/* COUNT elements of SIZE bytes each, all zero. Neither may be 0. */
void *alloc_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Let MEMORY (or NULL) have COUNT elements of SIZE bytes; neither may be 0. The old content stays
 * as far as it fits, the rest is not set. MEMORY is no longer valid.
 */
void *alloc_resize(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of TEXT. */
char *alloc_string(const char *text) __attribute__((malloc, returns_nonnull));

/* What printf would print, as a string of its own. */
char *alloc_print(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
