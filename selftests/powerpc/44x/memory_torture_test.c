// SPDX-License-Identifier: GPL-2.0
/*
 * All that a host does to a process's memory, at once and at random, while the
 * guest in it verifies every word: pages are swapped out, merged with equal
 * ones, moved by compaction, shared with children, dropped, protected; stores
 * are logged; a second memory slot with the same pages comes, moves and goes;
 * and whatever becomes free is filled with poison by another process's pages.
 *
 * Two vCPUs have half of the pages each, and are the only ones to write to them.
 * Each word says which page, which store and which place it belongs to, so what
 * a stale translation reads is wrong, and a store by way of one is missing
 * later. Dropped pages, in a range of their own, may hold zeroes instead.
 *
 *   memory_torture_test [-s<seed>] [-t<seconds>]
 *
 * The seed decides what each thread does; when is for the host's scheduler.
 * For each disturbance the host's own count is asked whether it took place.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "44x.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define EA_LASTING	0x40000000UL	/* one entry, made once */
#define EA_CHANGING	0x50000000UL	/* one entry, made anew each time */
#define EA_ALIAS	0x60000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000UL
#define ALIAS		2
#define ALIAS_GPA	0x03000000UL
#define ALIAS_OTHER_GPA	0x03800000UL	/* where the alias moves to */

#define VCPUS		2u
#define VCPU_PAGES	96u
#define PAGES		(VCPUS * VCPU_PAGES)
#define HOT_PAGES	6u		/* a vCPU stays with so many for a while */
#define NO_SLOT		0xabad1deaU	/* what userspace answers for the alias */
#define POISON		0xdeadbeefU

/* By the page's number, each vCPU has some of each. */
enum { EQUAL, PLAIN, DROPPED, KINDS };

static unsigned int kind(unsigned int page)
{
	return page % KINDS;
}

/* In the guest's copy. */
static uint32_t version[PAGES];
static uint32_t seed, stop, passes[VCPUS], slot_answers[VCPUS];

/* What a page's word holds after the guest has written it for the nth time. */
static uint32_t word(unsigned int page, uint32_t n, unsigned int i)
{
	/* Pages of this kind are equal when n is, so there are some to merge. */
	if (kind(page) == EQUAL)
		return (n % 4 + 1) << 24 ^ i * 0x9e3779b9u;
	return page << 24 ^ n << 12 ^ i * 0x9e3779b9u ^ 0x5bd1e995u;
}

/* --- guest --- */

static void guest_check_word(unsigned int page, unsigned int i, uint32_t v)
{
	uint32_t want = word(page, version[page], i);

	if (v != want && (v || kind(page) != DROPPED))
		GUEST_FAIL("word is, expected; page << 16 | word", v, want,
			   page << 16 | i);
}

/* The page in a window, through an entry of its own size in the second one. */
static volatile uint32_t *guest_page(struct rng *rng, unsigned int page)
{
	static const uint32_t sizes[] = {
		SIZE_4K, SIZE_4K, SIZE_16K, SIZE_64K, SIZE_256K, SIZE_1M
	};
	uint32_t r = rng_next(rng), size = sizes[r / 8 % ARRAY_SIZE(sizes)];
	uint32_t offset = page * host_page, base;

	if (r % 8 < 6)
		return (void *)(EA_LASTING + offset);
	/* An entry has to have all of the page. */
	if (tlb_size_bytes(size) < host_page)
		size = SIZE_64K;
	base = offset & -tlb_size_bytes(size);
	tlb_write(11, (EA_CHANGING + base) | TLB0_V | size, SLOT_GPA + base, TLB2_RWX,
		  r >> 20 & 1);
	return (void *)(EA_CHANGING + offset);
}

static void guest_work(unsigned int id)
{
	unsigned int words = host_page / 4, hot = 0, page, i, n;
	struct rng rng = { seed + id };
	volatile uint32_t *p;
	uint32_t v;

	guest_44x_init();
	set_pid(1);
	tlb_write(10, EA_LASTING | TLB0_V | SIZE_16M, SLOT_GPA, TLB2_RWX, 0);
	tlb_write(12, EA_ALIAS | TLB0_V | SIZE_16M, ALIAS_GPA, TLB2_RWX, 0);
	for (page = id * VCPU_PAGES; page < (id + 1) * VCPU_PAGES; page++) {
		p = guest_page(&rng, page);
		for (i = 0; i < words; i++)
			p[i] = word(page, 0, i);
	}
	for (n = 0; !READ_ONCE(stop); n++) {
		if (n % 64 == 0)
			hot = rng_next(&rng) % (VCPU_PAGES - HOT_PAGES);
		page = hot + rng_next(&rng) % (n % 8 ? HOT_PAGES : VCPU_PAGES - hot);
		page += id * VCPU_PAGES;

		p = guest_page(&rng, page);
		for (i = 0; i < words; i++)
			guest_check_word(page, i, p[i]);
		if (rng_next(&rng) & 1) {
			version[page]++;
			for (i = 0; i < words; i++)
				p[i] = word(page, version[page], i);
		}
		passes[id]++;

		/* By the alias, and where it moves to. */
		p = (void *)(EA_ALIAS + (n & 1 ? ALIAS_OTHER_GPA - ALIAS_GPA : 0) +
			     page * host_page);
		i = rng_next(&rng) % words;
		v = p[i];
		if (v == NO_SLOT)
			slot_answers[id]++;
		else
			guest_check_word(page, i, v);
	}
	GUEST_DONE();
}

/* --- host --- */

static unsigned int seconds_option;
static struct kvm_vm *vm;
static char *memory;
static unsigned int done[16];
static pthread_t vcpu_threads[VCPUS];

static char *host_addr(unsigned int page)
{
	return memory + page * host_page;
}

static bool over(void)
{
	return READ_ONCE(*guest_addr(vm, stop));
}

static bool answer_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
			unsigned int len, bool is_write)
{
	uint32_t v = NO_SLOT;

	if (is_write || len != 4 || gpa < ALIAS_GPA || gpa >= ALIAS_GPA + (16 << 20))
		return false;
	memcpy(data, &v, 4);
	return true;
}

static const struct vm_ops ops = { .mmio = answer_mmio };

static unsigned int faults;

static void *vcpu_thread(void *arg)
{
	enum ucall_cmd cmd = UCALL_NONE;
	struct kvm_vcpu *vcpu = arg;
	struct ucall uc;

	while (cmd == UCALL_NONE) {
		if (!_vcpu_run(vcpu)) {
			cmd = vcpu_handle_exit(vcpu, &uc);
			continue;
		}
		/* The page is protected just now. */
		TEST_ASSERT(errno == EFAULT || errno == EINTR, "KVM_RUN");
		faults += errno == EFAULT;
		usleep(200);
	}
	TEST_ASSERT_EQ(cmd, UCALL_DONE);
	return NULL;
}

/* A run of pages, short or long. */
static char *some_pages(struct rng *rng, size_t *size)
{
	unsigned int first = rng_next(rng) % PAGES;
	unsigned int n = 1 + rng_next(rng) % (rng_next(rng) & 1 ? 4 : PAGES);

	if (n > PAGES - first)
		n = PAGES - first;
	*size = n * host_page;
	return host_addr(first);
}

static void do_swap(struct rng *rng)
{
	size_t size;
	char *p = some_pages(rng, &size);

	madvise(p, size, MADV_PAGEOUT);
}

static void do_drop(struct rng *rng)
{
	unsigned int page = rng_next(rng) % PAGES;

	page -= (page + KINDS - DROPPED) % KINDS;
	if ((int)page >= 0)
		TEST_ASSERT(!madvise(host_addr(page), host_page, MADV_DONTNEED), "drop");
}

static void do_protect(struct rng *rng)
{
	size_t size;
	char *p = some_pages(rng, &size);

	TEST_ASSERT(!mprotect(p, size, rng_next(rng) & 1 ? PROT_READ : PROT_NONE), "mprotect");
	usleep(rng_next(rng) % 1000);
	TEST_ASSERT(!mprotect(p, size, PROT_READ | PROT_WRITE), "mprotect");
}

static void write_file(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY);

	TEST_ASSERT(fd >= 0 && write(fd, s, strlen(s)) > 0, "%s", path);
	close(fd);
}

static void do_move(struct rng *rng)
{
	write_file("/proc/sys/vm/compact_memory", "1");
}

static void do_poison(struct rng *rng)
{
	size_t i, size = (1 + rng_next(rng) % 64) * host_page;
	uint32_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(p != MAP_FAILED, "mmap");
	for (i = 0; i < size / 4; i++)
		p[i] = POISON;
	munmap(p, size);
}

static uint32_t checksum(unsigned int first)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < 16 * host_page / 4; i++)
		sum = sum * 31 + ((volatile uint32_t *)host_addr(first))[i];
	return sum;
}

/* What the guest stores after a fork is nothing that the child sees. */
static void do_fork(struct rng *rng)
{
	unsigned int first = rng_next(rng) % (PAGES - 16);
	uint32_t sum;
	int status;
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		mprotect(host_addr(first), 16 * host_page, PROT_READ);
		sum = checksum(first);
		usleep(20000);
		_exit(checksum(first) != sum);
	}
	TEST_ASSERT(waitpid(pid, &status, 0) == pid && !status,
		    "the child saw the guest's stores (0x%x)", status);
}

static unsigned int logged_pages;

static uint32_t all_passes(void)
{
	return READ_ONCE((*guest_addr(vm, passes))[0]) +
	       READ_ONCE((*guest_addr(vm, passes))[1]);
}

/*
 * A page that the guest has written all over between two calls was written, and
 * is to be reported. (The first of two new versions may be older.)
 */
static void do_log(struct rng *rng)
{
	static uint32_t before[PAGES], after[PAGES];
	uint8_t bitmap[(PAGES + 63) / 64 * 8];
	unsigned int i, n;
	uint32_t passed;

	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	vm_get_dirty_log(vm, SLOT, bitmap);
	for (n = 0; n < 4; n++) {
		memcpy(before, guest_addr(vm, version), sizeof(before));
		/* Some pages have to be written twice. */
		passed = all_passes() + rng_next(rng) % 128;
		while (!over() && (int32_t)(all_passes() - passed) < 0)
			usleep(2000);
		memcpy(after, guest_addr(vm, version), sizeof(after));
		vm_get_dirty_log(vm, SLOT, bitmap);
		for (i = 0; i < PAGES; i++) {
			if (after[i] - before[i] < 2)
				continue;
			TEST_ASSERT(bitmap[i / 8] >> i % 8 & 1, "page %u is not dirty", i);
			logged_pages++;
		}
	}
	vm_mem_set_flags(vm, SLOT, 0);
}

static void do_alias(struct rng *rng)
{
	static bool there = true;
	static uint64_t gpa = ALIAS_GPA;

	if (!there) {
		vm_mem_restore(vm, ALIAS);
		there = true;
	} else if (rng_next(rng) & 1) {
		gpa ^= ALIAS_GPA ^ ALIAS_OTHER_GPA;
		vm_mem_move(vm, ALIAS, gpa);
	} else {
		vm_mem_delete(vm, ALIAS);
		there = false;
	}
}

static const struct disturbance {
	const char *name;
	void (*fn)(struct rng *rng);
	unsigned int pause;		/* us, at most */
} disturbances[] = {
	{ "swap", do_swap, 40000 },
	{ "drop", do_drop, 4000 },
	{ "protect", do_protect, 30000 },
	{ "move", do_move, 200000 },
	{ "poison", do_poison, 10000 },
	{ "fork", do_fork, 100000 },
	{ "log", do_log, 50000 },
	{ "alias", do_alias, 20000 },
};

static void *disturb_thread(void *arg)
{
	const struct disturbance *d = arg;
	unsigned int n = d - disturbances;
	struct rng rng = { seed * 100 + n };

	while (!over()) {
		d->fn(&rng);
		done[n]++;
		usleep(rng_next(&rng) % d->pause);
	}
	return NULL;
}

static uint64_t vmstat(const char *field)
{
	static char buf[16384];
	size_t len = strlen(field);
	char *p;

	if (read_file("/proc/vmstat", buf, sizeof(buf)) < 0)
		test_skip("needs /proc/vmstat");
	for (p = buf; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, field, len) && p[len] == ' ')
			return strtoull(p + len, NULL, 10);
	}
	test_skip("needs %s in /proc/vmstat", field);
}

/*
 * Compaction moves pages from the lower end of memory to what is free at the upper one,
 * which is where all are on a fresh host. So have memory down to the lower end, and free
 * every other page of it, for the guest's pages to come there.
 */
static void fragment_memory(void)
{
	size_t n, pages = meminfo_kb("MemFree:") / 4 * 3 / (host_page / 1024);
	char *p = mmap(NULL, pages * host_page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(p != MAP_FAILED, "mmap");
	for (n = 0; n < pages; n++)
		p[n * host_page] = 1;
	for (n = 0; n < pages; n += 2)
		TEST_ASSERT(!madvise(p + n * host_page, host_page, MADV_DONTNEED), "madvise");
}

static const char *const counted[] = {
	"pswpout", "pswpin", "cow_ksm", "pgmigrate_success"
};

/* Has all taken place that was to? */
static bool seen(const uint64_t *before)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(counted); n++)
		if (vmstat(counted[n]) == before[n])
			return false;
	return READ_ONCE(logged_pages) && READ_ONCE(faults);
}

static void test_all(void)
{
	unsigned int seconds = seconds_option ?: 20, i, n;
	pthread_t threads[ARRAY_SIZE(disturbances)];
	uint64_t count[ARRAY_SIZE(counted)];
	size_t size = PAGES * host_page;
	struct kvm_vcpu *vcpu[VCPUS];
	volatile uint32_t *p;

	TEST_REQUIRE(start_swap());
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "200");
	write_file("/sys/kernel/mm/ksm/run", "1");
	print_info("seed %u (-s%u), %u s (-t%u)", seed, seed, seconds, seconds);

	fragment_memory();
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(memory != MAP_FAILED, "mmap");
	TEST_ASSERT(!madvise(memory, size, MADV_MERGEABLE), "CONFIG_KSM");
	vm = vm_create();
	vm->ops = &ops;
	vm_mem_add(vm, SLOT, SLOT_GPA, size, 0, memory);
	vm_mem_add(vm, ALIAS, ALIAS_GPA, size, 0, memory);
	sync_global_to_guest(vm, seed);
	for (n = 0; n < ARRAY_SIZE(counted); n++)
		count[n] = vmstat(counted[n]);
	for (n = 0; n < VCPUS; n++) {
		vcpu[n] = vm_vcpu_add(vm, n, guest_work);
		vcpu_args_set(vcpu[n], 1, (unsigned long)n);
	}
	for (n = 0; n < VCPUS; n++)
		TEST_ASSERT(!pthread_create(&vcpu_threads[n], NULL, vcpu_thread, vcpu[n]),
			    "pthread_create");
	/* Until the guest's pages are as it expects them. */
	for (n = 0; n < VCPUS; n++)
		while (!READ_ONCE((*guest_addr(vm, passes))[n]))
			usleep(10000);
	for (n = 0; n < ARRAY_SIZE(disturbances); n++)
		TEST_ASSERT(!pthread_create(&threads[n], NULL, disturb_thread,
					    (void *)&disturbances[n]), "pthread_create");
	/* A slow host gets more time. */
	for (n = 0; n < seconds || (n < 10 * seconds && !seen(count)); n++)
		sleep(1);
	WRITE_ONCE(*guest_addr(vm, stop), 1);
	for (n = 0; n < ARRAY_SIZE(disturbances); n++)
		pthread_join(threads[n], NULL);
	for (n = 0; n < VCPUS; n++)
		pthread_join(vcpu_threads[n], NULL);
	write_file("/sys/kernel/mm/ksm/run", "0");

	/* What the guest says of its memory is what is in it. */
	sync_global_from_guest(vm, version);
	for (n = 0; n < PAGES; n++) {
		p = (uint32_t *)host_addr(n);
		for (i = 0; i < host_page / 4; i++)
			TEST_ASSERT(p[i] == word(n, version[n], i) ||
				    (kind(n) == DROPPED && !p[i]),
				    "page %u word %u: 0x%x", n, i, p[i]);
	}

	sync_global_from_guest(vm, passes);
	sync_global_from_guest(vm, slot_answers);
	for (n = 0; n < VCPUS; n++) {
		print_info("vCPU %u: %u pages verified, %u reads without a slot", n,
			   passes[n], slot_answers[n]);
		TEST_ASSERT(slot_answers[n], "the alias was never away");
		TEST_ASSERT(passes[n] > PAGES, "the guest had no time");
	}
	for (n = 0; n < ARRAY_SIZE(disturbances); n++) {
		print_info("%s: %u times", disturbances[n].name, done[n]);
		TEST_ASSERT(done[n], "%s", disturbances[n].name);
	}
	for (n = 0; n < ARRAY_SIZE(counted); n++) {
		count[n] = vmstat(counted[n]) - count[n];
		print_info("%s: %llu", counted[n], (unsigned long long)count[n]);
	}
	print_info("%u written pages were logged, %u accesses to a protected page",
		   logged_pages, faults);
	for (n = 0; n < ARRAY_SIZE(counted); n++)
		TEST_ASSERT(count[n], "%s: it did not take place", counted[n]);
	TEST_ASSERT(logged_pages && faults, "no page was logged, or protected");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "all", test_all, 300 },
};

int main(int argc, char **argv)
{
	seed = number_option(argc, argv, 's', 1);
	seconds_option = number_option(argc, argv, 't', seconds_option);
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
