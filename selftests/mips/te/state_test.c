// SPDX-License-Identifier: GPL-2.0
/*
 * What userspace reads and writes: the registers, the list of them, what may not
 * be changed; a guest that goes on in another VM; bad calls; several VMs and vCPUs;
 * memory given back.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"

#define CP0(r, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U32 | (8 * (r) + (s)))
#define CP0L(r, s)	(KVM_REG_MIPS_CP0 | KVM_REG_SIZE_U64 | (8 * (r) + (s)))
#define REG_INDEX	CP0(0, 0)
#define REG_CONTEXT	CP0L(4, 0)
#define REG_PAGEMASK	CP0(5, 0)
#define REG_WIRED	CP0(6, 0)
#define REG_COUNT	CP0(9, 0)
#define REG_ENTRYHI	CP0L(10, 0)
#define REG_COMPARE	CP0(11, 0)
#define REG_STATUS	CP0(12, 0)
#define REG_CAUSE	CP0(13, 0)
#define REG_EPC		CP0L(14, 0)
#define REG_PRID	CP0(15, 0)
#define REG_CONFIG	CP0(16, 0)
#define REG_CONFIG1	CP0(16, 1)

static void guest_nothing(void)
{
	GUEST_DONE();
}

/* --- the list --- */

static void test_list(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	struct kvm_reg_list none = { .n = 0 }, *list;
	uint64_t val;
	unsigned int i, j;

	TEST_ASSERT(ioctl(vcpu->fd, KVM_GET_REG_LIST, &none) == -1 && errno == E2BIG,
		    "a list without room");
	TEST_ASSERT(none.n > 50, "%llu registers", (unsigned long long)none.n);
	list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	list->n = none.n;
	vcpu_ioctl(vcpu, KVM_GET_REG_LIST, list);
	TEST_ASSERT_EQ(list->n, none.n);
	for (i = 0; i < list->n; i++) {
		for (j = 0; j < i; j++)
			TEST_ASSERT(list->reg[i] != list->reg[j], "twice: 0x%llx",
				    (unsigned long long)list->reg[i]);
		/* Each is readable, and takes back what it was. */
		val = vcpu_get_reg(vcpu, list->reg[i]);
		vcpu_set_reg(vcpu, list->reg[i], val);
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- values --- */

static void set_and_check(struct kvm_vcpu *vcpu, uint64_t id, uint64_t val,
			  uint64_t becomes)
{
	vcpu_set_reg(vcpu, id, val);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, id), becomes);
}

static void test_values(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	uint64_t val;

	TEST_ASSERT_EQ(kvm_check_cap(KVM_CAP_MIPS_TE), 1);
	TEST_ASSERT_EQ(kvm_check_cap(KVM_CAP_MIPS_VZ), 0);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_PRID), 0x19300);
	set_and_check(vcpu, REG_INDEX, 0x8000003f, 0x8000003f);
	set_and_check(vcpu, REG_INDEX, 0xffffffff, 0x8000003f);
	set_and_check(vcpu, REG_CONTEXT, 0x12345670, 0x12345670);
	set_and_check(vcpu, REG_WIRED, 0xff, 63);
	set_and_check(vcpu, REG_PAGEMASK, 0, (2 * host_page - 1) & ~0x1fff);
	set_and_check(vcpu, REG_ENTRYHI, 0x7fffffff, 0x7fffe0ff);
	set_and_check(vcpu, REG_EPC, 0x76543210, 0x76543210);
	/* No FPU, 64-bit mode, or reverse endianness */
	set_and_check(vcpu, REG_STATUS, 0xffffffff, 0x1040ff1f);
	set_and_check(vcpu, REG_STATUS, 0, 0);
	/* What the CPU is is not for userspace to say. */
	val = vcpu_get_reg(vcpu, REG_CONFIG1);
	set_and_check(vcpu, REG_CONFIG1, ~val, val);
	val = vcpu_get_reg(vcpu, REG_CONFIG);
	set_and_check(vcpu, REG_CONFIG, ~val, val);
	/* A clock that stands still stays where it is. */
	vcpu_set_reg(vcpu, KVM_REG_MIPS_COUNT_CTL, KVM_REG_MIPS_COUNT_CTL_DC);
	set_and_check(vcpu, REG_COUNT, 0x1000, 0x1000);
	set_and_check(vcpu, REG_COMPARE, 0x2000, 0x2000);
	set_and_check(vcpu, REG_CAUSE, 0x40008000, 0x40008000);
	set_and_check(vcpu, REG_CAUSE, 0, 0);
	set_and_check(vcpu, KVM_REG_MIPS_COUNT_HZ, 50000000, 50000000);
	TEST_ASSERT_EQ(vcpu_get_reg(vcpu, REG_COUNT), 0x1000);
	kvm_vm_free(vm);
}

/* --- bad calls --- */

static void test_bad_calls(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	struct kvm_mips_interrupt irq = { .cpu = 5, .irq = 2 };
	struct kvm_one_reg reg = { .id = REG_STATUS, .addr = 8 };
	uint64_t val = 1ULL << 40;
	struct kvm_userspace_memory_region mem = { .slot = 1 };
	int kvm = open_kvm_dev_or_skip();
	unsigned int i;
	static const int bad_irqs[] = { 0, 1, 5, 7, 8, 1000, -1, -5, -1000 };

	TEST_ASSERT(ioctl(kvm, KVM_CREATE_VM, 1) == -1 && errno == EINVAL, "VZ");
	TEST_ASSERT(ioctl(kvm, KVM_CREATE_VM, 3) == -1 && errno == EINVAL, "type 3");
	TEST_ASSERT(ioctl(vcpu->fd, KVM_INTERRUPT, &irq) == -1 && errno == EINVAL,
		    "a vCPU that does not exist");
	irq.cpu = -1;
	for (i = 0; i < ARRAY_SIZE(bad_irqs); i++) {
		irq.irq = bad_irqs[i];
		TEST_ASSERT(ioctl(vcpu->fd, KVM_INTERRUPT, &irq) == -1 && errno == EINVAL,
			    "interrupt %d", irq.irq);
	}
	TEST_ASSERT(ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) == -1 && errno == EFAULT,
		    "nowhere");
	TEST_ASSERT(__vcpu_get_reg(vcpu, CP0(21, 0), &val) && errno == EINVAL, "21");
	TEST_ASSERT(__vcpu_get_reg(vcpu, REG_STATUS ^ (1ULL << 52), &val) &&
		    errno == EINVAL, "width");
	TEST_ASSERT(__vcpu_set_reg(vcpu, KVM_REG_MIPS_COUNT_CTL, &val) &&
		    errno == EINVAL, "CountCtl");
	val = 0;
	TEST_ASSERT(__vcpu_set_reg(vcpu, KVM_REG_MIPS_COUNT_HZ, &val) &&
		    errno == EINVAL, "CountHz");
	/* Memory across 4 GB, all of it above, made or moved there; below it is fine. */
	mem.memory_size = 2 * host_page;
	mem.userspace_addr = (uintptr_t)mmap(NULL, mem.memory_size,
					     PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mem.guest_phys_addr = (1ULL << 32) - host_page;
	TEST_ASSERT(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem) == -1 &&
		    errno == EINVAL, "memory across 4 GB");
	mem.guest_phys_addr = 1ULL << 32;
	TEST_ASSERT(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem) == -1 &&
		    errno == EINVAL, "memory above 4 GB");
	mem.guest_phys_addr = (1ULL << 32) - 2 * host_page;
	TEST_ASSERT(!ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem),
		    "memory below 4 GB");
	mem.guest_phys_addr += host_page;
	TEST_ASSERT(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &mem) == -1 &&
		    errno == EINVAL, "memory moved across 4 GB");
	vcpu_run_to_done(vcpu);
	close(kvm);
	kvm_vm_free(vm);
}

/* --- state moved to another vCPU in the middle of something --- */

static void guest_moves(void)
{
	register uint32_t a asm("$16") = 0x1111, b asm("$23") = 0x2222;

	write_c0(C0_USERLOCAL, 0x3333);
	write_c0(C0_EPC, 0x44444444);
	write_c0(C0_COMPARE, 0x10000);
	asm volatile("" : "+r"(a), "+r"(b));
	GUEST_SYNC(1);
	asm volatile("" : "+r"(a), "+r"(b));
	GUEST_ASSERT_EQ(a, 0x1111);
	GUEST_ASSERT_EQ(b, 0x2222);
	GUEST_ASSERT_EQ(read_c0(C0_USERLOCAL), 0x3333);
	GUEST_ASSERT_EQ(read_c0(C0_EPC), 0x44444444);
	GUEST_ASSERT_EQ(read_c0(C0_COMPARE), 0x10000);
	GUEST_DONE();
}

/* Every register of the list, in its order */
static void copy_registers(struct kvm_vcpu *to, struct kvm_vcpu *from)
{
	struct kvm_reg_list n = { .n = 0 }, *list;
	unsigned int i;

	ioctl(from->fd, KVM_GET_REG_LIST, &n);
	list = calloc(1, sizeof(*list) + n.n * sizeof(list->reg[0]));
	list->n = n.n;
	vcpu_ioctl(from, KVM_GET_REG_LIST, list);
	for (i = 0; i < list->n; i++)
		vcpu_set_reg(to, list->reg[i], vcpu_get_reg(from, list->reg[i]));
	free(list);
}

static void test_move(void)
{
	struct kvm_vcpu *from, *to;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&from, guest_moves);

	vcpu_run_to_sync(from, 1, NULL);
	vcpu_complete_io(from);
	to = __vm_vcpu_add(vm, 1);
	copy_registers(to, from);
	vcpu_run_to_done(to);
	kvm_vm_free(vm);
}

/* A guest with a full TLB goes on in another VM. */

#define VA	0x00400000UL

static uint32_t entries[64][4];

static void guest_migrates(void)
{
	uint32_t i, n, mask, hi, lo0, lo1, val, g;

	for (i = 0; i < 64; i++)
		*(volatile uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE + i * host_page) = i;
	for (i = 0; i < 64; i++) {
		/* Each third is global, each fifth has larger pages, each seventh none. */
		g = i % 3 ? 0 : LO_G;
		guest_tlb_write(i, i % 5 ? -1 : 0x1ffe000,
				(i % 5 ? VA + i * 2 * host_page : GUEST_KSEG2 + i * 0x2000000) |
				(i % 20),
				LO_PFN(GUEST_FREE_BASE + i * host_page) | LO_C | g |
				(i % 7 ? LO_V : 0), LO_C | g);
		guest_tlb_read(i, &entries[i][0], &entries[i][1], &entries[i][2],
			       &entries[i][3]);
	}
	write_c0(C0_ENTRYHI, 13);
	for (n = 0; n < 3; n++) {
		GUEST_SYNC(n);
		GUEST_ASSERT_EQ(read_c0(C0_ENTRYHI) & 0xff, 13);
		for (i = 0; i < 64; i++) {
			guest_tlb_read(i, &mask, &hi, &lo0, &lo1);
			GUEST_ASSERT_EQ(mask, entries[i][0]);
			GUEST_ASSERT_EQ(hi, entries[i][1]);
			GUEST_ASSERT_EQ(lo0, entries[i][2]);
			GUEST_ASSERT_EQ(lo1, entries[i][3]);
			if (i % 5 == 0)
				continue;
			val = 0;
			write_c0(C0_ENTRYHI, i % 20);
			GUEST_ASSERT_EQ(guest_load(VA + i * 2 * host_page, &val),
					i % 7 ? EXC_NONE : EXC_TLBL);
			GUEST_ASSERT_EQ(val, i % 7 ? i : val);
			if (i % 3) {
				write_c0(C0_ENTRYHI, 50);
				GUEST_ASSERT_EQ(guest_load(VA + i * 2 * host_page, &val),
						EXC_TLBL);
				GUEST_ASSERT_EQ(guest_caught.vector, 0);
			}
			write_c0(C0_ENTRYHI, 13);
		}
	}
	GUEST_DONE();
}

static void test_migrate(void)
{
	struct kvm_vcpu *from, *to;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&from, guest_migrates), *next;
	uint32_t n;

	for (n = 0; n < 3; n++) {
		vcpu_run_to_sync(from, n, NULL);
		vcpu_complete_io(from);
		next = vm_create();
		to = __vm_vcpu_add(next, 0);
		/* The one that went is not right by accident. */
		memcpy(next->regions[0].hva, vm->regions[0].hva, vm->regions[0].size);
		memset(vm->regions[0].hva, 0xff, vm->regions[0].size);
		copy_registers(to, from);
		kvm_vm_free(vm);
		vm = next;
		from = to;
	}
	vcpu_run_to_done(from);
	kvm_vm_free(vm);
}

/* Garbage in the registers of the TLB: what it cannot be is not there. */
static void test_garbage(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_nothing);
	struct rng rng = { 7 };
	uint64_t val = 0;
	uint32_t mask, pair;
	int i;

	for (i = 0; i < 2000; i++)
		vcpu_set_reg(vcpu, KVM_REG_MIPS_TLB_MASK(0) + rng_next(&rng) % 256,
			     rng_next(&rng));
	for (i = 0; i < 64; i++) {
		mask = vcpu_get_reg(vcpu, KVM_REG_MIPS_TLB_MASK(i));
		pair = mask | 0x1fff;
		TEST_ASSERT(!(pair & (pair + 1)) && pair >= 2 * host_page - 1 &&
			    pair <= 0x1fffffff, "PageMask 0x%x", mask);
		TEST_ASSERT_EQ(vcpu_get_reg(vcpu, KVM_REG_MIPS_TLB_HI(i)) & pair & ~0xff, 0);
		TEST_ASSERT(vcpu_get_reg(vcpu, KVM_REG_MIPS_TLB_LO0(i)) < 0x40000000, "lo0");
		TEST_ASSERT(vcpu_get_reg(vcpu, KVM_REG_MIPS_TLB_LO1(i)) < 0x40000000, "lo1");
	}
	TEST_ASSERT(__vcpu_get_reg(vcpu, KVM_REG_MIPS_TLB_MASK(64), &val) &&
		    errno == EINVAL, "entry 64");
	TEST_ASSERT(__vcpu_set_reg(vcpu, KVM_REG_MIPS_TLB_LO1(64), &val) &&
		    errno == EINVAL, "entry 64");
	/* In KSEG0 none of them matters. */
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- the host takes address spaces back --- */

static void guest_spaces(void)
{
	volatile uint32_t *p = (uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE);
	uint32_t i, n;

	for (i = 0; i < 10; i++)
		guest_tlb_write(i, -1, VA | i, LO_PFN(GUEST_FREE_BASE + i * host_page) |
				LO_C | LO_V | LO_D, 0);
	for (n = 0; n < 3; n++) {
		for (i = 0; i < 10; i++) {
			write_c0(C0_ENTRYHI, i);
			*(volatile uint32_t *)VA = n + i;
			GUEST_ASSERT_EQ(p[i * host_page / 4], n + i);
		}
		GUEST_SYNC(n);
	}
	GUEST_DONE();
}

static void test_shrink(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_spaces);
	uint64_t n;
	FILE *f;

	if (access("/proc/sys/vm/drop_caches", W_OK))
		test_skip("needs CONFIG_SYSCTL");
	for (n = 0; n < 3; n++) {
		vcpu_run_to_sync(vcpu, n, NULL);
		f = fopen("/proc/sys/vm/drop_caches", "w");
		TEST_ASSERT(f, "drop_caches");
		fputs("2", f);
		fclose(f);
		TEST_ASSERT_EQ(vcpu_get_stat(vcpu, "te_spaces_shrunk"), 9 * (n + 1));
	}
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* --- many of them --- */

static void guest_works(void)
{
	volatile uint32_t *p = (uint32_t *)(GUEST_KSEG0 + GUEST_FREE_BASE);
	uint32_t i, n;

	for (n = 0; n < 50; n++) {
		for (i = 0; i < 20; i++) {
			guest_tlb_write(i, -1, (0x400000 + i * 2 * host_page) | (n & 7),
					LO_PFN(GUEST_FREE_BASE + i * host_page) |
					LO_C | LO_V | LO_D, 0);
			write_c0(C0_ENTRYHI, n & 7);
			*(volatile uint32_t *)(0x400000 + i * 2 * host_page) = n + i;
		}
		for (i = 0; i < 20; i++)
			GUEST_ASSERT_EQ(p[i * host_page / 4], n + i);
	}
	GUEST_DONE();
}

static void *run_vm(void *arg)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_works);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
	return NULL;
}

static void test_vms(void)
{
	pthread_t threads[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, run_vm, NULL), "thread");
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

static uint32_t started[4];

static void guest_cpus(unsigned long me)
{
	uint32_t i, all;

	started[me] = 1;
	for (all = 0; all < 4; ) {
		for (i = all = 0; i < 4; i++)
			all += ((volatile uint32_t *)started)[i];
	}
	for (i = 0; i < 2000; i++)
		__sync_fetch_and_add(&started[me ^ 1], 1);
	GUEST_DONE();
}

static void *run_vcpu(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

static void test_vcpus(void)
{
	struct kvm_vcpu *vcpus[4];
	struct kvm_vm *vm = vm_create();
	pthread_t threads[4];
	unsigned long i;

	for (i = 0; i < 4; i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest_cpus);
		vcpu_args_set(vcpus[i], 1, i);
	}
	for (i = 0; i < 4; i++)
		TEST_ASSERT(!pthread_create(&threads[i], NULL, run_vcpu, vcpus[i]), "thread");
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	sync_global_from_guest(vm, started);
	for (i = 0; i < 4; i++)
		TEST_ASSERT_EQ(started[i], 2001);
	kvm_vm_free(vm);
}

/* As meminfo_kb(), with what CPUs have yet to add to it, where there are several. */
static long tables_kb(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);

	if (fd >= 0) {
		TEST_ASSERT_EQ(write(fd, "1", 1), 1);
		close(fd);
	}
	return meminfo_kb("PageTables:");
}

/* What VMs took is free again, and was accounted as it was taken. */
static void test_memory(void)
{
	long tables, used;
	int i;

	/* The first ones fill caches. */
	for (i = 0; i < 3; i++)
		run_vm(NULL);
	tables = tables_kb();
	used = meminfo_kb("MemFree:");
	for (i = 0; i < 20; i++)
		run_vm(NULL);
	TEST_ASSERT_EQ(tables_kb(), tables);
	used -= meminfo_kb("MemFree:");
	TEST_ASSERT(used < 20 * 64, "%ld kB less", used);
}

static const struct subtest tests[] = {
	{ "list", test_list },
	{ "values", test_values },
	{ "bad_calls", test_bad_calls },
	{ "move", test_move },
	{ "migrate", test_migrate },
	{ "garbage", test_garbage },
	{ "shrink", test_shrink },
	{ "vms", test_vms },
	{ "vcpus", test_vcpus },
	{ "memory", test_memory },
};

TEST_MAIN(tests)
