// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of a 440 guest: which vector, what is saved, what the MSR becomes,
 * when it may happen, and the way back.
 *
 * Timer tests wait for events and count them; they never say how soon one must
 * come, only that it may not come early or twice. Critical input has no source
 * in KVM's API; the critical class is shown with the watchdog.
 */
#include <pthread.h>
#include <unistd.h>

#include "44x.h"

static void run(void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- synchronous interrupts --- */

extern char insn_illegal[], insn_trap[], insn_mfmsr[], insn_sc[], insn_fadd[],
	    insn_lwarx[], insn_tlbwe[], insn_rfi[];
asm("	.text\n"
    "insn_illegal:	.long 0x04000000; blr\n"
    "insn_trap:		trap; blr\n"
    "insn_mfmsr:	mfmsr 3; sc\n"
    "insn_tlbwe:	.long 0x7c6407a4; sc\n"	/* tlbwe r3,r4,0 */
    "insn_rfi:		rfi; sc\n"
    "insn_sc:		sc; blr\n"
    "insn_fadd:		.long 0xfc21082a; sc\n"	/* fadd f1,f1,f1 */
    "insn_lwarx:	lwarx 3,0,3; sc\n");

static uint32_t jump_msr;

/* Enters code at addr with jump_msr; r3 is an odd address for lwarx. */
static void jump(unsigned long addr)
{
	mtspr(SPRN_SRR0, addr);
	mtspr(SPRN_SRR1, jump_msr);
	asm volatile("mr 3,%0; rfi" : : "r"(GUEST_FREE_BASE + 2) : "3", "memory");
	__builtin_unreachable();
}

#define EXPECT(insn, from_msr, exc) do {				\
	jump_msr = (from_msr);						\
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)(insn)), exc);	\
	GUEST_ASSERT_EQ(guest_caught.pc, (unsigned long)(insn) +	\
			((exc) == EXC_SYSCALL ? 4 : 0));		\
	GUEST_ASSERT_EQ(guest_caught.msr, (uint32_t)(from_msr));	\
} while (0)

static uint32_t handler_msr;

static void note_msr(struct ex_regs *regs)
{
	handler_msr = mfmsr();
	regs->pc += 4;
}

static void guest_program(void)
{
	guest_44x_init();
	EXPECT(insn_illegal, 0, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PIL);
	/* Nothing of the last interrupt's syndrome is left in the next. */
	EXPECT(insn_trap, 0, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PTR);
	EXPECT(insn_illegal, MSR_PR, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PIL);
	EXPECT(insn_trap, MSR_PR, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PTR);
	EXPECT(insn_mfmsr, MSR_PR, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	EXPECT(insn_tlbwe, MSR_PR, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	EXPECT(insn_rfi, MSR_PR, EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	GUEST_DONE();
}

static void test_program(void)
{
	run(guest_program);
}

static void guest_syscall(void)
{
	guest_44x_init();
	EXPECT(insn_sc, 0, EXC_SYSCALL);
	EXPECT(insn_sc, MSR_PR, EXC_SYSCALL);
	EXPECT(insn_sc, MSR_PR | MSR_IS | MSR_DS, EXC_SYSCALL);
	EXPECT(insn_sc, MSR_PR | MSR_ME | MSR_CE | MSR_EE, EXC_SYSCALL);
	GUEST_DONE();
}

static void test_syscall(void)
{
	run(guest_syscall);
}

/* CE, ME and DE survive a non-critical interrupt, everything else is cleared. */
static void guest_msr(void)
{
	static const uint32_t keep = MSR_CE | MSR_ME;
	unsigned int i;

	guest_44x_init();
	guest_set_handler(EXC_SYSCALL, note_msr);
	for (i = 0; i < 4; i++) {
		uint32_t msr = (i & 1 ? MSR_CE : 0) | (i & 2 ? MSR_ME : 0) |
			       MSR_EE | MSR_FP | MSR_DS | MSR_IS | MSR_FE0 | MSR_FE1;

		mtmsr(msr);
		GUEST_ASSERT_EQ(mfmsr(), msr);
		asm volatile("sc; nop" : : : "memory");
		/* rfi brought it all back. */
		GUEST_ASSERT_EQ(mfmsr(), msr);
		mtmsr(0);
		GUEST_ASSERT_EQ(handler_msr, msr & keep);
	}
	/* wrteei and wrtee change EE alone. */
	mtmsr(MSR_ME);
	wrteei(1);
	GUEST_ASSERT_EQ(mfmsr(), MSR_ME | MSR_EE);
	wrteei(0);
	GUEST_ASSERT_EQ(mfmsr(), MSR_ME);
	asm volatile("wrtee %0" : : "r"(0xffffffff));
	GUEST_ASSERT_EQ(mfmsr(), MSR_ME | MSR_EE);
	asm volatile("wrtee %0" : : "r"(~MSR_EE));
	GUEST_ASSERT_EQ(mfmsr(), MSR_ME);
	GUEST_DONE();
}

static void test_msr(void)
{
	run(guest_msr);
}

static void guest_fp_unavailable(void)
{
	guest_44x_init();
	EXPECT(insn_fadd, 0, EXC_FPUNAVAIL);
	EXPECT(insn_fadd, MSR_PR, EXC_FPUNAVAIL);
	jump_msr = MSR_FP;
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_fadd), EXC_SYSCALL);
	jump_msr = MSR_FP | MSR_PR;
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_fadd), EXC_SYSCALL);
	/* And it is off again after it was on. */
	EXPECT(insn_fadd, 0, EXC_FPUNAVAIL);
	GUEST_DONE();
}

static void test_fp_unavailable(void)
{
	/* A core without FPU lacks it in the guest too. */
	TEST_REQUIRE(host_has_fpu());
	run(guest_fp_unavailable);
}

static void guest_alignment(void)
{
	guest_44x_init();
	EXPECT(insn_lwarx, 0, EXC_ALIGNMENT);
	GUEST_ASSERT_EQ(guest_caught.dear, GUEST_FREE_BASE + 2);
	EXPECT(insn_lwarx, MSR_PR, EXC_ALIGNMENT);
	GUEST_ASSERT_EQ(guest_caught.dear, GUEST_FREE_BASE + 2);
	GUEST_DONE();
}

static void test_alignment(void)
{
	run(guest_alignment);
}

/* IVPR and the IVORs are obeyed, each by itself. */
static void guest_ivors(void)
{
	extern char guest_vectors[];
	char *copy = (char *)GUEST_FREE_BASE;
	unsigned int i;

	guest_44x_init();
	/* System calls arrive where FP unavailable did: another stub. */
	mtspr(0x198, 0x700);
	jump_msr = 0;
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_sc), EXC_FPUNAVAIL);
	mtspr(0x198, 0x800);
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_sc), EXC_SYSCALL);
	/* A stub at another prefix: branch to the old one. */
	for (i = 0; i < 16; i++) {
		uint32_t *stub = (uint32_t *)(copy + i * 0x100);
		long dist = guest_vectors + i * 0x100 - (char *)stub;

		*stub = 0x48000000 | (dist & 0x03fffffc);
	}
	/* Make system calls look like traps at the new prefix only. */
	*(uint32_t *)(copy + 0x800) = 0x48000000 |
		((guest_vectors + 0xd00 - (copy + 0x800)) & 0x03fffffc);
	arch_sync_icache(copy, 0x1000);
	mtspr(SPRN_IVPR, (unsigned long)copy);
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_sc), EXC_DTLB);
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_trap), EXC_PROGRAM);
	mtspr(SPRN_IVPR, (unsigned long)guest_vectors);
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)insn_sc), EXC_SYSCALL);
	GUEST_DONE();
}

static void test_ivors(void)
{
	run(guest_ivors);
}

static void guest_rfci(void)
{
	guest_44x_init();
	/* rfci goes to CSRR0 with CSRR1, and leaves SRR0/1 alone. */
	mtspr(SPRN_SRR0, 0x12345678);
	mtspr(SPRN_SRR1, 0x00001000);
	asm volatile("lis 3,1f@ha; addi 3,3,1f@l; mtspr 0x3a,3;"
		     "li 3,0x1000; mtspr 0x3b,3; .long 0x4c000066;"	/* rfci */
		     "trap; 1:" : : : "3", "memory");
	GUEST_ASSERT_EQ(mfmsr(), MSR_ME);
	GUEST_ASSERT_EQ(mfspr(SPRN_SRR0), 0x12345678);
	GUEST_ASSERT_EQ(mfspr(SPRN_SRR1), 0x00001000);
	GUEST_DONE();
}

static void test_rfci(void)
{
	run(guest_rfci);
}

/* --- timers --- */

static volatile unsigned int dec_count, fit_count, wdt_count, ext_count;
static volatile uint32_t dec_when, last_saved_msr;

static void on_dec(struct ex_regs *regs)
{
	dec_when = mftb();
	dec_count++;
	last_saved_msr = regs->msr;
	mtspr(SPRN_TSR, TSR_DIS);
	regs->msr &= ~MSR_WE;
}

static void guest_decrementer(void)
{
	uint32_t start, ticks = 20000;
	unsigned int i;

	guest_44x_init();
	guest_set_handler(EXC_DEC, on_dec);
	mtspr(SPRN_TCR, 0);
	mtspr(SPRN_TSR, 0xffffffff);

	/* Without DIE the status bit comes and the interrupt does not. */
	wrteei(1);
	mtspr(SPRN_DEC, 1000);
	while (!(mfspr(SPRN_TSR) & TSR_DIS))
		;
	GUEST_ASSERT_EQ(dec_count, 0);
	/* It stops at zero. */
	GUEST_ASSERT_EQ(mfspr(SPRN_DEC), 0);
	wrteei(0);

	/* With DIE, but EE off, it waits. */
	mtspr(SPRN_TCR, TCR_DIE);
	GUEST_ASSERT_EQ(dec_count, 0);
	wrteei(1);
	asm volatile("nop; nop");
	wrteei(0);
	GUEST_ASSERT_EQ(dec_count, 1);
	GUEST_ASSERT_EQ(mfspr(SPRN_TSR) & TSR_DIS, 0);

	/* Never early, once each. */
	for (i = 0; i < 10; i++) {
		dec_count = 0;
		start = mftb();
		mtspr(SPRN_DEC, ticks);
		wrteei(1);
		while (!dec_count)
			;
		wrteei(0);
		GUEST_ASSERT(dec_when - start >= ticks);
		GUEST_ASSERT_EQ(dec_count, 1);
	}
	/* It counts down. */
	mtspr(SPRN_DEC, 0x40000000);
	start = mfspr(SPRN_DEC);
	GUEST_ASSERT(start <= 0x40000000 && start > 0x3f000000);
	for (i = 0; i < 1000; i++)
		mftb();
	GUEST_ASSERT(mfspr(SPRN_DEC) < start);
	GUEST_ASSERT_EQ(dec_count, 1);
	GUEST_DONE();
}

static void test_decrementer(void)
{
	run(guest_decrementer);
}

static void guest_auto_reload(void)
{
	uint32_t start, ticks = 30000;

	guest_44x_init();
	guest_set_handler(EXC_DEC, on_dec);
	mtspr(SPRN_TSR, 0xffffffff);
	mtspr(SPRN_DECAR, ticks);
	mtspr(SPRN_TCR, TCR_DIE | TCR_ARE);
	start = mftb();
	mtspr(SPRN_DEC, ticks);
	wrteei(1);
	while (dec_count < 5)
		;
	wrteei(0);
	GUEST_ASSERT(dec_when - start >= 5 * ticks);
	/* Reload off; the one that is under way does not come any more. */
	mtspr(SPRN_TCR, TCR_DIE);
	mtspr(SPRN_DEC, 0x7fffffff);
	mtspr(SPRN_TSR, TSR_DIS);
	mtspr(SPRN_DEC, ticks);
	dec_count = 0;
	wrteei(1);
	while (!dec_count)
		;
	start = mftb();
	while (mftb() - start < 5 * ticks)
		;
	wrteei(0);
	GUEST_ASSERT_EQ(dec_count, 1);
	GUEST_DONE();
}

static void test_auto_reload(void)
{
	run(guest_auto_reload);
}

static void on_fit(struct ex_regs *regs)
{
	fit_count++;
	mtspr(SPRN_TSR, TSR_FIS);
	regs->msr &= ~MSR_WE;
}

static void guest_fit(void)
{
	guest_44x_init();
	guest_set_handler(EXC_FIT, on_fit);
	mtspr(SPRN_TSR, 0xffffffff);
	/* The shortest period, 2^13 ticks. */
	mtspr(SPRN_TCR, TCR_FIE);
	wrteei(1);
	while (fit_count < 3)
		;
	wrteei(0);
	/* The status comes without the interrupt too. */
	mtspr(SPRN_TCR, 0);
	mtspr(SPRN_TSR, TSR_FIS);
	fit_count = 0;
	wrteei(1);
	while (!(mfspr(SPRN_TSR) & TSR_FIS))
		;
	wrteei(0);
	GUEST_ASSERT_EQ(fit_count, 0);
	GUEST_DONE();
}

static void test_fit(void)
{
	run(guest_fit);
}

static void on_watchdog(struct ex_regs *regs)
{
	wdt_count++;
	last_saved_msr = regs->msr;
	handler_msr = mfmsr();
	mtspr(SPRN_TSR, TSR_WIS | TSR_ENW);
}

static void guest_watchdog(void)
{
	guest_44x_init();
	guest_set_handler(EXC_WATCHDOG, on_watchdog);
	mtspr(SPRN_TSR, 0xffffffff);
	mtspr(SPRN_SRR0, 0xcafe0000);
	/* The shortest period, 2^21 ticks; the second expiry interrupts. */
	mtspr(SPRN_TCR, TCR_WIE);
	while (!(mfspr(SPRN_TSR) & TSR_ENW))
		;
	GUEST_ASSERT_EQ(wdt_count, 0);
	/* Critical: held by CE, not by EE. */
	wrteei(1);
	while (!(mfspr(SPRN_TSR) & TSR_WIS))
		;
	GUEST_ASSERT_EQ(wdt_count, 0);
	wrteei(0);
	mtmsr(MSR_CE | MSR_ME);
	while (!wdt_count)
		;
	mtmsr(0);
	GUEST_ASSERT_EQ(wdt_count, 1);
	GUEST_ASSERT_EQ(last_saved_msr, MSR_CE | MSR_ME);
	GUEST_ASSERT_EQ(handler_msr, MSR_ME);
	GUEST_ASSERT_EQ(mfspr(SPRN_SRR0), 0xcafe0000);
	GUEST_DONE();
}

static void test_watchdog(void)
{
	run(guest_watchdog);
}

/* The third expiry resets the machine: userspace decides, if it asked to. */
static void guest_watchdog_reset(void)
{
	guest_44x_init();
	mtspr(SPRN_TSR, 0xffffffff);
	mtspr(SPRN_TCR, 2 << TCR_WRC_SHIFT);
	GUEST_SYNC(1);
	for (;;)
		mftb();
}

static void test_watchdog_exit(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_PPC_BOOKE_WATCHDOG };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_BOOKE_WATCHDOG));
	vm = vm_create_with_one_vcpu(&vcpu, guest_watchdog_reset);
	vcpu_ioctl(vcpu, KVM_ENABLE_CAP, &cap);
	vcpu_run_to_sync(vcpu, 1, NULL);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_WATCHDOG);
	kvm_vm_free(vm);
}

/* --- external interrupts --- */

static void on_external_level(struct ex_regs *regs)
{
	ext_count++;
	/* The device is quiet after the third time. */
	if (ext_count == 3)
		GUEST_SYNC(100);
	regs->msr &= ~MSR_WE;
}

static void guest_external_level(void)
{
	guest_44x_init();
	guest_set_handler(EXC_EXTERNAL, on_external_level);
	GUEST_SYNC(1);
	/* Pending, but EE is off. */
	GUEST_ASSERT_EQ(ext_count, 0);
	wrteei(1);
	while (ext_count < 3)
		;
	GUEST_SYNC(2);
	wrteei(0);
	GUEST_ASSERT_EQ(ext_count, 3);
	GUEST_DONE();
}

static void test_external_level(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_external_level);

	vcpu_run_to_sync(vcpu, 1, NULL);
	vcpu_interrupt(vcpu, KVM_INTERRUPT_SET_LEVEL);
	vcpu_run_to_sync(vcpu, 100, NULL);
	vcpu_interrupt(vcpu, KVM_INTERRUPT_UNSET);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void on_external_edge(struct ex_regs *regs)
{
	ext_count++;
	regs->msr &= ~MSR_WE;
}

static void guest_external_edge(void)
{
	unsigned int i;

	guest_44x_init();
	guest_set_handler(EXC_EXTERNAL, on_external_edge);
	for (i = 1; i <= 5; i++) {
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(ext_count, i - 1);
		wrteei(1);
		asm volatile("nop; nop");
		wrteei(0);
		GUEST_ASSERT_EQ(ext_count, i);
	}
	/* Taken back before it was delivered. */
	GUEST_SYNC(6);
	wrteei(1);
	asm volatile("nop; nop");
	wrteei(0);
	GUEST_ASSERT_EQ(ext_count, 5);
	GUEST_DONE();
}

static void test_external_edge(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_external_edge);
	int i;

	for (i = 1; i <= 6; i++) {
		vcpu_run_to_sync(vcpu, i, NULL);
		vcpu_interrupt(vcpu, KVM_INTERRUPT_SET);
	}
	vcpu_interrupt(vcpu, KVM_INTERRUPT_UNSET);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- MSR[WE]: wait for an interrupt --- */

static void guest_wait_dec(void)
{
	unsigned int i;

	guest_44x_init();
	guest_set_handler(EXC_DEC, on_dec);
	mtspr(SPRN_TSR, 0xffffffff);
	mtspr(SPRN_TCR, TCR_DIE);
	for (i = 1; i <= 20; i++) {
		mtspr(SPRN_DEC, 50000);
		mtmsr(MSR_WE | MSR_EE);
		/* The handler took WE out of what rfi restored. */
		GUEST_ASSERT_EQ(mfmsr(), MSR_EE);
		mtmsr(0);
		GUEST_ASSERT_EQ(dec_count, i);
		GUEST_ASSERT_EQ(last_saved_msr, MSR_WE | MSR_EE);
	}
	GUEST_DONE();
}

static void test_wait_timer(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_wait_dec);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_wait_external(void)
{
	unsigned int i;

	guest_44x_init();
	guest_set_handler(EXC_EXTERNAL, on_external_edge);
	for (i = 1; i <= 5; i++) {
		GUEST_SYNC(i);
		mtmsr(MSR_WE | MSR_EE);
		mtmsr(0);
		GUEST_ASSERT_EQ(ext_count, i);
	}
	GUEST_DONE();
}

static void *late_interrupt(void *arg)
{
	usleep(50000);
	vcpu_interrupt(arg, KVM_INTERRUPT_SET);
	return NULL;
}

static void test_wait_external(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_wait_external);
	pthread_t thread;
	int i;

	for (i = 1; i <= 5; i++) {
		vcpu_run_to_sync(vcpu, i, NULL);
		/* From another thread, while the vCPU sleeps. */
		TEST_ASSERT(!pthread_create(&thread, NULL, late_interrupt, vcpu),
			    "pthread_create");
		pthread_detach(thread);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "program", test_program },
	{ "syscall", test_syscall },
	{ "msr", test_msr },
	{ "fp_unavailable", test_fp_unavailable },
	{ "alignment", test_alignment },
	{ "ivors", test_ivors },
	{ "rfci", test_rfci },
	{ "decrementer", test_decrementer },
	{ "auto_reload", test_auto_reload },
	{ "fit", test_fit, 15 },
	{ "watchdog", test_watchdog, 15 },
	{ "watchdog_exit", test_watchdog_exit, 15 },
	{ "external_level", test_external_level },
	{ "external_edge", test_external_edge },
	{ "wait_timer", test_wait_timer },
	{ "wait_external", test_wait_external },
};

TEST_MAIN(tests)
