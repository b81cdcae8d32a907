/* SPDX-License-Identifier: ISC */
/* The bare servers (bare.h) as peers: their program lies beside this one, and speaks the line
 * protocol. */
#include "config.h"

#include "fail.h"
#include "peer.h"
#include "usage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool bare_start(struct server *server, const char *kind, char *address)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("bare"));
    const char *arguments[] = {path, kind, NULL};
    const char *listen;

    if (length < 0)
        fail("/proc/self/exe cannot be read");
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "bare");
    listen = server_start(server, arguments, "event=ready listen=");
    if (listen == NULL)
        fail("%s is not there: build it first", path);
    snprintf(address, PEER_ADDRESS_SIZE, "%s", listen);
    return true;
}

static bool loop_start(struct server *server, const struct peer_settings *settings, char *address)
{
    (void)settings;
    return bare_start(server, "loop", address);
}

static bool processes_start(
    struct server *server, const struct peer_settings *settings, char *address)
{
    (void)settings;
    return bare_start(server, "processes", address);
}

static unsigned processes_clients(struct server *server)
{
    return usage_children(server->pid);
}

const struct peer peer_loop = {
    .name = "loop", .protocol = &protocol_chatroomd, .strict = true, .start = loop_start};
const struct peer peer_processes = {
    .name = "processes",
    .protocol = &protocol_chatroomd,
    .strict = true,
    .start = processes_start,
    .clients = processes_clients,
};
