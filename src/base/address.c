/* SPDX-License-Identifier: ISC */
/*
 * address.c - parses and prints socket addresses.
 *
 * Pure, except that the interface name of an IPv6 zone (`[fe80::1%eth0]:8888`) is looked up. An
 * interface may come later than the server, so a zone without one is no error here.
 */
#include "config.h"

#include "base/address.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* `zone` is an interface's name or number. Returns its number, or 0 if there is none of that name. */
static uint32_t parse_zone(const char *zone)
{
    if (zone[strspn(zone, "0123456789")] == '\0')
        return (uint32_t)strtoul(zone, NULL, 10);
    return if_nametoindex(zone);
}

static const char *parse_ipv6(char *host, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in6 *internet = (struct sockaddr_in6 *)address;
    char *zone = strchr(host, '%');
    if (zone != NULL)
        *zone++ = '\0';
    if (inet_pton(AF_INET6, host, &internet->sin6_addr) != 1 || (zone != NULL && *zone == '\0'))
        return "no IPv6 address in the brackets";
    internet->sin6_family = AF_INET6;
    internet->sin6_scope_id = zone == NULL ? 0 : parse_zone(zone);
    *length = sizeof *internet;
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

char *address_complete(const char *text)
{
    size_t host = strncmp(text, "localhost:", 10) == 0 ? 9 : 0;
    if (*text != '\0' && text[strspn(text, "0123456789")] == '\0')
        return alloc_print("127.0.0.1:%s", text);
    return text[host] == ':' ? alloc_print("127.0.0.1%s", text + host) : alloc_string(text);
}

static void print_ipv6(const struct sockaddr_in6 *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?", zone[IF_NAMESIZE + 1] = "";
    if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
        inet_ntop(AF_INET, &address->sin6_addr.s6_addr[12], host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(address->sin6_port));
        return;
    }
    inet_ntop(AF_INET6, &address->sin6_addr, host, sizeof host);
    if (address->sin6_scope_id != 0) {
        zone[0] = '%';
        if (if_indextoname(address->sin6_scope_id, zone + 1) == NULL)
            snprintf(zone, sizeof zone, "%%%u", (unsigned)address->sin6_scope_id);
    }
    snprintf(text, size, "[%s%s]:%u", host, zone, ntohs(address->sin6_port));
}

void address_print(const struct sockaddr *address, char *text, size_t size)
{
    const void *any = address;
    char host[INET_ADDRSTRLEN] = "?";
    switch (address->sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &((const struct sockaddr_in *)any)->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(((const struct sockaddr_in *)any)->sin_port));
        break;
    case AF_INET6:
        print_ipv6(any, text, size);
        break;
    default:
        snprintf(text, size, "unix:%s", ((const struct sockaddr_un *)any)->sun_path);
    }
}
