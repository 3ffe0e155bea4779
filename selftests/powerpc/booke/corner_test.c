// SPDX-License-Identifier: GPL-2.0
/*
 * Corners of the code that all embedded cores share, each of which was wrong
 * once: what a guest can do to its host's log, a stack pointer of 0, single
 * stepping over emulated instructions, debug events that were turned off.
 *
 * A failure here is rarely an exception or a wrong value: more often something
 * happens too often or never, so several subtests count.
 */
#include <fcntl.h>
#include <unistd.h>

#include "kvm_util.h"

/* --- interrupts with r1 == 0 --- */

/*
 * The stack pointer of a guest that has none yet. With the stack gone, the
 * handler has two registers: r11 and r12.
 */
uint32_t wait_without_stack(void);
extern char no_stack_handler[];
asm("	.text\n"
    "	.balign 16\n"
    "no_stack_handler:\n"
    "	li 12,1\n"
    "	mfspr 11,0x01b\n"
    "	rlwinm 11,11,0,17,15\n"		/* MSR[EE] = 0 */
    "	mtspr 0x01b,11\n"
    "	rfi\n"
    "wait_without_stack:\n"
    "	mr 10,1\n"
    "	li 1,0\n"
    "	li 12,0\n"
    "	lis 9,0x800\n"
    "	mtctr 9\n"
    "	wrteei 1\n"
    "1:	cmpwi 12,0\n"
    "	bne 2f\n"
    "	bdnz 1b\n"
    "2:	wrteei 0\n"
    "	mr 1,10\n"
    "	mr 3,12\n"
    "	blr\n");

static void guest_no_stack(void)
{
	mtspr(SPRN_IVPR, (uintptr_t)no_stack_handler);
	mtspr((SPRN_IVOR0 + EXC_EXTERNAL), (uintptr_t)no_stack_handler & 0xffff);
	mtspr((SPRN_IVOR0 + EXC_DEC), (uintptr_t)no_stack_handler & 0xffff);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(wait_without_stack(), 1);
	GUEST_SYNC(2);
	mtspr(SPRN_TCR, TCR_DIE);
	mtspr(SPRN_DEC, 1);
	GUEST_ASSERT_EQ(wait_without_stack(), 1);
	GUEST_DONE();
}

static void test_no_stack(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_no_stack);
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 1, &uc);
	vcpu_interrupt(vcpu, KVM_INTERRUPT_SET_LEVEL);
	vcpu_run_to_sync(vcpu, 2, &uc);
	vcpu_interrupt(vcpu, KVM_INTERRUPT_UNSET);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- the host's log --- */

#define BAD_INSTRUCTIONS	300

static void do_word(unsigned long word)
{
	uint32_t code[2] __aligned(32) = { word, 0x4e800020 };	/* blr */

	arch_sync_icache(code, sizeof(code));
	((void (*)(void))(uintptr_t)code)();
}

static void guest_bad_instructions(void)
{
	unsigned int i;

	guest_exceptions_init();
	for (i = 0; i < BAD_INSTRUCTIONS; i++) {
		/* Illegal; mfspr and mtspr of what no core has. */
		GUEST_ASSERT_EQ(guest_catch(do_word, 0x00000000), EXC_PROGRAM);
		GUEST_ASSERT_EQ(guest_catch(do_word, 0x7c7e83a6), EXC_PROGRAM);
		GUEST_ASSERT_EQ(guest_catch(do_word, 0x7c7e82a6), EXC_PROGRAM);
	}
	GUEST_DONE();
}

static unsigned int count_kmsg(int fd)
{
	unsigned int n = 0;
	char buf[8192];

	/* EPIPE: records were lost, and that is a flood as well. */
	while (read(fd, buf, sizeof(buf)) > 0 || errno == EPIPE)
		n++;
	return n;
}

static void test_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int n;

	TEST_REQUIRE(fd >= 0);
	lseek(fd, 0, SEEK_END);
	vm = vm_create_with_one_vcpu(&vcpu, guest_bad_instructions);
	vcpu_run_to_done(vcpu);
	n = count_kmsg(fd);
	print_info("%u bad instructions, %u lines in the host's log",
		   3 * BAD_INSTRUCTIONS, n);
	/* The limit is 10 lines for each message in 5 seconds. */
	TEST_ASSERT(n < BAD_INSTRUCTIONS, "the guest floods the log");
	close(fd);
	kvm_vm_free(vm);
}

/* --- an instruction that looks like a failed fetch --- */

static void guest_all_ones(void)
{
	unsigned int exc;

	guest_exceptions_init();
	/* Primary opcode 63 is the FPU's, where there is one: it is off. */
	exc = guest_catch(do_word, 0xffffffff);
	GUEST_ASSERT(exc == EXC_PROGRAM || exc == EXC_FPUNAVAIL);
	/* With it on, this is fnmadd. f31,f31,f31,f31: it just runs there. */
	mtmsr(mfmsr() | MSR_FP);
	exc = guest_catch(do_word, 0xffffffff);
	GUEST_ASSERT(exc == EXC_PROGRAM || exc == EXC_NONE);
	GUEST_DONE();
}

static void test_all_ones(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_all_ones);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- a trap's syndrome --- */

static void do_trap(unsigned long arg)
{
	asm volatile("trap");
}

static void guest_trap(void)
{
	guest_exceptions_init();
	mtspr(SPRN_ESR, ESR_ST | ESR_PIL);
	GUEST_ASSERT_EQ(guest_catch(do_trap, 0), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PTR);
	GUEST_DONE();
}

static void test_trap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_trap);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- debugging --- */

extern char corner_step[], corner_step_end[];
asm("	.text\n"
    "	.balign 4\n"
    "corner_step:\n"
    "	li 3,1\n"
    "	mfspr 5,0x110\n"	/* emulated */
    "	addi 3,3,1\n"
    "	mtspr 0x110,3\n"	/* emulated */
    "	mfmsr 6\n"		/* emulated */
    "	addi 3,3,1\n"
    "corner_step_end:\n"
    "	b corner_step_end\n");

/* Stepping is to begin at once, not when the guest next writes its MSR. */
static void test_single_step(void)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, corner_step);
	struct kvm_regs regs;
	uintptr_t pc;

	vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
	for (pc = (uintptr_t)corner_step + 4; pc <= (uintptr_t)corner_step_end; pc += 4) {
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_DEBUG);
		TEST_ASSERT_EQ(vcpu->run->debug.arch.address, pc);
		vcpu_regs_get(vcpu, &regs);
		TEST_ASSERT_EQ(regs.pc, pc);
	}
	TEST_ASSERT_EQ(regs.gpr[3], 3);
	kvm_vm_free(vm);
}

#define DBCR0_IDM	0x40000000
#define DBCR0_IC	0x08000000

static uint32_t debug_events;

/* The guest steps itself, a few instructions far. */
static void stop_stepping(struct ex_regs *regs)
{
	mtspr(SPRN_DBSR, 0xffffffff);
	if (++debug_events == 5)
		mtspr(SPRN_DBCR0, 0);
}

static void guest_own_step(void)
{
	uint32_t i;

	guest_exceptions_init();
	guest_set_handler(EXC_DEBUG, stop_stepping);
	mtspr(SPRN_DBCR0, DBCR0_IDM | DBCR0_IC);
	mtmsr(MSR_DE);
	for (i = 0; i < 1000; i++)
		asm volatile("nop");
	GUEST_SYNC_ARGS(1, debug_events);
	for (i = 0; i < 1000; i++)
		asm volatile("nop");
	GUEST_DONE();
}

static void test_own_step(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_own_step);
	struct ucall uc;
	uint64_t exits;

	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1], 5);
	/* The set-up and five events; instructions run by themselves then. */
	exits = vcpu_get_stat(vcpu, "sum_exits");
	print_info("%llu exits", (unsigned long long)exits);
	TEST_ASSERT(exits > 5 + 16, "exits are not counted");
	TEST_ASSERT(exits < 600, "debug events go on");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "no_stack", test_no_stack },
	{ "log", test_log },
	{ "single_step", test_single_step, 10 },
	{ "own_step", test_own_step, 10 },
	{ "trap", test_trap },
	{ "all_ones", test_all_ones, 10 },
};

TEST_MAIN(tests)
