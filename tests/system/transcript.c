/* SPDX-License-Identifier: ISC */
/*
 * transcript.c - what a client has received, as a list of lines; see transcript.h.
 */
#include "config.h"

#include "tests/system/transcript.h"

#include "tests/system/client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct transcript *transcript_of(const struct client *client, size_t start)
{
    struct transcript *transcript = calloc(1, sizeof(*transcript));
    size_t lines = 0;
    char *at, *end;

    ck_assert_ptr_nonnull(transcript);
    snprintf(transcript->name, sizeof(transcript->name), "%s", client->name);
    transcript->text = strdup(client->in.length > start ? client->in.data + start : "");
    for (at = transcript->text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    transcript->lines = calloc(lines + 1, sizeof(char *));
    for (at = transcript->text; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        *end = '\0';
        transcript->lines[transcript->count++] = at;
    }
    transcript->cut = *at != '\0';
    return transcript;
}

void transcript_free(struct transcript *transcript)
{
    free(transcript->text);
    free(transcript->lines);
    free(transcript);
}

/* Returns whether a line is a message of this sender, or of any if that is NULL. */
static bool is_from(const char *line, const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);

    if (line[0] != '[')
        return false;
    return name == NULL || (strncmp(line + 1, name, length) == 0 && line[1 + length] == ']');
}

static void keep_if(struct transcript *transcript, const char *name, bool wanted)
{
    size_t kept = 0;

    for (size_t at = 0; at < transcript->count; at++)
        if (is_from(transcript->lines[at], name) == wanted)
            transcript->lines[kept++] = transcript->lines[at];
    transcript->count = kept;
}

void transcript_keep_messages(struct transcript *transcript)
{
    keep_if(transcript, NULL, true);
}

void transcript_keep_sender(struct transcript *transcript, const char *name)
{
    keep_if(transcript, name, true);
}

void transcript_drop_sender(struct transcript *transcript, const char *name)
{
    keep_if(transcript, name, false);
}

void transcript_drop_first(struct transcript *transcript, size_t count)
{
    ck_assert_uint_le(count, transcript->count);
    transcript->count -= count;
    memmove(transcript->lines, transcript->lines + count, transcript->count * sizeof(char *));
}

const char *transcript_take_goodbye(struct transcript *transcript)
{
    static const char start[] = "! You are disconnected: ";
    const char *last = transcript->count > 0 ? transcript->lines[transcript->count - 1] : "";

    if (strncmp(last, start, strlen(start)) != 0)
        return NULL;
    transcript->count--;
    return last + strlen(start);
}

size_t transcript_find(const struct transcript *transcript, const char *line)
{
    size_t at = 0;

    while (at < transcript->count && strcmp(transcript->lines[at], line) != 0)
        at++;
    return at;
}

void transcript_end_before(struct transcript *transcript, const char *line)
{
    size_t at = transcript_find(transcript, line);

    ck_assert_msg(at < transcript->count, "%s never got \"%s\"", transcript->name, line);
    transcript->count = at;
}

void transcript_end_after(struct transcript *transcript, const char *line)
{
    transcript_end_before(transcript, line);
    transcript->count++;
}

void transcript_expect_same(const struct transcript *one, const struct transcript *other)
{
    size_t shorter = one->count < other->count ? one->count : other->count;

    for (size_t at = 0; at < shorter; at++)
        ck_assert_msg(strcmp(one->lines[at], other->lines[at]) == 0,
            "line %zu of %s is \"%.200s\", but of %s \"%.200s\"", at + 1, one->name, one->lines[at],
            other->name, other->lines[at]);
    ck_assert_msg(one->count == other->count,
        "%s got %zu lines, but %s %zu; the first missing: %.200s", one->name, one->count,
        other->name, other->count,
        one->count > shorter ? one->lines[shorter] : other->lines[shorter]);
}
