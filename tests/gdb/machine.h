/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine whose VM t has two processors and waits for gdb at COM2, and becomes
 * a template: see tests/fuzz/machine_run.h. The guests' processor knows the few instructions of
 * tests/gdb/guest.asm, which is in ROM as well. An event counts in the guest's memory, and has no
 * other handler.
 *
 * An includer defines cpu_wait(), keys_poll(), serial_receive() and send().
 */
#pragma once

#include "hv/gdb/gdb.h"
#include "hv/vm/debug.h"
#include "tests/fuzz/machine_run.h"

#define INSTRUCTION_TICKS (10 * US)
#define EVENTS		  UINT64_C(0x500) /* a word for each vector */

static const char text[] =
	"vm t -m 2M,slots=2,maxmem=1G -smp 2 -kernel /k -S -gdb com2 -serial null "
	"-device isa-debug-exit,iobase=0xf4,iosize=4 "
	"-object memory-backend-file,id=a,size=64K,mem-path=/rom,readonly=on,rom=on "
	"-device pc-dimm,memdev=a,addr=0x100000000 "
	"-object memory-backend-file,id=c,size=64K,mem-path=/shared,share=on "
	"-device pc-dimm,memdev=c,addr=0x120000000\n"
	"clone t count=3 parallel=3 paused=on\n";

/* The guest's bytes, and zeros up to a page. */
asm(".section .rodata\n.balign 4096\ngdb_guest:\n.incbin \"" GUEST "\"\n.balign 4096, 0\n.text");
extern const uint8_t gdb_guest[PAGE_SIZE];
#define CODE_LEN 0xc0 /* what follows the code changes */

static uint32_t first_pid; /* t's */

static const struct serial_port gdbs_port = SERIAL_COM2;

/* A byte for gdb. */
static void send(uint8_t byte);

void rendezvous_pass(void)
{
}

bool serial_can_send(const struct serial_port *port)
{
	return true;
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	if (port->address == gdbs_port.address)
		send(byte);
}

/* ---- a processor with few instructions ---- */

static uint32_t hit(uint64_t qual)
{
	vmcs_write(VMCS_EXIT_INTR_INFO, VECTOR_DB | INTR_TYPE_HARDWARE | INTR_VALID);
	vmcs_write(VMCS_EXIT_QUAL, qual);
	return EXIT_EXCEPTION_NMI;
}

/* The breakpoints in registers of this kind, DR7's RW, at the address: a bit each. */
static uint64_t registers_at(unsigned rw, uint64_t address)
{
	uint64_t dr7 = field(VMCS_GUEST_DR7), hits = 0;

	for (unsigned i = 0; i < 4; i++)
		if (dr7 >> (2 * i) & 3 && (dr7 >> (16 + 4 * i) & 3) == rw &&
		    machine.dr[i] == address)
			hits |= BIT(i);
	return hits;
}

static uint32_t word_at(struct vcpu *vcpu, uint64_t address)
{
	uint32_t word = 0;

	(void)guest_read(&vcpu->vm->memory, (gpa_t){address}, &word, sizeof(word));
	return word;
}

static void store(struct vcpu *vcpu, uint64_t address, uint32_t word)
{
	(void)guest_write(&vcpu->vm->memory, (gpa_t){address}, &word, sizeof(word));
}

static void take_guests_event(struct vcpu *vcpu)
{
	uint64_t event = take_event(), counter = EVENTS + 4 * (event & INTR_VECTOR);

	if (event == 0)
		return;
	store(vcpu, counter, word_at(vcpu, counter) + 1);
	if ((event & INTR_TYPE) == INTR_TYPE_SOFT_EXC)
		vmcs_write(VMCS_GUEST_RIP, field(VMCS_GUEST_RIP) + field(VMCS_ENTRY_INST_LEN));
}

/* An instruction of so many bytes has run. */
static uint64_t done(unsigned len)
{
	retire();
	vmcs_write(VMCS_GUEST_RIP, field(VMCS_GUEST_RIP) + len - 1);
	return UINT64_MAX;
}

static uint64_t exits(uint32_t reason, unsigned len)
{
	vmcs_write(VMCS_EXIT_INST_LEN, len);
	return reason;
}

static uint64_t jump(int32_t distance, unsigned len)
{
	(void)done(len);
	vmcs_write(VMCS_GUEST_RIP, field(VMCS_GUEST_RIP) + (uint64_t)(int64_t)distance);
	return UINT64_MAX;
}

static uint64_t store_and_trap(struct vcpu *vcpu, uint64_t address, uint32_t word, unsigned len)
{
	uint64_t hits = registers_at(DEBUG_RW_WRITE, address);

	store(vcpu, address, word);
	(void)done(len);
	return hits ? hit(hits) : UINT64_MAX;
}

static uint64_t take_int3(struct vcpu *vcpu)
{
	uint64_t counter = EVENTS + 4 * VECTOR_BP;

	if (field(VMCS_EXCEPTION_BITMAP) & BIT(VECTOR_BP)) {
		vmcs_write(VMCS_EXIT_INTR_INFO, VECTOR_BP | INTR_TYPE_SOFT_EXC | INTR_VALID);
		return exits(EXIT_EXCEPTION_NMI, 1);
	}
	store(vcpu, counter, word_at(vcpu, counter) + 1);
	return done(1);
}

static uint64_t move_dr(struct vcpu *vcpu, bool is_read, uint8_t modrm)
{
	unsigned number = modrm >> 3 & 3, gpr = modrm & 7;

	if (field(VMCS_PROC_CONTROLS) & PROC_MOV_DR) {
		vmcs_write(VMCS_EXIT_QUAL, number | (is_read ? BIT(4) : 0) | (uint64_t)gpr << 8);
		return exits(EXIT_DR_ACCESS, 3);
	}
	if (is_read)
		vcpu->regs.gpr[gpr] = machine.dr[number];
	else
		machine.dr[number] = vcpu->regs.gpr[gpr];
	return done(3);
}

static uint64_t out(struct vcpu *vcpu, uint64_t size)
{
	vmcs_write(VMCS_EXIT_QUAL, (size - 1) | (vcpu->regs.gpr[RDX] & 0xffff) << 16);
	return exits(EXIT_IO, 1);
}

/* A far jump: to 64-bit code, but without paging. */
static uint64_t jump_far(uint32_t to)
{
	(void)done(7);
	vmcs_write(VMCS_GUEST_RIP, to);
	vmcs_write(VMCS_GUEST_CS_AR, field(VMCS_GUEST_CS_AR) | BIT(13));
	vmcs_write(VMCS_GUEST_EFER, EFER_LMA);
	return UINT64_MAX;
}

static uint32_t operand(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Returns the reason of an exit; UINT64_MAX: none. */
static uint64_t execute(struct vcpu *vcpu, const uint8_t *code)
{
	switch (code[0]) {
	case 0x90: /* NOP */
		return done(1);
	case 0xeb: /* JMP */
		return jump((int8_t)code[1], 2);
	case 0xe9:
		return jump((int32_t)operand(code + 1), 5);
	case 0xea:
		return jump_far(operand(code + 1));
	case 0xcc: /* INT3 */
		return take_int3(vcpu);
	case 0xee: /* OUT */
		return out(vcpu, 1);
	case 0xef:
		return out(vcpu, 4);
	case 0xa3: /* MOV to memory */
		return store_and_trap(vcpu, operand(code + 1), (uint32_t)vcpu->regs.gpr[RAX], 5);
	case 0xc7:
		return store_and_trap(vcpu, operand(code + 2), operand(code + 6), 10);
	case 0xff: /* INC of memory */
		return store_and_trap(vcpu, operand(code + 2), word_at(vcpu, operand(code + 2)) + 1,
				      6);
	case 0xb8 ... 0xbb: /* MOV of a constant */
		vcpu->regs.gpr[code[0] & 7] = operand(code + 1);
		return done(5);
	case 0x0f:
		if (code[1] == 0x21 || code[1] == 0x23)
			return move_dr(vcpu, code[1] == 0x21, code[2]);
		return code[1] == 0x30 ? exits(EXIT_MSR_WRITE, 2) : EXIT_TRIPLE_FAULT;
	default:
		return EXIT_TRIPLE_FAULT;
	}
}

static uint32_t run_guest(struct vcpu *vcpu)
{
	uint8_t code[16];
	uint64_t rip, result;
	uint32_t reason;

	take_guests_event(vcpu);
	for (;;) {
		if (exits_first(&reason) || compute(INSTRUCTION_TICKS, &reason))
			return reason;
		rip = field(VMCS_GUEST_RIP);
		if (registers_at(DEBUG_RW_EXECUTE, rip))
			return hit(registers_at(DEBUG_RW_EXECUTE, rip));
		memset(code, 0, sizeof(code));
		for (unsigned i = 0; i < sizeof(code); i++)
			(void)guest_read(&vcpu->vm->memory, (gpa_t){rip + i}, &code[i], 1);
		result = execute(vcpu, code);
		if (result != UINT64_MAX)
			return (uint32_t)result;
	}
}

/* ---- the machine's life ---- */

static void start_vm(void)
{
	struct vm *vm;

	assert(vm_create(config.vms, 0, &vm) == OK);
	vms_acquire();
	assert(gdb_offer(vm->index) == OK);
	lock_release(&vms_lock);
	first_pid = vm->index + 1;
	vm_pause(vm, true);
	vm_start(vm);
}

/* Once. */
static void make_machine(void)
{
	set_up(text, gdb_guest, PAGE_SIZE);
	memcpy(phys_to_virt(images[0].base), gdb_guest, PAGE_SIZE); /* the ROM */
}

/* Run until all VMs have ended, which keys_poll() sees to. */
static void run_machine(void)
{
	uint64_t n_free = frame_available();

	make_vmcs_new(true);
	alarm_at = UINT64_MAX;
	config.clones->n_started = config.clones->n_running = 0;
	config.clones->count = 3;
	template_set_config(config.clones);
	log_reset();
	console_set_buffered(true);
	assert(gdb_begin(&gdbs_port) == OK);
	start_vm();
	processor_run(&cpu);
	gdb_end();
	template_give_up_all();
	template_bury_all();
	console_set_buffered(false);
	vm_output_flush();
	assert(frame_available() == n_free);
}

static void end_all_vms(void)
{
	config.clones->count = config.clones->n_started;
	vms_acquire();
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (vm->outcome == VM_RUNNING)
			vm_end(vm, VM_ENDED_WELL, "ended by the operator");
	lock_release(&vms_lock);
}
