/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Local or global, for a hash guest of one vcore on POWER7 and POWER8, while
 * another vcore comes online. The only vcore so far runs on core X; it ran on core
 * Y before, whose TLB still has a translation. It removes the HPTE, and userspace
 * adds a vcore, which enters the guest on Y.
 *
 *   remove()	kvmppc_do_h_remove(), kvmppc_h_bulk_remove() and
 *		global_invalidates(), book3s_hv_rm_mmu.c
 *   second()	kvmppc_core_vcpu_create_hv(), then the entry with
 *		kvmppc_check_need_tlb_flush()
 *
 * EARLY	local or global is decided before the HPTE is made invalid
 * RECHECK	online_vcores is read after the other cores were marked; without
 *		it, 7.3's code: before
 *
 * Memory is sequentially consistent here; that takes full barriers in the code.
 */
byte online = 1;		/* online_vcores */
bool valid = true;		/* the HPTE */
bool tlb_x = true, tlb_y = true;
bool need_y;
bool removed;			/* the hypercall has returned */

inline mark_and_decide()
{
#ifdef RECHECK
	need_y = true;
	global = online != 1
#else
	global = online != 1;
	if
	:: !global -> need_y = true
	:: else
	fi
#endif
}

proctype remove()
{
	bool global;

#ifdef EARLY
	mark_and_decide();
#endif
	valid = false;
#ifndef EARLY
	mark_and_decide();
#endif
	if
	:: global -> d_step { tlb_x = false; tlb_y = false }
	:: else -> tlb_x = false
	fi;
	removed = true
}

proctype second()
{
	byte n;

	online++;
	if
	:: need_y -> need_y = false; tlb_y = false
	:: else
	fi;
	/* In the guest: uses the TLB, or walks the HPT. */
	do
	:: n == 2 -> break
	:: else ->
		n++;
		if
		:: atomic { tlb_y -> assert(!removed) }
		:: atomic { !tlb_y && valid -> tlb_y = true }
		:: else
		fi
	od
}

init {
	atomic { run remove(); run second() }
}
