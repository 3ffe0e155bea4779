// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest under QEMU 7.2, as Debian 12 distributes it, does all its work:
 * alone, and while the host pages it out all the time.
 *
 * Needs the guest's kernel as /guest/vmlinux, and QEMU. The work is what guest_init.c
 * does and checks. QEMU knows trap & emulate as it was when mainline had it: this is
 * what holds KVM to that interface.
 */
#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_util.h"

#define WORK	"quiet/guest.forks=10/guest.mb=4/guest.passes=1"

static void run(char *const argv[])
{
	char path[256], dir[200] = "";
	int status;
	pid_t pid;

	TEST_ASSERT(readlink("/proc/self/exe", dir, sizeof(dir) - 1) > 0, "readlink");
	snprintf(path, sizeof(path), "%s/qemu_guest", dirname(dir));
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		execv(path, argv);
		_exit(127);
	}
	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
	TEST_ASSERT(WIFEXITED(status), "qemu_guest: status 0x%x", status);
	if (WEXITSTATUS(status) == KSFT_SKIP)
		test_skip("qemu_guest");
	TEST_ASSERT(WEXITSTATUS(status) == KSFT_PASS, "qemu_guest: exit code %d",
		    WEXITSTATUS(status));
}

static void test_alone(void)
{
	run((char *[]) { "qemu_guest", "-q", "-a", WORK, NULL });
}

static void test_pressure(void)
{
	TEST_REQUIRE(!access("/proc/swaps", R_OK));
	run((char *[]) { "qemu_guest", "-q", "-p", "-a", WORK, NULL });
}

static const struct subtest tests[] = {
	{ "alone", test_alone, 250 },
	{ "pressure", test_pressure, 250 },
};

TEST_MAIN(tests)
