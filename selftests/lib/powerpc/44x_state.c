// SPDX-License-Identifier: GPL-2.0
/*
 * The whole state of a 44x vCPU, through the interfaces a migrating VMM has:
 * KVM_GET/SET_REGS, KVM_GET/SET_SREGS and ONE_REG.
 */
#include "44x.h"

#ifdef KVM_REG_PPC_44X_TLB

/* 44x SPRs that are not in struct kvm_regs or kvm_sregs. */
static const uint16_t sprs[] = {
	SPRN_MMUCR, SPRN_CCR0, 0x378 /* CCR1 */,
	SPRN_DBCR0, SPRN_DBCR1, SPRN_DBCR2, SPRN_DBSR,
};

static const uint64_t generic[] = {
	[STATE_REG_TSR] = KVM_REG_PPC_TSR,
	KVM_REG_PPC_IAC1, KVM_REG_PPC_IAC2, KVM_REG_PPC_DAC1, KVM_REG_PPC_DAC2,
	KVM_REG_PPC_TCR, KVM_REG_PPC_VRSAVE,
	KVM_REG_PPC_44X_PENDING, KVM_REG_PPC_44X_QUEUED_DEAR,
	KVM_REG_PPC_44X_QUEUED_ESR,
};

_Static_assert(ARRAY_SIZE(sprs) <= VCPU_STATE_SPRS, "44x.h");
_Static_assert(ARRAY_SIZE(generic) <= VCPU_STATE_REGS, "44x.h");

void vcpu_state_save(struct kvm_vcpu *vcpu, struct vcpu_state *s)
{
	unsigned int i, w;

	memset(s, 0, sizeof(*s));
	vcpu_regs_get(vcpu, &s->regs);
	vcpu_sregs_get(vcpu, &s->sregs);
	for (i = 0; i < TLB_ENTRIES; i++)
		for (w = 0; w < 4; w++)
			s->tlb[i][w] = vcpu_get_reg(vcpu, KVM_REG_PPC_44X_TLB(i, w));
	for (i = 0; i < ARRAY_SIZE(sprs); i++)
		s->spr[i] = vcpu_get_reg(vcpu, KVM_REG_PPC_44X_SPR(sprs[i]));
	for (i = 0; i < ARRAY_SIZE(generic); i++)
		s->reg[i] = vcpu_get_reg(vcpu, generic[i]);
	if (!host_has_fpu())
		return;
	for (i = 0; i < 32; i++)
		s->fpr[i] = vcpu_get_reg(vcpu, KVM_REG_PPC_FPR0 + i);
	s->fpscr = vcpu_get_reg(vcpu, KVM_REG_PPC_FPSCR);
}

void vcpu_state_restore(struct kvm_vcpu *vcpu, struct vcpu_state *s)
{
	struct kvm_sregs sregs = s->sregs;
	unsigned int i, w;

	for (i = 0; i < TLB_ENTRIES; i++)
		for (w = 0; w < 4; w++)
			vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(i, w), s->tlb[i][w]);
	for (i = 0; i < ARRAY_SIZE(sprs); i++)
		vcpu_set_reg(vcpu, KVM_REG_PPC_44X_SPR(sprs[i]), s->spr[i]);
	sregs.u.e.update_special = ~0;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &s->regs);
	for (i = 0; i < ARRAY_SIZE(generic); i++)
		vcpu_set_reg(vcpu, generic[i], s->reg[i]);
	if (!host_has_fpu())
		return;
	for (i = 0; i < 32; i++)
		vcpu_set_reg(vcpu, KVM_REG_PPC_FPR0 + i, s->fpr[i]);
	vcpu_set_reg(vcpu, KVM_REG_PPC_FPSCR, s->fpscr);
}

#endif
