// SPDX-License-Identifier: GPL-2.0
/*
 * A MIPS Malta as far as its kernel needs it: the 16550 is the one of the CBUS,
 * interrupting the CPU directly; GT-64120 with an empty PCI bus; no interrupt ever
 * comes from the ISA bus, where nothing answers, but that what is written to COM1 is
 * shown (the kernel's early console). Writing GORESET to SOFTRES, which is how a
 * Malta restarts, ends the guest.
 *
 * The kernel gets its arguments as from the YAMON monitor. It is linked for KVM's
 * segments by trap & emulate.
 */
#include <endian.h>

#include "board.h"

#ifndef KVM_CAP_MIPS_FPU
#define KVM_CAP_MIPS_FPU	112
#endif

#define ISA_GPA		0x18000000
#define ISA_SIZE	0x01000000
#define COM1		0x3f8
#define COM1_LSR	(COM1 + 5)
#define RTC_DATA	0x71
#define GT_GPA		0x1be00000
#define GT_SIZE		0x1000
#define FPGA_GPA	0x1f000000
#define FPGA_SIZE	0x00100000
#define SOFTRES		0x500
#define GORESET		0x42
#define UART		0x900
#define UART_SIZE	0x40	/* 8 registers of 8 bytes */
#define REVISION_GPA	0x1fc00010
#define REVISION	0x420	/* core LV, with a GT-64120 */
#define UART_IP		4

/* Registers of the GT-64120 that are set up by the monitor, offset / 4 */
#define GT_REG(off)	((off) / 4)
#define GT_PCI0IOLD	0x048
#define GT_PCI0IOHD	0x050
#define GT_PCI0M0LD	0x058
#define GT_PCI0M0HD	0x060
#define GT_PCI0M1LD	0x080
#define GT_PCI0M1HD	0x088
#define GT_PCI0IOREMAP	0x0f0
#define GT_PCI0M0REMAP	0x0f8
#define GT_PCI0M1REMAP	0x100
#define GT_PCI0_CFGDATA	0xcfc

static uint32_t gt[GT_SIZE / 4] = {
	[GT_REG(GT_PCI0IOLD)] = 0x0c0,
	[GT_REG(GT_PCI0IOHD)] = 0x040,
	[GT_REG(GT_PCI0M0LD)] = 0x080,
	[GT_REG(GT_PCI0M0HD)] = 0x05f,
	[GT_REG(GT_PCI0M1LD)] = 0x0c1,
	[GT_REG(GT_PCI0M1HD)] = 0x05e,
	[GT_REG(GT_PCI0IOREMAP)] = 0x0c0,
	[GT_REG(GT_PCI0M0REMAP)] = 0x080,
	[GT_REG(GT_PCI0M1REMAP)] = 0x0c1,
};

/* Its registers are little-endian, whatever the CPU is. */
static void gt_access(uint32_t off, uint32_t *val, bool is_write)
{
	if (is_write)
		gt[off / 4] = le32toh(*val);
	else
		*val = off == GT_PCI0_CFGDATA ? ~0U : htole32(gt[off / 4]);
}

static uint8_t isa_read(uint32_t port)
{
	/* The clock's registers, or it would be busy for ever; a transmitter. */
	return port == RTC_DATA ? 0 : port == COM1_LSR ? 0x60 : 0xff;
}

/* What the CPU loads or stores, of @len bytes at the start of @data. */
static uint32_t get_value(const void *data, unsigned int len)
{
	return len == 1 ? *(uint8_t *)data : len == 2 ? *(uint16_t *)data :
						       *(uint32_t *)data;
}

static void put_value(void *data, unsigned int len, uint32_t val)
{
	if (len == 1)
		*(uint8_t *)data = val;
	else if (len == 2)
		*(uint16_t *)data = val;
	else
		*(uint32_t *)data = val;
}

static bool handle_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
			unsigned int len, bool is_write)
{
	uint32_t val = 0;

	TEST_ASSERT(len == 1 || len == 2 || len == 4, "an access of %u bytes", len);
	if (is_write)
		val = get_value(data, len);
	if (gpa - FPGA_GPA - UART < UART_SIZE) {
		if (is_write)
			uart_write((gpa & 0x3f) / 8, val);
		else
			val = uart_read((gpa & 0x3f) / 8);
	} else if (gpa - FPGA_GPA < FPGA_SIZE) {
		if (is_write && gpa - FPGA_GPA == SOFTRES && val == GORESET)
			board_power_off();
	} else if (gpa - GT_GPA < GT_SIZE && len == 4) {
		gt_access(gpa - GT_GPA, &val, is_write);
	} else if (gpa - ISA_GPA < ISA_SIZE) {
		if (!is_write)
			val = len == 1 ? isa_read(gpa - ISA_GPA) : ~0U;
		else if (gpa - ISA_GPA == COM1)
			console_char(val);
	} else if (gpa == REVISION_GPA) {
		val = REVISION;
	} else {
		return false;
	}
	if (!is_write)
		put_value(data, len, val);
	return true;
}

const struct vm_ops board_ops = { .mmio = handle_mmio };

void board_set_uart_line(struct kvm_vcpu *vcpu, bool level)
{
	static bool raised;
	struct kvm_mips_interrupt irq = { .cpu = -1, .irq = level ? UART_IP : -UART_IP };

	if (level == raised)
		return;
	raised = level;
	vcpu_ioctl(vcpu, KVM_INTERRUPT, &irq);
}

#define CONFIG1_FP	1
#define REG_CONFIG1	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 16 + 1))
#define REG_STATUS	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | 8 * 12)
#define REG_CONFIG7	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 16 + 7))
/* KVM_MIPS_TE_CONFIG7_PATCH_OFFER: the guest's kernel may accept it. */
#define CONFIG7_OFFER	(1U << 20)

static uint32_t put_string(char *args, uint32_t *at, const char *s)
{
	uint32_t off = *at, len = strlen(s) + 1;

	TEST_ASSERT(off + len <= INITRD_GPA - BOOT_ARGS_GPA, "long arguments");
	memcpy(args + off, s, len);
	*at += len;
	return GUEST_KSEG0 + BOOT_ARGS_GPA + off;
}

void board_reset(struct kvm_vcpu *vcpu, uint32_t entry, uint64_t mem_size,
		 size_t initrd_size, const char *cmdline)
{
	struct kvm_enable_cap fpu = { .cap = KVM_CAP_MIPS_FPU };
	char *args = addr_gpa2hva(vcpu->vm, BOOT_ARGS_GPA);
	/* argv, then the environment: a name, its value, and so on */
	uint32_t *argv = (void *)args, *env = argv + 4, at = 64;
	struct kvm_regs regs;
	char buf[3000];

	memset(args, 0, at);
	argv[0] = put_string(args, &at, "vmlinux");
	snprintf(buf, sizeof(buf), "rd_start=0x%lx rd_size=0x%zx %s",
		 GUEST_KSEG0 + INITRD_GPA, initrd_size, cmdline);
	argv[1] = put_string(args, &at, buf);
	env[0] = put_string(args, &at, "memsize");
	snprintf(buf, sizeof(buf), "%u", (uint32_t)mem_size);
	env[1] = put_string(args, &at, buf);

	if (!ioctl(vcpu->fd, KVM_ENABLE_CAP, &fpu))
		vcpu_set_reg(vcpu, REG_CONFIG1,
			     vcpu_get_reg(vcpu, REG_CONFIG1) | CONFIG1_FP);
	vcpu_set_reg(vcpu, REG_CONFIG7, CONFIG7_OFFER);
	vcpu_regs_get(vcpu, &regs);
	regs.pc = entry;
	regs.gpr[4] = 2;
	regs.gpr[5] = GUEST_KSEG0 + BOOT_ARGS_GPA;
	regs.gpr[6] = regs.gpr[5] + 16;
	regs.gpr[7] = mem_size;
	vcpu_regs_set(vcpu, &regs);
}

/* Count, of 32 bits */
uint64_t board_ticks(void)
{
	uint32_t count;

	asm volatile("rdhwr %0,$2" : "=r"(count));
	return count;
}

/* A guest has a clock of its own. */
uint64_t board_boot_ticks(uint64_t start, uint64_t userspace, uint64_t guest)
{
	return (uint32_t)(userspace - start);
}
