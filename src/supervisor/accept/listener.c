/* SPDX-License-Identifier: ISC */
/*
 * listener.c - listening sockets, and who owns a path.
 *
 * Model of unix: addresses: beside PATH lies PATH.lock. Who holds its flock(2) owns PATH: it may
 * take away a socket there that nobody answers on, left by a server that died, and bind its own. A
 * socket that answers is never taken, even without a lock held, and neither is a file of another
 * kind. The lock goes with its holder's death; the lock file itself is removed by an orderly end
 * while the lock is still held, and whoever got a lock on a file that is not at PATH.lock any more
 * tries again.
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

/* A client whose host has vanished is noticed after about this long: two minutes of silence, then
 * four probes half a minute apart. */
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

/* The locked file is the one that stands at `path` now. */
static bool is_still_at(int fd, const char *path)
{
    struct stat locked, there;

    return fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_dev == there.st_dev &&
           locked.st_ino == there.st_ino;
}

/* Takes the lock of `path`; -1 with errno EWOULDBLOCK where another server has it. */
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

/* Whether anybody accepts connections at this path. */
static bool answers(const struct sockaddr_storage *address, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool yes = true;

    if (fd < 0)
        return true; /* not known: never take what may be live */
    if (connect(fd, (const struct sockaddr *)address, length) != 0)
        yes = errno != ECONNREFUSED && errno != ENOENT;
    close(fd);
    return yes;
}

/* Makes the path free to bind; NULL, or why it is not ours. */
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
        return "there is a file of that name that is no socket";
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

/* What each client's socket is to have: a message leaves when it is written, and a vanished host is
 * noticed. An accepted socket is made with what its listener has, so this costs no client a call. */
static void set_client_options(int fd)
{
    int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, probes = KEEPALIVE_PROBES;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/* Options, bind and listen; NULL, or the errno in words. */
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
