// SPDX-License-Identifier: GPL-2.0
/*
 * Boots an ordinary Linux kernel as a guest of KVM, with QEMU as it is distributed,
 * in this machine. What is the architecture's is in a file of its own: see
 * qemu_machine.h.
 *
 *   qemu_guest [-M mmu] [-P] [-s vcpus] [-m MB] [-a args] [-i initrd] [-n] [-b] [-p] [-q]
 *
 * Without -M, a guest of each MMU that the host offers, one after the other; with
 * -P, a hash guest of Book3S PR instead of HV. The guest's /init is guest_init.c,
 * whose reports become "demo: <key> <value>" lines, with what KVM counted; or with
 * -n the selftests (-i), which test KVM in the guest: nested guests; with -b, one
 * whose vCPUs move all the time. -a adds to the guest's command line; a "/" in it
 * stands for a space. -p makes the host take the guest's memory away all the time:
 * paged out to swap, moved by compaction.
 *
 * The exit code is 0 if each guest did all its work and powered off.
 */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qemu_machine.h"
#include "test_util.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define KERNEL		"/guest/vmlinux"
#define KVM_DEBUGFS	"/sys/kernel/debug/kvm"

static struct {
	const char *mmu, *args, *initrd;
	unsigned int vcpus, mem_mb;
	bool pr, nested, bounced, pressure, quiet;
} opt = {
	.args = "",
	.initrd = "/guest/rootfs.cpio.gz",
	.vcpus = QEMU_VCPUS,
	.mem_mb = QEMU_MB,
};

/* What KVM counted of the nested guests. */
static struct {
	unsigned long long marks, local, deferred;
} nested;

static unsigned int pinned;		/* vCPUs' threads */
static struct timespec start;
static pid_t qemu;
static bool all_done, failed;

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

/* --- the host --- */

/* What KVM counted for the one VM there is: its debugfs files. */
static void show_stats(void)
{
	char path[300], val[64];
	struct dirent *vm, *e;
	DIR *d, *d2;
	ssize_t n;

	d = opendir(KVM_DEBUGFS);
	while (d && (vm = readdir(d))) {
		if (!strchr(vm->d_name, '-'))
			continue;
		snprintf(path, sizeof(path), KVM_DEBUGFS "/%s", vm->d_name);
		d2 = opendir(path);
		while (d2 && (e = readdir(d2))) {
			size_t len = strlen(e->d_name);

			snprintf(path, sizeof(path), KVM_DEBUGFS "/%.40s/%.60s",
				 vm->d_name, e->d_name);
			n = strncmp(e->d_name, "tlb_", 4) &&
			    strncmp(e->d_name, "shadow_hpte_", 12) &&
			    strcmp(e->d_name, "exits") &&
			    (len < 6 || strcmp(e->d_name + len - 6, "_exits")) ? -1 :
			    read_file(path, val, sizeof(val) - 1);
			if (n <= 0)
				continue;
			val[n] = '\0';
			val[strcspn(val, "\n")] = '\0';
			if (!strcmp(e->d_name, "tlb_nested_marks"))
				nested.marks = atoll(val);
			if (!strcmp(e->d_name, "tlb_nested_local"))
				nested.local = atoll(val);
			if (!strcmp(e->d_name, "tlb_nested_deferred"))
				nested.deferred = atoll(val);
			if (!strncmp(e->d_name, "tlb_nested", 10) && !opt.nested)
				continue;
			if (!strncmp(e->d_name, "tlb_", 4) ||
			    !strncmp(e->d_name, "shadow_hpte_", 12))
				demo("%s %s", e->d_name, val);
			else if (atoll(val) && len > 6)
				demo("exits_%.*s %s", (int)len - 6, e->d_name, val);
			else if (atoll(val))
				demo("exits_all %s", val);
		}
		if (d2)
			closedir(d2);
	}
	if (d)
		closedir(d);
}

/* --- memory pressure --- */

static volatile bool stop_pressure;
static unsigned long paged_out_kb;
static unsigned int pressure_rounds;

/* The guest's memory in QEMU's address space; returns false if there is none yet. */
static bool find_guest_memory(unsigned long *begin, size_t *size)
{
	unsigned long from, to;
	bool found = false;
	char line[512];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/maps", qemu);
	f = fopen(line, "r");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx rw-p", &from, &to) != 2 ||
		    to - from < (unsigned long)opt.mem_mb << 20)
			continue;
		*begin = from;
		*size = to - from;
		found = true;
	}
	fclose(f);
	return found;
}

/* What the host had on swap at most: pages that it did take. */
static long swapped_kb(void)
{
	return meminfo_kb("SwapTotal:") - meminfo_kb("SwapFree:");
}

static void *pressure_thread(void *arg)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	int pidfd = syscall(SYS_pidfd_open, qemu, 0);
	struct rng rng = { 1 };
	unsigned long begin;
	struct iovec iov;
	size_t size, at;

	while (!stop_pressure) {
		usleep(100000);
		if (!find_guest_memory(&begin, &size))
			continue;
		/* Up to a quarter of it; the kernel's part and the program's alike. */
		at = (rng_next(&rng) % (size >> 16)) << 16;
		iov.iov_base = (void *)(begin + at);
		iov.iov_len = size - at < size / 4 ? size - at : size / 4;
		if (syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_PAGEOUT, 0) < 0) {
			print_info("process_madvise: %s", strerror(errno));
			break;
		}
		if (swapped_kb() > (long)paged_out_kb)
			paged_out_kb = swapped_kb();
		if (!(++pressure_rounds % 4) && fd >= 0 && write(fd, "1", 1) < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	close(pidfd);
	return NULL;
}

/* --- the guest --- */

/*
 * Gives each vCPU's thread a CPU of its own: what moves in the guest moves here, too.
 * The scheduler would have them share one while they wake each other.
 */
static void pin_vcpus(void)
{
	char path[80], comm[32];
	struct dirent *e;
	cpu_set_t cpus;
	int vcpu;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", qemu);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", qemu, e->d_name);
		memset(comm, 0, sizeof(comm));
		if (read_file(path, comm, sizeof(comm) - 1) <= 0 ||
		    sscanf(comm, "CPU %d/KVM", &vcpu) != 1)
			continue;
		CPU_ZERO(&cpus);
		CPU_SET(vcpu, &cpus);
		TEST_ASSERT(!sched_setaffinity(atoi(e->d_name), sizeof(cpus), &cpus),
			    "vCPU %d", vcpu);
		pinned++;
	}
	if (d)
		closedir(d);
}

static void console_line(const char *line)
{
	const char *report = strstr(line, "guest-init: ");

	if (!opt.quiet) {
		printf("guest| %s\n", line);
		fflush(stdout);
	}
	if (opt.nested) {
		/* The selftests' own report. */
		if (opt.bounced && !pinned && strstr(line, "KTAP version"))
			pin_vcpus();
		if (strstr(line, "not ok ") || strstr(line, "# SKIP"))
			failed = true;
		if (strstr(line, "# end of tests")) {
			all_done = true;
			/* While the VM is still there. */
			show_stats();
		}
		return;
	}
	/* A guest's kernel may complain too. */
	if (strstr(line, "Kernel panic") || strstr(line, "Oops:") ||
	    strstr(line, "cut here") || strstr(line, "Call Trace:") ||
	    strstr(line, "BUG:")) {
		demo("failed %s", line);
		failed = true;
	}
	if (!report)
		return;
	report += strlen("guest-init: ");
	if (!strcmp(report, "userspace"))
		demo("time_to_userspace %ld ms", elapsed_ms());
	else if (!strcmp(report, "all done"))
		all_done = true;
	else
		demo("%s", report);
	if (!strncmp(report, "failed", 6))
		failed = true;
	/* While the VM is still there. */
	if (all_done)
		show_stats();
}

static void exec_qemu(const char *mmu, int out)
{
	char machine[200], mem[16], smp[16], append[512], *p;
	int null = open("/dev/null", O_RDONLY);

	qemu_machine(machine, sizeof(machine), opt.nested, opt.pr);
	snprintf(mem, sizeof(mem), "%uM", opt.mem_mb);
	snprintf(smp, sizeof(smp), "%u", opt.vcpus);
	snprintf(append, sizeof(append), "panic=-1 %s %s",
		 qemu_cmdline(mmu), opt.args);
	while ((p = strchr(append, '/')))
		*p = ' ';
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	execl(qemu_binary, qemu_binary, "-L", "/usr/share/qemu",
	      "-name", "guest,debug-threads=on", "-M", machine, "-m", mem, "-smp", smp,
	      "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
	      "-kernel", KERNEL, "-initrd", opt.initrd, "-append", append, NULL);
	_exit(127);
}

static bool run_guest(const char *mmu)
{
	pthread_t thread;
	int fds[2], status;
	char line[512];
	bool passed;
	FILE *f;

	demo("mmu %s%s, %u vCPUs, %u MB%s%s", mmu, opt.pr ? " (PR)" : "", opt.vcpus,
	     opt.mem_mb, opt.nested ? ", nested guests" : "",
	     opt.pressure ? ", paged out all the time" : "");
	all_done = failed = false;
	paged_out_kb = pressure_rounds = 0;
	stop_pressure = false;
	TEST_ASSERT(!pipe(fds), "pipe");
	clock_gettime(CLOCK_MONOTONIC, &start);
	qemu = fork();
	TEST_ASSERT(qemu >= 0, "fork");
	if (!qemu) {
		close(fds[0]);
		exec_qemu(mmu, fds[1]);
	}
	close(fds[1]);
	if (opt.pressure) {
		TEST_ASSERT(start_swap(), "no swap");
		TEST_ASSERT(!pthread_create(&thread, NULL, pressure_thread, NULL), "thread");
	}
	f = fdopen(fds[0], "r");
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		console_line(line);
	}
	fclose(f);
	if (opt.pressure) {
		stop_pressure = true;
		pthread_join(thread, NULL);
		demo("pressure %u rounds, %lu kB paged out at once", pressure_rounds,
		     paged_out_kb);
	}
	TEST_ASSERT(waitpid(qemu, &status, 0) == qemu, "waitpid");
	demo("time_to_poweroff %ld ms", elapsed_ms());
	/*
	 * Pages of the nested guests were invalidated on one core, and all of them at
	 * once with marks. An invalidation marks each core once at most: if there are
	 * more marks, it was for vCPUs that had moved.
	 */
	if (opt.nested && all_done &&
	    (opt.bounced ? pinned != opt.vcpus ||
			   nested.marks <= (nested.local + nested.deferred) *
					   sysconf(_SC_NPROCESSORS_ONLN) :
			   !nested.local || !nested.deferred)) {
		demo("failed nested guests: tlb_nested_*, %u vCPUs pinned", pinned);
		failed = true;
	}
	passed = all_done && !failed && WIFEXITED(status) && !WEXITSTATUS(status) &&
		 (!opt.pressure || paged_out_kb);
	if (!passed)
		demo("failed %s guest: %s, QEMU's status 0x%x", mmu,
		     failed ? "a step failed" : all_done ? "all done" : "not all done", status);
	return passed;
}

static bool wanted(const char *mmu)
{
	return (!opt.mmu || !strcmp(opt.mmu, mmu)) && qemu_can_do(mmu);
}

static void usage(void)
{
	puts("usage: qemu_guest [-M mmu] [-P] [-s vcpus] [-m MB] [-a args] [-i initrd] [-n] [-b] [-p] [-q]");
	exit(KSFT_SKIP);
}

int main(int argc, char **argv)
{
	bool passed = true;
	int c, i, found = 0;

	while ((c = getopt(argc, argv, "M:Ps:m:a:i:nbpq")) != -1) {
		switch (c) {
		case 'M':
			opt.mmu = optarg;
			break;
		case 'P':
			opt.pr = true;
			opt.mmu = "hash";
			break;
		case 's':
			opt.vcpus = atoi(optarg);
			break;
		case 'm':
			opt.mem_mb = atoi(optarg);
			break;
		case 'a':
			opt.args = optarg;
			break;
		case 'i':
			opt.initrd = optarg;
			break;
		case 'n':
			opt.nested = true;
			break;
		case 'b':
			opt.bounced = true;
			break;
		case 'p':
			opt.pressure = true;
			break;
		case 'q':
			opt.quiet = true;
			break;
		default:
			usage();
		}
	}
	for (i = 0; qemu_mmus[i]; i++)
		found += wanted(qemu_mmus[i]);
	if (access("/dev/kvm", R_OK | W_OK) || access(qemu_binary, X_OK) ||
	    access(KERNEL, R_OK) || access(opt.initrd, R_OK) || !found) {
		print_info("needs /dev/kvm, %s, %s, %s, and the MMU", qemu_binary, KERNEL,
			   opt.initrd);
		return KSFT_SKIP;
	}
	for (i = 0; qemu_mmus[i]; i++)
		if (wanted(qemu_mmus[i]))
			passed &= run_guest(qemu_mmus[i]);
	demo("result %s", passed ? "pass" : "fail");
	return passed ? KSFT_PASS : KSFT_FAIL;
}
