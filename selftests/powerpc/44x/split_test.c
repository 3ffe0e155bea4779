// SPDX-License-Identifier: GPL-2.0
/*
 * MSR[IS] != MSR[DS]: an instruction accesses the very page that it is on. It
 * is fetched from the one address space, its data are in the other, and each
 * maps this page to a frame of its own. KVM has one hardware entry for both,
 * so it does such an access by hand.
 *
 * One instruction is tried at a time. Both frames are compared with a model
 * afterwards, all of them: the access must have reached its bytes in the data
 * frame, and nothing else.
 *
 * Not shown: what known-issues says cannot be done (lmw, stmw, lwarx, stwcx.).
 */
#include "44x.h"

#define EA		0x40000000UL
#define SLOT		1
#define SLOT_GPA	0x02000000UL
#define FRAME_SIZE	4096UL
#define FRAME(as)	(SLOT_GPA + (as) * 3 * FRAME_SIZE)
#define SLOT_SIZE	(4 * FRAME_SIZE)

#define CODE		0x800UL		/* where the instruction is */
#define INDEX		0x28
#define STORED		0x11223344
#define BASE_OFFSET	0x140UL

/* In the guest's copy: how to enter, and what came out. */
static struct {
	uint32_t pc, msr, gpr[3];	/* r3 to r5 */
	uint64_t fpr[2];		/* f1 and f2, if MSR[FP] */
} go;

void split_go(unsigned long unused);
void split_fprs(void);
asm("	.text; .machine push; .machine \"440\"\n"
    "split_go:\n"
    "	lis 7,go@ha; la 7,go@l(7)\n"
    "	lwz 6,0(7); mtspr 0x01a,6\n"
    "	lwz 6,4(7); mtspr 0x01b,6\n"
    "	andi. 6,6,0x2000; beq 1f\n"
    "	lfd 1,24(7); lfd 2,32(7)\n"
    "1:	lwz 3,8(7); lwz 4,12(7); lwz 5,16(7)\n"
    "	rfi\n"
    "split_fprs:\n"
    "	lis 7,go@ha; la 7,go@l(7)\n"
    "	stfd 1,24(7); stfd 2,32(7)\n"
    "	blr\n"
    "	.machine pop\n");

_Static_assert(offsetof(__typeof__(go), gpr) == 8 &&
	       offsetof(__typeof__(go), fpr) == 24, "split_go");

/* Entries 10 to 17: the page in both address spaces, in pieces of this size. */
static void guest_map(uint32_t size, uint32_t fetch_perm, uint32_t data_perm,
		      uint32_t is)
{
	uint32_t as, off, n = 10;

	for (as = 0; as < 2; as++)
		for (off = 0; off < FRAME_SIZE; off += tlb_size_bytes(size))
			tlb_write(n++, (EA + off) | TLB0_V | size |
				  (as ? TLB0_TS : 0), FRAME(as) + off,
				  as == is ? fetch_perm : data_perm, 0);
}

/* The test writes the code and says how to enter; one run for each sync. */
static void guest_run(uint32_t size)
{
	unsigned int exc;

	guest_44x_init();
	guest_map(size, TLB2_RWX, TLB2_RWX, 0);
	GUEST_SYNC(0);
	for (;;) {
		mtmsr(go.msr & MSR_FP);
		exc = guest_catch(split_go, 0);
		go.gpr[0] = guest_caught.gpr[3];
		go.gpr[2] = guest_caught.gpr[5];
		if (go.msr & MSR_FP)
			split_fprs();
		GUEST_SYNC_ARGS(1, exc, guest_caught.pc, guest_caught.dear);
	}
}

#define D(op, rt, ra, d)	((op) << 26 | (rt) << 21 | (ra) << 16 | ((d) & 0xffff))
#define X(rt, ra, rb, xo)	(31U << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | (xo) << 1)
#define SC			0x44000002

enum kind { LOAD, STORE, ZERO, NOTHING };

/*
 * r3 is the base, r4 the index, r5 is loaded or stored. A load's value is in
 * the data frame's bytes; here is how to make it of them.
 */
struct access {
	const char *name;
	uint32_t insn;
	int offset;
	uint8_t len;
	enum kind kind;
	bool update, sign, swap;
};

static const struct access accesses[] = {
	{ "lbz",    D(34, 5, 3, 9),     9,     1,  LOAD },
	{ "lhz",    D(40, 5, 3, 6),     6,     2,  LOAD },
	{ "lha",    D(42, 5, 3, 6),     6,     2,  LOAD, .sign = true },
	{ "lwz",    D(32, 5, 3, 0),     0,     4,  LOAD },
	{ "lwz-",   D(32, 5, 3, -4),    -4,    4,  LOAD },
	{ "lwzu",   D(33, 5, 3, 32),    32,    4,  LOAD, .update = true },
	{ "lwzx",   X(5, 3, 4, 23),     INDEX, 4,  LOAD },
	{ "lhbrx",  X(5, 3, 4, 790),    INDEX, 2,  LOAD, .swap = true },
	{ "lwbrx",  X(5, 3, 4, 534),    INDEX, 4,  LOAD, .swap = true },
	{ "stb",    D(38, 5, 3, 9),     9,     1,  STORE },
	{ "sth",    D(44, 5, 3, 6),     6,     2,  STORE },
	{ "stw",    D(36, 5, 3, 0),     0,     4,  STORE },
	{ "stwu",   D(37, 5, 3, 32),    32,    4,  STORE, .update = true },
	{ "stwx",   X(5, 3, 4, 151),    INDEX, 4,  STORE },
	{ "sthbrx", X(5, 3, 4, 918),    INDEX, 2,  STORE, .swap = true },
	{ "stwbrx", X(5, 3, 4, 662),    INDEX, 4,  STORE, .swap = true },
	{ "dcbz",   X(0, 0, 3, 1014),   0,     32, ZERO },
	{ "dcbz+",  X(0, 3, 4, 1014),   INDEX, 32, ZERO },
	{ "dcbst",  X(0, 0, 3, 54),     0,     0,  NOTHING },
	{ "dcbf",   X(0, 0, 3, 86),     0,     0,  NOTHING },
};

static uint8_t model[2][FRAME_SIZE];

/* Writes the code in the frame it is fetched from, and patterns elsewhere. */
static void prepare(struct kvm_vm *vm, uint32_t is, const uint32_t *code,
		    unsigned int words)
{
	uint32_t as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < FRAME_SIZE / 4; i++)
			((uint32_t *)model[as])[i] =
				0x81a2c3e4 * (i + 1) + as * 0x5a5a5a5a;
		if (as == is)
			memcpy(model[as] + CODE, code, words * 4);
		memcpy(addr_gpa2hva(vm, FRAME(as)), model[as], FRAME_SIZE);
	}
	arch_sync_icache(addr_gpa2hva(vm, FRAME(is)), FRAME_SIZE);
}

static void compare(struct kvm_vm *vm, uint32_t is, const char *what)
{
	uint32_t as, i;

	for (as = 0; as < 2; as++) {
		uint8_t *frame = addr_gpa2hva(vm, FRAME(as));

		for (i = 0; i < FRAME_SIZE; i++)
			TEST_ASSERT(frame[i] == model[as][i],
				    "%s, IS=%u: the %s frame has 0x%02x at 0x%x, expected 0x%02x",
				    what, is, as == is ? "fetch" : "data",
				    frame[i], i, model[as][i]);
	}
}

static void enter(struct kvm_vcpu *vcpu, uint32_t is, uint32_t msr,
		  uint32_t base, struct ucall *uc)
{
	go.pc = EA + CODE;
	go.msr = msr | (is ? MSR_IS : MSR_DS);
	go.gpr[0] = base;
	go.gpr[1] = INDEX;
	go.gpr[2] = STORED;
	sync_global_to_guest(vcpu->vm, go);
	vcpu_run_to_sync(vcpu, 1, uc);
	sync_global_from_guest(vcpu->vm, go);
}

static void swap_bytes(uint8_t *p, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len / 2; i++) {
		uint8_t c = p[i];

		p[i] = p[len - 1 - i];
		p[len - 1 - i] = c;
	}
}

static void try_access(struct kvm_vcpu *vcpu, const struct access *a, uint32_t is,
		       uint32_t msr, uint32_t offset)
{
	uint32_t code[2] = { a->insn, SC }, want = STORED, base = EA + offset;
	uint8_t word[4] = { 0 }, *data;
	struct ucall uc;

	offset += a->offset;
	prepare(vcpu->vm, is, code, 2);
	data = model[!is];
	switch (a->kind) {
	case LOAD:
		memcpy(word + 4 - a->len, data + offset, a->len);
		if (a->swap)
			swap_bytes(word + 4 - a->len, a->len);
		memcpy(&want, word, 4);
		if (a->sign)
			want = (int16_t)want;
		break;
	case STORE:
		want = STORED;
		memcpy(word, &want, 4);
		if (a->swap)
			swap_bytes(word + 4 - a->len, a->len);
		memcpy(data + offset, word + 4 - a->len, a->len);
		break;
	case ZERO:
		memset(data + (offset & -32), 0, 32);
		break;
	case NOTHING:
		break;
	}
	enter(vcpu, is, msr, base, &uc);
	TEST_ASSERT(uc.args[1] == EXC_SYSCALL && uc.args[2] == EA + CODE + 8,
		    "%s, IS=%u: exception %lu at 0x%lx, dear 0x%lx", a->name, is,
		    uc.args[1], uc.args[2], uc.args[3]);
	TEST_ASSERT(go.gpr[2] == want, "%s, IS=%u: r5 is 0x%x, expected 0x%x",
		    a->name, is, go.gpr[2], want);
	TEST_ASSERT(go.gpr[0] == base + (a->update ? a->offset : 0),
		    "%s, IS=%u: r3 is 0x%x", a->name, is, go.gpr[0]);
	compare(vcpu->vm, is, a->name);
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *code, uint32_t size)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, code);

	vm_mem_add(vm, SLOT, SLOT_GPA, SLOT_SIZE, 0, NULL);
	vcpu_args_set(*vcpu, 1, (unsigned long)size);
	return vm;
}

/* Each instruction, on other words of the page and on its own address. */
static void accesses_of_size(uint32_t size)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_run, size);
	unsigned int i, is, user;

	vcpu_run_to_sync(vcpu, 0, NULL);
	for (is = 0; is < 2; is++)
	for (user = 0; user < 2; user++)
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint32_t msr = user ? MSR_PR : 0;

		try_access(vcpu, &accesses[i], is, msr, BASE_OFFSET);
		try_access(vcpu, &accesses[i], is, msr, CODE);
		try_access(vcpu, &accesses[i], is, msr, BASE_OFFSET);
	}
	kvm_vm_free(vm);
}

static void test_accesses(void)
{
	accesses_of_size(SIZE_4K);
}

/* The same page of the host, not always the same page of the guest. */
static void test_1k_pages(void)
{
	accesses_of_size(SIZE_1K);
}

/* --- a loop that works on its own page --- */

#define LOOP_WORDS	64

static void test_loop(void)
{
	static const uint32_t code[] = {
		0x7c8903a6,			/* mtctr r4 */
		D(33, 5, 3, 4),			/* 1: lwzu r5,4(r3) */
		D(14, 5, 5, 1),			/* addi r5,r5,1 */
		D(36, 5, 3, 0x400),		/* stw r5,0x400(r3) */
		0x4200fff4,			/* bdnz 1b */
		SC,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_run, SIZE_4K);
	uint32_t is, i, round;
	struct ucall uc;

	vcpu_run_to_sync(vcpu, 0, NULL);
	for (round = 0; round < 3; round++)
	for (is = 0; is < 2; is++) {
		uint32_t *data = (uint32_t *)model[!is];

		prepare(vm, is, code, ARRAY_SIZE(code));
		for (i = 1; i <= INDEX; i++)
			data[i + 0x100] = data[i] + 1;
		/* r4 is INDEX: the number of rounds here. */
		enter(vcpu, is, 0, EA, &uc);
		TEST_ASSERT_EQ(uc.args[1], EXC_SYSCALL);
		TEST_ASSERT_EQ(go.gpr[0], EA + INDEX * 4);
		compare(vm, is, "loop");
	}
	kvm_vm_free(vm);
}

/* --- floating point --- */

static void test_fp(void)
{
	static const uint32_t code[] = {
		D(50, 1, 3, 0),			/* lfd f1,0(r3) */
		D(54, 2, 3, 16),		/* stfd f2,16(r3) */
		SC,
	};
	const uint64_t v = 0x400921fb54442d18ULL;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	uint64_t loaded;
	uint32_t is;

	TEST_REQUIRE(host_has_fpu());
	vm = create(&vcpu, guest_run, SIZE_4K);
	vcpu_run_to_sync(vcpu, 0, NULL);
	for (is = 0; is < 2; is++) {
		prepare(vm, is, code, ARRAY_SIZE(code));
		memcpy(&loaded, model[!is] + BASE_OFFSET, 8);
		memcpy(model[!is] + BASE_OFFSET + 16, &v, 8);
		go.fpr[0] = 0;
		go.fpr[1] = v;
		enter(vcpu, is, MSR_FP, EA + BASE_OFFSET, &uc);
		TEST_ASSERT_EQ(uc.args[1], EXC_SYSCALL);
		TEST_ASSERT_EQ(go.fpr[0], loaded);
		TEST_ASSERT_EQ(go.fpr[1], v);
		compare(vm, is, "fp");
	}
	kvm_vm_free(vm);
}

/* --- permissions and misses --- */

static const struct {
	uint32_t insn;
	bool store;
} denials[] = {
	{ D(32, 5, 3, 0), false },
	{ D(36, 5, 3, 0), true },
	{ X(0, 0, 3, 1014), true },
};

/* @fetch and @data: permissions; @data < 0: no entry. Returns the exception. */
static unsigned int guest_try(uint32_t is, uint32_t fetch, int data, unsigned int i)
{
	uint32_t *code = (void *)(FRAME(is) + CODE);
	uint32_t n;

	guest_map(SIZE_4K, fetch, data < 0 ? 0 : data, is);
	if (data < 0)
		tlb_invalidate(is ? 10 : 11);
	code[0] = denials[i].insn;
	code[1] = SC;
	arch_sync_icache(code, 8);
	go.pc = EA + CODE;
	go.msr = is ? MSR_IS : MSR_DS;
	go.gpr[0] = EA + BASE_OFFSET;
	n = guest_catch(split_go, 0);
	if (n == EXC_DSI || n == EXC_DTLB) {
		GUEST_ASSERT_EQ(guest_caught.pc, EA + CODE);
		GUEST_ASSERT_EQ(guest_caught.dear, EA + BASE_OFFSET);
		GUEST_ASSERT_EQ(guest_caught.esr & ESR_ST,
				denials[i].store ? ESR_ST : 0);
	}
	return n;
}

static void guest_denied(void)
{
	uint32_t is, i, round;

	guest_44x_init();
	for (round = 0; round < 2; round++)
	for (is = 0; is < 2; is++)
	for (i = 0; i < ARRAY_SIZE(denials); i++) {
		bool store = denials[i].store;

		GUEST_ASSERT_EQ(guest_try(is, TLB2_RWX, -1, i), EXC_DTLB);
		GUEST_ASSERT_EQ(guest_try(is, TLB2_RWX, 0, i), EXC_DSI);
		GUEST_ASSERT_EQ(guest_try(is, TLB2_RWX, TLB2_SX | TLB2_U_RWX, i), EXC_DSI);
		GUEST_ASSERT_EQ(guest_try(is, TLB2_RWX, TLB2_SR, i),
				store ? EXC_DSI : EXC_SYSCALL);
		/* Each needs no more than its own. */
		GUEST_ASSERT_EQ(guest_try(is, TLB2_SX, TLB2_SR | TLB2_SW, i),
				EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_try(is, TLB2_SR | TLB2_SW, TLB2_RWX, i), EXC_ISI);
		GUEST_ASSERT_EQ(guest_caught.pc, EA + CODE);
	}
	GUEST_DONE();
}

static void test_denied(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_denied, 0);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- the data are a device's --- */

#define DEVICE	0x0e000000UL

static uint64_t mmio_gpa;
static uint32_t mmio_stored;
static unsigned int mmio_count;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	static const uint32_t answer = 0x81828384;

	TEST_ASSERT_EQ(len, 4);
	mmio_gpa = gpa;
	mmio_count++;
	if (is_write)
		memcpy(&mmio_stored, data, 4);
	else
		memcpy(data, &answer, 4);
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static void guest_mmio(void)
{
	uint32_t is;

	guest_44x_init();
	for (is = 0; is < 2; is++) {
		tlb_write(10, EA | TLB0_V | SIZE_4K | (is ? TLB0_TS : 0),
			  FRAME(is), TLB2_SX, 0);
		tlb_write(11, EA | TLB0_V | SIZE_4K | (is ? 0 : TLB0_TS),
			  DEVICE, TLB2_SR | TLB2_SW, 0);
		GUEST_SYNC(is);
		GUEST_ASSERT_EQ(guest_catch(split_go, 0), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_caught.gpr[5], 0x81828384);
	}
	GUEST_DONE();
}

static void test_mmio(void)
{
	static const uint32_t code[] = {
		D(36, 5, 3, 4),			/* stw r5,4(r3) */
		D(32, 5, 3, 8),			/* lwz r5,8(r3) */
		SC,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_mmio, 0);
	uint32_t is;

	vm->ops = &ops;
	for (is = 0; is < 2; is++) {
		vcpu_run_to_sync(vcpu, is, NULL);
		prepare(vm, is, code, ARRAY_SIZE(code));
		go.pc = EA + CODE;
		go.msr = is ? MSR_IS : MSR_DS;
		go.gpr[0] = EA + BASE_OFFSET;
		go.gpr[2] = STORED + is;
		sync_global_to_guest(vm, go);
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(mmio_count, 4);
	TEST_ASSERT_EQ(mmio_gpa, DEVICE + BASE_OFFSET + 8);
	TEST_ASSERT_EQ(mmio_stored, STORED + 1);
	compare(vm, 1, "mmio");
	kvm_vm_free(vm);
}

/* Fetches from a device, of an address whose data were just accessed. */
static void guest_exec_mmio(void)
{
	uint32_t is, n;

	guest_44x_init();
	for (is = 0; is < 2; is++) {
		tlb_write(10, EA | TLB0_V | SIZE_4K | (is ? TLB0_TS : 0),
			  DEVICE, TLB2_SX, 0);
		tlb_write(11, EA | TLB0_V | SIZE_4K | (is ? 0 : TLB0_TS),
			  FRAME(is), TLB2_RWX, 0);
		tlb_write(12, (EA + 0x1000) | TLB0_V | SIZE_4K | (is ? TLB0_TS : 0),
			  FRAME(is), TLB2_RWX, 0);
		GUEST_SYNC(is);
		mtmsr(MSR_ME);
		n = guest_catch(split_go, 0);
		if (n != EXC_ISI)
			GUEST_ASSERT_EQ(n, EXC_MCHECK);
		GUEST_ASSERT_EQ(guest_caught.pc, EA);
		mtmsr(0);
	}
	GUEST_DONE();
}

static void test_exec_mmio(void)
{
	static const uint32_t code[] = {
		D(32, 5, 3, 0),			/* lwz r5,0(r3) */
		0x7c6903a6,			/* mtctr r3 */
		0x4e800420,			/* bctr */
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_exec_mmio, 0);
	uint32_t is;

	for (is = 0; is < 2; is++) {
		vcpu_run_to_sync(vcpu, is, NULL);
		prepare(vm, is, code, ARRAY_SIZE(code));
		go.pc = EA + 0x1000 + CODE;
		go.msr = MSR_ME | (is ? MSR_IS : MSR_DS);
		go.gpr[0] = EA;
		sync_global_to_guest(vm, go);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A read-only memslot: loads are from memory, stores are userspace's. */
static void test_readonly(void)
{
	static const uint32_t code[] = {
		D(36, 5, 3, 4),			/* stw r5,4(r3) */
		D(32, 5, 3, 4),			/* lwz r5,4(r3) */
		SC,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	uint32_t is;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_READONLY_MEM));
	vm = create(&vcpu, guest_run, SIZE_4K);
	vm->ops = &ops;
	vcpu_run_to_sync(vcpu, 0, NULL);
	vm_mem_delete(vm, SLOT);
	vm->regions[SLOT].flags = KVM_MEM_READONLY;
	vm_mem_restore(vm, SLOT);
	for (is = 0; is < 2; is++) {
		prepare(vm, is, code, ARRAY_SIZE(code));
		mmio_count = 0;
		enter(vcpu, is, 0, EA + BASE_OFFSET, &uc);
		TEST_ASSERT_EQ(uc.args[1], EXC_SYSCALL);
		TEST_ASSERT_EQ(mmio_count, 1);
		TEST_ASSERT_EQ(mmio_gpa, FRAME(!is) + BASE_OFFSET + 4);
		TEST_ASSERT_EQ(mmio_stored, STORED);
		TEST_ASSERT_EQ(go.gpr[2],
			       *(uint32_t *)(model[!is] + BASE_OFFSET + 4));
		compare(vm, is, "readonly");
	}
	kvm_vm_free(vm);
}

/* --- dirty logging sees the store, in the data frame alone --- */

static void test_dirty_log(void)
{
	static const uint32_t code[] = { D(36, 5, 3, 0), SC };
	uint8_t dirty[8];	/* little endian, whole 64 bits */
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_run, SIZE_4K);
	struct ucall uc;
	uint32_t is;

	vcpu_run_to_sync(vcpu, 0, NULL);
	vm_mem_set_flags(vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (is = 0; is < 2; is++) {
		prepare(vm, is, code, ARRAY_SIZE(code));
		vm_get_dirty_log(vm, SLOT, dirty);
		enter(vcpu, is, 0, EA + BASE_OFFSET, &uc);
		TEST_ASSERT_EQ(uc.args[1], EXC_SYSCALL);
		vm_get_dirty_log(vm, SLOT, dirty);
		TEST_ASSERT_EQ(dirty[0], 1 << (FRAME(!is) - SLOT_GPA) / host_page);
	}
	kvm_vm_free(vm);
}

/* --- entries within one page of the host, if that is larger than 4K --- */

#define WHOLE		0x00900000UL	/* 16K */
#define PIECE		0x00910000UL	/* 4K, in place of the second of the 16K */
#define PIECE_OFFSET	0x1000UL

static uint32_t *parts_word(unsigned long offset)
{
	return (uint32_t *)(((offset & ~0xfffUL) == PIECE_OFFSET ? PIECE - PIECE_OFFSET :
			     WHOLE) + offset);
}

/* Code at one offset loads from another and stores; rights as given. */
static unsigned int guest_parts_try(unsigned long pc, unsigned long data, uint32_t msr,
				    bool denied)
{
	const uint32_t ds = msr & MSR_DS ? TLB0_TS : 0;
	static uint32_t value = 0x100;
	uint32_t *code = parts_word(pc), *word = parts_word(data);
	bool piece = (data & ~0xfffUL) == PIECE_OFFSET;
	unsigned int n;

	value++;
	code[0] = D(32, 5, 3, 0);		/* lwz r5,0(r3) */
	code[1] = D(36, 4, 3, 4);		/* stw r4,4(r3) */
	code[2] = SC;
	arch_sync_icache(code, 12);
	word[0] = value;
	word[1] = 0;
	/* The lowest index wins. With IS != DS each has its own address space. */
	tlb_write(10, (EA + PIECE_OFFSET) | TLB0_V | SIZE_4K | (piece ? ds : 0), PIECE,
		  denied && piece ? 0 : TLB2_RWX, 0);
	tlb_write(11, EA | TLB0_V | SIZE_16K | (piece ? 0 : ds), WHOLE,
		  denied && !piece ? 0 : TLB2_RWX, 0);
	go.pc = EA + pc;
	go.msr = msr;
	go.gpr[0] = EA + data;
	go.gpr[1] = ~value;
	n = guest_catch(split_go, 0);
	if (n == EXC_SYSCALL) {
		GUEST_ASSERT_EQ(guest_caught.gpr[5], value);
		GUEST_ASSERT_EQ(word[1], ~value);
	} else {
		GUEST_ASSERT_EQ(guest_caught.pc, EA + pc);
		GUEST_ASSERT_EQ(word[1], 0);
	}
	return n;
}

static void guest_parts(void)
{
	uint32_t round, ds, off;

	guest_44x_init();
	for (round = 0; round < 3; round++)
	for (ds = 0; ds <= MSR_DS; ds += MSR_DS) {
		GUEST_ASSERT_EQ(guest_parts_try(0x800, 0x1540, ds, false), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_parts_try(0x1440, 0x2540, ds, false), EXC_SYSCALL);
		GUEST_ASSERT_EQ(guest_parts_try(0x800, 0x1540, ds, true), EXC_DSI);
		if (ds)
			GUEST_ASSERT_EQ(guest_parts_try(0x1440, 0x2540, ds, true), EXC_DSI);
		/* What was mapped in parts goes as a whole. */
		guest_parts_try(0x800, 0x1540, 0, false);
		PROBE_OK(0, PROBE_READ, EA);
		PROBE_OK(0, PROBE_READ, EA + PIECE_OFFSET);
		PROBE_OK(0, PROBE_READ, EA + 0x2000);
		PROBE_OK(0, PROBE_READ, EA + 0x3000);
		tlb_invalidate(11);
		for (off = 0; off < 0x4000; off += 0x1000)
			GUEST_ASSERT_EQ(probe(0, PROBE_READ, EA + off),
					off == PIECE_OFFSET ? EXC_NONE : EXC_DTLB);
		tlb_invalidate(10);
		PROBE_MISSES(0, PROBE_READ, EA + PIECE_OFFSET);
	}
	GUEST_DONE();
}

static void test_parts(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_parts, 0);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "accesses", test_accesses, 30 },
	{ "1k_pages", test_1k_pages, 30 },
	{ "loop", test_loop, 20 },
	{ "fp", test_fp, 20 },
	{ "denied", test_denied, 20 },
	{ "mmio", test_mmio, 20 },
	{ "exec_mmio", test_exec_mmio, 20 },
	{ "readonly", test_readonly, 20 },
	{ "dirty_log", test_dirty_log, 20 },
	{ "parts", test_parts, 20 },
};

TEST_MAIN(tests)
