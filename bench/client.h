/* SPDX-License-Identifier: ISC */
/*
 * One connection of the generator: its socket, what it expects, and the bytes in between.
 *
 * A receiver counts and checks messages; a sender writes them and throws away what it is given; a
 * stalled client connects, greets and never reads, and its socket takes so little that the server
 * notices soon. Bytes are read in large pieces into a buffer
 * that all clients share; what is left of a piece after its last whole frame is carried over.
 */
#ifndef CHATROOMD_BENCH_CLIENT_H
#define CHATROOMD_BENCH_CLIENT_H

#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    CLIENT_NAME_SIZE = 64,
    CLIENT_READ_SIZE = 256 * 1024,
    CLIENT_OUTPUT_SIZE = 256 * 1024,
    CLIENT_STALLED_BUFFER = 4096, /* SO_RCVBUF */
    CLIENT_CARRY_EXTRA = 1024,    /* what a frame may have besides its text */
    CLIENT_CARRY_MAX = MESSAGE_SIZE_MAX + CLIENT_CARRY_EXTRA,
};

enum client_role { CLIENT_RECEIVER, CLIENT_SENDER, CLIENT_STALLED };

enum client_state {
    CLIENT_CONNECTING,
    CLIENT_GREETING, /* connected; the server has not yet said that the client is in */
    CLIENT_READY,
    CLIENT_ENDED,
};

struct client {
    int descriptor;
    enum client_role role;
    enum client_state state;
    unsigned index; /* among those of its role; a sender's is its writer number */
    size_t name_length;
    char name[CLIENT_NAME_SIZE]; /* what the server calls it, where it tells */

    struct message_number *next; /* a receiver: the number to come, per writer */
    uint64_t *received;          /* a receiver: messages it has been given */
    uint64_t bytes;              /* bytes read */

    size_t carry_size, carried;
    char *carry;

    bool full;             /* the socket takes no more for now */
    size_t pending, begun; /* bytes in the output, and how many of them have left */
    char *output;          /* CLIENT_OUTPUT_SIZE bytes; a sender's only */
};

/* Where all clients connect to. */
struct client_address {
    struct sockaddr_storage bytes;
    socklen_t length;
};

/* Fill ADDRESS from HOST:PORT or [HOST]:PORT; what cannot be resolved ends the benchmark. */
void client_resolve(struct client_address *address, const char *text);

/* Make the socket and start to connect, without waiting. False: refused at once. */
bool client_connect(struct client *client, const struct client_address *address);

/* What has become of a connect that has ended: 0 or an errno. */
int client_connected(const struct client *client);

/*
 * Read once, into BUFFER (CLIENT_CARRY_MAX + CLIENT_READ_SIZE bytes), behind what was carried over.
 * Returns where the bytes begin, and LENGTH; NULL at the end of the connection. LENGTH is 0 where
 * there was nothing to read.
 */
char *client_read(struct client *client, char *buffer, size_t *length);

/* Keep the LENGTH bytes at REST for the next client_read. False: more than any frame has. */
bool client_carry(struct client *client, const char *rest, size_t length);

/*
 * Send what is pending; what is left then makes the client full. After an error nothing is left:
 * the next read tells of it.
 */
void client_flush(struct client *client);

#endif
