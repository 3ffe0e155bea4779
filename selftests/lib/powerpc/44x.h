/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 440's software-managed TLB, from inside the guest, and probes: single
 * accesses in any mode whose outcome is a value or an exception.
 *
 * Field names follow the PPC440x5 user's manual, chapter 5.
 */
#ifndef SELFTEST_44X_H
#define SELFTEST_44X_H

#define TLB_ENTRIES	64

/* Word 0 */
#define TLB0_EPN	0xfffffc00
#define TLB0_V		0x00000200
#define TLB0_TS		0x00000100
#define TLB0_SIZE	0x000000f0
#define SIZE_1K		0x00
#define SIZE_4K		0x10
#define SIZE_16K	0x20
#define SIZE_64K	0x30
#define SIZE_256K	0x40
#define SIZE_1M		0x50
#define SIZE_16M	0x70
#define SIZE_256M	0x90
/* Word 1 */
#define TLB1_RPN	0xfffffc00
#define TLB1_ERPN	0x0000000f
/* Word 2 */
#define TLB2_U		0x0000f000
#define TLB2_W		0x00000800
#define TLB2_I		0x00000400
#define TLB2_M		0x00000200
#define TLB2_G		0x00000100
#define TLB2_E		0x00000080
#define TLB2_UX		0x00000020
#define TLB2_UW		0x00000010
#define TLB2_UR		0x00000008
#define TLB2_SX		0x00000004
#define TLB2_SW		0x00000002
#define TLB2_SR		0x00000001
#define TLB2_U_RWX	0x00000038
#define TLB2_S_RWX	0x00000007
#define TLB2_RWX	0x0000003f
#define TLB2_ATTR	(TLB2_U | TLB2_W | TLB2_I | TLB2_M | TLB2_G | TLB2_E | TLB2_RWX)

#define MMUCR_STS	0x00010000
#define MMUCR_STID	0x000000ff

/* What a probe does. */
#define PROBE_READ	0
#define PROBE_WRITE	1
#define PROBE_EXEC	2

/* Offsets into struct step, for 44x_insns.S; checked in 44x.c. */
#define STEP_MSR	0
#define STEP_PC		4
#define STEP_ADDR	8
#define STEP_VALUE	12
#define STEP_EXC	16
#define STEP_SRR0	20
#define STEP_SRR1	24
#define STEP_DEAR	28
#define STEP_ESR	32
#define STEP_R3		36
#define STEP_R5		40

#ifndef __ASSEMBLER__

#include "kvm_util.h"

static inline unsigned long tlb_size_bytes(unsigned int size)
{
	return 1024UL << (size >> 4) * 2;
}

/* --- guest side --- */

void tlbwe0(unsigned int index, uint32_t word);
void tlbwe1(unsigned int index, uint32_t word);
void tlbwe2(unsigned int index, uint32_t word);
uint32_t tlbre0(unsigned int index);
uint32_t tlbre1(unsigned int index);
uint32_t tlbre2(unsigned int index);
/* The entry's index, or -1 if CR0 says there is none. */
int tlbsx(uint32_t ea);
/* CR0 after tlbsx., in the low four bits. */
unsigned int tlbsx_cr0(uint32_t ea, bool so);

static inline void set_pid(uint32_t pid)
{
	mtspr(SPRN_PID, pid);
	asm volatile("isync" : : : "memory");
}

static inline void set_mmucr(uint32_t v)
{
	mtspr(SPRN_MMUCR, v);
	asm volatile("isync" : : : "memory");
}

struct tlb_entry {
	uint32_t w0, w1, w2;
	uint32_t tid;
};

/* Writes an entry as Linux does: translation, page id, attributes. */
void tlb_write(unsigned int index, uint32_t w0, uint32_t w1, uint32_t w2,
	       uint32_t tid);
void tlb_invalidate(unsigned int index);
void tlb_read(unsigned int index, struct tlb_entry *e);

/*
 * Exceptions on; entry 0 maps the first 256 MB one to one for both privilege
 * levels in address space 0, entry 1 in address space 1. Others are invalid.
 */
void guest_44x_init(void);
#define FIRST_FREE_ENTRY	2

/**
 * probe() - make one access with this MSR
 * @msr: MSR_PR, MSR_IS, MSR_DS as wanted
 * @op: PROBE_*; a write stores probe_store, an execution jumps to @ea, where a
 *      page written by fill_pattern() answers
 *
 * Returns EXC_NONE, with what was read in probe_value, or the exception;
 * guest_caught has its registers.
 */
unsigned int probe(uint32_t msr, unsigned int op, uint32_t ea);
extern uint32_t probe_value, probe_store;
/*
 * Change PID back and forth before each probe. QEMU's own TLB has 4K pages, and
 * takes a 1K page for four; what it has there goes when PID is written.
 */
extern bool probe_fresh;

#define PROBE_OK(msr, op, ea)	GUEST_ASSERT_EQ(probe(msr, op, ea), EXC_NONE)
/* The access must read the pattern of this guest physical address. */
#define PROBE_READS(msr, ea, gpa) do {					\
	GUEST_ASSERT_EQ(probe(msr, PROBE_READ, ea), EXC_NONE);		\
	GUEST_ASSERT_EQ(probe_value, pattern(gpa));			\
} while (0)
#define PROBE_EXECS(msr, ea, gpa) do {					\
	GUEST_ASSERT_EQ(probe(msr, PROBE_EXEC, ea), EXC_NONE);		\
	GUEST_ASSERT_EQ(probe_value, pattern(gpa));			\
} while (0)
/* Data miss: DTLB interrupt with the address and direction reported. */
#define PROBE_MISSES(msr, op, ea) do {					\
	GUEST_ASSERT_EQ(probe(msr, op, ea),				\
			(op) == PROBE_EXEC ? EXC_ITLB : EXC_DTLB);	\
	if ((op) == PROBE_EXEC) {					\
		GUEST_ASSERT_EQ(guest_caught.pc, ea);			\
	} else {							\
		GUEST_ASSERT_EQ(guest_caught.dear, ea);			\
		GUEST_ASSERT_EQ(guest_caught.esr & ESR_ST,		\
				(op) == PROBE_WRITE ? ESR_ST : 0);	\
	}								\
} while (0)
#define PROBE_DENIED(msr, op, ea) do {					\
	GUEST_ASSERT_EQ(probe(msr, op, ea),				\
			(op) == PROBE_EXEC ? EXC_ISI : EXC_DSI);	\
	if ((op) == PROBE_EXEC) {					\
		GUEST_ASSERT_EQ(guest_caught.pc, ea);			\
	} else {							\
		GUEST_ASSERT_EQ(guest_caught.dear, ea);			\
		GUEST_ASSERT_EQ(guest_caught.esr & ESR_ST,		\
				(op) == PROBE_WRITE ? ESR_ST : 0);	\
	}								\
} while (0)

/**
 * struct step - a few instructions in any mode, and how they ended
 * @msr, @pc: where they are, e.g. step_load; with MSR_EE, interrupts are taken
 *	in the middle of it
 * @addr, @value: r3 and r4 for them; r5 is 0
 * @exc: EXC_SYSCALL if they came to their end, which is an sc, or what they
 *	took: EXC_DTLB, EXC_ITLB, EXC_DSI, EXC_ISI
 * @srr0, @srr1, @r3, @r5: at that time
 * @dear, @esr: as far as the exception sets them
 */
struct step {
	uint32_t msr, pc, addr, value;
	uint32_t exc, srr0, srr1, dear, esr, r3, r5;
};

/*
 * What probe() does, with a fraction of the exits and without a variable that
 * vCPUs share. After step_init() these five exceptions belong to step(). The
 * instructions may change r3 and r5 only.
 */
void step_init(void);
void step(struct step *s);
extern char step_load[], step_store[];	/* lwz r3,0(r3) and stw r4,0(r3) */

/* --- both sides --- */

/*
 * Every 1K of pattern memory starts with a word that names its guest physical
 * address, followed by code that returns the same value to a probe.
 */
static inline uint32_t pattern(uint64_t gpa)
{
	return ((uint32_t)gpa & ~0x3ffU) ^ (uint32_t)(gpa >> 32) << 4 ^ 0xa5000001;
}
#define PATTERN_CODE	8	/* offset of the code */

/* --- test side --- */
void fill_pattern(struct kvm_vm *vm, uint64_t gpa, uint64_t size);

/* All that a vCPU is, to be saved and put into another. */
#define VCPU_STATE_SPRS	16
#define VCPU_STATE_REGS	16
#define STATE_REG_TSR	0	/* index of TSR among them */

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint32_t tlb[TLB_ENTRIES][4];	/* words 0 to 2, TID */
	uint32_t spr[VCPU_STATE_SPRS];
	uint64_t reg[VCPU_STATE_REGS];
	uint64_t fpr[32];
	uint64_t fpscr;
};

/*
 * Between KVM_RUNs only: the instruction of the last exit must be complete
 * (see vcpu_complete_io()).
 */
void vcpu_state_save(struct kvm_vcpu *vcpu, struct vcpu_state *s);
void vcpu_state_restore(struct kvm_vcpu *vcpu, struct vcpu_state *s);

#endif
#endif
