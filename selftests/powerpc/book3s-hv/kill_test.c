// SPDX-License-Identifier: GPL-2.0
/*
 * VMMs that die, and allocations that fail: see lib/lifetime.h. A hash guest that maps
 * and unmaps, a radix guest that touches memory, each at any time of its life.
 */
#include "hv.h"
#include "lifetime.h"

#define MAPPED		200u

static void guest_hash(void)
{
	static long index[MAPPED];
	unsigned long ea, i;
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	for (i = 0; ; i++) {
		if (i >= MAPPED)
			GUEST_ASSERT_EQ(guest_unmap(index[i % MAPPED]), H_SUCCESS);
		ea = HV_EA_BASE + i % 4096 * 4096;
		index[i % MAPPED] = guest_map(ea, GUEST_FREE_BASE + i % 256 * 4096);
		GUEST_ASSERT(index[i % MAPPED] >= 0);
		GUEST_ASSERT_EQ(guest_load(ea, &val), EXC_NONE);
		if (!(i % 64))
			GUEST_SYNC(i);
	}
}

static void guest_radix(void)
{
	unsigned long i;
	uint64_t val;

	guest_radix_init();
	guest_radix_set_pid();
	for (i = 0; ; i++) {
		guest_radix_map(HV_EA_BASE, GUEST_FREE_BASE + i % 64 * 0x10000);
		GUEST_ASSERT_EQ(guest_load(HV_EA_BASE, &val), EXC_NONE);
		guest_radix_map(HV_EA_BASE, 0);
		guest_radix_tlbie(HV_EA_BASE);
		if (!(i % 64))
			GUEST_SYNC(i);
	}
}

static struct kvm_vm *create_hash(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = hv_vm_create(HV_HASH);

	*vcpu = vm_vcpu_add(vm, 0, guest_hash);
	return vm;
}

static struct kvm_vm *create_radix(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = hv_vm_create(HV_RADIX);

	*vcpu = vm_vcpu_add(vm, 0, guest_radix);
	return vm;
}

static const struct lifetime hash = { create_hash, 20, 12 };
static const struct lifetime radix = { create_radix, 20, 12 };

static void test_kill_hash(void)
{
	lifetime_kill(&hash);
}

static void test_kill_radix(void)
{
	lifetime_kill(&radix);
}

static void test_close(void)
{
	lifetime_close(&hash);
}

static void test_failslab(void)
{
	lifetime_failslab(&hash);
}

static const struct subtest tests[] = {
	{ "kill_hash", test_kill_hash, 120 },
	{ "kill_radix", test_kill_radix, 120 },
	{ "close", test_close, 120 },
	{ "failslab", test_failslab, 300 },
};

TEST_MAIN(tests)
