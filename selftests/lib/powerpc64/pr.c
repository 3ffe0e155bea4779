// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S PR: see pr.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pr.h"

struct kvm_vm *pr_vm_create(void)
{
	int kvm = open_kvm_dev_or_skip();
	int fd = ioctl(kvm, KVM_CREATE_VM, VM_TYPE_PR);

	if (fd < 0)
		test_skip("KVM_VM_PPC_PR: %s", strerror(errno));
	close(fd);
	close(kvm);
	arch_vm_type = VM_TYPE_PR;
	return vm_create();
}

struct kvm_vm *pr_vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = pr_vm_create();

	*vcpu = vm_vcpu_add(vm, 0, guest_code);
	return vm;
}

void *pr_alloc_htab(struct kvm_vm *vm)
{
	size_t size = 1UL << HV_HPT_ORDER;
	struct kvm_sregs sregs;
	void *htab;
	int i;

	/* SDR1 of a PAPR guest: an address of the process, aligned to its size. */
	htab = aligned_alloc(size, size);
	TEST_ASSERT(htab, "out of memory");
	memset(htab, 0, size);
	for (i = 0; i < MAX_VCPUS; i++) {
		if (!vm->vcpus[i])
			continue;
		vcpu_sregs_get(vm->vcpus[i], &sregs);
		sregs.u.s.sdr1 = (uintptr_t)htab | (HV_HPT_ORDER - 18);
		vcpu_sregs_set(vm->vcpus[i], &sregs);
	}
	return htab;
}

bool pr_clears_referenced(void)
{
	static char buf[16384];

	/* H_CLEAR_REF cannot name the entry it means: see the kit's DESIGN.md. */
	TEST_ASSERT(read_file("/proc/cpuinfo", buf, sizeof(buf)) > 0, "cpuinfo");
	return strstr(buf, "PowerNV");
}
