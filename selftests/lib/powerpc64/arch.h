/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S-64, little endian: guest memory map, hypercalls, guest exceptions.
 *
 * The guest's code runs with instruction relocation off (MSR[IR] = 0), so that
 * it is the same under all MMUs; only single loads and stores are relocated
 * (guest_load(), guest_store()). Guest physical addresses:
 *
 *   0x00000000  interrupt vectors
 *   0x00100000  the test program (linked there; see IMAGE_BASE in the Makefile)
 *   0x00800000  free for the test
 *   0x00ff0000  stack of vCPU 0, growing down; vCPU n is 64K * n below
 *   0x01000000  end of RAM
 *
 * A ucall is a hypercall of a number that KVM leaves to userspace.
 */
#ifndef SELFTEST_ARCH_H
#define SELFTEST_ARCH_H

/* A program is for one backend; pr_vm_create() chooses the other. */
#define ARCH_VM_TYPE		arch_vm_type
#define VM_TYPE_HV		1	/* KVM_VM_PPC_HV */
#define VM_TYPE_PR		2	/* KVM_VM_PPC_PR */

/* Arguments of a function that are in registers. */
#define ARCH_FIRST_ARG		3
#define ARCH_ARGS		8

#define GUEST_RAM_SIZE		0x01000000ULL
#define GUEST_IMAGE_END		0x00800000UL
#define GUEST_FREE_BASE		0x00800000UL
#define GUEST_STACK_TOP		0x00ff0000UL
#define GUEST_STACK_SIZE	0x00010000UL
#define UCALL_HCALL		0xf0f0

/* Hypercalls, by their PAPR names. */
#define H_SUCCESS		0
#define H_REMOVE		0x04
#define H_ENTER			0x08
#define H_READ			0x0c
#define H_CLEAR_MOD		0x10
#define H_CLEAR_REF		0x14
#define H_PROTECT		0x18
#define H_BULK_REMOVE		0x124
#define H_CEDE			0xe0

/* MSR */
#define MSR_SF			0x8000000000000000
#define MSR_VEC			0x0000000002000000
#define MSR_VSX			0x0000000000800000
#define MSR_EE			0x0000000000008000
#define MSR_PR			0x0000000000004000
#define MSR_FP			0x0000000000002000
#define MSR_ME			0x0000000000001000
#define MSR_IR			0x0000000000000020
#define MSR_DR			0x0000000000000010
#define MSR_RI			0x0000000000000002
#define MSR_LE			0x0000000000000001

/* Interrupt vectors that tests wait for; 0 is "none". */
#define EXC_NONE		0
#define EXC_DSI			0x300
#define EXC_DSEG		0x380
#define EXC_ISI			0x400
#define EXC_PROGRAM		0x700

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

extern int arch_vm_type;

/* Make stores of instructions visible to instruction fetch. Guest and test. */
static inline void arch_sync_icache(void *addr, unsigned long len)
{
	__builtin___clear_cache((char *)addr, (char *)addr + len);
}

static inline uint64_t mftb(void)
{
	uint64_t v;

	asm volatile("mftb %0" : "=r"(v));
	return v;
}

static inline uint64_t mfmsr(void)
{
	uint64_t v;

	asm volatile("mfmsr %0" : "=r"(v));
	return v;
}

/*
 * Guest side: hypercall @nr with up to four arguments; returns r3, and r4 to r7
 * in @ret unless it is NULL.
 */
long hcall(unsigned long nr, unsigned long ret[4], unsigned long a0,
	   unsigned long a1, unsigned long a2, unsigned long a3);

/*
 * Guest side: one 8 byte access with data relocation on. Returns EXC_NONE or the
 * vector of the interrupt it took.
 */
unsigned int guest_load(unsigned long ea, uint64_t *val);
unsigned int guest_store(unsigned long ea, uint64_t val);
/* The same for one load each from @count addresses, @stride bytes apart. */
unsigned int guest_load_each(unsigned long ea, unsigned long count,
			     unsigned long stride);

#endif /* __ASSEMBLER__ */
#endif
