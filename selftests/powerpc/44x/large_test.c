// SPDX-License-Identifier: GPL-2.0
/*
 * Where the host's pages happen to lie next to each other, one hardware entry
 * maps several of them for the guest. When one of them goes its own way, the
 * entry has to go for all, and nothing may be left that maps it.
 *
 * The test looks for such pages among many with /proc/self/pagemap, which gives
 * frame numbers to root, and makes them the guest's memory.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "44x.h"

#define EA		0x40000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000ULL
#define GROUP		4
#define PAGES		(2 * GROUP)
#define MAX_SEARCH	4096
#define SEARCH		((int)(MAX_SEARCH * 4096 / host_page))	/* 16 MB */
#define RESIDENT	(1ULL << 63)

static uint64_t frames[MAX_SEARCH];
static uint32_t want[PAGES];			/* first word of each page */
static uint32_t store_page;

/* The page with a frame, near the one at index i; the allocator has habits. */
static int page_of(uint64_t frame, int i)
{
	int from = i < 64 ? 0 : i - 64, to = i + 64 > SEARCH ? SEARCH : i + 64;

	for (i = from; i < to; i++)
		if (frames[i] == frame)
			return i;
	return -1;
}

/* Two groups, each contiguous and aligned in the host. */
static char *find_pages(void)
{
	char *mem = mmap(NULL, SEARCH * host_page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	int i, j, n = 0, page[GROUP];
	char *out;

	TEST_ASSERT(mem != MAP_FAILED, "mmap");
	if (fd < 0)
		test_skip("needs /proc/self/pagemap");
	memset(mem, 1, SEARCH * host_page);
	TEST_ASSERT(pread(fd, frames, SEARCH * 8, (uintptr_t)mem / host_page * 8) ==
		    SEARCH * 8, "pagemap");
	close(fd);
	out = mmap(NULL, PAGES * host_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(out != MAP_FAILED, "mmap");
	for (i = 0; i < SEARCH && n < PAGES / GROUP; i++) {
		if (!(frames[i] & RESIDENT) || frames[i] % GROUP)
			continue;
		for (j = 0; j < GROUP; j++) {
			page[j] = page_of(frames[i] + j, i);
			if (page[j] < 0)
				break;
		}
		if (j < GROUP)
			continue;
		/* mremap() moves a page without copying it. */
		for (j = 0; j < GROUP; j++)
			TEST_ASSERT(mremap(mem + page[j] * host_page, host_page, host_page,
					   MREMAP_MAYMOVE | MREMAP_FIXED,
					   out + (n * GROUP + j) * host_page) != MAP_FAILED,
				    "mremap");
		n++;
	}
	munmap(mem, SEARCH * host_page);
	if (n < PAGES / GROUP)
		test_skip("no %u contiguous pages among %u", GROUP, SEARCH);
	return out;
}

/* Reads all pages, twice, in user and supervisor mode, and writes to one. */
static void guest_work(void)
{
	uint32_t i, round, msr;

	guest_44x_init();
	for (i = 0; i < 2; i++)
		tlb_write(10 + i, (EA + i * 0x1000000) | TLB0_V | SIZE_1M,
			  (uint32_t)SLOT_GPA, TLB2_RWX, i ? 5 : 0);
	set_pid(5);
	for (;;) {
		for (round = 0; round < 2; round++) {
			for (i = 0; i < 2 * PAGES; i++) {
				uint32_t ea = EA + i / PAGES * 0x1000000 + i % PAGES * host_page;

				msr = i & 1 ? MSR_PR : 0;
				GUEST_ASSERT_EQ(probe(msr, PROBE_READ, ea), EXC_NONE);
				GUEST_ASSERT_EQ(probe_value, want[i % PAGES]);
			}
		}
		if (store_page < PAGES) {
			probe_store = ++want[store_page];
			GUEST_ASSERT_EQ(probe(MSR_PR, PROBE_WRITE, EA + store_page * host_page),
					EXC_NONE);
			GUEST_ASSERT_EQ(probe(0, PROBE_READ,
					      EA + 0x1000000 + store_page * host_page), EXC_NONE);
			GUEST_ASSERT_EQ(probe_value, want[store_page]);
		}
		GUEST_SYNC(1);
	}
}

static char *host;

static void set_page(unsigned int i, uint32_t v)
{
	want[i] = v;
	*(volatile uint32_t *)(host + i * host_page) = v;
}

static void run(struct kvm_vm *vm, struct kvm_vcpu *vcpu, unsigned int page)
{
	store_page = page;
	sync_global_to_guest(vm, want);
	sync_global_to_guest(vm, store_page);
	vcpu_run_to_sync(vcpu, 1, NULL);
	if (page < PAGES)
		TEST_ASSERT_EQ(*(volatile uint32_t *)(host + page * host_page), ++want[page]);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm;
	unsigned int i;

	host = find_pages();
	for (i = 0; i < PAGES; i++)
		set_page(i, 0x100 * i + 1);
	vm = vm_create_with_one_vcpu(vcpu, guest_work);
	vm_mem_add(vm, SLOT, SLOT_GPA, PAGES * host_page, 0, host);
	run(vm, *vcpu, PAGES);
	run(vm, *vcpu, 1);
	if (vcpu_has_stat(*vcpu, "shadow_large"))
		TEST_ASSERT(vcpu_get_stat(*vcpu, "shadow_large") > 0,
			    "nothing was mapped as a group");
	return vm;
}

/* One page of a group is replaced by another, with other contents. */
static void test_remap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int i, n;

	for (n = 0; n < 40; n++) {
		i = n % PAGES;
		TEST_ASSERT(mmap(host + i * host_page, host_page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
			    MAP_FAILED, "mmap");
		set_page(i, 0x10000 * n + i);
		run(vm, vcpu, n % 3 ? (i + n) % PAGES : PAGES);
	}
	kvm_vm_free(vm);
}

/* Copy on write behind the guest's back, of one page at a time. */
static void test_cow(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int i;
	char *twin;

	for (i = 0; i < PAGES; i++) {
		/* Whoever writes first gets a new page; here it is the host. */
		twin = mremap(host + i * host_page, host_page, host_page,
			      MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
		TEST_ASSERT(twin != MAP_FAILED, "mremap");
		set_page(i, 0x5000 + i);
		run(vm, vcpu, PAGES);
		*(volatile uint32_t *)twin = 0xdead;
		run(vm, vcpu, (i + 1) % PAGES);
		munmap(twin, host_page);
	}
	kvm_vm_free(vm);
}

/* A store to one page of a group is logged as that of this page alone. */
static void test_dirty_log(void)
{
	unsigned long bitmap[2];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu);
	unsigned int i, n;

	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (n = 0; n < 24; n++) {
		i = n * 5 % PAGES;
		run(vm, vcpu, i);
		memset(bitmap, 0, sizeof(bitmap));
		vm_get_dirty_log(vm, SLOT, bitmap);
		/* Little-endian, whatever the host is. */
		TEST_ASSERT_EQ(((uint8_t *)bitmap)[0], 1u << i);
	}
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "remap", test_remap },
	{ "cow", test_cow },
	{ "dirty_log", test_dirty_log },
};

TEST_MAIN(tests)
