/* SPDX-License-Identifier: ISC */
/*
 * Text rules: what text.h says, as code that is meant to be proven.
 *
 * text_check() walks the bytes from the lowest on, and each step passes one character that is
 * known to be good, or eight when the next eight bytes are plain ASCII (space to tilde), which is
 * what most text is made of. So the position only grows, never beyond the length, and the first
 * step that fails names the first fault.
 *
 * Which bytes may follow which is the table of RFC 3629 section 4 (table 3-7 of the Unicode
 * standard): overlong forms, surrogates and what lies above U+10FFFF differ from good characters
 * in their first two bytes alone, so ranges for these two are the whole rule, and no code point is
 * ever computed.
 */
#include "config.h"

#include "base/text.h"

#include <stdint.h>

/* A byte's value in each of a word's eight bytes. */
#define EACH(value) (UINT64_C(0x0101010101010101) * (value))

enum {
    WORD_BYTES = 8,
    PLAIN_FIRST = 0x20,
    PLAIN_LAST = 0x7E,
    CONTINUATION_FIRST = 0x80,
    C1_LEAD = 0xC2, /* U+0080 to U+009F are C2 80 to C2 9F */
    C1_SECOND_LAST = 0x9F
};

/* The characters of two bytes and more that begin with bytes lead_first to lead_last: what their
 * second byte may be, and their length. Later bytes are any continuation byte. */
struct sequence {
    unsigned char lead_first, lead_last;
    unsigned char second_first, second_last;
    unsigned char length;
};

static const struct sequence sequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, /* from U+0080: C0 and C1 would be overlong */
    {0xE0, 0xE0, 0xA0, 0xBF, 3}, /* from U+0800 */
    {0xE1, 0xEC, 0x80, 0xBF, 3}, /* from U+1000 */
    {0xED, 0xED, 0x80, 0x9F, 3}, /* to U+D7FF: then come the surrogates */
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

/* The order of the bytes in the word does not matter here. Compilers make one load of it, and it is
 * right at any address. */
static uint64_t load_word(const char *bytes)
{
    return (uint64_t)byte_at(bytes, 0) | (uint64_t)byte_at(bytes, 1) << 8 |
           (uint64_t)byte_at(bytes, 2) << 16 | (uint64_t)byte_at(bytes, 3) << 24 |
           (uint64_t)byte_at(bytes, 4) << 32 | (uint64_t)byte_at(bytes, 5) << 40 |
           (uint64_t)byte_at(bytes, 6) << 48 | (uint64_t)byte_at(bytes, 7) << 56;
}

/* Whether all eight bytes are PLAIN_FIRST to PLAIN_LAST. Once no byte has its top bit, neither
 * sum nor difference carries from one byte into the next: 0x7F + 1 sets the top bit and nothing
 * lower does, and 0x80 + byte - PLAIN_FIRST loses it just when byte < PLAIN_FIRST. */
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

/* The row for a character that begins with LEAD; NULL when none does. */
static const struct sequence *find_sequence(unsigned char lead)
{
    for (size_t row = 0; row < SEQUENCE_COUNT; row++) {
        if (lead >= sequences[row].lead_first && lead <= sequences[row].lead_last)
            return &sequences[row];
    }
    return NULL;
}

/* The length of the well-formed character of two bytes and more that BYTES begin with, at most
 * AVAILABLE (at least 1); 0 when there is none. */
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

/* Judges the character that BYTES begin with; AVAILABLE is at least 1. Stores its length in *LENGTH
 * when it is TEXT_OK. */
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
