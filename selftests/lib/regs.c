// SPDX-License-Identifier: GPL-2.0
/*
 * General registers, for the architectures whose struct kvm_regs has them in gpr[]
 * and the program counter in pc.
 */
#include <stdarg.h>

#include "kvm_util.h"

void vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...)
{
	struct kvm_regs regs;
	unsigned int i;
	va_list ap;

	TEST_ASSERT(num <= ARCH_ARGS, "%u arguments", num);
	vcpu_regs_get(vcpu, &regs);
	va_start(ap, num);
	for (i = 0; i < num; i++)
		regs.gpr[ARCH_FIRST_ARG + i] = va_arg(ap, unsigned long);
	va_end(ap);
	vcpu_regs_set(vcpu, &regs);
}

uint64_t vcpu_pc(struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	return regs.pc;
}

void print_gprs(const struct kvm_regs *regs)
{
	const unsigned int per_line = 32 / sizeof(long);
	char line[160];
	unsigned int i;
	int len = 0;

	for (i = 0; i < 32; i++) {
		if (i % per_line == 0)
			len = snprintf(line, sizeof(line), "  r%-2u", i);
		len += snprintf(line + len, sizeof(line) - len, " %0*llx",
				(int)(2 * sizeof(long)), (unsigned long long)regs->gpr[i]);
		if (i % per_line == per_line - 1)
			print_info("%s", line);
	}
}
