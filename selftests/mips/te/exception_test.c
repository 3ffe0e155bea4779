// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions of the guest: cause, address, vector and mode of each, in delay
 * slots too, and emulated instructions in the delay slots of all branches.
 */
#include "kvm_util.h"

#define VA		0x00700000UL

/* --- one instruction, one exception --- */

#define INSN(name, insn)						\
static void do_##name(unsigned long arg)				\
{									\
	asm volatile(".set push; .set noreorder\n"			\
		     ".globl at_" #name "\nat_" #name ": " insn "\n"	\
		     ".set pop"						\
		     : : "r"(arg), "r"(0x7fffffff) : "$2", "memory");	\
}									\
extern char at_##name[]

INSN(syscall, "syscall 5");
INSN(break, "break 3");
INSN(trap, "teq $0, $0");
INSN(overflow, "add $2, %1, %1");
INSN(load, "lw $2, 0(%0)");
INSN(load_half, "lh $2, 0(%0)");
INSN(store, "sw $2, 0(%0)");
INSN(reserved, ".word 0x7c00003f");
INSN(fpu, ".word 0x44020000");		/* mfc1 $2, $f0 */
INSN(slot_syscall, "b 1f\n syscall 1\n1: nop");
INSN(slot_load, "b 1f\n lw $2, 0(%0)\n1: nop");
/* JALX is for MIPS16e; a host that has it executes it. */
INSN(jalx_mfc0, ".word 0x74000000\n mfc0 $2, $15");
INSN(jalx_load, ".word 0x74000000\n lw $2, 0(%0)");
INSN(jalx_store, ".word 0x74000000\n sw $2, 0(%0)");
INSN(di_elsewhere, ".word 0x41626800");	/* DI's opcode, but for Cause */
INSN(slot_overflow, "bne %1, $0, 1f\n add $2, %1, %1\n1: nop");

#define EXPECT(name, arg, code) do {					\
	GUEST_ASSERT_EQ(guest_catch(do_##name, arg), code);		\
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)at_##name);	\
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);			\
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_BD, 0);		\
	GUEST_ASSERT_EQ(guest_caught.status & ST_EXL, ST_EXL);		\
} while (0)

#define EXPECT_IN_SLOT(name, arg, code) do {				\
	GUEST_ASSERT_EQ(guest_catch(do_##name, arg), code);		\
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)at_##name);	\
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_BD, CAUSE_BD);	\
} while (0)

static void guest_kernel(void)
{
	EXPECT(syscall, 0, EXC_SYS);
	EXPECT(break, 0, EXC_BP);
	EXPECT(trap, 0, EXC_TR);
	EXPECT(overflow, 0, EXC_OV);
	EXPECT(reserved, 0, EXC_RI);
	EXPECT(fpu, 0, EXC_CPU);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_CE, 1 << 28);
	EXPECT(load, GUEST_KSEG0 + GUEST_FREE_BASE + 2, EXC_ADEL);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, GUEST_KSEG0 + GUEST_FREE_BASE + 2);
	EXPECT(load_half, GUEST_KSEG0 + GUEST_FREE_BASE + 1, EXC_ADEL);
	EXPECT(store, GUEST_KSEG0 + GUEST_FREE_BASE + 1, EXC_ADES);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, GUEST_KSEG0 + GUEST_FREE_BASE + 1);
	/* Above CKSEG1 there is nothing. */
	EXPECT(load, 0xc0000000, EXC_ADEL);
	EXPECT(store, 0xfffffff0, EXC_ADES);
	EXPECT_IN_SLOT(slot_syscall, 0, EXC_SYS);
	EXPECT_IN_SLOT(slot_load, GUEST_KSEG0 + 3, EXC_ADEL);
	EXPECT_IN_SLOT(slot_overflow, 0, EXC_OV);
	EXPECT(di_elsewhere, 0, EXC_RI);
	GUEST_ASSERT_EQ(guest_catch(do_jalx_mfc0, 0), EXC_RI);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)at_jalx_mfc0);
	GUEST_ASSERT_EQ(guest_catch(do_jalx_load, GUEST_CKSEG1 + GUEST_MMIO_BASE), EXC_RI);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)at_jalx_load);
	GUEST_ASSERT_EQ(guest_catch(do_jalx_store, GUEST_CKSEG1 + GUEST_MMIO_BASE), EXC_RI);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)at_jalx_store);
	GUEST_DONE();
}

/* Jumps where nothing can be executed. */
static void do_jump(unsigned long where)
{
	((void (*)(void))where)();
}

/* For a device: what KVM executes is MIPS32, also if the host has MIPS16e. */
asm(".balign 4\n"
    "mips16_load: .half 0x9a60, 0xe820, 0x6500, 0x6500\n");	/* lw $3, 0($2); jr $31 */
extern char mips16_load[];

static void do_mips16_load(unsigned long unused)
{
	asm volatile(".set push; .set noreorder\n"
		     "move $2, %1\n jalr $31, %0\n nop\n"
		     ".set pop"
		     : : "r"(mips16_load + 1), "r"(GUEST_CKSEG1 + GUEST_MMIO_BASE)
		     : "$2", "$3", "$31", "memory");
}

static void do_eret(unsigned long where)
{
	asm volatile(".set push; .set noreorder\n"
		     "mtc0 %0, $14\n mfc0 $2, $12\n ori $2, $2, 2\n mtc0 $2, $12\n"
		     "ehb\n lui $2, 0x4000\n eret\n"
		     ".set pop"
		     : : "r"(where) : "$2", "$3", "memory");
}

static void guest_jump(void)
{
	GUEST_ASSERT_EQ(guest_catch(do_jump, 0xa0000000), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_caught.epc, 0xa0000000);
	GUEST_ASSERT_EQ(guest_catch(do_jump, 0x80100000), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_catch(do_jump, GUEST_KSEG0 + 0x100002), EXC_ADEL);
	/* KSEG0 without memory: there is a bus, but nothing that answers. */
	GUEST_ASSERT_EQ(guest_catch(do_jump, GUEST_KSEG0 + 0x10000000), EXC_IBE);
	GUEST_ASSERT_EQ(guest_caught.epc, GUEST_KSEG0 + 0x10000000);
	GUEST_ASSERT_EQ(guest_catch(do_jump, VA), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_caught.vector, 0);
	GUEST_ASSERT_EQ(guest_caught.epc, VA);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, VA);
	GUEST_ASSERT_EQ(guest_catch(do_mips16_load, 0), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)mips16_load + 1);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, (uintptr_t)mips16_load + 1);
	/* Returns at once, if the host's MIPS16e executes it. */
	GUEST_ASSERT_EQ(guest_catch(do_eret, (uintptr_t)mips16_load + 1), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)mips16_load + 1);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, (uintptr_t)mips16_load + 1);
	GUEST_DONE();
}

/* --- user mode --- */

asm(".set push; .set noreorder\n"
    "user_mfc0: mfc0 $2, $12\n syscall 0\n nop\n"
    "user_tlbwr: tlbwr\n syscall 0\n nop\n"
    "user_wait: wait\n syscall 0\n nop\n"
    "user_eret: eret\n syscall 0\n nop\n"
    "user_cache: cache 0, 0($4)\n syscall 0\n nop\n"
    "user_break: break 0\n nop\n"
    "user_overflow: lui $2, 0x7fff\n add $2, $2, $2\n syscall 0\n nop\n"
    "user_fpu: .word 0x44020000\n syscall 0\n nop\n"
    "user_dsp: .word 0x7c0214b8\n syscall 0\n nop\n"	/* rddsp */
    "user_rdhwr: rdhwr $2, $29\n syscall 0\n nop\n"
    "user_jalx: .word 0x74000000\n rdhwr $2, $29\n syscall 0\n nop\n"
    "user_rdhwr_slot: b 1f\n rdhwr $2, $29\n addiu $2, 1\n1: syscall 0\n nop\n"
    ".set pop");
extern char user_mfc0[], user_tlbwr[], user_wait[], user_eret[], user_cache[],
	    user_break[], user_overflow[], user_fpu[], user_dsp[], user_rdhwr[],
	    user_rdhwr_slot[], user_jalx[];

static void guest_user(void)
{
	uint32_t val;

	guest_map_program(0);
	GUEST_ASSERT_EQ(guest_user_run(user_mfc0, 0), EXC_CPU);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_CE, 0);
	GUEST_ASSERT_EQ(guest_caught.epc, ARCH_GVA2GPA((uintptr_t)user_mfc0));
	GUEST_ASSERT_EQ(guest_user_run(user_tlbwr, 0), EXC_CPU);
	GUEST_ASSERT_EQ(guest_user_run(user_wait, 0), EXC_CPU);
	GUEST_ASSERT_EQ(guest_user_run(user_eret, 0), EXC_CPU);
	GUEST_ASSERT_EQ(guest_user_run(user_cache, 0x100000), EXC_CPU);
	GUEST_ASSERT_EQ(guest_user_run(user_break, 0), EXC_BP);
	GUEST_ASSERT_EQ(guest_user_run(user_overflow, 0), EXC_OV);
	GUEST_ASSERT_EQ(guest_user_run(user_fpu, 0), EXC_CPU);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_CE, 1 << 28);
	GUEST_ASSERT_EQ(guest_user_run(user_dsp, 0), EXC_RI);

	/* RDHWR, as HWREna allows */
	write_c0(C0_USERLOCAL, 0x1234);
	GUEST_ASSERT_EQ(guest_user_run(user_rdhwr, 0), EXC_RI);
	write_c0(C0_HWRENA, 1 << 29);
	GUEST_ASSERT_EQ(guest_user_run(user_rdhwr, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x1234);
	GUEST_ASSERT_EQ(guest_user_run(user_rdhwr_slot, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x1234);
	GUEST_ASSERT_EQ(guest_user_run(user_jalx, 0), EXC_RI);
	GUEST_ASSERT_EQ(guest_caught.epc, ARCH_GVA2GPA((uintptr_t)user_jalx));
	write_c0(C0_HWRENA, 0);

	/* The kernel's segments are not user mode's, also if the kernel used them. */
	GUEST_ASSERT_EQ(guest_user_load(GUEST_KSEG0 + GUEST_FREE_BASE, &val), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, GUEST_KSEG0 + GUEST_FREE_BASE);
	GUEST_ASSERT_EQ(guest_load(GUEST_KSEG0 + GUEST_FREE_BASE, &val), EXC_NONE);
	GUEST_ASSERT_EQ(guest_user_load(GUEST_KSEG0 + GUEST_FREE_BASE, &val), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_user_store(GUEST_KSEG0 + GUEST_FREE_BASE, 1), EXC_ADES);
	GUEST_ASSERT_EQ(guest_user_load(GUEST_CKSEG1 + UCALL_GPA, &val), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_user_store(GUEST_CKSEG1 + UCALL_GPA, 0), EXC_ADES);
	guest_tlb_write(1, -1, GUEST_KSEG2,
			LO_PFN(GUEST_FREE_BASE) | LO_V | LO_D | LO_G, LO_G);
	GUEST_ASSERT_EQ(guest_load(GUEST_KSEG2, &val), EXC_NONE);
	GUEST_ASSERT_EQ(guest_user_load(GUEST_KSEG2, &val), EXC_ADEL);
	GUEST_ASSERT_EQ(guest_user_store(GUEST_KSEG2, 1), EXC_ADES);
	/* What user mode asks for and is not mapped is a refill. */
	GUEST_ASSERT_EQ(guest_user_load(0x3ff00000, &val), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_caught.vector, 0);
	GUEST_ASSERT_EQ(guest_caught.status & ST_USER, ST_USER);
	GUEST_DONE();
}

/* --- with EXL set, BEV --- */

static void do_nested(unsigned long arg)
{
	uint32_t val;

	write_c0(C0_EPC, 0x1234);
	write_c0(C0_STATUS, ST_EXL);
	/* A miss, and it goes to the general vector; EPC stays. */
	asm volatile("lw %0, 0(%1)" : "=r"(val) : "r"(arg));
}

static void guest_nested(void)
{
	GUEST_ASSERT_EQ(guest_catch(do_nested, VA), EXC_TLBL);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	GUEST_ASSERT_EQ(guest_caught.epc, 0x1234);
	GUEST_ASSERT_EQ(guest_caught.badvaddr, VA);
	GUEST_DONE();
}

static uint32_t bev_offset, bev_ran;

/* Runs at the vector, if it is the right one. */
static void bev_handler(void)
{
	write_c0(C0_STATUS, ST_EXL);
	bev_ran = bev_offset;
	GUEST_SYNC(2);
}

static void guest_bev(void)
{
	uint32_t *p = (uint32_t *)(GUEST_KSEG0 + 0x1fc00200 + bev_offset);
	uintptr_t to = (uintptr_t)bev_handler;

	p[0] = 0x3c190000 | to >> 16;		/* lui $25 */
	p[1] = 0x37390000 | (to & 0xffff);	/* ori $25, $25 */
	p[2] = 0x03200008;			/* jr $25 */
	p[3] = 0;
	arch_sync_icache(p, 16);
	write_c0(C0_STATUS, ST_BEV);
	if (bev_offset)
		asm volatile("syscall");
	else
		*(volatile uint32_t *)VA;
	GUEST_FAIL("no exception", 0, 0);
}

static void test_bev(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	for (bev_offset = 0; bev_offset <= 0x180; bev_offset += 0x180) {
		vm = vm_create_with_one_vcpu(&vcpu, guest_bev);
		vm_mem_add(vm, 1, 0x1fc00000, 0x10000, 0, NULL);
		vcpu_run_to_sync(vcpu, 2, NULL);
		kvm_vm_free(vm);
	}
}

/* --- emulated instructions in delay slots --- */

#define MMIO_VAL	0x600df00d

static uint32_t stored;

static bool device(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		   unsigned int len, bool is_write)
{
	uint32_t val = MMIO_VAL;

	if (gpa != GUEST_MMIO_BASE)
		return false;
	if (is_write)
		memcpy(guest_addr(vcpu->vm, stored), data, 4);
	else
		memcpy(data, &val, 4);
	return true;
}

static const struct vm_ops device_ops = { .mmio = device };

/* path: 1 if the branch was not taken, 2 if it was, +4 if $31 was set right. */
#define SLOT(branch, insn, val) ({					\
	uint32_t __path;						\
	asm volatile(".set push; .set noreorder; .set noat\n"		\
		     "li %1, 0\n li $31, 0\n lui $8, %%hi(1f)\n"	\
		     "addiu $8, $8, %%lo(1f)\n"				\
		     branch "\n" insn "\n"				\
		     "3: b 2f\n li %1, 1\n"				\
		     "1: li %1, 2\n"					\
		     "2: lui $8, %%hi(3b)\n addiu $8, $8, %%lo(3b)\n"	\
		     "bne $8, $31, 4f\n nop\n addiu %1, %1, 4\n4:\n"	\
		     ".set pop"						\
		     : "+r"(val), "=&r"(__path)				\
		     : "r"(GUEST_CKSEG1 + GUEST_MMIO_BASE), "r"(-1), "r"(1) \
		     : "$1", "$8", "$31", "memory");			\
	__path; })

#define ALL_INSNS(branch, path) do {					\
	uint32_t __v = 0;						\
	GUEST_ASSERT_EQ(SLOT(branch, "mfc0 %0, $15", __v), path);	\
	GUEST_ASSERT_EQ(__v, 0x19300);					\
	__v = 0xabc0;							\
	GUEST_ASSERT_EQ(SLOT(branch, "mtc0 %0, $4, 2", __v), path);	\
	GUEST_ASSERT_EQ(SLOT(branch, "rdhwr %0, $29", __v), path);	\
	GUEST_ASSERT_EQ(__v, 0xabc0);					\
	GUEST_ASSERT_EQ(SLOT(branch, "lw %0, 0(%2)", __v), path);	\
	GUEST_ASSERT_EQ(__v, MMIO_VAL);					\
	__v = 0x57012e00 + __COUNTER__;					\
	GUEST_ASSERT_EQ(SLOT(branch, "sw %0, 0(%2)", __v), path);	\
	GUEST_ASSERT_EQ(stored, __v);					\
} while (0)

static void guest_slots(void)
{
	uint32_t val = 0;

	ALL_INSNS("beq $0, $0, 1f", 2);
	ALL_INSNS("beq $0, %4, 1f", 1);
	ALL_INSNS("bne $0, %4, 1f", 2);
	ALL_INSNS("bne $0, $0, 1f", 1);
	ALL_INSNS("blez %3, 1f", 2);
	ALL_INSNS("blez %4, 1f", 1);
	ALL_INSNS("bgtz %4, 1f", 2);
	ALL_INSNS("bgtz $0, 1f", 1);
	ALL_INSNS("bltz %3, 1f", 2);
	ALL_INSNS("bltz $0, 1f", 1);
	ALL_INSNS("bgez $0, 1f", 2);
	ALL_INSNS("bgez %3, 1f", 1);
	ALL_INSNS("bltzal %3, 1f", 6);
	ALL_INSNS("bltzal $0, 1f", 5);
	ALL_INSNS("bgezal $0, 1f", 6);
	ALL_INSNS("bgezal %3, 1f", 5);
	ALL_INSNS("beql $0, $0, 1f", 2);
	ALL_INSNS("bnel $0, %4, 1f", 2);
	ALL_INSNS("blezl %3, 1f", 2);
	ALL_INSNS("bgtzl %4, 1f", 2);
	ALL_INSNS("bltzl %3, 1f", 2);
	ALL_INSNS("bgezl $0, 1f", 2);
	ALL_INSNS("bltzall %3, 1f", 6);
	ALL_INSNS("bgezall $0, 1f", 6);
	ALL_INSNS("j 1f", 2);
	ALL_INSNS("jal 1f", 6);
	ALL_INSNS("jr $8", 2);
	ALL_INSNS("jalr $31, $8", 6);
	/* The return address in register 0, which stays zero */
	ALL_INSNS("jalr $0, $8", 2);
	GUEST_ASSERT_EQ(SLOT("jalr $0, $8", "sw $0, 0(%2)", val), 2);
	GUEST_ASSERT_EQ(stored, 0);
	GUEST_DONE();
}

static void run(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest);

	vm->ops = &device_ops;
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_kernel(void) { run(guest_kernel); }
static void test_jump(void) { run(guest_jump); }
static void test_user(void) { run(guest_user); }
static void test_nested(void) { run(guest_nested); }
static void test_slots(void) { run(guest_slots); }

static const struct subtest tests[] = {
	{ "kernel", test_kernel },
	{ "jump", test_jump },
	{ "user", test_user },
	{ "nested", test_nested },
	{ "bev", test_bev },
	{ "delay_slots", test_slots },
};

TEST_MAIN(tests)
