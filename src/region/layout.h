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
 * 1. One writer per byte. Every part begins on a page of its own, so that a process can be given
 *    the first four read-only and one part of its own read-write, and nothing else.
 * 2. No pointers and no locks: offsets only. Words in which two processes meet are C11 atomics.
 * 3. Sequence numbers and ring offsets are 64-bit and only grow; they are taken modulo the size of
 *    their ring only where memory is touched. At 10 million records a second a sequence number
 *    lasts 58,000 years.
 * 4. An outbox is one page of its worker's state, then outbox-size bytes of payload. A courier's
 *    part is one page of its own state, then how far each slot's delivery has got. The supervisor
 *    zeroes an outbox between two lives of a slot, and a courier's part between two couriers, when
 *    no process has it mapped.
 * 5. `version` is stored last, with release: who attaches and reads it with acquire sees a whole
 *    header, or refuses.
 *
 * A record's bytes are contiguous in the ring; where one does not fit before the ring's end, the
 * rest of that lap stays unused.
 */
#ifndef CHATROOMD_REGION_LAYOUT_H
#define CHATROOMD_REGION_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_MAGIC   UINT64_C(0x646d6f6f72746163) /* "catroomd", little endian */
#define REGION_VERSION 3u

#define REGION_CACHE_LINE 64

/* Recipient and sender of a record that is nobody's in particular. */
#define REGION_NO_SLOT UINT32_MAX

/* What a record is, its word in logs, and whether the client that it is by or about (its sender) is
 * given it too. */
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

/* The first page. Constant once `version` is stored, but for the two sequence numbers. */
struct region_header {
    uint64_t magic;
    _Atomic uint32_t version;
    uint32_t slot_count;
    uint64_t total_size;   /* bytes, all parts */
    uint64_t slots_offset; /* bytes from the header's first */
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

    _Alignas(REGION_CACHE_LINE) _Atomic uint64_t next_sequence; /* one beyond the newest record */
};

/* Where the parts are that workers map: what the header says of them. */
struct region_places {
    size_t
        view_size; /* bytes from the header's first to the ring's last; the outboxes begin there */
    size_t outbox_stride, outbox_size;
    size_t couriers_offset, courier_stride;
};

/* A client's place as everyone may see it: no name, no address. After those of the clients there is
 * one for each courier. */
struct region_slot {
    _Alignas(REGION_CACHE_LINE) _Atomic uint32_t generation;
    /* The position that the supervisor waits for before it can go on, or 0. Who delivers to this
     * client sends SPACE on the relay when its position passes this, and a courier when the lowest
     * of its clients' does. One word for each rather than one for all, so that only those that hold
     * the ring are asked, and a hundred caught-up workers are not. */
    _Atomic uint64_t wanted;
};

/* One record. Written whole before header.next_sequence passes it, constant until written over. */
struct record_entry {
    uint64_t sequence;
    uint64_t offset; /* in the ring's endless byte stream; modulo ring_size in memory */
    uint32_t length; /* bytes, the line feed included */
    uint16_t kind;   /* enum record_kind */
    uint16_t room;
    uint32_t sender; /* slot of the client that the record is by or about, or REGION_NO_SLOT */
    uint32_t sender_generation;
    uint32_t recipient; /* slot, or REGION_NO_SLOT: everyone in the room */
    uint32_t recipient_generation;
    uint32_t reserved[6];
};

/* How far one client's delivery had got at some moment. */
struct delivery_mark {
    _Atomic uint64_t position; /* the lowest sequence number that the client still needs */
    _Atomic uint64_t bytes;    /* of all records before it that it was given, since it began */
};

/* How far one client's delivery has got, written by the process that delivers to it. The mark that
 * counts is marks[version % 2], and the other one is written before `version` moves on; so what a
 * process leaves behind that dies at any moment is the one or the other, and whole. */
struct delivery_state {
    _Alignas(REGION_CACHE_LINE) _Atomic uint32_t
        generation; /* of the client; the rest is about no other */
    _Atomic uint32_t version;
    _Atomic uint32_t waits; /* 1: its socket did not take all that it is owed */
    uint32_t reserved;
    struct delivery_mark marks[2];
};

/* The first page of an outbox. */
struct outbox_state {
    struct delivery_state delivery; /* where the worker itself delivers */
};

/* The first page of a courier's part. */
struct courier_state {
    _Alignas(REGION_CACHE_LINE) _Atomic uint64_t
        oldest_needed;         /* by any of its clients; all before it is delivered */
    _Atomic uint64_t answered; /* the last ALIVE that it has read */
};

_Static_assert(sizeof(struct region_header) == 192, "the header's size is part of the layout");
_Static_assert(
    offsetof(struct region_header, next_sequence) == 128, "sequence numbers stand apart");
_Static_assert(sizeof(struct region_slot) == 64, "a slot is one cache line");
_Static_assert(sizeof(struct delivery_state) == 64, "a delivery's state is one cache line");
_Static_assert(sizeof(struct record_entry) == 64, "an index entry is one cache line");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
    "atomics between processes must be lock-free");

#endif
