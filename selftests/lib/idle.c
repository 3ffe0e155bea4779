// SPDX-License-Identifier: GPL-2.0
/*
 * Idle page tracking: see idle.h.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "idle.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#endif

#define PFN_MASK	((1ULL << 55) - 1)
#define PRESENT		(1ULL << 63)

static int bitmap;

void idle_open(void)
{
	bitmap = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	if (bitmap < 0)
		test_skip("needs CONFIG_IDLE_PAGE_TRACKING");
}

void idle_drain_lru(void)
{
	void *p = mmap(NULL, host_page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	TEST_ASSERT(p != MAP_FAILED, "mmap");
	TEST_ASSERT(!madvise(p, host_page, MADV_COLD), "MADV_COLD");
	munmap(p, host_page);
}

void idle_find_frames(const void *hva, unsigned int n, uint64_t *pfn)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	off_t at = (off_t)((uintptr_t)hva / host_page) * 8;
	unsigned int i;
	uint64_t e;

	TEST_ASSERT(fd >= 0, "/proc/self/pagemap");
	for (i = 0; i < n; i++) {
		TEST_ASSERT_EQ(pread(fd, &e, 8, at + i * 8), 8);
		pfn[i] = e & PFN_MASK;
		TEST_ASSERT(e & PRESENT && pfn[i], "page %u is not present", i);
	}
	close(fd);
}

void idle_choose_frames(void *hva, unsigned int n)
{
	unsigned int i, tries = 0;
	uint64_t pfn, bits;
	void *away;

	for (i = 0; i < n; i++) {
		char *page = (char *)hva + i * host_page;

		*(volatile char *)page = *(volatile char *)page;
		idle_find_frames(page, 1, &pfn);
		if (pread(bitmap, &bits, 8, pfn / 64 * 8) == 8)
			continue;
		/* It stays in use, or it would be the next one as well. */
		TEST_ASSERT(tries++ < 64, "no other frame");
		away = mmap(NULL, host_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		TEST_ASSERT(away != MAP_FAILED, "mmap");
		TEST_ASSERT(mremap(page, host_page, host_page, MREMAP_MAYMOVE | MREMAP_FIXED,
				   away) == away, "mremap");
		TEST_ASSERT(mmap(page, host_page, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page,
			    "mmap");
		i--;
	}
}

void idle_set(const uint64_t *pfn, unsigned int n)
{
	unsigned int i;
	uint64_t bits;

	for (i = 0; i < n; i++) {
		bits = 1ULL << pfn[i] % 64;
		TEST_ASSERT_EQ(pwrite(bitmap, &bits, 8, pfn[i] / 64 * 8), 8);
	}
}

bool idle_is(uint64_t pfn)
{
	uint64_t bits;

	TEST_ASSERT_EQ(pread(bitmap, &bits, 8, pfn / 64 * 8), 8);
	return bits >> pfn % 64 & 1;
}
