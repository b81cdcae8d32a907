/* SPDX-License-Identifier: ISC */
/*
 * The servers that the benchmark can start: how each is started, and what it speaks.
 */
#ifndef CHATROOMD_BENCH_PEER_H
#define CHATROOMD_BENCH_PEER_H

#include "process.h"
#include "protocol.h"

#include <stdbool.h>

enum { PEER_ADDRESS_SIZE = 128 };

struct peer_settings {
    const char *chatroomd;      /* path of the program to measure */
    const char *const *options; /* KEY=VALUE for its -o, NULL at the end */
    const char *const *more;    /* further ones, which count over those; NULL: none */
    unsigned clients;           /* as many must be let in */
};

struct peer {
    const char *name;
    const struct protocol *protocol;
    const char *program; /* of the system, which must be in PATH; NULL: it is built here */
    bool strict;         /* it ends with status 0 after SIGTERM */

    /* Start it, and tell in ADDRESS (PEER_ADDRESS_SIZE bytes) where it listens. False: it is not
     * installed. */
    bool (*start)(struct server *server, const struct peer_settings *settings, char *address);

    /* How many clients it still has anything of, a place or a process; NULL: nobody asks. */
    unsigned (*clients)(struct server *server);
};

extern const struct peer peer_chatroomd;
extern const struct peer peer_redis;
extern const struct peer peer_nats;
extern const struct peer peer_mosquitto;
extern const struct peer peer_ngircd;
extern const struct peer peer_loop;      /* a bare loop of send(), see bare_loop.c */
extern const struct peer peer_processes; /* a bare process per client, see bare_processes.c */

/* The peer called NAME, or NULL. */
const struct peer *peer_find(const char *name);

#endif
