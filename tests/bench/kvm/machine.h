/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine monitor on Linux' KVM, as small as it can be: one processor, memory
 * that is one private mapping of a file, the interrupt controllers in the kernel. Whatever
 * goes wrong ends the program with a message.
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

/* What a template's processor has; its memory is the file. */
struct state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct msrs msrs;
};

/* Once, before all else. */
void kvm_open(void);

/* A machine whose memory is a private mapping of 'file', its processor as after power-on. */
void machine_create(struct machine *machine, int file, size_t size);
void machine_destroy(struct machine *machine);

/* The guest's TSC is the host's. */
void machine_save(const struct machine *machine, struct state *ret);
void machine_load(const struct machine *machine, const struct state *state);
/* Of the state, general and system registers alone. */
void machine_load_registers(const struct machine *machine, const struct state *state);

/* Flat segments, protected mode without paging, at 'eip'. */
void state_enter(struct state *state, uint32_t eip);

/* The file's bytes again where the guest has written, and 'state'. */
void machine_reset(const struct machine *machine, const struct state *state);

/* Run until the guest writes to PORT_VALUE: what it wrote. */
uint32_t machine_run(struct machine *machine);
