#ifndef VICTIM
#define VICTIM 2
#endif
#ifndef EACH
#define EACH 2
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

mtype = { PUBLISH, ENTER, FINISH };
mtype:state = { FREE, STARTING, PRESENT, GONE };

/* The region. */
byte entry_sequence[RING], entry_start[RING], entry_length[RING], entry_life[RING];
byte cell[RING];
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

/* The supervisor's. */
mtype:state state[SLOTS];
byte life_of[SLOTS];
bool related[SLOTS], reaped[SLOTS];
bool left_due[SLOTS], end_due[SLOTS], ended[SLOTS], evicted[SLOTS];
byte told_to[SLOTS], untold_from[SLOTS], owed_to[SLOTS], own_in_turn[SLOTS], credit_due[SLOTS];
byte joined[SLOTS];
#ifdef JUMP_FORGOTTEN
byte jump_end[SLOTS], jump_from[SLOTS];
#else
byte first_owed[SLOTS];
#endif
chan queue[SLOTS] = [2] of { mtype };
byte next = 1, head, held = 1, holder = NOBODY;
byte turn_first, turn_records;
bool blocked;
byte blocked_length;

#define IS_READER(slot) (slot != 0)
#define IS_GONE(slot) (!related[slot] && reaped[slot])
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
               end = to + 1
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
    :: atomic { /* one cell leaves */
           at < end && !stalled[life] ->
           from = at;
           next_given();
           if
           :: at < end ->
               assert(cell[(entry_start[at % RING] + partial) % RING] == at);
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
           life < 2 && sent < EACH && credit > 0 && !closed[life] && !finished && stalled[life] < 2 ->
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
    :: atomic { life == VICTIM && stalled[life] == 0 && !closed[life] -> stalled[life] = 1 }
    :: atomic { life == VICTIM && stalled[life] == 0 && !closed[life] -> stalled[life] = 2 }
    :: atomic { closed[life] && stalled[life] < 2 || killed[life] -> break }
    od;
    atomic {
        closed[life] = true;
        exited[life] = true;
        at = 0; end = 0; partial = 0; sent = 0; credit = 0; draining = false; finished = false
    }
}

/* ------------------------------------------------------------------ supervisor */

inline look_at(s)
{
    if
    :: state[s] == FREE || IS_GONE(s) -> hold = 0
    :: else ->
        hold = position[s];
        assert(hold <= told_to[s]);
#ifdef JUMP_FORGOTTEN
        if
        :: hold == jump_end[s] && jump_from[s] > hold -> hold = jump_from[s]
        :: else
        fi;
#else
        if
        :: first_owed[s] > hold -> hold = first_owed[s]
        :: else
        fi;
#endif
        if
        :: hold >= told_to[s] -> hold = untold_from[s]
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
        if
        :: turn_first != 0 && turn_first < held -> held = turn_first
        :: else
        fi
    fi;
    hold = 0
}

inline fits_before(length, spare)
{
    assert(held == next || entry_sequence[held % RING] == held);
    fits = (next - held + 1 + spare <= RING) &&
        (head - (held == next -> head : entry_start[held % RING])) +
        ((head % RING) + length <= RING -> 0 : RING - head % RING) + length + spare <= RING
}

inline space_fits(length, spare)
{
    fits_before(length, spare);
    if
    :: !fits -> refresh(); fits_before(length, spare)
    :: else
    fi
}

inline owe_turn(s)
{
    if
    :: IS_READER(s) && turn_first != 0 && own_in_turn[s] != turn_records ->
        since = (turn_first < joined[s] -> joined[s] : turn_first);
        if
        :: untold_from[s] == 0 || since < untold_from[s] -> untold_from[s] = since
        :: else
        fi;
        owed_to[s] = next;
        since = 0
    :: else
    fi;
    own_in_turn[s] = 0
}

/* A record about or by slot s becomes the next. */
inline commit(s, length)
{
    if
    :: (head % RING) + length > RING -> head = head + RING - head % RING
    :: else
    fi;
    i = 0;
    do
    :: i < length -> cell[(head + i) % RING] = next; i++
    :: else -> break
    od;
    i = 0;
    entry_sequence[next % RING] = next;
    entry_start[next % RING] = head;
    entry_length[next % RING] = length;
    entry_life[next % RING] = life_of[s];
    head = head + length;
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

#define LENGTH_OF(s) (s == 0 && accepted[s] == 0 -> 2 : 1)

/* Answers a frame of slot s; `done` tells whether it need not wait. */
inline answer(s, kind)
{
    done = true;
    if
    :: kind == PUBLISH ->
        assert(state[s] == PRESENT);
        space_fits(LENGTH_OF(s), RESERVE);
        if
        :: fits ->
            assert(text[s * 2 + (accepted[s] + 1) % WINDOW] == accepted[s] + 1);
            commit(s, LENGTH_OF(s));
            accepted[s]++;
            own_in_turn[s]++
        :: else -> done = false; blocked_length = LENGTH_OF(s)
        fi
    :: kind == ENTER ->
        assert(state[s] == STARTING);
        space_fits(1, RESERVE);
        if
        :: fits ->
            state[s] = PRESENT;
            joined[s] = next;
            commit(s, 1)
        :: else -> done = false; blocked_length = 1
        fi
    :: kind == FINISH ->
        space_fits(1, RESERVE);
        if
        :: fits ->
            commit(s, 1);
            left_recorded = true;
            slot_end(s, 1)
        :: else -> done = false; blocked_length = 1
        fi
    fi;
    if
    :: done -> credit_due[s]++
    :: else -> blocked = true
    fi;
    fits = false
}

inline try_free(s)
{
    if
    :: IS_GONE(s) && ended[s] && !left_due[s] && state[s] != FREE ->
        state[s] = FREE;
        text[s * 2] = 0;
        text[s * 2 + 1] = 0;
        position[s] = 0;
        owed[s] = 0;
        told_to[s] = 0; untold_from[s] = 0; owed_to[s] = 0; own_in_turn[s] = 0; credit_due[s] = 0;
        end_due[s] = false; evicted[s] = false;
#ifdef JUMP_FORGOTTEN
        jump_end[s] = 0; jump_from[s] = 0;
#else
        first_owed[s] = 0;
#endif
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
    slot = 0;
    do
    :: slot < SLOTS ->
        if
        :: left_due[slot] ->
            space_fits(1, 0);
            if
            :: fits -> commit(slot, 1); left_due[slot] = false; try_free(slot)
            :: else -> blocked = true; blocked_length = 1
            fi;
            fits = false
        :: else
        fi;
        slot++
    :: else -> break
    od;
    slot = 0
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

inline tell(s)
{
    if
    :: related[s] && (len(down[s]) < (s == 1 -> 2 : 1)) && (untold_from[s] != 0 || credit_due[s] > 0 || end_due[s]) ->
        if
        :: untold_from[s] != 0 ->
            down[s]!untold_from[s], owed_to[s] - 1, credit_due[s], (end_due[s] -> (evicted[s] -> 2 : 1) : 0);
#ifdef JUMP_FORGOTTEN
            jump_end[s] = told_to[s];
            jump_from[s] = untold_from[s];
#else
            if
            :: position[s] >= told_to[s] -> first_owed[s] = untold_from[s]
            :: else
            fi;
#endif
            told_to[s] = owed_to[s];
            untold_from[s] = 0
        :: else ->
            down[s]!0, 0, credit_due[s], (end_due[s] -> (evicted[s] -> 2 : 1) : 0)
        fi;
        credit_due[s] = 0;
        end_due[s] = false
    :: else
    fi
}

inline tell_all()
{
    slot = 0;
    do
    :: slot < SLOTS ->
        if
        :: state[slot] == PRESENT -> owe_turn(slot)
        :: else
        fi;
        slot++
    :: else -> break
    od;
    turn_first = 0;
    turn_records = 0;
    slot = 0;
    do
    :: slot < SLOTS -> tell(slot); slot++
    :: else -> break
    od;
    slot = 0
}

inline reap_all()
{
    slot = 0;
    do
    :: slot < SLOTS ->
        if
        :: state[slot] != FREE && !related[slot] && exited[life_of[slot]] ->
            reaped[slot] = true;
            if
            :: (len(queue[slot]) == 0) -> slot_end(slot, 1)
            :: else
            fi;
            try_free(slot)
        :: else
        fi;
        slot++
    :: else -> break
    od;
    slot = 0
}

#define TO_TELL(s) (related[s] && (len(down[s]) < (s == 1 -> 2 : 1)) && (untold_from[s] != 0 || credit_due[s] > 0 || end_due[s]))
#define TO_REAP(s) (state[s] != FREE && !related[s] && exited[life_of[s]] && (!reaped[s] || !ended[s] && (len(queue[s]) == 0)))
#ifndef JUMP_FORGOTTEN
#define HELD_BY(s) ((first_owed[s] > position[s] -> first_owed[s] : position[s]) >= told_to[s] -> untold_from[s] : (first_owed[s] > position[s] -> first_owed[s] : position[s]))
#endif
#ifdef JUMP_FORGOTTEN
#define MOVED blocked
#else
#define MOVED (blocked && (holder == NOBODY || HELD_BY(holder) != held))
#endif

#define EOF_AT(s) (related[s] && closed[life_of[s]] && len(up[s]) == 0)
#define CAN_EVICT (blocked && life_of[VICTIM] == VICTIM && !killed[VICTIM] && holder == VICTIM)
#define CAN_TAKE (state[VICTIM] == FREE && life_of[VICTIM] != 3)
#define READY (len(up[0]) + len(up[1]) + len(up[2]) > 0 || EOF_AT(0) || EOF_AT(1) || EOF_AT(2) || \
    CAN_EVICT || CAN_TAKE || TO_REAP(0) || TO_REAP(1) || TO_REAP(2))

inline relay_ended(s)
{
    related[s] = false;
    killed[life_of[s]] = true
}

inline take_frame()
{
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
    byte slot, hold, i, since;
    bool fits, done, left_recorded;
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
           READY || TO_TELL(0) || TO_TELL(1) || TO_TELL(2) || MOVED ->
           do
           :: up[0]?kind -> slot = 0; take_frame()
           :: up[1]?kind -> slot = 1; take_frame()
           :: up[2]?kind -> slot = 2; take_frame()
           :: EOF_AT(0) -> relay_ended(0)
           :: EOF_AT(1) -> relay_ended(1)
           :: EOF_AT(2) -> relay_ended(2)
           :: CAN_EVICT ->
               slot_end(VICTIM, 2);
               killed[VICTIM] = true
           :: CAN_TAKE ->
               state[VICTIM] = STARTING;
               life_of[VICTIM] = 3;
               related[VICTIM] = true;
               reaped[VICTIM] = false;
               ended[VICTIM] = false;
               accepted[VICTIM] = 0;
               joined[VICTIM] = 0;
               started[3] = true
           :: true -> break
           od;
           reap_all();
           order_resume();
           tell_all()
       }
    od
}

active proctype Observer()
{
    timeout ->
    assert(!blocked);
    assert(accepted[0] == EACH);
    assert(VICTIM == 1 || accepted[1] == EACH);
    assert(state[1] == PRESENT && (owed[1] == 0 || stalled[life_of[1]] > 0));
    assert(state[2] == PRESENT && (owed[2] == 0 || stalled[life_of[2]] > 0))
}
