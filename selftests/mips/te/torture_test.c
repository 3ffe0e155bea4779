// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that do with their TLB whatever a seed says, each step compared with a
 * model: entries of two page sizes, global or of one of more ASIDs than KVM keeps
 * address spaces for, written by TLBWI and TLBWR, probed, read back; loads and
 * stores in kernel and user mode. Each access has to reach the one word of memory,
 * or end in the one exception at the one vector, that a linear search in an array
 * says. In the end every frame is compared, so that a store gone astray is seen.
 *
 * No two entries match the same address: what happens then is the CPU's choice.
 *
 *   torture_test [-s<seed>] [-c<steps>] [subtest...]
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_util.h"

#define NR_ENTRIES	64
#define FIRST_ENTRY	1	/* 0 maps the program, below 32 MB */
#define NR_FRAMES	32
#define FRAMES_GPA	0x02000000UL
#define FRAME(n)	(FRAMES_GPA + (n) * host_page)
#define RAM(gpa)	(*(volatile uint32_t *)(GUEST_KSEG0 + (gpa)))
#define NAME(n)		(0xf0000000 + (n))
#define NR_ASIDS	20
#define NR_PAIRS	24	/* in useg, and as many in KSEG2 */
#define USEG_VA		0x02000000UL

static struct entry {
	uint32_t mask, hi, lo[2];
	bool used;
} model[NR_ENTRIES];
static uint32_t words[NR_FRAMES];
static uint32_t accesses[2], faults[2];

static uint32_t pair_size(const struct entry *e)
{
	return (e->mask | 0x1fff) + 1;
}

static bool is_global(const struct entry *e)
{
	return e->lo[0] & e->lo[1] & LO_G;
}

static struct entry *find(uint32_t va, uint32_t asid)
{
	int i;

	for (i = 0; i < NR_ENTRIES; i++) {
		struct entry *e = &model[i];

		if (e->used && !((e->hi ^ va) & ~(pair_size(e) - 1)) &&
		    (is_global(e) || (e->hi & 0xff) == asid))
			return e;
	}
	return NULL;
}

static bool overlaps(const struct entry *a, const struct entry *b)
{
	uint32_t size = pair_size(a) > pair_size(b) ? pair_size(a) : pair_size(b);

	return a->used && !((a->hi ^ b->hi) & ~(size - 1)) &&
	       (is_global(a) || is_global(b) || !((a->hi ^ b->hi) & 0xff));
}

static uint32_t random_va(struct rng *rng)
{
	uint32_t va = rng_next(rng) % 3 ? USEG_VA : GUEST_KSEG2;

	return va + rng_next(rng) % NR_PAIRS * 2 * host_page;
}

/* At most every eighth entry is global, and every eighth has larger pages. */
static void random_entry(struct rng *rng, struct entry *e)
{
	uint32_t bits = rng_next(rng), i, n;

	e->used = true;
	e->mask = (2 * host_page - 1) & ~0x1fff;
	if (!(bits & 7))
		e->mask = e->mask << 2 | 0x6000;
	e->hi = random_va(rng) & ~(pair_size(e) - 1);
	for (i = 0; i < 2; i++) {
		n = rng_next(rng) % NR_FRAMES;
		n -= n % (pair_size(e) / 2 / host_page);
		e->lo[i] = LO_PFN(FRAME(n)) | LO_C;
		if (rng_next(rng) % 4)
			e->lo[i] |= LO_V;
		if (rng_next(rng) % 2)
			e->lo[i] |= LO_D;
		if (!(bits & 0x70))
			e->lo[i] |= LO_G;
	}
	e->hi |= rng_next(rng) % NR_ASIDS;
}

static void drop_overlaps(const struct entry *e)
{
	int i;

	for (i = FIRST_ENTRY; i < NR_ENTRIES; i++) {
		if (overlaps(&model[i], e)) {
			guest_tlb_clear(i);
			model[i].used = false;
		}
	}
}

static void step_write(struct rng *rng)
{
	uint32_t i = FIRST_ENTRY + rng_next(rng) % (NR_ENTRIES - FIRST_ENTRY);
	struct entry e;

	random_entry(rng, &e);
	guest_tlb_clear(i);
	model[i].used = false;
	drop_overlaps(&e);
	guest_tlb_write(i, e.mask, e.hi, e.lo[0], e.lo[1]);
	model[i] = e;
}

static void step_write_random(struct rng *rng)
{
	uint32_t wired = FIRST_ENTRY + rng_next(rng) % (NR_ENTRIES - 2), i;
	struct entry e;

	random_entry(rng, &e);
	e.mask = (2 * host_page - 1) & ~0x1fff;
	drop_overlaps(&e);
	write_c0(C0_WIRED, wired);
	guest_tlb_write_random(e.hi, e.lo[0], e.lo[1]);
	i = guest_tlb_probe(e.hi);
	GUEST_ASSERT(i >= wired && i < NR_ENTRIES);
	model[i] = e;
}

static void step_read(struct rng *rng)
{
	uint32_t i = FIRST_ENTRY + rng_next(rng) % (NR_ENTRIES - FIRST_ENTRY);
	uint32_t mask, hi, lo0, lo1;
	struct entry *e = &model[i];

	if (!e->used)
		return;
	guest_tlb_read(i, &mask, &hi, &lo0, &lo1);
	GUEST_ASSERT_EQ(mask, e->mask);
	GUEST_ASSERT_EQ(hi, e->hi);
	GUEST_ASSERT_EQ(lo0 & ~LO_G, e->lo[0] & ~LO_G);
	GUEST_ASSERT_EQ(lo1 & ~LO_G, e->lo[1] & ~LO_G);
	GUEST_ASSERT_EQ(lo0 & LO_G, is_global(e));
	GUEST_ASSERT_EQ(guest_tlb_probe(hi), i);
}

static void step_access(struct rng *rng, uint32_t asid)
{
	uint32_t bits = rng_next(rng), va = random_va(rng), val = 0, expect, frame = 0;
	uint32_t got, vector = 0x180, lo, half;
	bool user = bits & 1, write = bits & 2;
	struct entry *e;

	if (bits & 4)
		va += host_page;
	e = find(va, asid);
	if (user && va >= GUEST_KSEG0) {
		expect = write ? EXC_ADES : EXC_ADEL;
	} else if (!e) {
		expect = write ? EXC_TLBS : EXC_TLBL;
		vector = 0;
	} else {
		half = pair_size(e) / 2;
		lo = e->lo[!!(va & half)];
		frame = ((lo >> 6 << 12) + (va & (half - 1)) - FRAMES_GPA) / host_page;
		if (!(lo & LO_V))
			expect = write ? EXC_TLBS : EXC_TLBL;
		else if (write && !(lo & LO_D))
			expect = EXC_MOD;
		else
			expect = EXC_NONE;
	}

	if (write)
		got = user ? guest_user_store(va + 4, bits) : guest_store(va + 4, bits);
	else
		got = user ? guest_user_load(va, &val) : guest_load(va, &val);
	GUEST_ASSERT_EQ(got, expect);
	if (expect != EXC_NONE) {
		faults[user]++;
		GUEST_ASSERT_EQ(guest_caught.vector, vector);
		GUEST_ASSERT_EQ(guest_caught.badvaddr, write ? va + 4 : va);
		return;
	}
	accesses[user]++;
	if (write)
		words[frame] = bits;
	else
		GUEST_ASSERT_EQ(val, NAME(frame));
	GUEST_ASSERT_EQ(RAM(FRAME(frame) + 4), words[frame]);
}

static void guest_torture(unsigned long seed, unsigned long steps)
{
	struct rng rng = { seed };
	uint32_t asid = 0, i;

	for (i = 0; i < NR_FRAMES; i++)
		RAM(FRAME(i)) = NAME(i);
	for (i = 0; i < NR_ENTRIES; i++)
		guest_tlb_clear(i);
	guest_map_program(0);
	while (steps--) {
		switch (rng_next(&rng) % 16) {
		case 0:
			asid = rng_next(&rng) % NR_ASIDS;
			write_c0(C0_ENTRYHI, asid);
			break;
		case 1 ... 2:
			step_write(&rng);
			break;
		case 3:
			step_write_random(&rng);
			break;
		case 4:
			step_read(&rng);
			break;
		default:
			/* An exception left an address in EntryHi. */
			write_c0(C0_ENTRYHI, asid);
			step_access(&rng, asid);
			write_c0(C0_ENTRYHI, asid);
		}
	}
	for (i = 0; i < NR_FRAMES; i++) {
		GUEST_ASSERT_EQ(RAM(FRAME(i)), NAME(i));
		GUEST_ASSERT_EQ(RAM(FRAME(i) + 4), words[i]);
	}
	for (i = 0; i < 2; i++)
		GUEST_ASSERT(accesses[i] > 100 && faults[i] > 100);
	GUEST_DONE();
}

static unsigned long seed_option = 1, steps_option = 20000;

static struct kvm_vm *create(struct kvm_vcpu **vcpu, unsigned long seed)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_torture);

	vm_mem_add(vm, 1, FRAMES_GPA, NR_FRAMES * host_page, 0, NULL);
	vcpu_args_set(*vcpu, 2, seed, steps_option);
	return vm;
}

static void test_walk(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, seed_option);

	print_info("seed %lu, %lu steps", seed_option, steps_option);
	vcpu_run_to_done(vcpu);
	if (vcpu_has_stat(vcpu, "te_short_exits")) {
		TEST_ASSERT(vcpu_get_stat(vcpu, "te_spaces_reclaimed") > 10,
			    "no space was reclaimed");
		TEST_ASSERT(vcpu_get_stat(vcpu, "te_spaces_found") > 100, "none found");
		TEST_ASSERT(vcpu_get_stat(vcpu, "te_guest_misses") > 100, "no misses");
		TEST_ASSERT(vcpu_get_stat(vcpu, "te_prefills") > 10, "no prefills");
	}
	kvm_vm_free(vm);
}

/* The same with all exits taking the full way. */
static void set_short_exits(bool on)
{
	FILE *f = fopen("/sys/module/kvm/parameters/te_short_exits", "w");

	if (!f)
		test_skip("needs kvm.te_short_exits");
	fputs(on ? "Y" : "N", f);
	fclose(f);
}

static void test_full(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, seed_option + 1);

	set_short_exits(false);
	vcpu_run_to_done(vcpu);
	set_short_exits(true);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, "te_short_exits"), 0);
	kvm_vm_free(vm);
}

/*
 * While the host protects the guest's memory, logs its stores and changes the
 * vCPU's thread back and forth.
 */
static volatile bool ends;

static void *disturb(void *arg)
{
	struct kvm_vm *vm = arg;
	pid_t pid;
	int n;

	for (n = 0; !ends; n++) {
		vm_mem_set_flags(vm, 1, n & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		if (!(n % 8)) {
			/* All is copied when it is written. */
			pid = fork();
			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
		usleep(1000);
	}
	return NULL;
}

static void test_disturbed(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, seed_option + 2);
	pthread_t thread;

	TEST_ASSERT(!pthread_create(&thread, NULL, disturb, vm), "thread");
	vcpu_run_to_done(vcpu);
	ends = true;
	pthread_join(thread, NULL);
	if (vcpu_has_stat(vcpu, "te_flushes"))
		TEST_ASSERT(vcpu_get_stat(vcpu, "te_flushes") > 10, "nothing disturbed");
	kvm_vm_free(vm);
}

/*
 * While the vCPU is taken from CPU to CPU: on each, it finds what it, or others, left
 * in the TLB when it was there last.
 */
static void *move(void *arg)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int *moves = arg;
	cpu_set_t set;

	for (; !ends; ++*moves) {
		CPU_ZERO(&set);
		CPU_SET(*moves % cpus, &set);
		TEST_ASSERT(!sched_setaffinity(getpid(), sizeof(set), &set), "affinity");
		usleep(1000);
	}
	return NULL;
}

static void test_moved(void)
{
	unsigned int moves = 0;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;

	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) > 1);
	vm = create(&vcpu, seed_option + 3);
	TEST_ASSERT(!pthread_create(&thread, NULL, move, &moves), "thread");
	vcpu_run_to_done(vcpu);
	ends = true;
	pthread_join(thread, NULL);
	TEST_ASSERT(moves > 50, "moved %u times", moves);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "walk", test_walk },
	{ "full", test_full },
	{ "disturbed", test_disturbed },
	{ "moved", test_moved },
};

int main(int argc, char **argv)
{
	seed_option = number_option(argc, argv, 's', seed_option);
	steps_option = number_option(argc, argv, 'c', steps_option);
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
