// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls with wrong sizes, indices, states and descriptors: each must return an
 * error, or succeed, and the VM must work as before. Nothing here may make the
 * kernel complain; that is checked by whoever reads its log.
 */
#include <sched.h>
#include <signal.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pr.h"

static void guest_alive(unsigned long order)
{
	uint64_t val;

	GUEST_SYNC(1);
	guest_hash_init(order);
	GUEST_ASSERT(guest_map(HV_EA_BASE, GUEST_FREE_BASE) >= 0);
	GUEST_ASSERT_EQ(guest_store(HV_EA_BASE, 5), EXC_NONE);
	GUEST_ASSERT_EQ(guest_load(HV_EA_BASE, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, 5);
	GUEST_DONE();
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(vcpu, guest_alive);

	pr_alloc_htab(vm);
	vcpu_args_set(*vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_sync(*vcpu, 1, NULL);
	return vm;
}

static void still_alive(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

#define EXPECT_ERR(call, err) do {					\
	int __r = (call);						\
	TEST_ASSERT(__r == -1 && errno == (err), "%s: %d", #call, __r);	\
} while (0)

static void test_memory_regions(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region r;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);

	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page + 1, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000001, host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page, 0, (char *)p + 1), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page, 1 << 31, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 0x7fffffff, 0x02000000, host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0, host_page, 0, p), EEXIST);
	EXPECT_ERR(__vm_mem_set(vm, 1, -(uint64_t)host_page, 2 * host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, 0, 0, p), EINVAL);
	memset(&r, 0xff, sizeof(r));
	EXPECT_ERR(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r), EINVAL);
	EXPECT_ERR(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, NULL), EFAULT);
	still_alive(vm, vcpu);
}

static void test_null(void)
{
	static const unsigned long cmds[] = {
		KVM_SET_REGS, KVM_SET_SREGS, KVM_GET_ONE_REG, KVM_SET_ONE_REG,
		KVM_SET_GUEST_DEBUG, KVM_ENABLE_CAP, KVM_INTERRUPT, KVM_GET_REGS,
		KVM_GET_SREGS,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		TEST_ASSERT(ioctl(vcpu->fd, cmds[i], NULL) < 0, "ioctl %u", i);
	/* Every number there can be, with no argument. */
	for (i = 0; i < 256; i++) {
		if (i == (KVM_RUN & 0xff))
			continue;
		ioctl(vcpu->fd, _IO(KVMIO, i), 0);
		ioctl(vm->fd, _IO(KVMIO, i), 0);
	}
	still_alive(vm, vcpu);
}

/* All of 16 bits of numbers, in all sizes. */
static void test_one_reg(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int size, n, known = 0;
	uint8_t buf[4096];

	for (size = 0; size < 16; size++) {
		for (n = 0; n < 0x200; n++) {
			uint64_t id = KVM_REG_PPC | n | (uint64_t)size << KVM_REG_SIZE_SHIFT;

			memset(buf, 0, sizeof(buf));
			known += !__vcpu_get_reg(vcpu, id, buf);
			TEST_ASSERT(__vcpu_get_reg(vcpu, id, NULL) == -1,
				    "0x%llx to NULL", (unsigned long long)id);
		}
	}
	TEST_ASSERT(known > 40, "%u registers", known);
	EXPECT_ERR(__vcpu_get_reg(vcpu, KVM_REG_X86 | KVM_REG_SIZE_U64 | 1, buf), EINVAL);
	still_alive(vm, vcpu);
}

static void on_signal(int sig)
{
	(void)sig;
}

/*
 * Any value in any register userspace can set: the guest may then do what it
 * likes, and must only be stoppable.
 */
static void test_random_state(void)
{
	struct itimerspec it = { { 0, 10000000 }, { 0, 20000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct rng rng = { 11 };
	unsigned int exits = 0, round, i;
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	timer_t timer;

	sigaction(SIGUSR1, &sa, NULL);
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	for (round = 0; round < 30; round++) {
		vm = pr_vm_create_with_one_vcpu(&vcpu, guest_alive);
		for (i = 0; i < sizeof(regs) / 4; i++)
			((uint32_t *)&regs)[i] = rng_next(&rng);
		/* No sleep that only an interrupt ends, and every other can begin. */
		regs.msr &= ~0x40000UL;
		if (round & 1) {
			regs.pc = (uintptr_t)guest_alive;
			regs.msr &= ~(uint64_t)(MSR_PR | MSR_IR | MSR_DR);
		}
		ioctl(vcpu->fd, KVM_SET_REGS, &regs);
		vcpu_sregs_get(vcpu, &sregs);
		for (i = 0; i < 64; i++)
			((uint32_t *)&sregs.u.s.ppc64.slb)[i] = rng_next(&rng);
		for (i = 0; i < 16; i++)
			sregs.u.s.ppc32.sr[i] = rng_next(&rng);
		ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
		timer_settime(timer, 0, &it, NULL);
		while (_vcpu_run(vcpu) == 0)
			exits++;
		timer_settime(timer, 0, &(struct itimerspec) { 0 }, NULL);
		kvm_vm_free(vm);
	}
	print_info("%u exits", exits);
}

/*
 * Setting MSR[FP] must neither change the caller's own registers, nor leave state
 * of the vCPU behind in the caller when the VM is gone. The latter is seen by a
 * kernel that poisons freed memory.
 */
static void test_set_regs(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		vm = create(&vcpu);
		vcpu_regs_get(vcpu, &regs);
		regs.msr |= 0x2000;	/* MSR[FP] */
#ifdef __powerpc64__
		/* A register that a call leaves as it is. */
		register double f asm("fr31") = 1.5;

		asm volatile("" : "+d"(f));
		vcpu_regs_set(vcpu, &regs);
		asm volatile("" : "+d"(f));
		TEST_ASSERT(f == 1.5, "the caller's FPU registers are lost");
#else
		vcpu_regs_set(vcpu, &regs);
#endif
		kvm_vm_free(vm);
		usleep(1000);
	}
}

/* --- what a guest makes the host print --- */

#define QUIET_FAULTS	200

/* Page faults on what a BAT does not let the guest read. */
static void guest_unreadable(unsigned long order)
{
#ifndef __powerpc64__
	uint64_t val;
	int i;

	guest_hash_init(order);
	/* DBAT3: 128K at 0x20000000 for the supervisor, without access. */
	asm volatile("mtspr 542,%0; mtspr 543,%1; isync" : : "r"(0x20000002), "r"(0));
	for (i = 0; i < QUIET_FAULTS; i++)
		GUEST_ASSERT(guest_load(0x20000000, &val) != EXC_NONE);
#endif
	GUEST_DONE();
}

static unsigned int kernel_lines(const char *what)
{
	static char buf[1 << 18];
	int len = klogctl(3 /* READ_ALL */, buf, sizeof(buf) - 1);
	unsigned int n = 0;
	char *p = buf;

	TEST_ASSERT(len >= 0, "klogctl");
	buf[len] = '\0';
	while ((p = strstr(p, what))) {
		n++;
		p++;
	}
	return n;
}

static void test_quiet(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (sizeof(long) > 4)
		test_skip("needs a guest with BATs");
	vm = pr_vm_create_with_one_vcpu(&vcpu, guest_unreadable);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(kernel_lines("BAT is not readable"), 0);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "memory_regions", test_memory_regions },
	{ "null", test_null },
	{ "one_reg", test_one_reg },
	{ "random_state", test_random_state },
	{ "set_regs", test_set_regs },
	{ "quiet", test_quiet },
};

TEST_MAIN(tests)
