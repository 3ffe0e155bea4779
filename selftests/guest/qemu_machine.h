/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What qemu_guest.c must know of an architecture's QEMU.
 */
#ifndef SELFTEST_QEMU_MACHINE_H
#define SELFTEST_QEMU_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __mips__
#define QEMU_VCPUS	1
#define QEMU_MB		64
#else
#define QEMU_VCPUS	2
#define QEMU_MB		256
#endif

extern const char qemu_binary[];
/* The MMUs that a guest may be given, and whether this host can. */
extern const char *const qemu_mmus[];
bool qemu_can_do(const char *mmu);
/* The value of -M; nested: the guest is a hypervisor, pr: of KVM Book3S PR. */
void qemu_machine(char *buf, size_t size, bool nested, bool pr);
/* What the guest's kernel is told. */
const char *qemu_cmdline(const char *mmu);

#endif
