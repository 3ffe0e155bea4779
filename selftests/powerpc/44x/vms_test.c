// SPDX-License-Identifier: GPL-2.0
/*
 * Several VMs share one core, its TLB and its 255 TIDs with each other and
 * with busy processes of the host; none ever sees another's memory, and all
 * get done.
 *
 * Every VM uses the same addresses and PIDs, with contents of its own. They
 * take turns at every exit, from one thread, and at the scheduler's will, from
 * threads and processes of their own.
 */
#include <pthread.h>

#include "44x.h"

#define VMS		4
#define EA		0x40000000UL
#define RAM		GUEST_FREE_BASE
#define PAGES		80u		/* more than the TLB holds */
#define PIDS		8u

/*
 * Page n of process p of VM v holds its own name. More PIDs than shadow TIDs
 * last for, with VMS VMs and several rounds.
 */
static uint32_t name(uint32_t vm, uint32_t pid, uint32_t page)
{
	return 0x10000000 * (vm + 1) + pid * 0x10000 + page;
}

static void guest_turns(uint32_t me, uint32_t rounds, bool exits)
{
	uint32_t round, pid, i;

	guest_44x_init();
	for (pid = 0; pid < PIDS; pid++)
		for (i = 0; i < PAGES; i++)
			*(uint32_t *)(RAM + (pid * PAGES + i) * 4096) = name(me, pid, i);
	for (pid = 0; pid < PIDS; pid++)
		tlb_write(10 + pid, EA | TLB0_V | SIZE_16M, 0, TLB2_RWX, pid + 1);
	for (round = 0; round < rounds; round++) {
		for (pid = 0; pid < PIDS; pid++) {
			/* The same address, by different PIDs of different VMs. */
			set_pid(pid + 1);
			for (i = 0; i < PAGES; i++) {
				volatile uint32_t *p = (void *)(EA + RAM +
					(pid * PAGES + i) * 4096);

				if (*p != name(me, pid, i))
					GUEST_FAIL("page of another: value, pid, page",
						   *p, pid, i, round);
				p[1] = round;
			}
			if (exits)
				GUEST_SYNC(round);
		}
		/* New PIDs all the time: shadow TIDs run out. */
		for (pid = 0; pid < PIDS; pid++) {
			tlb_write(10 + pid, EA | TLB0_V | SIZE_16M, 0, TLB2_RWX,
				  (round * PIDS + pid) % 255 + 1);
			set_pid((round * PIDS + pid) % 255 + 1);
			GUEST_ASSERT_EQ(*(volatile uint32_t *)
					(EA + RAM + pid * PAGES * 4096),
					name(me, pid, 0));
			tlb_write(10 + pid, EA | TLB0_V | SIZE_16M, 0, TLB2_RWX,
				  pid + 1);
		}
	}
	set_pid(0);
	GUEST_DONE();
}

static void test_turns(void)
{
	struct kvm_vcpu *vcpu[VMS];
	struct kvm_vm *vm[VMS];
	unsigned int n, round, pid;

	for (n = 0; n < VMS; n++) {
		vm[n] = vm_create_with_one_vcpu(&vcpu[n], guest_turns);
		vcpu_args_set(vcpu[n], 3, (unsigned long)n, 12UL, 1UL);
	}
	for (round = 0; round < 12; round++)
		for (pid = 0; pid < PIDS; pid++)
			for (n = 0; n < VMS; n++)
				vcpu_run_to_sync(vcpu[n], round, NULL);
	for (n = 0; n < VMS; n++) {
		vcpu_run_to_done(vcpu[n]);
		kvm_vm_free(vm[n]);
	}
}

struct job {
	unsigned int n;
	pthread_t thread;
};

static void *vm_thread(void *arg)
{
	struct job *job = arg;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_turns);
	vcpu_args_set(vcpu, 3, (unsigned long)job->n, 40UL, 0UL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
	return NULL;
}

static void test_threads(void)
{
	struct job job[VMS];
	unsigned int n;

	for (n = 0; n < VMS; n++) {
		job[n].n = n;
		TEST_ASSERT(!pthread_create(&job[n].thread, NULL, vm_thread, &job[n]),
			    "pthread_create");
	}
	for (n = 0; n < VMS; n++)
		pthread_join(job[n].thread, NULL);
}

static void test_busy_host(void)
{
	struct job job[2];
	pid_t pid[2];
	unsigned int n;

	for (n = 0; n < 2; n++)
		pid[n] = start_busy_process();
	for (n = 0; n < 2; n++) {
		job[n].n = n;
		TEST_ASSERT(!pthread_create(&job[n].thread, NULL, vm_thread, &job[n]),
			    "pthread_create");
	}
	for (n = 0; n < 2; n++)
		pthread_join(job[n].thread, NULL);
	for (n = 0; n < 2; n++)
		end_busy_process(pid[n]);
}

/* Two vCPUs of one VM, same memory, each with its own TLB. */
static void guest_own_tlb(uint32_t me)
{
	uint32_t round;

	guest_44x_init();
	for (round = 0; round < 50; round++) {
		uint32_t pa = RAM + 0x100000 * (me + 1) + round % 16 * 4096;

		tlb_write(10, EA | TLB0_V | SIZE_4K, pa, TLB2_RWX, 0);
		*(volatile uint32_t *)EA = me << 16 | round;
		GUEST_SYNC(round);
		GUEST_ASSERT_EQ(*(volatile uint32_t *)EA, me << 16 | round);
		GUEST_ASSERT_EQ(*(volatile uint32_t *)pa, me << 16 | round);
	}
	GUEST_DONE();
}

static void test_vcpus(void)
{
	struct kvm_vcpu *vcpu[2];
	unsigned int n, round;
	struct kvm_vm *vm;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MAX_VCPUS) >= 2);
	vm = vm_create();
	for (n = 0; n < 2; n++) {
		vcpu[n] = vm_vcpu_add(vm, n, guest_own_tlb);
		vcpu_args_set(vcpu[n], 1, (unsigned long)n);
	}
	/*
	 * probe() and the exception code keep their state in variables, which
	 * the vCPUs share; this guest uses neither between its exits.
	 */
	for (round = 0; round < 50; round++)
		for (n = 0; n < 2; n++)
			vcpu_run_to_sync(vcpu[n], round, NULL);
	for (n = 0; n < 2; n++)
		vcpu_run_to_done(vcpu[n]);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "turns", test_turns, 120 },
	{ "threads", test_threads, 120 },
	{ "busy_host", test_busy_host, 120 },
	{ "vcpus", test_vcpus },
};

TEST_MAIN(tests)
