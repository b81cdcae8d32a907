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

/* The length of a message of crowd_queue(), with its line feed and without the name. */
#define CROWD_MESSAGE 1000

/* More than the kernel buffers for a client that does not read: about 4 MB by default. */
#define CROWD_BACKLOG 8000

/* Queues `count` messages with their sender and numbers from `first` on. */
void crowd_queue(struct client *speaker, unsigned first, unsigned count);

/* Returns how many messages the client has received since its cursor. */
size_t crowd_messages(struct client *client);

/* Returns whether the client has received this whole line since its cursor. */
bool crowd_got(const struct client *client, const char *line);

/* Sends and receives for all until the client has received `messages` messages, or this line. */
void crowd_run_until_messages(
    struct client *const *crowd, size_t count, struct client *client, size_t messages);
void crowd_run_until_line(
    struct client *const *crowd, size_t count, struct client *client, const char *line);

/* Sends and receives for all until this client's connection has ended. */
void crowd_run_until_end(struct client *const *crowd, size_t count, struct client *client);

/* The client must have received exactly what the witness has, without its own messages, to the
 * last byte: up to the witness's line `until`, which the client does not receive, or everything
 * if that is NULL. */
void crowd_expect_whole(
    const struct client *client, const struct client *witness, const char *until);

/* The client must have received the beginning of that, and after it only the reason of its
 * disconnection; only its last line may be cut off. Returns how many whole lines it has
 * received. */
size_t crowd_expect_prefix(const struct client *client, const struct client *witness);

#endif
