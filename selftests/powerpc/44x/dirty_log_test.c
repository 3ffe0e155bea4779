// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty logging: KVM_GET_DIRTY_LOG gives exactly the pages that were written
 * since the last time: no page too few, whatever the guest's translations were
 * before, and no page too many.
 *
 * Pages are chosen from a seed, written in user and supervisor mode, through
 * pages of several sizes; some are only read. A page written by KVM's own
 * emulation does not occur on 44x.
 */
#include "44x.h"

#define EA		0x40000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000ULL
#define SLOT_SIZE	0x00400000ULL
#define MAX_PAGES	((unsigned int)(SLOT_SIZE / 4096))
#define PAGES		((unsigned int)SLOT_SIZE / host_page)

/* What the guest is to do with each page in a round. */
enum { NOTHING, READ, WRITE, READ_WRITE, EXEC, USER_WRITE };
static uint8_t todo[MAX_PAGES];
static uint32_t tlb_size;

static void guest_work(void)
{
	unsigned int i;

	guest_44x_init();
	for (;;) {
		uint32_t bytes = tlb_size_bytes(tlb_size), mapped = ~0;

		for (i = 2; i < TLB_ENTRIES; i++)
			tlb_invalidate(i);
		for (i = 0; i < PAGES; i++) {
			uint32_t ea = EA + i * host_page;

			if ((ea & -bytes) != mapped) {
				mapped = ea & -bytes;
				tlb_write(10, mapped | TLB0_V | tlb_size,
					  SLOT_GPA + mapped - EA, TLB2_RWX, 0);
			}
			probe_store = i;
			if (todo[i] == READ || todo[i] == READ_WRITE)
				PROBE_READS(0, ea, SLOT_GPA + i * host_page);
			if (todo[i] == WRITE || todo[i] == READ_WRITE)
				PROBE_OK(0, PROBE_WRITE, ea + 512);
			if (todo[i] == USER_WRITE)
				PROBE_OK(MSR_PR, PROBE_WRITE, ea + 1536);
			if (todo[i] == EXEC)
				PROBE_EXECS(0, ea, SLOT_GPA + i * host_page);
		}
		GUEST_SYNC(1);
	}
}

/* KVM's bitmap is little-endian, whatever the host is. */
static bool dirty(const unsigned long *bitmap, unsigned int page)
{
	return ((const uint8_t *)bitmap)[page / 8] >> page % 8 & 1;
}

static void round_of(struct kvm_vm *vm, struct kvm_vcpu *vcpu, struct rng *rng,
		     bool logging, const char *what)
{
	static unsigned long bitmap[MAX_PAGES / 8 / sizeof(long)];
	unsigned int i, wrong = 0, written = 0;

	for (i = 0; i < PAGES; i++)
		todo[i] = rng_next(rng) % 6;
	sync_global_to_guest(vm, todo);
	vcpu_run_to_sync(vcpu, 1, NULL);
	if (!logging)
		return;
	memset(bitmap, 0xff, sizeof(bitmap));
	vm_get_dirty_log(vm, SLOT, bitmap);
	for (i = 0; i < PAGES; i++) {
		bool want = todo[i] == WRITE || todo[i] == READ_WRITE ||
			    todo[i] == USER_WRITE;

		written += want;
		if (dirty(bitmap, i) != want && wrong++ < 5)
			print_info("%s: page %u, action %u, is%s dirty", what, i,
				   todo[i], want ? " not" : "");
	}
	TEST_ASSERT(!wrong, "%s: %u of %u pages are wrong", what, wrong, PAGES);
	TEST_ASSERT(written > PAGES / 4, "the guest wrote %u pages", written);
	/* Asked again, nothing has been written. */
	vm_get_dirty_log(vm, SLOT, bitmap);
	for (i = 0; i < PAGES; i++)
		TEST_ASSERT(!dirty(bitmap, i), "%s: page %u again", what, i);
}

static void run(uint32_t size)
{
	struct rng rng = { size + 1 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	tlb_size = size;
	vm = vm_create_with_one_vcpu(&vcpu, guest_work);
	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, 0, NULL);
	fill_pattern(vm, SLOT_GPA, SLOT_SIZE);
	/* Warm, writable translations first; then logging begins. */
	round_of(vm, vcpu, &rng, false, "before");
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < 3; i++)
		round_of(vm, vcpu, &rng, true, "logging");
	vm_mem_set_flags(vm, SLOT, 0);
	round_of(vm, vcpu, &rng, false, "after");
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	round_of(vm, vcpu, &rng, true, "logging again");
	kvm_vm_free(vm);
}

static void test_4k(void)
{
	run(SIZE_4K);
}

static void test_64k(void)
{
	run(SIZE_64K);
}

static void test_16m(void)
{
	run(SIZE_16M);
}

/* A few warm pages that stay mapped all the time: the last to be caught. */
static uint32_t hot_mask;

static void guest_hot(void)
{
	unsigned int i;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	for (;;) {
		for (i = 0; i < 16; i++) {
			volatile uint32_t *p = (void *)(EA + i * host_page);

			if (hot_mask >> i & 1)
				p[1] = i;
			else
				(void)p[1];
		}
		GUEST_SYNC(1);
	}
}

static void test_hot(void)
{
	static unsigned long bitmap[MAX_PAGES / 8 / sizeof(long)];
	struct rng rng = { 9 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i, n;

	vm = vm_create_with_one_vcpu(&vcpu, guest_hot);
	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, KVM_MEM_LOG_DIRTY_PAGES, NULL);
	for (n = 0; n < 100; n++) {
		hot_mask = rng_next(&rng) & 0xffff;
		sync_global_to_guest(vm, hot_mask);
		vcpu_run_to_sync(vcpu, 1, NULL);
		vm_get_dirty_log(vm, SLOT, bitmap);
		for (i = 0; i < 32; i++)
			TEST_ASSERT(dirty(bitmap, i) == (i < 16 && hot_mask >> i & 1),
				    "round %u, page %u", n, i);
	}
	kvm_vm_free(vm);
}

/*
 * Pages that all PIDs share (TID 0), read by each and then written by each: the
 * first store of one PID must not be the last word for the others. A page at a
 * time, so that what a PID reads by is in the hardware TLB still when it stores.
 */
#define SHARED_PIDS	3u
#define SHARED_PAGES	16u

static void guest_shared(void)
{
	uint32_t pid, ea;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_1M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	for (ea = EA; ea < EA + SHARED_PAGES * host_page; ea += host_page) {
		for (pid = 1; pid <= SHARED_PIDS; pid++) {
			set_pid(pid);
			PROBE_READS(0, ea, SLOT_GPA + ea - EA);
		}
		for (pid = 1; pid <= SHARED_PIDS; pid++) {
			set_pid(pid);
			probe_store = pid;
			PROBE_OK(0, PROBE_WRITE, ea + 512);
		}
	}
	set_pid(0);
	GUEST_DONE();
}

static void test_shared(void)
{
	unsigned long bitmap[MAX_PAGES / 8 / sizeof(long)];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i;

	vm = vm_create_with_one_vcpu(&vcpu, guest_shared);
	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, KVM_MEM_LOG_DIRTY_PAGES, NULL);
	fill_pattern(vm, SLOT_GPA, SLOT_SIZE);
	vcpu_run_to_done(vcpu);
	vm_get_dirty_log(vm, SLOT, bitmap);
	for (i = 0; i < SHARED_PAGES; i++) {
		TEST_ASSERT(dirty(bitmap, i), "page %u", i);
		TEST_ASSERT_EQ(*(uint32_t *)addr_gpa2hva(vm, SLOT_GPA + i * host_page + 512),
			       SHARED_PIDS);
	}
	kvm_vm_free(vm);
}

static void test_errors(void)
{
	unsigned long bitmap[MAX_PAGES / 8 / sizeof(long)];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_hot);

	/* No such slot; a slot that does not log. */
	TEST_ASSERT(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) == -1 && errno == ENOENT,
		    "no slot");
	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, 0, NULL);
	TEST_ASSERT(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) == -1 && errno == ENOENT,
		    "not logging");
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	log.dirty_bitmap = NULL;
	TEST_ASSERT(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) == -1 && errno == EFAULT,
		    "no buffer");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "4k", test_4k },
	{ "64k", test_64k },
	{ "16m", test_16m },
	{ "hot", test_hot },
	{ "shared", test_shared },
	{ "errors", test_errors },
};

TEST_MAIN(tests)
