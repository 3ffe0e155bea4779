/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MIPS32, trap & emulate: guest memory map, CP0, guest exceptions.
 *
 * The guest kernel runs in its KSEG0, 0x40000000 to 0x5fffffff, where its
 * physical memory is. The test program is linked there: it is where the host's
 * processes have their memory, too. Guest physical addresses:
 *
 *   0x00000000  exception vectors
 *   0x00100000  the test program (linked at 0x40100000)
 *   0x00800000  free for the test
 *   0x00ff0000  stack of vCPU 0, growing down; vCPU n is 64K * n below
 *   0x01000000  end of RAM
 *   0x1f000000  ucalls (MMIO, at 0xbf000000)
 *   0x1f001000  free for the test's MMIO
 */
#ifndef SELFTEST_ARCH_H
#define SELFTEST_ARCH_H

#define ARCH_VM_TYPE		2	/* KVM_VM_MIPS_TE */

#define GUEST_KSEG0		0x40000000UL
#define GUEST_KSEG2		0x60000000UL
#define GUEST_CKSEG1		0xa0000000UL
/* The physical address of what the guest kernel has in its KSEG0 */
#define ARCH_GVA2GPA(va)	((va) & 0x1fffffff)

/* Arguments of a function that are in registers. */
#define ARCH_FIRST_ARG		4
#define ARCH_ARGS		4

#define GUEST_RAM_SIZE		0x01000000ULL
#define GUEST_IMAGE_END		0x00800000UL
#define GUEST_FREE_BASE		0x00800000UL
#define GUEST_STACK_TOP		0x00ff0000UL
#define GUEST_STACK_SIZE	0x00010000UL
#define UCALL_GPA		0x1f000000UL
#define GUEST_MMIO_BASE		0x1f001000UL

/* Status */
#define ST_CU1			0x20000000
#define ST_CU0			0x10000000
#define ST_FR			0x04000000
#define ST_BEV			0x00400000
#define ST_IM			0x0000ff00
#define ST_IM_BIT(n)		(0x100 << (n))
#define ST_USER			0x00000010
#define ST_ERL			0x00000004
#define ST_EXL			0x00000002
#define ST_IE			0x00000001

/* Cause */
#define CAUSE_BD		0x80000000
#define CAUSE_TI		0x40000000
#define CAUSE_CE		0x30000000
#define CAUSE_DC		0x08000000
#define CAUSE_IV		0x00800000
#define CAUSE_IP_BIT(n)		(0x100 << (n))

/* EntryLo */
#define LO_G			1
#define LO_V			2
#define LO_D			4
#define LO_C			(3 << 3)
#define LO_PFN(pa)		(((pa) >> 12) << 6)

/* Cause.ExcCode */
#define EXC_INT			0
#define EXC_MOD			1
#define EXC_TLBL		2
#define EXC_TLBS		3
#define EXC_ADEL		4
#define EXC_ADES		5
#define EXC_IBE			6
#define EXC_DBE			7
#define EXC_SYS			8
#define EXC_BP			9
#define EXC_RI			10
#define EXC_CPU			11
#define EXC_OV			12
#define EXC_TR			13
#define EXC_FPE			15
#define EXC_COUNT		32
#define EXC_NONE		99	/* guest_catch(): nothing happened */

/* Offsets into struct ex_regs, for guest.S; checked in processor.c. */
#define EXR_HI			128
#define EXR_LO			132
#define EXR_EPC			136
#define EXR_STATUS		140
#define EXR_CAUSE		144
#define EXR_BADVADDR		148
#define EXR_VECTOR		152
#define EXR_SIZE		160

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

/* Make stores of instructions visible to instruction fetch. Guest and test. */
static inline void arch_sync_icache(void *addr, unsigned long len)
{
	char *p = addr, *end = p + len;

	for (; p < end; p += 16)
		asm volatile("synci 0(%0)" : : "r"(p) : "memory");
	asm volatile("sync" : : : "memory");
}

#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)

#define mfc0(reg, sel) ({						\
	uint32_t __v;							\
	asm volatile("mfc0 %0,$" __stringify(reg) "," __stringify(sel)	\
		     : "=r"(__v) : : "memory");				\
	__v; })
#define mtc0(reg, sel, val)						\
	asm volatile("mtc0 %0,$" __stringify(reg) "," __stringify(sel) "; ehb" \
		     : : "r"(val) : "memory")

#define C0_INDEX	0, 0
#define C0_RANDOM	1, 0
#define C0_ENTRYLO0	2, 0
#define C0_ENTRYLO1	3, 0
#define C0_CONTEXT	4, 0
#define C0_USERLOCAL	4, 2
#define C0_PAGEMASK	5, 0
#define C0_WIRED	6, 0
#define C0_HWRENA	7, 0
#define C0_BADVADDR	8, 0
#define C0_COUNT	9, 0
#define C0_ENTRYHI	10, 0
#define C0_COMPARE	11, 0
#define C0_STATUS	12, 0
#define C0_CAUSE	13, 0
#define C0_EPC		14, 0
#define C0_PRID		15, 0
#define C0_EBASE	15, 1
#define C0_CONFIG	16, 0
#define C0_CONFIG1	16, 1
#define C0_CONFIG3	16, 3
#define C0_ERROREPC	30, 0
#define read_c0(r)	__read_c0(r)
#define __read_c0(r, s)	mfc0(r, s)
#define write_c0(r, v)	__write_c0(r, v)
#define __write_c0(r, s, v) mtc0(r, s, v)

/* What the guest's exception stubs save; written back before the return. */
struct ex_regs {
	uint32_t gpr[32];
	uint32_t hi, lo;
	uint32_t epc, status, cause, badvaddr;
	uint32_t vector;	/* offset of the vector it came by */
	uint32_t pad;
};

typedef void (*ex_handler)(struct ex_regs *regs);

static inline unsigned int ex_code(const struct ex_regs *regs)
{
	return regs->cause >> 2 & 31;
}

/* Guest side. @code is Cause.ExcCode. */
void guest_set_handler(unsigned int code, ex_handler handler);

/*
 * Guest side: run a piece of guest code and note the exception it takes, if
 * any, then go on after it. guest_catch() returns Cause.ExcCode, or EXC_NONE;
 * the details are in guest_caught.
 */
extern struct ex_regs guest_caught;
unsigned int guest_catch(void (*fn)(unsigned long), unsigned long arg);

/* Guest side: one access. They return as guest_catch(). */
unsigned int guest_load(unsigned long gva, uint32_t *val);
unsigned int guest_store(unsigned long gva, uint32_t val);

/*
 * Guest side: one access in user mode; both return as guest_catch(). The program
 * must be mapped at its physical addresses: see guest_map_program().
 */
unsigned int guest_user_load(unsigned long gva, uint32_t *val);
unsigned int guest_user_store(unsigned long gva, uint32_t val);
/* Guest side: goes to @insns in user mode; they end with syscall 0. */
unsigned int guest_user_run(const void *insns, unsigned long arg);

/*
 * Guest side: the TLB. A page is as large as the host's (PageMask @mask, -1 for
 * that), @lo are EntryLo values. guest_tlb_probe() returns Index.
 */
void guest_tlb_write(unsigned int index, long mask, uint32_t hi, uint32_t lo0,
		     uint32_t lo1);
void guest_tlb_write_random(uint32_t hi, uint32_t lo0, uint32_t lo1);
uint32_t guest_tlb_probe(uint32_t hi);
void guest_tlb_read(unsigned int index, uint32_t *mask, uint32_t *hi,
		    uint32_t *lo0, uint32_t *lo1);
/* Entry @index maps the program's memory, in all address spaces. */
void guest_map_program(unsigned int index);
void guest_tlb_clear(unsigned int index);

struct kvm_vcpu;
/* Raises line @irq of the vCPU's CPU interrupt controller, 2 to 7, or lowers -@irq. */
void vcpu_irq_line(struct kvm_vcpu *vcpu, int irq);

#endif /* __ASSEMBLER__ */
#endif
