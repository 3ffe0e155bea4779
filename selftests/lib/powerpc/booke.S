/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exception vectors of the test guest. A stub pushes struct ex_regs on the
 * interrupted stack, which must be mapped in address space 0, and calls
 * guest_exception(); the SPRGs are left to the test.
 */
#include "arch.h"

#define FRAME	(EXR_SIZE + 16 + 12)	/* a multiple of 16, with a linkage area */
#define REGS	16

	.machine "440"

	.macro vector num srr0 srr1 ret
	.balign 256
1:	stwu	1, -FRAME(1)
	stmw	2, (REGS + 8)(1)
	stw	0, REGS(1)
	addi	3, 1, FRAME
	stw	3, (REGS + 4)(1)
	mfspr	3, \srr0
	stw	3, (REGS + EXR_PC)(1)
	mfspr	3, \srr1
	stw	3, (REGS + EXR_MSR)(1)
	mflr	3
	stw	3, (REGS + EXR_LR)(1)
	li	3, \num
	bl	common_save
	lwz	3, (REGS + EXR_PC)(1)
	mtspr	\srr0, 3
	lwz	3, (REGS + EXR_MSR)(1)
	mtspr	\srr1, 3
	lwz	3, (REGS + EXR_LR)(1)
	mtlr	3
	lwz	0, REGS(1)
	lmw	2, (REGS + 8)(1)
	lwz	1, (REGS + 4)(1)
	\ret
	.endm

	.section .text.vectors, "ax"
	.balign	65536
	.globl	guest_vectors
guest_vectors:
	vector	EXC_CRITICAL,	SPRN_CSRR0, SPRN_CSRR1, rfci
	vector	EXC_MCHECK,	SPRN_MCSRR0, SPRN_MCSRR1, rfmci
	vector	EXC_DSI,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_ISI,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_EXTERNAL,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_ALIGNMENT,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_PROGRAM,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_FPUNAVAIL,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_SYSCALL,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_APUNAVAIL,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_DEC,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_FIT,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_WATCHDOG,	SPRN_CSRR0, SPRN_CSRR1, rfci
	vector	EXC_DTLB,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_ITLB,	SPRN_SRR0, SPRN_SRR1, rfi
	vector	EXC_DEBUG,	SPRN_CSRR0, SPRN_CSRR1, rfci

	.balign	256
common_save:
	stw	3, (REGS + EXR_VECTOR)(1)
	mflr	31			/* non-volatile, saved above */
	mfctr	4
	stw	4, (REGS + EXR_CTR)(1)
	mfcr	4
	stw	4, (REGS + EXR_CR)(1)
	mfxer	4
	stw	4, (REGS + EXR_XER)(1)
	mfspr	4, SPRN_ESR
	stw	4, (REGS + EXR_ESR)(1)
	mfspr	4, SPRN_DEAR
	stw	4, (REGS + EXR_DEAR)(1)
	addi	3, 1, REGS
	bl	guest_exception
	lwz	4, (REGS + EXR_XER)(1)
	mtxer	4
	lwz	4, (REGS + EXR_CR)(1)
	mtcr	4
	lwz	4, (REGS + EXR_CTR)(1)
	mtctr	4
	mtlr	31
	blr

/*
 * unsigned int guest_catch(void (*fn)(unsigned long), unsigned long arg)
 *
 * Calls fn(arg) with a landing pad: the first exception that fn takes, and
 * that guest_exception() sends to guest_catch_pad, returns from here with its
 * number in r3, as longjmp() would.
 */
	.text
	.globl	guest_catch
guest_catch:
	stwu	1, -112(1)
	mflr	0
	stw	0, 116(1)
	mfcr	0
	stw	0, 12(1)
	stmw	13, 16(1)
	lis	5, guest_catch_sp@ha
	stw	1, guest_catch_sp@l(5)
	mtctr	3
	mr	3, 4
	bctrl
	li	3, EXC_NONE
	.globl	guest_catch_pad
guest_catch_pad:
	lis	5, guest_catch_sp@ha
	lwz	1, guest_catch_sp@l(5)
	li	0, 0
	stw	0, guest_catch_sp@l(5)
	lmw	13, 16(1)
	lwz	0, 12(1)
	mtcr	0
	lwz	0, 116(1)
	mtlr	0
	addi	1, 1, 112
	blr

	.section .note.GNU-stack, "", @progbits
