// SPDX-License-Identifier: GPL-2.0
/*
 * Book3S HV: see hv.h.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "hv.h"

/* --- test side --- */

#define PATB_GR		(1ULL << 63)

struct kvm_vm *hv_vm_create(enum hv_mmu mmu)
{
	struct kvm_ppc_mmuv3_cfg cfg = {
		.flags = mmu == HV_RADIX ? KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE : 0,
		.process_table = mmu == HV_RADIX ? PATB_GR | GUEST_PROCESS_TABLE : 0,
	};
	uint32_t order = HV_HPT_ORDER;
	struct kvm_vm *vm = vm_create();
	bool v3;

	v3 = kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0 ||
	     kvm_check_cap(KVM_CAP_PPC_MMU_HASH_V3) > 0;
	if (mmu == HV_RADIX)
		TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_MMU_RADIX) > 0);
	else if (v3)
		TEST_REQUIRE(kvm_check_cap(KVM_CAP_PPC_MMU_HASH_V3) > 0);
	if (v3)
		vm_ioctl(vm, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
	if (mmu == HV_HASH) {
		vm_ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &order);
		TEST_ASSERT_EQ(order, HV_HPT_ORDER);
	}
	return vm;
}

void *hv_run_thread(void *vcpu)
{
	vcpu_run_to_done(vcpu);
	return NULL;
}

/* Enough for what is not done at a migration to show. */
#define MIN_MIGRATIONS	200

static volatile bool stop_bouncing;
static volatile unsigned int migrations;
static pthread_t bounced;

static void *bounce(void *unused)
{
	long ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n;
	cpu_set_t set;

	for (n = 0; !stop_bouncing; n++) {
		CPU_ZERO(&set);
		CPU_SET(n % ncpus, &set);
		pthread_setaffinity_np(bounced, sizeof(set), &set);
		migrations = n;
		usleep(3000);
	}
	print_info("%u migrations over %ld CPUs", n, ncpus);
	return NULL;
}

void hv_bounced(void (*f)(unsigned int arg), unsigned int arg)
{
	pthread_t thread;

	TEST_REQUIRE(sysconf(_SC_NPROCESSORS_ONLN) > 1);
	bounced = pthread_self();
	stop_bouncing = false;
	migrations = 0;
	TEST_ASSERT(!pthread_create(&thread, NULL, bounce, NULL), "thread");
	do {
		f(arg);
	} while (migrations < MIN_MIGRATIONS);
	stop_bouncing = true;
	pthread_join(thread, NULL);
}

/* --- guest side, radix --- */

#define PID		1UL
/* 52 bits of address: 13, 9, 9 and, for pages of 64K, 5. */
#define ROOT_BITS	13
#define MID_BITS	9
#define LEAF_BITS	5
#define RADIX_SIZE_52	(2UL << 61 | 5UL << 5)
#define RADIX_VALID	(1UL << 63)
#define RADIX_LEAF	(1UL << 62)
/* Referenced, changed, privileged, read and write. */
#define RADIX_ATTR	(0x100UL | 0x080 | 0x008 | 0x004 | 0x002)
#define RADIX_AP_64K	(5UL << 5)

static uint64_t *const root = (uint64_t *)GUEST_RADIX_BASE;
static uint64_t *const upper = (uint64_t *)(GUEST_RADIX_BASE + 0x10000);
static uint64_t *const middle = (uint64_t *)(GUEST_RADIX_BASE + 0x11000);
static uint64_t *const leaves = (uint64_t *)(GUEST_RADIX_BASE + 0x12000);

static void set_entry(uint64_t *entry, uint64_t val)
{
	WRITE_ONCE(*entry, __builtin_bswap64(val));
}

void guest_radix_init(void)
{
	uint64_t *process = (uint64_t *)GUEST_PROCESS_TABLE + 2 * PID;

	set_entry(&root[HV_EA_BASE >> 39], RADIX_VALID | (uintptr_t)upper | MID_BITS);
	set_entry(&upper[HV_EA_BASE >> 30 & 511], RADIX_VALID | (uintptr_t)middle | MID_BITS);
	set_entry(&middle[HV_EA_BASE >> 21 & 511], RADIX_VALID | (uintptr_t)leaves | LEAF_BITS);
	set_entry(process, RADIX_SIZE_52 | (uintptr_t)root | ROOT_BITS);
	asm volatile("ptesync" : : : "memory");
}

void guest_radix_set_pid(void)
{
	asm volatile("mtspr 48,%0; isync" : : "r"(PID) : "memory");
}

void guest_radix_map(unsigned long ea, unsigned long gpa)
{
	set_entry(&leaves[ea >> 16 & 31],
		  gpa ? RADIX_VALID | RADIX_LEAF | gpa | RADIX_ATTR : 0);
	asm volatile("ptesync" : : : "memory");
}

void guest_radix_tlbiel(unsigned long ea)
{
	asm volatile(".machine push; .machine power9;"
		     "ptesync; tlbiel %0,%1,0,1,1; ptesync; isync;"
		     ".machine pop"
		     : : "r"((ea & ~0xffffUL) | RADIX_AP_64K), "r"(PID << 32) : "memory");
}

void guest_radix_tlbie(unsigned long ea)
{
	asm volatile(".machine push; .machine power9;"
		     "ptesync; tlbie %0,%1,0,1,1; eieio; tlbsync; ptesync; isync;"
		     ".machine pop"
		     : : "r"((ea & ~0xffffUL) | RADIX_AP_64K), "r"(PID << 32) : "memory");
}

/* --- guest side, hash --- */

#define VSID		0x1234UL
#define SLB_ESID_V	0x08000000UL
#define SLB_VSID_SHIFT	12
#define HPTE_V_VALID	1UL
#define HPTE_R_M	0x010UL
#define HPTE_R_RW	0x002UL		/* PP: read and write for all */

static unsigned long groups;

void guest_hash_init(unsigned long order)
{
	unsigned long slbe = (HV_EA_BASE & ~0xfffffffUL) | SLB_ESID_V;
	unsigned long slbv = VSID << SLB_VSID_SHIFT;

	groups = 1UL << (order - 7);
	asm volatile("isync; slbmte %0,%1; isync" : : "r"(slbv), "r"(slbe) : "memory");
}

long guest_map(unsigned long ea, unsigned long gpa)
{
	unsigned long offset = ea & 0xfffffff;
	unsigned long hash = VSID ^ offset >> 12;
	unsigned long v, r, ret[4];

	v = (VSID << 5 | offset >> 23) << 7 | HPTE_V_VALID;
	r = (gpa & ~0xfffUL) | HPTE_R_M | HPTE_R_RW;
	if (hcall(H_ENTER, ret, 0, (hash & (groups - 1)) * 8, v, r) != H_SUCCESS)
		return -1;
	return ret[0];
}

long guest_unmap(long index)
{
	return guest_unmap_flags(index, 0);
}

long guest_unmap_flags(long index, unsigned long flags)
{
	unsigned long ret[4];

	return hcall(H_REMOVE, ret, flags, index, 0, 0);
}

#define BULK_REQUEST	(1UL << 62)
#define BULK_END	(3UL << 62)
#define BULK_SUCCESS	0x80UL

long guest_bulk_unmap(long index)
{
	unsigned long ret[4];
	long r;

	r = hcall(H_BULK_REMOVE, ret, BULK_REQUEST | index, 0, BULK_END, 0);
	if (r == H_SUCCESS)
		GUEST_ASSERT_EQ(ret[0] >> 56 & 0xf0, BULK_SUCCESS);
	return r;
}
