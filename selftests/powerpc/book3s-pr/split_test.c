// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that runs with MSR[IR] = 0 and MSR[DR] = 1 sees what its hash table
 * says now: a page that it unmaps is gone, and one that it maps elsewhere is
 * there. The address of the page and its VSID have low bits that differ, so that
 * a record under anything but its virtual page number is not found.
 */
#include "pr.h"

#define PAGES		16u

static void guest_unmap_pages(unsigned long order)
{
	unsigned int stale = 0, i;
	long index[PAGES];
	uint64_t val;

	guest_hash_init(order);
	for (i = 0; i < PAGES; i++) {
		index[i] = guest_map(HV_EA_BASE + i * 4096, GUEST_FREE_BASE + i * 4096);
		GUEST_ASSERT(index[i] >= 0);
		GUEST_ASSERT_EQ(guest_store(HV_EA_BASE + i * 4096, i), EXC_NONE);
	}
	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT_EQ(guest_unmap(index[i]), H_SUCCESS);
	for (i = 0; i < PAGES; i++)
		stale += guest_load(HV_EA_BASE + i * 4096, &val) != EXC_DSI;
	GUEST_SYNC_ARGS(1, stale);
	GUEST_DONE();
}

static void test_unmap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = pr_vm_create_with_one_vcpu(&vcpu, guest_unmap_pages);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1], 0);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_remap_pages(unsigned long order)
{
	unsigned int i;
	long index[PAGES];
	uint64_t val;

	guest_hash_init(order);
	for (i = 0; i < 2 * PAGES; i++)
		*(uint64_t *)(GUEST_FREE_BASE + i * 4096) = 100 + i;
	for (i = 0; i < PAGES; i++) {
		index[i] = guest_map(HV_EA_BASE + i * 4096, GUEST_FREE_BASE + i * 4096);
		GUEST_ASSERT(index[i] >= 0);
		GUEST_ASSERT_EQ(guest_load(HV_EA_BASE + i * 4096, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, 100 + i);
	}
	for (i = 0; i < PAGES; i++) {
		GUEST_ASSERT_EQ(guest_unmap(index[i]), H_SUCCESS);
		GUEST_ASSERT(guest_map(HV_EA_BASE + i * 4096,
				       GUEST_FREE_BASE + (PAGES + i) * 4096) >= 0);
		GUEST_ASSERT_EQ(guest_load(HV_EA_BASE + i * 4096, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, 100 + PAGES + i);
	}
	GUEST_DONE();
}

static void test_remap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = pr_vm_create_with_one_vcpu(&vcpu, guest_remap_pages);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "unmap", test_unmap },
	{ "remap", test_remap },
};

TEST_MAIN(tests)
