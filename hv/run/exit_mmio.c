/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instruction accesses an address where there is no memory: execute it with device accesses in
 * place of memory accesses, or refuse it.
 */
#include "hv/lib/print.h"
#include "hv/run/emulate.h"
#include "hv/run/event.h"
#include "hv/run/exit_handlers.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"

/* Report the bytes that could not be executed, so that support for them can be added. */
static void crash_unknown(struct vcpu *vcpu, gpa_t gpa, const uint8_t *bytes, size_t n)
{
	char text[3 * INSN_MAX_LEN + 1] = "";

	for (size_t i = 0; i < n; i++)
		format(text + 3 * i, 4, "%02x ", bytes[i]);
	vm_crash(vcpu->vm,
		 "no memory at 0x%lx, and device emulation does not support the instruction: %s",
		 gpa.raw, n ? text : "(cannot be read)");
}

/* A user program ends with SIGILL, as on KVM; a kernel takes its VM along. */
static void refuse(struct vcpu *vcpu, gpa_t gpa, const struct emulation *emulation)
{
	if (emulation->space.paging.cpl == 3)
		vcpu_inject_exception(vcpu, VECTOR_UD);
	else
		crash_unknown(vcpu, gpa, emulation->bytes, emulation->n_bytes);
}

enum exit_action exit_mmio(struct vcpu *vcpu, gpa_t gpa)
{
	struct emulation emulation;

	switch (emulate_decode(vcpu, false, &emulation)) {
	case OK:
		(void)emulate_run(vcpu, &emulation);
		break;
	case ERR_NOTFOUND: /* another vCPU has unmapped the code: the processor sees that itself */
		break;
	default:
		refuse(vcpu, gpa, &emulation);
	}
	return EXIT_AGAIN;
}
