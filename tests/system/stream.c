/* SPDX-License-Identifier: ISC */
/*
 * stream.c - the output of a program under test; see stream.h.
 */
#include "config.h"

#include "tests/system/stream.h"

#include "tests/system/bounded.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void stream_close(struct stream *stream)
{
    if (stream->descriptor < 0)
        return;
    bounded_unwatch(stream->descriptor);
    close(stream->descriptor);
    stream->descriptor = -1;
}

/* Reads what has arrived. The descriptor never blocks. */
static void stream_serve(void *context)
{
    struct stream *stream = context;
    char bytes[16384];
    ssize_t got;

    while ((got = read(stream->descriptor, bytes, sizeof(bytes))) > 0) {
        stream->text = realloc(stream->text, stream->length + (size_t)got + 1);
        ck_assert_ptr_nonnull(stream->text);
        memcpy(stream->text + stream->length, bytes, (size_t)got);
        stream->length += (size_t)got;
        stream->text[stream->length] = '\0';
        if (getenv("CHATROOMD_TEST_LOG") != NULL)
            fwrite(bytes, 1, (size_t)got, stderr);
    }
    if (got == 0 || errno != EAGAIN)
        stream_close(stream);
}

int stream_open(struct stream *stream)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    *stream = (struct stream){.descriptor = ends[0], .text = calloc(1, 1)};
    ck_assert_ptr_nonnull(stream->text);
    bounded_watch(ends[0], stream_serve, stream);
    return ends[1];
}

void stream_release(struct stream *stream)
{
    stream_close(stream);
    free(stream->text);
    free(stream->line);
    stream->text = stream->line = NULL;
}

static bool holds_all(const char *line, const char *word, va_list more)
{
    va_list words;
    bool all = true;

    va_copy(words, more);
    for (; all && word != NULL; word = va_arg(words, const char *))
        all = strstr(line, word) != NULL;
    va_end(words);
    return all;
}

const char *stream_find(struct stream *stream, size_t mark, const char *word, va_list more)
{
    const char *at = stream->text + mark, *end;

    for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        free(stream->line);
        stream->line = strndup(at, (size_t)(end - at));
        if (holds_all(stream->line, word, more))
            return stream->line;
    }
    return NULL;
}

bool log_line_value(const char *line, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    const char *at = line;

    while ((at = strstr(at, key)) != NULL) {
        if (at != line && at[-1] == ' ' && at[length] == '=') {
            at += length + 1;
            if (*at == '"')
                snprintf(value, size, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
            else
                snprintf(value, size, "%.*s", (int)strcspn(at, " "), at);
            return true;
        }
        at += length;
    }
    return false;
}

unsigned long long log_line_number(const char *line, const char *key)
{
    char value[64], *end;
    unsigned long long number;

    ck_assert_msg(log_line_value(line, key, value, sizeof(value)), "no %s= in: %s", key, line);
    number = strtoull(value, &end, 10);
    ck_assert_msg(end != value && *end == '\0', "%s= is no number in: %s", key, line);
    return number;
}
