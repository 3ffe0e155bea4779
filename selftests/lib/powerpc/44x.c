// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's side of the 440's TLB: see 44x.h.
 */
#include "44x.h"

void tlb_write(unsigned int index, uint32_t w0, uint32_t w1, uint32_t w2,
	       uint32_t tid)
{
	uint32_t mmucr = mfspr(SPRN_MMUCR);

	set_mmucr((mmucr & ~MMUCR_STID) | tid);
	tlbwe1(index, w1);
	tlbwe0(index, w0);
	tlbwe2(index, w2);
	set_mmucr(mmucr);
}

void tlb_invalidate(unsigned int index)
{
	tlbwe0(index, 0);
}

void tlb_read(unsigned int index, struct tlb_entry *e)
{
	uint32_t mmucr = mfspr(SPRN_MMUCR);

	e->w0 = tlbre0(index);
	e->tid = mfspr(SPRN_MMUCR) & MMUCR_STID;
	e->w1 = tlbre1(index);
	e->w2 = tlbre2(index);
	set_mmucr(mmucr);
}

void guest_44x_init(void)
{
	unsigned int i;

	guest_exceptions_init();
	set_mmucr(0);
	tlb_write(0, TLB0_V | SIZE_256M, 0, TLB2_RWX, 0);
	tlb_write(1, TLB0_V | TLB0_TS | SIZE_256M, 0, TLB2_RWX, 0);
	for (i = FIRST_FREE_ENTRY; i < TLB_ENTRIES; i++)
		tlb_write(i, 0, 0, 0, 0);
}

void probe_go(unsigned int op, uint32_t ea, uint32_t msr, uint32_t value);

uint32_t probe_value, probe_store;
bool probe_fresh;
static struct {
	uint32_t msr, op, ea;
} args;

static void probe_caught(unsigned long unused)
{
	probe_go(args.op, args.ea, args.msr, probe_store);
}

unsigned int probe(uint32_t msr, unsigned int op, uint32_t ea)
{
	unsigned int exc;
	uint32_t pid;

	if (probe_fresh) {
		pid = mfspr(SPRN_PID);
		set_pid(pid ^ 0x80);
		set_pid(pid);
	}
	args.msr = msr;
	args.op = op;
	args.ea = op == PROBE_EXEC ? ea + PATTERN_CODE : ea;
	exc = guest_catch(probe_caught, 0);
	/* So that callers compare with the address they gave. */
	if (op == PROBE_EXEC && guest_caught.pc == args.ea)
		guest_caught.pc = ea;
	if (exc != EXC_SYSCALL)
		return exc;
	probe_value = guest_caught.gpr[3];
	return EXC_NONE;
}

#define CHECK_STEP(field, offset) \
	_Static_assert(offsetof(struct step, field) == (offset), "44x.h")
CHECK_STEP(msr, STEP_MSR);
CHECK_STEP(pc, STEP_PC);
CHECK_STEP(addr, STEP_ADDR);
CHECK_STEP(value, STEP_VALUE);
CHECK_STEP(exc, STEP_EXC);
CHECK_STEP(srr0, STEP_SRR0);
CHECK_STEP(srr1, STEP_SRR1);
CHECK_STEP(dear, STEP_DEAR);
CHECK_STEP(esr, STEP_ESR);
CHECK_STEP(r3, STEP_R3);
CHECK_STEP(r5, STEP_R5);

extern char step_vectors[];

#define STEP_IVOR(n)	mtspr((SPRN_IVOR0 + n), n * 0x10)

void step_init(void)
{
	mtspr(SPRN_IVPR, (uintptr_t)step_vectors);
	STEP_IVOR(0);
	STEP_IVOR(1);
	STEP_IVOR(2);
	STEP_IVOR(3);
	STEP_IVOR(4);
	STEP_IVOR(5);
	STEP_IVOR(6);
	STEP_IVOR(7);
	STEP_IVOR(8);
	STEP_IVOR(9);
	STEP_IVOR(10);
	STEP_IVOR(11);
	STEP_IVOR(12);
	STEP_IVOR(13);
	STEP_IVOR(14);
	STEP_IVOR(15);
}

void fill_pattern(struct kvm_vm *vm, uint64_t gpa, uint64_t size)
{
	uint64_t a;

	for (a = gpa; a < gpa + size; a += 1024) {
		uint32_t *p = addr_gpa2hva(vm, a);
		uint32_t v = pattern(a);

		p[0] = v;
		p[2] = 0x3c600000 | v >> 16;		/* lis r3,v@h */
		p[3] = 0x60630000 | (v & 0xffff);	/* ori r3,r3,v@l */
		p[4] = 0x44000002;			/* sc */
		p[255] = ~v;
	}
	arch_sync_icache(addr_gpa2hva(vm, gpa), size);
}
