// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest under QEMU 7.2, as Debian 12 distributes it, does all its work:
 * alone, and while the host pages it out all the time.
 *
 * Needs the guest's kernel as /guest/vmlinux, and QEMU. The work is what guest_init.c
 * does and checks. QEMU knows trap & emulate as it was when mainline had it: this is
 * what holds KVM to that interface.
 */
#include <unistd.h>

#include "test_util.h"

#define WORK	"quiet/guest.forks=10/guest.mb=4/guest.passes=1"

static void test_alone(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-a", WORK, NULL });
}

static void test_pressure(void)
{
	TEST_REQUIRE(!access("/proc/swaps", R_OK));
	run_program((char *[]) { "qemu_guest", "-q", "-p", "-a", WORK, NULL });
}

static const struct subtest tests[] = {
	{ "alone", test_alone, 250 },
	{ "pressure", test_pressure, 250 },
};

TEST_MAIN(tests)
