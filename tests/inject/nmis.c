/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject NMIs 20000": so many NMIs come to the only processor, each after a random time, and the
 * instructions that they interrupt are noted. The I/O APIC sends one when the 8254 has counted
 * down; the handler sets the next time. The machine's own devices do not come by that way.
 *
 * Half of them come while VMs run: each second VM exit leaves the loop of entry.asm, and the VM
 * "exits" ends with the last of these NMIs. The other half come when the VMs are gone, to what
 * fails and is caught, again and again: MSRs that do not exist, an interrupt, a VM entry without a
 * VMCS. The guarded loop does all that needs no newer microcode.
 */
#include "tests/inject/nmis.h"

#include "hv/frame/phys.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/processor.h"
#include "hv/vm/vm.h"
#include "hv/vmx/entry.h"
#include "tests/inject/inject.h"

enum { PIT_DATA = 0x40, PIT_COMMAND = 0x43, PIT_ONCE = 0x30 };
enum {
	LONGEST_WITH_VMS = 400,
	LONGEST_WITHOUT = 60
}; /* until the next NMI, in ticks of the 8254 */
enum { IO_APIC_SELECT = 0, IO_APIC_WINDOW = 4, IO_APIC_PIN_2 = 0x14, IO_APIC_NMI = 0x400 };
#define IO_APIC UINT64_C(0xfec00000)

/* SDM vol. 3, "x2APIC Register Address Space": there is no arbitration priority register. */
#define NO_MSR UINT32_C(0x809)

/* entry.asm, interrupt.asm, msr.asm */
enum { ENTRY_SIZE = 0x400, STUBS_SIZE = 0x1080, MSR_SIZE = 0x40 };
extern const char vmx_run_start[] __asm__("__real_vmx_run");
extern const char interrupt_stubs[], rdmsr_safe_start[] __asm__("rdmsr_safe");

/* By the offset of the instruction that comes next. */
static uint32_t entry_hits[ENTRY_SIZE], stub_hits[STUBS_SIZE], msr_hits[MSR_SIZE];

static const struct code {
	const char *name, *start;
	uint32_t *hits;
	unsigned size;
} codes[] = {
	{"vmx_run", vmx_run_start, entry_hits, ENTRY_SIZE},
	{"interrupt_stubs", interrupt_stubs, stub_hits, STUBS_SIZE},
	{"rdmsr_safe", rdmsr_safe_start, msr_hits, MSR_SIZE},
};

static uint64_t n_wanted, n_sent, n_come;
static unsigned longest = LONGEST_WITH_VMS;

static void send_later(void)
{
	uint64_t count = 1 + inject_random(longest);

	if (n_sent == n_wanted)
		return;
	n_sent++;
	outb(PIT_COMMAND, PIT_ONCE);
	outb(PIT_DATA, (uint8_t)count);
	outb(PIT_DATA, (uint8_t)(count >> 8));
}

static bool is_out(void)
{
	enum { PIT_READ_STATUS = 0xe2, PIT_OUT = 0x80 };

	outb(PIT_COMMAND, PIT_READ_STATUS);
	return inb(PIT_DATA) & PIT_OUT;
}

void inject_nmi(const struct interrupt_frame *frame)
{
	if (n_wanted == 0)
		return;
	for (const struct code *code = codes; code != codes + ARRAY_SIZE(codes); code++)
		if (frame->rip - (uintptr_t)code->start < code->size)
			code->hits[frame->rip - (uintptr_t)code->start]++;
	n_come++;
	assert(n_come == n_sent && is_out()); /* none comes twice, or by itself */
	send_later();
}

void __real_nmi_note(void);
void __wrap_nmi_note(void)
{
	if (n_wanted == 0)
		__real_nmi_note();
}

void __real_vmx_exited(struct guest_regs *regs, uint32_t reason);
void __wrap_vmx_exited(struct guest_regs *regs, uint32_t reason)
{
	struct vcpu *vcpu = (struct vcpu *)regs;

	__real_vmx_exited(regs, reason);
	if (n_wanted > 0 && vcpu_n_exits(vcpu) % 2 == 0)
		vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	if (n_wanted > 0 && n_come == n_wanted && strcmp(vm_name(vcpu->vm), "exits") == 0)
		vm_end(vcpu->vm, VM_ENDED_WELL, "all NMIs have come");
}

static void begin(void)
{
	volatile uint32_t *io_apic = phys_to_virt(IO_APIC);

	if (!inject_asked("NMIs ", &n_wanted))
		return;
	n_wanted /= 2;
	if (vmx_guards != 0)
		vmx_guards |= GUARD_VERW | GUARD_RSB_FILL | GUARD_RSB_ENTRY | GUARD_BHB_CLEAR;
	if (paging_map_device(IO_APIC, PAGE_SIZE, PAGING_UC) != OK)
		panic("no memory to map the I/O APIC");
	io_apic[IO_APIC_SELECT] = IO_APIC_PIN_2;
	io_apic[IO_APIC_WINDOW] = IO_APIC_NMI;
	send_later();
}

enum vmx_result __real_vmx_run(struct guest_regs *regs);

/* Nothing else uses the VMCS any more. */
static void fail_and_be_interrupted(const struct cpu *cpu)
{
	struct guest_regs none = {0};
	uint64_t value = 1;

	asm volatile("vmclear %0" : : "m"(cpu->vmcs) : "cc", "memory");
	longest = LONGEST_WITHOUT;
	n_wanted *= 2;
	send_later();
	while (n_come < n_wanted) {
		assert(!rdmsr_safe(NO_MSR, &value) && value == 1);
		assert(!wrmsr_safe(NO_MSR, 0));
		assert(rdmsr_safe(IA32_EFER, &value) && wrmsr_safe(IA32_EFER, value));
		asm volatile("int %0" : : "i"(VECTOR_WAKE) : "memory");
		assert(__real_vmx_run(&none) == VMX_FAIL_INVALID);
		value = 1;
		/* Bochs' clock moves in steps: a loop of one length would skip instructions. */
		for (uint64_t n = inject_random(8); n > 0; n--)
			asm volatile("nop");
	}
}

static void report_code(const struct code *code)
{
	for (unsigned i = 0; i < code->size; i++)
		if (code->hits[i] > 0)
			log_info("inject: at %s+%x: %u NMIs", code->name, i, code->hits[i]);
}

static void report(void)
{
	log_info("inject: NMIs sent: %lu, come: %lu", n_sent, n_come);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		report_code(&codes[i]);
}

void __real_processor_run(struct cpu *cpu);
void __wrap_processor_run(struct cpu *cpu)
{
	begin();
	__real_processor_run(cpu);
	if (n_wanted == 0)
		return;
	fail_and_be_interrupted(cpu);
	report();
}
