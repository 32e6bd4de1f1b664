/* Messages from one shard to another: stored with the sender's state, relayed, marked with the receiver's state.
 *
 * The source gives the messages for one receiver dense numbers and stores each with its line: a word that every claim
 * draws anew. A position is (line, number). Its relay has one frame under way: messages that follow each other, and the
 * position that the first of them follows. The receiver's mark is the position of the last message that took effect. It
 * applies a frame that names just this mark, or as many of its messages from the first on as it likes; it answers with
 * the mark and its last two lines, each as the last position on it. Of its stored messages and the one it trimmed last,
 * the source looks for the latest on these lines: it and all before it are delivered, and the next follows the mark. If
 * there is none, the pair stops. Nothing trimmed counts as on the lines as long as there is room for one more line.
 *
 * That a commit happens as a whole or not at all, under the current token only, and is known of after it happened, is
 * the matter of ownership.pml; here it is one step. So is that an owner can prove that it is still the owner: it does
 * before it answers as the receiver, before it stops the pair, and before it goes on from a mark that is not the
 * position it looked for. A claim of the receiver shows only in answers that never come. Around this
 *
 *   - frames are late, arrive twice or never; answers are late or lost;
 *   - the source is claimed at any moment. The former owner does not know: it relays what it has in memory and listens;
 *   - one message is refused for good whenever it comes; that is an effect;
 *   - IN_DOUBT: a commit of the source has no answer, and runs or not. The node that sent it, if it claims over the same
 *     token and it did not run, sends the same bytes again. Others find the message in the store, or never hear of it;
 *   - SOURCE_BACK: the source's store becomes what it was at an earlier moment, once, and is claimed. RECEIVER_BACK: the
 *     receiver's does. TOGETHER: both do, as one store. No frame is lost by it, and the former owner goes on;
 *   - SPLIT: the former owner has a store that was left behind, and proves itself there (a primary that was cut off).
 *     With RECEIVER_BACK it is not safe: the same mark comes back after other messages, and an old frame fits.
 *
 * Messages are numbered 1, 2, … in the order in which they were made, beside the protocol: it sees positions only. What
 * must hold is named by the calls of `require` below. All of it is checked in all variants, but for those that define
 * ONLY: of them that one property is asked. `variants` lists them and what is expected of each.
 */
/* Properties, for ONLY. A history of the source is what one store of it held: a rollback ends one and begins another. */
#define TWICE 1   /* nothing takes effect that has; what the receiver's store lost has not */
#define ORDER 2   /* nothing takes effect after a later message. SPLIT, IN_DOUBT: of the same history */
#define LOST 3    /* nothing takes effect before an earlier message of the same history */
#define PHANTOM 4 /* nothing takes effect that was never committed */
#define TRIMMED 5 /* nothing is trimmed that never took effect */
#define HALTED 6  /* the pair stops only after a store was rolled back, and not if both were as one */
bit twice, order, lost, phantom, trimmed, halted;

#include "checks.pml"

#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef CLAIMS
#define CLAIMS 2
#endif
#ifndef FRAMES
#define FRAMES 2 /* at once, with those that nobody waits for */
#endif
#define REFUSED_ONE 2

/* Events, for REACH. */
#define COMPLETE 1    /* all messages are committed, and none is stored any more */
#define PREFIX 2      /* a frame takes effect in part */
#define REFUSED 4     /* a message is refused for good */
#define COPY 8        /* a frame takes effect that nobody waits for any more */
#define DEPOSED 16    /* … or the former owner waits for it */
#define TAKEN_BACK 32 /* a message takes effect that the source's store has lost */
#define LOWER 64      /* a message takes effect whose number is not above the mark's */
#define STOPS 128     /* the pair stops */
#define AGAIN 256     /* a message takes effect again, since the receiver's store has lost it */
#define RESENT 512    /* bytes in doubt are sent again */

/* Sets of messages, as bits. */
#define BIT(m) (1 << (m))
#define IN(set, m) (((set) >> (m)) & 1)
#define UP_TO(m) (BIT((m) + 1) - 1)
#define ABOVE(m) (255 - UP_TO(m))

/* What the protocol does not see. */
byte messages;  /* so many were made */
byte committed; /* ever */
byte effects;   /* in the receiver's store */
byte ever;      /* … at any time */
byte taken;     /* committed, and lost by the source's store */
byte kept;      /* the last that it kept */

/* Positions: of a message, and of none at 0. */
byte line[MESSAGES + 1], number[MESSAGES + 1];
#define SAME(a, b) (line[a] == line[b] && number[a] == number[b])
#define SAME_LINE(a, b) (line[a] == line[b])

/* Receiver: its mark and the last position on the line before, as messages. */
byte mark, other;
#ifdef ANSWER_UNPROVEN
byte former_mark, former_other; /* in the memory of the former owner */
#endif
#ifdef NONE_KEPT
#define KEEPS_NONE(other) 1
#else
#define KEEPS_NONE(other) (other == 0)
#endif
#define KEEPS(m, mark, other) \
  (m == 0 -> KEEPS_NONE(other) : \
   (SAME_LINE(m, mark) && number[m] <= number[mark]) || (other && SAME_LINE(m, other) && number[m] <= number[other]))

/* Source: of the owner, which is what its store holds, and in the memory of the former one. */
#define OWNER 0
#define FORMER 1
typedef source {
  byte history; /* messages that are or were stored */
  byte trimmed; /* the last that is not stored any more */
  byte known;   /* it and all before it are delivered */
  byte heard;   /* the receiver's mark */
  bit stuck     /* the pair is stopped */
};
source sources[2];
byte claims = 1; /* so many words were drawn */
#define STORED(s) (sources[s].history & ABOVE(sources[s].trimmed))
#ifdef SPLIT
bit left_behind;
#define PROVEN(s) (s == OWNER || left_behind)
#elif defined(UNPROVEN)
#define PROVEN(s) 1
#else
#define PROVEN(s) (s == OWNER)
#endif

#if defined(SOURCE_BACK) || defined(TOGETHER)
#define SOURCE_TOO
bit saved, restored;
byte old_history, old_trimmed;
#define CLAIMS_MAX (CLAIMS + restored)
#else
#define restored 0
#define CLAIMS_MAX CLAIMS
#endif
#if defined(RECEIVER_BACK) || defined(TOGETHER)
#define RECEIVER_TOO
bit receiver_saved, receiver_restored;
byte old_mark, old_other, old_effects;
#else
#define receiver_restored 0
#endif
#ifdef TOGETHER
#define MAY_HALT 0
#else
#define MAY_HALT (restored || receiver_restored)
#endif

#ifdef RELAY_EARLY
byte early; /* relayed while its commit is under way */
#else
#define early 0
#endif
#ifdef IN_DOUBT
byte record = 1; /* the word of the claim in force */
byte doubt;      /* a message whose commit had no answer */
byte doubted;    /* … the claim that was in force */
byte preceding;  /* … and the last message before it */
#ifdef SOURCE_TOO
byte old_record;
#endif
#define OWN_DOUBT (doubt && record == doubted)
#else
#define OWN_DOUBT 0
#endif
#ifdef LINE_MARKS
byte marks[CLAIMS + 3];
#endif

mtype = { free, travels, answered };
typedef frame {
  mtype state = free;
  byte waiter;  /* who waits for its answer, + 1; 0: nobody */
  byte follows; /* with the frame: the position that it names. Answered: the mark */
  byte content  /* the messages. Answered: the other line */
};
frame frames[FRAMES];

inline release_frame(f) {
  frames[f].state = free;
  frames[f].waiter = 0;
  frames[f].follows = 0;
  frames[f].content = 0
}

/* Receiver ------------------------------------------------------------------------------------------------------- */

/* The messages of m's history, and others that make no difference to m. */
#define HISTORY(m) (IN(taken, m) -> taken | UP_TO(kept) : 255 - taken)
#if defined(SPLIT) || defined(IN_DOUBT)
#define ORDERED(m) (m <= kept -> 255 : HISTORY(m))
#else
#define ORDERED(m) 255
#endif

inline take(m) {
  printf("receiver: message %d, line %d, number %d\n", m, line[m], number[m]);
  require(TWICE, twice, !IN(effects, m));
  require(PHANTOM, phantom, IN(committed, m));
  with = HISTORY(m);
  require(LOST, lost, (committed & with & ~effects & (BIT(m) - 1)) == 0);
  with = ORDERED(m);
  require(ORDER, order, (effects & with & ABOVE(m)) == 0);
  with = 0;
  if
  :: m == REFUSED_ONE -> HAPPENED(REFUSED)
  :: else
  fi;
  if
  :: IN(taken, m) -> HAPPENED(TAKEN_BACK)
  :: else
  fi;
  if
  :: IN(ever, m) -> HAPPENED(AGAIN)
  :: else
  fi;
  if
  :: number[m] <= number[mark] -> HAPPENED(LOWER)
  :: else
  fi;
  if
  :: frames[f].waiter == 0 -> HAPPENED(COPY)
  :: frames[f].waiter == FORMER + 1 -> HAPPENED(DEPOSED)
  :: else
  fi;
  effects = effects | BIT(m);
  ever = ever | BIT(m)
}

inline set_mark(m) {
  if
  :: SAME_LINE(m, mark)
  :: else -> other = mark
  fi;
  mark = m
}

#ifdef HIGHEST
#define FITS(f) 1
#define PASSED(m) (number[m] <= number[mark])
#elif defined(LINE_MARKS)
#define FITS(f) 1
#define PASSED(m) (number[m] <= marks[line[m]])
#else
#define FITS(f) SAME(frames[f].follows, mark)
#define PASSED(m) 0
#endif

#ifdef REFUSED_STAYS
#define STAYS(m) (m == REFUSED_ONE)
#else
#define STAYS(m) 0
#endif

/* As many as it likes; `last` is the last of them. */
inline apply(f) {
  m = 1;
  do
  :: m <= MESSAGES ->
     if
     :: !IN(frames[f].content, m)
     :: IN(frames[f].content, m) && STAYS(m) -> HAPPENED(REFUSED); break
     :: IN(frames[f].content, m) && PASSED(m) -> last = m
     :: IN(frames[f].content, m) && !PASSED(m) && !STAYS(m) ->
        take(m);
#ifdef LINE_MARKS
        marks[line[m]] = number[m];
#endif
#ifdef MARK_APART
        if
        :: true
        :: true -> break /* a claim comes between effect and mark */
        fi;
#endif
        set_mark(m);
        last = m
     :: IN(frames[f].content, m) && last -> HAPPENED(PREFIX); break
     fi;
     m++
  :: else -> break
  od;
  m = 0
}

inline answer(f, a, b) {
  if
  :: frames[f].waiter -> frames[f].state = answered; frames[f].follows = a; frames[f].content = b
  :: true /* the answer is lost, and the frame comes once more or never */
  fi
}

active proctype receiver() {
  byte f, m, last, with;
end:
  do
  :: atomic {
       if
       :: frames[0].state == travels -> f = 0
       :: frames[1].state == travels -> f = 1
#if FRAMES > 2
       :: frames[2].state == travels -> f = 2
#endif
       fi;
       if
       :: FITS(f) ->
          apply(f);
#if defined(HIGHEST) || defined(LINE_MARKS)
          answer(f, last, 0)
#else
          answer(f, mark, other)
#endif
       :: !FITS(f) -> answer(f, mark, other)
#ifdef ANSWER_EARLY
       :: FITS(f) && frames[f].waiter -> /* the commit fails */
          last = 1;
          do
          :: !IN(frames[f].content, last) -> last++
          :: else -> break
          od;
          m = (SAME_LINE(last, mark) -> other : mark);
          answer(f, last, m);
          m = 0
#endif
#ifdef ANSWER_UNPROVEN
       :: !SAME(frames[f].follows, former_mark) -> answer(f, former_mark, former_other)
#endif
       fi;
       last = 0;
       f = 0
     }
#ifdef ANSWER_UNPROVEN
  :: d_step { mark != former_mark -> printf("receiver: claimed\n"); former_mark = mark; former_other = other }
#endif
#ifdef MARK_NOT_LOADED
  :: atomic { mark -> printf("receiver: claimed, without its mark\n"); mark = 0; other = 0 }
#endif
  od
}

/* Source --------------------------------------------------------------------------------------------------------- */

#ifdef SAME_WORD
#define WORD 1
#else
#define WORD claims
#endif
#ifdef JUMP
#define NEXT(last) (number[last] + (line[last] == WORD || !last -> 1 : 1 + JUMP))
#else
#define NEXT(last) (number[last] + 1)
#endif

/* The latest message of a set; 0: none. */
inline latest(set, m) {
  m = MESSAGES;
  do
  :: m && !IN(set, m) -> m--
  :: else -> break
  od
}

inline make() {
  messages++;
  latest(sources[OWNER].history, last);
  line[messages] = WORD;
  number[messages] = NEXT(last);
  printf("source: message %d, line %d, number %d\n", messages, line[messages], number[messages])
}

inline store(m) {
  sources[OWNER].history = sources[OWNER].history | BIT(m);
  committed = committed | BIT(m);
  taken = taken & ~BIT(m)
}

/* Nobody listens to the answer to a frame any more. */
inline let_go(f) {
  if
  :: frames[f].state == answered -> release_frame(f)
  :: else -> frames[f].waiter = 0
  fi
}

inline forget_former() {
  sources[FORMER].history = 0;
  sources[FORMER].trimmed = 0;
  sources[FORMER].known = 0;
  sources[FORMER].heard = 0;
  sources[FORMER].stuck = 0;
#ifdef SPLIT
  left_behind = 0;
#endif
  for (f : 0 .. FRAMES - 1) {
    if
    :: frames[f].waiter == FORMER + 1 -> let_go(f)
    :: else
    fi
  }
  f = 0
}

/* The owner becomes the former one, with what it has in memory; or it dies. Of former ones one is enough. */
inline depose() {
  if
  :: sources[OWNER].history && !sources[OWNER].stuck ->
     forget_former();
     sources[FORMER].history = sources[OWNER].history;
     sources[FORMER].trimmed = sources[OWNER].trimmed;
     sources[FORMER].known = sources[OWNER].known;
     sources[FORMER].heard = sources[OWNER].heard;
     for (f : 0 .. FRAMES - 1) {
       if
       :: frames[f].waiter == OWNER + 1 -> frames[f].waiter = FORMER + 1
       :: else
       fi
     }
  :: true ->
     for (f : 0 .. FRAMES - 1) {
       if
       :: frames[f].waiter == OWNER + 1 -> let_go(f)
       :: else
       fi
     }
  fi;
  f = 0
}

inline claim() {
  claims++;
  printf("source: claimed, line %d, the last trimmed was %d\n", WORD, sources[OWNER].trimmed);
  sources[OWNER].known = sources[OWNER].trimmed;
#ifdef TRIMMED_FORGOTTEN
  sources[OWNER].heard = 0;
#else
  sources[OWNER].heard = sources[OWNER].trimmed;
#endif
  sources[OWNER].stuck = 0;
#ifdef RELAY_EARLY
  early = 0;
#endif
#ifdef IN_DOUBT
  if
  :: true
  :: OWN_DOUBT ->
     /* By the node that is in doubt: the record has its own token. */
     latest(sources[OWNER].history, last);
     if
     :: last == preceding ->
        HAPPENED(RESENT);
#ifdef REMADE
        if
        :: messages < MESSAGES ->
           messages++;
           line[messages] = line[doubt];
           number[messages] = number[doubt];
           doubt = messages
        :: true
        fi;
#endif
        printf("source: message %d is sent to the store again\n", doubt);
        store(doubt)
     :: else
     fi;
     doubt = 0;
     doubted = 0;
     preceding = 0
  fi;
  record = claims;
#endif
  last = 0
}

#ifdef SOURCE_TOO
inline save_source() {
  printf("source: its store will go back to this\n");
  saved = 1;
  old_history = sources[OWNER].history;
#ifdef IN_DOUBT
  old_record = record;
#endif
  old_trimmed = sources[OWNER].trimmed
}
inline restore_source() {
  printf("source: its store is rolled back\n");
  restored = 1;
  depose();
  taken = committed & ~old_history;
  latest(old_history, kept);
  sources[OWNER].history = old_history;
  sources[OWNER].trimmed = old_trimmed;
  old_history = 0;
  old_trimmed = 0;
#ifdef IN_DOUBT
  record = old_record;
  old_record = 0;
#endif
#ifdef SPLIT
  left_behind = (sources[FORMER].history != 0);
#endif
  claim()
}
#endif
#ifdef RECEIVER_TOO
inline save_receiver() {
  printf("receiver: its store will go back to this\n");
  receiver_saved = 1;
  old_mark = mark;
  old_other = other;
  old_effects = effects
}
inline restore_receiver() {
  printf("receiver: its store is rolled back, to mark %d\n", old_mark);
  receiver_restored = 1;
  mark = old_mark;
  other = old_other;
  effects = old_effects;
  old_mark = 0;
  old_other = 0;
  old_effects = 0
}
#endif

inline send(s) {
  f = (frames[0].state == free -> 0 : (frames[1].state == free -> 1 : FRAMES - 1));
  m = 1;
  do
  :: m <= MESSAGES ->
     if
     :: IN(STORED(s), m) && m > sources[s].known ->
        frames[f].content = frames[f].content | BIT(m);
        if
        :: true
        :: true -> break
        fi
     :: else
     fi;
     m++
  :: else -> break
  od;
#ifdef RELAY_EARLY
  if
  :: s == OWNER && early -> frames[f].content = frames[f].content | BIT(early)
  :: else
  fi;
#endif
  m = 0;
  frames[f].state = travels;
  frames[f].waiter = s + 1;
  frames[f].follows = sources[s].heard;
  printf("source %d: sends frame %d, behind %d\n", s, f, sources[s].heard);
#ifdef TRIM_EARLY
  latest(frames[f].content, m);
  sources[s].known = m;
  m = 0;
#endif
  f = 0
}

inline go_on(s, delivered, mark_heard) {
  sources[s].known = delivered;
  sources[s].heard = mark_heard
}

inline stop(s) {
  printf("source %d: stops\n", s);
  HAPPENED(STOPS);
  require(HALTED, halted, MAY_HALT);
  sources[s].stuck = 1
}

#if defined(HIGHEST) || defined(LINE_MARKS)
inline listen(s) {
  go_on(s, frames[f].follows, 0)
}
#else
/* What is stored and the one before it, from the latest on. */
inline listen(s) {
  m = MESSAGES;
  do
  :: m > sources[s].trimmed && !(IN(sources[s].history, m) && KEEPS(m, frames[f].follows, frames[f].content)) -> m--
  :: else -> break
  od;
#ifdef TRIMMED_FORGOTTEN
  m = (m > sources[s].trimmed -> m : 0)
#endif
  if
  :: SAME(m, frames[f].follows) -> go_on(s, m, m)
  :: !SAME(m, frames[f].follows) && !PROVEN(s) -> gone = 1
  :: else ->
     if
     :: KEEPS(m, frames[f].follows, frames[f].content) -> go_on(s, m, frames[f].follows)
     :: else ->
#ifdef GUESS
        go_on(s, m, frames[f].follows)
#else
        stop(s)
#endif
     fi
  fi;
  m = 0
}
#endif

#define FRAME_FREE (frames[0].state == free || frames[1].state == free || frames[FRAMES - 1].state == free)
#define WAITS(s) (frames[0].waiter == s + 1 || frames[1].waiter == s + 1 || frames[FRAMES - 1].waiter == s + 1)
#define HAS_MORE(s) (!sources[s].stuck && ((sources[s].history & ABOVE(sources[s].known)) || (s == OWNER && early)))

active proctype source_shard() {
  byte s, f, m, last;
  bit gone;
end:
  do
  :: atomic {
       messages < MESSAGES && !early && !OWN_DOUBT ->
       make();
       if
       :: true -> store(messages)
#ifdef RELAY_EARLY
       :: true -> early = messages
#endif
#ifdef IN_DOUBT
       :: !doubt -> doubt = messages; doubted = record; preceding = last
#endif
       fi;
       last = 0
     }
#ifdef RELAY_EARLY
  :: atomic { early -> store(early); early = 0 }
#endif
#ifdef IN_DOUBT
  :: atomic { OWN_DOUBT && !IN(sources[OWNER].history, doubt) -> store(doubt) }
#endif
  :: atomic { claims <= CLAIMS_MAX -> depose(); claim() }
#ifdef SPLIT
  :: atomic {
       left_behind && sources[FORMER].trimmed < sources[FORMER].known ->
       sources[FORMER].trimmed = sources[FORMER].known
     }
#endif
#ifdef TOGETHER
  :: d_step { !saved -> save_source(); save_receiver() }
  :: atomic { saved && !restored -> restore_receiver(); restore_source() }
#endif
#ifdef SOURCE_BACK
  :: d_step { !saved -> save_source() }
  :: atomic { saved && !restored -> restore_source() }
#endif
#ifdef RECEIVER_BACK
  :: d_step { !receiver_saved -> save_receiver() }
  :: atomic { receiver_saved && !receiver_restored -> restore_receiver() }
#endif

  /* The relay. */
  :: atomic {
       if
       :: FRAME_FREE && HAS_MORE(OWNER) && !WAITS(OWNER) -> s = OWNER
       :: FRAME_FREE && HAS_MORE(FORMER) && !WAITS(FORMER) -> s = FORMER
       fi;
       send(s);
       s = 0
     }
  :: atomic {
       if
       :: frames[0].state == answered -> f = 0
       :: frames[1].state == answered -> f = 1
#if FRAMES > 2
       :: frames[2].state == answered -> f = 2
#endif
       fi;
       s = frames[f].waiter - 1;
       printf("source %d: hears of the mark %d\n", s, frames[f].follows);
       listen(s);
       release_frame(f);
       s = 0;
       f = 0;
       if
       :: gone -> gone = 0; forget_former()
       :: else
       fi
     }
  /* Waits no longer. */
  :: atomic {
       if
       :: frames[0].waiter -> f = 0
       :: frames[1].waiter -> f = 1
#if FRAMES > 2
       :: frames[2].waiter -> f = 2
#endif
       fi;
       let_go(f);
       f = 0
     }
  /* Never arrives. */
  :: atomic {
       if
       :: frames[0].state == travels && !frames[0].waiter -> f = 0
       :: frames[1].state == travels && !frames[1].waiter -> f = 1
#if FRAMES > 2
       :: frames[2].state == travels && !frames[2].waiter -> f = 2
#endif
       fi;
       release_frame(f);
       f = 0
     }
  :: atomic {
       sources[OWNER].trimmed < sources[OWNER].known ->
       sources[OWNER].trimmed = sources[OWNER].known;
       printf("source: trims up to %d\n", sources[OWNER].trimmed);
       require(TRIMMED, trimmed, (sources[OWNER].history & UP_TO(sources[OWNER].trimmed) & ~ever) == 0);
       if
       :: messages == MESSAGES && STORED(OWNER) == 0 -> HAPPENED(COMPLETE)
       :: else
       fi
     }
  od
}
