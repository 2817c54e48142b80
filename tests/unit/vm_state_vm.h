/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "hv/virtio/virtio_rng.h"
#include "hv/vm/state_vcpu.h"
#include "hv/vm/vm.h"

#include "tests/unit/platform_parts.h"

/* A hosted VM with all kinds of devices, whose state is random within what is allowed. */

#define STATE_VM_CPUS  2
#define STATE_VM_SLOTS 2

#define STATE_DEVICES 17
static inline const struct state_table *state_device_tables(void)
{
	static const struct device_class *const classes[STATE_DEVICES] = {
		&irqchip_class,	     &ioapic_class,	  &lapic_class,	      &uart_class,
		&rtc_class,	     &pm_class,		  &debug_exit_class,  &fw_cfg_class,
		&nvdimm_class,	     &memory_slots_class, &memory_slot_class, &virtio_mmio_class,
		&pic_chip_class,     &pit_channel_class,  &legacy_class,      &hpet_class,
		&acpi_watchdog_class};
	static struct state_table tables[STATE_DEVICES];

	for (size_t i = 0; i < STATE_DEVICES; i++)
		tables[i] = (struct state_table){classes[i]->name, classes[i]->fields,
						 classes[i]->n_fields};
	return tables;
}

static const struct virtio_config state_virtio = {.kind = &virtio_rng};

struct state_vm {
	struct vm_config config;
	struct backend ram;
	struct dimm_config dimm;
	struct backend module;
	struct fw_cfg_config fw_cfg;
	struct mem_map map;
	struct platform_wiring wiring;
	struct cpuid_model model; /* after a load */
	struct vm *vm;
};

/* A processor with everything that guests are shown, except AVX-512, which makes files large. */
static inline void state_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *ret)
{

	*ret = (struct cpuid_regs){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	if (leaf == 0)
		*ret = (struct cpuid_regs){0x20, 0x756e6547, 0x6c65746e, 0x49656e69};
	else if (leaf == 0x80000000)
		ret->eax = 0x80000008;
	else if (leaf == 4)
		ret->eax = subleaf < 4 ? 0xfc01c100 | (subleaf + 1) : 0;
	else if (leaf == 0xd && subleaf >= 2)
		*ret = (struct cpuid_regs){256, 576, 0, 0};
	else if (leaf == 7)
		ret->ebx &= ~(uint32_t)(BIT(16) | BIT(17) | BIT(21) | BITS(31, 30) | BIT(28));
	else if (leaf == 0x80000008)
		*ret = (struct cpuid_regs){39 << 8 | 46, 0, 0, 0};
}

static inline const struct cpuid_model *state_host_cpuid(void)
{
	static struct cpuid_model model;

	cpuid_model_init(&model, state_cpuid,
			 &(struct cpuid_options){.tsc_hz = 1000000000,
						 .arch_capabilities = UINT64_C(0x1230),
						 .has_rdtscp = true,
						 .has_invpcid = true,
						 .switches_speculation = true});
	return &model;
}

static inline void state_vm_configure(struct state_vm *to)
{
	struct vm_config *config = &to->config;

	to->ram = (struct backend){.id = "ram", .size = MIB(16), .kind = MEM_COW};
	to->module = (struct backend){.id = "module", .size = MIB(2), .kind = MEM_ROM};
	to->dimm = (struct dimm_config){.is_nvdimm = true, .backend = &to->module};
	to->fw_cfg.file = (struct fw_cfg_file){.name = "opt/x", .data = "four", .len = 4};
	config->name = "hosted";
	config->topology = (struct cpu_topology){STATE_VM_CPUS, {2, 1, 1, 1, 1}};
	config->ram_size = MIB(16);
	config->dimms = &to->dimm;
	config->fw_cfg = &to->fw_cfg;
	config->virtio = &state_virtio;
	config->n_virtio = 1;
	config->has_vmgenid = config->has_debug_exit = config->has_debugcon = true;
	config->has_pvpanic = config->has_pic = config->has_pit = true;
	config->has_hpet = config->has_pm_timer = config->has_watchdog = true;
	config->pvpanic_events = PVPANIC_EVENTS;
	config->debug_exit_iobase = 0xf4;
	config->debug_exit_iosize = 4;
	config->debugcon_iobase = 0xe9;
	to->map.region[0] =
		(struct mem_region){.len = MIB(16), .kind = MEM_COW, .backend = &to->ram};
	to->map.region[1] = (struct mem_region){
		.gpa = {GIB(4)}, .len = MIB(2), .kind = MEM_ROM, .backend = &to->module};
	to->map.n = 2;
}

/* Make a VM that has not run, as hv/vm/build.c does. */
static inline void state_vm_make(struct state_vm *to, const struct cpuid_model *host)
{
	static const struct platform_extras extras = {
		.has_legacy = true, .has_nvdimms = true, .n_slots = STATE_VM_SLOTS, .n_virtio = 1};
	struct vm *vm = calloc(1, offsetof(struct vm, platform) +
					  platform_whole_size(STATE_VM_CPUS, extras));

	*to = (struct state_vm){.vm = vm};
	state_vm_configure(to);
	vm->config = &to->config;
	vm->name = to->config.name;
	vm->mem = &to->map;
	vm->n_vcpus = STATE_VM_CPUS;
	vm->vcpu = calloc(STATE_VM_CPUS, sizeof(*vm->vcpu));
	platform_place_parts(&vm->platform, STATE_VM_CPUS, extras);
	if (platform_init(&vm->platform, &to->wiring,
			  &(struct platform_config){
				  .topology = &to->config.topology,
				  .phys_bits = host->extended[8].eax & 0xff,
				  .tsc_hz = 1000000000,
				  .legacy = {true, true, true, true, true},
				  .extras = extras,
				  .virtio = to->config.virtio,
				  .ram_size = MIB(16),
			  }) != OK)
		abort();
	for (unsigned i = 0; i < STATE_VM_CPUS; i++) {
		vm->vcpu[i].vm = vm;
		vm->vcpu[i].number = (uint16_t)i;
		vm->vcpu[i].cpuid = host;
		vm->vcpu[i].saved_in = &vm->vcpu[i];
		vm->vcpu[i].guest.xcr0 = 1;
		vm->vcpu[i].guest.owns_msrs = true;
		vm->vcpu[i].xsave_area = calloc(1, PAGE_SIZE);
	}
}

static inline void state_vm_free(struct state_vm *of)
{
	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		free(of->vm->vcpu[i].xsave_area);
	free(of->vm->vcpu);
	free(of->vm);
}

static inline uint64_t state_random(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static inline void state_fill(const struct state_table *table, void *object)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct state_field *field = &table->fields[i];

		for (uint32_t k = 0; k < field->count; k++) {
			uint64_t value = state_random() & field->allowed;

			memcpy((char *)state_field_at(field, object) + k * field->size, &value,
			       field->size);
		}
	}
}

static inline void state_fill_vcpu(struct vcpu *vcpu)
{
	uint8_t *area = vcpu->xsave_area;
	uint64_t bv = 7;

	state_fill(&state_vcpu_table, vcpu);
	vcpu->guest.event = INTR_VALID | INTR_TYPE_SOFTWARE | 0x80;
	vcpu->guest.event_inst_len = 2;
	vcpu->guest.is_fresh = false;
	vcpu->regs.spec_ctrl &= vcpu->cpuid->spec_ctrl_allowed;
	guest_msrs_reset(&vcpu->guest.msrs, state_random());
	vcpu->guest.msrs.mtrr_variable[3] = state_random() & BITS(51, 12);
	vcpu->guest.msrs.mtrr_fixed[2] = UINT64_C(0x0606060606060606);
	for (unsigned i = 0; i < N_SWITCHED; i++)
		vcpu->saved.switched_msr[i] = state_random() & BITS(31, 0);
	vcpu->saved.switched_msr[SWITCHED_LSTAR] |= BITS(63, 47);
	vcpu->guest.xcr0 = 7;
	vcpu->guest.kvm = (struct kvm_msrs){.system_time = 0x2005, .steal_time = 0x3041};
	for (size_t i = 0; i < state_n_vmcs_fields; i++)
		vmcs_set_guest_field(&vcpu->saved.vmcs, state_vmcs_fields[i].field,
				     state_random() & state_vmcs_fields[i].allowed);
	vmcs_set_guest_field(&vcpu->saved.vmcs, VMCS_GUEST_CR4, vcpu->cpuid->cr4_allowed);
	vmcs_set_guest_field(&vcpu->saved.vmcs, VMCS_GUEST_EFER, vcpu->cpuid->efer_allowed);
	vcpu->guest.tsc_offset = state_random();
	vcpu->regs.requests = vcpu->number == 0 ? VCPU_REQUEST_HALT : 0;
	for (unsigned i = 0; i < vcpu->cpuid->basic[0xd].ecx; i++)
		area[i] = (uint8_t)state_random();
	memset(area + 416, 0, 512 + 64 - 416); /* that XSAVE does not write, and the header */
	memcpy(area + 512, &bv, sizeof(bv));
	memset(area + 26, 0, 2); /* MXCSR's upper half */
}

/* One that works, and has been notified. */
static inline void state_fill_virtio(struct virtio *virtio)
{
	virtio->driver_features = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT;
	virtio->status = VIRTIO_DRIVER_STATUS & ~VIRTIO_FAILED;
	virtio->notified = 1;
	virtio->queue[0].is_ready = true;
	virtio->queue[0].size = 64;
	virtio->queue[0].is_packed = false;
	for (unsigned i = 1; i < VIRTIO_QUEUES_MAX; i++)
		virtio->queue[i] = (struct virtqueue){.desc = i};
}

static inline void state_vm_fill_legacy(struct platform *platform)
{
	struct legacy *legacy = platform_legacy(platform);

	for (unsigned i = 0; i < PIC_N_CHIPS; i++)
		state_fill(&state_device_tables()[12], &legacy->irqs.pic.chip[i]);
	for (unsigned i = 0; i < PIT_N_CHANNELS; i++) {
		struct pit_channel *channel = &legacy->pit.channel[i];

		state_fill(&state_device_tables()[13], channel);
		channel->count = 1 + channel->count % 10000;
		channel->mode %= 6;
		channel->access |= 1;
	}
	pic_write(&legacy->irqs.pic, PIC_ELCR, 0); /* the second chip's request */
	legacy_loaded(&platform->irqchip, legacy->pit.tsc_hz, 0);
}

/* Give the VM a random state that a guest can get into. */
static inline void state_vm_fill(struct state_vm *of)
{
	struct platform *platform = &of->vm->platform;
	void *const objects[] = {&platform->irqchip,
				 &platform->irqchip.ioapic,
				 NULL,
				 &platform->uart,
				 &platform->rtc,
				 &platform->pm,
				 &platform->debug_exit,
				 &platform->fw_cfg,
				 platform_nvdimm(platform),
				 platform_slots(platform),
				 memory_slots_at(platform_slots(platform), 0),
				 platform_virtio(platform),
				 NULL,
				 NULL,
				 platform_legacy(platform),
				 &platform_legacy(platform)->hpet,
				 &platform_legacy(platform)->watchdog};

	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		state_fill_vcpu(&of->vm->vcpu[i]);
	for (size_t i = 0; i < STATE_DEVICES; i++)
		if (objects[i])
			state_fill(&state_device_tables()[i], objects[i]);
	for (unsigned i = 0; i < STATE_VM_CPUS; i++) {
		struct lapic *lapic = &platform->irqchip.lapic[i];

		state_fill(&state_device_tables()[2], lapic);
		lapic->base &= BITS(lapic->phys_bits - 1, 0) & ~(uint64_t)APIC_BASE_EXTD;
		lapic->irr[0] &= ~UINT64_C(0xffff);
		lapic->nmis_pending %= 3;
		lapic->timer_initial |= 1;
		lapic_set_tpr(lapic, lapic->tpr);
	}
	state_fill_virtio(platform_virtio(platform));
	state_vm_fill_legacy(platform);
	platform->irqchip.next_lowest = 1;
	platform->uart.rx_count = UART_FIFO_SIZE;
	platform->rtc.cmos[0x0b] = 2; /* it runs */
	platform->rtc.base_time = 1700000000;
	/* Half a second before 'now' is 1000. */
	platform->rtc.base_tsc = of->vm->vcpu->guest.tsc_offset + 500;
}
