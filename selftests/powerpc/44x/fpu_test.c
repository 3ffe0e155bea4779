// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's floating point registers are its own: they survive exits while
 * the test itself computes in floating point, two VMs never see each other's,
 * FPSCR travels with them, and MMIO can load and store them.
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

static const struct subtest tests[] = {
	{ "exits", test_exits },
	{ "two_vms", test_two_vms },
	{ "preempted", test_preempted },
	{ "fpscr", test_fpscr },
	{ "onereg", test_onereg },
	{ "mmio", test_mmio },
};

TEST_MAIN(tests)
