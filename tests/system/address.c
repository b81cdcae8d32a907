/* SPDX-License-Identifier: ISC */
/*
 * address.c - addresses as chatroomd prints them; see address.h. A text that is not an address is
 * an error in the test and gives EINVAL.
 */
#include "config.h"

#include "tests/system/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union any_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un path;
};

bool address_split(const char *address, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(address, ':');
    bool bracketed = address[0] == '[';

    if (colon == NULL || strncmp(address, "unix:", 5) == 0)
        return false;
    snprintf(host, host_size, "%.*s", (int)(colon - address) - (bracketed ? 2 : 0),
        address + (bracketed ? 1 : 0));
    *port = colon + 1;
    return true;
}

/* Returns the length of the address, or 0 if the text is not an address. */
static socklen_t parse(const char *text, union any_address *address)
{
    char host[128];
    const char *port;

    memset(address, 0, sizeof(*address));
    if (strncmp(text, "unix:", 5) == 0) {
        address->path.sun_family = AF_UNIX;
        if (strlen(text + 5) >= sizeof(address->path.sun_path))
            return 0;
        memcpy(address->path.sun_path, text + 5, strlen(text + 5) + 1);
        return sizeof(address->path);
    }
    if (!address_split(text, host, sizeof(host), &port))
        return 0;
    if (inet_pton(AF_INET, host, &address->ipv4.sin_addr) == 1) {
        address->ipv4.sin_family = AF_INET;
        address->ipv4.sin_port = htons((uint16_t)atoi(port));
        return sizeof(address->ipv4);
    }
    if (inet_pton(AF_INET6, host, &address->ipv6.sin6_addr) == 1) {
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons((uint16_t)atoi(port));
        return sizeof(address->ipv6);
    }
    return 0;
}

static bool spread;

void address_spread(void)
{
    spread = true;
}

/* Gives the socket the next of 127.1.0.1, 127.1.0.2, ... for its own address. */
static void take_source(int descriptor)
{
    static unsigned number;
    struct sockaddr_in source = {.sin_family = AF_INET};

    source.sin_addr.s_addr = htonl(0x7f010001u + number++ % 0xfffffeu);
    bind(descriptor, (const struct sockaddr *)&source, sizeof(source));
}

int address_connect(const char *text, int receive_buffer)
{
    union any_address address;
    socklen_t length = parse(text, &address);
    int descriptor, fault;

    if (length == 0) {
        errno = EINVAL;
        return -1;
    }
    descriptor = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    if (receive_buffer > 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, (socklen_t)sizeof(receive_buffer));
    if (spread && address.any.sa_family == AF_INET)
        take_source(descriptor);
    if (connect(descriptor, &address.any, length) == 0)
        return descriptor;
    fault = errno;
    close(descriptor);
    errno = fault;
    return -1;
}

const char *address_own_loopback(void)
{
    static char text[INET_ADDRSTRLEN];
    unsigned process = (unsigned)getpid();

    snprintf(text, sizeof(text), "127.%u.%u.%u", 1 + (process >> 16) % 254, (process >> 8) % 256,
        1 + process % 254);
    return text;
}

bool address_has_ipv6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = descriptor >= 0 &&
               bind(descriptor, (const struct sockaddr *)&loopback, sizeof(loopback)) == 0;

    if (descriptor >= 0)
        close(descriptor);
    return has;
}

void address_local(int descriptor, char *text, size_t size)
{
    union any_address address;
    socklen_t length = sizeof(address);
    char host[INET_ADDRSTRLEN] = "?";

    text[0] = '\0';
    if (getsockname(descriptor, &address.any, &length) != 0 || address.any.sa_family != AF_INET)
        return;
    inet_ntop(AF_INET, &address.ipv4.sin_addr, host, sizeof(host));
    snprintf(text, size, "%s:%u", host, ntohs(address.ipv4.sin_port));
}
