/* SPDX-License-Identifier: ISC */
/*
 * The arms of the benchmark: who is measured, and how started. chatroomd is there in several ways,
 * each a row, and beside it its peers and the bare servers, which are its limits.
 */
#ifndef CHATROOMD_BENCH_ARM_H
#define CHATROOMD_BENCH_ARM_H

#include "peer.h"

enum { ARM_OPTIONS_MAX = 3, ARM_REASON_SIZE = 256 };

enum arm_number {
    ARM_CHATROOMD, /* as it comes: couriers deliver */
    ARM_WORKERS,   /* each worker delivers to its own client */
    ARM_REDIS,
    ARM_NATS,
    ARM_MOSQUITTO,
    ARM_NGIRCD,
    ARM_LOOP,
    ARM_PROCESSES,
    ARM_JAIL_OFF,
    ARM_WORKERS_JAIL_OFF,
    ARM_STALLED, /* with clients that never read, and the same without */
    ARM_NONE_STALLED,
    ARM_COUNT,
};

/* A set of arms is a word with the bit of each. */
#define ARM_BIT(arm) (1U << (arm))

enum {
    ARMS_BOTH = ARM_BIT(ARM_CHATROOMD) | ARM_BIT(ARM_WORKERS),
    ARMS_PEERS =
        ARM_BIT(ARM_REDIS) | ARM_BIT(ARM_NATS) | ARM_BIT(ARM_MOSQUITTO) | ARM_BIT(ARM_NGIRCD),
};

struct arm {
    const char *name;
    const struct peer *peer;
    const char *options[ARM_OPTIONS_MAX + 1]; /* for chatroomd's -o, over those of the settings */
    const char *key; /* of chatroomd's configuration, without which there is no such arm; or NULL */
    unsigned stalled; /* clients that never read */
};

extern const struct arm arms[ARM_COUNT];

/* The set of the comma-separated NAMES; what is no arm ends the benchmark. */
unsigned arms_named(const char *names);

/*
 * Why ARM cannot be measured with the program CHATROOMD, as far as that can be told without
 * starting it; NULL: it can. It is static text.
 */
const char *arm_missing(const struct arm *arm, const char *chatroomd);

#endif
