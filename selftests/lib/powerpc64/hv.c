// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S HV: see hv.h.
 */
#include "hv.h"

/* --- test side --- */

#define PATB_GR		(1ULL << 63)

struct kvm_vm *hv_vm_create(enum hv_mmu mmu)
{
	struct kvm_ppc_mmuv3_cfg cfg = {
		.flags = mmu == HV_RADIX ? KVM_PPC_MMUV3_RADIX : 0,
		.process_table = mmu == HV_RADIX ? PATB_GR : 0,
	};
	uint32_t order = HV_HPT_ORDER;
	struct kvm_vm *vm = vm_create();
	bool v3;

	v3 = kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0 ||
	     kvm_check_cap(KVM_CAP_PPC_MMU_HASH_V3) > 0;
	if (mmu == HV_RADIX)
		TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0);
	else if (v3)
		TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_MMU_HASH_V3) > 0);
	if (v3)
		vm_ioctl(vm, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
	if (mmu == HV_HASH) {
		vm_ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &order);
		TEST_ASSERT_EQ(order, HV_HPT_ORDER);
	}
	return vm;
}

/* --- guest side --- */

#define VSID		0x1234UL
#define SLB_ESID_V	0x08000000UL
#define SLB_VSID_SHIFT	12
#define HPTE_V_VALID	1UL
#define HPTE_R_M	0x010UL
#define HPTE_R_RW	0x002UL		/* PP: read and write for all */

static unsigned long groups;

void guest_hash_init(unsigned long order)
{
	unsigned long slbe = (HV_EA_BASE & ~0xfffffffUL) | SLB_ESID_V;
	unsigned long slbv = VSID << SLB_VSID_SHIFT;

	groups = 1UL << (order - 7);
	asm volatile("isync; slbmte %0,%1; isync" : : "r"(slbv), "r"(slbe) : "memory");
}

long guest_map(unsigned long ea, unsigned long gpa)
{
	unsigned long offset = ea & 0xfffffff;
	unsigned long hash = VSID ^ offset >> 12;
	unsigned long v, r, ret[4];

	v = (VSID << 5 | offset >> 23) << 7 | HPTE_V_VALID;
	r = (gpa & ~0xfffUL) | HPTE_R_M | HPTE_R_RW;
	if (hcall(H_ENTER, ret, 0, (hash & (groups - 1)) * 8, v, r) != H_SUCCESS)
		return -1;
	return ret[0];
}

long guest_unmap(long index)
{
	unsigned long ret[4];

	return hcall(H_REMOVE, ret, 0, index, 0, 0);
}

#define BULK_REQUEST	(1UL << 62)
#define BULK_END	(3UL << 62)
#define BULK_SUCCESS	0x80UL

long guest_bulk_unmap(long index)
{
	unsigned long ret[4];
	long r;

	r = hcall(H_BULK_REMOVE, ret, BULK_REQUEST | index, 0, BULK_END, 0);
	if (r == H_SUCCESS)
		GUEST_ASSERT_EQ(ret[0] >> 56 & 0xf0, BULK_SUCCESS);
	return r;
}
