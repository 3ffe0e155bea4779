/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S-32 guest: interrupt vectors and relocated accesses.
 *
 * An interrupt that a relocated access takes returns from there with the vector;
 * any other is reported and ends the guest. SPRG2 holds the return address
 * meanwhile (else 0), SPRG3 the MSR.
 */
#include "arch.h"

	.macro vector num
	.org	guest_vectors + \num
	mtsprg	0, 3
	li	3, \num
	mtsprg	1, 4
	lis	4, interrupt@h
	ori	4, 4, interrupt@l
	mtctr	4
	bctr
	.endm

	.section .text.vectors, "ax"
	.balign	4096
	.globl	guest_vectors, guest_vectors_end
guest_vectors:
	vector	0x100
	vector	0x200
	vector	0x300
	vector	0x400
	vector	0x500
	vector	0x600
	vector	0x700
	vector	0x800
	vector	0x900
	vector	0xa00
	vector	0xc00
	vector	0xd00
	vector	0xf20
guest_vectors_end:

	.text
interrupt:
	mfsprg	4, 2
	cmpwi	4, 0
	beq	1f
	mtsrr0	4
	mfsprg	4, 3
	mtsrr1	4
	rfi
1:	stwu	1, -64(1)
	bl	guest_unhandled
	b	.

	/* Saves the MSR in r5; clobbers r6. */
	.macro relocate	landing
	mfmsr	5
	mtsprg	3, 5
	lis	6, \landing@h
	ori	6, 6, \landing@l
	mtsprg	2, 6
	ori	6, 5, MSR_DR
	mtmsr	6
	isync
	.endm

	.macro back	result:vararg
	mtmsr	5
	isync
	li	6, 0
	mtsprg	2, 6
	\result
	.endm

/* unsigned int guest_load(ea, *val) */
	.globl	guest_load
	.type	guest_load, @function
guest_load:
	relocate landed
	lwz	7, 0(3)
	lwz	8, 4(3)
	back	li 3, EXC_NONE
	stw	7, 0(4)
	stw	8, 4(4)
	blr

/* unsigned int guest_store(ea, val): val is in r5 and r6 */
	.globl	guest_store
	.type	guest_store, @function
guest_store:
	mr	7, 5
	mr	8, 6
	relocate landed
	stw	7, 0(3)
	stw	8, 4(3)
	back	li 3, EXC_NONE
	blr

/* unsigned int guest_load_each(ea, count, stride) */
	.globl	guest_load_each
	.type	guest_load_each, @function
guest_load_each:
	mtctr	4
	mr	7, 5
	relocate landed
1:	lbz	8, 0(3)
	add	3, 3, 7
	bdnz	1b
	back	li 3, EXC_NONE
	blr

	/* r3 is the vector. */
landed:
	li	6, 0
	mtsprg	2, 6
	blr

	.section .note.GNU-stack, "", @progbits
