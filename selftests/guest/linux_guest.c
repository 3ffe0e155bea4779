// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that boots an ordinary Linux kernel on a small board: see board.h.
 *
 *   linux_guest [-k vmlinux] [-i init or cpio] [-m MB] [-a args] [-q] [-p] [-b]
 *
 * The kernel is an unmodified vmlinux, the program of -i becomes its /init.
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

#include "board.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

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
static uint64_t start_ticks, userspace_ticks;
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
	if (!strcmp(report, "userspace"))
		userspace_ticks = board_ticks();
	if (!strncmp(report, "timebase ", 9))
		printf("bench: boot_guest %llu ticks\n", (unsigned long long)
		       board_boot_ticks(start_ticks, userspace_ticks,
					strtoull(report + 9, NULL, 10)));
	else if (!strcmp(report, "userspace"))
		demo("time_to_userspace %ld ms", elapsed_ms());
	else if (!strcmp(report, "all done"))
		guest_ok = true;
	else
		demo("%s", report);
	if (!strncmp(report, "failed", 6))
		guest_failed = true;
}

void console_char(char c)
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
	board_set_uart_line(vcpu, uart.thri && (uart.ier & IER_THRI));
}

uint8_t uart_read(unsigned int reg)
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

void uart_write(unsigned int reg, uint8_t v)
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

void board_power_off(void)
{
	powered_off = true;
}

/* Loads an ELF at its physical addresses, anything else at 0. */
static uint32_t load_kernel(const char *path)
{
	size_t size;
	char *image = map_file(path, &size);
	Elf32_Ehdr *e = (void *)image;
	uint32_t entry, gpa;
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
		gpa = ARCH_GVA2GPA(ph[i].p_paddr);
		TEST_ASSERT(gpa + ph[i].p_memsz <= BOOT_ARGS_GPA,
			    "%s ends at 0x%x", path, gpa + ph[i].p_memsz);
		memcpy(addr_gpa2hva(vm, gpa), image + ph[i].p_offset,
		       ph[i].p_filesz);
		if (entry >= ph[i].p_vaddr && entry - ph[i].p_vaddr < ph[i].p_memsz)
			entry = entry - ph[i].p_vaddr + ph[i].p_paddr;
	}
	arch_sync_icache(addr_gpa2hva(vm, 0), BOOT_ARGS_GPA);
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

/* Words of the host's command line that begin with "guest." are the guest's. */
static const char *guest_cmdline(void)
{
	static char line[2048];
	char host[2048], *save, *word;
	int n, fd = open("/proc/cmdline", O_RDONLY);
	size_t len;

	len = snprintf(line, sizeof(line), "%s panic=-1 %s %s",
		       BOARD_CONSOLE, opt.args, opt.bench ? "guest.boot=1" : "");
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
	unsigned long *bitmap = calloc(1, r->size / host_page / 8 + 8);
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
		size_t page = rng_next(&rng) % (r->size / host_page);
		size_t len = rng_next(&rng) % (r->size / host_page - page) + 1;

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
			madvise((char *)r->hva + page * host_page, len * host_page,
				MADV_PAGEOUT);
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
	pthread_t thread;
	long before;
	uint32_t entry;
	char *slash;
	int c;

	host_page = sysconf(_SC_PAGESIZE);
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
	board_reset(vcpu, entry, (uint64_t)opt.mem_mb << 20, load_initrd(opt.init),
		    guest_cmdline());

	clock_gettime(CLOCK_MONOTONIC, &start);
	start_ticks = board_ticks();
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
