/* SPDX-License-Identifier: ISC */
/*
 * config_file.c - reads the configuration file by libConfuse.
 *
 * libConfuse only parses: every value is a string to it, and its error messages are replaced by
 * ours. Three things are done around it:
 *  1. The whole file is read here, because libConfuse's scanner calls exit(2) if a read fails (for
 *     example on a directory). The size is limited, because a device may never end.
 *  2. Comments are replaced by blanks first. libConfuse 3.3 counts the line of a comment three
 *     times, so that later errors would have wrong line numbers, and allows no comment in a list.
 *  3. A key that is set twice is an error; libConfuse would use the last value.
 */
#include "config.h"

#include "base/config_file.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/nearest.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Initial size of the buffer for a file, in bytes. */
#define FIRST_SIZE 4096

/* The file being read. It is global because libConfuse's callbacks have no context argument. */
static struct {
    const struct config_handler *handler;
    const char *path;
    bool explained; /* libConfuse has reported an error */
    int *lines;     /* per key: the line where it was first set, or 0 */
} reading;

static void report_fault(int line, const char *fault)
{
    char *place = line > 0 ? alloc_print("%s:%d", reading.path, line) : alloc_string(reading.path);
    reading.handler->fault(reading.handler->context, fault, place);
    free(place);
}

/* --- the content of the file */

/* Returns the content followed by a NUL, or NULL with errno set. */
static char *read_stream(FILE *stream, size_t *length)
{
    size_t size = FIRST_SIZE;
    char *content = alloc_zeroed(size, 1);

    *length = 0;
    while ((*length += fread(content + *length, 1, size - 1 - *length, stream)) == size - 1 &&
           *length <= CONFIG_FILE_LIMIT)
        content = alloc_resize(content, size *= 2, 1);
    content[*length] = '\0';
    if (!ferror(stream) && *length <= CONFIG_FILE_LIMIT)
        return content;
    int fault = ferror(stream) ? errno : EFBIG;
    free(content);
    errno = fault;
    return NULL;
}

static char *read_whole(const char *path, size_t *length)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return NULL;
    char *content = read_stream(stream, length);
    int fault = errno;
    fclose(stream);
    errno = fault;
    return content;
}

static int line_of(const char *content, const char *byte)
{
    int line = 1;
    for (; content < byte; content++)
        line += *content == '\n';
    return line;
}

/* Returns the end of the quoted string at `start`, or of the content if it is not closed. */
static char *skip_quoted(char *start)
{
    char *end = start + 1;
    while (*end != '\0' && *end != *start)
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    return *end == '\0' ? end : end + 1;
}

/* Returns the end of the comment at `start`, or `start` if there is none. */
static char *skip_comment(char *start, bool within_word)
{
    bool slashes = start[0] == '/' && start[1] == '/' && !within_word;
    if (*start == '#' || slashes)
        return start + strcspn(start, "\n");
    if (start[0] != '/' || start[1] != '*' || within_word)
        return start;
    char *end = strstr(start + 2, "*/");
    return end == NULL ? start + strlen(start) : end + 2;
}

/* Returns the end of the ${NAME} at `start`, or `start` if there is none. */
static char *skip_variable(char *start, bool within_word)
{
    char *end = start[0] == '$' && start[1] == '{' && !within_word ? strchr(start, '}') : NULL;
    return end == NULL ? start : end + 1;
}

/* Replaces comments by blanks. Returns the first * that is neither in a comment nor in quotes, or
 * NULL. Such a * must be refused: libConfuse ignores it or takes it for the end of a comment, and
 * then reports wrong lines and errors without a message. */
static const char *blank_comments(char *content)
{
    const char *stray = NULL;
    bool within_word = false;
    while (*content != '\0') {
        char *variable_end = skip_variable(content, within_word);
        if (variable_end != content) {
            content = variable_end;
            continue;
        }
        if (*content == '"' || *content == '\'') {
            content = skip_quoted(content);
            within_word = false;
            continue;
        }
        char *end = skip_comment(content, within_word);
        for (; content < end; content++)
            *content = *content == '\n' ? '\n' : ' ';
        if (*content == '\0' || *content == '"' || *content == '\'')
            continue;
        if (*content == '*' && stray == NULL)
            stray = content;
        within_word = strchr(" \t\r\n={}()+,", *content) == NULL;
        content++;
    }
    return stray;
}

/* --- libConfuse */

static size_t key_index(const char *name)
{
    size_t key = 0;
    while (strcmp(reading.handler->keys[key].name, name) != 0) {
        key++;
        assert(key < reading.handler->key_count);
    }
    return key;
}

static int store_value(cfg_t *parser, cfg_opt_t *option, const char *value, void *result)
{
    size_t key = key_index(option->name);
    /* libConfuse clears the option before `key = value`, but not before `key += value`. */
    if (cfg_opt_size(option) <= 1 && reading.lines[key] > 0) {
        char *fault = alloc_print("%s is already set in line %d", option->name, reading.lines[key]);
        report_fault(parser->line, fault);
        free(fault);
    }
    if (reading.lines[key] == 0)
        reading.lines[key] = parser->line;
    char *place = alloc_print("%s:%d", reading.path, parser->line);
    reading.handler->value(reading.handler->context, key, value, place);
    free(place);
    *(const char **)result = value;
    return 0;
}

#define UNKNOWN_KEY "unknown key "

/* libConfuse's format strings, and our text before and after the argument of %s. `after` is NULL if
 * there is no argument. */
static const struct {
    const char *theirs, *before, *after;
} messages[] = {
    {"no such option '%s'", UNKNOWN_KEY,
        "; see chatroomd.conf(5) (a value with a blank needs quotes: \"16 MiB\")"},
    {"no sub-section title/index for '%s'", UNKNOWN_KEY, "; see chatroomd.conf(5)"},
    {"missing equal sign after option '%s'", "expected = and a value after ", ""},
    {"attempt to append to non-list option '%s'", "", " is not a list; use = instead of +="},
    {"unexpected token '%s'", "unexpected ", "; expected KEY = VALUE or KEY = {\"A\", \"B\"}"},
    {"invalid octal number '%s'", "invalid escape sequence ", "; write \\\\ for a backslash"},
    {"bad escape sequence '%s'", "invalid escape sequence ", "; write \\\\ for a backslash"},
    {"unexpected closing brace", "unexpected } without a {", NULL},
    {"premature end of file", "the file ends within a value, a list or quotes", NULL},
    {"unterminated string constant", "the file ends within a value, a list or quotes", NULL},
};

/* Returns what to say behind an unknown key. The caller frees it. */
static char *suggest_key(const char *token, const char *otherwise)
{
    const char **keys = alloc_zeroed(reading.handler->key_count, sizeof *keys);
    for (size_t key = 0; key < reading.handler->key_count; key++)
        keys[key] = reading.handler->keys[key].name;
    size_t length = strcspn(token, " =");
    const char *nearest = nearest_word(token, length, keys, reading.handler->key_count);
    free(keys);
    if (nearest == NULL)
        return alloc_string(otherwise);
    return alloc_print("; did you mean %s%s?", nearest,
        strpbrk(token, " =") == NULL ? "" : " = VALUE, with quotes around the value only");
}

static void report_parser_fault(cfg_t *parser, const char *format, va_list arguments)
{
    size_t row = 0;
    reading.explained = true;
    while (row < sizeof messages / sizeof *messages && strcmp(format, messages[row].theirs) != 0)
        row++;
    char *fault;
    if (row == sizeof messages / sizeof *messages) {
        fault = alloc_string(format);
    } else if (messages[row].after == NULL) {
        fault = alloc_string(messages[row].before);
    } else {
        char quoted[128];
        const char *token = va_arg(arguments, const char *); /* NULL for an empty comment */
        token = token == NULL ? "" : token;
        bool is_key = strcmp(messages[row].before, UNKNOWN_KEY) == 0;
        char *after =
            is_key ? suggest_key(token, messages[row].after) : alloc_string(messages[row].after);
        fault = alloc_print(
            "%s%s%s", messages[row].before, log_quote(quoted, sizeof quoted, token), after);
        free(after);
    }
    report_fault(parser->line, fault);
    free(fault);
}

static void refuse_empty_lists(cfg_t *parser)
{
    for (size_t key = 0; key < reading.handler->key_count; key++) {
        cfg_opt_t *option = cfg_getopt(parser, reading.handler->keys[key].name);
        if ((option->flags & CFGF_MODIFIED) == 0 || cfg_opt_size(option) > 0)
            continue;
        char *fault = alloc_print("%s: the list is empty", option->name);
        report_fault(0, fault);
        free(fault);
    }
}

static void parse(const char *content)
{
    const struct config_handler *handler = reading.handler;
    cfg_opt_t *options = alloc_zeroed(handler->key_count + 1, sizeof *options);
    for (size_t key = 0; key < handler->key_count; key++) {
        const char *name = handler->keys[key].name;
        cfg_opt_t one = CFG_STR_CB(name, NULL, CFGF_NODEFAULT, store_value);
        cfg_opt_t list = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, store_value);
        options[key] = handler->keys[key].is_list ? list : one;
    }
    cfg_opt_t end = CFG_END();
    options[handler->key_count] = end;
    cfg_t *parser = cfg_init(options, CFGF_NONE);
    cfg_set_error_function(parser, report_parser_fault);
    reading.explained = false;
    if (cfg_parse_buf(parser, content) == CFG_SUCCESS)
        refuse_empty_lists(parser);
    else if (!reading.explained) /* the one error without a message */
        report_fault(parser->line, "the name of the key is missing; see chatroomd.conf(5)");
    cfg_free(parser);
    free(options);
}

bool config_file_read(const char *path, const struct config_handler *handler)
{
    size_t length;
    char *content = read_whole(path, &length);
    if (content == NULL)
        return false;
    reading.handler = handler;
    reading.path = path;
    reading.lines = alloc_zeroed(handler->key_count, sizeof *reading.lines);
    const char *nul = memchr(content, '\0', length), *stray = NULL;
    if (nul != NULL)
        report_fault(line_of(content, nul), "NUL byte: this is not a text file");
    else if ((stray = blank_comments(content)) != NULL)
        report_fault(line_of(content, stray), "unexpected * outside of comments and quotes");
    else
        parse(content);
    free(reading.lines);
    free(content);
    return true;
}
