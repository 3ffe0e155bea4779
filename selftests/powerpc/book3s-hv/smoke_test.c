// SPDX-License-Identifier: GPL-2.0
/*
 * The least an HV guest must do: run instructions under each MMU the host
 * offers, load and store its memory, make hypercalls, take an interrupt.
 *
 * A test of either MMU is skipped where the host does not have it. Passing says
 * nothing about invalidation.
 */
#include "hv.h"

static uint32_t counter;

static void guest_code(unsigned long a, unsigned long b)
{
	GUEST_ASSERT_EQ(counter, 4);
	counter++;
	GUEST_SYNC_ARGS(1, a + b);
	GUEST_DONE();
}

static void run_guest_code(enum hv_mmu mmu)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = hv_vm_create(mmu);
	vcpu = vm_vcpu_add(vm, 0, guest_code);
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

static void test_hash(void)
{
	run_guest_code(HV_HASH);
}

static void test_radix(void)
{
	run_guest_code(HV_RADIX);
}

/* A page is mapped, read, written, unmapped, and then faults. */
static void guest_hpte(unsigned long order)
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
	GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
	GUEST_ASSERT_EQ(guest_load(ea + 24, &val), EXC_DSI);
	GUEST_DONE();
}

static void test_hpte(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_hpte);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "hash", test_hash },
	{ "radix", test_radix },
	{ "hpte", test_hpte },
};

TEST_MAIN(tests)
