/* SPDX-License-Identifier: ISC */
/*
 * lines.h - what one client has received, as lines of a known kind. Pure: bytes in, lines out. The
 * lines point into the caller's bytes.
 */
#ifndef CHATROOMD_TESTS_CHECKER_LINES_H
#define CHATROOMD_TESTS_CHECKER_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Kinds for everyone in the room first, kinds for one client after LINE_KIND_PRIVATE. */
enum line_kind {
    LINE_KIND_MESSAGE, /* [name] rest */
    LINE_KIND_JOINED,  /* * name joined */
    LINE_KIND_LEFT,    /* * name left, rest: " (why)" or nothing */
    LINE_KIND_RENAMED, /* * name is now rest */
    LINE_KIND_NOTICE,  /* * The server is shutting down */
    LINE_KIND_PRIVATE,
    LINE_KIND_WELCOME, /* * Welcome to chatroomd; you are name; ... */
    LINE_KIND_ERROR,   /* ! rest */
    LINE_KIND_REPLY,   /* any other "* " line */
    LINE_KIND_UNKNOWN
};

struct span {
    const char *text;
    size_t length;
};

struct line {
    enum line_kind kind;
    struct span whole; /* without the LF */
    struct span name;
    struct span rest;
};

struct lines {
    struct line *line;
    size_t count;
    size_t cut; /* bytes after the last LF */
};

/* Splits and classifies. Free with lines_free. */
void lines_make(struct lines *lines, const char *bytes, size_t length);
void lines_free(struct lines *lines);

bool span_same(struct span one, struct span other);
bool span_is(struct span span, const char *text);

#endif
