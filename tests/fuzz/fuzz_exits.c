/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with one processor, a victim that computes, and a hostile VM whose exits are the input:
 * one with two vCPUs and all kinds of memory, or a plain one with one vCPU. The loop of the
 * processor, scheduler, exit handlers, events, steps, templates and console are those of the
 * machine; this file plays the processor in guests, the UART, and the operator, who ends
 * everything.
 *
 * The first byte has choices for the machine. Exits of 16 bytes follow, which the hostile VM
 * repeats until the end. Whatever they are: nothing panics; a VM entry has what the processor
 * checks; the processor is the hypervisor's again soon after each slice; the victim has at least
 * 90 % of its share; and all frames are free at the end.
 */
#include "hv/gdb/gdb.h"
#include "tests/fuzz/machine_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLICE	   (5000 * US)
#define LATE_MAX   (100 * US)
#define DEAR_TICKS (5 * US) /* an access to a device that is dear */
#define RUN	   (40 * SLICE)
#define BYTE_TICKS (87 * US) /* of a UART with 115200 baud */

#define CODE UINT64_C(0x101000)

static const char text[] =
	"vm victim -m 2M -kernel /k -serial null\n"
	"vm h -m 2M,slots=3,maxmem=1G -smp 2 -kernel /k -device "
	"isa-debug-exit,iobase=0xf4,iosize=4 "
	"-chardev stdio,id=s -device isa-debugcon,iobase=0xe9,chardev=s "
	"-object memory-backend-file,id=a,size=64K,mem-path=/rom,readonly=on,rom=on "
	"-device pc-dimm,memdev=a,addr=0x100000000 "
	"-object memory-backend-file,id=b,size=64K,mem-path=/cow,readonly=on,rom=off "
	"-device pc-dimm,memdev=b,addr=0x110000000 "
	"-object memory-backend-file,id=c,size=64K,mem-path=/shared,share=on "
	"-device pc-dimm,memdev=c,addr=0x120000000\n"
	"vm plain -m 2M -kernel /k -device isa-debug-exit,iobase=0xf4,iosize=4\n"
	"clone h count=8 parallel=1\n"
	"clone plain count=8 parallel=1\n";

/* The hostile VM of this run. */
static struct vm_config *hostile;
static struct clone_config *hostile_clones, *lines[2];

/* A flat Multiboot kernel of one page at 1 MiB. */
static const uint32_t kernel[PAGE_SIZE / 4] = {
	0x1badb002, 0x10000, -(0x1badb002u + 0x10000), MIB(1), MIB(1), 0, 0, MIB(1)};

static uint64_t end_at, sent_at;
static uint64_t victim_ticks, victim_since;
static uint64_t access_ticks; /* of a device, beyond its blocks */

/* ---- the input ---- */

struct input {
	uint8_t kind, how;
	uint16_t small;
	uint32_t medium;
	uint64_t large;
};
_Static_assert(sizeof(struct input) == 16);

static const uint8_t *next_input, *first_input, *end_input;

static struct input take_input(void)
{
	struct input input;

	if (next_input == end_input)
		next_input = first_input;
	memcpy(&input, next_input, sizeof(input));
	next_input += sizeof(input);
	return input;
}

/* ---- time ---- */

void cpu_wait(void)
{
	wait_for_alarm();
}

/* The loop calls this after each vCPU's turn, and when there is none. */
void rendezvous_pass(void)
{
	if (cpu.current)
		assert(machine.tsc <= cpu.slice.end + LATE_MAX);
}

uint64_t __real_io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access);
uint64_t __wrap_io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access);
uint64_t __wrap_io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access)
{
	machine.tsc += access_ticks;
	return __real_io_bus_read(bus, devices, access);
}

uint32_t __real_io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access);
uint32_t __wrap_io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access);
uint32_t __wrap_io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access)
{
	machine.tsc += access_ticks;
	return __real_io_bus_write(bus, devices, access);
}

/* ---- the processor in guests ---- */

static bool is_victim(const struct vcpu *vcpu)
{
	return vm_name(vcpu->vm)[0] == 'v';
}

#define RFLAGS_GUEST  (BIT(0) | BIT(2) | BIT(4) | BIT(6) | BIT(7) | RFLAGS_TF | BIT(10) | BIT(11))
#define RFLAGS_ALWAYS BIT(1)

static uint32_t run_victim(void)
{
	uint64_t start = machine.tsc;
	uint32_t reason;

	if (victim_since == 0)
		victim_since = start;
	while (!compute(SLICE, &reason))
		;
	victim_ticks += machine.tsc - start;
	return reason;
}

/* ---- exits ---- */

static void put_code(struct vcpu *vcpu, const struct input *input)
{
	uint64_t rip = CODE + input->small % PAGE_SIZE;

	vmcs_write(VMCS_GUEST_RIP, rip);
	(void)guest_write(&vcpu->vm->memory, (gpa_t){rip}, &input->large, sizeof(input->large));
}

static gpa_t any_address(const struct input *input)
{
	static const uint64_t places[] = {
		0,	    0x8000,	CODE,	    MIB(2) - PAGE_SIZE,	  MIB(16),
		0xfee00000, 0xfec00000, DIMMS,	    DIMMS + 0x10000000,	  DIMMS + 0x20000000,
		0xfee00fff, 0xb8000,	0xfffff000, DIMMS + FILE_SIZE - 8};

	return (gpa_t){places[input->medium % ARRAY_SIZE(places)] +
		       (input->medium >> 8) % PAGE_SIZE};
}

static uint32_t make_memory(struct vcpu *vcpu, const struct input *input)
{
	gpa_t gpa = any_address(input);

	put_code(vcpu, input);
	for (unsigned i = 0; i < 16; i++)
		vcpu->regs.gpr[i] = gpa.raw;
	vcpu->regs.gpr[RCX] = BIT(input->how >> 4);
	vmcs_write(VMCS_GUEST_RSP, gpa.raw);
	vmcs_write(VMCS_GUEST_PHYS_ADDR, gpa.raw);
	vmcs_write(VMCS_GUEST_LINEAR_ADDR, gpa.raw);
	vmcs_write(VMCS_EXIT_QUAL,
		   (input->how & 7 ? input->how & 7 : 2) | BIT(7) | (input->how & 8 ? 0 : BIT(8)));
	return EXIT_EPT_VIOLATION;
}

static uint16_t any_port(const struct input *input)
{
	static const uint16_t ports[] = {0x20,	0x40,  0x60,  0x61,  0x64,  0x70,   0x71,
					 0x80,	0xe9,  0xf4,  0x3f8, 0x3f9, 0x3fa,  0x3fb,
					 0x3fc, 0x510, 0x511, 0x514, 0x518, 0x600,  0x604,
					 0x605, 0xcf8, 0xcf9, 0xcfc, 0x92,  0x5354, 0x5360};

	return input->how & 0x80 ? input->small : ports[input->small % ARRAY_SIZE(ports)];
}

static uint32_t make_io(struct vcpu *vcpu, const struct input *input)
{
	static const uint8_t sizes[] = {1, 2, 4, 1};
	uint64_t size = sizes[input->how & 3], qual = size - 1;

	qual |= input->how & 4 ? BIT(3) : 0;
	vcpu->regs.gpr[RDX] = any_port(input);
	vcpu->regs.gpr[RAX] = input->large;
	if (input->how & 8) {
		qual |= BIT(4) | (input->how & 16 ? BIT(5) : 0);
		vcpu->regs.gpr[RCX] = input->large;
		vcpu->regs.gpr[RSI] = vcpu->regs.gpr[RDI] = any_address(input).raw;
		vmcs_write(VMCS_EXIT_INST_INFO,
			   (uint64_t)(input->how >> 5 & 1) << 7 | SEG_DS << 15);
	}
	vmcs_write(VMCS_EXIT_QUAL, qual | vcpu->regs.gpr[RDX] << 16);
	return EXIT_IO;
}

static uint32_t make_msr(struct vcpu *vcpu, const struct input *input)
{
	static const uint32_t msrs[] = {IA32_APIC_BASE,
					IA32_TSC_DEADLINE,
					IA32_EFER,
					IA32_TSC_ADJUST,
					IA32_SPEC_CTRL,
					IA32_PRED_CMD,
					IA32_MTRR_DEF_TYPE,
					IA32_MISC_ENABLE,
					IA32_TIME_STAMP_COUNTER,
					IA32_PAT,
					IA32_MCG_STATUS,
					MSR_KVM_WALL_CLOCK_NEW,
					MSR_KVM_SYSTEM_TIME_NEW,
					MSR_KVM_STEAL_TIME,
					MSR_KVM_PV_EOI_EN,
					0x830,
					0x838,
					0x832,
					0x80b,
					0x80f,
					0x8ff,
					0x835};

	vcpu->regs.gpr[RCX] =
		input->how & 2 ? input->medium : msrs[input->small % ARRAY_SIZE(msrs)];
	vcpu->regs.gpr[RAX] = (uint32_t)input->large;
	vcpu->regs.gpr[RDX] = input->large >> 32;
	if (vcpu->regs.gpr[RCX] >> 4 == MSR_KVM_WALL_CLOCK_NEW >> 4 && input->how & 8) {
		vcpu->regs.gpr[RAX] = any_address(input).raw | 1; /* enabled */
		vcpu->regs.gpr[RDX] = any_address(input).raw >> 32;
	}
	if (input->how & 4) /* near, as deadline of the timer */
		vcpu->regs.gpr[RAX] =
			(uint32_t)(machine.tsc + vcpu->guest.tsc_offset + input->small);
	return input->how & 1 ? EXIT_MSR_READ : EXIT_MSR_WRITE;
}

static uint32_t make_cr(struct vcpu *vcpu, const struct input *input)
{
	static const uint8_t registers[] = {0, 4, 8, 3};

	for (unsigned i = 0; i < 16; i++)
		vcpu->regs.gpr[i] = input->how & 4 ? input->large : input->medium & 0x1f;
	vmcs_write(VMCS_EXIT_QUAL, registers[input->how & 3] | (input->how & 8 ? 1 << 4 : 0) |
					   (input->how >> 4) << 8);
	return EXIT_CR_ACCESS;
}

static uint32_t make_exception(struct vcpu *vcpu, const struct input *input)
{
	static const uint64_t infos[] = {
		VECTOR_DB | INTR_TYPE_HARDWARE, VECTOR_DB | INTR_TYPE_PRIVILEGED,
		VECTOR_AC | INTR_TYPE_HARDWARE | INTR_HAS_ERROR_CODE, 2 | INTR_TYPE_NMI};
	uint64_t info = infos[input->how & 3];

	if (!(field(VMCS_GUEST_CR0) & CR0_PE))
		info &= ~INTR_HAS_ERROR_CODE;
	vmcs_write(VMCS_EXIT_INTR_INFO, info | INTR_VALID);
	vmcs_write(VMCS_EXIT_INTR_ERROR, 0);
	vmcs_write(VMCS_EXIT_QUAL, input->medium & 0x600f);
	return EXIT_EXCEPTION_NMI;
}

static uint32_t make_cpuid(struct vcpu *vcpu, const struct input *input)
{
	vcpu->regs.gpr[RAX] = input->how & 1 ? input->medium : input->how >> 1;
	vcpu->regs.gpr[RCX] = input->small;
	return EXIT_CPUID;
}

static uint32_t make_other(struct vcpu *vcpu, const struct input *input)
{
	static const uint8_t reasons[] = {EXIT_EXTERNAL_INTERRUPT,
					  EXIT_TRIPLE_FAULT,
					  EXIT_INIT,
					  EXIT_TASK_SWITCH,
					  EXIT_GETSEC,
					  EXIT_HLT,
					  EXIT_INVD,
					  EXIT_RDPMC,
					  EXIT_VMCALL,
					  EXIT_VMXON,
					  EXIT_MWAIT,
					  EXIT_PAUSE,
					  EXIT_WBINVD,
					  EXIT_XSETBV,
					  EXIT_BUS_LOCK,
					  EXIT_NOTIFY,
					  EXIT_HLT,
					  EXIT_PAUSE};

	vcpu->regs.gpr[RCX] = input->how & 1;
	vcpu->regs.gpr[RAX] = input->medium;
	vcpu->regs.gpr[RDX] = 0;
	vmcs_write(VMCS_EXIT_QUAL, input->how >> 1);
	return reasons[input->small % ARRAY_SIZE(reasons)];
}

/* A command to the hypervisor, or the end of the VM. */
static uint32_t make_command(struct vcpu *vcpu, const struct input *input)
{
	vcpu->regs.gpr[RAX] = 1 + (input->how & 1);
	vcpu->regs.gpr[RDX] = CONTROL_PORT;
	vmcs_write(VMCS_EXIT_QUAL, 3 | (uint64_t)CONTROL_PORT << 16);
	return EXIT_IO;
}

static uint32_t make_exit(struct vcpu *vcpu, const struct input *input)
{
	switch (input->kind % 16) {
	case 0:
	case 1:
	case 2:
		return make_io(vcpu, input);
	case 3:
	case 4:
	case 5:
	case 6:
		return make_memory(vcpu, input);
	case 7:
	case 8:
		return make_msr(vcpu, input);
	case 9:
		return make_cr(vcpu, input);
	case 10:
	case 11:
		return make_exception(vcpu, input);
	case 12:
		return make_cpuid(vcpu, input);
	case 13:
		return input->how < 8 ? make_command(vcpu, input) : make_other(vcpu, input);
	default:
		return make_other(vcpu, input);
	}
}

/* What the guest has done to its flags and its segments on the way to the next exit. */
static void set_registers(const struct input *input)
{
	uint64_t rflags = (input->medium >> 16 & RFLAGS_GUEST) | RFLAGS_ALWAYS, blocking = 0;

	if (input->kind & 0x10)
		rflags |= RFLAGS_IF;
	if ((input->kind & 0xe0) == 0x20)
		blocking = input->how & 1 ? BLOCKING_MOV_SS : rflags & RFLAGS_IF ? BLOCKING_STI : 0;
	if (blocking || (input->kind & 0xe0) != 0x40)
		rflags &= ~RFLAGS_TF;
	blocking |= field(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_NMI;
	if ((input->kind & 0xe0) == 0x60) /* IRET */
		blocking &= ~BLOCKING_NMI;
	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking);
	if ((input->kind & 0xe0) == 0x80)
		vmcs_write(VMCS_GUEST_CS_AR, field(VMCS_GUEST_CS_AR) ^ BIT(14));
	if ((input->kind & 0xe0) == 0xa0)
		vmcs_write(VMCS_GUEST_SS_AR, field(VMCS_GUEST_SS_AR) ^ BITS(6, 5));
	if ((input->kind & 0xe0) == 0xc0)
		vmcs_write(VMCS_GUEST_DR7, input->medium & 0xffff07ff);
	vmcs_write(VMCS_EXIT_INST_LEN, 1 + input->how % 15);
}

/* WRMSR of EOI. False: it exits, or raises #GP. */
static bool end_interrupt(void)
{
	unsigned svi = (unsigned)field(VMCS_GUEST_INTERRUPT_STATUS) >> 8;

	if (field(VMCS_MSR_BITMAP) == MSR_BITMAP)
		return false;
	*in_service(svi) &= ~(1u << svi % 32);
	vmcs_write(VMCS_GUEST_INTERRUPT_STATUS, highest_in_service() << 8);
	return true;
}

/* MOV to CR8, if it does not exit. */
static void set_priority(uint8_t cr8)
{
	uint8_t *page = phys_to_virt(cpu.virtual_apic);

	if (!(field(VMCS_PROC_CONTROLS) & PROC_CR8_LOAD))
		page[VIRTUAL_APIC_TPR] = (uint8_t)(cr8 << 4);
}

static bool may_interrupt_delivery(uint32_t reason)
{
	return reason == EXIT_EPT_VIOLATION || reason == EXIT_EXCEPTION_NMI ||
	       reason == EXIT_TASK_SWITCH || reason == EXIT_EXTERNAL_INTERRUPT;
}

/* The exit comes at once, or after some time of the guest's own. */
static uint32_t run_hostile(struct vcpu *vcpu)
{
	static const struct input freeze;
	uint64_t event = take_event();
	struct input input;
	uint32_t reason;

	if (vcpu->vm->template == NULL)
		return make_command(vcpu, &freeze);
	input = take_input();
	if (event && input.small & 1) {
		reason = make_exit(vcpu, &input);
		if (may_interrupt_delivery(reason)) {
			vmcs_write(VMCS_IDT_VECTORING_INFO, event);
			vmcs_write(VMCS_IDT_VECTORING_ERROR, field(VMCS_ENTRY_ERROR_CODE));
			return reason;
		}
	}
	if (field(VMCS_GUEST_INTERRUPTIBILITY) & SHADOW && input.small & 2)
		retire();
	if (input.how & 0x80)
		(void)end_interrupt();
	if (input.how & 0x20)
		set_priority((uint8_t)input.small);
	if (exits_first(&reason) || compute(input.how & 0x40 ? input.small : 0, &reason))
		return reason;
	set_registers(&input);
	return make_exit(vcpu, &input);
}

static uint32_t run_guest(struct vcpu *vcpu)
{
	return is_victim(vcpu) ? run_victim() : run_hostile(vcpu);
}

/* ---- the rest of the machine ---- */

bool serial_can_send(const struct serial_port *port)
{
	machine.tsc += US;
	return machine.tsc >= sent_at;
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	sent_at = (sent_at > machine.tsc ? sent_at : machine.tsc) + BYTE_TICKS;
}

int serial_receive(const struct serial_port *port)
{
	return -1;
}

bool gdb_is_on(void)
{
	return false;
}

void gdb_poll(void)
{
}

/* The operator ends everything when the time is over. */
void keys_poll(void)
{
	if (machine.tsc < end_at)
		return;
	end_at = UINT64_MAX;
	hostile_clones->count = hostile_clones->n_started;
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (vm->outcome == VM_RUNNING)
			vm_end(vm, VM_ENDED_WELL, "ended by the operator");
}

/* ---- runs ---- */

static void start_vms(void)
{
	for (struct vm_config *of = config.vms; of; of = of->next) {
		struct vm *vm;

		if (of != config.vms && of != hostile)
			continue;
		assert(vm_create(of, 0, &vm) == OK);
		vm_start(vm);
	}
}

static void choose_hostile(bool is_plain)
{
	if (lines[0] == NULL) {
		lines[0] = config.clones;
		lines[1] = config.clones->next;
		lines[0]->next = NULL;
	}
	hostile = is_plain ? config.vms->next->next : config.vms->next;
	hostile_clones = lines[is_plain];
	hostile_clones->n_started = hostile_clones->n_running = 0;
	hostile_clones->count = 8;
	template_set_config(hostile_clones);
}

/* The hostile VM is a template at once: its clones are hostile, one after the other. */
static void begin(uint8_t choices)
{
	uint32_t *pin = &vcpu_shared.controls.word[CONTROLS_PIN];

	machine.tsc = sent_at = START;
	machine.n_blocks = 0;
	end_at = START + RUN;
	alarm_at = UINT64_MAX;
	victim_ticks = victim_since = 0;
	make_vmcs_new(!(choices & 8));
	cpu.chores_due = START;
	*pin = choices & 1 ? *pin & ~(uint32_t)PIN_PREEMPTION_TIMER : *pin | PIN_PREEMPTION_TIMER;
	choose_hostile(choices & 16);
	reverted.of = NULL;
	checksum_set(choices & 2);
	access_ticks = choices & 4 ? DEAR_TICKS : 0;
	log_reset();
	console_set_buffered(true);
}

static void check_share(void)
{
	uint64_t whole = START + RUN - victim_since;

	assert(victim_ticks * 100 >= whole / 2 * 90);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t n_free;

	if (size < 1 + sizeof(struct input))
		return 0;
	if (n_cpus == 0)
		set_up(text, kernel, sizeof(kernel));
	first_input = next_input = data + 1;
	end_input = first_input + (size - 1) / sizeof(struct input) * sizeof(struct input);
	begin(data[0]);
	n_free = frame_available();
	start_vms();
	processor_run(&cpu);
	template_give_up_all();
	template_bury_all();
	console_set_buffered(false);
	vm_output_flush();
	check_share();
	assert(frame_available() == n_free);
	return 0;
}
