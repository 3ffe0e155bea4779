// SPDX-License-Identifier: GPL-2.0
/*
 * What userspace does with memory slots, the guest notices at once: a deleted
 * slot is MMIO, a moved one is at its new address only, a page that the host does
 * not have is an error of KVM_RUN.
 */
#include <sys/mman.h>

#include "pr.h"

#define SLOT		1
#define GPA		0x10000000UL
#define GPA_MOVED	0x20000000UL
#define PAGE		PR_PAGE
#define PAGES		16u

static bool saw_mmio;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	unsigned long val = 0x5555;

	saw_mmio = true;
	TEST_ASSERT_EQ(is_write, false);
	TEST_ASSERT_EQ(gpa, GPA + PAGE);
	memcpy(data, &val, len);
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(vcpu, code);

	vm->ops = &ops;
	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, 0, NULL);
	return vm;
}

static void guest_code(void)
{
	volatile unsigned long *p = (unsigned long *)GPA;
	unsigned int i, stage;

	for (i = 0; i < PAGES; i++)
		p[i * PAGE / sizeof(*p)] = 100 + i;
	for (stage = 1; ; stage++) {
		GUEST_SYNC(stage);
		GUEST_SYNC_ARGS(100 + stage, p[PAGE / sizeof(*p)]);
	}
}

static uint64_t guest_reads(struct kvm_vcpu *vcpu, unsigned int stage)
{
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 100 + stage, &uc);
	return uc.args[1];
}

static void test_delete(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_code);
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(guest_reads(vcpu, 1), 101);
	vcpu_run_to_sync(vcpu, 2, &uc);
	vm_mem_delete(vm, SLOT);
	TEST_ASSERT_EQ(guest_reads(vcpu, 2), 0x5555);
	TEST_ASSERT(saw_mmio, "a deleted slot is read");
	vcpu_run_to_sync(vcpu, 3, &uc);
	vm_mem_restore(vm, SLOT);
	TEST_ASSERT_EQ(guest_reads(vcpu, 3), 101);
	kvm_vm_free(vm);
}

static void test_move(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_code);
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 1, &uc);
	vm_mem_move(vm, SLOT, GPA_MOVED);
	TEST_ASSERT_EQ(guest_reads(vcpu, 1), 0x5555);
	TEST_ASSERT(saw_mmio, "a moved slot is read where it was");
	vcpu_run_to_sync(vcpu, 2, &uc);
	vm_mem_move(vm, SLOT, GPA);
	TEST_ASSERT_EQ(guest_reads(vcpu, 2), 101);
	kvm_vm_free(vm);
}

static void test_no_page(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_code);
	void *hva = (char *)vm->regions[SLOT].hva + PAGE;
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT(!mprotect(hva, PAGE, PROT_NONE), "mprotect");
	TEST_ASSERT_EQ(_vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EFAULT);
	TEST_ASSERT_EQ(_vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EFAULT);
	TEST_ASSERT(!mprotect(hva, PAGE, PROT_READ | PROT_WRITE), "mprotect");
	TEST_ASSERT_EQ(guest_reads(vcpu, 1), 101);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "delete", test_delete },
	{ "move", test_move },
	{ "no_page", test_no_page, 20 },
};

TEST_MAIN(tests)
