/*
 * Redis pub/sub: receivers SUBSCRIBE to one channel, senders PUBLISH to it, pipelined, and read
 * the replies. RESP (https://redis.io/docs/reference/protocol-spec/): a message to a subscriber is
 *
 *     *3 CRLF $7 CRLF message CRLF $4 CRLF room CRLF $64 CRLF text CRLF
 *
 * which for one size of text is the same 33 bytes before it each time: one comparison parses it.
 */
#include "config.h"

#include "crowd.h"
#include "peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

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

const struct protocol protocol_redis = {
    .name = "redis",
    .receiver_greeting = "*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nroom\r\n",
    .sender_greeting = "PING\r\n",
    .envelopes = redis_envelopes,
    .receive = redis_receive,
    .replies = redis_replies,
};

/* Redis cannot be asked to take any port and tell which; the kernel can. */
static unsigned redis_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) < 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) < 0)
        fail("no free port for Redis");
    close(descriptor);
    return ntohs(address.sin_port);
}

/* Nothing is saved, and no limit slows it down or drops its subscribers. */
static bool redis_start(struct server *server, const struct peer_settings *settings, char *address)
{
    char port[16], clients[16];
    const char *arguments[] = {"redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
        "--appendonly", "no", "--maxclients", clients, "--tcp-backlog", "4096",
        "--client-output-buffer-limit", "pubsub 0 0 0", "--daemonize", "no", "--logfile", "", NULL};

    snprintf(port, sizeof(port), "%u", redis_free_port());
    snprintf(clients, sizeof(clients), "%u", settings->clients + 32);
    snprintf(address, PEER_ADDRESS_SIZE, "127.0.0.1:%s", port);
    return server_start(server, arguments, "Ready to accept connections") != NULL;
}

const struct peer peer_redis = {"redis", &protocol_redis, redis_start};
