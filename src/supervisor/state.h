/* SPDX-License-Identifier: ISC */
/*
 * state.h - the state of the supervisor: its slots, the room, the order of records, what waits.
 *
 * The supervisor is one thread around one event_base. Everything here is its private memory, which no
 * child sees. The parts of a slot are defined in the headers of their owners.
 *
 * A slot's life:
 *
 *     FREE -> SPARE -> STARTING -> PRESENT -> GONE -> FREE
 *               |         |                    ^
 *               +---------+--------------------+
 *
 * SPARE: it has a worker, or has requested one, and no client. STARTING: its client is not in the room
 * yet. PRESENT: its client is in the room under a nickname. GONE: its client is disconnected for a
 * reason, and no more records become pending. A slot is FREE again only when its relay has reached
 * EOF, its worker is reaped, its courier has detached the client, its `left` is recorded, its queue
 * is empty and its outbox is zeroed.
 */
#ifndef CHATROOMD_SUPERVISOR_STATE_H
#define CHATROOMD_SUPERVISOR_STATE_H

#include "base/address.h"
#include "base/options.h"
#include "chat/disconnect.h"
#include "chat/names.h"
#include "chat/room.h"
#include "process/heritage.h"
#include "region/outbox.h"
#include "region/ring.h"
#include "relay/frame.h"
#include "relay/relay.h"
#include "supervisor/child/child.h"
#include "supervisor/child/spawner.h"
#include "supervisor/client/delivery_ops.h"
#include "supervisor/client/penalty.h"
#include "supervisor/client/stall.h"
#include "supervisor/courier/courier_link.h"
#include "supervisor/ring/cursor.h"
#include "supervisor/ring/space.h"
#include "supervisor/ring/turn.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/* Bytes of private records that may be pending for one client before its requests wait. */
#define PRIVATE_PENDING_MAX ((size_t)64 * 1024)

/* How long a worker may take to exit before it is killed: one whose client is evicted, and one that has
 * closed its relay, which is exiting already and needs this time on a very busy machine only. */
#define EVICT_GRACE_MS 250u
#define EXIT_GRACE_MS  2000u

/* After how long a worker is killed as hung: beyond drain-timeout, if it has not drained, and from its
 * assignment, if it has not sent HELLO (a crowd on a busy machine takes its time). */
#define DRAIN_MARGIN_MS  1000u
#define ENTER_TIMEOUT_MS 60000u

enum slot_state { SLOT_FREE, SLOT_SPARE, SLOT_STARTING, SLOT_PRESENT, SLOT_GONE };

/* What the oldest frame in a slot's queue waits for. */
enum wait {
    WAIT_NONE,    /* the queue is empty */
    WAIT_RING,    /* space in the ring, or its turn */
    WAIT_PRIVATE, /* the client has too many private records pending */
};

struct courier;
struct acceptor;
struct peers;
struct supervisor;

struct slot {
    /* Kept from life to life. */
    struct supervisor *supervisor;
    uint32_t number;
    uint32_t generation;
    TAILQ_ENTRY(slot) free_link;
    struct child child; /* its worker */

    enum slot_state state; /* from here to `queue` all is zero at the start of a life */

    /* Its client. */
    int client_fd; /* kept until the worker exists, with couriers to the end; else -1 */
    struct penalty_key penalty_key;
    char address[ADDRESS_TEXT_MAX];
    char name[NAME_LENGTH_MAX + 1]; /* the last one, for the log */

    /* What is pending for it. Sequence numbers; 0: none. */
    uint64_t joined;
    struct cursor cursor; /* where its worker delivers; with a courier only the position */
    uint64_t own_in_turn; /* its own messages in the turn, changed by turn.c; not with couriers */
    uint64_t private_last;
    size_t private_bytes; /* pending in private records, at most; exact if 0 */

    uint64_t first_missing; /* once nobody delivers: what the client did not get; 0: nothing */
    struct courier_link link;

    /* What is to be sent to its worker. */
    unsigned credit_due; /* answered frames since the last CREDIT */
    size_t credit_bytes; /* bytes of their texts */
    bool member_due;
    bool end_due;
    enum frame_close end_how;
    bool close_due; /* after CLOSE: everything is written and shut down */

    /* Frames that wait, see `queue`. */
    unsigned queue_first, queue_count;
    enum wait wait;
    uint32_t who_next; /* the slot at which a listing continues */
    uint32_t who_lines;

    /* Its end. */
    enum disconnect_reason end;
    enum disconnect_reason cut_by; /* why its courier detached it before it had drained */
    bool left_due;
    bool left_recorded;

    struct stall stall;

    TAILQ_ENTRY(slot) waiting_link;
    TAILQ_ENTRY(slot) dirty_link;
    TAILQ_ENTRY(slot) leaving_link;
    TAILQ_ENTRY(slot) spare_link;
    bool is_dirty, is_leaving, is_spare;

    /* A circle of frames that wait, oldest at queue_first; last, so that no new life touches it. */
    struct frame queue[OUTBOX_CREDIT_FRAMES];
};

TAILQ_HEAD(slot_list, slot);

struct counters {
    uint64_t accepted, joins, refused_full, refused_busy, refused_punished;
    uint64_t messages, message_bytes, records;
    uint64_t turns;
    uint64_t ends[DISCONNECT_COUNT];
};

struct supervisor {
    const struct options *options;
    struct event_base *base;
    struct frame_limits limits;

    struct region region;
    struct region_view view;
    struct ring ring;
    struct names *names;
    struct room *lobby;

    struct spawner spawner;
    struct children children;
    const struct delivery_ops *delivery;
    struct acceptor *acceptor;

    struct slot *slots;
    unsigned slot_count;
    unsigned used; /* slots that are not free */
    struct slot_list free, waiting, dirty, leaving, spares;
    unsigned waiting_count, spare_count;

    bool spare_died;           /* since spares_turn() has looked last */
    uint64_t spare_retry_at;   /* milliseconds: none is created before; 0: now */
    uint64_t spares_wanted_at; /* milliseconds: when those that were taken are replaced */

    struct courier *couriers;
    unsigned courier_count;

    struct turn turn; /* of the one room that there is */
    uint64_t now_ms;  /* see clock.h, which alone reads and writes this */
    bool clock_is_old;

    struct space space;

    struct peers *peers;         /* see client/peer.h; NULL: not watched */
    struct penalties *penalties; /* of addresses whose workers crash */

    bool has_dead_children; /* there may be some that nobody has reaped (child/orphans.c) */
    uint64_t next_sweep;    /* milliseconds: they are looked for no earlier */

    bool stopping;
    bool abandons; /* the stop takes too long: no courier is replaced any more */
    bool stop_notice_due;
    struct counters counters;
};

#endif
