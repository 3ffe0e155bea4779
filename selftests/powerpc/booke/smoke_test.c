// SPDX-License-Identifier: GPL-2.0
/*
 * The least a VM must do: run instructions, load and store its memory, leave
 * through MMIO, take an exception, come back.
 *
 * The first subtests use raw instructions, not the library's guest code, so
 * that they tell something when nothing else works yet. Passing shows that
 * entry and exit work; it shows nothing about the MMU beyond one mapping.
 */
#include "kvm_util.h"

static void test_create(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;
	struct kvm_vm *vm;

	vm = vm_create_barebones();
	vm_mem_add(vm, 0, 0, 1 << 20, 0, NULL);
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT_EQ(regs.pc, 0);
	TEST_ASSERT_EQ(regs.msr, 0);
	TEST_ASSERT_EQ(regs.gpr[1], (16 << 20) - 8);
	kvm_vm_free(vm);
}

/* lis r3,0x0f00; li r4,42; stw r4,0x1000(r3); b . */
static const uint32_t first_steps[] = {
	0x3c600f00, 0x3880002a, 0x90831000, 0x48000000,
};

static void test_first_steps(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_run *run;
	struct kvm_vm *vm;
	uint32_t val;

	vm = vm_create_barebones();
	vm_mem_add(vm, 0, 0, 1 << 20, 0, NULL);
	memcpy(addr_gpa2hva(vm, 0), first_steps, sizeof(first_steps));
	arch_sync_icache(addr_gpa2hva(vm, 0), sizeof(first_steps));
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_run(vcpu);
	run = vcpu->run;
	if (run->exit_reason != KVM_EXIT_MMIO)
		vcpu_dump(vcpu);
	TEST_ASSERT_EQ(run->exit_reason, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(run->mmio.phys_addr, GUEST_MMIO_BASE);
	TEST_ASSERT_EQ(run->mmio.len, 4);
	TEST_ASSERT_EQ(run->mmio.is_write, 1);
	memcpy(&val, run->mmio.data, 4);
	TEST_ASSERT_EQ(val, 42);
	kvm_vm_free(vm);
}

static uint32_t counter = 3;

static void guest_code(uint32_t a, uint32_t b)
{
	GUEST_ASSERT_EQ(counter, 4);
	counter++;
	GUEST_SYNC_ARGS(1, a + b);
	GUEST_ASSERT_EQ(counter, 5);
	GUEST_DONE();
}

static void test_ucall(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	counter = 4;
	sync_global_to_guest(vm, counter);
	vcpu_args_set(vcpu, 2, 1000UL, 24UL);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1], 1024);
	sync_global_from_guest(vm, counter);
	TEST_ASSERT_EQ(counter, 5);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(vcpu_get_stat(vcpu, "mmio_exits") >= 2, "statistics");
	kvm_vm_free(vm);
}

/* A page per word: a working set that no TLB holds at once. */
static void guest_memory(void)
{
	volatile uint32_t *p;
	uint32_t i;

	for (i = 0; i < 1024; i++) {
		p = (void *)(GUEST_FREE_BASE + i * 4096 + i % 1024 * 4);
		*p = i * 2654435761u;
	}
	for (i = 0; i < 1024; i++) {
		p = (void *)(GUEST_FREE_BASE + i * 4096 + i % 1024 * 4);
		GUEST_ASSERT_EQ(*p, i * 2654435761u);
	}
	GUEST_DONE();
}

static void test_memory(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint32_t i;

	vm = vm_create_with_one_vcpu(&vcpu, guest_memory);
	vcpu_run_to_done(vcpu);
	for (i = 0; i < 1024; i++) {
		uint32_t *p = addr_gpa2hva(vm, GUEST_FREE_BASE + i * 4096 +
					   i % 1024 * 4);

		TEST_ASSERT_EQ(*p, i * 2654435761u);
	}
	kvm_vm_free(vm);
}

static void do_sc(unsigned long arg)
{
	register unsigned long r0 asm("r0") = arg;

	asm volatile("sc" : "+r"(r0) : : "memory");
}

static void guest_exception_code(void)
{
	guest_exceptions_init();
	GUEST_ASSERT_EQ(guest_catch(do_sc, 7), EXC_SYSCALL);
	GUEST_ASSERT_EQ(guest_caught.gpr[0], 7);
	GUEST_ASSERT_EQ(mfmsr(), 0);
	GUEST_DONE();
}

static void test_exception(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_exception_code);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "create", test_create },
	{ "first_steps", test_first_steps },
	{ "ucall", test_ucall },
	{ "memory", test_memory },
	{ "exception", test_exception },
};

TEST_MAIN(tests)
