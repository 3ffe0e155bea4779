/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLB instructions of the 440 as functions, and the far side of probe().
 */
#include "arch.h"
#include "44x.h"

	.machine "440"
	.text

	.macro	function name
	.globl	\name
	.type	\name, @function
\name:
	.endm

function tlbwe0
	tlbwe	4, 3, 0
	isync
	blr

function tlbwe1
	tlbwe	4, 3, 1
	isync
	blr

function tlbwe2
	tlbwe	4, 3, 2
	isync
	blr

function tlbre0
	tlbre	3, 3, 0
	blr

function tlbre1
	tlbre	3, 3, 1
	blr

function tlbre2
	tlbre	3, 3, 2
	blr

function tlbsx
	mr	4, 3
	tlbsx.	3, 0, 4
	beqlr
	li	3, -1
	blr

/* r3: address, r4: what XER[SO] shall be. The search uses RA + RB. */
function tlbsx_cr0
	mfxer	5
	rlwinm	6, 5, 0, 1, 31
	slwi	4, 4, 31
	or	6, 6, 4
	mtxer	6
	addi	7, 3, -0x400
	li	8, 0x400
	tlbsx.	9, 7, 8
	mfcr	3
	srwi	3, 3, 28
	mtxer	5
	blr

/*
 * void probe_go(op, ea, msr, value): leaves through rfi and ends in a system
 * call with the result in r3, or in another exception.
 */
function probe_go
	cmpwi	3, PROBE_EXEC
	lis	7, 1f@ha
	addi	7, 7, 1f@l
	beq	3f
	cmpwi	3, PROBE_WRITE
	bne	4f
	lis	7, 2f@ha
	addi	7, 7, 2f@l
	b	4f
3:	mr	7, 4
4:	mfmsr	8
	or	8, 8, 5
	mtspr	SPRN_SRR0, 7
	mtspr	SPRN_SRR1, 8
	mr	3, 4
	mr	4, 6
	rfi
1:	lwz	3, 0(3)
	sc
2:	stw	4, 0(3)
	sc

/*
 * void step(struct step *s): see 44x.h. What marks a step is r30; r31 is s, and
 * r1 the stack.
 */
#define STEP_MARK	0x57e9

function step
	stwu	1, -32(1)
	mflr	0
	stw	0, 36(1)
	stw	30, 8(1)
	stw	31, 12(1)
	mr	31, 3
	lis	30, STEP_MARK
	lwz	6, STEP_MSR(31)
	lwz	7, STEP_PC(31)
	lwz	4, STEP_VALUE(31)
	lwz	3, STEP_ADDR(31)
	li	5, 0
	andi.	0, 6, MSR_EE
	beq	1f
	wrteei	0		/* SRR0 and 1 are mine from here on */
1:	mtspr	SPRN_SRR0, 7
	mtspr	SPRN_SRR1, 6
	rfi

/* r6: the exception */
step_landed:
	lis	7, STEP_MARK
	cmpw	7, 30
	bne	9f
	stw	6, STEP_EXC(31)
	stw	3, STEP_R3(31)
	stw	5, STEP_R5(31)
	mfspr	7, SPRN_SRR0
	stw	7, STEP_SRR0(31)
	mfspr	7, SPRN_SRR1
	stw	7, STEP_SRR1(31)
	cmpwi	6, EXC_SYSCALL
	beq	3f
	cmpwi	6, EXC_ITLB
	beq	3f
	mfspr	7, SPRN_ESR
	stw	7, STEP_ESR(31)
	cmpwi	6, EXC_ISI
	beq	3f
	mfspr	7, SPRN_DEAR
	stw	7, STEP_DEAR(31)
3:	lwz	7, STEP_MSR(31)
	andi.	7, 7, MSR_EE
	beq	4f
	wrteei	1
4:	lwz	0, 36(1)
	mtlr	0
	lwz	30, 8(1)
	lwz	31, 12(1)
	addi	1, 1, 32
	blr

/* Not in a step: what guest_exception() is for. */
9:	slwi	6, 6, 8
	lis	7, guest_vectors@ha
	addi	7, 7, guest_vectors@l
	add	7, 7, 6
	mtctr	7
	bctr

	.globl	step_load, step_store
step_load:
	lwz	3, 0(3)
	sc
step_store:
	stw	4, 0(3)
	sc

	.macro	step_vector num
	.balign	16
	li	6, \num
	b	step_landed
	.endm
	.macro	other_vector num
	.balign	16
	b	guest_vectors + \num * 256
	.endm

	.section .text.step_vectors, "ax"
	.balign	65536
	.globl	step_vectors
step_vectors:
	other_vector	EXC_CRITICAL
	other_vector	EXC_MCHECK
	step_vector	EXC_DSI
	step_vector	EXC_ISI
	other_vector	EXC_EXTERNAL
	other_vector	EXC_ALIGNMENT
	other_vector	EXC_PROGRAM
	other_vector	EXC_FPUNAVAIL
	step_vector	EXC_SYSCALL
	other_vector	EXC_APUNAVAIL
	other_vector	EXC_DEC
	other_vector	EXC_FIT
	other_vector	EXC_WATCHDOG
	step_vector	EXC_DTLB
	step_vector	EXC_ITLB
	other_vector	EXC_DEBUG

	.section .note.GNU-stack, "", @progbits
