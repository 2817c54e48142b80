/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a VM from its configuration, and frees what it holds. */
#include "hv/vm/build.h"

#include "hv/config/acpi_input.h"
#include "hv/config/kernel_input.h"
#include "hv/config/layout.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "hv/guest/reserve.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/loader/acpi_tables.h"
#include "hv/loader/load.h"
#include "hv/loader/loader.h"
#include "hv/vcpu/start_state.h"
#include "hv/vm/added.h"
#include "hv/vm/hold.h"
#include "hv/vm/load_memory.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/net.h"
#include "hv/vm/state.h"
#include "hv/vm/vm_identity.h"
#include "hv/vm/vm_prealloc.h"

enum { ERROR_MAX = 256 }; /* of a message: the caller logs it when it holds no lock */

static enum status build_memory(struct vm *vm)
{
	uint64_t start = rdtsc(), max = vm->config->max_private;
	struct ept_layer *below;

	max = max ? max / PAGE_SIZE : EPT_UNLIMITED;
	TRY(memory_layout(vm->config, vm->mem));
	TRY(load_hold_below(vm, &below));
	vm->memory = (struct guest_memory){.ept = &vm->ept, .map = vm->mem};
	if (below != NULL) {
		ept_clone(&vm->ept, below, max);
		return OK;
	}
	TRY(ept_init(&vm->ept, vcpu_leaf_levels(), max));
	for (size_t i = 0; i < mem_map_all(vm->mem); i++)
		TRY(region_map(&vm->ept, &vm->mem->region[i]));
	log_debug("bench vm_memory %lu", rdtsc() - start);
	return OK;
}

static enum status build_platform(struct vm *vm, struct platform_wiring *wiring, int64_t unix_time)
{
	const struct vm_config *config = vm->config;

	return platform_init(&vm->platform, wiring,
			     &(struct platform_config){
				     .topology = &config->topology,
				     .phys_bits = vcpu_shared.cpuid.extended[8].eax & 0xff,
				     .tsc_hz = tsc_hz,
				     .now = rdtsc(),
				     .unix_time = unix_time,
				     .has_debug_exit = config->has_debug_exit,
				     .debug_exit_base = config->debug_exit_iobase,
				     .debug_exit_size = config->debug_exit_iosize,
				     .has_debugcon = config->has_debugcon,
				     .has_pvpanic = config->has_pvpanic,
				     .pvpanic_events = config->pvpanic_events,
				     .debugcon_base = config->debugcon_iobase,
				     .ram_size = config->ram_size,
				     .ram_high = config->ram_size > VM_RAM_LOW_MAX
							 ? config->ram_size - VM_RAM_LOW_MAX
							 : 0,
				     .fw_cfg_files = config->fw_cfg ? &config->fw_cfg->file : NULL,
				     .fill_random = random_fill,
				     .machine = random_machine(),
				     .extras = vm_extras(config),
				     .virtio = config->virtio,
				     .legacy = {config->has_pic, config->has_pit, config->has_hpet,
						config->has_pm_timer, config->has_watchdog},
				     .no_rtc = config->no_rtc,
				     .labels = vm->labels.labels,
				     .n_labels = vm->labels.n,
			     });
}

/* With the DIMMs of its line, which are no news for the guest. */
static void fill_slots(struct vm *vm)
{
	for (const struct dimm_config *dimm = vm->config->dimms; dimm; dimm = dimm->next) {
		if (!dimm_is_plain(dimm))
			continue;
		memory_slots_insert(platform_slots(&vm->platform), (unsigned)dimm->slot,
				    &(struct memory_slot){.base = dimm->addr,
							  .len = dimm->size,
							  .node = dimm->node},
				    false);
	}
}

/* Room to build ACPI tables: too large for a stack, and needed at a reset while others run. */
static struct {
	struct lock lock; /* guards the rest; may be taken inside a VM's lock */
	struct acpi_room room;
	uint8_t tables[ACPI_TABLES_SIZE];
} acpi;

static enum status write_acpi_tables(struct vm *vm)
{
	struct acpi_config config;
	enum status status;
	size_t len;

	lock_acquire(&acpi.lock);
	config = acpi_input(vm->config, vm->mem, &acpi.room);
	config.rsdp_gpa = ACPI_AREA_START;
	status = acpi_tables_build(&config, acpi.tables, sizeof(acpi.tables), &len);
	if (status == OK)
		status = guest_write(&vm->memory, (gpa_t){ACPI_AREA_START}, acpi.tables, len);
	lock_release(&acpi.lock);
	return status;
}

/*
 * Write 'len' bytes of the kernel and what belongs to it, from the byte 'start' on; 'len' 0:
 * everything. '*ret_total' is how many bytes there are. config_open() has found the files. After an
 * error, here and below, 'error' says why.
 */
static enum status load_kernel(struct vm *vm, uint64_t start, uint64_t len, char error[ERROR_MAX],
			       uint64_t *ret_total)
{
	struct e820_entry e820[KERNEL_E820_MAX];
	uint8_t seed[LOADER_RNG_SEED_LEN];
	struct loader_input input = kernel_input(vm->config, e820);

	input.rng_seed = seed;
	input.part_start = start;
	input.part_len = len;
	random_fill(seed, sizeof(seed));
	TRY(loader_load(&vm->memory, &input, &vm->guest.start, error, ERROR_MAX));
	*ret_total = vm->guest.start.n_written;
	return OK;
}

/* Write the tables that the kernel finds when it starts. */
static enum status write_tables(struct vm *vm, char error[ERROR_MAX])
{
	enum status status = OK;

	/* Firmware lies where the tables would, and has those of fw_cfg. */
	if (vm->guest.start.mode != ENTRY_RESET)
		status = write_acpi_tables(vm);
	if (status == OK)
		status = vm_identity_write(vm);
	format(error, ERROR_MAX, "%s",
	       status == ERR_NOMEM
		       ? "no frames are left for the ACPI tables"
		       : "no room for the ACPI tables below 1 MiB: the VM needs more memory");
	return status;
}

static enum status fill_memory(struct vm *vm)
{
	char error[ERROR_MAX];
	uint64_t total;
	enum status status = load_kernel(vm, 0, 0, error, &total);

	if (status == OK)
		status = write_tables(vm, error);
	if (status != OK)
		log_error("%s: %s", vm_name(vm), error);
	return status;
}

/* KVM's features that the VM's guest is not shown, which has a processor of its own then. */
static void hide_kvm(struct vm *vm, struct cpuid_model *model)
{
	const struct vm_config *config = vm->config;
	uint32_t hidden = 0;

	if (config->kvmclock_is_off)
		hidden |= KVM_FEATURE_CLOCKSOURCE2 | KVM_FEATURE_CLOCKSOURCE_STABLE_BIT;
	if (config->steal_time_is_off)
		hidden |= KVM_FEATURE_STEAL_TIME;
	if (config->pv_eoi_is_off)
		hidden |= KVM_FEATURE_PV_EOI;
	if (config->kvm_is_off)
		hidden = UINT32_MAX;
	if (hidden == 0)
		return;
	*model = vcpu_shared.cpuid;
	cpuid_model_hide_kvm(model, hidden);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vm_vcpu(vm, i)->cpuid = model;
}

static enum status build(struct vm *vm, struct vm_shared *shared, int64_t unix_time)
{
	TRY(build_memory(vm));
	TRY(reserve_memory(&vm->ept, vm->mem, vm_name(vm)));
	TRY(vm_prealloc(vm));
	TRY(vm_labels_create(vm->config, &vm->labels));
	TRY(build_platform(vm, &shared->wiring, unix_time));
	fill_slots(vm);
	vm_identity_make(vm);
	vm_net_name(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_create(vm_vcpu(vm, i), vm, i, &vm->ept,
			    irqchip_lapic(&vm->platform.irqchip, i));
	hide_kvm(vm, &shared->cpuid);
	return OK;
}

static enum status load_state(struct vm *vm, struct cpuid_model *model)
{
	const struct image *image = vm->config->incoming_image;
	uint64_t now = rdtsc();
	struct vm_state_host host = {&vcpu_shared.cpuid, tsc_hz, now, tsc_unix_ns(now), NULL};
	char release[STATE_RELEASE_SIZE + 1];
	struct vm_state_file file = {
		.data = phys_to_virt(image->base),
		.len = image->size,
		.model = model,
	};
	enum status status = vm_state_read(vm, &host, &file);

	if (status != OK) {
		log_error("VM %s: '%s' %s", vm_name(vm), vm->config->incoming, file.why);
		return status;
	}
	TRY(load_memory(vm));
	state_get_release(file.data, file.len, release);
	log_info("VM %s: '%s' was saved by Stencil %s", vm_name(vm), vm->config->incoming,
		 release[0] != '\0' ? release : "without a version");
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_choose_controls(vm_vcpu(vm, i));
	vm->guest.n_starts = 1;
	if (vm->config->is_template)
		return OK;
	vm_net_moved(vm);
	vm_identity_renew(vm);
	return OK;
}

static bool is_full(const struct vm *vm)
{
	return vm->ept.root && vm->ept.n_owned >= vm->ept.max_owned;
}

static const char *status_text(enum status status)
{
	switch (status) {
	case ERR_NOMEM:
		return "not enough memory";
	case ERR_OVERLAP:
		return "two memory regions, or two devices, overlap";
	case ERR_RANGE:
		return "memory beyond what a guest can address";
	case ERR_NOTFOUND:
		return "the template that it is a layer of is not there";
	default:
		return "impossible memory layout";
	}
}

enum status vm_create(struct vm_config *config, int64_t unix_time, struct vm **ret)
{
	struct vm_shared *shared;
	struct vm *vm = vm_allocate(config, &shared);
	enum status status;

	vm_totals.n_made++;
	if (vm == NULL) {
		log_error("%s: not enough memory in this machine", config->name);
		return ERR_NOMEM;
	}
	vm->name = config->name;
	vm->config = config;
	vm->share.weight = config->weight;
	vm->index = vm_next_index();
	status = build(vm, shared, unix_time);
	if (status != OK)
		log_error("%s: cannot create the VM: %s", vm_name(vm), status_text(status));
	else if (config->incoming_image)
		status = load_state(vm, &shared->cpuid);
	else
		status = fill_memory(vm);
	if (status != OK) {
		if (is_full(vm))
			log_error("%s: its -max-private is too small", vm_name(vm));
		vm_release(vm);
		vms_acquire();
		template_put(config->below);
		lock_release(&vms_lock);
		vm_free(vm);
		return status;
	}
	*ret = vm;
	return OK;
}

/* Bytes that a restart writes while it holds the VM's lock. */
#define RESTART_PIECE KIB(64)

static enum status fill_piece(struct vm *vm, char error[ERROR_MAX], bool *ret_done)
{
	uint64_t total;

	format(error, ERROR_MAX, "cannot restart without -kernel");
	if (vm->config->kernel_image == NULL)
		return ERR_NOTFOUND;
	TRY(load_kernel(vm, vm->guest.n_loaded, RESTART_PIECE, error, &total));
	vm->guest.n_loaded += RESTART_PIECE;
	*ret_done = vm->guest.n_loaded >= total;
	return *ret_done ? write_tables(vm, error) : OK;
}

enum status vm_restart(struct vm *vm, bool *ret_done)
{
	char error[ERROR_MAX];
	enum status status;

	*ret_done = vm->guest.n_starts == 0;
	if (*ret_done) {
		vm->guest.n_starts = 1;
		return OK;
	}
	lock_acquire(&vm->lock);
	status = fill_piece(vm, error, ret_done);
	lock_release(&vm->lock);
	if (status != OK) {
		log_error("%s: %s", vm_name(vm), error);
		vm_end(vm, VM_FAILED, "cannot be restarted after a reset");
	}
	if (*ret_done)
		vm->guest.n_starts++;
	return status;
}

/* Bytes that are zeroed before other work has its turn: some tens of microseconds. */
#define DISCARD_AT_ONCE KIB(256)

bool vm_discard_some(struct vm *vm)
{
	struct backend *backend = vm->template ? NULL : vm->config->backends;

	while (backend && !backend_discard_some(backend, DISCARD_AT_ONCE))
		backend = backend->next;
	return backend != NULL;
}

/* Frames that are freed before other work has its turn: some tens of microseconds. */
#define FREED_AT_ONCE 1024

static bool free_some_pages(struct vm *vm)
{
	uint64_t n_before = vm->ept.n_owned;
	bool is_more = n_before > FREED_AT_ONCE;

	while (is_more && n_before - vm->ept.n_owned < FREED_AT_ONCE)
		is_more = ept_free_some(&vm->ept);
	return is_more;
}

bool vm_free_some(struct vm *vm)
{
	bool has_reserve = vm->template == NULL, is_more;

	if (!has_reserve && vm->ept.n_owned <= FREED_AT_ONCE)
		return false;
	vm_merge_pause(vm);
	lock_acquire(&vm->lock);
	is_more = has_reserve && reserve_end_some(vm->mem, FREED_AT_ONCE);
	if (!is_more)
		is_more = free_some_pages(vm);
	lock_release(&vm->lock);
	return is_more;
}

void vm_release(struct vm *vm)
{
	vm_merge_pause(vm);
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		vcpu_destroy(vm_vcpu(vm, i));
	if (vm->template == NULL)
		vm_labels_destroy(&vm->labels);
	vm_net_leave(vm);
	if (vm->template == NULL)
		reserve_end(vm->mem);
	if (vm->ept.root)
		ept_destroy(&vm->ept);
	if (vm->template == NULL)
		added_leave(vm);
}
