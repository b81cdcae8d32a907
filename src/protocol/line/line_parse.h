/* SPDX-License-Identifier: ISC */
/*
 * line_parse.h - parser of the line protocol, as used by nc and telnet: bytes to events.
 *
 * Pure: no I/O, no clock, no globals. Each connection has its own parser, which keeps only an
 * incomplete line. The events do not depend on how the bytes are divided into calls.
 *
 * The rules for a line, in the order in which they are applied:
 *  1. LF or CR LF ends a line. Any other CR is a control character, except at the end of the input
 *     of a half-closed connection, where it is taken for a truncated line end.
 *  2. The text of a line excludes the line end, and the first slash if the line begins with two. It
 *     has at most `max_message` bytes. A longer line gives one LINE_ERROR as soon as it is known to
 *     be too long, and is discarded up to its end.
 *  3. An empty line is ignored.
 *  4. Text that `text_check` refuses gives LINE_ERROR; this includes commands.
 *  5. A line that begins with two slashes is a message with one of them. A line that begins with
 *     one slash is a command. Any other line, even if it is blank, is a message.
 *
 * After a LINE_ERROR the next line is parsed as usual.
 */
#ifndef CHATROOMD_PROTOCOL_LINE_LINE_PARSE_H
#define CHATROOMD_PROTOCOL_LINE_LINE_PARSE_H

#include <stddef.h>

/* Maximum lengths in bytes of a quit reason, and of an unknown command as shown in an error. Longer
 * ones are cut. */
#define LINE_REASON_MAX 200
#define LINE_SHOWN_MAX  32

enum line_event_kind {
    LINE_NONE,    /* all input is consumed; there is no further complete line */
    LINE_MESSAGE, /* text: the message, 1 to max_message bytes */
    LINE_NICK,    /* text: the requested nickname, not empty, to be checked by chat/names.h */
    LINE_WHO,
    LINE_HELP,
    LINE_QUIT, /* text: the reason, 0 to LINE_REASON_MAX bytes */
    LINE_ERROR /* text: an error message for the client, without the leading "! " */
};

/* `text` is not NUL-terminated, never NULL, and always accepted by `text_check`. It may point into
 * the input, so it is valid until the next call with the parser and no longer than the input. */
struct line_event {
    enum line_event_kind kind;
    const char *text;
    size_t length;
};

struct line_parser;

/* `max_message` is the maximum length of a message in bytes, at least 1. */
struct line_parser *line_parser_new(size_t max_message);
void line_parser_free(struct line_parser *parser);

/* Consumes bytes up to the end of the next line that gives an event, or all of them (LINE_NONE).
 * Returns how many bytes it consumed, at least 1 if `length` is; call it again with the rest. */
size_t line_parse(
    struct line_parser *parser, const char *bytes, size_t length, struct line_event *event);

/* Parses a last line without a line end, when the peer sends no more. The event is LINE_NONE if
 * there is no such line. Resets the parser. */
void line_parse_end(struct line_parser *parser, struct line_event *event);

/* Returns the nth line of the help text, from 0, without the leading "* ", or NULL. */
const char *line_help(size_t n);

#endif
