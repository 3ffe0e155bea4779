// SPDX-License-Identifier: GPL-2.0
/*
 * The host learns which pages the guest uses: with idle page tracking, exactly the
 * pages that the guest has touched since they were marked idle are not idle any
 * more, whether it has them in KSEG0, in several of its address spaces, or as a
 * part of one large page; also those that it goes on using all the time.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "idle.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#endif

#define SLOT		1
#define GPA		0x04000000UL
#define VA		0x08000000UL
#define PAGES		96u
#define ROUNDS		12
#define WORD(va, i)	(*(volatile uint32_t *)((va) + (i) * host_page))

static uint8_t touch[PAGES];
static uint32_t rounds_run, ends;

/* --- guest --- */

enum { KSEG0, MAPPED, LARGE };

static void map_pages(unsigned long how)
{
	uint32_t mask = 0x7fffff & ~0x1fff, i;	/* pages of 4M */

	for (i = 0; how == MAPPED && i < PAGES; i += 2)
		guest_tlb_write(i / 2, -1, (VA + i * host_page) | (i / 2) % 3,
				LO_PFN(GPA + i * host_page) | LO_C | LO_V | LO_D,
				LO_PFN(GPA + (i + 1) * host_page) | LO_C | LO_V | LO_D);
	if (how == LARGE)
		guest_tlb_write(0, mask, VA, LO_PFN(GPA) | LO_C | LO_V | LO_D | LO_G, LO_G);
}

static void touch_pages(unsigned long how, bool all)
{
	unsigned long base = how == KSEG0 ? GUEST_KSEG0 + GPA : VA;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (!all && !READ_ONCE(touch[i]))
			continue;
		if (how == MAPPED)
			write_c0(C0_ENTRYHI, (i / 2) % 3);
		GUEST_ASSERT_EQ(WORD(base, i) & 0xffff, i);
		if (i & 1)
			WORD(base, i) += 0x10000;
	}
}

static void guest_touch(unsigned long how)
{
	unsigned int round;

	map_pages(how);
	touch_pages(how, true);
	GUEST_SYNC(1000);
	for (round = 0; ; round++) {
		touch_pages(how, false);
		GUEST_SYNC(round);
	}
}

/* It touches them again and again. */
static void guest_uses(unsigned long how)
{
	map_pages(how);
	touch_pages(how, true);
	GUEST_SYNC(1000);
	while (!READ_ONCE(ends)) {
		touch_pages(how, false);
		WRITE_ONCE(rounds_run, rounds_run + 1);
	}
	GUEST_DONE();
}

/* --- test --- */

static uint64_t pfn[PAGES];

static char *page(struct kvm_vm *vm, unsigned int i)
{
	return (char *)vm->regions[SLOT].hva + i * host_page;
}

static void check_idle(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		TEST_ASSERT(idle_is(pfn[i]) != touch[i], "round %u: page %u passes for %s", round,
			    i, touch[i] ? "idle" : "used");
}

/* None, all, one, and random ones */
static void choose(struct kvm_vm *vm, unsigned int round, struct rng *rng)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		touch[i] = round == 0 ? 0 : round == 1 ? 1 :
			   round == 2 ? i == 7 : !(rng_next(rng) % (1 + round / 2));
	sync_global_to_guest(vm, touch);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *guest, unsigned long how)
{
	struct kvm_vm *vm;
	unsigned int i;

	idle_open();
	vm = vm_create_with_one_vcpu(vcpu, guest);
	vm_mem_add(vm, SLOT, GPA, PAGES * host_page, 0, NULL);
	idle_choose_frames(page(vm, 0), PAGES);
	for (i = 0; i < PAGES; i++)
		WORD(page(vm, 0), i) = i;
	vcpu_args_set(*vcpu, 1, how);
	vcpu_run_to_sync(*vcpu, 1000, NULL);
	idle_drain_lru();
	idle_find_frames(page(vm, 0), PAGES, pfn);
	return vm;
}

static void run_age(unsigned long how)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_touch, how);
	struct rng rng = { 1 + how };
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		idle_set(pfn, PAGES);
		choose(vm, round, &rng);
		vcpu_run_to_sync(vcpu, round, NULL);
		check_idle(round);
	}
	kvm_vm_free(vm);
}

static void test_kseg0(void)
{
	run_age(KSEG0);
}

static void test_mapped(void)
{
	run_age(MAPPED);
}

static void test_large(void)
{
	run_age(LARGE);
}

/* The guest does not leave: what it has in the TLB must be missed for it. */
static void *run_guest(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

static void test_running(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_uses, MAPPED);
	volatile uint32_t *rounds = guest_addr(vm, rounds_run);
	struct rng rng = { 5 };
	unsigned int round;
	pthread_t thread;
	uint32_t from;

	TEST_ASSERT(!pthread_create(&thread, NULL, run_guest, vcpu), "thread");
	for (round = 3; round < ROUNDS; round++) {
		choose(vm, round, &rng);
		/* It may be in the midst of the pages chosen before. */
		for (from = *rounds; *rounds - from < 2; )
			usleep(1000);
		idle_set(pfn, PAGES);
		for (from = *rounds; *rounds - from < 2; )
			usleep(1000);
		check_idle(round);
	}
	*guest_addr(vm, ends) = 1;
	pthread_join(thread, NULL);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "kseg0", test_kseg0 },
	{ "mapped", test_mapped },
	{ "large", test_large },
	{ "running", test_running },
};

TEST_MAIN(tests)
