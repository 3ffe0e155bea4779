// SPDX-License-Identifier: GPL-2.0
/*
 * Radix guests: with page tables of their own, which they invalidate with tlbie and
 * tlbiel, and whose memory the host moves while they run or are idle. A frame that
 * is not mapped any more is poisoned, so reading the poison means that a translation
 * outlived its invalidation.
 *
 * What it cannot show: a flush that is missing on guest entry, since QEMU drops all
 * translations when LPIDR is written; nor one that is missing when the host moves a
 * page, since the host's own tlbie drops the guests' too. The dirty log has no other.
 *
 * In a guest of KVM's these are nested guests.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv.h"

#define EA		(HV_EA_BASE + 0x50000)
#define FRAME(n)	((volatile uint64_t *)(GUEST_FREE_BASE + (n) * 0x10000UL))
#define POISON		0xdeadULL
/* A page of the host's of its own. */
#define MOVED_GPA	GUEST_RAM_SIZE
#define MOVED		((volatile uint64_t *)MOVED_GPA)

static uint32_t swaps = 1000;
static uint32_t local;
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

/* --- the guest's own page table --- */

static void guest_writer(unsigned long nreaders)
{
	uint64_t i, val, before;
	unsigned int spin;

	guest_radix_init();
	guest_radix_set_pid();
	while (__atomic_load_n(&readers_in, __ATOMIC_ACQUIRE) < nreaders)
		;
	for (i = 1; i <= swaps; i++) {
		*FRAME(i & 1) = i << 16;
		guest_radix_map(EA, (unsigned long)FRAME(i & 1));
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, i << 16);
		/* A reader, if it is in the guest, is to have the translation; once it must. */
		before = READ_ONCE(reads);
		for (spin = 0; nreaders && (!before || spin < 2000) && READ_ONCE(reads) == before; spin++)
			;
		guest_radix_map(EA, 0);
		if (local)
			guest_radix_tlbiel(EA);
		else
			guest_radix_tlbie(EA);
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

	guest_radix_set_pid();
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

static void swap(unsigned int nreaders)
{
	struct kvm_vcpu *writer, *vcpu;
	pthread_t threads[MAX_VCPUS];
	struct kvm_vm *vm;
	unsigned int i;

	vm = hv_vm_create(HV_RADIX);
	sync_global_to_guest(vm, swaps);
	sync_global_to_guest(vm, local);
	writer = vm_vcpu_add(vm, 0, guest_writer);
	vcpu_args_set(writer, 1, (unsigned long)nreaders);
	for (i = 0; i < nreaders; i++) {
		vcpu = vm_vcpu_add(vm, 1 + i, guest_reader);
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

static void test_tlbie_one(void)
{
	swap(0);
}

static void test_tlbie_two(void)
{
	swap(1);
}

/* A single vCPU may well use tlbiel, wherever its thread goes. */
static void test_tlbiel_bounced(void)
{
	local = 1;
	swaps = 4000;
	hv_bounced(swap, 0);
}

static void test_tlbie_bounced(void)
{
	hv_bounced(swap, 1);
}

/* One VM after another: they get each other's LPID. */
static void test_lpid_reuse(void)
{
	int i;

	swaps = 50;
	for (i = 0; i < 10; i++)
		swap(i & 1);
}

/* --- memory that the host moves --- */

struct moved {
	int fd;
	size_t size;
	struct mem_region *region;
	volatile uint64_t *frame[2];
	unsigned int now;
};

static void moved_init(struct kvm_vm *vm, struct moved *m)
{
	char name[] = "/tmp/moved.XXXXXX";
	int i;

	m->size = getpagesize();
	m->now = 0;
	m->fd = mkstemp(name);
	TEST_ASSERT(m->fd >= 0 && !unlink(name) && !ftruncate(m->fd, 2 * m->size), "%s", name);
	for (i = 0; i < 2; i++) {
		m->frame[i] = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED,
				   m->fd, i * m->size);
		TEST_ASSERT(m->frame[i] != MAP_FAILED, "mmap");
	}
	m->region = vm_mem_add(vm, 1, MOVED_GPA, m->size, 0, NULL);
}

/* The guest's page is the other frame, with @val in it; this one has the poison. */
static void move(struct moved *m, uint64_t val)
{
	unsigned int next = !m->now;

	*m->frame[next] = val;
	TEST_ASSERT(mmap(m->region->hva, m->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, m->fd, next * m->size) == m->region->hva,
		    "mmap");
	*m->frame[m->now] = POISON;
	m->now = next;
}

static void guest_watch(void)
{
	uint64_t val, last = 0, n = 0;

	__atomic_fetch_add(&readers_in, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		val = *MOVED;
		if (val == POISON)
			GUEST_FAIL("a frame was read after it was moved", last, n);
		last = val;
		n++;
	}
	__atomic_fetch_add(&reads, n, __ATOMIC_ACQ_REL);
	GUEST_DONE();
}

static void host_moves(unsigned int nreaders)
{
	pthread_t threads[MAX_VCPUS];
	struct kvm_vm *vm;
	struct moved m;
	unsigned int i;

	vm = hv_vm_create(HV_RADIX);
	moved_init(vm, &m);
	move(&m, 1);
	for (i = 0; i < nreaders; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, hv_run_thread,
					    vm_vcpu_add(vm, i, guest_watch)), "thread");
	while (READ_ONCE(*guest_addr(vm, readers_in)) < nreaders)
		usleep(1000);
	for (i = 0; i < swaps; i++)
		move(&m, i + 2);
	WRITE_ONCE(*guest_addr(vm, done), 1);
	for (i = 0; i < nreaders; i++)
		pthread_join(threads[i], NULL);
	sync_global_from_guest(vm, reads);
	print_info("%u moves, %llu reads by %u readers", swaps,
		   (unsigned long long)reads, nreaders);
	kvm_vm_free(vm);
}

static void test_host_one(void)
{
	host_moves(1);
}

static void test_host_three(void)
{
	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) >= 4);
	host_moves(3);
}

static void guest_read(void)
{
	for (;;)
		GUEST_SYNC_ARGS(1, *MOVED);
}

/* The guest is not running when its page is moved, and comes back anywhere. */
static void test_host_idle(void)
{
	long ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	struct moved m;
	unsigned int i;

	vm = hv_vm_create(HV_RADIX);
	moved_init(vm, &m);
	vcpu = vm_vcpu_add(vm, 0, guest_read);
	for (i = 1; i <= 100; i++) {
		on_cpu(i / 2 % ncpus);
		move(&m, i);
		vcpu_run_to_sync(vcpu, 1, &uc);
		TEST_ASSERT_EQ(uc.args[1], i);
	}
	kvm_vm_free(vm);
}

/* No loads from the page: see guest_store_pages() in count_test.c. */
static void guest_store_forever(void)
{
	uint64_t n = 0;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		*MOVED = ++n;
	GUEST_DONE();
}

/* The log is read while the guest stores: what it stores afterwards is logged again. */
static void test_host_dirty_log(void)
{
	volatile uint64_t *page;
	unsigned long bitmap;
	struct mem_region *r;
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	struct kvm_vm *vm;
	unsigned int i;
	uint64_t seen;

	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) > 1);
	vm = hv_vm_create(HV_RADIX);
	r = vm_mem_add(vm, 1, MOVED_GPA, getpagesize(), KVM_MEM_LOG_DIRTY_PAGES, NULL);
	page = r->hva;
	vcpu = vm_vcpu_add(vm, 0, guest_store_forever);
	TEST_ASSERT(!pthread_create(&thread, NULL, hv_run_thread, vcpu), "thread");
	for (i = 0; i < 200; i++) {
		seen = *page;
		/* The store after the next began when the log had been read. */
		while (*page < seen + 2)
			usleep(100);
		bitmap = 0;
		vm_get_dirty_log(vm, 1, &bitmap);
		TEST_ASSERT(bitmap == 1, "pass %u: %lx, after %llu stores", i, bitmap,
			    (unsigned long long)*page);
	}
	WRITE_ONCE(*guest_addr(vm, done), 1);
	pthread_join(thread, NULL);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "tlbie_one", test_tlbie_one },
	{ "tlbie_two", test_tlbie_two },
	{ "tlbie_bounced", test_tlbie_bounced },
	{ "tlbiel_bounced", test_tlbiel_bounced },
	{ "lpid_reuse", test_lpid_reuse },
	{ "host_one", test_host_one },
	{ "host_three", test_host_three },
	{ "host_idle", test_host_idle },
	{ "host_dirty_log", test_host_dirty_log },
};

TEST_MAIN(tests)
