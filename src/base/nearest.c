/* SPDX-License-Identifier: ISC */
/*
 * nearest.c - finds the word that somebody probably meant.
 *
 * Model: the distance of two words is the number of characters to insert, delete, replace or swap
 * with their neighbour (optimal string alignment). The case does not count, and `_` is the same as
 * `-`. A word that begins with what was given is at distance 1. A word is like another up to a
 * distance of a quarter of its length, at least 1.
 */
#include "config.h"

#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 32

static char fold(char byte)
{
    return (char)(byte == '_' ? '-' : tolower((unsigned char)byte));
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Both have at most LENGTH_MAX bytes. `rows[i % 3]` has the distances of the first i bytes of `one`
 * from each beginning of `other`. */
static unsigned distance(const char *one, size_t length, const char *other)
{
    unsigned rows[3][LENGTH_MAX + 1];
    size_t width = strlen(other);

    for (size_t i = 0; i <= length; i++) {
        unsigned *row = rows[i % 3], *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width && i == 0; j++)
            row[j] = (unsigned)j;
        for (size_t j = 1; j <= width && i > 0; j++) {
            bool is_same = fold(one[i - 1]) == fold(other[j - 1]);
            row[j] = least(before[j - 1] + (is_same ? 0 : 1), least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(one[i - 1]) == fold(other[j - 2]) &&
                fold(one[i - 2]) == fold(other[j - 1]))
                row[j] = least(row[j], two_before[j - 2] + 1);
        }
    }
    return rows[length % 3][width];
}

static bool begins_with(const char *word, const char *start, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (fold(word[i]) != fold(start[i]))
            return false;
    return true;
}

const char *nearest_word(const char *word, size_t length, const char *const *words, size_t count)
{
    unsigned best = length < 8 ? 1 : (unsigned)length / 4;
    const char *nearest = NULL;

    for (size_t i = 0; i < count && length >= 2 && length <= LENGTH_MAX; i++) {
        if (strlen(words[i]) > LENGTH_MAX)
            continue;
        unsigned far = distance(word, length, words[i]);
        if (strlen(words[i]) > length && begins_with(words[i], word, length))
            far = 1;
        if (far < best || (far == best && nearest == NULL)) {
            best = far;
            nearest = words[i];
        }
    }
    return nearest;
}
