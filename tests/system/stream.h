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

/* Creates a pipe. The stream keeps its reading end; returns the writing end, which is
 * close-on-exec. */
int stream_open(struct stream *stream);

/* Stops watching, and frees the text. */
void stream_release(struct stream *stream);

/* Returns the first whole line from the offset `mark` on that contains `word` and all words of
 * `more`, which a NULL ends; NULL if there is none. It is valid until the next call. */
const char *stream_find(struct stream *stream, size_t mark, const char *word, va_list more);

/* Reads the value of `key` in a log line (key=value), without quotes; returns false if it has
 * none. */
bool log_line_value(const char *line, const char *key, char *value, size_t size);

/* Returns the number of `key`; a line without it fails the test. */
unsigned long long log_line_number(const char *line, const char *key);

#endif
