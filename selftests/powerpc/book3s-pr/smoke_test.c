// SPDX-License-Identifier: GPL-2.0
/*
 * The least a PR guest must do: run instructions in real mode, load and store its
 * memory, make hypercalls, map a page through its hash table, lose it again.
 */
#include "pr.h"

static uint32_t counter;

static void guest_code(unsigned long a, unsigned long b)
{
	GUEST_ASSERT_EQ(counter, 4);
	counter++;
	GUEST_SYNC_ARGS(1, a + b);
	GUEST_DONE();
}

static void test_real_mode(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = pr_vm_create_with_one_vcpu(&vcpu, guest_code);
	counter = 4;
	sync_global_to_guest(vm, counter);
	vcpu_args_set(vcpu, 2, 1000UL, 24UL);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1], 1024);
	sync_global_from_guest(vm, counter);
	TEST_ASSERT_EQ(counter, 5);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_map_page(unsigned long order)
{
	uint64_t *frame = (uint64_t *)GUEST_FREE_BASE;
	unsigned long ea = HV_EA_BASE + 0x5000;
	uint64_t val;
	long index;

	guest_hash_init(order);
	GUEST_ASSERT_EQ(guest_load(ea, &val), EXC_DSI);
	frame[3] = 0x0123456789abcdef;
	index = guest_map(ea, GUEST_FREE_BASE);
	GUEST_ASSERT(index >= 0);
	GUEST_ASSERT_EQ(guest_load(ea + 24, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, 0x0123456789abcdef);
	GUEST_ASSERT_EQ(guest_store(ea + 24, 99), EXC_NONE);
	GUEST_ASSERT_EQ(frame[3], 99);
	GUEST_DONE();
}

static void test_hash(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = pr_vm_create_with_one_vcpu(&vcpu, guest_map_page);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "real_mode", test_real_mode },
	{ "hash", test_hash },
};

TEST_MAIN(tests)
