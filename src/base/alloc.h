/* SPDX-License-Identifier: ISC */
/*
 * alloc.h - allocation that cannot fail.
 *
 * For memory that is allocated at start or grows with the configuration. If memory runs out, these
 * functions print an error and exit with status 1, so that callers need no error paths, which would
 * never be tested. Memory that grows with client input must be bounded by the caller. Results are
 * freed by free(3).
 */
#ifndef CHATROOMD_BASE_ALLOC_H
#define CHATROOMD_BASE_ALLOC_H

#include <stddef.h>

/* Returns `count` zeroed elements of `size` bytes each. Neither may be 0. */
void *alloc_zeroed(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Resizes `memory` (or NULL) to `count` elements of `size` bytes, as realloc(3) does. Neither may
 * be 0. New elements are not initialized.
 */
void *alloc_resize(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));

/* Returns a copy of `text`. */
char *alloc_string(const char *text) __attribute__((malloc, returns_nonnull));

/* Formats like printf(3) into a new string. */
char *alloc_print(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
