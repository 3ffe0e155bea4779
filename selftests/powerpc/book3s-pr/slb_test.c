// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's SLB has 64 entries. A number beyond is none: KVM's own data is there.
 */
#include "kvm_util.h"
#include "pr.h"

#define ENTRIES		64UL

#ifdef __powerpc64__
#define SLB_ESID_V	0x08000000UL

static uint64_t slbmfee(uint64_t index)
{
	uint64_t val;

	asm volatile("slbmfee %0,%1" : "=r"(val) : "r"(index));
	return val;
}

static uint64_t slbmfev(uint64_t index)
{
	uint64_t val;

	asm volatile("slbmfev %0,%1" : "=r"(val) : "r"(index));
	return val;
}

static void slbmte(uint64_t slbe, uint64_t slbv)
{
	asm volatile("isync; slbmte %0,%1; isync" : : "r"(slbv), "r"(slbe) : "memory");
}

static void guest_slb(void)
{
	uint64_t slbe = 0x7000000000UL | SLB_ESID_V, slbv = 0x123456000UL;
	uint64_t i;

	/* First without a write, which a kernel that allows it does not survive. */
	for (i = ENTRIES; i < ENTRIES + 8; i++) {
		GUEST_ASSERT_EQ(slbmfev(i), 0);
		GUEST_ASSERT_EQ(slbmfee(i), 0);
	}
	for (i = ENTRIES; i < 4096; i += i < ENTRIES + 8 ? 1 : 100) {
		slbmte(slbe | i, slbv);
		GUEST_ASSERT_EQ(slbmfee(i), 0);
		GUEST_ASSERT_EQ(slbmfev(i), 0);
	}
	/* The last one there is */
	slbmte(slbe | (ENTRIES - 1), slbv);
	GUEST_ASSERT_EQ(slbmfee(ENTRIES - 1), slbe);
	GUEST_ASSERT_EQ(slbmfev(ENTRIES - 1), slbv);
	GUEST_DONE();
}

static void test_guest(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_slb);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* From userspace; the guest finds nothing of it. */
static void test_sregs(void)
{
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_slb);
	uint64_t i;

	vcpu_sregs_get(vcpu, &sregs);
	for (i = 0; i < ENTRIES; i++) {
		sregs.u.s.ppc64.slb[i].slbe = i << 28 | SLB_ESID_V | (ENTRIES + i);
		sregs.u.s.ppc64.slb[i].slbv = i << 12;
	}
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_sregs_get(vcpu, &sregs);
	for (i = 0; i < ENTRIES; i++)
		TEST_ASSERT(!(sregs.u.s.ppc64.slb[i].slbe & SLB_ESID_V), "entry %d", (int)i);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}
#else
static void test_guest(void)
{
	test_skip("a 32-bit guest has segment registers");
}

static void test_sregs(void)
{
	test_skip("a 32-bit guest has segment registers");
}
#endif

static const struct subtest tests[] = {
	{ "guest", test_guest },
	{ "sregs", test_sregs },
};

TEST_MAIN(tests)
