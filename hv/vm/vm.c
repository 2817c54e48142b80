/* SPDX-License-Identifier: BSD-2-Clause */
/* The structs of VMs: allocation, the list of VMs, and requests to all vCPUs of a VM. */
#include "hv/vm/vm.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/news.h"

struct vm *vms;
static struct vm **vms_end = &vms;
struct lock vms_lock;
struct vm *vms_cursor[N_VMS_WALKS];
struct vm_totals vm_totals;

_Static_assert(offsetof(struct vm, share) == 0, "hv/vcpu/sched.c casts");
_Static_assert(SHARE_WEIGHT_DEFAULT == VM_WEIGHT_DEFAULT, "a room below config needs it");

/* Frames for so many bytes: usually one, which is there if any is. NULL: there are none. */
static void *take_frames(size_t size)
{
	uint64_t n = align_up(size, PAGE_SIZE) / PAGE_SIZE;
	phys_t frames = n == 1 ? frame_alloc() : frame_alloc_vm_run(n);

	return frames != 0 ? phys_to_virt(frames) : NULL;
}

static void give_frames(void *start, size_t size)
{
	uint64_t n = align_up(size, PAGE_SIZE) / PAGE_SIZE;

	if (n == 1)
		frame_free(virt_to_phys(start));
	else
		frame_free_vm_run(virt_to_phys(start), n);
}

/* From one XSAVE area to the next, in bytes. */
static size_t xsave_stride(void)
{
	return align_up(vcpu_shared.cpuid.basic[0xd].ecx, XSAVE_ALIGN);
}

/* XSAVE areas that share a frame, or the one that has several. */
static unsigned areas_together(void)
{
	size_t stride = xsave_stride();

	return stride < PAGE_SIZE ? (unsigned)(PAGE_SIZE / stride) : 1;
}

/* What lies in the frames of a struct vm, in bytes from its start; 0: in frames of its own. */
struct vm_layout {
	size_t vcpus, areas;
	uint64_t n_frames;
};

/*
 * The platform follows the struct. So do the vCPUs, and then their XSAVE areas, if one frame has
 * room for all. Otherwise they have frames of their own, so that memory in pieces will do, unless
 * the vCPUs are too many for a single frame anyway.
 */
static struct vm_layout lay_out(unsigned n_vcpus, struct platform_extras extras)
{
	size_t end = offsetof(struct vm, platform) + platform_size(n_vcpus, extras);
	size_t vcpus_end = end + n_vcpus * sizeof(struct vcpu);
	size_t areas = align_up(vcpus_end, XSAVE_ALIGN);
	bool are_many = n_vcpus * sizeof(struct vcpu) > PAGE_SIZE;
	struct vm_layout layout = {0};

	if (vcpus_end <= PAGE_SIZE || are_many) {
		layout.vcpus = end;
		end = vcpus_end;
	}
	if (areas + n_vcpus * xsave_stride() <= PAGE_SIZE || are_many) {
		layout.areas = areas;
		end = areas + n_vcpus * xsave_stride();
	}
	layout.n_frames = align_up(end, PAGE_SIZE) / PAGE_SIZE;
	return layout;
}

/* That of all clones, as lay_out() has made it. */
static struct vm_layout layout_of(const struct vm *template)
{
	if (template->n_vcpus == 1 && template->vcpus_at)
		return (struct vm_layout){template->vcpus_at, template->areas_at, 1};
	return lay_out(template->n_vcpus, template->platform.extras);
}

/* Free those of the first n vCPUs. */
static void free_areas(struct vm *vm, unsigned n)
{
	for (unsigned i = 0; i < n; i += areas_together())
		give_frames(vm->vcpu[i].xsave_area, xsave_stride());
}

static __attribute__((noinline)) bool allocate_areas(struct vm *vm)
{
	size_t stride = xsave_stride();
	char *area = NULL;

	for (unsigned i = 0; i < vm->n_vcpus; i++, area += stride) {
		if (i % areas_together() == 0)
			area = take_frames(stride);
		if (area == NULL) {
			free_areas(vm, i);
			return false;
		}
		vm->vcpu[i].xsave_area = area;
	}
	return true;
}

/* Inline, because it is in the way of each clone. */
static inline __attribute__((always_inline)) bool place_areas(struct vm *vm)
{
	char *area = (char *)vm + vm->areas_at;

	if (vm->areas_at == 0)
		return allocate_areas(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++, area += xsave_stride())
		vm->vcpu[i].xsave_area = area;
	return true;
}

static void free_vcpus(struct vm *vm)
{
	if (vm->vcpus_at == 0)
		give_frames(vm->vcpu, vm->n_vcpus * sizeof(struct vcpu));
}

/* Set what leads to the vCPUs. False: memory for them is lacking. */
static bool place_vcpus(struct vm *vm, const struct vm_layout *layout, unsigned n_vcpus)
{
	vm->n_frames = (unsigned)layout->n_frames;
	vm->n_vcpus = n_vcpus;
	vm->vcpus_at = (uint32_t)layout->vcpus;
	vm->areas_at = (uint32_t)layout->areas;
	vm->vcpu = layout->vcpus ? (struct vcpu *)((char *)vm + layout->vcpus)
				 : take_frames(n_vcpus * sizeof(struct vcpu));
	return vm->vcpu != NULL;
}

unsigned vm_next_index(void)
{
	static unsigned next;

	return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
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

struct vm *vm_allocate(const struct vm_config *config, struct vm_shared **ret_shared)
{
	unsigned n_vcpus = config->topology.n_cpus;
	struct vm_layout layout = lay_out(n_vcpus, vm_extras(config));
	size_t shared = layout.n_frames * PAGE_SIZE;
	size_t size = align_up(shared + sizeof(struct vm_shared), PAGE_SIZE);
	struct vm *vm = take_frames(size);

	if (vm == NULL)
		return NULL;
	zero_words(vm, size / 8);
	layout.n_frames = size / PAGE_SIZE;
	if (place_vcpus(vm, &layout, n_vcpus)) {
		zero_words(vm->vcpu, n_vcpus * sizeof(struct vcpu) / 8);
		*ret_shared = (struct vm_shared *)((char *)vm + shared);
		if (place_areas(vm))
			return vm;
		free_vcpus(vm);
	}
	give_frames(vm, size);
	return NULL;
}

struct vm *vm_allocate_clone(const struct vm *template)
{
	struct vm_layout layout = layout_of(template);
	struct vm *vm = take_frames(layout.n_frames * PAGE_SIZE);

	_Static_assert(offsetof(struct vm, ept) % 8 == 0, "words");
	if (vm == NULL)
		return NULL;
	zero_words(vm, offsetof(struct vm, ept) / 8);
	vm->input.head = vm->input.tail = 0;
	vm->line.len = vm->line.source = 0;
	if (place_vcpus(vm, &layout, template->n_vcpus)) {
		if (place_areas(vm))
			return vm;
		free_vcpus(vm);
	}
	give_frames(vm, layout.n_frames * PAGE_SIZE);
	return NULL;
}

void vm_free(struct vm *vm)
{
	if (vm->areas_at == 0)
		free_areas(vm, vm->n_vcpus);
	free_vcpus(vm);
	give_frames(vm, vm->n_frames * PAGE_SIZE);
}

static void visit_frames(const void *start, size_t size, void (*visit)(void *, phys_t),
			 void *context)
{
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		visit(context, virt_to_phys((const char *)start + at));
}

void vm_each_frame(const struct vm *vm, void (*visit)(void *context, phys_t frame), void *context)
{
	visit_frames(vm, vm->n_frames * PAGE_SIZE, visit, context);
	if (vm->vcpus_at == 0)
		visit_frames(vm->vcpu, vm->n_vcpus * sizeof(struct vcpu), visit, context);
	for (unsigned i = 0; vm->areas_at == 0 && i < vm->n_vcpus; i += areas_together())
		visit_frames(vm->vcpu[i].xsave_area, xsave_stride(), visit, context);
}

struct vm *vm_find(unsigned index)
{
	struct vm *vm = vms;

	while (vm && vm->index != index)
		vm = vm->next;
	return vm;
}

void vm_unlist(struct vm *vm)
{
	if (vm->link == NULL)
		return;
	for (unsigned i = 0; i < N_VMS_WALKS; i++)
		if (vms_cursor[i] == vm)
			vms_cursor[i] = vm->next;
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
	if (vm->template)
		vm->template->n_holds++;
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

void vm_kick_receivers(struct vm *vm)
{
	struct irqchip *chip = &vm->platform.irqchip;

	for (int i = irqchip_take_kick(chip); i >= 0; i = irqchip_take_kick(chip))
		sched_request(&vm->vcpu[i], VCPU_REQUEST_EVENT);
}

void vm_pause(struct vm *vm, bool on)
{
	if (!on)
		vm_tell_again(vm, VM_TOLD_PAUSED);
	if (on != vm_is_paused(vm))
		vm_tell_news(vm, on ? NEWS_STOP : NEWS_RESUME, "");
	for (unsigned i = 0; i < vm->n_vcpus && !on; i++)
		vcpu_request(&vm->vcpu[i], VCPU_REQUEST_RESUMED);
	sched_pause(vm->vcpu, vm->n_vcpus, on);
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	/* Release: vm_gathered() sees what was written before, such as the outcome. */
	__atomic_fetch_or(&vm->actions, action, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		sched_request(&vm->vcpu[i], VCPU_REQUEST_GATHER);
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
