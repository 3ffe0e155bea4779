/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMMs that die: kill -9 in the middle of anything returns all of a VM's
 * memory to the host, and allocation failures in the middle of anything are
 * errors, not crashes.
 *
 * Memory is compared after a warm-up, with a bound far below what the VMs of
 * the loop cost together; a leak smaller than a page per VM is not seen.
 */
#ifndef SELFTEST_LIFETIME_H
#define SELFTEST_LIFETIME_H

#include "kvm_util.h"

/**
 * struct lifetime - what the tests are about
 * @create: a VM with one vCPU, whose guest makes ucalls for ever
 * @kills: VMs that are killed while memory is watched
 * @closes: VMs that end in good order
 */
struct lifetime {
	struct kvm_vm *(*create)(struct kvm_vcpu **vcpu);
	unsigned int kills, closes;
};

void lifetime_kill(const struct lifetime *l);
void lifetime_close(const struct lifetime *l);
void lifetime_failslab(const struct lifetime *l);

/* Defines the subtests test_kill(), test_close() and test_failslab(). */
#define LIFETIME_TESTS(l)						\
static void test_kill(void) { lifetime_kill(l); }			\
static void test_close(void) { lifetime_close(l); }			\
static void test_failslab(void) { lifetime_failslab(l); }

#endif
