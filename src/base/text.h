/* SPDX-License-Identifier: ISC */
/*
 * The rules for text that clients send each other, and small helpers for text as bytes and a
 * length.
 *
 * Text is UTF-8 without control characters but tab: what passes text_check() can neither command a
 * reader's terminal nor begin a line of its own. Look-alikes and bidirectional overrides pass.
 * Worker and supervisor both ask it, each for itself.
 *
 * Everything here is pure: no globals, no allocation, no locale, and nothing is read beyond the
 * length given.
 */
#ifndef CHATROOMD_BASE_TEXT_H
#define CHATROOMD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_verdict {
    TEXT_OK,
    TEXT_CONTROL, /* C0 but tab, DEL, or C1 (U+0080 to U+009F) */
    TEXT_NOT_UTF8 /* overlong, a surrogate, above U+10FFFF, cut off, or no UTF-8 at all */
};

/* Judges LENGTH bytes (0 is TEXT_OK; BYTES may then be anything). Well-formed is what RFC 3629
 * section 4 says. Where there are several faults, the one that begins at the lowest byte decides. A
 * byte 0x80 to 0x9F that stands alone is TEXT_NOT_UTF8: C1 characters are two bytes in UTF-8. */
enum text_verdict text_check(const char *bytes, size_t length);

/* The length, at most LIMIT and LENGTH, to which text that passed text_check() can be cut without
 * cutting a character. Combining marks may lose or change their base: it is characters that are
 * kept whole, not what one sees. */
size_t text_cut(const char *bytes, size_t length, size_t limit);

/* The small letter of an ASCII capital; any other byte as it is, whatever the locale. */
char text_lower(char byte);

/* Whether two texts are the same but for the case of ASCII letters. */
bool text_same(const char *one, size_t one_length, const char *other, size_t other_length);

#endif
