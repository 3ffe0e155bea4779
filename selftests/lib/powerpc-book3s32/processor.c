// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S-32: vCPU set-up, and the guest's side of ucalls.
 */
#include "kvm_util.h"

/* --- test side --- */

extern char guest_vectors[], guest_vectors_end[];

void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code, uint64_t stack_top)
{
	void *low = addr_gpa2hva(vcpu->vm, 0);
	size_t len = guest_vectors_end - guest_vectors;
	unsigned long r2, r13;
	struct kvm_regs regs;

	memcpy(low, guest_vectors, len);
	arch_sync_icache(low, len);
	/* The vectors are at 0. */
	vcpu_set_reg(vcpu, KVM_REG_PPC_HIOR, 0);
	asm("mr %0,2" : "=r"(r2));
	asm("mr %0,13" : "=r"(r13));
	vcpu_regs_get(vcpu, &regs);
	regs.pc = (uintptr_t)guest_code;
	regs.msr = MSR_ME | MSR_RI;
	regs.gpr[1] = stack_top - 64;
	/* Thread pointer and small data area: what compiled code relies on. */
	regs.gpr[2] = r2;
	regs.gpr[13] = r13;
	vcpu_regs_set(vcpu, &regs);
	/* The end of the back chain. */
	memset(addr_gpa2hva(vcpu->vm, stack_top - 64), 0, 64);
}

void vcpu_arch_dump(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return;
	print_info("  pc %08llx msr %08llx lr %08llx ctr %08llx cr %08llx",
		   regs.pc, regs.msr, regs.lr, regs.ctr, regs.cr);
	print_info("  srr0 %08llx srr1 %08llx", regs.srr0, regs.srr1);
	print_gprs(&regs);
}

bool vcpu_arch_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	return false;
}

/* --- guest side --- */

void ucall_arch_do_ucall(struct ucall *uc)
{
	/* The structure must be in memory before the store that announces it. */
	asm volatile("sync; stw %0,0(%1)"
		     : : "r"(uc), "b"(UCALL_GPA) : "memory");
}
