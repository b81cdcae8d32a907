/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target of the text rules: what holds for any bytes.
 *
 *  - The verdict is the same at any address, and with plain text before it.
 *  - Both parts of good text are good if it is cut between characters, and text_cut() cuts it so.
 *  - If it is cut within a character, the first part is TEXT_NOT_UTF8.
 */
#include "config.h"

#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The verdict on LENGTH bytes behind SHIFT plain ones, in memory that ends where they end. */
static enum text_verdict check_shifted(const char *bytes, size_t length, size_t shift)
{
    char *copy = malloc(shift + length + 1);

    assert(copy != NULL);
    char *start = copy + 1;
    memset(start, 'x', shift);
    memcpy(start + shift, bytes, length);
    enum text_verdict verdict = text_check(start, shift + length);
    free(copy);
    return verdict;
}

static void check_cuts(const char *bytes, size_t length)
{
    for (size_t limit = 0; limit <= length; limit++) {
        size_t cut = text_cut(bytes, length, limit);
        assert(cut <= limit && limit - cut <= 3);
        assert(text_check(bytes, cut) == TEXT_OK);
        assert(text_check(bytes + cut, length - cut) == TEXT_OK);
        assert(cut == limit || text_check(bytes, limit) == TEXT_NOT_UTF8);
    }
    assert(text_cut(bytes, length, length + 1) == length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 256)
        return 0;

    const char *bytes = (const char *)data;
    enum text_verdict verdict = text_check(bytes, size);
    for (size_t shift = 0; shift < 9; shift++)
        assert(check_shifted(bytes, size, shift) == verdict);
    if (verdict == TEXT_OK)
        check_cuts(bytes, size);
    return 0;
}
