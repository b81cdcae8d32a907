#ifndef EACH
#define EACH 4
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define RING 4
#define LAST (2 * EACH)
#define NOBODY 2
#define DEPTH 2

mtype = { SPACE, END_OF_FILE };

/* What memory shows of the words in which the processes meet. */
byte position[2];
byte wanted[2];
byte ring[RING];

/* What a process has stored and memory does not show yet. */
chan worker_stores[2] = [DEPTH] of { byte };
chan supervisor_stores = [DEPTH] of { byte, byte };

chan relay[2] = [3] of { mtype };
bool waiting[2];     /* a PUBLISH of this writer is unanswered */
byte delivered[2];   /* the last DELIVER's `to` */
byte accepted;

byte crashes;
bool gone[2];
byte reached[2] = 1;

proctype Writer(byte me)
{
    byte sent;

    do
    :: atomic { sent < EACH && !waiting[me] -> sent++; waiting[me] = true }
    :: atomic { sent == EACH && !waiting[me] -> sent = 0; break }
    od
}

proctype Worker(byte me)
{
    byte at = 1, next, value;

end_nothing_owed:
    do
    :: atomic {
           at <= delivered[me];
           next = at;
           do
           :: next <= delivered[me] ->
               assert(ring[next % RING] == next);
               next++
           :: next > at ->
               break
           od
       }
       worker_stores[me]!next;
#ifndef NO_FENCE_IN_WORKER
       empty(worker_stores[me]);
#endif
       atomic {
           value = wanted[me];
           if
#ifdef SPACE_ONLY_WHEN_EQUAL
           :: value == next ->
#else
           :: at < value && value <= next ->
#endif
               if
               :: assert(nfull(relay[me]));
                  relay[me]!SPACE
               :: crashes < CRASHES ->
                  goto crash
               fi
           :: else
           fi;
           at = next;
           reached[me] = at;
           next = 0;
           value = 0
       }
    :: atomic { crashes < CRASHES -> goto crash }
    od;
crash:
    atomic {
        crashes++;
        at = 0;
        next = 0;
        value = 0;
        reached[me] = 0;
        gone[me] = true;
        relay[me]!END_OF_FILE
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

/* What the supervisor takes a member to hold from: max(position, first owed). */
#define CLAIM(slot) (position[slot] > 1 -> position[slot] : 1)

inline read_frames()
{
    atomic {
        slot = 0;
        do
        :: slot < 2 && nempty(relay[slot]) ->
            if
            :: relay[slot]?SPACE
            :: relay[slot]?END_OF_FILE ->
                member[slot] = false;
#ifndef HOLDER_GONE_UNNOTICED
                if
                :: holder == slot -> holder = NOBODY
                :: else
                fi
#endif
            fi
        :: slot < 2 && empty(relay[slot]) -> slot++
        :: slot == 2 -> break
        od;
        slot = 0
    }
}

inline look_at_all()
{
    atomic { lowest = next; holder = NOBODY; slot = 0 }
    do
    :: atomic {
           slot < 2 ->
           if
           :: member[slot] && CLAIM(slot) < lowest ->
               lowest = CLAIM(slot);
               holder = slot
           :: else
           fi;
           slot++
       }
    :: atomic { slot == 2 -> held = lowest; lowest = 0; slot = 0; break }
    od
}

/* Has whoever holds the ring moved? Then the others count again. */
inline look_at_holder()
{
    if
    :: atomic {
           holder == NOBODY || CLAIM(holder) > held ->
           moved = true
       }
#ifdef OTHERS_NOT_LOOKED_AT
       if
       :: atomic { holder != NOBODY -> held = CLAIM(holder) }
       :: atomic { holder == NOBODY -> skip }
          look_at_all()
       fi
#else
       look_at_all()
#endif
    :: atomic { holder != NOBODY && CLAIM(holder) <= held -> moved = false }
    fi
}

#define FULL (next - held >= RING)
#define TARGET (next - RING + 1)

active proctype Supervisor()
{
    byte next = 1, held = 1, holder = NOBODY, lowest, slot, turn;
    bool member[2] = true, queued[2], moved;

    atomic { run Worker(0); run Worker(1); run Writer(0); run Writer(1) }
end_asleep:
    atomic {
        nempty(relay[0]) || nempty(relay[1]) ||
        (waiting[0] && !queued[0]) || (waiting[1] && !queued[1]) ->
        queued[0] = waiting[0];
        queued[1] = waiting[1]
    }
    read_frames();
    do
    :: atomic {
           (queued[0] || queued[1]) && !FULL ->
           if
           :: !queued[turn] -> turn = 1 - turn
           :: else
           fi;
           ring[next % RING] = next;
           next++;
           queued[turn] = false;
           waiting[turn] = false;
           turn = 1 - turn
       }
    :: atomic { !(queued[0] || queued[1]) -> break }
    :: atomic { (queued[0] || queued[1]) && FULL -> moved = false }
       look_at_holder();
       if
       :: atomic { moved -> moved = false }
       :: atomic { !moved -> skip }
#ifdef WANTED_AFTER_REREAD
          look_at_holder();
          if
          :: atomic { !moved -> supervisor_stores!holder, TARGET; break }
#else
          supervisor_stores!holder, TARGET;
#ifndef NO_FENCE_IN_SUPERVISOR
          empty(supervisor_stores);
#endif
#ifdef NO_REREAD
          break
#else
          look_at_holder();
#endif
          if
          :: atomic { !moved -> break }
#endif
          :: atomic { moved -> moved = false }
          fi
       fi
    od;
    atomic {
        moved = false;
        delivered[0] = next - 1;
        delivered[1] = next - 1;
        accepted = next - 1;
        goto end_asleep
    }
}

active proctype Observer()
{
    timeout ->
    assert(accepted == LAST);
    assert(gone[0] || reached[0] == LAST + 1);
    assert(gone[1] || reached[1] == LAST + 1)
}
