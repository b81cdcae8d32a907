/*
 * rest.c - see rest.h.
 *
 * Model: that somebody has joined or left is told to all, with a write for each of them, and each
 * client has to read it; where many come at once to a large room, as after a restart, that would
 * take the processors from those who come. So a courier that has just given something to all lets
 * such news wait for REST_TIMES as long as the giving took, at most REST_MAX_NS, and gives what
 * comes meanwhile in one write. In a room of some tens that is less than a timer can tell, and
 * nothing waits.
 */
#include "config.h"

#include "courier/hold_off.h"

#define REST_TIMES  5u
#define REST_MAX_NS UINT64_C(500000000)

/* Timers go by milliseconds. */
#define REST_LEAST_NS UINT64_C(1000000)

void rest_begin(struct rest *rest, uint64_t began, uint64_t ended)
{
    uint64_t length = REST_TIMES * (ended - began);

    rest->until = ended + (length < REST_MAX_NS ? length : REST_MAX_NS);
}

uint64_t rest_left(const struct rest *rest, uint64_t now)
{
    if (rest->until < now + REST_LEAST_NS)
        return 0;
    return (rest->until - now) / 1000;
}
