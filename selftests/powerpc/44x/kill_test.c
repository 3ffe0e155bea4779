// SPDX-License-Identifier: GPL-2.0
/*
 * VMMs that die, and allocations that fail: see lib/lifetime.h.
 */
#include "44x.h"
#include "lifetime.h"

static void guest_busy(void)
{
	uint32_t i = 0;

	guest_44x_init();
	for (;;) {
		/* TID 0 and all others in turn, so that shadow tables get many. */
		tlb_write(10 + i % 50, (0x40000000 + i % 50 * 0x10000) | TLB0_V | SIZE_64K,
			  GUEST_FREE_BASE + i % 64 * 0x10000, TLB2_RWX,
			  i % 2 ? i % 256 : 0);
		set_pid(i % 256);
		*(volatile uint32_t *)(0x40000000 + i % 50 * 0x10000) = i;
		*(volatile uint32_t *)(GUEST_FREE_BASE + i % 1024 * 4096) = i;
		if (!(i++ % 64))
			GUEST_SYNC(i);
	}
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu)
{
	return vm_create_with_one_vcpu(vcpu, guest_busy);
}

static const struct lifetime lifetime = { create, 200, 60 };

LIFETIME_TESTS(&lifetime)

static const struct subtest tests[] = {
	{ "kill", test_kill, 240 },
	{ "close", test_close, 240 },
	{ "failslab", test_failslab, 800 },
};

TEST_MAIN(tests)
