/* SPDX-License-Identifier: ISC */
/*
 * short_io.c - a library to be preloaded: read, write, readv, writev, send and recv transfer 1 to 7
 * bytes at a time on stream sockets, pipes and files, which the kernel may do at any time.
 *
 * Datagram and packet sockets and event descriptors are left alone, since their messages have
 * bounds. The library calls the kernel itself, so that it depends on no other library.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define CUT_MAX 7

static int is_stream(int descriptor)
{
    int saved = errno, type = 0;
    socklen_t length = sizeof(type);
    struct stat status;
    int stream = 0;

    if (fstat(descriptor, &status) != 0)
        stream = 0;
    else if (S_ISSOCK(status.st_mode))
        stream =
            getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
    else
        stream = S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode);
    errno = saved;
    return stream;
}

static size_t cut(int descriptor, size_t length)
{
    static unsigned number;
    size_t most = 1 + (number = number * 1103515245u + 12345u) / 65536 % CUT_MAX;

    return length > most && is_stream(descriptor) ? most : length;
}

ssize_t read(int descriptor, void *bytes, size_t length)
{
    return syscall(SYS_read, descriptor, bytes, cut(descriptor, length));
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
    return syscall(SYS_write, descriptor, bytes, cut(descriptor, length));
}

ssize_t recv(int descriptor, void *bytes, size_t length, int flags)
{
    return syscall(SYS_recvfrom, descriptor, bytes, cut(descriptor, length), flags, NULL, NULL);
}

ssize_t send(int descriptor, const void *bytes, size_t length, int flags)
{
    return syscall(SYS_sendto, descriptor, bytes, cut(descriptor, length), flags, NULL, 0);
}

/* Returns the first of several pieces that is not empty. */
static long vector(long call, int descriptor, const struct iovec *pieces, int count)
{
    struct iovec first;

    if (!is_stream(descriptor))
        return syscall(call, descriptor, pieces, count);
    while (count > 1 && pieces->iov_len == 0) {
        pieces++;
        count--;
    }
    if (count < 1)
        return syscall(call, descriptor, pieces, count);
    first = *pieces;
    first.iov_len = cut(descriptor, first.iov_len);
    return syscall(call, descriptor, &first, 1);
}

ssize_t readv(int descriptor, const struct iovec *pieces, int count)
{
    return vector(SYS_readv, descriptor, pieces, count);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    return vector(SYS_writev, descriptor, pieces, count);
}
