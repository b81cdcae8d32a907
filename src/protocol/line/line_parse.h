/* SPDX-License-Identifier: ISC */
/*
 * The line protocol, as spoken by nc and telnet: bytes in, events out.
 *
 * Pure: no I/O, no clock, no globals. A parser belongs to one connection and keeps of its bytes
 * only a line that is not finished yet. How the bytes are cut into calls makes no difference to the
 * events that come out.
 *
 * The rules of a line, in the order in which they are applied:
 *
 *  1. LF or CR LF ends it. Any other CR is a control character. (A CR at the very end of a
 *     half-closed connection is a line end that was cut off.)
 *  2. Its text is without the line end and, for a line that begins with two slashes, without the
 *     first of them; it has at most max_message bytes. A longer line is one LINE_ERROR, given as
 *     soon as it is known to be too long, and is dropped to its end, however far off that is.
 *  3. An empty line is passed over.
 *  4. Text that text_check() refuses is a LINE_ERROR, commands too.
 *  5. Two slashes say the rest with one; one slash is a command; anything else, be it only blanks,
 *     is a message.
 *
 * A LINE_ERROR costs its own line and nothing else.
 */
#ifndef CHATROOMD_PROTOCOL_LINE_LINE_PARSE_H
#define CHATROOMD_PROTOCOL_LINE_LINE_PARSE_H

#include <stddef.h>

/* A quit reason is cut to this many bytes, and an unknown command to that many where the error
 * shows it. */
#define LINE_REASON_MAX 200
#define LINE_SHOWN_MAX  32

enum line_event_kind {
    LINE_NONE,    /* all input is consumed and holds no further whole line */
    LINE_MESSAGE, /* text: the message, 1 to max_message bytes */
    LINE_NICK,    /* text: the name asked for, not empty; chat/names.h judges it */
    LINE_WHO,
    LINE_HELP,
    LINE_QUIT, /* text: the reason, 0 to LINE_REASON_MAX bytes */
    LINE_ERROR /* text: what was wrong, in words for the client, without the leading "! " */
};

/* TEXT is not NUL-terminated, and passes text_check() always. It is valid until the next call with
 * the same parser, and only as long as the bytes given to this one: a line that lies whole in them
 * is not copied. Never NULL. */
struct line_event {
    enum line_event_kind kind;
    const char *text;
    size_t length;
};

struct line_parser;

/* max_message: bytes of text, at least 1. Allocates about as much, once. */
struct line_parser *line_parser_new(size_t max_message);
void line_parser_free(struct line_parser *parser);

/* Consumes bytes until one line gives an event, or all of them (LINE_NONE), and returns how many it
 * consumed: call it again with the rest. With LENGTH of at least 1 it consumes at least 1. */
size_t line_parse(
    struct line_parser *parser, const char *bytes, size_t length, struct line_event *event);

/* The peer will send no more (half-close): a last line without its end is judged like any other.
 * LINE_NONE when there is none. The parser is then as new. */
void line_parse_end(struct line_parser *parser, struct line_event *event);

/* The n-th line of the help text, from 0, without the leading "* "; NULL from its end on. */
const char *line_help(size_t n);

#endif
