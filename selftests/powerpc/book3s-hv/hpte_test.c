// SPDX-License-Identifier: GPL-2.0
/*
 * A hash guest that maps one page to either of two frames in turn, while other
 * vCPUs read it: a frame that is not mapped any more is poisoned, so reading the
 * poison means that a translation outlived H_REMOVE, H_BULK_REMOVE or H_PROTECT.
 * vCPUs in the guest all the time, idle ones, and one that is bounced over the
 * host's CPUs; one VM after another, which get each other's LPID. And vCPUs that are
 * made while the hash table is set up.
 *
 * What it cannot show: a flush that is missing on guest entry. QEMU drops all
 * translations when LPIDR is written.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "hv.h"

#define EA		(HV_EA_BASE + 0x5000)
#define FRAME(n)	((volatile uint64_t *)(GUEST_FREE_BASE + (n) * 0x10000UL))
#define POISON		0xdeadULL
#define RESIZES		20
#define NEW_VMS		30
#define LPCR_VRMASD	(0x1fULL << 47)

static uint32_t swaps = 1500;
static uint32_t bulk;
static uint64_t flags;
static uint32_t readers_in;
static uint32_t done;
static uint64_t reads;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "CPU %d", cpu);
}

static void unmap(long index)
{
	if (bulk)
		GUEST_ASSERT_EQ(guest_bulk_unmap(index), H_SUCCESS);
	else
		GUEST_ASSERT_EQ(guest_unmap_flags(index, flags), H_SUCCESS);
}

/* @others: vCPUs that come first; @nreaders: of which these stay */
static void guest_writer(unsigned long others, unsigned long nreaders)
{
	uint64_t i, val, before;
	unsigned int spin;
	long index;

	guest_hash_init(HV_HPT_ORDER);
	while (__atomic_load_n(&readers_in, __ATOMIC_ACQUIRE) < others)
		;
	for (i = 1; i <= swaps; i++) {
		*FRAME(i & 1) = i << 16;
		index = guest_map(EA, (unsigned long)FRAME(i & 1));
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, i << 16);
		/* A reader, if it is in the guest, is to have the translation; once it must. */
		before = READ_ONCE(reads);
		for (spin = 0; nreaders && (!before || spin < 2000) && READ_ONCE(reads) == before; spin++)
			;
		unmap(index);
		*FRAME(i & 1) = POISON;
		asm volatile("sync" : : : "memory");
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_DSI);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	GUEST_DONE();
}

static void guest_reader(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	__atomic_fetch_add(&readers_in, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		if (guest_load(EA, &val) != EXC_NONE)
			continue;
		if (val == POISON)
			GUEST_FAIL("a frame was read after it was unmapped", val, reads);
		__atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
	}
	GUEST_DONE();
}

/* In the guest once, so that its core may hold translations, then idle. */
static void guest_idle(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	guest_load(EA, &val);
	__atomic_fetch_add(&readers_in, 1, __ATOMIC_ACQ_REL);
	GUEST_DONE();
}

static void swap(unsigned int nreaders, unsigned int nidle)
{
	struct kvm_vcpu *writer, *vcpu;
	pthread_t threads[MAX_VCPUS];
	struct kvm_vm *vm;
	unsigned int i;

	vm = hv_vm_create(HV_HASH);
	sync_global_to_guest(vm, swaps);
	sync_global_to_guest(vm, bulk);
	sync_global_to_guest(vm, flags);
	writer = vm_vcpu_add(vm, 0, guest_writer);
	vcpu_args_set(writer, 2, (unsigned long)nreaders + nidle, (unsigned long)nreaders);
	for (i = 0; i < nidle; i++)
		vcpu_run_to_done(vm_vcpu_add(vm, 1 + i, guest_idle));
	for (i = 0; i < nreaders; i++) {
		vcpu = vm_vcpu_add(vm, 1 + nidle + i, guest_reader);
		TEST_ASSERT(!pthread_create(&threads[i], NULL, hv_run_thread, vcpu), "thread");
	}
	vcpu_run_to_done(writer);
	for (i = 0; i < nreaders; i++)
		pthread_join(threads[i], NULL);
	sync_global_from_guest(vm, reads);
	print_info("%u swaps, %llu reads by %u readers", swaps,
		   (unsigned long long)reads, nreaders);
	kvm_vm_free(vm);
}

static void test_one(void)
{
	swap(0, 0);
}

static void test_two(void)
{
	swap(1, 0);
}

static void test_four(void)
{
	swap(3, 0);
}

static void test_idle(void)
{
	swap(0, 3);
}

static void test_bulk(void)
{
	bulk = 1;
	swap(1, 0);
}

/* The guest says that only the calling vCPU has used the entry. It is not true. */
static void test_h_local(void)
{
	flags = H_LOCAL;
	swap(1, 0);
}

static void *swap_thread(void *unused)
{
	swap(1, 0);
	return NULL;
}

/* Two VMs at the same time, on the same cores. */
static void test_two_vms(void)
{
	pthread_t thread;

	swaps = 300;
	TEST_ASSERT(!pthread_create(&thread, NULL, swap_thread, NULL), "thread");
	swap(1, 0);
	pthread_join(thread, NULL);
}

static void test_lpid_reuse(void)
{
	int i;

	swaps = 50;
	for (i = 0; i < 10; i++)
		swap(i & 1, 0);
}

/* vCPUs that are added while the first is at it, from local to global and back. */
static void test_added(void)
{
	struct kvm_vcpu *writer;
	pthread_t thread, reader;
	struct kvm_vm *vm;
	unsigned int i;

	swaps = 4000;
	vm = hv_vm_create(HV_HASH);
	sync_global_to_guest(vm, swaps);
	writer = vm_vcpu_add(vm, 0, guest_writer);
	vcpu_args_set(writer, 2, 0UL, 0UL);
	TEST_ASSERT(!pthread_create(&thread, NULL, hv_run_thread, writer), "thread");
	for (i = 1; i < 4; i++) {
		usleep(20000);
		vcpu_run_to_done(vm_vcpu_add(vm, i, guest_idle));
	}
	usleep(20000);
	TEST_ASSERT(!pthread_create(&reader, NULL, hv_run_thread,
				    vm_vcpu_add(vm, i, guest_reader)), "thread");
	pthread_join(reader, NULL);
	pthread_join(thread, NULL);
	sync_global_from_guest(vm, reads);
	print_info("%u swaps, %llu reads by a late reader", swaps,
		   (unsigned long long)reads);
	kvm_vm_free(vm);
}

/*
 * vCPUs that are made while the first one's KVM_RUN sets up the hash table: each is to
 * know how large the pages are that real mode is mapped with, or it never gets
 * through its first instruction.
 */
static void test_new_vcpus(void)
{
	struct kvm_vcpu *vcpus[4];
	uint64_t first, lpcr;
	pthread_t thread;
	struct kvm_vm *vm;
	unsigned int i, j;

	for (i = 0; i < NEW_VMS; i++) {
		vm = hv_vm_create(HV_HASH);
		vcpus[0] = vm_vcpu_add(vm, 0, guest_idle);
		TEST_ASSERT(!pthread_create(&thread, NULL, hv_run_thread, vcpus[0]), "thread");
		for (j = 1; j < 4; j++)
			vcpus[j] = vm_vcpu_add(vm, j, guest_idle);
		pthread_join(thread, NULL);
		first = vcpu_get_reg(vcpus[0], KVM_REG_PPC_LPCR_64) & LPCR_VRMASD;
		for (j = 1; j < 4; j++) {
			lpcr = vcpu_get_reg(vcpus[j], KVM_REG_PPC_LPCR_64) & LPCR_VRMASD;
			TEST_ASSERT(lpcr == first, "VM %u, vCPU %u: VRMASD %#llx, of vCPU 0 %#llx",
				    i, j, (unsigned long long)lpcr, (unsigned long long)first);
			vcpu_run_to_done(vcpus[j]);
		}
		kvm_vm_free(vm);
	}
}

/* The HPT is reset: what was mapped is not any more. */
static void guest_reset(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	*FRAME(0) = 5;
	GUEST_ASSERT(guest_map(EA, (unsigned long)FRAME(0)) >= 0);
	GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, 5);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_DSI);
	GUEST_ASSERT(guest_map(EA, (unsigned long)FRAME(0)) >= 0);
	GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
	GUEST_DONE();
}

static void test_reset(void)
{
	uint32_t order = HV_HPT_ORDER;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint64_t flushes;

	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_reset);
	on_cpu(0);
	vcpu_run_to_sync(vcpu, 1, NULL);
	flushes = vm_get_stat(vm, "tlb_flushes");
	vm_ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &order);
	vcpu_run_to_done(vcpu);
	/* What QEMU cannot show: it drops the translations on each entry. */
	TEST_ASSERT_EQ(vm_get_stat(vm, "tlb_flushes"), flushes + 1);
	kvm_vm_free(vm);
}

/*
 * The guest's table gets larger and smaller, under an entry that it uses: resizing
 * drops the entry, and with it the translations of all vCPUs.
 */
static void guest_resized(unsigned long nreaders)
{
	unsigned long order = HV_HPT_ORDER, i;
	uint64_t val, before;

	guest_hash_init(order);
	while (__atomic_load_n(&readers_in, __ATOMIC_ACQUIRE) < nreaders)
		;
	for (i = 1; i <= RESIZES; i++) {
		*FRAME(i & 1) = i << 16;
		GUEST_ASSERT(guest_map(EA, (unsigned long)FRAME(i & 1)) >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, i << 16);
		/* The readers too. */
		before = READ_ONCE(reads);
		while (nreaders && READ_ONCE(reads) == before)
			;
		order = HV_HPT_ORDER + i % 3;
		GUEST_SYNC_ARGS(2, order);
		guest_hash_init(order);
		*FRAME(i & 1) = POISON;
		asm volatile("sync" : : : "memory");
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_DSI);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	GUEST_DONE();
}

static void resize(unsigned int nreaders)
{
	struct kvm_vcpu *vcpu;
	pthread_t threads[MAX_VCPUS];
	struct kvm_ppc_resize_hpt r;
	uint64_t before, after;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int i;
	int ret;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_SPAPR_RESIZE_HPT) > 0);
	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_resized);
	vcpu_args_set(vcpu, 1, (unsigned long)nreaders);
	for (i = 0; i < nreaders; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, hv_run_thread,
					    vm_vcpu_add(vm, 1 + i, guest_reader)), "thread");
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC) {
		r = (struct kvm_ppc_resize_hpt) { .shift = uc.args[1] };
		while ((ret = ioctl(vm->fd, KVM_PPC_RESIZE_HPT_PREPARE, &r)) > 0)
			usleep(ret * 1000);
		TEST_ASSERT(!ret, "KVM_PPC_RESIZE_HPT_PREPARE: %s", strerror(errno));
		before = vm_get_stat(vm, "tlb_global") + vm_get_stat(vm, "tlb_deferred");
		vm_ioctl(vm, KVM_PPC_RESIZE_HPT_COMMIT, &r);
		after = vm_get_stat(vm, "tlb_global") + vm_get_stat(vm, "tlb_deferred");
		/* What QEMU cannot show: all vCPUs leave the guest for it. */
		TEST_ASSERT(after > before, "nothing was invalidated");
	}
	TEST_ASSERT_EQ(uc.cmd, UCALL_DONE);
	for (i = 0; i < nreaders; i++)
		pthread_join(threads[i], NULL);
	sync_global_from_guest(vm, reads);
	print_info("%u resizes, %llu reads by %u readers", RESIZES,
		   (unsigned long long)reads, nreaders);
	kvm_vm_free(vm);
}

static void test_resize(void)
{
	resize(0);
}

static void test_resize_two(void)
{
	resize(1);
}

/* The writer's thread moves. */
static void swap_readers(unsigned int nreaders)
{
	swap(nreaders, 0);
}

static void test_bounce_one(void)
{
	hv_bounced(swap_readers, 0);
}

static void test_bounce_two(void)
{
	hv_bounced(swap_readers, 1);
}

static const struct subtest tests[] = {
	{ "one", test_one },
	{ "two", test_two },
	{ "four", test_four },
	{ "idle", test_idle },
	{ "bulk", test_bulk },
	{ "h_local", test_h_local },
	{ "two_vms", test_two_vms },
	{ "lpid_reuse", test_lpid_reuse },
	{ "added", test_added },
	{ "new_vcpus", test_new_vcpus },
	{ "reset", test_reset },
	{ "resize", test_resize },
	{ "resize_two", test_resize_two },
	{ "bounce_one", test_bounce_one },
	{ "bounce_two", test_bounce_two },
};

TEST_MAIN(tests)
