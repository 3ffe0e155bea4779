// SPDX-License-Identifier: GPL-2.0
/*
 * How invalidations were done, by the counters of KVM's flush tracking: on one
 * core where no other is in the guest, by marks alone where none is, with flushes
 * only where something was invalidated and the guest comes back.
 *
 * The counters are KVM's own; what they say is checked against nothing here.
 */
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv.h"

#define EA		(HV_EA_BASE + 0x5000)
#define REMOVALS	1000
#define PAGES		64
#define HOST_PAGE	0x10000UL

struct counts {
	uint64_t global, local, deferred, marks, flushes, avoided;
};

static void get_counts(struct kvm_vm *vm, struct counts *c)
{
	c->global = vm_get_stat(vm, "tlb_global");
	c->local = vm_get_stat(vm, "tlb_local");
	c->deferred = vm_get_stat(vm, "tlb_deferred");
	c->marks = vm_get_stat(vm, "tlb_marks");
	c->flushes = vm_get_stat(vm, "tlb_flushes");
	c->avoided = vm_get_stat(vm, "tlb_avoided");
	print_info("global %llu, local %llu, deferred %llu, marks %llu, flushes %llu, avoided %llu",
		   (unsigned long long)c->global, (unsigned long long)c->local,
		   (unsigned long long)c->deferred, (unsigned long long)c->marks,
		   (unsigned long long)c->flushes, (unsigned long long)c->avoided);
}

/* For selftests/plugins/tlbcount.c, which counts from outside; else a no-op. */
#define MARK(n)	asm volatile("xori " #n "," #n ",0")

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "CPU %d", cpu);
}

static void guest_remove(void)
{
	uint64_t val;
	long index;
	int i;

	guest_hash_init(HV_HPT_ORDER);
	MARK(20);
	for (i = 0; i < REMOVALS; i++) {
		index = guest_map(EA, GUEST_FREE_BASE);
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
	}
	MARK(21);
	GUEST_DONE();
}

static void guest_idle(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	guest_load(EA, &val);
	GUEST_DONE();
}

/* A guest that keeps to its core: all local, nobody to mark, nothing to flush. */
static void test_pinned(void)
{
	struct counts c;
	struct kvm_vm *vm;

	on_cpu(0);
	vm = hv_vm_create(HV_HASH);
	vcpu_run_to_done(vm_vcpu_add(vm, 0, guest_remove));
	get_counts(vm, &c);
	TEST_ASSERT_EQ(c.global, 0);
	TEST_ASSERT_EQ(c.marks, 0);
	TEST_ASSERT(c.local >= REMOVALS, "%llu local", (unsigned long long)c.local);
	/* The first entry is a flush if another VM had the LPID before (POWER8). */
	TEST_ASSERT_EQ(c.flushes + c.avoided, 1);
	if (kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0)
		TEST_ASSERT_EQ(c.avoided, 1);
	kvm_vm_free(vm);
}

/* The others have run, each on a core of its own, and are idle now. */
static void test_idle(void)
{
	long i, ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct counts c;
	struct kvm_vm *vm;

	TEST_REQUIRE(ncpus >= 4);
	vm = hv_vm_create(HV_HASH);
	for (i = 1; i < 4; i++) {
		on_cpu(i);
		vcpu_run_to_done(vm_vcpu_add(vm, i, guest_idle));
	}
	on_cpu(0);
	vcpu_run_to_done(vm_vcpu_add(vm, 0, guest_remove));
	get_counts(vm, &c);
	TEST_ASSERT_EQ(c.global, 0);
	TEST_ASSERT(c.local >= REMOVALS, "%llu local", (unsigned long long)c.local);
	/* Each of the other cores once. */
	TEST_ASSERT(c.marks <= 3, "%llu marks", (unsigned long long)c.marks);
	kvm_vm_free(vm);
}

/* Instruction relocation is off, so are these loads': guest physical addresses. */
static void guest_touch(void)
{
	volatile uint64_t *p = (void *)GUEST_RAM_SIZE;
	unsigned long i;

	for (;;) {
		for (i = 0; i < PAGES; i++)
			p[i * HOST_PAGE / 8] += 1;
		GUEST_SYNC(1);
	}
}

/* Reclaim of a guest that is not running: no broadcast, one flush when it is back. */
static void host_unmaps(enum hv_mmu mmu, bool dirty_log)
{
	unsigned long bitmap[PAGES / 64] = {};
	struct counts before, c;
	struct kvm_vcpu *vcpu;
	struct mem_region *r;
	struct kvm_vm *vm;

	on_cpu(0);
	vm = hv_vm_create(mmu);
	r = vm_mem_add(vm, 1, GUEST_RAM_SIZE, PAGES * HOST_PAGE,
		       dirty_log ? KVM_MEM_LOG_DIRTY_PAGES : 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_touch);
	vcpu_run_to_sync(vcpu, 1, NULL);
	vcpu_run_to_sync(vcpu, 1, NULL);
	get_counts(vm, &before);
	MARK(22);
	if (dirty_log) {
		vm_get_dirty_log(vm, 1, bitmap);
		TEST_ASSERT_EQ(bitmap[0], ~0UL);
	} else {
		TEST_ASSERT(!madvise(r->hva, r->size, MADV_DONTNEED), "madvise");
	}
	MARK(23);
	get_counts(vm, &c);
	TEST_ASSERT_EQ(c.global, before.global);
	TEST_ASSERT(c.deferred - before.deferred >= PAGES, "%llu deferred",
		    (unsigned long long)(c.deferred - before.deferred));
	/* It is the only core, and may be marked already. */
	TEST_ASSERT(c.marks - before.marks <= 1, "%llu marks",
		    (unsigned long long)(c.marks - before.marks));
	before = c;
	vcpu_run_to_sync(vcpu, 1, NULL);
	get_counts(vm, &c);
	TEST_ASSERT(c.flushes > before.flushes, "no flush");
	if (!dirty_log)
		TEST_ASSERT_EQ(*(uint64_t *)r->hva, 1);
	kvm_vm_free(vm);
}

static void test_unmap_radix(void)
{
	host_unmaps(HV_RADIX, false);
}

static void test_dirty_log_radix(void)
{
	host_unmaps(HV_RADIX, true);
}

/* Pages that the guest loads from, of which all are the zero page, and then stores to. */
static void guest_cow(void)
{
	volatile uint64_t *p = (void *)GUEST_RAM_SIZE;
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT_EQ(p[i * HOST_PAGE / 8], 0);
	GUEST_SYNC(1);
	for (i = 0; i < PAGES; i++)
		p[i * HOST_PAGE / 8] = i + 1;
	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT_EQ(p[i * HOST_PAGE / 8], i + 1);
	GUEST_SYNC(1);
}

/*
 * The host breaks copy on write for the vCPU that stores, on its core, and there are
 * no others: one page on one core each time, no broadcast and no flush.
 */
static void test_cow_radix(void)
{
	struct counts before, c;
	struct kvm_vcpu *vcpu;
	struct mem_region *r;
	struct kvm_vm *vm;
	unsigned int i;

	on_cpu(0);
	vm = hv_vm_create(HV_RADIX);
	r = vm_mem_add(vm, 1, GUEST_RAM_SIZE, PAGES * HOST_PAGE, 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_cow);
	vcpu_run_to_sync(vcpu, 1, NULL);
	get_counts(vm, &before);
	MARK(24);
	vcpu_run_to_sync(vcpu, 1, NULL);
	MARK(25);
	get_counts(vm, &c);
	TEST_ASSERT_EQ(c.global, before.global);
	TEST_ASSERT_EQ(c.marks, before.marks);
	TEST_ASSERT_EQ(c.flushes, before.flushes);
	TEST_ASSERT(c.local - before.local >= PAGES, "%llu local",
		    (unsigned long long)(c.local - before.local));
	for (i = 0; i < PAGES; i++)
		TEST_ASSERT_EQ(((uint64_t *)r->hva)[i * HOST_PAGE / 8], i + 1);
	kvm_vm_free(vm);
}

/*
 * Each pass stores to all pages, or to every other. No loads: of a page that a load
 * made known to QEMU, it does not set the changed bit on a store.
 */
static void guest_store_pages(void)
{
	volatile uint64_t *p = (void *)GUEST_RAM_SIZE;
	unsigned long i, n;

	for (n = 0;; n++) {
		for (i = 0; i < PAGES; i += 1 + n % 2)
			p[i * HOST_PAGE / 8] = n;
		GUEST_SYNC(1);
	}
}

/* What was written since the last pass is logged again, and nothing else. */
static void test_dirty_log_again(void)
{
	unsigned long bitmap[PAGES / 64], i;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = hv_vm_create(HV_RADIX);
	vm_mem_add(vm, 1, GUEST_RAM_SIZE, PAGES * HOST_PAGE, KVM_MEM_LOG_DIRTY_PAGES, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_store_pages);
	for (i = 0; i < 10; i++) {
		on_cpu(i / 4 % sysconf(_SC_NPROCESSORS_ONLN));
		vcpu_run_to_sync(vcpu, 1, NULL);
		bitmap[0] = 0;
		vm_get_dirty_log(vm, 1, bitmap);
		TEST_ASSERT_EQ(bitmap[0], i % 2 ? 0x5555555555555555UL : ~0UL);
	}
	kvm_vm_free(vm);
}

/* With a TLB each: named by the first of its threads. */
static unsigned int core_of(unsigned int cpu)
{
	unsigned int first;
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
	f = fopen(path, "r");
	TEST_ASSERT(f && fscanf(f, "%u", &first) == 1, "%s", path);
	fclose(f);
	return first;
}

static unsigned int cores(void)
{
	unsigned int n, cpu;

	for (n = cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		n += core_of(cpu) == cpu;
	return n;
}

/* One vCPU all around the machine, and nothing is invalidated: nothing to flush. */
static void guest_count(void)
{
	int i;

	for (i = 0; i < 36; i++)
		GUEST_SYNC(1);
	GUEST_DONE();
}

static void test_migrate(void)
{
	long i, ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct kvm_vcpu *vcpu;
	struct counts c;
	struct kvm_vm *vm;

	TEST_REQUIRE(ncpus > 1);
	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_count);
	for (i = 0; i < 36; i++) {
		on_cpu(i % ncpus);
		vcpu_run_to_sync(vcpu, 1, NULL);
	}
	vcpu_run_to_done(vcpu);
	get_counts(vm, &c);
	TEST_ASSERT_EQ(c.global, 0);
	/* One per core for the last VM's LPID (POWER8), or none at all. */
	TEST_ASSERT_EQ(c.flushes + c.avoided, cores());
	if (kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0)
		TEST_ASSERT_EQ(c.flushes, 0);
	TEST_ASSERT_EQ(c.marks, 0);
	kvm_vm_free(vm);
}

/*
 * A radix guest may have used tlbiel where its vCPU was last: the core that it leaves
 * is marked, and flushes when it comes back.
 */
static void test_migrate_radix(void)
{
	long i, ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int left = 0, back = 0;
	bool ran[256] = {};
	struct kvm_vcpu *vcpu;
	struct counts c;
	struct kvm_vm *vm;

	TEST_REQUIRE(ncpus > 1 && ncpus < 256);
	vm = hv_vm_create(HV_RADIX);
	vcpu = vm_vcpu_add(vm, 0, guest_count);
	for (i = 0; i < 36; i++) {
		if (i && core_of(i % ncpus) != core_of((i - 1) % ncpus)) {
			left++;
			back += ran[core_of(i % ncpus)];
		}
		ran[core_of(i % ncpus)] = true;
		on_cpu(i % ncpus);
		vcpu_run_to_sync(vcpu, 1, NULL);
	}
	get_counts(vm, &c);
	/* The host may have invalidated something meanwhile, and marked too. */
	TEST_ASSERT(c.marks >= left, "%llu marks, left %u", (unsigned long long)c.marks, left);
	TEST_ASSERT(c.flushes >= back, "%llu flushes, back %u", (unsigned long long)c.flushes,
		    back);
	TEST_ASSERT_EQ(c.avoided, cores());
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "pinned", test_pinned },
	{ "idle", test_idle },
	{ "unmap_radix", test_unmap_radix },
	{ "dirty_log_radix", test_dirty_log_radix },
	{ "cow_radix", test_cow_radix },
	{ "dirty_log_again", test_dirty_log_again },
	{ "migrate", test_migrate },
	{ "migrate_radix", test_migrate_radix },
};

TEST_MAIN(tests)
