/* SPDX-License-Identifier: ISC */
/* The table of arms; see arm.h. */
#include "config.h"

#include "arm.h"

#include "fail.h"

#include <string.h>

#define STALLED_OPTIONS                                                                            \
    {                                                                                              \
        "ring-size=1MiB", "stall-grace=1s", "outbox-size=128KiB"                                   \
    }

const struct arm arms[ARM_COUNT] = {
    [ARM_CHATROOMD] = {.name = "chatroomd", .peer = &peer_chatroomd},
    [ARM_WORKERS] = {.name = "couriers=0",
        .peer = &peer_chatroomd,
        .options = {"couriers=0"},
        .key = "couriers"},
    [ARM_REDIS] = {.name = "redis", .peer = &peer_redis},
    [ARM_NATS] = {.name = "nats", .peer = &peer_nats},
    [ARM_MOSQUITTO] = {.name = "mosquitto", .peer = &peer_mosquitto},
    [ARM_NGIRCD] = {.name = "ngircd", .peer = &peer_ngircd},
    [ARM_LOOP] = {.name = "loop", .peer = &peer_loop},
    [ARM_PROCESSES] = {.name = "processes", .peer = &peer_processes},
    [ARM_JAIL_OFF] = {.name = "jail=off", .peer = &peer_chatroomd, .options = {"jail=off"}},
    [ARM_WORKERS_JAIL_OFF] = {.name = "couriers=0+jail=off",
        .peer = &peer_chatroomd,
        .options = {"couriers=0", "jail=off"},
        .key = "couriers"},
    [ARM_STALLED] = {.name = "stalled",
        .peer = &peer_chatroomd,
        .options = STALLED_OPTIONS,
        .stalled = 100},
    [ARM_NONE_STALLED] = {.name = "none-stalled",
        .peer = &peer_chatroomd,
        .options = STALLED_OPTIONS},
};

unsigned arms_named(const char *names)
{
    unsigned set = 0;

    while (*names != '\0') {
        size_t length = strcspn(names, ",");
        enum arm_number arm = 0;

        while (arm < ARM_COUNT &&
               (strlen(arms[arm].name) != length || memcmp(arms[arm].name, names, length) != 0))
            arm++;
        if (arm == ARM_COUNT)
            fail("there is no arm %.*s", (int)length, names);
        set |= ARM_BIT(arm);
        names += length + (names[length] == ',');
    }
    return set;
}

const char *arm_missing(const struct arm *arm, const char *chatroomd)
{
    const char *const print[] = {chatroomd, "-T", NULL};
    struct server server;

    if (arm->peer->program != NULL && !program_there(arm->peer->program))
        return "it is not installed";
    if (arm->key != NULL && strstr(server_ask(&server, print), arm->key) == NULL)
        return "this chatroomd has no key couriers, and delivers in one way only";
#ifndef HAVE_SECCOMP
    if (arm == &arms[ARM_JAIL_OFF] || arm == &arms[ARM_WORKERS_JAIL_OFF])
        return "this chatroomd was built without its jail";
#endif
    return NULL;
}
