/* SPDX-License-Identifier: ISC */
/*
 * text.c - checks and compares text. Written so that it can be proven (tests/proof).
 *
 * `text_check` goes through the bytes from the lowest one. Each step skips one valid character, or
 * eight bytes if the next eight are all printable ASCII (space to tilde), as in most text. So the
 * position only increases and never exceeds the length, and the first step that fails finds the
 * first invalid byte.
 *
 * The valid byte sequences are the table in RFC 3629, section 4 (table 3-7 of the Unicode
 * standard). Overlong forms, surrogates and code points above U+10FFFF differ from valid characters
 * in their first two bytes, so ranges for these two bytes suffice and no code point is computed.
 */
#include "config.h"

#include "base/text.h"

#include <stdint.h>

/* A word with `value` in each of its eight bytes. */
#define EACH(value) (UINT64_C(0x0101010101010101) * (value))

enum {
    WORD_BYTES = 8,
    PLAIN_FIRST = 0x20,
    PLAIN_LAST = 0x7E,
    CONTINUATION_FIRST = 0x80,
    C1_LEAD = 0xC2, /* U+0080 to U+009F are C2 80 to C2 9F */
    C1_SECOND_LAST = 0x9F
};

/* Characters of two or more bytes whose first byte is lead_first to lead_last: the range of the
 * second byte, and the length. Further bytes can be any continuation byte. */
struct sequence {
    unsigned char lead_first, lead_last;
    unsigned char second_first, second_last;
    unsigned char length;
};

static const struct sequence sequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, /* from U+0080: C0 and C1 would be overlong */
    {0xE0, 0xE0, 0xA0, 0xBF, 3}, /* from U+0800 */
    {0xE1, 0xEC, 0x80, 0xBF, 3}, /* from U+1000 */
    {0xED, 0xED, 0x80, 0x9F, 3}, /* to U+D7FF: surrogates follow */
    {0xEE, 0xEF, 0x80, 0xBF, 3}, /* from U+E000 */
    {0xF0, 0xF0, 0x90, 0xBF, 4}, /* from U+10000 */
    {0xF1, 0xF3, 0x80, 0xBF, 4}, /* from U+40000 */
    {0xF4, 0xF4, 0x80, 0x8F, 4}, /* to U+10FFFF */
};

enum { SEQUENCE_COUNT = sizeof sequences / sizeof sequences[0] };

static unsigned char byte_at(const char *bytes, size_t position)
{
    return (unsigned char)bytes[position];
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == CONTINUATION_FIRST;
}

/* The order of the bytes does not matter. Compilers make this a single load at any address. */
static uint64_t load_word(const char *bytes)
{
    return (uint64_t)byte_at(bytes, 0) | (uint64_t)byte_at(bytes, 1) << 8 |
           (uint64_t)byte_at(bytes, 2) << 16 | (uint64_t)byte_at(bytes, 3) << 24 |
           (uint64_t)byte_at(bytes, 4) << 32 | (uint64_t)byte_at(bytes, 5) << 40 |
           (uint64_t)byte_at(bytes, 6) << 48 | (uint64_t)byte_at(bytes, 7) << 56;
}

/* Returns whether all eight bytes are PLAIN_FIRST to PLAIN_LAST. If no byte has its top bit set,
 * neither the sum nor the difference carries from one byte to the next: only 0x7F + 1 sets the top
 * bit, and 0x80 + byte - PLAIN_FIRST clears it exactly if byte < PLAIN_FIRST. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t top = EACH(0x80);

    if ((word & top) != 0)
        return false;
    return ((word + EACH(0x7F - PLAIN_LAST)) & top) == 0 &&
           (((word | top) - EACH(PLAIN_FIRST)) & top) == top;
}

static enum text_verdict check_ascii(unsigned char byte)
{
    return (byte >= PLAIN_FIRST && byte <= PLAIN_LAST) || byte == '\t' ? TEXT_OK : TEXT_CONTROL;
}

/* Returns the row for characters that begin with `lead`, or NULL. */
static const struct sequence *find_sequence(unsigned char lead)
{
    for (size_t row = 0; row < SEQUENCE_COUNT; row++) {
        if (lead >= sequences[row].lead_first && lead <= sequences[row].lead_last)
            return &sequences[row];
    }
    return NULL;
}

/* Returns the length of the valid character of two or more bytes at `bytes`, or 0 if there is none
 * within `available` bytes (at least 1). */
static size_t sequence_length(const char *bytes, size_t available)
{
    const struct sequence *sequence = find_sequence(byte_at(bytes, 0));

    if (sequence == NULL || available < sequence->length)
        return 0;

    unsigned char second = byte_at(bytes, 1);
    if (second < sequence->second_first || second > sequence->second_last)
        return 0;
    for (size_t i = 2; i < sequence->length; i++) {
        if (!is_continuation(byte_at(bytes, i)))
            return 0;
    }
    return sequence->length;
}

/* Checks the character at `bytes`, of which `available` (at least 1) can be read. Stores its length
 * in `*length` if the result is TEXT_OK. */
static enum text_verdict check_character(const char *bytes, size_t available, size_t *length)
{
    unsigned char lead = byte_at(bytes, 0);

    *length = 1;
    if (lead < CONTINUATION_FIRST)
        return check_ascii(lead);
    *length = sequence_length(bytes, available);
    if (*length == 0)
        return TEXT_NOT_UTF8;
    return lead == C1_LEAD && byte_at(bytes, 1) <= C1_SECOND_LAST ? TEXT_CONTROL : TEXT_OK;
}

enum text_verdict text_check(const char *bytes, size_t length)
{
    size_t position = 0;

    while (position < length) {
        //@ split position;
        size_t left = length - position;
        size_t passed = WORD_BYTES;

        if (left < WORD_BYTES || !word_is_plain(load_word(bytes + position))) {
            enum text_verdict verdict = check_character(bytes + position, left, &passed);
            if (verdict != TEXT_OK)
                return verdict;
        }
        position += passed;
    }
    return TEXT_OK;
}

size_t text_cut(const char *bytes, size_t length, size_t limit)
{
    if (length <= limit)
        return length;
    while (limit > 0 && is_continuation(byte_at(bytes, limit)))
        limit--;
    return limit;
}

char text_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool text_same(const char *one, size_t one_length, const char *other, size_t other_length)
{
    if (one_length != other_length)
        return false;
    for (size_t i = 0; i < one_length; i++) {
        if (text_lower(one[i]) != text_lower(other[i]))
            return false;
    }
    return true;
}
