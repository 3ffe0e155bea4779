// SPDX-License-Identifier: GPL-2.0
/*
 * qemu_guest.c on POWER: a pseries guest, hash or radix.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_machine.h"
#include "test_util.h"

const char qemu_binary[] = "/usr/bin/qemu-system-ppc64";
const char *const qemu_mmus[] = { "hash", "radix", NULL };

/* 8, 9 or 10, or 0 if this is no POWER machine that is known here. */
static int power_version(void)
{
	char buf[4096], *p;
	ssize_t n = read_file("/proc/cpuinfo", buf, sizeof(buf) - 1);

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strstr(buf, "POWER");
	return p ? atoi(p + 5) : 0;
}

static bool host_is_radix(void)
{
	char buf[4096];
	ssize_t n = read_file("/proc/cpuinfo", buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	return strstr(buf, "Radix");
}

bool qemu_can_do(const char *mmu)
{
	return !strcmp(mmu, "hash") || host_is_radix();
}

void qemu_machine(char *buf, size_t size, bool nested, bool pr)
{
	int power = power_version();

	snprintf(buf, size,
		 "pseries,accel=kvm,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off,x-vof=on%s%s%s",
		 power == 8 ? ",cap-htm=off,cap-nested-hv=off" :
		 power == 10 ? ",cap-dawr1=off" : "",
		 nested ? ",cap-nested-hv=on" : "",
		 pr ? ",kvm-type=PR,cap-fwnmi=off,cap-ail-mode-3=off" : "");
}

const char *qemu_cmdline(const char *mmu)
{
	return !strcmp(mmu, "radix") ? "console=hvc0 disable_radix=0" :
				       "console=hvc0 disable_radix";
}
