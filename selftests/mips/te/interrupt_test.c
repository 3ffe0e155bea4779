// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: the timer, lines from userspace, masks, levels, WAIT, the vector.
 * No time is asserted, but for the order of Count, Compare and the interrupt, and
 * that it does not wait for another one.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "kvm_util.h"

#define REG_CAUSE	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 13))

static volatile uint32_t taken, last_cause, last_vector, last_epc;

static void ack_timer(struct ex_regs *regs)
{
	taken++;
	last_cause = regs->cause;
	last_vector = regs->vector;
	last_epc = regs->epc;
	write_c0(C0_COMPARE, read_c0(C0_COMPARE));
}

/*
 * Lets the timer expire @delta from now; returns Compare. Count may be there
 * before Compare is written: then it is tried again.
 */
static uint32_t arm_timer(uint32_t delta)
{
	uint32_t before = taken, compare;

	do {
		compare = read_c0(C0_COUNT) + delta;
		write_c0(C0_COMPARE, compare);
	} while ((int32_t)(read_c0(C0_COUNT) - compare) >= 0 && taken == before &&
		 !(read_c0(C0_CAUSE) & CAUSE_TI));
	return compare;
}

/* --- timer --- */

static void guest_timer(void)
{
	uint32_t compare, i;

	guest_set_handler(EXC_INT, ack_timer);
	for (i = 1; i <= 20; i++) {
		write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
		compare = arm_timer(50000);
		while (taken < i)
			;
		GUEST_ASSERT((int32_t)(read_c0(C0_COUNT) - compare) >= 0);
		GUEST_ASSERT_EQ(last_cause & 0x7c, 0);
		GUEST_ASSERT_EQ(last_cause & CAUSE_TI, CAUSE_TI);
		GUEST_ASSERT_EQ(last_cause & CAUSE_IP_BIT(7), CAUSE_IP_BIT(7));
		GUEST_ASSERT_EQ(last_vector, 0x180);
		GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & (CAUSE_TI | CAUSE_IP_BIT(7)), 0);
	}
	GUEST_ASSERT_EQ(taken, 20);
	GUEST_DONE();
}

static void guest_timer_masked(void)
{
	guest_set_handler(EXC_INT, ack_timer);
	write_c0(C0_STATUS, ST_IE);
	arm_timer(10000);
	while (!(read_c0(C0_CAUSE) & CAUSE_TI))
		;
	GUEST_ASSERT_EQ(taken, 0);
	write_c0(C0_STATUS, ST_IM_BIT(7));
	GUEST_ASSERT_EQ(taken, 0);
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE | ST_EXL);
	GUEST_ASSERT_EQ(taken, 0);
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE | ST_ERL);
	GUEST_ASSERT_EQ(taken, 0);
	/* At once when it is allowed */
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
	GUEST_ASSERT_EQ(taken, 1);
	/* And with EI */
	asm volatile("di; ehb");
	arm_timer(10000);
	while (!(read_c0(C0_CAUSE) & CAUSE_TI))
		;
	GUEST_ASSERT_EQ(taken, 1);
	asm volatile("ei; ehb");
	GUEST_ASSERT_EQ(taken, 2);
	GUEST_DONE();
}

static void guest_vector(void)
{
	guest_set_handler(EXC_INT, ack_timer);
	write_c0(C0_CAUSE, CAUSE_IV);
	arm_timer(10000);
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
	while (!taken)
		;
	GUEST_ASSERT_EQ(last_vector, 0x200);
	GUEST_DONE();
}

/* Count stands still with Cause.DC, and goes on from there. */
static void guest_count(void)
{
	uint32_t a, b, i;

	write_c0(C0_CAUSE, CAUSE_DC);
	a = read_c0(C0_COUNT);
	for (i = 0; i < 1000; i++)
		b = read_c0(C0_COUNT);
	GUEST_ASSERT_EQ(a, b);
	write_c0(C0_COUNT, 0x10000);
	GUEST_ASSERT_EQ(read_c0(C0_COUNT), 0x10000);
	write_c0(C0_CAUSE, 0);
	b = read_c0(C0_COUNT);
	while (read_c0(C0_COUNT) == b)
		;
	a = read_c0(C0_COUNT);
	GUEST_ASSERT(a - 0x10000 < 0x40000000);
	for (i = 0; i < 1000; i++) {
		b = read_c0(C0_COUNT);
		GUEST_ASSERT((int32_t)(b - a) >= 0);
		a = b;
	}
	GUEST_DONE();
}

/* Interrupts the loop at any instruction: nothing is lost or done twice. */
static void guest_everywhere(void)
{
	uint32_t a = 0, b = 0, n = 0;

	guest_set_handler(EXC_INT, ack_timer);
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
	while (taken < 200) {
		uint32_t before = taken;

		arm_timer(30000 + 17 * (n % 64));
		while (taken == before) {
			asm volatile(".set push; .set noreorder\n"
				     "addiu %0, %0, 1\n"
				     "beq %0, $0, 1f\n"
				     "addiu %1, %1, 1\n"
				     "1: .set pop"
				     : "+r"(a), "+r"(b));
			GUEST_ASSERT_EQ(a, b);
			n++;
		}
	}
	GUEST_ASSERT_EQ(a, n);
	GUEST_DONE();
}

/* --- WAIT --- */

static void guest_wait(void)
{
	uint32_t i;

	guest_set_handler(EXC_INT, ack_timer);
	for (i = 1; i <= 5; i++) {
		arm_timer(200000);
		write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
		while (taken < i)
			asm volatile("wait");
	}
	/* It ends for an interrupt that is not taken, too. */
	write_c0(C0_STATUS, ST_IM_BIT(7));
	arm_timer(200000);
	asm volatile("wait");
	GUEST_ASSERT_EQ(taken, 5);
	GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & CAUSE_TI, CAUSE_TI);
	GUEST_DONE();
}

/* --- lines from userspace --- */

static void count_line(struct ex_regs *regs)
{
	taken++;
	last_cause = regs->cause;
	/* Until the test lowers the line */
	regs->status &= ~ST_IE;
}

static void guest_lines(void)
{
	guest_set_handler(EXC_INT, count_line);
	write_c0(C0_STATUS, ST_IM_BIT(2) | ST_IM_BIT(3));
	GUEST_SYNC(1);
	/* IP2 is raised. */
	GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & ST_IM, CAUSE_IP_BIT(2));
	asm volatile("ei; ehb");
	GUEST_ASSERT_EQ(taken, 1);
	GUEST_ASSERT_EQ(last_cause & ST_IM, CAUSE_IP_BIT(2));
	/* A level: it is taken as long as it is there. */
	asm volatile("ei; ehb");
	GUEST_ASSERT_EQ(taken, 2);
	GUEST_SYNC(2);
	/* IP2 is lowered. */
	GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & ST_IM, 0);
	asm volatile("ei; ehb");
	GUEST_ASSERT_EQ(taken, 2);
	GUEST_SYNC(3);
	/* IP4 is raised, and masked. */
	GUEST_ASSERT_EQ(taken, 2);
	GUEST_SYNC(4);
	/* IP3 as well. */
	GUEST_ASSERT_EQ(taken, 3);
	GUEST_ASSERT_EQ(last_cause & ST_IM, CAUSE_IP_BIT(3) | CAUSE_IP_BIT(4));
	GUEST_DONE();
}

static void test_lines(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_lines);

	vcpu_run_to_sync(vcpu, 1, NULL);
	vcpu_irq_line(vcpu, 2);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vcpu_irq_line(vcpu, -2);
	vcpu_run_to_sync(vcpu, 3, NULL);
	vcpu_irq_line(vcpu, 4);
	vcpu_run_to_sync(vcpu, 4, NULL);
	vcpu_irq_line(vcpu, 3);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_wait_line(void)
{
	guest_set_handler(EXC_INT, count_line);
	write_c0(C0_STATUS, ST_IM_BIT(2) | ST_IE);
	while (!taken)
		asm volatile("wait");
	GUEST_DONE();
}

static void *raise_later(void *vcpu)
{
	usleep(200000);
	vcpu_irq_line(vcpu, 2);
	return NULL;
}

static void test_wait_line(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_wait_line);
	pthread_t thread;

	TEST_ASSERT(!pthread_create(&thread, NULL, raise_later, vcpu), "thread");
	vcpu_run_to_done(vcpu);
	pthread_join(thread, NULL);
	/* WAIT did wait: there was not an exit for each turn of a busy loop. */
	TEST_ASSERT(vcpu_get_stat(vcpu, "wait_exits") < 20, "%llu",
		    (unsigned long long)vcpu_get_stat(vcpu, "wait_exits"));
	kvm_vm_free(vm);
}

/* By way of another vCPU, while the one that it is for waits, and before it runs */
static void *raise_for_1(void *vcpu)
{
	struct kvm_mips_interrupt i = { .cpu = 1, .irq = 2 };

	usleep(100000);
	vcpu_ioctl((struct kvm_vcpu *)vcpu, KVM_INTERRUPT, &i);
	return NULL;
}

static void test_other(void)
{
	struct kvm_vm *vm = vm_create();
	struct kvm_vcpu *other = vm_vcpu_add(vm, 0, guest_wait_line);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 1, guest_wait_line);
	pthread_t thread;

	TEST_ASSERT(!pthread_create(&thread, NULL, raise_for_1, other), "thread");
	vcpu_run_to_done(vcpu);
	pthread_join(thread, NULL);
	/* The line is still up, and that of the vCPU it was asked of is not. */
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CAUSE) & CAUSE_IP_BIT(2), CAUSE_IP_BIT(2));
	TEST_ASSERT_EQ(vcpu_get_reg(other, REG_CAUSE) & CAUSE_IP_BIT(2), 0);
	kvm_vm_free(vm);
}

/*
 * The timer was set on one CPU, and expires while the guest runs on another one. That
 * interrupts the guest, which does not only see it at the tick of that CPU.
 */
#define MOVES		51
#define LATE		400000	/* 4 ms */
#define MOVE_AFTER	2250000	/* 22.5 ms, no multiple of a tick */

static volatile uint32_t late;

static void note_late(struct ex_regs *regs)
{
	late = read_c0(C0_COUNT) - read_c0(C0_COMPARE);
	ack_timer(regs);
}

static void guest_moved(void)
{
	uint32_t i;

	guest_set_handler(EXC_INT, note_late);
	write_c0(C0_STATUS, ST_IM_BIT(7) | ST_IE);
	for (i = 1; i <= MOVES; i++) {
		arm_timer(MOVE_AFTER);
		GUEST_SYNC(i);
		while (taken < i)
			;
		GUEST_SYNC_ARGS(i, late);
	}
	GUEST_DONE();
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(set), &set), "affinity");
}

static int compare_times(const void *a, const void *b)
{
	return *(uint32_t *)a < *(uint32_t *)b ? -1 : *(uint32_t *)a > *(uint32_t *)b;
}

static void test_moved(void)
{
	uint32_t times[MOVES], i;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) > 1);
	vm = vm_create_with_one_vcpu(&vcpu, guest_moved);
	for (i = 0; i < MOVES; i++) {
		run_on(0);
		vcpu_run_to_sync(vcpu, i + 1, NULL);
		run_on(1);
		vcpu_run_to_sync(vcpu, i + 1, &uc);
		times[i] = uc.args[1];
	}
	vcpu_run_to_done(vcpu);
	qsort(times, MOVES, sizeof(times[0]), compare_times);
	print_info("late by %u to %u us, %u in the middle", times[0] / 100,
		   times[MOVES - 1] / 100, times[MOVES / 2] / 100);
	TEST_ASSERT(times[MOVES / 2] < LATE, "only at the next tick");
	kvm_vm_free(vm);
}

/* Software interrupts */
static void clear_soft(struct ex_regs *regs)
{
	taken++;
	last_cause = regs->cause;
	write_c0(C0_CAUSE, 0);
}

static void guest_soft(void)
{
	guest_set_handler(EXC_INT, clear_soft);
	write_c0(C0_STATUS, ST_IM_BIT(0) | ST_IM_BIT(1) | ST_IE);
	write_c0(C0_CAUSE, CAUSE_IP_BIT(0));
	GUEST_ASSERT_EQ(taken, 1);
	GUEST_ASSERT_EQ(last_cause & ST_IM, CAUSE_IP_BIT(0));
	write_c0(C0_CAUSE, CAUSE_IP_BIT(1));
	GUEST_ASSERT_EQ(taken, 2);
	/* Other lines are not the guest's to raise. */
	write_c0(C0_CAUSE, CAUSE_IP_BIT(2) | CAUSE_IP_BIT(7));
	GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & ST_IM, 0);
	GUEST_ASSERT_EQ(taken, 2);
	GUEST_DONE();
}

static void run(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_timer(void) { run(guest_timer); }
static void test_timer_masked(void) { run(guest_timer_masked); }
static void test_vector(void) { run(guest_vector); }
static void test_count(void) { run(guest_count); }
static void test_everywhere(void) { run(guest_everywhere); }
static void test_wait(void) { run(guest_wait); }
static void test_soft(void) { run(guest_soft); }

static const struct subtest tests[] = {
	{ "timer", test_timer },
	{ "timer_masked", test_timer_masked },
	{ "vector", test_vector },
	{ "count", test_count },
	{ "everywhere", test_everywhere },
	{ "wait", test_wait },
	{ "lines", test_lines },
	{ "wait_line", test_wait_line },
	{ "other", test_other },
	{ "moved", test_moved },
	{ "soft", test_soft },
};

TEST_MAIN(tests)
