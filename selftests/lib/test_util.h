/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test results and assertions, independent of KVM.
 *
 * A test program is a list of subtests. Each subtest runs in a child of its
 * own: it may crash, hang or leak, and its neighbours still report. Results
 * are KTAP on stdout, and the exit code is kselftest's, so that a program can
 * be copied to a board and run by hand.
 */
#ifndef SELFTEST_TEST_UTIL_H
#define SELFTEST_TEST_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KSFT_PASS	0
#define KSFT_FAIL	1
#define KSFT_SKIP	4

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __packed	__attribute__((packed))
#ifndef __aligned
#define __aligned(n)	__attribute__((aligned(n)))
#endif
#define __noreturn	__attribute__((noreturn))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))

/**
 * struct subtest - one line of a test's report
 * @name: what is shown; no spaces
 * @fn: runs in a child; returning is a pass, TEST_ASSERT and TEST_REQUIRE
 *      leave early
 * @timeout: seconds until the child is killed, 0 for the default of 60
 */
struct subtest {
	const char *name;
	void (*fn)(void);
	unsigned int timeout;
};

/*
 * Runs the subtests in turn and returns the exit code for main().
 * Arguments: -l lists them, -n stays in one process (for a debugger), names
 * select.
 */
int test_main(int argc, char **argv, const struct subtest *tests, size_t count);
#define TEST_MAIN(tests)						\
int main(int argc, char **argv)						\
{									\
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));		\
}

/* The number in a program's argument, 7 in -s7 for @letter 's', or @otherwise. */
unsigned long number_option(int argc, char **argv, char letter, unsigned long otherwise);

/* The host's page size; a guest's copy of the program has it as well. */
extern uint32_t host_page;

/* A diagnostic line, prefixed with "# ". */
void print_info(const char *fmt, ...) __printf(1, 2);

void test_fail(const char *file, int line, const char *fmt, ...)
	__printf(3, 4) __noreturn;
void test_skip(const char *fmt, ...) __printf(1, 2) __noreturn;
/* All @tests of a KUnit suite, which ran at boot, have passed; skips without KUnit. */
void test_kunit_suite(const char *suite, unsigned int tests);

#define TEST_FAIL(fmt, ...)	test_fail(__FILE__, __LINE__, fmt, ##__VA_ARGS__)

#define TEST_ASSERT(cond, fmt, ...) do {				\
	if (!(cond))							\
		test_fail(__FILE__, __LINE__, "%s: " fmt, #cond, ##__VA_ARGS__); \
} while (0)

#define TEST_ASSERT_EQ(a, b) do {					\
	long long __a = (long long)(a), __b = (long long)(b);		\
	if (__a != __b)							\
		test_fail(__FILE__, __LINE__,				\
			  "%s is 0x%llx, expected %s, 0x%llx",		\
			  #a, __a, #b, __b);				\
} while (0)

/* Skips the subtest if what it needs is not there. */
#define TEST_REQUIRE(cond) do {						\
	if (!(cond))							\
		test_skip("needs %s", #cond);				\
} while (0)

/*
 * A process that uses 200 pages of its own memory all the time and checks them,
 * until it is ended; that fails if it was wrong.
 */
int start_busy_process(void);
void end_busy_process(int pid);

/*
 * Runs the program argv[0], installed beside the test, to its end: the subtest skips
 * or fails if it does.
 */
void run_program(char *const argv[]);

/* Deterministic pseudo-random numbers; the seed makes a failure repeatable. */
struct rng {
	uint64_t state;
};

static inline uint32_t rng_next(struct rng *rng)
{
	/* xorshift64*; a guest without a 64-bit multiplier can run it too. */
	uint64_t x = rng->state ? rng->state : 0x9e3779b97f4a7c15ULL;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return (x * 0x2545f4914f6cdd1dULL) >> 32;
}

/*
 * Makes the RAM disk /dev/ram0 swap space, once for all tests; the kernel's
 * configuration says how large it is. Returns false if the host cannot.
 */
bool start_swap(void);

/* Reads a whole small file, e.g. in /proc; returns its length or -1. */
ssize_t read_file(const char *path, char *buf, size_t size);

/* Value in kB of a /proc/meminfo field such as "MemFree:", or -1. */
long meminfo_kb(const char *field);

#endif
