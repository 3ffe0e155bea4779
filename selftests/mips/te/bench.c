// SPDX-License-Identifier: GPL-2.0
/*
 * What a trap & emulate guest pays, in instructions: with QEMU's icount and a
 * guest Count of 1 GHz, Count is the number of instructions executed. Loads of
 * one word from each of N pages, after all were touched once.
 */
#include <stdlib.h>
#include <unistd.h>

#include "kvm_util.h"

#define REG_COUNT_HZ	KVM_REG_MIPS_COUNT_HZ
#define REG_CONFIG7	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * 16 + 7))
#define C0_CONFIG7	16, 7
#define CONFIG7_OFFER	(1U << 20)
#define CONFIG7_PATCH	(1U << 21)
#define MAX_PAGES	512
#define BENCH_GPA	0x02000000UL
#define VA		0x01000000UL
#define ROUNDS		8

/* EntryLo pairs, where Context points: 16 bytes per 8K of address space */
#define TABLE		((uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE))

asm(".set push; .set noreorder; .set noat\n"
    ".globl bench_refill, bench_refill_end\n"
    "bench_refill:\n"
    "	mfc0	$26, $4\n"
    "	lw	$27, 0($26)\n"
    "	lw	$26, 4($26)\n"
    "	mtc0	$27, $2\n"
    "	mtc0	$26, $3\n"
    "	ehb\n"
    "	tlbwr\n"
    "	eret\n"
    "bench_refill_end:\n"
    ".set pop");
extern char bench_refill[], bench_refill_end[];

/* The loop is four instructions per page. */
static __attribute__((noinline)) void touch(unsigned long base, unsigned long pages,
					    unsigned long size)
{
	uint32_t val;

	asm volatile(".set push; .set noreorder\n"
		     "1: lw %0, 0(%1)\n"
		     "addiu %2, %2, -1\n"
		     "bnez %2, 1b\n"
		     "addu %1, %1, %3\n"
		     ".set pop"
		     : "=&r"(val), "+r"(base), "+r"(pages) : "r"(size) : "memory");
}

static uint32_t read_cost;

static uint32_t now(void)
{
	return read_c0(C0_COUNT);
}

static void report(unsigned long what, unsigned long pages, uint32_t t, uint32_t n)
{
	GUEST_SYNC_ARGS(what, pages, (t - read_cost) * 10UL / n);
}

enum { MFC0_COUNT, MFC0_EPC, TLBWI, MMIO, KSEG0_FIRST, KSEG0, MAPPED_FIRST, MAPPED,
	TWO_SPACES, MFC0_PATCHED, NR };
static const char * const names[NR] = {
	"mfc0-count", "mfc0-epc", "tlbwi-invalid", "mmio", "kseg0-first", "kseg0",
	"mapped-first", "mapped", "two-spaces", "mfc0-epc-patched",
};

/* As there is one copy of the instruction, it is patched once. */
static __attribute__((noinline, noclone)) uint32_t read_epc(uint32_t n)
{
	uint32_t t = now();

	while (n--)
		read_c0(C0_EPC);
	return now() - t;
}

static void guest_bench(void)
{
	static const unsigned long sizes[] = { 8, 64, 128, 192, 256, 512 };
	uint32_t *vectors = (uint32_t *)GUEST_KSEG0, t, i, j, s;
	volatile uint32_t *mmio = (uint32_t *)(GUEST_CKSEG1 + GUEST_MMIO_BASE);

	t = now();
	for (i = 0; i < 100; i++)
		now();
	t = now() - t;
	read_cost = t / 101;
	GUEST_SYNC_ARGS(MFC0_COUNT, 0, t * 10UL / 101);
	t = now();
	for (i = 0; i < 100; i++)
		read_c0(C0_EPC);
	report(MFC0_EPC, 0, now() - t, 100);
	write_c0(C0_ENTRYHI, 0x80000000);
	write_c0(C0_ENTRYLO0, 0);
	write_c0(C0_ENTRYLO1, 0);
	write_c0(C0_INDEX, 3);
	t = now();
	for (i = 0; i < 100; i++)
		asm volatile("tlbwi" : : : "memory");
	report(TLBWI, 0, now() - t, 100);
	t = now();
	for (i = 0; i < 100; i++)
		*mmio = i;
	report(MMIO, 0, now() - t, 100);
	write_c0(C0_ENTRYHI, 0);

	/* KSEG0 */
	for (i = s = 0; i < ARRAY_SIZE(sizes); i++) {
		t = now();
		touch(GUEST_KSEG0 + BENCH_GPA + s * host_page, sizes[i] - s, host_page);
		report(KSEG0_FIRST, sizes[i], now() - t, sizes[i] - s);
		s = sizes[i];
		touch(GUEST_KSEG0 + BENCH_GPA, sizes[i], host_page);
		t = now();
		for (j = 0; j < ROUNDS; j++)
			touch(GUEST_KSEG0 + BENCH_GPA, sizes[i], host_page);
		report(KSEG0, sizes[i], now() - t, ROUNDS * sizes[i]);
	}

	/* Mapped, by a handler of the guest's own */
	for (i = 0; i < MAX_PAGES; i++) {
		unsigned long pair = VA + (i & ~1) * host_page, off;

		for (off = 0; off < 2 * host_page; off += 0x2000)
			TABLE[(pair + off) / 0x2000 * 4 + (i & 1)] =
				LO_PFN(BENCH_GPA + i * host_page) | LO_C | LO_V | LO_D;
	}
	for (i = 0; i < (size_t)(bench_refill_end - bench_refill) / 4; i++)
		vectors[i] = ((uint32_t *)bench_refill)[i];
	arch_sync_icache(vectors, 64);
	write_c0(C0_CONTEXT, (uintptr_t)TABLE);
	write_c0(C0_PAGEMASK, (2 * host_page - 1) & ~0x1fff);
	for (i = s = 0; i < ARRAY_SIZE(sizes); i++) {
		t = now();
		touch(VA + s * host_page, sizes[i] - s, host_page);
		report(MAPPED_FIRST, sizes[i], now() - t, sizes[i] - s);
		s = sizes[i];
		touch(VA, sizes[i], host_page);
		t = now();
		for (j = 0; j < ROUNDS; j++)
			touch(VA, sizes[i], host_page);
		report(MAPPED, sizes[i], now() - t, ROUNDS * sizes[i]);
	}

	/* Two address spaces in turn; a round is a switch and all pages of one */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < 4; j++) {
			write_c0(C0_ENTRYHI, 10 + 2 * i + (j & 1));
			touch(VA, sizes[i], host_page);
		}
		t = now();
		for (j = 0; j < ROUNDS; j++) {
			write_c0(C0_ENTRYHI, 10 + 2 * i + (j & 1));
			touch(VA, sizes[i], host_page);
		}
		report(TWO_SPACES, sizes[i], now() - t, ROUNDS * sizes[i]);
	}

	/* The first time round, KVM patches; then it finds no more to patch. */
	write_c0(C0_CONFIG7, CONFIG7_PATCH);
	for (j = 0; j < 2; j++) {
		t = read_epc(100);
		for (i = 0; i < 100; i++)
			now();
	}
	report(MFC0_PATCHED, 0, t, 100);
	GUEST_DONE();
}

static bool device(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		   unsigned int len, bool is_write)
{
	return true;
}

static const struct vm_ops device_ops = { .mmio = device };

int main(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	char *mem;

	host_page = sysconf(_SC_PAGESIZE);
	vm = vm_create_with_one_vcpu(&vcpu, guest_bench);
	vm->ops = &device_ops;
	mem = vm_mem_add(vm, 1, BENCH_GPA, MAX_PAGES * host_page, 0, NULL)->hva;
	memset(mem, 1, MAX_PAGES * host_page);
	vcpu_set_reg(vcpu, REG_COUNT_HZ, 1000000000);
	vcpu_set_reg(vcpu, REG_CONFIG7, CONFIG7_OFFER);
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC) {
		printf("bench: %s", names[uc.args[0]]);
		if (uc.args[1])
			printf("-%lu", uc.args[1]);
		printf(" %lu.%lu instructions\n", uc.args[2] / 10, uc.args[2] % 10);
	}
	kvm_vm_free(vm);
	return 0;
}
