// SPDX-License-Identifier: GPL-2.0
/*
 * Test results and assertions: see test_util.h.
 */
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_util.h"

#define DEFAULT_TIMEOUT	60

void print_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	printf("# %s:%d: ", file, line);
	vprintf(fmt, ap);
	printf(" (errno %d %s)\n", err, strerror(err));
	fflush(stdout);
	va_end(ap);
	_exit(KSFT_FAIL);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# skipped: ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
	_exit(KSFT_SKIP);
}

ssize_t read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t r;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	while (len < size - 1) {
		r = read(fd, buf + len, size - 1 - len);
		if (r <= 0)
			break;
		len += r;
	}
	close(fd);
	buf[len] = '\0';
	return len;
}

long meminfo_kb(const char *field)
{
	char buf[4096], *p;

	if (read_file("/proc/meminfo", buf, sizeof(buf)) < 0)
		return -1;
	p = strstr(buf, field);
	return p ? strtol(p + strlen(field), NULL, 10) : -1;
}

void run_program(char *const argv[])
{
	char path[256], dir[200] = "";
	int status;
	pid_t pid;

	TEST_ASSERT(readlink("/proc/self/exe", dir, sizeof(dir) - 1) > 0, "readlink");
	snprintf(path, sizeof(path), "%s/%s", dirname(dir), argv[0]);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		execv(path, argv);
		_exit(127);
	}
	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
	TEST_ASSERT(WIFEXITED(status), "%s: status 0x%x", argv[0], status);
	if (WEXITSTATUS(status) == KSFT_SKIP)
		test_skip("%s", argv[0]);
	TEST_ASSERT(WEXITSTATUS(status) == KSFT_PASS, "%s: exit code %d", argv[0],
		    WEXITSTATUS(status));
}

bool start_swap(void)
{
	static char page[65536];
	struct {
		uint32_t version, last_page, nr_badpages;
	} header = { .version = 1 };
	size_t size = getpagesize();
	bool ok;
	int fd;

	if (meminfo_kb("SwapTotal:") > 0)
		return true;
	fd = open("/dev/ram0", O_RDWR);
	if (fd < 0)
		return false;
	header.last_page = lseek(fd, 0, SEEK_END) / size - 1;
	memcpy(page + 1024, &header, sizeof(header));
	memcpy(page + size - 10, "SWAPSPACE2", 10);
	ok = pwrite(fd, page, size, 0) == (ssize_t)size;
	close(fd);
	return ok && !swapon("/dev/ram0", 0);
}

static void __noreturn busy_process(void)
{
	const size_t pages = 200;
	uint32_t *mem = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t round;
	size_t i;

	if (mem == MAP_FAILED)
		_exit(2);
	for (round = 0;; round++) {
		for (i = 0; i < pages; i++) {
			if (round && READ_ONCE(mem[i * 1024]) != round - 1 + i)
				_exit(1);
			WRITE_ONCE(mem[i * 1024], round + i);
		}
	}
}

int start_busy_process(void)
{
	pid_t pid = fork();

	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		busy_process();
	}
	return pid;
}

void end_busy_process(int pid)
{
	int status = 0;

	TEST_ASSERT(waitpid(pid, &status, WNOHANG) == 0,
		    "a process of the host is wrong (0x%x)", status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* Returns the kselftest code of one subtest, and says why if it died. */
static int run_subtest(const struct subtest *t)
{
	unsigned int timeout = t->timeout ? t->timeout : DEFAULT_TIMEOUT;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		print_info("fork: %s", strerror(errno));
		return KSFT_FAIL;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/*
		 * A process group of its own, so that helpers of a subtest
		 * that is killed do not survive it.
		 */
		setpgid(0, 0);
		alarm(timeout);
		t->fn();
		fflush(stdout);
		_exit(KSFT_PASS);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status)) {
		if (WTERMSIG(status) == SIGALRM)
			print_info("%s: timed out after %u s", t->name, timeout);
		else
			print_info("%s: killed by signal %d", t->name, WTERMSIG(status));
		return KSFT_FAIL;
	}
	return WEXITSTATUS(status);
}

static bool selected(const struct subtest *t, int argc, char **argv)
{
	bool any = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		any = true;
		if (!strcmp(argv[i], t->name))
			return true;
	}
	return !any;
}

unsigned long number_option(int argc, char **argv, char letter, unsigned long otherwise)
{
	int i;

	for (i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] == letter)
			return strtoul(argv[i] + 2, NULL, 0);
	return otherwise;
}

uint32_t host_page;

int test_main(int argc, char **argv, const struct subtest *tests, size_t count)
{
	unsigned int planned = 0, number = 0, failed = 0, skipped = 0;
	bool no_fork = false;
	size_t i;
	int c;

	host_page = getpagesize();
	for (c = 1; c < argc; c++) {
		if (!strcmp(argv[c], "-l")) {
			for (i = 0; i < count; i++)
				puts(tests[i].name);
			return KSFT_PASS;
		}
		if (!strcmp(argv[c], "-n"))
			no_fork = true;
	}

	for (i = 0; i < count; i++)
		planned += selected(&tests[i], argc, argv);

	printf("KTAP version 1\n1..%u\n", planned);
	for (i = 0; i < count; i++) {
		int r = KSFT_PASS;

		if (!selected(&tests[i], argc, argv))
			continue;
		if (no_fork)
			tests[i].fn();
		else
			r = run_subtest(&tests[i]);
		number++;
		failed += r != KSFT_PASS && r != KSFT_SKIP;
		skipped += r == KSFT_SKIP;
		printf("%s %u %s%s\n",
		       r == KSFT_PASS || r == KSFT_SKIP ? "ok" : "not ok",
		       number, tests[i].name, r == KSFT_SKIP ? " # SKIP" : "");
		fflush(stdout);
	}
	printf("# totals: pass:%u fail:%u skip:%u\n",
	       number - failed - skipped, failed, skipped);
	fflush(stdout);

	if (failed || !planned)
		return KSFT_FAIL;
	return skipped == number ? KSFT_SKIP : KSFT_PASS;
}
