/* SPDX-License-Identifier: ISC */
/*
 * handover.h - passing descriptors between our processes.
 *
 * A client worker gets one, its client's socket, as the first that comes over its relay, before its
 * loop reads there: a bufferevent would lose it without a word. Who gets more of them, as a courier
 * does, has a SOCK_SEQPACKET pair for it beside the relay. Either way a message is whole or not
 * there: it is one buffer of the kernel's, and a stream gives no more at once than what came with
 * the same descriptors (unix(7)).
 */
#ifndef CHATROOMD_RELAY_HANDOVER_H
#define CHATROOMD_RELAY_HANDOVER_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_DESCRIPTORS_MAX 2

/* What a worker is told of the client whose socket it gets. */
struct handover_client {
    char address[ADDRESS_TEXT_MAX];
};

/* Whose socket a courier gets. */
struct handover_served {
    uint32_t slot;
    uint32_t generation;
};

/* Makes the pair: ours non-blocking, theirs blocking. Returns false with errno set. */
bool handover_pair(int *ours, int *theirs);

/* Sends one message with `count` descriptors, of which the caller keeps its copies. Returns false,
 * with errno set (EAGAIN: not now). */
bool handover_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count);

/* Waits, for any time, until there is something to receive. */
void handover_await(int fd);

/* Receives one message. Returns its length, 0 where the other end is closed, or -1 with errno set.
 * Descriptors that did not come (this process may have no more) are -1. */
ssize_t handover_receive(int fd, void *bytes, size_t length, int *descriptors, size_t count);

#endif
