// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls of Book3S HV with wrong flags, sizes, states and addresses: each must return
 * an error, or succeed, and the VM must work as before. Nothing here may make the
 * kernel complain; that is checked by whoever reads its log.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "hv.h"

static uint32_t started, stop;

static void guest_alive(void)
{
	uint64_t val;

	GUEST_SYNC(1);
	guest_hash_init(HV_HPT_ORDER);
	GUEST_ASSERT(guest_map(HV_EA_BASE, GUEST_FREE_BASE) >= 0);
	GUEST_ASSERT_EQ(guest_store(HV_EA_BASE, 5), EXC_NONE);
	GUEST_ASSERT_EQ(guest_load(HV_EA_BASE, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, 5);
	GUEST_DONE();
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = hv_vm_create(HV_HASH);

	*vcpu = vm_vcpu_add(vm, 0, guest_alive);
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
	TEST_ASSERT(__r == -1 && errno == (err), "%s: %d, %s", #call,	\
		    __r, strerror(errno));				\
} while (0)

#define RESIZE(what, f, s) \
	ioctl(vm->fd, KVM_PPC_RESIZE_HPT_##what,			\
	      &(struct kvm_ppc_resize_hpt) { .flags = (f), .shift = (s) })

static void test_resize(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = hv_vm_create(HV_HASH);

	/* Before the first KVM_RUN. */
	EXPECT_ERR(RESIZE(COMMIT, 0, 20), EIO);
	kvm_vm_free(vm);
	vm = create(&vcpu);
	EXPECT_ERR(RESIZE(PREPARE, 1, 20), EINVAL);
	EXPECT_ERR(RESIZE(PREPARE, 0, 17), EINVAL);
	EXPECT_ERR(RESIZE(PREPARE, 0, 47), EINVAL);
	EXPECT_ERR(RESIZE(COMMIT, 1, 20), EINVAL);
	EXPECT_ERR(RESIZE(COMMIT, 0, 17), EINVAL);
	/* Nothing was prepared, or something else, or it was cancelled. */
	EXPECT_ERR(RESIZE(COMMIT, 0, 21), ENXIO);
	while (RESIZE(PREPARE, 0, 21) > 0)
		usleep(1000);
	EXPECT_ERR(RESIZE(COMMIT, 0, 22), ENXIO);
	while (RESIZE(PREPARE, 0, 21) > 0)
		usleep(1000);
	TEST_ASSERT_EQ(RESIZE(PREPARE, 0, 0), 0);
	EXPECT_ERR(RESIZE(COMMIT, 0, 21), ENXIO);
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_RESIZE_HPT_PREPARE, NULL), EFAULT);
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_RESIZE_HPT_COMMIT, NULL), EFAULT);
	/* One that never comes to its end before the VM does. */
	RESIZE(PREPARE, 0, 26);
	still_alive(vm, vcpu);
}

static void guest_wait(void)
{
	GUEST_SYNC(1);
	__atomic_store_n(&started, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		;
	GUEST_DONE();
}

static void test_hpt(void)
{
	uint32_t order;
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	struct kvm_vm *vm;

	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_wait);
	vcpu_run_to_sync(vcpu, 1, NULL);
	order = 17;
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_ALLOCATE_HTAB, &order), EINVAL);
	order = 47;
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_ALLOCATE_HTAB, &order), EINVAL);
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_ALLOCATE_HTAB, NULL), EFAULT);
	/* Not under a vCPU that is running. */
	TEST_ASSERT(!pthread_create(&thread, NULL, hv_run_thread, vcpu), "thread");
	while (!READ_ONCE(*guest_addr(vm, started)))
		usleep(1000);
	order = HV_HPT_ORDER;
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_ALLOCATE_HTAB, &order), EBUSY);
	WRITE_ONCE(*guest_addr(vm, stop), 1);
	pthread_join(thread, NULL);
	kvm_vm_free(vm);
}

static void test_mmu(void)
{
	struct kvm_ppc_mmuv3_cfg cfg = { .flags = ~0ULL };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	int i;

	if (kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) <= 0 &&
	    kvm_check_cap(KVM_CAP_PPC_MMU_HASH_V3) <= 0) {
		EXPECT_ERR(ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), ENODEV);
		still_alive(vm, vcpu);
		return;
	}
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), EINVAL);
	/* A process table of the other kind, or too large. */
	cfg = (struct kvm_ppc_mmuv3_cfg) { .process_table = 1ULL << 63 };
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), EINVAL);
	cfg.process_table = 25;
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), EINVAL);
	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_CONFIGURE_V3_MMU, NULL), EFAULT);
	/* From one to the other and back: what was mapped is not any more, no more. */
	for (i = 0; kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0 && i < 10; i++) {
		cfg.flags = i & 1 ? 0 : KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE;
		cfg.process_table = i & 1 ? 0 : 1ULL << 63 | GUEST_PROCESS_TABLE;
		vm_ioctl(vm, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
	}
	kvm_vm_free(vm);
	still_alive(create(&vcpu), vcpu);
}

static void test_null(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int i;

	/* Every number there can be, with no argument. */
	for (i = 0; i < 256; i++) {
		if (i == (KVM_RUN & 0xff))
			continue;
		ioctl(vcpu->fd, _IO(KVMIO, i), 0);
		ioctl(vm->fd, _IO(KVMIO, i), 0);
	}
	still_alive(vm, vcpu);
}

/* A hash table file that is read while the guest changes the table, and written junk. */
static void test_htab_fd(void)
{
	struct kvm_get_htab_fd get = { .flags = 1ULL << 40 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	struct rng rng = { 3 };
	uint32_t buf[1024];
	int fd, i, j;

	EXPECT_ERR(ioctl(vm->fd, KVM_PPC_GET_HTAB_FD, &get), EINVAL);
	get.flags = 0;
	fd = ioctl(vm->fd, KVM_PPC_GET_HTAB_FD, &get);
	TEST_ASSERT(fd >= 0, "KVM_PPC_GET_HTAB_FD");
	for (i = 0; i < 100; i++)
		if (read(fd, buf, rng_next(&rng) % sizeof(buf)) < 0)
			break;
	close(fd);
	get.flags = KVM_GET_HTAB_WRITE;
	fd = ioctl(vm->fd, KVM_PPC_GET_HTAB_FD, &get);
	TEST_ASSERT(fd >= 0, "KVM_PPC_GET_HTAB_FD, to write");
	for (i = 0; i < 200; i++) {
		for (j = 0; j < (int)ARRAY_SIZE(buf); j++)
			buf[j] = rng_next(&rng);
		/* Index, valid and invalid: half of them as they can be. */
		if (i & 1) {
			buf[0] %= 65536;
			buf[1] = rng_next(&rng) % 16 | (rng_next(&rng) % 16) << 16;
		}
		if (write(fd, buf, rng_next(&rng) % sizeof(buf)) < 0)
			continue;
	}
	close(fd);
	kvm_vm_free(vm);
	still_alive(create(&vcpu), vcpu);
}

static const struct subtest tests[] = {
	{ "resize", test_resize },
	{ "hpt", test_hpt },
	{ "mmu", test_mmu },
	{ "null", test_null },
	{ "htab_fd", test_htab_fd },
};

TEST_MAIN(tests)
