/* SPDX-License-Identifier: BSD-2-Clause */
/* Access operands for the guest, in memory and in devices. */
#include "hv/run/access.h"

#include "hv/devices/platform.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/wish.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

#define AR_L		  BIT(13)
#define AR_DB		  BIT(14)
#define DEVICE_ACCESS_MAX 8

enum insn_mode access_code_mode(uint64_t efer)
{
	uint64_t rights = vmcs_read_next(VMCS_GUEST_CS_AR);

	if ((efer & EFER_LMA) && (rights & AR_L))
		return INSN_64;
	return rights & AR_DB ? INSN_32 : INSN_16;
}

/* Instructions and the VMCS number the segments alike. */
static uint64_t read_segment(enum vmcs_field es_field, enum insn_segment segment)
{
	return vmcs_read(vmcs_segment_field(es_field, (enum segment)segment));
}

enum insn_check access_linear(const struct insn_access *access, enum insn_mode mode, uint64_t cr4,
			      uint64_t *ret)
{
	enum insn_segment segment = access->segment;
	struct insn_segment_state state = {0};

	if (mode != INSN_64 || segment == INSN_FS || segment == INSN_GS)
		state.base = read_segment(VMCS_GUEST_ES_BASE, segment);
	if (mode != INSN_64) {
		state.limit = (uint32_t)read_segment(VMCS_GUEST_ES_LIMIT, segment);
		state.rights = (uint32_t)read_segment(VMCS_GUEST_ES_AR, segment);
	}
	return insn_linear(access, &state, mode, cr4 & CR4_LA57, ret);
}

/* The largest access that a device can take of what remains of an operand that crosses pages. */
static uint8_t device_access_size(uint64_t gpa, unsigned len)
{
	unsigned size = DEVICE_ACCESS_MAX;

	if ((len & (len - 1)) == 0)
		return (uint8_t)len;
	while (size > len || (size < len && gpa % size))
		size /= 2;
	return (uint8_t)size;
}

static void read_device(struct vcpu *vcpu, const struct operand_part *part, char *to)
{
	vm_lock_devices(vcpu->vm);
	for (unsigned at = 0; at < part->len;) {
		struct io_access access = {.addr = part->gpa.raw + at, .now = vcpu_now(vcpu)};
		uint64_t value;

		access.size = device_access_size(access.addr, part->len - at);
		value = platform_mmio_read(&vcpu->vm->platform, vcpu->number, &access);
		memcpy(to + at, &value, sizeof(value));
		at += access.size;
	}
	vm_unlock_devices(vcpu->vm);
}

static void write_device(struct vcpu *vcpu, const struct operand_part *part, const char *from)
{
	vm_lock_devices(vcpu->vm);
	for (unsigned at = 0; at < part->len;) {
		struct io_access access = {.addr = part->gpa.raw + at, .now = vcpu_now(vcpu)};
		uint32_t wish;

		access.size = device_access_size(access.addr, part->len - at);
		memcpy(&access.value, from + at, sizeof(access.value));
		at += access.size;
		wish = platform_mmio_write(&vcpu->vm->platform, vcpu->number, &access);
		if (wish)
			wish_grant(vcpu, wish);
	}
	vm_unlock_devices(vcpu->vm);
	vcpu_request(vcpu, VCPU_REQUEST_TIMER | VCPU_REQUEST_EVENT);
}

static void read_memory(struct vcpu *vcpu, const struct operand_part *part, char *to)
{
	struct memory_lock held = memory_lock(vcpu);
	enum status status = guest_read(&vcpu->vm->memory, part->gpa, to, part->len);

	memory_unlock(&held);
	assert(status == OK); /* memory stays memory */
}

static void read_part(struct vcpu *vcpu, const struct operand_part *part, char *to)
{
	if (part->is_memory)
		read_memory(vcpu, part, to);
	else
		read_device(vcpu, part, to);
}

void access_read(struct vcpu *vcpu, const struct operand *operand, struct access_value *ret)
{
	char *to = (char *)ret->word;

	read_part(vcpu, &operand->part[0], to);
	if (operand->n_parts == 2)
		read_part(vcpu, &operand->part[1], to + operand->part[0].len);
}

static bool write_memory(struct vcpu *vcpu, const struct operand_part *part, const char *from)
{
	struct memory_lock held = memory_lock(vcpu);
	enum status status = guest_write(&vcpu->vm->memory, part->gpa, from, part->len);

	if (status != OK)
		stop_for_memory(vcpu, part->gpa);
	memory_unlock(&held);
	return status == OK;
}

static bool write_part(struct vcpu *vcpu, const struct operand_part *part, const char *from)
{
	if (part->is_memory)
		return write_memory(vcpu, part, from);
	write_device(vcpu, part, from);
	return true;
}

bool access_write(struct vcpu *vcpu, const struct operand *operand,
		  const struct access_value *value)
{
	const char *from = (const char *)value->word;

	return write_part(vcpu, &operand->part[0], from) &&
	       (operand->n_parts == 1 ||
		write_part(vcpu, &operand->part[1], from + operand->part[0].len));
}
