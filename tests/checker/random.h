/* SPDX-License-Identifier: ISC */
/*
 * random.h - seeded random numbers: the same seed gives the same run on every machine.
 */
#ifndef CHATROOMD_TESTS_CHECKER_RANDOM_H
#define CHATROOMD_TESTS_CHECKER_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood 2014). */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Returns a number below `limit`, which is not 0. */
static inline unsigned random_below(struct random *random, unsigned limit)
{
    return (unsigned)(random_next(random) % limit);
}

/* Returns true `percent` times in a hundred. */
static inline int random_percent(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

/* Fills a text of `length` bytes and a NUL with UTF-8 that a message may hold. */
static inline void random_text(struct random *random, char *text, size_t length)
{
    size_t at = 0;

    while (at + 3 <= length && random_percent(random, 20)) {
        text[at++] = '\xe2';
        text[at++] = '\x82';
        text[at++] = '\xac';
    }
    for (; at < length; at++)
        text[at] = (char)(' ' + random_below(random, 95));
    text[length] = '\0';
}

#endif
