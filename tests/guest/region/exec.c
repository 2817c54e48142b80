/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code executed from the region. The image's pattern is itself code: at offset 0
 *	add [rax], al; add [rax], al; push r12; push rbx
 *	or [rax], al; add [rax], al; push r12; push rbx
 * so a ROM with only the pattern can be stepped through, storing to RAM and to itself.
 */
#include "tests/guest/region/region.h"

#define N_STEPS	  8
#define TARGET_AT 0x813 /* its low byte is what the code adds */

static volatile unsigned n_steps;
static struct trap_frame end_frame;
static uint64_t end_pushed;

static bool count_step(struct trap_frame *f)
{
	if (f->rip < region.base || f->rip >= region.base + 16 + 1)
		return true; /* not there yet */
	if (f->rip == region.base) {
		n_steps = 0;
		return true;
	}
	n_steps++;
	end_frame = *f;
	end_pushed = *(uint64_t *)f->rsp;
	return n_steps < N_STEPS;
}

static void step_pattern(void *target)
{
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq; jmp *%1"
		     :
		     : "a"(target), "S"(region.base), "b"(UINT64_C(0xb0b))
		     : "memory", "cc");
}

static uint8_t expected_byte(uint8_t byte, uint8_t al)
{
	byte = (uint8_t)(byte + 2 * al);
	return (uint8_t)((byte | al) + al);
}

static void step_with_target(volatile uint8_t *target, bool dropped, const char *where)
{
	uint8_t before = *target;
	uint8_t after = expected_byte(before, (uint8_t)(uintptr_t)target);
	int vector;

	n_steps = 0;
	trap_hook(VECTOR_DB, count_step);
	vector = catch_fault(step_pattern, (void *)target);
	trap_hook(VECTOR_DB, NULL);
	report(vector == VECTOR_DB && n_steps == N_STEPS && end_frame.rip == region.base + 16,
	       "exec: %u steps to %#lx, storing to %s (vector %d)", n_steps, end_frame.rip, where,
	       vector);
	report(*target == (dropped ? before : after), "exec: the byte in %s: %#x, before %#x",
	       where, *target, before);
	report(end_pushed == 0xb0b, "exec: push from the region to RAM");
}

/* mov eax, imm32; ret */
static void write_code(volatile uint8_t *at, uint32_t value)
{
	at[0] = 0xb8;
	*(volatile uint32_t *)(at + 1) = value;
	at[5] = 0xc3;
}

/* mov [rip + 7], edi; mov eax, [rip + 1]; ret; then the word it stores and loads */
static const uint8_t store_beside[] = {0x89, 0x3d, 0x07, 0x00, 0x00, 0x00, 0x8b,
				       0x05, 0x01, 0x00, 0x00, 0x00, 0xc3};

static uint32_t call(const void *code, uint32_t argument)
{
	return ((uint32_t(*)(uint32_t))code)(argument);
}

static void run_written_code(void)
{
	uint8_t *code = (uint8_t *)region.base + region.work + 2 * PAGE_SIZE;

	write_code(code, 0x11111111);
	report(call(code, 0) == 0x11111111, "exec: code written to the region");
	write_code(code, 0x22222222);
	report(call(code, 0) == 0x22222222, "exec: code changed in the region");
	/* A template's page holds code that writes to the page it runs from. */
	code += PAGE_SIZE - sizeof(store_beside);
	memcpy(code, store_beside, sizeof(store_beside));
	report(call(code, 0x33333333) == 0x33333333,
	       "exec: code stores to the next page and continues");
}

static void step_through_region(void)
{
	if (param_given("untraced"))
		report_skip("exec: no single steps over stores to the region");
	else
		step_with_target((uint8_t *)region.base + region.work + PAGE_SIZE + TARGET_AT,
				 region.expect == EXPECT_ROM, "the region");
}

void exec_check(void)
{
	static uint8_t ram[PAGE_SIZE] __attribute__((aligned(4096)));

	if (region.data != DATA_PATTERN || region.offset != 0) {
		report_skip("exec: the image does not start with the pattern");
	} else {
		step_with_target(ram + TARGET_AT, false, "RAM");
		step_through_region();
	}
	if (region.expect != EXPECT_ROM)
		run_written_code();
}
