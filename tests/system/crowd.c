/* SPDX-License-Identifier: ISC */
/*
 * crowd.c - rooms with many messages; see crowd.h.
 */
#include "config.h"

#include "tests/system/crowd.h"

#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/transcript.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void crowd_queue(struct client *speaker, unsigned first, unsigned count)
{
    char message[CROWD_MESSAGE];

    for (unsigned number = first; number < first + count; number++) {
        int length = snprintf(message, sizeof(message), "%s says %u ", speaker->name, number);

        memset(message + length, 'a' + (int)(number % 26), sizeof(message) - (size_t)length);
        message[sizeof(message) - 1] = '\n';
        client_queue(speaker, message, sizeof(message));
    }
}

/* Counts only what has arrived since the last call, as long as the cursor stays. */
size_t crowd_messages(struct client *client)
{
    struct client_count *count = &client->count;
    const char *end;

    if (count->from != client->cursor || count->to < count->from)
        *count = (struct client_count){.from = client->cursor, .to = client->cursor};
    while (count->to < client->in.length) {
        const char *at = client->in.data + count->to;

        end = memchr(at, '\n', client->in.length - count->to);
        if (end == NULL)
            break;
        count->messages += *at == '[';
        count->to += (size_t)(end + 1 - at);
    }
    return count->messages;
}

/* crowd_got, looking from an offset on. */
static bool got_since(const struct client *client, const char *line, size_t offset)
{
    size_t length = strlen(line);
    const char *at = client->in.data + offset;

    if (client->in.length == offset)
        return false;
    for (; (at = strstr(at, line)) != NULL; at++)
        if (at[length] == '\n' && (at == client->in.data || at[-1] == '\n'))
            return true;
    return false;
}

bool crowd_got(const struct client *client, const char *line)
{
    return got_since(client, line, client->cursor);
}

void crowd_run_until_messages(
    struct client *const *crowd, size_t count, struct client *client, size_t messages)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (crowd_messages(client) < messages)
        ck_assert_msg(client_turn(crowd, count, deadline), "%s got %zu messages instead of %zu",
            client->name, crowd_messages(client), messages);
}

void crowd_run_until_line(
    struct client *const *crowd, size_t count, struct client *client, const char *line)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t from = client->cursor;

    while (!got_since(client, line, from)) {
        if (client->in.length > from + strlen(line))
            from = client->in.length - strlen(line);
        ck_assert_msg(
            client_turn(crowd, count, deadline), "%s does not get \"%s\"", client->name, line);
    }
}

void crowd_run_until_end(struct client *const *crowd, size_t count, struct client *client)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (!client->ended)
        ck_assert_msg(
            client_turn(crowd, count, deadline), "the connection of %s does not end", client->name);
}

void crowd_expect_whole(
    const struct client *client, const struct client *witness, const char *until)
{
    struct transcript *got = transcript_of(client, client->cursor);
    struct transcript *told = transcript_of(witness, witness->cursor);

    transcript_drop_sender(told, client->name);
    if (until != NULL)
        transcript_end_before(told, until);
    transcript_expect_same(told, got);
    ck_assert_msg(!got->cut, "the last line of %s is cut", client->name);
    transcript_free(got);
    transcript_free(told);
}

size_t crowd_expect_prefix(const struct client *client, const struct client *witness)
{
    struct transcript *got = transcript_of(client, client->cursor);
    struct transcript *told = transcript_of(witness, witness->cursor);
    size_t count;

    transcript_take_goodbye(got);
    count = got->count;
    transcript_drop_sender(told, client->name);
    ck_assert_msg(got->count <= told->count, "%s got %zu lines, more than %s, who got %zu",
        client->name, got->count, witness->name, told->count);
    told->count = got->count;
    transcript_expect_same(told, got);
    transcript_free(got);
    transcript_free(told);
    return count;
}
