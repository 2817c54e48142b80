/* SPDX-License-Identifier: BSD-2-Clause */
/* The structs of VMs: allocation, the list of VMs, and requests to all vCPUs of a VM. */
#include "hv/vm/vm.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/news.h"

struct vm *vms;
static struct vm **vms_end = &vms;
struct lock vms_lock;
struct vm *vms_cursor[N_VMS_WALKS];
struct vm_totals vm_totals;
unsigned vm_n_indices;

_Static_assert(offsetof(struct vm, share) == 0, "hv/vcpu/sched.c casts");
_Static_assert(SHARE_WEIGHT_DEFAULT == VM_WEIGHT_DEFAULT, "a room below config needs it");

_Static_assert(offsetof(struct vm, platform) + PLATFORM_SIZE_MAX +
			       VM_FAR_VCPUS_MAX * sizeof(struct vcpu *) <=
		       PAGE_SIZE,
	       "a frame for all that is not a part");

/* Where the next part of a VM goes. */
struct packer {
	char *frame;
	size_t used; /* of the frame, in bytes */
};

/*
 * Memory for a part, which is at most a frame: in the frame that was begun last, if there is room,
 * otherwise at the start of another one. So a part that starts a frame owns it. NULL: there is no
 * frame.
 */
static inline void *pack(struct packer *packer, size_t size)
{
	size_t at = align_up(packer->used, XSAVE_ALIGN);

	if (at + size > PAGE_SIZE) {
		phys_t frame = frame_alloc();

		assert(size <= PAGE_SIZE);
		if (frame == 0)
			return NULL;
		packer->frame = phys_to_virt(frame);
		at = 0;
	}
	packer->used = at + size;
	return packer->frame + at;
}

/* From the last piece on, which may be short, and so fit beside the struct. */
static bool place_vcpus(struct vm *vm, struct packer *packer)
{
	unsigned first = (vm->n_vcpus - 1) / VM_VCPUS_TOGETHER * VM_VCPUS_TOGETHER;

	for (;; first -= VM_VCPUS_TOGETHER) {
		unsigned n = vm_n_together(vm, first);
		struct vcpu *vcpus = pack(packer, n * sizeof(struct vcpu));

		if (vcpus == NULL)
			return false;
		for (unsigned i = 0; i < n; i++)
			vcpus[i].xsave_area = NULL;
		if (first == 0) {
			vm->vcpu = vcpus;
			return true;
		}
		vm->far_vcpus[first / VM_VCPUS_TOGETHER - 1] = vcpus;
	}
}

/* Also to later vCPUs that have none, as far as there is room beside it. */
static bool take_areas(const struct vm *vm, unsigned first)
{
	size_t size = align_up(vcpu_shared.cpuid.basic[0xd].ecx, XSAVE_ALIGN);
	phys_t frame = frame_alloc();
	size_t at = 0;

	if (frame == 0)
		return false;
	for (unsigned i = first, n = vm_n_made(vm); i < n && at + size <= PAGE_SIZE; i++) {
		struct vcpu *vcpu = vm_place_of_vcpu(vm, i);

		if (vcpu->xsave_area != NULL)
			continue;
		__atomic_store_n(&vcpu->xsave_area, (char *)phys_to_virt(frame) + at,
				 __ATOMIC_RELEASE);
		at += size;
	}
	return true;
}

bool vm_take_area(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	bool has_area;

	lock_acquire(&vm->lock);
	has_area = vcpu->xsave_area != NULL || take_areas(vm, vcpu->number);
	lock_release(&vm->lock);
	return has_area;
}

bool vm_take_areas(struct vm *vm)
{
	bool have_areas = true;

	lock_acquire(&vm->lock);
	for (unsigned i = 0; have_areas && i < vm->n_vcpus; i++)
		have_areas = vm_vcpu(vm, i)->xsave_area != NULL || take_areas(vm, i);
	lock_release(&vm->lock);
	return have_areas;
}

static bool place_platform(struct vm *vm, struct packer *packer)
{
	void **part;
	size_t size;

	for (unsigned i = 0; (part = platform_part(&vm->platform, i, &size)) != NULL; i++) {
		*part = pack(packer, size);
		if (*part == NULL)
			return false;
	}
	return true;
}

static void visit_part(void *part, void (*visit)(void *, phys_t), void *context)
{
	if (part != NULL && is_aligned((uintptr_t)part, PAGE_SIZE))
		visit(context, virt_to_phys(part));
}

/* The frames that parts begin, of those that were placed. What leads to others comes after them. */
static void each_part_frame(struct vm *vm, void (*visit)(void *, phys_t), void *context)
{
	struct vcpu *vcpus;
	void **part;
	size_t size;

	for (unsigned i = 0; (part = platform_part(&vm->platform, i, &size)) != NULL; i++)
		visit_part(*part, visit, context);
	for (unsigned i = 0; i < vm->n_vcpus; i += VM_VCPUS_TOGETHER) {
		vcpus = i == 0 ? vm->vcpu : vm->far_vcpus[i / VM_VCPUS_TOGETHER - 1];
		for (unsigned k = 0; vcpus != NULL && k < vm_n_together(vm, i); k++)
			visit_part(vcpus[k].xsave_area, visit, context);
		visit_part(vcpus, visit, context);
	}
}

static void free_visited([[maybe_unused]] void *context, phys_t frame)
{
	frame_free(frame);
}

/*
 * Set what leads to the parts. The vCPUs' and the devices' contents are undefined, except for the
 * pointers. Only the first vCPU has an XSAVE area, and only if there is room in a frame anyway.
 * False: memory is lacking, and all frames are free again, except the struct's.
 */
static bool place_parts(struct vm *vm, unsigned n_vcpus, struct platform_extras extras)
{
	size_t start = offsetof(struct vm, platform.irqchip.lapic) +
		       irqchip_n_near(n_vcpus) * sizeof(struct lapic);
	size_t far = offsetof(struct vm, platform) + platform_size(n_vcpus, extras);
	size_t end = far + (n_vcpus - 1) / VM_VCPUS_TOGETHER * sizeof(struct vcpu *);
	size_t area = vcpu_shared.cpuid.basic[0xd].ecx;
	struct packer packer = {(char *)vm, end};

	vm->n_vcpus = n_vcpus;
	vm->vcpu = NULL;
	vm->far_vcpus = (struct vcpu **)((char *)vm + far);
	vm->platform.irqchip.n = (uint8_t)n_vcpus;
	vm->platform.extras = extras;
	zero_words((char *)vm + start, (end - start) / 8);
	if (!place_vcpus(vm, &packer) || (far != start && !place_platform(vm, &packer))) {
		each_part_frame(vm, free_visited, NULL);
		return false;
	}
	if (align_up(packer.used, XSAVE_ALIGN) + area <= PAGE_SIZE)
		vm->vcpu->xsave_area = pack(&packer, area);
	return true;
}

struct platform_extras vm_extras(const struct vm_config *config)
{
	return (struct platform_extras){
		.has_legacy = config->has_pic || config->has_pit || config->has_hpet ||
			      config->has_pm_timer || config->has_watchdog,
		.has_nvdimms = vm_has_nvdimms(config),
		.n_slots = config->dimm_slots & 0x1ff,
		.n_virtio = config->n_virtio & VIRTIO_DEVICES_MAX,
	};
}

/* place_parts() for most clones: all parts lie beside the struct, as the template's do. */
static inline void place_alike(struct vm *vm, const struct vm *template)
{
	size_t area = (size_t)((char *)template->vcpu->xsave_area - (char *)template);

	vm->n_vcpus = 1;
	vm->platform.irqchip.n = 1;
	vm->platform.extras = template->platform.extras;
	vm->vcpu = (struct vcpu *)((char *)vm + ((char *)template->vcpu - (char *)template));
	vm->vcpu->xsave_area = area < PAGE_SIZE ? (char *)vm + area : NULL;
}

#define SHARED_FRAMES (align_up(sizeof(struct vm_shared), PAGE_SIZE) / PAGE_SIZE)

struct vm *vm_allocate(const struct vm_config *config, struct vm_shared **ret_shared)
{
	phys_t shared = frame_alloc_vm_run(SHARED_FRAMES);
	phys_t frame = shared != 0 ? frame_alloc_zeroed() : 0;
	struct vm *vm = phys_to_virt(frame);

	if (frame != 0 && place_parts(vm, config->topology.n_cpus, vm_extras(config))) {
		*ret_shared = phys_to_virt(shared);
		zero_words(*ret_shared, sizeof(struct vm_shared) / 8);
		vm->mem = &(*ret_shared)->mem;
		if (vm_take_areas(vm))
			return vm;
		each_part_frame(vm, free_visited, NULL);
	}
	if (frame != 0)
		frame_free(frame);
	if (shared != 0)
		frame_free_vm_run(shared, SHARED_FRAMES);
	return NULL;
}

struct vm *vm_allocate_clone(struct vm *template)
{
	phys_t frame = frame_alloc();
	struct vm *vm = phys_to_virt(frame);

	enum { START = offsetof(struct vm, share.last), END = offsetof(struct vm, output.name) };

	_Static_assert(START % 8 == 0 && END % 8 == 0, "words");
	if (frame == 0)
		return NULL;
	vm->share.turn.at = 0;
	zero_words((char *)vm + START, (END - START) / 8);
	vm->input.head = vm->input.tail = 0;
	vm->line.len = vm->line.source = 0;
	vm->template = template;
	if (template->n_vcpus == 1 && !platform_has_more(template->platform.extras)) {
		place_alike(vm, template);
		return vm;
	}
	if (place_parts(vm, template->n_vcpus, template->platform.extras))
		return vm;
	frame_free(frame);
	return NULL;
}

/* What a VM of the configuration shares with its clones begins with its memory map. */
_Static_assert(offsetof(struct vm_shared, mem) == 0, "vm_free() frees it there");

void vm_free(struct vm *vm)
{
	if (vm->template == NULL)
		frame_free_vm_run(virt_to_phys(vm->mem), SHARED_FRAMES);
	each_part_frame(vm, free_visited, NULL);
	frame_free(virt_to_phys(vm));
}

void vm_each_frame(struct vm *vm, void (*visit)(void *context, phys_t frame), void *context)
{
	for (unsigned i = 0; vm->template == NULL && i < SHARED_FRAMES; i++)
		visit(context, virt_to_phys(vm->mem) + i * PAGE_SIZE);
	each_part_frame(vm, visit, context);
	visit(context, virt_to_phys(vm));
}

struct vm *vm_find(unsigned index)
{
	struct vm *vm = vms;

	while (vm && vm->index != index)
		vm = vm->next;
	return vm;
}

/* Add the VM to 'vms', where most new ones come last. */
static void add_by_index(struct vm *vm)
{
	struct vm **link = vms_end;

	while (link != &vms) {
		struct vm *before = (struct vm *)((char *)link - offsetof(struct vm, next));

		if (before->index < vm->index)
			break;
		link = before->link;
	}
	vm->next = *link;
	vm->link = link;
	*link = vm;
	if (vm->next)
		vm->next->link = &vm->next;
	else
		vms_end = &vm->next;
}

static void set_first(struct new_vms *of, struct vm *first)
{
	__atomic_store_n(&of->first, first, __ATOMIC_RELAXED);
}

static void take_new(struct new_vms *from)
{
	lock_acquire(&from->lock);
	for (struct vm *vm = from->first, *next; vm; vm = next) {
		next = vm->next;
		__atomic_store_n(&vm->listed_on, 0, __ATOMIC_RELAXED);
		add_by_index(vm);
	}
	set_first(from, NULL);
	lock_release(&from->lock);
}

void vms_gather(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (__atomic_load_n(&cpus[i]->new_vms.first, __ATOMIC_RELAXED) != NULL)
			take_new(&cpus[i]->new_vms);
}

struct lock *vm_lock_list(const struct vm *vm)
{
	uint16_t on = __atomic_load_n(&vm->listed_on, __ATOMIC_RELAXED);

	if (on != 0) {
		struct new_vms *list = &cpus[on - 1]->new_vms;

		lock_acquire(&list->lock);
		if (__atomic_load_n(&vm->listed_on, __ATOMIC_RELAXED) == on)
			return &list->lock;
		lock_release(&list->lock);
	}
	/* Others stay where they are: they shall end without this lock. */
	lock_acquire(&vms_lock);
	return &vms_lock;
}

static void unlist_new(struct new_vms *from, const struct vm *vm)
{
	if (from->first == vm)
		set_first(from, vm->next);
	else
		*vm->link = vm->next;
	if (vm->next)
		vm->next->link = vm->link;
	else
		from->end = vm->link;
}

static void unlist_old(const struct vm *vm)
{
	for (unsigned i = 0; i < N_VMS_WALKS; i++)
		if (vms_cursor[i] == vm)
			vms_cursor[i] = vm->next;
	*vm->link = vm->next;
	if (vm->next)
		vm->next->link = vm->link;
	else
		vms_end = vm->link;
}

void vm_unlist(struct vm *vm)
{
	if (vm->link == NULL)
		return;
	if (vm->listed_on != 0)
		unlist_new(&cpus[vm->listed_on - 1]->new_vms, vm);
	else
		unlist_old(vm);
	vm->link = NULL;
}

static inline void list(struct vm *vm)
{
	struct cpu *cpu = this_cpu();
	struct new_vms *list = &cpu->new_vms;

	if (vm->template)
		__atomic_fetch_add(&vm->template->n_holds, 1, __ATOMIC_RELAXED);
	vm->next = NULL;
	vm->listed_on = (uint16_t)(cpu->index + 1);
	lock_acquire(&list->lock);
	if (list->first == NULL) {
		vm->link = &list->first;
		set_first(list, vm);
	} else {
		vm->link = list->end;
		*list->end = vm;
	}
	list->end = &vm->next;
	lock_release(&list->lock);
}

void vm_list(struct vm *vm)
{
	list(vm);
}

/* Out of line, so that a VM with one vCPU saves fewer registers. */
static __attribute__((noinline)) void add_all(struct vm *vm)
{
	vm_add_vcpus(vm, 0);
}

void vm_start(struct vm *vm)
{
	bool has_others = vm_has_others(vm);

	/* Before other processors find it, and so may make the others. */
	if (!has_others)
		vm->others = VM_OTHERS_STARTED;
	list(vm);
	if (has_others && vm->n_vcpus > 1)
		add_all(vm);
	else
		sched_add(vm->vcpu, 1);
}

void vm_kick_receivers(struct vm *vm)
{
	struct irqchip *chip = &vm->platform.irqchip;

	for (int i = irqchip_take_kick(chip); i >= 0; i = irqchip_take_kick(chip))
		sched_request(vm_vcpu(vm, i), VCPU_REQUEST_EVENT);
}

void vm_pause(struct vm *vm, bool on)
{
	if (!vm_has_others(vm))
		vm_make_others(vm);
	if (!on)
		vm_tell_again(vm, VM_TOLD_PAUSED);
	if (on != vm_is_paused(vm))
		vm_tell_news(vm, on ? NEWS_STOP : NEWS_RESUME, "");
	for (unsigned i = 0; i < vm->n_vcpus && !on; i++)
		vcpu_request(vm_vcpu(vm, i), VCPU_REQUEST_RESUMED);
	for (unsigned i = 0; i < vm->n_vcpus; i += VM_VCPUS_TOGETHER)
		sched_pause(vm_vcpu(vm, i), vm_n_together(vm, i), on);
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	/* Release: vm_gathered() sees what was written before, such as the outcome. */
	__atomic_fetch_or(&vm->actions, action, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		sched_request(vm_vcpu(vm, i), VCPU_REQUEST_GATHER);
}

void vm_reset(struct vm *vm)
{
	if (vm->platform.job_port.is_there)
		vm_end(vm, VM_FAILED, "reset, and it runs a job");
	else if (vm->config->no_reboot)
		vm_end(vm, VM_FAILED, "reset, and -no-reboot is given");
	else
		vm_gather(vm, VM_RESET);
}

void vm_press_power_button(struct vm *vm)
{
	vm_tell_news(vm, NEWS_POWERDOWN, "");
	sched_request(vm->vcpu, VCPU_REQUEST_BUTTON);
}

void vm_deliver_press(struct vm *vm)
{
	uint32_t requests = __atomic_fetch_and(&vm->vcpu->regs.requests,
					       ~(uint32_t)VCPU_REQUEST_BUTTON, __ATOMIC_ACQUIRE);

	if (!(requests & VCPU_REQUEST_BUTTON))
		return;
	vm_lock_devices(vm);
	platform_press_power_button(&vm->platform);
	vm_unlock_devices(vm);
}

static bool end_v(struct vm *vm, enum vm_outcome outcome, struct vcpu *crashed, const char *fmt,
		  va_list args)
{
	if (__atomic_exchange_n(&vm->is_ending, true, __ATOMIC_RELAXED))
		return false;
	format_v(vm->why, sizeof(vm->why), fmt, args);
	vm->crashed = crashed;
	__atomic_store_n(&vm->outcome, outcome, __ATOMIC_RELAXED);
	vm_gather(vm, VM_END);
	return true;
}

bool vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
{
	va_list args;
	bool is_first;

	va_start(args, fmt);
	is_first = end_v(vm, outcome, NULL, fmt, args);
	va_end(args);
	return is_first;
}

bool vm_crash(struct vm *vm, const char *fmt, ...)
{
	va_list args;
	bool is_first;

	va_start(args, fmt);
	is_first = end_v(vm, VM_FAILED, this_cpu()->current, fmt, args);
	va_end(args);
	return is_first;
}
