// SPDX-License-Identifier: GPL-2.0
/*
 * qemu_guest.c on MIPS: a Malta, by trap & emulate. QEMU 7.2 is the last that can. A
 * Malta is not switched off, but restarts, at which QEMU ends.
 */
#include <stdio.h>
#include <string.h>

#include "qemu_machine.h"

const char qemu_binary[] = "/usr/bin/qemu-system-mipsel";
const char *const qemu_mmus[] = { "tlb", NULL };

bool qemu_can_do(const char *mmu)
{
	return true;
}

void qemu_machine(char *buf, size_t size, bool nested, bool pr)
{
	snprintf(buf, size, "malta,accel=kvm");
}

const char *qemu_cmdline(const char *mmu)
{
	return "console=ttyS0 ieee754=relaxed guest.restart=1";
}
