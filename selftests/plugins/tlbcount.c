// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin (TCG) that counts a PowerPC machine's tlbie and tlbiel, from
 * outside of the kernel that executes them, and the instructions of the CPU that asks.
 *
 *   gcc -O2 -fPIC -shared -o tlbcount.so tlbcount.c
 *   qemu-system-ppc64 ... -plugin ./tlbcount.so
 *
 * A program of the machine asks for a line of counts so far with the no-op
 * "xori N,N,0", N from 20 to 30; another is printed at the end:
 *
 *   tlbcount: mark 20 tlbie 0 tlbiel 1000 insns 100000
 *
 * Instructions are recognised in little-endian code only. The plugin's header is in
 * no package of Debian's, so what is used of it (version 3, QEMU 9.0 and later) is
 * declared here.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int, void *),
					    int flags, void *userdata);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int, void *),
					  int flags, void *userdata);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    void (*cb)(qemu_plugin_id_t, void *), void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);

int qemu_plugin_version = 3;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv);

static atomic_ullong tlbie, tlbiel;
/* Each written by one CPU alone. */
static unsigned long long insns[64];

static void print_counts(const char *what, unsigned long n, unsigned int cpu)
{
	fprintf(stderr, "\ntlbcount: %s %lu tlbie %llu tlbiel %llu insns %llu\n", what, n,
		(unsigned long long)tlbie, (unsigned long long)tlbiel, insns[cpu % 64]);
}

static void on_tb_exec(unsigned int cpu, void *n)
{
	insns[cpu % 64] += (unsigned long)n;
}

static void on_tlbie(unsigned int cpu, void *data)
{
	tlbie++;
}

static void on_tlbiel(unsigned int cpu, void *data)
{
	tlbiel++;
}

static void on_mark(unsigned int cpu, void *data)
{
	print_counts("mark", (unsigned long)data, cpu);
}

static void on_tb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_tb_exec, QEMU_PLUGIN_CB_NO_REGS, (void *)n);
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned long ra, rs;
		uint32_t op;

		if (qemu_plugin_insn_data(insn, &op, sizeof(op)) != sizeof(op))
			continue;
		rs = op >> 21 & 31;
		ra = op >> 16 & 31;
		if ((op & 0xfc0007ff) == 0x7c000264)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_tlbie,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		else if ((op & 0xfc0007ff) == 0x7c000224)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_tlbiel,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
		else if ((op & 0xfc00ffff) == 0x68000000 && rs == ra && ra >= 20 && ra <= 30)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       QEMU_PLUGIN_CB_NO_REGS, (void *)ra);
	}
}

static void on_exit_cb(qemu_plugin_id_t id, void *data)
{
	print_counts("end", 0, 0);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_tb);
	qemu_plugin_register_atexit_cb(id, on_exit_cb, NULL);
	return 0;
}
