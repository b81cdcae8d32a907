/* SPDX-License-Identifier: ISC */
/*
 * The text of a benchmark message, and the check of one that has arrived.
 *
 *     0         1         2         3
 *     0123456789012345678901234567890123456789
 *     03 00000017 000000012345678901 abcdefghi...    as long as asked for
 *     |  |        |                  fill: the same in every message
 *     |  |        CLOCK_MONOTONIC in nanoseconds when it was written; zeros where nobody asks
 *     |  number, from 1, of this writer's messages
 *     writer
 *
 * All is printable ASCII, with neither '!' nor a line end in it, so that every protocol can carry
 * it. A receiver keeps the next number of each writer as the digits that must come, so that the
 * check is one comparison of eight bytes, with no conversion; it is inline because it runs tens of
 * millions of times a second, on the core the measured server could have used.
 */
#ifndef CHATROOMD_BENCH_MESSAGE_H
#define CHATROOMD_BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    MESSAGE_NUMBER = 3, /* offsets in the text, and lengths */
    MESSAGE_NUMBER_LENGTH = 8,
    MESSAGE_TIME = 12,
    MESSAGE_TIME_LENGTH = 18,
    MESSAGE_FILL = 31,

    MESSAGE_SIZE_MIN = 32,
    MESSAGE_SIZE_MAX = 4096,
    MESSAGE_WRITERS_MAX = 100,
};

struct message_number {
    char digits[MESSAGE_NUMBER_LENGTH];
};

/* The number of a writer's first message. */
extern const struct message_number message_first;

/* Write the first message of WRITER into TEXT, SIZE bytes without a terminating zero. */
void message_write(char *text, size_t size, unsigned writer);

/* Stamp TEXT with the time NOW (ns). */
void message_stamp(char *text, uint64_t now);

/* The time TEXT was stamped with (ns). */
uint64_t message_time(const char *text);

/* The number after this one, in place. 99,999,999 have room; a run that writes more is a bug. */
static inline void message_advance(char *digits)
{
    char *digit = digits + MESSAGE_NUMBER_LENGTH - 1;

    while (*digit == '9')
        *digit-- = '0';
    ++*digit;
}

/* Who wrote TEXT; not below MESSAGE_WRITERS_MAX where it is no message of ours. */
static inline unsigned message_writer(const char *text)
{
    unsigned tens = (unsigned)(unsigned char)text[0] - '0';
    unsigned ones = (unsigned)(unsigned char)text[1] - '0';

    return tens > 9 || ones > 9 ? MESSAGE_WRITERS_MAX : tens * 10 + ones;
}

/*
 * Is TEXT exactly the message that must come next from its writer, whose number is NEXT? PATTERN
 * is any message of the same SIZE: the fill must be the same.
 */
static inline bool message_check(
    const char *text, size_t size, struct message_number *next, const char *pattern)
{
    if (memcmp(text + MESSAGE_NUMBER, next->digits, MESSAGE_NUMBER_LENGTH) != 0 ||
        memcmp(text + MESSAGE_FILL, pattern + MESSAGE_FILL, size - MESSAGE_FILL) != 0)
        return false;
    message_advance(next->digits);
    return true;
}

#endif
