// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's TLB: what each kind of entry allows, which exception it gets
 * otherwise, and that an entry which was replaced is never used again, although
 * KVM keeps translations for all of the guest's address spaces.
 */
#include <sys/mman.h>

#include "kvm_util.h"

#define VA		0x00400000UL
#define FRAME(n)	(GUEST_FREE_BASE + (n) * host_page)
#define RAM(gpa)	(*(volatile uint32_t *)(GUEST_KSEG0 + (gpa)))
#define NR_ENTRIES	64

#define LO(n, bits)	(LO_PFN(FRAME(n)) | LO_C | (bits))
#define RW		(LO_V | LO_D)

static void fill_frames(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		RAM(FRAME(i)) = 0xf0000000 + i;
}

static uint32_t load(unsigned long va)
{
	uint32_t val = 0;

	GUEST_ASSERT_EQ(guest_load(va, &val), EXC_NONE);
	return val;
}

#define ASSERT_FRAME(va, n)	GUEST_ASSERT_EQ(load(va), 0xf0000000 + (n))

static void set_asid(unsigned int asid)
{
	write_c0(C0_ENTRYHI, asid);
}

/* --- exceptions --- */

static void guest_misses(void)
{
	uint32_t val;

	fill_frames(4);
	set_asid(5);
	write_c0(C0_CONTEXT, 0x12800000);
	GUEST_ASSERT_EQ(guest_load(VA + 8, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_caught.vector, 0);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, VA + 8);
	GUEST_ASSERT_EQ(read_c0(C0_ENTRYHI), ((VA + 8) & ~0x1fff) | 5);
	GUEST_ASSERT_EQ(read_c0(C0_CONTEXT), 0x12800000 | (VA >> 13 << 4));
	GUEST_ASSERT_EQ(guest_store(GUEST_KSEG2 + 4, 1), EXC_TLBS);
	GUEST_ASSERT_EQ(guest_caught.vector, 0);
	GUEST_ASSERT_EQ(read_c0(C0_ENTRYHI), GUEST_KSEG2 | 5);

	/* An entry that is not valid is no miss. */
	guest_tlb_write(3, -1, VA | 5, LO(0, 0), LO(1, RW));
	GUEST_ASSERT_EQ(guest_load(VA, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	GUEST_ASSERT_EQ(guest_store(VA, 1), EXC_TLBS);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	ASSERT_FRAME(VA + host_page, 1);
	/* Nor one that may not be written. */
	guest_tlb_write(3, -1, VA | 5, LO(2, LO_V), LO(3, RW));
	ASSERT_FRAME(VA, 2);
	GUEST_ASSERT_EQ(guest_store(VA + 4, 1), EXC_MOD);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, VA + 4);
	GUEST_ASSERT_EQ(guest_store(VA + host_page + 4, 7), EXC_NONE);
	GUEST_ASSERT_EQ(RAM(FRAME(3) + 4), 7);
	GUEST_ASSERT_EQ(RAM(FRAME(2) + 4), 0);
	/* A store before any load, to a page that may not be written. */
	guest_tlb_write(3, -1, VA | 5, LO(0, LO_V), LO(1, 0));
	GUEST_ASSERT_EQ(guest_store(VA + 4, 1), EXC_MOD);
	GUEST_ASSERT_EQ(guest_store(VA + host_page, 1), EXC_TLBS);
	ASSERT_FRAME(VA, 0);
	GUEST_DONE();
}

/* --- TLBP, TLBR, TLBWR, Wired, Random --- */

static void guest_instructions(void)
{
	uint32_t mask, hi, lo0, lo1, i, random;
	uint32_t min_mask = (2 * host_page - 1) & ~0x1fff;

	fill_frames(2);
	set_asid(9);
	for (i = 0; i < NR_ENTRIES; i++)
		guest_tlb_write(i, -1, (VA + i * 2 * host_page) | i,
				LO(i, LO_V), LO(i + 1, RW));
	for (i = 0; i < NR_ENTRIES; i++) {
		guest_tlb_read(i, &mask, &hi, &lo0, &lo1);
		GUEST_ASSERT_EQ(mask, min_mask);
		GUEST_ASSERT_EQ(hi, (VA + i * 2 * host_page) | i);
		GUEST_ASSERT_EQ(lo0, LO(i, LO_V));
		GUEST_ASSERT_EQ(lo1, LO(i + 1, RW));
		GUEST_ASSERT_EQ(guest_tlb_probe((VA + i * 2 * host_page) | i), i);
		GUEST_ASSERT_EQ(guest_tlb_probe((VA + i * 2 * host_page) | (i ^ 1)),
				0x80000000);
	}
	GUEST_ASSERT_EQ(guest_tlb_probe(VA + i * 2 * host_page), 0x80000000);
	/* G is that of both halves, and then the ASID does not matter. */
	guest_tlb_write(7, -1, VA | 1, LO(0, LO_V | LO_G), LO(1, LO_V));
	guest_tlb_read(7, &mask, &hi, &lo0, &lo1);
	GUEST_ASSERT_EQ((lo0 | lo1) & LO_G, 0);
	guest_tlb_clear(0);
	guest_tlb_write(7, -1, VA | 1, LO(0, LO_V | LO_G), LO(1, LO_V | LO_G));
	GUEST_ASSERT_EQ(guest_tlb_probe(VA | 77), 7);
	/* TLBR changes the ASID: what it reads is an entry of ASID 20. */
	write_c0(C0_INDEX, 20);
	asm volatile("tlbr; ehb");
	GUEST_ASSERT_EQ(read_c0(C0_ENTRYHI) & 0xff, 20);
	ASSERT_FRAME(VA, 0);

	/* Wired entries stay. */
	write_c0(C0_WIRED, 60);
	for (i = 0; i < 200; i++) {
		random = read_c0(C0_RANDOM);
		GUEST_ASSERT(random >= 60 && random < NR_ENTRIES);
		guest_tlb_write_random(GUEST_KSEG2 + i * 2 * host_page, LO(0, RW), LO(1, RW));
	}
	for (i = 8; i < 60; i++) {
		guest_tlb_read(i, &mask, &hi, &lo0, &lo1);
		GUEST_ASSERT_EQ(hi, (VA + i * 2 * host_page) | i);
	}
	GUEST_DONE();
}

/* --- replaced entries --- */

static void guest_replace(void)
{
	uint32_t val, i;

	fill_frames(70);
	/* The same page, another frame */
	for (i = 0; i < 40; i += 2) {
		guest_tlb_write(i % 5, -1, VA, LO(i, RW), LO(i + 1, RW));
		ASSERT_FRAME(VA, i);
		ASSERT_FRAME(VA + host_page, i + 1);
		if (i % 5 != (i + 2) % 5)
			guest_tlb_clear(i % 5);
	}
	/* Another page: the one before is gone */
	guest_tlb_write(9, -1, VA + 0x100000, LO(0, RW), LO(1, RW));
	ASSERT_FRAME(VA + 0x100000, 0);
	guest_tlb_write(9, -1, VA + 0x200000, LO(2, RW), LO(3, RW));
	GUEST_ASSERT_EQ(guest_load(VA + 0x100000, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_load(VA + 0x100000 + host_page, &val), EXC_TLBL);
	ASSERT_FRAME(VA + 0x200000 + host_page, 3);
	/* Its permissions are taken back, one by one. */
	GUEST_ASSERT_EQ(guest_store(VA + 0x200000, 0xf0000002), EXC_NONE);
	guest_tlb_write(9, -1, VA + 0x200000, LO(2, LO_V), LO(3, RW));
	GUEST_ASSERT_EQ(guest_store(VA + 0x200000, 1), EXC_MOD);
	guest_tlb_write(9, -1, VA + 0x200000, LO(2, 0), LO(3, RW));
	GUEST_ASSERT_EQ(guest_load(VA + 0x200000, &val), EXC_TLBL);
	ASSERT_FRAME(VA + 0x200000 + host_page, 3);
	guest_tlb_write(9, -1, VA + 0x200000, LO(2, LO_V), LO(3, 0));
	ASSERT_FRAME(VA + 0x200000, 2);
	GUEST_ASSERT_EQ(guest_load(VA + 0x200000 + host_page, &val), EXC_TLBL);
	guest_tlb_clear(9);
	/* More pages than entries, in all entries by turns */
	for (i = 0; i < 200; i++) {
		guest_tlb_write(i % NR_ENTRIES, -1, VA + i * 2 * host_page,
				LO(i % 70, RW), LO((i + 1) % 70, RW));
		ASSERT_FRAME(VA + i * 2 * host_page, i % 70);
		if (i >= NR_ENTRIES)
			GUEST_ASSERT_EQ(guest_load(VA + (i - NR_ENTRIES) * 2 * host_page,
						   &val), EXC_TLBL);
	}
	GUEST_DONE();
}

/* User mode has the same translations, and loses them, too. */
static void guest_replace_user(void)
{
	uint32_t val, i;

	fill_frames(40);
	write_c0(C0_WIRED, 1);
	guest_map_program(0);
	/* Above the RAM that the program is mapped in */
	for (i = 0; i < 30; i++) {
		guest_tlb_write(5, -1, 0x10000000, LO(i, RW), LO(i + 1, LO_V));
		GUEST_ASSERT_EQ(guest_user_load(0x10000000, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, 0xf0000000 + i);
		ASSERT_FRAME(0x10000000 + host_page, i + 1);
		GUEST_ASSERT_EQ(guest_user_load(0x10000000 + host_page, &val), EXC_NONE);
		GUEST_ASSERT_EQ(val, 0xf0000000 + i + 1);
		GUEST_ASSERT_EQ(guest_user_store(0x10000000 + host_page, 1), EXC_MOD);
	}
	guest_tlb_clear(5);
	GUEST_ASSERT_EQ(guest_user_load(0x10000000, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_load(0x10000000, &val), EXC_TLBL);
	GUEST_DONE();
}

/* --- ASIDs --- */

#define ASIDS	40	/* more than KVM keeps address spaces for */

static void guest_asids(void)
{
	uint32_t i, round, val;

	fill_frames(2 * ASIDS);
	for (i = 0; i < ASIDS; i++)
		guest_tlb_write(i, -1, VA | i, LO(2 * i, RW), LO(2 * i + 1, RW));
	for (round = 0; round < 3; round++)
		for (i = 0; i < ASIDS; i++) {
			set_asid(i);
			ASSERT_FRAME(VA, 2 * i);
			ASSERT_FRAME(VA + host_page, 2 * i + 1);
		}
	set_asid(ASIDS);
	GUEST_ASSERT_EQ(guest_load(VA, &val), EXC_TLBL);
	/* Another address space changes an entry of this one while it is away. */
	set_asid(3);
	ASSERT_FRAME(VA, 6);
	set_asid(4);
	guest_tlb_write(3, -1, VA | 3, LO(0, RW), LO(1, LO_V));
	set_asid(3);
	ASSERT_FRAME(VA, 0);
	GUEST_ASSERT_EQ(guest_store(VA + host_page, 1), EXC_MOD);
	set_asid(4);
	ASSERT_FRAME(VA, 8);
	guest_tlb_clear(3);
	set_asid(3);
	GUEST_ASSERT_EQ(guest_load(VA, &val), EXC_TLBL);
	GUEST_DONE();
}

#define FEW_ASIDS 10	/* fewer: what the first ones have is still there */

/* A global entry is used and lost in all address spaces. */
static void guest_global(void)
{
	uint32_t i, val;

	fill_frames(4);
	guest_tlb_write(0, -1, GUEST_KSEG2, LO(0, RW | LO_G), LO(1, RW | LO_G));
	guest_tlb_write(1, -1, VA, LO(2, RW | LO_G), LO(3, RW | LO_G));
	for (i = 0; i < FEW_ASIDS; i++) {
		set_asid(i);
		ASSERT_FRAME(GUEST_KSEG2, 0);
		ASSERT_FRAME(VA + host_page, 3);
	}
	guest_tlb_write(0, -1, GUEST_KSEG2, LO(1, RW | LO_G), LO(0, LO_V | LO_G));
	guest_tlb_clear(1);
	for (i = 0; i < FEW_ASIDS; i++) {
		set_asid(i);
		ASSERT_FRAME(GUEST_KSEG2, 1);
		GUEST_ASSERT_EQ(guest_store(GUEST_KSEG2 + host_page, 1), EXC_MOD);
		GUEST_ASSERT_EQ(guest_load(VA + host_page, &val), EXC_TLBL);
	}
	GUEST_DONE();
}

/* --- large pages --- */

static void guest_large(void)
{
	uint32_t mask = (2 * host_page - 1) & ~0x1fff, size, val, hi, lo0, lo1, got;
	unsigned long off, base;

	/* Every page of RAM says where it is. */
	for (off = GUEST_FREE_BASE; off < GUEST_STACK_TOP - 0x100000; off += host_page)
		RAM(off + 4) = off;
	for (; mask <= 0x1fffe000; mask = mask << 2 | 0x6000) {
		size = ((mask | 0x1fff) + 1) / 2;
		base = size < 0x10000000 ? 0x20000000 : 0x20000000;
		/* Bits of addresses below the page's size do not matter. */
		guest_tlb_write(2, mask, base + (size > 0x10000 ? 0x8000 : 0),
				LO_PFN(GUEST_FREE_BASE & ~(size - 1)) | LO_C | RW,
				LO_PFN(0x10000000) | LO_C);
		guest_tlb_read(2, &got, &hi, &lo0, &lo1);
		GUEST_ASSERT_EQ(got, mask);
		for (off = 0; off < size; off += host_page) {
			unsigned long pa = (GUEST_FREE_BASE & ~(size - 1)) + off;

			if (pa < GUEST_FREE_BASE || pa >= GUEST_STACK_TOP - 0x100000)
				continue;
			GUEST_ASSERT_EQ(load(base + off + 4), pa);
			if (off > 0x100000)
				off += 7 * host_page;
		}
		GUEST_ASSERT_EQ(guest_load(base + size, &val), EXC_TLBL);
		GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
		/* The whole of it is gone afterwards. */
		guest_tlb_clear(2);
		for (off = 0; off < size && off < 0x200000; off += host_page)
			GUEST_ASSERT_EQ(guest_load(base + off, &val), EXC_TLBL);
	}
	/* A small entry where a large one was, and around it nothing */
	guest_tlb_write(2, 0x1fe000, VA, LO_PFN(GUEST_FREE_BASE) | LO_C | RW, 0);
	GUEST_ASSERT_EQ(load(VA + 3 * host_page + 4), FRAME(3));
	guest_tlb_write(2, -1, VA + 2 * host_page, LO(0, RW), LO(1, RW));
	GUEST_ASSERT_EQ(load(VA + 3 * host_page + 4), FRAME(1));
	GUEST_ASSERT_EQ(guest_load(VA, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_load(VA + 4 * host_page, &val), EXC_TLBL);
	GUEST_DONE();
}

/* Two entries for one page are undefined, but not harmful: either is used. */
static void guest_overlap(void)
{
	uint32_t val;

	fill_frames(4);
	guest_tlb_write(1, -1, VA, LO(0, RW), LO(1, RW));
	guest_tlb_write(2, -1, VA, LO(2, RW), LO(3, RW));
	val = load(VA);
	GUEST_ASSERT(val == 0xf0000000 || val == 0xf0000002);
	guest_tlb_clear(2);
	ASSERT_FRAME(VA, 0);
	ASSERT_FRAME(VA + host_page, 1);
	guest_tlb_write(3, 0x1fe000, VA, LO_PFN(GUEST_FREE_BASE) | LO_C | RW, 0);
	guest_tlb_clear(1);
	ASSERT_FRAME(VA, 0);
	ASSERT_FRAME(VA + 3 * host_page, 3);
	guest_tlb_clear(3);
	GUEST_ASSERT_EQ(guest_load(VA, &val), EXC_TLBL);
	GUEST_DONE();
}

/* --- what is executed --- */

static void guest_execute(void)
{
	uint32_t i, *p;

	/* Functions that return their frame's number */
	for (i = 0; i < 4; i++) {
		p = (uint32_t *)(GUEST_KSEG0 + FRAME(i));
		p[0] = 0x03e00008;	/* jr $31 */
		p[1] = 0x24020000 | i;	/* li $2, i */
		arch_sync_icache(p, 8);
	}
	for (i = 0; i < 4; i++) {
		guest_tlb_write(1, -1, GUEST_KSEG2, LO(i, LO_V), LO(3 - i, LO_V));
		GUEST_ASSERT_EQ(((uint32_t (*)(void))GUEST_KSEG2)(), i);
		GUEST_ASSERT_EQ(((uint32_t (*)(void))(GUEST_KSEG2 + host_page))(), 3 - i);
	}
	/* An instruction to emulate, fetched from there */
	p = (uint32_t *)(GUEST_KSEG0 + FRAME(0));
	p[0] = 0x03e00008;		/* jr $31 */
	p[1] = 0x40027800;		/* mfc0 $2, $15 */
	arch_sync_icache(p, 8);
	guest_tlb_write(1, -1, GUEST_KSEG2, LO(0, LO_V), LO(1, LO_V));
	GUEST_ASSERT_EQ(((uint32_t (*)(void))GUEST_KSEG2)(), 0x19300);
	GUEST_DONE();
}

/* A device through the TLB */
static uint32_t device_val;

static bool device(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		   unsigned int len, bool is_write)
{
	if (gpa != GUEST_MMIO_BASE + 0x10)
		return false;
	memcpy(is_write ? (void *)&device_val : data,
	       is_write ? data : (void *)&device_val, len);
	return true;
}

static const struct vm_ops device_ops = { .mmio = device };

static void guest_device(void)
{
	unsigned long page = GUEST_MMIO_BASE & ~(2 * host_page - 1);
	unsigned long va = GUEST_KSEG2 + GUEST_MMIO_BASE - page + 0x10;

	guest_tlb_write(0, -1, GUEST_KSEG2, LO_PFN(page) | RW | (2 << 3),
			LO_PFN(page + host_page) | RW | (2 << 3));
	*(volatile uint32_t *)va = 0x1234;
	GUEST_ASSERT_EQ(*(volatile uint32_t *)va, 0x1234);
	GUEST_DONE();
}

/* --- Status.ERL: useg is memory, without the TLB --- */

#define UNMAPPED(gpa)	(*(volatile uint32_t *)(gpa))
#define REG_STATUS	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | 8 * 12)

static void eret_from_error(void)
{
	asm volatile(".set push; .set noreorder\n"
		     "lui $2, %%hi(1f)\n addiu $2, $2, %%lo(1f)\n mtc0 $2, $30\n"
		     "ehb\n eret\n1:\n"
		     ".set pop" : : : "$2", "memory");
}

/* Exceptions would return to ErrorEPC: there are none while ERL is set. */
static void guest_error_level(void)
{
	unsigned long va = FRAME(8), device = GUEST_MMIO_BASE + 0x10;
	uint32_t *p, i, val;

	fill_frames(12);
	p = (uint32_t *)(GUEST_KSEG0 + FRAME(10));
	p[0] = 0x03e00008;		/* jr $31 */
	p[1] = 0x40027800;		/* mfc0 $2, $15 */
	arch_sync_icache(p, 8);
	set_asid(3);
	for (i = 0; i < 3; i++) {
		guest_tlb_write(2, -1, va | 3, LO(2, RW), LO(3, RW));
		ASSERT_FRAME(va, 2);
		ASSERT_FRAME(va + host_page, 3);

		write_c0(C0_STATUS, ST_ERL);
		GUEST_ASSERT_EQ(UNMAPPED(va), 0xf0000008);
		GUEST_ASSERT_EQ(UNMAPPED(va + host_page), 0xf0000009);
		GUEST_ASSERT_EQ(UNMAPPED(FRAME(5)), 0xf0000005);
		UNMAPPED(va + 4) = 0x1234 + i;
		GUEST_ASSERT_EQ(RAM(FRAME(8) + 4), 0x1234 + i);
		GUEST_ASSERT_EQ(((uint32_t (*)(void))FRAME(10))(), 0x19300);
		UNMAPPED(device) = 0x4321 + i;
		GUEST_ASSERT_EQ(UNMAPPED(device), 0x4321 + i);
		/* What the TLB would map there is replaced, also by a large page. */
		guest_tlb_write(4, 0x1ffe000, 3, LO_PFN(0) | LO_C | RW, 0);
		guest_tlb_write(4, -1, 0x80000000, 0, 0);
		guest_tlb_write(2, -1, va | 3, LO(6, RW), LO(7, RW));
		GUEST_ASSERT_EQ(UNMAPPED(va), 0xf0000008);
		GUEST_ASSERT_EQ(RAM(FRAME(8)), 0xf0000008);
		/* Other segments are as ever, and so is useg of another ASID. */
		guest_tlb_write(3, -1, GUEST_KSEG2 | 3, LO(4, RW), LO(5, RW));
		ASSERT_FRAME(GUEST_KSEG2, 4);
		set_asid(100 + i);
		GUEST_ASSERT_EQ(UNMAPPED(va), 0xf0000008);
		set_asid(3);

		if (i == 0)
			eret_from_error();
		else if (i == 1)
			write_c0(C0_STATUS, 0);
		else
			GUEST_SYNC(1);
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), 0);
		ASSERT_FRAME(va, 6);
		ASSERT_FRAME(va + host_page, 7);
		ASSERT_FRAME(GUEST_KSEG2, 4);
		GUEST_ASSERT_EQ(guest_load(FRAME(4), &val), EXC_TLBL);
		set_asid(100 + i);
		GUEST_ASSERT_EQ(guest_load(va, &val), EXC_TLBL);
		set_asid(3);
	}
	/* The host takes the page away. */
	write_c0(C0_STATUS, ST_ERL);
	GUEST_ASSERT_EQ(UNMAPPED(va), 0xf0000008);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(UNMAPPED(va), 0);
	UNMAPPED(va) = 1;
	GUEST_SYNC(3);
	GUEST_DONE();
}

static void test_error_level(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_error_level);
	volatile uint32_t *page = addr_gpa2hva(vm, FRAME(8));

	vm->ops = &device_ops;
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_STATUS), ST_ERL);
	vcpu_set_reg(vcpu, REG_STATUS, 0);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT(!madvise((void *)page, host_page, MADV_DONTNEED), "madvise");
	vcpu_run_to_sync(vcpu, 3, NULL);
	TEST_ASSERT_EQ(*page, 1);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void run(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest);

	vm->ops = &device_ops;
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_misses(void) { run(guest_misses); }
static void test_instructions(void) { run(guest_instructions); }
static void test_replace(void) { run(guest_replace); }
static void test_replace_user(void) { run(guest_replace_user); }
static void test_asids(void) { run(guest_asids); }
static void test_global(void) { run(guest_global); }
static void test_large(void) { run(guest_large); }
static void test_overlap(void) { run(guest_overlap); }
static void test_execute(void) { run(guest_execute); }
static void test_device(void) { run(guest_device); }

static const struct subtest tests[] = {
	{ "misses", test_misses },
	{ "instructions", test_instructions },
	{ "replace", test_replace },
	{ "replace_user", test_replace_user },
	{ "asids", test_asids },
	{ "global", test_global },
	{ "large", test_large },
	{ "overlap", test_overlap },
	{ "execute", test_execute },
	{ "device", test_device },
	{ "error_level", test_error_level },
};

TEST_MAIN(tests)
