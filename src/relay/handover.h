/*
 * handover.h - passing descriptors between our processes: beside the relay, since a bufferevent
 * would lose them without a word.
 *
 * The socket is a SOCK_SEQPACKET pair, so a message is whole or not there.
 */
#ifndef CHATROOMD_RELAY_HANDOVER_H
#define CHATROOMD_RELAY_HANDOVER_H

#include "relay/heritage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_DESCRIPTORS_MAX 2

/* What a worker is told of the client whose socket it gets. */
struct handover_client {
    char address[HERITAGE_ADDRESS_MAX];
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

/* Receives one message. Returns its length, 0 where the other end is closed, or -1 with errno set.
 * Descriptors that did not come (this process may have no more) are -1. */
ssize_t handover_receive(int fd, void *bytes, size_t length, int *descriptors, size_t count);

#endif
