/* SPDX-License-Identifier: ISC */
/*
 * address.c - parses listening addresses.
 *
 * Pure, except that getaddrinfo(3) looks up the interface name of an IPv6 scope
 * (`[fe80::1%eth0]:8888`).
 */
#include "config.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* At most five digits, so the number cannot overflow. */
static bool parse_port(const char *text, in_port_t *port)
{
    unsigned number = 0;
    size_t length = strspn(text, "0123456789");
    if (length < 1 || length > 5 || text[length] != '\0')
        return false;
    for (; *text != '\0'; text++)
        number = number * 10 + (unsigned)(*text - '0');
    *port = htons((in_port_t)number);
    return number <= 65535;
}

static const char *parse_path(const char *path, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_un *local = (struct sockaddr_un *)address;
    if (*path == '\0')
        return "no path after unix:";
    if (strlen(path) >= sizeof local->sun_path)
        return "the path is too long for a socket (at most 107 bytes)";
    local->sun_family = AF_UNIX;
    strcpy(local->sun_path, path);
    *length = sizeof *local;
    return NULL;
}

static const char *parse_ipv6(const char *host, struct sockaddr_storage *address, socklen_t *length)
{
    struct addrinfo hints = {.ai_family = AF_INET6, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return "no IPv6 address in the brackets";
    memcpy(address, found->ai_addr, found->ai_addrlen);
    *length = found->ai_addrlen;
    freeaddrinfo(found);
    return NULL;
}

static const char *parse_ipv4(const char *host, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in *internet = (struct sockaddr_in *)address;
    if (inet_pton(AF_INET, host, &internet->sin_addr) != 1)
        return "expected IPv4:PORT, [IPv6]:PORT or unix:PATH; host names are not looked up";
    internet->sin_family = AF_INET;
    *length = sizeof *internet;
    return NULL;
}

const char *address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length)
{
    memset(address, 0, sizeof *address);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_path(text + 5, address, length);

    char host[128];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    if (colon == NULL || !parse_port(colon + 1, &port))
        return "no port from :0 to :65535 at the end";
    size_t host_length = (size_t)(colon - text);
    if (host_length >= sizeof host)
        return "too long";
    memcpy(host, text, host_length);
    host[host_length] = '\0';

    const char *fault;
    if (host_length > 1 && host[0] == '[' && host[host_length - 1] == ']') {
        host[host_length - 1] = '\0';
        fault = parse_ipv6(host + 1, address, length);
        ((struct sockaddr_in6 *)address)->sin6_port = port;
    } else {
        fault = parse_ipv4(host, address, length);
        ((struct sockaddr_in *)address)->sin_port = port;
    }
    return fault;
}
