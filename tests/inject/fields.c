/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject fields": at its first VM entry, each clone of the VM "t" gets an invalid value in one
 * VMCS field, the next of the table. "inject no field" writes a field that does not exist. Nothing
 * is put back: that is the hypervisor's matter.
 */
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"
#include "tests/inject/inject.h"

#define NON_CANONICAL	   BIT(63)
#define RPL		   3
#define SELECTOR_TI	   4
#define INTR_RESERVED_TYPE BIT(8)
#define PROTECTION_FAULT   (INTR_VALID | INTR_HAS_ERROR_CODE | INTR_TYPE_HARDWARE | VECTOR_GP)
#define SOFTWARE_INTERRUPT (INTR_VALID | INTR_TYPE_SOFTWARE | 0x80)
/* SDM vol. 3, appendix "Field Encoding in VMCS": the reserved bit 12. */
#define NO_FIELD ((enum vmcs_field)BIT(12))

struct row {
	const char *name;
	uint64_t value, also_value;
	uint16_t field, also; /* 'also': another field that makes the value invalid; 0: none */
};

#define ROW2(field, value, also, also_value) \
	{ \
#field, value, also_value, field, also \
	}
#define ROW(field, value) ROW2(field, value, 0, 0)

/* Bochs 2.7 does not check the guest's RIP and IA32_DEBUGCTL. */
static const struct row rows[] = {
	ROW(VMCS_PIN_CONTROLS, 0),
	ROW(VMCS_PROC_CONTROLS, 0),
	ROW(VMCS_PROC_CONTROLS2, UINT32_MAX),
	ROW(VMCS_EXIT_CONTROLS, 0),
	ROW(VMCS_ENTRY_CONTROLS, 0),
	ROW(VMCS_CR3_TARGET_COUNT, 5),
	ROW(VMCS_IO_BITMAP_A, 1),
	ROW(VMCS_IO_BITMAP_B, 1),
	ROW(VMCS_MSR_BITMAP, 1),
	ROW(VMCS_VIRTUAL_APIC, 1),
	ROW(VMCS_VPID, 0),
	ROW(VMCS_EPTP, 7),
	ROW2(VMCS_EXIT_MSR_STORE, 1, VMCS_EXIT_MSR_STORE_COUNT, 1),
	ROW2(VMCS_EXIT_MSR_LOAD, 1, VMCS_EXIT_MSR_LOAD_COUNT, 1),
	ROW2(VMCS_ENTRY_MSR_LOAD, 1, VMCS_ENTRY_MSR_LOAD_COUNT, 1),
	ROW2(VMCS_EXIT_MSR_STORE_COUNT, 1, VMCS_EXIT_MSR_STORE, 1),
	ROW2(VMCS_EXIT_MSR_LOAD_COUNT, 1, VMCS_EXIT_MSR_LOAD, 1),
	ROW2(VMCS_ENTRY_MSR_LOAD_COUNT, 1, VMCS_ENTRY_MSR_LOAD, 1),
	ROW(VMCS_ENTRY_INTR_INFO, INTR_VALID | INTR_RESERVED_TYPE),
	ROW2(VMCS_ENTRY_ERROR_CODE, BIT(16), VMCS_ENTRY_INTR_INFO, PROTECTION_FAULT),
	ROW2(VMCS_ENTRY_INST_LEN, 16, VMCS_ENTRY_INTR_INFO, SOFTWARE_INTERRUPT),

	ROW(VMCS_HOST_ES_SEL, RPL),
	ROW(VMCS_HOST_CS_SEL, 0),
	ROW(VMCS_HOST_SS_SEL, RPL),
	ROW(VMCS_HOST_DS_SEL, RPL),
	ROW(VMCS_HOST_FS_SEL, RPL),
	ROW(VMCS_HOST_GS_SEL, RPL),
	ROW(VMCS_HOST_TR_SEL, 0),
	ROW(VMCS_HOST_PAT, 2),
	ROW(VMCS_HOST_EFER, 0),
	ROW(VMCS_HOST_CR0, 0),
	ROW(VMCS_HOST_CR3, BIT(63)),
	ROW(VMCS_HOST_CR4, 0),
	ROW(VMCS_HOST_FS_BASE, NON_CANONICAL),
	ROW(VMCS_HOST_GS_BASE, NON_CANONICAL),
	ROW(VMCS_HOST_TR_BASE, NON_CANONICAL),
	ROW(VMCS_HOST_GDTR_BASE, NON_CANONICAL),
	ROW(VMCS_HOST_IDTR_BASE, NON_CANONICAL),
	ROW(VMCS_HOST_SYSENTER_ESP, NON_CANONICAL),
	ROW(VMCS_HOST_SYSENTER_EIP, NON_CANONICAL),
	ROW(VMCS_HOST_RIP, NON_CANONICAL),

	ROW(VMCS_LINK_POINTER, 1),
	ROW(VMCS_GUEST_CR0, BIT(31)),
	ROW(VMCS_GUEST_CR3, BIT(63)),
	ROW(VMCS_GUEST_CR4, 0),
	ROW(VMCS_GUEST_DR7, BIT(63)),
	ROW(VMCS_GUEST_EFER, UINT64_MAX),
	ROW(VMCS_GUEST_PAT, 2),
	ROW(VMCS_GUEST_RFLAGS, 0),
	ROW(VMCS_GUEST_CS_AR, 0),
	ROW(VMCS_GUEST_GDTR_BASE, NON_CANONICAL),
	ROW(VMCS_GUEST_GDTR_LIMIT, UINT32_MAX),
	ROW(VMCS_GUEST_IDTR_BASE, NON_CANONICAL),
	ROW(VMCS_GUEST_IDTR_LIMIT, UINT32_MAX),
	ROW(VMCS_GUEST_SYSENTER_ESP, NON_CANONICAL),
	ROW(VMCS_GUEST_SYSENTER_EIP, NON_CANONICAL),
	ROW(VMCS_GUEST_TR_SEL, SELECTOR_TI),
	ROW(VMCS_GUEST_TR_BASE, NON_CANONICAL),
	ROW(VMCS_GUEST_ACTIVITY, 7),
	ROW(VMCS_GUEST_INTERRUPTIBILITY, BIT(31)),
	ROW(VMCS_GUEST_PENDING_DEBUG, UINT64_MAX),
};

static void spoil(const struct vcpu *vcpu, const struct row *row)
{
	log_info("inject: VM %s: %s %016lx", vm_name(vcpu->vm), row->name, row->value);
	vmcs_write((enum vmcs_field)row->field, row->value);
	if (row->also != 0)
		vmcs_write((enum vmcs_field)row->also, row->also_value);
}

static bool is_clone_of_t(const struct vm *vm)
{
	return vm->template != NULL && strcmp(vm_name(vm->template), "t") == 0;
}

enum vmx_result __real_vmx_run(struct guest_regs *regs);
enum vmx_result __wrap_vmx_run(struct guest_regs *regs)
{
	static bool is_done[ARRAY_SIZE(rows)];
	const struct vcpu *vcpu = (const struct vcpu *)regs;
	uint32_t n = vcpu->vm->number; /* of the clone and its row */
	uint64_t none;

	if (is_clone_of_t(vcpu->vm) && n < ARRAY_SIZE(rows) && !is_done[n] &&
	    inject_asked("fields", &none)) {
		is_done[n] = true;
		spoil(vcpu, &rows[n]);
	}
	if (is_clone_of_t(vcpu->vm) && inject_asked("no field", &none))
		vmcs_write(NO_FIELD, 0);
	return __real_vmx_run(regs);
}
