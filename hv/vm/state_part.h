/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/vm/vm.h"

/* The sections of a VM's state, by vm_state.c alone. */

void state_put_machine(struct state_writer *writer, const struct vm *vm);
/* Errors name the first option that differs. */
enum status state_check_machine(struct state_reader *reader, const struct vm *vm);

/* 'now' is the host's TSC. Not of a clone that has never run, without vcpu_keep(). */
void state_put_vcpu(struct state_writer *writer, const struct vcpu *vcpu, uint64_t now);
/* vcpu->cpuid is set, and was found to fit. The vCPU's TSC gets ahead of the file's by 'elapsed'.
 */
enum status state_get_vcpu(struct state_reader *reader, struct vcpu *vcpu, uint64_t now,
			   uint64_t elapsed);

void state_put_devices(struct state_writer *writer, const struct platform *platform);
/* 'tsc_hz' is that of the machine the file was written on, 'then' was the boot vCPU's TSC. */
enum status state_get_devices(struct state_reader *reader, struct platform *platform,
			      uint64_t tsc_hz, uint64_t then);

/*
 * The tables, for the tests: a member that is in none of them, nor listed there as left out, is
 * forgotten.
 */
struct state_table {
	const char *section;
	const struct state_field *fields;
	size_t n;
};
extern const struct state_table state_vcpu_table, state_cpuid_table;
struct state_vmcs_field {
	enum vmcs_field field;
	uint64_t allowed;
};
extern const struct state_vmcs_field state_vmcs_fields[];
extern const size_t state_n_vmcs_fields;
