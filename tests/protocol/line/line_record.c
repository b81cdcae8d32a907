/* SPDX-License-Identifier: ISC */
/*
 * line_record.c - records the events of a line parser as a string, by open_memstream(3).
 *
 * The text of LINE_ERROR is recorded too, so that a changed message is detected.
 */
#include "config.h"

#include "tests/protocol/line/line_record.h"

#include "base/alloc.h"
#include "base/text.h"
#include "protocol/line/line_parse.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line_record {
    size_t max_message;
    struct line_parser *parser;
    FILE *stream;
    char *text;
    size_t length;
};

struct line_record *line_record_new(size_t max_message)
{
    struct line_record *record = alloc_zeroed(1, sizeof *record);

    record->max_message = max_message;
    record->parser = line_parser_new(max_message);
    record->stream = open_memstream(&record->text, &record->length);
    assert(record->stream != NULL);
    return record;
}

void line_record_free(struct line_record *record)
{
    line_parser_free(record->parser);
    fclose(record->stream);
    free(record->text);
    free(record);
}

static bool is_allowed_length(const struct line_record *record, const struct line_event *event)
{
    switch (event->kind) {
    case LINE_MESSAGE:
    case LINE_NICK:
        return event->length >= 1 && event->length <= record->max_message;
    case LINE_QUIT:
        return event->length <= LINE_REASON_MAX && event->length <= record->max_message;
    case LINE_ERROR:
        return event->length >= 1;
    case LINE_NONE:
    case LINE_WHO:
    case LINE_HELP:
        return event->length == 0;
    }
    return false;
}

static void append(struct line_record *record, const struct line_event *event)
{
    static const char letters[] = {[LINE_MESSAGE] = 'M',
        [LINE_NICK] = 'N',
        [LINE_WHO] = 'W',
        [LINE_HELP] = 'H',
        [LINE_QUIT] = 'Q',
        [LINE_ERROR] = 'E'};

    assert(event->text != NULL);
    assert(is_allowed_length(record, event));
    assert(text_check(event->text, event->length) == TEXT_OK);
    if (event->kind == LINE_NONE)
        return;
    fprintf(record->stream, "%c ", letters[event->kind]);
    fwrite(event->text, 1, event->length, record->stream);
    fputc('\n', record->stream);
}

void line_record_piece(struct line_record *record, const char *bytes, size_t length)
{
    if (length == 0)
        return;

    char *piece = alloc_zeroed(length, 1);
    memcpy(piece, bytes, length);
    for (size_t consumed = 0; consumed < length;) {
        struct line_event event;
        size_t step = line_parse(record->parser, piece + consumed, length - consumed, &event);
        assert(step >= 1 && step <= length - consumed);
        consumed += step;
        assert(event.kind != LINE_NONE || consumed == length);
        append(record, &event);
    }
    free(piece);
}

void line_record_end(struct line_record *record)
{
    struct line_event event;

    line_parse_end(record->parser, &event);
    append(record, &event);
}

const char *line_record_text(const struct line_record *record)
{
    fflush(record->stream);
    return record->text;
}
