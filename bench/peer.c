/* SPDX-License-Identifier: ISC */
/* The table of servers; see peer.h. */
#include "config.h"

#include "peer.h"

#include <string.h>

const struct peer *peer_find(const char *name)
{
    static const struct peer *const peers[] = {&peer_chatroomd, &peer_redis, &peer_nats,
        &peer_mosquitto, &peer_ngircd, &peer_loop, &peer_processes};

    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
        if (strcmp(peers[i]->name, name) == 0)
            return peers[i];
    return NULL;
}
