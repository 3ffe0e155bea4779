// SPDX-License-Identifier: GPL-2.0
/*
 * Signals and a running vCPU: each one interrupts KVM_RUN or is held back by
 * KVM_SET_SIGNAL_MASK, immediate_exit does not enter the guest, and a guest
 * that is interrupted thousands of times computes what it would have.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "kvm_util.h"

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void catch_signal(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	signals = 0;
	sigaction(SIGUSR1, &sa, NULL);
}

static timer_t start_timer(long us, bool periodic)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec it = {
		.it_value = { us / 1000000, us % 1000000 * 1000 },
	};
	timer_t timer;

	if (periodic)
		it.it_interval = it.it_value;
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	timer_settime(timer, 0, &it, NULL);
	return timer;
}

static void guest_spin(void)
{
	for (;;)
		asm volatile("" : : : "memory");
}

/* A guest that never exits by itself can be got out. */
static void test_interrupt(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_spin);
	int i, before;
	timer_t timer;

	catch_signal();
	for (i = 0; i < 20; i++) {
		before = signals;
		/* Again and again: the first may come before KVM_RUN is there. */
		timer = start_timer(5000, true);
		TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN");
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
		TEST_ASSERT(signals > before, "%d signals", signals);
		timer_delete(timer);
	}
	TEST_ASSERT(vcpu_get_stat(vcpu, "signal_exits") >= 20, "signal_exits");
	kvm_vm_free(vm);
}

static uint32_t checksum(uint32_t n)
{
	volatile uint32_t *buf = (void *)GUEST_FREE_BASE;
	uint32_t sum = 1, i;

	for (i = 0; i < n; i++) {
		buf[i % 4096] = sum;
		sum = sum * 1664525 + 1013904223 + buf[(i * 7) % 4096];
	}
	return sum;
}

static void guest_checksum(uint32_t n)
{
	GUEST_SYNC_ARGS(1, checksum(n));
	GUEST_DONE();
}

/* The same sum with signals as without. Returns how many there were. */
static int storm(unsigned long n)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_checksum);
	int before = signals;
	uint32_t want;
	struct ucall uc;
	timer_t timer;

	vcpu_args_set(vcpu, 1, n);
	vcpu_run_to_sync(vcpu, 1, &uc);
	want = uc.args[1];
	kvm_vm_free(vm);

	vm = vm_create_with_one_vcpu(&vcpu, guest_checksum);
	vcpu_args_set(vcpu, 1, n);
	timer = start_timer(500, true);
	vcpu_run_to_sync(vcpu, 1, &uc);
	timer_delete(timer);
	TEST_ASSERT_EQ(uc.args[1], want);
	kvm_vm_free(vm);
	return signals - before;
}

static void test_storm(void)
{
	unsigned long n;
	int count = 0;

	catch_signal();
	/* A fast machine gets more to do. */
	for (n = 2000000; count <= 3 && n < 100000000; n *= 2) {
		count = storm(n);
		print_info("%d signals", count);
	}
	TEST_ASSERT(count > 3, "%d signals", count);
}

static void set_mask(struct kvm_vcpu *vcpu, const sigset_t *set)
{
	/* The kernel's signal set is 64 bits, the C library's is longer. */
	struct {
		struct kvm_signal_mask head;
		uint8_t set[8];
	} mask = { .head.len = 8 };

	if (set)
		memcpy(mask.head.sigset, set, 8);
	vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, set ? &mask.head : NULL);
}

static void test_mask(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_checksum);
	sigset_t block, old;
	struct ucall uc;

	catch_signal();
	/* Blocked outside, let in by the vCPU's mask: pending means EINTR. */
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	vcpu_args_set(vcpu, 1, 1000UL);
	set_mask(vcpu, &old);
	kill(getpid(), SIGUSR1);
	TEST_ASSERT_EQ(signals, 0);
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN");
	/* Not handled, since it is blocked again: it is still pending. */
	TEST_ASSERT_EQ(signals, 0);
	/* Blocked in both: the guest runs to its exit. */
	set_mask(vcpu, &block);
	TEST_ASSERT(_vcpu_run(vcpu) == 0, "KVM_RUN");
	TEST_ASSERT(vcpu_handle_exit(vcpu, &uc) == UCALL_SYNC, "exit");
	TEST_ASSERT_EQ(signals, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	TEST_ASSERT_EQ(signals, 1);
	set_mask(vcpu, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_immediate_exit(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_spin);
	struct kvm_regs before, after;
	int i;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_IMMEDIATE_EXIT));
	vcpu_regs_get(vcpu, &before);
	vcpu->run->immediate_exit = 1;
	for (i = 0; i < 100; i++)
		TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN");
	vcpu_regs_get(vcpu, &after);
	TEST_ASSERT(!memcmp(&before, &after, sizeof(before)), "the guest ran");
	kvm_vm_free(vm);
}

/* A signal for a vCPU that sleeps in MSR[WE]. */
static void guest_wait(void)
{
	for (;;)
		mtmsr(MSR_WE | MSR_EE);
}

static void test_halted(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_wait);
	timer_t timer;
	int i;

	catch_signal();
	for (i = 0; i < 5; i++) {
		timer = start_timer(20000, false);
		TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EINTR, "KVM_RUN");
		timer_delete(timer);
	}
	TEST_ASSERT_EQ(signals, 5);
	kvm_vm_free(vm);
}

/* Interrupts, signals and ioctls from other threads, all at once. */
static volatile bool stop;

static void *ioctl_thread(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct kvm_interrupt irq;

	while (!stop) {
		irq.irq = KVM_INTERRUPT_SET;
		ioctl(vcpu->fd, KVM_INTERRUPT, &irq);
		vcpu_get_stat(vcpu, "sum_exits");
		irq.irq = KVM_INTERRUPT_UNSET;
		ioctl(vcpu->fd, KVM_INTERRUPT, &irq);
		usleep(100);
	}
	return NULL;
}

static void test_interrupt_storm(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_checksum);
	pthread_t thread;
	uint32_t want;
	struct ucall uc;
	timer_t timer;

	vcpu_args_set(vcpu, 1, 1000000UL);
	vcpu_run_to_sync(vcpu, 1, &uc);
	want = uc.args[1];
	kvm_vm_free(vm);

	catch_signal();
	vm = vm_create_with_one_vcpu(&vcpu, guest_checksum);
	vcpu_args_set(vcpu, 1, 1000000UL);
	TEST_ASSERT(!pthread_create(&thread, NULL, ioctl_thread, vcpu), "pthread_create");
	timer = start_timer(1000, true);
	vcpu_run_to_sync(vcpu, 1, &uc);
	timer_delete(timer);
	stop = true;
	pthread_join(thread, NULL);
	TEST_ASSERT_EQ(uc.args[1], want);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "interrupt", test_interrupt },
	{ "storm", test_storm },
	{ "mask", test_mask },
	{ "immediate_exit", test_immediate_exit },
	{ "halted", test_halted },
	{ "interrupt_storm", test_interrupt_storm },
};

TEST_MAIN(tests)
