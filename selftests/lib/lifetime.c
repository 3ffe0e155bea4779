// SPDX-License-Identifier: GPL-2.0
/*
 * VMs that end: see lifetime.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifetime.h"

static void __noreturn run_forever(const struct lifetime *l, int ready)
{
	struct kvm_vcpu *vcpu;

	l->create(&vcpu);
	for (;;) {
		struct ucall uc;

		vcpu_run_to_ucall(vcpu, &uc);
		if (ready >= 0) {
			if (write(ready, "x", 1) != 1)
				_exit(1);
			close(ready);
			ready = -1;
		}
	}
}

static void kill_one(const struct lifetime *l, struct rng *rng)
{
	int status, fds[2];
	pid_t pid;
	char c;

	TEST_ASSERT(!pipe(fds), "pipe");
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork");
	if (!pid) {
		close(fds[0]);
		run_forever(l, fds[1]);
	}
	close(fds[1]);
	/* At any time: while it is made, at its start, well into its work. */
	if (rng_next(rng) % 4)
		TEST_ASSERT(read(fds[0], &c, 1) == 1, "the VM did not start");
	usleep(rng_next(rng) % 20000);
	kill(pid, SIGKILL);
	TEST_ASSERT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGKILL, "status 0x%x", status);
	close(fds[0]);
}

struct memory {
	long available, slab, kernel;
};

/* kfree_rcu() keeps what it is to free for up to five seconds. */
#define DRAIN_SECONDS	6

/* Free pages that each CPU has at hand: with 64K pages up to some megabytes. */
static long at_hand_kb(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long n, pages = 0;
	char line[256];

	TEST_ASSERT(f, "/proc/zoneinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	fclose(f);
	return pages * (host_page / 1024);
}

static struct memory memory_now(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	struct memory m;

	sync();
	sleep(DRAIN_SECONDS);
	/* Pages that wait to be put on a list go there first. */
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			print_info("no compaction");
		close(fd);
	}
	m.available = meminfo_kb("MemAvailable:") + at_hand_kb();
	m.slab = meminfo_kb("Slab:");
	m.kernel = meminfo_kb("SUnreclaim:");
	return m;
}

static bool is_lost(const char *what, unsigned int vms, const struct memory *before)
{
	struct memory after = memory_now();

	print_info("%u %s: available %+ld kB, slab %+ld kB, unreclaimable %+ld kB", vms,
		   what, after.available - before->available, after.slab - before->slab,
		   after.kernel - before->kernel);
	/* One page each, of the host's or of the slab allocator's smallest. */
	return before->available - after.available >= (long)(host_page / 1024 * vms) ||
	       after.kernel - before->kernel >= (long)(4 * vms);
}

/*
 * The slab allocator may grow for some time, by a page of the host's for each CPU and
 * cache: with pages of 64K that is more than what counts as lost. What is lost, is lost
 * each time.
 */
#define ROUNDS	(host_page < 65536 ? 3 : 8)

/* What generic KVM shows of VMs that exist: a directory for each. */
static unsigned int vms_in_debugfs(void)
{
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	unsigned int n = 0;
	struct dirent *e;

	if (!dir)
		test_skip("needs CONFIG_DEBUG_FS");
	while ((e = readdir(dir)))
		n += e->d_type == DT_DIR && e->d_name[0] != '.';
	closedir(dir);
	return n;
}

void lifetime_kill(const struct lifetime *l)
{
	struct rng rng = { 4 };
	struct memory before;
	struct kvm_vcpu *vcpu;
	bool lost = true;
	struct kvm_vm *vm;
	unsigned int i, round;

	/* The count does count. */
	vm = l->create(&vcpu);
	TEST_ASSERT_EQ(vms_in_debugfs(), 1);
	kvm_vm_free(vm);
	for (i = 0; i < 10; i++)
		kill_one(l, &rng);
	for (round = 0; lost && round < ROUNDS; round++) {
		before = memory_now();
		for (i = 0; i < l->kills; i++)
			kill_one(l, &rng);
		TEST_ASSERT_EQ(vms_in_debugfs(), 0);
		lost = is_lost("kills", l->kills, &before);
	}
	TEST_ASSERT(!lost, "memory is lost each time");
}

/* Orderly ends too, with every file closed in another order. */
static void close_one(const struct lifetime *l, unsigned int how)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = l->create(&vcpu);
	vcpu_run_to_ucall(vcpu, &(struct ucall) { 0 });
	if (how == 0) {
		close(vm->fd);
		_vcpu_run(vcpu);
		munmap(vm->regions[0].hva, vm->regions[0].size);
		munmap(vcpu->run, vcpu->run_size);
		close(vcpu->fd);
		free(vcpu);
		free(vm);
	} else if (how == 1) {
		/* The memory first, while the VM has it mapped. */
		munmap(vm->regions[0].hva, vm->regions[0].size);
		vm->regions[0].hva = NULL;
		kvm_vm_free(vm);
	} else {
		kvm_vm_free(vm);
	}
}

void lifetime_close(const struct lifetime *l)
{
	struct memory before;
	bool lost = true;
	unsigned int i, round;

	for (i = 0; i < 10; i++)
		close_one(l, i % 3);
	for (round = 0; lost && round < ROUNDS; round++) {
		before = memory_now();
		for (i = 0; i < l->closes; i++)
			close_one(l, i % 3);
		lost = is_lost("VMs", l->closes, &before);
	}
	TEST_ASSERT(!lost, "memory is lost each time");
}

/* --- failing allocations --- */

static bool put(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, val, strlen(val)) == (ssize_t)strlen(val);
	close(fd);
	return ok;
}

static void fail_knobs(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/task-filter", dir);
	if (!put(path, "Y"))
		test_skip("needs fault injection: %s", path);
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", dir);
	put(path, "0");
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/probability", dir);
	put(path, "0");
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", dir);
	put(path, "N");
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/min-order", dir);
	put(path, "0");
}

/*
 * Makes a VM and runs it with the nth allocation failing, for every n until
 * none fails any more: /proc/self/fail-nth counts down. Dirty logging is left
 * out: all it allocates is generic KVM's bitmap, by vmalloc(), which reports a
 * failure with a stack trace that is nobody's bug.
 */
void lifetime_failslab(const struct lifetime *l)
{
#ifdef __mips__
	/* At the reset vector: lui $8,0xbf00; 1: sw $0,0x1000($8); b 1b; nop */
	static const uint32_t leave[] = { 0x3c08bf00, 0xad001000, 0x1000fffe, 0 };
	const uint64_t gpa = 0x1fc00000;
#else
	/* lis r3,0x0f00; 1: stw r4,0x1000(r3); b 1b: a new vCPU is big endian. */
	static const uint8_t leave[] = {
		0x3c, 0x60, 0x0f, 0x00, 0x90, 0x83, 0x10, 0x00, 0x4b, 0xff, 0xff, 0xfc,
	};
	const uint64_t gpa = 0;
#endif
	unsigned int n, failed = 0, ok_in_a_row = 0;
	struct kvm_vcpu *v;
	struct kvm_vm *vm;
	char buf[32];
	int status;
	pid_t pid;

	if (access("/proc/self/fail-nth", W_OK))
		test_skip("needs CONFIG_FAULT_INJECTION and CONFIG_FAILSLAB");
	/* The kind of VM is known once there was one. */
	vm = l->create(&v);
	kvm_vm_free(vm);
	fail_knobs("failslab");
	if (!access("/sys/kernel/debug/fail_page_alloc", X_OK))
		fail_knobs("fail_page_alloc");

	for (n = 1; n < 2000 && ok_in_a_row < 20; n++) {
		pid = fork();
		TEST_ASSERT(pid >= 0, "fork");
		if (!pid) {
			struct kvm_userspace_memory_region region = {
				.guest_phys_addr = gpa,
				.memory_size = 1 << 20,
			};
			struct kvm_guest_debug debug = { 0 };
			struct kvm_run *run;
			void *mem = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			int kvm = open(KVM_DEV_PATH, O_RDWR), vmfd, vcpu, nth, i;

			region.userspace_addr = (uintptr_t)mem;
			memcpy(mem, leave, sizeof(leave));
			arch_sync_icache(mem, sizeof(leave));
			nth = open("/proc/self/fail-nth", O_RDWR);
			snprintf(buf, sizeof(buf), "%u", n);
			if (nth < 0 || write(nth, buf, strlen(buf)) < 0)
				_exit(3);
			vmfd = ioctl(kvm, KVM_CREATE_VM, ARCH_VM_TYPE);
			/* Without memory a guest fetches from nowhere, for ever. */
			i = ioctl(vmfd, KVM_SET_USER_MEMORY_REGION, &region) ? 20 : 0;
			vcpu = ioctl(vmfd, KVM_CREATE_VCPU, 0);
			run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
				   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
			/* The guest does nothing but leave. */
			for (; i < 20; i++)
				ioctl(vcpu, KVM_RUN, 0);
			region.memory_size = 0;
			ioctl(vmfd, KVM_SET_USER_MEMORY_REGION, &region);
			ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
			(void)run;
			close(vcpu);
			close(vmfd);
			i = pread(nth, buf, sizeof(buf) - 1, 0);
			buf[i > 0 ? i : 0] = '\0';
			/* 0: the nth allocation has come, and failed. */
			_exit(atoi(buf) == 0);
		}
		TEST_ASSERT(waitpid(pid, &status, 0) == pid, "waitpid");
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV &&
		    WTERMSIG(status) != SIGBUS)
			TEST_FAIL("n %u: status 0x%x", n, status);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			ok_in_a_row++;
		} else {
			ok_in_a_row = 0;
			failed++;
		}
	}
	print_info("%u allocations failed, one at a time", failed);
	TEST_ASSERT(failed > 5, "only %u failed", failed);
	/* And all is well afterwards. */
	vm = l->create(&v);

	vcpu_run_to_ucall(v, &(struct ucall) { 0 });
	kvm_vm_free(vm);
}
