// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S-64: vCPU set-up, and the guest's side of ucalls.
 */
#include "kvm_util.h"

/* --- test side --- */

extern char guest_vectors[], guest_vectors_end[], hcall_insn[];

#define LPCR_ILE	0x02000000
/* Reserved: to PR it is sc 1, which the hypervisor of a PR host would take. */
#define FAKE_SC1	0x7c000268

int arch_vm_type = VM_TYPE_HV;

void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code, uint64_t stack_top)
{
	void *low = addr_gpa2hva(vcpu->vm, 0);
	size_t len = guest_vectors_end - guest_vectors;
	struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
	struct kvm_regs regs;
	unsigned long r2, r13;

	vcpu_ioctl(vcpu, KVM_ENABLE_CAP, &papr);
	memcpy(low, guest_vectors, len);
	arch_sync_icache(low, len);
	if (arch_vm_type == VM_TYPE_PR) {
		uint32_t *insn = addr_gpa2hva(vcpu->vm, (uintptr_t)hcall_insn);

		/* The vectors are at 0. */
		vcpu_set_reg(vcpu, KVM_REG_PPC_HIOR, 0);
		*insn = FAKE_SC1;
		arch_sync_icache(insn, sizeof(*insn));
	}
	asm("mr %0,2" : "=r"(r2));
	asm("mr %0,13" : "=r"(r13));
	vcpu_regs_get(vcpu, &regs);
	regs.pc = (uintptr_t)guest_code;
	regs.msr = MSR_SF | MSR_VEC | MSR_VSX | MSR_FP | MSR_ME | MSR_RI | MSR_LE;
	regs.gpr[1] = stack_top - 256;
	/* TOC, thread pointer, and the address a function's own TOC is from. */
	regs.gpr[2] = r2;
	regs.gpr[12] = regs.pc;
	regs.gpr[13] = r13;
	vcpu_regs_set(vcpu, &regs);
	vcpu_set_reg(vcpu, KVM_REG_PPC_LPCR_64,
		     vcpu_get_reg(vcpu, KVM_REG_PPC_LPCR_64) | LPCR_ILE);
	/* The end of the back chain. */
	memset(addr_gpa2hva(vcpu->vm, stack_top - 256), 0, 256);
}

void vcpu_arch_dump(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return;
	print_info("  pc %016llx msr %016llx lr %016llx ctr %016llx cr %08llx",
		   regs.pc, regs.msr, regs.lr, regs.ctr, regs.cr);
	print_info("  srr0 %016llx srr1 %016llx", regs.srr0, regs.srr1);
	print_gprs(&regs);
}

bool vcpu_arch_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	return false;
}

/* --- guest side --- */

void ucall_arch_do_ucall(struct ucall *uc)
{
	/* The structure must be in memory before it is announced. */
	asm volatile("sync" : : : "memory");
	hcall(UCALL_HCALL, NULL, (uintptr_t)uc, 0, 0, 0);
}
