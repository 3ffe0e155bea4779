/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No architecture: enough to compile the generic library anywhere, which
 * keeps it free of assumptions about word size and byte order.
 */
#ifndef SELFTEST_ARCH_H
#define SELFTEST_ARCH_H

#define ARCH_VM_TYPE		0
#define GUEST_RAM_SIZE		0x01000000ULL
#define GUEST_IMAGE_END		0x00800000UL
#define GUEST_STACK_TOP		0x00ff0000UL
#define GUEST_STACK_SIZE	0x00010000UL
#define UCALL_GPA		0x0f000000UL

static inline void arch_sync_icache(void *addr, unsigned long len)
{
	__builtin___clear_cache((char *)addr, (char *)addr + len);
}

#endif
