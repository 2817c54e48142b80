/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The places of DIMMs, NVDIMMs and virtio-pmem devices: slots, and addresses in the window for
 * device memory. The checks are those of QEMU's devices, in its order. What lies above the guest's
 * physical addresses is refused, RAM too; QEMU refuses a window that ends there. Nothing is mapped
 * here.
 */
#include "hv/config/dimm_place.h"

#include "hv/lib/string.h"
#include "hv/virtio/virtio_pmem.h"

#define RAM_BACKEND_ALIGN MIB(2) /* QEMU maps memory-backend-ram for huge pages */
#define WINDOW_END_MAX	  BIT(46)

static const char *dimm_name(const struct dimm_config *dimm)
{
	return dimm->id != NULL ? dimm->id : "(unnamed)";
}

/* The first DIMM from 'dimm' on and before 'end' that has its place; NULL: there is none. */
static struct dimm_config *next_placed(struct dimm_config *dimm, const struct dimm_config *end)
{
	while (dimm != end && dimm->broken)
		dimm = dimm->next;
	return dimm != end ? dimm : NULL;
}

static bool is_slot_busy(const struct vm_config *vm, const struct dimm_config *end, int32_t slot)
{
	struct dimm_config *dimm = next_placed(vm->dimms, end);

	while (dimm != NULL && dimm->slot != slot)
		dimm = next_placed(dimm->next, end);
	return dimm != NULL;
}

static enum status place_slot(const struct vm_config *vm, struct dimm_config *dimm,
			      struct diag *diag)
{
	int32_t slot = dimm->slot;

	if (dimm->pmem != NULL)
		return OK;
	if (slot != -1 && (slot < 0 || (unsigned)slot >= vm->dimm_slots)) {
		diag_error(diag, dimm->place, "invalid slot number %d, valid range is [0-%lu]",
			   slot, (uint64_t)vm->dimm_slots - 1);
		return ERR_INVAL;
	}
	if (vm->dimm_slots == 0) {
		diag_error(diag, dimm->place,
			   "no slots where allocated, please specify the 'slots' option");
		diag_advice(diag, "add to -m: slots=1,maxmem=SIZE, where SIZE is more than all "
				  "memory together");
		return ERR_INVAL;
	}
	if (slot != -1 && is_slot_busy(vm, dimm, slot)) {
		diag_error(diag, dimm->place, "slot %d is busy", slot);
		return ERR_INVAL;
	}
	for (slot = slot == -1 ? 0 : slot; is_slot_busy(vm, dimm, slot); slot++)
		continue;
	if ((unsigned)slot >= vm->dimm_slots) {
		diag_error(diag, dimm->place, "no free slots available");
		diag_advice(diag, "-m has slots=%u", vm->dimm_slots);
		return ERR_INVAL;
	}
	dimm->slot = slot;
	return OK;
}

static uint64_t used_size(const struct vm_config *vm, const struct dimm_config *end)
{
	uint64_t used = 0;

	for (struct dimm_config *dimm = next_placed(vm->dimms, end); dimm != NULL;
	     dimm = next_placed(dimm->next, end))
		used += dimm->size;
	return used;
}

static enum status check_window(const struct vm_config *vm, const struct dimm_config *dimm,
				struct diag *diag)
{
	if (vm->dimm_window_len != 0)
		return OK;
	diag_error(diag, dimm->place,
		   "the configuration is not prepared for memory devices (e.g., for memory "
		   "hotplug), consider specifying the maxmem option");
	return ERR_INVAL;
}

static enum status check_space(const struct vm_config *vm, const struct dimm_config *dimm,
			       struct diag *diag)
{
	uint64_t total = vm->maxmem - vm->ram_size, used = used_size(vm, dimm);

	if (dimm->size <= total - used)
		return OK;
	diag_error(diag, dimm->place,
		   "not enough space, currently 0x%lx in use of total space for memory devices "
		   "0x%lx",
		   used, total);
	return ERR_INVAL;
}

static uint64_t backend_alignment(const struct backend *backend)
{
	if (backend->type == BACKEND_RAM)
		return RAM_BACKEND_ALIGN;
	return backend->align > PAGE_SIZE ? backend->align : PAGE_SIZE;
}

/*
 * The labels are the backend's last bytes; the guest gets what is before them, in whole alignments.
 */
static enum status size_nvdimm(struct dimm_config *dimm, struct diag *diag)
{
	const struct backend *backend = dimm->backend;
	uint64_t align = backend_alignment(backend);

	if (backend->size > dimm->label_size)
		dimm->size = align_down(backend->size - dimm->label_size, align);
	if (dimm->size == 0) {
		diag_error(diag, dimm->place,
			   "the size of memdev %s (0x%lx) is too small to contain nvdimm label "
			   "(0x%lx) and aligned PMEM (0x%lx)",
			   backend->id, backend->size, dimm->label_size, align);
		return ERR_INVAL;
	}
	if (dimm->unarmed || backend->kind != MEM_ROM)
		return OK;
	diag_error(diag, dimm->place,
		   "'unarmed' property must be 'on' since memdev %s is read-only", backend->id);
	diag_advice(diag, "for an NVDIMM that the guest cannot write, write unarmed=on");
	return ERR_INVAL;
}

/* Set the size that the guest gets. */
static enum status size_dimm(struct dimm_config *dimm, struct diag *diag)
{
	if (dimm->memdev == NULL) {
		diag_error(diag, dimm->place, "'memdev' property must be set");
		return ERR_INVAL;
	}
	if (dimm->backend->broken)
		return ERR_INVAL;
	if (dimm->is_nvdimm)
		return size_nvdimm(dimm, diag);
	dimm->size = dimm->backend->size;
	return OK;
}

static enum status check_alignment(const struct dimm_config *dimm, struct diag *diag)
{
	uint64_t align = backend_alignment(dimm->backend);

	if (!is_aligned(dimm->size, align)) {
		diag_error(diag, dimm->place, "backend memory size must be multiple of 0x%lx",
			   align);
		return ERR_INVAL;
	}
	if (!is_aligned(dimm->addr, align)) {
		diag_error(diag, dimm->place, "address must be aligned to 0x%lx bytes", align);
		return ERR_INVAL;
	}
	return OK;
}

/* Whether [addr, addr + size) lies in the window. */
static bool is_in_window(const struct vm_config *vm, uint64_t addr, uint64_t size)
{
	return addr >= vm->dimm_window && size <= vm->dimm_window_len &&
	       addr - vm->dimm_window <= vm->dimm_window_len - size;
}

/* A DIMM before 'end' that overlaps; NULL: there is none. */
static struct dimm_config *find_overlap(const struct vm_config *vm, const struct dimm_config *end,
					uint64_t addr, uint64_t size)
{
	struct dimm_config *dimm = next_placed(vm->dimms, end);

	while (dimm != NULL && (dimm->addr >= addr + size || addr >= dimm->addr + dimm->size))
		dimm = next_placed(dimm->next, end);
	return dimm;
}

static enum status check_address(const struct vm_config *vm, const struct dimm_config *dimm,
				 struct diag *diag)
{
	const struct dimm_config *other;

	if (!is_in_window(vm, dimm->addr, dimm->size)) {
		diag_error(diag, dimm->place,
			   "can't add memory device [0x%lx:0x%lx], usable range for memory "
			   "devices [0x%lx:0x%lx]",
			   dimm->addr, dimm->size, vm->dimm_window, vm->dimm_window_len);
		return ERR_INVAL;
	}
	other = find_overlap(vm, dimm, dimm->addr, dimm->size);
	if (other == NULL)
		return OK;
	diag_error(diag, dimm->place, "address range conflicts with memory device id='%s'",
		   dimm_name(other));
	return ERR_INVAL;
}

static enum status find_address(const struct vm_config *vm, struct dimm_config *dimm,
				struct diag *diag)
{
	uint64_t align = backend_alignment(dimm->backend), size = dimm->size;
	uint64_t addr = align_up(vm->dimm_window, align);
	const struct dimm_config *other = NULL;

	while (is_in_window(vm, addr, size)) {
		other = find_overlap(vm, dimm, addr, size);
		if (other == NULL)
			break;
		addr = align_up(other->addr + other->size, align);
	}
	if (!is_in_window(vm, addr, size)) {
		diag_error(diag, dimm->place,
			   "could not find position in guest address space for memory device - "
			   "memory fragmented due to alignments");
		return ERR_INVAL;
	}
	dimm->addr = addr;
	return OK;
}

/* What QEMU checks when it realizes the device, which has its address by then. */
static enum status check_use(const struct vm_config *vm, const struct dimm_config *dimm,
			     struct diag *diag)
{
	unsigned n_nodes = vm->n_numa_nodes > 0 ? vm->n_numa_nodes : 1;

	if (dimm->backend->busy) {
		diag_error(diag, dimm->place, "can't use already busy memdev: %s",
			   dimm->backend->id);
		return ERR_INVAL;
	}
	if (dimm->node >= n_nodes) {
		diag_error(diag, dimm->place,
			   "'DIMM property node has value %u' which exceeds the number of numa "
			   "nodes: %u",
			   dimm->node, n_nodes);
		return ERR_INVAL;
	}
	return OK;
}

/* 'end' is exclusive, and has not overflowed. The message is QEMU's. */
static enum status check_reach(uint64_t end, unsigned phys_bits, struct diag_place place,
			       struct diag *diag)
{
	uint64_t limit;

	if (phys_bits > CONFIG_PHYS_BITS_MAX)
		phys_bits = CONFIG_PHYS_BITS_MAX;
	limit = BIT(phys_bits) - 1;
	if (end <= limit + 1)
		return OK;
	diag_error(diag, place, "Address space limit 0x%lx < 0x%lx phys-bits too low (%u)", limit,
		   end - 1, phys_bits);
	diag_hint(diag, "No memory may lie above the limit: make it smaller, or choose a lower "
			"address.");
	return ERR_INVAL;
}

enum status config_place_dimm(const struct vm_config *vm, struct dimm_config *dimm,
			      unsigned phys_bits, struct diag *diag)
{
	if (dimm->is_nvdimm && !vm->nvdimm) {
		diag_error(diag, dimm->place, "nvdimm is not enabled: missing 'nvdimm' in '-M'");
		return ERR_INVAL;
	}
	TRY(place_slot(vm, dimm, diag));
	TRY(check_window(vm, dimm, diag));
	TRY(size_dimm(dimm, diag));
	TRY(check_space(vm, dimm, diag));
	TRY(check_alignment(dimm, diag));
	if (dimm->addr != 0)
		TRY(check_address(vm, dimm, diag));
	else
		TRY(find_address(vm, dimm, diag));
	TRY(check_reach(dimm->addr + dimm->size, phys_bits, dimm->place, diag));
	TRY(check_use(vm, dimm, diag));
	dimm->backend->busy = true;
	if (dimm->pmem != NULL) {
		dimm->pmem->start = dimm->addr;
		dimm->pmem->len = dimm->size;
	}
	return OK;
}

/* What is refused already has no size to check. */
static enum status check_ram(const struct vm_config *vm, unsigned phys_bits, struct diag *diag)
{
	uint64_t end = vm->ram_size;

	if (vm->memory_backend != NULL && vm->memory_backend->broken)
		return OK;
	if (end > VM_RAM_LOW_MAX && __builtin_add_overflow(end, VM_RAM_HIGH - VM_RAM_LOW_MAX, &end))
		end = UINT64_MAX;
	return check_reach(end, phys_bits, vm->has_ram_size ? vm->memory_place : vm->place, diag);
}

static enum status make_window(struct vm_config *vm, struct diag *diag)
{
	uint64_t above = vm->ram_size > VM_RAM_LOW_MAX ? vm->ram_size - VM_RAM_LOW_MAX : 0;

	if (vm->maxmem <= vm->ram_size)
		return OK;
	if (vm->maxmem > WINDOW_END_MAX / 2) {
		diag_error(diag, vm->memory_place, "maxmem 0x%lx is not supported: too large",
			   vm->maxmem);
		return ERR_INVAL;
	}
	vm->dimm_window = align_up(VM_RAM_HIGH + above, GIB(1));
	vm->dimm_window_len = vm->maxmem - vm->ram_size + vm->dimm_slots * GIB(1);
	return OK;
}

enum status config_place_memory(struct vm_config *vm, unsigned phys_bits, struct diag *diag)
{
	enum status status = check_ram(vm, phys_bits, diag);

	TRY(make_window(vm, diag));
	for (struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next) {
		dimm->broken = dimm->broken || config_place_dimm(vm, dimm, phys_bits, diag) != OK;
		if (dimm->broken)
			status = ERR_INVAL;
	}
	return status;
}
