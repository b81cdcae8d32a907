/* SPDX-License-Identifier: ISC */
/*
 * bounded.c - waits with a deadline; see bounded.h for the model.
 *
 * Invariant: `watched` has each descriptor once. The poll set of a wait is the caller's entries
 * followed by the watched ones. It is made anew for each poll, since a callback may remove a
 * descriptor. More than WATCHED_MAX watched descriptors, or more than SET_MAX entries of the
 * caller, are an error in the test and fail an assertion.
 */
#include "config.h"

#include "tests/system/bounded.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WATCHED_MAX 64
#define SET_MAX     2048
#define TURN_MS     2

struct watch {
    int descriptor;
    void (*serve)(void *context);
    void *context;
};

static struct watch watched[WATCHED_MAX];
static nfds_t watched_count;

int bounded_multiplier(void)
{
    const char *wish = getenv("CK_TIMEOUT_MULTIPLIER");
    int multiplier = wish == NULL ? 1 : atoi(wish);

    return multiplier > 1 ? multiplier : 1;
}

int64_t bounded_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t bounded_deadline(int milliseconds)
{
    return bounded_now() + milliseconds;
}

void bounded_watch(int descriptor, void (*serve)(void *context), void *context)
{
    assert(watched_count < WATCHED_MAX);
    watched[watched_count++] = (struct watch){descriptor, serve, context};
}

void bounded_unwatch(int descriptor)
{
    for (nfds_t at = 0; at < watched_count; at++) {
        if (watched[at].descriptor == descriptor) {
            watched[at] = watched[--watched_count];
            return;
        }
    }
}

/* Calls the watchers whose descriptor is ready; `polled` are the entries made from `watched`. */
static void serve_ready(const struct pollfd *polled, nfds_t count)
{
    struct watch copies[WATCHED_MAX];

    memcpy(copies, watched, count * sizeof(copies[0]));
    for (nfds_t at = 0; at < count; at++)
        if (polled[at].revents != 0)
            copies[at].serve(copies[at].context);
}

/* One poll of the caller's entries and the watched ones; returns how many of the caller's are
 * ready. */
static int poll_once(struct pollfd *set, nfds_t count, int wait_ms)
{
    static struct pollfd all[SET_MAX + WATCHED_MAX];
    nfds_t watches = watched_count;
    int ready = 0;

    assert(count <= SET_MAX);
    if (count > 0)
        memcpy(all, set, count * sizeof(all[0]));
    for (nfds_t at = 0; at < watches; at++)
        all[count + at] = (struct pollfd){.fd = watched[at].descriptor, .events = POLLIN};
    if (poll(all, count + watches, wait_ms) < 0) {
        assert(errno == EINTR);
        return 0;
    }
    for (nfds_t at = 0; at < count; at++) {
        set[at].revents = all[at].revents;
        ready += set[at].revents != 0;
    }
    serve_ready(all + count, watches);
    return ready;
}

int bounded_poll(struct pollfd *set, nfds_t count, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - bounded_now();
        int ready = poll_once(set, count, left > 0 ? (int)left : 0);

        if (ready > 0 || left <= 0)
            return ready;
    }
}

bool bounded_ready(int descriptor, short events, int64_t deadline)
{
    struct pollfd one = {.fd = descriptor, .events = events};

    return bounded_poll(&one, 1, deadline) > 0;
}

bool bounded_turn(int64_t deadline)
{
    int64_t now = bounded_now();

    if (now >= deadline)
        return false;
    bounded_poll(NULL, 0, now + TURN_MS < deadline ? now + TURN_MS : deadline);
    return true;
}
