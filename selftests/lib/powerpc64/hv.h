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

/* As vm_create(); skips the subtest if the host has no such MMU for guests. */
struct kvm_vm *hv_vm_create(enum hv_mmu mmu);

/* --- guest side, hash --- */

#define HV_EA_BASE	0x10000000UL	/* one segment is set up, of 256M */

/* Each vCPU calls it once: the segment, with pages of 4K. */
void guest_hash_init(unsigned long order);
/*
 * Map the 4K page at @ea, in the segment, to @gpa, writable. Returns the index of
 * the entry, or -1 if the hypercall failed.
 */
long guest_map(unsigned long ea, unsigned long gpa);
/* Returns the hypercall's result. */
long guest_unmap(long index);
/* The same with H_BULK_REMOVE. */
long guest_bulk_unmap(long index);

#endif
