// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever a guest writes into its TLB, it reaches its own memory, an MMIO
 * exit, or an interrupt of its own: never memory of the host.
 *
 * Random words go into random entries and the guest reads, writes and executes
 * through them, over all 36 bits of physical address. Each 1K of its memory
 * names itself; a read that userspace did not answer must return such a name.
 * Around the guest's memory in the VMM lie canary pages which nothing may
 * change. The host's own survival is part of the result: its memory sits at
 * real address 0, where most such entries point.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "44x.h"

#define RAM		GUEST_FREE_BASE
#define RAM_SIZE	0x00700000UL
#define EA		0x40000000UL
#define MMIO_ANSWER	0x5eed0000u
#define STEPS		10000

static unsigned int mmio_reads, mmio_writes;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	uint32_t v = MMIO_ANSWER | (gpa >> 10 & 0xffff);
	struct mem_region *r;
	int i;

	TEST_ASSERT(gpa < 1ULL << 36, "MMIO at 0x%llx", (unsigned long long)gpa);
	for (i = 0; i < MAX_SLOTS; i++) {
		r = &vcpu->vm->regions[i];
		TEST_ASSERT(!r->hva || gpa - r->gpa >= r->size,
			    "MMIO at 0x%llx, where slot %d is",
			    (unsigned long long)gpa, i);
	}
	if (is_write) {
		mmio_writes++;
	} else {
		mmio_reads++;
		memcpy(data, &v, len < 4 ? len : 4);
	}
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static unsigned int outcomes[5];	/* memory, mmio, miss, denied, other */

static void guest_garbage(uint32_t seed, bool valid_sizes)
{
	static const uint8_t sizes[] = {
		SIZE_1K, SIZE_4K, SIZE_16K, SIZE_64K, SIZE_256K, SIZE_1M,
		SIZE_16M, SIZE_256M,
	};
	struct rng rng = { seed };
	unsigned int step, exc, i;

	guest_44x_init();
	mtmsr(MSR_ME);
	for (step = 0; step < STEPS; step++) {
		uint32_t r = rng_next(&rng), msr, op, ea;
		uint32_t w0 = rng_next(&rng), w1 = rng_next(&rng), gpa, offset, bytes;

		/*
		 * One entry at a time: several that match would be undefined.
		 * Its page must not cover the test's own.
		 */
		w0 = (w0 & 0x0fffffff) | (EA + (w0 & 0x70000000)) % 0xf0000000;
		if (w0 < EA)
			w0 |= EA;
		if (valid_sizes)
			w0 = (w0 & ~TLB0_SIZE) | sizes[r % 8];
		w0 |= TLB0_V;
		/* Half of them near the memory there is. */
		if (r & 0x100)
			w1 &= ~0xff00000f;
		/* QEMU does not move 1K pages within their 4K. */
		if ((w0 & TLB0_SIZE) == SIZE_1K)
			w1 = (w1 & ~0xc00) | (w0 & 0xc00);
		i = FIRST_FREE_ENTRY + (r >> 16) % 30;
		tlb_write(i, w0, w1, (rng_next(&rng) | rng_next(&rng)) & ~TLB2_E,
			  r >> 24 & 1);
		set_pid(r >> 26 & 1);

		msr = r & MSR_PR;
		if (r & 0x800000)
			msr |= r & (MSR_IS | MSR_DS);
		else if (w0 & TLB0_TS)
			msr |= MSR_IS | MSR_DS;
		/* Writes go to pattern memory: only the pattern's own slack. */
		op = (r >> 9) % 3;
		/* A size that does not exist translates nothing. */
		bytes = 0x2bf >> (w0 >> 4 & 0xf) & 1 ?
			tlb_size_bytes(w0 & TLB0_SIZE) : 4096;
		ea = rng_next(&rng) & 0x3fffc00;
		if (r & 0xc000000)	/* mostly within the page */
			ea &= bytes - 1;
		ea += w0 & TLB0_EPN & -bytes;
		offset = bytes - 1;
		gpa = (w1 & TLB1_RPN & ~offset) | (ea & offset);
		if (!(w1 & TLB1_ERPN) && gpa < GUEST_RAM_SIZE && gpa - RAM >= RAM_SIZE)
			op = PROBE_READ;	/* this program itself */
		if (op == PROBE_WRITE)
			ea += 0x200 + (r & 0xfc);
		probe_store = 0xbadbad00;
		exc = probe(msr | MSR_ME, op, ea);
		switch (exc) {
		case EXC_NONE:
			if (op == PROBE_WRITE)
				break;
			if ((probe_value & 0xffff0000) == MMIO_ANSWER) {
				outcomes[1]++;
				break;
			}
			if (!(w1 & TLB1_ERPN) && gpa - RAM < RAM_SIZE &&
			    probe_value == pattern(gpa)) {
				outcomes[0]++;
				break;
			}
			/* Low RAM holds this program, high RAM the stack. */
			if (!(w1 & TLB1_ERPN) && gpa < GUEST_RAM_SIZE &&
			    gpa - RAM >= RAM_SIZE &&
			    probe_value == *(volatile uint32_t *)gpa)
				break;
			GUEST_FAIL("neither guest memory nor MMIO: value, ea; words",
				   probe_value, ea, w0, w1);
			break;
		case EXC_DTLB:
		case EXC_ITLB:
			outcomes[2]++;
			break;
		case EXC_DSI:
		case EXC_ISI:
			outcomes[3]++;
			break;
		case EXC_MCHECK:
		case EXC_PROGRAM:
		case EXC_ALIGNMENT:
		case EXC_FPUNAVAIL:
			outcomes[4]++;
			break;
		default:
			GUEST_FAIL("exception; ea, words", exc, ea, w0, w1);
		}
		if (rng_next(&rng) & 1)
			tlb_write(i, 0, 0, 0, 0);
		else
			tlbwe0(i, tlbre0(i) & ~TLB0_V);
	}
	GUEST_DONE();
}

static void run(uint32_t seed, bool valid_sizes)
{
	const size_t guard = 1 << 20;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	char *map;
	size_t i;

	map = mmap(NULL, GUEST_RAM_SIZE + 2 * guard, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(map != MAP_FAILED, "mmap");
	memset(map, 0xc5, guard);
	memset(map + guard + GUEST_RAM_SIZE, 0xc5, guard);

	vm = vm_create_barebones();
	vm_mem_add(vm, 0, 0, GUEST_RAM_SIZE, 0, map + guard);
	vm_load_program(vm);
	fill_pattern(vm, RAM, RAM_SIZE);
	vm->ops = &ops;
	vcpu = vm_vcpu_add(vm, 0, guest_garbage);
	vcpu_args_set(vcpu, 2, (unsigned long)seed, (unsigned long)valid_sizes);
	vcpu_run_to_done(vcpu);

	for (i = 0; i < guard; i++)
		TEST_ASSERT(map[i] == (char)0xc5 &&
			    map[guard + GUEST_RAM_SIZE + i] == (char)0xc5,
			    "canary at %zu", i);
	sync_global_from_guest(vm, outcomes);
	print_info("seed %u: memory %u, mmio %u, miss %u, denied %u, other %u",
		   seed, outcomes[0], outcomes[1], outcomes[2], outcomes[3],
		   outcomes[4]);
	/* Each kind has been reached, or the test shows nothing. */
	TEST_ASSERT(outcomes[0] && outcomes[1] && outcomes[2] && outcomes[3],
		    "an outcome never happened");
	TEST_ASSERT(mmio_reads && mmio_writes, "no MMIO");
}

static void test_pages(void)
{
	run(1, true);
}

static void test_words(void)
{
	run(2, false);
}

static void test_other_seed(void)
{
	run(getpid(), true);
}

/*
 * The real addresses of the host's kernel, one by one: memory of the guest or
 * MMIO, and the pattern tells which.
 */
static void guest_sweep(void)
{
	uint32_t pa, high;

	guest_44x_init();
	for (high = 0; high < 16; high++) {
		for (pa = high ? 0 : GUEST_RAM_SIZE; pa < 0x20000000; pa += 0x110000) {
			tlb_write(10, EA | TLB0_V | SIZE_4K, (pa & TLB1_RPN) | high,
				  TLB2_RWX, 0);
			PROBE_OK(0, PROBE_READ, EA);
			GUEST_ASSERT_EQ(probe_value, MMIO_ANSWER |
					((uint64_t)high << 32 >> 10 & 0xffff) |
					((pa >> 10) & 0xffff));
			PROBE_OK(MSR_PR, PROBE_WRITE, EA + 0x200);
		}
	}
	GUEST_DONE();
}

static void test_sweep(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_sweep);

	vm->ops = &ops;
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "pages", test_pages, 120 },
	{ "words", test_words, 120 },
	{ "other_seed", test_other_seed, 120 },
	{ "sweep", test_sweep },
};

TEST_MAIN(tests)
