/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's life: made from its configuration, its kernel loaded, started again, ended,
 * given back. RAM begins at 0; what does not fit below 3 GiB goes on at 4 GiB.
 */
#include "hv/vm/vm.h"

#include "hv/config/layout.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "hv/guest/reserve.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/loader/acpi_tables.h"
#include "hv/loader/load.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/serial.h"
#include "hv/vm/template.h"
#include "hv/vm/vm_identity.h"
#include "hv/vm/vm_load.h"
#include "hv/vm/vm_prealloc.h"

#define EBDA_START UINT64_C(0x9fc00)

struct vm *vms;
static struct vm **vms_end = &vms;
struct lock vms_lock;
struct vm *vms_cursor;
struct vm_totals vm_totals;

/* What is behind a struct vm: bytes. */
struct vm_layout {
	size_t vcpus, xsave_areas, shared;
};

static size_t xsave_stride(void)
{
	return align_up(vcpu_shared.cpuid.basic[0xd].ecx, XSAVE_ALIGN);
}

static struct vm_layout lay_out(unsigned n_vcpus, bool has_nvdimms)
{
	struct vm_layout layout;

	layout.vcpus = offsetof(struct vm, platform) + platform_size(n_vcpus, has_nvdimms);
	layout.xsave_areas = align_up(layout.vcpus + n_vcpus * sizeof(struct vcpu), XSAVE_ALIGN);
	layout.shared = align_up(layout.xsave_areas + n_vcpus * xsave_stride(), PAGE_SIZE);
	return layout;
}

static uint64_t ram_low(const struct vm_config *config)
{
	return config->ram_size < VM_RAM_LOW_MAX ? config->ram_size : VM_RAM_LOW_MAX;
}

static enum status build_memory(struct vm *vm)
{
	uint64_t start = rdtsc();

	TRY(memory_layout(vm->config, vm->mem));
	for (size_t i = 0; i < vm->mem->n; i++)
		TRY(ept_map_region(&vm->ept, &vm->mem->region[i]));
	log_debug("bench vm_memory %llu", (unsigned long long)(rdtsc() - start));
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
				     .debugcon_base = config->debugcon_iobase,
				     .ram_size = config->ram_size,
				     .fw_cfg_files = config->fw_cfg ? &config->fw_cfg->file : NULL,
				     .has_nvdimms = vm_has_nvdimms(config),
				     .labels = vm->labels.labels,
				     .n_labels = vm->labels.n,
			     });
}

static enum status write_acpi_tables(struct vm *vm)
{
	static struct vm_memory_tables memory;
	static uint8_t tables[ACPI_TABLES_SIZE];
	static struct lock tables_lock; /* guards what is static here */
	static uint32_t apic_id[TOPOLOGY_MAX_CPUS];
	struct acpi_config acpi_config = {
		.n_cpus = vm->n_vcpus,
		.apic_id = apic_id,
		.rsdp_gpa = ACPI_AREA_START,
		.has_vmgenid = vm->config->has_vmgenid,
	};
	enum status status;
	size_t len;

	lock_acquire(&tables_lock);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		apic_id[i] = vm->platform.irqchip.lapic[i].id;
	vm_describe_memory(vm->config, vm->mem, &memory, &acpi_config);
	status = acpi_tables_build(&acpi_config, tables, sizeof(tables), &len);
	if (status == OK)
		status = guest_write(&vm->memory, (gpa_t){ACPI_AREA_START}, tables, len);
	lock_release(&tables_lock);
	return status;
}

static size_t build_e820(const struct vm_config *config, struct e820_entry *e820)
{
	uint64_t low = ram_low(config), high = config->ram_size - low;
	size_t n = 0;

	e820[n++] = (struct e820_entry){0, EBDA_START, E820_RAM};
	e820[n++] = (struct e820_entry){EBDA_START, MIB(1) - EBDA_START, E820_RESERVED};
	if (low > MIB(1))
		e820[n++] = (struct e820_entry){MIB(1), low - MIB(1), E820_RAM};
	if (high)
		e820[n++] = (struct e820_entry){VM_RAM_HIGH, high, E820_RAM};
	return n;
}

/* The files are those that config_open() found. */
static enum status load_kernel(struct vm *vm)
{
	const struct vm_config *config = vm->config;
	const struct image *kernel = config->kernel_image, *initrd = config->initrd_image;
	struct e820_entry e820[4];
	uint8_t seed[LOADER_RNG_SEED_LEN];
	struct loader_input input = {
		.kernel = phys_to_virt(kernel->base),
		.kernel_len = kernel->size,
		.kernel_name = config->kernel,
		.initrd = initrd != NULL ? phys_to_virt(initrd->base) : NULL,
		.initrd_len = initrd != NULL ? initrd->size : 0,
		.append = config->append,
		.e820 = e820,
		.n_e820 = build_e820(config, e820),
		.ram_below_4g = ram_low(config),
		.acpi_rsdp = {ACPI_AREA_START},
		.rng_seed = seed,
		.modules = config->modules,
		.n_modules = config->n_modules,
	};
	char error[256];
	enum status status;

	random_fill(seed, sizeof(seed));
	status = loader_load(&vm->memory, &input, &vm->start, error, sizeof(error));
	if (status != OK)
		log_error("%s: %s", vm->name, error);
	return status;
}

/* The memory a kernel finds at its start: tables and itself. */
static enum status fill_memory(struct vm *vm)
{
	enum status status;

	if (vm->config->kernel_image == NULL) {
		log_error("%s: has no -kernel to start again with", vm->name);
		return ERR_NOTFOUND;
	}
	TRY(load_kernel(vm));
	status = write_acpi_tables(vm);
	if (status == OK)
		status = vm_identity_write(vm);
	if (status != OK)
		log_error("%s: no room for the ACPI tables below 1 MiB: the VM needs more memory",
			  vm->name);
	return status;
}

static enum status build(struct vm *vm, struct platform_wiring *wiring, int64_t unix_time)
{
	uint64_t max_private = vm->config->max_private;

	TRY(ept_init(&vm->ept, vcpu_leaf_levels(),
		     max_private ? max_private / PAGE_SIZE : EPT_UNLIMITED));
	vm->memory = (struct guest_memory){&vm->ept, vm->mem};
	TRY(build_memory(vm));
	TRY(reserve_memory(&vm->ept, vm->mem, vm->name));
	TRY(vm_prealloc(vm));
	TRY(vm_labels_create(vm->config, &vm->labels));
	TRY(build_platform(vm, wiring, unix_time));
	vm_identity_make(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_create(&vm->vcpu[i], vm, i);
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
		return "memory outside of what a guest can address";
	default:
		return "impossible memory layout";
	}
}

/* 'size' bytes, of which the first n_clear are zeros. */
static struct vm *allocate(const struct vm_layout *layout, unsigned n_vcpus, size_t size,
			   size_t n_clear)
{
	uint64_t n_frames = align_up(size, PAGE_SIZE) / PAGE_SIZE;
	phys_t frames = 0;
	struct vm *vm;

	if (n_frames == 1)
		frames = frame_alloc();
	else if (frame_can_spare(n_frames))
		frames = frame_alloc_run(n_frames, PAGE_SIZE);
	if (frames == 0)
		return NULL;
	vm = phys_to_virt(frames);
	zero_words(vm, n_clear / 8);
	vm->n_frames = (unsigned)n_frames;
	vm->n_vcpus = n_vcpus;
	vm->vcpu = (struct vcpu *)((char *)vm + layout->vcpus);
	for (unsigned i = 0; i < n_vcpus; i++)
		vm->vcpu[i].xsave_area = (char *)vm + layout->xsave_areas + i * xsave_stride();
	return vm;
}

enum status vm_create(const struct vm_config *config, int64_t unix_time, struct vm **ret)
{
	struct vm_shared *shared;
	struct vm *vm = vm_allocate(config, &shared);
	enum status status;

	vm_totals.n_made++;
	if (vm == NULL) {
		log_error("%s: not enough memory in this machine", config->name);
		return ERR_NOMEM;
	}
	vm->mem = &shared->mem;
	vm->name = config->name;
	vm->config = config;
	vm->index = vm_next_index();
	status = build(vm, &shared->wiring, unix_time);
	if (status != OK)
		log_error("%s: cannot be made: %s", vm->name, status_text(status));
	else if (config->incoming_image)
		status = vm_load_state(vm, &shared->cpuid);
	else
		status = fill_memory(vm);
	if (status != OK) {
		if (is_full(vm))
			log_error("%s: its -max-private is too small", vm->name);
		vm_release(vm);
		vm_free(vm);
		return status;
	}
	*ret = vm;
	return OK;
}

unsigned vm_next_index(void)
{
	static unsigned next;

	return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
}

struct vm *vm_allocate(const struct vm_config *config, struct vm_shared **ret_shared)
{
	unsigned n_vcpus = config->topology.n_cpus;
	struct vm_layout layout = lay_out(n_vcpus, vm_has_nvdimms(config));
	size_t size = align_up(layout.shared + sizeof(struct vm_shared), PAGE_SIZE);
	struct vm *vm = allocate(&layout, n_vcpus, size, size);

	if (vm != NULL)
		*ret_shared = (struct vm_shared *)((char *)vm + layout.shared);
	return vm;
}

struct vm *vm_allocate_clone(const struct vm *template)
{
	struct vm_layout layout = lay_out(template->n_vcpus, template->platform.has_nvdimms);

	_Static_assert(offsetof(struct vm, platform) % 8 == 0, "words");
	return allocate(&layout, template->n_vcpus, layout.shared, offsetof(struct vm, platform));
}

void vm_free(struct vm *vm)
{
	if (vm->n_frames == 1)
		frame_free(virt_to_phys(vm));
	else
		frame_free_run(virt_to_phys(vm), vm->n_frames);
}

void vm_unlist(struct vm *vm)
{
	if (vm->link == NULL)
		return;
	if (vms_cursor == vm)
		vms_cursor = vm->next;
	*vm->link = vm->next;
	if (vm->next)
		vm->next->link = vm->link;
	else
		vms_end = vm->link;
	vm->link = NULL;
}

void vm_list(struct vm *vm)
{
	lock_acquire(&vms_lock);
	vm->next = NULL;
	vm->link = vms_end;
	*vms_end = vm;
	vms_end = &vm->next;
	lock_release(&vms_lock);
}

void vm_start(struct vm *vm)
{
	vm_list(vm);
	sched_add(vm->vcpu, vm->n_vcpus);
}

enum status vm_restart(struct vm *vm)
{
	enum status status;

	if (vm->n_starts++ == 0)
		return OK;
	lock_acquire(&vm->lock);
	status = fill_memory(vm);
	lock_release(&vm->lock);
	if (status != OK)
		vm_end(vm, VM_FAILED, "cannot be started again after a reset");
	return status;
}

void vm_kick_receivers(struct vm *vm)
{
	struct irqchip *chip = &vm->platform.irqchip;

	for (int i = irqchip_take_kick(chip); i >= 0; i = irqchip_take_kick(chip))
		sched_request(&vm->vcpu[i], VCPU_REQUEST_EVENT);
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	/* Release: whoever finds it sees what was noted for it; pairs with vm_gathered(). */
	__atomic_fetch_or(&vm->actions, action, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		sched_request(&vm->vcpu[i], VCPU_REQUEST_GATHER);
}

bool vm_act_alone(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	uint32_t actions = VM_REVERT;

	/* One that is stopped goes by the scheduler, which sets it aside again. */
	if (vm->n_vcpus > 1 || __atomic_load_n(&vm->is_paused, __ATOMIC_RELAXED))
		return false;
	/* Acquire pairs with vm_gather(). */
	if (!__atomic_compare_exchange_n(&vm->actions, &actions, 0, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	template_revert(vm);
	vcpu_reload(vcpu);
	return true;
}

void vm_reset(struct vm *vm)
{
	if (vm->config->no_reboot)
		vm_end(vm, VM_ENDED_WELL, "reset, and -no-reboot is given");
	else
		vm_gather(vm, VM_RESET);
}

static void end_v(struct vm *vm, enum vm_outcome outcome, struct vcpu *crashed, const char *fmt,
		  va_list args)
{
	if (__atomic_exchange_n(&vm->is_ending, true, __ATOMIC_RELAXED))
		return; /* the first reason counts */
	format_v(vm->why, sizeof(vm->why), fmt, args);
	vm->crashed = crashed;
	__atomic_store_n(&vm->outcome, outcome, __ATOMIC_RELAXED);
	vm_gather(vm, VM_END);
}

void vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end_v(vm, outcome, NULL, fmt, args);
	va_end(args);
}

void vm_crash(struct vm *vm, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end_v(vm, VM_FAILED, this_cpu()->current, fmt, args);
	va_end(args);
}

static const char *region_name(const struct mem_region *region)
{
	return region->backend ? region->backend->id : "RAM";
}

static uint64_t count_exits(const struct vm *vm)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < vm->n_vcpus; i++)
		n += vm->vcpu[i].n_exits;
	return n;
}

static void say_end(struct vm *vm)
{
	bool well = vm->outcome == VM_ENDED_WELL;

	vm_flush_output(vm);
	__atomic_fetch_add(well ? &vm_totals.n_ended_well : &vm_totals.n_failed, 1,
			   __ATOMIC_RELAXED);
	if (well)
		log_info("VM %s: ended: %s", vm->name, vm->why);
	else
		log_error("VM %s: failed: %s", vm->name, vm->why);
	if (vm->crashed) {
		vcpu_load(vm->crashed, this_cpu());
		vcpu_report_registers(vm->crashed);
		vcpu_put(vm->crashed);
	}
	log_info("VM %s: private memory %llu KiB, tables included; %llu exits", vm->name,
		 (unsigned long long)(vm->ept.n_owned * PAGE_SIZE / KIB(1)),
		 (unsigned long long)count_exits(vm));
	for (size_t i = 0; i < vm->mem->n && vm->template == NULL; i++)
		if (vm->mem->region[i].n_dropped)
			log_info("VM %s: %s: %llu writes to ROM dropped", vm->name,
				 region_name(&vm->mem->region[i]),
				 (unsigned long long)vm->mem->region[i].n_dropped);
}

/* The objects go with a VM that ran, and after all its clones; what never came into being has
 * nothing to throw away. */
static void discard_memory(struct vm *vm)
{
	if (vm->outcome == VM_RUNNING || vm->template)
		return;
	for (const struct backend *backend = vm->config->backends; backend; backend = backend->next)
		backend_discard(backend);
}

void vm_release(struct vm *vm)
{
	vm_merge_pause(vm); /* for good */
	discard_memory(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_destroy(&vm->vcpu[i]);
	vm_labels_destroy(&vm->labels);
	if (vm->template == NULL)
		reserve_end(vm->mem);
	if (vm->ept.root)
		ept_destroy(&vm->ept);
}

static void end(struct vm *vm)
{
	say_end(vm);
	template_vm_ends(vm);
	vm_release(vm);
	template_vm_gone(vm);
}

/* All but the registers of the boot processor, which writes them itself when it starts. */
static void power_on(struct vm *vm)
{
	platform_reset(&vm->platform);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_power_on(&vm->vcpu[i]);
}

unsigned vm_gathered(struct vm *vm)
{
	unsigned n_vcpus = vm->n_vcpus;
	uint32_t actions;

	/* Acquire and release: the last one sees what all others have put away. */
	if (__atomic_add_fetch(&vm->n_gathered, 1, __ATOMIC_ACQ_REL) < n_vcpus)
		return 0;
	vm->n_gathered = 0;
	actions = __atomic_exchange_n(&vm->actions, 0, __ATOMIC_ACQUIRE);
	if (actions & VM_END) {
		end(vm);
		return n_vcpus;
	}
	if (actions & VM_RESET)
		power_on(vm);
	else if (actions & VM_REVERT)
		template_revert(vm);
	else if (template_freeze(vm))
		return n_vcpus;
	sched_make_ready(vm->vcpu, n_vcpus);
	return 0;
}
