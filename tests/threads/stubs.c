/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the machine that a played one does without. The first ones do next to nothing; the
 * others are for VMs that it does not have.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/config/drive.h"
#include "hv/guest/reserve.h"
#include "hv/guest/working_set.h"
#include "hv/host/apic.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/vcpu/load.h"
#include "hv/vm/debug.h"
#include "hv/vm/map.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/net.h"
#include "hv/vm/output.h"
#include "hv/vm/report.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/vm_identity.h"

void host_apic_send_wake(uint32_t apic_id)
{
}

void platform_copy(struct platform *to, const struct platform *from)
{
	memcpy(to, from, sizeof(*to));
}

void platform_keep(struct platform *platform)
{
}

void vcpu_copy(struct vcpu *to, const struct vcpu *from)
{
}

void vcpu_copy_loaded(struct vcpu *to, const struct vcpu *from)
{
}

void vcpu_keep(struct vcpu *vcpu)
{
}

void vcpu_free_scratch(struct vcpu *of)
{
}

void vcpu_reload(struct vcpu *vcpu)
{
}

void vcpu_forget_vmcs(struct vcpu *vcpu)
{
}

void vm_flush_output(struct vm *of)
{
}

enum status vm_identity_hide(struct vm *of)
{
	return OK;
}

void vm_identity_make(struct vm *of)
{
}

void vm_identity_renew(struct vm *of)
{
}

void vm_merge_pause(struct vm *of)
{
}

void vm_net_leave(struct vm *of)
{
}

void vm_net_renew(struct vm *of)
{
}

void vm_output_leave(struct vm *of)
{
}

void vm_output_pays(struct vm *of)
{
}

void vm_output_put(struct vm *of, const char *line, size_t len)
{
}

void save_queue_note(struct vm *of)
{
}

void paging_protect_frame(phys_t frame, bool write)
{
}

bool vm_output_detach(const struct vm *of)
{
	return false;
}

uint64_t paging_renew(void)
{
	return 1;
}

bool paging_is_everywhere(uint64_t wanted)
{
	return true;
}

uint32_t map_numbers_end(const struct vm *template)
{
	return 0;
}

bool reserve_end_some(struct mem_map *map, uint64_t n)
{
	return false;
}

void working_set_free(phys_t set)
{
}

enum status working_set_copy(phys_t set, struct ept *ept, struct mem_map *map)
{
	return OK;
}

const struct drive_config *drives_find_unshared(const struct vm_config *config)
{
	return NULL;
}

bool vm_has_nvdimms(const struct vm_config *config)
{
	return false;
}

void panic(const char *fmt, ...)
{
	abort();
}

void debug_leave(struct vm *vm, enum vm_outcome outcome)
{
	abort();
}

void debug_renew(struct vm *vm)
{
	abort();
}

void irqchip_signal(struct irqchip *chip, unsigned gsi)
{
	abort();
}

void platform_reset(struct platform *platform)
{
	abort();
}

uint32_t map_take(struct clone_config *line)
{
	abort();
}

void map_put_back(struct clone_config *line, uint32_t number)
{
	abort();
}

void map_begin(struct vm *clone)
{
	abort();
}

void map_begin_again(struct vm *clone)
{
	abort();
}

void map_report(struct vm *clone, uint64_t n_private)
{
	abort();
}

void vcpu_load(struct vcpu *vcpu, struct cpu *cpu)
{
	abort();
}

void vcpu_put(struct vcpu *vcpu)
{
	abort();
}

void vcpu_power_on(struct vcpu *vcpu)
{
	abort();
}

void vcpu_report_registers(const struct vcpu *vcpu, enum log_level level)
{
	abort();
}

phys_t working_set_record(const struct ept *ept, const struct mem_map *map)
{
	abort();
}

uint64_t working_set_count(phys_t set)
{
	abort();
}

int irqchip_take_kick(struct irqchip *chip)
{
	abort();
}
