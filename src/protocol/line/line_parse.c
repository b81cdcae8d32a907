/* SPDX-License-Identifier: ISC */
/*
 * line_parse.c - the parser of the line protocol.
 *
 * Input goes through three stages:
 *  1. `cut_line` finds the end of a line. A line that lies completely in the input is parsed in
 *     place. An incomplete line is held: copied to the parser's buffer until its end arrives. While
 *     `dropping`, bytes up to the next line end are discarded.
 *  2. `parse_line` checks the line by the rules in line_parse.h.
 *  3. `parse_command` looks up a command in the table COMMANDS, from which the usage errors and the
 *     help text are made too.
 *
 * Memory: the buffer has space for the longest valid line (max_message bytes, a doubled slash, a
 * CR) and one more byte, so a line that fills the buffer is always too long. The buffer never
 * grows. Between calls `held` is less than `capacity`, and it is 0 while `dropping`.
 *
 * Events point into the input, the buffer, or the parser's error text.
 */
#include "config.h"

#include "protocol/line/line_parse.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* name, event, argument, usage, help */
#define COMMANDS(ROW)                                                                              \
    ROW("nick", LINE_NICK, ARGUMENT_NEEDED, "/nick NAME", "change your nickname")                  \
    ROW("who", LINE_WHO, ARGUMENT_NONE, "/who", "list who is here")                                \
    ROW("help", LINE_HELP, ARGUMENT_NONE, "/help", "show this help")                               \
    ROW("quit", LINE_QUIT, ARGUMENT_OPTIONAL, "/quit [REASON]", "leave")

enum argument {
    ARGUMENT_NONE, /* an argument is ignored */
    ARGUMENT_OPTIONAL,
    ARGUMENT_NEEDED
};

struct command {
    const char *name;
    enum line_event_kind kind;
    enum argument argument;
    const char *usage;
    const char *advice; /* for a word that is like this one */
};

#define COMMAND_ROW(name, kind, argument, usage, help)                                             \
    {name, kind, argument, usage, "did you mean /" name "?"},
static const struct command commands[] = {COMMANDS(COMMAND_ROW)};

/* Commands of other chat programs. */
static const struct {
    const char *name, *advice;
} others[] = {
    {"exit", "did you mean /quit?"},
    {"bye", "did you mean /quit?"},
    {"leave", "did you mean /quit?"},
    {"part", "did you mean /quit?"},
    {"logout", "did you mean /quit?"},
    {"names", "did you mean /who?"},
    {"list", "did you mean /who?"},
    {"users", "did you mean /who?"},
    {"name", "did you mean /nick?"},
    {"msg", "there are no private messages"},
    {"query", "there are no private messages"},
    {"join", "there is one room, and you are in it"},
};

#define HELP_ROW(name, kind, argument, usage, help) usage ": " help,
static const char *const help_lines[] = {
    "Every line you type is sent to everyone here, except these commands:",
    COMMANDS(HELP_ROW) /* each with its comma */
    "//TEXT: send /TEXT",
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };
enum { OTHER_COUNT = sizeof others / sizeof others[0] };
enum { HELP_COUNT = sizeof help_lines / sizeof help_lines[0] };

/* A doubled slash, a CR, and one byte that always makes the line too long. */
enum { BUFFER_EXTRA = 3 };

/* Enough for every error below, with a number of 20 digits or LINE_SHOWN_MAX bytes in it. */
enum { ERROR_SIZE = 128 };

struct line_parser {
    size_t max_message;
    bool dropping;
    size_t held;
    size_t capacity;
    char error[ERROR_SIZE];
    char *buffer; /* of `capacity` bytes; allocated when the first incomplete line arrives */
};

/* A line or part of a line; does not own its bytes. */
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
    int length = vsnprintf(parser->error, sizeof parser->error, format, arguments);
    va_end(arguments);
    assert(length > 0 && (size_t)length < sizeof parser->error);
    set_event(event, LINE_ERROR, (struct span){parser->error, (size_t)length});
}

/* Returns a line, or the beginning of one, without a CR that may be part of the line end. */
static struct span without_end(struct span line)
{
    if (line.length > 0 && line.bytes[line.length - 1] == '\r')
        line.length--;
    return line;
}

static bool has_doubled_slash(struct span line)
{
    return line.length >= 2 && line.bytes[0] == '/' && line.bytes[1] == '/';
}

/* If the beginning of a line is too long, the whole line is too. */
static bool is_too_long(const struct line_parser *parser, struct span line)
{
    line = without_end(line);
    return line.length - (has_doubled_slash(line) ? 1 : 0) > parser->max_message;
}

static const struct command *find_command(struct span name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (text_same(commands[i].name, strlen(commands[i].name), name.bytes, name.length))
            return &commands[i];
    }
    return NULL;
}

/* Cuts a quit reason to its maximum length, because it is sent to the whole room. The lengths of
 * other arguments are not limited here. */
static struct span bounded_argument(const struct command *command, struct span argument)
{
    if (command->argument == ARGUMENT_NONE)
        argument.length = 0;
    if (command->kind == LINE_QUIT)
        argument.length = text_cut(argument.bytes, argument.length, LINE_REASON_MAX);
    return without_trailing_blanks(argument);
}

/* Returns what to say about a command that there is not. */
static const char *advise(struct span name)
{
    const char *names[COMMAND_COUNT];
    size_t i = 0;

    for (; i < OTHER_COUNT; i++)
        if (strncmp(others[i].name, name.bytes, name.length) == 0 &&
            others[i].name[name.length] == '\0')
            return others[i].advice;
    for (i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_word(name.bytes, name.length, names, COMMAND_COUNT);
    for (i = 0; i < COMMAND_COUNT; i++)
        if (names[i] == nearest)
            return commands[i].advice;
    return "/help lists the commands";
}

/* `line` begins with a slash. */
static void parse_command(struct line_parser *parser, struct span line, struct line_event *event)
{
    struct span name = skip(line, 1);
    name.length = 0;
    while (1 + name.length < line.length && !is_blank(name.bytes[name.length]))
        name.length++;

    const struct command *command = find_command(name);
    if (command == NULL) {
        size_t shown = text_cut(line.bytes, 1 + name.length, LINE_SHOWN_MAX);
        set_error(parser, event, "Unknown command %.*s; %s", (int)shown, line.bytes, advise(name));
        return;
    }

    struct span argument = without_leading_blanks(skip(line, 1 + name.length));
    argument = bounded_argument(command, argument);
    if (command->argument == ARGUMENT_NEEDED && argument.length == 0)
        set_error(parser, event, "Usage: %s", command->usage);
    else
        set_event(event, command->kind, argument);
}

/* `line` is not too long and may end in a CR. `event` is unchanged if the line is empty. */
static void parse_line(struct line_parser *parser, struct span line, struct line_event *event)
{
    line = without_end(line);
    if (line.length == 0)
        return;

    switch (text_check(line.bytes, line.length)) {
    case TEXT_CONTROL:
        set_error(parser, event, "Line dropped: control characters other than tab are not allowed");
        return;
    case TEXT_NOT_UTF8:
        set_error(parser, event, "Line dropped: not valid UTF-8");
        return;
    case TEXT_OK:
        break;
    }

    if (has_doubled_slash(line))
        set_event(event, LINE_MESSAGE, skip(line, 1));
    else if (line.bytes[0] == '/')
        parse_command(parser, line, event);
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

/* Returns the line that ends with `piece`, or its beginning if it is not complete. */
static struct span join(struct line_parser *parser, struct span piece, bool ended)
{
    if (parser->held == 0 && ended)
        return piece;
    hold(parser, piece);
    return (struct span){parser->buffer, parser->held};
}

/* Discards input up to the end of the line that is being dropped. Returns how many bytes. */
static size_t drop_line(struct line_parser *parser, struct span input)
{
    const char *end = memchr(input.bytes, '\n', input.length);

    if (end == NULL)
        return input.length;
    parser->dropping = false;
    return (size_t)(end - input.bytes) + 1;
}

/* Consumes one line, or its beginning if it is incomplete or too long. Returns how many bytes. */
static size_t cut_line(struct line_parser *parser, struct span input, struct line_event *event)
{
    size_t space = parser->capacity - parser->held;
    size_t reach = input.length < space ? input.length : space;
    const char *end = memchr(input.bytes, '\n', reach);
    bool ended = end != NULL;
    size_t length = ended ? (size_t)(end - input.bytes) : reach;
    struct span line = join(parser, (struct span){input.bytes, length}, ended);
    bool too_long = is_too_long(parser, line);

    if (too_long)
        set_error(parser, event, "Line dropped: longer than %zu bytes", parser->max_message);
    else if (ended)
        parse_line(parser, line, event);
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
        size_t consumed =
            parser->dropping ? drop_line(parser, rest) : cut_line(parser, rest, event);
        rest = skip(rest, consumed);
    }
    return length - rest.length;
}

void line_parse_end(struct line_parser *parser, struct line_event *event)
{
    set_event(event, LINE_NONE, (struct span){"", 0});
    parse_line(parser, (struct span){parser->buffer, parser->held}, event);
    parser->held = 0;
    parser->dropping = false;
}

const char *line_help(size_t n)
{
    return n < HELP_COUNT ? help_lines[n] : NULL;
}
