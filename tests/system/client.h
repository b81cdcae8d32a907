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

/* Bytes that grow; `data` is NUL-terminated where there is any. */
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
    bool unheard; /* an error came on writing: what is sent now is thrown away */
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

/* Connects and waits for the welcome, which gives it its name. */
struct client *client_join(const char *address);
struct client *client_join_small(const char *address, int receive_buffer);

/* Waits for the welcome line and checks every word of it. Returns how many are here, says the line.
 */
unsigned client_expect_welcome(struct client *client);

/* Lets `count` clients join one after the other, and each see the later ones join. */
void client_join_room(const char *address, struct client **clients, size_t count);

/* Closes, in the plain way, and frees. */
void client_close(struct client *client);
/* Closes so that the peer gets a reset, and frees. */
void client_reset(struct client *client);
/* The same, but keeps what it was given: it has ended then. */
void client_break_off(struct client *client);
/* Ends the output, keeps the input. */
void client_half_close(struct client *client);

/* Puts bytes into the queue of those to send: no waiting. */
void client_queue(struct client *client, const void *bytes, size_t length);
void client_queue_text(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Queues, and waits until the kernel has taken all. */
void client_send_bytes(struct client *client, const void *bytes, size_t length);
void client_send(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many queued bytes the kernel has not taken yet. */
size_t client_unsent(const struct client *client);

/* Moves what can be moved for all these clients, waiting until something can or the deadline has
 * passed, in which case it returns false. */
bool client_turn(struct client *const *clients, size_t count, int64_t deadline);

/* The next whole line without its LF, if it has come already, else NULL. The client's until the
 * next call. */
const char *client_take(struct client *client);

/* Waits for the next line. An end of the connection fails the test. */
const char *client_line(struct client *client);

/* The next line must be exactly this one. */
void client_expect(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next line must begin with this. Returns the line. */
const char *client_expect_start(struct client *client, const char *start);

/* Passes over lines until this one has come. */
void client_expect_later(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Waits until the connection has ended, reading all that comes (`reads` or not); looks at no line.
 */
void client_read_to_end(struct client *client);

/* The connection must end now, with no byte more, and orderly: by an EOF. */
void client_expect_end(struct client *client);

/* `speaker` says something new, and the next thing each listener sees must be just that: nothing
 * else was on its way. */
void client_expect_silence(struct client *speaker, struct client *const *listeners, size_t count);

#endif
