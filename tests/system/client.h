/* SPDX-License-Identifier: ISC */
/*
 * client.h - a line client of the server under test.
 *
 * Model: a client has a descriptor to write to and one to read from (the same socket, or the pipes
 * of a program such as nc), the bytes that it has yet to send, all bytes that it has received, and
 * a cursor up to which the test has looked at these. Nothing blocks: client_turn moves the bytes.
 * Every wait of this file consists of client_turns, which also serve the watched descriptors (see
 * bounded.h). A client with `reads` false is not read.
 *
 * Every function that waits has the bound BOUND_MS. After that it fails the test with a message
 * that names the client, what was expected, and what was received.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_CLIENT_H
#define CHATROOMD_TESTS_SYSTEM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_NAME_MAX 32

/* A growing buffer; `data` is NUL-terminated if it is not NULL. */
struct client_bytes {
    char *data;
    size_t length;
    size_t room;
};

/* How many messages came between two offsets of the input; crowd.c keeps it. */
struct client_count {
    size_t from;
    size_t to;
    size_t messages;
};

/* A test may read all of it, and set `reads`; the rest is written by client.c only. */
struct client {
    int input;
    int output;
    bool reads;
    bool ended;   /* the end of the input was seen, or an error, which `error` then is */
    int error;    /* errno of the end: 0, ECONNRESET, ... */
    bool unheard; /* writing has failed: what is sent now is discarded */
    char name[CLIENT_NAME_MAX + 1];
    struct client_bytes in;
    size_t cursor;
    struct client_count count;
    struct client_bytes out;
    size_t sent;
    char *line;
};

/* Connects to an address of a ready line. `receive_buffer` is SO_RCVBUF in bytes, 0 for the
 * default. */
struct client *client_open(const char *address, int receive_buffer);

/* A client that reads from and writes to descriptors, which it owns from now on. */
struct client *client_adopt(int input, int output, const char *name);

/* Connects and waits for the welcome, which contains its name. */
struct client *client_join(const char *address);
struct client *client_join_small(const char *address, int receive_buffer);

/* Waits for the welcome line and checks every word of it. Returns the number of clients that it
 * says. */
unsigned client_expect_welcome(struct client *client);

/* Connects `count` clients one after the other; each must receive the `joined` of the later
 * ones. */
void client_join_room(const char *address, struct client **clients, size_t count);

/* Closes the connection and frees the client. */
void client_close(struct client *client);
/* Resets the connection and frees the client. */
void client_reset(struct client *client);
/* Resets the connection and keeps what it has received. */
void client_break_off(struct client *client);
/* Half-closes: ends the output and keeps the input. */
void client_half_close(struct client *client);

/* Queues bytes to send, without waiting. */
void client_queue(struct client *client, const void *bytes, size_t length);
void client_queue_text(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Queues bytes, and waits until the kernel has accepted all of them. */
void client_send_bytes(struct client *client, const void *bytes, size_t length);
void client_send(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns how many queued bytes the kernel has not accepted yet. */
size_t client_unsent(const struct client *client);

/* Sends and receives for all these clients. Waits until that is possible for one of them;
 * returns false if the deadline passes first. */
bool client_turn(struct client *const *clients, size_t count, int64_t deadline);

/* Returns the next whole line without its LF, or NULL if it has not arrived. It is valid until
 * the next call. */
const char *client_take(struct client *client);

/* Waits for the next line. If the connection ends, the test fails. */
const char *client_line(struct client *client);

/* The next line must be exactly this one. */
void client_expect(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next line must begin with this. Returns the line. */
const char *client_expect_start(struct client *client, const char *start);

/* Skips lines until this one. */
void client_expect_later(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads until the connection has ended, even if `reads` is false, without looking at the lines. */
void client_read_to_end(struct client *client);

/* The connection must end with an EOF and without another byte. */
void client_expect_end(struct client *client);

/* `speaker` says something new, which must be the next line of each listener: nothing else was
 * pending. */
void client_expect_silence(struct client *speaker, struct client *const *listeners, size_t count);

#endif
