/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Actions with instructions at the edges of pages: chosen ones with their operands there, code that
 * lies across an edge and changes itself, and random bytes as user code.
 */
#include "tests/guest/hostile/hostile.h"
#include "tests/guest/lib/form.h"

#define USER_TICKS 20000
#define UART_SCR   0x3ff

/* The table of tests/guest/region. */
static void run_form(struct actor *a, unsigned n_kinds)
{
	const struct form *form =
		&forms_start[random_below(&a->random, (uint64_t)(forms_end - forms_start))];
	struct registers r;

	registers_fill(a, &r);
	r.rdi = kind_edge(a, n_kinds, 0) -
		random_below(&a->random, random_once_in(&a->random, 2) ? 16 : 600);
	r.rsi = random_once_in(&a->random, 2)
			? kind_edge(a, n_kinds, 0) - random_below(&a->random, 16)
			: kind_page(a, KIND_PRIVATE) + 64;
	if (form->align > 1 && !random_once_in(&a->random, 4))
		r.rdi &= ~(uint64_t)(form->align - 1);
	r.rcx = random_below(&a->random, 40);
	r.r9 = r.rdi + 0x800;
	r.r10 = UART_SCR;
	run_code(form->code, &r);
}

void do_forms(struct actor *a)
{
	run_form(a, N_MEMORY);
}

void do_forms_mmio(struct actor *a)
{
	run_form(a, N_KINDS);
}

void put_code(struct actor *a, uint8_t *at, unsigned n)
{
	const struct form *form =
		&forms_start[random_below(&a->random, (uint64_t)(forms_end - forms_start))];

	if (random_once_in(&a->random, 2)) {
		memcpy(at, form->code, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		at[i] = (uint8_t)random_next(&a->random);
}

static void write_across(struct actor *a, uint64_t at, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*(volatile uint8_t *)(at + i) = bytes[i];
	(void)a;
}

/*
 * Code that overwrites its next instruction, "mov eax, imm", across the edge. Every byte is written
 * by a separate instruction, so pages are copied one after the other.
 */
void do_code(struct actor *a)
{
	static const uint8_t code[] = {
		0xc6, 0x05, 0x00, 0x00, 0x00, 0x00,
		0x11,			      /* movb $0x11, 0(%rip): the opcode after */
		0xb8, 0x01, 0x02, 0x03, 0x04, /* mov $0x04030201, %eax */
		0xc3, 0xc3, 0xc3, 0xc3, 0xc3, 0xc3,
	};
	uint8_t bytes[sizeof(code)];
	uint64_t at = kind_edge(a, N_MEMORY, 0) - random_below(&a->random, sizeof(code));
	struct registers r;

	memcpy(bytes, code, sizeof(code));
	bytes[2] = (uint8_t)random_below(&a->random, 5); /* which byte it changes */
	bytes[6] = random_once_in(&a->random, 2) ? 0xc3 : (uint8_t)random_next(&a->random);
	if (bytes[2] == 0)
		bytes[6] = 0xb9; /* mov $..., %ecx */
	registers_fill(a, &r);
	r.rflags &= ~RFLAGS_IF;
	write_across(a, at, bytes, sizeof(bytes));
	run_code((const void *)at, &r);
}

/* Random bytes, or random pieces of the table's instructions, without any right. */
static void run_user_code(struct actor *a, unsigned n_kinds)
{
	uint64_t page = random_below(&a->random, 100) + 300;
	uint64_t code = WINDOW + (page + 1) * PAGE_SIZE - random_below(&a->random, 64);
	uint64_t data = kind_edge(a, n_kinds, PTE_U) - random_below(&a->random, 16);
	struct registers r;

	actor_map(a, (unsigned)page, kind_page(a, KIND_PRIVATE) | PTE_P | PTE_W | PTE_U);
	actor_map(a, (unsigned)page + 1, kind_page(a, KIND_COW) | PTE_P | PTE_W | PTE_U);
	for (unsigned i = 0; i < 6; i++)
		put_code(a, (uint8_t *)code + i * 8, 8);
	registers_fill(a, &r);
	r.rdi = data;
	r.rsi = data + 0x800 - random_below(&a->random, 0x1000);
	r.rcx = random_below(&a->random, 40);
	r.rbx = r.r9 = data;
	r.rflags |= RFLAGS_IF;
	if (random_once_in(&a->random, 4))
		write_cr0(read_cr0() | CR0_AM);
	actor_limit(USER_TICKS);
	run_user(code, random_once_in(&a->random, 2) ? data : code - 256, &r);
}

void do_user(struct actor *a)
{
	run_user_code(a, N_MEMORY);
}

void do_user_mmio(struct actor *a)
{
	run_user_code(a, N_KINDS);
}
