// SPDX-License-Identifier: GPL-2.0
/*
 * The results of the kernel's own KUnit suite for Book3S PR's reverse map.
 */
#include "test_util.h"

static void test_hpte(void)
{
	test_kunit_suite("kvm_book3s_pr_hpte", 7);
}

static const struct subtest tests[] = {
	{ "hpte", test_hpte },
};

TEST_MAIN(tests)
