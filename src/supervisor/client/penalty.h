/* SPDX-License-Identifier: ISC */
/*
 * penalty.h - refuses addresses whose workers crash repeatedly, for a growing time.
 *
 * An attacker must guess the address layout of a worker, which all workers share, and each wrong
 * guess crashes one.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_PENALTY_H
#define CHATROOMD_SUPERVISOR_CLIENT_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;
struct penalties;

/* Crashes without a penalty, and the time without a crash after which one is forgotten. */
#define PENALTY_FREE      5u
#define PENALTY_FORGET_MS UINT64_C(600000)

/* The first penalty, which each further crash doubles, and the maximum. */
#define PENALTY_FIRST_MS UINT64_C(1000)
#define PENALTY_MOST_MS  UINT64_C(3600000)

/* An IPv4 address, or the first 64 bits of an IPv6 address, because a host can choose the rest. All
 * zero: no address, never penalized. */
struct penalty_key {
    uint8_t bytes[16];
};

struct penalties *penalties_new(void);
void penalties_free(struct penalties *penalties);

/* Returns the key of a peer; that of a local socket is all zero. */
struct penalty_key penalty_key_of(const struct sockaddr *peer);

/* Records that a worker for `key` has crashed at `now`, in milliseconds. Returns for how many
 * milliseconds the address is refused from now on; 0: not yet. */
uint64_t penalty_crashed(struct penalties *penalties, const struct penalty_key *key, uint64_t now);

/* Returns for how many more milliseconds the address is refused; 0: it is not. */
uint64_t penalty_left(
    const struct penalties *penalties, const struct penalty_key *key, uint64_t now);

#endif
