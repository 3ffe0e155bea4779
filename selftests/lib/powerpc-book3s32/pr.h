/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S PR on 32 bit: what lib/powerpc64/pr.h is there. The guest has its hash
 * table in its own memory, and changes it without asking.
 */
#ifndef SELFTEST_PR_H
#define SELFTEST_PR_H

#include "kvm_util.h"

#define PR_PAGE		0x1000UL	/* of the host */
#define HV_HPT_ORDER	19		/* 8192 groups of 8 entries */
#define HV_EA_BASE	0x10000000UL	/* one segment is set up, of 256M */

/* --- test side --- */

struct kvm_vm *pr_vm_create(void);
struct kvm_vm *pr_vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code);
/* Empties the guest's table; no vCPU may run meanwhile. Returns NULL. */
void *pr_alloc_htab(struct kvm_vm *vm);
bool pr_clears_referenced(void);

/* --- guest side --- */

/* Each vCPU calls it once: table and segment. */
void guest_hash_init(unsigned long order);
/*
 * Map the 4K page at @ea, in the segment, to @gpa, writable. Returns the index of
 * the entry, or -1 if there is no room for it.
 */
long guest_map(unsigned long ea, unsigned long gpa);
/* Returns H_SUCCESS, always. */
long guest_unmap(long index);

#define H_SUCCESS	0

#endif
