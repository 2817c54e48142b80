/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/load_memory.h"

#include "hv/guest/memory_pack.h"
#include "hv/guest/saved_memory.h"
#include "hv/host/watchdog.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/hold.h"

/* The template with this id, or else the one with this name; NULL: neither. */
static struct vm *find_template(const struct saved_head *head)
{
	struct vm *named = NULL;

	for (struct vm *vm = vms; vm; vm = vm->next) {
		if (vm_outcome(vm) != VM_FROZEN)
			continue;
		if (vm->layer->saved_id == head->below)
			return vm;
		if (strcmp(vm_name(vm), head->template) == 0)
			named = vm;
	}
	return named;
}

static bool is_like(const struct mem_region *a, const struct mem_region *b)
{
	return a->gpa.raw == b->gpa.raw && a->len == b->len && a->kind == b->kind &&
	       a->image == b->image && a->offset == b->offset;
}

/* Whether both VMs have the same regions. '*ret': where they first differ. */
static bool are_alike(const struct mem_map *a, const struct mem_map *b, gpa_t *ret)
{
	size_t n_a = mem_map_all(a), n_b = mem_map_all(b);

	for (size_t i = 0; i < n_a && i < n_b; i++) {
		*ret = a->region[i].gpa;
		if (!is_like(&a->region[i], &b->region[i]))
			return false;
	}
	if (n_a != n_b)
		*ret = n_a > n_b ? a->region[n_b].gpa : b->region[n_a].gpa;
	return n_a == n_b;
}

static enum status check_template(const struct vm *vm, const struct vm *template)
{
	const struct saved_head *head = &vm->config->saved;
	gpa_t other;

	if (template == NULL) {
		log_error("VM %s: '%s' holds only what has changed since template '%s' was saved "
			  "(id %016lx): load that by a line before this one",
			  vm_name(vm), vm->config->incoming, head->template, head->below);
		return ERR_NOTFOUND;
	}
	if (template->layer->saved_id != head->below) {
		log_error("VM %s: '%s' needs another template '%s': the one whose save has the id "
			  "%016lx, not %016lx",
			  vm_name(vm), vm->config->incoming, head->template, head->below,
			  template->layer->saved_id);
		return ERR_NOTFOUND;
	}
	if (are_alike(vm->mem, template->mem, &other))
		return OK;
	log_error("VM %s: its memory at %#lx differs from that of template '%s', which it is a "
		  "layer of: both need the same options",
		  vm_name(vm), other.raw, vm_name(template));
	return ERR_INVAL;
}

enum status load_hold_below(const struct vm *vm, struct ept_layer **ret)
{
	struct vm *template;

	*ret = NULL;
	if (vm->config->saved.below == 0)
		return OK;
	template = find_template(&vm->config->saved);
	TRY(check_template(vm, template));
	vms_acquire();
	template_hold(template);
	lock_release(&vms_lock);
	vm->config->below = template;
	*ret = template->layer;
	return OK;
}

static enum status load_part(struct memory_unpack *unpack, const struct image *image)
{
	TRY(memory_unpack_open(unpack, phys_to_virt(image->base), image->size));
	while (!unpack->reader.is_at_end) {
		TRY(memory_unpack_some(unpack));
		watchdog_feed();
	}
	return OK;
}

static enum status load_parts(struct vm *vm, struct memory_unpack *unpack)
{
	for (const struct saved_part *part = vm->config->parts; part; part = part->next) {
		enum status status = load_part(unpack, part->image);

		if (status != OK && status != ERR_NOMEM)
			log_error("VM %s: '%s' %s", vm_name(vm), part->path, unpack->reader.why);
		if (status != OK)
			return status;
	}
	return memory_unpack_end(unpack);
}

enum status load_memory(struct vm *vm)
{
	struct memory_unpack unpack = {
		.memory = &vm->memory,
		.id = vm->config->saved.id,
		.is_layer = vm->config->saved.below != 0,
	};
	uint64_t size = saved_memory_size(vm->mem);
	enum status status = ERR_NOMEM;
	phys_t pages;

	if (!vm->config->saved.has_parts)
		return OK;
	if (vm->config->saved.size != size) {
		log_error("VM %s: '%s' is of a VM with %lu KiB of memory to load, where this one "
			  "has %lu KiB",
			  vm_name(vm), vm->config->incoming, vm->config->saved.size / KIB(1),
			  size / KIB(1));
		return ERR_INVAL;
	}
	pages = frame_alloc_run(BLOCK_PAGES_MAX, PAGE_SIZE);
	if (pages != 0) {
		unpack.pages = phys_to_virt(pages);
		status = load_parts(vm, &unpack);
		frame_free_run(pages, BLOCK_PAGES_MAX);
	}
	if (status == ERR_NOMEM)
		log_error("VM %s: not enough memory for what '%s' holds", vm_name(vm),
			  vm->config->parts->path);
	return status;
}
