// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware has 255 TIDs for all translation contexts (PID and MSR bits) of
 * all vCPUs, so each TID is used again, and what its earlier owner left in the
 * TLB must not serve the next.
 *
 * One context is made warm. Then other contexts are only chosen, by
 * KVM_SET_REGS, so that TIDs are used up and the TLB stays as it is. At last a
 * second context, which maps the same address to another frame or to nothing,
 * looks there. Every number of contexts in between is tried, up to two rounds
 * of TIDs: some bring the warm context's TID back.
 *
 * The other way round, a context whose tables the host has taken for others
 * must not find what it left in the TLB: of that there is no record any more.
 *
 * Not shown: contexts that are run while TIDs run out; vms_test does that, but
 * there the entries of old owners rarely last.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "44x.h"

#define EA		0x40000000UL
#define RAM		GUEST_FREE_BASE
#define VM_OFFSET	0x00100000UL	/* between the frames of two VMs */

/* PIDs 1 to 40 map the page, each to a frame of its own; 41 to 50 do not. */
#define WARM_FIRST	1
#define WARM_PIDS	20
#define MAPPED_FIRST	21
#define MAPPED_PIDS	20
#define UNMAPPED_FIRST	41
#define UNMAPPED_PIDS	10
#define OTHER_FIRST	51
#define OTHER_PIDS	205

#define BURN_MIN	1
#define BURN_MAX	520

static void guest_look(uint32_t frames)
{
	unsigned int pid, exc;

	guest_44x_init();
	for (pid = WARM_FIRST; pid < UNMAPPED_FIRST; pid++)
		tlb_write(10 + pid, EA | TLB0_V | SIZE_4K, frames + pid * 0x1000,
			  TLB2_RWX, pid);
	for (;;) {
		exc = probe(0, PROBE_READ, EA);
		GUEST_SYNC_ARGS(1, exc, probe_value);
	}
}

struct owner {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	uint32_t frames;
	uint64_t msr;
	unsigned int next;	/* of the contexts that are only chosen */
};

static void owner_init(struct owner *o, unsigned int n)
{
	struct kvm_regs regs;

	o->vm = vm_create_with_one_vcpu(&o->vcpu, guest_look);
	o->frames = RAM + n * VM_OFFSET;
	o->next = 0;
	fill_pattern(o->vm, o->frames, UNMAPPED_FIRST * 0x1000);
	vcpu_args_set(o->vcpu, 1, (unsigned long)o->frames);
	vcpu_run_to_sync(o->vcpu, 1, NULL);
	vcpu_complete_io(o->vcpu);
	vcpu_regs_get(o->vcpu, &regs);
	o->msr = regs.msr;
}

/* What the guest finds at EA in a context. */
static void look(struct owner *o, unsigned int pid)
{
	bool mapped = pid < UNMAPPED_FIRST;
	struct kvm_regs regs;
	struct ucall uc;

	vcpu_regs_get(o->vcpu, &regs);
	regs.pid = pid;
	regs.msr = o->msr;
	vcpu_regs_set(o->vcpu, &regs);
	vcpu_run_to_sync(o->vcpu, 1, &uc);
	vcpu_complete_io(o->vcpu);
	TEST_ASSERT(uc.args[1] == (mapped ? EXC_NONE : EXC_DTLB),
		    "PID %u: exception %lu, value 0x%lx", pid, uc.args[1], uc.args[2]);
	if (mapped)
		TEST_ASSERT(uc.args[2] == pattern(o->frames + pid * 0x1000),
			    "PID %u: 0x%lx, expected 0x%x", pid, uc.args[2],
			    pattern(o->frames + pid * 0x1000));
}

/* Contexts that are chosen and not run; there are more of them than TIDs. */
static void burn(struct owner *o, unsigned int n)
{
	struct kvm_regs regs;

	vcpu_regs_get(o->vcpu, &regs);
	for (; n; n--) {
		regs.pid = OTHER_FIRST + o->next % OTHER_PIDS;
		regs.msr = o->msr | (o->next / OTHER_PIDS % 2 ? MSR_PR : 0);
		vcpu_regs_set(o->vcpu, &regs);
		o->next++;
	}
}

static uint64_t tid_rounds(struct owner *o)
{
	return vcpu_has_stat(o->vcpu, "stid_rounds") ?
	       vcpu_get_stat(o->vcpu, "stid_rounds") : 0;
}

static void test_reuse(struct owner *warm, struct owner *other)
{
	bool counted = vcpu_has_stat(other->vcpu, "stid_rounds");
	unsigned int n, trial = 0;
	uint64_t rounds = 0;

	if (counted)
		rounds = tid_rounds(other) + (warm == other ? 0 : tid_rounds(warm));
	/* Every n about one and two rounds, some of the others. */
	for (n = BURN_MIN; n < BURN_MAX; n += n % 255 > 15 && n % 255 < 240 ? 8 : 1) {
		unsigned int i = trial++;

		look(warm, WARM_FIRST + i % WARM_PIDS);
		burn(other, n);
		look(other, MAPPED_FIRST + i % MAPPED_PIDS);

		look(warm, WARM_FIRST + i % WARM_PIDS);
		burn(other, n);
		look(other, UNMAPPED_FIRST + i % UNMAPPED_PIDS);
	}
	if (!counted)
		return;
	rounds = tid_rounds(other) + (warm == other ? 0 : tid_rounds(warm)) - rounds;
	print_info("%u contexts looked, %llu new rounds of TIDs", 2 * trial,
		   (unsigned long long)rounds);
	TEST_ASSERT(rounds >= trial, "TIDs were not used again: nothing was shown");
}

static void test_same_vm(void)
{
	struct owner o;

	owner_init(&o, 0);
	test_reuse(&o, &o);
	kvm_vm_free(o.vm);
}

static void test_other_vm(void)
{
	struct owner o[2];

	owner_init(&o[0], 0);
	owner_init(&o[1], 1);
	test_reuse(&o[0], &o[1]);
	test_reuse(&o[1], &o[0]);
	kvm_vm_free(o[0].vm);
	kvm_vm_free(o[1].vm);
}

/* --- tables taken away --- */

#define SLOT		1
#define SLOT_GPA	0x02000000UL
#define ROUNDS		520u		/* twice around all PIDs */
#define OTHER_EA	0x60000000UL
#define OTHER_REGIONS	2		/* each needs a table, and a PID two more */
#define PID_FIRST	2
#define PIDS		254

/* A PID other than 1 uses tables of its own. */
static void guest_use(uint32_t pid)
{
	uint32_t i, ea;

	set_pid(pid);
	for (i = 0; i < OTHER_REGIONS; i++) {
		ea = OTHER_EA + i * 0x01000000;
		tlb_write(21 + i, ea | TLB0_V | SIZE_16M, 0, TLB2_RWX, pid);
		(void)*(volatile uint32_t *)(ea + RAM);
	}
	set_pid(1);
}

/*
 * PID 1 reads a page; another PID may cost it its tables; the host gives the page
 * other contents; PID 1 reads it again.
 */
static void guest_reclaim(void)
{
	volatile uint32_t *page;
	uint32_t i, old;

	guest_44x_init();
	tlb_write(20, EA | TLB0_V | SIZE_16M, SLOT_GPA, TLB2_RWX, 1);
	for (i = 0; i < PIDS; i++)
		guest_use(PID_FIRST + i);
	for (i = 0; i < ROUNDS; i++) {
		page = (void *)(EA + i * host_page);
		old = *page;
		guest_use(PID_FIRST + i % PIDS);
		GUEST_SYNC_ARGS(1, i, old);
		GUEST_ASSERT_EQ(*page, ~i);
	}
	GUEST_DONE();
}

static void test_reclaim(void)
{
	size_t size = ROUNDS * host_page;
	uint64_t reclaims = 0;
	FILE *f = tmpfile();
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	uint32_t i;
	char *mem;

	/*
	 * Of a private mapping of a file the first store copies a page, for which
	 * the host flushes this page alone. Any other way it would empty the TLB.
	 */
	TEST_REQUIRE(f);
	TEST_ASSERT(!ftruncate(fileno(f), size), "ftruncate");
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0);
	TEST_ASSERT(mem != MAP_FAILED, "mmap");
	vm = vm_create_with_one_vcpu(&vcpu, guest_reclaim);
	vm_mem_add(vm, SLOT, SLOT_GPA, size, 0, mem);
	for (i = 0; i < ROUNDS; i++) {
		vcpu_run_to_sync(vcpu, 1, &uc);
		TEST_ASSERT(uc.args[1] == i && !uc.args[2], "round %lu, page holds 0x%lx",
			    uc.args[1], uc.args[2]);
		if (!i && vcpu_has_stat(vcpu, "shadow_reclaims"))
			reclaims = vcpu_get_stat(vcpu, "shadow_reclaims");
		*(volatile uint32_t *)(mem + i * host_page) = ~i;
	}
	vcpu_run_to_done(vcpu);
	if (vcpu_has_stat(vcpu, "shadow_reclaims")) {
		reclaims = vcpu_get_stat(vcpu, "shadow_reclaims") - reclaims;
		print_info("tables of %llu contexts were taken", (unsigned long long)reclaims);
		TEST_ASSERT(reclaims >= 2 * PIDS, "tables were not taken: nothing was shown");
	}
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "same_vm", test_same_vm, 120 },
	{ "other_vm", test_other_vm, 240 },
	{ "reclaim", test_reclaim, 120 },
};

TEST_MAIN(tests)
