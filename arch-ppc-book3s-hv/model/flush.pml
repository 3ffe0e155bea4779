/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of book3s_hv_tlb.c: two cores of two threads each run a guest; a
 * page of the guest is taken away from it, given anew, and taken away again, by
 * one of
 *
 *   REMOTE	the host, from a core of its own (notifier, dirty log)
 *   REAL_MODE	a thread of core 0 that stays in the guest partition (hypercalls of
 *		POWER7 and POWER8, whose tlbiel reaches all threads of the core)
 *   VIRTUAL	a thread of core 0 that has left the guest (hypercalls of hash guests on
 *		POWER9 and later, page faults of radix and nested guests and what L1
 *		invalidates for these: kvmppc_tlb_invalidate_here()). tlbiel does not reach
 *		the siblings' ERATs; there is none where core 0 is clean, as with MARKED:
 *		somebody else marks that too
 *
 *   MIGRATE	a radix guest itself, with the tlbiel of core 1, to which the only vCPU
 *		that uses the page has just moved from core 0; threads there still
 *		run other vCPUs
 *
 * In the end the LPID is given to another VM, with nobody in the guest.
 *
 *   enter()	kvmppc_tlb_enter(), kvmhv_p9_tlb_enter()
 *   scope()	kvmppc_tlb_must_broadcast()
 *   mark()	mark()
 *   kick()	kvmppc_tlb_mark_core(), after mark()
 *   retire()	kvmppc_tlb_retire()
 *
 * The word of a core (live, stale, flushing) is read and changed as a whole, with
 * full barriers: each atomic step below is one such access. Memory is
 * sequentially consistent.
 *
 * Weakened, each on its own:
 *   NO_RECHECK	scope() looks who is in the guest before it marks only
 *   CHECK_ONLY	scope() does not mark
 *   CLEAR_LATE	enter() clears "stale" after the flush
 *   NO_WAIT	enter() lets a sibling pass while the flush is under way
 *   LIVE_LATE	enter() says "live" when the guest has run already
 *   EARLY	scope() is asked before the PTE is invalid
 *   SIBLING	VIRTUAL: the siblings are looked at before tlbiel, not after it
 *   CLEAN_DONE	VIRTUAL: the siblings are not looked at where core 0 is clean
 *   CLEAN_EARLY	VIRTUAL: is core 0 clean? asked before the PTE is invalid
 *   KEEP_ERAT	ERATS: enter() leaves the thread's own
 */
#ifdef VIRTUAL
#define ERATS		/* threads have ERATs; REMOTE with -DERATS */
#endif
#define CORES	2
#define THREADS	2	/* of each core */
#ifndef ENTRIES
#define ENTRIES	2	/* of each thread */
#endif
#define FRAMES	3

#define live(w)		((w) & 1)
#define stale(w)	((w) & 2)
#define flushing(w)	((w) & 4)

byte word[CORES];
byte entries[4];
bool moved;			/* MIGRATE: core 0 does not walk to the page any more */
bool in_guest[4];		/* thread t of core c: c * THREADS + t */
byte pte = 1;			/* the frame, 0 if invalid */
byte tlb[CORES];		/* the frame, 0 if there is no entry */
byte erat[4];			/* ERATS: what a thread keeps for itself */
bool freed[FRAMES + 1];
bool closed;			/* the VM is being destroyed */
byte running;

inline flush(c)
{
	tlb[c] = 0
}

inline enter(c, me)
{
	in_guest[me] = true;
	do
	:: atomic { word[c] == 1 -> break }
	:: atomic { word[c] == 0 ->
#ifndef LIVE_LATE
		word[c] = 1;
#endif
		break }
#ifdef NO_WAIT
	:: atomic { flushing(word[c]) && !stale(word[c]) -> break }
#endif
#ifdef CLEAR_LATE
	:: atomic { stale(word[c]) && !flushing(word[c]) -> word[c] = word[c] | 5 };
		flush(c);
		atomic { word[c] = 1 }
#else
	:: atomic { stale(word[c]) && !flushing(word[c]) -> word[c] = 5 };
		flush(c);
		atomic { word[c] = word[c] & 3 }
#endif
	od;
#ifdef KEEP_ERAT
	skip
#else
	/* The thread's own, which no sibling's flush reaches. */
	erat[me] = 0
#endif
}

inline use(f)
{
	assert(!freed[f])
}

/* In the guest: an access through the ERAT, the TLB, or a walk that fills both. */
inline access(c, me)
{
	if
#ifdef ERATS
	:: atomic { erat[me] != 0 -> use(erat[me]) }
	:: atomic { erat[me] == 0 && tlb[c] != 0 -> use(tlb[c]); erat[me] = tlb[c] }
	:: atomic { erat[me] == 0 && tlb[c] == 0 && pte != 0 -> tlb[c] = pte; erat[me] = pte }
	:: atomic { erat[me] == 0 && tlb[c] == 0 && pte == 0 -> skip }
#else
	:: atomic { tlb[c] != 0 -> use(tlb[c]) }
	:: atomic { tlb[c] == 0 && pte != 0 && !moved -> tlb[c] = pte }
	:: atomic { tlb[c] == 0 && (pte == 0 || moved) -> skip }
#endif
	fi
}

proctype thread(byte c, me)
{
	byte n;

	do
	:: n == ENTRIES -> break
	:: else ->
		n++;
		/* The run of a vCPU does not begin while the VM is torn down. */
		atomic { !closed -> running++ };
		enter(c, me);
		access(c, me);
		access(c, me);
#ifdef LIVE_LATE
		atomic { word[c] = word[c] | 1 };
#endif
		atomic { in_guest[me] = false; entries[me]++ };
		atomic { running-- }
	od
}

#ifdef REMOTE
#define SELF	CORES	/* no core of the guest's */
#else
#define SELF	0
#endif
#ifdef VIRTUAL
#define sibling_in	in_guest[1]
#else
#define sibling_in	false
#endif

#define others_in(c)	((c) != SELF && live(word[c]) && (in_guest[(c) * 2] || in_guest[(c) * 2 + 1]))

inline mark(c)
{
	if
	:: atomic { live(word[c]) && !stale(word[c]) -> word[c] = word[c] | 2 }
	:: atomic { !live(word[c]) || stale(word[c]) -> skip }
	fi
}

inline scope()
{
	global = false;
	if
	:: others_in(0) -> global = true
	:: others_in(1) -> global = true
	:: sibling_in -> global = true
	:: else
	fi;
	if
	:: global
	:: else ->
#ifndef CHECK_ONLY
#ifdef REMOTE
		mark(0);
#endif
		mark(1);
#endif
#ifndef NO_RECHECK
		if
		:: others_in(0) -> global = true
		:: else
		fi;
		if
		:: others_in(1) -> global = true
		:: else
		fi
#endif
		skip
	fi
}

inline kick(me)
{
	if
	:: in_guest[me] -> seen = entries[me]; !in_guest[me] || entries[me] != seen
	:: else
	fi
}

inline take_away(frame)
{
#ifdef EARLY
	scope();
#endif
#ifdef CLEAN_EARLY
	clean = !live(word[0]) || stale(word[0]);
#endif
	pte = 0;
#ifndef EARLY
	scope();
#endif
	if
	:: !global ->
#ifdef VIRTUAL
#ifndef CLEAN_EARLY
		clean = !live(word[0]) || stale(word[0]);
#endif
		if
		:: !clean -> d_step { tlb[0] = 0; erat[0] = 0 }
		:: clean
		fi;
#ifndef SIBLING
		/*
		 * One that came in before may have filled its ERAT from the TLB, and the
		 * core may be marked only since.
		 */
#ifdef CLEAN_DONE
		if
		:: !clean -> global = sibling_in
		:: clean
		fi;
#else
		global = sibling_in;
#endif
#endif
#endif
#ifdef REAL_MODE
		d_step { tlb[0] = 0; erat[0] = 0 };
#endif
		skip
	:: else
	fi;
	if
	:: global -> d_step { tlb[0] = 0; tlb[1] = 0; erat[0] = 0; erat[1] = 0; erat[2] = 0; erat[3] = 0 }
	:: else
	fi;
	freed[frame] = true
}

/* What a hypercall of thread 0 of core 0 does before it. */
inline begin()
{
#ifdef REAL_MODE
	enter(0, 0);
	access(0, 0)
#endif
#ifdef VIRTUAL
	enter(0, 0);
	access(0, 0);
	in_guest[0] = false
#endif
	skip
}

inline end()
{
#ifdef REAL_MODE
	access(0, 0);
	in_guest[0] = false
#endif
	skip
}

inline retire(c)
{
	if
	:: word[c] != 0 -> word[c] = 2
	:: else
	fi
}

proctype invalidator()
{
#ifdef MIGRATE
	byte seen;

	moved = true;
	mark(0);
	kick(0);
	kick(1);
	pte = 0;
	freed[1] = true;
	moved = false
#else
	bool global;
#ifdef VIRTUAL
	bool clean;
#endif

	begin();
	take_away(1);
	end();
	pte = 2;
	begin();
	take_away(2);
	end()
#endif
	;
	/* Another VM gets the LPID, and has a frame of its own. */
	closed = true;
	running == 0;
	d_step { freed[1] = true; freed[2] = true };
	retire(0);
	retire(1);
	d_step { pte = 3; closed = false }
}

#ifdef MIGRATE
/* Another vCPU of the guest leaves core 0 too. */
proctype other()
{
	mark(0)
}
#endif

#ifdef MARKED
/* A vCPU leaves core 0: kvmppc_tlb_mark_core(). */
proctype other()
{
	mark(0)
}
#endif

init {
	atomic {
#ifdef MARKED
		run other();
#endif
#ifdef MIGRATE
		tlb[0] = 1;
		word[0] = 1;
		run other();
		run thread(0, 0);
#endif
		/* With REAL_MODE and VIRTUAL, thread 0 of core 0 is the invalidator. */
		run thread(0, 1);
#ifndef MIGRATE
		run thread(1, 2);
		run thread(1, 3);
#endif
		run invalidator()
	}
}
