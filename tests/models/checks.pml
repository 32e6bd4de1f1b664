/* How the models check. A property has a number, and a bit of the same name that stands in the message of the assertion
 * that fails. With ONLY, one property is checked instead of all.
 */
#ifdef ONLY
#define ASKED(p) (ONLY == p)
#else
#define ASKED(p) 1
#endif
inline require(p, name, condition) {
  if
  :: ASKED(p) && !(condition) -> name = 1; assert(!name)
  :: else
  fi
}

/* What must be able to happen, or the model says nothing. REACH: these events, all in one run, are a violation. */
#ifdef REACH
short events;
bit reached;
#define HAPPENED(event) \
  if \
  :: ((REACH) & event) -> \
     events = events | event; \
     if \
     :: events == (REACH) -> reached = 1; assert(!reached) \
     :: else \
     fi \
  :: else \
  fi
#else
#define HAPPENED(event) skip
#endif
