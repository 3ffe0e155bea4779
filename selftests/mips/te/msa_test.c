// SPDX-License-Identifier: GPL-2.0
/*
 * Vector registers (MSA): a guest has them if userspace asks for it, and the host has
 * them. Its exceptions are its own, and so are its registers: other guests and the
 * host's processes use the same ones.
 */
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_util.h"

#define CP0(r, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * (r) + (s)))
#define REG_STATUS	CP0(12, 0)
#define REG_CONFIG1	CP0(16, 1)
#define REG_CONFIG3	CP0(16, 3)
#define REG_CONFIG5	CP0(16, 5)
#define CONFIG1_FP	(1 << 0)
#define CONFIG3_MSAP	(1 << 28)
#define CONFIG5_MSAEN	(1 << 27)
#define C0_CONFIG4	16, 4
#define C0_CONFIG5	16, 5

#define EXC_MSAFPE	14
#define EXC_MSADIS	21

/* MSACSR, as FCSR: division by zero */
#define MSACSR_CAUSE_Z	(8 << 12)
#define MSACSR_ENABLE_Z	(8 << 7)
#define MSACSR_CAUSE_E	(0x20 << 12)

#define NR_VECTORS	32

struct vectors {
	uint32_t w[NR_VECTORS][4];
} __aligned(16);

/*
 * In user mode, these end with a system call; the kernel, and the host's processes, call
 * them with a second argument that is not 0.
 */
#define MSA_CODE(name, insns)						\
asm(".set push; .set noreorder; .set noat; .set fp=64; .set oddspreg; .set msa\n" \
    ".globl " #name ", " #name "_insn\n"				\
    #name ":\n" insns "\n"						\
    "bnez $5, 9f\n nop\n syscall 0\n nop\n"				\
    "9: jr $31\n nop\n"							\
    ".set pop");							\
extern char name##_insn[];						\
void name(unsigned long arg, unsigned long call)

#define ALL_REGS "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

MSA_CODE(load_vectors, "load_vectors_insn: .irp n," ALL_REGS "\n"
		       "ld.w $w\\n, 16 * \\n($4)\n .endr");
MSA_CODE(store_vectors, "store_vectors_insn: .irp n," ALL_REGS "\n"
			"st.w $w\\n, 16 * \\n($4)\n .endr");
/* $w3 = $w1 + $w1, of four words */
MSA_CODE(add_vectors, "fill.w $w1, $4\n add_vectors_insn: addv.w $w3, $w1, $w1\n"
		      "copy_s.w $2, $w3[2]\n");
MSA_CODE(move_vector, "move_vector_insn: move.v $w0, $w0");
/* 1.0 / 0.0 with MSACSR as it is to be */
MSA_CODE(divide_vectors, "ctcmsa $1, $0\n lui $2, 0x3f80\n fill.w $w1, $2\n fill.w $w2, $0\n"
			 "ctcmsa $1, $4\n divide_vectors_insn: fdiv.w $w3, $w1, $w2\n"
			 "copy_s.w $2, $w3[1]\n");
MSA_CODE(slot_divide, "ctcmsa $1, $0\n lui $2, 0x3f80\n fill.w $w1, $2\n fill.w $w2, $0\n"
		      "ctcmsa $1, $4\n slot_divide_insn: b 1f\n fdiv.w $w3, $w1, $w2\n1:\n");
MSA_CODE(write_msacsr, "write_msacsr_insn: ctcmsa $1, $4");

static uint32_t read_msacsr(void)
{
	uint32_t v;

	asm volatile(".set push; .set fp=64; .set msa\n cfcmsa %0, $1\n .set pop" : "=r"(v));
	return v;
}

static uint32_t read_msair(void)
{
	uint32_t v;

	asm volatile(".set push; .set fp=64; .set msa\n cfcmsa %0, $0\n .set pop" : "=r"(v));
	return v;
}

static void fill_vectors(struct vectors *v, uint32_t seed)
{
	unsigned int i, j;

	for (i = 0; i < NR_VECTORS; i++)
		for (j = 0; j < 4; j++)
			v->w[i][j] = seed + i * 0x101 + j * 0x10000;
}

/* --- guest side --- */

static struct vectors guest_in, guest_out;
static uint32_t guest_seed;

static void call_move(unsigned long unused)
{
	move_vector(0, 1);
}

static void call_divide(unsigned long csr)
{
	divide_vectors(csr, 1);
}

static void call_slot_divide(unsigned long csr)
{
	slot_divide(csr, 1);
}

static void call_write_msacsr(unsigned long csr)
{
	write_msacsr(csr, 1);
}

static void guest_load_vectors(uint32_t seed)
{
	fill_vectors(&guest_in, seed);
	load_vectors((uintptr_t)&guest_in, 1);
}

static void guest_check_vectors(uint32_t seed)
{
	unsigned int i, j;

	fill_vectors(&guest_in, seed);
	memset(&guest_out, 0, sizeof(guest_out));
	store_vectors((uintptr_t)&guest_out, 1);
	for (i = 0; i < NR_VECTORS; i++)
		for (j = 0; j < 4; j++)
			GUEST_ASSERT_EQ(guest_out.w[i][j], guest_in.w[i][j]);
}

static void guest_enable(void)
{
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG3) & CONFIG3_MSAP, CONFIG3_MSAP);
	/* Config4 and 5 are there. */
	GUEST_ASSERT(read_c0(C0_CONFIG3) & read_c0(C0_CONFIG4) & 1U << 31);
	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	write_c0(C0_CONFIG5, CONFIG5_MSAEN);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG5), CONFIG5_MSAEN);
}

static void guest_use(void)
{
	uint32_t f4;

	/* Not before it is enabled, and only with 64-bit registers */
	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG5), 0);
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_MSADIS);
	GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)move_vector_insn);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	write_c0(C0_CONFIG5, ~0U);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG5) & CONFIG5_MSAEN, CONFIG5_MSAEN);
	write_c0(C0_CONFIG5, 0);
	guest_enable();
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_NONE);
	write_c0(C0_STATUS, ST_CU1);
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_RI);
	asm volatile("mtc1 $0, $f4");
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_RI);
	/* Without the FPU it does not matter. */
	write_c0(C0_STATUS, 0);
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_NONE);
	write_c0(C0_STATUS, ST_FR);
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_NONE);

	/* Scalars are the low half of vectors. */
	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	guest_load_vectors(0x12340000);
	guest_check_vectors(0x12340000);
	asm volatile("mfc1 %0, $f4" : "=r"(f4));
	GUEST_ASSERT_EQ(f4, guest_in.w[4][0]);
	/* In memory and in the CPU: neither is lost when the other is. */
	write_c0(C0_STATUS, ST_FR);
	guest_check_vectors(0x12340000);
	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	asm volatile("mfc1 %0, $f4" : "=r"(f4));
	GUEST_ASSERT_EQ(f4, guest_in.w[4][0]);
	guest_check_vectors(0x12340000);
	write_c0(C0_CONFIG5, 0);
	GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_MSADIS);
	asm volatile("mfc1 %0, $f4" : "=r"(f4));
	GUEST_ASSERT_EQ(f4, guest_in.w[4][0]);
	guest_enable();
	guest_check_vectors(0x12340000);

	/* User mode */
	guest_map_program(0);
	GUEST_ASSERT_EQ(guest_user_run(add_vectors, 0x1111), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x2222);
	write_c0(C0_CONFIG5, 0);
	GUEST_ASSERT_EQ(guest_user_run(add_vectors, 0x1111), EXC_MSADIS);
	GUEST_ASSERT_EQ(guest_caught.status & ST_USER, ST_USER);
	GUEST_DONE();
}

static void check_fpe(void *insn, bool user, uint32_t csr)
{
	uint32_t epc = (uintptr_t)insn;

	GUEST_ASSERT_EQ(guest_caught.epc, user ? ARCH_GVA2GPA(epc) : epc);
	GUEST_ASSERT_EQ(guest_caught.vector, 0x180);
	GUEST_ASSERT_EQ(guest_caught.status & ST_USER, user ? ST_USER : 0);
	GUEST_ASSERT_EQ(read_msacsr(), csr);
	/* On an exit that leaves the registers in the CPU, and on others */
	write_c0(C0_COMPARE, 1);
	GUEST_ASSERT_EQ(read_msacsr(), csr);
	GUEST_SYNC(0);
	GUEST_ASSERT_EQ(read_msacsr(), csr);
}

static void guest_exceptions(void)
{
	uint32_t pending = MSACSR_CAUSE_Z | MSACSR_ENABLE_Z;

	guest_enable();
	guest_map_program(0);
	GUEST_ASSERT_EQ(guest_catch(call_divide, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_catch(call_divide, MSACSR_ENABLE_Z), EXC_MSAFPE);
	check_fpe(divide_vectors_insn, false, pending);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_BD, 0);
	write_msacsr(0, 1);
	GUEST_ASSERT_EQ(guest_catch(call_slot_divide, MSACSR_ENABLE_Z), EXC_MSAFPE);
	check_fpe(slot_divide_insn, false, pending);
	GUEST_ASSERT_EQ(guest_caught.cause & CAUSE_BD, CAUSE_BD);
	write_msacsr(0, 1);
	GUEST_ASSERT_EQ(guest_catch(call_write_msacsr, pending), EXC_MSAFPE);
	check_fpe(write_msacsr_insn, false, pending);
	write_msacsr(0, 1);
	GUEST_ASSERT_EQ(guest_catch(call_write_msacsr, MSACSR_CAUSE_E), EXC_MSAFPE);
	check_fpe(write_msacsr_insn, false, MSACSR_CAUSE_E);
	write_msacsr(0, 1);
	GUEST_ASSERT_EQ(guest_user_run(divide_vectors, 0), EXC_NONE);
	GUEST_ASSERT_EQ(guest_caught.gpr[2], 0x7f800000);
	GUEST_ASSERT_EQ(guest_user_run(divide_vectors, MSACSR_ENABLE_Z), EXC_MSAFPE);
	check_fpe(divide_vectors_insn, true, pending);
	GUEST_DONE();
}

/*
 * An instruction that KVM emulates, in the delay slot of each branch of MSA: 1 if it was
 * taken, 2 if it was not. The slot is executed in any case.
 */
#define BRANCH(insn) ({							\
	uint32_t __taken, __prid = 0;					\
	asm volatile(".set push; .set noreorder; .set fp=64; .set msa\n"	\
		     insn ", 1f\n mfc0 %0, $15\n b 2f\n li %1, 2\n"	\
		     "1: li %1, 1\n2:\n"				\
		     ".set pop" : "+&r"(__prid), "=r"(__taken));	\
	GUEST_ASSERT_EQ(__prid, 0x19300);				\
	__taken; })

static void guest_branches(void)
{
	unsigned int i;

	guest_enable();
	/* $w0 is zero; the last n / 4 bytes of $w4, 8, 16; $w1 has no zero. */
	memset(&guest_in, 0xff, sizeof(guest_in));
	memset(guest_in.w[0], 0, 16);
	for (i = 4; i <= 16; i *= 2)
		memset((char *)guest_in.w[i] + 16 - i / 4, 0, i / 4);
	/* Only one bit, in the upper half */
	memset(guest_in.w[2], 0, 16);
	guest_in.w[2][3] = 0x10;
	load_vectors((uintptr_t)&guest_in, 1);

	GUEST_ASSERT_EQ(BRANCH("bz.v $w0"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.v $w2"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.v $w0"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.v $w2"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.b $w1"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.b $w1"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.d $w1"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.d $w1"), 1);
	/* One byte, half, word, double is zero. */
	GUEST_ASSERT_EQ(BRANCH("bz.b $w4"), 1);
	GUEST_ASSERT_EQ(BRANCH("bnz.b $w4"), 2);
	GUEST_ASSERT_EQ(BRANCH("bz.h $w4"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.h $w4"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.h $w8"), 1);
	GUEST_ASSERT_EQ(BRANCH("bnz.h $w8"), 2);
	GUEST_ASSERT_EQ(BRANCH("bz.w $w8"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.w $w8"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.w $w16"), 1);
	GUEST_ASSERT_EQ(BRANCH("bnz.w $w16"), 2);
	GUEST_ASSERT_EQ(BRANCH("bz.d $w16"), 2);
	GUEST_ASSERT_EQ(BRANCH("bnz.d $w16"), 1);
	GUEST_ASSERT_EQ(BRANCH("bz.d $w0"), 1);
	GUEST_ASSERT_EQ(BRANCH("bnz.d $w0"), 2);
	memset(&guest_out, 0, sizeof(guest_out));
	store_vectors((uintptr_t)&guest_out, 1);
	for (i = 0; i < NR_VECTORS * 4; i++)
		GUEST_ASSERT_EQ(guest_out.w[i / 4][i % 4], guest_in.w[i / 4][i % 4]);
	GUEST_DONE();
}

/* Each stage: registers as userspace wrote them, then as it is to read them. */
static void guest_registers(void)
{
	guest_enable();
	guest_load_vectors(0x11110000);
	GUEST_SYNC_ARGS(0, read_msair());
	guest_check_vectors(0x22220000);
	/* Neither this nor the exception that it is can come from userspace. */
	GUEST_ASSERT_EQ(read_msacsr(), MSACSR_CAUSE_Z | MSACSR_ENABLE_Z);
	GUEST_DONE();
}

#define ROUNDS	20

static void guest_isolated(void)
{
	unsigned int i;

	guest_enable();
	/* Nothing of others is there before it was written. */
	memset(&guest_out, 0xff, sizeof(guest_out));
	store_vectors((uintptr_t)&guest_out, 1);
	for (i = 0; i < NR_VECTORS * 4; i++)
		GUEST_ASSERT_EQ(guest_out.w[i / 4][i % 4], 0);
	for (i = 0; i < ROUNDS; i++) {
		guest_load_vectors(guest_seed + i * 0x7000);
		GUEST_SYNC(i);
		guest_check_vectors(guest_seed + i * 0x7000);
	}
	GUEST_DONE();
}

static bool host_has_msa;

static void guest_without(void)
{
	write_c0(C0_STATUS, ST_CU1 | ST_FR);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG3) & CONFIG3_MSAP, 0);
	write_c0(C0_CONFIG5, ~0U);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG5) & CONFIG5_MSAEN, 0);
	GUEST_SYNC(0);
	/* If the host has none, what this is does not depend on KVM: QEMU ignores it. */
	if (host_has_msa) {
		GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_RI);
		GUEST_ASSERT_EQ(guest_caught.epc, (uintptr_t)move_vector_insn);
		GUEST_SYNC(1);
		GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_RI);
		write_c0(C0_STATUS, 0);
		GUEST_ASSERT_EQ(guest_catch(call_move, 0), EXC_RI);
		guest_map_program(0);
		GUEST_ASSERT_EQ(guest_user_run(move_vector, 0), EXC_RI);
	}
	GUEST_DONE();
}

/* --- test side --- */

static void require_msa(void)
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MIPS_FPU) == 1);
	if (kvm_check_cap(KVM_CAP_MIPS_MSA) != 1)
		test_skip("needs a CPU with MSA, and CONFIG_CPU_HAS_MSA");
}

static void enable(struct kvm_vcpu *vcpu, unsigned int cap, uint64_t reg, uint32_t bit)
{
	struct kvm_enable_cap arg = { .cap = cap };

	vcpu_ioctl(vcpu, KVM_ENABLE_CAP, &arg);
	vcpu_set_reg(vcpu, reg, vcpu_get_reg(vcpu, reg) | bit);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, reg) & bit, bit);
}

static struct kvm_vm *vm_with_msa(struct kvm_vcpu **vcpu, void *guest)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest);

	enable(*vcpu, KVM_CAP_MIPS_FPU, REG_CONFIG1, CONFIG1_FP);
	enable(*vcpu, KVM_CAP_MIPS_MSA, REG_CONFIG3, CONFIG3_MSAP);
	return vm;
}

static void run(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	require_msa();
	vm = vm_with_msa(&vcpu, guest);
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		;
	kvm_vm_free(vm);
}

static void test_use(void) { run(guest_use); }
static void test_exceptions(void) { run(guest_exceptions); }
static void test_branches(void) { run(guest_branches); }

static void test_registers(void)
{
	struct vectors want, got;
	struct kvm_reg_list none = { .n = 0 }, *list;
	struct kvm_vcpu *vcpu;
	unsigned int i, found = 0;
	struct kvm_vm *vm;
	struct ucall uc;

	require_msa();
	vm = vm_with_msa(&vcpu, guest_registers);
	vcpu_run_to_sync(vcpu, 0, &uc);
	TEST_ASSERT_EQ((uint32_t)vcpu_get_reg(vcpu, KVM_REG_MIPS_MSA_IR), uc.args[1]);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG5), CONFIG5_MSAEN);
	fill_vectors(&want, 0x11110000);
	for (i = 0; i < NR_VECTORS; i++)
		TEST_ASSERT(!__vcpu_get_reg(vcpu, KVM_REG_MIPS_VEC_128(i), got.w[i]),
			    "vector register %u", i);
	TEST_ASSERT(!memcmp(&want, &got, sizeof(want)), "vector registers read");

	fill_vectors(&want, 0x22220000);
	for (i = 0; i < NR_VECTORS; i++)
		TEST_ASSERT(!__vcpu_set_reg(vcpu, KVM_REG_MIPS_VEC_128(i), want.w[i]),
			    "vector register %u", i);
	for (i = 0; i < NR_VECTORS; i++)
		TEST_ASSERT(!__vcpu_get_reg(vcpu, KVM_REG_MIPS_VEC_128(i), got.w[i]),
			    "vector register %u", i);
	TEST_ASSERT(!memcmp(&want, &got, sizeof(want)), "vector registers written");
	TEST_ASSERT(__vcpu_set_reg(vcpu, KVM_REG_MIPS_VEC_128(3), NULL) < 0,
		    "from nowhere");
	vcpu_set_reg(vcpu, KVM_REG_MIPS_MSA_CSR, MSACSR_CAUSE_Z | MSACSR_ENABLE_Z);

	ioctl(vcpu->fd, KVM_GET_REG_LIST, &none);
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	list->n = none.n;
	vcpu_ioctl(vcpu, KVM_GET_REG_LIST, list);
	for (i = 0; i < list->n; i++)
		found += list->reg[i] == KVM_REG_MIPS_MSA_CSR ||
			 (list->reg[i] >= KVM_REG_MIPS_VEC_128(0) &&
			  list->reg[i] <= KVM_REG_MIPS_VEC_128(31));
	TEST_ASSERT_EQ(found, NR_VECTORS + 1);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/*
 * A process of the host: registers of its own in the CPU all the time. It says that it
 * has begun, and ends when it is killed, or with 1 if they change.
 */
static void host_process(int fd)
{
	static struct vectors want, got;

	if (prctl(PR_SET_FP_MODE, PR_FP_MODE_FR))
		_exit(2);
	fill_vectors(&want, 0xdead0000);
	load_vectors((uintptr_t)&want, 1);
	if (write(fd, "", 1) != 1)
		_exit(3);
	for (;;) {
		memset(&got, 0, sizeof(got));
		store_vectors((uintptr_t)&got, 1);
		if (memcmp(&want, &got, sizeof(want)))
			_exit(1);
		sched_yield();
	}
}

static pid_t start_host_process(void)
{
	int fds[2];
	pid_t pid;
	char c;

	TEST_ASSERT(!pipe(fds), "pipe");
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid)
		host_process(fds[1]);
	close(fds[1]);
	TEST_ASSERT(read(fds[0], &c, 1) == 1, "the host's process uses MSA");
	close(fds[0]);
	return pid;
}

static void end_host_process(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "wait");
	TEST_ASSERT(WIFSIGNALED(status), "the host's process ended with 0x%x", status);
}

/* Two guests in turn, a process of the host, and the registers of this one */
static void test_isolated(void)
{
	struct vectors want, got;
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm[2];
	unsigned int i, n;
	pid_t pid;

	require_msa();
	pid = start_host_process();
	TEST_ASSERT(!prctl(PR_SET_FP_MODE, PR_FP_MODE_FR), "64-bit FPU registers");
	for (n = 0; n < 2; n++) {
		vm[n] = vm_with_msa(&vcpu[n], guest_isolated);
		*guest_addr(vm[n], guest_seed) = 0x40000000 * (n + 1);
	}
	fill_vectors(&want, 0xbeef0000);
	for (i = 0; i < ROUNDS; i++) {
		for (n = 0; n < 2; n++) {
			load_vectors((uintptr_t)&want, 1);
			vcpu_run_to_sync(vcpu[n], i, NULL);
			store_vectors((uintptr_t)&got, 1);
			TEST_ASSERT(!memcmp(&want.w[20], &got.w[20], sizeof(want.w[0]) * 12),
				    "round %u: registers of this process", i);
			sched_yield();
		}
	}
	for (n = 0; n < 2; n++) {
		vcpu_run_to_done(vcpu[n]);
		kvm_vm_free(vm[n]);
	}
	end_host_process(pid);
}

/* With or without MSA in the host: a guest that was not given it has none. */
static void test_without(void)
{
	bool msa = kvm_check_cap(KVM_CAP_MIPS_MSA) == 1;
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MIPS_MSA };
	struct vectors mine, val;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_MIPS_FPU) == 1);
	vm = vm_create_with_one_vcpu(&vcpu, guest_without);
	enable(vcpu, KVM_CAP_MIPS_FPU, REG_CONFIG1, CONFIG1_FP);
	*guest_addr(vm, host_has_msa) = msa;
	if (!msa)
		TEST_ASSERT(ioctl(vcpu->fd, KVM_ENABLE_CAP, &cap) < 0,
			    "MSA, which the host does not have");
	vcpu_set_reg(vcpu, REG_CONFIG3, vcpu_get_reg(vcpu, REG_CONFIG3) | CONFIG3_MSAP);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG3) & CONFIG3_MSAP, 0);
	vcpu_set_reg(vcpu, REG_CONFIG5, CONFIG5_MSAEN);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_CONFIG5), 0);
	TEST_ASSERT(__vcpu_get_reg(vcpu, KVM_REG_MIPS_VEC_128(0), &val) < 0,
		    "a vector register");
	TEST_ASSERT(__vcpu_get_reg(vcpu, KVM_REG_MIPS_MSA_CSR, &val) < 0, "MSACSR");
	vcpu_run_to_sync(vcpu, 0, NULL);
	/* This process has it enabled, and something in its registers. */
	if (msa) {
		TEST_ASSERT(!prctl(PR_SET_FP_MODE, PR_FP_MODE_FR), "64-bit FPU registers");
		fill_vectors(&mine, 0xbeef0000);
		load_vectors((uintptr_t)&mine, 1);
		vcpu_run_to_sync(vcpu, 1, NULL);
		load_vectors((uintptr_t)&mine, 1);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "use", test_use },
	{ "exceptions", test_exceptions },
	{ "branches", test_branches },
	{ "registers", test_registers },
	{ "isolated", test_isolated },
	{ "without", test_without },
};

TEST_MAIN(tests)
