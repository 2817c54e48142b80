/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants what a guest asks for with a write to a device: to print a byte, to end, or something that
 * concerns its VM as a whole. Devices only return the wish.
 */
#include "hv/run/wish.h"

#include "hv/run/virtio.h"
#include "hv/vm/hotplug.h"
#include "hv/vm/map.h"
#include "hv/vm/news.h"
#include "hv/vm/serial.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"

/* Or a piece of it: the guest's write is repeated while fw_cfg is busy. */
static void transfer_fw_cfg(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct memory_lock held = memory_lock(vcpu);
	enum status status = fw_cfg_transfer(&vm->platform.fw_cfg, &vm->memory);

	memory_unlock(&held);
	if (status != OK && vm_crash(vm, "no memory left for a fw_cfg transfer"))
		map_note_memory(vm);
}

/* A byte, or the end of a file, whole or not. */
static void take_result(struct vcpu *vcpu, uint32_t wish)
{
	struct memory_lock held = memory_lock(vcpu);
	char byte = (char)wish;

	if (wish & WISH_JOB_OUTPUT)
		map_write(vcpu->vm, (enum job_channel)(uint8_t)(wish >> 8), &byte, 1);
	else if (wish & WISH_JOB_PUT)
		map_put(vcpu->vm);
	else
		map_drop(vcpu->vm);
	memory_unlock(&held);
}

static void show_output(struct vm *vm, uint32_t wish)
{
	if (wish & WISH_SERIAL && vm->config->serial == SERIAL_STDIO)
		vm_put_output(vm, (uint8_t)wish);
	if (wish & WISH_DEBUGCON && vm->config->debugcon == SERIAL_STDIO)
		vm_put_output(vm, (uint8_t)(wish >> 8));
}

/* The guest knows the value that it wrote, scripts on QEMU know the status. */
static void end_as_asked(struct vm *vm)
{
	uint32_t status = vm->platform.debug_exit.status, value = status >> 1;

	log_debug("%s: isa-debug-exit: status %u", vm_name(vm), status);
	vm_end(vm, value == 0 ? VM_ENDED_WELL : VM_FAILED, "exited with %u", value);
}

static void end_as_panicked(struct vm *vm)
{
	vm_tell_news(vm, NEWS_PANICKED, "");
	vm_end(vm, VM_FAILED, "the guest has panicked (pvpanic)");
}

void wish_grant(struct vcpu *vcpu, uint32_t wish)
{
	struct vm *vm = vcpu->vm;

	show_output(vm, wish);
	/* First what guests ask for often. */
	if (wish & WISH_VIRTIO)
		virtio_note(vcpu);
	else if (wish & WISH_REVERT)
		vm_gather(vm, VM_REVERT);
	else if (wish & WISH_DEBUG_EXIT)
		end_as_asked(vm);
	else if (wish & WISH_POWER_OFF)
		vm_end(vm, VM_ENDED_WELL, "powered off");
	else if (wish & WISH_PANICKED)
		end_as_panicked(vm);
	else if (wish & WISH_CRASH_LOADED)
		vm_tell(vm, VM_TOLD_CRASH_KERNEL, LOG_WARNING, "the guest starts its crash kernel");
	else if (wish & WISH_RESET)
		vm_reset(vm);
	else if (wish & WISH_FW_CFG)
		transfer_fw_cfg(vcpu);
	else if (wish & (WISH_JOB_OUTPUT | WISH_JOB_PUT | WISH_JOB_DROP))
		take_result(vcpu, wish);
	else if (wish & WISH_JOB_END)
		map_job_ends(vm, (uint16_t)wish);
	else if (wish & WISH_EJECT)
		hotplug_note_eject();
	else if (wish & WISH_FREEZE)
		vm_gather(vm, VM_FREEZE);
}
