// SPDX-License-Identifier: GPL-2.0
/*
 * Special purpose registers and device control registers of a 440 guest: what
 * is written is read back, by the guest and by the test; what user mode may
 * read it reads; what does not exist is a program interrupt; DCR accesses reach
 * userspace and its answer reaches the right register.
 *
 * Most SPRs that control caches and debug have no effect to be seen in an
 * emulator; of those only the value is shown.
 */
#include "44x.h"

static void run(void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- read back --- */

#define READBACK(spr, mask) do {					\
	uint32_t __old = mfspr(spr);					\
	mtspr(spr, 0x5a3cf0e1 & (mask));				\
	GUEST_ASSERT_EQ(mfspr(spr), 0x5a3cf0e1 & (mask));		\
	mtspr(spr, 0xa5c30f1e & (mask));				\
	GUEST_ASSERT_EQ(mfspr(spr), 0xa5c30f1e & (mask));		\
	mtspr(spr, __old);						\
	GUEST_ASSERT_EQ(mfspr(spr), __old);				\
} while (0)

static void guest_readback(void)
{
	uint32_t seen;

	guest_44x_init();
	READBACK(SPRN_SPRG0, ~0);
	READBACK(SPRN_SPRG1, ~0);
	READBACK(SPRN_SPRG2, ~0);
	READBACK(SPRN_SPRG3, ~0);
	READBACK(SPRN_SRR0, ~3);
	READBACK(SPRN_SRR1, MSR_CE | MSR_EE | MSR_PR | MSR_ME | MSR_IS | MSR_DS);
	READBACK(SPRN_CSRR0, ~3);
	READBACK(SPRN_CSRR1, MSR_CE | MSR_EE | MSR_PR | MSR_ME | MSR_IS | MSR_DS);
	READBACK(SPRN_MCSRR0, ~3);
	READBACK(SPRN_MCSRR1, MSR_CE | MSR_EE | MSR_PR | MSR_ME | MSR_IS | MSR_DS);
	READBACK(SPRN_DEAR, ~0);
	READBACK(SPRN_ESR, ESR_PIL | ESR_PPR | ESR_PTR | ESR_ST);
	READBACK(SPRN_USPRG0, ~0);
	READBACK(SPRN_MMUCR, MMUCR_STS | MMUCR_STID);
	READBACK(SPRN_CCR0, 0x00100000);
	READBACK(SPRN_IAC1, ~3);
	READBACK(SPRN_IAC2, ~3);
	READBACK(SPRN_DAC1, ~0);
	READBACK(SPRN_DAC2, ~0);
	/* IVPR and IVORs, while no interrupt can come. */
	READBACK(SPRN_IVPR, 0xffff0000);
	READBACK(0x190, 0xfff0);
	READBACK(0x191, 0xfff0);
	READBACK(0x192, 0xfff0);
	READBACK(0x193, 0xfff0);
	READBACK(0x194, 0xfff0);
	READBACK(0x195, 0xfff0);
	READBACK(0x196, 0xfff0);
	READBACK(0x197, 0xfff0);
	READBACK(0x198, 0xfff0);
	READBACK(0x199, 0xfff0);
	READBACK(0x19a, 0xfff0);
	READBACK(0x19b, 0xfff0);
	READBACK(0x19c, 0xfff0);
	READBACK(0x19d, 0xfff0);
	READBACK(0x19e, 0xfff0);
	READBACK(0x19f, 0xfff0);
	/* SPRG4 to 7: written at one number, read at another. */
	mtspr(SPRN_SPRG4W, 0x44444444);
	mtspr(SPRN_SPRG5W, 0x55555555);
	mtspr(SPRN_SPRG6W, 0x66666666);
	mtspr(SPRN_SPRG7W, 0x77777777);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG4R), 0x44444444);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG5R), 0x55555555);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG6R), 0x66666666);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG7R), 0x77777777);
	/* TCR[WRC] sticks once it is set; the rest follows. */
	mtspr(SPRN_TCR, TCR_ARE);
	GUEST_ASSERT_EQ(mfspr(SPRN_TCR), TCR_ARE);
	mtspr(SPRN_TCR, 0);
	GUEST_ASSERT_EQ(mfspr(SPRN_TCR), 0);
	/* TSR is cleared by ones. */
	mtspr(SPRN_DEC, 1);
	while (!((seen = mfspr(SPRN_TSR)) & TSR_DIS))
		;
	mtspr(SPRN_TSR, 0);
	GUEST_ASSERT(mfspr(SPRN_TSR) & TSR_DIS);
	mtspr(SPRN_TSR, TSR_DIS);
	GUEST_ASSERT_EQ(mfspr(SPRN_TSR) & TSR_DIS, 0);
	/* Every value of PID. */
	for (seen = 0; seen < 256; seen++) {
		set_pid(seen);
		GUEST_ASSERT_EQ(mfspr(SPRN_PID), seen);
	}
	set_pid(0);
	GUEST_DONE();
}

static void test_readback(void)
{
	run(guest_readback);
}

/* --- who I am --- */

static void guest_identity(void)
{
	guest_44x_init();
	GUEST_SYNC_ARGS(1, mfspr(SPRN_PVR), mfspr(SPRN_PIR));
	GUEST_DONE();
}

static void test_identity(void)
{
	int i, n = kvm_check_cap(KVM_CAP_MAX_VCPUS) > 1 ? 2 : 1;
	struct kvm_vcpu *vcpu[2];
	struct kvm_sregs sregs;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create();
	for (i = 0; i < n; i++) {
		vcpu[i] = vm_vcpu_add(vm, i, guest_identity);
		vcpu_sregs_get(vcpu[i], &sregs);
		vcpu_run_to_sync(vcpu[i], 1, &uc);
		TEST_ASSERT_EQ(uc.args[1], sregs.pvr);
		TEST_ASSERT(sregs.pvr, "PVR is 0");
		TEST_ASSERT_EQ(uc.args[2], i);
		vcpu_run_to_done(vcpu[i]);
	}
	kvm_vm_free(vm);
}

/* --- user mode --- */

extern char user_sprg4[], user_sprg5[], user_sprg6[], user_sprg7[],
	    user_usprg0_w[], user_usprg0_r[], user_tb[], user_sprg0[],
	    user_sprg4w[], user_mfdcr[], user_nosuch[], user_wrteei[];
asm("	.text; .machine push; .machine \"440\"\n"
    "user_sprg4:	mfspr 3,0x104; sc\n"
    "user_sprg5:	mfspr 3,0x105; sc\n"
    "user_sprg6:	mfspr 3,0x106; sc\n"
    "user_sprg7:	mfspr 3,0x107; sc\n"
    "user_usprg0_w:	mtspr 0x100,3; sc\n"
    "user_usprg0_r:	mfspr 3,0x100; sc\n"
    "user_tb:		mftb 3; sc\n"
    "user_sprg0:	mfspr 3,0x110; sc\n"
    "user_sprg4w:	mtspr 0x114,3; sc\n"
    "user_mfdcr:	mfdcr 3,0x30; sc\n"
    "user_wrteei:	wrteei 1; sc\n"
    "user_nosuch:	mfspr 3,0x3ef; sc\n"
    "	.machine pop\n");

static uint32_t jump_msr, jump_r3;

static void jump(unsigned long addr)
{
	mtspr(SPRN_SRR0, addr);
	mtspr(SPRN_SRR1, jump_msr);
	asm volatile("mr 3,%0; rfi" : : "r"(jump_r3) : "3", "memory");
	__builtin_unreachable();
}

static unsigned int user(char *insn, uint32_t r3)
{
	jump_msr = MSR_PR;
	jump_r3 = r3;
	return guest_catch(jump, (unsigned long)insn);
}

static void guest_user(void)
{
	uint32_t i, tb;

	guest_44x_init();
	for (i = 0; i < 3; i++) {
		mtspr(SPRN_SPRG4W, 0x40 + i);
		mtspr(SPRN_SPRG5W, 0x50 + i);
		mtspr(SPRN_SPRG6W, 0x60 + i);
		mtspr(SPRN_SPRG7W, 0x70 + i);
		mtspr(SPRN_USPRG0, 0x80 + i);
		GUEST_ASSERT_EQ(user(user_sprg4, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x40 + i);
		GUEST_ASSERT_EQ(user(user_sprg5, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x50 + i);
		GUEST_ASSERT_EQ(user(user_sprg6, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x60 + i);
		GUEST_ASSERT_EQ(user(user_sprg7, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x70 + i);
		GUEST_ASSERT_EQ(user(user_usprg0_r, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x80 + i);
		GUEST_ASSERT_EQ(user(user_usprg0_w, 0x90 + i), EXC_SYSCALL);
		/* Across an exit to the VMM too. */
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(user(user_sprg7, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[3], 0x70 + i);
		GUEST_ASSERT_EQ(mfspr(SPRN_USPRG0), 0x90 + i);
	}
	tb = mftb();
	GUEST_ASSERT_EQ(user(user_tb, 0), EXC_SYSCALL);
	GUEST_ASSERT(guest_caught.gpr[3] - tb < 0x40000000);
	/* What is privileged is said to be, and not done. */
	GUEST_ASSERT_EQ(user(user_sprg0, 0), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	GUEST_ASSERT_EQ(user(user_sprg4w, 1), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG4R), 0x42);
	GUEST_ASSERT_EQ(user(user_wrteei, 0), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	GUEST_ASSERT_EQ(user(user_mfdcr, 0), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PPR);
	GUEST_DONE();
}

static void test_user(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_user);
	struct ucall uc;
	int i;

	for (i = 0; i < 3; i++) {
		vcpu_run_to_sync(vcpu, i, &uc);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_VRSAVE), 0x90 + i);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- what does not exist --- */

static void guest_nosuch(void)
{
	guest_44x_init();
	jump_msr = 0;
	GUEST_ASSERT_EQ(guest_catch(jump, (unsigned long)user_nosuch), EXC_PROGRAM);
	GUEST_ASSERT_EQ(guest_caught.esr, ESR_PIL);
	GUEST_ASSERT_EQ(guest_caught.pc, (unsigned long)user_nosuch);
	GUEST_DONE();
}

static void test_nosuch(void)
{
	run(guest_nosuch);
}

/* --- DCRs --- */

static uint32_t dcrs[1024];
static unsigned int dcr_accesses;

static bool on_dcr(struct kvm_vcpu *vcpu, uint32_t dcrn, uint32_t *data,
		   bool is_write)
{
	struct kvm_regs regs;

	TEST_ASSERT(dcrn < 1024, "DCR 0x%x", dcrn);
	if (is_write)
		dcrs[dcrn] = *data;
	else
		*data = dcrs[dcrn] ^ 0xffffffff;
	/* What userspace looks at meanwhile does not matter. */
	vcpu_regs_get(vcpu, &regs);
	vcpu_regs_set(vcpu, &regs);
	dcr_accesses++;
	return true;
}

static const struct vm_ops dcr_ops = { .dcr = on_dcr };

static void guest_dcr(void)
{
	uint32_t r0, r31;

	guest_44x_init();
	mtdcr(0, 0x11111111);
	mtdcr(0x0c0, 0x22222222);
	mtdcr(0x200, 0x33333333);
	mtdcr(0x3ff, 0x44444444);
	GUEST_ASSERT_EQ(mfdcr(0), ~0x11111111u);
	GUEST_ASSERT_EQ(mfdcr(0x0c0), ~0x22222222u);
	GUEST_ASSERT_EQ(mfdcr(0x200), ~0x33333333u);
	GUEST_ASSERT_EQ(mfdcr(0x3ff), ~0x44444444u);
	/* The first and the last register, and none beside them. */
	asm volatile(".machine push; .machine \"440\";"
		     "li 30,30; li 31,31; li 0,5; mfdcr 31,0x200; mfdcr 0,0x3ff;"
		     "cmpwi 30,30; bne 1f; mr %0,0; mr %1,31; b 2f; 1: trap; 2:"
		     ".machine pop"
		     : "=&r"(r0), "=&r"(r31) : : "0", "30", "31", "cr0");
	GUEST_ASSERT_EQ(r0, ~0x44444444u);
	GUEST_ASSERT_EQ(r31, ~0x33333333u);
	GUEST_DONE();
}

static void test_dcr(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_dcr);

	vm->ops = &dcr_ops;
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(dcrs[0], 0x11111111);
	TEST_ASSERT_EQ(dcrs[0x3ff], 0x44444444);
	TEST_ASSERT_EQ(dcr_accesses, 10);
	kvm_vm_free(vm);
}

/* --- reset, the way Linux asks for it --- */

static void guest_reset(void)
{
	mtspr(SPRN_DBCR0, mfspr(SPRN_DBCR0) | 0x30000000);
	for (;;)
		;
}

static void test_reset(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_reset);

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	TEST_ASSERT_EQ(vcpu->run->system_event.type, KVM_SYSTEM_EVENT_RESET);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "readback", test_readback },
	{ "identity", test_identity },
	{ "user", test_user },
	{ "nosuch", test_nosuch },
	{ "dcr", test_dcr },
	{ "reset", test_reset },
};

TEST_MAIN(tests)
