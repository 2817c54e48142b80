/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors in a VM's state. Refuses values that would fault when the host loads them, because
 * such a fault ends the machine, and values that a guest is never allowed to have. VM entry checks
 * everything else; what it refuses ends the VM.
 */
#include "hv/vm/state_vcpu.h"

#include "hv/host/exception.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define ANY    UINT64_MAX
#define RIGHTS 0x1ffff

#define SEGMENT_FIELDS(segment) \
	{(enum vmcs_field)(VMCS_GUEST_ES_SEL + 2 * (segment)), 0xffff}, \
		{(enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * (segment)), UINT32_MAX}, \
		{(enum vmcs_field)(VMCS_GUEST_ES_AR + 2 * (segment)), RIGHTS}, \
	{ \
		(enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * (segment)), ANY \
	}

/* check_vcpu() checks CR4 and EFER against the processor. */
const struct state_vmcs_field state_vmcs_fields[] = {
	SEGMENT_FIELDS(SEG_ES),
	SEGMENT_FIELDS(SEG_CS),
	SEGMENT_FIELDS(SEG_SS),
	SEGMENT_FIELDS(SEG_DS),
	SEGMENT_FIELDS(SEG_FS),
	SEGMENT_FIELDS(SEG_GS),
	SEGMENT_FIELDS(SEG_LDTR),
	SEGMENT_FIELDS(SEG_TR),
	{VMCS_GUEST_GDTR_BASE, ANY},
	{VMCS_GUEST_GDTR_LIMIT, UINT32_MAX},
	{VMCS_GUEST_IDTR_BASE, ANY},
	{VMCS_GUEST_IDTR_LIMIT, UINT32_MAX},
	{VMCS_GUEST_CR0, ~(CR0_HOST_OWNED & ~CR0_NE)},
	{VMCS_GUEST_CR3, ANY},
	{VMCS_GUEST_CR4, ANY},
	{VMCS_CR0_SHADOW, UINT32_MAX},
	{VMCS_CR4_SHADOW, UINT32_MAX},
	{VMCS_GUEST_DR7, UINT32_MAX},
	{VMCS_GUEST_RSP, ANY},
	{VMCS_GUEST_RIP, ANY},
	{VMCS_GUEST_RFLAGS, ANY},
	{VMCS_GUEST_PENDING_DEBUG, ANY},
	{VMCS_GUEST_SYSENTER_CS, UINT32_MAX},
	{VMCS_GUEST_SYSENTER_ESP, ANY},
	{VMCS_GUEST_SYSENTER_EIP, ANY},
	{VMCS_GUEST_PAT, ANY},
	{VMCS_GUEST_EFER, ANY},
	{VMCS_GUEST_DEBUGCTL, 0},
	{VMCS_GUEST_PDPTE0, ANY},
	{(enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2), ANY},
	{(enum vmcs_field)(VMCS_GUEST_PDPTE0 + 4), ANY},
	{(enum vmcs_field)(VMCS_GUEST_PDPTE0 + 6), ANY},
	{VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI | BLOCKING_MOV_SS | BLOCKING_NMI},
	/* Other states would block interrupts to the host, too. */
	{VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE},
};
const size_t state_n_vmcs_fields = ARRAY_SIZE(state_vmcs_fields);

static const struct state_field vcpu_fields[] = {
	STATE_ARRAY(struct vcpu, regs.gpr, ANY),
	STATE_FIELD(struct vcpu, guest.event, UINT32_MAX),
	STATE_FIELD(struct vcpu, guest.event_error, UINT32_MAX),
	STATE_FIELD(struct vcpu, guest.event_inst_len, 0xf),
	STATE_FIELD(struct vcpu, guest.msrs.mtrr_def_type, ANY),
	STATE_ARRAY(struct vcpu, guest.msrs.mtrr_fixed, ANY),
	STATE_ARRAY(struct vcpu, guest.msrs.mtrr_variable, ANY),
	STATE_FIELD(struct vcpu, guest.msrs.misc_enable, ANY),
	STATE_FIELD(struct vcpu, guest.msrs.microcode, ANY),
	STATE_FIELD(struct vcpu, guest.waits_for_sipi, 1),
	STATE_FIELD(struct vcpu, guest.is_fresh, 1),
	STATE_FIELD(struct vcpu, guest.is_dead, 1),
	STATE_ARRAY(struct vcpu, saved.switched_msr, ANY),
	STATE_ARRAY(struct vcpu, saved.dr, ANY),
	STATE_FIELD(struct vcpu, saved.dr6, UINT32_MAX),
	STATE_FIELD(struct vcpu, saved.cr2, ANY),
	STATE_FIELD(struct vcpu, guest.xcr0, ANY),
	STATE_FIELD_SINCE(2, struct vcpu, regs.spec_ctrl, UINT16_MAX),
	STATE_FIELD_SINCE(3, struct vcpu, guest.tsc_adjust, ANY),
	STATE_FIELD_SINCE(5, struct vcpu, guest.kvm.system_time, ANY),
	STATE_FIELD_SINCE(5, struct vcpu, guest.kvm.steal_time, ANY),
	STATE_FIELD_SINCE(5, struct vcpu, guest.kvm.eoi, ANY),
};
const struct state_table state_vcpu_table = {"vcpu", vcpu_fields, ARRAY_SIZE(vcpu_fields)};

/* The area of XSAVE. SDM vol. 1, "XSAVE Header". */
enum {
	MXCSR = 24,
	LEGACY_END = 416, /* XSAVE writes nothing from here to the header */
	XSTATE_BV = 512,
	XCOMP_BV = 520, /* reserved bytes follow */
	XSAVE_HEADER_END = 576,
};

/* Whether XSAVE writes the byte of the area. SDM vol. 1, "Operation of XSAVE". */
static bool is_saved(const struct cpuid_model *model, uint32_t at)
{
	static const struct cpuid_state nobody;

	if (at < LEGACY_END || (at >= XSTATE_BV && at < XCOMP_BV))
		return true;
	for (uint32_t i = 2; i < 63; i++) {
		struct cpuid_regs part = {0};

		if (model->xcr0_allowed & BIT(i))
			cpuid_model_lookup(model, 0xd, i, &nobody, &part);
		if (at - part.ebx < part.eax)
			return true;
	}
	return false;
}

/* The other bytes are those of a page that the frame was before, perhaps another VM's. */
static void put_xsave(struct state_writer *writer, const struct vcpu *vcpu)
{
	const uint8_t *area = vcpu->xsave_area;

	for (uint32_t i = 0; i < vcpu->cpuid->basic[0xd].ecx; i++) {
		uint8_t byte = is_saved(vcpu->cpuid, i) ? area[i] : 0;

		state_put(writer, &byte, 1);
	}
}

void state_put_vcpu(struct state_writer *writer, const struct vcpu *vcpu, uint64_t now)
{
	assert(vcpu->saved_in == vcpu && vcpu->guest.owns_msrs);
	state_begin_section(writer, "vcpu", vcpu->number);
	state_put_fields(writer, vcpu_fields, ARRAY_SIZE(vcpu_fields), vcpu);
	for (size_t i = 0; i < state_n_vmcs_fields; i++)
		state_put_number(writer,
				 vmcs_guest_field(&vcpu->saved.vmcs, state_vmcs_fields[i].field));
	state_put_number(writer, now + vcpu->guest.tsc_offset);
	state_put_number(writer, (vcpu->regs.requests & VCPU_REQUEST_HALT) != 0);
	state_end_section(writer);
	state_begin_section(writer, "xsave", vcpu->number);
	put_xsave(writer, vcpu);
	state_end_section(writer);
}

static enum status get_vmcs_fields(struct state_reader *reader, struct vcpu *vcpu)
{
	for (size_t i = 0; i < state_n_vmcs_fields; i++) {
		const struct state_vmcs_field *field = &state_vmcs_fields[i];
		uint64_t value;

		TRY(state_get_number(reader, &value));
		if (value & ~field->allowed)
			return state_refuse(reader, "VMCS field 0x%x cannot be 0x%lx",
					    (unsigned)field->field, value);
		vmcs_set_guest_field(&vcpu->saved.vmcs, field->field, value);
	}
	return OK;
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool msrs_are_possible(const struct vcpu *vcpu)
{
	const uint64_t *msr = vcpu->saved.switched_msr;

	return is_canonical(msr[SWITCHED_LSTAR]) && is_canonical(msr[SWITCHED_CSTAR]) &&
	       msr[SWITCHED_FMASK] <= UINT32_MAX && is_canonical(msr[SWITCHED_KERNEL_GS_BASE]) &&
	       msr[SWITCHED_TSC_AUX] <= UINT32_MAX &&
	       (vcpu->guest.is_fresh || guest_msrs_are_valid(&vcpu->guest.msrs)) &&
	       kvm_msrs_are_valid(&vcpu->guest.kvm, cpuid_kvm_features(vcpu->cpuid));
}

/* SDM vol. 3, "VM-Entry Control Fields": exceptions that push an error code. */
#define VECTORS_WITH_ERROR (BIT(8) | BITS(14, 10) | BIT(17))

static bool exception_is_possible(const struct vcpu *vcpu, unsigned vector)
{
	bool protected = vmcs_guest_field(&vcpu->saved.vmcs, VMCS_GUEST_CR0) & CR0_PE;
	bool has_error = protected && vector < 32 && (VECTORS_WITH_ERROR & BIT(vector));

	return vector < 32 && has_error == !!(vcpu->guest.event & INTR_HAS_ERROR_CODE) &&
	       vcpu->guest.event_error <= INT16_MAX;
}

/* VM entry must not refuse the event, because that would look like a bug of the hypervisor. */
static bool event_is_possible(const struct vcpu *vcpu)
{
	unsigned vector = vcpu->guest.event & INTR_VECTOR;
	bool has_error = vcpu->guest.event & INTR_HAS_ERROR_CODE;

	if (!(vcpu->guest.event & INTR_VALID))
		return vcpu->guest.event == 0;
	if (vcpu->guest.event & ~(INTR_VALID | INTR_HAS_ERROR_CODE | INTR_TYPE | INTR_VECTOR))
		return false;
	switch (vcpu->guest.event & INTR_TYPE) {
	case INTR_TYPE_EXTERNAL:
		return !has_error;
	case INTR_TYPE_NMI:
		return !has_error && vector == VECTOR_NMI;
	case INTR_TYPE_HARDWARE:
		return exception_is_possible(vcpu, vector);
	case INTR_TYPE_SOFTWARE:
	case INTR_TYPE_PRIVILEGED:
	case INTR_TYPE_SOFT_EXC:
		return !has_error && vcpu->guest.event_inst_len >= 1;
	default:
		return false;
	}
}

static enum status check_vcpu(struct state_reader *reader, const struct vcpu *vcpu)
{
	const struct cpuid_model *model = vcpu->cpuid;
	uint64_t cr4 = vmcs_guest_field(&vcpu->saved.vmcs, VMCS_GUEST_CR4);
	uint64_t efer = vmcs_guest_field(&vcpu->saved.vmcs, VMCS_GUEST_EFER);

	if (cr4 & ~(model->cr4_allowed | CR4_HOST_OWNED))
		return state_refuse(reader, "CR4 cannot be 0x%lx", cr4);
	if (efer & ~model->efer_allowed)
		return state_refuse(reader, "EFER cannot be 0x%lx", efer);
	if (!cpuid_xcr0_valid(model, vcpu->guest.xcr0))
		return state_refuse(reader, "XCR0 cannot be 0x%lx", vcpu->guest.xcr0);
	if (vcpu->regs.spec_ctrl & ~model->spec_ctrl_allowed)
		return state_refuse(reader, "IA32_SPEC_CTRL cannot be 0x%x", vcpu->regs.spec_ctrl);
	if (!msrs_are_possible(vcpu))
		return state_refuse(reader, "has an impossible MSR value");
	if (!event_is_possible(vcpu))
		return state_refuse(reader, "has an impossible event");
	if (vcpu->guest.is_fresh && !vcpu->guest.waits_for_sipi)
		return state_refuse(reader, "runs without a SIPI");
	return OK;
}

static enum status get_clock_and_halt(struct state_reader *reader, struct vcpu *vcpu, uint64_t now,
				      uint64_t elapsed)
{
	uint64_t tsc, halted;

	TRY(state_get_number(reader, &tsc));
	TRY(state_get_number(reader, &halted));
	if (halted > 1)
		return state_refuse(reader, "cannot be halted %lu times", halted);
	vcpu->guest.tsc_offset = tsc + elapsed - now;
	/* UART: its line may have been held. */
	vcpu->regs.requests = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER | VCPU_REQUEST_UART |
			      VCPU_REQUEST_VIRTIO | VCPU_REQUEST_RESUMED;
	if (halted)
		vcpu->regs.requests |= VCPU_REQUEST_HALT;
	return OK;
}

static enum status get_xsave(struct state_reader *reader, struct vcpu *vcpu)
{
	uint8_t *area = vcpu->xsave_area;
	uint64_t xstate_bv;
	uint32_t mxcsr;

	TRY(state_read_section(reader, "xsave", vcpu->number));
	TRY(state_get(reader, area, vcpu->cpuid->basic[0xd].ecx));
	memcpy(&xstate_bv, area + XSTATE_BV, sizeof(xstate_bv));
	memcpy(&mxcsr, area + MXCSR, sizeof(mxcsr));
	if (xstate_bv & ~vcpu->cpuid->xcr0_allowed)
		return state_refuse(reader, "cannot hold components 0x%lx", xstate_bv);
	for (unsigned i = XCOMP_BV; i < XSAVE_HEADER_END; i++)
		if (area[i] != 0)
			return state_refuse(reader, "is not in the standard format");
	if (mxcsr > UINT16_MAX)
		return state_refuse(reader, "MXCSR cannot be 0x%x", (unsigned)mxcsr);
	return OK;
}

enum status state_get_vcpu(struct state_reader *reader, struct vcpu *vcpu, uint64_t now,
			   uint64_t elapsed)
{
	TRY(state_read_section(reader, "vcpu", vcpu->number));
	TRY(state_get_fields(reader, vcpu_fields, ARRAY_SIZE(vcpu_fields), vcpu));
	TRY(get_vmcs_fields(reader, vcpu));
	TRY(get_clock_and_halt(reader, vcpu, now, elapsed));
	TRY(check_vcpu(reader, vcpu));
	return get_xsave(reader, vcpu);
}
