// SPDX-License-Identifier: GPL-2.0
/*
 * The least a trap & emulate guest must do: run instructions, load and store its
 * memory, reach devices, read CP0, get to user mode and back.
 */
#include "kvm_util.h"

static uint32_t counter;

static void guest_code(unsigned long a, unsigned long b)
{
	GUEST_ASSERT_EQ(counter, 4);
	counter++;
	GUEST_SYNC_ARGS(1, a + b);
	GUEST_DONE();
}

static void test_instructions(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	counter = 4;
	sync_global_to_guest(vm, counter);
	vcpu_args_set(vcpu, 2, 1000UL, 24UL);
	vcpu_run_to_sync(vcpu, 1, &uc);
	TEST_ASSERT_EQ(uc.args[1], 1024);
	sync_global_from_guest(vm, counter);
	TEST_ASSERT_EQ(counter, 5);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_memory(void)
{
	volatile uint32_t *p = (uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE);
	uint32_t words = (GUEST_STACK_TOP - 0x100000 - GUEST_FREE_BASE) / 4, i;

	for (i = 0; i < words; i += 1024)
		p[i] = i ^ 0x5a5a5a5a;
	for (i = 0; i < words; i += 1024)
		GUEST_ASSERT_EQ(p[i], i ^ 0x5a5a5a5a);
	GUEST_SYNC(1);
	for (i = 0; i < words; i += 1024)
		GUEST_ASSERT_EQ(p[i], ~i);
	GUEST_DONE();
}

static void test_memory(void)
{
	uint32_t words = (GUEST_STACK_TOP - 0x100000 - GUEST_FREE_BASE) / 4, i;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	uint32_t *p;

	vm = vm_create_with_one_vcpu(&vcpu, guest_memory);
	vcpu_run_to_sync(vcpu, 1, NULL);
	p = addr_gpa2hva(vm, GUEST_FREE_BASE);
	for (i = 0; i < words; i += 1024) {
		TEST_ASSERT_EQ(p[i], i ^ 0x5a5a5a5a);
		p[i] = ~i;
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* A device with a register that counts its accesses, by width. */
static uint32_t device_last;
static unsigned int device_len, device_accesses;

static bool device(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		   unsigned int len, bool is_write)
{
	uint32_t w = 0x818283f4;
	uint16_t h = w;
	uint8_t b = w;
	void *val = len == 4 ? (void *)&w : len == 2 ? (void *)&h : (void *)&b;

	if (gpa != GUEST_MMIO_BASE + 8 || (len != 4 && len != 2 && len != 1))
		return false;
	device_accesses++;
	device_len = len;
	if (is_write) {
		memcpy(val, data, len);
		device_last = len == 4 ? w : len == 2 ? h : b;
	} else {
		memcpy(data, val, len);
	}
	return true;
}

static const struct vm_ops device_ops = { .mmio = device };

#define DEVICE(type)	(*(volatile type *)(GUEST_CKSEG1 + GUEST_MMIO_BASE + 8))

static void guest_mmio(void)
{
	DEVICE(uint32_t) = 0x12345678;
	GUEST_SYNC(1);
	DEVICE(uint16_t) = 0xabcd;
	GUEST_SYNC(2);
	DEVICE(uint8_t) = 0xef;
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(DEVICE(uint32_t), 0x818283f4);
	GUEST_ASSERT_EQ(DEVICE(uint16_t), 0x83f4);
	GUEST_ASSERT_EQ(DEVICE(int16_t), 0xffff83f4);
	GUEST_ASSERT_EQ(DEVICE(uint8_t), 0xf4);
	GUEST_ASSERT_EQ(DEVICE(int8_t), 0xfffffff4);
	GUEST_SYNC(4);
	/* A driver waits for its posted writes. */
	asm volatile("lw	$0, %0" : : "R"(DEVICE(uint32_t)));
	GUEST_DONE();
}

static void test_mmio(void)
{
	static const struct {
		uint32_t val;
		unsigned int len;
	} writes[] = { { 0x12345678, 4 }, { 0xabcd, 2 }, { 0xef, 1 } };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_mmio);
	struct kvm_regs regs;
	unsigned int i;

	vm->ops = &device_ops;
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		vcpu_run_to_sync(vcpu, i + 1, NULL);
		TEST_ASSERT_EQ(device_last, writes[i].val);
		TEST_ASSERT_EQ(device_len, writes[i].len);
	}
	vcpu_run_to_sync(vcpu, 4, NULL);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	memset(vcpu->run->mmio.data, 0x81, sizeof(vcpu->run->mmio.data));
	vcpu_complete_io(vcpu);
	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT_EQ(regs.gpr[0], 0);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(device_accesses, 8);
	kvm_vm_free(vm);
}

static void guest_cp0(void)
{
	GUEST_ASSERT_EQ(read_c0(C0_PRID), 0x19300);
	/* Release 2, a TLB of 64 entries, no FPU */
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG) >> 7 & 0x3f, 0x09);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG1) >> 25 & 63, 63);
	GUEST_ASSERT_EQ(read_c0(C0_CONFIG1) & 1, 0);
	write_c0(C0_USERLOCAL, 0xdeadbeef);
	GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), 0xdeadbeef);
	write_c0(C0_EPC, 0x12345678);
	GUEST_ASSERT_EQ(read_c0(C0_EPC), 0x12345678);
	write_c0(C0_CONTEXT, 0xffffffff);
	GUEST_ASSERT_EQ(read_c0(C0_CONTEXT) >> 23, 0x1ff);
	/* The smallest page is the host's. */
	write_c0(C0_PAGEMASK, 0);
	GUEST_ASSERT_EQ(read_c0(C0_PAGEMASK), (2 * host_page - 1) & ~0x1fff);
	write_c0(C0_PAGEMASK, 0xffffffff);
	GUEST_ASSERT_EQ(read_c0(C0_PAGEMASK), 0x1fffe000);
	GUEST_DONE();
}

static void guest_user(void)
{
	uint32_t *p = (uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE), val;

	guest_map_program(0);
	*p = 77;
	GUEST_ASSERT_EQ(guest_user_load(GUEST_FREE_BASE, &val), EXC_NONE);
	GUEST_ASSERT_EQ(val, 77);
	GUEST_ASSERT_EQ(guest_user_store(GUEST_FREE_BASE, 78), EXC_NONE);
	GUEST_ASSERT_EQ(*p, 78);
	GUEST_DONE();
}

static uint32_t ll_sc_word;

static void guest_ll_sc(void)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		__sync_fetch_and_add(&ll_sc_word, i);
	GUEST_ASSERT_EQ(ll_sc_word, 999 * 1000 / 2);
	GUEST_DONE();
}

static void run(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void test_cp0(void) { run(guest_cp0); }
static void test_user(void) { run(guest_user); }
static void test_ll_sc(void) { run(guest_ll_sc); }

static const struct subtest tests[] = {
	{ "instructions", test_instructions },
	{ "memory", test_memory },
	{ "mmio", test_mmio },
	{ "cp0", test_cp0 },
	{ "user", test_user },
	{ "ll_sc", test_ll_sc },
};

TEST_MAIN(tests)
