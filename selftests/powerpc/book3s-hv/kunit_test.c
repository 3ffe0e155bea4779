// SPDX-License-Identifier: GPL-2.0
/*
 * The results of the kernel's own KUnit suite for Book3S HV's flush tracking.
 */
#include "test_util.h"

static void test_tlb(void)
{
	test_kunit_suite("kvm_book3s_hv_tlb", 10);
}

static const struct subtest tests[] = {
	{ "tlb", test_tlb },
};

TEST_MAIN(tests)
