/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends the machine after a bug of ours, with a report that helps to find it. Runs on any stack,
 * trusts no data, and takes no locks after the other processors have been stopped.
 */
#include "hv/host/panic.h"

#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/exception.h"
#include "hv/host/io.h"
#include "hv/host/last_words.h"
#include "hv/host/log.h"
#include "hv/host/machine_check.h"
#include "hv/host/msr.h"
#include "hv/host/nmi.h"
#include "hv/host/paging.h"
#include "hv/host/power.h"
#include "hv/host/stop.h"
#include "hv/host/symbols.h"
#include "hv/lib/assert.h"
#include "hv/lib/print.h"

enum { MESSAGE_MAX = 512, BACKTRACE_MAX = 32 };

static struct power_plan plan = {POWER_RESET, true};

void panic_set_plan(struct power_plan after)
{
	plan = after;
}

static void print_place(uint64_t address)
{
	uint64_t offset;
	const char *name = symbol_find(address, &offset);

	if (name != NULL)
		console_print("  %#018lx %s+%#lx", address, name, offset);
	else
		console_print("  %#018lx", address);
}

struct stack_frame {
	const struct stack_frame *caller;
	uint64_t return_address;
};

static bool is_stack_frame(const struct stack_frame *frame)
{
	uint64_t address = (uintptr_t)frame;

	return address != 0 && is_aligned(address, 8) && paging_probe(address, false) &&
	       paging_probe(address + 8, false);
}

/* Callers are higher on the stack; anything else ends the chain. */
static void print_backtrace(const struct stack_frame *frame)
{
	console_print("backtrace:");
	for (unsigned i = 0; i < BACKTRACE_MAX && is_stack_frame(frame); i++) {
		if (frame->return_address == 0)
			return;
		print_place(frame->return_address);
		if (frame->caller <= frame)
			return;
		frame = frame->caller;
	}
}

static void print_registers(const struct interrupt_frame *f)
{
	console_print("rip %016lx rsp %016lx rflags %08lx cs %02lx ss %02lx", f->rip, f->rsp,
		      f->rflags, f->cs, f->ss);
	console_print("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx,
		      f->rdx);
	console_print("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	console_print("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	console_print("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

static void print_control_registers(void)
{
	console_print("cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx efer %lx", read_cr0(), read_cr2(),
		      read_cr3(), read_cr4(), rdmsr(IA32_EFER));
}

static _Noreturn void end(void)
{
	power_print_end("panic");
	last_words_end();
	power_end(plan);
}

/*
 * A panic during the report of another one only prints its message, one while the machine is
 * switched off or reset leads to the next way to do that.
 */
static void begin(const char *message)
{
	if (power_is_trying())
		power_go_on(message);
	if (!stop_others()) {
		log_error("panic within a panic: %s", message);
		end();
	}
	last_words_begin();
	log_error("panic on processor %u: %s", this_cpu()->index, message);
	machine_check_print();
	nmi_report();
}

void panic(const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	format_v(message, sizeof(message), fmt, args);
	va_end(args);
	begin(message);
	print_control_registers();
	print_backtrace(__builtin_frame_address(0));
	panic_dump_vmx();
	end();
}

void panic_machine_check(void)
{
	machine_check_keep();
	panic("machine check");
}

void assert_fail(const char *expr, const char *file, int line)
{
	panic("%s:%d: assertion failed: %s", file, line, expr);
}

/* Code and constants, images, the zeros, and with host -protect all the templates. */
static bool is_write_to_constant(const struct interrupt_frame *frame)
{
	uint64_t error = PAGING_FAULT_PRESENT | PAGING_FAULT_WRITE;

	return frame->vector == VECTOR_PAGE_FAULT && (frame->error & error) == error;
}

static void describe(const struct interrupt_frame *frame, char *message)
{
	static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
					    "#DF", "9",	  "#TS", "#NP", "#SS", "#GP", "#PF", "15",
					    "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};
	bool is_fetch = frame->vector == VECTOR_PAGE_FAULT && (frame->error & PAGING_FAULT_FETCH);
	const char *start_only = is_fetch ? symbol_find_start_only(frame->rip) : NULL;

	if (start_only)
		format(message, MESSAGE_MAX, "start-only function %s called after start",
		       start_only);
	else if (is_write_to_constant(frame))
		format(message, MESSAGE_MAX, "a stray write to %#lx, which may not change",
		       read_cr2());
	else
		format(message, MESSAGE_MAX, "exception %lu %s, error code %#lx", frame->vector,
		       frame->vector < ARRAY_SIZE(names) ? names[frame->vector] : "", frame->error);
}

void panic_exception(const struct interrupt_frame *frame)
{
	char message[MESSAGE_MAX];

	describe(frame, message);
	begin(message);
	print_registers(frame);
	print_control_registers();
	console_print("at:");
	print_place(frame->rip);
	print_backtrace((const struct stack_frame *)frame->rbp);
	panic_dump_vmx();
	end();
}
