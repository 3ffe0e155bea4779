/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Embedded PowerPC (44x, e500v2): guest memory map, register and instruction
 * access, guest exceptions.
 *
 * Guest physical addresses, all within the 256 MB that the first TLB entry of
 * a new vCPU maps one to one:
 *
 *   0x00100000  the test program (linked there; see GUEST_IMAGE_BASE in the Makefile)
 *   0x00800000  free for the test
 *   0x00ff0000  stack of vCPU 0, growing down; vCPU n is 64K * n below
 *   0x01000000  end of RAM
 *   0x0f000000  ucalls (MMIO)
 *   0x0f001000  free for the test's MMIO
 */
#ifndef SELFTEST_ARCH_H
#define SELFTEST_ARCH_H

#define ARCH_VM_TYPE		0

/* Arguments of a function that are in registers. */
#define ARCH_FIRST_ARG		3
#define ARCH_ARGS		8

#define GUEST_RAM_SIZE		0x01000000ULL
#define GUEST_IMAGE_END		0x00800000UL
#define GUEST_FREE_BASE		0x00800000UL
#define GUEST_STACK_TOP		0x00ff0000UL
#define GUEST_STACK_SIZE	0x00010000UL
#define UCALL_GPA		0x0f000000UL
#define GUEST_MMIO_BASE		0x0f001000UL

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#define PPC_ICACHE_BLOCK	16

/* Make stores of instructions visible to instruction fetch. Guest and test. */
static inline void arch_sync_icache(void *addr, unsigned long len)
{
	char *p = (char *)((uintptr_t)addr & ~(PPC_ICACHE_BLOCK - 1UL));
	char *end = (char *)addr + len;

	for (; p < end; p += PPC_ICACHE_BLOCK)
		asm volatile("dcbst 0,%0" : : "r"(p) : "memory");
	asm volatile("sync" : : : "memory");
	for (p = (char *)((uintptr_t)addr & ~(PPC_ICACHE_BLOCK - 1UL)); p < end;
	     p += PPC_ICACHE_BLOCK)
		asm volatile("icbi 0,%0" : : "r"(p) : "memory");
	asm volatile("sync; isync" : : : "memory");
}

#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)

#define mfspr(spr) ({							\
	unsigned long __v;						\
	asm volatile("mfspr %0," __stringify(spr) : "=r"(__v) : : "memory"); \
	__v; })
#define mtspr(spr, val) \
	asm volatile("mtspr " __stringify(spr) ",%0" : : "r"(val) : "memory")
#define mfmsr() ({							\
	unsigned long __v;						\
	asm volatile("mfmsr %0" : "=r"(__v) : : "memory");		\
	__v; })
#define mtmsr(val)	asm volatile("mtmsr %0; isync" : : "r"(val) : "memory")
#define wrteei(n)	asm volatile("wrteei " #n : : : "memory")
#define mfdcr(dcrn) ({							\
	uint32_t __v;							\
	asm volatile(".machine push; .machine \"440\"; mfdcr %0," __stringify(dcrn) \
		     "; .machine pop" : "=r"(__v) : : "memory");		\
	__v; })
#define mtdcr(dcrn, val) \
	asm volatile(".machine push; .machine \"440\"; mtdcr " __stringify(dcrn) \
		     ",%0; .machine pop" : : "r"(val) : "memory")

static inline uint32_t mftb(void)
{
	uint32_t v;

	asm volatile("mftb %0" : "=r"(v));
	return v;
}

static inline uint64_t mftb64(void)
{
	uint32_t hi, lo, again;

	do {
		asm volatile("mftbu %0; mftb %1; mftbu %2"
			     : "=r"(hi), "=r"(lo), "=r"(again));
	} while (hi != again);
	return (uint64_t)hi << 32 | lo;
}
#endif

/* MSR */
#define MSR_WE		0x00040000
#define MSR_CE		0x00020000
#define MSR_EE		0x00008000
#define MSR_PR		0x00004000
#define MSR_FP		0x00002000
#define MSR_ME		0x00001000
#define MSR_FE0		0x00000800
#define MSR_DE		0x00000200
#define MSR_FE1		0x00000100
#define MSR_IS		0x00000020
#define MSR_DS		0x00000010

/* SPRs */
#define SPRN_DEC	0x016
#define SPRN_SRR0	0x01a
#define SPRN_SRR1	0x01b
#define SPRN_PID	0x030
#define SPRN_DECAR	0x036
#define SPRN_CSRR0	0x03a
#define SPRN_CSRR1	0x03b
#define SPRN_DEAR	0x03d
#define SPRN_ESR	0x03e
#define SPRN_IVPR	0x03f
#define SPRN_USPRG0	0x100
#define SPRN_SPRG4R	0x104
#define SPRN_SPRG5R	0x105
#define SPRN_SPRG6R	0x106
#define SPRN_SPRG7R	0x107
#define SPRN_SPRG0	0x110
#define SPRN_SPRG1	0x111
#define SPRN_SPRG2	0x112
#define SPRN_SPRG3	0x113
#define SPRN_SPRG4W	0x114
#define SPRN_SPRG5W	0x115
#define SPRN_SPRG6W	0x116
#define SPRN_SPRG7W	0x117
#define SPRN_PIR	0x11e
#define SPRN_PVR	0x11f
#define SPRN_DBSR	0x130
#define SPRN_DBCR0	0x134
#define SPRN_DBCR1	0x135
#define SPRN_DBCR2	0x136
#define SPRN_IAC1	0x138
#define SPRN_IAC2	0x139
#define SPRN_IAC3	0x13a
#define SPRN_IAC4	0x13b
#define SPRN_DAC1	0x13c
#define SPRN_DAC2	0x13d
#define SPRN_TSR	0x150
#define SPRN_TCR	0x154
#define SPRN_IVOR0	0x190
#define SPRN_MCSRR0	0x23a
#define SPRN_MCSRR1	0x23b
#define SPRN_MCSR	0x23c
#define SPRN_MMUCR	0x3b2
#define SPRN_CCR0	0x3b3

/* ESR */
#define ESR_PIL		0x08000000
#define ESR_PPR		0x04000000
#define ESR_PTR		0x02000000
#define ESR_FP		0x01000000
#define ESR_ST		0x00800000
#define ESR_DLK		0x00200000
#define ESR_AP		0x00100000
#define ESR_BO		0x00020000

/* Timers */
#define TCR_WP_SHIFT	30
#define TCR_WRC_SHIFT	28
#define TCR_WIE		0x08000000
#define TCR_DIE		0x04000000
#define TCR_FP_SHIFT	24
#define TCR_FIE		0x00800000
#define TCR_ARE		0x00400000
#define TSR_ENW		0x80000000
#define TSR_WIS		0x40000000
#define TSR_DIS		0x08000000
#define TSR_FIS		0x04000000

/* Exception numbers: the n of IVORn. */
#define EXC_CRITICAL	0
#define EXC_MCHECK	1
#define EXC_DSI		2
#define EXC_ISI		3
#define EXC_EXTERNAL	4
#define EXC_ALIGNMENT	5
#define EXC_PROGRAM	6
#define EXC_FPUNAVAIL	7
#define EXC_SYSCALL	8
#define EXC_APUNAVAIL	9
#define EXC_DEC		10
#define EXC_FIT		11
#define EXC_WATCHDOG	12
#define EXC_DTLB	13
#define EXC_ITLB	14
#define EXC_DEBUG	15
#define EXC_COUNT	16
#define EXC_NONE	99	/* guest_catch(): nothing happened */

/* Offsets into struct ex_regs, for booke.S; checked in processor.c. */
#define EXR_PC		128
#define EXR_MSR		132
#define EXR_LR		136
#define EXR_CTR		140
#define EXR_CR		144
#define EXR_XER		148
#define EXR_ESR		152
#define EXR_DEAR	156
#define EXR_VECTOR	160
#define EXR_SIZE	164

#ifndef __ASSEMBLER__

/* What the guest's exception stubs save; written back before the return. */
struct ex_regs {
	uint32_t gpr[32];
	uint32_t pc, msr;	/* [C,MC]SRR0 and 1 */
	uint32_t lr, ctr, cr, xer;
	uint32_t esr, dear;
	uint32_t vector;
};

typedef void (*ex_handler)(struct ex_regs *regs);

/* Guest side. */
void guest_exceptions_init(void);
void guest_set_handler(unsigned int vector, ex_handler handler);

/*
 * Guest side: run a piece of guest code and note the exception it takes, if
 * any, then go on after it. guest_catch() returns the exception number, or
 * EXC_NONE; the details are in guest_caught.
 */
extern struct ex_regs guest_caught;
unsigned int guest_catch(void (*fn)(unsigned long), unsigned long arg);

/* Test side: is there a classic FPU, as the kernel tells its programs. */
bool host_has_fpu(void);

/* Test side: raise or lower the guest's external interrupt. */
struct kvm_vcpu;
void vcpu_interrupt(struct kvm_vcpu *vcpu, uint32_t how);

#endif /* __ASSEMBLER__ */
#endif
