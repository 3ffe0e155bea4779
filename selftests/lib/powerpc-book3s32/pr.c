// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S PR on 32 bit: see pr.h.
 */
#include "pr.h"

/* --- test side --- */

struct kvm_vm *pr_vm_create(void)
{
	return vm_create();
}

struct kvm_vm *pr_vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code)
{
	return vm_create_with_one_vcpu(vcpu, guest_code);
}

void *pr_alloc_htab(struct kvm_vm *vm)
{
	memset(addr_gpa2hva(vm, GUEST_HTAB), 0, 1UL << HV_HPT_ORDER);
	return NULL;
}

bool pr_clears_referenced(void)
{
	return true;
}

/* --- guest side --- */

#define VSID		0x1234UL
#define GROUPS		(1UL << (HV_HPT_ORDER - 6))
#define PTE_VALID	0x80000000
#define PTE_M		0x10
#define PTE_RW		2	/* PP */

struct pte {
	uint32_t v, r;
};

#define table	((volatile struct pte *)GUEST_HTAB)

void guest_hash_init(unsigned long order)
{
	asm volatile("mtsdr1 %0; mtsrin %1,%2; isync"
		     : : "r"(GUEST_HTAB | (GROUPS / 1024 - 1)), "r"(VSID),
		     "r"(HV_EA_BASE) : "memory");
}

long guest_map(unsigned long ea, unsigned long gpa)
{
	unsigned long page = ea >> 12 & 0xffff;
	long first = ((VSID ^ page) & (GROUPS - 1)) * 8, i;

	for (i = first; i < first + 8; i++) {
		if (table[i].v)
			continue;
		table[i].r = (gpa & ~0xfffUL) | PTE_M | PTE_RW;
		asm volatile("eieio" : : : "memory");
		table[i].v = PTE_VALID | VSID << 7 | page >> 10;
		asm volatile("sync" : : : "memory");
		return i;
	}
	return -1;
}

long guest_unmap(long index)
{
	/* The group has the low bits of the page, the entry the high ones. */
	unsigned long page = ((VSID ^ index / 8) & (GROUPS - 1)) |
			     ((table[index].v & 0x3f) << 10 & ~(GROUPS - 1));

	table[index].v = 0;
	asm volatile("sync; tlbie %0; sync; tlbsync; sync"
		     : : "r"(HV_EA_BASE + page * 4096) : "memory");
	return H_SUCCESS;
}
