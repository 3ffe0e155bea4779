// SPDX-License-Identifier: GPL-2.0
/*
 * CP0 accesses that a guest lets KVM replace by loads and stores: which do not trap
 * any more, that they do what they did, who sees the commpage, and which memory is
 * patched. QEMU models no caches, so what the instruction cache has does not show.
 */
#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"

#define CP0_REG(n, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U64 | (8 * (n) + (s)))
#define REG_USERLOCAL	CP0_REG(4, 2)
#define REG_BADVADDR	CP0_REG(8, 0)
#define REG_EPC		CP0_REG(14, 0)
#define REG_CONFIG7	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 16 + 7))
#define REG_ENTRYLO0	CP0_REG(2, 0)
#define REG_STATUS	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 12))
#define REG_TLB_LO0(n)	(KVM_REG_MIPS | 0x40000 | KVM_REG_SIZE_U32 | (4 * (n) + 2))

#define C0_CONFIG7	16, 7
#define OFFER		(1U << 20)
#define PATCH		(1U << 21)
#define COMMPAGE	(0x8000UL - host_page)
#define COMM(n, s)	(*(volatile uint32_t *)(COMMPAGE + 4 * (8 * (n) + (s))))
#define PARAM		"/sys/module/kvm/parameters/te_patch_cp0"

#define CODE_GPA	0x02000000UL
#define CODE_VA		(GUEST_KSEG0 + CODE_GPA)
#define ROUNDS		1000
#define REPLACED	1000

/* --- what the guest executes, also as a copy elsewhere --- */

asm(".pushsection .text.moves, \"ax\"; .set push; .set noreorder\n"
    ".balign 65536\n"
    /* Returns EPC, after it was written with the argument. */
    ".globl move_epc\nmove_epc:\n"
    "	mtc0	$4, $14\n"
    "	ehb\n"
    "	mfc0	$2, $14\n"
    "	jr	$31\n"
    "	nop\n"
    ".globl move_end\nmove_end:\n"
    ".globl slot_epc\nslot_epc:\n"
    "	beq	$0, $0, 1f\n"
    "	mtc0	$4, $14\n"
    "1:	bnel	$0, $0, 2f\n"
    "	mtc0	$0, $14\n"
    "2:	jr	$31\n"
    "	mfc0	$2, $14\n"
    ".balign 65536\n"
    ".set pop; .popsection");
/* As move_epc(), whose MFC0 the test replaces itself */
asm(".pushsection .text.moves, \"ax\"; .set push; .set noreorder\n"
    ".globl load_epc\nload_epc:\n"
    "	mtc0	$4, $14\n"
    "	ehb\n"
    "	mfc0	$2, $14\n"
    "	jr	$31\n"
    "	nop\n"
    ".set pop; .popsection");
uint32_t move_epc(uint32_t val), slot_epc(uint32_t val), load_epc(uint32_t val);
extern uint32_t move_end[];

/* DI and EI: as they are patched, and not, the first also in a delay slot */
asm(".pushsection .text.moves, \"ax\"; .set push; .set noreorder; .set noat\n"
    ".globl ie_off\nie_off:\n"
    "	di\n"
    "	ehb\n"
    "	jr	$31\n"
    "	nop\n"
    ".globl ie_on\nie_on:\n"
    "	li	$1, 1\n"
    "	ei\n"
    "	ehb\n"
    "	jr	$31\n"
    "	nop\n"
    ".globl slot_ie_off\nslot_ie_off:\n"
    "	jr	$31\n"
    "	di\n"
    ".globl slot_ie_on\nslot_ie_on:\n"
    "	li	$1, 1\n"
    "	jr	$31\n"
    "	ei\n"
    ".globl bare_ie_on\nbare_ie_on:\n"
    "	li	$1, 2\n"
    "	ei\n"
    "	jr	$31\n"
    "	ehb\n"
    ".set pop; .popsection");
void ie_off(void), ie_on(void), slot_ie_off(void), slot_ie_on(void), bare_ie_on(void);

static void accept(void)
{
	write_c0(C0_CONFIG7, PATCH);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG7) & (OFFER | PATCH), OFFER | PATCH);
}

/* --- test --- */

static void set_param(bool on)
{
	int fd = open(PARAM, O_WRONLY);

	TEST_REQUIRE(fd >= 0);
	TEST_ASSERT_EQ(write(fd, on ? "1" : "0", 1), 1);
	close(fd);
}

static void offer(struct kvm_vcpu *vcpu)
{
	vcpu_set_reg(vcpu, REG_CONFIG7, OFFER);
	TEST_REQUIRE(vcpu_get_reg(vcpu, REG_CONFIG7) & OFFER);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *guest)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest);

	TEST_REQUIRE(vcpu_has_stat(*vcpu, "te_patches"));
	sync_global_to_guest(vm, host_page);
	/* One that failed may have left it off. */
	set_param(true);
	offer(*vcpu);
	return vm;
}

static uint64_t traps(struct kvm_vcpu *vcpu)
{
	return vcpu_get_stat(vcpu, "cop_unusable_exits");
}

static uint64_t patches(struct kvm_vcpu *vcpu)
{
	return vcpu_get_stat(vcpu, "te_patches");
}

/* --- traps --- */

static void guest_traps(void)
{
	uint32_t i;

	accept();
	for (i = 0; i < ROUNDS; i++)
		GUEST_ASSERT_EQ(move_epc(i), i);
	GUEST_SYNC(1);
	for (i = 0; i < ROUNDS; i++)
		GUEST_ASSERT_EQ(move_epc(i), i);
	GUEST_SYNC(2);
	for (i = 0; i < ROUNDS; i++)
		GUEST_ASSERT_EQ(slot_epc(~i), ~i);
	GUEST_SYNC(3);
	/* What is not patched is not slower for it: it goes the short way. */
	for (i = 0; i < ROUNDS; i++)
		write_c0(C0_ENTRYHI, 0);
	GUEST_DONE();
}

static void test_traps(void)
{
	uint32_t first = *(uint32_t *)move_epc, *code;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_traps);
	uint64_t before;

	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(traps(vcpu) < 20, "%llu traps", (unsigned long long)traps(vcpu));
	TEST_ASSERT_EQ(patches(vcpu), 2);
	code = addr_gpa2hva(vm, ARCH_GVA2GPA((uintptr_t)move_epc));
	TEST_ASSERT_EQ(first, 0x40847000);
	/* SW, LW of 8 * 14 words */
	TEST_ASSERT_EQ(code[0], 0xac040000 | (COMMPAGE + 0x1c0));
	TEST_ASSERT_EQ(code[2], 0x8c020000 | (COMMPAGE + 0x1c0));
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG7) & (OFFER | PATCH), OFFER | PATCH);
	before = traps(vcpu);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT_EQ(traps(vcpu), before);
	vcpu_run_to_sync(vcpu, 3, NULL);
	TEST_ASSERT(traps(vcpu) - before < 20, "traps in slots");
	/* One is never executed. */
	TEST_ASSERT_EQ(patches(vcpu), 4);
	before = vcpu_get_stat(vcpu, "te_short_exits");
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(vcpu_get_stat(vcpu, "te_short_exits") - before >= ROUNDS,
		    "they did not go the short way");
	kvm_vm_free(vm);
}

/* --- registers --- */

static void do_trap(unsigned long arg)
{
	asm volatile("teq $0, $0");
}

static void guest_registers(void)
{
	uint32_t i, status, val;

	accept();
	/* Twice, before and after they are patched */
	for (i = 0; i < 20; i++) {
		/* Written by MTC0 that still trap */
		status = read_c0(C0_STATUS);
		write_c0(C0_STATUS, status | ST_IM_BIT(3));
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), status | ST_IM_BIT(3));
		write_c0(C0_STATUS, status);
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), status);
		asm volatile("ei; ehb" : : : "memory");
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), status | ST_IE);
		asm volatile("di; ehb" : : : "memory");
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), status);
		write_c0(C0_ENTRYHI, 0x12340000 | i);
		GUEST_ASSERT_EQ(read_c0(C0_ENTRYHI), 0x12340000 | i);
		write_c0(C0_ENTRYHI, 0);
		write_c0(C0_CONTEXT, i << 23);
		GUEST_ASSERT_EQ(read_c0(C0_CONTEXT) & 0xff800000, i << 23);
		write_c0(C0_COMPARE, i);
		GUEST_ASSERT_EQ(read_c0(C0_COMPARE), i);
		write_c0(C0_WIRED, i);
		GUEST_ASSERT_EQ(read_c0(C0_WIRED), i);
		write_c0(C0_PAGEMASK, 0);
		GUEST_ASSERT_EQ(read_c0(C0_PAGEMASK), (2 * host_page - 1) & ~0x1fff);
		write_c0(C0_CAUSE, CAUSE_IP_BIT(1));
		GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & CAUSE_IP_BIT(1), CAUSE_IP_BIT(1));
		write_c0(C0_CAUSE, 0);
		GUEST_ASSERT_EQ(read_c0(C0_CAUSE) & CAUSE_IP_BIT(1), 0);
		/* By TLB instructions: EntryLo is written by patched ones. */
		guest_tlb_write(5, -1, 0x10000000, LO_PFN(0x100000) | LO_C | LO_V,
				LO_C | LO_D);
		GUEST_ASSERT_EQ(guest_tlb_probe(0x10000000), 5);
		GUEST_ASSERT_EQ(guest_tlb_probe(0x11000000) >> 31, 1);
		guest_tlb_read(5, &val, &val, &status, &val);
		GUEST_ASSERT_EQ(status, LO_PFN(0x100000) | LO_C | LO_V);
		GUEST_ASSERT_EQ(val, LO_C | LO_D);
		GUEST_ASSERT_EQ(read_c0(C0_ENTRYLO0), status);
		/* By exceptions, whose handler is patched, too */
		GUEST_ASSERT_EQ(guest_catch(do_trap, 0), EXC_TR);
		GUEST_ASSERT_EQ(guest_load(0x20000000 + i * 0x10000, &val), EXC_TLBL);
		GUEST_ASSERT_EQ(guest_caught.badvaddr, 0x20000000 + i * 0x10000);
		GUEST_ASSERT_EQ(read_c0(C0_BADVADDR), 0x20000000 + i * 0x10000);
		GUEST_ASSERT_EQ(guest_store(0x10000000, 1), EXC_MOD);
		GUEST_ASSERT_EQ(guest_caught.badvaddr, 0x10000000);
		/* Nothing but memory */
		write_c0(C0_ERROREPC, i * 4);
		GUEST_ASSERT_EQ(read_c0(C0_ERROREPC), i * 4);
		write_c0(C0_USERLOCAL, ~i);
		GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), ~i);
		asm volatile(".set push; .set mips32r2; rdhwr %0, $29; .set pop"
			     : "=r"(val));
		GUEST_ASSERT_EQ(val, ~i);
		GUEST_ASSERT_EQ(read_c0(C0_PRID), 0x19300);
		GUEST_ASSERT_EQ(read_c0(C0_CONFIG1) >> 25 & 63, 63);
		/* Userspace reads and writes them. */
		write_c0(C0_EPC, 0x1000 + i);
		GUEST_SYNC_ARGS(i, read_c0(C0_BADVADDR));
		GUEST_ASSERT_EQ(read_c0(C0_EPC), 0x2000 + i);
		GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), 0x3000 + i);
		GUEST_ASSERT_EQ(read_c0(C0_BADVADDR), 0x4000 + i);
	}
	GUEST_DONE();
}

static void test_registers(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_registers);
	struct ucall uc;
	uint32_t i;

	for (i = 0; i < 20; i++) {
		vcpu_run_to_sync(vcpu, i, &uc);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_EPC), 0x1000 + i);
		TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, REG_USERLOCAL), ~i);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_BADVADDR), uc.args[1]);
		vcpu_set_reg(vcpu, REG_EPC, 0x2000 + i);
		vcpu_set_reg(vcpu, REG_USERLOCAL, 0x3000 + i);
		vcpu_set_reg(vcpu, REG_BADVADDR, 0x4000 + i);
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(patches(vcpu) > 30, "%llu patches", (unsigned long long)patches(vcpu));
	kvm_vm_free(vm);
}

/* --- interrupts --- */

static void guest_ie(void)
{
	uint32_t i;

	accept();
	for (i = 0; i < ROUNDS; i++) {
		ie_on();
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), ST_IE);
		ie_off();
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), 0);
	}
	GUEST_SYNC(1);
	for (i = 0; i < ROUNDS; i++) {
		ie_on();
		slot_ie_off();
		ie_on();
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), ST_IE);
		if (!(i % 100))
			GUEST_SYNC(2);
		ie_off();
		if (!(i % 100))
			GUEST_SYNC(3);
	}
	/* Those without 1 in AT, and with a branch before them, trap as they did. */
	for (i = 0; i < ROUNDS; i++) {
		bare_ie_on();
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), ST_IE);
		ie_off();
		slot_ie_on();
		GUEST_ASSERT_EQ(read_c0(C0_STATUS), ST_IE);
		ie_off();
	}
	GUEST_DONE();
}

static void test_ie(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_ie);
	uint32_t byte = COMMPAGE + 4 * 8 * 12 + (__BYTE_ORDER == __BIG_ENDIAN ? 3 : 0);
	uint64_t before;
	unsigned int i;

	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(traps(vcpu) < 20, "%llu traps", (unsigned long long)traps(vcpu));
	/* SB of register 0, and of AT */
	TEST_ASSERT_EQ(*(uint32_t *)addr_gpa2hva(vm, ARCH_GVA2GPA((uintptr_t)ie_off)),
		       0xa0000000 | byte);
	TEST_ASSERT_EQ(((uint32_t *)addr_gpa2hva(vm, ARCH_GVA2GPA((uintptr_t)ie_on)))[1],
		       0xa0010000 | byte);
	before = traps(vcpu);
	for (i = 0; i < ROUNDS; i += 100) {
		vcpu_run_to_sync(vcpu, 2, NULL);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_STATUS), ST_IE);
		vcpu_run_to_sync(vcpu, 3, NULL);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_STATUS), 0);
	}
	TEST_ASSERT(traps(vcpu) - before < 20, "traps");
	before = traps(vcpu);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(traps(vcpu) - before >= 2 * ROUNDS, "they did not trap");
	kvm_vm_free(vm);
}

static volatile uint32_t taken, nested;

/* The test lowers the line, or the guest what raised it. */
static void on_interrupt(struct ex_regs *regs)
{
	uint32_t before = ++taken;

	/* A level is taken again as soon as the handler lets it in. */
	if (nested) {
		nested = 0;
		write_c0(C0_STATUS, regs->status & ~(ST_EXL | ST_IE));
		GUEST_ASSERT_EQ(taken, before);
		ie_on();
		GUEST_ASSERT_EQ(taken, before + 1);
		ie_off();
		write_c0(C0_STATUS, regs->status | ST_EXL);
	}
	write_c0(C0_CAUSE, 0);
	write_c0(C0_COMPARE, read_c0(C0_COMPARE));
	regs->status &= ~ST_IE;
}

static void do_swl(unsigned long va)
{
	asm volatile("swl %1, 3(%0)" : : "r"(va), "r"(-1) : "memory");
}

/* What a guest does while one waits, or not. */
static void meanwhile(uint32_t n, bool waits)
{
	uint32_t val;

	switch (n % 10) {
	case 0:
		break;
	case 1:
		/* Spaces that have the commpage to write, too */
		write_c0(C0_ENTRYHI, 1 + n / 10 % 5);
		break;
	case 2:
		move_epc(n);
		GUEST_ASSERT_EQ(COMM(14, 0), n);
		break;
	case 3:
		GUEST_ASSERT_EQ(guest_catch(do_trap, 0), EXC_TR);
		break;
	case 4:
		GUEST_ASSERT_EQ(guest_load(0x20000000 + n * 0x10000, &val), EXC_TLBL);
		break;
	case 5:
		write_c0(C0_STATUS, read_c0(C0_STATUS));
		write_c0(C0_ENTRYHI, n % 7);
		write_c0(C0_ENTRYHI, 0);
		break;
	case 6:
		ie_off();
		slot_ie_off();
		break;
	case 7:
		*(volatile uint16_t *)&COMM(4, 2) = n;
		*(volatile uint8_t *)&COMM(5, 2) = n;
		GUEST_ASSERT_EQ(*(volatile uint16_t *)&COMM(4, 2), n);
		GUEST_ASSERT_EQ(*(volatile uint8_t *)&COMM(5, 2), n);
		break;
	case 8:
		/* Not for the guest to do, and not emulated */
		GUEST_ASSERT_EQ(guest_catch(do_swl, (unsigned long)&COMM(5, 3)),
				waits ? EXC_DBE : EXC_NONE);
		break;
	case 9:
		guest_user_load(COMMPAGE, &val);
		break;
	}
}

/* Lets the timer expire. Count may pass Compare before that is written. */
static void expire(void)
{
	uint32_t compare;

	do {
		compare = read_c0(C0_COUNT) + 10000;
		write_c0(C0_COMPARE, compare);
		while ((int32_t)(read_c0(C0_COUNT) - compare) < 0)
			;
	} while (!(read_c0(C0_CAUSE) & CAUSE_TI));
}

#define WAITS	200

static void guest_waits(void)
{
	uint32_t n;

	accept();
	guest_set_handler(EXC_INT, on_interrupt);
	write_c0(C0_STATUS, ST_IM_BIT(0) | ST_IM_BIT(2) | ST_IM_BIT(7));
	/* All is patched, and all spaces have been here. */
	for (n = 0; n < 200; n++) {
		write_c0(C0_ENTRYHI, n % 7);
		meanwhile(n, false);
		ie_on();
		ie_off();
	}
	GUEST_ASSERT_EQ(taken, 0);
	for (n = 0; n < WAITS; n++) {
		taken = 0;
		nested = n % 3 == 1;
		switch (n % 4) {
		case 0:
			write_c0(C0_CAUSE, CAUSE_IP_BIT(0));
			nested = 0;
			break;
		case 1:
			expire();
			nested = 0;
			break;
		default:
			/* The line is raised. */
			GUEST_SYNC(n);
		}
		meanwhile(n / 4, true);
		GUEST_ASSERT_EQ(taken, 0);
		if (n < WAITS - 40)
			ie_on();
		else
			bare_ie_on();
		GUEST_ASSERT(taken > 0);
		if (n % 4 >= 2) {
			GUEST_ASSERT_EQ(taken, n % 3 == 1 ? 2 : 1);
			GUEST_ASSERT_EQ(read_c0(C0_STATUS) & ST_IE, 0);
			/* The line is lowered. */
			GUEST_SYNC(n);
		}
		taken = 0;
		ie_on();
		ie_off();
		GUEST_ASSERT_EQ(taken, 0);
	}
	GUEST_DONE();
}

/* An interrupt is taken at once when DI's effect ends, however that is done. */
static void test_waits(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_waits);
	unsigned int n;

	for (n = 0; n < WAITS; n++) {
		if (n % 4 < 2)
			continue;
		vcpu_run_to_sync(vcpu, n, NULL);
		vcpu_irq_line(vcpu, 2);
		vcpu_run_to_sync(vcpu, n, NULL);
		vcpu_irq_line(vcpu, -2);
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(patches(vcpu) > 5, "not patched");
	kvm_vm_free(vm);
}

/* --- replaced meanwhile --- */

static uint32_t enough, calls;

/* Exits take the full way, as an interrupt waits. */
static void guest_replaced(void)
{
	accept();
	GUEST_SYNC(1);
	write_c0(C0_STATUS, ST_IM_BIT(0));
	write_c0(C0_CAUSE, CAUSE_IP_BIT(0));
	while (!READ_ONCE(enough))
		GUEST_ASSERT_EQ(load_epc(++calls), calls);
	GUEST_DONE();
}

static void *run_to_done(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

/*
 * An instruction that has trapped is another one when KVM looks at it, as if another
 * vCPU had had it replaced; and back.
 */
static void test_replaced(void)
{
	struct sched_param fifo = { .sched_priority = 1 };
	struct rng rng = { 3 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_replaced);
	uint32_t *code, word[2], called;
	pthread_t thread;
	unsigned int i;

	vcpu_run_to_sync(vcpu, 1, NULL);
	/* Only the test replaces this one. */
	set_param(false);
	code = addr_gpa2hva(vm, ARCH_GVA2GPA((uintptr_t)load_epc));
	word[0] = code[2];
	word[1] = 0x8c020000 | (COMMPAGE + 0x1c0);
	TEST_ASSERT_EQ(word[0], 0x40027000);
	TEST_ASSERT(!pthread_create(&thread, NULL, run_to_done, vcpu), "thread");
	TEST_ASSERT(!sched_setscheduler(0, SCHED_FIFO, &fifo), "SCHED_FIFO");
	for (i = 1; i <= REPLACED; i++) {
		/* At any time in a call, but the guest is not to starve. */
		called = READ_ONCE(*guest_addr(vm, calls));
		do {
			usleep(500 + rng_next(&rng) % 1000);
		} while (READ_ONCE(*guest_addr(vm, calls)) == called);
		WRITE_ONCE(code[2], word[i & 1]);
		arch_sync_icache(&code[2], 4);
	}
	WRITE_ONCE(*guest_addr(vm, enough), 1);
	pthread_join(thread, NULL);
	print_info("%u times, %u calls, %llu traps", i, *guest_addr(vm, calls),
		   (unsigned long long)traps(vcpu));
	set_param(true);
	kvm_vm_free(vm);
}

/* --- modes --- */

/* User mode, without and with memory there, in more ASIDs than there are spaces */
static void guest_modes(void)
{
	uint32_t val, i;

	accept();
	/* The program is in the second 1 MB. */
	guest_tlb_write(0, 0x1fe000, 0, LO_G,
			LO_PFN(0x100000) | LO_C | LO_V | LO_D | LO_G);
	for (i = 0; i < 60; i++) {
		write_c0(C0_ENTRYHI, i % 20);
		write_c0(C0_EPC, i);
		GUEST_ASSERT_EQ(COMM(14, 0), i);
		GUEST_ASSERT_EQ(guest_user_load(COMMPAGE + 4 * 8 * 14, &val), EXC_TLBL);
		GUEST_ASSERT_EQ(guest_caught.badvaddr, COMMPAGE + 4 * 8 * 14);
		GUEST_ASSERT_EQ(guest_user_store(COMMPAGE + 4 * 8 * 14, i), EXC_TLBS);
		write_c0(C0_USERLOCAL, 0x12345678);
		GUEST_ASSERT_EQ(COMM(4, 2), 0x12345678);
	}
	/* A large page, which is there as well */
	guest_map_program(0);
	GUEST_ASSERT_EQ(guest_user_load(COMMPAGE + 4 * 8 * 4 + 8, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, *(uint32_t *)(GUEST_KSEG0 + COMMPAGE + 4 * 8 * 4 + 8));
	GUEST_ASSERT_EQ(COMM(4, 2), 0x12345678);
	GUEST_ASSERT_EQ(guest_user_store(COMMPAGE + 4 * 8 * 4 + 8, 0x55aa), EXC_NONE);
	GUEST_ASSERT_EQ(*(uint32_t *)(GUEST_KSEG0 + COMMPAGE + 4 * 8 * 4 + 8), 0x55aa);
	GUEST_ASSERT_EQ(COMM(4, 2), 0x12345678);
	GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), 0x12345678);
	guest_tlb_clear(0);
	GUEST_DONE();
}

static void test_modes(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_modes);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- user pages there --- */

/* User mode's program, which adds 1 to the word at its argument */
#define USER_VA		0x01000000UL
#define USER_TLB_RUNS	10

static void map_user_insns(const uint32_t *insns, uint32_t n)
{
	uint32_t i, *code = (uint32_t *)(GUEST_KSEG0 + CODE_GPA);

	for (i = 0; i < n; i++)
		code[i] = insns[i];
	arch_sync_icache(code, n * 4);
	guest_tlb_write(0, -1, USER_VA, LO_PFN(CODE_GPA) | LO_C | LO_V | LO_G, LO_G);
}

static void map_user_program(void)
{
	static const uint32_t insns[] = {
		0x8c820000,	/* lw $2, 0($4) */
		0x24430001,	/* addiu $3, $2, 1 */
		0xac830000,	/* sw $3, 0($4) */
		0x0000000c,	/* syscall */
		0,
	};

	map_user_insns(insns, ARRAY_SIZE(insns));
}

/* guest_user_run() goes to physical addresses. */
static uint32_t run_user_program(unsigned long arg)
{
	return guest_user_run((void *)(GUEST_KSEG0 + USER_VA), arg);
}

/* Two frames that user mode may have at the commpage's address, by entry 1 */
#define USER_FRAME(n)	(GUEST_FREE_BASE + (n) * host_page)

#define user_word(n)	(*(volatile uint32_t *)(GUEST_KSEG0 + USER_FRAME(n) + 4))

static void init_user_frames(void)
{
	user_word(0) = 100;
	user_word(1) = 200;
}

static void map_user_frame(uint32_t n, uint32_t valid)
{
	guest_tlb_write(1, -1, COMMPAGE & ~(2 * host_page - 1), 0,
			LO_PFN(USER_FRAME(n)) | LO_C | LO_D | valid);
}

/* User mode's own page comes and goes. */
static void guest_user_page(void)
{
	uint32_t i, j;

	accept();
	map_user_program();
	init_user_frames();
	for (i = 0; i < 60; i++) {
		write_c0(C0_EPC, i);
		GUEST_ASSERT_EQ(COMM(14, 0), i);
		map_user_frame(!!(i % 3), i % 3 == 2 ? 0 : LO_V);
		COMM(0, 1) = 0xdead;
		for (j = 0; j < 3; j++) {
			uint32_t exc = run_user_program(COMMPAGE + 4);

			if (i % 3 == 2) {
				GUEST_ASSERT_EQ(exc, EXC_TLBL);
				continue;
			}
			GUEST_ASSERT_EQ(exc, EXC_NONE);
			GUEST_ASSERT_EQ(COMM(0, 1), 0xdead);
		}
	}
	GUEST_ASSERT_EQ(user_word(0), 160);
	GUEST_ASSERT_EQ(user_word(1), 260);
	GUEST_DONE();
}

static void test_user_page(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_user_page);

	vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, NULL);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* User mode's program: loads from its argument, from MMIO, and again, to a return */
#define MMIO_VA		0x02000000UL
#define MMIO_GPA	0x06000000UL

static void map_user_program_mmio(void)
{
	static const uint32_t insns[] = {
		0x8c820000,	/* lw $2, 0($4) */
		0x3c030000 | MMIO_VA >> 16,	/* lui $3, MMIO_VA >> 16 */
		0x8c630000,	/* lw $3, 0($3) */
		0x8c820000,	/* lw $2, 0($4) */
		0x0000000c,	/* syscall */
		0,
	};

	map_user_insns(insns, ARRAY_SIZE(insns));
	guest_tlb_write(2, -1, MMIO_VA, LO_PFN(MMIO_GPA) | LO_C | LO_V | LO_G, LO_G);
}

/* User mode's page is another one when the VMM has written the TLB. */
static void guest_user_tlb(void)
{
	uint32_t i;

	accept();
	map_user_program_mmio();
	init_user_frames();
	map_user_frame(0, LO_V);
	for (i = 0; i < USER_TLB_RUNS; i++) {
		COMM(0, 1) = 0xdead;
		GUEST_ASSERT_EQ(run_user_program(COMMPAGE + 4), EXC_NONE);
		GUEST_ASSERT_EQ(guest_caught.gpr[2], i & 1 ? 200 : 100);
		GUEST_ASSERT_EQ(COMM(0, 1), 0xdead);
	}
	GUEST_DONE();
}

static void test_user_tlb(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_user_tlb);
	uint64_t lo[2];
	unsigned int i;

	vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, NULL);
	for (i = 0; i < USER_TLB_RUNS; i++) {
		TEST_ASSERT_EQ(_vcpu_run(vcpu), 0);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, MMIO_GPA);
		if (!i) {
			lo[0] = vcpu_get_reg(vcpu, REG_TLB_LO0(1) + 1);
			lo[1] = lo[0] - LO_PFN(USER_FRAME(0)) + LO_PFN(USER_FRAME(1));
		}
		vcpu_set_reg(vcpu, REG_TLB_LO0(1) + 1, lo[i & 1]);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* The kernel never uses the commpage, and maps another page for user mode there. */
static void guest_untouched(void)
{
	uint32_t i;

	map_user_program();
	init_user_frames();
	for (i = 0; i < 60; i++) {
		map_user_frame(i & 1, LO_V);
		GUEST_ASSERT_EQ(run_user_program(COMMPAGE + 4), EXC_NONE);
	}
	GUEST_ASSERT_EQ(user_word(0), 130);
	GUEST_ASSERT_EQ(user_word(1), 230);
	GUEST_DONE();
}

static void test_untouched(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_untouched);

	vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, NULL);
	/* As memory with patched instructions is taken to where none are made. */
	vcpu_set_reg(vcpu, REG_CONFIG7, PATCH);
	set_param(false);
	vcpu_run_to_done(vcpu);
	set_param(true);
	TEST_ASSERT_EQ(patches(vcpu), 0);
	kvm_vm_free(vm);
}

/* --- memory --- */

/* Calls the copy of move_epc() at CODE_VA, and one page on. */
static void guest_copy(void)
{
	uint32_t (*move)(uint32_t) = (void *)CODE_VA;
	uint32_t round, i;

	accept();
	for (round = 1; ; round++) {
		for (i = 0; i < ROUNDS; i++)
			GUEST_ASSERT_EQ(move(round + i), round + i);
		GUEST_SYNC(round);
	}
}

static void copy_code(void *mem)
{
	memcpy(mem, (void *)move_epc, (char *)move_end - (char *)move_epc);
	arch_sync_icache(mem, 64);
}

static void test_readonly(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_copy);
	struct mem_region *slot;
	uint64_t full;
	void *mem;

	/* To the guest */
	slot = vm_mem_add(vm, 1, CODE_GPA, 0x10000, KVM_MEM_READONLY, NULL);
	copy_code(slot->hva);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!memcmp(slot->hva, (void *)move_epc, 16), "it was patched");
	TEST_ASSERT_EQ(patches(vcpu), 0);
	TEST_ASSERT(traps(vcpu) >= 2 * ROUNDS, "they did not trap");
	/* They go the short way, but for a try now and then. */
	full = traps(vcpu) - vcpu_get_stat(vcpu, "te_short_exits");
	TEST_ASSERT((int64_t)full < ROUNDS / 10, "%llu by the full way",
		    (unsigned long long)full);
	vm_mem_delete(vm, 1);

	/* To the VMM */
	mem = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(mem != MAP_FAILED, "mmap");
	copy_code(mem);
	TEST_ASSERT(!mprotect(mem, 0x10000, PROT_READ | PROT_EXEC), "mprotect");
	vm_mem_add(vm, 2, CODE_GPA, 0x10000, 0, mem);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT(!memcmp(mem, (void *)move_epc, 16), "it was patched");
	TEST_ASSERT_EQ(patches(vcpu), 0);
	kvm_vm_free(vm);
}

/* A private mapping of a file, which is not to be written */
static void test_copy_on_write(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_copy);
	char name[] = "/tmp/cp0_patch_XXXXXX";
	int fd = mkstemp(name);
	void *shared, *mem;

	TEST_ASSERT(fd >= 0 && !ftruncate(fd, 0x10000), "%s", name);
	unlink(name);
	shared = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	mem = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	TEST_ASSERT(shared != MAP_FAILED && mem != MAP_FAILED, "mmap");
	copy_code(shared);
	vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, mem);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT(!memcmp(shared, (void *)move_epc, 16), "the file was patched");
	TEST_ASSERT_EQ(*(uint32_t *)mem, 0xac040000 | (COMMPAGE + 0x1c0));
	TEST_ASSERT_EQ(patches(vcpu), 2);
	vcpu_run_to_sync(vcpu, 2, NULL);
	kvm_vm_free(vm);
}

static void test_dirty_log(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_copy);
	struct mem_region *slot;
	uint8_t bitmap[8] = {};

	slot = vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, NULL);
	copy_code(slot->hva);
	vm_mem_set_flags(vm, 1, KVM_MEM_LOG_DIRTY_PAGES);
	vm_get_dirty_log(vm, 1, bitmap);
	vcpu_run_to_sync(vcpu, 1, NULL);
	TEST_ASSERT_EQ(patches(vcpu), 2);
	vm_get_dirty_log(vm, 1, bitmap);
	TEST_ASSERT_EQ(bitmap[0], 1);
	vcpu_run_to_sync(vcpu, 2, NULL);
	vm_get_dirty_log(vm, 1, bitmap);
	TEST_ASSERT_EQ(bitmap[0], 0);
	/* The VMM writes the instructions again. */
	copy_code(slot->hva);
	vcpu_run_to_sync(vcpu, 3, NULL);
	vm_get_dirty_log(vm, 1, bitmap);
	TEST_ASSERT_EQ(bitmap[0], 1);
	TEST_ASSERT_EQ(patches(vcpu), 4);
	kvm_vm_free(vm);
}

/* --- two VCPUs --- */

static void guest_two(unsigned long id)
{
	uint32_t i;

	/* For both */
	if (!id)
		accept();
	for (i = 0; ; i++) {
		write_c0(C0_USERLOCAL, id << 16 | i);
		GUEST_ASSERT_EQ(move_epc(id << 16 | i), id << 16 | i);
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(read_c0(C0_EPC), id << 16 | i);
		GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), id << 16 | i);
		GUEST_ASSERT_EQ(COMM(14, 0), id << 16 | i);
	}
}

static void test_two_vcpus(void)
{
	struct kvm_vm *vm = vm_create();
	struct kvm_vcpu *vcpu[2];
	unsigned int i, id;

	for (id = 0; id < 2; id++) {
		vcpu[id] = vm_vcpu_add(vm, id, guest_two);
		vcpu_args_set(vcpu[id], 1, (unsigned long)id);
	}
	sync_global_to_guest(vm, host_page);
	offer(vcpu[0]);
	for (i = 0; i < 50; i++)
		for (id = 0; id < 2; id++)
			vcpu_run_to_sync(vcpu[id], i, NULL);
	/* By one or the other */
	TEST_ASSERT_EQ(patches(vcpu[0]) + patches(vcpu[1]), 5);
	TEST_ASSERT(vcpu_get_reg(vcpu[1], REG_CONFIG7) & PATCH, "not for both");
	kvm_vm_free(vm);
}

/* --- who wants it --- */

static void guest_refuses(void)
{
	uint32_t i, val;

	for (i = 0; i < 200; i++)
		GUEST_ASSERT_EQ(move_epc(i), i);
	GUEST_ASSERT_EQ(guest_load(COMMPAGE, &val), EXC_TLBL);
	GUEST_DONE();
}

static void guest_accepts(void)
{
	write_c0(C0_CONFIG7, OFFER | PATCH);
	GUEST_SYNC_ARGS(1, read_c0(C0_CONFIG7));
	guest_refuses();
}

static void test_off(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	/* The guest does not accept it; nothing is offered. */
	vm = create(&vcpu, guest_refuses);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(patches(vcpu), 0);
	kvm_vm_free(vm);
	vm = vm_create_with_one_vcpu(&vcpu, guest_accepts);
	sync_global_to_guest(vm, host_page);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1] & (OFFER | PATCH), 0);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(patches(vcpu), 0);
	kvm_vm_free(vm);

	/* The parameter, before the offer, after it and after it was accepted */
	vm = create(&vcpu, guest_accepts);
	set_param(false);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1] & (OFFER | PATCH), OFFER);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(patches(vcpu), 0);
	vcpu_set_reg(vcpu, REG_CONFIG7, OFFER);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG7) & (OFFER | PATCH), 0);
	kvm_vm_free(vm);
	set_param(true);
	vm = create(&vcpu, guest_copy);
	copy_code(vm_mem_add(vm, 1, CODE_GPA, 0x10000, 0, NULL)->hva);
	vcpu_run_to_sync(vcpu, 1, NULL);
	set_param(false);
	vcpu_run_to_sync(vcpu, 2, NULL);
	TEST_ASSERT_EQ(patches(vcpu), 2);
	copy_code(vm->regions[1].hva);
	vcpu_run_to_sync(vcpu, 3, NULL);
	TEST_ASSERT_EQ(patches(vcpu), 2);
	set_param(true);
	kvm_vm_free(vm);
}

/* --- another VM, or the same after a reset --- */

static void guest_moves_on(void)
{
	uint32_t val;

	accept();
	GUEST_ASSERT_EQ(move_epc(7), 7);
	write_c0(C0_USERLOCAL, 8);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(read_c0(C0_EPC), 9);
	GUEST_ASSERT_EQ(COMM(4, 2), 8);
	GUEST_ASSERT_EQ(move_epc(10), 10);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(guest_load(COMMPAGE, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), 8);
	GUEST_DONE();
}

static void test_moves_on(void)
{
	struct kvm_vcpu *vcpu, *other;
	struct kvm_vm *vm = create(&vcpu, guest_moves_on), *vm2;
	struct kvm_regs regs;
	void *image = addr_gpa2hva(vm, 0);

	vcpu_run_to_sync(vcpu, 1, NULL);
	vm2 = vm_create_with_one_vcpu(&other, guest_moves_on);
	memcpy(addr_gpa2hva(vm2, 0), image, GUEST_RAM_SIZE);
	vcpu_regs_get(vcpu, &regs);
	vcpu_regs_set(other, &regs);
	vcpu_set_reg(other, REG_CONFIG7, vcpu_get_reg(vcpu, REG_CONFIG7));
	vcpu_set_reg(other, REG_EPC, 9);
	vcpu_set_reg(other, REG_USERLOCAL, vcpu_get_reg(vcpu, REG_USERLOCAL));
	TEST_ASSERT_EQ(patches(other), 0);
	kvm_vm_free(vm);
	vcpu_run_to_sync(other, 2, NULL);
	/* As at a reset: with other instructions, and no commpage */
	vcpu_set_reg(other, REG_CONFIG7, 0);
	TEST_ASSERT_EQ(vcpu_get_reg(other, REG_CONFIG7) & (OFFER | PATCH), 0);
	vm_load_program(vm2);
	sync_global_to_guest(vm2, host_page);
	vcpu_run_to_done(other);
	kvm_vm_free(vm2);
}

/* --- garbage --- */

/* Garbage in the commpage, then something that uses what may have been there */
static void guest_garbage(unsigned long seed)
{
	struct rng rng = { seed };
	uint32_t i, n, val, exc;

	accept();
	for (i = 0; i < 100; i++) {
		for (n = rng_next(&rng) % 3; n < host_page / 4; n += 1 + n / 128)
			((volatile uint32_t *)COMMPAGE)[n] = rng_next(&rng);
		asm volatile("ehb");
		switch (rng_next(&rng) % 8) {
		case 0:
			asm volatile("tlbwi; ehb" : : : "memory");
			break;
		case 1:
			asm volatile("tlbwr; ehb" : : : "memory");
			break;
		case 2:
			asm volatile("tlbp; tlbr; ehb" : : : "memory");
			break;
		case 3:
			exc = guest_catch(do_trap, 0);
			GUEST_ASSERT_EQ(exc, EXC_TR);
			break;
		case 4:
			guest_load(rng_next(&rng) & 0x3ffffffc, &val);
			break;
		case 5:
			asm volatile("ei; di; ehb" : : : "memory");
			write_c0(C0_ENTRYHI, i);
			break;
		case 6:
			GUEST_SYNC(i);
			break;
		default:
			write_c0(C0_STATUS, 0);
		}
	}
	GUEST_DONE();
}

/* Where garbage in a TLB entry leads to */
static bool device(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		   unsigned int len, bool is_write)
{
	return true;
}

static const struct vm_ops device_ops = { .mmio = device };

static void test_garbage(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	unsigned int seed, i;
	uint32_t lo;

	for (seed = 1; seed <= 10; seed++) {
		vm = create(&vcpu, guest_garbage);
		vm->ops = &device_ops;
		vcpu_args_set(vcpu, 1, (unsigned long)seed);
		while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC) {
			TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_ENTRYLO0) >> 30 & 3, 0);
			for (i = 0; i < 64; i++) {
				lo = vcpu_get_reg(vcpu, REG_TLB_LO0(i));
				TEST_ASSERT_EQ(lo >> 30, 0);
			}
		}
		kvm_vm_free(vm);
	}
}

/* An odd EPC is one that ERET goes to, as without patching. */
static void eret_to(unsigned long addr)
{
	asm volatile("mfc0 $2, $12; ori $2, $2, 2; mtc0 $2, $12; ehb\n"
		     "mtc0 %0, $14; ehb; eret" : : "r"(addr) : "$2", "memory");
}

static void guest_odd(void)
{
	uint32_t i;

	accept();
	for (i = 0; i < 10; i++) {
		GUEST_ASSERT_EQ(guest_catch(eret_to, 0x40100002), EXC_ADEL);
		GUEST_ASSERT_EQ(guest_caught.badvaddr, 0x40100002);
		GUEST_ASSERT_EQ(guest_caught.epc, 0x40100002);
		write_c0(C0_ENTRYHI, 0x10000000);
		write_c0(C0_INDEX, 1);
		/* No exit, but for TLBWI */
		write_c0(C0_ENTRYLO0, 0xffffffff);
		write_c0(C0_ENTRYLO1, 0xfffffff8);
		asm volatile("tlbwi; ehb" : : : "memory");
		GUEST_SYNC(i);
	}
	GUEST_DONE();
}

static void test_vetted(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_odd);
	unsigned int i;

	for (i = 0; i < 10; i++) {
		vcpu_run_to_sync(vcpu, i, NULL);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_TLB_LO0(1)) & ~7U, 0x3ffffff8);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_TLB_LO0(1) + 1), 0x3ffffff8);
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT(patches(vcpu) > 5, "not patched");
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "traps", test_traps },
	{ "registers", test_registers },
	{ "ie", test_ie },
	{ "waits", test_waits },
	{ "replaced", test_replaced },
	{ "modes", test_modes },
	{ "user_page", test_user_page },
	{ "user_tlb", test_user_tlb },
	{ "untouched", test_untouched },
	{ "readonly", test_readonly },
	{ "copy_on_write", test_copy_on_write },
	{ "dirty_log", test_dirty_log },
	{ "two_vcpus", test_two_vcpus },
	{ "off", test_off },
	{ "moves_on", test_moves_on },
	{ "vetted", test_vetted },
	{ "garbage", test_garbage },
};

TEST_MAIN(tests)
