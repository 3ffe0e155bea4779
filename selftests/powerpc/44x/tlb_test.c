// SPDX-License-Identifier: GPL-2.0
/*
 * The architected TLB of the 440: what the guest writes with tlbwe is what
 * translates its next access, and nothing else does.
 *
 * Guest code does everything and checks itself with probe(): every access is
 * made in a chosen mode and must give the one value, or the one exception with
 * its registers, that the manual says. Each 1K of memory names itself, so a
 * wrong translation cannot look right.
 *
 * Not shown: storage attributes beyond being read back (an emulator has no
 * caches, and QEMU ignores E); two entries that match one address, which the
 * architecture leaves undefined; 1K pages that move within their 4K, which QEMU
 * itself gets wrong.
 */
#include "44x.h"

/* Pattern memory: all free RAM, a 256M-aligned slot, a slot above 4 GB. */
#define FREE_SIZE	0x00700000UL
#define RAM		GUEST_FREE_BASE
#define BIG_GPA		0x10000000ULL
#define BIG_SIZE	0x00100000ULL
#define HIGH_GPA	0x700000000ULL
#define HIGH_SIZE	0x00100000ULL

/* A part of the address space that nothing maps but the test. */
#define EA		0x40000000UL

static bool mmio_seen;
static uint64_t mmio_gpa;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	mmio_seen = true;
	mmio_gpa = gpa;
	if (!is_write)
		memset(data, 0x77, len);
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static struct kvm_vm *tlb_vm_create(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_code);

	vm->ops = &ops;
	vm_mem_add(vm, 1, BIG_GPA, BIG_SIZE, 0, NULL);
	vm_mem_add(vm, 2, HIGH_GPA, HIGH_SIZE, 0, NULL);
	fill_pattern(vm, RAM, FREE_SIZE);
	fill_pattern(vm, BIG_GPA, BIG_SIZE);
	fill_pattern(vm, HIGH_GPA, HIGH_SIZE);
	return vm;
}

static void run(void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tlb_vm_create(&vcpu, guest_code);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- */

static void guest_reset(void)
{
	struct tlb_entry e;
	unsigned int i;

	tlb_read(0, &e);
	GUEST_ASSERT_EQ(e.w0, TLB0_V | SIZE_256M);
	GUEST_ASSERT_EQ(e.w1, 0);
	GUEST_ASSERT_EQ(e.w2 & TLB2_S_RWX, TLB2_S_RWX);
	GUEST_ASSERT_EQ(e.tid, 0);
	for (i = 1; i < TLB_ENTRIES; i++)
		GUEST_ASSERT_EQ(tlbre0(i) & TLB0_V, 0);
	GUEST_ASSERT_EQ(mfspr(SPRN_PID), 0);
	GUEST_DONE();
}

static void test_reset(void)
{
	run(guest_reset);
}

/* --- every field of every entry is read back, from 64 different entries --- */

static void guest_readback(void)
{
	static const uint8_t sizes[] = {
		SIZE_1K, SIZE_4K, SIZE_16K, SIZE_64K, SIZE_256K, SIZE_1M,
		SIZE_16M, SIZE_256M,
	};
	struct rng rng = { 1 };
	struct tlb_entry e, w[TLB_ENTRIES];
	unsigned int i, pass;

	guest_44x_init();
	for (pass = 0; pass < 4; pass++) {
		for (i = FIRST_FREE_ENTRY; i < TLB_ENTRIES; i++) {
			unsigned int size = sizes[rng_next(&rng) % 8];
			unsigned long mask = -tlb_size_bytes(size);

			/* Above the first 256 MB, and without overlap. */
			w[i].w0 = ((i << 26 | 0x02000000) & mask) | size |
				  (pass & 1 ? TLB0_V : 0) |
				  (rng_next(&rng) & TLB0_TS);
			if (!(w[i].w0 >> 28))
				w[i].w0 &= ~TLB0_V;
			w[i].w1 = (rng_next(&rng) & mask & TLB1_RPN) |
				  (rng_next(&rng) & TLB1_ERPN);
			w[i].w2 = rng_next(&rng) & TLB2_ATTR;
			w[i].tid = rng_next(&rng) & 0xff;
			tlb_write(i, w[i].w0, w[i].w1, w[i].w2, w[i].tid);
		}
		for (i = FIRST_FREE_ENTRY; i < TLB_ENTRIES; i++) {
			tlb_read(i, &e);
			GUEST_ASSERT_EQ(e.w0, w[i].w0);
			GUEST_ASSERT_EQ(e.w1, w[i].w1);
			GUEST_ASSERT_EQ(e.w2, w[i].w2);
			GUEST_ASSERT_EQ(e.tid, w[i].tid);
		}
	}
	GUEST_DONE();
}

static void test_readback(void)
{
	run(guest_readback);
}

/* --- a translation exists from the moment its words say so --- */

static void guest_words(void)
{
	unsigned int n = FIRST_FREE_ENTRY;
	uint32_t w0 = EA | TLB0_V | SIZE_4K;

	guest_44x_init();
	/* Any order of the three words ends in the same translation. */
	tlbwe0(n, w0);
	tlbwe1(n, RAM);
	tlbwe2(n, TLB2_RWX);
	PROBE_READS(0, EA, RAM);
	tlb_invalidate(n);
	PROBE_MISSES(0, PROBE_READ, EA);
	tlbwe2(n, TLB2_RWX);
	tlbwe1(n, RAM + 0x1000);
	PROBE_MISSES(0, PROBE_READ, EA);
	tlbwe0(n, w0);
	PROBE_READS(0, EA, RAM + 0x1000);
	tlb_invalidate(n);
	tlbwe1(n, RAM + 0x2000);
	tlbwe0(n, w0);
	tlbwe2(n, TLB2_RWX);
	PROBE_READS(0, EA, RAM + 0x2000);

	/* One word of a live entry: each change is complete by itself. */
	tlbwe1(n, RAM + 0x3000);
	PROBE_READS(0, EA, RAM + 0x3000);
	PROBE_EXECS(0, EA, RAM + 0x3000);
	tlbwe2(n, TLB2_SR);
	PROBE_READS(0, EA, RAM + 0x3000);
	PROBE_DENIED(0, PROBE_WRITE, EA);
	PROBE_DENIED(0, PROBE_EXEC, EA);
	tlbwe2(n, 0);
	PROBE_DENIED(0, PROBE_READ, EA);
	tlbwe2(n, TLB2_RWX);
	tlbwe0(n, (EA + 0x5000) | TLB0_V | SIZE_4K);
	PROBE_MISSES(0, PROBE_READ, EA);
	PROBE_READS(0, EA + 0x5000, RAM + 0x3000);

	/* A valid page id with no permission yet maps nothing. */
	tlb_invalidate(n);
	tlbwe2(n, 0);
	tlbwe1(n, RAM);
	tlbwe0(n, w0);
	PROBE_DENIED(0, PROBE_READ, EA);
	PROBE_DENIED(0, PROBE_WRITE, EA);
	PROBE_DENIED(0, PROBE_EXEC, EA);
	tlbwe2(n, TLB2_SX | TLB2_SR);
	PROBE_READS(0, EA, RAM);
	GUEST_DONE();
}

static void test_words(void)
{
	run(guest_words);
}

/* --- tlbsx --- */

#define CR0_EQ	0x2
#define CR0_SO	0x1

static void guest_search(void)
{
	unsigned int i;

	guest_44x_init();
	/* Entries 10..19: TID = index, TS by turns, one page each. */
	for (i = 10; i < 20; i++)
		tlb_write(i, (EA + i * 0x10000) | TLB0_V | SIZE_64K |
			  (i & 1 ? TLB0_TS : 0), RAM, TLB2_RWX, i);
	tlb_write(20, 0x50000000 | TLB0_V | SIZE_1M, RAM, TLB2_RWX, 0);
	for (i = 10; i < 20; i++) {
		uint32_t ea = EA + i * 0x10000, sts = i & 1 ? MMUCR_STS : 0;

		set_mmucr(sts | i);
		GUEST_ASSERT_EQ(tlbsx(ea), i);
		GUEST_ASSERT_EQ(tlbsx(ea + 0xffff), i);
		GUEST_ASSERT_EQ(tlbsx_cr0(ea, false), CR0_EQ);
		GUEST_ASSERT_EQ(tlbsx_cr0(ea, true), CR0_EQ | CR0_SO);
		GUEST_ASSERT_EQ(tlbsx(ea + 0x10000), -1);
		GUEST_ASSERT_EQ(tlbsx_cr0(ea + 0x10000, false), 0);
		GUEST_ASSERT_EQ(tlbsx_cr0(ea + 0x10000, true), CR0_SO);
		/* Another process, another address space. */
		set_mmucr(sts | (i + 100));
		GUEST_ASSERT_EQ(tlbsx(ea), -1);
		set_mmucr((sts ^ MMUCR_STS) | i);
		GUEST_ASSERT_EQ(tlbsx(ea), -1);
		/* PID has no part in it. */
		set_mmucr(sts | i);
		set_pid(200);
		GUEST_ASSERT_EQ(tlbsx(ea), i);
		set_pid(0);
	}
	/* TID 0 is found for every STID. */
	for (i = 0; i < 256; i += 15) {
		set_mmucr(i);
		GUEST_ASSERT_EQ(tlbsx(0x500ffffc), 20);
		GUEST_ASSERT_EQ(tlbsx(0x50100000), -1);
	}
	/* Invalid entries are not. */
	tlb_invalidate(20);
	GUEST_ASSERT_EQ(tlbsx(0x50000000), -1);
	GUEST_DONE();
}

static void test_search(void)
{
	run(guest_search);
}

/* --- page sizes --- */

static void guest_page_sizes(void)
{
	static const struct {
		uint8_t size;
		uint32_t rpn;
	} s[] = {
		{ SIZE_1K, RAM + 0x400 }, { SIZE_1K, RAM + 0x1c00 },
		{ SIZE_4K, RAM + 0x3000 }, { SIZE_16K, RAM + 0x14000 },
		{ SIZE_64K, RAM + 0x30000 }, { SIZE_256K, RAM + 0x80000 },
		{ SIZE_1M, RAM + 0x300000 },
	};
	unsigned int n = FIRST_FREE_ENTRY, i;
	uint32_t ea;

	guest_44x_init();
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		uint32_t bytes = tlb_size_bytes(s[i].size), last = bytes - 1024;

		ea = 0x60000000 + 12 * bytes;
		probe_fresh = bytes == 1024;
		if (bytes == 1024)
			ea += s[i].rpn & 0xc00;
		tlb_write(n, ea | TLB0_V | s[i].size, s[i].rpn, TLB2_RWX, 0);
		PROBE_READS(0, ea, s[i].rpn);
		PROBE_READS(0, ea + last, s[i].rpn + last);
		PROBE_EXECS(0, ea, s[i].rpn);
		PROBE_EXECS(0, ea + last, s[i].rpn + last);
		PROBE_OK(0, PROBE_READ, ea + bytes - 4);
		GUEST_ASSERT_EQ(probe_value, ~pattern(s[i].rpn + last));
		probe_store = pattern(s[i].rpn + last);
		PROBE_OK(0, PROBE_WRITE, ea + last);
		PROBE_MISSES(0, PROBE_READ, ea + bytes);
		PROBE_MISSES(0, PROBE_WRITE, ea - 4);
		PROBE_MISSES(0, PROBE_EXEC, ea + bytes);
		PROBE_MISSES(0, PROBE_EXEC, ea - 1024);
	}

	/* 16M: all RAM; every 64K of it. */
	tlb_write(n, 0x61000000 | TLB0_V | SIZE_16M, 0, TLB2_RWX, 0);
	for (ea = 0; ea < FREE_SIZE; ea += 0x10000)
		PROBE_READS(0, 0x61000000 + RAM + ea, RAM + ea);
	PROBE_MISSES(0, PROBE_READ, 0x62000000);
	PROBE_MISSES(0, PROBE_READ, 0x60fffffc);

	/* 256M: memory where there is memory, and a device behind it. */
	tlb_write(n, 0x70000000 | TLB0_V | SIZE_256M, BIG_GPA, TLB2_RWX, 0);
	for (ea = 0; ea < BIG_SIZE; ea += 0x1000)
		PROBE_READS(0, 0x70000000 + ea, BIG_GPA + ea);
	PROBE_OK(0, PROBE_READ, 0x70000000 + BIG_SIZE);
	GUEST_ASSERT_EQ(probe_value, 0x77777777);
	PROBE_OK(0, PROBE_READ, 0x7ffffffc);
	PROBE_MISSES(0, PROBE_READ, 0x80000000);
	PROBE_MISSES(0, PROBE_READ, 0x6ffffffc);
	GUEST_DONE();
}

static void test_page_sizes(void)
{
	run(guest_page_sizes);
}

/* 1K pages: four translations within what is one page to the host. */
static void guest_1k_pages(void)
{
	unsigned int i;

	guest_44x_init();
	probe_fresh = true;
	for (i = 0; i < 32; i++)
		tlb_write(10 + i, (EA + i * 0x400) | TLB0_V | SIZE_1K,
			  RAM + ((i * 13) % 32) * 0x1400, TLB2_RWX, 0);
	for (i = 0; i < 32; i++) {
		PROBE_READS(0, EA + i * 0x400, RAM + ((i * 13) % 32) * 0x1400);
		PROBE_EXECS(0, EA + i * 0x400, RAM + ((i * 13) % 32) * 0x1400);
	}
	/* One of four ends; its neighbours stay. */
	for (i = 1; i < 32; i += 4)
		tlb_invalidate(10 + i);
	for (i = 0; i < 32; i++) {
		if (i % 4 == 1)
			PROBE_MISSES(0, PROBE_READ, EA + i * 0x400);
		else
			PROBE_READS(0, EA + i * 0x400,
				    RAM + ((i * 13) % 32) * 0x1400);
	}
	/* And permissions differ within a host page. */
	tlbwe2(10, TLB2_SR);
	PROBE_DENIED(0, PROBE_WRITE, EA + 0x10);
	probe_store = 1;
	PROBE_OK(0, PROBE_WRITE, EA + 0x810);
	GUEST_DONE();
}

static void test_1k_pages(void)
{
	run(guest_1k_pages);
}

/* --- address spaces: instructions follow IS, data follow DS --- */

static void guest_address_spaces(void)
{
	unsigned int is, ds, user;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_4K, RAM, TLB2_RWX, 0);
	tlb_write(11, EA | TLB0_V | TLB0_TS | SIZE_4K, RAM + 0x1000, TLB2_RWX, 0);
	/* In space 0 only, in space 1 only. */
	tlb_write(12, (EA + 0x1000) | TLB0_V | SIZE_4K, RAM + 0x2000, TLB2_RWX, 0);
	tlb_write(13, (EA + 0x2000) | TLB0_V | TLB0_TS | SIZE_4K, RAM + 0x3000,
		  TLB2_RWX, 0);
	for (user = 0; user < 2; user++)
	for (is = 0; is < 2; is++)
	for (ds = 0; ds < 2; ds++) {
		uint32_t msr = (is ? MSR_IS : 0) | (ds ? MSR_DS : 0) |
			       (user ? MSR_PR : 0);

		PROBE_READS(msr, EA, RAM + ds * 0x1000);
		PROBE_EXECS(msr, EA, RAM + is * 0x1000);
		if (ds) {
			PROBE_MISSES(msr, PROBE_READ, EA + 0x1000);
			PROBE_READS(msr, EA + 0x2000, RAM + 0x3000);
		} else {
			PROBE_READS(msr, EA + 0x1000, RAM + 0x2000);
			PROBE_MISSES(msr, PROBE_READ, EA + 0x2000);
		}
		if (is) {
			PROBE_MISSES(msr, PROBE_EXEC, EA + 0x1000);
			PROBE_EXECS(msr, EA + 0x2000, RAM + 0x3000);
		} else {
			PROBE_EXECS(msr, EA + 0x1000, RAM + 0x2000);
			PROBE_MISSES(msr, PROBE_EXEC, EA + 0x2000);
		}
		/* The interrupt saved the mode it came from. */
		GUEST_ASSERT_EQ(guest_caught.msr & (MSR_IS | MSR_DS | MSR_PR), msr);
	}
	GUEST_DONE();
}

static void test_address_spaces(void)
{
	run(guest_address_spaces);
}

/* --- PID and TID --- */

static void guest_pids(void)
{
	unsigned int i, pid, round;

	guest_44x_init();
	for (i = 1; i <= 50; i++)
		tlb_write(10 + i, EA | TLB0_V | SIZE_4K, RAM + i * 0x1000,
			  TLB2_RWX, i);
	tlb_write(2, (EA + 0x1000) | TLB0_V | SIZE_4K, RAM, TLB2_RWX, 0);
	for (round = 0; round < 4; round++) {
		for (pid = 0; pid < 256; pid++) {
			set_pid(pid);
			GUEST_ASSERT_EQ(mfspr(SPRN_PID), pid);
			if (pid >= 1 && pid <= 50) {
				PROBE_READS(0, EA, RAM + pid * 0x1000);
				PROBE_EXECS(MSR_PR, EA, RAM + pid * 0x1000);
			} else {
				PROBE_MISSES(0, PROBE_READ, EA);
				PROBE_MISSES(MSR_PR, PROBE_EXEC, EA);
			}
			/* TID 0 matches them all. */
			PROBE_READS(0, EA + 0x1000, RAM);
		}
	}
	/* An entry of a process that is not running changes for it alone. */
	set_pid(7);
	PROBE_READS(0, EA, RAM + 7 * 0x1000);
	tlb_write(10 + 8, EA | TLB0_V | SIZE_4K, RAM + 0x100000, TLB2_RWX, 8);
	tlb_invalidate(10 + 9);
	PROBE_READS(0, EA, RAM + 7 * 0x1000);
	set_pid(8);
	PROBE_READS(0, EA, RAM + 0x100000);
	set_pid(9);
	PROBE_MISSES(0, PROBE_READ, EA);
	/* The entry's TID is rewritten with word 0. */
	tlb_write(10 + 7, EA | TLB0_V | SIZE_4K, RAM + 7 * 0x1000, TLB2_RWX, 9);
	PROBE_READS(0, EA, RAM + 7 * 0x1000);
	set_pid(7);
	PROBE_MISSES(0, PROBE_READ, EA);
	set_pid(0);
	GUEST_DONE();
}

static void test_pids(void)
{
	run(guest_pids);
}

/* --- the 64 combinations of permissions, in both modes --- */

static void guest_permissions(void)
{
	unsigned int n = FIRST_FREE_ENTRY, perm, user;
	static const uint8_t bit[2][3] = {
		{ TLB2_SR, TLB2_SW, TLB2_SX }, { TLB2_UR, TLB2_UW, TLB2_UX },
	};

	guest_44x_init();
	for (perm = 0; perm < 64; perm++) {
		tlb_write(n, EA | TLB0_V | SIZE_4K, RAM, perm, 0);
		for (user = 0; user < 2; user++) {
			uint32_t msr = user ? MSR_PR : 0;

			if (perm & bit[user][PROBE_READ])
				PROBE_READS(msr, EA, RAM);
			else
				PROBE_DENIED(msr, PROBE_READ, EA);
			probe_store = pattern(RAM);
			if (perm & bit[user][PROBE_WRITE])
				PROBE_OK(msr, PROBE_WRITE, EA);
			else
				PROBE_DENIED(msr, PROBE_WRITE, EA);
			if (perm & bit[user][PROBE_EXEC])
				PROBE_EXECS(msr, EA, RAM);
			else
				PROBE_DENIED(msr, PROBE_EXEC, EA);
		}
	}
	GUEST_DONE();
}

static void test_permissions(void)
{
	run(guest_permissions);
}

/* --- the old translation of a rewritten entry is gone at once --- */

static void guest_overwrite(void)
{
	unsigned int n = 30, i;

	guest_44x_init();
	set_pid(5);
	for (i = 0; i < 256; i++) {
		uint32_t gpa = RAM + i * 0x1000;

		tlb_write(n, EA | TLB0_V | SIZE_4K, gpa, TLB2_RWX, i & 2 ? 5 : 0);
		PROBE_READS(0, EA, gpa);
		PROBE_READS(MSR_PR, EA, gpa);
		PROBE_EXECS(0, EA, gpa);
		if (i % 3 == 0) {
			/* Weaker permissions count at once ... */
			tlbwe2(n, TLB2_SR | TLB2_UX);
			PROBE_READS(0, EA, gpa);
			PROBE_DENIED(0, PROBE_WRITE, EA);
			PROBE_DENIED(0, PROBE_EXEC, EA);
			PROBE_DENIED(MSR_PR, PROBE_READ, EA);
			PROBE_EXECS(MSR_PR, EA, gpa);
		}
		if (i % 5 == 0) {
			/* ... and so does moving away ... */
			tlb_write(n, (EA + 0x4000) | TLB0_V | SIZE_4K, gpa,
				  TLB2_RWX, 5);
			PROBE_MISSES(0, PROBE_READ, EA);
			PROBE_READS(0, EA + 0x4000, gpa);
		}
		if (i % 7 == 0) {
			/* ... or going. */
			tlb_invalidate(n);
			PROBE_MISSES(0, PROBE_READ, EA);
			PROBE_MISSES(0, PROBE_READ, EA + 0x4000);
			PROBE_MISSES(MSR_PR, PROBE_EXEC, EA);
		}
	}
	GUEST_DONE();
}

static void test_overwrite(void)
{
	run(guest_overwrite);
}

/* --- one entry, many more pages than the hardware can hold --- */

static void guest_large(void)
{
	uint32_t off;
	unsigned int n = 40, pass;

	guest_44x_init();
	for (pass = 0; pass < 2; pass++) {
		tlb_write(n, EA | TLB0_V | SIZE_16M, 0, TLB2_RWX, 0);
		for (off = RAM; off < RAM + FREE_SIZE; off += 0x1000) {
			PROBE_READS(0, EA + off, off);
			probe_store = ~pattern(off);
			PROBE_OK(MSR_PR, PROBE_WRITE, EA + off + 4);
		}
		tlbwe2(n, TLB2_SR | TLB2_UR);
		for (off = RAM; off < RAM + FREE_SIZE; off += 0x1000)
			PROBE_DENIED(0, PROBE_WRITE, EA + off);
		for (off = RAM; off < RAM + FREE_SIZE; off += 0x1000)
			PROBE_READS(MSR_PR, EA + off, off);
		tlb_invalidate(n);
		for (off = RAM; off < RAM + FREE_SIZE; off += 0x1000)
			PROBE_MISSES(0, PROBE_READ, EA + off);
	}
	GUEST_DONE();
}

static void test_large(void)
{
	run(guest_large);
}

/* --- 36-bit physical addresses --- */

static void guest_erpn(void)
{
	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_1M, (uint32_t)HIGH_GPA | HIGH_GPA >> 32,
		  TLB2_RWX, 0);
	PROBE_READS(0, EA, HIGH_GPA);
	PROBE_READS(0, EA + 0xff000, HIGH_GPA + 0xff000);
	PROBE_EXECS(0, EA + 0x3000, HIGH_GPA + 0x3000);
	/* The same low 32 bits elsewhere are no memory, and not that memory. */
	tlb_write(11, (EA + 0x100000) | TLB0_V | SIZE_4K, RAM | 5, TLB2_RWX, 0);
	PROBE_OK(0, PROBE_READ, EA + 0x100004);
	GUEST_ASSERT_EQ(probe_value, 0x77777777);
	GUEST_SYNC(1);
	tlbwe1(11, RAM | 0xf);
	PROBE_OK(0, PROBE_READ, EA + 0x100008);
	GUEST_ASSERT_EQ(probe_value, 0x77777777);
	GUEST_SYNC(2);
	tlbwe1(11, RAM);
	PROBE_READS(0, EA + 0x100000, RAM);
	GUEST_DONE();
}

static void test_erpn(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = tlb_vm_create(&vcpu, guest_erpn);

	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(mmio_seen, "no MMIO");
	TEST_ASSERT_EQ(mmio_gpa, 0x500000000ULL + RAM + 4);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT_EQ(mmio_gpa, 0xf00000000ULL + RAM + 8);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- executing from where there is no memory --- */

static void guest_exec_mmio(void)
{
	unsigned int exc;

	guest_44x_init();
	mtmsr(MSR_ME);
	tlb_write(10, EA | TLB0_V | SIZE_4K, 0x0e000000, TLB2_RWX, 0);
	exc = probe(MSR_ME, PROBE_EXEC, EA);
	if (exc != EXC_ISI)
		GUEST_ASSERT_EQ(exc, EXC_MCHECK);
	GUEST_DONE();
}

/* Where there is no memory, permissions count as anywhere. */
static void guest_mmio_denied(void)
{
	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_4K, 0x0e000000,
		  TLB2_SR | TLB2_SW | TLB2_SX, 0);
	PROBE_DENIED(MSR_PR, PROBE_READ, EA);
	PROBE_DENIED(MSR_PR, PROBE_WRITE, EA);
	PROBE_DENIED(MSR_PR, PROBE_EXEC, EA);
	tlb_write(10, EA | TLB0_V | SIZE_4K, 0x0e000000, TLB2_SR, 0);
	PROBE_DENIED(0, PROBE_WRITE, EA);
	PROBE_DENIED(0, PROBE_EXEC, EA);
	GUEST_DONE();
}

static void test_mmio_denied(void)
{
	run(guest_mmio_denied);
}

static void test_exec_mmio(void)
{
	run(guest_exec_mmio);
}

/*
 * --- MSR[IS] != MSR[DS]: one address, code and data of different entries ---
 *
 * One of them may be for all PIDs and the other for one, and a page may have been
 * used for the one in a context before it is used for the other in the next.
 */

static void split_page(unsigned int tid_code, unsigned int tid_data)
{
	unsigned int pid, round, order;

	for (order = 0; order < 2; order++) {
		tlb_write(10, EA | TLB0_V | SIZE_4K, RAM, TLB2_RWX, tid_code);
		tlb_write(11, EA | TLB0_V | TLB0_TS | SIZE_4K, RAM + 0x1000,
			  TLB2_RWX, tid_data);
		for (round = 0; round < 3; round++) {
			for (pid = 1; pid < 4; pid++) {
				bool code = !tid_code || tid_code == pid;
				bool data = !tid_data || tid_data == pid;

				set_pid(pid);
				if (code && (order ^ pid) & 1)
					PROBE_EXECS(MSR_DS, EA, RAM);
				if (data)
					PROBE_READS(MSR_DS, EA, RAM + 0x1000);
				else
					PROBE_MISSES(MSR_DS, PROBE_READ, EA);
				if (code)
					PROBE_EXECS(MSR_DS, EA, RAM);
				else
					PROBE_MISSES(MSR_DS, PROBE_EXEC, EA);
			}
		}
		set_pid(0);
		tlb_invalidate(10);
		tlb_invalidate(11);
	}
}

static void guest_split_pids(void)
{
	guest_44x_init();
	split_page(0, 0);
	split_page(0, 2);
	split_page(2, 0);
	split_page(2, 2);
	split_page(1, 2);
	GUEST_DONE();
}

static void test_split_pids(void)
{
	run(guest_split_pids);
}

/* --- a seeded walk, compared with a model of the TLB --- */

#define WALK_STEPS	30000

static void guest_random(void)
{
	static const uint8_t sizes[] = { SIZE_1K, SIZE_4K, SIZE_16K, SIZE_64K };
	static struct tlb_entry model[TLB_ENTRIES];
	struct rng rng = { 44 };
	unsigned int step, pid = 0, hits = 0;

	guest_44x_init();
	for (step = 0; step < WALK_STEPS; step++) {
		/* Entry i owns 64K of address space: entries never overlap. */
		unsigned int i = FIRST_FREE_ENTRY +
				 rng_next(&rng) % (TLB_ENTRIES - FIRST_FREE_ENTRY);
		struct tlb_entry *e = &model[i];
		uint32_t r = rng_next(&rng), base = EA + i * 0x10000, ea, msr, want;
		unsigned int op, exc, as, perm;
		bool hit;

		switch (r % 8) {
		case 0:
			pid = (r >> 8) % 3;
			set_pid(pid);
			continue;
		case 1:
			if (r & 0x300)
				break;
			e->w0 = 0;
			tlb_invalidate(i);
			continue;
		case 2:
			e->w2 = (r >> 8 | r >> 16) & TLB2_RWX;
			tlbwe2(i, e->w2);
			continue;
		case 3: {
			unsigned int size = sizes[(r >> 4) % 4];
			unsigned long mask = -tlb_size_bytes(size);

			e->w0 = ((base + (r >> 16)) & mask) | TLB0_V | size |
				(r & TLB0_TS);
			e->w1 = RAM + (rng_next(&rng) % FREE_SIZE & mask);
			if (size == SIZE_1K)	/* see above about QEMU */
				e->w1 = (e->w1 & ~0xc00) | (e->w0 & 0xc00);
			e->w2 = (rng_next(&rng) | rng_next(&rng)) & TLB2_RWX;
			e->tid = (r >> 12) % 4 % 3;
			tlb_write(i, e->w0, e->w1, e->w2, e->tid);
			continue;
		}
		}
		op = (r >> 8) % 3;
		msr = r & (MSR_PR | MSR_IS | MSR_DS);
		/* Half of the time where the entry is. */
		if (rng_next(&rng) & 1)
			ea = base + (r >> 16 & ~0x3ff);
		else
			ea = (e->w0 & TLB0_EPN) + (r >> 16 & ~0x3ff &
			      (tlb_size_bytes(e->w0 & TLB0_SIZE) - 1));
		if (ea - base >= 0x10000)
			continue;
		as = msr & (op == PROBE_EXEC ? MSR_IS : MSR_DS) ? TLB0_TS : 0;
		hit = (e->w0 & TLB0_V) && (e->w0 & TLB0_TS) == as &&
		      (!e->tid || e->tid == pid) &&
		      !((ea ^ e->w0) & -tlb_size_bytes(e->w0 & TLB0_SIZE));
		perm = (op == PROBE_READ ? TLB2_SR : op == PROBE_WRITE ? TLB2_SW :
			TLB2_SX) << (msr & MSR_PR ? 3 : 0);
		if (!hit)
			want = op == PROBE_EXEC ? EXC_ITLB : EXC_DTLB;
		else if (!(e->w2 & perm))
			want = op == PROBE_EXEC ? EXC_ISI : EXC_DSI;
		else
			want = EXC_NONE;
		if (want == EXC_NONE) {
			uint32_t offset = ea & (tlb_size_bytes(e->w0 & TLB0_SIZE) - 1);

			probe_store = pattern(e->w1 + offset);
			hits++;
		}
		exc = probe(msr, op, ea);
		if (exc != want)
			GUEST_FAIL("wrong outcome: exception, expected; step, address",
				   exc, want, step, ea);
		if (exc == EXC_NONE && op != PROBE_WRITE && probe_value != probe_store)
			GUEST_FAIL("wrong value: read, expected; step, address",
				   probe_value, probe_store, step, ea);
	}
	GUEST_PRINTF("%lu of %lu steps were successful accesses", hits, step);
	GUEST_ASSERT(hits > WALK_STEPS / 30);
	GUEST_DONE();
}

static void test_random(void)
{
	run(guest_random);
}

static const struct subtest tests[] = {
	{ "reset", test_reset },
	{ "readback", test_readback },
	{ "words", test_words },
	{ "search", test_search },
	{ "page_sizes", test_page_sizes },
	{ "1k_pages", test_1k_pages },
	{ "address_spaces", test_address_spaces },
	{ "pids", test_pids },
	{ "permissions", test_permissions },
	{ "overwrite", test_overwrite },
	{ "large", test_large },
	{ "erpn", test_erpn },
	{ "exec_mmio", test_exec_mmio },
	{ "mmio_denied", test_mmio_denied },
	{ "split_pids", test_split_pids },
	{ "random", test_random, 120 },
};

TEST_MAIN(tests)
