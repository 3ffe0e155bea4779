// SPDX-License-Identifier: GPL-2.0
/*
 * An AMCC Sequoia without its PCI: a 440 core, one interrupt controller (UIC0,
 * reached through KVM_EXIT_DCR), the 16550 at its usual place above 4 GB, and a
 * register that powers it off. The kernel gets a device tree.
 */
#include "board.h"
#include "fdt.h"

#define UART_GPA	0x1ef600300ULL
#define POWEROFF_GPA	0x1ef600800ULL
#define POWEROFF_MAGIC	0x0ff
#define UIC0_DCR	0x0c0
#define UIC0_PHANDLE	1
#define POWER_PHANDLE	2
#define UART_IRQ	0
#define UART_CLOCK	11059200

/* --- UIC: the 4xx universal interrupt controller, 32 sources --- */

enum { UIC_SR = 0, UIC_ER = 2, UIC_CR = 3, UIC_PR = 4, UIC_TR = 5, UIC_MSR = 6,
       UIC_VR = 7, UIC_VCR = 8 };

static struct {
	uint32_t sr, er, cr, pr, tr, vcr;
	uint32_t lines;		/* level of the inputs */
	bool output;
} uic;

/* Level-sensitive status follows its input; an edge stays until acknowledged. */
static void uic_update(struct kvm_vcpu *vcpu)
{
	bool output;

	uic.sr |= uic.lines & ~uic.tr;
	output = uic.sr & uic.er & ~uic.cr;
	if (output != uic.output)
		vcpu_interrupt(vcpu, output ? KVM_INTERRUPT_SET_LEVEL :
					      KVM_INTERRUPT_UNSET);
	uic.output = output;
}

static void uic_set_line(struct kvm_vcpu *vcpu, unsigned int irq, bool level)
{
	uint32_t bit = 1U << (31 - irq);

	if (level && !(uic.lines & bit))
		uic.sr |= bit;
	uic.lines = level ? uic.lines | bit : uic.lines & ~bit;
	uic_update(vcpu);
}

static bool handle_dcr(struct kvm_vcpu *vcpu, uint32_t dcrn, uint32_t *data,
		       bool is_write)
{
	uint32_t *reg = NULL;

	switch (dcrn - UIC0_DCR) {
	case UIC_SR:
		if (is_write)
			uic.sr &= ~*data;
		else
			*data = uic.sr;
		uic_update(vcpu);
		return true;
	case UIC_MSR:
		if (!is_write)
			*data = uic.sr & uic.er;
		return true;
	case UIC_VR:
		if (!is_write)
			*data = 0;
		return true;
	case UIC_ER:
		reg = &uic.er;
		break;
	case UIC_CR:
		reg = &uic.cr;
		break;
	case UIC_PR:
		reg = &uic.pr;
		break;
	case UIC_TR:
		reg = &uic.tr;
		break;
	case UIC_VCR:
		reg = &uic.vcr;
		break;
	}
	if (reg) {
		if (is_write)
			*reg = *data;
		else
			*data = *reg;
		uic_update(vcpu);
		return true;
	}
	/* Bus and clock controls that the kernel sets up without looking. */
	if (!is_write)
		*data = 0;
	return true;
}

void board_set_uart_line(struct kvm_vcpu *vcpu, bool level)
{
	uic_set_line(vcpu, UART_IRQ, level);
}

static bool handle_mmio(struct kvm_vcpu *v, uint64_t gpa, void *data,
			unsigned int len, bool is_write)
{
	uint8_t *byte = data;

	if (gpa >= UART_GPA && gpa < UART_GPA + 8 && len == 1) {
		if (is_write)
			uart_write(gpa - UART_GPA, *byte);
		else
			*byte = uart_read(gpa - UART_GPA);
		return true;
	}
	if (gpa == POWEROFF_GPA && len == 4) {
		uint32_t val = 0;

		if (is_write) {
			memcpy(&val, data, 4);
			if (val == POWEROFF_MAGIC)
				board_power_off();
		} else {
			memset(data, 0, 4);
		}
		return true;
	}
	return false;
}

const struct vm_ops board_ops = { .mmio = handle_mmio, .dcr = handle_dcr };

/* The guest sees the host's timebase, so it must know its rate. */
static uint32_t timebase_frequency(void)
{
	char buf[4096], *p;

	if (read_file("/proc/cpuinfo", buf, sizeof(buf)) > 0) {
		p = strstr(buf, "timebase\t: ");
		if (p)
			return strtoul(p + strlen("timebase\t: "), NULL, 10);
	}
	TEST_FAIL("/proc/cpuinfo does not tell the timebase frequency");
}

static void build_device_tree(struct kvm_vm *vm, uint64_t mem_size,
			      size_t initrd_size, const char *cmdline)
{
	static struct fdt fdt;
	uint32_t tb = timebase_frequency();

	fdt_begin_node(&fdt, "");
	fdt_prop_u32(&fdt, "#address-cells", 2);
	fdt_prop_u32(&fdt, "#size-cells", 1);
	fdt_prop_str(&fdt, "model", "amcc,sequoia");
	fdt_prop_str(&fdt, "compatible", "amcc,sequoia");

	fdt_begin_node(&fdt, "chosen");
	fdt_prop_str(&fdt, "bootargs", cmdline);
	fdt_prop_str(&fdt, "stdout-path", "/plb/serial@1ef600300");
	fdt_prop_u32(&fdt, "linux,initrd-start", INITRD_GPA);
	fdt_prop_u32(&fdt, "linux,initrd-end", INITRD_GPA + initrd_size);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "cpus");
	fdt_prop_u32(&fdt, "#address-cells", 1);
	fdt_prop_u32(&fdt, "#size-cells", 0);
	fdt_begin_node(&fdt, "cpu@0");
	fdt_prop_str(&fdt, "device_type", "cpu");
	fdt_prop_str(&fdt, "model", "PowerPC,440EPx");
	fdt_prop_u32(&fdt, "reg", 0);
	fdt_prop_u32(&fdt, "clock-frequency", tb);
	fdt_prop_u32(&fdt, "timebase-frequency", tb);
	fdt_prop_u32(&fdt, "i-cache-line-size", 32);
	fdt_prop_u32(&fdt, "d-cache-line-size", 32);
	fdt_prop_u32(&fdt, "i-cache-size", 32768);
	fdt_prop_u32(&fdt, "d-cache-size", 32768);
	fdt_prop(&fdt, "dcr-controller", NULL, 0);
	fdt_prop_str(&fdt, "dcr-access-method", "native");
	fdt_end_node(&fdt);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "memory");
	fdt_prop_str(&fdt, "device_type", "memory");
	fdt_prop_cells(&fdt, "reg", 3, 0, 0, (uint32_t)mem_size);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "interrupt-controller0");
	fdt_prop_str(&fdt, "compatible", "ibm,uic");
	fdt_prop(&fdt, "interrupt-controller", NULL, 0);
	fdt_prop_u32(&fdt, "cell-index", 0);
	fdt_prop_cells(&fdt, "dcr-reg", 2, UIC0_DCR, 9);
	fdt_prop_u32(&fdt, "#address-cells", 0);
	fdt_prop_u32(&fdt, "#size-cells", 0);
	fdt_prop_u32(&fdt, "#interrupt-cells", 2);
	fdt_prop_u32(&fdt, "phandle", UIC0_PHANDLE);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "plb");
	fdt_prop_str(&fdt, "compatible", "simple-bus");
	fdt_prop_u32(&fdt, "#address-cells", 2);
	fdt_prop_u32(&fdt, "#size-cells", 1);
	fdt_prop(&fdt, "ranges", NULL, 0);

	fdt_begin_node(&fdt, "serial@1ef600300");
	fdt_prop_str(&fdt, "device_type", "serial");
	fdt_prop_str(&fdt, "compatible", "ns16550");
	fdt_prop_cells(&fdt, "reg", 3, (uint32_t)(UART_GPA >> 32),
		       (uint32_t)UART_GPA, 8);
	fdt_prop_u32(&fdt, "clock-frequency", UART_CLOCK);
	fdt_prop_u32(&fdt, "current-speed", 115200);
	fdt_prop_u32(&fdt, "interrupt-parent", UIC0_PHANDLE);
	fdt_prop_cells(&fdt, "interrupts", 2, UART_IRQ, 4 /* level, high */);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "power@1ef600800");
	fdt_prop_str(&fdt, "compatible", "syscon");
	fdt_prop_cells(&fdt, "reg", 3, (uint32_t)(POWEROFF_GPA >> 32),
		       (uint32_t)POWEROFF_GPA, 4);
	fdt_prop(&fdt, "big-endian", NULL, 0);
	fdt_prop_u32(&fdt, "phandle", POWER_PHANDLE);
	fdt_end_node(&fdt);

	fdt_begin_node(&fdt, "poweroff");
	fdt_prop_str(&fdt, "compatible", "syscon-poweroff");
	fdt_prop_u32(&fdt, "regmap", POWER_PHANDLE);
	fdt_prop_u32(&fdt, "offset", 0);
	fdt_prop_u32(&fdt, "value", POWEROFF_MAGIC);
	fdt_prop_u32(&fdt, "mask", 0xffffffff);
	fdt_end_node(&fdt);
	fdt_end_node(&fdt);
	fdt_end_node(&fdt);

	fdt_finish(&fdt, addr_gpa2hva(vm, BOOT_ARGS_GPA), INITRD_GPA - BOOT_ARGS_GPA);
}

void board_reset(struct kvm_vcpu *vcpu, uint32_t entry, uint64_t mem_size,
		 size_t initrd_size, const char *cmdline)
{
	struct kvm_regs regs;

	build_device_tree(vcpu->vm, mem_size, initrd_size, cmdline);
	vcpu_regs_get(vcpu, &regs);
	regs.pc = entry;
	regs.gpr[3] = BOOT_ARGS_GPA;
	vcpu_regs_set(vcpu, &regs);
}

uint64_t board_ticks(void)
{
	return __builtin_ppc_get_timebase();
}

/* A guest reads the host's timebase. */
uint64_t board_boot_ticks(uint64_t start, uint64_t userspace, uint64_t guest)
{
	return guest - start;
}
