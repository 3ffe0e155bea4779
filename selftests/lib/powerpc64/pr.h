/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S PR: a VM of that type, its hash table, and real-mode accesses.
 *
 * The host's pages are 64K, and real-mode accesses are mapped in such pages.
 * With a table the guest maps pages of 4K: guest_hash_init(), guest_map() and
 * guest_unmap() of hv.h.
 */
#ifndef SELFTEST_PR_H
#define SELFTEST_PR_H

#include "hv.h"

#define PR_PAGE		0x10000UL	/* of the host */

/* --- test side --- */

/* As vm_create(). Skips the subtest if the host's KVM has no PR. */
struct kvm_vm *pr_vm_create(void);
struct kvm_vm *pr_vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code);

/*
 * Gives all vCPUs a hash table of order HV_HPT_ORDER, in the test's memory; none
 * may run meanwhile. Returns it, for free() when the VM is gone.
 */
void *pr_alloc_htab(struct kvm_vm *vm);

/* Can the host clear the referenced bit of its hash table's entries? */
bool pr_clears_referenced(void);

#endif
