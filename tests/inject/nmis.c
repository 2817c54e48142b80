/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject NMIs 20000": so many NMIs come to the only processor, each after a random time, and the
 * instructions of the entry and exit path that they interrupt are noted. The I/O APIC sends one
 * when the 8254 has counted down; the handler sets the next time. The machine's own devices do not
 * come by that way. The VM "exits" then ends. Each second VM exit leaves the loop of entry.asm.
 */
#include "tests/inject/nmis.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/processor.h"
#include "hv/vm/vm.h"
#include "tests/inject/inject.h"

enum { PIT_DATA = 0x40, PIT_COMMAND = 0x43, PIT_ONCE = 0x30, PIT_LONGEST = 400 };
enum { IO_APIC_SELECT = 0, IO_APIC_WINDOW = 4, IO_APIC_PIN_2 = 0x14, IO_APIC_NMI = 0x400 };
#define IO_APIC UINT64_C(0xfec00000)

/* entry.asm */
enum { ENTRY_SIZE = 0x400 };
extern const char vmx_run_start[] __asm__("__real_vmx_run");

static uint32_t hits[ENTRY_SIZE]; /* by the offset of the instruction that comes next */
static uint64_t n_wanted, n_sent, n_come;

static void send_later(void)
{
	uint64_t count = 1 + inject_random(PIT_LONGEST);

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
	uint64_t in_entry = frame->rip - (uintptr_t)vmx_run_start;

	if (n_wanted == 0)
		return;
	if (in_entry < ENTRY_SIZE)
		hits[in_entry]++;
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

void __real_vmx_exited(struct guest_regs *regs);
void __wrap_vmx_exited(struct guest_regs *regs)
{
	struct vcpu *vcpu = (struct vcpu *)regs;

	__real_vmx_exited(regs);
	if (n_wanted > 0 && vcpu_n_exits(vcpu) % 2 == 0)
		vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	if (n_wanted > 0 && n_come == n_wanted && strcmp(vcpu->vm->name, "exits") == 0)
		vm_end(vcpu->vm, VM_ENDED_WELL, "all NMIs have come");
}

static void begin(void)
{
	volatile uint32_t *io_apic = phys_to_virt(IO_APIC);

	if (!inject_asked("NMIs ", &n_wanted))
		return;
	if (paging_map_device(IO_APIC, PAGE_SIZE, PAGING_UC) != OK)
		panic("no memory to map the I/O APIC");
	io_apic[IO_APIC_SELECT] = IO_APIC_PIN_2;
	io_apic[IO_APIC_WINDOW] = IO_APIC_NMI;
	send_later();
}

static void report(void)
{
	log_info("inject: NMIs sent: %lu, come: %lu", n_sent, n_come);
	for (unsigned i = 0; i < ENTRY_SIZE; i++)
		if (hits[i] > 0)
			log_info("inject: at vmx_run+%x: %u NMIs", i, hits[i]);
}

void __real_processor_run(struct cpu *cpu);
void __wrap_processor_run(struct cpu *cpu)
{
	begin();
	__real_processor_run(cpu);
	if (n_wanted > 0)
		report();
}
