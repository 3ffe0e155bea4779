// SPDX-License-Identifier: GPL-2.0
/*
 * The host takes guest memory away while the guest uses it: another thread
 * drops, protects, remaps and ages pages, and the guest must see each page as
 * the host's page tables have it at that time: its pattern, or zeroes where it
 * was dropped, and never the contents of a page the host has given to another.
 *
 * The thread refills dropped pages with what only they may contain, and the
 * memory they left is used at once by a third that writes poison. A stale
 * translation thus shows as poison in the guest, or as a lost store of it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "44x.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define EA		0x40000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000ULL
/*
 * Few enough for the guest's translations to be in the hardware TLB still when
 * it runs again: what the host touches meanwhile takes their places.
 */
#define PAGES		24u
#define SLOT_SIZE	((uint64_t)PAGES * host_page)
#define POISON		0xdeadbeefu

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, code);

	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, 0, NULL);
	return vm;
}

static char *page(struct kvm_vm *vm, unsigned int i)
{
	return (char *)vm->regions[SLOT].hva + i * host_page;
}

/* Takes pages that were just freed, and fills them. */
static void use_free_memory(unsigned int pages)
{
	size_t size = pages * host_page;
	uint32_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	TEST_ASSERT(p != MAP_FAILED, "mmap");
	for (i = 0; i < size / 4; i++)
		p[i] = POISON;
	munmap(p, size);
}

/* --- exact, between exits --- */

static void guest_map(void)
{
	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
}

/* Reports whether all pages hold this round's name, and whether all are 0. */
static void guest_check(void)
{
	uint32_t round, i, named, zero;

	guest_map();
	for (round = 0;; round++) {
		named = zero = 0;
		for (i = 0; i < PAGES; i++) {
			uint32_t v = *(volatile uint32_t *)(EA + i * host_page);

			named += v == (round << 16 | i);
			zero += !v;
		}
		GUEST_SYNC_ARGS(round, named, zero);
		for (i = 0; i < PAGES; i++)
			*(volatile uint32_t *)(EA + i * host_page + 64) = round << 16 | i;
	}
}

static void name_pages(struct kvm_vm *vm, uint32_t round)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		*(uint32_t *)page(vm, i) = round << 16 | i;
}

/* Dropped: zeroes, and what the host writes next. */
static void test_dontneed(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_check);
	struct ucall uc;
	unsigned int round, i;

	for (round = 0; round < 30; round++) {
		if (round % 3 != 2)
			name_pages(vm, round);
		vcpu_run_to_sync(vcpu, round, &uc);
		if (round % 3 != 2)
			TEST_ASSERT_EQ(uc.args[1], PAGES);
		else
			TEST_ASSERT_EQ(uc.args[2], PAGES);
		TEST_ASSERT(!madvise(page(vm, 0), SLOT_SIZE, MADV_DONTNEED), "madvise");
		use_free_memory(4);
	}
	/* The guest's stores after the drop reached the new pages. */
	vcpu_run_to_sync(vcpu, round, NULL);
	for (i = 0; i < PAGES; i++)
		TEST_ASSERT_EQ(*(uint32_t *)(page(vm, i) + 64), (round - 1) << 16 | i);
	kvm_vm_free(vm);
}

/* Replaced by a mapping of a file, then of anonymous memory again. */
static void test_remap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_check);
	struct ucall uc;
	unsigned int round;
	FILE *f = tmpfile();
	void *p;

	TEST_REQUIRE(f);
	TEST_ASSERT(!ftruncate(fileno(f), SLOT_SIZE), "ftruncate");
	for (round = 0; round < 20; round++) {
		p = mmap(page(vm, 0), SLOT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_FIXED | (round & 1 ? MAP_SHARED :
				      MAP_PRIVATE | MAP_ANONYMOUS),
			 round & 1 ? fileno(f) : -1, 0);
		TEST_ASSERT(p == page(vm, 0), "mmap");
		name_pages(vm, round);
		use_free_memory(4);
		vcpu_run_to_sync(vcpu, round, &uc);
		TEST_ASSERT_EQ(uc.args[1], PAGES);
	}
	kvm_vm_free(vm);
}

/* Unmapped: the next access is an error that userspace gets, not a crash. */
static void guest_touch(void)
{
	guest_map();
	*(volatile uint32_t *)EA = 1;
	GUEST_SYNC(1);
	*(volatile uint32_t *)(EA + 4) = 2;
	GUEST_DONE();
}

static void test_munmap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_touch);
	void *hva = page(vm, 0);

	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!munmap(hva, SLOT_SIZE), "munmap");
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EFAULT, "KVM_RUN, exit %u",
		    vcpu->run->exit_reason);
	/* The access is tried again, and works once there is memory. */
	TEST_ASSERT(mmap(hva, SLOT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == hva, "mmap");
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(((uint32_t *)hva)[1], 2);
	kvm_vm_free(vm);
}

/* Read-only for the host: stores fail with an error, loads go on. */
static void guest_read_then_write(void)
{
	guest_map();
	*(volatile uint32_t *)EA = 7;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(*(volatile uint32_t *)EA, 7);
	GUEST_SYNC(2);
	*(volatile uint32_t *)EA = 8;
	GUEST_DONE();
}

static void test_mprotect(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_read_then_write);

	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!mprotect(page(vm, 0), SLOT_SIZE, PROT_READ), "mprotect");
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EFAULT, "a store to a page the host may not write");
	TEST_ASSERT_EQ(*(uint32_t *)page(vm, 0), 7);
	TEST_ASSERT(!mprotect(page(vm, 0), SLOT_SIZE, PROT_READ | PROT_WRITE), "mprotect");
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(*(uint32_t *)page(vm, 0), 8);
	kvm_vm_free(vm);
}

/* After fork the pages are shared: a store of the guest must not reach the child. */
static void test_fork(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_check);
	int fds[2];
	char c;
	pid_t pid;

	int status;

	vcpu_run_to_sync(vcpu, 0, NULL);
	vcpu_run_to_sync(vcpu, 1, NULL);	/* warm, and writable */
	TEST_ASSERT(!pipe(fds), "pipe");
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		unsigned int i;

		if (read(fds[0], &c, 1) != 1)
			_exit(2);
		for (i = 0; i < PAGES; i++)
			if (*(uint32_t *)(page(vm, i) + 64) != i)
				_exit(1);
		_exit(0);
	}
	/* The guest stores to all pages. */
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT(write(fds[1], "x", 1) == 1, "write");
	TEST_ASSERT(waitpid(pid, &status, 0) == pid && status == 0,
		    "the child saw the guest's stores (0x%x)", status);
	TEST_ASSERT_EQ(*(uint32_t *)(page(vm, 9) + 64), 1 << 16 | 9);
	kvm_vm_free(vm);
}

/*
 * Copy on write by the host: the guest reads pages of a private file mapping,
 * then the host stores to them and has copies of its own, and the guest must
 * see those.
 *
 * When the host flushes a range or an address space, it empties the whole TLB
 * of a 44x, the guest's entries with it. Here it flushes single pages, so it
 * is KVM alone that ends the guest's translations.
 */
#define COW_PAGES	8u
#define FILE_NAME	0xf11eU

static uint32_t name_now;

static void guest_read_names(void)
{
	uint32_t i, v, named, old;

	guest_map();
	for (;;) {
		named = old = 0;
		for (i = 0; i < COW_PAGES; i++) {
			v = *(volatile uint32_t *)(EA + i * host_page);
			named += v == (name_now << 16 | i);
			old += v == (FILE_NAME << 16 | i);
		}
		GUEST_SYNC_ARGS(1, named, old);
	}
}

static void test_cow(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_read_names);
	FILE *f = tmpfile();
	struct ucall uc;
	unsigned int i;

	TEST_REQUIRE(f);
	TEST_ASSERT(!ftruncate(fileno(f), SLOT_SIZE), "ftruncate");
	for (i = 0; i < COW_PAGES; i++) {
		uint32_t v = FILE_NAME << 16 | i;

		TEST_ASSERT(pwrite(fileno(f), &v, 4, i * host_page) == 4, "pwrite");
	}
	TEST_ASSERT(mmap(page(vm, 0), SLOT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_FIXED | MAP_PRIVATE, fileno(f), 0) == page(vm, 0), "mmap");
	for (name_now = 1; name_now < 20; name_now++) {
		sync_global_to_guest(vm, name_now);
		vcpu_run_to_sync(vcpu, 1, &uc);
		TEST_ASSERT_EQ(uc.args[2], COW_PAGES);
		for (i = 0; i < COW_PAGES; i++)
			*(uint32_t *)page(vm, i) = name_now << 16 | i;
		vcpu_run_to_sync(vcpu, 1, &uc);
		TEST_ASSERT_EQ(uc.args[2], 0);
		TEST_ASSERT_EQ(uc.args[1], COW_PAGES);
		/* The copies go, and the file's pages are back. */
		TEST_ASSERT(!madvise(page(vm, 0), SLOT_SIZE, MADV_DONTNEED), "madvise");
	}
	kvm_vm_free(vm);
}

/* --- races --- */

static uint32_t stop, rounds;

/*
 * Each page holds zero, or its name in some round that is not older than the
 * last one seen; words of it that the guest counts in are the last count, or
 * zero again.
 */
static void guest_race(void)
{
	static uint32_t count[PAGES], last[PAGES];
	uint32_t i;

	guest_map();
	while (!READ_ONCE(stop)) {
		for (i = 0; i < PAGES; i++) {
			volatile uint32_t *p = (void *)(EA + i * host_page);
			uint32_t v = p[0], c = p[16];

			if (v) {
				if ((v & 0xffff) != i || v >> 16 < last[i])
					GUEST_FAIL("page holds: value, page, last",
						   v, i, last[i]);
				last[i] = v >> 16;
			}
			if (c && c != count[i])
				GUEST_FAIL("count is, was; page", c, count[i], i);
			p[16] = ++count[i];
		}
		rounds++;
	}
	GUEST_DONE();
}

struct race {
	struct kvm_vm *vm;
	int how;
	unsigned int done;
};

static void *race_thread(void *arg)
{
	struct race *r = arg;
	struct rng rng = { 5 };
	unsigned int round, i, n;

	/* Longer, if the guest has had no time. */
	for (round = 1; round < 150 || READ_ONCE(*guest_addr(r->vm, rounds)) < 2; round++) {
		i = rng_next(&rng) % PAGES;
		n = 1 + rng_next(&rng) % (PAGES - i);
		switch (r->how) {
		case 0:
			madvise(page(r->vm, i), n * host_page, MADV_DONTNEED);
			break;
		case 1:
			madvise(page(r->vm, i), n * host_page, MADV_PAGEOUT);
			break;
		case 2:
			mmap(page(r->vm, i), n * host_page, PROT_READ | PROT_WRITE,
			     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			break;
		}
		use_free_memory(4);
		/* An aligned word: the guest sees all of it or nothing. */
		for (; n; n--, i++)
			WRITE_ONCE(*(uint32_t *)page(r->vm, i), round << 16 | i);
		r->done++;
		if (rng_next(&rng) & 1)
			usleep(rng_next(&rng) % 3000);
	}
	WRITE_ONCE(*guest_addr(r->vm, stop), 1);
	return NULL;
}

static void race(int how)
{
	struct kvm_vcpu *vcpu;
	struct race r = { .how = how };
	pthread_t thread;

	r.vm = create(&vcpu, guest_race);
	TEST_ASSERT(!pthread_create(&thread, NULL, race_thread, &r), "pthread_create");
	vcpu_run_to_done(vcpu);
	pthread_join(thread, NULL);
	print_info("%u rounds of the host, %u of the guest", r.done,
		   *guest_addr(r.vm, rounds));
	kvm_vm_free(r.vm);
}

static void test_race_dontneed(void)
{
	race(0);
}

static void test_race_pageout(void)
{
	race(1);
}

static void test_race_remap(void)
{
	race(2);
}

/* --- ageing --- */

static int idle_fd(void)
{
	return open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
}

static uint64_t pfn_of(void *hva)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	TEST_ASSERT(fd >= 0, "pagemap");
	TEST_ASSERT(pread(fd, &entry, 8, (uintptr_t)hva / host_page * 8) == 8, "pagemap");
	close(fd);
	TEST_ASSERT(entry >> 63, "page not present");
	return entry & ((1ULL << 55) - 1);
}

static bool page_idle(int fd, uint64_t pfn)
{
	uint64_t bits;

	TEST_ASSERT(pread(fd, &bits, 8, pfn / 64 * 8) == 8, "page_idle");
	return bits >> pfn % 64 & 1;
}

static void set_idle(int fd, uint64_t pfn)
{
	uint64_t bits = 1ULL << pfn % 64;

	TEST_ASSERT(pwrite(fd, &bits, 8, pfn / 64 * 8) == 8, "page_idle");
}

#define AGE_PAGES	PAGES

static uint32_t touch_mask;

static void guest_age(void)
{
	uint32_t i;

	guest_map();
	for (;;) {
		for (i = 0; i < AGE_PAGES; i++)
			if (touch_mask >> i & 1)
				(void)*(volatile uint32_t *)(EA + i * host_page);
		GUEST_SYNC(1);
	}
}

/* Touched pages are young, others are idle: no more and no less. */
static void test_ageing(void)
{
	struct rng rng = { 77 };
	uint64_t pfn[AGE_PAGES];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int fd = idle_fd();
	unsigned int i, round;

	if (fd < 0 || access("/proc/self/pagemap", R_OK))
		test_skip("needs CONFIG_IDLE_PAGE_TRACKING and CONFIG_PROC_PAGE_MONITOR");
	vm = create(&vcpu, guest_age);
	for (i = 0; i < AGE_PAGES; i++) {
		memset(page(vm, i), 1, host_page);
		pfn[i] = pfn_of(page(vm, i));
	}
	/* New pages reach the LRU in batches, and only there they can be idle. */
	use_free_memory(64);
	touch_mask = ~0;
	sync_global_to_guest(vm, touch_mask);
	vcpu_run_to_sync(vcpu, 1, NULL);	/* all are warm */
	for (round = 0; round < 20; round++) {
		touch_mask = rng_next(&rng);
		sync_global_to_guest(vm, touch_mask);
		for (i = 0; i < AGE_PAGES; i++)
			set_idle(fd, pfn[i]);
		for (i = 0; i < AGE_PAGES; i++)
			TEST_ASSERT(page_idle(fd, pfn[i]), "round %u: page %u is young at once",
				    round, i);
		vcpu_run_to_sync(vcpu, 1, NULL);
		for (i = 0; i < AGE_PAGES; i++)
			TEST_ASSERT(page_idle(fd, pfn[i]) == !(touch_mask >> i & 1),
				    "round %u: page %u, touched %u", round, i,
				    touch_mask >> i & 1);
	}
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "dontneed", test_dontneed },
	{ "remap", test_remap },
	{ "munmap", test_munmap },
	{ "mprotect", test_mprotect },
	{ "fork", test_fork },
	{ "cow", test_cow },
	{ "race_dontneed", test_race_dontneed, 120 },
	{ "race_pageout", test_race_pageout, 120 },
	{ "race_remap", test_race_remap, 120 },
	{ "ageing", test_ageing },
};

TEST_MAIN(tests)
