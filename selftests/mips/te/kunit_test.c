// SPDX-License-Identifier: GPL-2.0
/*
 * The results of the kernel's own KUnit suite for the guest's TLB.
 */
#include "test_util.h"

static void test_tlb(void)
{
	test_kunit_suite("kvm_mips_te_tlb", 4);
}

static const struct subtest tests[] = {
	{ "tlb", test_tlb },
};

TEST_MAIN(tests)
