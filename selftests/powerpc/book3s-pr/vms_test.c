// SPDX-License-Identifier: GPL-2.0
/*
 * Two VMs take turns on one CPU, and run on two: with the same addresses in the
 * same pages, and contents of their own. What the host takes from one, the other
 * keeps.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pr.h"

#define VMS		2u
#define SLOT		1
#define GPA		0x10000000UL
#define PAGES		32u
#define ROUNDS		12u
#define EA(i)		(HV_EA_BASE + (i) * PR_PAGE)
#define NAME(vm, i)	(((vm) + 1UL) << 16 | (i))

static void guest_code(unsigned long order, unsigned long me, unsigned long rounds)
{
	unsigned long round, i;
	uint64_t val;

	guest_hash_init(order);
	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT(guest_map(EA(i), GPA + i * PR_PAGE) >= 0);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < PAGES; i++) {
			GUEST_ASSERT_EQ(guest_load(EA(i), &val), EXC_NONE);
			if (val && val != NAME(me, i))
				GUEST_FAIL("a page is another's", i, val);
			/* Real mode; the host may have taken the page meanwhile. */
			val = READ_ONCE(*(uint64_t *)(GPA + i * PR_PAGE));
			if (val && val != NAME(me, i))
				GUEST_FAIL("a page is another's, in real mode", i, val);
			GUEST_ASSERT_EQ(guest_store(EA(i), NAME(me, i)), EXC_NONE);
		}
		GUEST_SYNC(round);
	}
	GUEST_DONE();
}

static struct kvm_vm *create(unsigned int n, unsigned long rounds)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_code);

	vm_mem_add(vm, SLOT, GPA, PAGES * PR_PAGE, 0, NULL);
	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 3, (unsigned long)HV_HPT_ORDER, (unsigned long)n, rounds);
	return vm;
}

static void take(struct kvm_vm *vm, unsigned int first, unsigned int count)
{
	TEST_ASSERT(!madvise((char *)vm->regions[SLOT].hva + first * PR_PAGE,
			     count * PR_PAGE, MADV_DONTNEED), "madvise");
}

static void test_turns(void)
{
	struct kvm_vm *vm[VMS];
	unsigned int n, round;
	uint64_t faults;

	for (n = 0; n < VMS; n++)
		vm[n] = create(n, ROUNDS);
	for (round = 0; round < ROUNDS; round++) {
		for (n = 0; n < VMS; n++) {
			faults = vcpu_get_stat(vm[n]->vcpus[0], "sp_storage");
			vcpu_run_to_sync(vm[n]->vcpus[0], round, NULL);
			faults = vcpu_get_stat(vm[n]->vcpus[0], "sp_storage") - faults;
			/*
			 * Only the first one's pages are taken. In the first rounds
			 * each VM gets its own for the shared zero page.
			 */
			if (n && round > 1)
				TEST_ASSERT(faults <= 8, "%llu page faults of the other VM",
					    (unsigned long long)faults);
			else if (round)
				TEST_ASSERT(faults >= 10, "%llu page faults",
					    (unsigned long long)faults);
		}
		take(vm[0], round % (PAGES - 10), 10);
	}
	for (n = 0; n < VMS; n++) {
		vcpu_run_to_done(vm[n]->vcpus[0]);
		kvm_vm_free(vm[n]);
	}
}

static void *run(void *vm)
{
	struct ucall uc;

	while (vcpu_run_to_ucall(((struct kvm_vm *)vm)->vcpus[0], &uc) == UCALL_SYNC)
		;
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread[VMS];
	struct kvm_vm *vm[VMS];
	unsigned int n, i;

	for (n = 0; n < VMS; n++) {
		vm[n] = create(n, ROUNDS);
		pthread_create(&thread[n], NULL, run, vm[n]);
	}
	for (i = 0; i < 100; i++, usleep(1000))
		take(vm[i % VMS], i % PAGES, i % PAGES < PAGES - 3 ? 1 + i % 3 : 1);
	for (n = 0; n < VMS; n++) {
		pthread_join(thread[n], NULL);
		kvm_vm_free(vm[n]);
	}
}

static const struct subtest tests[] = {
	{ "turns", test_turns },
	{ "threads", test_threads },
};

TEST_MAIN(tests)
