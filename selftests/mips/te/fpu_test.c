// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU: there if userspace asks for it, usable if the guest allows
 * it, its registers kept while others use the host's.
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

static void *disturb(void *end)
{
	volatile double x = 1.5;

	while (!*(volatile bool *)end)
		x = x * 1.0000001;
	return NULL;
}

static void test_fpu(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MIPS_FPU };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;
	bool end = false;
	int i;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MIPS_FPU) == 1);
	vm = vm_create_with_one_vcpu(&vcpu, guest_fpu);
	vcpu_ioctl(vcpu, KVM_ENABLE_CAP, &cap);
	vcpu_set_reg(vcpu, REG_CONFIG1, vcpu_get_reg(vcpu, REG_CONFIG1) | 1);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG1) & 1, 1);
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

static const struct subtest tests[] = {
	{ "fpu", test_fpu },
};

TEST_MAIN(tests)
