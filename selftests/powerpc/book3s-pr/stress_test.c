// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: vCPUs use pages in real mode and through their hash table,
 * map and unmap them, while the host takes pages away, ages them, reads the dirty
 * log and gives the memory it took to somebody who fills it with poison.
 *
 * A guest must find in page i what was put there last, or zeroes after the host
 * took it, and never poison nor another page's contents. That no time is right
 * for a wrong translation is shown by the number of tries, not proved.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pr.h"

#define SLOT		1
#define GPA		0x10000000UL
#define PAGE		PR_PAGE
#define SUB(i)		((i) * 4096UL % PAGE)	/* of the guest's pages in a host's */
#define PAGES		256u
#define VCPUS		2u
#define ROUNDS		400u
#define POISON		((unsigned long)0xdeadbeefdeadbeefULL)

/* What page i holds: its number, and who wrote it. One load or store. */
#define HALF		(4 * sizeof(long))
#define TAG(i, by)	(((i) + 1UL) << HALF | (by))
#define TAGGED(val, i)	(!(val) || (val) >> HALF == (i) + 1)

static uint32_t stop, tries;

static void guest_code(unsigned long order, unsigned long id)
{
	struct rng rng = { id + 1 };
	unsigned long ea, gpa, val;
	unsigned int i;
	uint64_t two;
	long index;

	guest_hash_init(order);
	while (!READ_ONCE(stop)) {
		i = rng_next(&rng) % PAGES;
		gpa = GPA + i * PAGE + SUB(i);
		val = READ_ONCE(*(unsigned long *)gpa);
		if (!TAGGED(val, i))
			GUEST_FAIL("a page is another's, in real mode", i, val);
		if (rng_next(&rng) & 1)
			WRITE_ONCE(*(unsigned long *)gpa, TAG(i, id));
		WRITE_ONCE(tries, READ_ONCE(tries) + 1);
		if (rng_next(&rng) % 4)
			continue;
		/* Each vCPU has virtual addresses of its own. */
		ea = HV_EA_BASE + (id * PAGES + i) * PAGE;
		index = guest_map(ea, gpa);
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(ea, &two), EXC_NONE);
		val = *(unsigned long *)&two;
		if (!TAGGED(val, i))
			GUEST_FAIL("a page is another's, mapped", i, val);
		*(unsigned long *)&two = TAG(i, 7);
		GUEST_ASSERT_EQ(guest_store(ea, two), EXC_NONE);
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
		GUEST_ASSERT_EQ(guest_load(ea, &two), EXC_DSI);
	}
	GUEST_DONE();
}

static void *run_vcpu(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

/* Takes pages that were just freed, and fills them. */
static void use_free_memory(size_t size)
{
	unsigned long *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	TEST_ASSERT(p != MAP_FAILED, "mmap");
	for (i = 0; i < size / sizeof(*p); i += 512)
		p[i] = POISON;
	munmap(p, size);
}

static void test_all(void)
{
	static uint64_t bitmap[PAGES / 64], idle[1024];
	struct kvm_vm *vm = pr_vm_create();
	struct kvm_vcpu *vcpu[VCPUS];
	pthread_t thread[VCPUS];
	/* A 32-bit host has one CPU, and so has its guest. */
	unsigned int vcpus = kvm_check_cap(KVM_CAP_MAX_VCPUS) < (int)VCPUS ? 1 : VCPUS;
	unsigned int i, first, count;
	struct rng rng = { 99 };
	int fd;

	vm_mem_add(vm, SLOT, GPA, PAGES * PAGE, KVM_MEM_LOG_DIRTY_PAGES, NULL);
	for (i = 0; i < vcpus; i++)
		vcpu[i] = vm_vcpu_add(vm, i, guest_code);
	pr_alloc_htab(vm);
	for (i = 0; i < vcpus; i++) {
		vcpu_args_set(vcpu[i], 2, (unsigned long)HV_HPT_ORDER, (unsigned long)i);
		pthread_create(&thread[i], NULL, run_vcpu, vcpu[i]);
	}
	fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	memset(idle, 0xff, sizeof(idle));
	/* Long enough that a guest with little time has run, too. */
	for (i = 0; i < ROUNDS || READ_ONCE(*guest_addr(vm, tries)) <= ROUNDS; i++) {
		first = rng_next(&rng) % PAGES;
		count = 1 + rng_next(&rng) % (rng_next(&rng) & 1 ? 4 : PAGES);
		if (first + count > PAGES)
			count = PAGES - first;
		TEST_ASSERT(!madvise((char *)vm->regions[SLOT].hva + first * PAGE,
				     count * PAGE, MADV_DONTNEED), "madvise");
		use_free_memory(count * PAGE);
		if (!(i % 8))
			vm_get_dirty_log(vm, SLOT, bitmap);
		if (fd >= 0 && !(i % 16))
			pwrite(fd, idle, sizeof(idle), 0);
		usleep(1000);
	}
	WRITE_ONCE(*guest_addr(vm, stop), 1);
	for (i = 0; i < vcpus; i++)
		pthread_join(thread[i], NULL);
	sync_global_from_guest(vm, tries);
	print_info("%u accesses", tries);
	if (fd >= 0)
		close(fd);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "all", test_all, 300 },
};

TEST_MAIN(tests)
