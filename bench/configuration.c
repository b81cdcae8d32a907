/* SPDX-License-Identifier: ISC */
/* Filling in a peer's configuration, and starting it; see configuration.h. */
#include "config.h"

#include "configuration.h"

#include "fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIGURATION_ARGUMENTS_MAX = 8, CONFIGURATION_PATH_SIZE = 256 };

/* Not every server can be asked to take any port and tell which; the kernel can. */
static unsigned configuration_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, length) < 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) < 0)
        fail("no free port: %s", strerror(errno));
    close(descriptor);
    return ntohs(address.sin_port);
}

/* Write LINE to FILE, with VALUE for the WORD in it, if it is there. */
static void configuration_write_line(FILE *file, const char *line, const char *word, unsigned value)
{
    const char *found = strstr(line, word);

    if (found == NULL)
        fputs(line, file);
    else
        fprintf(file, "%.*s%u%s", (int)(found - line), line, value, found + strlen(word));
}

/* Fill in NAME.conf as the file PATH. */
static void configuration_fill(char *path, const char *name, unsigned port, unsigned clients)
{
    char template_path[4096], line[1024];
    int descriptor = mkstemp(path);
    FILE *to = descriptor < 0 ? NULL : fdopen(descriptor, "w");

    snprintf(template_path, sizeof(template_path), "%s/%s.conf", BENCH_SOURCE, name);
    FILE *from = fopen(template_path, "re");
    if (from == NULL || to == NULL)
        fail("%s cannot be copied to %s: %s", template_path, path, strerror(errno));
    while (fgets(line, sizeof(line), from) != NULL) {
        if (strstr(line, "@PORT@") != NULL)
            configuration_write_line(to, line, "@PORT@", port);
        else
            configuration_write_line(to, line, "@CLIENTS@", clients);
    }
    fclose(from);
    fchmod(descriptor, 0644); /* a server may have given up root when it reads it */
    if (fclose(to) != 0)
        fail("%s cannot be written: %s", path, strerror(errno));
}

bool configuration_start(struct server *server, const char *const arguments[], const char *name,
    const char *ready, const struct peer_settings *settings, char *address)
{
    const char *filled[CONFIGURATION_ARGUMENTS_MAX + 1] = {NULL};
    const char *folder = getenv("TMPDIR");
    char path[CONFIGURATION_PATH_SIZE];
    unsigned port = configuration_free_port();

    snprintf(path, sizeof(path), "%s/chatroomd-bench-XXXXXX", folder == NULL ? "/tmp" : folder);
    configuration_fill(path, name, port, settings->clients + 32);
    for (size_t i = 0; arguments[i] != NULL && i < CONFIGURATION_ARGUMENTS_MAX; i++)
        filled[i] = strcmp(arguments[i], CONFIGURATION_FILE) == 0 ? path : arguments[i];
    bool started = server_start(server, filled, ready) != NULL;
    unlink(path);
    snprintf(address, PEER_ADDRESS_SIZE, "127.0.0.1:%u", port);
    return started;
}
