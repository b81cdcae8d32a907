/* SPDX-License-Identifier: ISC */
/*
 * A supervisor without processes: its slots, ring and relays are real, and the test plays the
 * workers. A worker's end of the relay is a descriptor that the test reads when it likes, its
 * position is what the test says, and its process ID is one that no process can have.
 *
 * There is one fixture at a time in a process, since all that a process opens have the same region:
 * a fuzzer opens millions.
 */
#ifndef CHATROOMD_TESTS_SUPERVISOR_FIXTURE_H
#define CHATROOMD_TESTS_SUPERVISOR_FIXTURE_H

#include "supervisor/client/slot.h"

#define FIXTURE_CLIENTS     4
#define FIXTURE_COURIERS    2 /* at most */
#define FIXTURE_RING_SIZE   ((size_t)256 * 1024)
#define FIXTURE_OUTBOX_SIZE 32768
#define FIXTURE_MAX_MESSAGE 4096
#define FIXTURE_GRACE_MS    200

/* Linux has no process of this number (proc(5), pid_max); waitpid(2) and kill(2) refuse it. */
#define FIXTURE_NO_PROCESS 0x7ffffff0

struct fixture {
    struct options options;
    struct supervisor supervisor;
    int worker_ends[FIXTURE_CLIENTS];
    int forker_end; /* -1: there is no forker */
    struct {
        int relay, handover; /* -1: it is not running */
    } courier_ends[FIXTURE_COURIERS];
};

struct fixture *fixture_open(void);
void fixture_close(struct fixture *fixture);

/* With couriers that are never made, since there is no forker. */
struct fixture *fixture_open_with_couriers(unsigned count);

/* With couriers that fixture_make_couriers() makes, where the supervisor has asked for them. */
struct fixture *fixture_open_with_forker(unsigned count);
void fixture_make_couriers(struct fixture *fixture);

/* The courier's process is gone. */
void fixture_end_courier(struct fixture *fixture, unsigned number);

/* The fixture that the slot is on. */
struct fixture *fixture_of(const struct slot *slot);

/* A newcomer whose worker has not asked to enter; NULL where all slots are taken. */
struct slot *fixture_take(struct fixture *fixture);

/* The same with a connection of the test's making, which is the slot's from then on. */
struct slot *fixture_take_client(struct fixture *fixture, int client_fd);

/* A newcomer who is in the room, and whose worker has not read its relay yet. */
struct slot *fixture_join(struct fixture *fixture);

/* One frame of a kind without text. */
void fixture_frame(struct slot *slot, enum frame_kind kind);

/* The client says a message of `length` bytes. */
void fixture_say(struct slot *slot, size_t length);

/* The end of a turn, and of those that are due at once after it: what waits goes on, workers are
 * told. */
void fixture_turn(struct fixture *fixture);

/* The worker has delivered all before `position`. */
void fixture_deliver_to(struct slot *slot, uint64_t position);

/* The worker has read its relay and delivered all that it was told of. */
void fixture_catch_up(struct slot *slot);

/* Reads the next frame that the slot's worker was sent; false where there is none. */
bool fixture_told(struct fixture *fixture, const struct slot *slot, struct frame *frame);

/* The worker's end of the relay is closed, and the supervisor has read it to EOF. */
void fixture_end_relay(struct fixture *fixture, struct slot *slot);

#endif
