/*
 * A supervisor without processes: its slots, ring and relays are real, and the test plays the
 * workers. A worker's end of the relay is a descriptor that the test reads when it likes, its
 * position is what the test says, and its process ID is one that no process can have.
 *
 * There is one stage at a time in a process, since all that a process opens have the same region:
 * a fuzzer opens millions.
 */
#ifndef CHATROOMD_TESTS_SUPERVISOR_FIXTURE_H
#define CHATROOMD_TESTS_SUPERVISOR_FIXTURE_H

#include "supervisor/client/slot.h"

#define STAGE_CLIENTS     4
#define STAGE_COURIERS    2 /* at most */
#define STAGE_RING_SIZE   ((size_t)256 * 1024)
#define STAGE_OUTBOX_SIZE 32768
#define STAGE_MAX_MESSAGE 4096
#define STAGE_GRACE_MS    200

/* Linux has no process of this number (proc(5), pid_max); waitpid(2) and kill(2) refuse it. */
#define STAGE_NO_PROCESS 0x7ffffff0

struct stage {
    struct options options;
    struct supervisor supervisor;
    int worker_ends[STAGE_CLIENTS];
    int forker_end; /* -1: there is no forker */
    struct {
        int relay, handover; /* -1: it is not running */
    } courier_ends[STAGE_COURIERS];
};

struct stage *stage_open(void);
void stage_close(struct stage *stage);

/* With couriers that are never made, since there is no forker. */
struct stage *stage_open_with_couriers(unsigned count);

/* With couriers that stage_make_couriers() makes, where the supervisor has asked for them. */
struct stage *stage_open_with_forker(unsigned count);
void stage_make_couriers(struct stage *stage);

/* The courier's process is gone. */
void stage_end_courier(struct stage *stage, unsigned number);

/* The stage that the slot is on. */
struct stage *stage_of(const struct slot *slot);

/* A newcomer whose worker has not asked to enter; NULL where all slots are taken. */
struct slot *stage_take(struct stage *stage);

/* The same with a connection of the test's making, which is the slot's from then on. */
struct slot *stage_take_client(struct stage *stage, int client_fd);

/* A newcomer who is in the room, and whose worker has not read its relay yet. */
struct slot *stage_join(struct stage *stage);

/* One frame of a kind without text. */
void stage_frame(struct slot *slot, enum frame_kind kind);

/* The client says a message of `length` bytes. */
void stage_say(struct slot *slot, size_t length);

/* The end of a turn, and of those that are due at once after it: what waits goes on, workers are
 * told. */
void stage_turn(struct stage *stage);

/* The worker has delivered all before `position`. */
void stage_deliver_to(struct slot *slot, uint64_t position);

/* The worker has read its relay and delivered all that it was told of. */
void stage_catch_up(struct slot *slot);

/* Reads the next frame that the slot's worker was sent; false where there is none. */
bool stage_told(struct stage *stage, const struct slot *slot, struct frame *frame);

/* The worker's end of the relay is closed, and the supervisor has read it to EOF. */
void stage_end_relay(struct stage *stage, struct slot *slot);

#endif
