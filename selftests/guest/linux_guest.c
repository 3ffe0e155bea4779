// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that boots an ordinary Linux kernel on a small 44x board.
 *
 *   linux_guest [-k vmlinux] [-i init or cpio] [-m MB] [-a args] [-q] [-p] [-b]
 *
 * The board is an AMCC Sequoia without its PCI: a 440 core, RAM at 0, one
 * interrupt controller (UIC0, reached through KVM_EXIT_DCR), one 16550 at its
 * usual place above 4 GB, and a register that powers it off. The kernel is an
 * unmodified vmlinux, the program of -i becomes its /init.
 *
 * -a adds to the guest's command line; a "/" in it stands for a space, since
 * the host's own command line may have brought it here. -p makes the host take
 * the guest's memory away all the time, in every way that keeps its contents.
 * -b is for make bench: the guest boots to /init and restarts; what that took is
 * reported in "bench: <name> <value> <unit>" lines.
 *
 * The guest's console is shown with a prefix. What guest_init reports there,
 * with the exits KVM counted, becomes "demo: <key> <value>" lines. The exit
 * code is 0 if the guest did all its work and powered off. Words of the host's
 * own command line that begin with "guest." are passed on.
 */
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <elf.h>

#include "kvm_util.h"
#include "fdt.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define UART_GPA	0x1ef600300ULL
#define POWEROFF_GPA	0x1ef600800ULL
#define POWEROFF_MAGIC	0x0ff
#define UIC0_DCR	0x0c0
#define UIC0_PHANDLE	1
#define POWER_PHANDLE	2
#define UART_IRQ	0
#define UART_CLOCK	11059200

/* Above any kernel, below the smallest memory. */
#define DTB_GPA		0x00f00000
#define INITRD_GPA	0x01000000

static struct {
	const char *kernel, *init, *args;
	unsigned int mem_mb;
	bool quiet, pressure, bench;
} opt = {
	.kernel = "/guest/vmlinux",
	.init = "/tests/guest_init",
	.args = "",
	.mem_mb = 64,
};

static struct kvm_vm *vm;
static struct kvm_vcpu *vcpu;
static struct timespec start;
static uint64_t start_ticks;
static bool powered_off, guest_ok, guest_failed;

static long elapsed_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start.tv_sec) * 1000 +
	       (now.tv_nsec - start.tv_nsec) / 1000000;
}

static void demo(const char *fmt, ...) __printf(1, 2);
static void demo(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("demo: ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
}

/* --- console lines --- */

static void console_line(const char *line)
{
	const char *report = strstr(line, "guest-init: ");

	if (!opt.quiet) {
		printf("guest| %s\n", line);
		fflush(stdout);
	}
	if (!report)
		return;
	report += strlen("guest-init: ");
	if (!strncmp(report, "timebase ", 9))
		printf("bench: boot_guest %llu ticks\n",
		       strtoull(report + 9, NULL, 10) - start_ticks);
	else if (!strcmp(report, "userspace"))
		demo("time_to_userspace %ld ms", elapsed_ms());
	else if (!strcmp(report, "all done"))
		guest_ok = true;
	else
		demo("%s", report);
	if (!strncmp(report, "failed", 6))
		guest_failed = true;
}

static void console_char(char c)
{
	static char line[512];
	static size_t len;

	if (c == '\r')
		return;
	if (c != '\n' && len < sizeof(line) - 1) {
		line[len++] = c;
		return;
	}
	line[len] = '\0';
	len = 0;
	console_line(line);
}

/* --- UIC: the 4xx universal interrupt controller, 32 sources --- */

enum { UIC_SR = 0, UIC_ER = 2, UIC_CR = 3, UIC_PR = 4, UIC_TR = 5, UIC_MSR = 6,
       UIC_VR = 7, UIC_VCR = 8 };

static struct {
	uint32_t sr, er, cr, pr, tr, vcr;
	uint32_t lines;		/* level of the inputs */
	bool output;
} uic;

/* Level-sensitive status follows its input; an edge stays until acknowledged. */
static void uic_update(void)
{
	bool output;

	uic.sr |= uic.lines & ~uic.tr;
	output = uic.sr & uic.er & ~uic.cr;
	if (output != uic.output)
		vcpu_interrupt(vcpu, output ? KVM_INTERRUPT_SET_LEVEL :
					      KVM_INTERRUPT_UNSET);
	uic.output = output;
}

static void uic_set_line(unsigned int irq, bool level)
{
	uint32_t bit = 1U << (31 - irq);

	if (level && !(uic.lines & bit))
		uic.sr |= bit;
	uic.lines = level ? uic.lines | bit : uic.lines & ~bit;
	uic_update();
}

static bool handle_dcr(struct kvm_vcpu *v, uint32_t dcrn, uint32_t *data,
		       bool is_write)
{
	uint32_t *reg = NULL;

	switch (dcrn - UIC0_DCR) {
	case UIC_SR:
		if (is_write)
			uic.sr &= ~*data;
		else
			*data = uic.sr;
		uic_update();
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
		uic_update();
		return true;
	}
	/* Bus and clock controls that the kernel sets up without looking. */
	if (!is_write)
		*data = 0;
	return true;
}

/* --- 16550 UART, output only --- */

enum { UART_DATA = 0, UART_IER = 1, UART_IIR = 2, UART_LCR = 3, UART_MCR = 4,
       UART_LSR = 5, UART_MSR = 6, UART_SCR = 7 };
#define IER_THRI	0x02
#define IIR_NONE	0x01
#define IIR_THRI	0x02
#define LCR_DLAB	0x80
#define LSR_EMPTY	0x60
#define MCR_LOOP	0x10

static struct {
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	bool thri;		/* transmitter became empty, not seen yet */
} uart;

static void uart_update(void)
{
	uic_set_line(UART_IRQ, uart.thri && (uart.ier & IER_THRI));
}

static uint8_t uart_read(unsigned int reg)
{
	uint8_t v = 0;

	switch (reg) {
	case UART_DATA:
		return uart.lcr & LCR_DLAB ? uart.dll : 0;
	case UART_IER:
		return uart.lcr & LCR_DLAB ? uart.dlm : uart.ier;
	case UART_IIR:
		v = uart.fcr & 1 ? 0xc0 : 0;
		if (uart.thri && (uart.ier & IER_THRI)) {
			/* Reading the cause is what clears it. */
			uart.thri = false;
			uart_update();
			return v | IIR_THRI;
		}
		return v | IIR_NONE;
	case UART_LCR:
		return uart.lcr;
	case UART_MCR:
		return uart.mcr;
	case UART_LSR:
		return LSR_EMPTY;
	case UART_MSR:
		if (uart.mcr & MCR_LOOP)	/* outputs seen at the inputs */
			return (uart.mcr & 0x0c) << 4 | (uart.mcr & 0x02) << 3 |
			       (uart.mcr & 0x01) << 5;
		return 0xb0;
	case UART_SCR:
		return uart.scr;
	}
	return 0;
}

static void uart_write(unsigned int reg, uint8_t v)
{
	switch (reg) {
	case UART_DATA:
		if (uart.lcr & LCR_DLAB) {
			uart.dll = v;
			break;
		}
		if (!(uart.mcr & MCR_LOOP))
			console_char(v);
		uart.thri = true;
		uart_update();
		break;
	case UART_IER:
		if (uart.lcr & LCR_DLAB) {
			uart.dlm = v;
			break;
		}
		if (v & ~uart.ier & IER_THRI)
			uart.thri = true;
		uart.ier = v & 0x0f;
		uart_update();
		break;
	case UART_IIR:
		uart.fcr = v;
		break;
	case UART_LCR:
		uart.lcr = v;
		break;
	case UART_MCR:
		uart.mcr = v & 0x1f;
		break;
	case UART_SCR:
		uart.scr = v;
		break;
	}
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
			powered_off = val == POWEROFF_MAGIC;
		} else {
			memset(data, 0, 4);
		}
		return true;
	}
	return false;
}

static const struct vm_ops board_ops = { .mmio = handle_mmio, .dcr = handle_dcr };

/* --- the guest's memory at reset --- */

static void *map_file(const char *path, size_t *size)
{
	struct stat st;
	void *p;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		test_skip("%s: %s", path, strerror(errno));
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	TEST_ASSERT(p != MAP_FAILED, "mmap %s", path);
	close(fd);
	*size = st.st_size;
	return p;
}

/* Loads an ELF at its physical addresses, anything else at 0. */
static uint32_t load_kernel(const char *path)
{
	size_t size;
	char *image = map_file(path, &size);
	Elf32_Ehdr *e = (void *)image;
	uint32_t entry;
	int i;

	if (size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG)) {
		memcpy(addr_gpa2hva(vm, 0), image, size);
		munmap(image, size);
		return 0;
	}
	Elf32_Phdr *ph = (void *)(image + e->e_phoff);

	entry = e->e_entry;
	for (i = 0; i < e->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		TEST_ASSERT(ph[i].p_paddr + ph[i].p_memsz <= DTB_GPA,
			    "%s ends at 0x%x", path,
			    ph[i].p_paddr + ph[i].p_memsz);
		memcpy(addr_gpa2hva(vm, ph[i].p_paddr), image + ph[i].p_offset,
		       ph[i].p_filesz);
		if (entry >= ph[i].p_vaddr && entry - ph[i].p_vaddr < ph[i].p_memsz)
			entry = entry - ph[i].p_vaddr + ph[i].p_paddr;
	}
	arch_sync_icache(addr_gpa2hva(vm, 0), DTB_GPA);
	munmap(image, size);
	return entry;
}

/* One entry of a cpio archive in the "newc" format. */
static size_t cpio_entry(char *buf, const char *name, unsigned int mode,
			 const void *data, size_t size)
{
	size_t len, name_len = strlen(name) + 1;

	len = sprintf(buf, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		      1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_len, 0);
	memcpy(buf + len, name, name_len);
	len = (len + name_len + 3) & ~3UL;
	if (size)
		memcpy(buf + len, data, size);
	return (len + size + 3) & ~3UL;
}

/* A program becomes an initramfs of itself; an archive is taken as it is. */
static size_t load_initrd(const char *path)
{
	char *dst = addr_gpa2hva(vm, INITRD_GPA);
	size_t size, len = 0;
	char *file = map_file(path, &size);

	TEST_ASSERT(INITRD_GPA + size + 4096 < (uint64_t)opt.mem_mb << 20,
		    "%s does not fit", path);
	if (memcmp(file, ELFMAG, SELFMAG)) {
		memcpy(dst, file, size);
		len = size;
	} else {
		len += cpio_entry(dst + len, "proc", S_IFDIR | 0755, NULL, 0);
		len += cpio_entry(dst + len, "tmp", S_IFDIR | 0755, NULL, 0);
		len += cpio_entry(dst + len, "init", S_IFREG | 0755, file, size);
		len += cpio_entry(dst + len, "TRAILER!!!", 0, NULL, 0);
	}
	munmap(file, size);
	return len;
}

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

/* Words of the host's command line that begin with "guest." are the guest's. */
static const char *guest_cmdline(void)
{
	static char line[2048];
	char host[2048], *save, *word;
	int n, fd = open("/proc/cmdline", O_RDONLY);
	size_t len;

	len = snprintf(line, sizeof(line), "console=ttyS0,115200 panic=-1 %s%s",
		       opt.args, opt.bench ? "guest.boot=1" : "");
	n = fd < 0 ? 0 : read(fd, host, sizeof(host) - 1);
	if (fd >= 0)
		close(fd);
	host[n > 0 ? n : 0] = 0;
	for (word = strtok_r(host, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		if (!strncmp(word, "guest.", 6) && len < sizeof(line))
			len += snprintf(line + len, sizeof(line) - len, " %s", word);
	return line;
}

static void build_device_tree(size_t initrd_size)
{
	static struct fdt fdt;
	uint32_t tb = timebase_frequency();

	fdt_begin_node(&fdt, "");
	fdt_prop_u32(&fdt, "#address-cells", 2);
	fdt_prop_u32(&fdt, "#size-cells", 1);
	fdt_prop_str(&fdt, "model", "amcc,sequoia");
	fdt_prop_str(&fdt, "compatible", "amcc,sequoia");

	fdt_begin_node(&fdt, "chosen");
	fdt_prop_str(&fdt, "bootargs", guest_cmdline());
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
	fdt_prop_cells(&fdt, "reg", 3, 0, 0, opt.mem_mb << 20);
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

	fdt_finish(&fdt, addr_gpa2hva(vm, DTB_GPA), INITRD_GPA - DTB_GPA);
}

/* --- memory pressure --- */

static volatile bool done;
static unsigned int pressure_rounds;

static void write_file(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	/* What this kernel cannot do, the others of the list can. */
	if (write(fd, val, strlen(val)) < 0)
		errno = 0;
	close(fd);
}

/* Eats what memory is left, for a moment. */
static void eat_memory(void)
{
	long size = (meminfo_kb("MemAvailable:") - 16384) * 1024;
	char *p;

	if (size <= 0)
		return;
	/* If it is too much, the hungry one is to go, not the VMM. */
	write_file("/proc/self/oom_score_adj", "1000");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED)
		return;
	for (long i = 0; i < size; i += 4096)
		p[i] = 1;
	munmap(p, size);
}

static void *pressure_thread(void *arg)
{
	struct mem_region *r = &vm->regions[0];
	unsigned long *bitmap = calloc(1, r->size / 4096 / 8);
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	struct rng rng = { 1 };
	int status;
	pid_t pid;

	start_swap();
	madvise(r->hva, r->size, MADV_MERGEABLE);
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "500");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "50");
	write_file("/sys/kernel/mm/ksm/run", "1");
	while (!done) {
		size_t page = rng_next(&rng) % (r->size / 4096);
		size_t len = rng_next(&rng) % (r->size / 4096 - page) + 1;

		switch (rng_next(&rng) % 5) {
		case 0:
			/* Shared with a child for a moment: copy on write. */
			pid = fork();
			if (!pid) {
				usleep(30000);
				_exit(0);
			}
			usleep(20000);
			if (pid > 0)
				waitpid(pid, &status, 0);
			break;
		case 1:
			madvise((char *)r->hva + page * 4096, len * 4096, MADV_PAGEOUT);
			break;
		case 2:
			write_file("/proc/sys/vm/compact_memory", "1");
			break;
		case 3:
			__vm_mem_set(vm, 0, 0, r->size, KVM_MEM_LOG_DIRTY_PAGES, r->hva);
			usleep(10000);
			ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
			usleep(10000);
			__vm_mem_set(vm, 0, 0, r->size, 0, r->hva);
			break;
		case 4:
			pid = fork();
			if (!pid) {
				eat_memory();
				_exit(0);
			}
			if (pid > 0)
				waitpid(pid, &status, 0);
			break;
		}
		pressure_rounds++;
		usleep(50000);
	}
	free(bitmap);
	return NULL;
}

/* --- running --- */

static volatile sig_atomic_t dump;

static void on_usr1(int sig)
{
	dump = 1;
}

static void show_stat(const char *name, uint64_t value, void *arg)
{
	int len = strlen(name) - strlen("_exits");

	/* What KVM counts by cause. */
	if (value && len > 0 && !strcmp(name + len, "_exits")) {
		if (opt.bench)
			printf("bench: boot_exits_%.*s %llu exits\n", len, name,
			       (unsigned long long)value);
		else
			demo("exits_%.*s %llu", len, name, (unsigned long long)value);
	} else if (!opt.bench && value && strstr(name, "tlb")) {
		demo("%s %llu", name, (unsigned long long)value);
	}
}

/* Returns false when the guest is gone. */
static bool handle_exit(void)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		demo("system_event %u", run->system_event.type);
		return false;
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_MMIO:
	case KVM_EXIT_DCR:
		/* Not a ucall: this guest has memory there. */
		vcpu_handle_exit(vcpu, NULL);
		return !powered_off;
	default:
		if (vcpu_arch_handle_exit(vcpu, NULL)) {
			print_info("instruction 0x%08x at 0x%lx was not emulated",
				   (uint32_t)run->hw.hardware_exit_reason,
				   (long)vcpu_pc(vcpu));
			return true;
		}
		vcpu_dump(vcpu);
		TEST_FAIL("unexpected exit %u (%s)", run->exit_reason,
			  exit_reason_str(run->exit_reason));
	}
}

/* What the kernel has for itself: KVM's part of it, while there is one VM. */
static long kernel_kb(void)
{
	return meminfo_kb("SUnreclaim:") + meminfo_kb("PageTables:") +
	       meminfo_kb("KernelStack:");
}

static void usage(void)
{
	puts("usage: linux_guest [-k vmlinux] [-i init or cpio] [-m MB] [-a args] [-q] [-p] [-b]");
	exit(KSFT_SKIP);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct kvm_regs regs;
	pthread_t thread;
	long before;
	uint32_t entry;
	char *slash;
	int c;

	while ((c = getopt(argc, argv, "k:i:m:a:qpb")) != -1) {
		switch (c) {
		case 'k':
			opt.kernel = optarg;
			break;
		case 'i':
			opt.init = optarg;
			break;
		case 'm':
			opt.mem_mb = atoi(optarg);
			break;
		case 'a':
			opt.args = optarg;
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'p':
			opt.pressure = true;
			break;
		case 'b':
			opt.bench = true;
			break;
		default:
			usage();
		}
	}
	if (opt.mem_mb < 24)
		usage();
	opt.args = strdup(opt.args);
	while ((slash = strchr(opt.args, '/')))
		*slash = ' ';
	sigaction(SIGUSR1, &sa, NULL);

	before = kernel_kb();
	vm = vm_create_barebones();
	vm->ops = &board_ops;
	vm_mem_add(vm, 0, 0, (uint64_t)opt.mem_mb << 20, 0, NULL);
	vcpu = __vm_vcpu_add(vm, 0);
	entry = load_kernel(opt.kernel);
	build_device_tree(load_initrd(opt.init));
	vcpu_regs_get(vcpu, &regs);
	regs.pc = entry;
	regs.gpr[3] = DTB_GPA;
	vcpu_regs_set(vcpu, &regs);

	clock_gettime(CLOCK_MONOTONIC, &start);
	start_ticks = __builtin_ppc_get_timebase();
	if (opt.pressure)
		TEST_ASSERT(!pthread_create(&thread, NULL, pressure_thread, NULL),
			    "pthread_create");
	do {
		/* A stuck guest can be asked where it is with SIGUSR1. */
		if (_vcpu_run(vcpu) < 0) {
			TEST_ASSERT(errno == EINTR, "KVM_RUN");
			if (dump)
				vcpu_dump(vcpu);
			dump = 0;
			continue;
		}
	} while (handle_exit());

	if (opt.pressure) {
		done = true;
		pthread_join(thread, NULL);
		demo("pressure %u rounds", pressure_rounds);
	}
	if (opt.bench) {
		printf("bench: boot_memory %ld kB\n", kernel_kb() - before);
		vcpu_for_each_stat(vcpu, show_stat, NULL);
		kvm_vm_free(vm);
		return KSFT_PASS;
	}
	demo("time_to_poweroff %ld ms", elapsed_ms());
	vcpu_for_each_stat(vcpu, show_stat, NULL);
	demo("result %s", guest_ok && !guest_failed && powered_off ? "pass" : "fail");
	kvm_vm_free(vm);
	return guest_ok && !guest_failed && powered_off ? KSFT_PASS : KSFT_FAIL;
}
