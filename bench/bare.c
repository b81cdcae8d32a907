/*
 * The bare loop of a process per client: the least that any server of chatroomd's shape must do,
 * and so the measure of what chatroomd does beyond it.
 *
 *     parent: epoll_wait, read a line from a client's socket, put it once into shared memory,
 *             write one frame of 40 bytes to the socketpair of every other client's child
 *     child:  epoll_wait, read the frames there are, write each one's line to its client's socket
 *
 * It speaks just enough of the line protocol for the load generator: a welcome with a name, and
 * "[name] text". It trusts everybody, names nobody in its log, and waits for a client that does not
 * read, with all the others. The shared lines are a ring that is reused without asking: a child
 * can be behind by no more than its socketpair and one read of it hold, which is far less.
 */
#include "config.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
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
static int port;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void on_terminate(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
}

static void write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);

        if (written <= 0)
            return; /* the client is gone; its reader will know */
        bytes += written;
        length -= (size_t)written;
    }
}

static void watch(int epoll, int descriptor, void *who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
        die("epoll_ctl");
}

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

static _Noreturn void deliver(int socket, int relay)
{
    struct frame frames[BARE_FRAMES];
    struct epoll_event event;

    close_but((unsigned)socket, (unsigned)relay);
    int epoll = epoll_create1(0);
    watch(epoll, relay, NULL);
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) < 0)
            continue;
        ssize_t length = read(relay, frames, sizeof(frames));
        if (length <= 0)
            _exit(EXIT_SUCCESS);
        for (size_t i = 0; i < (size_t)length / sizeof(frames[0]); i++)
            write_all(socket, ring + frames[i].offset, frames[i].length);
    }
}

static struct client *enlist(int socket, int child)
{
    struct client *client = alloc_zeroed(1, sizeof(*client));

    client->socket = socket;
    client->child = child;
    client->number = ++client_number;
    client->index = client_count;
    clients = alloc_resize(clients, client_count + 1, sizeof(*clients));
    clients[client_count++] = client;
    return client;
}

static void admit(int listener)
{
    int socket = accept(listener, NULL, NULL), yes = 1, size = BARE_SOCKETPAIR_SIZE, pair[2];
    char welcome[64];

    if (socket < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        die("no room for a client");
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0)
        deliver(socket, pair[1]);
    close(pair[1]);
    struct client *client = enlist(socket, pair[0]);
    watch(watched, socket, client);
    int length =
        snprintf(welcome, sizeof(welcome), "* Welcome to bare; you are guest%u;\n", client->number);
    write_all(socket, welcome, (size_t)length);
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
    char name[32];
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
            write_all(clients[i]->child, (const char *)&frame, sizeof(frame));
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

static int make_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 ||
        listen(listener, SOMAXCONN) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        die("cannot listen");
    port = ntohs(address.sin_port);
    return listener;
}

int main(void)
{
    struct epoll_event event;
    int listener = make_listener();

    signal(SIGTERM, on_terminate);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    ring = mmap(NULL, BARE_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        die("mmap");
    watched = epoll_create1(0);
    watch(watched, listener, NULL);
    fprintf(stderr, "event=ready listen=127.0.0.1:%d\n", port);
    for (;;) {
        if (epoll_wait(watched, &event, 1, -1) < 1)
            continue;
        if (event.data.ptr == NULL)
            admit(listener);
        else
            listen_to(event.data.ptr);
    }
}
