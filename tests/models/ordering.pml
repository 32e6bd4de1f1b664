/* In which order messages for one key take effect: a sender, the lanes of several nodes, and whoever owns the shard.
 *
 * The sender has messages 1, 2, … for one key. It hands the first unresolved ones to any lane as one request, waits
 * until each has a result or as long as it likes, and begins again at the first that is not resolved. A lane keeps them
 * in order and has one frame under way. Who owns the shard, and that a commit either happens as a whole or does not,
 * is the matter of ownership.pml; here the owner is one step, and around it anything may happen:
 *
 *   - frames are late, overtake each other, or never arrive; so do answers;
 *   - a frame holds any number of the messages at the head of the queue (it has a limit);
 *   - the owner applies as many of them as it likes from the first on, and of these it reports as many as it likes: its
 *     commit may succeed although it loses the shard before it knows;
 *   - what it did not apply it refuses as `moved` or `unknown` (the lane sends it again) or as `busy` (the sender's);
 *   - a lane's link breaks or its route changes; a message waits too long; the sender stops listening and tries again
 *     through either lane, while all that it handed in before is still queued or on its way.
 *
 * What must hold is named by the calls of `require` below. All of it is checked in all variants, but for those that
 * define ONLY: of them that one property is asked. `variants` lists them and what is expected of each.
 */
/* Properties, for ONLY. */
#define LOST 1  /* what the sender was told is resolved has taken effect */
#define TWICE 2 /* nothing takes effect twice */
#define ORDER 3 /* nothing takes effect after a later message, or before an earlier one that was not abandoned */
bit lost, twice, order;

#include "checks.pml"

#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef REQUESTS
#define REQUESTS 3
#endif
#define LANES 2
#define FRAMES 3 /* at once, with those that nobody waits for */
#define QUEUE 3

/* Events, for REACH. */
#define COMPLETE 1  /* the sender knows that all messages are resolved */
#define DUPLICATE 2 /* a message sent again is recognised */
#define COPY 4      /* … or one that nobody waits for any more */
#define GIVEN_UP 8  /* a lane gives up a message that has others behind it */
#define UNKNOWN 16  /* a message takes effect, and its lane is not told */
#define TOO_LATE 32 /* a copy comes when its id is forgotten */

/* Sets of messages, as bits. */
#define BIT(m) (1 << (m))
#define IN(set, m) (((set) >> (m)) & 1)
#define BELOW(m) (BIT(m) - 2) /* 1 … m - 1 */

byte effects;   /* took effect */
byte ids;       /* known to the shard */
byte abandoned; /* the sender went on without knowing */

mtype = { free, travels, answered };
mtype = { none, resolved, again, busy };
typedef frame {
  mtype state = free;
  bit awaited;
  byte size;
  byte message[QUEUE];
  mtype result[QUEUE] = none
};
frame frames[FRAMES];

typedef entry {
  byte message;
  bit asked; /* the sender still waits for its result */
  byte in    /* the frame it is in, + 1; 0: none */
};
typedef queue {
  entry at[QUEUE];
  byte size
};
queue lanes[LANES];

/* The request that the sender waits for: how many results it lacks, and which messages it was told are resolved. */
byte lacking, told;

/* Owner ---------------------------------------------------------------------------------------------------------- */

#ifdef TRIM
byte floor; /* ids of this message and all before it are forgotten */
#endif
#ifdef FLOOR
#define TOO_OLD(m) (m <= floor)
#else
#define TOO_OLD(m) 0
#endif
#ifdef NO_IDS
#define KNOWN(m) 0
#else
#define KNOWN(m) IN(ids, m)
#endif

inline take() {
  if
  :: KNOWN(m) ->
     printf("owner: message %d is a duplicate\n", m);
     if
     :: frames[f].awaited -> HAPPENED(DUPLICATE)
     :: else -> HAPPENED(COPY)
     fi
  :: !KNOWN(m) && TOO_OLD(m) ->
     printf("owner: message %d is too old\n", m);
     HAPPENED(TOO_LATE)
  :: !KNOWN(m) && !TOO_OLD(m) ->
     printf("owner: message %d takes effect\n", m);
     require(TWICE, twice, !IN(effects, m));
     require(ORDER, order, effects < BIT(m + 1) && (BELOW(m) & ~(effects | abandoned)) == 0);
     effects = effects | BIT(m);
     ids = ids | BIT(m)
  fi
}

inline release_frame(f) {
  frames[f].state = free;
  frames[f].awaited = 0;
  for (j : 0 .. QUEUE - 1) {
    frames[f].message[j] = 0;
    frames[f].result[j] = none
  }
  j = 0;
  frames[f].size = 0
}

mtype = { reports, conceals, refuses }; /* what the owner does with the rest of a frame */

inline judge(f) {
  does = reports;
  for (i : 0 .. frames[f].size - 1) {
    if
#ifdef NO_PREFIX
    :: true -> does = reports
    :: true -> does = refuses; why = busy
#endif
    :: does == reports
    :: does == reports -> does = conceals; why = again; HAPPENED(UNKNOWN)
    :: does == reports -> does = refuses; why = again
    :: does == reports -> does = refuses; why = busy
    :: does == conceals
    :: does == conceals -> does = refuses
    :: does == refuses
    fi;
    if
    :: does != refuses -> m = frames[f].message[i]; take(); m = 0
    :: else
    fi;
    frames[f].result[i] = (does == reports -> resolved : why)
  }
  i = 0;
  does = reports;
  why = none;
  frames[f].state = answered
}

active proctype owner() {
  byte f, i, j, m;
  mtype does = reports;
  mtype why = none;
end:
  do
  :: atomic {
       if
       :: frames[0].state == travels -> f = 0
       :: frames[1].state == travels -> f = 1
       :: frames[2].state == travels -> f = 2
       fi;
       if
       :: true -> judge(f)
       :: !frames[f].awaited /* never arrives */
       fi;
       if
       :: !frames[f].awaited -> d_step { release_frame(f) }
       :: else
       fi;
       f = 0
     }
#ifdef TRIM
  :: atomic { IN(effects, floor + 1) -> floor++; ids = ids & ~BIT(floor) }
#endif
  od
}

/* Lane ----------------------------------------------------------------------------------------------------------- */

#define AT(n) lanes[r].at[n]
#define SIZE lanes[r].size

inline tell(n, good) {
  if
  :: AT(n).asked ->
     lacking--;
     told = told | (good -> BIT(AT(n).message) : 0)
  :: else
  fi
}

inline remove(n) {
  for (j : n .. QUEUE - 2) {
    AT(j).message = AT(j + 1).message;
    AT(j).asked = AT(j + 1).asked;
    AT(j).in = AT(j + 1).in
  }
  j = 0;
  AT(QUEUE - 1).message = 0;
  AT(QUEUE - 1).asked = 0;
  AT(QUEUE - 1).in = 0;
  SIZE--
}

/* Nobody listens to the frame's answer any more; it may still arrive at the owner. */
inline let_go(f) {
  for (j : 0 .. QUEUE - 1) {
    if
    :: AT(j).in == f + 1 -> AT(j).in = 0
    :: else
    fi
  }
  j = 0;
  printf("lane %d: waits no longer for frame %d\n", r, f);
  if
  :: frames[f].state == answered -> release_frame(f)
  :: else -> frames[f].awaited = 0
  fi
}

/* The message at n has no result in time, or one that is the sender's to deal with. */
inline refuse(n) {
  printf("lane %d: gives message %d up\n", r, AT(n).message);
  tell(n, false);
  if
  :: AT(n).in -> k = AT(n).in - 1; let_go(k); k = 0
  :: else
  fi;
  remove(n)
}
inline refuse_from(n) {
  do
  :: SIZE > n -> refuse(n)
  :: else -> break
  od
}

inline send(n) {
  k = (frames[0].state == free -> 0 : (frames[1].state == free -> 1 : 2));
  do
  :: n < SIZE && !AT(n).in ->
     frames[k].message[frames[k].size] = AT(n).message;
     frames[k].size++;
     AT(n).in = k + 1;
     n++;
     if
     :: true
     :: true -> break
     fi
  :: else -> break
  od;
  printf("lane %d: sends frame %d: %d %d %d\n", r, k, frames[k].message[0], frames[k].message[1], frames[k].message[2]);
  frames[k].state = travels;
  frames[k].awaited = 1;
  k = 0
}

/* The answer to the frame whose first message is at n. */
inline listen(n) {
  k = AT(n).in - 1;
  printf("lane %d: has the answer to frame %d\n", r, k);
  kept = 0;
  given_up = 0;
  for (i : 0 .. frames[k].size - 1) {
    if
    :: !given_up && (kept || frames[k].result[i] == again) -> kept = 1; AT(n).in = 0; n++
    :: !given_up && !kept && frames[k].result[i] == resolved -> tell(n, true); remove(n)
    :: given_up || (!kept && frames[k].result[i] == busy) -> given_up = 1; tell(n, false); remove(n)
    fi
  }
  i = 0;
  release_frame(k);
  k = 0;
  kept = 0;
#ifndef GIVE_UP_ONE
  if
  :: given_up -> refuse_from(n)
  :: else
  fi;
#endif
  given_up = 0
}

#define FRAME_FREE (frames[0].state == free || frames[1].state == free || frames[2].state == free)
#define NONE_UNDER_WAY (!AT(0).in && !AT(1).in && !AT(2).in)
#define FIRST_OF_FRAME(n) (AT(n).in && AT(n).in != AT(n - 1).in)

proctype lane(byte r) {
  byte n, i, j, k;
  bit kept, given_up;
end:
  do
  :: atomic { SIZE && FRAME_FREE && NONE_UNDER_WAY -> send(n); n = 0 }
#ifdef TWO_FRAMES
  :: atomic {
       FRAME_FREE && AT(0).in && !AT(SIZE - 1).in ->
       n = (AT(1).in -> 2 : 1);
       send(n);
       n = 0
     }
#endif
#ifdef BYPASS
  :: atomic { SIZE > 1 && FRAME_FREE && NONE_UNDER_WAY -> n = 1; send(n); n = 0 }
#endif
  :: atomic {
       /* An answer, or a link that breaks. */
       if
       :: AT(0).in -> n = 0
#if defined(TWO_FRAMES) || defined(BYPASS)
       :: FIRST_OF_FRAME(1) -> n = 1
       :: FIRST_OF_FRAME(2) -> n = 2
#endif
       fi;
       if
       :: frames[AT(n).in - 1].state == answered -> d_step { listen(n) }
       :: true -> d_step { k = AT(n).in - 1; let_go(k); k = 0 }
       fi;
       n = 0
     }
  :: atomic {
       SIZE ->
       if
       :: SIZE > 1 -> HAPPENED(GIVEN_UP)
       :: else
       fi;
#ifdef GIVE_UP_ONE
       d_step { refuse(0) }
#else
       d_step { refuse_from(0); skip }
#endif
     }
  od
}

/* Sender --------------------------------------------------------------------------------------------------------- */

inline hand_in(m) {
  printf("sender: hands message %d to lane %d\n", m, r);
  AT(SIZE).message = m;
  AT(SIZE).asked = 1;
  SIZE++;
  lacking++
}

inline look() {
  do
  :: IN(told, first) ->
     printf("sender: message %d is resolved\n", first);
     require(LOST, lost, IN(effects, first));
     first++
  :: else -> break
  od;
  told = 0;
  last = 0;
  waits = 0;
#ifdef ABANDON
  if
  :: true
  :: first <= MESSAGES -> printf("sender: goes on without message %d\n", first); abandoned = abandoned | BIT(first); first++
  fi
#else
  if
  :: first > MESSAGES -> HAPPENED(COMPLETE)
  :: else
  fi
#endif
}

inline stop_listening() {
  printf("sender: waits no longer\n");
  for (r : 0 .. LANES - 1) {
    for (j : 0 .. QUEUE - 1) {
      AT(j).asked = 0
    }
  }
  r = 0;
  j = 0;
  lacking = 0;
  told = 0
}

active proctype sender() {
  byte first = 1; /* the first message that is not known to be resolved */
  byte last;      /* of the request */
  byte requests, r, j;
  bit waits;
#ifdef UNWAITED
  byte through;
#endif
end:
  do
  :: atomic {
       !waits && first <= MESSAGES && requests < REQUESTS ->
       requests++;
       if
       :: r = 0
       :: requests > 1 -> r = 1 /* the lanes are alike: the first request goes through this one or that */
       fi;
       last = first;
#ifdef UNWAITED
       through = r;
#endif
       do
       :: last <= MESSAGES && SIZE < QUEUE -> hand_in(last); last++
       :: last > first || SIZE == QUEUE -> break
       od;
       last--;
       waits = 1;
       r = 0
     }
#if defined(UNWAITED) || defined(TWO_DOORS)
  :: atomic {
       waits && last < MESSAGES ->
       if
#ifdef UNWAITED
       :: r = through
#else
       :: r = 0
       :: r = 1
#endif
       fi;
       if
       :: SIZE < QUEUE -> last++; hand_in(last)
       :: else
       fi;
       r = 0
     }
#endif
  :: atomic { waits && lacking == 0 -> look() }
  :: atomic { waits -> d_step { stop_listening() }; look() }
  od
}

init {
  atomic {
    run lane(0);
    run lane(1)
  }
}
