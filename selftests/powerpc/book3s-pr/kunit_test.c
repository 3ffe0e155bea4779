// SPDX-License-Identifier: GPL-2.0
/*
 * The results of the kernel's own KUnit suite for Book3S PR's reverse map, which
 * ran at boot. Skipped if the kernel has none.
 */
#include <unistd.h>

#include "test_util.h"

#define RESULTS	"/sys/kernel/debug/kunit/kvm_book3s_pr_hpte/results"

static void test_hpte(void)
{
	unsigned int passed = 0;
	char line[256], name[128];
	FILE *f;

	if (access("/sys/kernel/debug/kunit", F_OK))
		test_skip("needs CONFIG_KUNIT_DEBUGFS");
	f = fopen(RESULTS, "r");
	TEST_ASSERT(f, "%s", RESULTS);
	while (fgets(line, sizeof(line), f)) {
		char *p = line + strspn(line, " ");

		if (sscanf(p, "not ok %*d %127s", name) == 1)
			TEST_FAIL("%s failed: see the kernel's log", name);
		/* The suite's own line is not indented. */
		if (p != line && sscanf(p, "ok %*d %127s", name) == 1) {
			print_info("%s%s", name, strstr(p, "SKIP") ? " (skipped)" : "");
			passed++;
		}
	}
	fclose(f);
	TEST_ASSERT_EQ(passed, 6);
}

static const struct subtest tests[] = {
	{ "hpte", test_hpte },
};

TEST_MAIN(tests)
