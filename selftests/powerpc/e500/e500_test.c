// SPDX-License-Identifier: GPL-2.0
/*
 * An e500v2 guest: the core that shares its entry, exit, interrupt and timer
 * code with 44x and that mainline still supports. It is here to see that a
 * change of shared code breaks neither.
 *
 * The guest's MMU has an array of 256 small pages, in two ways, and one of 16 large ones,
 * written through the MAS registers; the first large entry of a new vCPU maps
 * 256 MB at 0. What this test cannot show is anything a real core's caches do.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"

#define SPRN_MAS0	0x270
#define SPRN_MAS1	0x271
#define SPRN_MAS2	0x272
#define SPRN_MAS3	0x273
#define SPRN_MAS4	0x274
#define SPRN_MAS6	0x276
#define SPRN_MAS7	0x3b0
#define SPRN_IVOR32	0x210
#define SPRN_HID0	0x3f0

#define MAS0_TLBSEL(n)	((n) << 28)
#define MAS0_ESEL(n)	((n) << 16)
#define MAS1_V		0x80000000u
#define MAS1_TID(n)	((n) << 16)
#define MAS1_4K		(2 << 7)
#define MAS3_SUPER	0x15		/* SX, SW, SR */
#define MAS3_SX_ONLY	0x10

#define TEST_VA		0x20000000u
#define TEST_PAGES	700		/* more than the guest's TLB and the host's */

static void tlbwe(void)
{
	asm volatile(".long 0x7c0007a4; isync" : : : "memory");
}

static void tlb0_write(uint32_t way, uint32_t ea, uint32_t pa, uint32_t tid,
		       uint32_t perm)
{
	mtspr(SPRN_MAS0, MAS0_TLBSEL(0) | MAS0_ESEL(way));
	mtspr(SPRN_MAS1, MAS1_V | MAS1_TID(tid) | MAS1_4K);
	mtspr(SPRN_MAS2, ea & ~0xfffu);
	mtspr(SPRN_MAS3, (pa & ~0xfffu) | perm);
	mtspr(SPRN_MAS7, 0);
	tlbwe();
}

/* --- instructions and an exit --- */

static uint64_t mmio_gpa;
static uint32_t mmio_val;

static bool mmio_note(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		      unsigned int len, bool is_write)
{
	uint32_t val = 0x600dcafe;

	mmio_gpa = gpa;
	if (is_write)
		memcpy(&mmio_val, data, 4);
	else
		memcpy(data, &val, 4);
	return true;
}

static const struct vm_ops mmio_ops = { .mmio = mmio_note };

static void guest_mmio(void)
{
	volatile uint32_t *io = (void *)GUEST_MMIO_BASE;
	uint32_t i, a = 0, b = 1, t;

	for (i = 0; i < 1000; i++) {
		t = a + b;
		a = b;
		b = t;
	}
	io[1] = a;
	GUEST_ASSERT_EQ(io[2], 0x600dcafe);
	GUEST_DONE();
}

static void test_mmio(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_mmio);
	uint32_t i, a = 0, b = 1, t;

	for (i = 0; i < 1000; i++) {
		t = a + b;
		a = b;
		b = t;
	}
	vm->ops = &mmio_ops;
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(mmio_val, a);
	TEST_ASSERT_EQ(mmio_gpa, GUEST_MMIO_BASE + 8);
	kvm_vm_free(vm);
}

/* --- emulated registers --- */

#define CHECK_SPR(spr, val) do {					\
	mtspr(spr, (uint32_t)(val));					\
	GUEST_ASSERT_EQ(mfspr(spr), (uint32_t)(val));			\
} while (0)

static void guest_spr(void)
{
	int i;

	for (i = 0; i < 50; i++) {
		CHECK_SPR(SPRN_SPRG0, 0x1000 + i);
		CHECK_SPR(SPRN_SPRG3, 0x2000 + i);
		CHECK_SPR(SPRN_IVPR, 0x10000 * i);
		CHECK_SPR(SPRN_IVOR0, 16 * i);
		CHECK_SPR(SPRN_IVOR32, 16 * i);
		CHECK_SPR(SPRN_CSRR0, 4 * i);
		CHECK_SPR(SPRN_MAS0, MAS0_ESEL(i & 3));
		CHECK_SPR(SPRN_MAS3, i << 12);
		CHECK_SPR(SPRN_MAS7, i & 15);
		CHECK_SPR(SPRN_MAS6, i << 16);
		CHECK_SPR(SPRN_DECAR, i * 77);
	}
	/* SPRG4 to 7 are written by emulation and read by the core. */
	mtspr(SPRN_SPRG4W, 0x44444444);
	mtspr(SPRN_SPRG7W, 0x77777777);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG4R), 0x44444444);
	GUEST_ASSERT_EQ(mfspr(SPRN_SPRG7R), 0x77777777);
	GUEST_ASSERT_EQ(mfspr(SPRN_PVR) >> 16, 0x8021);
	GUEST_DONE();
}

static void test_spr(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_spr);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- a system call --- */

static uint32_t sc_args[3];

static void sc_handler(struct ex_regs *regs)
{
	sc_args[0] = regs->gpr[0];
	sc_args[1] = regs->gpr[3];
	sc_args[2] = regs->gpr[4];
	regs->gpr[3] = sc_args[0] + sc_args[1] + sc_args[2];
}

static uint32_t do_sc(uint32_t nr, uint32_t a, uint32_t b)
{
	register uint32_t r0 asm("r0") = nr;
	register uint32_t r3 asm("r3") = a;
	register uint32_t r4 asm("r4") = b;

	asm volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4) : : "memory");
	GUEST_ASSERT_EQ(r4, b);
	return r3;
}

static void guest_syscall(void)
{
	uint32_t i;

	guest_exceptions_init();
	guest_set_handler(EXC_SYSCALL, sc_handler);
	for (i = 0; i < 300; i++)
		GUEST_ASSERT_EQ(do_sc(i, 2 * i, 4 * i), 7 * i);
	GUEST_DONE();
}

static void test_syscall(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_syscall);

	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, "syscall_exits"), 300);
	kvm_vm_free(vm);
}

/* --- TLB misses --- */

static uint32_t misses, way;

static void dtlb_handler(struct ex_regs *regs)
{
	uint32_t ea = regs->dear;

	if (ea < TEST_VA || ea >= TEST_VA + TEST_PAGES * 4096)
		GUEST_FAIL("miss outside the test's pages", ea, regs->pc);
	misses++;
	tlb0_write(way++ & 1, ea, GUEST_FREE_BASE + ea - TEST_VA, 0, MAS3_SUPER);
}

static void guest_dtlb(void)
{
	volatile uint32_t *p = (void *)TEST_VA;
	uint32_t round, i, seen = 0;

	guest_exceptions_init();
	guest_set_handler(EXC_DTLB, dtlb_handler);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < TEST_PAGES; i++) {
			if (round)
				GUEST_ASSERT_EQ(p[i * 1024 + i], i + round - 1);
			p[i * 1024 + i] = i + round;
		}
		GUEST_ASSERT(misses - seen > TEST_PAGES - 256);
		seen = misses;
	}
	GUEST_DONE();
}

static void test_dtlb(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_dtlb);
	uint32_t i;

	vcpu_run_to_done(vcpu);
	for (i = 0; i < TEST_PAGES; i++) {
		uint32_t *p = addr_gpa2hva(vm, GUEST_FREE_BASE + i * 4096);

		TEST_ASSERT_EQ(p[i], i + 2);
	}
	kvm_vm_free(vm);
}

static void itlb_handler(struct ex_regs *regs)
{
	misses++;
	tlb0_write(0, regs->pc, GUEST_FREE_BASE, 0, MAS3_SUPER);
}

static void guest_itlb(void)
{
	uint32_t *code = (void *)GUEST_FREE_BASE;
	int (*fn)(int) = (void *)TEST_VA;

	guest_exceptions_init();
	guest_set_handler(EXC_ITLB, itlb_handler);
	code[0] = 0x38630001;	/* addi r3,r3,1 */
	code[1] = 0x4e800020;	/* blr */
	arch_sync_icache(code, 8);
	GUEST_ASSERT_EQ(fn(41), 42);
	GUEST_ASSERT_EQ(fn(42), 43);
	GUEST_ASSERT_EQ(misses, 1);
	GUEST_DONE();
}

static void test_itlb(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_itlb);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- address spaces of different PIDs --- */

static void touch(unsigned long ea)
{
	*(volatile uint32_t *)ea;
}

static void guest_pid(void)
{
	volatile uint32_t *p = (void *)TEST_VA;
	uint32_t i;

	guest_exceptions_init();
	/* One page at the same address in each; the array has two ways. */
	for (i = 1; i <= 2; i++)
		tlb0_write(i & 1, TEST_VA, GUEST_FREE_BASE + i * 4096, i, MAS3_SUPER);
	for (i = 1; i <= 300; i++) {
		mtspr(SPRN_PID, i % 2 + 1);
		*p = i;
	}
	mtspr(SPRN_PID, 1);
	GUEST_ASSERT_EQ(*p, 300);
	mtspr(SPRN_PID, 2);
	GUEST_ASSERT_EQ(*p, 299);
	mtspr(SPRN_PID, 3);
	GUEST_ASSERT_EQ(guest_catch(touch, TEST_VA), EXC_DTLB);
	mtspr(SPRN_PID, 0);
	GUEST_ASSERT_EQ(guest_catch(touch, TEST_VA), EXC_DTLB);
	GUEST_DONE();
}

static void test_pid(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_pid);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A PID has 8 bits; the guest may write more, and is given 8. */
static void guest_big_pid(void)
{
	volatile uint32_t *p = (void *)TEST_VA;

	guest_exceptions_init();
	tlb0_write(0, TEST_VA, GUEST_FREE_BASE, 7, MAS3_SUPER);
	mtspr(SPRN_PID, 7);
	*p = 0x777;
	mtspr(SPRN_PID, 0x107);
	GUEST_ASSERT_EQ(*p, 0x777);
	mtspr(SPRN_PID, 0xffffff00);
	GUEST_ASSERT_EQ(guest_catch(touch, TEST_VA), EXC_DTLB);
	GUEST_DONE();
}

static void test_big_pid(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_big_pid);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- memory that goes away under the guest --- */

#define DROP_PAGES	64

static void guest_drop(void)
{
	volatile uint32_t *p = (void *)GUEST_FREE_BASE;
	uint32_t round, i, want = 0;

	guest_exceptions_init();
	for (round = 0; round < 10; round++) {
		for (i = 0; i < DROP_PAGES; i++) {
			GUEST_ASSERT_EQ(p[i * 1024], want);
			p[i * 1024] = round * 1000 + i;
		}
		for (i = 0; i < DROP_PAGES; i++)
			GUEST_ASSERT_EQ(p[i * 1024], round * 1000 + i);
		GUEST_SYNC(round);
		want = round & 1 ? 0 : 0xabcd0000 + round;
	}
	GUEST_DONE();
}

static void test_drop(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_drop);
	uint32_t *p = addr_gpa2hva(vm, GUEST_FREE_BASE);
	uint32_t round, i;
	struct ucall uc;

	for (round = 0; round < 10; round++) {
		vcpu_run_to_sync(vcpu, round, &uc);
		for (i = 0; i < DROP_PAGES; i++)
			TEST_ASSERT_EQ(p[i * 1024], round * 1000 + i);
		TEST_ASSERT(!madvise(p, DROP_PAGES * 4096, MADV_DONTNEED), "madvise");
		/* Every other time the guest is the first to touch the new page. */
		if (round & 1)
			continue;
		for (i = 0; i < DROP_PAGES; i++)
			p[i * 1024] = 0xabcd0000 + round;
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- the host learns which pages the guest uses --- */

#define AGE_PAGES	64

static uint8_t touched[AGE_PAGES];

static void guest_age(void)
{
	volatile uint32_t *p = (void *)GUEST_FREE_BASE;
	uint32_t round, i;

	for (round = 0; ; round++) {
		for (i = 0; i < AGE_PAGES; i++)
			if (READ_ONCE(touched[i]))
				GUEST_ASSERT_EQ(p[i * 1024], i);
		GUEST_SYNC(round);
	}
}

/* Touched pages are young, others are idle: no more and no less. */
static void test_ageing(void)
{
	int map = open("/proc/self/pagemap", O_RDONLY);
	int idle = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	uint64_t pfn[AGE_PAGES], bits;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct rng rng = { 6 };
	uint32_t round, i;
	uint32_t *p;
	void *other;

	if (map < 0 || idle < 0)
		test_skip("needs CONFIG_IDLE_PAGE_TRACKING and CONFIG_PROC_PAGE_MONITOR");
	vm = vm_create_with_one_vcpu(&vcpu, guest_age);
	p = addr_gpa2hva(vm, GUEST_FREE_BASE);
	for (i = 0; i < AGE_PAGES; i++) {
		p[i * 1024] = i;
		touched[i] = 1;
		TEST_ASSERT_EQ(pread(map, &pfn[i], 8, (uintptr_t)(p + i * 1024) / 4096 * 8), 8);
		TEST_ASSERT(pfn[i] >> 63, "page %u is not present", i);
		pfn[i] &= (1ULL << 55) - 1;
	}
	/* New pages reach the LRU in batches, and only there they can be idle. */
	other = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	TEST_ASSERT(other != MAP_FAILED, "mmap");
	for (round = 0; round < 20; round++) {
		for (i = 0; i < AGE_PAGES; i++) {
			bits = 1ULL << pfn[i] % 64;
			TEST_ASSERT_EQ(pwrite(idle, &bits, 8, pfn[i] / 64 * 8), 8);
			TEST_ASSERT_EQ(pread(idle, &bits, 8, pfn[i] / 64 * 8), 8);
			TEST_ASSERT(bits >> pfn[i] % 64 & 1, "round %u: page %u is young at once",
				    round, i);
			if (round)
				touched[i] = round == 1 ? 0 : rng_next(&rng) & 1;
		}
		sync_global_to_guest(vm, touched);
		vcpu_run_to_sync(vcpu, round, NULL);
		for (i = 0; i < AGE_PAGES; i++) {
			TEST_ASSERT_EQ(pread(idle, &bits, 8, pfn[i] / 64 * 8), 8);
			TEST_ASSERT((bits >> pfn[i] % 64 & 1) == !touched[i],
				    "round %u: page %u, touched %u", round, i, touched[i]);
		}
	}
	munmap(other, 64 * 4096);
	close(map);
	close(idle);
	kvm_vm_free(vm);
}

/* --- the page that a paravirtualised guest shares with KVM --- */

#define MAGIC_EA	0xfffff000u
#define MAGIC_PA	0x0fff0000u
#define SC_MAGIC_R0	0x4b564d21
#define HC_MAP_MAGIC	(42 << 16 | 4)
#define MAGIC_CRITICAL	28	/* low words of 64-bit fields */
#define MAGIC_SPRG0	36
#define MAGIC_SPRG1	44

static uint32_t map_magic_page(void)
{
	register uint32_t r0 asm("r0") = SC_MAGIC_R0;
	register uint32_t r3 asm("r3") = MAGIC_PA;
	register uint32_t r4 asm("r4") = MAGIC_EA | 1;
	register uint32_t r11 asm("r11") = HC_MAP_MAGIC;

	asm volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r11) : :
		     "memory", "r5", "r6", "r7", "r8", "r9", "r10", "r12");
	return r3;
}

#define MAGIC(off)	(*(volatile uint32_t *)(MAGIC_EA + (off)))

static uint32_t externals;

static void external_handler(struct ex_regs *regs)
{
	externals++;
	regs->msr &= ~MSR_EE;
}

static void guest_magic(void)
{
	uint32_t i, r1;

	guest_exceptions_init();
	guest_set_handler(EXC_EXTERNAL, external_handler);
	GUEST_ASSERT_EQ(map_magic_page(), 0);
	for (i = 0; i < 10; i++) {
		mtspr(SPRN_SPRG0, 0x1234 + i);
		GUEST_ASSERT_EQ(MAGIC(MAGIC_SPRG0), 0x1234 + i);
		MAGIC(MAGIC_SPRG1) = 0x4321 + i;
		GUEST_ASSERT_EQ(mfspr(SPRN_SPRG1), 0x4321 + i);
		/* The test drops memory, and with it all shadow mappings. */
		GUEST_SYNC(i);
	}
	/* An external interrupt is pending: it waits for the critical section. */
	asm volatile("mr %0,1" : "=r"(r1));
	MAGIC(MAGIC_CRITICAL) = r1;
	wrteei(1);
	for (i = 0; i < 100; i++)
		mtspr(SPRN_SPRG0, i);
	GUEST_ASSERT_EQ(externals, 0);
	MAGIC(MAGIC_CRITICAL) = 0;
	for (i = 0; i < 100; i++)
		mtspr(SPRN_SPRG0, i);
	GUEST_ASSERT_EQ(READ_ONCE(externals), 1);
	GUEST_DONE();
}

static void test_magic(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_magic);
	void *p = addr_gpa2hva(vm, GUEST_FREE_BASE);
	struct ucall uc;
	uint32_t i;

	for (i = 0; i < 10; i++) {
		vcpu_run_to_sync(vcpu, i, &uc);
		*(uint32_t *)p = i;
		TEST_ASSERT(!madvise(p, 4096, MADV_DONTNEED), "madvise");
	}
	vcpu_interrupt(vcpu, KVM_INTERRUPT_SET_LEVEL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

extern char magic_start[], magic_end[];
asm("	.text\n"
    "magic_start:\n"
    "	lis 0,0x4b56; ori 0,0,0x4d21\n"
    "	lis 11,42; ori 11,11,4\n"
    "	lis 3,0x0fff\n"
    "	li 4,-4095\n"
    "	sc\n"
    "	li 4,-4096\n"
    "	lwz 5,36(4)\n"
    "	lis 3,0x0f00\n"
    "	stw 5,0x1000(3)\n"
    "magic_end:\n");

#define LEAK_ROUNDS	400

static void magic_round(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu;

	vm_mem_add(vm, 0, 0, 65536, 0, NULL);
	memcpy(addr_gpa2hva(vm, 0), magic_start, magic_end - magic_start);
	arch_sync_icache(addr_gpa2hva(vm, 0), magic_end - magic_start);
	vcpu = __vm_vcpu_add(vm, 0);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	kvm_vm_free(vm);
}

/* Whatever a guest did, all of its memory comes back. */
static void test_magic_leak(void)
{
	long before, after;
	int i;

	for (i = 0; i < 20; i++)
		magic_round();
	before = meminfo_kb("MemFree:");
	for (i = 0; i < LEAK_ROUNDS; i++)
		magic_round();
	after = meminfo_kb("MemFree:");
	print_info("%d guests: %ld kB less memory", LEAK_ROUNDS, before - after);
	TEST_ASSERT(before - after < LEAK_ROUNDS * 2, "half a page per guest is lost");
}

/* --- registers from userspace --- */

static void test_one_reg(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_spr);
	uint32_t val;

	vcpu_set_reg(vcpu, KVM_REG_PPC_MAS0, 0x10030000);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_MAS0), 0x10030000);
	vcpu_set_reg(vcpu, KVM_REG_PPC_MAS7_3, 0xf12345015ULL);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_MAS7_3), 0xf12345015ULL);
	/* The TLB's geometry is set with KVM_CAP_SW_TLB only. */
	val = vcpu_get_reg(vcpu, KVM_REG_PPC_TLB0CFG);
	TEST_ASSERT(!__vcpu_set_reg(vcpu, KVM_REG_PPC_TLB0CFG, &val), "same value");
	val ^= 1;
	TEST_ASSERT(__vcpu_set_reg(vcpu, KVM_REG_PPC_TLB0CFG, &val), "other geometry");
	kvm_vm_free(vm);
}

/* --- a TLB that userspace supplies --- */

struct tlb_entry {
	uint32_t mas8, mas1;
	uint64_t mas2, mas7_3;
};

#define CFG_TLB0	512
#define CFG_TLB1	64

static struct tlb_entry tlb_array[CFG_TLB0 + CFG_TLB1] __aligned(4096);

static int config_tlb(struct kvm_vcpu *vcpu, uint32_t size0, uint32_t ways0,
		      uint32_t size1, uint32_t ways1, uint32_t array_len)
{
	struct kvm_book3e_206_tlb_params params = {
		.tlb_sizes = { size0, size1 },
		.tlb_ways = { ways0, ways1 },
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SW_TLB,
	};
	struct kvm_config_tlb cfg = {
		.params = (uintptr_t)&params,
		.array = (uintptr_t)tlb_array,
		.mmu_type = KVM_MMU_FSL_BOOKE_NOHV,
		.array_len = array_len,
	};

	cap.args[0] = (uintptr_t)&cfg;
	return ioctl(vcpu->fd, KVM_ENABLE_CAP, &cap);
}

static void test_config_tlb(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_dtlb);
	uint32_t i;

	TEST_ASSERT(config_tlb(vcpu, 512, 4, 0, 0, sizeof(tlb_array)),
		    "no large entries");
	TEST_ASSERT(config_tlb(vcpu, 512, 3, 16, 16, sizeof(tlb_array)),
		    "3 ways");
	TEST_ASSERT(config_tlb(vcpu, 0, 4, 16, 16, sizeof(tlb_array)),
		    "no small entries");
	TEST_ASSERT(config_tlb(vcpu, 512, 4, 64, 64, 4096), "short array");
	TEST_ASSERT(config_tlb(vcpu, 0x10000000, 4, 16, 16, sizeof(tlb_array)),
		    "a size that overflows");
	memset(tlb_array, 0, sizeof(tlb_array));
	/* 256 MB at 0, as a new vCPU has it. */
	tlb_array[CFG_TLB0 + 5] = (struct tlb_entry) {
		.mas1 = MAS1_V | 9 << 8, .mas7_3 = MAS3_SUPER,
	};
	TEST_ASSERT(!config_tlb(vcpu, CFG_TLB0, 4, CFG_TLB1, CFG_TLB1,
				sizeof(tlb_array)), "KVM_CONFIG_TLB");
	vcpu_run_to_done(vcpu);
	for (i = 0; i < CFG_TLB0; i++)
		if (tlb_array[i].mas1 & MAS1_V)
			break;
	TEST_ASSERT(i < CFG_TLB0, "the guest's entries are not in the array");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "mmio", test_mmio },
	{ "spr", test_spr },
	{ "syscall", test_syscall },
	{ "dtlb", test_dtlb },
	{ "itlb", test_itlb },
	{ "pid", test_pid },
	{ "drop", test_drop },
	{ "ageing", test_ageing },
	{ "magic", test_magic },
	{ "magic_leak", test_magic_leak, 200 },
	{ "one_reg", test_one_reg },
	{ "config_tlb", test_config_tlb },
	{ "big_pid", test_big_pid },
};

TEST_MAIN(tests)
