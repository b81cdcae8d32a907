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

#include <arpa/inet.h>
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

/* A client whose host has vanished is detected after two minutes of silence and four probes, half a
 * minute apart. */
#define KEEPALIVE_IDLE_S  120
#define KEEPALIVE_EVERY_S 30
#define KEEPALIVE_PROBES  4

static bool fail(char *error, size_t error_size, const char *address, const char *what)
{
    snprintf(error, error_size, "cannot listen on %s: %s", address, what);
    return false;
}

static void lock_path(char *buffer, size_t size, const char *path)
{
    snprintf(buffer, size, "%s.lock", path);
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
static const char *claim_path(
    struct listener *listener, const struct sockaddr_storage *address, socklen_t length)
{
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    struct stat there;

    listener->lock_fd = take_lock(path);
    if (listener->lock_fd < 0)
        return errno == EWOULDBLOCK ? "another server has it (its lock file is locked)"
                                    : strerror(errno);
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(there.st_mode))
        return "the path exists and is not a socket";
    if (answers(address, length))
        return "another server answers there";
    return unlink(path) == 0 ? NULL : strerror(errno);
}

static void print_address(const struct sockaddr_storage *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";

    switch (address->ss_family) {
    case AF_INET: {
        const struct sockaddr_in *internet = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &internet->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(internet->sin_port));
        break;
    }
    case AF_INET6: {
        const struct sockaddr_in6 *internet = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &internet->sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%u", host, ntohs(internet->sin6_port));
        break;
    }
    default:
        snprintf(text, size, "unix:%s", ((const struct sockaddr_un *)address)->sun_path);
    }
}

/* Sets the options that accepted sockets inherit: data is sent when it is written, and a vanished
 * host is detected. So no system call per client is needed. */
static void set_client_options(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, probes = KEEPALIVE_PROBES;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/* Sets options, binds and listens. Returns NULL or an error message. */
static const char *bind_and_listen(int fd, const struct sockaddr_storage *address, socklen_t length)
{
    int on = 1;

    if (address->ss_family != AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        set_client_options(fd);
    }
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, length) != 0 || listen(fd, SOMAXCONN) != 0)
        return errno == EADDRINUSE ? "another server has this address" : strerror(errno);
    return NULL;
}

bool listener_open(struct listener *listener, const char *text, char *error, size_t error_size)
{
    struct sockaddr_storage address, bound;
    socklen_t length = 0, bound_length = sizeof bound;
    const char *wrong = address_parse(text, &address, &length);

    listener->fd = listener->lock_fd = -1;
    memset(&bound, 0, sizeof bound);
    if (wrong == NULL && address.ss_family == AF_UNIX)
        wrong = claim_path(listener, &address, length);
    if (wrong == NULL) {
        listener->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        wrong =
            listener->fd < 0 ? strerror(errno) : bind_and_listen(listener->fd, &address, length);
    }
    if (wrong == NULL && getsockname(listener->fd, (struct sockaddr *)&bound, &bound_length) != 0)
        wrong = strerror(errno);
    if (wrong == NULL) {
        print_address(&bound, listener->text, sizeof listener->text);
        return true;
    }
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->lock_fd >= 0)
        close(listener->lock_fd);
    return fail(error, error_size, text, wrong);
}

void listener_close(struct listener *listener)
{
    const char *path = listener->text + strlen("unix:");
    char name[LISTENER_TEXT_MAX + 8];

    if (listener->lock_fd >= 0) {
        unlink(path);
        lock_path(name, sizeof name, path);
        unlink(name);
        close(listener->lock_fd);
    }
    close(listener->fd);
}

void listener_peer_text(int fd, const struct sockaddr *peer, char *text, size_t size)
{
    struct ucred who;
    socklen_t length = sizeof who;

    if (peer->sa_family != AF_UNIX)
        print_address((const struct sockaddr_storage *)(const void *)peer, text, size);
    else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0)
        snprintf(text, size, "unix:pid=%ld,uid=%lu", (long)who.pid, (unsigned long)who.uid);
    else
        snprintf(text, size, "unix:?");
}
