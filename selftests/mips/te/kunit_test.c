// SPDX-License-Identifier: GPL-2.0
/*
 * The results of the kernel's own KUnit suites: for the guest's TLB, and for what its
 * instructions are patched to.
 */
#include "test_util.h"

static void test_tlb(void)
{
	test_kunit_suite("kvm_mips_te_tlb", 4);
}

static void test_patch(void)
{
	test_kunit_suite("kvm_mips_te_patch", 3);
}

static const struct subtest tests[] = {
	{ "tlb", test_tlb },
	{ "patch", test_patch },
};

TEST_MAIN(tests)
