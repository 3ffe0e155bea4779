// SPDX-License-Identifier: GPL-2.0
/*
 * /init of the Linux guest: an ordinary program that uses what a kernel gives,
 * reports each step on the console, and powers off.
 *
 * Every step is self-checking and ends with a line "guest-init: <step> ..."
 * or "guest-init: failed <why>", which the VMM outside looks for. The memory
 * walk is far larger than the reach of a 440's 64 TLB entries of 4K pages, and
 * what it reads back was written through other translations.
 *
 * Kernel command line: guest.forks=<n> guest.mb=<n> guest.passes=<n>, and
 * guest.procs=<n> processes that walk memory of their own at a time;
 * guest.boot=1 only tells the timebase at its start, and restarts. On the bare
 * machine the same kernel with the same /init and guest.boot=2 is what make
 * bench compares that with. guest.restart=1 is for a board that cannot be switched off.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096	/* a unit of work; the CPU's may be larger */

static int failures;

static void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void report(const char *fmt, ...)
{
	va_list ap;

	printf("guest-init: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

#define CHECK(cond, fmt, ...) do {					\
	if (!(cond)) {							\
		report("failed line %d: %s: " fmt, __LINE__, #cond, ##__VA_ARGS__); \
		failures++;						\
		return;							\
	}								\
} while (0)

static long param(const char *name, long def)
{
	char buf[1024], *p;
	ssize_t n;
	int fd = open("/proc/cmdline", O_RDONLY);

	if (fd < 0)
		return def;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	p = strstr(buf, name);
	return p ? strtol(p + strlen(name), NULL, 10) : def;
}

/* Ticks of the CPU's clock. */
static unsigned long long timebase(void)
{
#ifdef __powerpc__
	return __builtin_ppc_get_timebase();
#elif defined(__mips__)
	unsigned int count;

	__asm__ volatile(".set push; .set mips32r2; rdhwr %0,$2; .set pop" : "=r"(count));
	return count;
#else
	return 0;
#endif
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* A program run by exec: its exit code depends on its argument and its pid. */
static int child_main(const char *arg)
{
	char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, n = atoi(arg);

	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < 16; i++)
		p[i * PAGE + i] = n + i;
	for (i = 0; i < 16; i++)
		if (p[i * PAGE + i] != (char)(n + i))
			return 2;
	return 3 + n % 100;
}

static void forks(void)
{
	long count = param("guest.forks=", 300);
	double t = now();
	int i, status;

	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0, "fork %d", i);
		if (!pid) {
			char arg[16];

			snprintf(arg, sizeof(arg), "%d", i);
			execl("/proc/self/exe", "init", "child", arg, NULL);
			_exit(99);
		}
		CHECK(waitpid(pid, &status, 0) == pid, "%d", i);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3 + i % 100,
		      "child %d: status 0x%x", i, status);
	}
	report("fork_exec %ld in %.2f s", count, now() - t);
}

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

/* Writes every page in one order and reads in others, word by word checked. */
static void memory(void)
{
	long mb = param("guest.mb=", 24), passes = param("guest.passes=", 3);
	size_t pages = (size_t)mb << 8, i, pos, n;
	uint32_t sum = 0, expect = 0;
	double t = now();
	uint32_t *mem;
	long pass;

	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mem != MAP_FAILED, "%ld MB", mb);
	for (pass = 0; pass < passes; pass++) {
		for (i = 0; i < pages; i++) {
			uint32_t *p = mem + i * (PAGE / 4);

			for (n = 0; n < PAGE / 4; n += 64)
				p[n] = mix(pass * 0x1000193 + i * 1024 + n);
		}
		/* A stride that is odd visits every page of a power of two, */
		/* and for other sizes every page is still visited in turn. */
		for (i = 0, pos = 0; i < pages; i++, pos = (pos + 97) % pages) {
			size_t page = pages % 97 ? pos : i;
			uint32_t *p = mem + page * (PAGE / 4);

			for (n = 0; n < PAGE / 4; n += 64) {
				uint32_t want = mix(pass * 0x1000193 +
						    page * 1024 + n);

				CHECK(p[n] == want, "page %zu word %zu: %08x, want %08x",
				      page, n, p[n], want);
				sum += p[n];
				expect += want;
			}
		}
	}
	CHECK(sum == expect, "%08x %08x", sum, expect);
	munmap(mem, pages * PAGE);
	report("memory %ld MB x %ld checksum %08x in %.2f s", mb, passes, sum,
	       now() - t);
}

/* Each on a CPU of its own, if there are as many. */
static void memory_processes(void)
{
	long i, procs = param("guest.procs=", 1);
	int status;

	for (i = 1; i < procs; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0, "fork");
		if (!pid) {
			memory();
			_exit(failures);
		}
	}
	memory();
	for (i = 1; i < procs; i++) {
		CHECK(wait(&status) >= 0, "%ld of %ld", i, procs);
		CHECK(!status, "a child: status 0x%x", status);
	}
}

static void files(void)
{
	uint32_t buf[PAGE / 4];
	unsigned int f, i, n;
	char name[32];
	int fd;

	for (f = 0; f < 32; f++) {
		snprintf(name, sizeof(name), "/tmp/f%u", f);
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		CHECK(fd >= 0, "%s", name);
		for (i = 0; i < 16; i++) {
			for (n = 0; n < PAGE / 4; n++)
				buf[n] = mix(f << 20 | i << 12 | n);
			CHECK(write(fd, buf, PAGE) == PAGE, "%s", name);
		}
		close(fd);
	}
	for (f = 0; f < 32; f++) {
		snprintf(name, sizeof(name), "/tmp/f%u", f);
		fd = open(name, O_RDONLY);
		CHECK(fd >= 0, "%s", name);
		for (i = 0; i < 16; i++) {
			CHECK(read(fd, buf, PAGE) == PAGE, "%s", name);
			for (n = 0; n < PAGE / 4; n++)
				CHECK(buf[n] == mix(f << 20 | i << 12 | n),
				      "%s page %u word %u", name, i, n);
		}
		close(fd);
		unlink(name);
	}
	report("files 32 of 64 KB");
}

static volatile sig_atomic_t ticks;

static void on_tick(int sig)
{
	(void)sig;
	ticks++;
}

static void timers(void)
{
	struct timespec ts = { .tv_nsec = 5000000 };
	struct sigaction sa = { .sa_handler = on_tick };
	struct itimerspec it = {
		.it_interval = { .tv_nsec = 10000000 },
		.it_value = { .tv_nsec = 10000000 },
	};
	double t = now();
	timer_t timer;
	int i;

	for (i = 0; i < 100; i++)
		nanosleep(&ts, NULL);
	/* Late is the host's business, early would be a wrong timer. */
	CHECK(now() - t >= 0.5, "%.3f s", now() - t);

	sigaction(SIGALRM, &sa, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, NULL, &timer), "timer_create");
	timer_settime(timer, 0, &it, NULL);
	while (ticks < 20)
		pause();
	timer_delete(timer);
	report("timers 100 sleeps, %d ticks in %.2f s", (int)ticks, now() - t);
}

/* Floating point across context switches: two processes, different values. */
static void floats(void)
{
	double a = 1.5, sum = 0;
	pid_t pid = fork();
	int i, status;

	CHECK(pid >= 0, "fork");
	if (!pid)
		a = 2.5;
	for (i = 0; i < 200000; i++) {
		sum += a;
		if (!(i % 20000))
			sched_yield();
	}
	if (!pid)
		_exit(sum == 200000 * 2.5 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child 0x%x", status);
	CHECK(sum == 200000 * 1.5, "%f", sum);
	report("floats ok");
}

#ifdef __mips__
/* getpid() with this stack pointer, from which the kernel loads arguments. */
static long getpid_on_stack(unsigned long sp)
{
	register long v0 __asm__("$2") = __NR_getpid;
	register long a3 __asm__("$7");
	register unsigned long s0 __asm__("$16") = sp;

	__asm__ volatile(
		".set push; .set noreorder\n"
		"	move	$17, $29\n"
		"	move	$29, $16\n"
		"	syscall\n"
		"	move	$29, $17\n"
		".set pop"
		: "+r"(v0), "=r"(a3) : "r"(s0)
		: "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
		  "$17", "$24", "$25", "hi", "lo", "memory");
	return a3 ? -v0 : v0;
}

/*
 * The kernel's segments, in its own layout and in a guest's, are not for users; nor is
 * what a guest's kernel may have in the last page below 0x8000.
 */
static void segments(void)
{
	static const unsigned long kernel[] = {
		0x4000, 0x7000, 0x71c0, 0x7ffc,
		0x40000000, 0x40100000, 0x5ffffff0, 0x60000000, 0x7ffe0000,
		0x80000000, 0x80100000, 0xa0000000, 0xc0000000, 0xfffe0000,
	};
	unsigned int i;
	int status, fd = open("/proc/self/exe", O_RDONLY);

	CHECK(getpid_on_stack((unsigned long)&status & ~7UL) == getpid(), "own stack");
	CHECK(getpid_on_stack(0x4100) == getpid(), "no stack");
	if ((unsigned long)&status < 0x40000000)
		CHECK(mmap((void *)0x4000, 0x4000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_FIXED, -1, 0) == MAP_FAILED, "mmap() at 0x4000");
	for (i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		/* Elsewhere than in a guest, user space goes on up to 0x80000000. */
		if (kernel[i] > (unsigned long)&status)
			CHECK(getpid_on_stack(kernel[i]) == -EFAULT, "stack at %lx",
			      kernel[i]);
		errno = 0;
		CHECK(read(fd, (void *)kernel[i], 4) == -1 && errno == EFAULT,
		      "read() to %lx", kernel[i]);
		pid_t pid = fork();

		CHECK(pid >= 0, "fork");
		if (!pid)
			_exit(*(volatile unsigned int *)kernel[i] & 1);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		      (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS),
		      "load from %lx: status 0x%x", kernel[i], status);
	}
	close(fd);
	report("segments ok");
}
#else
static void segments(void)
{
}
#endif

int main(int argc, char **argv)
{
	unsigned long long start = timebase();
	struct utsname u;

	if (argc == 3 && !strcmp(argv[1], "child"))
		return child_main(argv[2]);

	mkdir("/proc", 0755);
	mkdir("/tmp", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	/* The UART of the bare machine loses what comes right after the kernel's log. */
	if (param("guest.boot=", 0) == 2)
		usleep(200000);
	report("userspace");
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	if (!uname(&u))
		report("uname %s %s %s %s %s", u.sysname, u.nodename, u.release,
		       u.version, u.machine);
	if (param("guest.boot=", 0)) {
		report("timebase %llu", start);
		if (param("guest.boot=", 0) == 2)
			printf("bench: boot_native %llu ticks\n", start);
		fflush(stdout);
		usleep(100000);
		reboot(RB_AUTOBOOT);
	}
	/* Of processes that are to get signals the log says enough to split our lines. */
	klogctl(8, NULL, 5);
	forks();
	memory_processes();
	files();
	timers();
	floats();
	segments();
	if (!failures)
		report("all done");
	sync();
	/* The console is a real UART to the kernel: let it drain. */
	usleep(100000);
	reboot(param("guest.restart=", 0) ? RB_AUTOBOOT : RB_POWER_OFF);
	report("failed to power off: %s", strerror(errno));
	for (;;)
		pause();
}
