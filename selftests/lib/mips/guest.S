/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exception vectors of the test guest, and what cannot be C. The handler has a
 * struct ex_regs on the interrupted stack, or, if that is not in KSEG0, on one
 * of its own.
 */
#include "arch.h"

	.set	noreorder
	.set	noat

	.macro vector offset
	.org	guest_vectors + \offset
	lui	$26, %hi(exception)
	addiu	$26, $26, %lo(exception)
	jr	$26
	li	$27, \offset
	.endm

	.section .text.vectors, "ax"
	.balign	4096
	.globl	guest_vectors, guest_vectors_end
guest_vectors:
	vector	0x000
	vector	0x180
	vector	0x200
guest_vectors_end:

	.text
	.type	exception, @function
exception:
	srl	$26, $29, 29
	xori	$26, $26, 2
	beqz	$26, 1f
	move	$26, $29
	lui	$26, %hi(guest_exception_stack_end)
	addiu	$26, $26, %lo(guest_exception_stack_end)
1:	addiu	$26, $26, -(EXR_SIZE + 32)
	sw	$29, 32 + 4 * 29($26)
	move	$29, $26
	sw	$27, 32 + EXR_VECTOR($29)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	sw	$\n, 32 + 4 * \n($29)
	.endr
	mfhi	$2
	sw	$2, 32 + EXR_HI($29)
	mflo	$2
	sw	$2, 32 + EXR_LO($29)
	mfc0	$2, $14
	sw	$2, 32 + EXR_EPC($29)
	mfc0	$2, $12
	sw	$2, 32 + EXR_STATUS($29)
	mfc0	$2, $13
	sw	$2, 32 + EXR_CAUSE($29)
	mfc0	$2, $8
	sw	$2, 32 + EXR_BADVADDR($29)
	lui	$25, %hi(guest_exception)
	addiu	$25, $25, %lo(guest_exception)
	jalr	$25
	addiu	$4, $29, 32
	lw	$2, 32 + EXR_HI($29)
	mthi	$2
	lw	$2, 32 + EXR_LO($29)
	mtlo	$2
	lw	$2, 32 + EXR_STATUS($29)
	mtc0	$2, $12
	lw	$2, 32 + EXR_EPC($29)
	mtc0	$2, $14
	ehb
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,30,31
	lw	$\n, 32 + 4 * \n($29)
	.endr
	lw	$29, 32 + 4 * 29($29)
	eret

/* unsigned int guest_catch(void (*fn)(unsigned long), unsigned long arg) */
	.globl	guest_catch
	.type	guest_catch, @function
guest_catch:
	addiu	$29, $29, -64
	sw	$16, 16($29)
	sw	$17, 20($29)
	sw	$18, 24($29)
	sw	$19, 28($29)
	sw	$20, 32($29)
	sw	$21, 36($29)
	sw	$22, 40($29)
	sw	$23, 44($29)
	sw	$30, 48($29)
	sw	$28, 52($29)
	sw	$31, 56($29)
	lui	$8, %hi(guest_catch_sp)
	sw	$29, %lo(guest_catch_sp)($8)
	move	$25, $4
	jalr	$25
	move	$4, $5
	li	$2, EXC_NONE
	.globl	guest_catch_pad
guest_catch_pad:
	lui	$8, %hi(guest_catch_sp)
	lw	$29, %lo(guest_catch_sp)($8)
	sw	$0, %lo(guest_catch_sp)($8)
	lw	$16, 16($29)
	lw	$17, 20($29)
	lw	$18, 24($29)
	lw	$19, 28($29)
	lw	$20, 32($29)
	lw	$21, 36($29)
	lw	$22, 40($29)
	lw	$23, 44($29)
	lw	$30, 48($29)
	lw	$28, 52($29)
	lw	$31, 56($29)
	jr	$31
	addiu	$29, $29, 64

/* void guest_enter_user(struct user_args *): PC, a0, a1 */
	.globl	guest_enter_user
	.type	guest_enter_user, @function
guest_enter_user:
	lw	$2, 0($4)
	mtc0	$2, $14
	mfc0	$2, $12
	ori	$2, $2, ST_USER | ST_EXL
	mtc0	$2, $12
	ehb
	lw	$5, 8($4)
	lw	$4, 4($4)
	eret

/* In user mode: a load or store, then the way back. */
	.globl	guest_user_load_insns, guest_user_store_insns
guest_user_load_insns:
	lw	$2, 0($4)
	syscall	0
	nop
guest_user_store_insns:
	sw	$5, 0($4)
	syscall	0
	nop

	.section .note.GNU-stack, "", @progbits
