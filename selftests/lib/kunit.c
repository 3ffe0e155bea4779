// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own tests: see test_util.h.
 */
#include <unistd.h>

#include "test_util.h"

#define KUNIT	"/sys/kernel/debug/kunit"

void test_kunit_suite(const char *suite, unsigned int tests)
{
	char path[128], line[256], name[128];
	unsigned int passed = 0;
	FILE *f;

	if (access(KUNIT, F_OK))
		test_skip("needs CONFIG_KUNIT_DEBUGFS");
	snprintf(path, sizeof(path), KUNIT "/%s/results", suite);
	f = fopen(path, "r");
	TEST_ASSERT(f, "%s", path);
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
	TEST_ASSERT_EQ(passed, tests);
}
