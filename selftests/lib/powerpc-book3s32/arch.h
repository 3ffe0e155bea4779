/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S-32: guest memory map, ucalls, guest exceptions.
 *
 * As on Book3S-64 the guest's code runs with instruction relocation off, and only
 * single loads and stores are relocated. There is no hypervisor to call: a ucall
 * is a store to an address without memory. Guest physical addresses:
 *
 *   0x00000000  interrupt vectors
 *   0x00100000  the test program (linked there; see IMAGE_BASE in the Makefile)
 *   0x00800000  free for the test
 *   0x00c00000  hash table of the guest
 *   0x00ff0000  stack of vCPU 0, growing down; vCPU n is 64K * n below
 *   0x01000000  end of RAM
 *   0x0f000000  ucalls (MMIO)
 */
#ifndef SELFTEST_ARCH_H
#define SELFTEST_ARCH_H

#define ARCH_VM_TYPE		0	/* the host's only one */

/* Arguments of a function that are in registers. */
#define ARCH_FIRST_ARG		3
#define ARCH_ARGS		8

#define GUEST_RAM_SIZE		0x01000000ULL
#define GUEST_IMAGE_END		0x00800000UL
#define GUEST_FREE_BASE		0x00800000UL
#define GUEST_HTAB		0x00c00000UL
#define GUEST_STACK_TOP		0x00ff0000UL
#define GUEST_STACK_SIZE	0x00010000UL
#define UCALL_GPA		0x0f000000UL

/* MSR */
#define MSR_EE			0x00008000
#define MSR_PR			0x00004000
#define MSR_ME			0x00001000
#define MSR_IR			0x00000020
#define MSR_DR			0x00000010
#define MSR_RI			0x00000002

/* Interrupt vectors that tests wait for; 0 is "none". */
#define EXC_NONE		0
#define EXC_DSI			0x300
#define EXC_ISI			0x400
#define EXC_PROGRAM		0x700

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

/* Make stores of instructions visible to instruction fetch. Guest and test. */
static inline void arch_sync_icache(void *addr, unsigned long len)
{
	uintptr_t start = (uintptr_t)addr & ~31UL, end = (uintptr_t)addr + len, p;

	for (p = start; p < end; p += 32)
		asm volatile("dcbst 0,%0" : : "r"(p) : "memory");
	asm volatile("sync" : : : "memory");
	for (p = start; p < end; p += 32)
		asm volatile("icbi 0,%0" : : "r"(p) : "memory");
	asm volatile("sync; isync" : : : "memory");
}

static inline uint64_t mftb(void)
{
	uint32_t hi, lo, again;

	do {
		asm volatile("mftbu %0; mftb %1; mftbu %2"
			     : "=r"(hi), "=r"(lo), "=r"(again));
	} while (hi != again);
	return (uint64_t)hi << 32 | lo;
}

/*
 * Guest side: one 8 byte access with data relocation on, in two words. Returns
 * EXC_NONE or the vector of the interrupt it took.
 */
unsigned int guest_load(unsigned long ea, uint64_t *val);
unsigned int guest_store(unsigned long ea, uint64_t val);
/* The same for one load each from @count addresses, @stride bytes apart. */
unsigned int guest_load_each(unsigned long ea, unsigned long count,
			     unsigned long stride);

#endif /* __ASSEMBLER__ */
#endif
