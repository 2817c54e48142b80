/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/debug.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/shadow.h"
#include "hv/vm/merge_scan.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"

#define INT3 0xcc

/*
 * A VM's entry is written by the boot processor while the VM has stopped, and by the last of the
 * VM's vCPUs at its end: none of the VM's processors reads it then.
 */
static struct {
	const struct vm *vm; /* NULL: a free place, or the VM is gone */
	struct vm_debug *debug;
} attached[DEBUG_VMS_MAX];

struct vm_debug *debug_of(const struct vm *vm)
{
	unsigned i = 0;

	while (__atomic_load_n(&attached[i].vm, __ATOMIC_RELAXED) != vm)
		i++;
	return attached[i].debug;
}

static uint64_t field(const struct vcpu *vcpu, enum vmcs_field name)
{
	return vmcs_guest_field(&vcpu->saved.vmcs, name);
}

static void set_field(struct vcpu *vcpu, enum vmcs_field name, uint64_t value)
{
	vmcs_set_guest_field(&vcpu->saved.vmcs, name, value);
}

static void intercept(struct vcpu *vcpu, bool on)
{
	uint64_t bitmap = field(vcpu, VMCS_EXCEPTION_BITMAP);

	set_field(vcpu, VMCS_EXCEPTION_BITMAP,
		  on ? bitmap | BIT(VECTOR_BP) : bitmap & ~BIT(VECTOR_BP));
}

/* Whether the debugger's registers are in the vCPU, and the guest's are kept. */
static bool has_ours(const struct vcpu *vcpu)
{
	return vcpu->guest.proc_controls & PROC_MOV_DR;
}

static void put_registers(struct vcpu *vcpu, const uint64_t dr[DEBUG_HARDWARE_MAX], uint64_t dr7)
{
	memcpy(vcpu->saved.dr, dr, sizeof(vcpu->saved.dr));
	set_field(vcpu, VMCS_GUEST_DR7, dr7);
}

static void exit_at_access(struct vcpu *vcpu, bool on)
{
	uint32_t controls = vcpu->guest.proc_controls & ~(uint32_t)PROC_MOV_DR;

	vcpu->guest.proc_controls = on ? controls | (uint32_t)PROC_MOV_DR : controls;
	set_field(vcpu, VMCS_PROC_CONTROLS, vcpu->guest.proc_controls);
}

/* Let the vCPU have the debugger's registers, or its own again if the debugger has none. */
static void set_registers(const struct vm_debug *debug, struct vcpu *vcpu, struct debug_cpu *cpu)
{
	bool wants_ours = debug->dr7 != 0;

	if (wants_ours && !has_ours(vcpu)) {
		memcpy(cpu->dr, vcpu->saved.dr, sizeof(cpu->dr));
		cpu->dr7 = field(vcpu, VMCS_GUEST_DR7);
	}
	if (wants_ours)
		put_registers(vcpu, debug->dr, debug->dr7 | DEBUG_DR7_FIXED);
	else if (has_ours(vcpu))
		put_registers(vcpu, cpu->dr, cpu->dr7);
	exit_at_access(vcpu, wants_ours);
}

static void set_shadow(struct vcpu *vcpu, uint64_t shadow)
{
	uint64_t blocking = field(vcpu, VMCS_GUEST_INTERRUPTIBILITY);

	blocking = (blocking & ~(BLOCKING_STI | BLOCKING_MOV_SS)) | shadow;
	set_field(vcpu, VMCS_GUEST_INTERRUPTIBILITY, blocking);
	set_field(vcpu, VMCS_GUEST_PENDING_DEBUG,
		  shadow_pending_debug(field(vcpu, VMCS_GUEST_PENDING_DEBUG), blocking,
				       field(vcpu, VMCS_GUEST_RFLAGS)));
}

/* Give the guest its own shadow back, if the instruction has not run. */
static void end_step(struct vcpu *vcpu, const struct debug_cpu *cpu)
{
	bool waits = vcpu->debug_step == DEBUG_INSTRUCTION &&
		     field(vcpu, VMCS_GUEST_RIP) == cpu->rip &&
		     (field(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_MOV_SS);

	vcpu->debug_step = 0;
	if (waits)
		set_shadow(vcpu, cpu->blocking);
}

void debug_open(struct vcpu *vcpu)
{
	vcpu_keep(vcpu);
	vcpu_forget_vmcs(vcpu);
}

static struct vm_debug *allocate(const struct vm *vm)
{
	size_t size = sizeof(struct vm_debug) + vm->n_vcpus * sizeof(struct debug_cpu);
	unsigned n_frames = (unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE);
	phys_t frames = frame_alloc_run(n_frames, PAGE_SIZE);
	struct vm_debug *debug;

	if (frames == 0)
		return NULL;
	debug = phys_to_virt(frames);
	memset(debug, 0, size);
	debug->n_frames = n_frames;
	return debug;
}

struct vm_debug *debug_attach(struct vm *vm)
{
	unsigned i = 0;

	while (i < DEBUG_VMS_MAX && attached[i].vm != NULL)
		i++;
	if (i == DEBUG_VMS_MAX)
		return NULL;
	attached[i].debug = vm_take_areas(vm) ? allocate(vm) : NULL;
	if (attached[i].debug == NULL)
		return NULL;
	/* Release pairs with vm_is_debugged(): the entry is complete. */
	__atomic_store_n(&attached[i].vm, vm, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->is_debugged, true, __ATOMIC_RELEASE);
	return attached[i].debug;
}

void debug_free(struct vm_debug *debug)
{
	frame_free_run(virt_to_phys(debug), debug->n_frames);
}

/* False: there is no frame for a page that was not the VM's own. The VM's lock is held. */
static bool poke(struct vm *vm, gpa_t gpa, uint8_t byte)
{
	return guest_write(&vm->memory, gpa, &byte, 1) == OK;
}

static void take_memory_back(struct vm *vm, struct vm_debug *debug)
{
	lock_acquire(&vm->lock);
	for (unsigned i = 0; i < debug->n_software; i++)
		(void)poke(vm, debug->software[i].gpa, debug->software[i].old); /* its own */
	debug->n_software = 0;
	lock_release(&vm->lock);
}

void debug_leave(struct vm *vm, enum vm_outcome outcome)
{
	struct vm_debug *debug = debug_of(vm);
	unsigned i = 0;

	take_memory_back(vm, debug);
	debug->dr7 = 0;
	for (unsigned n = 0; n < vm->n_vcpus; n++) {
		debug_open(vm_vcpu(vm, n));
		end_step(vm_vcpu(vm, n), &debug->cpu[n]);
		set_registers(debug, vm_vcpu(vm, n), &debug->cpu[n]);
		intercept(vm_vcpu(vm, n), false);
	}
	vm->is_debugged = false;
	while (attached[i].vm != vm)
		i++;
	__atomic_store_n(&attached[i].vm, NULL, __ATOMIC_RELAXED);
	/* Release pairs with hv/gdb/target.c, which then frees the struct. */
	__atomic_store_n(&debug->outcome, outcome, __ATOMIC_RELEASE);
}

void debug_settle(struct vm *vm)
{
	struct vm_debug *debug = debug_of(vm);

	if (debug->is_settled)
		return;
	debug->is_settled = true;
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		debug_open(vm_vcpu(vm, i));
		end_step(vm_vcpu(vm, i), &debug->cpu[i]);
		intercept(vm_vcpu(vm, i), true);
	}
}

/* What the guest has there, under all breakpoints of the byte. */
static void set_old(struct vm_debug *debug, gpa_t gpa, uint8_t byte)
{
	for (unsigned i = 0; i < debug->n_software; i++)
		if (debug->software[i].gpa.raw == gpa.raw)
			debug->software[i].old = byte;
}

/* False: there is no memory for it. */
static bool renew_software(struct vm *vm, gpa_t gpa)
{
	uint8_t now;

	if (guest_read(&vm->memory, gpa, &now, 1) != OK || now == INT3)
		return true;
	set_old(debug_of(vm), gpa, now);
	return poke(vm, gpa, INT3);
}

void debug_renew_memory(struct vm *vm)
{
	struct vm_debug *debug = debug_of(vm);
	unsigned i = 0;

	lock_acquire(&vm->lock);
	while (i < debug->n_software)
		if (renew_software(vm, debug->software[i].gpa))
			i++;
		else
			debug->software[i] = debug->software[--debug->n_software];
	lock_release(&vm->lock);
}

void debug_renew(struct vm *vm)
{
	struct vm_debug *debug = debug_of(vm);

	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		debug_open(vm_vcpu(vm, i));
		vm_vcpu(vm, i)->debug_step = 0;
		set_registers(debug, vm_vcpu(vm, i), &debug->cpu[i]);
		intercept(vm_vcpu(vm, i), true);
	}
	/* An INT3 that is there now is the guest's: the template has none of the debugger's. */
	for (unsigned i = 0; i < debug->n_software; i++)
		debug->software[i].old = INT3;
	debug_renew_memory(vm);
}

void debug_forget_stops(struct vm *vm)
{
	struct vm_debug *debug = debug_of(vm);

	debug->is_settled = false;
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		debug->cpu[i].why = DEBUG_NOTHING;
}

void debug_begin_step(struct vcpu *vcpu)
{
	struct debug_cpu *cpu = &debug_of(vcpu->vm)->cpu[vcpu->number];
	bool delivers = vcpu->guest.event & INTR_VALID;

	debug_open(vcpu);
	vcpu->debug_step = delivers ? DEBUG_DELIVERY : DEBUG_INSTRUCTION;
	cpu->rip = field(vcpu, VMCS_GUEST_RIP);
	cpu->blocking = field(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS);
	if (!delivers)
		set_shadow(vcpu, BLOCKING_MOV_SS);
}

static struct debug_software *find_software(const struct vm *vm, gpa_t gpa)
{
	struct vm_debug *debug = debug_of(vm);

	for (unsigned i = 0; i < debug->n_software; i++)
		if (debug->software[i].gpa.raw == gpa.raw)
			return &debug->software[i];
	return NULL;
}

bool debug_has_software(const struct vm *vm, gpa_t gpa)
{
	return find_software(vm, gpa) != NULL;
}

static void hide(const struct vm *vm, gpa_t gpa, uint8_t *buf, size_t len)
{
	const struct vm_debug *debug = debug_of(vm);

	for (unsigned i = 0; i < debug->n_software; i++)
		if (debug->software[i].gpa.raw - gpa.raw < len)
			buf[debug->software[i].gpa.raw - gpa.raw] = debug->software[i].old;
}

enum status debug_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	enum status status;

	lock_acquire(&vm->lock);
	status = guest_read(&vm->memory, gpa, buf, len);
	lock_release(&vm->lock);
	if (status == OK)
		hide(vm, gpa, buf, len);
	return status;
}

/* The kind of memory at gpa, whose page may be written. ERR_RANGE: none. */
static enum status find_kind(struct vm *vm, gpa_t gpa, enum mem_kind *ret)
{
	const struct mem_region *region = mem_map_find(vm->mem, gpa);

	if (region == NULL)
		return ERR_RANGE;
	*ret = region->kind;
	return OK;
}

/* What the breakpoints in [gpa, gpa + len) stand for is in 'bytes'. The VM's lock is held. */
static void put_again(struct vm *vm, gpa_t gpa, const uint8_t *bytes, size_t len)
{
	struct vm_debug *debug = debug_of(vm);

	for (unsigned i = 0; i < debug->n_software; i++) {
		struct debug_software *breakpoint = &debug->software[i];

		if (breakpoint->gpa.raw - gpa.raw >= len)
			continue;
		breakpoint->old = bytes[breakpoint->gpa.raw - gpa.raw];
		(void)poke(vm, breakpoint->gpa, INT3); /* the page was written just now */
	}
}

enum status debug_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	enum mem_kind kind;
	enum status status;

	TRY(find_kind(vm, gpa, &kind));
	if (kind == MEM_ROM)
		return ERR_UNSUPPORTED;
	lock_acquire(&vm->lock);
	status = guest_write(&vm->memory, gpa, buf, len);
	if (status == OK)
		put_again(vm, gpa, buf, len);
	lock_release(&vm->lock);
	return status;
}

static enum status put_int3(struct vm *vm, gpa_t gpa)
{
	const uint8_t int3 = INT3;
	enum status status;

	lock_acquire(&vm->lock);
	status = guest_write(&vm->memory, gpa, &int3, 1);
	lock_release(&vm->lock);
	return status;
}

static bool has_name(const struct vm_debug *debug, uint64_t linear, gpa_t gpa)
{
	for (unsigned i = 0; i < debug->n_software; i++)
		if (debug->software[i].linear == linear && debug->software[i].gpa.raw == gpa.raw)
			return true;
	return false;
}

enum status debug_set_software(struct vm *vm, uint64_t linear, gpa_t gpa)
{
	struct vm_debug *debug = debug_of(vm);
	struct debug_software breakpoint = {linear, gpa, 0};
	enum mem_kind kind;

	if (has_name(debug, linear, gpa))
		return OK;
	if (debug->n_software == DEBUG_SOFTWARE_MAX)
		return ERR_OVERLAP;
	TRY(find_kind(vm, gpa, &kind));
	if (kind != MEM_COW)
		return ERR_UNSUPPORTED;
	TRY(debug_read(vm, gpa, &breakpoint.old, 1));
	if (debug->n_software == 0) {
		/* From now on no visit begins: a page with INT3 stays the VM's own. */
		vm_merge_pause(vm);
		vm_merge_resume(vm);
	}
	TRY(put_int3(vm, gpa));
	debug->software[debug->n_software++] = breakpoint;
	return OK;
}

void debug_clear_software(struct vm *vm, uint64_t linear)
{
	struct vm_debug *debug = debug_of(vm);
	unsigned i = 0;

	lock_acquire(&vm->lock);
	while (i < debug->n_software) {
		struct debug_software breakpoint = debug->software[i];

		if (breakpoint.linear != linear) {
			i++;
			continue;
		}
		debug->software[i] = debug->software[--debug->n_software];
		if (find_software(vm, breakpoint.gpa) == NULL)
			(void)poke(vm, breakpoint.gpa, breakpoint.old); /* the page is its own */
	}
	lock_release(&vm->lock);
}

static uint64_t dr7_fields(const struct debug_hardware *breakpoint, unsigned i)
{
	return DEBUG_DR7_ENABLE(i) | (uint64_t)(breakpoint->rw | breakpoint->len << 2)
					     << (16 + 4 * i);
}

/* The bits of DR7 that belong to register i. */
static uint64_t dr7_mask(unsigned i)
{
	return UINT64_C(3) << (2 * i) | UINT64_C(0xf) << (16 + 4 * i);
}

/* The register that has this breakpoint; DEBUG_HARDWARE_MAX: none. */
static unsigned find_hardware(const struct vm_debug *debug, const struct debug_hardware *breakpoint)
{
	unsigned i = 0;

	while (i < DEBUG_HARDWARE_MAX && ((debug->dr7 & dr7_mask(i)) != dr7_fields(breakpoint, i) ||
					  debug->dr[i] != breakpoint->address ||
					  debug->stands_in[i] != breakpoint->stands_in))
		i++;
	return i;
}

static unsigned find_free(const struct vm_debug *debug)
{
	unsigned i = 0;

	while (i < DEBUG_HARDWARE_MAX && (debug->dr7 & DEBUG_DR7_ENABLE(i)))
		i++;
	return i;
}

static void set_all_registers(struct vm *vm, struct vm_debug *debug)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		debug_open(vm_vcpu(vm, i));
		set_registers(debug, vm_vcpu(vm, i), &debug->cpu[i]);
	}
}

enum status debug_set_hardware(struct vm *vm, const struct debug_hardware *breakpoint)
{
	struct vm_debug *debug = debug_of(vm);
	unsigned i = find_free(debug);

	if (!(vcpu_shared.capability.control[CONTROLS_PROC] >> 32 & PROC_MOV_DR))
		return ERR_UNSUPPORTED;
	if (find_hardware(debug, breakpoint) < DEBUG_HARDWARE_MAX)
		return OK;
	if (i == DEBUG_HARDWARE_MAX)
		return ERR_OVERLAP;
	debug->dr[i] = breakpoint->address;
	debug->stands_in[i] = breakpoint->stands_in;
	debug->dr7 |= dr7_fields(breakpoint, i);
	set_all_registers(vm, debug);
	return OK;
}

void debug_clear_hardware(struct vm *vm, const struct debug_hardware *breakpoint)
{
	struct vm_debug *debug = debug_of(vm);
	unsigned i = find_hardware(debug, breakpoint);

	if (i == DEBUG_HARDWARE_MAX)
		return;
	debug->dr7 &= ~dr7_mask(i);
	debug->dr[i] = 0;
	set_all_registers(vm, debug);
}
