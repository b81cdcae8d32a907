/* SPDX-License-Identifier: ISC */
/*
 * layout.h - the only definition of the bytes in the shared region.
 *
 *     +--------+-------+-------+------+----------+-----+-----------+-----
 *     | header | slots | index | ring | outbox 0 | ... | courier 0 | ...
 *     +--------+-------+-------+------+----------+-----+-----------+-----
 *     :<---- the supervisor writes,  :<- the slot's -->:<- the courier ->
 *     :      deliverers read ------->:   worker writes :   writes
 *                                      what these write, the supervisor reads
 *
 * Model:
 * 1. Each byte has one writer. Each part begins on a new page, so that a process can map the first
 *    four parts read-only and one part of its own read-write, and nothing else.
 * 2. There are no pointers and no locks, only offsets. Words that two processes access are C11
 *    atomics.
 * 3. Sequence numbers and ring offsets have 64 bits and only increase; the modulo is taken when
 *    memory is accessed. At 10 million records a second a sequence number lasts 58,000 years.
 * 4. An outbox is one page of its worker's state, followed by outbox-size bytes of payload. A
 *    courier's part is one page of its own state, followed by the delivery state of each slot. The
 *    supervisor zeroes an outbox before the slot is used again, and a courier's part before its
 *    successor starts, while no process has it mapped.
 * 5. `version` is stored last, with release. A process that loads it with acquire sees a complete
 *    header, or refuses it.
 *
 * A record is contiguous in the ring. If it does not fit before the end of the ring, the rest of
 * the lap is unused.
 */
#ifndef CHATROOMD_REGION_LAYOUT_H
#define CHATROOMD_REGION_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_MAGIC   UINT64_C(0x646d6f6f72746163) /* "catroomd", little endian */
#define REGION_VERSION 3u

#define REGION_CACHE_LINE 64

/* As sender: no client. As recipient: everyone in the room. */
#define REGION_NO_SLOT UINT32_MAX

/* Kind of a record, its word in logs, and whether its sender, the client that it is from or about,
 * receives it too. */
#define RECORD_KINDS(KIND)                                                                         \
    KIND(MESSAGE, "message", 0)                                                                    \
    KIND(JOINED, "joined", 0)                                                                      \
    KIND(LEFT, "left", 0)                                                                          \
    KIND(RENAMED, "renamed", 1)                                                                    \
    KIND(WELCOME, "welcome", 1)                                                                    \
    KIND(REPLY, "reply", 1)                                                                        \
    KIND(ERROR, "error", 1)                                                                        \
    KIND(NOTICE, "notice", 1)

enum record_kind {
#define KIND(symbol, word, to_sender) RECORD_##symbol,
    RECORD_KINDS(KIND)
#undef KIND
        RECORD_KIND_COUNT
};

/* The first page. Constant once `version` is stored, except for the two sequence numbers. */
struct region_header {
    uint64_t magic;
    _Atomic uint32_t version;
    uint32_t slot_count;
    uint64_t total_size;   /* bytes, all parts */
    uint64_t slots_offset; /* offsets are in bytes from the start of the header */
    uint64_t index_offset;
    uint64_t index_count; /* entries */
    uint64_t ring_offset;
    uint64_t ring_size; /* bytes */
    uint64_t outboxes_offset;
    uint64_t outbox_stride; /* bytes from one outbox to the next: a page of state and the payload */
    uint64_t outbox_size;   /* bytes of payload */
    uint64_t couriers_offset;
    uint64_t courier_stride; /* bytes from one courier's part to the next */
    uint32_t courier_count;
    uint32_t reserved;

    _Alignas(REGION_CACHE_LINE) _Atomic uint64_t next_sequence; /* one above the newest record */
};

/* The position of the parts that children map, copied from the header. */
struct region_places {
    size_t view_size; /* bytes from the header to the end of the ring, where the outboxes begin */
    size_t outbox_stride, outbox_size;
    size_t couriers_offset, courier_stride;
};

/* The public state of a client's slot: no name, no address. The slots of the clients are followed
 * by one for each courier. */
struct region_slot {
    _Alignas(REGION_CACHE_LINE) _Atomic uint32_t generation;
    /* The position that the supervisor is waiting for, or 0. The worker that delivers to this
     * client sends SPACE on the relay when its position passes this, and a courier when the lowest
     * position of its clients does. There is one word per slot instead of one for all, so that only
     * those that hold the ring are asked, but not a hundred workers that are up to date. */
    _Atomic uint64_t wanted;
};

/* The index entry of a record: complete before header.next_sequence passes it, then constant. */
struct record_entry {
    uint64_t sequence;
    uint64_t offset; /* in the unbounded byte stream; modulo ring_size in memory */
    uint32_t length; /* bytes, including the line feed */
    uint16_t kind;   /* enum record_kind */
    uint16_t room;
    uint32_t sender; /* slot of the client that the record is from or about, or REGION_NO_SLOT */
    uint32_t sender_generation;
    uint32_t recipient; /* slot, or REGION_NO_SLOT */
    uint32_t recipient_generation;
    uint32_t reserved[6];
};

/* The progress of the delivery to one client at some moment. */
struct delivery_mark {
    _Atomic uint64_t position; /* the lowest sequence number that the client still needs */
    _Atomic uint64_t bytes;    /* of all delivered records before `position` */
};

/* The progress of the delivery to one client, written by the process that delivers to it. The valid
 * mark is marks[version % 2]. The other one is written before `version` is incremented, so a
 * process that dies at any moment leaves a complete mark behind. */
struct delivery_state {
    _Alignas(REGION_CACHE_LINE) _Atomic uint32_t generation; /* of the client */
    _Atomic uint32_t version;
    _Atomic uint32_t waits; /* 1: its socket did not accept all pending records */
    uint32_t reserved;
    struct delivery_mark marks[2];
};

/* The first page of an outbox. */
struct outbox_state {
    struct delivery_state delivery; /* if the worker delivers to its client */
};

/* The first page of a courier's part. */
struct courier_state {
    _Alignas(REGION_CACHE_LINE) _Atomic uint64_t oldest_needed; /* lowest position of its clients */
    _Atomic uint64_t answered; /* the last ALIVE that it has read */
};

_Static_assert(sizeof(struct region_header) == 192, "the header's size is part of the layout");
_Static_assert(offsetof(struct region_header, next_sequence) == 128,
    "sequence numbers have their own cache line");
_Static_assert(sizeof(struct region_slot) == 64, "a slot is one cache line");
_Static_assert(sizeof(struct delivery_state) == 64, "a delivery's state is one cache line");
_Static_assert(sizeof(struct record_entry) == 64, "an index entry is one cache line");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
    "atomics between processes must be lock-free");

#endif
