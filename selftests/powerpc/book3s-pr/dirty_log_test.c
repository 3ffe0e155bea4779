// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log has the pages that the guest has written since it was last read:
 * no less, also of pages that were mapped before logging was enabled or before
 * the log was read, and no more, except those of a write in progress.
 */
#include "pr.h"

#define SLOT		1
#define GPA		0x10000000UL
#define PAGE		PR_PAGE
#define PAGES		128u

static uint64_t bitmap[PAGES / 64];

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(vcpu, code);

	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	return vm;
}

/* Writes every @step-th page from @first, and reads all, each time it is run. */
static unsigned long first, step;

static void guest_code(void)
{
	volatile uint64_t *p = (uint64_t *)GPA, sum;
	unsigned int i, round;

	for (round = 0; ; round++) {
		for (i = 0; i < PAGES; i++)
			sum = p[i * PAGE / 8];
		for (i = READ_ONCE(first); i < PAGES; i += READ_ONCE(step))
			p[i * PAGE / 8] = round;
		(void)sum;
		GUEST_SYNC(round);
	}
}

static void write_pages(struct kvm_vcpu *vcpu, unsigned int round,
			unsigned long from, unsigned long by)
{
	struct ucall uc;

	first = from;
	step = by;
	sync_global_to_guest(vcpu->vm, first);
	sync_global_to_guest(vcpu->vm, step);
	vcpu_run_to_sync(vcpu, round, &uc);
}

static void expect_log(struct kvm_vm *vm, unsigned long from, unsigned long by)
{
	unsigned int i, lost = 0, extra = 0;

	memset(bitmap, 0xff, sizeof(bitmap));
	vm_get_dirty_log(vm, SLOT, bitmap);
	for (i = 0; i < PAGES; i++) {
		bool written = i >= from && (i - from) % by == 0;
		bool logged = ((uint8_t *)bitmap)[i / 8] >> i % 8 & 1;

		lost += written && !logged;
		extra += logged && !written;
	}
	TEST_ASSERT(!lost && !extra, "%u written pages are not in the log, %u others are",
		    lost, extra);
}

#define NONE	PAGES, 1

static void test_rounds(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_code);

	/* All pages are mapped writable before logging is enabled. */
	write_pages(vcpu, 0, 0, 1);
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, NONE);
	write_pages(vcpu, 1, 3, 8);
	expect_log(vm, 3, 8);
	expect_log(vm, NONE);
	/* The same ones, others, and both. */
	write_pages(vcpu, 2, 3, 8);
	expect_log(vm, 3, 8);
	write_pages(vcpu, 3, 1, 5);
	expect_log(vm, 1, 5);
	write_pages(vcpu, 4, 0, 1);
	expect_log(vm, 0, 1);
	write_pages(vcpu, 5, PAGES - 1, 1);
	expect_log(vm, PAGES - 1, 1);
	vm_mem_set_flags(vm, SLOT, 0);
	write_pages(vcpu, 6, 0, 1);
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_log(vm, NONE);
	write_pages(vcpu, 7, 0, 2);
	expect_log(vm, 0, 2);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "rounds", test_rounds },
};

TEST_MAIN(tests)
