/* SPDX-License-Identifier: ISC */
/*
 * stream.h - the output of a program under test: a pipe that every wait of the test reads into
 * memory, searched by lines.
 *
 * The pipe is watched (see bounded.h) from stream_open() until its end is read. All text is kept,
 * and is always NUL-terminated. If memory runs out, the test fails.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_STREAM_H
#define CHATROOMD_TESTS_SYSTEM_STREAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Only stream.c writes it. `descriptor` is -1 once the end was read. */
struct stream {
    int descriptor;
    char *text;
    size_t length;
    char *line;
};

/* Makes a pipe whose reading end the stream has; returns its writing end, close-on-exec. */
int stream_open(struct stream *stream);

/* Ends the watch, and frees the text. */
void stream_release(struct stream *stream);

/* The first whole line from the offset `mark` on that holds `word` and all the words of `more`,
 * which a NULL ends; NULL where there is none. It is the stream's until the next call. */
const char *stream_find(struct stream *stream, size_t mark, const char *word, va_list more);

/* The value of `key` in a log line (key=value, quotes taken off); false where it has none. */
bool log_line_value(const char *line, const char *key, char *value, size_t size);

/* The same for a number; a line without it fails the test. */
unsigned long long log_line_number(const char *line, const char *key);

#endif
