// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of KVM's flush tracking say what its counters say: as many local
 * and deferred invalidations, and the flush of a guest that comes back.
 *
 * Needs tracefs. In real mode (before POWER9) nothing is traced.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv.h"

#define TRACING		"/sys/kernel/tracing/"
#define EVENTS		TRACING "events/kvm_hv_tlb/enable"
#define EA		(HV_EA_BASE + 0x5000)
#define REMOVALS	100
#define PAGES		16
#define HOST_PAGE	0x10000UL

static void write_file(const char *name, const char *val)
{
	int fd = open(name, O_WRONLY | O_TRUNC);

	TEST_ASSERT(fd >= 0 && write(fd, val, strlen(val)) == (ssize_t)strlen(val), "%s", name);
	close(fd);
}

static void trace_begin(void)
{
	cpu_set_t set;

	if (access(EVENTS, W_OK))
		test_skip("needs " EVENTS);
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "CPU 0");
	write_file(EVENTS, "1");
	write_file(TRACING "trace", "");
}

/* Lines with both words; all are of the one VM there is. */
static unsigned int traced(const char *event, const char *what)
{
	unsigned int n = 0;
	char line[512];
	FILE *f = fopen(TRACING "trace", "r");

	TEST_ASSERT(f, "trace");
	while (fgets(line, sizeof(line), f))
		n += strstr(line, event) && strstr(line, what);
	fclose(f);
	return n;
}

static void guest_remove(void)
{
	uint64_t val;
	long index;
	int i;

	guest_hash_init(HV_HPT_ORDER);
	for (i = 0; i < REMOVALS; i++) {
		index = guest_map(EA, GUEST_FREE_BASE);
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
	}
	GUEST_DONE();
}

static void test_local(void)
{
	struct kvm_vm *vm;

	trace_begin();
	vm = hv_vm_create(HV_HASH);
	vcpu_run_to_done(vm_vcpu_add(vm, 0, guest_remove));
	write_file(EVENTS, "0");
	TEST_ASSERT(vm_get_stat(vm, "tlb_local") >= REMOVALS, "local");
	TEST_ASSERT_EQ(traced("kvmppc_tlb_invalidate", " local"), vm_get_stat(vm, "tlb_local"));
	TEST_ASSERT_EQ(traced("kvmppc_tlb_invalidate", " global"), vm_get_stat(vm, "tlb_global"));
	kvm_vm_free(vm);
}

static void guest_touch(void)
{
	volatile uint64_t *p = (void *)GUEST_RAM_SIZE;
	unsigned long i;

	for (;;) {
		for (i = 0; i < PAGES; i++)
			p[i * HOST_PAGE / 8] = i;
		GUEST_SYNC(1);
	}
}

static void test_deferred(void)
{
	struct kvm_vcpu *vcpu;
	struct mem_region *r;
	struct kvm_vm *vm;

	trace_begin();
	vm = hv_vm_create(HV_RADIX);
	r = vm_mem_add(vm, 1, GUEST_RAM_SIZE, PAGES * HOST_PAGE, 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_touch);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!madvise(r->hva, r->size, MADV_DONTNEED), "madvise");
	vcpu_run_to_sync(vcpu, 1, NULL);
	write_file(EVENTS, "0");
	TEST_ASSERT(vm_get_stat(vm, "tlb_deferred") >= PAGES, "deferred");
	TEST_ASSERT_EQ(traced("kvmppc_tlb_invalidate", " deferred"),
		       vm_get_stat(vm, "tlb_deferred"));
	TEST_ASSERT(vm_get_stat(vm, "tlb_flushes") > 0, "flushes");
	TEST_ASSERT_EQ(traced("kvmppc_tlb_flush", "flushes=1"), vm_get_stat(vm, "tlb_flushes"));
	kvm_vm_free(vm);
}

static void guest_sync(void)
{
	for (;;)
		GUEST_SYNC(1);
}

static void test_migrate(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	cpu_set_t set;

	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) > 1);
	trace_begin();
	vm = hv_vm_create(HV_RADIX);
	vcpu = vm_vcpu_add(vm, 0, guest_sync);
	vcpu_run_to_sync(vcpu, 1, NULL);
	CPU_ZERO(&set);
	/* Another core, whatever its number of threads. */
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "affinity");
	vcpu_run_to_sync(vcpu, 1, NULL);
	write_file(EVENTS, "0");
	TEST_ASSERT_EQ(traced("kvmppc_tlb_migrate", "from cpu=0"), 1);
	TEST_ASSERT_EQ(vm_get_stat(vm, "tlb_marks"), 1);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "local", test_local },
	{ "deferred", test_deferred },
	{ "migrate", test_migrate },
};

TEST_MAIN(tests)
