/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linux_guest.c boots Linux on a board. The board's file has what it is made of but
 * RAM at 0 and a 16550, and how it starts; there is one for each architecture.
 */
#ifndef SELFTEST_BOARD_H
#define SELFTEST_BOARD_H

#include "kvm_util.h"

/* Above any kernel, below the smallest memory: what firmware tells the kernel. */
#define BOOT_ARGS_GPA	0x00f00000
#define INITRD_GPA	0x01000000

#ifdef __powerpc__
#define BOARD_CONSOLE	"console=ttyS0,115200"
#else
#define BOARD_CONSOLE	"console=ttyS2,115200 ieee754=relaxed guest.restart=1"
#endif

/* --- the board's --- */
extern const struct vm_ops board_ops;
/* The state at reset, with all that the kernel at @entry wants to know. */
void board_reset(struct kvm_vcpu *vcpu, uint32_t entry, uint64_t mem_size,
		 size_t initrd_size, const char *cmdline);
/* The 16550's interrupt. */
void board_set_uart_line(struct kvm_vcpu *vcpu, bool level);
/* The host's clock, in ticks. */
uint64_t board_ticks(void);
/*
 * From @start to where the guest's /init began: it was heard of at @userspace, and
 * read its own clock as @guest.
 */
uint64_t board_boot_ticks(uint64_t start, uint64_t userspace, uint64_t guest);

/* --- linux_guest.c's --- */
uint8_t uart_read(unsigned int reg);
void uart_write(unsigned int reg, uint8_t v);
void console_char(char c);
void board_power_off(void);

#endif
