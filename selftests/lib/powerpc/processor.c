// SPDX-License-Identifier: GPL-2.0
/*
 * Embedded PowerPC: vCPU set-up, and the guest's side of ucalls and exceptions.
 */
#include <sys/auxv.h>

#include "kvm_util.h"

_Static_assert(offsetof(struct ex_regs, pc) == EXR_PC, "arch.h");
_Static_assert(offsetof(struct ex_regs, lr) == EXR_LR, "arch.h");
_Static_assert(offsetof(struct ex_regs, vector) == EXR_VECTOR, "arch.h");
_Static_assert(sizeof(struct ex_regs) == EXR_SIZE, "arch.h");

/* --- test side --- */

void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code, uint64_t stack_top)
{
	struct kvm_regs regs;
	unsigned long r2, r13;

	asm("mr %0,2" : "=r"(r2));
	asm("mr %0,13" : "=r"(r13));
	vcpu_regs_get(vcpu, &regs);
	regs.pc = (uintptr_t)guest_code;
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
	print_info("  pc %08llx msr %08llx lr %08llx ctr %08llx cr %08llx pid %llx",
		   regs.pc, regs.msr, regs.lr, regs.ctr, regs.cr, regs.pid);
	print_info("  srr0 %08llx srr1 %08llx", regs.srr0, regs.srr1);
	print_gprs(&regs);
}

bool vcpu_arch_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	/*
	 * An instruction that KVM could not emulate: the guest gets a program
	 * interrupt, and userspace is told as well.
	 */
	return vcpu->run->exit_reason == KVM_EXIT_UNKNOWN &&
	       vcpu->run->hw.hardware_exit_reason >> 32 == 0xffffffff;
}

bool host_has_fpu(void)
{
	return getauxval(AT_HWCAP) & 0x08000000;	/* PPC_FEATURE_HAS_FPU */
}

void vcpu_interrupt(struct kvm_vcpu *vcpu, uint32_t how)
{
	struct kvm_interrupt irq = { .irq = how };

	vcpu_ioctl(vcpu, KVM_INTERRUPT, &irq);
}

/* --- guest side --- */

extern char guest_vectors[], guest_catch_pad[];

uint32_t guest_catch_sp;
struct ex_regs guest_caught;
static ex_handler guest_handlers[EXC_COUNT];

void ucall_arch_do_ucall(struct ucall *uc)
{
	/* The structure must be in memory before the store that announces it. */
	asm volatile("sync; stw %0,0(%1)"
		     : : "r"(uc), "b"(UCALL_GPA) : "memory");
}

#define SET_IVOR(n)	mtspr((SPRN_IVOR0 + n), n * 0x100)

void guest_exceptions_init(void)
{
	mtspr(SPRN_IVPR, (uintptr_t)guest_vectors);
	SET_IVOR(0);
	SET_IVOR(1);
	SET_IVOR(2);
	SET_IVOR(3);
	SET_IVOR(4);
	SET_IVOR(5);
	SET_IVOR(6);
	SET_IVOR(7);
	SET_IVOR(8);
	SET_IVOR(9);
	SET_IVOR(10);
	SET_IVOR(11);
	SET_IVOR(12);
	SET_IVOR(13);
	SET_IVOR(14);
	SET_IVOR(15);
}

void guest_set_handler(unsigned int vector, ex_handler handler)
{
	guest_handlers[vector] = handler;
}

void guest_exception(struct ex_regs *regs);

/* Called by the vectors. */
void guest_exception(struct ex_regs *regs)
{
	if (guest_handlers[regs->vector]) {
		guest_handlers[regs->vector](regs);
		return;
	}
	if (guest_catch_sp) {
		guest_caught = *regs;
		/* Return to the landing pad, in the state of guest_catch(). */
		regs->gpr[3] = regs->vector;
		regs->pc = (uintptr_t)guest_catch_pad;
		regs->msr &= ~(MSR_PR | MSR_WE | MSR_IS | MSR_DS);
		return;
	}
	__GUEST_UCALL(UCALL_UNHANDLED, regs->vector, regs->pc, regs->msr,
		      regs->esr, regs->dear);
	for (;;)
		;
}
