/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The need_tlb_flush mask of POWER9 and later: one bit per thread, a TLB per
 * core. Threads of one core enter and leave the guest; a vCPU that ran there
 * migrates away, so that from then on the core's TLB must not be used before it
 * is flushed.
 *
 *   migrate()	radix_flush_cpu(), book3s_hv.c: sets the bits of the core's
 *		threads, then makes those leave that are in the guest
 *   thread()	kvmhv_p9_guest_entry() and check_need_tlb_flush(),
 *		book3s_hv_p9_entry.c
 *
 * FLUSH_OWN	a thread whose bit is set flushes; without it, 7.3's code: only
 *		if the bits of all its siblings are set
 * CLEAR_FIRST	the bit is cleared before the flush, not after
 * REQUESTS	how many times the vCPU migrates away
 *
 * Memory is sequentially consistent here. What the model leaves out: other
 * cores, and what the guest does to fill the TLB.
 */
#ifndef REQUESTS
#define REQUESTS	1
#endif
#define THREADS		2
#define ENTRIES		3	/* of each thread */

bool need[THREADS];		/* need_tlb_flush */
bool in_guest[THREADS];		/* cpu_in_guest */
byte entries[THREADS];
bool stale;			/* the core's TLB: what the last migration left */
bool asked;			/* the last migration is complete */

proctype thread(byte t)
{
	bool all_set;
	byte n;

	do
	:: n == ENTRIES -> break
	:: else ->
		n++;
		in_guest[t] = true;
		if
		:: need[t] ->
#ifdef FLUSH_OWN
			all_set = true;
#else
			if
			:: need[0] -> all_set = true
			:: else -> all_set = false
			fi;
			if
			:: all_set && !need[1] -> all_set = false
			:: else
			fi;
#endif
#ifdef CLEAR_FIRST
			need[t] = false;
#endif
			if
			:: all_set -> stale = false
			:: else
			fi;
#ifndef CLEAR_FIRST
			need[t] = false;
#endif
		:: else
		fi;
		/* In the guest. */
		assert(!(asked && stale));
		d_step { in_guest[t] = false; entries[t]++ }
	od
}

proctype migrate()
{
	byte r, t, seen;

	do
	:: r == REQUESTS -> break
	:: else ->
		r++;
		d_step { asked = false; stale = true }
		need[0] = true;
		need[1] = true;
		t = 0;
		do
		:: t == THREADS -> break
		:: else ->
			if
			:: in_guest[t] ->
				seen = entries[t];
				/* smp_call_function_single() */
				!in_guest[t] || entries[t] != seen
			:: else
			fi;
			t++
		od;
		asked = true
	od
}

init {
	atomic {
		run thread(0);
		run thread(1);
		run migrate()
	}
}
