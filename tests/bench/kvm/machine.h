/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest virtual machine monitor on Linux's KVM: one processor, memory as one private
 * mapping of a file, the interrupt controllers in the kernel. Every error ends the program
 * with a message.
 */
#pragma once
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define N_CPUID 128 /* room for leaves: KVM has fewer */
#define N_MSRS	10

struct machine {
	int vm, vcpu;
	struct kvm_run *run; /* shared with the kernel, 'run_size' bytes */
	size_t run_size;
	uint8_t *memory; /* at guest-physical 0 */
	size_t size;	 /* bytes */
};

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[N_MSRS];
};

/* The state of a template's processor; its memory is the file. */
struct state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct msrs msrs;
};

/* Call once, before everything else. */
void kvm_open(void);

/* A machine whose memory is a private mapping of 'file', its processor as after power-on. */
void machine_create(struct machine *machine, int file, size_t size);
void machine_destroy(struct machine *machine);

/* Make the guest's TSC the host's. */
void machine_save(const struct machine *machine, struct state *ret);
void machine_load(const struct machine *machine, const struct state *state);
/* Set only the general and system registers of the state. */
void machine_load_registers(const struct machine *machine, const struct state *state);

/* Set flat segments, protected mode without paging, and 'eip'. */
void state_enter(struct state *state, uint32_t eip);

/* Restore the file's bytes where the guest has written, and set 'state'. */
void machine_reset(const struct machine *machine, const struct state *state);

/* Run until the guest writes to PORT_VALUE; returns the value. */
uint32_t machine_run(struct machine *machine);
