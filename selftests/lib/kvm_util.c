// SPDX-License-Identifier: GPL-2.0
/*
 * A tiny virtual machine monitor for tests: see kvm_util.h.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"

/* Both ends of the program's image, from the linker. */
extern char __executable_start[], _end[];

int open_kvm_dev_or_skip(void)
{
	int fd = open(KVM_DEV_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		test_skip("%s: %s", KVM_DEV_PATH, strerror(errno));
	TEST_ASSERT_EQ(ioctl(fd, KVM_GET_API_VERSION, 0), KVM_API_VERSION);
	return fd;
}

int kvm_check_cap(long cap)
{
	int fd = open_kvm_dev_or_skip();
	int r = ioctl(fd, KVM_CHECK_EXTENSION, cap);

	close(fd);
	return r;
}

struct kvm_vm *vm_create_barebones(void)
{
	int kvm = open_kvm_dev_or_skip();
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	TEST_ASSERT(vm, "out of memory");
	vm->fd = ioctl(kvm, KVM_CREATE_VM, ARCH_VM_TYPE);
	TEST_ASSERT(vm->fd >= 0, "KVM_CREATE_VM");
	close(kvm);
	return vm;
}

struct kvm_vm *vm_create(void)
{
	struct kvm_vm *vm = vm_create_barebones();

	vm_mem_add(vm, 0, 0, GUEST_RAM_SIZE, 0, NULL);
	vm_load_program(vm);
	return vm;
}

struct kvm_vm *vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = vm_create();

	*vcpu = vm_vcpu_add(vm, 0, guest_code);
	return vm;
}

void kvm_vm_free(struct kvm_vm *vm)
{
	int i;

	for (i = 0; i < MAX_VCPUS; i++) {
		struct kvm_vcpu *vcpu = vm->vcpus[i];

		if (!vcpu)
			continue;
		munmap(vcpu->run, vcpu->run_size);
		close(vcpu->fd);
		free(vcpu);
	}
	close(vm->fd);
	for (i = 0; i < MAX_SLOTS; i++)
		if (vm->regions[i].hva)
			munmap(vm->regions[i].hva, vm->regions[i].size);
	free(vm);
}

int __vm_mem_set(struct kvm_vm *vm, uint32_t slot, uint64_t gpa, uint64_t size,
		 uint32_t flags, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static void vm_mem_update(struct kvm_vm *vm, struct mem_region *r, uint64_t size)
{
	int ret = __vm_mem_set(vm, r->slot, r->gpa, size, r->flags, r->hva);

	TEST_ASSERT(!ret, "slot %u at 0x%llx, size 0x%llx, flags 0x%x", r->slot,
		    (unsigned long long)r->gpa, (unsigned long long)size, r->flags);
	r->present = size != 0;
}

struct mem_region *vm_mem_add(struct kvm_vm *vm, uint32_t slot, uint64_t gpa,
			      uint64_t size, uint32_t flags, void *hva)
{
	struct mem_region *r;

	TEST_ASSERT(slot < MAX_SLOTS && !vm->regions[slot].hva, "slot %u", slot);
	if (!hva)
		hva = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	TEST_ASSERT(hva != MAP_FAILED, "mmap of 0x%llx bytes",
		    (unsigned long long)size);
	r = &vm->regions[slot];
	*r = (struct mem_region) {
		.slot = slot, .flags = flags, .gpa = gpa, .size = size, .hva = hva,
	};
	vm_mem_update(vm, r, size);
	return r;
}

void vm_mem_move(struct kvm_vm *vm, uint32_t slot, uint64_t new_gpa)
{
	vm->regions[slot].gpa = new_gpa;
	vm_mem_update(vm, &vm->regions[slot], vm->regions[slot].size);
}

void vm_mem_set_flags(struct kvm_vm *vm, uint32_t slot, uint32_t flags)
{
	vm->regions[slot].flags = flags;
	vm_mem_update(vm, &vm->regions[slot], vm->regions[slot].size);
}

void vm_mem_delete(struct kvm_vm *vm, uint32_t slot)
{
	vm_mem_update(vm, &vm->regions[slot], 0);
}

void vm_mem_restore(struct kvm_vm *vm, uint32_t slot)
{
	vm_mem_update(vm, &vm->regions[slot], vm->regions[slot].size);
}

void vm_get_dirty_log(struct kvm_vm *vm, uint32_t slot, void *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log);
}

void *addr_gpa2hva(struct kvm_vm *vm, uint64_t gpa)
{
	int i;

	for (i = 0; i < MAX_SLOTS; i++) {
		struct mem_region *r = &vm->regions[i];

		if (r->hva && gpa >= r->gpa && gpa - r->gpa < r->size)
			return (char *)r->hva + (gpa - r->gpa);
	}
	TEST_FAIL("guest physical address 0x%llx has no memory",
		  (unsigned long long)gpa);
}

void vm_load_program(struct kvm_vm *vm)
{
	uintptr_t start = (uintptr_t)__executable_start;
	uintptr_t end = (uintptr_t)_end;

	TEST_ASSERT(ARCH_GVA2GPA(end) <= GUEST_IMAGE_END, "image ends at 0x%lx", (long)end);
	/*
	 * The image has holes: gaps between segments are not mapped in this
	 * process. /proc/self/mem reads what is there, as it is now.
	 */
	int fd = open("/proc/self/mem", O_RDONLY);

	TEST_ASSERT(fd >= 0, "/proc/self/mem");
	for (uintptr_t a = start & ~4095UL; a < end; a += 4096)
		if (pread(fd, addr_gpa2hva(vm, ARCH_GVA2GPA(a)), 4096, a) < 0)
			TEST_ASSERT(errno == EIO, "pread of 0x%lx", (long)a);
	close(fd);
	arch_sync_icache(addr_gpa2hva(vm, ARCH_GVA2GPA(start)), end - start);
}

struct kvm_vcpu *__vm_vcpu_add(struct kvm_vm *vm, uint32_t id)
{
	struct kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int kvm = open_kvm_dev_or_skip();
	unsigned int i;

	TEST_ASSERT(vcpu, "out of memory");
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	TEST_ASSERT(vcpu->fd >= 0, "KVM_CREATE_VCPU %u", id);
	vcpu->run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	TEST_ASSERT(vcpu->run_size >= (int)sizeof(struct kvm_run), "%d",
		    vcpu->run_size);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	TEST_ASSERT(vcpu->run != MAP_FAILED, "mmap of kvm_run");
	for (i = 0; i < MAX_VCPUS && vm->vcpus[i]; i++)
		;
	TEST_ASSERT(i < MAX_VCPUS, "too many vcpus");
	vm->vcpus[i] = vcpu;
	return vcpu;
}

struct kvm_vcpu *vm_vcpu_add(struct kvm_vm *vm, uint32_t id, void *guest_code)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);

	vcpu_arch_init(vcpu, guest_code, GUEST_STACK_TOP - id * GUEST_STACK_SIZE);
	return vcpu;
}

int _vcpu_run(struct kvm_vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, NULL);
}

void vcpu_run(struct kvm_vcpu *vcpu)
{
	int r;

	do {
		r = _vcpu_run(vcpu);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	if (r < 0) {
		int err = errno;

		vcpu_dump(vcpu);
		errno = err;
		TEST_FAIL("KVM_RUN");
	}
}

void vcpu_complete_io(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT(_vcpu_run(vcpu) == -1 && errno == EINTR, "immediate exit");
	vcpu->run->immediate_exit = 0;
}

void vcpu_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	vcpu_ioctl(vcpu, KVM_GET_REGS, regs);
}

void vcpu_regs_set(struct kvm_vcpu *vcpu, struct kvm_regs *regs)
{
	vcpu_ioctl(vcpu, KVM_SET_REGS, regs);
}

void vcpu_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	memset(sregs, 0, sizeof(*sregs));
	vcpu_ioctl(vcpu, KVM_GET_SREGS, sregs);
}

void vcpu_sregs_set(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	vcpu_ioctl(vcpu, KVM_SET_SREGS, sregs);
}

int __vcpu_get_reg(struct kvm_vcpu *vcpu, uint64_t id, void *addr)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)addr };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

int __vcpu_set_reg(struct kvm_vcpu *vcpu, uint64_t id, void *addr)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)addr };

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

static bool reg_is_u32(uint64_t id)
{
	return (id & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U32;
}

uint64_t vcpu_get_reg(struct kvm_vcpu *vcpu, uint64_t id)
{
	uint64_t val64 = 0;
	uint32_t val32 = 0;
	int r = __vcpu_get_reg(vcpu, id, reg_is_u32(id) ? (void *)&val32 : &val64);

	TEST_ASSERT(!r, "KVM_GET_ONE_REG 0x%llx", (unsigned long long)id);
	return reg_is_u32(id) ? val32 : val64;
}

void vcpu_set_reg(struct kvm_vcpu *vcpu, uint64_t id, uint64_t val)
{
	uint32_t val32 = val;
	int r = __vcpu_set_reg(vcpu, id, reg_is_u32(id) ? (void *)&val32 : &val);

	TEST_ASSERT(!r, "KVM_SET_ONE_REG 0x%llx", (unsigned long long)id);
}

/* --- binary statistics: Documentation/virt/kvm/api.rst, 4.133 --- */

static void stats_for_each(int stats_fd,
			   void (*fn)(const char *, uint64_t, void *), void *arg)
{
	struct kvm_stats_header h;
	size_t desc_size, i;
	char *desc;

	TEST_ASSERT(pread(stats_fd, &h, sizeof(h), 0) == sizeof(h), "stats header");
	desc_size = sizeof(struct kvm_stats_desc) + h.name_size;
	desc = calloc(h.num_desc, desc_size);
	TEST_ASSERT(desc, "out of memory");
	TEST_ASSERT(pread(stats_fd, desc, h.num_desc * desc_size, h.desc_offset) ==
		    (ssize_t)(h.num_desc * desc_size), "stats descriptors");
	for (i = 0; i < h.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)(desc + i * desc_size);
		uint64_t val;

		if (d->size != 1)
			continue;
		TEST_ASSERT(pread(stats_fd, &val, sizeof(val),
				  h.data_offset + d->offset) == sizeof(val),
			    "stats data");
		fn(d->name, val, arg);
	}
	free(desc);
}

struct stat_search {
	const char *name;
	uint64_t value;
	bool found;
};

static void stat_match(const char *name, uint64_t value, void *arg)
{
	struct stat_search *s = arg;

	if (strcmp(name, s->name))
		return;
	s->value = value;
	s->found = true;
}

static bool get_stat(int fd, const char *name, uint64_t *value)
{
	struct stat_search s = { .name = name };
	int stats_fd = ioctl(fd, KVM_GET_STATS_FD, NULL);

	TEST_ASSERT(stats_fd >= 0, "KVM_GET_STATS_FD");
	stats_for_each(stats_fd, stat_match, &s);
	close(stats_fd);
	*value = s.value;
	return s.found;
}

uint64_t vcpu_get_stat(struct kvm_vcpu *vcpu, const char *name)
{
	uint64_t value;

	TEST_ASSERT(get_stat(vcpu->fd, name, &value), "no vcpu statistic %s", name);
	return value;
}

bool vcpu_has_stat(struct kvm_vcpu *vcpu, const char *name)
{
	uint64_t value;

	return get_stat(vcpu->fd, name, &value);
}

uint64_t vm_get_stat(struct kvm_vm *vm, const char *name)
{
	uint64_t value;

	TEST_ASSERT(get_stat(vm->fd, name, &value), "no vm statistic %s", name);
	return value;
}

void vcpu_for_each_stat(struct kvm_vcpu *vcpu,
			void (*fn)(const char *name, uint64_t value, void *arg),
			void *arg)
{
	int stats_fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);

	TEST_ASSERT(stats_fd >= 0, "KVM_GET_STATS_FD");
	stats_for_each(stats_fd, fn, arg);
	close(stats_fd);
}

/* --- exits --- */

const char *exit_reason_str(unsigned int reason)
{
	static const char * const names[] = {
		[KVM_EXIT_UNKNOWN] = "UNKNOWN",
		[KVM_EXIT_HYPERCALL] = "HYPERCALL",
		[KVM_EXIT_DEBUG] = "DEBUG",
		[KVM_EXIT_HLT] = "HLT",
		[KVM_EXIT_MMIO] = "MMIO",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
		[KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
		[KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[KVM_EXIT_INTR] = "INTR",
		[KVM_EXIT_DCR] = "DCR",
		[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[KVM_EXIT_PAPR_HCALL] = "PAPR_HCALL",
		[KVM_EXIT_WATCHDOG] = "WATCHDOG",
		[KVM_EXIT_EPR] = "EPR",
		[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
	};

	if (reason < ARRAY_SIZE(names) && names[reason])
		return names[reason];
	return "?";
}

void vcpu_dump(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	print_info("vcpu %u: last exit %u (%s)", vcpu->id, run->exit_reason,
		   exit_reason_str(run->exit_reason));
	if (run->exit_reason == KVM_EXIT_MMIO)
		print_info("  mmio %s of %u bytes at 0x%llx",
			   run->mmio.is_write ? "write" : "read", run->mmio.len,
			   (unsigned long long)run->mmio.phys_addr);
	if (run->exit_reason == KVM_EXIT_UNKNOWN)
		print_info("  hardware exit reason 0x%llx",
			   (unsigned long long)run->hw.hardware_exit_reason);
	vcpu_arch_dump(vcpu);
}

/* A string constant of the image: the same address in guest and test. */
static const char *image_str(unsigned long addr)
{
	if (addr >= (uintptr_t)__executable_start && addr < (uintptr_t)_end)
		return (const char *)addr;
	return "?";
}

static enum ucall_cmd handle_ucall(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	unsigned long *a = uc->args;

	switch (uc->cmd) {
	case UCALL_PRINTF:
		printf("# guest: ");
		/* The arguments are words; %s takes string constants only. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
		printf(image_str(a[0]), a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
#pragma GCC diagnostic pop
		printf("\n");
		return UCALL_NONE;
	case UCALL_ABORT:
		vcpu_arch_dump(vcpu);
		test_fail(image_str(uc->file), uc->line,
			  "guest: %s (0x%lx, 0x%lx; 0x%lx 0x%lx)", image_str(a[0]),
			  a[1], a[2], a[3], a[4]);
	case UCALL_UNHANDLED:
		vcpu_arch_dump(vcpu);
		TEST_FAIL("unexpected guest exception %lu at 0x%lx, msr 0x%lx, esr 0x%lx, dear 0x%lx",
			  a[0], a[1], a[2], a[3], a[4]);
	case UCALL_SYNC:
	case UCALL_DONE:
		return uc->cmd;
	default:
		TEST_FAIL("bad ucall %u", uc->cmd);
	}
}

/* Is the exit a ucall? Then @addr is where its structure is. */
static bool is_ucall(const struct kvm_run *run, unsigned long *addr)
{
#ifdef UCALL_HCALL
	if (run->exit_reason != KVM_EXIT_PAPR_HCALL ||
	    run->papr_hcall.nr != UCALL_HCALL)
		return false;
	*addr = run->papr_hcall.args[0];
#else
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != UCALL_GPA)
		return false;
	TEST_ASSERT_EQ(run->mmio.len, sizeof(*addr));
	memcpy(addr, run->mmio.data, sizeof(*addr));
#endif
	return true;
}

enum ucall_cmd vcpu_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	const struct vm_ops *ops = vcpu->vm->ops;
	struct kvm_run *run = vcpu->run;
	unsigned long addr;
	struct ucall local;

	if (!uc)
		uc = &local;

	if (is_ucall(run, &addr)) {
		memcpy(uc, addr_gpa2hva(vcpu->vm, ARCH_GVA2GPA(addr)), sizeof(*uc));
		return handle_ucall(vcpu, uc);
	}
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		if (ops && ops->mmio &&
		    ops->mmio(vcpu, run->mmio.phys_addr, run->mmio.data,
			      run->mmio.len, run->mmio.is_write))
			return UCALL_NONE;
		break;
	case KVM_EXIT_DCR:
		if (ops && ops->dcr &&
		    ops->dcr(vcpu, run->dcr.dcrn, &run->dcr.data, run->dcr.is_write))
			return UCALL_NONE;
		break;
	case KVM_EXIT_INTR:
		return UCALL_NONE;
	default:
		if (vcpu_arch_handle_exit(vcpu, uc))
			return UCALL_NONE;
	}
	vcpu_dump(vcpu);
	TEST_FAIL("unexpected exit %u (%s)", run->exit_reason,
		  exit_reason_str(run->exit_reason));
}

enum ucall_cmd vcpu_run_to_ucall(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	enum ucall_cmd cmd;

	do {
		vcpu_run(vcpu);
		cmd = vcpu_handle_exit(vcpu, uc);
	} while (cmd == UCALL_NONE);
	return cmd;
}

void vcpu_run_to_done(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	TEST_ASSERT(vcpu_run_to_ucall(vcpu, &uc) == UCALL_DONE,
		    "guest at stage %lu", uc.args[0]);
}

void vcpu_run_to_sync(struct kvm_vcpu *vcpu, unsigned long stage, struct ucall *uc)
{
	struct ucall local;

	if (!uc)
		uc = &local;
	TEST_ASSERT(vcpu_run_to_ucall(vcpu, uc) == UCALL_SYNC,
		    "guest is done before stage %lu", stage);
	TEST_ASSERT_EQ(uc->args[0], stage);
}
