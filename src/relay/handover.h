/* SPDX-License-Identifier: ISC */
/*
 * handover.h - passes descriptors between the processes of the service.
 *
 * A worker receives one descriptor, its client's socket. It is the first message on the relay, and
 * the worker receives it before its event loop reads there: a bufferevent would silently lose the
 * descriptor. A child that receives several descriptors, such as a courier, has a SOCK_SEQPACKET
 * pair for them beside its relay. In both cases a message is received whole or not at all: it is
 * one buffer in the kernel, and a stream socket never returns it together with bytes that came with
 * other descriptors (unix(7)).
 */
#ifndef CHATROOMD_RELAY_HANDOVER_H
#define CHATROOMD_RELAY_HANDOVER_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_DESCRIPTORS_MAX 2

/* What a worker learns about its client. */
struct handover_client {
    char address[ADDRESS_TEXT_MAX];
};

/* The client whose socket a courier receives. */
struct handover_served {
    uint32_t slot;
    uint32_t generation;
};

/* Makes a pair of sockets: ours is non-blocking, theirs is blocking. Returns false and sets errno
 * on failure. */
bool handover_pair(int *ours, int *theirs);

/* Sends one message with copies of `count` descriptors. Returns false and sets errno on failure
 * (EAGAIN: the socket is full). */
bool handover_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count);

/* Waits, without a time limit, until there is something to receive. */
void handover_await(int fd);

/* Receives one message. Returns its length, 0 if the other end is closed, or -1 with errno set.
 * Descriptors that did not arrive, for example because this process may not have more, are -1. */
ssize_t handover_receive(int fd, void *bytes, size_t length, int *descriptors, size_t count);

#endif
