// SPDX-License-Identifier: GPL-2.0
/*
 * VMMs that die, and allocations that fail: see lib/lifetime.h.
 */
#include "lifetime.h"
#include "pr.h"

#define MAPPED		1000u

/* Real mode, and pages that come and go: MAPPED of them at a time. */
static void guest_busy(unsigned long order)
{
	static long index[MAPPED];
	unsigned long ea, i;

	guest_hash_init(order);
	for (i = 0; ; i++) {
		*(volatile unsigned long *)(GUEST_FREE_BASE + i % 512 * 4096) = i;
		if (i >= MAPPED)
			GUEST_ASSERT_EQ(guest_unmap(index[i % MAPPED]), H_SUCCESS);
		ea = HV_EA_BASE + i % 4096 * 4096;
		index[i % MAPPED] = guest_map(ea, GUEST_FREE_BASE + i % 256 * 4096);
		GUEST_ASSERT(index[i % MAPPED] >= 0);
		GUEST_ASSERT_EQ(guest_store(ea, i), EXC_NONE);
		if (!(i % 64))
			GUEST_SYNC(i);
	}
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(vcpu, guest_busy);
	static void *table;

	/* One VM at a time: that of the last one is free. */
	free(table);
	table = pr_alloc_htab(vm);
	vcpu_args_set(*vcpu, 1, (unsigned long)HV_HPT_ORDER);
	return vm;
}

static const struct lifetime lifetime = { create, 40, 30 };

LIFETIME_TESTS(&lifetime)

static const struct subtest tests[] = {
	{ "kill", test_kill, 240 },
	{ "close", test_close, 240 },
	{ "failslab", test_failslab, 400 },
};

TEST_MAIN(tests)
