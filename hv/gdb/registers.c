/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a vCPU that is not loaded: VMCS fields, the XSAVE area, and a few others. */
#include "hv/gdb/registers.h"

#include "hv/devices/lapic.h"
#include "hv/host/msr.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

/* In the legacy region of the XSAVE area, bytes. SDM vol. 1, "XSAVE Area". */
enum {
	AREA_TAGS = 4,
	AREA_MXCSR = 24,
	AREA_X87 = 32,
	AREA_XMM = 160,
	AREA_END = 416,
	FCW_RESET = 0x037f,
	MXCSR_RESET = 0x1f80,
};
#define XSTATE_X87 BIT(0)
#define XSTATE_SSE BIT(1)

static uint64_t field(const struct vcpu *vcpu, enum vmcs_field name)
{
	return vmcs_guest_field(&vcpu->saved.vmcs, name);
}

static uint64_t *components(const struct vcpu *vcpu)
{
	return (uint64_t *)((char *)vcpu->xsave_area + XSAVE_HEADER);
}

/*
 * The part of the XSAVE area that has x87 and SSE registers. What no component of it has is
 * initial, whatever the memory says.
 */
static void read_area(const struct vcpu *vcpu, uint8_t area[AREA_END])
{
	const uint16_t control = FCW_RESET;
	const uint32_t mxcsr = MXCSR_RESET;
	bool has_x87 = *components(vcpu) & XSTATE_X87, has_sse = *components(vcpu) & XSTATE_SSE;

	memcpy(area, vcpu->xsave_area, AREA_END);
	if (!has_x87) {
		memset(area, 0, AREA_MXCSR);
		memcpy(area, &control, sizeof(control));
		memset(area + AREA_X87, 0, AREA_XMM - AREA_X87);
	}
	if (!has_sse)
		memset(area + AREA_XMM, 0, AREA_END - AREA_XMM);
	if (!has_sse && !has_x87)
		memcpy(area + AREA_MXCSR, &mxcsr, sizeof(mxcsr));
}

/* Two bits a register, 3: empty. XSAVE keeps one, 1: not empty. */
static uint32_t full_tags(uint8_t kept)
{
	uint32_t tags = 0;

	for (unsigned i = 0; i < 8; i++)
		tags |= kept & 1U << i ? 0 : 3U << (2 * i);
	return tags;
}

static uint8_t kept_tags(uint32_t full)
{
	uint8_t kept = 0;

	for (unsigned i = 0; i < 8; i++)
		kept |= (uint8_t)((full >> (2 * i) & 3) != 3) << i;
	return kept;
}

/* Where the register is in the area; 0 is the control word, which has its place there. */
static unsigned area_offset(const struct gdb_register *reg)
{
	switch (reg->kind) {
	case GDB_X87:
		return AREA_X87 + 16U * reg->index;
	case GDB_XMM:
		return AREA_XMM + 16U * reg->index;
	case GDB_MXCSR:
		return AREA_MXCSR;
	default:
		return reg->index;
	}
}

static unsigned area_size(const struct gdb_register *reg)
{
	return reg->kind == GDB_X87_WORD ? 2 : reg->size;
}

static void get_from_area(const struct vcpu *vcpu, const struct gdb_register *reg, uint8_t *ret)
{
	uint8_t area[AREA_END];
	uint32_t tags;

	read_area(vcpu, area);
	if (reg->kind != GDB_X87_TAGS) {
		memcpy(ret, area + area_offset(reg), area_size(reg));
		return;
	}
	tags = full_tags(area[AREA_TAGS]);
	memcpy(ret, &tags, sizeof(tags));
}

static void set_in_area(struct vcpu *vcpu, const struct gdb_register *reg, const uint8_t *value)
{
	uint8_t area[AREA_END];
	uint32_t tags;

	read_area(vcpu, area);
	memcpy(&tags, value, sizeof(tags));
	if (reg->kind == GDB_X87_TAGS)
		area[AREA_TAGS] = kept_tags(tags);
	else
		memcpy(area + area_offset(reg), value, area_size(reg));
	memcpy(vcpu->xsave_area, area, AREA_END);
	*components(vcpu) |= XSTATE_X87 | XSTATE_SSE;
}

/* What the guest reads: the bits of 'mask' come from the shadow. */
static uint64_t as_seen(uint64_t value, uint64_t shadow, uint64_t mask)
{
	return (value & ~mask) | (shadow & mask);
}

static uint64_t control_register(const struct vcpu *vcpu, unsigned number)
{
	switch (number) {
	case 0:
		return as_seen(field(vcpu, VMCS_GUEST_CR0), field(vcpu, VMCS_CR0_SHADOW),
			       CR0_HOST_OWNED);
	case 2:
		return vcpu->saved.cr2;
	case 3:
		return field(vcpu, VMCS_GUEST_CR3);
	case 4:
		return as_seen(field(vcpu, VMCS_GUEST_CR4), field(vcpu, VMCS_CR4_SHADOW),
			       ~vcpu->cpuid->cr4_allowed);
	default:
		return lapic_get_cr8(vcpu->lapic);
	}
}

static uint64_t get_integer(const struct vcpu *vcpu, const struct gdb_register *reg)
{
	switch (reg->kind) {
	case GDB_GENERAL:
		return reg->index == RSP ? field(vcpu, VMCS_GUEST_RSP) : vcpu->regs.gpr[reg->index];
	case GDB_RIP:
		return field(vcpu, VMCS_GUEST_RIP);
	case GDB_RFLAGS:
		return field(vcpu, VMCS_GUEST_RFLAGS);
	case GDB_SELECTOR:
		return field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_SEL, reg->index));
	case GDB_BASE:
		return field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_BASE, reg->index));
	case GDB_CONTROL:
		return control_register(vcpu, reg->index);
	case GDB_EFER:
		return field(vcpu, VMCS_GUEST_EFER);
	case GDB_KERNEL_GS_BASE:
		return vcpu->saved.switched_msr[SWITCHED_KERNEL_GS_BASE];
	default:
		return 0;
	}
}

static bool is_in_area(const struct gdb_register *reg)
{
	return reg->kind == GDB_X87 || reg->kind == GDB_X87_WORD || reg->kind == GDB_X87_TAGS ||
	       reg->kind == GDB_XMM || reg->kind == GDB_MXCSR;
}

void gdb_get_register(const struct vcpu *vcpu, const struct gdb_register *reg,
		      uint8_t ret[GDB_REGISTER_MAX])
{
	uint64_t value;

	memset(ret, 0, GDB_REGISTER_MAX);
	if (is_in_area(reg)) {
		get_from_area(vcpu, reg, ret);
		return;
	}
	value = get_integer(vcpu, reg);
	memcpy(ret, &value, sizeof(value));
}

/*
 * Bits of RFLAGS that gdb may change: not those that are fixed, nor VM, VIF and VIP; nor TF, which
 * goes with pending debug exceptions.
 */
#define RFLAGS_SETTABLE UINT64_C(0x257ed5)
#define RFLAGS_IF	BIT(9)
/* Bits of MXCSR that are not defined: they would make the next XRSTOR fault. */
#define MXCSR_RESERVED 0xffff0000U

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool is_64bit_code(const struct vcpu *vcpu)
{
	return (field(vcpu, VMCS_GUEST_EFER) & EFER_LMA) &&
	       (field(vcpu, VMCS_GUEST_CS_AR) & BIT(13));
}

static void set_field(struct vcpu *vcpu, enum vmcs_field name, uint64_t value)
{
	vmcs_set_guest_field(&vcpu->saved.vmcs, name, value);
}

/* An interrupt that is on its way to the guest, and the shadow of STI, need IF. */
static enum status set_flags(struct vcpu *vcpu, uint64_t value)
{
	uint64_t flags = as_seen(field(vcpu, VMCS_GUEST_RFLAGS), value, RFLAGS_SETTABLE);
	bool needs_if = (vcpu->guest.event & INTR_VALID) ||
			(field(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI);

	if (needs_if && ((flags ^ field(vcpu, VMCS_GUEST_RFLAGS)) & RFLAGS_IF))
		return ERR_UNSUPPORTED;
	set_field(vcpu, VMCS_GUEST_RFLAGS, flags);
	return OK;
}

/* What VM entry accepts in every mode. ERR_UNSUPPORTED: what more than one register depends on. */
static enum status set_integer(struct vcpu *vcpu, const struct gdb_register *reg, uint64_t value)
{
	switch (reg->kind) {
	case GDB_GENERAL:
		if (reg->index == RSP)
			set_field(vcpu, VMCS_GUEST_RSP, value);
		else
			vcpu->regs.gpr[reg->index] = value;
		return OK;
	case GDB_RIP:
		if (!is_canonical(value) || (!is_64bit_code(vcpu) && value > UINT32_MAX))
			return ERR_UNSUPPORTED;
		set_field(vcpu, VMCS_GUEST_RIP, value);
		return OK;
	case GDB_RFLAGS:
		return set_flags(vcpu, value);
	case GDB_BASE:
		if (!is_canonical(value))
			return ERR_UNSUPPORTED;
		set_field(vcpu, vmcs_segment_field(VMCS_GUEST_ES_BASE, reg->index), value);
		return OK;
	default:
		return ERR_UNSUPPORTED;
	}
}

enum status gdb_set_register(struct vcpu *vcpu, const struct gdb_register *reg,
			     const uint8_t value[GDB_REGISTER_MAX])
{
	uint64_t integer = 0;

	memcpy(&integer, value, reg->size < sizeof(integer) ? reg->size : sizeof(integer));
	if (!is_in_area(reg))
		return set_integer(vcpu, reg, integer);
	if (reg->kind == GDB_MXCSR && (integer & MXCSR_RESERVED))
		return ERR_UNSUPPORTED;
	set_in_area(vcpu, reg, value);
	return OK;
}
