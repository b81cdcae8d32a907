/* SPDX-License-Identifier: ISC */
/*
 * listener.c - listening sockets, and the ownership of socket paths.
 *
 * Model of unix: addresses: next to PATH there is a lock file, PATH.lock. The server that holds its
 * flock(2) owns PATH: it may remove a socket at PATH on which nobody answers, left by a server that
 * died, and bind its own. A socket that answers is never removed, even if nobody holds the lock,
 * and neither is a file of another type. The kernel releases the lock when its holder dies. An
 * orderly stop removes the lock file while the lock is held; a server that gets a lock on a file
 * which is no longer at PATH.lock tries again.
 */
#include "config.h"

#include "supervisor/accept/listener.h"

#include "base/address.h"
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_ATTEMPTS 16

/* A client whose host has vanished is detected after half of peer-timeout without data and this many
 * unanswered probes in the other half. */
#define KEEPALIVE_PROBES 4

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

/* An address that is being opened. */
struct opening {
    const struct options *options;
    const char *text; /* one of options->listen */
    struct sockaddr_storage address;
    socklen_t length;
    bool is_bound;
    char detail[2 * LISTENER_TEXT_MAX]; /* an error message */
};

static bool fail(char *error, size_t error_size, const char *address, const char *what)
{
    snprintf(error, error_size, "cannot listen on %s: %s", address, what);
    return false;
}

static void lock_path(char *buffer, size_t size, const char *path)
{
    snprintf(buffer, size, "%s.lock", path);
}

static const char *path_of(const struct opening *opening)
{
    return ((const struct sockaddr_un *)(const void *)&opening->address)->sun_path;
}

/* Returns whether the locked file is the one at `path`. */
static bool is_still_at(int fd, const char *path)
{
    struct stat locked, there;

    return fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_dev == there.st_dev &&
           locked.st_ino == there.st_ino;
}

/* Locks `path`. Returns the descriptor, or -1 with errno EWOULDBLOCK if another server has it. */
static int take_lock(const char *path)
{
    char name[LISTENER_TEXT_MAX + 8];

    lock_path(name, sizeof name, path);
    for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
        int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        if (is_still_at(fd, name))
            return fd;
        close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

/* Removes the lock file, before it is unlocked, and the socket if it is ours; if there is a lock. */
static void release_path(const char *path, bool is_bound, int lock_fd)
{
    char name[LISTENER_TEXT_MAX + 8];

    if (lock_fd < 0)
        return;
    if (is_bound)
        unlink(path);
    lock_path(name, sizeof name, path);
    unlink(name);
    close(lock_fd);
}

/* Returns whether a server accepts connections at this path. */
static bool answers(const struct sockaddr_storage *address, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes = true;

    if (fd < 0)
        return true; /* unknown: do not remove a socket that may be in use */
    if (connect(fd, (const struct sockaddr *)address, length) != 0)
        yes = errno != ECONNREFUSED && errno != ENOENT;
    close(fd);
    return yes;
}

/* Makes the path available for bind(2). Returns NULL or an error message. */
static const char *claim_path(struct listener *listener, struct opening *opening)
{
    const char *path = path_of(opening);
    struct stat there;

    listener->lock_fd = take_lock(path);
    if (listener->lock_fd < 0 && errno == EWOULDBLOCK)
        return "another server has it (its lock file is locked)";
    if (listener->lock_fd < 0) {
        snprintf(opening->detail, sizeof opening->detail, "cannot open the lock file %s.lock: %s",
            path, strerror(errno));
        return opening->detail;
    }
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(there.st_mode))
        return "the path exists and is not a socket";
    if (answers(&opening->address, opening->length))
        return "another server answers there";
    return unlink(path) == 0 ? NULL : strerror(errno);
}

/* Sets the options that accepted sockets inherit: data is sent when it is written, and a vanished
 * host is detected. So no system call per client is needed. */
static void set_client_options(int fd, const struct options *options)
{
    int seconds = (int)(options->peer_timeout_ms / 1000), probes = KEEPALIVE_PROBES;
    int every = seconds < 2 * probes ? 1 : seconds / 2 / probes, idle = seconds - probes * every;
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    if (options->couriers > 0) /* see client/peer.c */
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &options->peer_timeout_ms,
            sizeof options->peer_timeout_ms);
}

/* Returns whether a socket on one address receives the connections of the other: the same port, and
 * the same address or a wildcard of the same family. */
static bool overlaps(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
    const struct sockaddr_in *a = (const void *)one, *b = (const void *)other;
    const struct sockaddr_in6 *c = (const void *)one, *d = (const void *)other;

    if (one->ss_family != other->ss_family)
        return false;
    if (one->ss_family == AF_INET)
        return a->sin_port == b->sin_port && (a->sin_addr.s_addr == htonl(INADDR_ANY) ||
                                                 b->sin_addr.s_addr == htonl(INADDR_ANY) ||
                                                 a->sin_addr.s_addr == b->sin_addr.s_addr);
    return one->ss_family == AF_INET6 && c->sin6_port == d->sin6_port &&
           (IN6_IS_ADDR_UNSPECIFIED(&c->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&d->sin6_addr) ||
               memcmp(&c->sin6_addr, &d->sin6_addr, sizeof c->sin6_addr) == 0);
}

/* Returns the address before ours in the list that the kernel takes for the same, or NULL. */
static const char *find_overlap(const struct opening *opening)
{
    for (size_t i = 0; i < opening->options->listen_count; i++) {
        const char *text = opening->options->listen[i];
        struct sockaddr_storage other;
        socklen_t length;

        if (text == opening->text)
            return NULL;
        if (address_parse(text, &other, &length) == NULL && overlaps(&other, &opening->address))
            return text;
    }
    return NULL;
}

/* Returns whether an IPv6 socket leaves IPv4 alone: if that is configured, or if an IPv4 address
 * with the same port is listed, which it would take. */
static bool is_ipv6_only(const struct opening *opening)
{
    const struct sockaddr_in6 *own = (const void *)&opening->address;

    for (size_t i = 0; i < opening->options->listen_count; i++) {
        struct sockaddr_storage other;
        socklen_t length;

        if (address_parse(opening->options->listen[i], &other, &length) == NULL &&
            other.ss_family == AF_INET && own->sin6_port != 0 &&
            ((const struct sockaddr_in *)(const void *)&other)->sin_port == own->sin6_port)
            return true;
    }
    return opening->options->ipv6_only != 0;
}

static void set_listener_options(int fd, const struct opening *opening)
{
    int on = 1, freebind = opening->options->freebind != 0, ipv6_only;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (opening->address.ss_family == AF_INET) {
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &freebind, sizeof freebind);
    } else {
        ipv6_only = is_ipv6_only(opening);
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &freebind, sizeof freebind);
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof ipv6_only);
    }
    set_client_options(fd, opening->options);
}

/* Returns the error of bind(2) or listen(2) as a message. */
static const char *explain(struct opening *opening, int failure)
{
    const char *overlap = failure == EADDRINUSE ? find_overlap(opening) : NULL;

    if (overlap != NULL)
        snprintf(opening->detail, sizeof opening->detail,
            "%s, which is listed before it, includes it; leave one of them out", overlap);
    else if (failure == EADDRNOTAVAIL)
        snprintf(opening->detail, sizeof opening->detail,
            "no interface has this address; if it comes later, set freebind = on");
    else
        return failure == EADDRINUSE ? "another server has this address" : strerror(failure);
    return opening->detail;
}

/* Sets who may connect, before anybody can. */
static bool set_access(struct opening *opening)
{
    const struct options *options = opening->options;
    const char *failed = NULL;

    if (*options->socket_group != '\0' &&
        chown(path_of(opening), (uid_t)-1, options->socket_gid) != 0)
        failed = "socket-group";
    else if (*options->socket_mode != '\0' &&
             chmod(path_of(opening), options->socket_mode_bits) != 0)
        failed = "socket-mode";
    if (failed != NULL)
        snprintf(
            opening->detail, sizeof opening->detail, "cannot set %s: %s", failed, strerror(errno));
    return failed == NULL;
}

/* Sets options, binds and listens. Returns NULL or an error message. */
static const char *bind_and_listen(int fd, struct opening *opening)
{
    const struct sockaddr_in6 *internet = (const void *)&opening->address;
    const char *zone = strchr(opening->text, '%');

    if (opening->address.ss_family == AF_INET6 && zone != NULL && internet->sin6_scope_id == 0) {
        snprintf(opening->detail, sizeof opening->detail, "there is no interface %.*s",
            (int)strcspn(zone + 1, "]"), zone + 1);
        return opening->detail;
    }
    if (opening->address.ss_family != AF_UNIX)
        set_listener_options(fd, opening);
    if (bind(fd, (const struct sockaddr *)&opening->address, opening->length) != 0)
        return explain(opening, errno);
    opening->is_bound = true;
    if (opening->address.ss_family == AF_UNIX && !set_access(opening))
        return opening->detail;
    return listen(fd, SOMAXCONN) == 0 ? NULL : explain(opening, errno);
}

bool listener_open(struct listener *listener, const char *text, const struct options *options,
    char *error, size_t error_size)
{
    struct opening opening = {.options = options, .text = text};
    struct sockaddr_storage bound;
    socklen_t bound_length = sizeof bound;
    const char *wrong = address_parse(text, &opening.address, &opening.length);

    listener->fd = listener->lock_fd = -1;
    memset(&bound, 0, sizeof bound);
    if (wrong == NULL && opening.address.ss_family == AF_UNIX)
        wrong = claim_path(listener, &opening);
    if (wrong == NULL) {
        listener->fd =
            socket(opening.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        wrong = listener->fd < 0 ? strerror(errno) : bind_and_listen(listener->fd, &opening);
    }
    if (wrong == NULL && getsockname(listener->fd, (struct sockaddr *)&bound, &bound_length) != 0)
        wrong = strerror(errno);
    if (wrong == NULL) {
        address_print((const struct sockaddr *)&bound, listener->text, sizeof listener->text);
        return true;
    }
    release_path(path_of(&opening), opening.is_bound, listener->lock_fd);
    if (listener->fd >= 0)
        close(listener->fd);
    return fail(error, error_size, text, wrong);
}

void listener_close(struct listener *listener)
{
    release_path(listener->text + strlen("unix:"), true, listener->lock_fd);
    close(listener->fd);
}

void listener_peer_text(int fd, const struct sockaddr *peer, char *text, size_t size)
{
    struct ucred who;
    socklen_t length = sizeof who;

    if (peer->sa_family != AF_UNIX)
        address_print(peer, text, size);
    else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0)
        snprintf(text, size, "unix:pid=%ld,uid=%lu", (long)who.pid, (unsigned long)who.uid);
    else
        snprintf(text, size, "unix:?");
}
