// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots that come, move, go and become read-only while the guest runs:
 * its next access obeys the new layout, and never reaches the memory of a slot
 * that is gone.
 *
 * Between exits the outcome of each access is exact. From another thread it
 * can be the one before or the one after the change, and must be one of them;
 * the guest's log shows that the change arrived.
 */
#include <pthread.h>
#include <unistd.h>

#include "44x.h"

#define EA		0x40000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000ULL
#define SLOT_SIZE	0x00040000ULL		/* 64 pages */
#define PAGES		(SLOT_SIZE / 4096)
#define MMIO_ANSWER	0x77777777u

static unsigned int mmio_reads, mmio_writes;
static uint64_t mmio_gpa;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	mmio_gpa = gpa;
	if (is_write) {
		mmio_writes++;
	} else {
		mmio_reads++;
		memset(data, 0x77, len);
	}
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

/*
 * Looks at every page of the slot's place, at its other place and at where it
 * was, and reports how many gave the pattern of @gpa, MMIO, or something else.
 */
static uint32_t ok_count, mmio_count, bad_count;

static void look(uint32_t base, uint64_t name)
{
	uint32_t i;

	ok_count = mmio_count = bad_count = 0;
	for (i = 0; i < PAGES; i++) {
		uint32_t v = *(volatile uint32_t *)(base + i * 4096);

		if (v == pattern(name + i * 4096))
			ok_count++;
		else if (v == MMIO_ANSWER)
			mmio_count++;
		else
			bad_count++;
	}
}

/* The test says where to look and what to do, by stages. */
static void guest_look(void)
{
	guest_44x_init();
	/* One large page over all places the slot takes. */
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	for (;;) {
		look(EA, SLOT_GPA);
		GUEST_SYNC_ARGS(1, ok_count, mmio_count, bad_count);
		look(EA + 0x800000, SLOT_GPA);
		GUEST_SYNC_ARGS(2, ok_count, mmio_count, bad_count);
	}
}

#define EXPECT_LOOK(stage, ok, mmio) do {				\
	struct ucall __uc;						\
	vcpu_run_to_sync(vcpu, stage, &__uc);				\
	TEST_ASSERT_EQ(__uc.args[3], 0);				\
	TEST_ASSERT_EQ(__uc.args[1], ok);				\
	TEST_ASSERT_EQ(__uc.args[2], mmio);				\
} while (0)

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, code);

	vm->ops = &ops;
	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, 0, NULL);
	fill_pattern(vm, SLOT_GPA, SLOT_SIZE);
	return vm;
}

static void test_delete(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_look);
	int i;

	for (i = 0; i < 10; i++) {
		EXPECT_LOOK(1, PAGES, 0);
		EXPECT_LOOK(2, 0, PAGES);
		vm_mem_delete(vm, SLOT);
		EXPECT_LOOK(1, 0, PAGES);
		EXPECT_LOOK(2, 0, PAGES);
		vm_mem_restore(vm, SLOT);
	}
	kvm_vm_free(vm);
}

static void test_move(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_look);
	int i;

	for (i = 0; i < 10; i++) {
		EXPECT_LOOK(1, PAGES, 0);
		EXPECT_LOOK(2, 0, PAGES);
		vm_mem_move(vm, SLOT, SLOT_GPA + 0x800000);
		EXPECT_LOOK(1, 0, PAGES);
		EXPECT_LOOK(2, PAGES, 0);
		vm_mem_move(vm, SLOT, SLOT_GPA);
	}
	kvm_vm_free(vm);
}

/* Other memory in the same place: the next access sees it. */
static void test_replace(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_look);
	struct mem_region *r = &vm->regions[SLOT];
	void *other, *swap;
	int i;

	/* A second slot, named differently. */
	vm_mem_add(vm, 2, SLOT_GPA + 0x10000000, SLOT_SIZE, 0, NULL);
	fill_pattern(vm, SLOT_GPA + 0x10000000, SLOT_SIZE);
	other = vm->regions[2].hva;
	for (i = 0; i < 6; i++) {
		struct ucall uc;

		vcpu_run_to_sync(vcpu, 1, &uc);
		TEST_ASSERT_EQ(uc.args[1], i % 2 ? 0 : PAGES);
		TEST_ASSERT_EQ(uc.args[3], i % 2 ? PAGES : 0);
		vcpu_run_to_sync(vcpu, 2, &uc);
		vm_mem_delete(vm, SLOT);
		swap = r->hva;
		r->hva = other;
		other = swap;
		vm_mem_restore(vm, SLOT);
	}
	kvm_vm_free(vm);
}

/* Half of the slot's pages remain where they are: a smaller slot. */
static void test_shrink(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_look);

	EXPECT_LOOK(1, PAGES, 0);
	EXPECT_LOOK(2, 0, PAGES);
	vm_mem_delete(vm, SLOT);
	TEST_ASSERT(!__vm_mem_set(vm, SLOT, SLOT_GPA, SLOT_SIZE / 2, 0,
				  vm->regions[SLOT].hva), "shrink");
	EXPECT_LOOK(1, PAGES / 2, PAGES / 2);
	kvm_vm_free(vm);
}

/* --- read-only --- */

static void guest_readonly(void)
{
	volatile uint32_t *p = (void *)EA;
	uint32_t i;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	for (i = 0; i < PAGES; i++) {
		GUEST_ASSERT_EQ(p[i * 1024], pattern(SLOT_GPA + i * 4096));
		p[i * 1024 + 1] = i;
	}
	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT_EQ(p[i * 1024 + 1], i);
	GUEST_SYNC(1);
	/* Read-only now, with the writable translations still warm. */
	for (i = 0; i < PAGES; i++) {
		p[i * 1024 + 1] = 0xdead;
		GUEST_ASSERT_EQ(p[i * 1024 + 1], i);
	}
	GUEST_SYNC(2);
	for (i = 0; i < PAGES; i++) {
		p[i * 1024 + 1] = 0xbeef + i;
		GUEST_ASSERT_EQ(p[i * 1024 + 1], 0xbeef + i);
	}
	GUEST_DONE();
}

static void test_readonly(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint32_t i;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_READONLY_MEM));
	vm = create(&vcpu, guest_readonly);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT_EQ(mmio_writes, 0);
	vm_mem_delete(vm, SLOT);
	vm->regions[SLOT].flags = KVM_MEM_READONLY;
	vm_mem_restore(vm, SLOT);
	vcpu_run_to_sync(vcpu, 2, NULL);
	/* Each store became an exit, at its address, and no byte changed. */
	TEST_ASSERT_EQ(mmio_writes, PAGES);
	TEST_ASSERT_EQ(mmio_reads, 0);
	TEST_ASSERT_EQ(mmio_gpa, SLOT_GPA + (PAGES - 1) * 4096 + 4);
	for (i = 0; i < PAGES; i++)
		TEST_ASSERT_EQ(*(uint32_t *)addr_gpa2hva(vm, SLOT_GPA + i * 4096 + 4), i);
	vm_mem_delete(vm, SLOT);
	vm->regions[SLOT].flags = 0;
	vm_mem_restore(vm, SLOT);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(mmio_writes, PAGES);
	kvm_vm_free(vm);
}

/* --- from another thread --- */

static uint32_t stop;
static uint32_t seen_memory, seen_mmio;

static void guest_race(void)
{
	uint32_t i = 0;

	guest_44x_init();
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	while (!READ_ONCE(stop)) {
		uint32_t off = i++ % PAGES * 4096;
		uint32_t v = *(volatile uint32_t *)(EA + off);

		if (v == pattern(SLOT_GPA + off))
			seen_memory++;
		else if (v == MMIO_ANSWER)
			seen_mmio++;
		else
			GUEST_FAIL("neither memory nor MMIO", v, off);
		*(volatile uint32_t *)(EA + off + 512) = i;
	}
	GUEST_DONE();
}

static void *race_thread(void *arg)
{
	struct kvm_vm *vm = arg;
	int i;

	/* Longer, if the guest has had no time to see both. */
	for (i = 0; i < 300 || !READ_ONCE(*guest_addr(vm, seen_memory)) ||
		    !READ_ONCE(*guest_addr(vm, seen_mmio)); i++) {
		vm_mem_delete(vm, SLOT);
		usleep(500);
		vm_mem_restore(vm, SLOT);
		usleep(500);
		if (i % 3 == 0) {
			vm_mem_delete(vm, SLOT);
			vm->regions[SLOT].gpa = SLOT_GPA + 0x800000;
			vm_mem_restore(vm, SLOT);
			usleep(200);
			vm_mem_delete(vm, SLOT);
			vm->regions[SLOT].gpa = SLOT_GPA;
			vm_mem_restore(vm, SLOT);
		}
	}
	*guest_addr(vm, stop) = 1;
	return NULL;
}

static void test_race(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_race);
	pthread_t thread;

	TEST_ASSERT(!pthread_create(&thread, NULL, race_thread, vm), "pthread_create");
	vcpu_run_to_done(vcpu);
	pthread_join(thread, NULL);
	print_info("memory %u times, MMIO %u times", *guest_addr(vm, seen_memory),
		   *guest_addr(vm, seen_mmio));
	kvm_vm_free(vm);
}

/* --- instructions --- */

static void guest_exec(void)
{
	unsigned int exc;

	guest_44x_init();
	mtmsr(MSR_ME);
	tlb_write(10, EA | TLB0_V | SIZE_16M, (uint32_t)SLOT_GPA, TLB2_RWX, 0);
	PROBE_EXECS(MSR_ME, EA + 0x3000, SLOT_GPA + 0x3000);
	GUEST_SYNC(1);
	/* Gone: there is nothing to execute. */
	exc = probe(MSR_ME, PROBE_EXEC, EA + 0x3000);
	if (exc != EXC_ISI)
		GUEST_ASSERT_EQ(exc, EXC_MCHECK);
	GUEST_SYNC(2);
	PROBE_EXECS(MSR_ME, EA + 0x3000, SLOT_GPA + 0x3000);
	GUEST_DONE();
}

static void test_exec(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_exec);

	vcpu_run_to_sync(vcpu, 1, NULL);
	vm_mem_delete(vm, SLOT);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vm_mem_restore(vm, SLOT);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "delete", test_delete },
	{ "move", test_move },
	{ "replace", test_replace },
	{ "shrink", test_shrink },
	{ "readonly", test_readonly, 20 },
	{ "exec", test_exec },
	{ "race", test_race, 120 },
};

TEST_MAIN(tests)
