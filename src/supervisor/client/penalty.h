/* SPDX-License-Identifier: ISC */
/*
 * penalty.h - addresses whose workers crash again and again are kept out for a growing time.
 *
 * Whoever looks for a way into a worker must guess its address layout, which all workers share, and
 * each wrong guess is a crash.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_PENALTY_H
#define CHATROOMD_SUPERVISOR_CLIENT_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;
struct penalties;

/* Crashes that cost nothing, and after how long without one another is forgotten. */
#define PENALTY_FREE      5u
#define PENALTY_FORGET_MS UINT64_C(600000)

/* The first penalty, which each further crash doubles, and the last. */
#define PENALTY_FIRST_MS UINT64_C(1000)
#define PENALTY_MOST_MS  UINT64_C(3600000)

/* Whom a penalty is for: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one
 * host can choose from. All zero: nobody. */
struct penalty_key {
    uint8_t bytes[16];
};

struct penalties *penalties_new(void);
void penalties_free(struct penalties *penalties);

/* The key of a peer; nobody's for local sockets, whose users have accounts here. */
struct penalty_key penalty_key_of(const struct sockaddr *peer);

/* A worker for `key` has crashed at `now` (milliseconds). Returns for how long the address is
 * refused from now on, 0: not yet. */
uint64_t penalty_crashed(struct penalties *penalties, const struct penalty_key *key, uint64_t now);

/* For how many more milliseconds the address is refused; 0: it is not. */
uint64_t penalty_left(
    const struct penalties *penalties, const struct penalty_key *key, uint64_t now);

#endif
