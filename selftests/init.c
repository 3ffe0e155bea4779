// SPDX-License-Identifier: GPL-2.0
/*
 * /init of a test initramfs: runs the programs of /tests that the kernel
 * command line names, reports KTAP on the console, and reboots.
 *
 *   kvm.run=<list>      comma separated program names; "all" is every *_test.
 *                       Arguments follow a name after colons: bench:-q; after "all"
 *                       they are for that test of all: all,torture_test:-c100
 *   kvm.timeout=<s>     limit per program (default 600)
 *   kvm.repeat=<n>      run the list n times
 *   kvm.shell           do not reboot at the end but sleep (for a debugger)
 *
 * A *_test is a subtest of the stream with its own output nested in it. Any
 * other program (demo, bench) prints its lines as they are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_DIR	"/tests"
#define MAX_TESTS	128
#define MAX_ARGS	16
#define KSFT_SKIP	4

static char *tests[MAX_TESTS];
static unsigned int ntests, nall;	/* The first nall are those of "all". */
static unsigned int limit = 600, repeat = 1;
static bool stay;

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
	} m[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "tmpfs", "/tmp" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		mkdir(m[i].dir, 0755);
		/* What the kernel lacks, the tests that need it will skip over. */
		mount(m[i].type, m[i].dir, m[i].type, 0, NULL);
	}
}

/* An initramfs without /dev/console gives init no descriptors at all. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(s + len - n, end, n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static size_t name_len(const char *spec)
{
	return strcspn(spec, ":");
}

/* With arguments, a test of "all" is run with those. */
static void add_test(const char *spec)
{
	unsigned int i;

	for (i = 0; i < nall; i++) {
		if (name_len(tests[i]) == name_len(spec) &&
		    !strncmp(tests[i], spec, name_len(spec))) {
			free(tests[i]);
			tests[i] = strdup(spec);
			return;
		}
	}
	if (ntests < MAX_TESTS)
		tests[ntests++] = strdup(spec);
}

static void add_all(void)
{
	unsigned int first = ntests;
	struct dirent *e;
	DIR *d;

	d = opendir(TEST_DIR);
	if (!d)
		return;
	while ((e = readdir(d)))
		if (ends_with(e->d_name, strlen(e->d_name), "_test"))
			add_test(e->d_name);
	closedir(d);
	qsort(tests + first, ntests - first, sizeof(tests[0]), by_name);
	if (!first)
		nall = ntests;
}

static void parse_cmdline(void)
{
	static char buf[4096];
	char *word, *save, *name, *save2;
	ssize_t len;
	int fd;

	fd = open("/proc/cmdline", O_RDONLY);
	len = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (len < 0) {
		printf("# /proc/cmdline: %s\n", strerror(errno));
		return;
	}
	close(fd);
	for (word = strtok_r(buf, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		if (!strncmp(word, "kvm.timeout=", 12)) {
			limit = atoi(word + 12);
		} else if (!strncmp(word, "kvm.repeat=", 11)) {
			repeat = atoi(word + 11);
		} else if (!strcmp(word, "kvm.shell")) {
			stay = true;
		} else if (!strncmp(word, "kvm.run=", 8)) {
			for (name = strtok_r(word + 8, ",", &save2); name;
			     name = strtok_r(NULL, ",", &save2)) {
				if (!strcmp(name, "all"))
					add_all();
				else
					add_test(name);
			}
		}
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static volatile sig_atomic_t timed_out;
static volatile pid_t child;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
}

static void exec_test(char *spec, int out)
{
	char path[256], *argv[MAX_ARGS + 1], *save;
	int n = 0;

	setpgid(0, 0);
	dup2(out, 1);
	dup2(out, 2);
	for (char *a = strtok_r(spec, ":", &save); a && n < MAX_ARGS;
	     a = strtok_r(NULL, ":", &save))
		argv[n++] = a;
	argv[n] = NULL;
	if (!n)
		_exit(127);
	snprintf(path, sizeof(path), TEST_DIR "/%s", argv[0]);
	execv(path, argv);
	printf("# %s: %s\n", path, strerror(errno));
	fflush(stdout);
	_exit(127);
}

/* Copies the child's output, whole lines at a time, indented if nested. */
static void copy_output(int fd, const char *indent)
{
	static char buf[8192];
	size_t len = 0;
	ssize_t r;
	char *nl;

	for (;;) {
		r = read(fd, buf + len, sizeof(buf) - 1 - len);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		len += r;
		while ((nl = memchr(buf, '\n', len))) {
			size_t n = nl - buf + 1;

			printf("%s%.*s", indent, (int)n, buf);
			memmove(buf, buf + n, len - n);
			len -= n;
		}
		if (len == sizeof(buf) - 1) {
			printf("%s%.*s\n", indent, (int)len, buf);
			len = 0;
		}
		fflush(stdout);
	}
	if (len)
		printf("%s%.*s\n", indent, (int)len, buf);
	fflush(stdout);
}

static bool run_test(unsigned int number, const char *spec)
{
	size_t len = strcspn(spec, ":");
	bool nested = ends_with(spec, len, "_test");
	int status, fds[2];
	const char *skip = "";
	char *copy;
	double t;
	bool ok;

	printf("# running %s\n", spec);
	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC)) {
		printf("not ok %u %.*s\n# pipe: %s\n", number, (int)len, spec,
		       strerror(errno));
		return false;
	}
	t = now();
	copy = strdup(spec);
	child = fork();
	if (!child)
		exec_test(copy, fds[1]);
	free(copy);
	close(fds[1]);
	timed_out = 0;
	alarm(limit);
	copy_output(fds[0], nested ? "    " : "");
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	close(fds[0]);
	kill(-child, SIGKILL);
	/* Children of the test that lost their parent are ours now. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (timed_out)
		printf("# %s timed out after %u s\n", spec, limit);
	else if (WIFSIGNALED(status))
		printf("# %s killed by signal %d\n", spec, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		printf("# %s: no such program\n", spec);

	ok = WIFEXITED(status) &&
	     (!WEXITSTATUS(status) || WEXITSTATUS(status) == KSFT_SKIP);
	if (ok && WEXITSTATUS(status) == KSFT_SKIP)
		skip = " # SKIP";
	printf("# %.*s took %.1f s\n", (int)len, spec, now() - t);
	printf("%s %u %.*s%s\n", ok ? "ok" : "not ok", number, (int)len, spec, skip);
	fflush(stdout);
	return ok;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	unsigned int i, r;

	mount_all();
	open_console();
	setvbuf(stdout, NULL, _IOFBF, 8192);
	sigaction(SIGALRM, &sa, NULL);
	parse_cmdline();

	/* A blank line ends whatever the kernel was printing. */
	printf("\nKTAP version 1\n1..%u\n", ntests * repeat);
	fflush(stdout);
	for (r = 0; r < repeat; r++)
		for (i = 0; i < ntests; i++)
			run_test(r * ntests + i + 1, tests[i]);
	printf("# end of tests\n");
	fflush(stdout);

	/* Let the console drain before the machine goes. */
	sync();
	usleep(200000);
	while (stay)
		pause();
	reboot(RB_AUTOBOOT);
	return 0;
}
