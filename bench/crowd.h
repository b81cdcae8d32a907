/* SPDX-License-Identifier: ISC */
/*
 * All clients of one measurement: receivers, senders and stalled ones, in one epoll set.
 *
 * A crowd is gathered at once (every connect is begun before any is waited for, unless the server
 * cannot bear that) and then served in turns: one epoll_wait, and one read of at most
 * CLIENT_READ_SIZE for each client that has something. After crowd_hold() every end of a client,
 * and at all times every wrong byte, is a fault that ends the benchmark.
 */
#ifndef CHATROOMD_BENCH_CROWD_H
#define CHATROOMD_BENCH_CROWD_H

#include "client.h"
#include "latency.h"
#include "protocol.h"

struct crowd_plan {
    const struct protocol *protocol;
    const char *address; /* HOST:PORT */
    unsigned receivers, senders, stalled;
    size_t size; /* bytes of the longest message's text, and of all until crowd_set_size() */
};

struct crowd {
    struct crowd_plan plan;
    struct envelope sent, given;
    char pattern[MESSAGE_SIZE_MAX]; /* a message, whose fill all must have */

    int epoll;
    bool held;
    unsigned count; /* of clients, all together: the receivers, the senders, the stalled */
    unsigned admitted, begun; /* how many of these are to be in, and have begun to connect */
    struct client *clients;
    struct client *senders; /* those of the clients that send */
    uint64_t *received;     /* per receiver */

    unsigned ready, refused, lost; /* refused: told so, or not let in; lost: cut off before ready */
    unsigned stalled_ended;
    uint64_t began, last_ready; /* clock_now() of the first connect, and of the last to be ready */
    char words[128];            /* what the server last said to one it refused */

    struct latency *latency; /* where the times of messages go; NULL: nowhere */
    uint64_t now;            /* time of the last read, where latency is taken */
    char *buffer;
};

/* Everything is allocated, and touched, here, so that a crowd's own memory does not grow later. */
struct crowd *crowd_new(const struct crowd_plan *plan);

/* Closes all connections. */
void crowd_free(struct crowd *crowd);

/* From here on texts have SIZE bytes, no more than they were planned with. */
void crowd_set_size(struct crowd *crowd, size_t size);

/*
 * Connect the first COUNT clients, or those of them that are still to come, and wait until each is
 * ready, refused or lost, at most SECONDS. True: all are ready.
 */
bool crowd_gather(struct crowd *crowd, unsigned count, double seconds);

/* How many of the senders are in. */
unsigned crowd_senders(const struct crowd *crowd);

/* From here on a client that is ended is a fault. */
void crowd_hold(struct crowd *crowd);

/* Wait at most TIMEOUT_MS for something to happen, and serve it. Returns how many clients (or
 * descriptors the caller has added with a NULL pointer) there was something for. */
int crowd_turn(struct crowd *crowd, int timeout_ms);

/* Serve until nothing has come for QUIET_MS. */
void crowd_quiet(struct crowd *crowd, int quiet_ms);

/* Let the stalled clients read, and throw away, what waits for them: the end of a connection comes
 * behind it. Those that the server has ended are counted by the turns that follow. */
void crowd_wake_stalled(struct crowd *crowd);

/* Send what is in CLIENT's output; the rest goes when its socket has room. */
void crowd_send(struct crowd *crowd, struct client *client);

/* Messages that every receiver has been given, and that all together have. */
uint64_t crowd_slowest(const struct crowd *crowd);
uint64_t crowd_deliveries(const struct crowd *crowd);

/* Bytes that the receivers have read. */
uint64_t crowd_bytes(const struct crowd *crowd);

/* For protocols: CLIENT is in; or it was turned away, with WORDS of LENGTH bytes. */
void crowd_ready(struct crowd *crowd, struct client *client);
void crowd_refuse(struct crowd *crowd, struct client *client, const char *words, size_t length);

/* For protocols: have CLIENT say WORDS between its messages. */
void crowd_say(struct crowd *crowd, struct client *client, const char *words);

/* For protocols: these BYTES must not come, because of WHAT; ends the benchmark. */
_Noreturn void crowd_wrong(const struct crowd *crowd, const struct client *client, const char *what,
    const char *bytes, size_t length);

/* For protocols: CLIENT has been given TEXT; returns its writer. It is inline as message_check()
 * is. */
static inline unsigned crowd_take(struct crowd *crowd, struct client *client, const char *text)
{
    unsigned writer = message_writer(text);

    if (writer >= crowd->plan.senders ||
        !message_check(text, crowd->plan.size, &client->next[writer], crowd->pattern))
        crowd_wrong(crowd, client, "not the message that had to come next from this writer", text,
            crowd->plan.size);
    ++*client->received;
    if (crowd->latency != NULL)
        latency_add(crowd->latency, crowd->now - message_time(text));
    return writer;
}

#endif
