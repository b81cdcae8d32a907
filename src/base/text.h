/* SPDX-License-Identifier: ISC */
/*
 * text.h - the rules for text that clients send each other, and functions for text given as bytes
 * and a length.
 *
 * Valid text is UTF-8 without control characters except tab: it can neither control a terminal nor
 * start a new line. Look-alikes and bidirectional overrides are valid. Workers and supervisor both
 * check text, independently.
 *
 * All functions are pure: no globals, no allocation, no locale, and no access beyond the given
 * length.
 */
#ifndef CHATROOMD_BASE_TEXT_H
#define CHATROOMD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_verdict {
    TEXT_OK,
    TEXT_CONTROL, /* C0 except tab, DEL, or C1 (U+0080 to U+009F) */
    TEXT_NOT_UTF8 /* overlong, a surrogate, above U+10FFFF, truncated, or not UTF-8 at all */
};

/* Checks `length` bytes against RFC 3629, section 4. If there are several errors, the one at the
 * lowest byte determines the result. A single byte 0x80 to 0x9F is TEXT_NOT_UTF8, because C1
 * characters have two bytes in UTF-8. If `length` is 0, the result is TEXT_OK for any `bytes`. */
enum text_verdict text_check(const char *bytes, size_t length);

/* Returns the largest length, at most `limit` and `length`, to which valid text can be cut without
 * splitting a character. A combining mark may be separated from its base. */
size_t text_cut(const char *bytes, size_t length, size_t limit);

/* Returns an ASCII capital as lower case, and any other byte unchanged, in every locale. */
char text_lower(char byte);

/* Returns whether two texts are equal except for the case of ASCII letters. */
bool text_same(const char *one, size_t one_length, const char *other, size_t other_length);

#endif
