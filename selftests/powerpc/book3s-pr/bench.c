// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to map, unmap and age pages of a PR guest, in instructions
 * executed, read from the time base under -icount shift=3 (8 ns each; the time
 * base has 512 MHz). Runs on mainline as well: an argument is put in front of the
 * names.
 *
 * What the host does for one page includes the system call and generic code of mm
 * and KVM. "alone" is the same for other memory of a process that has a VM, "kvm"
 * the difference.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pr.h"

#define SLOT		1
#define SLOT_DATA	2
#define GPA		0x10000000UL
#define GPA_DATA	0x400000000UL
#define PAGE		PR_PAGE
#define FULL		32700u	/* of 32,768; code and stack have some too */
#define OVER		32769u
#define TAKEN		50u
#define AGED		1000u
#define ROUNDS		2000u
/* The first 16 MB of the segment are the program, as in real mode. */
#define EA(i)		(HV_EA_BASE + GUEST_RAM_SIZE + (i) * 4096UL)

static const char *prefix = "";
static int idle_fd;

static uint64_t to_instructions(uint64_t ticks, unsigned int count)
{
	return ticks * 1000 / 4096 / count;
}

static void report(const char *name, uint64_t value, const char *unit)
{
	printf("bench: %s%s %llu %s\n", prefix, name, (unsigned long long)value, unit);
	fflush(stdout);
}

/* --- guest side --- */

static uint64_t ticks;

/* The program as it is, but with translation on: mainline then unmaps as told. */
static void guest_translate(unsigned long order, bool map)
{
	unsigned long ea;

	guest_hash_init(order);
	/* Segment 0 is the same virtual memory as that at HV_EA_BASE. */
	asm volatile("isync; slbmte %0,%1; isync"
		     : : "r"(0x1234UL << 12), "r"(0x08000001UL) : "memory");
	for (ea = 0x100000; map && ea < GUEST_RAM_SIZE; ea += 4096)
		GUEST_ASSERT(guest_map(HV_EA_BASE + ea, ea) >= 0);
	asm volatile("mtmsrd %0; isync" : : "r"(mfmsr() | MSR_IR | MSR_DR) : "memory");
}

static void guest_map_unmap(unsigned long order)
{
	volatile char *p = (char *)EA(0);
	uint64_t i, t = 0;
	long index;

	guest_translate(order, true);
	for (i = 0; i < ROUNDS + 100; i++) {
		if (i == 100)
			t = mftb();
		index = guest_map(EA(0), GUEST_FREE_BASE);
		GUEST_ASSERT(index >= 0);
		(void)*p;
		GUEST_ASSERT_EQ(guest_unmap(index), H_SUCCESS);
	}
	ticks = mftb() - t;
	GUEST_DONE();
}

/* Each of @count pages, of a frame of its own, again and again. */
static void guest_read(unsigned long order, unsigned long count, unsigned long id)
{
	unsigned long i;
	uint64_t t;

	guest_hash_init(order);
	for (i = 0; !id && i < count; i++)
		GUEST_ASSERT(guest_map(EA(i), GPA + i * PAGE) >= 0);
	for (;;) {
		t = mftb();
		GUEST_ASSERT_EQ(guest_load_each(EA(0), count, 4096), EXC_NONE);
		ticks = mftb() - t;
		GUEST_SYNC(1);
	}
}

static void guest_touch(unsigned long order, unsigned long id)
{
	unsigned long i;

	for (;;) {
		for (i = 0; i < AGED; i++)
			*(volatile char *)(GPA_DATA + i * PAGE) = 1;
		GUEST_SYNC(1);
	}
}

/* --- test side --- */

static void bench_map_unmap(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = pr_vm_create_with_one_vcpu(&vcpu, guest_map_unmap);

	pr_alloc_htab(vm);
	vcpu_args_set(vcpu, 1, (unsigned long)HV_HPT_ORDER);
	vcpu_run_to_done(vcpu);
	sync_global_from_guest(vm, ticks);
	report("map_unmap", to_instructions(ticks, ROUNDS), "instructions");
	kvm_vm_free(vm);
}

/* A guest whose pages are all the same zero page: it only reads. */
static struct kvm_vm *create(struct kvm_vcpu **vcpu, unsigned int vcpus,
			     unsigned int pages)
{
	struct kvm_vm *vm = pr_vm_create();
	unsigned long i;

	vm_mem_add(vm, SLOT, GPA, OVER * PAGE, 0, NULL);
	for (i = 0; i < vcpus; i++)
		vcpu[i] = vm_vcpu_add(vm, i, guest_read);
	pr_alloc_htab(vm);
	for (i = 0; i < vcpus; i++) {
		vcpu_args_set(vcpu[i], 3, (unsigned long)HV_HPT_ORDER,
			      (unsigned long)pages, i);
		vcpu_run_to_sync(vcpu[i], 1, NULL);
	}
	return vm;
}

static uint64_t take(char *p)
{
	uint64_t t = mftb();

	madvise(p, PAGE, MADV_DONTNEED);
	return mftb() - t;
}

/* An operation as a whole, and what it takes longer than without a guest. */
static void report_both(const char *what, unsigned int vcpus, uint64_t all, uint64_t alone)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_page_%u", what, vcpus);
	report(name, all, "instructions");
	snprintf(name, sizeof(name), "%s_kvm_%u", what, vcpus);
	report(name, all > alone ? all - alone : 0, "instructions");
}

static uint64_t unmap_alone(void)
{
	char *p = mmap(NULL, TAKEN * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	uint64_t t = 0;

	for (i = 0; i < TAKEN; i++) {
		(void)*(volatile char *)(p + i * PAGE);
		t += take(p + i * PAGE);
	}
	return to_instructions(t, TAKEN);
}

static void bench_unmap(unsigned int vcpus)
{
	struct kvm_vcpu *vcpu[MAX_VCPUS];
	struct kvm_vm *vm = create(vcpu, vcpus, FULL);
	uint64_t t = 0;
	unsigned int i;

	/* Pages all over the cache. */
	for (i = 0; i < TAKEN; i++)
		t += take((char *)vm->regions[SLOT].hva + i * (FULL / TAKEN) * PAGE);
	report_both("unmap", vcpus, to_instructions(t, TAKEN), unmap_alone());
	kvm_vm_free(vm);
}

static void bench_over(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, OVER);
	uint64_t faults, t = 0;
	unsigned int i;

	faults = -vcpu_get_stat(vcpu, "sp_storage");
	for (i = 0; i < 4; i++) {
		vcpu_run_to_sync(vcpu, 1, NULL);
		sync_global_from_guest(vm, ticks);
		t += ticks;
	}
	faults += vcpu_get_stat(vcpu, "sp_storage");
	report("over_limit_faults", faults / 4, "faults");
	report("over_limit", to_instructions(t, 4 * OVER), "instructions");
	kvm_vm_free(vm);
}

static uint64_t pfns[AGED];

static void find_frames(char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned int i;

	for (i = 0; i < AGED; i++) {
		TEST_ASSERT_EQ(pread(fd, &pfns[i], 8, (uintptr_t)(p + i * PAGE) / PAGE * 8), 8);
		pfns[i] &= (1ULL << 55) - 1;
	}
	close(fd);
}

static uint64_t age(void)
{
	uint64_t bits, t = 0;
	unsigned int i;

	for (i = 0; i < AGED; i++) {
		bits = 1ULL << pfns[i] % 64;
		t -= mftb();
		TEST_ASSERT_EQ(pwrite(idle_fd, &bits, 8, pfns[i] / 64 * 8), 8);
		t += mftb();
	}
	return to_instructions(t, AGED);
}

static uint64_t age_alone(void)
{
	char *p = mmap(NULL, AGED * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t r;

	memset(p, 1, AGED * PAGE);
	find_frames(p);
	r = age();
	munmap(p, AGED * PAGE);
	return r;
}

static void bench_age(unsigned int vcpus)
{
	struct kvm_vcpu *vcpu[MAX_VCPUS];
	struct kvm_vm *vm = pr_vm_create();
	uint64_t faults = 0, alone = age_alone();
	char name[32];
	unsigned int i;

	vm_mem_add(vm, SLOT_DATA, GPA_DATA, AGED * PAGE, 0, NULL);
	for (i = 0; i < vcpus; i++) {
		vcpu[i] = vm_vcpu_add(vm, i, guest_touch);
		vcpu_run_to_sync(vcpu[i], 1, NULL);
	}
	find_frames(vm->regions[SLOT_DATA].hva);
	snprintf(name, sizeof(name), "age_alone_%u", vcpus);
	report(name, alone, "instructions");
	report_both("age", vcpus, age(), alone);
	for (i = 0; i < vcpus; i++) {
		faults -= vcpu_get_stat(vcpu[i], "sp_storage");
		vcpu_run_to_sync(vcpu[i], 1, NULL);
		faults += vcpu_get_stat(vcpu[i], "sp_storage");
	}
	snprintf(name, sizeof(name), "age_faults_%u", vcpus);
	report(name, faults, "faults");
	kvm_vm_free(vm);
}

/* --- memory pressure --- */

#define HOT		1024u
#define CHUNK		256u
#define SWAP_MB		200u	/* how much more than there is */
#define PASSES		4u
#define PM_SWAPPED	(1ULL << 62)

static void guest_hot(void)
{
	unsigned long i;

	for (;;) {
		for (i = 0; i < HOT; i++)
			*(volatile char *)(GPA_DATA + i * PAGE) = 1;
		GUEST_SYNC(1);
	}
}

static unsigned int swapped_out(const char *p)
{
	static uint64_t map[HOT];
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned int i, n = 0;

	TEST_ASSERT_EQ(pread(fd, map, sizeof(map), (uintptr_t)p / PAGE * 8), sizeof(map));
	close(fd);
	for (i = 0; i < HOT; i++)
		n += !!(map[i] & PM_SWAPPED);
	return n;
}

/* All of the RAM disk exists before it is needed, so that swapping makes room. */
static void fill_ram_disk(void)
{
	int fd = open("/dev/ram0", O_RDWR);
	static char buf[1 << 20];

	TEST_ASSERT(fd >= 0, "/dev/ram0");
	while (write(fd, buf, sizeof(buf)) > 0)
		;
	TEST_ASSERT(!fsync(fd) && !posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "/dev/ram0");
	close(fd);
	TEST_ASSERT(start_swap(), "no swap");
}

/*
 * The guest uses all of its pages all the time, and the VMM streams through more
 * memory than there is, each page once: the pages of the guest's that are not
 * there when it comes round again. At the start of each pass the guest's pages are
 * put among the inactive, where the host itself puts active ones in their turn; what
 * is used before it is looked at next is to stay.
 */
static void bench_pressure(void)
{
	struct kvm_vm *vm;
	unsigned long lost = 0, rounds = 0, pages, i, j;
	struct kvm_vcpu *vcpu;
	uint64_t faults;
	char *other;

	fill_ram_disk();
	vm = pr_vm_create();
	vm_mem_add(vm, SLOT_DATA, GPA_DATA, HOT * PAGE, 0, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_hot);
	vcpu_run_to_sync(vcpu, 1, NULL);
	pages = (meminfo_kb("MemFree:") + SWAP_MB * 1024) / (PAGE / 1024) / CHUNK * CHUNK;
	other = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	TEST_ASSERT(other != MAP_FAILED, "mmap");
	faults = -vcpu_get_stat(vcpu, "sp_storage");
	for (i = 0; i < PASSES * pages; i += CHUNK) {
		char *chunk = other + i % pages * PAGE;

		if (!(i % pages))
			TEST_ASSERT(!madvise(vm->regions[SLOT_DATA].hva, HOT * PAGE, MADV_COLD),
				    "MADV_COLD");
		TEST_ASSERT(!madvise(chunk, CHUNK * PAGE, MADV_DONTNEED), "madvise");
		for (j = 0; j < CHUNK; j++)
			chunk[j * PAGE] = 1;
		lost += swapped_out(vm->regions[SLOT_DATA].hva);
		rounds++;
		vcpu_run_to_sync(vcpu, 1, NULL);
	}
	report("pressure_used", rounds * HOT, "pages");
	report("pressure_lost", lost, "pages");
	faults += vcpu_get_stat(vcpu, "sp_storage");
	report("pressure_faults", faults, "faults");
	kvm_vm_free(vm);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		prefix = argv[1];
	if (argc > 2 && !strcmp(argv[2], "pressure")) {
		host_page = sysconf(_SC_PAGESIZE);
		bench_pressure();
		return 0;
	}
	host_page = sysconf(_SC_PAGESIZE);
	idle_fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	TEST_ASSERT(idle_fd >= 0, "page_idle");
	bench_map_unmap();
	bench_unmap(1);
	bench_unmap(4);
	bench_over();
	bench_age(1);
	bench_age(4);
	return 0;
}
