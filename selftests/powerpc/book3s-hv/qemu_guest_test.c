// SPDX-License-Identifier: GPL-2.0
/*
 * A real Linux guest under QEMU, as it is distributed, does all its work and powers
 * off: hash and radix, on two vCPUs, alone and while the host pages it out all the
 * time; and a radix guest runs guests of its own.
 *
 * Needs the guest's kernel as /guest/vmlinux, and QEMU. The work is what
 * guest_init.c does and checks, or the selftests for the nested guests.
 */
#include "test_util.h"

#define WORK	"quiet/guest.forks=20/guest.mb=16/guest.passes=1/guest.procs=2"

static void test_hash(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-M", "hash", "-a", WORK, NULL });
}

static void test_radix(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-M", "radix", "-a", WORK, NULL });
}

static void test_pressure_hash(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-p", "-M", "hash", "-a", WORK, NULL });
}

static void test_pressure_radix(void)
{
	run_program((char *[]) { "qemu_guest", "-q", "-p", "-M", "radix", "-a", WORK, NULL });
}

/* The guest is a hypervisor, and its guests are guests of KVM's here, nested. */
static void test_nested(void)
{
	run_program((char *[]) { "qemu_guest", "-n", "-M", "radix", "-i", "/guest/tests.cpio.gz",
			 "-a", "quiet/kvm.run=smoke_test:radix,radix_test:tlbie_one:tlbie_two:tlbie_bounced:tlbiel_bounced:lpid_reuse:host_one:host_idle", NULL });
}

/* A nested guest that invalidates for itself where it is, and moves. */
static void test_nested_bounced(void)
{
	run_program((char *[]) { "qemu_guest", "-n", "-b", "-M", "radix", "-i", "/guest/tests.cpio.gz",
			 "-a", "quiet/kvm.run=radix_test:tlbiel_bounced", NULL });
}

static const struct subtest tests[] = {
	{ "hash", test_hash, 300 },
	{ "radix", test_radix, 300 },
	{ "pressure_hash", test_pressure_hash, 300 },
	{ "pressure_radix", test_pressure_radix, 300 },
	{ "nested", test_nested, 300 },
	{ "nested_bounced", test_nested_bounced, 300 },
};

TEST_MAIN(tests)
