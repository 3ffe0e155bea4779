// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest does all its work and powers off: alone, with a small
 * memory, and while the host takes its memory away again and again (copy on
 * write, merging, compaction, page-out, dirty logging, a hungry neighbour).
 *
 * Needs the guest's kernel as /guest/vmlinux. The work is what guest_init.c does
 * and checks; this test adds nothing but the conditions.
 */
#include <unistd.h>

#include "test_util.h"

static void run(char *const argv[])
{
	if (access("/dev/kvm", R_OK | W_OK) || access("/guest/vmlinux", R_OK))
		test_skip("needs /dev/kvm and /guest/vmlinux");
	run_program(argv);
}

/* As much work as leaves time for the other tests. */
#ifdef __mips__
#define ALONE		"quiet/guest.forks=10/guest.mb=8/guest.passes=1"
#define SMALL		"quiet/guest.forks=5/guest.mb=8/guest.passes=1"
#define PRESSURE	"quiet/guest.forks=8/guest.mb=8/guest.passes=1"
#else
#define ALONE		"quiet/guest.forks=30/guest.mb=8/guest.passes=2"
#define SMALL		"quiet/guest.forks=15/guest.mb=8/guest.passes=1"
#define PRESSURE	"quiet/guest.forks=20/guest.mb=8/guest.passes=2"
#endif

static void test_alone(void)
{
	run((char *[]) { "linux_guest", "-q", "-a", ALONE, NULL });
}

static void test_small(void)
{
	run((char *[]) { "linux_guest", "-q", "-m", "32", "-a", SMALL, NULL });
}

static void test_pressure(void)
{
	run((char *[]) { "linux_guest", "-q", "-p", "-m", "48", "-a", PRESSURE, NULL });
}

static const struct subtest tests[] = {
	{ "alone", test_alone, 900 },
	{ "small", test_small, 900 },
	{ "pressure", test_pressure, 900 },
};

TEST_MAIN(tests)
