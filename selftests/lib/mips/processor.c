// SPDX-License-Identifier: GPL-2.0
/*
 * MIPS32 trap & emulate: vCPU set-up, and the guest's side of ucalls and
 * exceptions.
 */
#include "kvm_util.h"

_Static_assert(offsetof(struct ex_regs, hi) == EXR_HI, "arch.h");
_Static_assert(offsetof(struct ex_regs, epc) == EXR_EPC, "arch.h");
_Static_assert(offsetof(struct ex_regs, badvaddr) == EXR_BADVADDR, "arch.h");
_Static_assert(offsetof(struct ex_regs, vector) == EXR_VECTOR, "arch.h");
_Static_assert(sizeof(struct ex_regs) == EXR_SIZE, "arch.h");

/* --- test side --- */

extern char guest_vectors[], guest_vectors_end[];

/* CP0_Status */
#define REG_STATUS	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | 8 * 12)

void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code, uint64_t stack_top)
{
	void *low = addr_gpa2hva(vcpu->vm, 0);
	size_t len = guest_vectors_end - guest_vectors;
	struct kvm_regs regs;
	uint32_t gp;

	memcpy(low, guest_vectors, len);
	arch_sync_icache(low, len);
	asm("move %0,$28" : "=r"(gp));
	vcpu_regs_get(vcpu, &regs);
	regs.pc = (uintptr_t)guest_code;
	regs.gpr[25] = regs.pc;
	regs.gpr[28] = gp;
	regs.gpr[29] = GUEST_KSEG0 + stack_top - 64;
	vcpu_regs_set(vcpu, &regs);
	vcpu_set_reg(vcpu, REG_STATUS, 0);
}

void vcpu_arch_dump(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return;
	print_info("  pc %08llx status %08llx", regs.pc,
		   (unsigned long long)vcpu_get_reg(vcpu, REG_STATUS));
	print_gprs(&regs);
}

bool vcpu_arch_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	return false;
}

void vcpu_irq_line(struct kvm_vcpu *vcpu, int irq)
{
	struct kvm_mips_interrupt i = { .cpu = -1, .irq = irq };

	vcpu_ioctl(vcpu, KVM_INTERRUPT, &i);
}

/* --- guest side --- */

extern char guest_catch_pad[], guest_user_load_insns[], guest_user_store_insns[];

uint32_t guest_catch_sp;
struct ex_regs guest_caught;
static ex_handler guest_handlers[EXC_COUNT];

char guest_exception_stack[8192] __aligned(16);
__asm__(".globl guest_exception_stack_end\n"
	"guest_exception_stack_end = guest_exception_stack + 8192");

void ucall_arch_do_ucall(struct ucall *uc)
{
	/* The structure must be in memory before the store that announces it. */
	asm volatile("sync; sw %0,0(%1)"
		     : : "r"(uc), "r"(GUEST_CKSEG1 + UCALL_GPA) : "memory");
}

void guest_set_handler(unsigned int code, ex_handler handler)
{
	guest_handlers[code] = handler;
}

void guest_exception(struct ex_regs *regs);

/* Called by the vectors. */
void guest_exception(struct ex_regs *regs)
{
	unsigned int code = ex_code(regs);

	if (guest_handlers[code]) {
		guest_handlers[code](regs);
		return;
	}
	if (guest_catch_sp) {
		guest_caught = *regs;
		/* Return to the landing pad, in the state of guest_catch(). */
		regs->gpr[2] = code;
		regs->epc = (uintptr_t)guest_catch_pad;
		regs->status &= ~ST_USER;
		return;
	}
	__GUEST_UCALL(UCALL_UNHANDLED, code, regs->epc, regs->status,
		      regs->cause, regs->badvaddr);
	for (;;)
		;
}

static uint32_t access_val;

static void do_load(unsigned long gva)
{
	access_val = *(volatile uint32_t *)gva;
}

static void do_store(unsigned long gva)
{
	*(volatile uint32_t *)gva = access_val;
}

unsigned int guest_load(unsigned long gva, uint32_t *val)
{
	unsigned int exc = guest_catch(do_load, gva);

	*val = access_val;
	return exc;
}

unsigned int guest_store(unsigned long gva, uint32_t val)
{
	access_val = val;
	return guest_catch(do_store, gva);
}

struct user_args {
	uint32_t pc, a0, a1;
};

void guest_enter_user(unsigned long args);

static unsigned int run_user(const void *insns, uint32_t a0, uint32_t a1)
{
	struct user_args args = {
		ARCH_GVA2GPA((uintptr_t)insns), a0, a1
	};
	unsigned int exc = guest_catch(guest_enter_user, (unsigned long)&args);

	return exc == EXC_SYS ? EXC_NONE : exc;
}

unsigned int guest_user_run(const void *insns, unsigned long arg)
{
	return run_user(insns, arg, 0);
}

unsigned int guest_user_load(unsigned long gva, uint32_t *val)
{
	unsigned int exc = run_user(guest_user_load_insns, gva, 0);

	*val = guest_caught.gpr[2];
	return exc;
}

unsigned int guest_user_store(unsigned long gva, uint32_t val)
{
	return run_user(guest_user_store_insns, gva, val);
}

static void set_entry(long mask, uint32_t hi, uint32_t lo0, uint32_t lo1)
{
	if (mask == -1)
		mask = (2 * host_page - 1) & ~0x1fff;
	write_c0(C0_PAGEMASK, mask);
	write_c0(C0_ENTRYHI, hi);
	write_c0(C0_ENTRYLO0, lo0);
	write_c0(C0_ENTRYLO1, lo1);
}

/* All of these leave EntryHi's ASID as it was. */
void guest_tlb_write(unsigned int index, long mask, uint32_t hi, uint32_t lo0,
		     uint32_t lo1)
{
	uint32_t entryhi = read_c0(C0_ENTRYHI);

	set_entry(mask, hi, lo0, lo1);
	write_c0(C0_INDEX, index);
	asm volatile("tlbwi; ehb" : : : "memory");
	write_c0(C0_ENTRYHI, entryhi);
}

void guest_tlb_write_random(uint32_t hi, uint32_t lo0, uint32_t lo1)
{
	uint32_t entryhi = read_c0(C0_ENTRYHI);

	set_entry(-1, hi, lo0, lo1);
	asm volatile("tlbwr; ehb" : : : "memory");
	write_c0(C0_ENTRYHI, entryhi);
}

uint32_t guest_tlb_probe(uint32_t hi)
{
	uint32_t entryhi = read_c0(C0_ENTRYHI);
	uint32_t index;

	write_c0(C0_ENTRYHI, hi);
	asm volatile("tlbp; ehb" : : : "memory");
	index = read_c0(C0_INDEX);
	write_c0(C0_ENTRYHI, entryhi);
	return index;
}

void guest_tlb_read(unsigned int index, uint32_t *mask, uint32_t *hi,
		    uint32_t *lo0, uint32_t *lo1)
{
	uint32_t entryhi = read_c0(C0_ENTRYHI);

	write_c0(C0_INDEX, index);
	asm volatile("tlbr; ehb" : : : "memory");
	*mask = read_c0(C0_PAGEMASK);
	*hi = read_c0(C0_ENTRYHI);
	*lo0 = read_c0(C0_ENTRYLO0);
	*lo1 = read_c0(C0_ENTRYLO1);
	write_c0(C0_ENTRYHI, entryhi);
}

void guest_map_program(unsigned int index)
{
	/* 16 MB pages; the second is not RAM. */
	guest_tlb_write(index, 0x1ffe000, 0,
			LO_PFN(0) | LO_C | LO_D | LO_V | LO_G, LO_G);
}

void guest_tlb_clear(unsigned int index)
{
	guest_tlb_write(index, -1, 0x80000000 + index * 2 * host_page, 0, 0);
}
