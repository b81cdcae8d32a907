/* SPDX-License-Identifier: ISC */
/*
 * lives.c - what the server's log says of its clients; see lives.h.
 */
#include "config.h"

#include "tests/checker/lives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Grows an array to hold one more; its size is a power of two. */
static void *grown(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    array = realloc(array, (count == 0 ? 1 : 2 * count) * size);
    if (array == NULL)
        abort();
    return array;
}

/* Reads the value of a key, "" if the line has none. */
static void take_value(const char *line, const char *key, char *value, size_t size)
{
    char pattern[40];
    const char *at;

    snprintf(pattern, sizeof(pattern), " %s=", key);
    at = strstr(line, pattern);
    value[0] = '\0';
    if (at == NULL)
        return;
    at += strlen(pattern);
    if (*at == '"')
        snprintf(value, size, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
    else
        snprintf(value, size, "%.*s", (int)strcspn(at, " "), at);
}

static unsigned long long take_number(const char *line, const char *key)
{
    char value[LIFE_TEXT];

    take_value(line, key, value, sizeof(value));
    return strtoull(value, NULL, 10);
}

static void take_join(struct lives *lives, const char *line)
{
    struct life *life;

    lives->life = grown(lives->life, lives->count, sizeof(*lives->life));
    life = &lives->life[lives->count++];
    *life = (struct life){
        .slot = take_number(line, "slot"),
        .generation = take_number(line, "generation"),
        .joined = take_number(line, "sequence"),
        .left_at = SIZE_MAX,
    };
    take_value(line, "name", life->name, sizeof(life->name));
    take_value(line, "address", life->address, sizeof(life->address));
}

static void take_leave(struct lives *lives, const char *line)
{
    unsigned long slot = take_number(line, "slot"), generation = take_number(line, "generation");
    char name[LIFE_TEXT];

    for (size_t at = lives->count; at-- > 0;) {
        struct life *life = &lives->life[at];

        if (life->slot != slot || life->generation != generation || life->ended)
            continue;
        life->ended = true;
        take_value(line, "reason", life->reason, sizeof(life->reason));
        take_value(line, "drain", life->drain, sizeof(life->drain));
        life->first_missing = take_number(line, "first_missing");
        return;
    }
    /* A client that never joined has no name. */
    take_value(line, "name", name, sizeof(name));
    if (strcmp(name, "-") != 0 && lives->unmatched++ == 0)
        snprintf(lives->unmatched_line, sizeof(lives->unmatched_line), "%s", line);
}

static void take_rename(struct lives *lives, const char *line)
{
    lives->renames = grown(lives->renames, lives->rename_count, sizeof(*lives->renames));
    lives->renames[lives->rename_count++] = take_number(line, "sequence");
}

static void take_line(struct lives *lives, const char *line)
{
    const char *event = strstr(line, "event=");

    if (event == NULL)
        return;
    if (strncmp(event, "event=join ", 11) == 0)
        take_join(lives, event);
    else if (strncmp(event, "event=leave ", 12) == 0)
        take_leave(lives, event);
    else if (strncmp(event, "event=rename ", 13) == 0)
        take_rename(lives, event);
    else if (strncmp(event, "event=log-lost", 14) == 0)
        lives->lost = true;
}

void lives_make(struct lives *lives, const char *log)
{
    char *copy = strdup(log), *rest = copy, *line;

    if (copy == NULL)
        abort();
    *lives = (struct lives){.life = NULL};
    while ((line = strsep(&rest, "\n")) != NULL)
        take_line(lives, line);
    free(copy);
}

void lives_free(struct lives *lives)
{
    free(lives->life);
    free(lives->renames);
    *lives = (struct lives){.life = NULL};
}
