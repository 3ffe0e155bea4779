/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tiny virtual machine monitor for tests.
 *
 * The guest runs the test program itself: it is linked statically at an
 * address that is guest RAM too, and vm_load_program() copies its image there.
 * So guest_code() stands next to the test that drives it, in the same file,
 * with the same types and constants; what differs is only that the guest has
 * its own copy of every variable (see sync_global_to_guest()), and no libc
 * that needs a system call.
 *
 * A guest talks to the test through ucalls: it gives the address of a struct
 * ucall to userspace, with a store to one MMIO address or with a hypercall.
 */
#ifndef SELFTEST_KVM_UTIL_H
#define SELFTEST_KVM_UTIL_H

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "test_util.h"
#include "arch.h"

/* Where the guest's virtual addresses of program and stack are in its memory */
#ifndef ARCH_GVA2GPA
#define ARCH_GVA2GPA(va)	(va)
#endif

#define KVM_DEV_PATH	"/dev/kvm"
#define MAX_VCPUS	8
#define MAX_SLOTS	16

struct kvm_vm;

/*
 * A run of guest physical memory. @hva is what the test reads and writes; it
 * stays where it is when the slot is moved or deleted.
 */
struct mem_region {
	uint32_t slot;
	uint32_t flags;
	uint64_t gpa;
	uint64_t size;
	void *hva;
	bool present;
};

struct kvm_vcpu {
	struct kvm_vm *vm;
	struct kvm_run *run;
	int run_size;
	int fd;
	uint32_t id;
};

/**
 * struct vm_ops - what a test does about exits that are not ucalls
 * @mmio: an access outside memory slots and the ucall address
 * @dcr: a device control register (PowerPC 4xx)
 * Each returns true if the vCPU shall go on; a missing one fails the test.
 */
struct vm_ops {
	bool (*mmio)(struct kvm_vcpu *vcpu, uint64_t gpa, void *data,
		     unsigned int len, bool is_write);
	bool (*dcr)(struct kvm_vcpu *vcpu, uint32_t dcrn, uint32_t *data,
		    bool is_write);
};

struct kvm_vm {
	int fd;
	struct kvm_vcpu *vcpus[MAX_VCPUS];
	struct mem_region regions[MAX_SLOTS];
	const struct vm_ops *ops;
	void *priv;
};

/* --- /dev/kvm --- */
int open_kvm_dev_or_skip(void);
int kvm_check_cap(long cap);

/* --- VMs and memory --- */
struct kvm_vm *vm_create_barebones(void);
/* A VM with RAM at 0 that holds the program's image: ready for vm_vcpu_add(). */
struct kvm_vm *vm_create(void);
struct kvm_vm *vm_create_with_one_vcpu(struct kvm_vcpu **vcpu, void *guest_code);
void kvm_vm_free(struct kvm_vm *vm);

/* Slot ids are below MAX_SLOTS. The host memory is anonymous unless given. */
struct mem_region *vm_mem_add(struct kvm_vm *vm, uint32_t slot, uint64_t gpa,
			      uint64_t size, uint32_t flags, void *hva);
/* Create, move or change flags; the return value is the ioctl's. */
int __vm_mem_set(struct kvm_vm *vm, uint32_t slot, uint64_t gpa, uint64_t size,
		 uint32_t flags, void *hva);
void vm_mem_move(struct kvm_vm *vm, uint32_t slot, uint64_t new_gpa);
void vm_mem_set_flags(struct kvm_vm *vm, uint32_t slot, uint32_t flags);
void vm_mem_delete(struct kvm_vm *vm, uint32_t slot);
void vm_mem_restore(struct kvm_vm *vm, uint32_t slot);
void vm_get_dirty_log(struct kvm_vm *vm, uint32_t slot, void *bitmap);

void *addr_gpa2hva(struct kvm_vm *vm, uint64_t gpa);
void vm_load_program(struct kvm_vm *vm);

/* The guest's copy of a variable of this program. */
#define guest_addr(vm, var) \
	((__typeof__(&(var)))addr_gpa2hva(vm, ARCH_GVA2GPA((uintptr_t)&(var))))
#define sync_global_to_guest(vm, g)	memcpy(guest_addr(vm, g), &(g), sizeof(g))
#define sync_global_from_guest(vm, g)	memcpy(&(g), guest_addr(vm, g), sizeof(g))

/* --- vCPUs --- */
struct kvm_vcpu *__vm_vcpu_add(struct kvm_vm *vm, uint32_t id);
struct kvm_vcpu *vm_vcpu_add(struct kvm_vm *vm, uint32_t id, void *guest_code);
int _vcpu_run(struct kvm_vcpu *vcpu);
/* KVM_RUN, repeated while a signal interrupts it. */
void vcpu_run(struct kvm_vcpu *vcpu);
/* Completes the access of the last exit without running the guest further. */
void vcpu_complete_io(struct kvm_vcpu *vcpu);
void vcpu_regs_get(struct kvm_vcpu *vcpu, struct kvm_regs *regs);
void vcpu_regs_set(struct kvm_vcpu *vcpu, struct kvm_regs *regs);
void vcpu_sregs_get(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs);
void vcpu_sregs_set(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs);
int __vcpu_get_reg(struct kvm_vcpu *vcpu, uint64_t id, void *addr);
int __vcpu_set_reg(struct kvm_vcpu *vcpu, uint64_t id, void *addr);
uint64_t vcpu_get_reg(struct kvm_vcpu *vcpu, uint64_t id);
void vcpu_set_reg(struct kvm_vcpu *vcpu, uint64_t id, uint64_t val);
/* Value of a counter of the vCPU's (or VM's) binary statistics; fails if unknown. */
uint64_t vcpu_get_stat(struct kvm_vcpu *vcpu, const char *name);
uint64_t vm_get_stat(struct kvm_vm *vm, const char *name);
bool vcpu_has_stat(struct kvm_vcpu *vcpu, const char *name);
/* Calls fn(name, value) for every counter of the vCPU. */
void vcpu_for_each_stat(struct kvm_vcpu *vcpu,
			void (*fn)(const char *name, uint64_t value, void *arg),
			void *arg);
void vcpu_dump(struct kvm_vcpu *vcpu);
const char *exit_reason_str(unsigned int reason);

#define vm_ioctl(vm, cmd, arg) do {					\
	int __r = ioctl((vm)->fd, cmd, arg);				\
	TEST_ASSERT(!__r, "%s returned %d", #cmd, __r);			\
} while (0)
#define vcpu_ioctl(vcpu, cmd, arg) do {					\
	int __r = ioctl((vcpu)->fd, cmd, arg);				\
	TEST_ASSERT(!__r, "%s returned %d", #cmd, __r);			\
} while (0)

/* --- ucalls --- */
enum ucall_cmd {
	UCALL_NONE,
	UCALL_SYNC,	/* args: stage, up to 3 values */
	UCALL_ABORT,	/* a guest assertion failed */
	UCALL_PRINTF,
	UCALL_DONE,
	UCALL_UNHANDLED,/* an exception nobody waits for */
};

#define UCALL_MAX_ARGS	8

struct ucall {
	uint32_t cmd;
	uint32_t line;
	unsigned long file;
	unsigned long args[UCALL_MAX_ARGS];
};

/* Guest side: the store that makes the exit; see the architecture's code. */
void ucall_arch_do_ucall(struct ucall *uc);

#define __GUEST_UCALL(_cmd, ...) do {					\
	struct ucall __uc = {						\
		.cmd = (_cmd), .line = __LINE__,			\
		.file = (unsigned long)__FILE__,			\
		.args = { __VA_ARGS__ },				\
	};								\
	ucall_arch_do_ucall(&__uc);					\
} while (0)

#define GUEST_SYNC(stage)	__GUEST_UCALL(UCALL_SYNC, (unsigned long)(stage))
#define GUEST_SYNC_ARGS(stage, ...) \
	__GUEST_UCALL(UCALL_SYNC, (unsigned long)(stage), __VA_ARGS__)
#define GUEST_DONE()		__GUEST_UCALL(UCALL_DONE, 0)
#define GUEST_PRINTF(fmt, ...) \
	__GUEST_UCALL(UCALL_PRINTF, (unsigned long)(fmt), ##__VA_ARGS__)
#define GUEST_FAIL(what, ...) \
	__GUEST_UCALL(UCALL_ABORT, (unsigned long)(what), ##__VA_ARGS__)
#define GUEST_ASSERT(cond) do {						\
	if (!(cond))							\
		GUEST_FAIL(#cond, 0, 0);				\
} while (0)
#define GUEST_ASSERT_EQ(a, b) do {					\
	unsigned long __ga = (unsigned long)(a), __gb = (unsigned long)(b); \
	if (__ga != __gb)						\
		GUEST_FAIL(#a " == " #b, __ga, __gb);			\
} while (0)

/*
 * Runs until the guest makes a ucall that is the test's business: SYNC or
 * DONE, whose structure is copied to *uc. Other exits go to vm->ops; printf is
 * printed; a guest assertion or an unexpected exit fails the test.
 */
enum ucall_cmd vcpu_run_to_ucall(struct kvm_vcpu *vcpu, struct ucall *uc);
/* The same, and the guest must be done, or at this stage. */
void vcpu_run_to_done(struct kvm_vcpu *vcpu);
void vcpu_run_to_sync(struct kvm_vcpu *vcpu, unsigned long stage, struct ucall *uc);
/* For a test with its own run loop: handles the exit that just happened. */
enum ucall_cmd vcpu_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc);

/* --- provided by lib/<arch>/ --- */
void vcpu_arch_init(struct kvm_vcpu *vcpu, void *guest_code, uint64_t stack_top);
void vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...);
uint64_t vcpu_pc(struct kvm_vcpu *vcpu);
void vcpu_arch_dump(struct kvm_vcpu *vcpu);
void print_gprs(const struct kvm_regs *regs);
/* Handles an exit only this architecture has. Returns true if it was one. */
bool vcpu_arch_handle_exit(struct kvm_vcpu *vcpu, struct ucall *uc);

#endif
