// SPDX-License-Identifier: GPL-2.0
/*
 * The host takes pages away: the guest loses these, of each vCPU and by every
 * address, and no other; and the host looks at the shadow HPTEs of these frames,
 * not at all there are.
 *
 * A lost page is filled again by the host with what only then is true, so a
 * stale translation shows as the old contents. That a page was kept shows in the
 * count of the guest's page faults.
 */
#include <sys/mman.h>

#include "pr.h"

#define SLOT		1
#define GPA		0x10000000UL
#define PAGE		PR_PAGE
#define PAGES		2000u
#define VCPUS		2

static uint64_t *page(struct kvm_vm *vm, unsigned int i)
{
	return (uint64_t *)((char *)vm->regions[SLOT].hva + i * PAGE);
}

/* Each round: wait for the test, then read all pages and check them. */
static uint64_t expected[PAGES];

static void guest_code(void)
{
	unsigned int round, i;

	for (round = 0; ; round++) {
		for (i = 0; i < PAGES; i++) {
			uint64_t val = READ_ONCE(*(uint64_t *)(GPA + i * PAGE));

			if (val != READ_ONCE(expected[i]))
				GUEST_FAIL("a page is not what it should be", i, val);
		}
		GUEST_SYNC(round);
	}
}

static struct kvm_vm *create(struct kvm_vcpu *vcpu[VCPUS], unsigned int vcpus)
{
	struct kvm_vm *vm = pr_vm_create();
	struct ucall uc;
	unsigned int i;

	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	for (i = 0; i < PAGES; i++)
		*page(vm, i) = expected[i] = i + 1;
	sync_global_to_guest(vm, expected);
	for (i = 0; i < vcpus; i++) {
		vcpu[i] = vm_vcpu_add(vm, i, guest_code);
		vcpu_run_to_sync(vcpu[i], 0, &uc);
	}
	return vm;
}

/* Takes @count pages from @first on; returns the shadow HPTEs looked at. */
static uint64_t take(struct kvm_vm *vm, unsigned int first, unsigned int count)
{
	uint64_t before = vm_get_stat(vm, "shadow_hpte_visits"), visits;

	TEST_ASSERT(!madvise(page(vm, first), count * PAGE, MADV_DONTNEED), "madvise");
	visits = vm_get_stat(vm, "shadow_hpte_visits") - before;
	return visits;
}

static void refill(struct kvm_vm *vm, unsigned int first, unsigned int count,
		   uint64_t tag)
{
	unsigned int i;

	for (i = first; i < first + count; i++)
		*page(vm, i) = expected[i] = tag + i;
	sync_global_to_guest(vm, expected);
}

/* All vCPUs find the new contents, and fault on just these pages. */
static void check(struct kvm_vcpu *vcpu[], unsigned int vcpus, unsigned int round,
		  unsigned int count)
{
	struct ucall uc;
	unsigned int i;

	for (i = 0; i < vcpus; i++) {
		uint64_t faults = vcpu_get_stat(vcpu[i], "sp_storage");

		vcpu_run_to_sync(vcpu[i], round, &uc);
		faults = vcpu_get_stat(vcpu[i], "sp_storage") - faults;
		/* A stack page or the like may be faulted in too. */
		TEST_ASSERT(faults >= count && faults <= count + 8,
			    "vcpu %u: %llu faults for %u pages", i,
			    (unsigned long long)faults, count);
	}
}

static void run_ranges(unsigned int vcpus)
{
	static const struct {
		unsigned int first, count;
	} r[] = {
		{ 0, 1 }, { 1, 1 }, { PAGES - 1, 1 }, { 5, 2 }, { 100, 16 },
		{ 1000, 333 }, { 1, PAGES - 2 }, { 0, PAGES },
	};
	struct kvm_vcpu *vcpu[VCPUS];
	struct kvm_vm *vm = create(vcpu, vcpus);
	uint64_t visits;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(r); i++) {
		visits = take(vm, r[i].first, r[i].count);
		print_info("%u vCPUs, %u of %u pages: %llu shadow HPTEs looked at",
			   vcpus, r[i].count, PAGES, (unsigned long long)visits);
		/* Its own, and those that share a list by chance. */
		TEST_ASSERT(visits >= (uint64_t)vcpus * r[i].count &&
			    visits <= (uint64_t)vcpus * (2 * r[i].count + 8),
			    "%llu visits for %u pages", (unsigned long long)visits,
			    r[i].count);
		refill(vm, r[i].first, r[i].count, (i + 2) * 100000);
		check(vcpu, vcpus, i + 1, r[i].count);
	}
	kvm_vm_free(vm);
}

static void test_one_vcpu(void)
{
	run_ranges(1);
}

static void test_two_vcpus(void)
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MAX_VCPUS) >= 2);
	run_ranges(2);
}

/* Frames at several virtual addresses, in pages of 4K, and in real mode. */
#define ALIASES		8u

static void guest_aliases(unsigned long order)
{
	unsigned int round, i;
	uint64_t val;

	guest_hash_init(order);
	for (i = 0; i < ALIASES; i++)
		GUEST_ASSERT(guest_map(HV_EA_BASE + i * 0x21000, GPA + (i & 3) * 4096) >= 0);
	for (round = 0; ; round++) {
		for (i = 0; i < ALIASES; i++) {
			GUEST_ASSERT_EQ(guest_load(HV_EA_BASE + i * 0x21000, &val), EXC_NONE);
			GUEST_ASSERT_EQ(val, READ_ONCE(expected[i & 3]));
			GUEST_ASSERT_EQ(READ_ONCE(*(uint64_t *)(GPA + (i & 3) * 4096)),
					READ_ONCE(expected[i & 3]));
		}
		GUEST_SYNC(round);
	}
}

static void test_aliases(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_aliases);
	struct ucall uc;
	unsigned int round, i;

	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < 4; i++) {
			expected[i] = 1000 * round + i + 1;
			page(vm, 0)[i * 512] = expected[i];
		}
		sync_global_to_guest(vm, expected);
		vcpu_run_to_sync(vcpu, round, &uc);
		/* The frames of the four guest pages, one or several. */
		take(vm, 0, (4 * 4096 + PAGE - 1) / PAGE);
	}
	kvm_vm_free(vm);
}

/* --- every range of a few frames --- */

#define FRAMES		12u
#define SUBS		((unsigned int)(PAGE / 4096))

static unsigned int frames_read;

/* Frames in pages of the host's size, in real mode. */
static void guest_frames(void)
{
	unsigned int round, i;

	for (round = 0; ; round++) {
		for (i = 0; i < FRAMES; i++)
			GUEST_ASSERT_EQ(READ_ONCE(*(uint64_t *)(GPA + i * PAGE)),
					READ_ONCE(expected[i]));
		GUEST_SYNC(round);
	}
}

/* The same frames in pages of 4K. */
static void guest_frames_4k(unsigned long order)
{
	unsigned long ea = HV_EA_BASE + GUEST_RAM_SIZE;
	unsigned int round, i;
	uint64_t val;

	guest_hash_init(order);
	for (i = 0; i < READ_ONCE(frames_read) * SUBS; i++)
		GUEST_ASSERT(guest_map(ea + i * 4096, GPA + i * 4096) >= 0);
	for (round = 0; ; round++) {
		for (i = 0; i < READ_ONCE(frames_read) * SUBS; i++) {
			GUEST_ASSERT_EQ(guest_load(ea + i * 4096, &val), EXC_NONE);
			if (val != READ_ONCE(expected[i / SUBS]) + i % SUBS)
				GUEST_FAIL("a page is not what it should be", i, val);
		}
		GUEST_SYNC(round);
	}
}

static void fill(struct kvm_vm *vm, unsigned int i, uint64_t tag)
{
	unsigned int sub;

	expected[i] = tag;
	for (sub = 0; sub < SUBS; sub++)
		page(vm, i)[sub * 512] = tag + sub;
}

/* Every size at every place: these frames are gone, and just these. */
static void run_every_range(struct kvm_vm *vm, struct kvm_vcpu *vcpu, unsigned int frames,
			    unsigned int pages_of_one)
{
	unsigned int first, count, i, round = 0;
	uint64_t visits, faults;

	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	frames_read = frames;
	sync_global_to_guest(vm, frames_read);
	for (i = 0; i < frames; i++)
		fill(vm, i, i * 1000);
	sync_global_to_guest(vm, expected);
	vcpu_run_to_sync(vcpu, round, NULL);
	for (first = 0; first < frames; first++) {
		for (count = 1; first + count <= frames; count++) {
			round++;
			visits = take(vm, first, count);
			TEST_ASSERT(visits >= count * pages_of_one,
				    "%u pages from %u on: %llu visits", count, first,
				    (unsigned long long)visits);
			for (i = first; i < first + count; i++)
				fill(vm, i, round * 100000 + i * 1000);
			sync_global_to_guest(vm, expected);
			faults = vcpu_get_stat(vcpu, "sp_storage");
			vcpu_run_to_sync(vcpu, round, NULL);
			faults = vcpu_get_stat(vcpu, "sp_storage") - faults;
			/* A stack page or the like may be faulted in too. */
			TEST_ASSERT(faults >= count * pages_of_one &&
				    faults <= count * pages_of_one + 8,
				    "%u pages from %u on: %llu faults", count, first,
				    (unsigned long long)faults);
		}
	}
	print_info("%u ranges of %u frames, %u pages each", round, frames, pages_of_one);
	kvm_vm_free(vm);
}

static void test_every_range(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_frames);

	run_every_range(vm, vcpu, FRAMES, 1);
}

static void test_every_range_4k(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_frames_4k);

	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	run_every_range(vm, vcpu, FRAMES / 2, SUBS);
}

static const struct subtest tests[] = {
	{ "one_vcpu", test_one_vcpu },
	{ "two_vcpus", test_two_vcpus },
	{ "aliases", test_aliases },
	{ "every_range", test_every_range },
	{ "every_range_4k", test_every_range_4k },
};

TEST_MAIN(tests)
