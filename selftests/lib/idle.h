/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Idle page tracking: does the host know which pages a guest uses?
 */
#ifndef SELFTESTS_IDLE_H
#define SELFTESTS_IDLE_H

#include "kvm_util.h"

/* Skips the test without CONFIG_IDLE_PAGE_TRACKING. */
void idle_open(void);
/* What was faulted in a moment ago may wait in a list of its CPU's: empty it. */
void idle_drain_lru(void);
/*
 * Anonymous memory that nobody has used yet: gets frames that idle_set() can set. Of the
 * last frames, if they are no multiple of 64, the kernel says nothing.
 */
void idle_choose_frames(void *hva, unsigned int n);
/* The frames of @n pages from @hva on; all of them must be present. */
void idle_find_frames(const void *hva, unsigned int n, uint64_t *pfn);
void idle_set(const uint64_t *pfn, unsigned int n);
bool idle_is(uint64_t pfn);

#endif
