// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_SET_GUEST_DEBUG: single stepping visits every instruction of the guest
 * once, software breakpoints stop where they are and nowhere else, and a guest
 * that is not debugged keeps its own debug facilities.
 *
 * Hardware breakpoints and watchpoints are only set and refused: QEMU's 440
 * does not raise them.
 */
#include "44x.h"

extern char step_start[], step_loop[], step_end[];
asm("	.text\n"
    "step_start:	li 3,0\n"
    "			li 4,3\n"
    "step_loop:		add 3,3,4\n"
    "			mfspr 5,0x110\n"		/* emulated */
    "			addic. 4,4,-1\n"
    "			bne step_loop\n"
    "step_end:		b step_end\n");

static void set_debug(struct kvm_vcpu *vcpu, uint32_t control)
{
	struct kvm_guest_debug debug = { .control = control };

	vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

static void test_single_step(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, step_start);
	uint32_t expect[2 + 4 * 3 + 1];
	unsigned int n = 0, i;

	expect[n++] = (uintptr_t)step_start + 4;
	expect[n++] = (uintptr_t)step_loop;
	for (i = 0; i < 3; i++) {
		expect[n++] = (uintptr_t)step_loop + 4;
		expect[n++] = (uintptr_t)step_loop + 8;
		expect[n++] = (uintptr_t)step_loop + 12;
		expect[n++] = i < 2 ? (uintptr_t)step_loop : (uintptr_t)step_end;
	}
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	for (i = 0; i < n; i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_DEBUG);
		TEST_ASSERT_EQ(vcpu->run->debug.arch.address, expect[i]);
		TEST_ASSERT_EQ(vcpu_pc(vcpu), expect[i]);
	}
	kvm_vm_free(vm);
}

static void guest_breakpoints(void)
{
	guest_44x_init();
	asm volatile(".globl bp_1; bp_1: nop; .globl bp_2; bp_2: nop" : : : "memory");
	GUEST_DONE();
}

static void test_breakpoints(void)
{
	extern char bp_1[], bp_2[];
	uint32_t *insn[2], saved[2], bp;
	uint32_t addr[2] = { (uintptr_t)bp_1, (uintptr_t)bp_2 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_breakpoints);
	int i;

	bp = vcpu_get_reg(vcpu, KVM_REG_PPC_DEBUG_INST);
	for (i = 0; i < 2; i++) {
		insn[i] = addr_gpa2hva(vm, addr[i]);
		saved[i] = *insn[i];
		*insn[i] = bp;
		arch_sync_icache(insn[i], 4);
	}
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP);
	for (i = 0; i < 2; i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_DEBUG);
		TEST_ASSERT_EQ(vcpu->run->debug.arch.address, addr[i]);
		TEST_ASSERT_EQ(vcpu_pc(vcpu), addr[i]);
		/* It stays until it is taken away. */
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_DEBUG);
		TEST_ASSERT_EQ(vcpu_pc(vcpu), addr[i]);
		*insn[i] = saved[i];
		arch_sync_icache(insn[i], 4);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* Stepping through code that takes interrupts and uses the TLB. */
static void guest_busy(void)
{
	unsigned int i;

	guest_44x_init();
	for (i = 0; i < 3; i++) {
		tlb_write(10, 0x40000000 | TLB0_V | SIZE_4K, GUEST_FREE_BASE + i * 4096,
			  TLB2_RWX, 0);
		GUEST_ASSERT_EQ(*(volatile uint32_t *)0x40000000, pattern(GUEST_FREE_BASE + i * 4096));
		PROBE_MISSES(0, PROBE_READ, 0x40001000);
	}
	GUEST_DONE();
}

static void test_step_everything(void)
{
	unsigned int steps = 0;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_busy);
	struct ucall uc;

	fill_pattern(vm, GUEST_FREE_BASE, 0x4000);
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	for (;;) {
		vcpu_run(vcpu);
		if (vcpu->run->exit_reason == KVM_EXIT_DEBUG) {
			TEST_ASSERT(++steps < 200000, "no end");
			continue;
		}
		if (vcpu_handle_exit(vcpu, &uc) == UCALL_DONE)
			break;
	}
	TEST_ASSERT(steps > 1000, "%u steps", steps);
	kvm_vm_free(vm);
}

/* Once userspace lets go, the guest runs freely. */
static void test_disable(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_busy);

	fill_pattern(vm, GUEST_FREE_BASE, 0x4000);
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_DEBUG);
	set_debug(vcpu, 0);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* The breakpoint instruction is just illegal when nobody debugs. */
static void guest_illegal(void)
{
	guest_44x_init();
	GUEST_ASSERT_EQ(guest_catch((void (*)(unsigned long))GUEST_FREE_BASE, 0),
			EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.pc, GUEST_FREE_BASE);
	GUEST_DONE();
}

static void test_not_debugged(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_illegal);
	struct ucall uc;
	int exits = 0;

	*(uint32_t *)addr_gpa2hva(vm, GUEST_FREE_BASE) =
		vcpu_get_reg(vcpu, KVM_REG_PPC_DEBUG_INST);
	arch_sync_icache(addr_gpa2hva(vm, GUEST_FREE_BASE), 4);
	do {
		vcpu_run(vcpu);
		/*
		 * KVM tells userspace about its breakpoint in any case; what
		 * it must not do is hang or let the guest pass over it.
		 */
		if (vcpu->run->exit_reason == KVM_EXIT_DEBUG) {
			TEST_ASSERT_EQ(vcpu_pc(vcpu), GUEST_FREE_BASE);
			kvm_vm_free(vm);
			return;
		}
		TEST_ASSERT(++exits < 10, "no end");
	} while (vcpu_handle_exit(vcpu, &uc) != UCALL_DONE);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "single_step", test_single_step },
	{ "breakpoints", test_breakpoints },
	{ "step_everything", test_step_everything },
	{ "disable", test_disable },
	{ "not_debugged", test_not_debugged },
};

TEST_MAIN(tests)
