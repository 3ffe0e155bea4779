/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Book3S-64 guest: interrupt vectors, hypercalls, relocated accesses.
 *
 * An interrupt that guest_load() or guest_store() takes returns from there with
 * the vector; any other is reported and ends the guest. SPRG2 holds the return
 * address meanwhile (else 0), SPRG3 the MSR.
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
	vector	0x380
	vector	0x400
	vector	0x480
	vector	0x500
	vector	0x600
	vector	0x700
	vector	0x800
	vector	0x900
	vector	0xa00
	vector	0xc00
	vector	0xd00
	vector	0xf00
	vector	0xf20
	vector	0xf40
	vector	0xf60
	vector	0xf80
guest_vectors_end:

	.text
interrupt:
	mfsprg	4, 2
	cmpdi	4, 0
	beq	1f
	mtsrr0	4
	mfsprg	4, 3
	mtsrr1	4
	rfid
1:	mfmsr	4
	oris	4, 4, (MSR_VEC | MSR_VSX)@h
	ori	4, 4, MSR_FP
	mtmsrd	4
	isync
	stdu	1, -128(1)
	bl	guest_unhandled
	nop
	b	.

/* long hcall(nr, ret[4], a0, a1, a2, a3) */
	.globl	hcall
	.type	hcall, @function
hcall:
	mr	11, 4
	mr	4, 5
	mr	5, 6
	mr	6, 7
	mr	7, 8
	std	11, -8(1)
	mflr	0
	std	0, 16(1)
	mfcr	0
	std	0, 8(1)
	.globl	hcall_insn
hcall_insn:
	sc	1
	ld	0, 8(1)
	mtcr	0
	ld	0, 16(1)
	mtlr	0
	ld	11, -8(1)
	cmpdi	11, 0
	beqlr
	std	4, 0(11)
	std	5, 8(11)
	std	6, 16(11)
	std	7, 24(11)
	blr

	.macro relocated	insn:vararg
	mfmsr	5
	mtsprg	3, 5
	lis	6, 1f@h
	ori	6, 6, 1f@l
	mtsprg	2, 6
	ori	6, 5, MSR_DR
	mtmsrd	6
	isync
	\insn
	mtmsrd	5
	isync
	li	6, 0
	mtsprg	2, 6
	.endm

/* unsigned int guest_load(ea, *val) */
	.globl	guest_load
	.type	guest_load, @function
guest_load:
	relocated ld 7, 0(3)
	std	7, 0(4)
	li	3, EXC_NONE
	blr
1:	li	6, 0
	mtsprg	2, 6
	blr

/* unsigned int guest_store(ea, val) */
	.globl	guest_store
	.type	guest_store, @function
guest_store:
	relocated std 4, 0(3)
	li	3, EXC_NONE
	blr
1:	li	6, 0
	mtsprg	2, 6
	blr

/* unsigned int guest_load_each(ea, count, stride) */
	.globl	guest_load_each
	.type	guest_load_each, @function
guest_load_each:
	mtctr	4
	mfmsr	7
	mtsprg	3, 7
	lis	6, 2f@h
	ori	6, 6, 2f@l
	mtsprg	2, 6
	ori	6, 7, MSR_DR
	mtmsrd	6
	isync
1:	lbz	8, 0(3)
	add	3, 3, 5
	bdnz	1b
	mtmsrd	7
	isync
	li	6, 0
	mtsprg	2, 6
	li	3, EXC_NONE
	blr
2:	li	6, 0
	mtsprg	2, 6
	blr

	.section .note.GNU-stack, "", @progbits
