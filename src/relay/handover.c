/* SPDX-License-Identifier: ISC */
/*
 * handover.c - passes descriptors with SCM_RIGHTS (unix(7)).
 */
#include "config.h"

#include "relay/handover.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_SIZE (HANDOVER_DESCRIPTORS_MAX * sizeof(int))

union ancillary {
    struct cmsghdr header;
    char space[CMSG_SPACE(DESCRIPTORS_SIZE)];
};

bool handover_pair(int *ours, int *theirs)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    *ours = ends[0];
    *theirs = ends[1];
    return true;
}

bool handover_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count)
{
    struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    union ancillary ancillary = {.header = {
                                     .cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int)),
                                     .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS,
                                 }};
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &ancillary,
        .msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int)),
    };

    assert(count <= HANDOVER_DESCRIPTORS_MAX);
    memcpy(CMSG_DATA(&ancillary.header), descriptors, count * sizeof(int));
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)length;
}

void handover_await(int fd)
{
    struct pollfd socket = {.fd = fd, .events = POLLIN};

    while (poll(&socket, 1, -1) < 0 && errno == EINTR)
        continue;
}

ssize_t handover_receive(int fd, void *bytes, size_t length, int *descriptors, size_t count)
{
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    union ancillary ancillary;
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &ancillary,
        /* Not CMSG_SPACE(): its padding has space for more descriptors. */
        .msg_controllen = (socklen_t)CMSG_LEN(count * sizeof(int)),
    };
    struct cmsghdr *header;
    ssize_t received;

    assert(count <= HANDOVER_DESCRIPTORS_MAX);
    for (size_t i = 0; i < count; i++)
        descriptors[i] = -1;
    do
        received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received <= 0)
        return received;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    return received;
}
