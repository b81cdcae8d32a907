/* SPDX-License-Identifier: ISC */
/*
 * nearest.h - finds the word that somebody probably meant.
 */
#ifndef CHATROOMD_BASE_NEAREST_H
#define CHATROOMD_BASE_NEAREST_H

#include <stddef.h>

/* Returns the one of `count` words that is most like the `length` bytes at `word`, or NULL if none
 * is much like it. */
const char *nearest_word(const char *word, size_t length, const char *const *words, size_t count);

#endif
