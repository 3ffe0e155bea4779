// SPDX-License-Identifier: GPL-2.0
/*
 * VMMs that die, and allocations that fail: see lib/lifetime.h.
 */
#include "kvm_util.h"
#include "lifetime.h"

/* More ASIDs than KVM keeps address spaces for, pages in all segments */
static void guest_busy(void)
{
	uint32_t i = 0;

	for (;;) {
		guest_tlb_write(i % 60, -1, (0x400000 + i % 60 * 0x100000) | i % 40,
				LO_PFN(GUEST_FREE_BASE + i % 64 * host_page) |
				LO_C | LO_V | LO_D, i % 2 ? LO_G : 0);
		write_c0(C0_ENTRYHI, i % 40);
		*(volatile uint32_t *)(0x400000 + i % 60 * 0x100000) = i;
		*(volatile uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE +
				       i % 400 * host_page) = i;
		if (!(i++ % 64))
			GUEST_SYNC(i);
	}
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	return vm_create_with_one_vcpu(vcpu, guest_busy);
}

static const struct lifetime lifetime = { create, 40, 20 };

LIFETIME_TESTS(&lifetime)

static const struct subtest tests[] = {
	{ "kill", test_kill, 120 },
	{ "close", test_close, 120 },
	{ "failslab", test_failslab, 400 },
};

TEST_MAIN(tests)
