// SPDX-License-Identifier: GPL-2.0
/*
 * What hash guests pay for invalidations, and any guest for an exit to userspace:
 * instructions executed by the whole machine, read from the guest's time base under
 * -icount shift=3 (8 ns each; the time base has 512 MHz).
 */
#include <sched.h>

#include "hv.h"

#define EA		(HV_EA_BASE + 0x5000)
#define ROUNDS		2000

static uint64_t ticks;

static void guest_hremove(void)
{
	uint64_t i, val, t = 0;
	long index;

	guest_hash_init(HV_HPT_ORDER);
	for (i = 0; i < ROUNDS + 100; i++) {
		if (i == 100)
			t = mftb();
		index = guest_map(EA, GUEST_FREE_BASE);
		GUEST_ASSERT(index >= 0);
		GUEST_ASSERT_EQ(guest_load(EA, &val), EXC_NONE);
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
	}
	ticks = mftb() - t;
	GUEST_DONE();
}

static void guest_idle(void)
{
	uint64_t val;

	guest_hash_init(HV_HPT_ORDER);
	guest_load(EA, &val);
	GUEST_DONE();
}

static void guest_exit(void)
{
	uint64_t i, t = 0;

	for (i = 0; i < ROUNDS + 100; i++) {
		if (i == 100)
			t = mftb();
		GUEST_SYNC(1);
	}
	ticks = mftb() - t;
	GUEST_DONE();
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* A machine with fewer CPUs runs all on those it has. */
	sched_setaffinity(0, sizeof(set), &set);
}

static void report(struct kvm_vm *vm, const char *name)
{
	sync_global_from_guest(vm, ticks);
	printf("bench: %s %llu instructions\n", name,
	       (unsigned long long)(ticks * 1000 / 4096 / ROUNDS));
	kvm_vm_free(vm);
}

static void bench_hremove(const char *name, int nidle)
{
	struct kvm_vm *vm = hv_vm_create(HV_HASH);
	int i;

	for (i = 1; i <= nidle; i++) {
		on_cpu(i);
		vcpu_run_to_done(vm_vcpu_add(vm, i, guest_idle));
	}
	on_cpu(0);
	vcpu_run_to_done(vm_vcpu_add(vm, 0, guest_hremove));
	report(vm, name);
}

int main(void)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	bench_hremove("enter_remove", 0);
	bench_hremove("enter_remove_idle", 1);
	vm = hv_vm_create(HV_HASH);
	vcpu = vm_vcpu_add(vm, 0, guest_exit);
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		;
	report(vm, "exit");
	return 0;
}
