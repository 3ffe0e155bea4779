// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls with wrong sizes, indices, states and descriptors: each must return an
 * error, or succeed, and the VM must work as before. Nothing here may make the
 * kernel complain; that is checked by whoever reads its log.
 *
 * Register numbers are swept in full where there are few, and at random
 * otherwise. Errors are named where the API names them.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "44x.h"

static void guest_alive(void)
{
	guest_44x_init();
	GUEST_SYNC(1);
	tlb_write(10, 0x40000000 | TLB0_V | SIZE_4K, GUEST_FREE_BASE, TLB2_RWX, 0);
	*(volatile uint32_t *)0x40000000 = 5;
	GUEST_ASSERT_EQ(*(volatile uint32_t *)GUEST_FREE_BASE, 5);
	GUEST_SYNC(2);
	GUEST_DONE();
}

#define EXPECT_ERR(call, err) do {					\
	int __r = (call);						\
	TEST_ASSERT(__r == -1 && errno == (err), "%s: %d", #call, __r);	\
} while (0)

static void test_create(void)
{
	int kvm = open_kvm_dev_or_skip(), fd;
	struct kvm_vm *vm;
	long i;

	/* 0 is the default, 2 (PR) names the only kind there is. */
	for (i = 1; i < 64; i++) {
		if (i == 2)
			continue;
		fd = ioctl(kvm, KVM_CREATE_VM, i);
		TEST_ASSERT(fd < 0, "VM type %ld", i);
	}
	EXPECT_ERR(ioctl(kvm, KVM_CREATE_VM, -1), EINVAL);
	EXPECT_ERR(ioctl(kvm, KVM_GET_API_VERSION, 1), EINVAL);
	EXPECT_ERR(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
	EXPECT_ERR(ioctl(kvm, _IO(KVMIO, 0xff), 0), EINVAL);
	close(kvm);

	vm = vm_create_barebones();
	EXPECT_ERR(ioctl(vm->fd, KVM_CREATE_VCPU, -1), EINVAL);
	EXPECT_ERR(ioctl(vm->fd, KVM_CREATE_VCPU, 0x10000), EINVAL);
	__vm_vcpu_add(vm, 0);
	EXPECT_ERR(ioctl(vm->fd, KVM_CREATE_VCPU, 0), EEXIST);
	/* vCPU ioctls on a VM, VM ioctls on a vCPU. */
	TEST_ASSERT(ioctl(vm->fd, KVM_RUN, 0) < 0, "KVM_RUN of a VM");
	TEST_ASSERT(ioctl(vm->vcpus[0]->fd, KVM_CREATE_VCPU, 1) < 0,
		    "KVM_CREATE_VCPU of a vCPU");
	kvm_vm_free(vm);
}

/* More vCPUs than there can be, and one after the VM's file is closed. */
static void test_many_vcpus(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	int max = kvm_check_cap(KVM_CAP_MAX_VCPUS), fd, i;
	int fds[64];

	TEST_ASSERT(max > 0, "KVM_CAP_MAX_VCPUS is %d", max);
	for (i = 0; i < max && i < 64; i++) {
		fds[i] = ioctl(vm->fd, KVM_CREATE_VCPU, i);
		TEST_ASSERT(fds[i] >= 0, "vCPU %d of %d", i, max);
	}
	if (max < 64) {
		fd = ioctl(vm->fd, KVM_CREATE_VCPU, max);
		TEST_ASSERT(fd < 0, "one vCPU too many");
	}
	close(vm->fd);
	while (i--) {
		struct kvm_regs regs;

		TEST_ASSERT(!ioctl(fds[i], KVM_GET_REGS, &regs), "vCPU %d", i);
		close(fds[i]);
	}
}

static void test_memory_regions(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region r;

	vcpu_run_to_sync(vcpu, 1, NULL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page + 1, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000001, host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page, 0, (char *)p + 1), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page, 1 << 31, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 0x7fffffff, 0x02000000, host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0, host_page, 0, p), EEXIST);
	EXPECT_ERR(__vm_mem_set(vm, 1, -(uint64_t)host_page, 2 * host_page, 0, p), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, 0, 0, p), EINVAL);
	/* Kernel addresses. */
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, host_page, 0, (void *)0xc0000000), EINVAL);
	EXPECT_ERR(__vm_mem_set(vm, 1, 0x02000000, 1ULL << 32, 0, p), EINVAL);
	memset(&r, 0xff, sizeof(r));
	EXPECT_ERR(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r), EINVAL);
	EXPECT_ERR(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, NULL), EFAULT);
	/* A slot beyond 36 bits is nothing the guest can reach. */
	__vm_mem_set(vm, 1, 1ULL << 40, host_page, 0, p);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A slot whose memory is not there. */
static void test_no_memory(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	void *p = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_vcpu *vcpu;

	TEST_ASSERT(!__vm_mem_set(vm, 0, 0, 1 << 20, 0, p), "slot");
	vcpu = __vm_vcpu_add(vm, 0);
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EFAULT, "KVM_RUN");
	munmap(p, 1 << 20);
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EFAULT, "KVM_RUN");
	kvm_vm_free(vm);
}

static void test_null(void)
{
	static const unsigned long cmds[] = {
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS,
		KVM_GET_FPU, KVM_SET_FPU, KVM_TRANSLATE, KVM_INTERRUPT,
		KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_SET_GUEST_DEBUG,
		KVM_ENABLE_CAP, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	unsigned int i;

	vcpu_run_to_sync(vcpu, 1, NULL);
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		TEST_ASSERT(ioctl(vcpu->fd, cmds[i], NULL) < 0, "ioctl %u", i);
		TEST_ASSERT(ioctl(vcpu->fd, cmds[i], 0xc0000000) < 0, "ioctl %u", i);
		TEST_ASSERT(ioctl(vcpu->fd, cmds[i], 0xfffffff0) < 0, "ioctl %u", i);
	}
	/* Every number there can be, with no argument. */
	for (i = 0; i < 256; i++) {
		if (i == (KVM_RUN & 0xff))
			continue;
		ioctl(vcpu->fd, _IO(KVMIO, i), 0);
		ioctl(vm->fd, _IO(KVMIO, i), 0);
	}
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* Registers: all of 16 bits of numbers, in all sizes, and what is special. */
static void test_one_reg(void)
{
	/* Generic, 44x; others have nothing here. */
	static const uint64_t spaces[] = { 0, 0x40000000 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	uint8_t buf[4096];
	unsigned int s, size, n, known = 0;

	vcpu_run_to_sync(vcpu, 1, NULL);
	for (s = 0; s < ARRAY_SIZE(spaces); s++) {
		for (size = 0; size < 16; size++) {
			for (n = 0; n < (spaces[s] ? 0x2100 : 0x200); n++) {
				uint64_t id = KVM_REG_PPC | spaces[s] | n |
					      (uint64_t)size << KVM_REG_SIZE_SHIFT;

				memset(buf, 0, sizeof(buf));
				known += !__vcpu_get_reg(vcpu, id, buf);
				TEST_ASSERT(__vcpu_get_reg(vcpu, id, NULL) == -1,
					    "0x%llx to NULL", (unsigned long long)id);
			}
		}
	}
	TEST_ASSERT(known > 64, "%u registers", known);
	/* Another architecture's. */
	EXPECT_ERR(__vcpu_get_reg(vcpu, KVM_REG_X86 | KVM_REG_SIZE_U64 | 1, buf), EINVAL);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/*
 * Any value in any register userspace can set: the guest may then do what it
 * likes, and must only be stoppable.
 */
static void on_signal(int sig)
{
	(void)sig;
}

static void test_random_state(void)
{
	struct itimerspec it = { { 0, 10000000 }, { 0, 50000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct kvm_sregs sregs;
	struct rng rng = { 11 };
	unsigned int exits = 0, sane;
	timer_t timer;
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	unsigned int round, n, i;

	sigaction(SIGUSR1, &sa, NULL);
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	for (round = 0; round < 30; round++) {
		vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
		vcpu_sregs_get(vcpu, &sregs);
		for (i = 0; i < sizeof(regs) / 4; i++)
			((uint32_t *)&regs)[i] = rng_next(&rng);
		/* Every other guest can at least begin. */
		sane = round & 1;
		if (sane) {
			regs.pc = (uintptr_t)guest_alive;
			regs.msr &= ~(MSR_PR | MSR_IS | MSR_DS | MSR_WE);
			regs.gpr[1] = GUEST_STACK_TOP - 64;
		}
		ioctl(vcpu->fd, KVM_SET_REGS, &regs);
		for (i = 0; i < sizeof(sregs.u.e) / 4; i++)
			if (i * 4 >= sizeof(sregs.u.e.impl))
				((uint32_t *)&sregs.u.e)[i] = rng_next(&rng);
		sregs.u.e.pir = 0;
		ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
#ifdef KVM_REG_PPC_44X_TLB
		for (n = sane; n < TLB_ENTRIES; n++)
			for (i = 0; i < 4; i++) {
				uint32_t v = rng_next(&rng);

				__vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(n, i), &v);
			}
#endif
		for (n = 0; n < 0x100; n++) {
			uint64_t v = rng_next(&rng);

			__vcpu_set_reg(vcpu, KVM_REG_PPC | KVM_REG_SIZE_U32 | n, &v);
			__vcpu_set_reg(vcpu, KVM_REG_PPC | KVM_REG_SIZE_U64 | n, &v);
		}
		/* Whatever it does, a signal ends it. */
		timer_settime(timer, 0, &it, NULL);
		while (_vcpu_run(vcpu) == 0)
			exits++;
		timer_settime(timer, 0, &(struct itimerspec) { 0 }, NULL);
		kvm_vm_free(vm);
	}
	print_info("%u exits", exits);
}

/* kvm_run is shared memory: what userspace leaves there must not matter. */
static void test_dirty_run(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	struct rng rng = { 12 };
	struct ucall uc;
	unsigned int i;

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	TEST_ASSERT(vcpu_handle_exit(vcpu, &uc) == UCALL_SYNC, "exit");
	for (i = 0; i < 4096 / 4 && i * 4 < (unsigned int)vcpu->run_size; i++)
		((uint32_t *)vcpu->run)[i] = rng_next(&rng);
	vcpu->run->immediate_exit = 0;
	vcpu->run->mmio.is_write = 1;
	_vcpu_run(vcpu);
	memset(vcpu->run, 0, 2048);
	kvm_vm_free(vm);
}

static void test_debug(void)
{
	struct kvm_guest_debug debug;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	int i;

	vcpu_run_to_sync(vcpu, 1, NULL);
	memset(&debug, 0xff, sizeof(debug));
	TEST_ASSERT(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) < 0, "all ones");
	/* More breakpoints than there are. */
	memset(&debug, 0, sizeof(debug));
	debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	for (i = 0; i < 16; i++) {
		debug.arch.bp[i].addr = 0x1000 + i * 4;
		debug.arch.bp[i].type = KVMPPC_DEBUG_BREAKPOINT;
	}
	TEST_ASSERT(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) < 0,
		    "16 breakpoints");
	memset(&debug, 0, sizeof(debug));
	vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* Interrupt numbers that mean nothing. */
static void test_interrupt(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	static const uint32_t irqs[] = { 0, 1, 0x7fffffff, 0x80000000, -4 };
	unsigned int i;

	vcpu_run_to_sync(vcpu, 1, NULL);
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		struct kvm_interrupt irq = { .irq = irqs[i] };

		ioctl(vcpu->fd, KVM_INTERRUPT, &irq);
	}
	vcpu_interrupt(vcpu, KVM_INTERRUPT_UNSET);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* mmap of a vCPU: all offsets but the first page end in a signal, not worse. */
static void test_mmap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_alive);
	void *p;

	p = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, vcpu->fd, 0);
	if (p != MAP_FAILED)
		munmap(p, 1 << 20);
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, vcpu->fd, 0x7ffff000);
	if (p != MAP_FAILED)
		munmap(p, 4096);
	TEST_ASSERT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm->fd, 0) == MAP_FAILED,
		    "a VM can be mapped");
	vcpu_run_to_sync(vcpu, 1, NULL);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "create", test_create },
	{ "many_vcpus", test_many_vcpus },
	{ "memory_regions", test_memory_regions },
	{ "no_memory", test_no_memory },
	{ "null", test_null },
	{ "one_reg", test_one_reg, 180 },
	{ "random_state", test_random_state },
	{ "dirty_run", test_dirty_run },
	{ "debug", test_debug },
	{ "interrupt", test_interrupt },
	{ "mmap", test_mmap },
};

TEST_MAIN(tests)
