/* SPDX-License-Identifier: ISC */
/* Gathering and serving the clients of a measurement; see crowd.h. */
#include "config.h"

#include "crowd.h"

#include "base/alloc.h"
#include "clock.h"
#include "fail.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Few, so that senders learn soon that there is room for more; ready clients take turns. */
enum { CROWD_EVENTS = 64, CROWD_AT_ONCE = 2000 };

static void crowd_prepare_receiver(struct crowd *crowd, struct client *client)
{
    unsigned writers = crowd->plan.senders > 0 ? crowd->plan.senders : 1;

    client->received = &crowd->received[client->index];
    client->next = alloc_zeroed(writers, sizeof(*client->next));
    for (unsigned i = 0; i < writers; i++)
        client->next[i] = message_first;
}

static void crowd_prepare(struct crowd *crowd, struct client *client, unsigned index)
{
    const struct crowd_plan *plan = &crowd->plan;

    client->descriptor = -1;
    client->carry_size = plan->size + CLIENT_CARRY_EXTRA;
    client->carry = alloc_zeroed(1, client->carry_size);
    if (index < plan->receivers) {
        client->role = CLIENT_RECEIVER;
        client->index = index;
        crowd_prepare_receiver(crowd, client);
    } else if (index < plan->receivers + plan->senders) {
        client->role = CLIENT_SENDER;
        client->index = index - plan->receivers;
        client->output = alloc_zeroed(1, CLIENT_OUTPUT_SIZE);
    } else {
        client->role = CLIENT_STALLED;
        client->index = index - plan->receivers - plan->senders;
    }
}

void crowd_set_size(struct crowd *crowd, size_t size)
{
    crowd->plan.size = size;
    memset(&crowd->sent, 0, sizeof(crowd->sent));
    memset(&crowd->given, 0, sizeof(crowd->given));
    crowd->plan.protocol->envelopes(size, &crowd->sent, &crowd->given);
    message_write(crowd->pattern, size, 0);
}

struct crowd *crowd_new(const struct crowd_plan *plan)
{
    struct crowd *crowd = alloc_zeroed(1, sizeof(*crowd));

    assert(plan->receivers > 0);
    crowd->plan = *plan;
    crowd->count = plan->receivers + plan->senders + plan->stalled;
    crowd_set_size(crowd, plan->size);
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (crowd->epoll < 0)
        fail("no epoll: %s", strerror(errno));
    crowd->clients = alloc_zeroed(crowd->count, sizeof(*crowd->clients));
    crowd->senders = crowd->clients + plan->receivers;
    crowd->received = alloc_zeroed(plan->receivers, sizeof(*crowd->received));
    crowd->buffer = alloc_zeroed(1, CLIENT_CARRY_MAX + CLIENT_READ_SIZE);
    memset(crowd->buffer, 1, CLIENT_CARRY_MAX + CLIENT_READ_SIZE); /* zeros may not be resident */
    for (unsigned i = 0; i < crowd->count; i++)
        crowd_prepare(crowd, &crowd->clients[i], i);
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];

        if (client->state != CLIENT_ENDED && client->descriptor >= 0)
            close(client->descriptor);
        free(client->next);
        free(client->carry);
        free(client->output);
    }
    close(crowd->epoll);
    free(crowd->clients);
    free(crowd->received);
    free(crowd->buffer);
    free(crowd);
}

_Noreturn void crowd_wrong(const struct crowd *crowd, const struct client *client, const char *what,
    const char *bytes, size_t length)
{
    static const char *const roles[] = {"receiver", "sender", "stalled client"};
    char shown[400];
    size_t used = 0;

    for (size_t i = 0; i < length && used < sizeof(shown) - 5; i++)
        if (isprint((unsigned char)bytes[i]))
            shown[used++] = bytes[i];
        else
            used += (size_t)sprintf(shown + used, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
    shown[used] = '\0';
    if (client->received != NULL)
        fprintf(stderr, "\nafter %llu messages\n", (unsigned long long)*client->received);
    for (unsigned i = 0; client->next != NULL && i < crowd->plan.senders; i++)
        fprintf(stderr, "expected of writer %u: number %.8s\n", i, client->next[i].digits);
    fail("%s %s %u (%s): %s: \"%s\"", crowd->plan.protocol->name, roles[client->role],
        client->index, client->name, what, shown);
}

static void crowd_watch(struct crowd *crowd, struct client *client, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};

    if (epoll_ctl(crowd->epoll, how, client->descriptor, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void crowd_end(struct crowd *crowd, struct client *client, unsigned *counter)
{
    if (client->role != CLIENT_STALLED && crowd->held)
        crowd_wrong(crowd, client, "the server has closed the connection", "", 0);
    if (client->role == CLIENT_STALLED && client->state == CLIENT_READY)
        counter = &crowd->stalled_ended;
    else if (client->state == CLIENT_READY)
        crowd->ready--;
    ++*counter;
    client->state = CLIENT_ENDED;
    close(client->descriptor);
}

void crowd_ready(struct crowd *crowd, struct client *client)
{
    client->state = CLIENT_READY;
    crowd->ready++;
    crowd->last_ready = clock_now();
}

void crowd_refuse(struct crowd *crowd, struct client *client, const char *words, size_t length)
{
    snprintf(crowd->words, sizeof(crowd->words), "%.*s", (int)length, words);
    crowd_end(crowd, client, &crowd->refused);
}

/* A connect has ended, well or not. */
static void crowd_greet(struct crowd *crowd, struct client *client)
{
    const struct protocol *protocol = crowd->plan.protocol;
    char greeting[PROTOCOL_GREETING_SIZE];
    size_t length = protocol->greet == NULL ? 0 : protocol->greet(client, greeting);

    if (client_connected(client) != 0) {
        crowd_end(crowd, client, &crowd->refused);
        return;
    }
    client->state = CLIENT_GREETING;
    /* An empty send buffer takes this; where the connection is gone already, the read tells. */
    if (length > 0 && send(client->descriptor, greeting, length, MSG_NOSIGNAL) < 0)
        snprintf(crowd->words, sizeof(crowd->words), "(%s)", strerror(errno));
    if (client->role == CLIENT_STALLED)
        crowd_ready(crowd, client);
    crowd_watch(
        crowd, client, EPOLL_CTL_MOD, client->role == CLIENT_STALLED ? 0 : (uint32_t)EPOLLIN);
}

static void crowd_read(struct crowd *crowd, struct client *client)
{
    const struct protocol *protocol = crowd->plan.protocol;
    size_t length;
    const char *bytes = client_read(client, crowd->buffer, &length);

    if (bytes == NULL) {
        crowd_end(crowd, client, &crowd->lost);
        return;
    }
    if (client->role == CLIENT_STALLED)
        return;
    if (crowd->latency != NULL)
        crowd->now = clock_now();
    size_t used = client->role == CLIENT_RECEIVER ? protocol->receive(crowd, client, bytes, length)
                                                  : protocol->replies(crowd, client, bytes, length);
    if (length > used && !client_carry(client, bytes + used, length - used))
        crowd_wrong(crowd, client, "longer than any frame", bytes + used, length - used);
}

void crowd_wake_stalled(struct crowd *crowd)
{
    for (unsigned i = crowd->count - crowd->plan.stalled; i < crowd->count; i++)
        if (crowd->clients[i].state == CLIENT_READY)
            crowd_watch(crowd, &crowd->clients[i], EPOLL_CTL_MOD, EPOLLIN);
}

void crowd_send(struct crowd *crowd, struct client *client)
{
    bool was_full = client->full;

    client_flush(client);
    if (client->full != was_full)
        crowd_watch(crowd, client, EPOLL_CTL_MOD, client->full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void crowd_say(struct crowd *crowd, struct client *client, const char *words)
{
    size_t length = strlen(words);

    if (client->output == NULL) { /* it writes nothing else, so its socket has room */
        if (send(client->descriptor, words, length, MSG_NOSIGNAL) != (ssize_t)length)
            crowd_wrong(crowd, client, "cannot be answered", words, length);
        return;
    }
    if (client->pending + length > CLIENT_OUTPUT_SIZE)
        crowd_wrong(crowd, client, "no room to answer", words, length);
    memcpy(client->output + client->pending, words, length);
    client->pending += length;
    crowd_send(crowd, client);
}

static void crowd_serve(struct crowd *crowd, struct client *client, uint32_t events)
{
    if (client->state == CLIENT_CONNECTING) {
        crowd_greet(crowd, client);
        return;
    }
    if (events & EPOLLOUT)
        crowd_send(crowd, client);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        crowd_read(crowd, client);
}

int crowd_turn(struct crowd *crowd, int timeout_ms)
{
    struct epoll_event events[CROWD_EVENTS];
    int count = epoll_wait(crowd->epoll, events, CROWD_EVENTS, timeout_ms);

    for (int i = 0; i < count; i++)
        if (events[i].data.ptr != NULL)
            crowd_serve(crowd, events[i].data.ptr, events[i].events);
    return count;
}

void crowd_quiet(struct crowd *crowd, int quiet_ms)
{
    while (crowd_turn(crowd, quiet_ms) > 0)
        continue;
}

/* Clients that are to be in and are neither in nor turned away. */
static unsigned crowd_waiting(const struct crowd *crowd)
{
    return crowd->admitted - crowd->ready - crowd->refused - crowd->lost;
}

/* Begin as many connects as the server can be asked for at a time; of more than a listening socket
 * has places for (4,096) the kernel drops some, and asks again after up to a minute. */
static void crowd_connect(struct crowd *crowd, const struct client_address *address)
{
    unsigned at_once = crowd->plan.protocol->at_once;

    if (at_once == 0)
        at_once = CROWD_AT_ONCE;
    while (crowd->begun < crowd->admitted &&
           crowd->begun - (crowd->admitted - crowd_waiting(crowd)) < at_once) {
        struct client *client = &crowd->clients[crowd->begun++];

        if (client_connect(client, address))
            crowd_watch(crowd, client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
        else
            crowd_end(crowd, client, &crowd->refused);
    }
}

bool crowd_gather(struct crowd *crowd, unsigned count, double seconds)
{
    struct client_address address;
    uint64_t deadline;

    if (count > crowd->admitted)
        crowd->admitted = count;
    client_resolve(&address, crowd->plan.address);
    crowd->began = clock_now();
    deadline = crowd->began + (uint64_t)(seconds * (double)CLOCK_SECOND);
    while (crowd_waiting(crowd) > 0 && clock_now() < deadline) {
        crowd_connect(crowd, &address);
        crowd_turn(crowd, 100);
    }
    return crowd->ready == crowd->admitted;
}

unsigned crowd_senders(const struct crowd *crowd)
{
    unsigned others = crowd->admitted - crowd->plan.receivers;

    return others < crowd->plan.senders ? others : crowd->plan.senders;
}

void crowd_hold(struct crowd *crowd)
{
    crowd->held = true;
}

uint64_t crowd_slowest(const struct crowd *crowd)
{
    uint64_t slowest = UINT64_MAX;

    for (unsigned i = 0; i < crowd->plan.receivers; i++)
        if (crowd->received[i] < slowest)
            slowest = crowd->received[i];
    return slowest;
}

uint64_t crowd_deliveries(const struct crowd *crowd)
{
    uint64_t deliveries = 0;

    for (unsigned i = 0; i < crowd->plan.receivers; i++)
        deliveries += crowd->received[i];
    return deliveries;
}

uint64_t crowd_bytes(const struct crowd *crowd)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < crowd->plan.receivers; i++)
        bytes += crowd->clients[i].bytes;
    return bytes;
}
