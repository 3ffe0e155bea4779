// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever a guest executes, and whatever is in its registers and its TLB, it
 * reaches its own memory, an MMIO exit, or an exception of its own: never memory
 * or registers of the host, nor another guest, nor what it may only read.
 *
 * Many short runs of random instructions, biased towards those that trap, also in
 * delay slots; a timer ends each. Before each run userspace has put garbage into
 * registers and TLB. After each:
 *
 * - the host's registers are what they were at KVM_RUN;
 * - memory of the VMM at the addresses that the guest uses, around the guest's
 *   memory, and the VMM's own program are as they were, and so is a read-only slot;
 * - the guest's CPU is still one: no register has bits that it cannot have;
 * - another VM has computed what it should have.
 *
 * A guest in user mode ("user") has to leave its kernel's memory and registers alone,
 * as well: its kernel says to userspace that there was an exception, which is
 * checked.
 *
 *   garbage_test [-s<seed>] [-c<runs>] [subtest...]
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm_util.h"

#define CP0(r, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * (r) + (s)))
#define CP0L(r, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U64 | (8 * (r) + (s)))
#define REG_INDEX	CP0(0, 0)
#define REG_ENTRYLO0	CP0L(2, 0)
#define REG_ENTRYLO1	CP0L(3, 0)
#define REG_CONTEXT	CP0L(4, 0)
#define REG_PAGEMASK	CP0(5, 0)
#define REG_WIRED	CP0(6, 0)
#define REG_BADVADDR	CP0L(8, 0)
#define REG_COUNT	CP0(9, 0)
#define REG_ENTRYHI	CP0L(10, 0)
#define REG_COMPARE	CP0(11, 0)
#define REG_STATUS	CP0(12, 0)
#define REG_CAUSE	CP0(13, 0)
#define REG_EPC		CP0L(14, 0)
#define REG_EBASE	CP0L(15, 1)
#define REG_CONFIG1	CP0(16, 1)
#define REG_CONFIG3	CP0(16, 3)
#define REG_CONFIG5	CP0(16, 5)
#define CONFIG3_MSAP	(1 << 28)
#define CONFIG5_MSAEN	(1 << 27)
#define REG_TLB		KVM_REG_MIPS_TLB_MASK(0)
#define NR_ENTRIES	64

static unsigned long seed_option = 1, runs_option;

/* --- what must not change --- */

#define USEG_VA		0x00400000UL	/* not used by the VMM itself */
#define CANARY_BYTES	(2 * host_page)

/*
 * SDBBP, which any process can execute, ends in the machine's firmware, and QEMU has
 * none that returns. So it is not among the instructions, nor, as a guest may jump
 * anywhere, in the rest of its memory; the same for MIPS16e's.
 */
#define SDBBP_BITS	0x00010001

static bool is_sdbbp(uint32_t insn)
{
	return (insn & 0xfc00003f) == 0x7000003f || (insn & 0xf81f) == 0xe801 ||
	       (insn & 0xf81f0000) == 0xe8010000;
}

static uint32_t no_sdbbp(uint32_t insn)
{
	return is_sdbbp(insn) ? insn & ~SDBBP_BITS : insn;
}

static uint32_t mark(uintptr_t addr)
{
	return no_sdbbp(addr * 2654435761u ^ 0x6b766d21);
}

static void *fill_marks(void *mem, size_t bytes)
{
	uint32_t *p = mem;
	size_t i;

	for (i = 0; i < bytes / 4; i++)
		p[i] = mark((uintptr_t)&p[i]);
	return mem;
}

static void check_marks(const void *mem, size_t bytes, const char *what)
{
	const uint32_t *p = mem;
	size_t i;

	for (i = 0; i < bytes / 4; i++)
		TEST_ASSERT(p[i] == mark((uintptr_t)&p[i]), "%s changed: 0x%x at %p",
			    what, p[i], &p[i]);
}

static void *map(uintptr_t at, size_t bytes)
{
	void *p = mmap((void *)at, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	TEST_ASSERT(p != MAP_FAILED && (!at || p == (void *)at), "mmap");
	return p;
}

/* The VMM's memory at addresses that are the guest's useg, KSEG0 and KSEG2, too */
static const uintptr_t host_at[] = { USEG_VA, GUEST_KSEG0, GUEST_KSEG2 };

static void map_host(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(host_at); i++)
		fill_marks(map(host_at[i], CANARY_BYTES), CANARY_BYTES);
}

static void check_host(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(host_at); i++)
		check_marks((void *)host_at[i], CANARY_BYTES, "memory of the VMM");
}

extern char __executable_start[], __etext[];

/* The program itself, which is where the guest's KSEG0 is */
static uint32_t program_sum(void)
{
	const uint32_t *p = (uint32_t *)__executable_start;
	uint32_t sum = 0;

	for (; p < (uint32_t *)((uintptr_t)__etext & ~3); p++)
		sum = (sum << 1 | sum >> 31) + *p;
	return sum;
}

/* --- the other VM --- */

#define VICTIM_PAGES	8
#define VICTIM_ROUNDS	20
#define VICTIM_STEP(sum, word, i) ((sum) * 1664525 + (word) + (i))
#define VICTIM_WORD(i)	(*(volatile uint32_t *)(USEG_VA + (i) * host_page + 64))

static void guest_victim(void)
{
	uint32_t sum = 1, i, n, base;

	for (i = 0; i < VICTIM_PAGES; i += 2) {
		base = GUEST_FREE_BASE + i * host_page;
		guest_tlb_write(i, -1, USEG_VA + i * host_page,
				LO_PFN(base) | LO_C | LO_D | LO_V | LO_G,
				LO_PFN(base + host_page) | LO_C | LO_D | LO_V | LO_G);
	}
	for (;;) {
		for (n = 0; n < VICTIM_ROUNDS; n++) {
			for (i = 0; i < VICTIM_PAGES; i++) {
				sum = VICTIM_STEP(sum, VICTIM_WORD(i), i);
				VICTIM_WORD(i) = sum;
			}
			write_c0(C0_ENTRYHI, n % 4);
		}
		GUEST_SYNC_ARGS(1, sum);
	}
}

static struct kvm_vcpu *victim;

static void run_victim(void)
{
	static uint32_t words[VICTIM_PAGES], sum = 1;
	struct ucall uc;
	uint32_t n, i;

	if (!victim)
		vm_create_with_one_vcpu(&victim, guest_victim);
	vcpu_run_to_sync(victim, 1, &uc);
	for (n = 0; n < VICTIM_ROUNDS; n++) {
		for (i = 0; i < VICTIM_PAGES; i++) {
			sum = VICTIM_STEP(sum, words[i], i);
			words[i] = sum;
		}
	}
	TEST_ASSERT_EQ((uint32_t)uc.args[1], sum);
}

/* --- KVM_RUN, and what is in the host's registers afterwards --- */

struct host_regs {
	uint32_t s[9], gp, f[32];
};

#define ALL "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27," \
	    "28,29,30,31"

int garbage_run(int fd, unsigned long request, struct host_regs *after);

__asm__(
	".set push; .set noreorder; .set noat; .set fp=32; .set oddspreg\n"
	".globl garbage_run; .type garbage_run, @function\n"
	"garbage_run:\n"
	"	addiu	$sp, $sp, -120\n"
	"	.irp	n, 20,22,24,26,28,30\n"
	"	sdc1	$f\\n, 8 * (\\n - 20) / 2($sp)\n"
	"	.endr\n"
	"	.irp	n, 16,17,18,19,20,21,22,23\n"
	"	sw	$\\n, 48 + 4 * (\\n - 16)($sp)\n"
	"	.endr\n"
	"	sw	$30, 80($sp)\n"
	"	sw	$6, 84($sp)\n"
	"	sw	$28, 88($sp)\n"
	"	.irp	n, " ALL "\n"
	"	li	$8, 0x3f800100 + \\n\n"
	"	mtc1	$8, $f\\n\n"
	"	.endr\n"
	"	.irp	n, 16,17,18,19,20,21,22,23,30\n"
	"	li	$\\n, 0x5a5a0100 + \\n\n"
	"	.endr\n"
	"	move	$6, $0\n"
	"	li	$2, 4054\n"			/* ioctl */
	"	syscall\n"
	"	lw	$8, 84($sp)\n"
	"	.irp	n, 16,17,18,19,20,21,22,23\n"
	"	sw	$\\n, 4 * (\\n - 16)($8)\n"
	"	.endr\n"
	"	sw	$30, 32($8)\n"
	"	sw	$28, 36($8)\n"
	"	.irp	n, " ALL "\n"
	"	swc1	$f\\n, 40 + 4 * \\n($8)\n"
	"	.endr\n"
	"	beqz	$7, 1f\n"
	"	nop\n"
	"	negu	$2, $2\n"
	"1:	.irp	n, 20,22,24,26,28,30\n"
	"	ldc1	$f\\n, 8 * (\\n - 20) / 2($sp)\n"
	"	.endr\n"
	"	.irp	n, 16,17,18,19,20,21,22,23\n"
	"	lw	$\\n, 48 + 4 * (\\n - 16)($sp)\n"
	"	.endr\n"
	"	lw	$30, 80($sp)\n"
	"	lw	$28, 88($sp)\n"
	"	jr	$31\n"
	"	addiu	$sp, $sp, 120\n"
	".set pop");

/* Returns: 0 or a negative error of KVM_RUN. */
static int run_checked(struct kvm_vcpu *vcpu)
{
	struct host_regs after;
	unsigned int i;
	uint32_t gp;
	int ret;

	ret = garbage_run(vcpu->fd, KVM_RUN, &after);
	asm("move %0,$28" : "=r"(gp));
	for (i = 0; i < 9; i++)
		TEST_ASSERT(after.s[i] == 0x5a5a0100 + (i < 8 ? 16 + i : 30),
			    "the host's s%u is 0x%x", i, after.s[i]);
	TEST_ASSERT_EQ(after.gp, gp);
	for (i = 0; i < 32; i++)
		TEST_ASSERT(after.f[i] == 0x3f800100 + i, "the host's f%u is 0x%x", i,
			    after.f[i]);
	return ret;
}

/* --- random instructions --- */

static uint32_t pick(struct rng *rng, const uint32_t *of, unsigned int n)
{
	return of[rng_next(rng) % n];
}

static uint32_t any_trapping(struct rng *rng)
{
	static const uint32_t co[] = {
		0x42000001, 0x42000002, 0x42000006, 0x42000008, 0x42000018, 0x42000020,
		0x4200001f, 0x42000028,		/* tlbr wi wr p, eret, wait, deret, hypcall */
	};
	uint32_t r = rng_next(rng), rt = r & 0x1f0000;

	switch (r % 12) {
	case 0 ... 1:
		return 0x40000000 | rt | (r & 0xf807);			/* mfc0 */
	case 2 ... 4:
		return 0x40800000 | rt | (r & 0x8000 ? r & 0xf800 : r & 0xf807);
	case 5 ... 6:
		return pick(rng, co, ARRAY_SIZE(co));
	case 7:
		return 0x41606000 | rt | (r & 0x20);			/* di, ei */
	case 8:
		return 0x7c00003b | rt | (r & 0xf800);			/* rdhwr */
	case 9:
		return r & 0x40 ? 0x0000000c : 0x0000000d | (r & 0xffc0);
	case 10:
		return 0xbc000000 | (r & 0x03ffffff);			/* cache */
	default:
		return 0x00000034 | (r & 0x03ffffc0);			/* teq */
	}
}

static uint32_t any_insn(struct rng *rng)
{
	static const uint32_t memory_ops[] = {
		0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2a, 0x2b, 0x2e,
		0x23, 0x2b, 0x23, 0x2b, 0x30, 0x38, 0x31, 0x35, 0x39, 0x3d,
	};
	static const uint32_t branches[] = {
		0x10000000, 0x14000000, 0x18000000, 0x1c000000, 0x50000000, 0x54000000,
		0x04000000, 0x04010000, 0x04110000, 0x04130000, 0x45000000, 0x45010000,
	};
	uint32_t r = rng_next(rng), v = rng_next(rng);

	switch (r % 20) {
	case 0 ... 2:
		return v;
	case 3 ... 7:
		return any_trapping(rng);
	case 8 ... 12:
		return pick(rng, memory_ops, ARRAY_SIZE(memory_ops)) << 26 |
		       (v & 0x03ff0000) | (v & 0x8000 ? v & 0x3ffc : v & 0xffff);
	case 13 ... 15:
		return pick(rng, branches, ARRAY_SIZE(branches)) | (v & 0x03e00000) |
		       (v & 0x20 ? v & 15 : -(v & 15) & 0xffff);
	case 16:
		return (r & 0x100 ? 0x08000000 : 0x0c000000) | (v & 0x7ff);
	case 17:
		return (r & 0x100 ? 8 : 0xf809) | (v & 0x03e00000);	/* jr, jalr */
	case 18:
		return (r & 0x100 ? 0x78000000 : 0x24000000) |		/* MSA, addiu */
		       (v & 0x03ffffff);
	default:
		return v & 0x03ffffff;					/* SPECIAL */
	}
}

static void fill_code(struct rng *rng, uint32_t *code, unsigned int words)
{
	unsigned int i;

	for (i = 0; i < words; i++) {
		do {
			code[i] = any_insn(rng);
		} while (is_sdbbp(code[i]));
		/* What traps often follows a branch. */
		if (i && (code[i - 1] >> 29 == 0 || code[i - 1] >> 28 == 5) &&
		    rng_next(rng) % 2)
			code[i] = no_sdbbp(any_trapping(rng));
	}
	arch_sync_icache(code, 4 * words);
}

/* --- a guest of its own memory --- */

#define LOW_PAGES	8u
#define DATA_GPA	0x02000000UL
#define DATA_PAGES	4u
#define ROM_GPA		0x03000000UL
#define ROM_PAGES	2u
#define CODE_OFFSET	0x1000
#define RUN_NS		3000000

static struct garbage_vm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	char *low, *data, *rom;
	struct kvm_reg_list *list;
	struct rng rng;
	uint32_t sum;
	bool fpu, msa;
	uint32_t exits, interrupted, errors;
} g;

/* Host memory for a slot, with canaries around it */
static char *guarded(unsigned int pages)
{
	size_t bytes = pages * host_page;
	char *p = map(0, bytes + 2 * CANARY_BYTES);

	fill_marks(p, bytes + 2 * CANARY_BYTES);
	return p + CANARY_BYTES;
}

static void check_guarded(const char *mem, unsigned int pages)
{
	check_marks(mem - CANARY_BYTES, CANARY_BYTES, "memory before a slot");
	check_marks(mem + pages * host_page, CANARY_BYTES, "memory after a slot");
}

static void on_timer(int sig)
{
}

static timer_t timer;

static void create_timer(void)
{
	struct sigaction sa = { .sa_handler = on_timer };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	TEST_ASSERT(!sigaction(SIGUSR1, &sa, NULL), "sigaction");
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
}

/* It ends a run of the guest, and again if that had not begun. */
static void set_timer(long ns)
{
	struct itimerspec every = { { 0, ns }, { 0, ns } };

	TEST_ASSERT(!timer_settime(timer, 0, &every, NULL), "timer_settime");
}

static void create_garbage_vm(uint64_t seed)
{
	struct kvm_enable_cap fpu = { .cap = KVM_CAP_MIPS_FPU };
	struct kvm_enable_cap msa = { .cap = KVM_CAP_MIPS_MSA };
	struct kvm_reg_list none = { .n = 0 };

	g.rng.state = seed;
	map_host();
	g.vm = vm_create_barebones();
	g.low = guarded(LOW_PAGES);
	g.data = guarded(DATA_PAGES);
	g.rom = guarded(ROM_PAGES);
	vm_mem_add(g.vm, 0, 0, LOW_PAGES * host_page, 0, g.low);
	vm_mem_add(g.vm, 1, DATA_GPA, DATA_PAGES * host_page, 0, g.data);
	vm_mem_add(g.vm, 2, ROM_GPA, ROM_PAGES * host_page, KVM_MEM_READONLY, g.rom);
	g.vcpu = __vm_vcpu_add(g.vm, 0);
	g.fpu = kvm_check_cap(KVM_CAP_MIPS_FPU) == 1;
	if (g.fpu)
		vcpu_ioctl(g.vcpu, KVM_ENABLE_CAP, &fpu);
	g.msa = kvm_check_cap(KVM_CAP_MIPS_MSA) == 1;
	if (g.msa)
		vcpu_ioctl(g.vcpu, KVM_ENABLE_CAP, &msa);
	TEST_ASSERT(ioctl(g.vcpu->fd, KVM_GET_REG_LIST, &none) == -1 && errno == E2BIG,
		    "KVM_GET_REG_LIST");
	g.list = calloc(1, sizeof(*g.list) + none.n * sizeof(g.list->reg[0]));
	g.list->n = none.n;
	vcpu_ioctl(g.vcpu, KVM_GET_REG_LIST, g.list);
	g.sum = program_sum();
	create_timer();
}

/* Addresses that mean something, or nearly */
static uint32_t any_address(struct rng *rng)
{
	static const uint32_t bases[] = {
		GUEST_KSEG0, GUEST_KSEG0 + CODE_OFFSET, GUEST_KSEG0 + DATA_GPA,
		GUEST_KSEG0 + ROM_GPA, GUEST_KSEG0 + GUEST_IMAGE_END, USEG_VA,
		USEG_VA, GUEST_KSEG2, GUEST_KSEG2, 0x40100000, 0x7fff0000, 0x80000000,
		0x80100000, 0xbf000000, 0xc0000000, 0xffff0000,
	};
	uint32_t r = rng_next(rng);

	if (r % 8 == 0)
		return rng_next(rng);
	return pick(rng, bases, ARRAY_SIZE(bases)) + (int32_t)(r >> 16) * 4 / (r & 8 ? 1 : 64) -
	       (r & 16 ? 0x8000 : 0);
}

static void any_gprs(struct kvm_regs *regs)
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		regs->gpr[i] = (int32_t)no_sdbbp(rng_next(&g.rng) % 4 ? any_address(&g.rng) :
									rng_next(&g.rng));
	regs->gpr[0] = 0;
	regs->hi = rng_next(&g.rng);
	regs->lo = rng_next(&g.rng);
}

/* Userspace may be told that a value is wrong, but nothing else. */
static void set_garbage(uint64_t id, uint64_t val)
{
	/* Vector registers are of 128 bits. */
	uint64_t vals[2] = { val, ~val };

	if (__vcpu_set_reg(g.vcpu, id, vals)) {
		TEST_ASSERT(errno == EINVAL, "register 0x%llx: error %d",
			    (unsigned long long)id, errno);
		g.errors++;
	}
}

static void any_entry(unsigned int i)
{
	static const uint32_t gpas[] = {
		0, 0, DATA_GPA, DATA_GPA, ROM_GPA, 0x1f000000, 0x20000000, 0xfff00000,
	};
	uint32_t r = rng_next(&g.rng), n;
	uint64_t first = REG_TLB + 4 * i;

	set_garbage(first, r & 1 ? 0 : rng_next(&g.rng));
	set_garbage(first + 1, (any_address(&g.rng) & ~0xff) | rng_next(&g.rng) % 4);
	for (n = 2; n < 4; n++) {
		uint32_t lo = rng_next(&g.rng);

		if (r & 6)
			lo = LO_PFN(pick(&g.rng, gpas, ARRAY_SIZE(gpas)) +
				    rng_next(&g.rng) % 8 * host_page) | (lo & 0x3f) |
			     (r & 8 ? LO_V | LO_D : 0);
		set_garbage(first + n, lo);
	}
}

static void answer_mmio(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	unsigned int i;

	TEST_ASSERT(run->mmio.len && run->mmio.len <= 8, "MMIO of %u bytes",
		    run->mmio.len);
	/* It may be where a slot is: what the guest has above KSEG2/3 is devices. */
	TEST_ASSERT(run->mmio.phys_addr >> 32 == 0, "MMIO at 0x%llx",
		    (unsigned long long)run->mmio.phys_addr);
	for (i = 0; !run->mmio.is_write && i < run->mmio.len; i++)
		run->mmio.data[i] = rng_next(&g.rng) & ~SDBBP_BITS;
}

/* Is this a CPU as KVM makes them? */
static void check_cpu(struct kvm_vcpu *vcpu)
{
	uint32_t min_mask = (2 * host_page - 1) & ~0x1fff, mask, i, hi, lo0, lo1;
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT_EQ(regs.gpr[0], 0);
	TEST_ASSERT(!(vcpu_get_reg(vcpu, REG_INDEX) & 0x7fffffc0), "Index");
	TEST_ASSERT(vcpu_get_reg(vcpu, REG_WIRED) < NR_ENTRIES, "Wired");
	TEST_ASSERT(!(vcpu_get_reg(vcpu, REG_ENTRYHI) & 0x1f00), "EntryHi");
	TEST_ASSERT(!(vcpu_get_reg(vcpu, REG_STATUS) &
		      ~(uint64_t)(ST_CU0 | ST_CU1 | ST_FR | ST_BEV | ST_IM | 0x1f)),
		    "Status is 0x%llx", (unsigned long long)vcpu_get_reg(vcpu, REG_STATUS));
	for (i = 0; i < NR_ENTRIES; i++) {
		mask = vcpu_get_reg(vcpu, REG_TLB + 4 * i) | 0x1fff;
		TEST_ASSERT((mask & (mask + 1)) == 0 && (mask & min_mask) == min_mask &&
			    __builtin_popcount(mask) % 2, "entry %u: PageMask 0x%x", i, mask);
		hi = vcpu_get_reg(vcpu, REG_TLB + 4 * i + 1);
		lo0 = vcpu_get_reg(vcpu, REG_TLB + 4 * i + 2);
		lo1 = vcpu_get_reg(vcpu, REG_TLB + 4 * i + 3);
		TEST_ASSERT(!(hi & mask & ~0xff), "entry %u: EntryHi 0x%x", i, hi);
		TEST_ASSERT(!((lo0 | lo1) & 0xc0000000), "entry %u: EntryLo", i);
	}
}

static void check_all(unsigned int run)
{
	check_host();
	check_guarded(g.low, LOW_PAGES);
	check_guarded(g.data, DATA_PAGES);
	check_guarded(g.rom, ROM_PAGES);
	check_marks(g.rom, ROM_PAGES * host_page, "a read-only slot");
	if (run % 16)
		return;
	TEST_ASSERT_EQ(program_sum(), g.sum);
	check_cpu(g.vcpu);
	run_victim();
}

/* Runs until the timer, or for a number of exits. */
static void run_garbage(void)
{
	unsigned int exits;
	int ret;

	set_timer(RUN_NS);
	for (exits = 0; exits < 30; exits++) {
		ret = run_checked(g.vcpu);
		if (ret) {
			TEST_ASSERT(ret == -EINTR, "KVM_RUN returned %d", ret);
			g.interrupted++;
			break;
		}
		TEST_ASSERT(g.vcpu->run->exit_reason == KVM_EXIT_MMIO,
			    "unexpected exit %u (%s)", g.vcpu->run->exit_reason,
			    exit_reason_str(g.vcpu->run->exit_reason));
		answer_mmio(g.vcpu);
		g.exits++;
	}
	set_timer(0);
	vcpu_complete_io(g.vcpu);
}

/* Handlers that go on after the instruction, so that there is more of a run */
static void write_vectors(uint32_t *low)
{
	static const uint32_t skip[] = {
		0x401a7000,	/* mfc0 k0, EPC */
		0x275a0004,	/* addiu k0, 4 */
		0x409a7000,	/* mtc0 k0, EPC */
		0x42000018,	/* eret */
	};

	memcpy(low, skip, sizeof(skip));
	memcpy(low + 0x180 / 4, skip, sizeof(skip));
	memcpy(low + 0x200 / 4, skip, sizeof(skip));
	arch_sync_icache(low, 0x220);
}

static void run_kernel(unsigned int run)
{
	uint32_t r = rng_next(&g.rng), status, *low = (uint32_t *)g.low;
	struct kvm_regs regs;
	unsigned int i;

	fill_code(&g.rng, low, 2 * host_page / 4);
	if (r & 3)
		write_vectors(low);
	/* Garbage in some registers, or, if it was not too bad so far, none */
	for (i = 0; (r & 4) && i < g.list->n; i++)
		if (rng_next(&g.rng) % 4 == 0)
			set_garbage(g.list->reg[i], (uint64_t)rng_next(&g.rng) << 32 |
						    rng_next(&g.rng));
	for (i = 0; i < 12; i++)
		any_entry(rng_next(&g.rng) % NR_ENTRIES);
	set_garbage(REG_CONFIG1, g.fpu && r & 8);
	set_garbage(REG_CONFIG3, g.msa && r & 0x800 ? CONFIG3_MSAP : 0);
	set_garbage(REG_CONFIG5, r & 0x3000 ? CONFIG5_MSAEN : 0);
	status = rng_next(&g.rng);
	if (r & 0x30)
		status &= ~(ST_BEV | ST_ERL | 0x18);
	if (r & 0x40)
		status |= ST_CU1;
	set_garbage(REG_STATUS, status);
	if (r & 0x30)
		set_garbage(REG_EBASE, 0);

	any_gprs(&regs);
	regs.pc = GUEST_KSEG0 + CODE_OFFSET + rng_next(&g.rng) % 512 * 4;
	if (!(r & 0x700))
		regs.pc = (int32_t)any_address(&g.rng);
	vcpu_regs_set(g.vcpu, &regs);
	run_garbage();
	check_all(run);
}

/*
 * How far a run gets is a matter of time, and so is what the next ones do: there are
 * more of them, up to this many times, until all has happened that is to happen.
 */
#define MORE_RUNS	8

static bool kernel_did_enough(unsigned int runs)
{
	return g.interrupted > runs / 8 && g.exits > runs / 8 &&
	       (!vcpu_has_stat(g.vcpu, "te_short_exits") ||
		vcpu_get_stat(g.vcpu, "te_short_exits") > runs);
}

/* Random instructions in kernel mode, and wherever they get to from there */
static void test_kernel(void)
{
	unsigned int runs = runs_option ?: 1200, run;

	create_garbage_vm(seed_option);
	for (run = 0; run < runs || (run < MORE_RUNS * runs && !kernel_did_enough(runs)); run++)
		run_kernel(run);
	print_info("seed %lu: %u runs, %u ended by the timer, %u MMIO exits, %u values refused",
		   seed_option, run, g.interrupted, g.exits, g.errors);
	print_info("exits for MSA: %llu that it is disabled, %llu floating point",
		   (unsigned long long)vcpu_get_stat(g.vcpu, "msa_disabled_exits"),
		   (unsigned long long)vcpu_get_stat(g.vcpu, "msa_fpe_exits"));
	TEST_ASSERT(kernel_did_enough(runs), "nothing much happened");
	kvm_vm_free(g.vm);
	kvm_vm_free(victim->vm);
}

/* --- in user mode --- */

/* It has these pages; the last may only be read. */
#define USER_CODE	USEG_VA
#define USER_DATA	(USEG_VA + 2 * host_page)
#define TELL_GPA	0x1f002000UL

/* Each vector stores to an address of its own, for userspace, and waits. */
static void write_tell(uint32_t *low)
{
	static const uint32_t at[] = { 0, 0x180, 0x200 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		uint32_t *p = low + at[i] / 4;

		p[0] = 0x3c1abf00;		/* lui k0, 0xbf00 */
		p[1] = 0xaf5a2000 | at[i];	/* sw k0, 0x2000 + vector(k0) */
		p[2] = 0x1000ffff;		/* b . */
		p[3] = 0;
	}
	arch_sync_icache(low, 0x220);
}

static uint32_t exceptions[32];

/* Registers that user mode may change, through the exceptions that it causes */
static bool user_changes(uint64_t id)
{
	uint64_t group = id & 0xff0000;

	/* Its own registers, and the FPU's */
	return group == (KVM_REG_MIPS_GP & 0xff0000) ||
	       group == (KVM_REG_MIPS_FPU & 0xff0000) || id == REG_CONTEXT ||
	       id == REG_BADVADDR || id == REG_COUNT || id == REG_ENTRYHI ||
	       id == REG_STATUS || id == REG_CAUSE || id == REG_EPC;
}

static void check_exception(uint64_t vector)
{
	const uint32_t allowed = 1u << EXC_MOD | 1 << EXC_TLBL | 1 << EXC_TLBS |
		1 << EXC_ADEL | 1 << EXC_ADES | 1 << EXC_SYS | 1 << EXC_BP |
		1 << EXC_RI | 1 << EXC_CPU | 1 << EXC_OV | 1 << EXC_TR | 1 << EXC_FPE;
	uint32_t cause = vcpu_get_reg(g.vcpu, REG_CAUSE), code = cause >> 2 & 31;
	uint32_t badvaddr = vcpu_get_reg(g.vcpu, REG_BADVADDR);

	TEST_ASSERT(vector == TELL_GPA || vector == TELL_GPA + 0x180, "vector at 0x%llx",
		    (unsigned long long)vector);
	TEST_ASSERT(1u << code & allowed, "exception %u", code);
	if (vector == TELL_GPA) {
		TEST_ASSERT(code == EXC_TLBL || code == EXC_TLBS, "refill for %u", code);
		TEST_ASSERT(badvaddr - USEG_VA >= 4 * host_page && badvaddr < GUEST_KSEG0,
			    "refill for 0x%x", badvaddr);
	} else {
		/* Both pages of both entries are valid. */
		TEST_ASSERT(code != EXC_TLBL && code != EXC_TLBS, "invalid 0x%x", badvaddr);
	}
	if (code == EXC_MOD)
		TEST_ASSERT(badvaddr - (USER_DATA + host_page) < host_page,
			    "modified 0x%x", badvaddr);
	if (code == EXC_ADEL || code == EXC_ADES)
		TEST_ASSERT(badvaddr & 7 || badvaddr >= GUEST_KSEG0, "address 0x%x", badvaddr);
	exceptions[code]++;
}

static void user_state(uint64_t *val)
{
	unsigned int i;

	for (i = 0; i < g.list->n; i++)
		val[i] = user_changes(g.list->reg[i]) ? 0 : vcpu_get_reg(g.vcpu, g.list->reg[i]);
}

static void run_user(unsigned int run, const void *low, const uint64_t *state)
{
	uint32_t r = rng_next(&g.rng), status, n, i;
	static uint64_t now[600];
	struct kvm_regs regs;
	int ret;

	fill_code(&g.rng, (uint32_t *)g.data, 512);
	any_gprs(&regs);
	regs.pc = USER_CODE + r % 256 * 4;
	status = ST_USER | (g.fpu && r & 0x1000 ? ST_CU1 : 0);
	for (n = 0; n < 30; n++) {
		vcpu_set_reg(g.vcpu, REG_STATUS, status);
		/* What was on its way goes on in the kernel's registers, not in these. */
		vcpu_regs_set(g.vcpu, &regs);
		set_timer(RUN_NS);
		ret = run_checked(g.vcpu);
		set_timer(0);
		TEST_ASSERT(!(vcpu_get_reg(g.vcpu, REG_ENTRYHI) & 0xff), "ASID");
		if (ret) {
			TEST_ASSERT(ret == -EINTR, "KVM_RUN returned %d", ret);
			TEST_ASSERT((vcpu_get_reg(g.vcpu, REG_STATUS) | ST_EXL) ==
				    (status | ST_EXL), "Status");
			g.interrupted++;
			break;
		}
		TEST_ASSERT(g.vcpu->run->exit_reason == KVM_EXIT_MMIO &&
			    g.vcpu->run->mmio.is_write, "unexpected exit %u (%s)",
			    g.vcpu->run->exit_reason,
			    exit_reason_str(g.vcpu->run->exit_reason));
		TEST_ASSERT_EQ(vcpu_get_reg(g.vcpu, REG_STATUS), status | ST_EXL);
		check_exception(g.vcpu->run->mmio.phys_addr);
		g.exits++;
		vcpu_complete_io(g.vcpu);
		vcpu_regs_get(g.vcpu, &regs);
		regs.pc = USER_CODE + rng_next(&g.rng) % 512 * 4;
		regs.gpr[1 + rng_next(&g.rng) % 31] = (int32_t)any_address(&g.rng);
	}
	TEST_ASSERT(!memcmp(g.low, low, LOW_PAGES * host_page), "the kernel's memory changed");
	check_marks(g.data + 3 * host_page, host_page, "a page that is not dirty");
	check_all(run);
	if (run % 16)
		return;
	user_state(now);
	for (i = 0; i < g.list->n; i++)
		TEST_ASSERT(now[i] == state[i], "register 0x%llx is 0x%llx, was 0x%llx",
			    (unsigned long long)g.list->reg[i], (unsigned long long)now[i],
			    (unsigned long long)state[i]);
}

static bool user_did_enough(unsigned int runs)
{
	return g.exits > 10 * runs &&
	       exceptions[EXC_MOD] && exceptions[EXC_TLBL] && exceptions[EXC_TLBS] &&
	       exceptions[EXC_ADEL] && exceptions[EXC_ADES] && exceptions[EXC_SYS] &&
	       exceptions[EXC_RI] && exceptions[EXC_CPU] && exceptions[EXC_TR];
}

/* Random instructions in user mode, whose kernel must not notice */
static void test_user(void)
{
	static uint64_t state[600];
	unsigned int runs = runs_option ?: 600, run, i;
	char *low;

	create_garbage_vm(seed_option + 1);
	TEST_ASSERT(g.list->n <= ARRAY_SIZE(state), "%llu registers", g.list->n);
	low = map(0, LOW_PAGES * host_page);
	write_tell((uint32_t *)g.low);
	memcpy(low, g.low, LOW_PAGES * host_page);
	for (i = 0; i < 2; i++) {
		uint64_t entry = REG_TLB + 4 * (5 + i);
		uint32_t gpa = DATA_GPA + 2 * i * host_page;

		vcpu_set_reg(g.vcpu, entry, 0);
		vcpu_set_reg(g.vcpu, entry + 1, USEG_VA + 2 * i * host_page);
		vcpu_set_reg(g.vcpu, entry + 2, LO_PFN(gpa) | LO_C | LO_V | LO_D);
		vcpu_set_reg(g.vcpu, entry + 3, LO_PFN(gpa + host_page) | LO_C | LO_V |
						(i ? 0 : LO_D));
	}
	vcpu_set_reg(g.vcpu, REG_ENTRYHI, 0);
	vcpu_set_reg(g.vcpu, REG_EBASE, 0);
	vcpu_set_reg(g.vcpu, REG_CONFIG1, vcpu_get_reg(g.vcpu, REG_CONFIG1) | g.fpu);
	user_state(state);
	for (run = 0; run < runs || (run < MORE_RUNS * runs && !user_did_enough(runs)); run++)
		run_user(run, low, state);
	print_info("seed %lu: %u runs, %u ended by the timer, %u exceptions",
		   seed_option + 1, run, g.interrupted, g.exits);
	TEST_ASSERT(user_did_enough(runs), "an exception never happened, or few did");
	kvm_vm_free(g.vm);
	kvm_vm_free(victim->vm);
}

/* --- garbage in the TLB --- */

#define NAMED_PAGES	64u
#define NAMED_GPA	DATA_GPA
#define NAME(gpa)	mark(gpa)
#define MMIO_ANSWER(gpa) (0x5eed0000 | ((gpa) >> 12 & 0xffff))
#define TLB_STEPS	6000

static uint32_t outcomes[4];	/* memory, RAM of the program, MMIO, exceptions */
static uint32_t expected_gpa;

/* Guest: where an entry that was read back leads, or that it does not */
static unsigned int translate(uint32_t mask, uint32_t lo0, uint32_t lo1, uint32_t va,
			      bool write, uint32_t *gpa)
{
	uint32_t half = ((mask | 0x1fff) + 1) / 2, lo = va & half ? lo1 : lo0;

	if (!(lo & LO_V))
		return write ? EXC_TLBS : EXC_TLBL;
	if (write && !(lo & LO_D))
		return EXC_MOD;
	*gpa = ((lo >> 6 << 12) & ~(half - 1)) | (va & (half - 1));
	return EXC_NONE;
}

static void guest_tlb_garbage(unsigned long seed)
{
	struct rng rng = { seed };
	uint32_t step, r, va, mask, hi, lo0, lo1, val = 0, exc, expect, gpa = 0, other;
	bool write, named;

	for (step = 0; step < NR_ENTRIES; step++)
		guest_tlb_clear(step);
	for (step = 0; step < TLB_STEPS; step++) {
		r = rng_next(&rng);
		lo0 = rng_next(&rng);
		lo1 = rng_next(&rng);
		/* Half of them near the memory there is */
		if (r & 1)
			lo0 = (lo0 & 0x3f) | LO_PFN(NAMED_GPA + lo0 % NAMED_PAGES * host_page);
		if (r & 2)
			lo1 = (lo1 & 0x3f) | LO_PFN(NAMED_GPA + lo1 % NAMED_PAGES * host_page);
		if (!(r & 0x1c00000))
			lo0 = lo1 = (lo0 & 0x3f) | LO_PFN(lo0 % GUEST_RAM_SIZE);
		hi = rng_next(&rng);
		hi = (r & 4 ? GUEST_KSEG2 | (hi & 0x1fffffff) : hi & 0x3fffffff) & ~0xff;
		if (r & 8)
			hi |= 1;
		mask = r & 16 ? rng_next(&rng) : r & 32 ? 0 : (2u << (r >> 8) % 30) - 1;

		write_c0(C0_ENTRYHI, 1);
		guest_tlb_write(r >> 16 & 63, mask, hi, lo0, lo1);
		guest_tlb_read(r >> 16 & 63, &mask, &hi, &lo0, &lo1);
		write_c0(C0_ENTRYHI, 1);
		va = (hi & ~0xff) | (rng_next(&rng) & (mask | 0x1fff) & ~3);
		write = r & 64;
		if ((hi & 0xff) != 1 && !(lo0 & lo1 & LO_G))
			expect = write ? EXC_TLBS : EXC_TLBL;
		else
			expect = translate(mask, lo0, lo1, va, write, &gpa);
		named = gpa - NAMED_GPA < NAMED_PAGES * host_page;
		/* The program must go on, and a ucall is something else. */
		if (write && expect == EXC_NONE &&
		    (gpa < GUEST_RAM_SIZE || gpa - UCALL_GPA < 0x1000))
			expect = translate(mask, lo0, lo1, va, write = false, &gpa);

		WRITE_ONCE(expected_gpa, gpa);
		exc = write ? guest_store(va, NAME(gpa)) : guest_load(va, &val);
		GUEST_ASSERT_EQ(exc, expect);
		if (exc != EXC_NONE) {
			GUEST_ASSERT_EQ(guest_caught.badvaddr, va);
			outcomes[3]++;
		} else if (gpa < GUEST_RAM_SIZE) {
			/* Not of what this changes while it looks */
			other = *(volatile uint32_t *)(GUEST_KSEG0 + gpa);
			if (gpa >= GUEST_FREE_BASE && gpa < GUEST_STACK_TOP - 0x10000)
				GUEST_ASSERT_EQ(val, other);
			outcomes[1]++;
		} else if (named) {
			if (!write)
				GUEST_ASSERT_EQ(val, NAME(gpa));
			outcomes[0]++;
		} else {
			if (!write)
				GUEST_ASSERT_EQ(val, MMIO_ANSWER(gpa));
			outcomes[2]++;
		}
		/* Nothing else is left that maps anything. */
		guest_tlb_clear(r >> 16 & 63);
	}
	GUEST_PRINTF("%lu accesses to memory, %lu to the program's, %lu to devices, %lu exceptions",
		     outcomes[0], outcomes[1], outcomes[2], outcomes[3]);
	for (step = 0; step < ARRAY_SIZE(outcomes); step++)
		GUEST_ASSERT(outcomes[step] > 50);
	GUEST_DONE();
}

static bool tlb_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data, unsigned int len,
		     bool is_write)
{
	uint32_t v = MMIO_ANSWER(gpa);

	TEST_ASSERT_EQ(gpa, *guest_addr(vcpu->vm, expected_gpa));
	if (is_write) {
		memcpy(&v, data, 4);
		TEST_ASSERT_EQ(v, NAME(gpa));
	} else {
		memcpy(data, &v, len < 4 ? len : 4);
	}
	return true;
}

static void test_tlb(void)
{
	static const struct vm_ops ops = { .mmio = tlb_mmio };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	char *named;
	uint32_t i;

	map_host();
	vm = vm_create_with_one_vcpu(&vcpu, guest_tlb_garbage);
	vm->ops = &ops;
	named = guarded(NAMED_PAGES);
	for (i = 0; i < NAMED_PAGES * host_page; i += 4)
		*(uint32_t *)(named + i) = NAME(NAMED_GPA + i);
	vm_mem_add(vm, 1, NAMED_GPA, NAMED_PAGES * host_page, 0, named);
	vcpu_args_set(vcpu, 1, seed_option + 2);
	vcpu_run_to_done(vcpu);
	for (i = 0; i < NAMED_PAGES * host_page; i += 4)
		TEST_ASSERT_EQ(*(uint32_t *)(named + i), NAME(NAMED_GPA + i));
	check_guarded(named, NAMED_PAGES);
	check_host();
	check_cpu(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "kernel", test_kernel, 120 },
	{ "user", test_user, 120 },
	{ "tlb", test_tlb },
};

int main(int argc, char **argv)
{
	seed_option = number_option(argc, argv, 's', seed_option);
	runs_option = number_option(argc, argv, 'c', runs_option);
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
