// SPDX-License-Identifier: GPL-2.0
/*
 * What invalidations and guest entries cost: instructions executed by the whole
 * machine, from the time base under -icount shift=3 (8 ns each; the time base has
 * 512 MHz), and tlbie and tlbiel as selftests/plugins/tlbcount.c counts them between
 * its marks 20 and 21, which make bench puts before each "bench-count:" line.
 *
 *   bench [-b] [-p prefix-of-the-names]
 *
 * -b adds vCPUs that are in the guest all the time, which on powernv8 with one thread
 * of QEMU sometimes do not get there.
 *
 * It uses nothing that mainline does not have.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv.h"

#define EA		(HV_EA_BASE + 0x5000)
#define REMOVALS	20000
#define BUSY_REMOVALS	2000
#define EXITS		2000
#define NCPUS		4
#define LOG_PAGES	1024			/* 64 MB */
#define HOST_PAGE	0x10000UL

#define MARK(n)	asm volatile("xori " #n "," #n ",0" : : : "memory")

static const char *prefix = "";
static uint64_t ticks;
static uint32_t removals = REMOVALS;
static uint32_t ready, done;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "CPU %d", cpu);
}

/* What the plugin counted since mark 20 is what @name is about. */
static void report_counts(const char *name)
{
	printf("bench-count: %s%s\n", prefix, name);
	fflush(stdout);
	/* The line is to be on the console before the next mark. */
	usleep(300000);
}

static void report_instructions(struct kvm_vm *vm, const char *name, unsigned int rounds)
{
	sync_global_from_guest(vm, ticks);
	printf("bench: %s%s %llu instructions\n", prefix, name,
	       (unsigned long long)(ticks * 1000 / 4096 / rounds));
}

/* Only H_REMOVE is measured, of a page that was just used. */
static void guest_hremove(unsigned long nothers)
{
	uint64_t i, t, val, sum = 0;
	long index;

	guest_hash_init(HV_HPT_ORDER);
	while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < nothers)
		;
	MARK(20);
	for (i = 0; i < removals; i++) {
		index = guest_map(EA, GUEST_FREE_BASE);
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		t = mftb();
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
		sum += mftb() - t;
	}
	MARK(21);
	ticks = sum;
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	GUEST_DONE();
}

static void guest_idle(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	guest_load(EA, &val);
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	GUEST_DONE();
}

static void guest_busy(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		guest_load(EA, &val);
	GUEST_DONE();
}

struct busy {
	struct kvm_vcpu *vcpu;
	int cpu;
};

static void *busy_thread(void *arg)
{
	struct busy *b = arg;

	on_cpu(b->cpu);
	vcpu_run_to_done(b->vcpu);
	return NULL;
}

static void bench_hremove(const char *name, int nidle, int nbusy)
{
	struct busy busy[NCPUS];
	pthread_t threads[NCPUS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	char instructions[64];
	int i;

	vm = hv_vm_create(HV_HASH);
	removals = nbusy ? BUSY_REMOVALS : REMOVALS;
	sync_global_to_guest(vm, removals);
	on_cpu(0);
	vcpu = vm_vcpu_add(vm, 0, guest_hremove);
	vcpu_args_set(vcpu, 1, (unsigned long)nidle + nbusy);
	for (i = 1; i <= nidle; i++) {
		on_cpu(i);
		vcpu_run_to_done(vm_vcpu_add(vm, i, guest_idle));
	}
	for (i = 1; i <= nbusy; i++) {
		busy[i] = (struct busy) { vm_vcpu_add(vm, i, guest_busy), i };
		TEST_ASSERT(!pthread_create(&threads[i], NULL, busy_thread, &busy[i]), "thread");
	}
	on_cpu(0);
	vcpu_run_to_done(vcpu);
	for (i = 1; i <= nbusy; i++)
		pthread_join(threads[i], NULL);
	report_counts(name);
	snprintf(instructions, sizeof(instructions), "%s_cost", name);
	/* With others at it, the machine's instructions are mostly theirs. */
	if (!nbusy)
		report_instructions(vm, instructions, removals);
	kvm_vm_free(vm);
}

static void guest_sync(void)
{
	for (;;)
		GUEST_SYNC(1);
}

/* A VM's first entry on each of the CPUs; nobody had its LPID before. */
static void bench_first_entry(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int i;

	on_cpu(0);
	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_sync);
	MARK(20);
	for (i = 0; i < NCPUS; i++) {
		on_cpu(i);
		vcpu_run_to_sync(vcpu, 1, NULL);
	}
	MARK(21);
	report_counts("first_entry");
	MARK(20);
	for (i = 0; i < 36; i++) {
		on_cpu(i % NCPUS);
		vcpu_run_to_sync(vcpu, 1, NULL);
	}
	MARK(21);
	report_counts("migrate_36");
	kvm_vm_free(vm);
}

static void guest_exits(void)
{
	uint64_t i, t = 0;

	for (i = 0; i < EXITS + 100; i++) {
		if (i == 100)
			t = mftb();
		GUEST_SYNC(1);
	}
	ticks = mftb() - t;
	GUEST_DONE();
}

static void bench_exit(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	on_cpu(0);
	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_exits);
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		;
	report_instructions(vm, "exit_and_entry_cost", EXITS);
	kvm_vm_free(vm);
}

static void guest_dirty(void)
{
	volatile uint64_t *p = (void *)GUEST_RAM_SIZE;
	unsigned long i;

	for (i = 0; i < LOG_PAGES; i++)
		p[i * HOST_PAGE / 8] = i;
	GUEST_SYNC(1);
}

/* A dirty log pass over the pages of a guest that is not running. */
static void bench_dirty_log(void)
{
	unsigned long bitmap[LOG_PAGES / 64] = {};
	struct kvm_vm *vm;
	unsigned int i;

	if (kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) <= 0)
		return;
	on_cpu(0);
	vm = hv_vm_create(HV_RADIX);
	vm_mem_add(vm, 1, GUEST_RAM_SIZE, LOG_PAGES * HOST_PAGE, KVM_MEM_LOG_DIRTY_PAGES,
		   NULL);
	vcpu_run_to_sync(vm_vcpu_add(vm, 0, guest_dirty), 1, NULL);
	MARK(20);
	vm_get_dirty_log(vm, 1, bitmap);
	MARK(21);
	for (i = 0; i < LOG_PAGES / 64; i++)
		TEST_ASSERT_EQ(bitmap[i], ~0UL);
	report_counts("dirty_log_64mb");
	kvm_vm_free(vm);
}

int main(int argc, char **argv)
{
	bool busy = false;
	int c;

	while ((c = getopt(argc, argv, "bp:")) != -1) {
		if (c == 'p')
			prefix = optarg;
		else if (c == 'b')
			busy = true;
	}
	TEST_ASSERT(sysconf(_SC_NPROCESSORS_ONLN) >= NCPUS, "needs %d CPUs", NCPUS);
	bench_first_entry();
	bench_hremove("hremove_one", 0, 0);
	bench_hremove("hremove_idle", NCPUS - 1, 0);
	if (busy)
		bench_hremove("hremove_busy", 0, NCPUS - 1);
	bench_dirty_log();
	bench_exit();
	return 0;
}
