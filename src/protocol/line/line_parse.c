/* SPDX-License-Identifier: ISC */
/*
 * The line parser. Input goes through three stages, and each hands the next one less:
 *
 *  - cut: what ends in the bytes given is a line, judged where it lies if all of it lies there.
 * What does not end is held: copied to the parser's buffer, to be joined with what comes next.
 * While `dropping`, bytes are passed over to the next line end and neither held nor judged.
 *  - judge: the rules of line.h, from the length to the text.
 *  - command: one row of the table COMMANDS; parser, usage errors and help text are made of it.
 *
 * Memory: the buffer has space for the longest line that is not yet known to be too long
 * (max_message bytes, a doubled slash, a CR) and one byte more, so that a full buffer is always one
 * that is too long. It never grows. `held` is below its capacity between calls, and is 0 while
 * `dropping`.
 *
 * Events point into the bytes given, the buffer, or the parser's own words for errors.
 */
#include "config.h"

#include "protocol/line/line_parse.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* name, event, argument, usage, help */
#define COMMANDS(ROW)                                                                              \
    ROW("nick", LINE_NICK, ARGUMENT_NEEDED, "/nick NAME", "take another name")                     \
    ROW("who", LINE_WHO, ARGUMENT_NONE, "/who", "see who is here")                                 \
    ROW("help", LINE_HELP, ARGUMENT_NONE, "/help", "see this")                                     \
    ROW("quit", LINE_QUIT, ARGUMENT_OPTIONAL, "/quit [REASON]", "leave")

enum argument {
    ARGUMENT_NONE, /* passed over when there is one */
    ARGUMENT_OPTIONAL,
    ARGUMENT_NEEDED
};

struct command {
    const char *name;
    enum line_event_kind kind;
    enum argument argument;
    const char *usage;
};

#define COMMAND_ROW(name, kind, argument, usage, help) {name, kind, argument, usage},
static const struct command commands[] = {COMMANDS(COMMAND_ROW)};

#define HELP_ROW(name, kind, argument, usage, help) usage ": " help,
static const char *const help_lines[] = {
    "What you type is said to everyone here, but for these:",
    COMMANDS(HELP_ROW) /* each with its comma */
    "//TEXT: say /TEXT",
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };
enum { HELP_COUNT = sizeof help_lines / sizeof help_lines[0] };

/* A doubled slash, a CR, and the byte that makes a line too long whatever it is. */
enum { BUFFER_EXTRA = 3 };

/* Fits every sentence below, with a number of 20 digits or LINE_SHOWN_MAX bytes in it. */
enum { WORDS_SIZE = 128 };

struct line_parser {
    size_t max_message;
    bool dropping;
    size_t held;
    size_t capacity;
    char words[WORDS_SIZE];
    char *buffer; /* of `capacity` bytes, once a line has come in pieces: most come whole */
};

/* A line or part of it: bytes that somebody else owns. */
struct span {
    const char *bytes;
    size_t length;
};

struct line_parser *line_parser_new(size_t max_message)
{
    assert(max_message > 0);
    struct line_parser *parser = alloc_zeroed(1, sizeof *parser);

    parser->max_message = max_message;
    parser->capacity = max_message + BUFFER_EXTRA;
    return parser;
}

void line_parser_free(struct line_parser *parser)
{
    free(parser->buffer);
    free(parser);
}

static struct span skip(struct span span, size_t length)
{
    return (struct span){span.bytes + length, span.length - length};
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct span without_trailing_blanks(struct span span)
{
    while (span.length > 0 && is_blank(span.bytes[span.length - 1]))
        span.length--;
    return span;
}

static struct span without_leading_blanks(struct span span)
{
    while (span.length > 0 && is_blank(span.bytes[0]))
        span = skip(span, 1);
    return span;
}

static void set_event(struct line_event *event, enum line_event_kind kind, struct span text)
{
    *event = (struct line_event){.kind = kind, .text = text.bytes, .length = text.length};
}

static void set_error(struct line_parser *parser, struct line_event *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set_error(struct line_parser *parser, struct line_event *event, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(parser->words, sizeof parser->words, format, arguments);
    va_end(arguments);
    assert(length > 0 && (size_t)length < sizeof parser->words);
    set_event(event, LINE_ERROR, (struct span){parser->words, (size_t)length});
}

/* A line, or the beginning of one, without the CR that does or may yet belong to its end. */
static struct span without_end(struct span line)
{
    if (line.length > 0 && line.bytes[line.length - 1] == '\r')
        line.length--;
    return line;
}

static bool is_said_slash(struct span line)
{
    return line.length >= 2 && line.bytes[0] == '/' && line.bytes[1] == '/';
}

/* What is true of the beginning of a line is true of all of it: more bytes never make less text. */
static bool is_too_long(const struct line_parser *parser, struct span line)
{
    line = without_end(line);
    return line.length - (is_said_slash(line) ? 1 : 0) > parser->max_message;
}

static const struct command *find_command(struct span name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (text_same(commands[i].name, strlen(commands[i].name), name.bytes, name.length))
            return &commands[i];
    }
    return NULL;
}

/* A reason is the only argument whose length is bounded here: it goes to the whole room, and is no
 * message. */
static struct span bounded_argument(const struct command *command, struct span argument)
{
    if (command->argument == ARGUMENT_NONE)
        argument.length = 0;
    if (command->kind == LINE_QUIT)
        argument.length = text_cut(argument.bytes, argument.length, LINE_REASON_MAX);
    return without_trailing_blanks(argument);
}

/* LINE is a slash and perhaps more. */
static void judge_command(struct line_parser *parser, struct span line, struct line_event *event)
{
    struct span name = skip(line, 1);
    name.length = 0;
    while (1 + name.length < line.length && !is_blank(name.bytes[name.length]))
        name.length++;

    const struct command *command = find_command(name);
    if (command == NULL) {
        size_t shown = text_cut(line.bytes, 1 + name.length, LINE_SHOWN_MAX);
        set_error(parser, event, "Unknown command %.*s; /help lists the commands", (int)shown,
            line.bytes);
        return;
    }

    struct span argument = without_leading_blanks(skip(line, 1 + name.length));
    argument = bounded_argument(command, argument);
    if (command->argument == ARGUMENT_NEEDED && argument.length == 0)
        set_error(parser, event, "Something is missing; say %s", command->usage);
    else
        set_event(event, command->kind, argument);
}

/* LINE is not too long, and may still have the CR of its end. An empty one leaves EVENT as it is.
 */
static void judge(struct line_parser *parser, struct span line, struct line_event *event)
{
    line = without_end(line);
    if (line.length == 0)
        return;

    switch (text_check(line.bytes, line.length)) {
    case TEXT_CONTROL:
        set_error(parser, event,
            "Control characters other than tab are not allowed; the line was "
            "dropped");
        return;
    case TEXT_NOT_UTF8:
        set_error(parser, event, "Text must be UTF-8; the line is not, and was dropped");
        return;
    case TEXT_OK:
        break;
    }

    if (is_said_slash(line))
        set_event(event, LINE_MESSAGE, skip(line, 1));
    else if (line.bytes[0] == '/')
        judge_command(parser, line, event);
    else
        set_event(event, LINE_MESSAGE, line);
}

static void hold(struct line_parser *parser, struct span piece)
{
    assert(piece.length <= parser->capacity - parser->held);
    if (parser->buffer == NULL)
        parser->buffer = alloc_zeroed(1, parser->capacity);
    memcpy(parser->buffer + parser->held, piece.bytes, piece.length);
    parser->held += piece.length;
}

/* The line whose last part, or last part so far, is PIECE. */
static struct span join(struct line_parser *parser, struct span piece, bool ended)
{
    if (parser->held == 0 && ended)
        return piece;
    hold(parser, piece);
    return (struct span){parser->buffer, parser->held};
}

/* Passes over INPUT to the end of the line that is dropped. Returns how many bytes that is. */
static size_t drop(struct line_parser *parser, struct span input)
{
    const char *end = memchr(input.bytes, '\n', input.length);

    if (end == NULL)
        return input.length;
    parser->dropping = false;
    return (size_t)(end - input.bytes) + 1;
}

/* Takes one line from INPUT, or what there is of it, and no more than makes it too long. Returns
 * how many bytes that is. */
static size_t cut(struct line_parser *parser, struct span input, struct line_event *event)
{
    size_t space = parser->capacity - parser->held;
    size_t reach = input.length < space ? input.length : space;
    const char *end = memchr(input.bytes, '\n', reach);
    bool ended = end != NULL;
    size_t length = ended ? (size_t)(end - input.bytes) : reach;
    struct span line = join(parser, (struct span){input.bytes, length}, ended);
    bool too_long = is_too_long(parser, line);

    if (too_long)
        set_error(
            parser, event, "Line too long (over %zu bytes); it was dropped", parser->max_message);
    else if (ended)
        judge(parser, line, event);
    if (too_long || ended)
        parser->held = 0;
    parser->dropping = too_long && !ended;
    return length + (ended ? 1 : 0);
}

size_t line_parse(
    struct line_parser *parser, const char *bytes, size_t length, struct line_event *event)
{
    struct span rest = {bytes, length};

    set_event(event, LINE_NONE, (struct span){"", 0});
    while (rest.length > 0 && event->kind == LINE_NONE) {
        size_t consumed = parser->dropping ? drop(parser, rest) : cut(parser, rest, event);
        rest = skip(rest, consumed);
    }
    return length - rest.length;
}

void line_parse_end(struct line_parser *parser, struct line_event *event)
{
    set_event(event, LINE_NONE, (struct span){"", 0});
    judge(parser, (struct span){parser->buffer, parser->held}, event);
    parser->held = 0;
    parser->dropping = false;
}

const char *line_help(size_t n)
{
    return n < HELP_COUNT ? help_lines[n] : NULL;
}
