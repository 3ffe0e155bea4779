// SPDX-License-Identifier: GPL-2.0
/*
 * The host learns which pages the guest uses: with idle page tracking, the pages
 * that the guest has touched since they were marked idle are not idle any more,
 * and the others are.
 *
 * A page may pass for used if its entry was displaced from the hash table, for
 * nobody knows then; that is rare, and bounded here. The other error, a used
 * page that passes for idle, is none that is allowed.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "idle.h"
#include "pr.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif

#define SLOT		1
#define GPA		0x10000000UL
#define PAGE		PR_PAGE
#define SUB(i)		((i) * 4096UL % PAGE)	/* of the guest's pages in a host's */
#define PAGES		512u
#define DISPLACED	8u	/* pages whose entries may get lost */

static uint64_t pfn[PAGES];
static uint8_t touch[PAGES];

static char *page(struct kvm_vm *vm, unsigned int i)
{
	return (char *)vm->regions[SLOT].hva + i * PAGE;
}

static void open_idle(void)
{
	cpu_set_t cpu;

	idle_open();
	TEST_REQUIRE(sysconf(_SC_PAGESIZE) == PAGE);
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(cpu), &cpu), "sched_setaffinity");
}

/* Checks that the touched pages, and no others, are in use. */
static void check_young(unsigned int round)
{
	unsigned int i, displaced = 0;

	for (i = 0; i < PAGES; i++) {
		bool idle = idle_is(pfn[i]);

		TEST_ASSERT(!touch[i] || !idle, "round %u: page %u passes for idle",
			    round, i);
		displaced += !touch[i] && !idle;
	}
	TEST_ASSERT(displaced <= DISPLACED, "round %u: %u pages pass for used",
		    round, displaced);
	if (displaced)
		print_info("round %u: %u pages pass for used", round, displaced);
}

static void choose(struct kvm_vm *vm, unsigned int round, struct rng *rng)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		touch[i] = round == 0 ? 0 : round == 1 ? 1 :
			   round == 2 ? i == 7 : !(rng_next(rng) % round);
	sync_global_to_guest(vm, touch);
}

/* --- real mode --- */

static void guest_touch(void)
{
	unsigned int round, i;
	volatile uint64_t *p;

	for (i = 0; i < PAGES; i++)
		*(volatile uint64_t *)(GPA + i * PAGE) = i;
	GUEST_SYNC(1000);
	for (round = 0; ; round++) {
		for (i = 0; i < PAGES; i++) {
			if (!READ_ONCE(touch[i]))
				continue;
			p = (uint64_t *)(GPA + i * PAGE);
			GUEST_ASSERT_EQ(*p & 0xffff, i);
			if (i & 1)
				*p += 0x10000;
		}
		GUEST_SYNC(round);
	}
}

static void run_real_mode(unsigned int vcpus)
{
	struct kvm_vm *vm = pr_vm_create();
	uint64_t faults = 0, touched = 0;
	struct kvm_vcpu *vcpu[2];
	unsigned int round, i;
	struct rng rng = { 1 };
	struct ucall uc;

	open_idle();
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	for (i = 0; i < vcpus; i++) {
		vcpu[i] = vm_vcpu_add(vm, i, guest_touch);
		vcpu_run_to_sync(vcpu[i], 1000, &uc);
	}
	idle_drain_lru();
	idle_find_frames(page(vm, 0), PAGES, pfn);
	for (i = 0; i < vcpus; i++)
		faults -= vcpu_get_stat(vcpu[i], "sp_storage");
	for (round = 0; round < 10; round++) {
		idle_set(pfn, PAGES);
		choose(vm, round, &rng);
		for (i = 0; i < vcpus; i++)
			vcpu_run_to_sync(vcpu[i], round, &uc);
		check_young(round);
		for (i = 0; i < PAGES; i++)
			touched += vcpus * touch[i];
	}
	for (i = 0; i < vcpus; i++)
		faults += vcpu_get_stat(vcpu[i], "sp_storage");
	print_info("%llu pages touched after they were marked idle, %llu page faults",
		   (unsigned long long)touched, (unsigned long long)faults);
	/* Where R can be cleared in the table, ageing unmaps nothing. */
	if (pr_clears_referenced())
		TEST_ASSERT(faults <= 10 * DISPLACED * vcpus, "%llu page faults",
			    (unsigned long long)faults);
	kvm_vm_free(vm);
}

static void test_real_mode(void)
{
	run_real_mode(1);
}

static void test_two_vcpus(void)
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MAX_VCPUS) >= 2);
	run_real_mode(2);
}

/* --- 4K pages that the guest maps, several in a frame, and unmaps --- */

static void guest_mapped(unsigned long order)
{
	static long index[PAGES];
	unsigned int round, i;
	unsigned long ea;
	uint64_t val;

	guest_hash_init(order);
	for (round = 0; ; round++) {
		for (i = 0; i < PAGES; i++) {
			ea = HV_EA_BASE + i * PAGE + SUB(i);
			if (!round) {
				index[i] = guest_map(ea, GPA + i * PAGE + SUB(i));
				GUEST_ASSERT(index[i] >= 0);
			}
			if (round && !READ_ONCE(touch[i]))
				continue;
			GUEST_ASSERT_EQ(guest_load(ea, &val), EXC_NONE);
			GUEST_ASSERT_EQ(val, 3 * i);
			/* In odd rounds the shadow HPTE is gone when the host asks. */
			if (!(round & 1))
				continue;
			GUEST_ASSERT_EQ(guest_unmap(index[i]), H_SUCCESS);
			index[i] = guest_map(ea, GPA + i * PAGE + SUB(i));
			GUEST_ASSERT(index[i] >= 0);
		}
		GUEST_SYNC(round);
	}
}

static void test_mapped(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_mapped);
	struct rng rng = { 2 };
	unsigned int round, i;
	struct ucall uc;

	open_idle();
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	for (i = 0; i < PAGES; i++)
		*(uint64_t *)(page(vm, i) + SUB(i)) = 3 * i;
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_sync(vcpu, 0, &uc);
	idle_drain_lru();
	idle_find_frames(page(vm, 0), PAGES, pfn);
	for (round = 1; round < 8; round++) {
		idle_set(pfn, PAGES);
		choose(vm, round, &rng);
		vcpu_run_to_sync(vcpu, round, &uc);
		check_young(round);
	}
	kvm_vm_free(vm);
}

/* --- advice of the VMM --- */

/* As real_mode, and each round the VMM says that it needs none of the pages soon. */
static void test_cold(void)
{
	struct kvm_vm *vm = pr_vm_create();
	struct rng rng = { 3 };
	struct kvm_vcpu *vcpu;
	unsigned int round;

	open_idle();
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_touch);
	vcpu_run_to_sync(vcpu, 1000, NULL);
	idle_drain_lru();
	idle_find_frames(page(vm, 0), PAGES, pfn);
	for (round = 0; round < 6; round++) {
		idle_set(pfn, PAGES);
		TEST_ASSERT(!madvise(page(vm, 0), PAGES * PAGE, MADV_COLD), "MADV_COLD");
		choose(vm, round, &rng);
		vcpu_run_to_sync(vcpu, round, NULL);
		check_young(round);
	}
	kvm_vm_free(vm);
}

/* Bits of an entry in pagemap and of one in kpageflags */
#define PM_PRESENT	(1ULL << 63)
#define PM_SWAPPED	(1ULL << 62)
#define KPF_KSM		(1ULL << 21)

static void read_pagemap(struct kvm_vm *vm, uint64_t *map)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	TEST_ASSERT(fd >= 0, "/proc/self/pagemap");
	TEST_ASSERT_EQ(pread(fd, map, PAGES * 8, (uintptr_t)page(vm, 0) / PAGE * 8), PAGES * 8);
	close(fd);
}

/* The VMM has the pages written out: those that the guest touches come back. */
static void test_pageout(void)
{
	static uint64_t map[PAGES];
	struct kvm_vm *vm = pr_vm_create();
	unsigned int round, i, out;
	struct rng rng = { 4 };
	struct kvm_vcpu *vcpu;

	TEST_REQUIRE(sysconf(_SC_PAGESIZE) == PAGE);
	if (!start_swap())
		test_skip("needs swap to a RAM disk");
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_touch);
	vcpu_run_to_sync(vcpu, 1000, NULL);
	idle_drain_lru();
	for (round = 0; round < 6; round++) {
		TEST_ASSERT(!madvise(page(vm, 0), PAGES * PAGE, MADV_PAGEOUT), "MADV_PAGEOUT");
		read_pagemap(vm, map);
		for (i = out = 0; i < PAGES; i++)
			out += !!(map[i] & PM_SWAPPED);
		/* One may be busy, and stay. */
		TEST_ASSERT(out >= PAGES - DISPLACED, "round %u: only %u pages are out",
			    round, out);
		choose(vm, round, &rng);
		for (i = 0; i < PAGES; i++)
			touch[i] |= !(map[i] & PM_SWAPPED);
		sync_global_to_guest(vm, touch);
		vcpu_run_to_sync(vcpu, round, NULL);
		read_pagemap(vm, map);
		for (i = 0; i < PAGES; i++)
			if (touch[i])
				TEST_ASSERT(map[i] & PM_PRESENT, "round %u: page %u is out",
					    round, i);
		for (i = out = 0; i < PAGES; i++)
			out += !touch[i] && (map[i] & PM_PRESENT);
		/* Swap is read ahead: what the guest did not touch is not mapped. */
		TEST_ASSERT(!out, "round %u: %u pages came back untouched", round, out);
	}
	kvm_vm_free(vm);
}

static bool put(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, val, strlen(val)) == (ssize_t)strlen(val);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Pages of the guest's that are merged with others, by their flags. */
static unsigned int merged(struct kvm_vm *vm, uint8_t *is)
{
	static uint64_t map[PAGES];
	int fd = open("/proc/kpageflags", O_RDONLY);
	unsigned int i, n = 0;
	uint64_t flags;

	TEST_ASSERT(fd >= 0, "/proc/kpageflags");
	read_pagemap(vm, map);
	for (i = 0; i < PAGES; i++) {
		is[i] = 0;
		if (!(map[i] & PM_PRESENT))
			continue;
		TEST_ASSERT_EQ(pread(fd, &flags, 8, (map[i] & ((1ULL << 55) - 1)) * 8), 8);
		is[i] = !!(flags & KPF_KSM);
		n += is[i];
	}
	close(fd);
	return n;
}

/* All pages of the second half are as those of the first; the guest writes to some. */
static void guest_ksm(void)
{
	unsigned int round, i;
	volatile uint64_t *p;

	for (round = 0; ; round++) {
		for (i = 0; i < PAGES; i++) {
			p = (uint64_t *)(GPA + i * PAGE);
			GUEST_ASSERT_EQ(*p, i % (PAGES / 2) + 1);
			/* What is there already: the page is its own, and as it was. */
			if (READ_ONCE(touch[i]))
				*p = i % (PAGES / 2) + 1;
		}
		GUEST_SYNC(round);
	}
}

/* KSM merges pages under the guest, and the guest gets back those it writes to. */
static void test_ksm(void)
{
	static uint8_t is[PAGES];
	struct kvm_vm *vm = pr_vm_create();
	struct rng rng = { 5 };
	unsigned int round, i, wait, n;
	struct kvm_vcpu *vcpu;

	TEST_REQUIRE(sysconf(_SC_PAGESIZE) == PAGE);
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	for (i = 0; i < PAGES; i++)
		*(uint64_t *)page(vm, i) = i % (PAGES / 2) + 1;
	if (madvise(page(vm, 0), PAGES * PAGE, MADV_MERGEABLE) ||
	    !put("/sys/kernel/mm/ksm/pages_to_scan", "2000") ||
	    !put("/sys/kernel/mm/ksm/sleep_millisecs", "20"))
		test_skip("needs CONFIG_KSM");
	put("/sys/kernel/mm/ksm/smart_scan", "0");
	vcpu = vm_vcpu_add(vm, 0, guest_ksm);
	vcpu_run_to_sync(vcpu, 0, NULL);
	for (round = 1; round < 4; round++) {
		TEST_ASSERT(put("/sys/kernel/mm/ksm/run", "1"), "ksm");
		for (wait = 0; (n = merged(vm, is)) < PAGES && wait < 2000; wait++)
			usleep(20000);
		/* No more merging while the guest writes. */
		TEST_ASSERT(put("/sys/kernel/mm/ksm/run", "0"), "ksm");
		TEST_ASSERT_EQ(n, PAGES);
		choose(vm, round + 1, &rng);
		vcpu_run_to_sync(vcpu, round, NULL);
		merged(vm, is);
		for (i = 0; i < PAGES; i++)
			TEST_ASSERT_EQ(is[i], !touch[i]);
		memset(touch, 0, sizeof(touch));
		sync_global_to_guest(vm, touch);
	}
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "real_mode", test_real_mode },
	{ "two_vcpus", test_two_vcpus },
	{ "mapped", test_mapped },
	{ "cold", test_cold },
	{ "pageout", test_pageout },
	{ "ksm", test_ksm, 150 },
};

TEST_MAIN(tests)
