// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest under QEMU, as it is distributed, does all its work and powers
 * off, with PR instead of HV: alone, and while the host pages it out all the time.
 *
 * Needs the guest's kernel as /guest/vmlinux, and QEMU. The work is what
 * guest_init.c does and checks.
 */
#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_util.h"

#define WORK	"quiet/guest.forks=20/guest.mb=16/guest.passes=1/guest.procs=2"

static void run(bool pressure)
{
	char path[256], dir[200] = "";
	int status;
	pid_t pid;

	TEST_ASSERT(readlink("/proc/self/exe", dir, sizeof(dir) - 1) > 0, "readlink");
	snprintf(path, sizeof(path), "%s/qemu_guest", dirname(dir));
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		execl(path, "qemu_guest", "-q", "-P", "-a", WORK, pressure ? "-p" : NULL,
		      NULL);
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
	run(false);
}

static void test_pressure(void)
{
	run(true);
}

static const struct subtest tests[] = {
	{ "alone", test_alone, 400 },
	{ "pressure", test_pressure, 400 },
};

TEST_MAIN(tests)
