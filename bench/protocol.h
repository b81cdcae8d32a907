/* SPDX-License-Identifier: ISC */
/*
 * How the generator speaks to one kind of server: a row per protocol, the same work in each.
 *
 * Every message of a run has the same size, so what goes around its text is the same bytes each
 * time, and is made once. Parsers look at the framing only and hand each text to crowd_take(),
 * which checks it the same way for all.
 */
#ifndef CHATROOMD_BENCH_PROTOCOL_H
#define CHATROOMD_BENCH_PROTOCOL_H

#include <stddef.h>

enum { PROTOCOL_GREETING_SIZE = 256 };

struct client;
struct crowd;

/* What stands before and after a text. */
struct envelope {
    size_t head_length, tail_length;
    char head[64], tail[8];
};

struct protocol {
    const char *name;
    size_t size_max;  /* bytes of the longest text it can carry; 0: any */
    unsigned at_once; /* clients it can be asked to let in at a time; 0: 2,000 */

    /* Put what CLIENT says on connecting at BYTES (PROTOCOL_GREETING_SIZE); returns its length.
     * NULL: it says nothing. */
    size_t (*greet)(const struct client *client, char *bytes);

    /* Fill in what surrounds a text of SIZE bytes as it is SENT, and as it is GIVEN to receivers
     * (all zero where that is not the same bytes each time). */
    void (*envelopes)(size_t size, struct envelope *sent, struct envelope *given);

    /* Take what a receiver, or a sender, was given; returns the bytes used. Both call crowd_ready()
     * or crowd_refuse() while the client is greeting, and crowd_wrong() for what must not come. */
    size_t (*receive)(struct crowd *crowd, struct client *client, const char *bytes, size_t length);
    size_t (*replies)(struct crowd *crowd, struct client *client, const char *bytes, size_t length);
};

extern const struct protocol protocol_chatroomd;
extern const struct protocol protocol_redis;
extern const struct protocol protocol_nats;
extern const struct protocol protocol_mosquitto;
extern const struct protocol protocol_ngircd;

#endif
