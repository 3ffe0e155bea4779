// SPDX-License-Identifier: GPL-2.0
/*
 * Loads and stores that hit no memory slot reach userspace with the right
 * address, width and bytes, and what userspace answers reaches the register:
 * every width, byte-reversed, algebraic, indexed and update forms.
 *
 * One instruction is tried at a time, from a table. Floating point and string
 * forms are not in it.
 */
#include "kvm_util.h"

#define BASE	GUEST_MMIO_BASE

/*
 * A load: code(r3 = base, r4 = index) leaves the result in r5 and the address
 * register in r3. The device answers the bytes 81 82 83 84.
 */
struct access {
	const char *name;
	uint32_t insn;
	uint32_t offset;	/* of the access from BASE */
	uint8_t len;
	bool store;
	bool update;
	uint32_t reg;		/* load: result; store: what is stored */
	uint8_t bytes[4];	/* store: what userspace sees */
};

#define D(op, rt, ra, d)	((op) << 26 | (rt) << 21 | (ra) << 16 | ((d) & 0xffff))
#define X(rt, ra, rb, xo)	(31 << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | (xo) << 1)
#define INDEX	0x28

static const struct access accesses[] = {
	{ "lbz",   D(34, 5, 3, 9),    9,     1, false, false, 0x81 },
	{ "lbzu",  D(35, 5, 3, 9),    9,     1, false, true,  0x81 },
	{ "lbzx",  X(5, 3, 4, 87),    INDEX, 1, false, false, 0x81 },
	{ "lbzux", X(5, 3, 4, 119),   INDEX, 1, false, true,  0x81 },
	{ "lhz",   D(40, 5, 3, 16),   16,    2, false, false, 0x8182 },
	{ "lhzu",  D(41, 5, 3, 16),   16,    2, false, true,  0x8182 },
	{ "lhzx",  X(5, 3, 4, 279),   INDEX, 2, false, false, 0x8182 },
	{ "lhzux", X(5, 3, 4, 311),   INDEX, 2, false, true,  0x8182 },
	{ "lha",   D(42, 5, 3, 16),   16,    2, false, false, 0xffff8182 },
	{ "lhau",  D(43, 5, 3, 16),   16,    2, false, true,  0xffff8182 },
	{ "lhax",  X(5, 3, 4, 343),   INDEX, 2, false, false, 0xffff8182 },
	{ "lhaux", X(5, 3, 4, 375),   INDEX, 2, false, true,  0xffff8182 },
	{ "lwz",   D(32, 5, 3, 32),   32,    4, false, false, 0x81828384 },
	{ "lwzu",  D(33, 5, 3, 32),   32,    4, false, true,  0x81828384 },
	{ "lwz-",  D(32, 5, 3, -4),   -4,    4, false, false, 0x81828384 },
	{ "lwzx",  X(5, 3, 4, 23),    INDEX, 4, false, false, 0x81828384 },
	{ "lwzux", X(5, 3, 4, 55),    INDEX, 4, false, true,  0x81828384 },
	{ "lhbrx", X(5, 3, 4, 790),   INDEX, 2, false, false, 0x8281 },
	{ "lwbrx", X(5, 3, 4, 534),   INDEX, 4, false, false, 0x84838281 },
	{ "stb",   D(38, 5, 3, 9),    9,     1, true,  false, 0x11223344, { 0x44 } },
	{ "stbu",  D(39, 5, 3, 9),    9,     1, true,  true,  0x11223344, { 0x44 } },
	{ "stbx",  X(5, 3, 4, 215),   INDEX, 1, true,  false, 0x11223344, { 0x44 } },
	{ "stbux", X(5, 3, 4, 247),   INDEX, 1, true,  true,  0x11223344, { 0x44 } },
	{ "sth",   D(44, 5, 3, 16),   16,    2, true,  false, 0x11223344, { 0x33, 0x44 } },
	{ "sthu",  D(45, 5, 3, 16),   16,    2, true,  true,  0x11223344, { 0x33, 0x44 } },
	{ "sthx",  X(5, 3, 4, 407),   INDEX, 2, true,  false, 0x11223344, { 0x33, 0x44 } },
	{ "sthux", X(5, 3, 4, 439),   INDEX, 2, true,  true,  0x11223344, { 0x33, 0x44 } },
	{ "stw",   D(36, 5, 3, 32),   32,    4, true,  false, 0x11223344, { 0x11, 0x22, 0x33, 0x44 } },
	{ "stwu",  D(37, 5, 3, 32),   32,    4, true,  true,  0x11223344, { 0x11, 0x22, 0x33, 0x44 } },
	{ "stwx",  X(5, 3, 4, 151),   INDEX, 4, true,  false, 0x11223344, { 0x11, 0x22, 0x33, 0x44 } },
	{ "stwux", X(5, 3, 4, 183),   INDEX, 4, true,  true,  0x11223344, { 0x11, 0x22, 0x33, 0x44 } },
	{ "sthbrx", X(5, 3, 4, 918),  INDEX, 2, true,  false, 0x11223344, { 0x44, 0x33 } },
	{ "stwbrx", X(5, 3, 4, 662),  INDEX, 4, true,  false, 0x11223344, { 0x44, 0x33, 0x22, 0x11 } },
};

static const struct access *now;
static unsigned int seen;

static bool on_mmio(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		    unsigned int len, bool is_write)
{
	static const uint8_t answer[8] = { 0x81, 0x82, 0x83, 0x84 };

	TEST_ASSERT(gpa == BASE + 0x100 + (int32_t)now->offset, "%s: at 0x%llx",
		    now->name, (unsigned long long)gpa);
	TEST_ASSERT(len == now->len, "%s: %u bytes", now->name, len);
	TEST_ASSERT(is_write == now->store, "%s: direction", now->name);
	if (is_write)
		TEST_ASSERT(!memcmp(data, now->bytes, len), "%s: %02x %02x %02x %02x",
			    now->name, ((uint8_t *)data)[0], ((uint8_t *)data)[1],
			    ((uint8_t *)data)[2], ((uint8_t *)data)[3]);
	else
		memcpy(data, answer, len);
	seen++;
	return true;
}

static const struct vm_ops ops = { .mmio = on_mmio };

static void test_forms(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	uint32_t *code;
	unsigned int i;

	vm = vm_create_with_one_vcpu(&vcpu, NULL);
	vm->ops = &ops;
	code = addr_gpa2hva(vm, GUEST_FREE_BASE);
	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		now = &accesses[i];
		/* The access, and a stop. */
		code[i * 2] = now->insn;
		code[i * 2 + 1] = 0x48000000;	/* b . */
	}
	arch_sync_icache(code, sizeof(uint32_t) * 2 * ARRAY_SIZE(accesses));

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		now = &accesses[i];
		seen = 0;
		vcpu_regs_get(vcpu, &regs);
		regs.pc = GUEST_FREE_BASE + i * 8;
		regs.gpr[3] = BASE + 0x100;
		regs.gpr[4] = INDEX;
		regs.gpr[5] = now->store ? now->reg : 0xdeadbeef;
		vcpu_regs_set(vcpu, &regs);
		vcpu_run(vcpu);
		TEST_ASSERT(vcpu->run->exit_reason == KVM_EXIT_MMIO, "%s: exit %u",
			    now->name, vcpu->run->exit_reason);
		vcpu_handle_exit(vcpu, NULL);
		TEST_ASSERT_EQ(seen, 1);
		/* Finish the instruction, and nothing after it. */
		vcpu_complete_io(vcpu);
		vcpu_regs_get(vcpu, &regs);
		TEST_ASSERT(regs.pc == GUEST_FREE_BASE + i * 8 + 4, "%s: pc 0x%llx",
			    now->name, regs.pc);
		TEST_ASSERT(regs.gpr[5] == now->reg, "%s: register is 0x%llx",
			    now->name, regs.gpr[5]);
		TEST_ASSERT(regs.gpr[3] == BASE + 0x100 +
			    (now->update ? now->offset : 0),
			    "%s: address register is 0x%llx", now->name,
			    regs.gpr[3]);
	}
	kvm_vm_free(vm);
}

/* Many accesses in a row, from a guest loop: none lost, none twice. */
static uint32_t expect_next;

static bool on_count(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		     unsigned int len, bool is_write)
{
	uint32_t v;

	TEST_ASSERT(gpa == GUEST_MMIO_BASE + (expect_next % 64) * 4, "at 0x%llx",
		    (unsigned long long)gpa);
	if (is_write) {
		memcpy(&v, data, 4);
		TEST_ASSERT_EQ(v, expect_next);
		expect_next++;
	} else {
		v = expect_next * 3;
		memcpy(data, &v, 4);
	}
	return true;
}

static const struct vm_ops count_ops = { .mmio = on_count };

static void guest_count(void)
{
	volatile uint32_t *reg = (void *)GUEST_MMIO_BASE;
	uint32_t i;

	for (i = 0; i < 5000; i++) {
		GUEST_ASSERT_EQ(reg[i % 64], i * 3);
		reg[i % 64] = i;
	}
	GUEST_DONE();
}

static void test_count(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_count);

	vm->ops = &count_ops;
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(expect_next, 5000);
	kvm_vm_free(vm);
}

static const struct subtest tests[] = {
	{ "forms", test_forms },
	{ "count", test_count },
};

TEST_MAIN(tests)
