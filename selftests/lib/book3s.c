// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S, 32- and 64-bit: an interrupt that the guest did not expect.
 */
#include "kvm_util.h"

void guest_unhandled(unsigned long vector);

/* Called by the vectors. */
void guest_unhandled(unsigned long vector)
{
	unsigned long srr0, srr1, dsisr, dar;

	asm volatile("mfsrr0 %0" : "=r"(srr0));
	asm volatile("mfsrr1 %0" : "=r"(srr1));
	asm volatile("mfdsisr %0" : "=r"(dsisr));
	asm volatile("mfdar %0" : "=r"(dar));
	__GUEST_UCALL(UCALL_UNHANDLED, vector, srr0, srr1, dsisr, dar);
	for (;;)
		;
}
