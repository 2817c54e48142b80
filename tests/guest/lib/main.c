/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Common to all payloads: set up, call payload(), report the verdict. Assumes that ports of
 * an absent interrupt controller ignore writes.
 */
#include "tests/guest/lib/internal.h"
#include "tests/guest/lib/lib.h"

#define PIC1_MASK 0x21
#define PIC2_MASK 0xa1
#define EXIT_PORT 0xf4

static unsigned n_tests, n_failures, n_skipped;

void guest_main(void)
{
	serial_init();
	params_init();
	outb(0xff, PIC1_MASK);
	outb(0xff, PIC2_MASK);
	trap_init();
	paging_init();
	payload();
	finish();
}

bool report(bool ok, const char *format, ...)
{
	__builtin_va_list args;

	n_tests++;
	n_failures += !ok;
	print(ok ? "PASS: " : "FAIL: ");
	__builtin_va_start(args, format);
	print_args(format, args);
	__builtin_va_end(args);
	print("\n");
	return ok;
}

static void skip(const char *format, __builtin_va_list args)
{
	n_tests++;
	n_skipped++;
	print("SKIP: ");
	print_args(format, args);
	print("\n");
}

void report_skip(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	skip(format, args);
	__builtin_va_end(args);
}

void report_missing(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	skip(format, args);
	__builtin_va_end(args);
	if (!param_given("strict"))
		return;
	n_skipped--;
	n_failures++;
	print("FAIL: the above must be there: strict\n");
}

void exit_vm(uint32_t code)
{
	outl(code, EXIT_PORT);
	for (;;)
		asm volatile("cli; hlt");
}

void finish(void)
{
	print("SUMMARY: %u tests, %u failures, %u skipped\n", n_tests, n_failures, n_skipped);
	exit_vm(n_failures != 0);
}
