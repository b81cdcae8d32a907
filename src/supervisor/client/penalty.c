/* SPDX-License-Identifier: ISC */
/*
 * penalty.c - a table of crash counts by address, of fixed size.
 *
 * Model: an address has WAYS possible places, determined by its hash. An entry counts crashes; one
 * crash is forgotten after each PENALTY_FORGET_MS without another. The count alone determines how
 * long the address is refused. An entry whose crashes are all forgotten counts as free.
 *
 * Overflow: if all places of an address are taken, the entry with the oldest last crash is
 * replaced. An attacker with very many addresses can make the table forget, but cannot make it
 * grow. Pure: time is an argument.
 */
#include "config.h"

#include "supervisor/client/penalty.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SETS 512u
#define WAYS 4u

struct entry {
    struct penalty_key key;
    uint64_t last; /* time of the last crash, in milliseconds */
    unsigned crashes;
};

struct penalties {
    struct entry entries[SETS][WAYS];
};

struct penalties *penalties_new(void)
{
    return alloc_zeroed(1, sizeof(struct penalties));
}

void penalties_free(struct penalties *penalties)
{
    free(penalties);
}

struct penalty_key penalty_key_of(const struct sockaddr *peer)
{
    struct penalty_key key = {{0}};

    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *internet = (const void *)peer;
        key.bytes[10] = key.bytes[11] = 0xff; /* an IPv4-mapped IPv6 address */
        memcpy(key.bytes + 12, &internet->sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        const struct sockaddr_in6 *internet = (const void *)peer;
        if (IN6_IS_ADDR_V4MAPPED(&internet->sin6_addr)) {
            memcpy(key.bytes, &internet->sin6_addr, sizeof key.bytes);
            return key;
        }
        memcpy(key.bytes, &internet->sin6_addr, 8);
        key.bytes[15] = 1; /* distinguishes the network ::/64 from the key without an address */
    }
    return key;
}

static bool is_empty(const struct penalty_key *key)
{
    static const struct penalty_key empty;

    return memcmp(key, &empty, sizeof empty) == 0;
}

/* FNV-1a. */
static unsigned set_of(const struct penalty_key *key)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof key->bytes; i++)
        hash = (hash ^ key->bytes[i]) * 16777619u;
    return (hash ^ hash >> 16) % SETS;
}

/* Returns the number of crashes that are not forgotten at `now`. */
static unsigned crashes_at(const struct entry *entry, uint64_t now)
{
    uint64_t forgotten = (now - entry->last) / PENALTY_FORGET_MS;

    return forgotten < entry->crashes ? entry->crashes - (unsigned)forgotten : 0;
}

static const struct entry *find(const struct penalties *penalties, const struct penalty_key *key)
{
    const struct entry *set = penalties->entries[set_of(key)];

    for (unsigned way = 0; way < WAYS; way++)
        if (set[way].crashes > 0 && memcmp(&set[way].key, key, sizeof *key) == 0)
            return &set[way];
    return NULL;
}

/* Returns the entry of the address, or replaces another entry. */
static struct entry *find_or_replace(struct penalties *penalties, const struct penalty_key *key)
{
    struct entry *set = penalties->entries[set_of(key)], *oldest = set;
    const struct entry *found = find(penalties, key);

    if (found != NULL)
        return &set[found - set];
    for (unsigned way = 0; way < WAYS; way++) {
        if (set[way].crashes == 0) {
            oldest = &set[way];
            break;
        }
        if (set[way].last < oldest->last)
            oldest = &set[way];
    }
    *oldest = (struct entry){.key = *key};
    return oldest;
}

static uint64_t penalty_for(unsigned crashes)
{
    uint64_t time = PENALTY_FIRST_MS;

    if (crashes <= PENALTY_FREE)
        return 0;
    for (unsigned i = PENALTY_FREE + 1; i < crashes && time < PENALTY_MOST_MS; i++)
        time *= 2;
    return time < PENALTY_MOST_MS ? time : PENALTY_MOST_MS;
}

uint64_t penalty_crashed(struct penalties *penalties, const struct penalty_key *key, uint64_t now)
{
    struct entry *entry;

    if (is_empty(key))
        return 0;
    entry = find_or_replace(penalties, key);
    entry->crashes = crashes_at(entry, now) + 1;
    entry->last = now;
    return penalty_for(entry->crashes);
}

uint64_t penalty_left(
    const struct penalties *penalties, const struct penalty_key *key, uint64_t now)
{
    const struct entry *entry = find(penalties, key);
    uint64_t time, passed;

    if (entry == NULL)
        return 0;
    time = penalty_for(entry->crashes);
    passed = now - entry->last;
    return passed < time ? time - passed : 0;
}
