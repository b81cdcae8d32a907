/* SPDX-License-Identifier: ISC */
/*
 * peer.c - keeps the connections of clients that do not read, but whose host is alive.
 *
 * Model:
 * 1. The kernel closes a connection whose host has vanished within peer-timeout: by keepalive probes
 *    if nothing is to be sent, else by TCP_USER_TIMEOUT (listener.c). While the peer's window is
 *    shut, the kernel counts the user timeout from the first window probe, whether the probes are
 *    answered or not (Linux from 5.11 on). So it would also close the connection of a suspended
 *    client.
 * 2. Therefore all sockets are checked an eighth of peer-timeout after a record, and again as long
 *    as one of them has something pending. If the window is shut and all probes have been answered,
 *    the user timeout is set to the time for which the window has been shut, plus three eighths of
 *    peer-timeout. If a probe is unanswered, the user timeout is not changed.
 * 3. The kernel delays a probe at most until the user timeout that was set at the previous probe. So
 *    a host that vanishes while its window is shut is detected after at most twice the sum of the
 *    three eighths and the eighth between two checks, which is peer-timeout.
 *
 * This works only with couriers, because only then the supervisor has the clients' sockets. If
 * workers deliver, no user timeout is set, and the kernel's limit of retransmissions (tcp_retries2)
 * applies.
 *
 * Time: after SLOTS_PER_LOOK slots the event loop runs before the next ones are checked.
 */
#include "config.h"

#include "supervisor/client/peer.h"

#include "base/alloc.h"
#include "supervisor/clock.h"
#include "supervisor/state.h"

#include <event2/event.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SLOTS_PER_LOOK 512u
#define PAUSE_MS       1u

/* The state of the client of a slot. */
struct peer {
    uint32_t generation;
    uint64_t shut_since; /* milliseconds; 0: its window was open at the last check */
};

struct peers {
    struct supervisor *supervisor;
    struct event *timer;
    struct peer *peers; /* by slot */
    unsigned next;      /* slot to check */
    bool is_armed;
    bool is_pending;       /* one that was checked in this round has something pending */
    uint64_t records_seen; /* when the round began */
};

static unsigned eighth_ms(const struct peers *peers)
{
    return peers->supervisor->options->peer_timeout_ms / 8;
}

static void arm(struct peers *peers, unsigned delay_ms)
{
    struct timeval delay = {
        .tv_sec = (time_t)(delay_ms / 1000),
        .tv_usec = (suseconds_t)(delay_ms % 1000) * 1000,
    };

    peers->is_armed = event_add(peers->timer, &delay) == 0;
}

static void set_user_timeout(int fd, uint64_t timeout_ms)
{
    unsigned timeout = (unsigned)timeout_ms;

    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

/* The window is shut: extends the user timeout if all probes have been answered. */
static void extend(struct peers *peers, struct peer *peer, int fd, const struct tcp_info *info)
{
    uint64_t now = clock_ms(peers->supervisor), least = peers->supervisor->options->peer_timeout_ms;
    uint64_t timeout;

    if (peer->shut_since == 0)
        peer->shut_since = now - eighth_ms(peers); /* it was open at the last check */
    timeout = now - peer->shut_since + 3 * eighth_ms(peers);
    if (info->tcpi_probes == 0)
        set_user_timeout(fd, timeout < least ? least : timeout);
}

/* Returns whether anything is pending in the socket of this slot's client. */
static bool check(struct peers *peers, const struct slot *slot)
{
    struct peer *peer = &peers->peers[slot->number];
    struct tcp_info info = {.tcpi_unacked = 0};
    socklen_t length = sizeof info;

    if (peer->generation != slot->generation)
        *peer = (struct peer){.generation = slot->generation};
    if (slot->client_fd < 0 ||
        getsockopt(slot->client_fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return false;
    if (info.tcpi_notsent_bytes > 0 && info.tcpi_unacked == 0) {
        extend(peers, peer, slot->client_fd, &info);
    } else if (peer->shut_since != 0) {
        peer->shut_since = 0;
        set_user_timeout(slot->client_fd, peers->supervisor->options->peer_timeout_ms);
    }
    return info.tcpi_notsent_bytes > 0 || info.tcpi_unacked > 0;
}

static void look(evutil_socket_t fd, short what, void *argument)
{
    struct peers *peers = argument;
    const struct supervisor *supervisor = peers->supervisor;

    (void)fd, (void)what;
    peers->is_armed = false;
    if (peers->next == 0) {
        peers->is_pending = false;
        peers->records_seen = supervisor->counters.records;
    }
    for (unsigned i = 0; i < SLOTS_PER_LOOK && peers->next < supervisor->slot_count; i++)
        peers->is_pending = check(peers, &supervisor->slots[peers->next++]) || peers->is_pending;
    if (peers->next < supervisor->slot_count) {
        arm(peers, PAUSE_MS);
        return;
    }
    peers->next = 0;
    if (peers->is_pending)
        arm(peers, eighth_ms(peers));
}

bool peers_open(struct supervisor *supervisor)
{
    struct peers *peers;

    if (supervisor->options->couriers == 0)
        return true;
    peers = alloc_zeroed(1, sizeof *peers);
    supervisor->peers = peers;
    peers->supervisor = supervisor;
    peers->peers = alloc_zeroed(supervisor->slot_count, sizeof *peers->peers);
    peers->timer = evtimer_new(supervisor->base, look, peers);
    return peers->timer != NULL;
}

void peers_turn(struct supervisor *supervisor)
{
    struct peers *peers = supervisor->peers;

    if (peers != NULL && !peers->is_armed && supervisor->counters.records != peers->records_seen)
        arm(peers, eighth_ms(peers));
}

void peers_close(struct supervisor *supervisor)
{
    struct peers *peers = supervisor->peers;

    if (peers == NULL)
        return;
    if (peers->timer != NULL)
        event_free(peers->timer);
    free(peers->peers);
    free(peers);
    supervisor->peers = NULL;
}
