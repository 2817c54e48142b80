/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with one processor for hosted programs: the loop of the processor, scheduler, exit
 * handlers, events, templates and console are those of the machine; this file plays the processor,
 * up to its guests. An includer defines run_guest(), cpu_wait(), keys_poll(), rendezvous_pass(),
 * the UART, and gdb_poll() unless it is the machine's.
 */
#pragma once

#include <stdlib.h>

#include <asm/prctl.h>

#include "hv/config/read.h"
#include "hv/devices/lapic_timer.h"
#include "hv/frame/phys.h"
#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/interrupt.h"
#include "hv/host/io.h"
#include "hv/host/keyboard.h"
#include "hv/host/policy.h"
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/processor.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vcpu/virtual_apic.h"
#include "hv/vm/build.h"
#include "hv/vm/bury.h"
#include "hv/vm/checksum.h"
#include "hv/vm/hold.h"
#include "hv/vm/output.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"
#include "tests/fuzz/machine/machine.h"
#include "tests/unit/support.h"
#include "tests/unit/vm_state_vm.h"

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

/* Times in ticks of 10 ns. An exit takes as long as on a slow machine: a slice has few then. */
#define TSC_HZ		UINT64_C(100000000)
#define US		(TSC_HZ / 1000000)
#define BLOCKS_PER_TICK 2
#define EXIT_TICKS	(10 * US)
#define START		BIT(32)

#define ARENA	  MIB(2)
#define N_FRAMES  4096
#define FILE_SIZE KIB(64)
#define DIMMS	  GIB(4)

struct machine machine;
struct cpu *cpus[CPU_MAX];
unsigned n_cpus;
uint64_t tsc_hz = TSC_HZ;
struct policy host_policy;
uint32_t vmx_guards;
const char vmx_exit[1], vmx_exit_guarded[1];

static struct cpu cpu;
static struct config config;
static uint64_t alarm_at;

/* The guest of the loaded vCPU runs until it exits: the reason. */
static uint32_t run_guest(struct vcpu *vcpu);

/* ---- time ---- */

/* Called for each basic block of the machine's files. */
void __wrap___sanitizer_cov_trace_pc(void);
void __wrap___sanitizer_cov_trace_pc(void)
{
	if (++machine.n_blocks < BLOCKS_PER_TICK)
		return;
	machine.n_blocks = 0;
	machine.tsc++;
}

void host_apic_timer_set(uint64_t deadline)
{
	alarm_at = deadline;
}

static void wait_for_alarm(void)
{
	assert(alarm_at != UINT64_MAX);
	if (machine.tsc < alarm_at)
		machine.tsc = alarm_at;
}

/* ---- the processor in guests ---- */

static uint64_t field(enum vmcs_field field)
{
	return vmcs_read(field);
}

#define RFLAGS_IF BIT(9)
#define RFLAGS_RF BIT(16)
#define SHADOW	  (BLOCKING_STI | BLOCKING_MOV_SS)

/* SDM vol. 3, "VM-Entry Control Fields" and "Checks on Guest RIP, RFLAGS, and SSP". */
static void check_event(uint64_t info)
{
	uint64_t type = info & INTR_TYPE, blocking = field(VMCS_GUEST_INTERRUPTIBILITY);

	if (type == INTR_TYPE_EXTERNAL)
		assert(field(VMCS_GUEST_RFLAGS) & RFLAGS_IF && !(blocking & SHADOW));
	if (type == INTR_TYPE_NMI)
		assert((info & INTR_VECTOR) == 2 && !(blocking & (BLOCKING_MOV_SS | BLOCKING_NMI)));
	if (type == INTR_TYPE_HARDWARE)
		assert((info & INTR_VECTOR) < 32);
	if (info & INTR_HAS_ERROR_CODE)
		assert(type == INTR_TYPE_HARDWARE && field(VMCS_GUEST_CR0) & CR0_PE);
	assert(!(info & (INTR_NMI_UNBLOCKING | BITS(30, 13))) && type != BITS(8, 8));
}

/* Returns what was injected; 0: nothing. */
static uint64_t take_event(void)
{
	uint64_t info = field(VMCS_ENTRY_INTR_INFO), blocking = field(VMCS_GUEST_INTERRUPTIBILITY);

	if (!(info & INTR_VALID))
		return 0;
	check_event(info);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	blocking &= ~SHADOW;
	if ((info & INTR_TYPE) == INTR_TYPE_NMI)
		blocking |= BLOCKING_NMI;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking);
	return info;
}

/* When the guest exits by itself at the latest. */
static uint64_t next_alarm(void)
{
	return vcpu_has_preemption_timer() ? machine.tsc + (field(VMCS_PREEMPTION_TIMER)
							    << vcpu_shared.preemption_shift)
					   : alarm_at;
}

static uint32_t ring(uint64_t at)
{
	if (machine.tsc < at)
		machine.tsc = at;
	return vcpu_has_preemption_timer() ? EXIT_PREEMPTION_TIMER : EXIT_EXTERNAL_INTERRUPT;
}

/* The guest computes for some ticks. True: it has exited, for '*reason'. */
static bool compute(uint64_t ticks, uint32_t *reason)
{
	uint64_t at = next_alarm();

	if (machine.tsc + ticks < at) {
		machine.tsc += ticks;
		vmcs_write(VMCS_PREEMPTION_TIMER,
			   (at - machine.tsc) >> vcpu_shared.preemption_shift);
		return false;
	}
	*reason = ring(at);
	return true;
}

/* Windows and traps that come before the next instruction. True: the guest has exited. */
static bool exits_first(uint32_t *reason)
{
	uint64_t blocking = field(VMCS_GUEST_INTERRUPTIBILITY);
	uint32_t controls = (uint32_t)field(VMCS_PROC_CONTROLS);
	uint64_t pending = field(VMCS_GUEST_PENDING_DEBUG);

	if (pending & PENDING_BS && !(blocking & BLOCKING_MOV_SS)) {
		vmcs_write(VMCS_EXIT_INTR_INFO, VECTOR_DB | INTR_TYPE_HARDWARE | INTR_VALID);
		vmcs_write(VMCS_EXIT_QUAL, PENDING_BS);
		vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
		*reason = EXIT_EXCEPTION_NMI;
		return true;
	}
	if (controls & PROC_NMI_WINDOW && !(blocking & (BLOCKING_NMI | BLOCKING_MOV_SS)))
		*reason = EXIT_NMI_WINDOW;
	else if (controls & PROC_INTERRUPT_WINDOW && !(blocking & SHADOW) &&
		 field(VMCS_GUEST_RFLAGS) & RFLAGS_IF)
		*reason = EXIT_INTERRUPT_WINDOW;
	else
		return false;
	return true;
}

/* One instruction runs to its end: the shadow of the one before is over. */
static void retire(void)
{
	uint64_t blocking = field(VMCS_GUEST_INTERRUPTIBILITY);

	vmcs_write(VMCS_GUEST_RIP, field(VMCS_GUEST_RIP) + 1);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~SHADOW);
}

enum { MSR_BITMAP = 1 << 12, MSR_BITMAP_EOI = 2 << 12, MSR_BITMAP_TPR = 3 << 12 }; /* addresses */

static uint32_t *in_service(unsigned vector)
{
	uint32_t *page = phys_to_virt(cpu.virtual_apic);

	return &page[(VIRTUAL_APIC_ISR + 16 * (vector / 32)) / sizeof(*page)];
}

static unsigned highest_in_service(void)
{
	unsigned vector = 255;

	while (vector && !(*in_service(vector) >> vector % 32 & 1))
		vector--;
	return vector;
}

/* What a VM entry with virtual-interrupt delivery relies on. */
static void check_virtual_apic(const struct vcpu *vcpu)
{
	unsigned svi = (unsigned)field(VMCS_GUEST_INTERRUPT_STATUS) >> 8;

	assert((field(VMCS_GUEST_INTERRUPT_STATUS) & 0xff) == 0);
	assert(svi == highest_in_service());
	assert(svi == 0 || vcpu->lapic->is_lent);
	if (field(VMCS_MSR_BITMAP) != MSR_BITMAP)
		assert(lapic_is_x2apic(vcpu->lapic));
	else
		assert(svi == 0);
	assert((field(VMCS_MSR_BITMAP) == MSR_BITMAP_TPR) ==
	       !(field(VMCS_PROC_CONTROLS) & PROC_CR8_LOAD));
	if (field(VMCS_MSR_BITMAP) == MSR_BITMAP_TPR)
		assert(vcpu->lapic->is_lent && vcpu->lapic->uses_tpr);
}

/* The processor finds the vCPU's tree as it is now, by the tree's root or by its own. */
static void check_root(const struct vcpu *vcpu)
{
	const struct ept *ept = vcpu->ept;
	bool has_root = ept->owns_root || !(ept->top & EPT_OWN);

	assert(vcpu->ept_generation == ept->generation);
	assert(field(VMCS_EPTP) == vmx_eptp(has_root ? ept->root : cpu.ept_root));
	assert(has_root || *(uint64_t *)phys_to_virt(cpu.ept_root) == ept->top);
}

/* What a revert copies, except the other parts of some platforms. The first vCPUs are in it. */
struct devices {
	uint8_t first[offsetof(struct platform, fw_cfg.identity)];
	uint8_t last[sizeof(struct platform) - offsetof(struct platform, rtc) +
		     IRQCHIP_NEAR * sizeof(struct lapic)];
};

/* What is lent lies elsewhere, and leaves stale bytes here. */
static void forget_stale(uint8_t *last, const struct platform *platform)
{
	const struct ioapic *ioapic = &platform->irqchip.ioapic;
	const struct ioapic lent = {.is_lent = true, .asserted = ioapic->asserted};

	if (ioapic->is_lent)
		memcpy(last + ((const uint8_t *)ioapic - (const uint8_t *)&platform->rtc), &lent,
		       sizeof(lent));
	if (platform->rtc_is_lent)
		memset(last, 0, sizeof(platform->rtc));
}

static void copy_devices(struct devices *to, const struct vm *vm)
{
	size_t n = irqchip_n_near(vm->platform.irqchip.n) * sizeof(struct lapic);

	memset(to, 0, sizeof(*to));
	memcpy(to->first, &vm->platform, sizeof(to->first));
	memcpy(to->last, &vm->platform.rtc,
	       sizeof(struct platform) - offsetof(struct platform, rtc) + n);
	forget_stale(to->last, &vm->platform);
}

/* The devices of the latest clone that has been reverted, as each of its reverts leaves them. */
static struct {
	const struct vm *of;
	uint32_t number;
	struct devices devices;
} reverted;

/* Without a request the guest continues at once: nothing may be due. */
static void check_calm(const struct vcpu *vcpu)
{
	const struct vcpu_guest *guest = &vcpu->guest;
	const struct lapic *lapic = vcpu->lapic;

	assert(!(guest->event & INTR_VALID) && !guest->waits_for_sipi && !vcpu->is_stepping);
	assert(!lapic_has_event(lapic) && !lapic->is_lent && lapic->deadline == LAPIC_NO_DEADLINE);
	assert(!(field(VMCS_PROC_CONTROLS) & (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)));
	assert(!kvm_msrs_are_busy(&guest->kvm));
}

/* Each revert leaves the same, however few of the devices it has copied. */
static void check_revert(const struct vcpu *vcpu, const struct devices *after)
{
	const struct vm *vm = vcpu->vm;

	if (reverted.of == vm && reverted.number == vm->number)
		assert(memcmp(after, &reverted.devices, sizeof(*after)) == 0);
	reverted.of = vm;
	reverted.number = vm->number;
	reverted.devices = *after;
	if (vcpu->regs.requests == 0)
		check_calm(vcpu);
}

/* Whether the exit may revert the vCPU at once, for which devices_changed must be as it is. */
static bool may_revert(const struct vcpu *vcpu, uint32_t reason)
{
	return vcpu->vm->n_vcpus == 1 && vcpu->vm->template != NULL && reason == EXIT_IO &&
	       field(VMCS_EXIT_QUAL) >> 16 == CONTROL_PORT;
}

/* A revert relies on devices_changed. */
static void handle_exit(struct vcpu *vcpu, uint32_t reason)
{
	static struct devices before, after;
	struct vm *vm = vcpu->vm;
	bool had_changed = vm->devices_changed;
	uint32_t n_reverts = vm->platform.control.n_reverts;

	copy_devices(&before, vm);
	vm->devices_changed = had_changed && may_revert(vcpu, reason);
	vmx_exited(&vcpu->regs, reason);
	copy_devices(&after, vm);
	if (vm->platform.control.n_reverts != n_reverts) {
		check_revert(vcpu, &after);
		return;
	}
	assert(vm->devices_changed || memcmp(&before, &after, sizeof(before)) == 0);
	vm->devices_changed |= had_changed;
}

enum vmx_result vmx_run(struct guest_regs *regs)
{
	struct vcpu *vcpu = (struct vcpu *)regs;

	do {
		machine.tsc += EXIT_TICKS;
		vmcs_write(VMCS_IDT_VECTORING_INFO, 0);
		check_virtual_apic(vcpu);
		check_root(vcpu);
		handle_exit(vcpu, (uint32_t)run_guest(vcpu));
	} while (regs->requests == 0);
	return VMX_LEFT;
}

void vmcs_read_guest(struct vmcs_guest *ret)
{
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		ret->field[i] = vmcs_read((enum vmcs_field)vmcs_guest_fields[i]);
}

void vmcs_write_guest(const struct vmcs_guest *guest)
{
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++)
		vmcs_write((enum vmcs_field)vmcs_guest_fields[i], guest->field[i]);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
}

/* ---- the rest of the machine ---- */

void random_fill(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
}

uint16_t random_machine(void)
{
	return 1;
}

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

/* ---- set-up ---- */

/* A file of the ramdisk, in frames of its own. */
static void make_image(struct image *image, const char *path, uint64_t size)
{
	*image = (struct image){
		.path = path,
		.mode = 0644,
		.base = frame_alloc_run(size / PAGE_SIZE, PAGE_SIZE),
		.size = size,
		.aligned = true,
		.next = image + 1,
	};
	assert(image->base != 0);
}

static struct image images[4];

static void read_config(const char *text, const void *kernel, size_t size)
{
	static char memory[1 << 16] __attribute__((aligned(16)));
	struct arena arena = {.base = memory, .size = sizeof(memory)};
	struct diag diag = {.file = "f"};
	struct image_list list = {.first = images, .arena = &arena};

	make_image(&images[0], "/rom", FILE_SIZE);
	make_image(&images[1], "/cow", FILE_SIZE);
	make_image(&images[2], "/shared", FILE_SIZE);
	make_image(&images[3], "/k", size);
	images[3].next = NULL;
	memcpy(phys_to_virt(images[3].base), kernel, size);
	assert(config_parse(text, strlen(text), &arena, &diag, &config) == OK);
	assert(config_open(&config, &list, &diag) == OK);
}

static void set_up_vcpus(void)
{
	struct vmx_capability *capability = &vcpu_shared.capability;

	for (unsigned i = 0; i < N_CONTROL_WORDS; i++)
		capability->control[i] = (uint64_t)UINT32_MAX << 32;
	capability->ept_vpid = UINT64_MAX;
	assert(vmx_controls_choose(capability, &vcpu_shared.controls) == OK);
	vcpu_shared.preemption_shift = 5;
	vcpu_shared.clock_grain = tsc_hz / 20000;
	lapic_min_period = tsc_hz / 5000;
	vcpu_shared.cpuid = *state_host_cpuid();
	vcpu_shared.msr_bitmap = MSR_BITMAP;
	cpu.virtual_apic = frame_alloc_zeroed();
	cpu.ept_root = frame_alloc_zeroed();
}

/* A VMCS that no vCPU has used, of a processor with or without virtual EOI. */
static void make_vmcs_new(bool has_virtual_eoi)
{
	memset(machine.vmcs, 0, sizeof(machine.vmcs));
	vmcs_write(VMCS_MSR_BITMAP, MSR_BITMAP);
	memset(phys_to_virt(cpu.virtual_apic), 0, PAGE_SIZE);
	vcpu_shared.msr_bitmap_eoi = has_virtual_eoi ? MSR_BITMAP_EOI : 0;
	vcpu_shared.msr_bitmap_tpr = has_virtual_eoi ? MSR_BITMAP_TPR : 0;
	cpu.vmcs_of = NULL;
	cpu.eptp[0] = 0;
	cpu.has_in_service = false;
	cpu.msr_bitmap = vcpu_shared.msr_bitmap;
}

/* The VMs of this configuration, whose kernel is "/k" with these bytes, whole pages. */
static void set_up(const char *text, const void *kernel, size_t size)
{
	static const struct serial_port port = SERIAL_COM1;

	phys_arena(ARENA, N_FRAMES * PAGE_SIZE);
	frame_reset();
	frame_add_range(ARENA, N_FRAMES * PAGE_SIZE);
	assert(ept_setup() == OK);
	read_config(text, kernel, size);
	set_up_vcpus();
	machine.tsc = START;
	console_set_serial(&port);
	cpus[0] = &cpu;
	n_cpus = 1;
	cpu.self = &cpu;
	cpu.vmcs_made = true;
	arch_prctl(ARCH_SET_GS, &cpu);
}
