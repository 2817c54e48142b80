/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/vcpu/vcpu.h"

/* 'now' is the host's TSC. For a clone that has never run, call vcpu_keep() first. */
void state_put_vcpu(struct state_writer *writer, const struct vcpu *vcpu, uint64_t now);
/*
 * vcpu->cpuid is set, and fits this machine. The vCPU's TSC becomes the file's plus 'elapsed'.
 */
enum status state_get_vcpu(struct state_reader *reader, struct vcpu *vcpu, uint64_t now,
			   uint64_t elapsed);

/*
 * The tables, for the tests, which fail for a member that is neither in a table nor listed as left
 * out.
 */
extern const struct state_table state_vcpu_table;
struct state_vmcs_field {
	enum vmcs_field field;
	uint64_t allowed;
};
extern const struct state_vmcs_field state_vmcs_fields[];
extern const size_t state_n_vmcs_fields;
