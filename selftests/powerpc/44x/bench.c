// SPDX-License-Identifier: GPL-2.0
/*
 * What operations of a 44x guest cost, in timebase ticks each, next to what
 * the host itself pays for a TLB miss. Lines: "bench: <name> <value> ticks".
 *
 * The guest counts with the timebase it shares with the host. Loops are three
 * instructions or less around the operation, and not subtracted. Under QEMU's
 * -icount a tick is a fixed number of instructions; there caches and TLB misses
 * are free, so this measures software paths, not hardware.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "44x.h"

#define EA		0x40000000UL
#define SLOT_GPA	0x02000000ULL
#define SLOT_SIZE	0x01000000ULL		/* 4,096 pages */
#define HANDLERS	GUEST_FREE_BASE		/* 64K aligned, for IVPR */
#define MIN_OPS		20000

/* --- loops, in assembly so that the compiler has no say in them --- */

/* Reads a word of each of n pages in turn, rounds times. */
static void touch_pages(unsigned long base, uint32_t n, uint32_t rounds)
{
	while (rounds--)
		asm volatile("mtctr %1; mr 5,%0; 1: lwz 6,0(5); add 5,5,%2; bdnz 1b"
			     : : "b"(base), "r"(n), "r"(4096)
			     : "5", "6", "ctr", "memory");
}

#define LOOP(n, insns, ...)						\
	asm volatile("mtctr %0; 1: " insns "; bdnz 1b"			\
		     : : "r"(n), ##__VA_ARGS__				\
		     : "5", "6", "ctr", "cr0", "memory")

static void guest_report(uint32_t start, uint32_t ops)
{
	GUEST_SYNC_ARGS(mftb() - start, ops);
}

/*
 * A guest's miss handler at its leanest: it owns r27 to r31. r29: next entry,
 * r30: physical minus effective address. And a system call that returns.
 */
extern char dtlb_handler[], dtlb_handler_end[], sc_handler[];
asm("	.text; .machine push; .machine \"440\"\n"
    "dtlb_handler:\n"
    "	mfspr 31,0x3d\n"		/* DEAR */
    "	rlwinm 31,31,0,0,19\n"
    "	add 28,31,30\n"
    "	ori 31,31,0x210\n"		/* valid, 4K */
    "	addi 29,29,1\n"
    "	rlwinm 29,29,0,26,31\n"
    "	ori 29,29,32\n"			/* entries 32 to 63 */
    "	tlbwe 28,29,1\n"
    "	tlbwe 31,29,0\n"
    "	li 27,0x3f\n"
    "	tlbwe 27,29,2\n"
    "	rfi\n"
    "dtlb_handler_end:\n"
    "sc_handler:\n"
    "	rfi\n"
    "	.machine pop\n");

/* As touch_pages(), with the registers of the miss handler set aside. */
static void guest_miss(unsigned long base, uint32_t n, uint32_t rounds,
		       uint32_t offset)
{
	asm volatile("mr 30,%3; li 29,0\n"
		     "2: mtctr %2; mr 5,%1\n"
		     "1: lwz 6,0(5); add 5,5,%4; bdnz 1b\n"
		     "addic. %0,%0,-1; bne 2b"
		     : "+r"(rounds) : "b"(base), "r"(n), "r"(offset), "r"(4096)
		     : "5", "6", "27", "28", "29", "30", "31", "ctr", "cr0", "memory");
}

static void guest_bench(uint32_t rounds)
{
	static const uint32_t sets[] = { 48, 64, 256, 1024, 4096 };
	uint32_t start, n, i, ops;

	guest_44x_init();

	/* One guest entry over everything: misses are the shadow's alone. */
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		n = sets[i];
		touch_pages(EA, n, 2);
		ops = rounds / n + 2;
		start = mftb();
		touch_pages(EA, n, ops);
		guest_report(start, n * ops);
	}
	tlb_invalidate(10);

	/* Misses of the guest's own TLB, 256 pages with 32 entries. */
	mtspr(SPRN_IVPR, HANDLERS);
	mtspr(0x19d, 0xd00);
	mtspr(0x198, 0x800);
	ops = rounds / 256 / 4 + 2;
	/* The handler's registers are global while this runs. */
	guest_miss(EA, 256, 2, (uint32_t)SLOT_GPA - EA);
	start = mftb();
	guest_miss(EA, 256, ops, (uint32_t)SLOT_GPA - EA);
	guest_report(start, 256 * ops);
	for (i = 32; i < TLB_ENTRIES; i++)
		tlb_invalidate(i);

	n = rounds / 4;
	start = mftb();
	LOOP(n, "mfspr 5,0x110");
	guest_report(start, n);

	start = mftb();
	LOOP(n, "wrteei 0");
	guest_report(start, n);

	start = mftb();
	LOOP(n, "sc");
	guest_report(start, n);

	/* A translation that nobody uses yet. */
	start = mftb();
	LOOP(n, ".machine push; .machine \"440\"; tlbwe %2,%1,1; tlbwe %3,%1,0; tlbwe %4,%1,2; .machine pop",
	     "r"(20), "r"((uint32_t)SLOT_GPA), "r"(EA | TLB0_V | SIZE_4K), "r"(TLB2_RWX));
	guest_report(start, n);

	/* A page of TID 0, under one PID after another. */
	start = mftb();
	LOOP(n / 2, "mtspr 0x30,%1; isync; lwz 5,0(%3); mtspr 0x30,%2; isync; lwz 5,0(%3)",
	     "r"(1), "r"(2), "b"(EA));
	guest_report(start, n / 2 * 2);
	set_pid(0);

	start = mftb();
	LOOP(n, "stw 5,0(%1)", "b"(GUEST_MMIO_BASE));
	guest_report(start, n);

	GUEST_DONE();
}

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	return is_write;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static void report(const char *name, uint32_t ticks, uint32_t ops)
{
	uint32_t hundredths = (uint64_t)ticks * 100 / ops;

	printf("bench: %s %u.%02u ticks\n", name, hundredths / 100, hundredths % 100);
	fflush(stdout);
}

static void bench_native(uint32_t rounds)
{
	static const uint32_t sets[] = { 48, 64, 256, 1024, 4096 };
	char *mem = mmap(NULL, 4096 * 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t start, n, ops;
	char name[32];
	unsigned int i;

	TEST_ASSERT(mem != MAP_FAILED, "mmap");
	memset(mem, 1, 4096 * 4096);
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		n = sets[i];
		ops = rounds / n + 2;
		touch_pages((unsigned long)mem, n, 2);
		start = mftb();
		touch_pages((unsigned long)mem, n, ops);
		start = mftb() - start;
		snprintf(name, sizeof(name), n == 48 ? "native_no_miss_%u" :
			 "native_miss_%u", n);
		report(name, start, n * ops);
	}
	munmap(mem, 4096 * 4096);
}

/*
 * What a context switch of the host costs the guest: it goes through 40 pages
 * while another process takes all of the TLB in its time slices.
 */
#define SWITCH_PAGES	40
#define SWITCH_TICKS	20000000

static void guest_switch(void)
{
	uint32_t start, rounds = 0;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	touch_pages(EA, SWITCH_PAGES, 2);
	GUEST_SYNC(0);
	start = mftb();
	while (mftb() - start < SWITCH_TICKS) {
		touch_pages(EA, SWITCH_PAGES, 100);
		rounds += 100;
	}
	GUEST_SYNC_ARGS(rounds, 0);
	GUEST_DONE();
}

static void bench_switch(bool reload)
{
	static const char path[] = "/sys/module/kvm/parameters/44x_reload";
	const char *how = reload ? "reload" : "plain";
	uint64_t refills, reloads, switches;
	struct kvm_vcpu *vcpu;
	struct rusage usage;
	struct kvm_vm *vm;
	struct ucall uc;
	int fd = open(path, O_WRONLY);
	pid_t child;
	char *mem;

	if (fd < 0 || write(fd, reload ? "Y" : "N", 1) != 1) {
		print_info("no %s", path);
		return;
	}
	close(fd);
	child = fork();
	TEST_ASSERT(child >= 0, "fork");
	if (!child) {
		mem = mmap(NULL, 128 * 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(mem, 1, 128 * 4096);
		for (;;)
			touch_pages((unsigned long)mem, 128, 1);
	}
	vm = vm_create_with_one_vcpu(&vcpu, guest_switch);
	vm_mem_add(vm, 1, SLOT_GPA, SLOT_SIZE, 0, NULL);
	memset(addr_gpa2hva(vm, SLOT_GPA), 1, SWITCH_PAGES * 4096);
	vcpu_run_to_ucall(vcpu, &uc);
	getrusage(RUSAGE_SELF, &usage);
	switches = usage.ru_nivcsw;
	refills = vcpu_get_stat(vcpu, "shadow_refills");
	reloads = vcpu_get_stat(vcpu, "shadow_reloads");
	vcpu_run_to_ucall(vcpu, &uc);
	getrusage(RUSAGE_SELF, &usage);
	switches = usage.ru_nivcsw - switches;
	refills = vcpu_get_stat(vcpu, "shadow_refills") - refills;
	reloads = vcpu_get_stat(vcpu, "shadow_reloads") - reloads;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	kvm_vm_free(vm);
	TEST_ASSERT(switches > 4, "%u context switches", (unsigned int)switches);
	printf("bench: switch_%s_misses %u.%02u misses\n", how,
	       (unsigned int)(refills / switches),
	       (unsigned int)(refills * 100 / switches % 100));
	printf("bench: switch_%s_reloads %u.%02u entries\n", how,
	       (unsigned int)(reloads / switches),
	       (unsigned int)(reloads * 100 / switches % 100));
	printf("bench: switch_%s_rounds %u rounds\n", how, (unsigned int)uc.args[0]);
}

int main(int argc, char **argv)
{
	static const char * const names[] = {
		"no_miss_48", "shadow_miss_64", "shadow_miss_256",
		"shadow_miss_1024", "shadow_miss_4096", "guest_miss_256",
		"emul_mfspr", "emul_wrteei", "guest_sc", "tlbwe_3", "write_pid",
		"mmio_store",
	};
	uint32_t rounds = argc > 1 ? atoi(argv[1]) : MIN_OPS;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int i;

	bench_native(rounds);
	vm = vm_create_with_one_vcpu(&vcpu, guest_bench);
	vm->ops = &ops;
	vm_mem_add(vm, 1, SLOT_GPA, SLOT_SIZE, 0, NULL);
	memset(addr_gpa2hva(vm, SLOT_GPA), 1, SLOT_SIZE);
	memcpy(addr_gpa2hva(vm, HANDLERS + 0xd00), dtlb_handler,
	       dtlb_handler_end - dtlb_handler);
	memcpy(addr_gpa2hva(vm, HANDLERS + 0x800), sc_handler, 4);
	arch_sync_icache(addr_gpa2hva(vm, HANDLERS), 0x1000);
	vcpu_args_set(vcpu, 1, (unsigned long)rounds);
	for (i = 0; vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC; i++) {
		TEST_ASSERT(i < ARRAY_SIZE(names), "too many results");
		report(names[i], uc.args[0], uc.args[1]);
	}
	TEST_ASSERT(i == ARRAY_SIZE(names), "%u results", i);
	kvm_vm_free(vm);
	bench_switch(false);
	bench_switch(true);
	return KSFT_PASS;
}
