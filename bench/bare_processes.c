/* SPDX-License-Identifier: ISC */
/*
 * A bare process per client: no server of chatroomd's given shape can do less.
 *
 *     parent: epoll_wait, read a line from a client's socket, put it once into shared memory,
 *             write one frame of 40 bytes to the socketpair of every other client's child
 *     child:  epoll_wait, read the frames there are, write each one's line to its client's socket
 *
 * A client is welcomed by its child, once that is ready: so the time to let clients in is that of
 * fork to a ready child. The shared lines are a ring that is reused without asking: a child can be
 * behind by no more than its socketpair and one read of it hold, which is far less.
 */
#include "config.h"

#include "bare.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BARE_RING_SIZE = 4 * 1024 * 1024,
    BARE_LINE_MAX = 8192,
    BARE_FRAMES = 64,             /* read at once */
    BARE_SOCKETPAIR_SIZE = 65536, /* some 170 frames, with what the kernel adds to each */
};

/* As long as a frame of chatroomd's relay. */
struct frame {
    uint64_t offset, length; /* of a line in the ring */
    uint64_t unused[3];
};
_Static_assert(sizeof(struct frame) == 40, "a frame has 40 bytes");

struct client {
    int socket, child; /* child: the parent's end of its socketpair */
    unsigned index;    /* in the table */
    unsigned number;   /* guestN */
    size_t length;     /* of an unfinished line in the input */
    char input[BARE_LINE_MAX];
};

static char *ring;
static size_t ring_end; /* where the next line goes */
static struct client **clients;
static unsigned client_count, client_number;
static int watched; /* the epoll set */

/* Keep nothing open but stdio, ONE and OTHER, so that an end of the parent's is an end for all. */
static void close_but(unsigned one, unsigned other)
{
    unsigned low = one < other ? one : other, high = one < other ? other : one;

    if (low > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0U, 0);
}

static _Noreturn void deliver(int socket, int relay, unsigned number)
{
    struct frame frames[BARE_FRAMES];
    struct epoll_event event;

    close_but((unsigned)socket, (unsigned)relay);
    int epoll = epoll_create1(0);
    bare_watch(epoll, relay, NULL);
    bare_welcome(socket, number);
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) < 0)
            continue;
        ssize_t length = read(relay, frames, sizeof(frames));
        if (length <= 0)
            _exit(EXIT_SUCCESS);
        for (size_t i = 0; i < (size_t)length / sizeof(frames[0]); i++)
            bare_write(socket, ring + frames[i].offset, frames[i].length);
    }
}

static void enlist(int socket, int child)
{
    struct client *client = alloc_zeroed(1, sizeof(*client));

    client->socket = socket;
    client->child = child;
    client->number = client_number;
    client->index = client_count;
    clients = alloc_resize(clients, client_count + 1, sizeof(*clients));
    clients[client_count++] = client;
    bare_watch(watched, socket, client);
}

static void admit(int listener)
{
    int socket = bare_accept(listener), size = BARE_SOCKETPAIR_SIZE, pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        bare_die("socketpair");
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    client_number++;
    pid_t child = fork();
    if (child < 0)
        bare_die("fork");
    if (child == 0)
        deliver(socket, pair[1], client_number);
    close(pair[1]);
    enlist(socket, pair[0]);
}

static void dismiss(struct client *client)
{
    clients[client->index] = clients[--client_count];
    clients[client->index]->index = client->index;
    /* Closing is not enough: the child has the same socket open. */
    epoll_ctl(watched, EPOLL_CTL_DEL, client->socket, NULL);
    close(client->socket);
    close(client->child); /* its child reads the end of file */
    free(client);
}

static void publish(const struct client *sender, const char *text, size_t length)
{
    char name[BARE_NAME_SIZE];
    size_t name_length = (size_t)snprintf(name, sizeof(name), "[guest%u] ", sender->number);
    struct frame frame = {.length = name_length + length};

    if (ring_end + frame.length > BARE_RING_SIZE)
        ring_end = 0;
    frame.offset = ring_end;
    memcpy(ring + ring_end, name, name_length);
    memcpy(ring + ring_end + name_length, text, length);
    ring_end += frame.length;
    for (unsigned i = 0; i < client_count; i++)
        if (clients[i] != sender)
            bare_write(clients[i]->child, (const char *)&frame, sizeof(frame));
}

static void listen_to(struct client *client)
{
    ssize_t got = read(
        client->socket, client->input + client->length, sizeof(client->input) - client->length);
    char *line = client->input, *newline;

    if (got <= 0) {
        dismiss(client);
        return;
    }
    client->length += (size_t)got;
    while ((newline = memchr(line, '\n', client->length)) != NULL) {
        size_t length = (size_t)(newline - line) + 1;

        publish(client, line, length);
        line += length;
        client->length -= length;
    }
    memmove(client->input, line, client->length);
}

void bare_processes(int listener)
{
    struct epoll_event event;

    ring = mmap(NULL, BARE_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        bare_die("mmap");
    watched = epoll_create1(0);
    bare_watch(watched, listener, NULL);
    for (;;) {
        if (epoll_wait(watched, &event, 1, -1) < 1)
            continue;
        if (event.data.ptr == NULL)
            admit(listener);
        else
            listen_to(event.data.ptr);
    }
}
