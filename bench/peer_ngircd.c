/* SPDX-License-Identifier: ISC */
/*
 * ngIRCd, an IRC server: receivers JOIN a channel, senders speak to it from outside, which a
 * channel allows as it comes, so that they are given nothing. RFC 2812.
 *
 *     :s03!~u@127.0.0.1 PRIVMSG #room :03 00000017 ... CRLF       a message of sender 3
 *     :bench.localhost 366 r17 #room :End of NAMES list CRLF      the receiver has joined
 *     :r18!~u@127.0.0.1 JOIN :#room CRLF                          an event: passed over
 *
 * A line has at most 512 bytes, so longer texts cannot be measured here.
 */
#include "config.h"

#include "configuration.h"
#include "crowd.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

enum {
    IRC_LINE_MAX = 512,
    IRC_WRITER = 2, /* offset of the sender's two digits in a line */
    IRC_WRITER_END = 4,
};

static void ngircd_envelopes(size_t size, struct envelope *sent, struct envelope *given)
{
    (void)size;
    sent->head_length = (size_t)snprintf(sent->head, sizeof(sent->head), "PRIVMSG #room :");
    given->head_length =
        (size_t)snprintf(given->head, sizeof(given->head), ":s00!~u@127.0.0.1 PRIVMSG #room :");
    sent->tail_length = given->tail_length = 2;
    memcpy(sent->tail, "\r\n", 2);
    memcpy(given->tail, "\r\n", 2);
}

static size_t ngircd_greet(const struct client *client, char *bytes)
{
    if (client->role == CLIENT_SENDER)
        return (size_t)snprintf(bytes, PROTOCOL_GREETING_SIZE,
            "NICK s%02u\r\nUSER u 0 * :bench\r\nPING go\r\n", client->index);
    return (size_t)snprintf(bytes, PROTOCOL_GREETING_SIZE,
        "NICK %c%u\r\nUSER u 0 * :bench\r\nJOIN #room\r\n",
        client->role == CLIENT_STALLED ? 't' : 'r', client->index);
}

/* A line that is not a message. Errors are numbered from 400 on; 422 tells that there is no message
 * of the day. */
static void ngircd_line(struct crowd *crowd, struct client *client, const char *line, size_t length)
{
    const char *end = line + length, *blank = memchr(line, ' ', length);
    bool error = length >= 5 && memcmp(line, "ERROR", 5) == 0;

    if (line[0] == ':' && blank != NULL && end - blank > 5) {
        if (memcmp(blank, " 366 ", 5) == 0 || memcmp(blank, " PONG", 5) == 0)
            crowd_ready(crowd, client);
        error = blank[1] >= '4' && blank[1] <= '5' && memcmp(blank, " 422 ", 5) != 0;
    }
    if (error && client->state == CLIENT_GREETING)
        crowd_refuse(crowd, client, line, length);
    else if (error)
        crowd_wrong(crowd, client, "an error", line, length);
}

/* Take the message at AT, where there is one, and all of it. Returns its bytes, or 0. */
static size_t ngircd_message(
    struct crowd *crowd, struct client *client, const char *at, size_t length)
{
    const struct envelope *given = &crowd->given;
    size_t frame = given->head_length + crowd->plan.size + given->tail_length;
    const char *text = at + given->head_length;

    if (length < frame || memcmp(at, given->head, IRC_WRITER) != 0 ||
        memcmp(at + IRC_WRITER_END, given->head + IRC_WRITER_END,
            given->head_length - IRC_WRITER_END) != 0 ||
        memcmp(at + IRC_WRITER, text, IRC_WRITER_END - IRC_WRITER) != 0)
        return 0;
    if (at[frame - 2] != '\r' || at[frame - 1] != '\n')
        crowd_wrong(crowd, client, "not the end of a message", at, frame);
    crowd_take(crowd, client, text);
    return frame;
}

static size_t ngircd_receive(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    size_t used = 0;

    while (client->state != CLIENT_ENDED && used < length) {
        size_t taken = ngircd_message(crowd, client, bytes + used, length - used);

        if (taken == 0) {
            const char *line = bytes + used, *newline = memchr(line, '\n', length - used);

            if (newline == NULL)
                break;
            if (line[0] == ':' && line[1] == 's' && client->state == CLIENT_READY)
                crowd_wrong(crowd, client, "not a message", line, (size_t)(newline - line));
            ngircd_line(crowd, client, line, (size_t)(newline - line));
            taken = (size_t)(newline + 1 - line);
        }
        used += taken;
    }
    return used;
}

const struct protocol protocol_ngircd = {
    .name = "ngircd",
    /* What stands before and after the text leaves this much. */
    .size_max = IRC_LINE_MAX - sizeof(":s00!~u@127.0.0.1 PRIVMSG #room :\r\n"),
    .at_once = 8, /* it lets 10 wait in its backlog, and the kernel drops the connects of others */
    .greet = ngircd_greet,
    .envelopes = ngircd_envelopes,
    .receive = ngircd_receive,
    .replies = ngircd_receive,
};

static bool ngircd_start(struct server *server, const struct peer_settings *settings, char *address)
{
    static const char *const arguments[] = {"ngircd", "-n", "-f", CONFIGURATION_FILE, NULL};

    return configuration_start(server, arguments, "ngircd", ") ready", settings, address);
}

const struct peer peer_ngircd = {
    .name = "ngircd",
    .protocol = &protocol_ngircd,
    .program = "ngircd",
    .start = ngircd_start,
};
