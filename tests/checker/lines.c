/* SPDX-License-Identifier: ISC */
/*
 * lines.c - what one client has received, as lines; see lines.h.
 *
 * A name contains no blank, so the first blank or "] " after it ends it, whatever else the name
 * contains.
 */
#include "config.h"

#include "tests/checker/lines.h"

#include <stdlib.h>
#include <string.h>

#define WELCOME "* Welcome to chatroomd; you are "
#define NOTICE  "* The server is shutting down"

bool span_same(struct span one, struct span other)
{
    return one.length == other.length &&
           (one.length == 0 || memcmp(one.text, other.text, one.length) == 0);
}

bool span_is(struct span span, const char *text)
{
    return span_same(span, (struct span){text, strlen(text)});
}

static bool starts(struct span span, const char *start)
{
    return span.length >= strlen(start) && memcmp(span.text, start, strlen(start)) == 0;
}

static struct span after(struct span span, size_t length)
{
    return (struct span){span.text + length, span.length - length};
}

static void classify_message(struct line *line)
{
    const char *end = memmem(line->whole.text, line->whole.length, "] ", 2);

    if (end == NULL)
        return;
    line->kind = LINE_KIND_MESSAGE;
    line->name = (struct span){line->whole.text + 1, (size_t)(end - line->whole.text) - 1};
    line->rest = after(line->whole, line->name.length + 3);
}

/* "* name VERB rest" */
static void classify_event(struct line *line)
{
    struct span rest = after(line->whole, 2);
    const char *blank = memchr(rest.text, ' ', rest.length);

    line->kind = LINE_KIND_REPLY;
    if (blank == NULL)
        return;
    line->name = (struct span){rest.text, (size_t)(blank - rest.text)};
    rest = after(rest, line->name.length);
    if (span_is(rest, " joined")) {
        line->kind = LINE_KIND_JOINED;
    } else if (span_is(rest, " left") || starts(rest, " left (")) {
        line->kind = LINE_KIND_LEFT;
        line->rest = after(rest, strlen(" left"));
    } else if (starts(rest, " is now ")) {
        line->kind = LINE_KIND_RENAMED;
        line->rest = after(rest, strlen(" is now "));
    }
}

static void classify_welcome(struct line *line)
{
    struct span rest = after(line->whole, strlen(WELCOME));
    const char *end = memchr(rest.text, ';', rest.length);

    line->kind = LINE_KIND_WELCOME;
    if (end != NULL)
        line->name = (struct span){rest.text, (size_t)(end - rest.text)};
}

static void classify(struct line *line)
{
    line->kind = LINE_KIND_UNKNOWN;
    if (starts(line->whole, "["))
        classify_message(line);
    else if (starts(line->whole, WELCOME))
        classify_welcome(line);
    else if (starts(line->whole, NOTICE))
        line->kind = LINE_KIND_NOTICE;
    else if (starts(line->whole, "* "))
        classify_event(line);
    else if (starts(line->whole, "! "))
        *line = (struct line){LINE_KIND_ERROR, line->whole, {"", 0}, after(line->whole, 2)};
}

void lines_make(struct lines *lines, const char *bytes, size_t length)
{
    size_t count = 0;
    const char *end;

    for (size_t at = 0; at < length; at++)
        count += bytes[at] == '\n';
    *lines = (struct lines){.line = calloc(count + 1, sizeof(struct line))};
    if (lines->line == NULL)
        abort();
    while (length > 0 && (end = memchr(bytes, '\n', length)) != NULL) {
        struct line *line = &lines->line[lines->count++];

        line->whole = (struct span){bytes, (size_t)(end - bytes)};
        line->name = line->rest = (struct span){"", 0};
        classify(line);
        length -= line->whole.length + 1;
        bytes = end + 1;
    }
    lines->cut = length;
}

void lines_free(struct lines *lines)
{
    free(lines->line);
    *lines = (struct lines){.line = NULL};
}
