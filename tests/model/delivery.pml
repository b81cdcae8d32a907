/* SPDX-License-Identifier: ISC */
/*
 * delivery.pml - publish, deliver, credit, eviction, crash and reuse of a slot.
 *
 * Three slots, two writers and two readers: slot 0 writes, slot 1 writes and reads, slot 2 reads; a
 * ring of four bytes with an index of four entries. The slot VICTIM (1 or 2) may crash, quit, close
 * its relay and go on, stall, be evicted, and is then given to a second client, who reads. With
 * VICTIM=1 the one who stalls is a client that does not read, with VICTIM=2 a worker that does not
 * run.
 *
 * Checked in every state:
 * - No gap, no duplicate, one order: `owed` has one bit for each record that the room was given while
 *   a client was in it; what leaves is always the lowest of them (Worker, "one byte leaves").
 * - No use of a reclaimed record: whatever a worker reads of the index and the ring still belongs to
 *   the record that it wants (`entry_sequence`, `byte_of`).
 * - No use of a reclaimed slot: a second life finds its outbox zeroed, what the supervisor copies from
 *   an outbox is what its present worker put there, and no position is beyond what was told.
 * - An honest worker is never taken for one that breaks the rules (the other assertions).
 * - Each end of a client is told to the room before its slot is free.
 * Checked where nothing can happen any more (Observer), and with Spin's search for cycles, which
 * finds that every run comes there: all that was said was accepted, all that is owed was delivered
 * to who reads, all that ended was freed and taken again. So senders go on in the end.
 *
 * What stands for what:
 *   position            that of the mark that counts of outbox_state.delivery (region/layout.h)
 *   text                two pieces in each outbox: outbox_put() (region/outbox.c)
 *   entry_..., byte_of  the index and the ring (region/ring.c); byte_of is whose byte it is
 *   up, down, related   a relay, and slot.relay != NULL: where down is full, relay_blocked() says so
 *   stalled .. exited   the client, the scheduler and the kernel
 *   Worker              worker_relay_frame(), submit() and begin_close() (worker/session.c), and
 *                       write_records() (worker/own_delivery.c) with delivery_extend(), delivery_write() and
 *                       delivery_advance() (delivery/delivery.c); `end` and `at` are its end and
 *                       position
 *   next_given()        delivery_includes() (delivery/delivery.c), leaving out rooms
 *   look_at()           cursor_needs() (supervisor/ring/cursor.c)
 *   refresh()           refresh() and find_slowest() (supervisor/ring/space.c)
 *   fits_before()       ring_fits() (region/ring.c), one record at a time
 *   space_fits()        space_reserve() (supervisor/ring/space.c)
 *   owe_turn()          slot_add_turn() (supervisor/client/slot.c) with turn_since() and
 *                       turn_has_news() (supervisor/ring/turn.c) and cursor_extend()
 *   commit()            ring_open(), ring_commit(), and record_for_room() (order/record.c)
 *   slot_end(), try_free(), reap_all()    slot_end() and slot_try_free() (client/slot.c),
 *                       children_reap() (child/child.c)
 *   answer(), take_frame(), order_resume(), record_leaves()    answer_publish(), answer_hello(),
 *                       answer_goodbye() (order/requests.c), order_frame() and the same
 *                       (order/order.c)
 *   tell(), notify_turn()  notify_worker(), notify_room() and the same (order/notify.c), and
 *                       cursor_notify()
 *   Supervisor          one turn, serve() and end_turn() (supervisor/supervisor.c), is one step
 *   relay_ended()       slot_worker_closed(); the KILL after its grace may come at any time
 *   CAN_EVICT           evict() by stall_tick(): at any time after somebody waits
 *   CAN_KILL_HUNG       child_kill_after() after drain-timeout
 *   CAN_TAKE            slot_take() and slot_assign(), as one
 *
 * Left out: couriers, workers made ahead, private records and their bound, names, the stop, batches of
 * several records that are asked for at once, CREDIT that is told late, and that a turn is not one
 * step: how the positions are read and the supervisor is woken is wakeup.pml's. Both models share
 * nothing but `position`. Slot 0 is owed nothing, as if its client were in no room. Only entries have a
 * reserve: with one for bytes a ring of four would hide what goes wrong at its end.
 *
 * Each #ifdef but those of VICTIM and WINDOW is a mutant: a rule left out or turned round.
 * check_models.sh demands that Spin finds an error in each.
 */
#ifndef VICTIM
#define VICTIM 2
#endif
#ifndef WINDOW
#define WINDOW 1
#endif
#define SLOTS 3
#define LIVES 4
#define RING 4
#define RESERVE 1
#define NOBODY 3

#define SLOT_OF(life) (life == 3 -> VICTIM : life)
#define GENERATION_OF(life) (life == 3 -> 2 : 1)

/* Messages that a client has to say. */
#define SAYS(life) (life == 0 -> 2 : (life == 1 -> 1 : 0))

mtype = { PUBLISH, ENTER, FINISH };
mtype:state = { FREE, STARTING, PRESENT, GONE };

/* The region. */
byte entry_sequence[RING], entry_start[RING], entry_length[RING], entry_life[RING];
byte byte_of[RING];
byte position[SLOTS];
byte text[6];

/* The relays, one per slot: up to the supervisor, and down in batches {from, to, credit, end}. */
chan up[SLOTS] = [2] of { mtype };
chan down[SLOTS] = [2] of { byte, byte, byte, byte };

/* Processes as the kernel knows them. */
bool started[LIVES], closed[LIVES], killed[LIVES], exited[LIVES];
byte stalled[LIVES]; /* 1: the client does not read, 2: the worker does not run */

/* What readers are still owed, bit by bit, for the checks alone. */
short owed[SLOTS];
byte accepted[SLOTS];
bool left_told[SLOTS];

/* The supervisor's. */
mtype:state state[SLOTS];
byte life_of[SLOTS];
bool related[SLOTS], reaped[SLOTS];
bool left_due[SLOTS], end_due[SLOTS], ended[SLOTS], evicted[SLOTS];
byte notified_to[SLOTS], unnotified_from[SLOTS], owed_to[SLOTS], own_in_turn[SLOTS], credit_due[SLOTS];
byte joined[SLOTS];
byte jump_end[SLOTS], jump_from[SLOTS];
chan queue[SLOTS] = [2] of { mtype };
byte next = 1, head, held = 1, holder = NOBODY;
byte turn_first, turn_records;
bool blocked;
byte blocked_length;

#define IS_READER(slot) (slot != 0)
/* Nothing of the region is in a worker of this slot any more. */
#ifdef FREED_BEFORE_REAPED
#define IS_GONE(slot) (!related[slot])
#else
#ifdef FREED_BEFORE_EOF
#define IS_GONE(slot) (reaped[slot])
#else
#define IS_GONE(slot) (!related[slot] && reaped[slot])
#endif
#endif
/* ------------------------------------------------------------------ worker */

inline next_given()
{
    do
    :: at < end ->
        assert(entry_sequence[at % RING] == at);
        if
        :: entry_life[at % RING] == life -> at++
        :: else -> break
        fi
    :: else -> break
    od
}

proctype Worker(byte life)
{
    byte slot, at, end, partial, sent, credit = WINDOW;
    bool draining, finished;
    byte from, to, answered, how;

end_unborn:
    atomic {
        started[life];
        slot = SLOT_OF(life);
        if
        :: life == 3 ->
            assert(position[slot] == 0 && text[slot * 2] == 0 && text[slot * 2 + 1] == 0);
            up[slot]!ENTER;
            credit--
        :: else
        fi
    }
end_worker:
    do
    :: atomic { /* relay */
           !closed[life] && stalled[life] < 2 && down[slot]?[from, to, answered, how] ->
           down[slot]?from, to, answered, how;
           if
           :: from != 0 ->
               assert(from <= to && to + 1 >= end && from >= at);
               if
               :: at == end ->
                   at = from;
                   position[slot] = at
               :: else
               fi;
               end = to + 1;
#ifdef POSITION_BEFORE_BYTES
               position[slot] = end
#endif
           :: else
           fi;
           credit = credit + answered;
           if
           :: how == 1 -> draining = true; finished = true
           :: how == 2 -> closed[life] = true
           :: else
           fi;
           from = 0; to = 0; answered = 0; how = 0
       }
    :: atomic { /* one byte leaves */
           at < end && !stalled[life] ->
           from = at;
           next_given();
           if
           :: at < end ->
               assert(byte_of[(entry_start[at % RING] + partial) % RING] == at);
               partial++;
               if
               :: partial == entry_length[at % RING] ->
                   assert(owed[slot] & (1 << at));
                   assert((owed[slot] & ((1 << at) - 1)) == 0);
                   owed[slot] = owed[slot] & ~(1 << at);
                   partial = 0;
                   at++;
                   next_given()
               :: else -> at = from
               fi
           :: else
           fi;
           from = 0;
           position[slot] = at
       }
    :: atomic { /* the client says something */
           sent < SAYS(life) && credit > 0 && !closed[life] && !finished && stalled[life] < 2 ->
           credit--;
           sent++;
           text[slot * 2 + sent % WINDOW] = sent;
           up[slot]!PUBLISH
       }
    :: atomic { /* the client is done */
           life == VICTIM && credit > 0 && !closed[life] && !finished &&
               stalled[life] < 2 ->
           credit--;
           finished = true;
           up[slot]!FINISH
       }
    :: atomic { /* drained */
           draining && at == end && !closed[life] && stalled[life] < 2 ->
           assert(owed[slot] == 0);
           closed[life] = true
       }
    :: atomic { /* drain-timeout */
           draining && stalled[life] == 1 && !closed[life] -> closed[life] = true
       }
    :: atomic { life == VICTIM && !closed[life] && stalled[life] == 0 -> closed[life] = true }
    :: atomic { life == VICTIM && stalled[life] == 0 && !closed[life] -> stalled[life] = VICTIM }
    :: atomic { closed[life] && stalled[life] < 2 || killed[life] -> break }
    od;
    atomic {
        closed[life] = true;
        exited[life] = true;
        stalled[life] = 0;
        at = 0; end = 0; partial = 0; sent = 0; credit = 0; draining = false; finished = false
    }
}

/* ------------------------------------------------------------------ supervisor */

/* The worker has not yet moved on to where a DELIVER began. */
#define JUMPS(s) (position[s] == jump_end[s] && jump_from[s] > jump_end[s])

inline look_at(s)
{
    if
    :: state[s] == FREE || IS_GONE(s) -> hold = 0
#ifdef HOLD_DROPPED_AT_EVICTION
    :: evicted[s] -> hold = 0
#endif
#ifdef HOLD_DROPPED_AT_EOF
    :: !related[s] -> hold = 0
#endif
    :: else ->
        hold = position[s];
        assert(hold <= notified_to[s]);
        if
        :: JUMPS(s) -> hold = jump_from[s]
        :: else
        fi;
        if
        :: hold >= notified_to[s] -> hold = unnotified_from[s]
        :: else
        fi
    fi
}

inline refresh()
{
    hold = 0;
    if
    :: holder != NOBODY -> look_at(holder)
    :: else
    fi;
    if
    :: holder != NOBODY && hold == held
#ifdef OTHERS_NOT_LOOKED_AT
    :: holder != NOBODY && hold > held -> held = hold
#endif
    :: else ->
        held = next;
        holder = NOBODY;
        i = 0;
        do
        :: i < SLOTS ->
            look_at(i);
            if
            :: hold != 0 && hold < held -> held = hold; holder = i
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
#ifndef TURN_NOT_HELD
        if
        :: turn_first != 0 && turn_first < held -> held = turn_first
        :: else
        fi
#endif
    fi;
    hold = 0
}

/* The rest of a lap in which a record does not fit. */
#ifdef REST_OF_LAP_FORGOTTEN
#define WASTE(length) 0
#else
#define WASTE(length) ((head % RING) + length <= RING -> 0 : RING - head % RING)
#endif

inline fits_before(bytes, spare)
{
    assert(held == next || entry_sequence[held % RING] == held);
    fits = (next - held + 1 + spare <= RING) &&
        (head - (held == next -> head : entry_start[held % RING])) +
        WASTE(bytes) + bytes <= RING
}

inline space_fits(bytes, spare)
{
    fits_before(bytes, spare);
    if
    :: !fits -> refresh(); fits_before(bytes, spare)
    :: else
    fi
}

inline owe_turn(s)
{
    if
    :: IS_READER(s) && turn_first != 0 && own_in_turn[s] != turn_records ->
        since = (turn_first < joined[s] -> joined[s] : turn_first);
#ifndef TOLD_AGAIN
        since = (since < notified_to[s] -> notified_to[s] : since);
#endif
        if
        :: since >= next
#ifdef UNSENT_REPLACED
        :: since < next -> unnotified_from[s] = since; owed_to[s] = next
#else
        :: since < next && (unnotified_from[s] == 0 || since < unnotified_from[s]) ->
            unnotified_from[s] = since;
            owed_to[s] = next
        :: since < next && unnotified_from[s] != 0 && since >= unnotified_from[s] ->
            owed_to[s] = next
#endif
        fi;
        since = 0
    :: else
    fi;
    own_in_turn[s] = 0
}

/* A record about or by slot s becomes the next. */
inline commit(s, bytes)
{
    if
    :: (head % RING) + bytes > RING -> head = head + RING - head % RING
    :: else
    fi;
    i = 0;
    do
    :: i < bytes -> byte_of[(head + i) % RING] = next; i++
    :: else -> break
    od;
    i = 0;
    entry_sequence[next % RING] = next;
    entry_start[next % RING] = head;
    entry_length[next % RING] = bytes;
    entry_life[next % RING] = life_of[s];
    head = head + bytes;
    if
    :: turn_first == 0 -> turn_first = next
    :: else
    fi;
    turn_records++;
    do
    :: i < SLOTS ->
        if
        :: IS_READER(i) && state[i] == PRESENT && i != s -> owed[i] = owed[i] | (1 << next)
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0;
    next++
}

inline slot_end(s, how)
{
    if
    :: !ended[s] ->
        ended[s] = true;
        if
        :: state[s] == PRESENT ->
            owe_turn(s);
            left_due[s] = !left_recorded
        :: else
        fi;
        state[s] = GONE;
        do
        :: queue[s]?_
        :: (len(queue[s]) == 0) -> break
        od;
        end_due[s] = true;
        evicted[s] = (how == 2)
    :: else
    fi;
    left_recorded = false
}

#define LENGTH_OF(s) (s == 0 && accepted[s] == 1 -> 2 : 1)

/* Answers a frame of slot s; `done` tells whether it need not wait. */
inline answer(s, kind)
{
    assert(state[s] == (kind == ENTER -> STARTING : PRESENT));
    length = (kind == PUBLISH -> LENGTH_OF(s) : 1);
    space_fits(length, RESERVE);
    if
    :: fits ->
        if
        :: kind == PUBLISH ->
            assert(text[s * 2 + (accepted[s] + 1) % WINDOW] == accepted[s] + 1);
            accepted[s]++;
            own_in_turn[s]++
        :: kind == ENTER ->
            state[s] = PRESENT;
            joined[s] = next
        :: kind == FINISH ->
            left_recorded = true;
            left_told[s] = true
        fi;
        commit(s, length);
#ifndef CREDIT_AT_READING
        credit_due[s]++;
#endif
        if
        :: kind == FINISH -> slot_end(s, 1)
        :: else
        fi
    :: else ->
        blocked = true;
        blocked_length = length
    fi;
    done = fits;
    fits = false;
    length = 0
}

inline try_free(s)
{
    if
    :: IS_GONE(s) && ended[s] && !left_due[s] && state[s] != FREE ->
        state[s] = FREE;
        text[s * 2] = 0;
        text[s * 2 + 1] = 0;
#ifndef POSITION_NOT_ZEROED
        position[s] = 0;
#endif
        assert(left_told[s]);
        left_told[s] = false;
        owed[s] = 0;
        notified_to[s] = 0; unnotified_from[s] = 0; owed_to[s] = 0; own_in_turn[s] = 0; credit_due[s] = 0;
        end_due[s] = false; evicted[s] = false;
        jump_end[s] = 0; jump_from[s] = 0;
        do
        :: down[s]?_, _, _, _
        :: (len(down[s]) == 0) -> break
        od;
        if
        :: holder == s -> holder = NOBODY
        :: else
        fi
    :: else
    fi
}

inline record_leaves()
{
    if
    :: left_due[VICTIM] ->
        space_fits(1, 0);
        if
        :: fits ->
            commit(VICTIM, 1);
            left_told[VICTIM] = true;
            left_due[VICTIM] = false;
            try_free(VICTIM)
        :: else ->
#ifdef LEFT_DROPPED_WHEN_FULL
            left_due[VICTIM] = false;
            try_free(VICTIM)
#else
            blocked = true;
            blocked_length = 1
#endif
        fi;
        fits = false
    :: else
    fi
}

inline order_resume()
{
    record_leaves();
    if
    :: blocked -> space_fits(blocked_length, RESERVE); blocked = !fits; fits = false
    :: else
    fi;
    slot = 0;
    do
    :: slot < SLOTS && !blocked && queue[slot]?[kind] ->
        queue[slot]?<kind>;
        answer(slot, kind);
        if
        :: done && (len(queue[slot]) > 0) -> queue[slot]?_
        :: else
        fi;
        done = false
    :: slot < SLOTS && (blocked || (len(queue[slot]) == 0)) -> slot++
    :: slot == SLOTS -> break
    od;
    kind = PUBLISH;
    slot = 0
}

#define END_OF(s) (end_due[s] -> (evicted[s] -> 2 : 1) : 0)
#define CAN_TELL(s) (len(down[s]) < (s == 1 -> 2 : 1))
#define TO_TELL(s) (related[s] && CAN_TELL(s) && \
    (unnotified_from[s] != 0 || credit_due[s] > 0 || end_due[s]))

inline tell(s)
{
    if
    :: TO_TELL(s) ->
        if
        :: unnotified_from[s] != 0 ->
            if
            :: state[s] == PRESENT -> owe_turn(s)
            :: else
            fi;
            down[s]!unnotified_from[s], owed_to[s] - 1, credit_due[s], END_OF(s);
            if
#ifndef JUMP_FORGOTTEN
            :: JUMPS(s)
#endif
            :: else ->
                jump_end[s] = notified_to[s];
                jump_from[s] = unnotified_from[s]
            fi;
            notified_to[s] = owed_to[s];
            unnotified_from[s] = 0
        :: else -> down[s]!0, 0, credit_due[s], END_OF(s)
        fi;
        credit_due[s] = 0;
        end_due[s] = false
    :: else
    fi
}

inline notify_turn()
{
    if
    :: turn_first == 0 || (VICTIM == 1 && !blocked && next != before) /* the room is told later */
    :: turn_first != 0 ->
        slot = 0;
        do
        :: slot < SLOTS && state[slot] == PRESENT -> owe_turn(slot); slot++
        :: slot < SLOTS && state[slot] != PRESENT -> slot++
        :: slot == SLOTS -> break
        od;
        turn_first = 0;
        turn_records = 0
    fi;
    slot = 0;
    do
    :: slot < SLOTS -> tell(slot); slot++
    :: slot == SLOTS -> break
    od;
    slot = 0
}

#ifdef FREED_BEFORE_REAPED
#define CAN_REAP(s) (state[s] != FREE && !related[s])
#else
#ifdef FREED_BEFORE_EOF
#define CAN_REAP(s) (state[s] != FREE && exited[life_of[s]])
#else
#define CAN_REAP(s) (state[s] != FREE && !related[s] && exited[life_of[s]])
#endif
#endif

inline reap_all()
{
    if
    :: CAN_REAP(VICTIM) ->
        reaped[VICTIM] = true;
        if
        :: len(queue[VICTIM]) == 0 -> slot_end(VICTIM, 1)
        :: else
        fi;
        try_free(VICTIM)
    :: else
    fi
}

#define TO_REAP(s) (CAN_REAP(s) && (!reaped[s] || len(queue[s]) == 0 && !left_due[s]))
#define GOT(s) (JUMPS(s) -> jump_from[s] : position[s])
#define HELD_BY(s) (GOT(s) >= notified_to[s] -> unnotified_from[s] : GOT(s))
#define MOVED (blocked && (holder == NOBODY || HELD_BY(holder) != held))
#define EOF_AT(s) (related[s] && closed[life_of[s]] && len(up[s]) == 0)
#define CAN_EVICT (blocked && life_of[VICTIM] == VICTIM && !killed[VICTIM] && holder == VICTIM)
#define CAN_KILL_HUNG (ended[VICTIM] && life_of[VICTIM] == VICTIM && !killed[VICTIM] && \
    stalled[VICTIM] == 2)
#define CAN_TAKE (state[VICTIM] == FREE && life_of[VICTIM] != 3)
#define READY (len(up[0]) + len(up[1]) + len(up[2]) > 0 || EOF_AT(VICTIM) || \
    CAN_EVICT || CAN_KILL_HUNG || CAN_TAKE)
#define DUE (TO_REAP(VICTIM) || TO_TELL(0) || TO_TELL(1) || TO_TELL(2) || \
    MOVED || turn_first != 0)

inline relay_ended(s)
{
    related[s] = false;
    killed[life_of[s]] = true
}

inline take_frame()
{
#ifdef CREDIT_AT_READING
    credit_due[slot]++;
#endif
    if
    :: ended[slot]
    :: !ended[slot] && (blocked || len(queue[slot]) > 0) ->
        assert(len(queue[slot]) < 2);
        queue[slot]!kind
    :: !ended[slot] && !(blocked || len(queue[slot]) > 0) ->
        answer(slot, kind);
        if
        :: !done -> queue[slot]!kind
        :: else
        fi;
        done = false
    fi;
    kind = PUBLISH;
    slot = 0
}

active proctype Supervisor()
{
    byte slot, hold, i, since, before, length;
    bool fits, done, left_recorded, busy;
    mtype kind = PUBLISH;

    atomic {
        do
        :: slot < SLOTS ->
            state[slot] = PRESENT;
            life_of[slot] = slot;
            related[slot] = true;
            joined[slot] = 1;
            started[slot] = true;
            run Worker(slot);
            slot++
        :: else -> break
        od;
        run Worker(3);
        slot = 0
    }
end_asleep:
    do
    :: atomic {
           READY || DUE ->
           before = next;
           do
           :: len(up[0]) + len(up[1]) + len(up[2]) > 0 ->
               if
               :: up[0]?kind -> slot = 0
               :: up[1]?kind -> slot = 1
               :: up[2]?kind -> slot = 2
               fi;
               take_frame();
               busy = true
           :: EOF_AT(VICTIM) ->
               relay_ended(VICTIM);
               busy = true
           :: CAN_EVICT ->
               slot_end(VICTIM, 2);
               killed[VICTIM] = true;
               busy = true
           :: CAN_KILL_HUNG ->
               killed[VICTIM] = true;
               busy = true
           :: CAN_TAKE ->
               state[VICTIM] = STARTING;
               life_of[VICTIM] = 3;
               related[VICTIM] = true;
               reaped[VICTIM] = false;
               ended[VICTIM] = false;
               accepted[VICTIM] = 0;
               joined[VICTIM] = 0;
               started[3] = true;
               busy = true
           :: busy || DUE -> break
           od;
           busy = false;
           reap_all();
           order_resume();
           notify_turn();
           before = 0
       }
    od
}

active proctype Observer()
{
    timeout ->
    assert(!blocked);
    assert(accepted[0] == SAYS(0));
    assert(VICTIM == 1 || accepted[1] == SAYS(1));
    assert(state[1] == PRESENT && (owed[1] == 0 || stalled[life_of[1]] > 0));
    assert(state[2] == PRESENT && (owed[2] == 0 || stalled[life_of[2]] > 0))
}
