/* SPDX-License-Identifier: ISC */
/*
 * wakeup.pml - waiting for space, with store buffers.
 *
 * Two workers that deliver, a supervisor that records what two writers publish into a ring of four
 * records, and a memory that shows stores late: a store goes into its process's buffer, first in
 * first out, and comes out at any later time (total store order, as on x86; where a processor may
 * reorder more, the two fences forbid that too). Only the two words of the wake-up are buffered,
 * `position` and `wanted`: all others are ordered by the relays' system calls. `position` is stored
 * as a mark and then the version that makes it count (region/layout.h): to see the version is to see
 * the mark, so they are one store here.
 *
 * Checked in every state: no record is written over before it has left (Worker, first step). Checked
 * where nothing can happen any more (Observer), and with Spin's search for cycles, which finds that
 * every run comes there: everything was accepted and delivered. So no wake-up is lost and senders go
 * on in the end. There are no timers here: the supervisor's clock would hide a lost wake-up for a
 * while, and make it a delay.
 *
 * What stands for what:
 *   Worker, first step    delivery_write() (delivery/delivery.c): any number of records leave; then
 *                         the store in set_position()
 *   Worker, second step   the fence and the load in set_position(), and SPACE, sent by write_records()
 *                         (worker/own_delivery.c); the worker may die in between
 *   Supervisor, 1st step  a turn but for its last act: order_frame() and order_resume() (order.c),
 *                         notify_turn() (notify.c), space_resume() (space.c), all in supervisor/
 *   HOLD, refresh()       cursor_needs() (cursor.c); refresh() and find_slowest() (space.c)
 *   WANTED                position_that_frees() (space.c)
 *   Supervisor, 2nd step  cursor_ask() (cursor.c) up to its store: one that has got all is not asked
 *   Supervisor, 3rd step  cursor_ask() from its fence on;
 *                         `again` is what space_arm() returns to end_turn()
 *   waiting               frames in the slots' queues; CAN_PUBLISH: a writer has credit left
 *   end_of()              slot_worker_closed() and children_reap(), as one
 *
 * Left out: who publishes, and all else that delivery.pml has. All records are for both workers.
 *
 * Each #ifdef but those of the two sizes is a mutant: a rule left out or turned round.
 * check_models.sh demands that Spin finds an error in each.
 */
#ifndef EACH
#define EACH 3 /* messages of each writer */
#endif
#ifndef CRASHES
#define CRASHES 1 /* workers that may die */
#endif
#define RING 4
#define WRITERS 2 /* with one PUBLISH unanswered each */
#define LAST (WRITERS * EACH)
#define NOBODY 2
#define DEPTH 2 /* of a store buffer; with the fences in place one is never fuller than 1 */

mtype = { SPACE, END_OF_FILE };

/* What memory shows of the words in which the processes meet, and the ring. */
byte position[2];
byte wanted[2];
byte ring[RING];

/* What a process has stored and memory does not show yet. */
chan worker_stores[2] = [DEPTH] of { byte };
chan supervisor_stores = [DEPTH] of { byte, byte };

/* Relays up; down, a DELIVER's `to` is all that counts, and a later one takes an earlier one in. */
chan relay[2] = [3] of { mtype };
byte delivered[2];

byte crashes;
bool dead[2];
byte accepted;

proctype Worker(byte me)
{
    byte at, reached, value;

end_idle:
    do
    :: atomic { /* some of what is owed leaves; its bytes are looked at now */
           at <= delivered[me] && delivered[me] != 0;
           reached = (at == 0 -> 1 : at);
           do
           :: reached <= delivered[me] ->
               assert(ring[reached % RING] == reached);
               reached++;
               if
               :: true -> break
               :: reached <= delivered[me] -> skip
               fi
           od;
           worker_stores[me]!reached
       }
       atomic {
#ifndef NO_FENCE_IN_WORKER
           len(worker_stores[me]) == 0 ->
#endif
           value = wanted[me];
           if
#ifdef SPACE_ONLY_WHEN_EQUAL
           :: value == reached ->
#else
           :: at < value && value <= reached ->
#endif
               if
               :: true -> assert(len(relay[me]) < 2); relay[me]!SPACE
               :: crashes < CRASHES -> goto crash
               fi
           :: else
           fi;
           at = reached;
           reached = 0;
           value = 0
       }
    :: atomic { crashes < CRASHES -> goto crash }
    od;
crash:
    atomic {
        crashes++;
        dead[me] = true;
        relay[me]!END_OF_FILE;
        at = 0;
        reached = 0;
        value = 0
    }
}

active proctype Memory()
{
    byte slot, value;

end_drained:
    do
    :: atomic { supervisor_stores?slot, value -> wanted[slot] = value; slot = 0; value = 0 }
    :: atomic { worker_stores[0]?value -> position[0] = value; value = 0 }
    :: atomic { worker_stores[1]?value -> position[1] = value; value = 0 }
    od
}

#define FIRST_OWED 1
#define HOLD(slot) (position[slot] > FIRST_OWED -> position[slot] : FIRST_OWED)
/* The position of the holder from which on what waits fits, as far as it has been told. */
#ifdef WANTED_TOO_FAR
#define WANTED (held + RING + 1)
#else
#define WANTED (held + 1)
#endif
#define FITS (next - held < RING)
#define CAN_PUBLISH (waiting < WRITERS && accepted + waiting < LAST)

/* Moves `held` on as far as it really is. */
inline refresh()
{
    if
#ifdef OTHERS_NOT_LOOKED_AT
    :: holder != NOBODY -> held = HOLD(holder)
#else
    :: holder != NOBODY && HOLD(holder) == held
#endif
    :: else ->
        held = next;
        holder = NOBODY;
        if
        :: member[0] && HOLD(0) < held -> held = HOLD(0); holder = 0
        :: else
        fi;
        if
        :: member[1] && HOLD(1) < held -> held = HOLD(1); holder = 1
        :: else
        fi
    fi
}

inline end_of(slot)
{
    member[slot] = false;
#ifndef DEAD_HOLDER_KEPT
    if
    :: holder == slot -> holder = NOBODY
    :: else
    fi
#endif
}

inline take_frames()
{
    do
    :: relay[0]?SPACE
    :: relay[1]?SPACE
    :: relay[0]?END_OF_FILE -> end_of(0)
    :: relay[1]?END_OF_FILE -> end_of(1)
    :: len(relay[0]) + len(relay[1]) == 0 -> break
    od;
    do /* a writer that has credit may or may not have published by now */
    :: CAN_PUBLISH -> waiting++
    :: true -> break
    od
}

inline accept()
{
    do
    :: waiting > 0 ->
        if
        :: !FITS -> refresh()
        :: else
        fi;
        if
        :: FITS ->
            ring[next % RING] = next;
            next++;
            accepted++;
            waiting--
        :: else -> break
        fi
    :: else -> break
    od
}

active proctype Supervisor()
{
    byte next = 1, held = 1, holder = NOBODY, waiting, asked;
    bool member[2] = true;

    atomic { run Worker(0); run Worker(1) }
end_asleep:
    do
    :: atomic {
           if
           :: len(relay[0]) + len(relay[1]) > 0
           :: CAN_PUBLISH -> waiting++
           fi;
again:
           take_frames();
           accept();
           delivered[0] = next - 1;
           delivered[1] = next - 1;
           if
           :: waiting > 0 -> skip
           :: else -> goto end_asleep
           fi
       }
#ifdef WANTED_AFTER_REREAD
       atomic {
           if
           :: HOLD(holder) > held -> goto again
           :: else
           fi
       }
#endif
       atomic {
           if
           :: position[holder] >= delivered[holder] + 1 ->
#ifdef CAUGHT_UP_NOT_SEEN
               goto end_asleep
#else
               goto again
#endif
           :: else ->
               asked = WANTED;
               supervisor_stores!holder, asked
           fi
       }
#ifndef WANTED_AFTER_REREAD
       atomic {
#ifndef NO_FENCE_IN_SUPERVISOR
           len(supervisor_stores) == 0 ->
#endif
           if
#ifdef NEVER_ASLEEP
           :: true -> asked = 0; goto again
#endif
#ifndef NO_REREAD
           :: position[holder] >= asked -> asked = 0; goto again
#endif
           :: else -> asked = 0
           fi
       }
#endif
    od
}

active proctype Observer()
{
    timeout ->
    assert(accepted == LAST);
    assert(dead[0] || position[0] == LAST + 1);
    assert(dead[1] || position[1] == LAST + 1)
}
