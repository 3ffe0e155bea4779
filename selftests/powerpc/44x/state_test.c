// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's state as userspace sees it: what is set is got back, what the guest
 * sees is what was set, KVM_TRANSLATE agrees with the guest's TLB, and a vCPU
 * taken out of the middle of its work goes on in another VM as if nothing had
 * happened.
 *
 * The guest of the migration uses the TLB with several PIDs and both address
 * spaces, the decrementer, the FPU and SPRGs all the time, and is moved at
 * times that it does not choose.
 */
#include <signal.h>
#include <time.h>

#include "44x.h"

#ifndef KVM_REG_PPC_44X_TLB
int main(void)
{
	puts("1..0 # SKIP headers without KVM_REG_PPC_44X_TLB");
	return KSFT_SKIP;
}
#else

#define EA	0x40000000UL
#define RAM	GUEST_FREE_BASE

static void guest_nothing(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static void test_regs(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	struct kvm_regs in, out;
	struct rng rng = { 3 };
	int i, round;

	for (round = 0; round < 20; round++) {
		memset(&in, 0, sizeof(in));
		in.pc = rng_next(&rng) & ~3;
		in.cr = rng_next(&rng);
		in.ctr = rng_next(&rng);
		in.lr = rng_next(&rng);
		in.xer = rng_next(&rng) & 0xe000007f;
		in.msr = rng_next(&rng) & (MSR_CE | MSR_EE | MSR_PR | MSR_FP |
					   MSR_ME | MSR_IS | MSR_DS);
		in.srr0 = rng_next(&rng);
		in.srr1 = rng_next(&rng);
		in.pid = rng_next(&rng) & 0xff;
		in.sprg0 = rng_next(&rng);
		in.sprg1 = rng_next(&rng);
		in.sprg2 = rng_next(&rng);
		in.sprg3 = rng_next(&rng);
		in.sprg4 = rng_next(&rng);
		in.sprg5 = rng_next(&rng);
		in.sprg6 = rng_next(&rng);
		in.sprg7 = rng_next(&rng);
		for (i = 0; i < 32; i++)
			in.gpr[i] = rng_next(&rng);
		vcpu_regs_set(vcpu, &in);
		vcpu_regs_get(vcpu, &out);
		for (i = 0; i < (int)(sizeof(in) / 8); i++)
			TEST_ASSERT(((uint64_t *)&in)[i] == ((uint64_t *)&out)[i],
				    "word %d of kvm_regs: 0x%llx, set 0x%llx", i,
				    (unsigned long long)((uint64_t *)&out)[i],
				    (unsigned long long)((uint64_t *)&in)[i]);
	}
	kvm_vm_free(vm);
}

static void test_sregs(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	struct kvm_sregs in, out;
	int i;

	vcpu_sregs_get(vcpu, &in);
	TEST_ASSERT(in.u.e.features & KVM_SREGS_E_BASE, "features");
	TEST_ASSERT(in.u.e.features & KVM_SREGS_E_IVOR, "features");
	in.u.e.csrr0 = 0x1000;
	in.u.e.csrr1 = 0x2000;
	in.u.e.mcsrr0 = 0x3000;
	in.u.e.mcsrr1 = 0x4000;
	in.u.e.esr = ESR_PTR;
	in.u.e.dear = 0x12345678;
	in.u.e.ivpr = 0x12340000;
	in.u.e.tcr = TCR_ARE;
	in.u.e.decar = 0x777;
	in.u.e.vrsave = 0x888;
	for (i = 0; i < 16; i++)
		in.u.e.ivor_low[i] = i * 0x120;
	vcpu_sregs_set(vcpu, &in);
	vcpu_sregs_get(vcpu, &out);
	TEST_ASSERT_EQ(out.u.e.csrr0, 0x1000);
	TEST_ASSERT_EQ(out.u.e.csrr1, 0x2000);
	TEST_ASSERT_EQ(out.u.e.mcsrr0, 0x3000);
	TEST_ASSERT_EQ(out.u.e.mcsrr1, 0x4000);
	TEST_ASSERT_EQ(out.u.e.esr, ESR_PTR);
	TEST_ASSERT_EQ(out.u.e.dear, 0x12345678);
	TEST_ASSERT_EQ(out.u.e.ivpr, 0x12340000);
	TEST_ASSERT_EQ(out.u.e.tcr, TCR_ARE);
	TEST_ASSERT_EQ(out.u.e.decar, 0x777);
	TEST_ASSERT_EQ(out.u.e.vrsave, 0x888);
	for (i = 0; i < 16; i++)
		TEST_ASSERT_EQ(out.u.e.ivor_low[i], i * 0x120);

	/* Another processor's registers are refused. */
	in.pvr ^= 0x00010000;
	TEST_ASSERT(ioctl(vcpu->fd, KVM_SET_SREGS, &in) == -1 && errno == EINVAL,
		    "wrong PVR accepted");
	kvm_vm_free(vm);
}

/* The guest's TLB through ONE_REG: both directions, and with effect. */
static void guest_tlb(void)
{
	struct tlb_entry e;
	unsigned int i;

	guest_44x_init();
	for (i = 2; i < TLB_ENTRIES; i++)
		tlb_write(i, (EA + i * 0x10000) | TLB0_V | SIZE_4K |
			  (i & 1 ? TLB0_TS : 0), RAM + i * 0x1000, TLB2_RWX, i);
	set_pid(5);
	PROBE_READS(MSR_DS, EA + 0x50000, RAM + 0x5000);
	GUEST_SYNC(1);
	/* Entry 5 was moved, 6 made invalid, 7 read-only; 8 got another TID. */
	PROBE_READS(MSR_DS, EA + 0x50000, RAM + 0x20000);
	set_pid(6);
	PROBE_MISSES(0, PROBE_READ, EA + 0x60000);
	set_pid(7);
	PROBE_DENIED(MSR_DS, PROBE_WRITE, EA + 0x70000);
	set_pid(8);
	PROBE_MISSES(0, PROBE_READ, EA + 0x80000);
	set_pid(80);
	PROBE_READS(0, EA + 0x80000, RAM + 0x8000);
	tlb_read(8, &e);
	GUEST_ASSERT_EQ(e.tid, 80);
	GUEST_ASSERT_EQ(mfspr(SPRN_CCR0), 0x00100000);
	set_pid(0);
	GUEST_DONE();
}

static void test_tlb_onereg(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_tlb);
	unsigned int i;

	fill_pattern(vm, RAM, 0x100000);
	vcpu_run_to_sync(vcpu, 1, NULL);
	for (i = 2; i < TLB_ENTRIES; i++) {
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_44X_TLB(i, 0)),
			       (EA + i * 0x10000) | TLB0_V | SIZE_4K |
			       (i & 1 ? TLB0_TS : 0));
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_44X_TLB(i, 1)),
			       RAM + i * 0x1000);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_44X_TLB(i, 2)),
			       TLB2_RWX);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_PPC_44X_TLB(i, 3)), i);
	}
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(5, 1), RAM + 0x20000);
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(6, 0), 0);
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(7, 2), TLB2_SR);
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(8, 3), 80);
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_SPR(SPRN_CCR0), 0x00100000);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void translate(struct kvm_vcpu *vcpu, uint32_t ea, unsigned int pid,
		      unsigned int as, struct kvm_translation *tr)
{
	memset(tr, 0, sizeof(*tr));
	tr->linear_address = ea | (uint64_t)pid << 32 | (uint64_t)as << 40;
	vcpu_ioctl(vcpu, KVM_TRANSLATE, tr);
}

static void test_translate(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_tlb);
	struct kvm_translation tr;
	unsigned int i;

	fill_pattern(vm, RAM, 0x100000);
	vcpu_run_to_sync(vcpu, 1, NULL);
	for (i = 2; i < TLB_ENTRIES; i++) {
		uint32_t ea = EA + i * 0x10000;

		translate(vcpu, ea + 0x123, i, i & 1, &tr);
		TEST_ASSERT_EQ(tr.valid, 1);
		TEST_ASSERT_EQ(tr.physical_address, RAM + i * 0x1000 + 0x123);
		TEST_ASSERT_EQ(tr.writeable, 1);
		TEST_ASSERT_EQ(tr.usermode, 1);
		translate(vcpu, ea, i + 1, i & 1, &tr);
		TEST_ASSERT_EQ(tr.valid, 0);
		translate(vcpu, ea, i, !(i & 1), &tr);
		TEST_ASSERT_EQ(tr.valid, 0);
		translate(vcpu, ea + 0x1000, i, i & 1, &tr);
		TEST_ASSERT_EQ(tr.valid, 0);
	}
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(9, 1), RAM | 0xa);
	vcpu_set_reg(vcpu, KVM_REG_PPC_44X_TLB(9, 2), TLB2_SR);
	translate(vcpu, EA + 0x90010, 9, 1, &tr);
	TEST_ASSERT_EQ(tr.valid, 1);
	TEST_ASSERT(tr.physical_address == 0xa00000000ULL + RAM + 0x10, "0x%llx",
		    tr.physical_address);
	TEST_ASSERT_EQ(tr.writeable, 0);
	TEST_ASSERT_EQ(tr.usermode, 0);
	kvm_vm_free(vm);
}

/* --- migration --- */

static volatile uint32_t ticks;

static void on_dec(struct ex_regs *regs)
{
	ticks++;
	mtspr(SPRN_TSR, TSR_DIS);
}

/*
 * Works without telling: through 30 pages under changing PIDs, spaces and
 * translations, with a running checksum that any lost state would change.
 */
#define WORK_ROUNDS	100
#define DEC_TICKS	1000000

static void guest_work(uint32_t rounds)
{
	uint32_t sum = 0, round, i;

	guest_44x_init();
	guest_set_handler(EXC_DEC, on_dec);
	mtspr(SPRN_TSR, 0xffffffff);
	mtspr(SPRN_DECAR, DEC_TICKS);
	mtspr(SPRN_TCR, TCR_DIE | TCR_ARE);
	mtspr(SPRN_DEC, DEC_TICKS);
	mtmsr(MSR_EE | MSR_FP);
	mtspr(SPRN_SPRG0, 1);
	mtspr(SPRN_SPRG5W, 2);
	mtspr(SPRN_USPRG0, 3);
	for (round = 0; round < rounds; round++) {
		for (i = 2; i < 32; i++) {
			uint32_t ea = EA + i * 0x1000;
			uint32_t pa = RAM + (i + round) % 64 * 0x1000;

			tlb_write(i, ea | TLB0_V | SIZE_4K, pa, TLB2_RWX, i & 7);
			set_pid(i & 7);
			if (*(volatile uint32_t *)ea != pattern(pa))
				GUEST_FAIL("page, expected", *(volatile uint32_t *)ea,
					   pattern(pa), round, i);
			sum = sum * 31 + *(volatile uint32_t *)ea;
		}
		mtspr(SPRN_SPRG0, mfspr(SPRN_SPRG0) * 5 + round);
		mtspr(SPRN_SPRG5W, mfspr(SPRN_SPRG5R) * 7 + round);
		mtspr(SPRN_USPRG0, mfspr(SPRN_USPRG0) * 9 + round);
	}
	/* The clock went on all the time. */
	i = ticks;
	while (ticks == i)
		;
	set_pid(0);
	mtmsr(MSR_FP);
	GUEST_SYNC_ARGS(1, sum, mfspr(SPRN_SPRG0), mfspr(SPRN_SPRG5R),
			mfspr(SPRN_USPRG0));
	GUEST_DONE();
}

static void on_timer(int sig)
{
	(void)sig;
}

static struct kvm_vm *new_vm(struct kvm_vcpu **vcpu, void *code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, code);

	fill_pattern(vm, RAM, 0x100000);
	return vm;
}

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec % 1000 * 1000000L + ts.tv_nsec / 1000;
}

/*
 * Runs the work, moving it to a new VM whenever it has run this long; returns
 * the number of moves.
 */
static unsigned int run_work(long interval_us, struct ucall *uc)
{
	/* Once, so that it interrupts nothing but KVM_RUN. */
	struct itimerspec it = {
		.it_value = { interval_us / 1000000, interval_us % 1000000 * 1000 },
	};
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction sa = { .sa_handler = on_timer };
	timer_t timer;
	struct vcpu_state state;
	struct kvm_vcpu *vcpu;
	unsigned int moves = 0;
	struct kvm_vm *vm;

	vm = new_vm(&vcpu, guest_work);
	vcpu_args_set(vcpu, 1, (unsigned long)WORK_ROUNDS);
	sigaction(SIGUSR1, &sa, NULL);
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "timer_create");
	timer_settime(timer, 0, &it, NULL);
	for (;;) {
		struct kvm_vm *next;
		struct kvm_vcpu *next_vcpu;

		if (_vcpu_run(vcpu) == 0) {
			if (vcpu_handle_exit(vcpu, uc) == UCALL_SYNC)
				break;
			continue;
		}
		TEST_ASSERT_EQ(errno, EINTR);
		vcpu_state_save(vcpu, &state);
		next = vm_create_barebones();
		vm_mem_add(next, 0, 0, GUEST_RAM_SIZE, 0, NULL);
		memcpy(addr_gpa2hva(next, 0), addr_gpa2hva(vm, 0), GUEST_RAM_SIZE);
		arch_sync_icache(addr_gpa2hva(next, 0), GUEST_IMAGE_END);
		next_vcpu = __vm_vcpu_add(next, 0);
		vcpu_state_restore(next_vcpu, &state);
		kvm_vm_free(vm);
		vm = next;
		vcpu = next_vcpu;
		if (++moves == 200) {
			vcpu_dump(vcpu);
			print_info("dec 0x%x tsr 0x%x tcr 0x%x decar 0x%x",
				   state.sregs.u.e.dec, state.sregs.u.e.tsr,
				   state.sregs.u.e.tcr, state.sregs.u.e.decar);
			TEST_FAIL("the guest does not get done");
		}
		/* Longer each time, so that a busy machine gets it done too. */
		interval_us += interval_us / 4 + 1;
		it.it_value.tv_sec = interval_us / 1000000;
		it.it_value.tv_nsec = interval_us % 1000000 * 1000;
		timer_settime(timer, 0, &it, NULL);
	}
	timer_delete(timer);
	kvm_vm_free(vm);
	return moves;
}

static void test_migrate(void)
{
	struct ucall still, moved;
	unsigned int moves;
	long time = now_us();

	run_work(0, &still);
	time = now_us() - time;
	/* Often enough even if the first run was slowed down by others. */
	moves = run_work(time / 100 + 1, &moved);
	TEST_ASSERT(moves >= 3, "only %u moves", moves);
	print_info("moved %u times", moves);
	TEST_ASSERT_EQ(moved.args[1], still.args[1]);
	TEST_ASSERT_EQ(moved.args[2], still.args[2]);
	TEST_ASSERT_EQ(moved.args[3], still.args[3]);
	TEST_ASSERT_EQ(moved.args[4], still.args[4]);
}

/* Saved, restored into another vCPU, saved again: the same, bit for bit. */
static void test_roundtrip(void)
{
	struct vcpu_state a, b;
	struct kvm_vcpu *v1, *v2;
	struct kvm_vm *vm1 = new_vm(&v1, guest_tlb), *vm2;
	int i;

	vcpu_run_to_sync(v1, 1, NULL);
	vcpu_complete_io(v1);
	vm2 = vm_create_barebones();
	v2 = __vm_vcpu_add(vm2, 0);
	vcpu_state_save(v1, &a);
	vcpu_state_restore(v2, &a);
	vcpu_state_save(v2, &b);
	TEST_ASSERT(!memcmp(&a.regs, &b.regs, sizeof(a.regs)), "regs");
	TEST_ASSERT(!memcmp(&a.tlb, &b.tlb, sizeof(a.tlb)), "TLB");
	TEST_ASSERT(!memcmp(&a.spr, &b.spr, sizeof(a.spr)), "SPRs");
	for (i = 0; i < VCPU_STATE_REGS; i++)
		TEST_ASSERT(a.reg[i] == b.reg[i] || i == STATE_REG_TSR,
			    "register %d: 0x%llx, was 0x%llx", i,
			    (unsigned long long)b.reg[i], (unsigned long long)a.reg[i]);
	TEST_ASSERT(!memcmp(&a.fpr, &b.fpr, sizeof(a.fpr)), "FPRs");
	/* Time passes, and its marks are made whether they interrupt or not. */
	a.sregs.u.e.tsr = b.sregs.u.e.tsr = 0;
	a.sregs.u.e.tb = b.sregs.u.e.tb = 0;
	a.sregs.u.e.dec = b.sregs.u.e.dec = 0;
	TEST_ASSERT(!memcmp(&a.sregs, &b.sregs, sizeof(a.sregs)), "sregs");
	kvm_vm_free(vm1);
	kvm_vm_free(vm2);
}

/* A decrementer that is restored with no time left takes the new DECAR. */
static void test_dec_expires(void)
{
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		vm = vm_create_with_one_vcpu(&vcpu, guest_tlb);
		vcpu_sregs_get(vcpu, &sregs);
		sregs.u.e.update_special = KVM_SREGS_E_UPDATE_DEC | KVM_SREGS_E_UPDATE_TSR;
		sregs.u.e.tcr = TCR_DIE | TCR_ARE;
		sregs.u.e.tsr = 0;
		sregs.u.e.dec = 1;
		sregs.u.e.decar = 0x7fffffff;
		vcpu_sregs_set(vcpu, &sregs);
		usleep(2000);
		vcpu_sregs_get(vcpu, &sregs);
		TEST_ASSERT(sregs.u.e.tsr & TSR_DIS, "TSR 0x%x", sregs.u.e.tsr);
		TEST_ASSERT(sregs.u.e.dec > 0x40000000, "DEC 0x%x", sregs.u.e.dec);
		kvm_vm_free(vm);
	}
}

static const struct subtest tests[] = {
	{ "regs", test_regs },
	{ "sregs", test_sregs },
	{ "tlb_onereg", test_tlb_onereg },
	{ "translate", test_translate },
	{ "roundtrip", test_roundtrip },
	{ "dec_expires", test_dec_expires },
	{ "migrate", test_migrate, 120 },
};

TEST_MAIN(tests)
#endif
