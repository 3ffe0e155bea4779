// SPDX-License-Identifier: GPL-2.0
/*
 * LL and SC, which a guest executes without KVM: several vCPUs change the same words,
 * in KSEG0 and by their TLBs, while signals take them out of the guest and the host's
 * scheduler takes their CPU. What they count together must be exact: an SC that does
 * not fail after its vCPU was away loses what another one has done meanwhile.
 *
 * With more CPUs than one, QEMU's SC succeeds if the word has the value that LL saw,
 * whoever has written it. So a value that is changed and changed back is for vCPUs
 * on the same CPU.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "kvm_util.h"

#define NR_VCPUS	4
#define TURNS		20000	/* of each vCPU, at least */
#define MISSES		20	/* and SCs that fail */
#define WINDOW		100	/* turns of a loop between LL and SC */
#define ROUNDS		50
#define VA		0x00400000UL

/* In a page that the vCPUs map, too */
static struct shared {
	uint32_t counter;
	uint32_t lock;
	uint32_t guarded[2];
	uint32_t here __aligned(128);
	uint32_t turns[NR_VCPUS], misses[NR_VCPUS];
} shared __aligned(65536);

/* --- guest --- */

/* Adds 1, with time for somebody else in between. Returns whether SC succeeded. */
static uint32_t add_slowly(volatile uint32_t *word)
{
	uint32_t val, n = WINDOW;

	asm volatile(".set push; .set noreorder\n"
		     "ll	%0, 0(%2)\n"
		     "1: bnez	%1, 1b\n"
		     "addiu	%1, %1, -1\n"
		     "addiu	%0, %0, 1\n"
		     "sc	%0, 0(%2)\n"
		     ".set pop"
		     : "=&r"(val), "+r"(n) : "r"(word) : "memory");
	return val;
}

/* Returns whether the lock was free and is now taken. */
static uint32_t try_lock(volatile uint32_t *lock)
{
	uint32_t val, taken;

	asm volatile(".set push; .set noreorder\n"
		     "ll	%0, 0(%2)\n"
		     "bnez	%0, 1f\n"
		     "move	%1, $0\n"
		     "li	%1, 1\n"
		     "sc	%1, 0(%2)\n"
		     "1: sync\n"
		     ".set pop"
		     : "=&r"(val), "=&r"(taken) : "r"(lock) : "memory");
	return taken;
}

static void unlock(volatile uint32_t *lock)
{
	asm volatile("sync" : : : "memory");
	*lock = 0;
}

static void guest_count(unsigned long me)
{
	volatile struct shared *s = &shared;
	uint32_t turns = 0, misses = 0;

	if (me & 1) {
		guest_tlb_write(0, -1, VA, LO_PFN(ARCH_GVA2GPA((uintptr_t)s)) |
				LO_C | LO_V | LO_D, 0);
		s = (volatile struct shared *)VA;
	}
	/* All together */
	while (!add_slowly(&s->here))
		;
	while (s->here < NR_VCPUS)
		;
	do {
		while (!add_slowly(&s->counter))
			misses++;
		if (turns++ % 16)
			continue;
		while (!try_lock(&s->lock))
			;
		GUEST_ASSERT_EQ(s->guarded[0], s->guarded[1]);
		s->guarded[0]++;
		s->guarded[1]++;
		unlock(&s->lock);
	} while (turns < TURNS || misses < MISSES);
	s->turns[me] = turns;
	s->misses[me] = misses;
	GUEST_DONE();
}

/* --- test --- */

static struct kvm_vcpu *vcpus[NR_VCPUS];
static pthread_t threads[NR_VCPUS];

static void *run_vcpu(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

static struct kvm_vm *start(unsigned int n, void *guest)
{
	struct kvm_vm *vm = vm_create();
	unsigned int i;

	for (i = 0; i < n; i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest);
		vcpu_args_set(vcpus[i], 1, (unsigned long)i);
	}
	for (i = 0; i < n; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, run_vcpu, vcpus[i]), "thread");
	return vm;
}

/* A signal that does nothing but end KVM_RUN */
static void interrupt(int sig)
{
}

static volatile bool ends;

static void *send_signals(void *arg)
{
	unsigned int n;

	for (n = 0; !ends; n++) {
		pthread_kill(threads[n % NR_VCPUS], SIGUSR1);
		usleep(500);
	}
	return NULL;
}

static void test_counter(void)
{
	struct sigaction action = { .sa_handler = interrupt };
	uint32_t turns = 0, locks = 0, misses = 0, i;
	pthread_t signals;
	struct kvm_vm *vm;

	sigaction(SIGUSR1, &action, NULL);
	vm = start(NR_VCPUS, guest_count);
	TEST_ASSERT(!pthread_create(&signals, NULL, send_signals, NULL), "thread");
	for (i = 0; i < NR_VCPUS; i++) {
		/* Signals are for threads that there are. */
		while (!READ_ONCE(guest_addr(vm, shared)->turns[i]))
			usleep(1000);
	}
	ends = true;
	pthread_join(signals, NULL);
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(threads[i], NULL);

	sync_global_from_guest(vm, shared);
	for (i = 0; i < NR_VCPUS; i++) {
		TEST_ASSERT(vcpu_get_stat(vcpus[i], "signal_exits") > 0, "no signals");
		turns += shared.turns[i];
		locks += (shared.turns[i] + 15) / 16;
		misses += shared.misses[i];
	}
	print_info("%u turns, %u times SC failed", turns, misses);
	TEST_ASSERT_EQ(shared.counter, turns);
	TEST_ASSERT_EQ(shared.guarded[0], locks);
	TEST_ASSERT_EQ(shared.guarded[1], locks);
	kvm_vm_free(vm);
}

/* --- changed and changed back --- */

/*
 * Makes it turn @turn after LL of @word, waits for another turn, and stores @val by SC.
 * Returns whether that succeeded.
 */
static uint32_t store_after(volatile uint32_t *word, uint32_t val,
			    volatile uint32_t *here, uint32_t turn)
{
	uint32_t tmp;

	asm volatile(".set push; .set noreorder\n"
		     "ll	%1, 0(%2)\n"
		     "sw	%4, 0(%3)\n"
		     "1: lw	%1, 0(%3)\n"
		     "beq	%1, %4, 1b\n"
		     "nop\n"
		     "sc	%0, 0(%2)\n"
		     ".set pop"
		     : "+&r"(val), "=&r"(tmp) : "r"(word), "r"(here), "r"(turn)
		     : "memory");
	return val;
}

static void guest_back(unsigned long me)
{
	volatile struct shared *s = &shared;
	uint32_t round;

	for (round = 0; round < 2 * ROUNDS; round += 2) {
		if (me == 0) {
			GUEST_ASSERT_EQ(store_after(&s->counter, 0x1000, &s->here,
						    round + 1), 0);
			GUEST_ASSERT_EQ(s->counter, 0);
		} else {
			while (s->here != round + 1)
				;
			s->counter = 0x2000;
			s->counter = 0;
			s->here = round + 2;
		}
	}
	GUEST_DONE();
}

static void test_back(void)
{
	struct kvm_vm *vm;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(one), &one), "affinity");
	vm = start(2, guest_back);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	sync_global_from_guest(vm, shared);
	TEST_ASSERT_EQ(shared.here, 2 * ROUNDS);
	kvm_vm_free(vm);
}

/* --- an exception in between --- */

static void go_on(struct ex_regs *regs)
{
	shared.turns[0]++;
	regs->epc += 4;
}

static void guest_exception_between(void)
{
	uint32_t val, i;

	guest_set_handler(EXC_SYS, go_on);
	for (i = 1; i <= 100; i++) {
		asm volatile("ll %0, 0(%1); syscall; li %0, 0x1000; sc %0, 0(%1)"
			     : "=&r"(val) : "r"(&shared.counter) : "memory");
		GUEST_ASSERT_EQ(shared.turns[0], i);
		GUEST_ASSERT_EQ(val, 0);
		GUEST_ASSERT_EQ(shared.counter, 0);
		/* What KVM emulates may or may not make it fail. */
		asm volatile("ll %0, 0(%1); mfc0 %0, $14; li %0, 0x1000; sc %0, 0(%1)"
			     : "=&r"(val) : "r"(&shared.counter) : "memory");
		GUEST_ASSERT_EQ(shared.counter, val ? 0x1000 : 0);
		shared.counter = 0;
	}
	GUEST_DONE();
}

static void test_exception(void)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpus[0], guest_exception_between);

	vcpu_run_to_done(vcpus[0]);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "counter", test_counter },
	{ "back", test_back },
	{ "exception", test_exception },
};

TEST_MAIN(tests)
