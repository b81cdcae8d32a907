/* The bare loop (bare.c) as a peer: it lies beside this program, and speaks the line protocol. */
#include "config.h"

#include "fail.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool bare_start(struct server *server, const struct peer_settings *settings, char *address)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("bare"));
    const char *arguments[] = {path, NULL};
    const char *listen;

    (void)settings;
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

const struct peer peer_bare = {"bare", &protocol_chatroomd, bare_start};
