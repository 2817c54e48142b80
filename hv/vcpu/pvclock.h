/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"
#include "hv/lib/status.h"

/*
 * Records about time in a guest's memory, in KVM's form. Linux,
 * Documentation/virt/kvm/x86/msr.rst. Each begins an update by making its version odd and ends it
 * by making it even again, for the guest's other processors.
 *
 * Call all that write with the VM's lock held. ERR_RANGE: not all of the record is memory that can
 * be written. ERR_NOMEM: no frame for a private copy. After an error nothing has changed.
 */
#define PVCLOCK_SIZE	   32
#define PVCLOCK_WALL_SIZE  12
#define PVCLOCK_STEAL_SIZE 64

/* Nanoseconds are ticks shifted to the left by 'shift' (right if negative), times mul / 2^32. */
struct pvclock_scale {
	uint32_t mul;
	int8_t shift;
};

/* tsc_hz is not 0. */
struct pvclock_scale pvclock_scale(uint64_t tsc_hz);
/* As a guest computes it. */
uint64_t pvclock_ns(struct pvclock_scale scale, uint64_t ticks);

/* A clock that read 'ns' at the guest's TSC 'tsc', and is the same on all of its processors. */
struct pvclock {
	uint64_t tsc, ns;
	struct pvclock_scale scale;
};

/*
 * The record also tells that the guest has not run for a while, so that its watchdogs do not take
 * the gap for a hang. A guest that has just asked for its clock loses nothing by that.
 */
enum status pvclock_write(struct guest_memory *memory, gpa_t gpa, const struct pvclock *clock);
/* The time of the day when the clock read 0, in ns since 1970. */
enum status pvclock_write_wall(struct guest_memory *memory, gpa_t gpa, uint64_t unix_ns);
/* So much more time was stolen from the processor, which runs again. */
enum status pvclock_write_steal(struct guest_memory *memory, gpa_t gpa, uint64_t ns);
/* The processor could run, and does not. */
enum status pvclock_write_preempted(struct guest_memory *memory, gpa_t gpa);
