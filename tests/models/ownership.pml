/* Who may change a shard: claims, commits, loads, releases and sweeps of several nodes on one store.
 *
 * One shard with one entity, two messages for it. The store is the record (current token, its owner, released or not)
 * and the data hash, whose name holds the current token: a command under another token meets a dead name. Nothing
 * decides when a node claims, so every suspicion may be wrong and every pause may happen. At any moment
 *
 *   - a node claims the shard, gives it back, or loses its connection;
 *   - either message arrives at an owner, for the first time or again;
 *   - a command that nobody waits for any more runs after all, or never does; its reply is lost;
 *   - the store refuses a commit;
 *   - a node is killed and starts again with nothing in memory;
 *   - READS: an entity is read, or leaves memory and is loaded again;
 *   - SWEEPS: one token that was replaced is swept;
 *   - ROLLBACK: the store becomes what it was at an earlier moment, once (power loss, failover);
 *   - DAMAGE: the store is started with the data hash missing, once (a wrong backup).
 *
 * Both restarts break all connections, and nothing that was sent before them arrives. Otherwise a broken connection
 * says nothing about the commands sent on it. Reading the record and asking for what follows from it are one step:
 * nothing that happens between them would change what is asked for.
 *
 * What must hold is named by the calls of `require`. Everything is checked in every variant, but for those that define
 * ONLY: there that one property is. `variants` lists them, and what is expected of each.
 */
/* Properties, for ONLY. */
#define LOST 1        /* what was acknowledged has taken effect */
#define TWICE 2       /* nothing has taken effect twice */
#define FENCE 3       /* only commits of the current claim reach the data */
#define OVERWRITTEN 4 /* a commit keeps what it finds, and follows it by one position */
#define VANISHED 5    /* live data is not removed */
#define CREATED 6     /* nothing is made in place of missing data */
#define FREED 7       /* a release frees the claim that it was meant for, and no other */
#define STALE 8       /* a read shows what was acknowledged before it came */
bit lost, twice, fence, overwritten, vanished, created, freed, stale;

#include "checks.pml"

#ifndef NODES
#define NODES 2
#endif
#ifndef CLAIMS
#define CLAIMS 3
#endif

/* Events, for REACH. */
#define TAKEOVER 1       /* a commit builds on another node's */
#define DEAD_WRITE 2     /* a commit meets a dead name */
#define DEAD_RELEASE 4   /* a release comes after the next claim */
#define DEAD_SWEEP 8     /* a sweep meets a dead name */
#define FOUND_APPLIED 16 /* after a fresh claim, the batch in doubt is found applied */
#define SENT_AGAIN 32    /* … or is sent again */
#define KNOWN_BEHIND 64  /* an owner sees that the store is behind its memory */
#define KNOWN_GONE 128   /* a claim is told that the data is missing */
#ifdef REACH
byte writer;
#endif

/* Content of the data hash, and what an owner takes it for: the position, how often each message took effect (2 bits
 * each), the ids. A commit writes all of it, as it rewrites frontier, entity and group of ids. */
#define POSITION(content) ((content) >> 6)
#define EFFECTS(content) ((content) & 60)
#define IDS(content) ((content) & 3)
#define EFFECT(content, m) (((content) >> (2 + 2 * (m))) & 3)
#define KNOWS(content, m) (((content) >> (m)) & 1)
#define APPLY(content, m) (((content) + 64 + (4 << (2 * (m)))) | (1 << (m)))
#define MAY_GROW(content, m) (POSITION(content) < 3 && EFFECT(content, m) < 2)

/* Tokens: numbers here, but each is handed out once. NUMBERED: the protocol sees only how many claims led to one, so
 * that two claims beside each other, or before and after a rollback, look the same. */
byte minted = 1;
#ifdef NUMBERED
byte number[CLAIMS + 2];
#define NAME(token) number[token]
#else
#define NAME(token) (token)
#endif
#define SAME(a, b) (NAME(a) == NAME(b))
#define BIT(token) (1 << NAME(token))

/* The store, as `init` makes it: nobody's, released. */
byte token = 1;
byte owner;
bit released = 1;
byte data;
bit missing;
#ifdef ROLLBACK
bit saved, restored;
byte old_token, old_owner, old_data;
bit old_released;
#endif
#ifdef SWEEPS
byte replaced_by[CLAIMS + 2]; /* index: a token; the one it replaces */
byte dead;                    /* the token to sweep, once an owner knows one */
bit swept;
#endif

/* Sets of messages that the protocol does not see. */
byte acknowledged;
byte excused; /* a rollback took them away: that they are lost is not the protocol's fault */
#define STILL_THERE(m) (!KNOWS(acknowledged, m) || KNOWS(excused, m) || EFFECT(data, m) > 0)

/* Commands on their way: node n has the places 2n and 2n + 1, so at most one that it does not wait for any more. */
mtype = { none, claim, commit, load, release, sweep };
typedef command {
  mtype kind = none;
  byte under; /* the token */
  byte value; /* claim: the fresh token. commit: the content. load: 1 if of the entity alone */
  bit awaited
};
command sent[2 * NODES];

mtype = { done, fenced, refused, gone };
mtype answer[NODES] = none;
byte told[NODES]; /* with `done`: the content */
bit broken[NODES];
#ifdef NIL_KEPT
bit nil[NODES];
#endif

inline clear(s) {
  sent[s].kind = none;
  sent[s].under = 0;
  sent[s].value = 0;
  sent[s].awaited = 0
}

/* Store ---------------------------------------------------------------------------------------------------------- */

#define LIVE(s) SAME(sent[s].under, token)

inline reply(s, what, content) {
  if
  :: sent[s].awaited -> answer[s / 2] = what; told[s / 2] = content
  :: else
  fi
}

inline run_claim(s) {
  if
  :: !LIVE(s) ->
     printf("store: claim of node %d over token %d is fenced\n", s / 2, sent[s].under);
     reply(s, fenced, 0)
#ifndef CLAIM_CREATES
  :: LIVE(s) && missing ->
     printf("store: claim of node %d finds no data\n", s / 2);
     reply(s, gone, 0)
#endif
  :: else ->
     printf("store: claim of node %d, token %d over %d\n", s / 2, sent[s].value, sent[s].under);
     require(CREATED, created, !missing);
     missing = 0;
     token = sent[s].value;
     owner = s / 2 + 1;
     released = 0;
     reply(s, done, data)
  fi
}

inline write(s) {
  printf("store: commit of node %d under token %d, position %d, effects %d and %d\n", s / 2, sent[s].under,
         POSITION(sent[s].value), EFFECT(sent[s].value, 0), EFFECT(sent[s].value, 1));
  require(FENCE, fence, sent[s].under == token);
  require(CREATED, created, !missing);
  require(OVERWRITTEN, overwritten,
          POSITION(sent[s].value) == POSITION(data) + 1 && (data & IDS(sent[s].value)) == IDS(data) &&
          EFFECT(sent[s].value, 0) >= EFFECT(data, 0) && EFFECT(sent[s].value, 1) >= EFFECT(data, 1));
#ifdef REACH
  if
  :: data && writer != s / 2 -> HAPPENED(TAKEOVER)
  :: else
  fi;
  writer = s / 2;
#endif
  data = sent[s].value;
  excused = excused & ~IDS(data);
  require(TWICE, twice, EFFECT(data, 0) <= 1 && EFFECT(data, 1) <= 1);
  require(LOST, lost, STILL_THERE(0) && STILL_THERE(1))
}

inline run_commit(s) {
  if
  :: true -> reply(s, refused, 0)
#ifdef UNFENCED
  :: true -> write(s); reply(s, done, 0)
#else
  :: LIVE(s) -> write(s); reply(s, done, 0)
  :: !LIVE(s) ->
     printf("store: commit of node %d under token %d meets a dead name\n", s / 2, sent[s].under);
     HAPPENED(DEAD_WRITE);
#ifdef UNPROVEN
     reply(s, done, 0)
#else
     reply(s, fenced, 0)
#endif
#endif
  fi
}

inline run_load(s) {
  if
  :: LIVE(s) -> reply(s, done, data)
  :: else ->
     printf("store: load of node %d under token %d meets a dead name\n", s / 2, sent[s].under);
#ifdef NIL_UNPROVEN
     if
     :: sent[s].value -> reply(s, done, 0)
     :: else -> reply(s, fenced, 0)
     fi
#else
#ifdef NIL_KEPT
     nil[s / 2] = (sent[s].value && !sent[s].awaited);
#endif
     reply(s, fenced, 0)
#endif
  fi
}

inline run_release(s) {
  if
#ifndef RELEASE_ANY
  :: !LIVE(s) -> HAPPENED(DEAD_RELEASE)
#endif
  :: else ->
     printf("store: release of node %d, meant for token %d\n", s / 2, sent[s].under);
     require(FREED, freed, sent[s].under == token);
     released = 1
  fi;
  reply(s, done, 0)
}

inline run_sweep(s) {
  if
#ifndef SWEEP_BLIND
  :: LIVE(s)
#endif
  :: else ->
     printf("store: sweep of token %d\n", sent[s].under);
     require(VANISHED, vanished, !LIVE(s));
     HAPPENED(DEAD_SWEEP)
  fi
}

inline restart() {
  for (n : 0 .. NODES - 1) {
    clear(2 * n);
    clear(2 * n + 1);
    answer[n] = none;
    told[n] = 0;
    broken[n] = 1
  }
  n = 0
}

#ifdef STRICT
#define TAKEN_AWAY(m) 0
#else
#define TAKEN_AWAY(m) (EFFECT(old_data, m) < EFFECT(data, m) -> 1 << (m) : 0)
#endif

active proctype store() {
  byte s, n;
end:
  do
  :: atomic {
       if
       :: sent[0].kind != none -> s = 0
       :: sent[1].kind != none -> s = 1
       :: sent[2].kind != none -> s = 2
       :: sent[3].kind != none -> s = 3
#if NODES > 2
       :: sent[4].kind != none -> s = 4
       :: sent[5].kind != none -> s = 5
#endif
       fi;
       if
       :: sent[s].kind == claim -> run_claim(s)
       :: sent[s].kind == commit -> run_commit(s)
       :: sent[s].kind == load -> run_load(s)
       :: sent[s].kind == release -> run_release(s)
       :: sent[s].kind == sweep -> run_sweep(s)
       :: !sent[s].awaited /* never arrives */
       fi;
       clear(s);
       s = 0
     }
#ifdef ROLLBACK
  :: d_step {
       !saved ->
       printf("store: this is what it will go back to\n");
       saved = 1;
       old_token = token; old_owner = owner; old_released = released; old_data = data
     }
  :: atomic {
       saved && !restored ->
       printf("store: rolled back to token %d, position %d\n", old_token, POSITION(old_data));
       restored = 1;
       excused = TAKEN_AWAY(0) | TAKEN_AWAY(1);
       token = old_token; owner = old_owner; released = old_released; data = old_data;
       old_token = 0; old_owner = 0; old_released = 0; old_data = 0;
       restart();
       require(LOST, lost, STILL_THERE(0) && STILL_THERE(1))
     }
#endif
#ifdef DAMAGE
  :: atomic {
       !missing ->
       printf("store: started again, the data hash is missing\n");
       missing = 1;
       data = 0;
       excused = 3;
       restart()
     }
#endif
  od
}

/* Node ----------------------------------------------------------------------------------------------------------- */

mtype = { idle, claiming, loading, held, reading, committing, releasing, stopped };

#define ROOM (sent[2 * me].kind == none || sent[2 * me + 1].kind == none)
#define HELD (phase == held && !broken[me])
#define IDLE (phase == idle && !broken[me] && ROOM)
#define RUNS(m) (!KNOWS(memory, m) && MAY_GROW(memory, m))
#define SHOWS(messages, m) (!KNOWS(messages, m) || EFFECT(memory, m) > 0)

inline send(what, name, content, waits) {
  s = (sent[2 * me].kind == none -> 2 * me : 2 * me + 1);
  sent[s].kind = what;
  sent[s].under = name;
  sent[s].value = content;
  sent[s].awaited = waits;
  s = 0
}

inline heard() {
  answer[me] = none;
  told[me] = 0
}

/* Nobody waits for what is on its way; it may still run. */
inline hang_up() {
  sent[2 * me].awaited = 0;
  sent[2 * me + 1].awaited = 0;
  broken[me] = 0;
  heard()
}

inline drop_batch() {
  pending = 0;
  message = 0;
  next = 0
}

inline drop_memory() {
  drop_batch();
  ready = 0;
  resident = 0;
  memory = 0
}

inline acknowledge(m) {
  printf("node %d: acknowledges message %d\n", me, m);
  acknowledged = acknowledged | (1 << (m));
  require(LOST, lost, STILL_THERE(m))
}

inline confirm() {
  memory = next;
  acknowledge(message);
  drop_batch()
}

/* Without a token; a batch stays, if memory does. */
inline stand_by() {
  before = 0;
  mine = 0;
  phase = idle
}

inline stop() {
  own = 0;
  drop_memory();
  stand_by();
  phase = stopped
}

proctype node(byte me) {
  mtype phase = idle;
  byte mine;    /* token of the claim held, or under way */
  byte own;     /* own tokens, as bits: one of them in the record proves that memory is right */
  bit ready;    /* ids are in memory */
  bit resident; /* so is the entity */
  byte memory;  /* confirmed content, as far as it is in memory */
  bit pending;  /* a batch is under way, or in doubt */
  bit message;  /* of the batch */
  byte next;    /* what the batch makes of memory */
  byte before;  /* messages acknowledged when the read under way came */
  byte s;
end:
  do
  :: atomic {
       IDLE && minted <= CLAIMS ->
#ifndef STALE_MEMORY
       if
       :: own & BIT(token)
       :: else -> own = 0; drop_memory()
       fi;
#endif
       minted++;
       mine = minted;
#ifdef NUMBERED
       number[mine] = number[token] + 1;
#endif
#ifdef SWEEPS
       replaced_by[mine] = token;
#endif
       send(claim, token, mine, 1);
       phase = claiming
     }
  :: atomic {
       phase == claiming && answer[me] == done ->
#ifdef SWEEPS
       if
       :: !dead -> dead = replaced_by[mine]
       :: true
       fi;
#endif
       if
       :: own && ready ->
          own = BIT(mine);
          if
          :: pending && POSITION(told[me]) == POSITION(memory) + 1 ->
             printf("node %d: finds its batch applied\n", me);
             HAPPENED(FOUND_APPLIED);
             confirm();
             phase = held
          :: pending && POSITION(told[me]) == POSITION(memory) ->
             printf("node %d: sends its batch again\n", me);
             HAPPENED(SENT_AGAIN);
             send(commit, mine, next, 1);
             phase = committing
          :: !pending && POSITION(told[me]) == POSITION(memory) -> phase = held
          :: else ->
             printf("node %d: stops, the store is behind\n", me);
             HAPPENED(KNOWN_BEHIND);
             stop()
          fi
       :: else ->
          own = BIT(mine);
          drop_memory();
          send(load, mine, 0, 1);
          phase = loading
       fi;
       heard()
     }
  :: atomic { phase == claiming && answer[me] == fenced -> heard(); stand_by() }
  :: atomic { phase == claiming && answer[me] == gone -> HAPPENED(KNOWN_GONE); heard(); stop() }
  :: atomic {
       phase == loading && answer[me] == done ->
#ifdef IDS_NOT_LOADED
       memory = told[me] - IDS(told[me]);
#else
       memory = told[me];
#endif
       heard();
       ready = 1;
       resident = 1;
       phase = held
     }

  /* A message: known, or run on a copy of memory and committed. */
  :: atomic { HELD && KNOWS(memory, 0) && !KNOWS(acknowledged, 0) -> acknowledge(0) }
  :: atomic { HELD && KNOWS(memory, 1) && !KNOWS(acknowledged, 1) -> acknowledge(1) }
  :: atomic {
       HELD && ROOM && resident && (RUNS(0) || RUNS(1)) ->
       if
       :: RUNS(0) -> message = 0
       :: RUNS(1) -> message = 1
       fi;
       pending = 1;
       next = APPLY(memory, message);
       printf("node %d: runs message %d\n", me, message);
#ifdef EARLY_ACK
       acknowledge(message);
#endif
       send(commit, mine, next, 1);
       phase = committing
     }
  :: atomic { phase == committing && answer[me] == done -> heard(); confirm(); phase = held }
  :: atomic {
       phase == committing && answer[me] == refused ->
       heard();
#ifdef FAILED_KEPT
       memory = next;
#endif
       drop_batch();
       phase = held
     }
#ifdef COPY_ANSWERED
  :: atomic { phase == committing -> acknowledge(message) }
#endif
  /* `EXISTS` said 0. */
  :: atomic {
       (phase == loading || phase == reading || phase == committing) && answer[me] == fenced ->
       printf("node %d: is in doubt\n", me);
       heard();
       stand_by()
     }

#ifdef READS
  :: atomic { HELD && resident -> resident = 0; memory = memory - EFFECTS(memory) }
  :: atomic {
       HELD && ROOM ->
       printf("node %d: is asked to read\n", me);
       before = acknowledged & ~excused;
       send(load, mine, 1, 1);
       phase = reading
     }
  :: atomic {
       phase == reading && answer[me] == done ->
       printf("node %d: answers a read\n", me);
       memory = memory - EFFECTS(memory) + EFFECTS(told[me]);
       heard();
       resident = 1;
       require(STALE, stale, SHOWS(before, 0) && SHOWS(before, 1));
       before = 0;
       phase = held
     }
#endif
#ifdef READS_UNPROVEN
  :: atomic { HELD && resident -> require(STALE, stale, SHOWS(acknowledged, 0) && SHOWS(acknowledged, 1)) }
#endif
#ifdef NIL_KEPT
  :: atomic {
       HELD && nil[me] && !resident ->
       printf("node %d: takes the entity for a new one\n", me);
       nil[me] = 0;
       resident = 1
     }
#endif

  /* Given back: by its owner, or by one that is named by the record or in doubt. */
  :: atomic { HELD && ROOM -> send(release, mine, 0, 1); own = 0; drop_memory(); stand_by(); phase = releasing }
  :: atomic {
       IDLE && !released && (owner == me + 1 || (own & BIT(token))) ->
       send(release, token, 0, 1);
       own = 0;
       drop_memory();
       phase = releasing
     }
  :: atomic { phase == releasing && answer[me] != none -> heard(); phase = idle }

#ifdef SWEEPS
  :: atomic { !broken[me] && ROOM && dead && !swept -> swept = 1; send(sweep, dead, 0, 0) }
#endif
#ifdef RESUMED
  :: atomic {
       IDLE && own == 0 && owner == me + 1 ->
       printf("node %d: finds its name in the record and goes on\n", me);
       mine = token;
       own = BIT(token);
       send(load, token, 0, 1);
       phase = loading
     }
#endif
#ifdef TOKEN_KEPT
  :: atomic {
       IDLE && ready && (own & BIT(token)) ->
       printf("node %d: finds its token in the record and goes on\n", me);
       mine = token;
       if
       :: pending && POSITION(data) == POSITION(memory) + 1 -> confirm()
       :: else -> drop_batch()
       fi;
       phase = held
     }
#endif

  /* The connection breaks. The token of a claim under way is an own one if the replaced one was. */
  :: atomic {
       broken[me] || (phase != idle && phase != stopped) ->
       printf("node %d: loses its connection\n", me);
       hang_up();
       if
       :: phase == claiming && own -> own = own | BIT(mine)
       :: else
       fi;
       if
       :: phase != stopped -> stand_by()
       :: else
       fi
     }
  :: atomic {
       phase != idle || own ->
       printf("node %d: is killed and started again\n", me);
       hang_up();
       own = 0;
       drop_memory();
       stand_by()
     }
  od
}

init {
  atomic {
    run node(0);
    run node(1);
#if NODES > 2
    run node(2)
#endif
  }
}
