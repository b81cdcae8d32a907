/* SPDX-License-Identifier: ISC */
/*
 * chatroomd and its line protocol, which the bare loop speaks as well.
 *
 *     * Welcome to chatroomd; you are guest1; ...     the client is in, and this is its name
 *     * ...                                           an event: passed over
 *     ! ...                                           an error: nothing a benchmark may see
 *     [guest1] text                                   a message, and who has said it
 *
 * All are in the one room at once, so senders too are given each other's messages: they read them
 * and throw them away, and only those that reach receivers are counted.
 */
#include "config.h"

#include "crowd.h"
#include "fail.h"
#include "peer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WELCOME "* Welcome"
#define YOU_ARE "you are "

static void chatroomd_envelopes(size_t size, struct envelope *sent, struct envelope *given)
{
    (void)size;
    memset(given, 0, sizeof(*given));
    sent->head_length = 0;
    sent->tail_length = 1;
    sent->tail[0] = '\n';
}

/* A line that is not a message. */
static void chatroomd_event(
    struct crowd *crowd, struct client *client, const char *line, size_t length)
{
    const char *name;

    if (line[0] == '!' && client->state == CLIENT_GREETING) {
        crowd_refuse(crowd, client, line, length);
        return;
    }
    if (line[0] != '*')
        crowd_wrong(crowd, client, "neither a message nor an event", line, length);
    if (client->state != CLIENT_GREETING || length < strlen(WELCOME) ||
        memcmp(line, WELCOME, strlen(WELCOME)) != 0)
        return;
    name = memmem(line, length, YOU_ARE, strlen(YOU_ARE));
    if (name == NULL)
        crowd_wrong(crowd, client, "a welcome without a name", line, length);
    name += strlen(YOU_ARE);
    snprintf(client->name, sizeof(client->name), "%.*s", (int)strcspn(name, "; \n"), name);
    client->name_length = strlen(client->name);
    crowd_ready(crowd, client);
}

/* How long "[", a name and "] " are, where that is the same for all who send; or 0. */
static size_t chatroomd_head(const struct crowd *crowd)
{
    size_t length = crowd->senders[0].name_length;

    for (unsigned i = 1; i < crowd_senders(crowd); i++)
        if (crowd->senders[i].name_length != length)
            return 0;
    return length + 3;
}

/*
 * Take the message at LINE without looking for its end, which is known once the length of all heads
 * is: this is the way that most go. False: it is not all there, or not one of those.
 */
static bool chatroomd_known(
    struct crowd *crowd, struct client *client, const char *line, size_t length)
{
    size_t head = crowd->given.head_length, frame = head + crowd->plan.size + 1;
    const char *text = line + head;

    if (head == 0 || length < frame || line[0] != '[' || line[frame - 1] != '\n')
        return false;
    unsigned writer = message_writer(text);
    if (writer >= crowd->plan.senders || memcmp(text - 2, "] ", 2) != 0 ||
        memcmp(line + 1, crowd->senders[writer].name, head - 3) != 0)
        return false;
    crowd_take(crowd, client, text);
    return true;
}

/* "[", the name of the sender, "] ", the text, and no byte more. */
static void chatroomd_message(
    struct crowd *crowd, struct client *client, const char *line, size_t length)
{
    size_t size = crowd->plan.size;
    const struct client *sender;

    if (length < size + 3)
        crowd_wrong(crowd, client, "a message too short", line, length);
    sender = &crowd->senders[crowd_take(crowd, client, line + length - size)];
    if (length != sender->name_length + size + 3 ||
        memcmp(line + 1, sender->name, sender->name_length) != 0)
        crowd_wrong(crowd, client, "not the name of who has written it", line, length);
    crowd->given.head_length = chatroomd_head(crowd);
}

static size_t chatroomd_receive(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const char *line = bytes, *end = bytes + length, *newline;

    while (client->state != CLIENT_ENDED && line < end) {
        if (chatroomd_known(crowd, client, line, (size_t)(end - line))) {
            line += crowd->given.head_length + crowd->plan.size + 1;
            continue;
        }
        newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL)
            break;
        if (line[0] == '[')
            chatroomd_message(crowd, client, line, (size_t)(newline - line));
        else
            chatroomd_event(crowd, client, line, (size_t)(newline - line));
        line = newline + 1;
    }
    return (size_t)(line - bytes);
}

/* Once it is in, a sender only makes sure that there is no error: none of our texts has a '!'. */
static size_t chatroomd_replies(
    struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    const char *error;

    if (client->state == CLIENT_GREETING)
        return chatroomd_receive(crowd, client, bytes, length);
    error = memchr(bytes, '!', length);
    if (error != NULL)
        crowd_wrong(crowd, client, "an error", error, length - (size_t)(error - bytes));
    return length;
}

const struct protocol protocol_chatroomd = {
    .name = "chatroomd",
    .envelopes = chatroomd_envelopes,
    .receive = chatroomd_receive,
    .replies = chatroomd_replies,
};

/* Put -o and each of OPTIONS behind the COUNT arguments there are. Returns how many there are then.
 */
static size_t chatroomd_options(
    const char **arguments, size_t count, size_t room, const char *const *options)
{
    for (; options != NULL && *options != NULL; options++) {
        if (count + 2 > room)
            fail("too many options for %s: %s", arguments[0], *options);
        arguments[count++] = "-o";
        arguments[count++] = *options;
    }
    return count;
}

static bool chatroomd_start(
    struct server *server, const struct peer_settings *settings, char *address)
{
    enum { ARGUMENTS_MAX = 80 };
    char clients[32];
    const char *arguments[ARGUMENTS_MAX + 1] = {
        settings->chatroomd, "-l", "127.0.0.1:0", "-o", clients, "-o", "log-level=notice"};
    const char *listen;
    size_t count = 7;

    snprintf(clients, sizeof(clients), "max-clients=%u", settings->clients);
    count = chatroomd_options(arguments, count, ARGUMENTS_MAX, settings->options);
    chatroomd_options(arguments, count, ARGUMENTS_MAX, settings->more);
    listen = server_start(server, arguments, "event=ready listen=");
    if (listen == NULL)
        fail("%s is not there: build it first, or name another with --server", settings->chatroomd);
    snprintf(address, PEER_ADDRESS_SIZE, "%s", listen);
    return true;
}

/* Places that are not free. One is free again only when its worker is reaped and its courier is
 * done with it; spare workers have none. */
static unsigned chatroomd_clients(struct server *server)
{
    const char *counters = server_signal(server, SIGUSR1, "event=counters ");
    const char *slots = strstr(counters, " slots=");
    unsigned count;

    if (slots == NULL || sscanf(slots, " slots=%u", &count) != 1)
        fail("chatroomd does not count its slots: %s", counters);
    return count;
}

const struct peer peer_chatroomd = {
    .name = "chatroomd",
    .protocol = &protocol_chatroomd,
    .strict = true,
    .start = chatroomd_start,
    .clients = chatroomd_clients,
};
