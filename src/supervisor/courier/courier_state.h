/* SPDX-License-Identifier: ISC */
/*
 * courier_state.h - one courier, as the files that are about couriers know it; all others know
 * couriers.h.
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_COURIER_STATE_H
#define CHATROOMD_SUPERVISOR_COURIER_COURIER_STATE_H

#include "supervisor/state.h"

#include <event2/util.h>

/* Between two tries to make one, when the last try failed or what it made did nothing. */
#define COURIER_RETRY_MS 100u

enum courier_phase {
    COURIER_DOWN,   /* there is none, and none is being made */
    COURIER_MAKING, /* asked for; its relay is there, its process may be */
    COURIER_RUNS,
    COURIER_DYING /* its relay is at its end, or it is killed; not reaped yet */
};

struct courier {
    struct supervisor *supervisor;
    unsigned number;
    enum courier_phase state;
    struct cursor cursor;
    struct courier_part part;
    struct relay *relay;
    int handover_fd;
    struct event *handover_writable;
    pid_t pid;
    bool is_at_fault; /* that is logged, and nothing that it says counts any more */
    uint32_t generation;
    uint64_t retry_at;
    unsigned clients, members;
    unsigned ending; /* of the clients: their end has come, and it is not done with them */
    struct slot_list served, news, handovers;
    bool is_dirty;
    bool handover_fails; /* for another reason than that the courier does not take them */
    bool is_asked_for;   /* the forker has not answered yet */
    bool is_missed;      /* it could not be made, and that is logged */

    uint64_t asked;     /* the last ALIVE */
    uint64_t silent_ms; /* so long that one has not been answered */
    bool ask_waits;     /* it has not left yet */
    uint64_t
        asked_to; /* one beyond the last record that it had been told of when it was asked ... */
    uint64_t due; /* ... and when it was asked before that */
    uint64_t unjudged_ms, judged_ms;
    uint64_t idle_ms, idle_until; /* see courier_duty.c, model, 3 */
};

/* --- courier_tell.c */

/* There is something to say about the client; or there is not any more. */
void courier_mark(struct slot *slot);
void courier_unmark(struct slot *slot);

/* The client's descriptor is to be sent. */
void courier_hand_over(struct slot *slot);

/* Says what there is to say, and sends what descriptors wait. */
void courier_notify(struct courier *courier);

/* A libevent callback; `argument` is the courier, whose handover socket takes more. */
void courier_handover_writable(evutil_socket_t fd, short what, void *argument);

/* --- courier_client.c */

/* Takes a judged DONE. */
void courier_take_done(struct courier *courier, const struct frame *frame);

/* The client's courier is done with it, or dead: what it did not get begins at `position`. `reason`
 * is why, where that is not the end that it had already; `how` is shutdown(2)'s. */
void courier_detach(struct slot *slot, uint64_t position, enum disconnect_reason reason, int how);

/* --- courier_process.c */

/* Asks for its process; what there is to say waits in its sockets. */
void courier_start(struct courier *courier);

/* It broke the rule that `what` says: logs that, and kills it. */
void courier_fault(struct courier *courier, const char *what);

/* Asks whether it answers; and what it answered last, 0 where it has answered nothing yet. */
void courier_ask(struct courier *courier);
uint64_t courier_last_answer(const struct courier *courier);

void courier_close_sockets(struct courier *courier);

extern const struct spawner_handler courier_spawner_handler;

/* --- courier_duty.c */

/* Whether there is anything that it has not done yet. */
bool courier_has_work(struct courier *courier);

/* Each tick: whether it answers and delivers; one that does not is at fault. `elapsed` in
 * milliseconds. */
void courier_judge(struct courier *courier, uint64_t elapsed);

/* --- courier_death.c */

/* Reaps it, if it is there to be reaped, and recovers. */
void courier_reap(struct courier *courier);

/* It is dead and reaped: the next one begins where it has stopped, at once or soon. */
void courier_recover(struct courier *courier);

#endif
