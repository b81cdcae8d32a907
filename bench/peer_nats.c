/* SPDX-License-Identifier: ISC */
/*
 * NATS: receivers SUB to one subject, senders PUB to it, pipelined; no acknowledgements (verbose is
 * off). https://docs.nats.io/reference/reference-protocols/nats-protocol
 *
 *     INFO {...} CRLF                        once, on connecting; PONG CRLF answers our PING
 *     MSG room 1 64 CRLF text CRLF           a message: for one size of text the same bytes before
 * it PING CRLF                              must be answered
 */
#include "config.h"

#include "configuration.h"
#include "crowd.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

static void nats_envelopes(size_t size, struct envelope *sent, struct envelope *given)
{
    sent->head_length = (size_t)snprintf(sent->head, sizeof(sent->head), "PUB room %zu\r\n", size);
    given->head_length =
        (size_t)snprintf(given->head, sizeof(given->head), "MSG room 1 %zu\r\n", size);
    sent->tail_length = given->tail_length = 2;
    memcpy(sent->tail, "\r\n", 2);
    memcpy(given->tail, "\r\n", 2);
}

static size_t nats_greet(const struct client *client, char *bytes)
{
    return (size_t)snprintf(bytes, PROTOCOL_GREETING_SIZE, "%s%sPING\r\n",
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false}\r\n",
        client->role == CLIENT_SENDER ? "" : "SUB room 1\r\n");
}

static bool nats_begins(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* A line that is not a message. An answer to PING fits in a socket whose client does not write, and
 * in a sender's it waits behind what the sender has written. */
static void nats_line(struct crowd *crowd, struct client *client, const char *line, size_t length)
{
    if (nats_begins(line, length, "PONG")) {
        if (client->state == CLIENT_GREETING)
            crowd_ready(crowd, client);
    } else if (nats_begins(line, length, "PING")) {
        crowd_say(crowd, client, "PONG\r\n");
    } else if (!nats_begins(line, length, "INFO ")) {
        if (client->state != CLIENT_GREETING)
            crowd_wrong(crowd, client, "neither a message nor a PING", line, length);
        crowd_refuse(crowd, client, line, length);
    }
}

static size_t nats_receive(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const struct envelope *given = &crowd->given;
    size_t frame = given->head_length + crowd->plan.size + given->tail_length;
    size_t used = 0;

    while (client->state != CLIENT_ENDED && used < length) {
        const char *at = bytes + used, *newline;

        if (at[0] == 'M') {
            if (length - used < frame)
                break;
            if (memcmp(at, given->head, given->head_length) != 0 || at[frame - 2] != '\r' ||
                at[frame - 1] != '\n')
                crowd_wrong(crowd, client, "not a message", at, frame);
            crowd_take(crowd, client, at + given->head_length);
            used += frame;
            continue;
        }
        newline = memchr(at, '\n', length - used);
        if (newline == NULL)
            break;
        nats_line(crowd, client, at, (size_t)(newline - at));
        used = (size_t)(newline + 1 - bytes);
    }
    return used;
}

const struct protocol protocol_nats = {
    .name = "nats",
    .greet = nats_greet,
    .envelopes = nats_envelopes,
    .receive = nats_receive,
    .replies = nats_receive,
};

static bool nats_start(struct server *server, const struct peer_settings *settings, char *address)
{
    static const char *const arguments[] = {"nats-server", "-c", CONFIGURATION_FILE, NULL};

    return configuration_start(server, arguments, "nats", "Server is ready", settings, address);
}

const struct peer peer_nats = {
    .name = "nats",
    .protocol = &protocol_nats,
    .program = "nats-server",
    .start = nats_start,
};
