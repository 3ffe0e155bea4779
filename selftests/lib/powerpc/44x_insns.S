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

	.section .note.GNU-stack, "", @progbits
