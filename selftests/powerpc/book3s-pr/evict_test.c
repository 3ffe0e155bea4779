// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU maps more pages than KVM keeps shadow HPTEs for (32,768). What it uses
 * all the time stays mapped where KVM can tell, and a full cache does not cost it
 * everything.
 */
#include "pr.h"

#define SLOT		1
#define GPA		0x10000000UL
#define FRAMES		0x01000000UL
#define HOT		1000u
#define BATCH		1000u
#define BATCHES		35u
#define COLD		(BATCHES * BATCH)
#define EA(i)		(HV_EA_BASE + (i) * 4096UL)

/* Pass after pass: some cold pages, then the hot ones. */
static void guest_code(unsigned long order)
{
	unsigned int i;

	guest_hash_init(order);
	for (i = 0; i < HOT + COLD; i++)
		GUEST_ASSERT(guest_map(EA(i), GPA + i * 4096UL % FRAMES) >= 0);
	for (;;) {
		for (i = 0; i < BATCHES; i++) {
			GUEST_ASSERT_EQ(guest_load_each(EA(HOT + i * BATCH), BATCH, 4096),
					EXC_NONE);
			GUEST_SYNC(1);
			GUEST_ASSERT_EQ(guest_load_each(EA(0), HOT, 4096), EXC_NONE);
			GUEST_SYNC(2);
		}
	}
}

static void test_hot_and_cold(void)
{
	unsigned long long hot = 0, cold = 0, before, max = 0;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_code);
	unsigned int pass, i;
	struct ucall uc;

	vm_mem_add(vm, SLOT, GPA, FRAMES, 0, NULL);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < BATCHES; i++) {
			unsigned long long faults;

			before = vcpu_get_stat(vcpu, "sp_storage");
			vcpu_run_to_sync(vcpu, 1, &uc);
			faults = vcpu_get_stat(vcpu, "sp_storage") - before;
			if (pass)
				cold += faults;
			before = vcpu_get_stat(vcpu, "sp_storage");
			vcpu_run_to_sync(vcpu, 2, &uc);
			faults = vcpu_get_stat(vcpu, "sp_storage") - before;
			if (pass)
				hot += faults;
			if (pass && faults > max)
				max = faults;
		}
	}
	print_info("2 passes, %u cold pages: %llu page faults; %u hot pages: %llu, %llu at most after a batch",
		   COLD, cold, HOT, hot, max);
	/* At no time is everything lost. */
	TEST_ASSERT(max < HOT / 2, "%llu of %u hot pages lost at once", max, HOT);
	if (pr_clears_referenced())
		TEST_ASSERT(hot <= HOT / 10, "%llu page faults on hot pages", hot);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "hot_and_cold", test_hot_and_cold, 300 },
};

TEST_MAIN(tests)
