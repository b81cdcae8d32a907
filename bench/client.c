/* SPDX-License-Identifier: ISC */
/* The socket of one client; see client.h. */
#include "config.h"

#include "client.h"

#include "fail.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void client_resolve(struct client_address *address, const char *text)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    const char *colon = strrchr(text, ':');
    char host[256];

    if (colon == NULL)
        fail("%s is not HOST:PORT", text);
    if (text[0] == '[' && colon[-1] == ']')
        snprintf(host, sizeof(host), "%.*s", (int)(colon - text - 2), text + 1);
    else
        snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    int reason = getaddrinfo(host, colon + 1, &hints, &found);
    if (reason != 0)
        fail("%s: %s", text, gai_strerror(reason));
    memcpy(&address->bytes, found->ai_addr, found->ai_addrlen);
    address->length = found->ai_addrlen;
    freeaddrinfo(found);
}

bool client_connect(struct client *client, const struct client_address *address)
{
    int yes = 1, little = CLIENT_STALLED_BUFFER;

    client->descriptor =
        socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0)
        fail("no socket for a client: %s", strerror(errno));
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (client->role == CLIENT_STALLED)
        setsockopt(client->descriptor, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    if (connect(client->descriptor, (const struct sockaddr *)&address->bytes, address->length) ==
            0 ||
        errno == EINPROGRESS)
        return true;
    if (errno != ECONNREFUSED)
        fail("a client cannot connect: %s", strerror(errno));
    return false;
}

int client_connected(const struct client *client)
{
    int reason = 0;
    socklen_t length = sizeof(reason);

    getsockopt(client->descriptor, SOL_SOCKET, SO_ERROR, &reason, &length);
    return reason;
}

char *client_read(struct client *client, char *buffer, size_t *length)
{
    char *begin = buffer + CLIENT_CARRY_MAX - client->carried;
    ssize_t got = recv(client->descriptor, buffer + CLIENT_CARRY_MAX, CLIENT_READ_SIZE, 0);

    *length = 0;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return begin;
    if (got <= 0)
        return NULL;
    client->bytes += (uint64_t)got;
    memcpy(begin, client->carry, client->carried);
    *length = client->carried + (size_t)got;
    client->carried = 0;
    return begin;
}

bool client_carry(struct client *client, const char *rest, size_t length)
{
    if (length > client->carry_size)
        return false;
    memcpy(client->carry, rest, length);
    client->carried = length;
    return true;
}

void client_flush(struct client *client)
{
    ssize_t sent = send(client->descriptor, client->output + client->begun,
        client->pending - client->begun, MSG_NOSIGNAL);

    if (sent >= 0)
        client->begun += (size_t)sent;
    client->full = sent >= 0 ? client->begun < client->pending : errno == EAGAIN || errno == EINTR;
    if (!client->full)
        client->pending = client->begun = 0;
}
