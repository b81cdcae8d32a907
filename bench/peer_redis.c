/* SPDX-License-Identifier: ISC */
/*
 * Redis pub/sub: receivers SUBSCRIBE to one channel, senders PUBLISH to it, pipelined, and read
 * the replies. RESP (https://redis.io/docs/reference/protocol-spec/): a message to a subscriber is
 *
 *     *3 CRLF $7 CRLF message CRLF $4 CRLF room CRLF $64 CRLF text CRLF
 *
 * which for one size of text is the same 33 bytes before it each time: one comparison parses it.
 */
#include "config.h"

#include "configuration.h"
#include "crowd.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

#define REDIS_SUBSCRIBED "*3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:1\r\n"
#define REDIS_PONG       "+PONG\r\n"

static void redis_envelopes(size_t size, struct envelope *sent, struct envelope *given)
{
    sent->head_length = (size_t)snprintf(
        sent->head, sizeof(sent->head), "*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$%zu\r\n", size);
    given->head_length = (size_t)snprintf(
        given->head, sizeof(given->head), "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$%zu\r\n", size);
    sent->tail_length = given->tail_length = 2;
    memcpy(sent->tail, "\r\n", 2);
    memcpy(given->tail, "\r\n", 2);
}

/* The answer to the greeting. Returns the bytes used. */
static size_t redis_greeted(struct crowd *crowd, struct client *client, const char *expected,
    const char *bytes, size_t length)
{
    size_t wanted = strlen(expected);

    if (bytes[0] == '-') {
        crowd_refuse(crowd, client, bytes, length);
        return length;
    }
    if (length < wanted)
        return 0;
    if (memcmp(bytes, expected, wanted) != 0)
        crowd_wrong(crowd, client, "not the answer to the greeting", bytes, length);
    crowd_ready(crowd, client);
    return wanted;
}

static size_t redis_receive(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const struct envelope *given = &crowd->given;
    size_t frame = given->head_length + crowd->plan.size + given->tail_length;
    size_t used = 0;

    if (client->state == CLIENT_GREETING)
        used = redis_greeted(crowd, client, REDIS_SUBSCRIBED, bytes, length);
    for (; client->state == CLIENT_READY && length - used >= frame; used += frame) {
        const char *at = bytes + used;

        if (memcmp(at, given->head, given->head_length) != 0 || at[frame - 2] != '\r' ||
            at[frame - 1] != '\n')
            crowd_wrong(crowd, client, "not a message", at, frame);
        crowd_take(crowd, client, at + given->head_length);
    }
    return used;
}

/* A reply to PUBLISH is how many were given the message; the receivers tell that themselves. */
static size_t redis_replies(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const char *error;

    if (client->state == CLIENT_GREETING)
        return redis_greeted(crowd, client, REDIS_PONG, bytes, length);
    error = memchr(bytes, '-', length);
    if (error != NULL)
        crowd_wrong(crowd, client, "an error", error, length - (size_t)(error - bytes));
    return length;
}

static size_t redis_greet(const struct client *client, char *bytes)
{
    return (size_t)snprintf(bytes, PROTOCOL_GREETING_SIZE, "%s",
        client->role == CLIENT_SENDER ? "PING\r\n" : "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nroom\r\n");
}

const struct protocol protocol_redis = {
    .name = "redis",
    .greet = redis_greet,
    .envelopes = redis_envelopes,
    .receive = redis_receive,
    .replies = redis_replies,
};

static bool redis_start(struct server *server, const struct peer_settings *settings, char *address)
{
    static const char *const arguments[] = {"redis-server", CONFIGURATION_FILE, NULL};

    return configuration_start(
        server, arguments, "redis", "Ready to accept connections", settings, address);
}

const struct peer peer_redis = {
    .name = "redis",
    .protocol = &protocol_redis,
    .program = "redis-server",
    .start = redis_start,
};
