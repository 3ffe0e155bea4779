// SPDX-License-Identifier: GPL-2.0
/*
 * The host changes what the guest's memory is, while the guest has it mapped in
 * KSEG0 and by its TLB, in several address spaces: a translation of what was
 * there must not be used again. Pages moved, dropped, copied; memslots, dirty
 * logging.
 */
#include <endian.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_util.h"

#define PAGES		16
#define SLOT_GPA	0x04000000UL
#define VA		0x00400000UL
#define KSEG0_VA	(GUEST_KSEG0 + SLOT_GPA)
#define LO(page, bits)	(LO_PFN(SLOT_GPA + (page) * host_page) | LO_C | (bits))
#define WORD(va, page)	(*(volatile uint32_t *)((va) + (page) * host_page))

/* --- guest --- */

/* The slot's pages at VA, in ASIDs 1 and 2; the first is the current one. */
static void map_slot(void)
{
	unsigned int i;

	for (i = 0; i < PAGES; i += 2) {
		guest_tlb_write(i, -1, (VA + i * host_page) | 1,
				LO(i, LO_V | LO_D), LO(i + 1, LO_V | LO_D));
		guest_tlb_write(i + 1, -1, (VA + i * host_page) | 2,
				LO(i, LO_V | LO_D), LO(i + 1, LO_V | LO_D));
	}
	write_c0(C0_ENTRYHI, 1);
}

/* Reads all pages in all ways; all must be @base + page. */
static void check_all(uint32_t base)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		GUEST_ASSERT_EQ(WORD(KSEG0_VA, i), base + i);
		write_c0(C0_ENTRYHI, 1);
		GUEST_ASSERT_EQ(WORD(VA, i), base + i);
		write_c0(C0_ENTRYHI, 2);
		GUEST_ASSERT_EQ(WORD(VA, i), base + i);
	}
	write_c0(C0_ENTRYHI, 1);
}

static void guest_checks(void)
{
	uint32_t round;

	map_slot();
	for (round = 1; ; round++) {
		check_all(round << 8);
		GUEST_SYNC(round);
	}
}

/* --- test --- */

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *guest,
			     struct mem_region **slot)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest);

	*slot = vm_mem_add(vm, 1, SLOT_GPA, PAGES * host_page, 0, NULL);
	return vm;
}

static void fill(void *mem, uint32_t base)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		WORD((char *)mem, i) = base + i;
}

/* Other pages behind the same addresses of the process */
static void test_remap(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_checks, &slot);
	uint32_t round;
	void *mem;

	for (round = 1; round <= 20; round++) {
		/* The old pages go where the guest must not see them. */
		if (round > 1) {
			mem = mremap(slot->hva, PAGES * host_page, PAGES * host_page,
				     MREMAP_MAYMOVE | MREMAP_FIXED,
				     (char *)slot->hva + 0x1000000);
			TEST_ASSERT(mem != MAP_FAILED, "mremap");
			mem = mmap(slot->hva, PAGES * host_page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			TEST_ASSERT(mem == slot->hva, "mmap");
		}
		fill(slot->hva, round << 8);
		vcpu_run_to_sync(vcpu, round, NULL);
	}
	kvm_vm_free(vm);
}

/*
 * The first use of a page maps those around it that the host has. Here the host has
 * half of them in one of its page tables and half in another. What is next to the first
 * in memory is, likely, the one that was made before or after it, of other memory.
 */
#define HALF	(PAGES / 2)

static void guest_reads_up(void)
{
	uint32_t round, i;

	for (round = 1; ; round++) {
		for (i = 0; i < PAGES; i++)
			GUEST_ASSERT_EQ(WORD(KSEG0_VA, i), round << 8 | i);
		GUEST_SYNC(round);
	}
}

static void write_half(char *mem, uint32_t val)
{
	unsigned int i;

	for (i = 0; i < HALF; i++)
		WORD(mem, i) = val + i;
}

static void test_two_tables(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_reads_up);
	/* What a page table maps */
	size_t span = host_page / 4 * host_page, half = HALF * host_page;
	char *reserved, *first, *mem;
	uint32_t round;

	for (round = 1; round <= 20; round++) {
		reserved = mmap(NULL, 5 * span, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		TEST_ASSERT(reserved != MAP_FAILED, "mmap");
		first = (char *)(((uintptr_t)reserved + span - 1) & -span);
		mem = first + 2 * span - half;
		write_half(first, 0xdead0000);
		write_half(mem, round << 8);
		write_half(first + 3 * span, 0xdead0000);
		write_half(mem + half, round << 8 | HALF);
		TEST_ASSERT(!__vm_mem_set(vm, 1, SLOT_GPA, 2 * half, 0, mem), "slot 1");
		vcpu_run_to_sync(vcpu, round, NULL);
		TEST_ASSERT(!__vm_mem_set(vm, 1, SLOT_GPA, 0, 0, NULL), "slot 1");
		munmap(reserved, 5 * span);
	}
	kvm_vm_free(vm);
}

/* Pages are dropped, and come back as zeroes. */
static void guest_zero(void)
{
	map_slot();
	check_all(0x100);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(WORD(VA, 3), 0);
	GUEST_ASSERT_EQ(WORD(KSEG0_VA, 3), 0);
	GUEST_ASSERT_EQ(WORD(VA, 2), 0x102);
	GUEST_ASSERT_EQ(WORD(VA, 4), 0x104);
	WORD(VA, 3) = 0x103;
	check_all(0x100);
	GUEST_DONE();
}

static void test_drop(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_zero, &slot);

	fill(slot->hva, 0x100);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!madvise((char *)slot->hva + 3 * host_page, host_page,
			     MADV_DONTNEED), "madvise");
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(WORD((char *)slot->hva, 3), 0x103);
	kvm_vm_free(vm);
}

/* The same through a page of the guest's that is as large as the slot, or larger */
static void guest_zero_large(void)
{
	uint32_t mask = 32 * host_page - 1;
	unsigned int i;

	for (; mask <= 0x1fffffff; mask = mask << 2 | 3) {
		uint32_t gpa = SLOT_GPA & ~(mask >> 1);
		unsigned long va = 0x20000000 + (SLOT_GPA - gpa);

		guest_tlb_write(1, mask & ~0x1fff, 0x20000000,
				LO_PFN(gpa) | LO_C | LO_V | LO_D | LO_G, LO_G);
		for (i = 0; i < PAGES / 2; i++)
			GUEST_ASSERT_EQ(WORD(va, i), 0x100 + i);
		GUEST_SYNC(1);
		GUEST_ASSERT_EQ(WORD(va, 3), 0);
		GUEST_ASSERT_EQ(WORD(va, 2), 0x102);
		WORD(va, 3) = 0x103;
	}
	GUEST_DONE();
}

static void test_drop_large(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_zero_large, &slot);
	uint32_t mask;

	fill(slot->hva, 0x100);
	for (mask = 32 * host_page - 1; mask <= 0x1fffffff; mask = mask << 2 | 3) {
		vcpu_run_to_sync(vcpu, 1, NULL);
		TEST_ASSERT_EQ(WORD((char *)slot->hva, 3), 0x103);
		TEST_ASSERT(!madvise((char *)slot->hva + 3 * host_page, host_page,
				     MADV_DONTNEED), "madvise");
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* Copy on write: after fork() the guest writes to a page of its own. */
static void guest_writes(void)
{
	uint32_t round, i;

	map_slot();
	check_all(0x100);
	for (round = 2; round <= 5; round++) {
		GUEST_SYNC(round - 1);
		for (i = 0; i < PAGES; i++)
			WORD(i & 1 ? VA : KSEG0_VA, i) = (round << 8) + i;
		check_all(round << 8);
	}
	GUEST_DONE();
}

static void test_fork(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_writes, &slot);
	int round, status, pid, p[2];
	char c = 0;

	fill(slot->hva, 0x100);
	vcpu_run_to_sync(vcpu, 1, NULL);
	for (round = 1; round <= 4; round++) {
		TEST_ASSERT(!pipe(p), "pipe");
		pid = fork();
		if (!pid) {
			/* The child keeps the pages as they are now. */
			if (read(p[0], &c, 1) != 1)
				_exit(2);
			_exit(WORD((char *)slot->hva, 7) != (round << 8 | 7U));
		}
		if (round < 4)
			vcpu_run_to_sync(vcpu, round + 1, NULL);
		else
			vcpu_run_to_done(vcpu);
		TEST_ASSERT_EQ(WORD((char *)slot->hva, 7), ((round + 1) << 8) + 7);
		TEST_ASSERT(write(p[1], &c, 1) == 1, "write");
		TEST_ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
		TEST_ASSERT_EQ(status, 0);
		close(p[0]);
		close(p[1]);
	}
	kvm_vm_free(vm);
}

/* --- memslots --- */

static bool unclaimed(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		      unsigned int len, bool is_write)
{
	uint32_t val = 0xffff0000 + (gpa - SLOT_GPA) / host_page;

	if (gpa < SLOT_GPA || gpa >= SLOT_GPA + PAGES * host_page || is_write)
		return false;
	memcpy(data, &val, 4);
	return true;
}

static const struct vm_ops unclaimed_ops = { .mmio = unclaimed };

static void guest_memslots(void)
{
	map_slot();
	check_all(0x100);
	GUEST_SYNC(1);
	/* There is none: devices. */
	check_all(0xffff0000);
	GUEST_SYNC(2);
	check_all(0x100);
	GUEST_SYNC(3);
	/* It is elsewhere. */
	check_all(0xffff0000);
	GUEST_ASSERT_EQ(WORD(KSEG0_VA + 0x400000, 5), 0x105);
	GUEST_SYNC(4);
	check_all(0x100);
	GUEST_SYNC(5);
	/* Other memory */
	check_all(0x200);
	GUEST_DONE();
}

static void test_memslots(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_memslots, &slot);
	void *mem;

	vm->ops = &unclaimed_ops;
	fill(slot->hva, 0x100);
	vcpu_run_to_sync(vcpu, 1, NULL);
	vm_mem_delete(vm, 1);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vm_mem_restore(vm, 1);
	vcpu_run_to_sync(vcpu, 3, NULL);
	vm_mem_move(vm, 1, SLOT_GPA + 0x400000);
	vcpu_run_to_sync(vcpu, 4, NULL);
	vm_mem_move(vm, 1, SLOT_GPA);
	vcpu_run_to_sync(vcpu, 5, NULL);
	vm_mem_delete(vm, 1);
	mem = mmap(NULL, PAGES * host_page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(mem, 0x200);
	TEST_ASSERT(!__vm_mem_set(vm, 2, SLOT_GPA, PAGES * host_page, 0, mem), "slot 2");
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A read-only slot: stores are devices' business. */
static uint32_t rom_stores;

static bool rom_store(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		      unsigned int len, bool is_write)
{
	if (!is_write || gpa != SLOT_GPA + host_page)
		return false;
	rom_stores++;
	return true;
}

static const struct vm_ops rom_ops = { .mmio = rom_store };

static void guest_rom(void)
{
	map_slot();
	WORD(KSEG0_VA, 1) = 1;
	check_all(0x100);
	WORD(VA, 1) = 2;
	WORD(KSEG0_VA, 1) = 3;
	check_all(0x100);
	GUEST_DONE();
}

static void test_rom(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_rom);
	struct mem_region *slot = vm_mem_add(vm, 1, SLOT_GPA, PAGES * host_page,
					     KVM_MEM_READONLY, NULL);

	vm->ops = &rom_ops;
	fill(slot->hva, 0x100);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(rom_stores, 3);
	kvm_vm_free(vm);
}

/* --- dirty logging --- */

static void guest_dirty(void)
{
	unsigned int i;

	map_slot();
	/* All are mapped, and written, before the log is switched on. */
	for (i = 0; i < PAGES; i++) {
		WORD(VA, i) = i;
		WORD(KSEG0_VA, i) = 0x100 + i;
	}
	GUEST_SYNC(1);
	check_all(0x100);
	GUEST_SYNC(2);
	WORD(VA, 3) = 0x103;
	WORD(KSEG0_VA, 6) = 0x106;
	write_c0(C0_ENTRYHI, 2);
	WORD(VA, 9) = 0x109;
	GUEST_SYNC(3);
	WORD(VA, 9) = 0x109;
	write_c0(C0_ENTRYHI, 1);
	WORD(VA, 3) = 0x103;
	WORD(VA, 9) = 0x109;
	GUEST_SYNC(4);
	check_all(0x100);
	GUEST_DONE();
}

/* Bit n is page n's: KVM has them in bytes in this order, wherever it runs. */
static uint32_t dirty(struct kvm_vm *vm)
{
	uint32_t bitmap[2] = {};

	vm_get_dirty_log(vm, 1, bitmap);
	return le32toh(bitmap[0]);
}

static void test_dirty_log(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_dirty, &slot);

	vcpu_run_to_sync(vcpu, 1, NULL);
	vm_mem_set_flags(vm, 1, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT_EQ(dirty(vm), 0);
	vcpu_run_to_sync(vcpu, 3, NULL);
	TEST_ASSERT_EQ(dirty(vm), 1 << 3 | 1 << 6 | 1 << 9);
	vcpu_run_to_sync(vcpu, 4, NULL);
	TEST_ASSERT_EQ(dirty(vm), 1 << 3 | 1 << 9);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(dirty(vm), 0);
	kvm_vm_free(vm);
}

static void guest_dirty_neighbours(void)
{
	GUEST_ASSERT_EQ(WORD(KSEG0_VA, 5), 0x105);
	GUEST_SYNC(1);
	WORD(KSEG0_VA, 4) = 0x104;
	WORD(KSEG0_VA, 7) = 0x107;
	map_slot();
	WORD(VA, 9) = 0x109;
	GUEST_SYNC(2);
	check_all(0x100);
	GUEST_DONE();
}

/*
 * Pages that userspace has written, and that KVM may have mapped with the one that
 * the guest has used: the first store to each is logged, whenever the log was
 * switched on.
 */
static void test_dirty_neighbours(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm;
	unsigned int late;

	for (late = 0; late < 2; late++) {
		vm = create(&vcpu, guest_dirty_neighbours, &slot);
		fill(slot->hva, 0x100);
		if (!late)
			vm_mem_set_flags(vm, 1, KVM_MEM_LOG_DIRTY_PAGES);
		vcpu_run_to_sync(vcpu, 1, NULL);
		if (late)
			vm_mem_set_flags(vm, 1, KVM_MEM_LOG_DIRTY_PAGES);
		TEST_ASSERT_EQ(dirty(vm), 0);
		vcpu_run_to_sync(vcpu, 2, NULL);
		TEST_ASSERT_EQ(dirty(vm), 1 << 4 | 1 << 7 | 1 << 9);
		vcpu_run_to_done(vcpu);
		TEST_ASSERT_EQ(dirty(vm), 0);
		kvm_vm_free(vm);
	}
}

/* --- while the guest runs --- */

/*
 * Pages whose words only grow: the thread writes the next number to a fresh page
 * and puts that where the old one was. A guest that reads less than before has
 * used a page it has no more.
 */
static uint32_t storm_rounds;

static void guest_storm(void)
{
	uint32_t last[PAGES] = {}, val, n, i;

	map_slot();
	for (n = 0; ; n++) {
		write_c0(C0_ENTRYHI, 1 + n % 2);
		for (i = 0; i < PAGES; i++) {
			val = n & 4 ? WORD(KSEG0_VA, i) : WORD(VA, i);
			if (val < last[i])
				GUEST_FAIL("a page of the past", val, last[i]);
			last[i] = val;
		}
		if (!(n % 256))
			GUEST_SYNC_ARGS(1, last[0]);
	}
}

static volatile bool storm_ends;

static void *storm(void *arg)
{
	struct mem_region *slot = arg;
	char *fresh = (char *)slot->hva + 0x1000000;
	uint32_t n;

	for (n = 1; !storm_ends; n++) {
		int i = n % PAGES;

		mmap(fresh, host_page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*(volatile uint32_t *)fresh = n;
		mremap(fresh, host_page, host_page, MREMAP_MAYMOVE | MREMAP_FIXED,
		       (char *)slot->hva + i * host_page);
		if (!(n % 8))
			usleep(1);
		storm_rounds = n;
	}
	return NULL;
}

static void test_storm(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *slot;
	struct kvm_vm *vm = create(&vcpu, guest_storm, &slot);
	pthread_t thread;
	uint32_t rounds = 3000;
	struct ucall uc;

	/* Then each is an interrupt of the guest's CPU, which QEMU is slow at. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		rounds = 100;
	TEST_ASSERT(!pthread_create(&thread, NULL, storm, slot), "thread");
	do {
		vcpu_run_to_sync(vcpu, 1, &uc);
	} while (storm_rounds < rounds);
	storm_ends = true;
	pthread_join(thread, NULL);
	TEST_ASSERT(uc.args[1] > 0, "the guest saw none of it");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "remap", test_remap },
	{ "two_tables", test_two_tables },
	{ "drop", test_drop },
	{ "drop_large", test_drop_large },
	{ "fork", test_fork },
	{ "memslots", test_memslots },
	{ "rom", test_rom },
	{ "dirty_log", test_dirty_log },
	{ "dirty_neighbours", test_dirty_neighbours },
	{ "storm", test_storm },
};

TEST_MAIN(tests)
