/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S HV: a VM of either MMU, and a hash guest's own view of its table.
 */
#ifndef SELFTEST_HV_H
#define SELFTEST_HV_H

#include "kvm_util.h"

enum hv_mmu {
	HV_HASH,
	HV_RADIX,
};

#define HV_HPT_ORDER	20	/* 8192 groups of 8 entries */

/* --- test side --- */

/*
 * As vm_create(); skips the subtest if the host has no such MMU for guests. A radix
 * guest may execute tlbie, and has its process table in the page before
 * GUEST_RADIX_BASE.
 */
struct kvm_vm *hv_vm_create(enum hv_mmu mmu);
/* For pthread_create(): the vCPU to its end. */
void *hv_run_thread(void *vcpu);
/*
 * f(arg), while the calling thread is on another CPU every few milliseconds; as
 * often as it takes until that was two hundred times.
 */
void hv_bounced(void (*f)(unsigned int arg), unsigned int arg);

/* --- guest side --- */

#define HV_EA_BASE	0x10000000UL	/* one segment is set up, of 256M */

/* --- guest side, radix --- */

/* The page tables: a root of 64K, and three more in the next 64K. */
#define GUEST_RADIX_BASE	0x00d00000UL
#define GUEST_PROCESS_TABLE	(GUEST_RADIX_BASE - 0x1000)

/* One vCPU calls it: empty tables. Then each: PID 1. */
void guest_radix_init(void);
void guest_radix_set_pid(void);
/*
 * The 64K page at @ea, of the first 2M from HV_EA_BASE, is mapped to @gpa, or with
 * @gpa 0 not mapped. Nothing is invalidated.
 */
void guest_radix_map(unsigned long ea, unsigned long gpa);
/* Invalidate that page's translation, on this CPU or on all. */
void guest_radix_tlbiel(unsigned long ea);
void guest_radix_tlbie(unsigned long ea);

/* --- guest side, hash --- */

/* Each vCPU calls it once: the segment, with pages of 4K. */
void guest_hash_init(unsigned long order);
/*
 * Map the 4K page at @ea, in the segment, to @gpa, writable. Returns the index of
 * the entry, or -1 if the hypercall failed.
 */
long guest_map(unsigned long ea, unsigned long gpa);
/* Returns the hypercall's result. */
long guest_unmap(long index);
long guest_unmap_flags(long index, unsigned long flags);
#define H_LOCAL		(1UL << 28)	/* "this vCPU alone has used it" */
/* The same with H_BULK_REMOVE. */
long guest_bulk_unmap(long index);

#endif
