// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest under QEMU, as it is distributed, does all its work and powers
 * off, with PR instead of HV: alone, and while the host pages it out all the time.
 *
 * Needs the guest's kernel as /guest/vmlinux, and QEMU. The work is what
 * guest_init.c does and checks.
 */
#include "test_util.h"

#define WORK	"quiet/guest.forks=20/guest.mb=16/guest.passes=1/guest.procs=2"

static void test_alone(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-P", "-a", WORK, NULL });
}

static void test_pressure(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-P", "-p", "-a", WORK, NULL });
}

static const struct subtest tests[] = {
	{ "alone", test_alone, 400 },
	{ "pressure", test_pressure, 400 },
};

TEST_MAIN(tests)
