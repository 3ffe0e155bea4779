// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's floating point registers are its own: they survive exits while
 * the test itself computes in floating point, two VMs never see each other's,
 * FPSCR travels with them, MMIO can load and store them, and the exceptions the
 * guest enabled are its own too.
 *
 * The values are bit patterns, moved with integer instructions, so that a
 * register that is rounded on the way shows too.
 */
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "44x.h"

/* In assembly: the compiler is told not to use the FPU by itself. */
void load_fprs(const uint64_t *v);
void store_fprs(uint64_t *v);
uint32_t get_fpscr(void);
void set_fpscr(uint32_t v);
asm("	.text; .machine push; .machine \"440\"\n"
    "load_fprs:\n"
    "	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "	lfd \\n, \\n*8(3)\n"
    "	.endr\n"
    "	blr\n"
    "store_fprs:\n"
    "	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "	stfd \\n, \\n*8(3)\n"
    "	.endr\n"
    "	blr\n"
    "get_fpscr:\n"
    "	stwu 1,-32(1); mffs 0; stfd 0,16(1); lwz 3,20(1); addi 1,1,32; blr\n"
    "set_fpscr:\n"
    "	stwu 1,-32(1); stw 3,20(1); stw 3,16(1); lfd 0,16(1); mtfsf 0xff,0\n"
    "	addi 1,1,32; blr\n"
    "	.machine pop\n");

static uint64_t value(unsigned int seed, unsigned int n)
{
	/* Exponents of ordinary numbers, signalling NaN patterns avoided. */
	return 0x4000000000000000ULL | (uint64_t)(seed + 1) << 40 |
	       (uint64_t)n * 0x0101010101ULL;
}

#define ROUNDS	200

static void guest_keep(uint32_t seed)
{
	static uint64_t in[32], out[32];
	unsigned int i, round;

	guest_44x_init();
	mtmsr(MSR_FP);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 32; i++)
			in[i] = value(seed + round, i);
		load_fprs(in);
		GUEST_SYNC(round);
		store_fprs(out);
		for (i = 0; i < 32; i++) {
			GUEST_ASSERT_EQ(out[i] >> 32, in[i] >> 32);
			GUEST_ASSERT_EQ(out[i], in[i]);
		}
	}
	GUEST_DONE();
}

/* The test's own registers must survive too. */
static void host_use(unsigned int seed)
{
	uint64_t v[32];
	int i;

	for (i = 0; i < 32; i++)
		v[i] = value(0x5000 + seed, i);
	load_fprs(v);
}

static void host_check(unsigned int seed)
{
	uint64_t v[32];
	int i;

	store_fprs(v);
	/* f0 to f13 are the C library's to change in between. */
	for (i = 14; i < 32; i++)
		TEST_ASSERT(v[i] == value(0x5000 + seed, i), "f%d of the test", i);
}

static void test_exits(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_keep);
	vcpu_args_set(vcpu, 1, 7UL);
	for (i = 0; i < ROUNDS; i++) {
		host_use(i);
		vcpu_run_to_sync(vcpu, i, NULL);
		host_check(i);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_two_vms(void)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm[2];
	int i, n;

	TEST_REQUIRE(host_has_fpu());
	for (n = 0; n < 2; n++) {
		vm[n] = vm_create_with_one_vcpu(&vcpu[n], guest_keep);
		vcpu_args_set(vcpu[n], 1, 1000UL * (n + 1));
	}
	for (i = 0; i < ROUNDS; i++) {
		vcpu_run_to_sync(vcpu[0], i, NULL);
		vcpu_run_to_sync(vcpu[1], i, NULL);
	}
	for (n = 0; n < 2; n++) {
		vcpu_run_to_done(vcpu[n]);
		kvm_vm_free(vm[n]);
	}
}

/* Another process computes while the guest runs without exits of its own. */
static void guest_spin(uint32_t seed)
{
	static uint64_t in[32], out[32];
	unsigned int i, round;
	uint32_t start;

	guest_44x_init();
	mtmsr(MSR_FP);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 32; i++)
			in[i] = value(seed + round, i);
		load_fprs(in);
		start = mftb();
		while (mftb() - start < 2000000)
			;
		store_fprs(out);
		for (i = 0; i < 32; i++) {
			GUEST_ASSERT_EQ(out[i] >> 32, in[i] >> 32);
			GUEST_ASSERT_EQ(out[i], in[i]);
		}
	}
	GUEST_DONE();
}

static void test_preempted(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int status;
	pid_t pid;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_spin);
	vcpu_args_set(vcpu, 1, 3UL);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		unsigned int n = 0;

		for (;;) {
			host_use(n);
			sched_yield();
			host_check(n++);
		}
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(waitpid(pid, &status, WNOHANG) == 0,
		    "the other process lost its registers");
	kvm_vm_free(vm);
}

/* FPSCR and the registers through ONE_REG. */
static void guest_fpscr(void)
{
	guest_44x_init();
	mtmsr(MSR_FP);
	set_fpscr(0x000000c1);		/* round to zero, VE, XE ... */
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(get_fpscr() & 0xff, 0x82);
	GUEST_DONE();
}

static void test_fpscr(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint64_t v;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_fpscr);
	vcpu_run_to_sync(vcpu, 1, NULL);
	v = vcpu_get_reg(vcpu, KVM_REG_PPC_FPSCR);
	TEST_ASSERT_EQ(v & 0xff, 0xc1);
	vcpu_set_reg(vcpu, KVM_REG_PPC_FPSCR, (v & ~0xffULL) | 0x82);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static uint64_t onereg_out[32];

static void guest_onereg(void)
{
	guest_44x_init();
	mtmsr(MSR_FP);
	GUEST_SYNC(1);
	store_fprs(onereg_out);
	GUEST_SYNC(2);
	GUEST_DONE();
}

static void test_onereg(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_onereg);
	vcpu_run_to_sync(vcpu, 1, NULL);
	for (i = 0; i < 32; i++)
		vcpu_set_reg(vcpu, KVM_REG_PPC_FPR0 + i, value(99, i));
	vcpu_run_to_sync(vcpu, 2, NULL);
	sync_global_from_guest(vm, onereg_out);
	for (i = 0; i < 32; i++) {
		TEST_ASSERT(onereg_out[i] == value(99, i), "f%d: 0x%llx", i,
			    (unsigned long long)onereg_out[i]);
		TEST_ASSERT(vcpu_get_reg(vcpu, KVM_REG_PPC_FPR0 + i) ==
			    value(99, i), "f%d read back", i);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* lfd and stfd of a device register. */
static uint64_t mmio_last;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	uint64_t v = 0x4011223344556677ULL;

	TEST_ASSERT_EQ(len, 8);
	if (is_write)
		memcpy(&mmio_last, data, 8);
	else
		memcpy(data, &v, 8);
	return true;
}

static const struct vm_ops mmio_ops = { .mmio = on_mmio };

static void guest_mmio(void)
{
	static uint64_t in[32], out[32];
	unsigned int i;

	guest_44x_init();
	mtmsr(MSR_FP);
	for (i = 0; i < 32; i++)
		in[i] = value(5, i);
	load_fprs(in);
	asm volatile(".machine push; .machine \"440\"; lfd 7,0(%0); stfd 9,8(%0); .machine pop"
		     : : "b"(GUEST_MMIO_BASE) : "memory");
	store_fprs(out);
	for (i = 0; i < 32; i++) {
		uint64_t want = i == 7 ? 0x4011223344556677ULL : in[i];

		GUEST_ASSERT_EQ(out[i] >> 32, want >> 32);
		GUEST_ASSERT_EQ(out[i], want);
	}
	GUEST_DONE();
}

static void test_mmio(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_mmio);
	vm->ops = &mmio_ops;
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(mmio_last == value(5, 9), "0x%llx", (unsigned long long)mmio_last);
	kvm_vm_free(vm);
}

/* --- every form of load and store, on a device register --- */

/*
 * f9 is loaded or stored, r3 is the base and r4 the index; an update form
 * leaves the address in r3. @dev is what the device answers or is told, the
 * low bytes of it; @fpr is what f9 is then, or was before.
 */
struct fp_access {
	const char *name;
	uint32_t insn;
	uint32_t offset;
	uint8_t len;
	bool store, update;
	uint64_t fpr, dev;
};

#define D(op, rt, ra, d)	((op) << 26 | (rt) << 21 | (ra) << 16 | ((d) & 0xffff))
#define X(rt, ra, rb, xo)	(31U << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | (xo) << 1)
#define INDEX	0x28
#define DOUBLE	0x4011223344556677ULL

static const struct fp_access fp_accesses[] = {
	{ "lfd",   D(50, 9, 3, 16),   16,    8, false, false, DOUBLE, DOUBLE },
	{ "lfdu",  D(51, 9, 3, 16),   16,    8, false, true,  DOUBLE, DOUBLE },
	{ "lfdx",  X(9, 3, 4, 599),   INDEX, 8, false, false, DOUBLE, DOUBLE },
	{ "lfdux", X(9, 3, 4, 631),   INDEX, 8, false, true,  DOUBLE, DOUBLE },
	{ "lfs",   D(48, 9, 3, 12),   12,    4, false, false, 0x3ff8000000000000, 0x3fc00000 },
	{ "lfsu",  D(49, 9, 3, 12),   12,    4, false, true,  0xc00921fb60000000, 0xc0490fdb },
	{ "lfsx",  X(9, 3, 4, 535),   INDEX, 4, false, false, 0x3ff8000000000000, 0x3fc00000 },
	{ "lfsux", X(9, 3, 4, 567),   INDEX, 4, false, true,  0x3ff8000000000000, 0x3fc00000 },
	{ "stfd",  D(54, 9, 3, 16),   16,    8, true,  false, DOUBLE, DOUBLE },
	{ "stfdu", D(55, 9, 3, 16),   16,    8, true,  true,  DOUBLE, DOUBLE },
	{ "stfdx", X(9, 3, 4, 727),   INDEX, 8, true,  false, DOUBLE, DOUBLE },
	{ "stfdux", X(9, 3, 4, 759),  INDEX, 8, true,  true,  DOUBLE, DOUBLE },
	{ "stfs",  D(52, 9, 3, 12),   12,    4, true,  false, 0x3ff8000000000000, 0x3fc00000 },
	{ "stfsu", D(53, 9, 3, 12),   12,    4, true,  true,  0xc00921fb60000000, 0xc0490fdb },
	{ "stfsx", X(9, 3, 4, 663),   INDEX, 4, true,  false, 0x3ff8000000000000, 0x3fc00000 },
	{ "stfsux", X(9, 3, 4, 695),  INDEX, 4, true,  true,  0x3ff8000000000000, 0x3fc00000 },
	/* What a conversion may get wrong: -0, infinity, denormal, NaN. */
	{ "lfs-zero", D(48, 9, 3, 12), 12, 4, false, false, 0x8000000000000000, 0x80000000 },
	{ "lfs-inf",  D(48, 9, 3, 12), 12, 4, false, false, 0xfff0000000000000, 0xff800000 },
	{ "lfs-tiny", D(48, 9, 3, 12), 12, 4, false, false, 0x36a0000000000000, 0x00000001 },
	{ "lfs-snan", D(48, 9, 3, 12), 12, 4, false, false, 0x7ff4000020000000, 0x7fa00001 },
	{ "stfs-zero", D(52, 9, 3, 12), 12, 4, true, false, 0x8000000000000000, 0x80000000 },
	{ "stfs-inf",  D(52, 9, 3, 12), 12, 4, true, false, 0xfff0000000000000, 0xff800000 },
	{ "stfs-tiny", D(52, 9, 3, 12), 12, 4, true, false, 0x36a0000000000000, 0x00000001 },
	{ "stfs-snan", D(52, 9, 3, 12), 12, 4, true, false, 0x7ff4000020000000, 0x7fa00001 },
};

#define FORM_BASE	(GUEST_MMIO_BASE + 0x100)
#define FORM_FPSCR	0x0001f082	/* VE, round up, a result class */

static const struct fp_access *form_now;
static unsigned int form_seen;

static bool on_form(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	const struct fp_access *a = form_now;
	const uint8_t *dev = (const uint8_t *)&a->dev + 8 - a->len;
	const uint8_t *d = data;

	TEST_ASSERT(gpa == FORM_BASE + a->offset, "%s: at 0x%llx", a->name,
		    (unsigned long long)gpa);
	TEST_ASSERT(len == a->len, "%s: %u bytes", a->name, len);
	TEST_ASSERT(is_write == a->store, "%s: direction", a->name);
	if (is_write)
		TEST_ASSERT(!memcmp(data, dev, len),
			    "%s: bytes %02x %02x %02x %02x ...", a->name, d[0],
			    d[1], d[2], d[3]);
	else
		memcpy(data, dev, len);
	form_seen++;
	return true;
}

static const struct vm_ops form_ops = { .mmio = on_form };

typedef uint32_t (*fp_insn)(uint32_t base, uint32_t index);

static uint32_t form_addr;

static void do_form(unsigned long code)
{
	form_addr = ((fp_insn)(uintptr_t)code)(FORM_BASE, INDEX);
}

static void guest_forms(void)
{
	static uint64_t in[32], out[32];
	static uint32_t code[2] __aligned(32);
	unsigned int i, n, exc;

	guest_44x_init();
	for (i = 0; i < ARRAY_SIZE(fp_accesses); i++) {
		const struct fp_access *a = &fp_accesses[i];
		uint32_t fpscr;

		code[0] = a->insn;
		code[1] = 0x4e800020;		/* blr */
		arch_sync_icache(code, sizeof(code));
		/* The interrupt comes first, wherever the address points. */
		mtmsr(0);
		GUEST_ASSERT_EQ(guest_catch(do_form, (uintptr_t)code), EXC_FPUNAVAIL);
		mtmsr(MSR_FP);
		for (n = 0; n < 32; n++)
			in[n] = value(i, n);
		if (a->store)
			in[9] = a->fpr;
		GUEST_SYNC(i);
		/* From here on, the FPU alone has these values. */
		set_fpscr(FORM_FPSCR);
		load_fprs(in);
		exc = guest_catch(do_form, (uintptr_t)code);
		store_fprs(out);
		fpscr = get_fpscr();
		if (exc != EXC_NONE)
			GUEST_FAIL("exception; form", exc, i);
		GUEST_ASSERT_EQ(fpscr, FORM_FPSCR);
		GUEST_ASSERT_EQ(form_addr, FORM_BASE + (a->update ? a->offset : 0));
		in[9] = a->fpr;
		for (n = 0; n < 32; n++) {
			if (out[n] != in[n])
				GUEST_FAIL("register: number, high and low half; form",
					   n, out[n] >> 32, out[n], i);
		}
	}
	GUEST_DONE();
}

static void test_mmio_forms(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int i;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_forms);
	vm->ops = &form_ops;
	vcpu_run_to_sync(vcpu, 0, NULL);
	for (i = 0; i < ARRAY_SIZE(fp_accesses); i++) {
		form_now = &fp_accesses[i];
		form_seen = 0;
		host_use(i);
		/* To the next one's sync, past this one's access. */
		TEST_ASSERT_EQ(vcpu_run_to_ucall(vcpu, &uc),
			       i + 1 < ARRAY_SIZE(fp_accesses) ? UCALL_SYNC : UCALL_DONE);
		host_check(i);
		TEST_ASSERT(form_seen == 1, "%s: %u accesses", form_now->name, form_seen);
	}
	kvm_vm_free(vm);
}

/* --- enabled exceptions of floating point instructions --- */

#define FPSCR_FEX	0x40000000
#define FPSCR_VXSNAN	0x01000000
#define FPSCR_VXZDZ	0x00200000
#define FPSCR_ZX	0x04000000
#define FPSCR_VE	0x00000080
#define FPSCR_ZE	0x00000010

/*
 * Divides v[0] by v[1] into v[2], with this MSR, which may be user mode: a
 * system call leads back. The division is the only instruction that can
 * raise anything.
 */
void fp_divide(uint64_t *v, uint32_t msr);
extern char fp_divide_insn[], fp_divide_end[];
asm("	.text; .machine push; .machine \"440\"\n"
    "fp_divide:\n"
    "	lfd 1,0(3); lfd 2,8(3); lfd 3,16(3)\n"
    "	mtmsr 4; isync\n"
    "fp_divide_insn:\n"
    "	fdiv 3,1,2\n"
    "fp_divide_end:\n"
    "	sc\n"
    "	stfd 3,16(3)\n"
    "	blr\n"
    "	.machine pop\n");

static struct ex_regs fp_caught;
static unsigned int fp_caught_count;

/* Goes on after the division, which may have been a while ago if imprecise. */
static void on_fp_exception(struct ex_regs *regs)
{
	fp_caught = *regs;
	fp_caught_count++;
	regs->pc = (uintptr_t)fp_divide_end;
	/* Or it comes again: FPSCR[FEX] is still set. */
	regs->msr &= ~(MSR_FE0 | MSR_FE1);
}

static void on_fp_sc(struct ex_regs *regs)
{
	regs->msr &= ~(MSR_PR | MSR_FE0 | MSR_FE1);
}

#define ONE	0x3ff0000000000000ULL
#define TWO	0x4000000000000000ULL
#define HALF	0x3fe0000000000000ULL
#define INF	0x7ff0000000000000ULL
#define QNAN	0x7ff8000000000000ULL
#define SNAN	0x7ff4000000000000ULL

static const struct {
	uint64_t a, b, result;		/* if no exception is enabled */
	uint32_t status, enable;
} divisions[] = {
	{ ONE, TWO, HALF, 0, FPSCR_VE | FPSCR_ZE },
	{ ONE, 0, INF, FPSCR_ZX, FPSCR_ZE },
	{ 0, 0, QNAN, FPSCR_VXZDZ, FPSCR_VE },
	{ SNAN, ONE, SNAN | QNAN, FPSCR_VXSNAN, FPSCR_VE },
};

static void guest_fp_exceptions(void)
{
	static const uint32_t modes[] = { 0, MSR_FE0, MSR_FE1, MSR_FE0 | MSR_FE1 };
	const uint32_t bits = MSR_PR | MSR_FP | MSR_FE0 | MSR_FE1;
	unsigned int i, m, enable, user;

	guest_44x_init();
	guest_set_handler(EXC_PROGRAM, on_fp_exception);
	guest_set_handler(EXC_SYSCALL, on_fp_sc);
	for (user = 0; user < 2; user++)
	for (m = 0; m < ARRAY_SIZE(modes); m++)
	for (enable = 0; enable < 2; enable++)
	for (i = 0; i < ARRAY_SIZE(divisions); i++) {
		uint64_t v[3] = { divisions[i].a, divisions[i].b, TWO };
		uint32_t msr = MSR_FP | modes[m] | (user ? MSR_PR : 0);
		bool enabled = enable && divisions[i].status;
		bool raised = enabled && modes[m];
		uint64_t result = enabled ? TWO : divisions[i].result;
		uint32_t fpscr;

		mtmsr(MSR_FP);
		set_fpscr(enable ? divisions[i].enable : 0);
		fp_caught_count = 0;
		fp_divide(v, msr);
		fpscr = get_fpscr();
		if (fp_caught_count != raised)
			GUEST_FAIL("interrupts, expected; MSR, division",
				   fp_caught_count, raised, msr, i);
		GUEST_ASSERT_EQ(fpscr & divisions[i].status, divisions[i].status);
		GUEST_ASSERT_EQ(fpscr & FPSCR_FEX, enabled ? FPSCR_FEX : 0);
		/*
		 * With its exception enabled, a division leaves its target
		 * alone; QEMU only does if there is an interrupt.
		 */
		if (!enabled || raised) {
			GUEST_ASSERT_EQ(v[2] >> 32, result >> 32);
			GUEST_ASSERT_EQ(v[2], result);
		}
		if (!raised)
			continue;
		GUEST_ASSERT_EQ(fp_caught.esr & (ESR_PIL | ESR_PPR | ESR_PTR | ESR_FP),
				ESR_FP);
		GUEST_ASSERT_EQ(fp_caught.msr & bits, msr);
		/* If imprecise, at the latest where the context is synchronized. */
		if (modes[m] == (MSR_FE0 | MSR_FE1))
			GUEST_ASSERT_EQ(fp_caught.pc, (uintptr_t)fp_divide_insn);
		else
			GUEST_ASSERT(fp_caught.pc == (uintptr_t)fp_divide_insn ||
				     fp_caught.pc == (uintptr_t)fp_divide_end);
	}
	set_fpscr(0);
	GUEST_DONE();
}

static void test_exceptions(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	TEST_REQUIRE(host_has_fpu());
	vm = vm_create_with_one_vcpu(&vcpu, guest_fp_exceptions);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "exits", test_exits },
	{ "two_vms", test_two_vms },
	{ "preempted", test_preempted },
	{ "fpscr", test_fpscr },
	{ "onereg", test_onereg },
	{ "mmio", test_mmio },
	{ "mmio_forms", test_mmio_forms },
	{ "exceptions", test_exceptions },
};

TEST_MAIN(tests)
