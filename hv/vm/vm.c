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

/* Offsets of what follows a struct vm, in bytes. */
struct vm_layout {
	size_t vcpus, xsave_areas, shared;
};

_Static_assert(offsetof(struct vm, share) == 0, "hv/vcpu/sched.c casts");
_Static_assert(SHARE_WEIGHT_DEFAULT == VM_WEIGHT_DEFAULT, "a room below config needs it");

static size_t xsave_stride(void)
{
	return align_up(vcpu_shared.cpuid.basic[0xd].ecx, XSAVE_ALIGN);
}

static struct vm_layout lay_out(unsigned n_vcpus, struct platform_extras extras)
{
	struct vm_layout layout;

	layout.vcpus = offsetof(struct vm, platform) + platform_size(n_vcpus, extras);
	layout.xsave_areas = align_up(layout.vcpus + n_vcpus * sizeof(struct vcpu), XSAVE_ALIGN);
	layout.shared = align_up(layout.xsave_areas + n_vcpus * xsave_stride(), PAGE_SIZE);
	return layout;
}

static phys_t allocate_frames(uint64_t n_frames)
{
	return n_frames == 1 ? frame_alloc() : frame_alloc_vm_run(n_frames);
}

/* Set what leads from the struct to what follows it. */
static void link_parts(struct vm *vm, uint64_t n_frames, unsigned n_vcpus,
		       const struct vm_layout *layout)
{
	size_t stride = xsave_stride();
	char *area = (char *)vm + layout->xsave_areas;

	vm->n_frames = (unsigned)n_frames;
	vm->n_vcpus = n_vcpus;
	vm->vcpu = (struct vcpu *)((char *)vm + layout->vcpus);
	for (unsigned i = 0; i < n_vcpus; i++, area += stride)
		vm->vcpu[i].xsave_area = area;
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
	uint64_t size = align_up(layout.shared + sizeof(struct vm_shared), PAGE_SIZE);
	phys_t frames = allocate_frames(size / PAGE_SIZE);
	struct vm *vm = phys_to_virt(frames);

	if (frames == 0)
		return NULL;
	zero_words(vm, size / 8);
	link_parts(vm, size / PAGE_SIZE, n_vcpus, &layout);
	*ret_shared = (struct vm_shared *)((char *)vm + layout.shared);
	return vm;
}

/* That of all its clones, as lay_out() has made it. */
static struct vm_layout layout_of(const struct vm *template)
{
	const char *start = (const char *)template,
		   *areas = (const char *)template->vcpu->xsave_area;
	size_t end = (size_t)(areas - start) + template->n_vcpus * xsave_stride();

	return (struct vm_layout){
		.vcpus = (size_t)((const char *)template->vcpu - start),
		.xsave_areas = (size_t)(areas - start),
		.shared = align_up(end, PAGE_SIZE),
	};
}

struct vm *vm_allocate_clone(const struct vm *template)
{
	struct vm_layout layout = layout_of(template);
	phys_t frames = allocate_frames(layout.shared / PAGE_SIZE);
	struct vm *vm = phys_to_virt(frames);

	_Static_assert(offsetof(struct vm, ept) % 8 == 0, "words");
	if (frames == 0)
		return NULL;
	zero_words(vm, offsetof(struct vm, ept) / 8);
	vm->input.head = vm->input.tail = 0;
	vm->line.len = vm->line.source = 0;
	link_parts(vm, layout.shared / PAGE_SIZE, template->n_vcpus, &layout);
	return vm;
}

void vm_free(struct vm *vm)
{
	if (vm->n_frames == 1)
		frame_free(virt_to_phys(vm));
	else
		frame_free_vm_run(virt_to_phys(vm), vm->n_frames);
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
		news_tell(vm->name, on ? NEWS_STOP : NEWS_RESUME, "");
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
	news_tell(vm->name, NEWS_POWERDOWN, "");
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
