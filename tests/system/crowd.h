/* SPDX-License-Identifier: ISC */
/*
 * crowd.h - rooms with many messages, for tests that no client loses any of them.
 *
 * Model: a crowd is an array of clients of one room that client_join_room() has joined, so that all
 * their cursors are at the same place of the one order. One of them, the witness, only reads. What
 * another client has received is compared with what the witness has.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_CROWD_H
#define CHATROOMD_TESTS_SYSTEM_CROWD_H

#include <stdbool.h>
#include <stddef.h>

struct client;

/* Bytes of one message of crowd_queue, with its line feed and without the name. */
#define CROWD_MESSAGE 1000

/* More than the kernel takes for a client that does not read: about 4 MB by default. */
#define CROWD_BACKLOG 8000

/* Queues `count` messages that tell who said them and their numbers, from `first` on. */
void crowd_queue(struct client *speaker, unsigned first, unsigned count);

/* How many messages the client got since its cursor, of whomever. */
size_t crowd_messages(struct client *client);

/* Whether the client got this whole line since its cursor. */
bool crowd_got(const struct client *client, const char *line);

/* Lets bytes move for all until the client has got so many messages, or this line. */
void crowd_run_until_messages(
    struct client *const *crowd, size_t count, struct client *client, size_t messages);
void crowd_run_until_line(
    struct client *const *crowd, size_t count, struct client *client, const char *line);

/* Lets bytes move for all until this one's connection has ended. */
void crowd_run_until_end(struct client *const *crowd, size_t count, struct client *client);

/* The client must have got just what the witness got, but for its own messages, to the last byte:
 * up to the line `until` of the witness, which it is not given itself; all, where that is NULL. */
void crowd_expect_whole(
    const struct client *client, const struct client *witness, const char *until);

/* The client must have got the beginning of that and nothing else but why it is ended; only its
 * last line may be cut. Returns how many whole lines it got. */
size_t crowd_expect_prefix(const struct client *client, const struct client *witness);

#endif
