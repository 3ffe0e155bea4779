// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU: there if userspace asks for it, usable if the guest allows
 * it, its registers kept while others use the host's. Its exceptions are the
 * guest's alone, and so are 64-bit registers, if the host has them.
 */
#include <pthread.h>
#include <unistd.h>

#include "kvm_util.h"

#define REG_CONFIG1	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 16 + 1))

static void do_fpu(unsigned long arg)
{
	asm volatile("mtc1 %0, $f4" : : "r"(arg));
}

static uint32_t read_f(void)
{
	uint32_t v;

	asm volatile("mfc1 %0, $f4" : "=r"(v));
	return v;
}

asm(".set push; .set noreorder\n"
    ".globl user_bc1t, user_bc1f\n"
    /* FCC0 is set: the branch is taken, with an emulated instruction. */
    "user_bc1t: ctc1 $4, $31\n bc1t 1f\n rdhwr $2, $29\n li $2, 1\n1: syscall 0\n nop\n"
    "user_bc1f: ctc1 $4, $31\n bc1f $fcc3, 1f\n rdhwr $2, $29\n addiu $2, 1\n1: syscall 0\n nop\n"
    ".set pop");
extern char user_bc1t[], user_bc1f[];

static void guest_fpu(void)
{
	uint32_t i;

	GUEST_ASSERT_EQ(read_c0(C0_CONFIG1) & 1, 1);
	GUEST_ASSERT_EQ(guest_catch(do_fpu, 1), EXC_CPU);
	write_c0(C0_STATUS, ST_CU1);
	GUEST_ASSERT_EQ(read_c0(C0_STATUS) & ST_CU1, ST_CU1);
	do_fpu(0x12345678);
	for (i = 0; i < 20; i++) {
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(read_f(), 0x12345678 + i);
		do_fpu(0x12345678 + i + 1);
	}
	write_c0(C0_STATUS, 0);
	GUEST_ASSERT_EQ(guest_catch(do_fpu, 1), EXC_CPU);
	write_c0(C0_STATUS, ST_CU1);
	GUEST_ASSERT_EQ(read_f(), 0x12345678 + i);

	/* Branches on its conditions */
	guest_map_program(0);
	write_c0(C0_USERLOCAL, 0x1000);
	write_c0(C0_HWRENA, 1 << 29);
	GUEST_ASSERT_EQ(guest_user_run(user_bc1t, 1 << 23), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x1000);
	GUEST_ASSERT_EQ(guest_user_run(user_bc1t, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 1);
	GUEST_ASSERT_EQ(guest_user_run(user_bc1f, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x1000);
	GUEST_ASSERT_EQ(guest_user_run(user_bc1f, 1 << 27), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x1001);
	GUEST_DONE();
}

/* --- exceptions --- */

/* FCSR: cause, enable and flag bits of inexact, underflow, overflow, division, invalid */
#define FP_I		0x01
#define FP_U		0x02
#define FP_O		0x04
#define FP_Z		0x08
#define FP_V		0x10
#define FCSR_CAUSE(x)	((x) << 12)
#define FCSR_ENABLE(x)	((x) << 7)
#define FCSR_FLAG(x)	((x) << 2)
/* Unimplemented operation: a cause that cannot be disabled */
#define FCSR_E		FCSR_CAUSE(0x20)
/* Without condition codes and what a CPU may have fixed */
#define FCSR_MASK	0x3ffff

static uint32_t read_fcsr(void)
{
	uint32_t v;

	asm volatile("cfc1 %0, $31" : "=r"(v));
	return v & FCSR_MASK;
}

static void write_fcsr(unsigned long v)
{
	asm volatile("ctc1 %0, $31" : : "r"(v));
}

/* What the instructions have in $f0 to $f10; $f12 is what they are to change. */
asm(".set push; .set noreorder; .set noat\n"
    "fp_operands:\n"
    "lui $1, 0x3f80\n mtc1 $1, $f0\n"		/* 1.0 */
    "mtc1 $0, $f2\n"				/* 0.0 */
    "lui $1, 0x4040\n mtc1 $1, $f4\n"		/* 3.0 */
    "lui $1, 0x7f00\n mtc1 $1, $f6\n"		/* 2^127 */
    "lui $1, 0x0080\n mtc1 $1, $f8\n"		/* 2^-126 */
    "lui $1, 0x1234\n jr $31\n mtc1 $1, $f12\n"
    ".set pop");
#define FP_UNCHANGED	0x12340000

/*
 * user_<name>(FCSR, 0) in user mode; the kernel calls it with a second argument that is
 * not 0. @insn is at <name>_insn.
 */
#define FP_CODE(name, insn)						\
asm(".set push; .set noreorder; .set noat\n"				\
    ".globl user_" #name ", " #name "_insn\n"				\
    "user_" #name ": move $24, $31\n bal fp_operands\n nop\n"		\
    "ctc1 $4, $31\n"							\
    #name "_insn: " insn "\n"						\
    "bnez $5, 9f\n nop\n syscall 0\n nop\n"				\
    "9: jr $24\n nop\n"						\
    ".set pop");							\
extern char user_##name[], name##_insn[]

FP_CODE(divide, "div.s $f12, $f0, $f2");
FP_CODE(invalid, "div.s $f12, $f2, $f2");
FP_CODE(inexact, "div.s $f12, $f0, $f4");
FP_CODE(overflow, "mul.s $f12, $f6, $f6");
FP_CODE(underflow, "mul.s $f12, $f8, $f8");
FP_CODE(slot_divide, "b 1f\n div.s $f12, $f0, $f2\n1:");
FP_CODE(ctc1, "ctc1 $5, $31");
FP_CODE(slot_ctc1, "b 1f\n ctc1 $5, $31\n1:");

static const struct fp_case {
	char *user, *insn;
	uint32_t trap, cause;	/* what traps, and what happened in all */
	bool in_slot;
} fp_cases[] = {
	{ user_divide, divide_insn, FP_Z, FP_Z },
	{ user_invalid, invalid_insn, FP_V, FP_V },
	{ user_inexact, inexact_insn, FP_I, FP_I },
	{ user_overflow, overflow_insn, FP_O, FP_O | FP_I },
	{ user_underflow, underflow_insn, FP_U, FP_U | FP_I },
	{ user_slot_divide, slot_divide_insn, FP_Z, FP_Z, true },
};

static const struct fp_case *fp_case;
static uint32_t fp_arg, fp_arg2 = 1;

static void do_fp_case(unsigned long unused)
{
	register uint32_t a0 asm("$4") = fp_arg, a1 asm("$5") = fp_arg2;

	asm volatile("jalr %2" : "+r"(a0), "+r"(a1) : "r"(fp_case->user)
		     : "$1", "$24", "$31", "memory", "$f0", "$f2", "$f4", "$f6",
		       "$f8", "$f12");
}

/* Runs fp_case, which begins with FCSR as it is to be. */
static unsigned int run_fp(bool user, uint32_t fcsr)
{
	write_fcsr(0);
	fp_arg = fcsr;
	return user ? guest_user_run(fp_case->user, fcsr) :
		      guest_catch(do_fp_case, 0);
}

static uint32_t read_result(void)
{
	uint32_t v;

	asm volatile("mfc1 %0, $f12" : "=r"(v));
	return v;
}

static void check_fpe(bool user, const struct fp_case *c)
{
	uint32_t epc = (uintptr_t)c->insn;

	GUEST_ASSERT_EQ(guest_caught.epc, user ? ARCH_GVA2GPA(epc) : epc);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_BD, c->in_slot ? CAUSE_BD : 0);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	GUEST_ASSERT_EQ(guest_caught.status & (ST_USER | ST_EXL | ST_CU1),
			(user ? ST_USER : 0) | ST_EXL | ST_CU1);
}

static void fp_exceptions(bool user)
{
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(fp_cases); i++) {
		const struct fp_case *c = fp_case = &fp_cases[i];

		/* Enabled: an exception, and nothing else happens. */
		GUEST_ASSERT_EQ(run_fp(user, FCSR_ENABLE(c->trap)), EXC_FPE);
		check_fpe(user, c);
		GUEST_ASSERT_EQ(read_fcsr(), FCSR_CAUSE(c->cause) | FCSR_ENABLE(c->trap));
		GUEST_ASSERT_EQ(read_result(), FP_UNCHANGED);
		/* It stays pending, whatever KVM does meanwhile, and traps no more. */
		for (n = 0; n < 3; n++) {
			write_c0(C0_COMPARE, n);
			GUEST_ASSERT_EQ(read_fcsr(),
					FCSR_CAUSE(c->cause) | FCSR_ENABLE(c->trap));
			GUEST_SYNC(1000 + i);
		}
		GUEST_ASSERT_EQ(read_fcsr(), FCSR_CAUSE(c->cause) | FCSR_ENABLE(c->trap));

		/* Others are enabled: no exception, and flags */
		GUEST_ASSERT_EQ(run_fp(user, FCSR_ENABLE(0x1f & ~c->cause)), EXC_NONE);
		GUEST_ASSERT_EQ(read_fcsr(), FCSR_CAUSE(c->cause) | FCSR_FLAG(c->cause) |
					     FCSR_ENABLE(0x1f & ~c->cause));
		GUEST_ASSERT(read_result() != FP_UNCHANGED);
	}
	write_fcsr(0);
}

/* CTC1 of a cause that is enabled is an exception of CTC1. */
static void fp_ctc1(void)
{
	static const struct fp_case cases[] = {
		{ user_ctc1, ctc1_insn },
		{ user_slot_ctc1, slot_ctc1_insn, .in_slot = true },
	};
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fp_case = &cases[i];
		for (bit = 1; bit <= FP_V; bit <<= 1) {
			fp_arg2 = FCSR_CAUSE(bit) | FCSR_ENABLE(0x1f & ~bit);
			GUEST_ASSERT_EQ(run_fp(false, 0), EXC_NONE);
			GUEST_ASSERT_EQ(read_fcsr(), fp_arg2);
			fp_arg2 = FCSR_CAUSE(bit) | FCSR_ENABLE(bit);
			GUEST_ASSERT_EQ(run_fp(false, 0), EXC_FPE);
			check_fpe(false, fp_case);
			GUEST_ASSERT_EQ(read_fcsr(), fp_arg2);
		}
		fp_arg2 = FCSR_E;
		GUEST_ASSERT_EQ(run_fp(false, 0), EXC_FPE);
		check_fpe(false, fp_case);
		GUEST_ASSERT_EQ(read_fcsr(), fp_arg2);
	}
	write_fcsr(0);
}

static void guest_exceptions(void)
{
	write_c0(C0_STATUS, ST_CU1);
	guest_map_program(0);
	fp_exceptions(false);
	fp_exceptions(true);
	fp_ctc1();
	GUEST_DONE();
}

/* What userspace writes into FCSR may be an exception that the guest has not taken. */
static void guest_pending(void)
{
	uint32_t want;
	int i;

	write_c0(C0_STATUS, ST_CU1);
	for (i = 0; i < 64; i++) {
		want = FCSR_CAUSE(i) | FCSR_ENABLE(0x1f);
		do_fpu(0x55500000 + i);
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(read_f(), 0x55500000 + i);
		GUEST_ASSERT_EQ(read_fcsr(), want);
		/* And on an exit that leaves the FPU alone */
		write_c0(C0_COMPARE, i);
		GUEST_ASSERT_EQ(read_f(), 0x55500000 + i);
		GUEST_ASSERT_EQ(read_fcsr(), want);
		write_fcsr(0);
	}
	GUEST_DONE();
}

/* --- 64-bit registers --- */

#define FIR_F64		(1 << 22)

static uint32_t read_fir(void)
{
	uint32_t v;

	asm volatile("cfc1 %0, $0" : "=r"(v));
	return v;
}

#define WRITE_F64(n, v)							\
	asm volatile(".set push; .set fp=64; .set oddspreg\n"		\
		     "mtc1 %0, $f" #n "\n mthc1 %1, $f" #n "\n"		\
		     ".set pop"						\
		     : : "r"((uint32_t)(v)), "r"((uint32_t)((v) >> 32)))

#define READ_F64(n) ({							\
	uint32_t __lo, __hi;						\
	asm volatile(".set push; .set fp=64; .set oddspreg\n"		\
		     "mfc1 %0, $f" #n "\n mfhc1 %1, $f" #n "\n"		\
		     ".set pop"						\
		     : "=r"(__lo), "=r"(__hi));				\
	(uint64_t)__hi << 32 | __lo; })

#define F64_VAL(n)	(0x0123456700000000ULL * (n) + 0x89abcd00 + (n))

asm(".set push; .set noreorder; .set fp=64; .set oddspreg\n"
    ".globl f64_divide_insn\n"
    "f64_divide: ctc1 $4, $31\n"
    "f64_divide_insn: div.d $f7, $f5, $f3\n"
    "jr $31\n nop\n"
    ".set pop");
extern char f64_divide_insn[];
void f64_divide(unsigned long fcsr);

static void guest_f64(void)
{
	uint32_t fcsr = FCSR_ENABLE(FP_Z);

	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	GUEST_SYNC_ARGS(0, read_fir(), read_c0(C0_STATUS));
	if (!(read_fir() & FIR_F64)) {
		GUEST_ASSERT_EQ(read_c0(C0_STATUS) & ST_FR, 0);
		GUEST_DONE();
	}
	GUEST_ASSERT_EQ(read_c0(C0_STATUS) & ST_FR, ST_FR);
	WRITE_F64(4, F64_VAL(4));
	WRITE_F64(5, F64_VAL(5));
	WRITE_F64(31, F64_VAL(31));
	GUEST_SYNC(1);
	GUEST_ASSERT(READ_F64(4) == F64_VAL(4));
	GUEST_ASSERT(READ_F64(5) == F64_VAL(6));	/* written by userspace */
	GUEST_ASSERT(READ_F64(31) == F64_VAL(31));
	WRITE_F64(3, 0ULL);
	WRITE_F64(5, 0x3ff0000000000000ULL);
	WRITE_F64(7, F64_VAL(7));
	GUEST_ASSERT_EQ(guest_catch(f64_divide, fcsr), EXC_FPE);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)f64_divide_insn);
	GUEST_ASSERT_EQ(read_fcsr(), fcsr | FCSR_CAUSE(FP_Z));
	GUEST_ASSERT(READ_F64(7) == F64_VAL(7));
	/* Without FR, registers are pairs. */
	write_fcsr(0);
	write_c0(C0_STATUS, ST_CU1);
	asm volatile("mtc1 %0, $f4\n .set push\n .set fp=32\n mtc1 %1, $f5\n .set pop"
		     : : "r"(0x44444444), "r"(0x55555555));
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(read_f(), 0x44444444);
	GUEST_DONE();
}

/* --- test side --- */

static void *disturb(void *end)
{
	volatile double x = 1.5;

	while (!*(volatile bool *)end)
		x = x * 1.0000001;
	return NULL;
}

static struct kvm_vm *vm_with_fpu(struct kvm_vcpu **vcpu, void *guest)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MIPS_FPU };
	struct kvm_vm *vm;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MIPS_FPU) == 1);
	vm = vm_create_with_one_vcpu(vcpu, guest);
	vcpu_ioctl(*vcpu, KVM_ENABLE_CAP, &cap);
	vcpu_set_reg(*vcpu, REG_CONFIG1, vcpu_get_reg(*vcpu, REG_CONFIG1) | 1);
	TEST_ASSERT_EQ(vcpu_get_reg(*vcpu, REG_CONFIG1) & 1, 1);
	return vm;
}

static void test_fpu(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_with_fpu(&vcpu, guest_fpu);
	pthread_t thread;
	bool end = false;
	int i;

	TEST_ASSERT(!pthread_create(&thread, NULL, disturb, &end), "thread");
	for (i = 0; i < 20; i++) {
		vcpu_run_to_sync(vcpu, i, NULL);
		/* The register is what userspace reads, and changes. */
		TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_32(4)),
			       0x12345678 + i);
		usleep(1000);
	}
	vcpu_run_to_done(vcpu);
	end = true;
	pthread_join(thread, NULL);
	kvm_vm_free(vm);
}

static void test_exceptions(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_with_fpu(&vcpu, guest_exceptions);
	unsigned int syncs = 0;
	struct ucall uc;

	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		syncs++;
	TEST_ASSERT_EQ(syncs, 2 * 3 * ARRAY_SIZE(fp_cases));
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, "fpe_exits"), 2 * ARRAY_SIZE(fp_cases) + 2 * 6);
	kvm_vm_free(vm);
}

static void test_pending(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_with_fpu(&vcpu, guest_pending);
	uint32_t fcsr;
	int i;

	for (i = 0; i < 64; i++) {
		vcpu_run_to_sync(vcpu, i, NULL);
		fcsr = FCSR_CAUSE(i) | FCSR_ENABLE(0x1f);
		vcpu_set_reg(vcpu, KVM_REG_MIPS_FCR_CSR, fcsr);
		TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, KVM_REG_MIPS_FCR_CSR), fcsr);
	}
	vcpu_run_to_done(vcpu);
	/* None of them was an exception of the guest. */
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, "fpe_exits"), 0);
	kvm_vm_free(vm);
}

static void test_f64(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_with_fpu(&vcpu, guest_f64);
	struct ucall uc;
	uint64_t val;

	vcpu_run_to_sync(vcpu, 0, &uc);
	TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, KVM_REG_MIPS_FCR_IR), uc.args[1]);
	if (!(uc.args[1] & FIR_F64)) {
		vcpu_run_to_done(vcpu);
		kvm_vm_free(vm);
		test_skip("needs an FPU with 64-bit registers");
	}
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_64(4)), F64_VAL(4));
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_64(5)), F64_VAL(5));
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_64(31)), F64_VAL(31));
	vcpu_set_reg(vcpu, KVM_REG_MIPS_FPR_64(5), F64_VAL(6));
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_64(4)), 0x5555555544444444ULL);
	TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_32(5)), 0x55555555);
	TEST_ASSERT(__vcpu_get_reg(vcpu, KVM_REG_MIPS_FPR_64(5), &val) < 0,
		    "an odd double without FR");
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "fpu", test_fpu },
	{ "exceptions", test_exceptions },
	{ "pending", test_pending },
	{ "f64", test_f64 },
};

TEST_MAIN(tests)
