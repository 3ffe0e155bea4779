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
 * Not shown: contexts that are run while TIDs run out; vms_test does that, but
 * there the entries of old owners rarely last.
 */
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

static const struct subtest tests[] = {
	{ "same_vm", test_same_vm, 120 },
	{ "other_vm", test_other_vm, 240 },
};

TEST_MAIN(tests)
