/* SPDX-License-Identifier: ISC */
/* The server of a trial: see trial_start() in trial.h. */
#include "config.h"

#include "trial.h"

#include "fail.h"

void trial_start(const struct trial *trial, unsigned clients, struct server *server, char *address)
{
    const struct arm *arm = &arms[trial->arm];
    const struct peer_settings wanted = {
        .chatroomd = trial->settings->chatroomd,
        .options = trial->settings->options,
        .more = arm->options,
        .clients = clients,
    };

    if (!arm->peer->start(server, &wanted, address))
        fail("%s no longer starts", arm->name);
}

void trial_stop(const struct trial *trial, struct server *server)
{
    server_stop(server, arms[trial->arm].peer->strict);
}
