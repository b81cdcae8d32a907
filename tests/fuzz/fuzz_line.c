/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target of the line protocol: the same bytes give the same events, however they are split
 * into pieces. The recorder asserts what must hold for each event alone.
 *
 * The first byte of the input chooses max_message, the second where the input is split.
 */
#include "config.h"

#include "tests/protocol/line/line_record.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t max_message_of(uint8_t choice)
{
    return choice < 0xFF ? 1 + choice % 64 : 4096;
}

/* Pieces of 1 to STEP bytes, each one byte longer than the last until they begin again. */
static struct line_record *record_in_steps(
    size_t max_message, const char *bytes, size_t length, size_t step)
{
    struct line_record *record = line_record_new(max_message);
    size_t piece = 1;

    for (size_t from = 0; from < length; from += piece, piece = piece % step + 1) {
        if (piece > length - from)
            piece = length - from;
        line_record_piece(record, bytes + from, piece);
    }
    line_record_end(record);
    return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;

    const char *bytes = (const char *)data + 2;
    size_t length = size - 2;
    size_t max_message = max_message_of(data[0]);
    struct line_record *whole = line_record_new(max_message);
    line_record_piece(whole, bytes, length);
    line_record_end(whole);

    const size_t steps[] = {1, 2, 2 + data[1]};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct line_record *pieces = record_in_steps(max_message, bytes, length, steps[i]);
        assert(strcmp(line_record_text(pieces), line_record_text(whole)) == 0);
        line_record_free(pieces);
    }
    line_record_free(whole);
    return 0;
}
