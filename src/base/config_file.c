/* SPDX-License-Identifier: ISC */
/*
 * The configuration file, by libConfuse.
 *
 * libConfuse parses; every value is a string to it, and its own words for faults are replaced by
 * ours. Three things are done around it:
 *  1. The file is read here, whole, since its scanner calls exit(2) where a read fails (a
 *     directory), and bounded, since a device might not end.
 *  2. Comments are blanked first, byte for byte: libConfuse 3.3 counts a comment's line three
 * times, so no fault after it would have its place, and takes no comment within a list.
 *  3. A key that is set twice is a fault; libConfuse lets the last one win.
 */
#include "config.h"

#include "base/config_file.h"

#include "base/alloc.h"
#include "base/log.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a file is given at first. */
#define FIRST_SIZE 4096

/* libConfuse hands its callbacks no pointer of the caller's. */
static struct {
    const struct config_handler *handler;
    const char *path;
    bool explained; /* libConfuse has said what is wrong */
    int *lines;     /* per key: where it was first set, 0 if not yet */
} reading;

static void tell_fault(int line, const char *fault)
{
    char *place = line > 0 ? alloc_print("%s:%d", reading.path, line) : alloc_string(reading.path);
    reading.handler->fault(reading.handler->context, fault, place);
    free(place);
}

/* --- the file's bytes */

/* The content with a NUL behind it, or NULL with errno. Most files are far smaller than the limit.
 */
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

/* The end of the quoted string that begins at START, or of the file if it is not closed. */
static char *skip_quoted(char *start)
{
    char *end = start + 1;
    while (*end != '\0' && *end != *start)
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    return *end == '\0' ? end : end + 1;
}

/* The end of the comment that begins at START, or START where none does. */
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

/* The end of the ${NAME} that begins at START, whatever is in it; or START where none does. */
static char *skip_variable(char *start, bool within_word)
{
    char *end = start[0] == '$' && start[1] == '{' && !within_word ? strchr(start, '}') : NULL;
    return end == NULL ? start : end + 1;
}

/* Returns the first * that is neither in a comment nor in quotes, or NULL: libConfuse passes over
 * it, or takes it for the end of a comment, loses count of the lines, and has no words for what
 * follows. */
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

static int take_value(cfg_t *parser, cfg_opt_t *option, const char *value, void *result)
{
    size_t key = key_index(option->name);
    /* `key = value` has emptied the option before, `key += value` has not. */
    if (cfg_opt_size(option) <= 1 && reading.lines[key] > 0) {
        char *fault = alloc_print(
            "%s is set a second time; the first is in line %d", option->name, reading.lines[key]);
        tell_fault(parser->line, fault);
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

/* How libConfuse's format strings begin, and our words before and after the text that it puts in
 * for %s. */
static const struct {
    const char *theirs, *before, *after;
} words[] = {
    {"no such option '%s'", "there is no key ",
        "; chatroomd.conf(5) lists them (a value with a blank needs quotes: \"16 MiB\")"},
    {"no sub-section title/index for '%s'", "there is no key ", "; chatroomd.conf(5) lists them"},
    {"missing equal sign after option '%s'", "", " needs an equal sign and a value behind it"},
    {"attempt to append to non-list option '%s'", "", " takes one value; += is for lists"},
    {"unexpected token '%s'", "", " cannot stand here; write KEY = VALUE or KEY = {\"A\", \"B\"}"},
    {"invalid octal number '%s'", "", " in quotes is no character; write \\\\ for a backslash"},
    {"bad escape sequence '%s'", "", " in quotes is no character; write \\\\ for a backslash"},
    {"unexpected closing brace", "there is a } without its {", NULL},
    {"premature end of file", "the file ends within a value, a list or quotes", NULL},
    {"unterminated string constant", "the file ends within a value, a list or quotes", NULL},
};

static void take_fault(cfg_t *parser, const char *format, va_list arguments)
{
    size_t row = 0;
    reading.explained = true;
    while (row < sizeof words / sizeof *words && strcmp(format, words[row].theirs) != 0)
        row++;
    char *fault;
    if (row == sizeof words / sizeof *words) {
        fault = alloc_string(format);
    } else if (words[row].after == NULL) {
        fault = alloc_string(words[row].before);
    } else {
        char quoted[128];
        const char *token = va_arg(arguments, const char *); /* NULL for a comment without text */
        token = log_quote(quoted, sizeof quoted, token == NULL ? "" : token);
        fault = alloc_print("%s%s%s", words[row].before, token, words[row].after);
    }
    tell_fault(parser->line, fault);
    free(fault);
}

static void refuse_empty_lists(cfg_t *parser)
{
    for (size_t key = 0; key < reading.handler->key_count; key++) {
        cfg_opt_t *option = cfg_getopt(parser, reading.handler->keys[key].name);
        if ((option->flags & CFGF_MODIFIED) == 0 || cfg_opt_size(option) > 0)
            continue;
        char *fault = alloc_print("%s needs at least one value in its list", option->name);
        tell_fault(0, fault);
        free(fault);
    }
}

static void parse(const char *content)
{
    const struct config_handler *handler = reading.handler;
    cfg_opt_t *options = alloc_zeroed(handler->key_count + 1, sizeof *options);
    for (size_t key = 0; key < handler->key_count; key++) {
        const char *name = handler->keys[key].name;
        cfg_opt_t one = CFG_STR_CB(name, NULL, CFGF_NODEFAULT, take_value);
        cfg_opt_t list = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, take_value);
        options[key] = handler->keys[key].is_list ? list : one;
    }
    cfg_opt_t end = CFG_END();
    options[handler->key_count] = end;
    cfg_t *parser = cfg_init(options, CFGF_NONE);
    cfg_set_error_function(parser, take_fault);
    reading.explained = false;
    if (cfg_parse_buf(parser, content) == CFG_SUCCESS)
        refuse_empty_lists(parser);
    else if (!reading.explained) /* the one fault for which it has no words */
        tell_fault(parser->line, "there is a key without a name; chatroomd.conf(5) lists them");
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
        tell_fault(line_of(content, nul), "there is a NUL byte; this is no text file");
    else if ((stray = blank_comments(content)) != NULL)
        tell_fault(line_of(content, stray), "a * can stand only in a comment or in quotes");
    else
        parse(content);
    free(reading.lines);
    free(content);
    return true;
}
