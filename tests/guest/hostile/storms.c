/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions that keep the processor in the delivery of exceptions. */
#include "tests/guest/hostile/hostile.h"

#define STORM_TICKS 100000
#define USER_PAGE   450 /* of the window */

void storm_align(void); /* tests/guest/storms/storms.asm */

/* strings.asm */
#define N_STORMS	  7
#define STORM_WITHOUT_STI 2
extern const uint8_t storm_code[N_STORMS][16];

/* entry.asm */
extern const uint8_t vector_escape[], vector_return_error[];

/* A watchpoint on the stack to which #DB itself pushes: no end to it. */
void do_db_storm(struct actor *a)
{
	write_dr0((uint64_t)(uintptr_t)(a->stacks[1] + STACK_SIZE -
					8 * (1 + random_below(&a->random, 5))));
	write_dr7(0x400 | 2 | UINT64_C(0x9) << 16);
	asm volatile(".byte 0xf1");
}

/*
 * #AC delivered on a misaligned stack of user code: no end to it either. The actor leaves 64-bit
 * mode for this, and its NMI handler with it: INIT ends it.
 */
void do_ac_delivery(struct actor *a)
{
	(void)a;
	storm_align();
}

/* User code that is not aligned, and a handler that lets it try again. */
void do_ac_storm(struct actor *a)
{
	static const uint8_t code[] = {0x48, 0x8b, 0x07, 0xeb,
				       0xfb}; /* 1: mov (%rdi), %rax; jmp 1b */
	struct registers r;

	registers_fill(a, &r);
	r.rdi = kind_edge(a, N_MEMORY, PTE_U) - 1 - random_below(&a->random, 7);
	r.rflags = 2 | RFLAGS_AC | (random_once_in(&a->random, 8) ? 0 : RFLAGS_IF);
	actor_map(a, USER_PAGE, kind_page(a, KIND_PRIVATE) | PTE_P | PTE_W | PTE_U);
	memcpy((void *)(WINDOW + USER_PAGE * PAGE_SIZE), code, sizeof(code));
	actor_set_gate(a, VECTOR_AC, vector_return_error, IST_FREE);
	actor_set_stack(a, IST_FREE, (uint64_t)(uintptr_t)(a->stacks[IST_FREE - 1] + STACK_SIZE));
	write_cr0(read_cr0() | CR0_AM);
	actor_limit(STORM_TICKS);
	run_user(WINDOW + USER_PAGE * PAGE_SIZE, r.rdi, &r);
}

/*
 * An instruction that faults, and a handler that goes back to it, with its stack in memory of every
 * kind. If interrupts stay off, the keeper's NMI ends it.
 */
void do_fault_storm(struct actor *a)
{
	static const uint8_t vectors[] = {VECTOR_DE, VECTOR_BP, VECTOR_UD, VECTOR_NM,
					  VECTOR_SS, VECTOR_GP, VECTOR_PF};
	const uint8_t *code = storm_code[random_below(&a->random, N_STORMS)];
	struct registers r = {.rbx = BIT(62), .rdi = WALKS, .rflags = 2};

	if (random_once_in(&a->random, 16))
		code += STORM_WITHOUT_STI;
	r.r13 = (uint64_t)(uintptr_t)code;
	r.r15 = (uint64_t)(uintptr_t)(a->stacks[IST_FREE - 1] + STACK_SIZE);
	for (unsigned i = 0; i < sizeof(vectors); i++)
		actor_set_gate(a, vectors[i], vector_escape, IST_FREE);
	actor_set_stack(a, IST_FREE, kind_edge(a, N_MEMORY, 0) + 32 - random_below(&a->random, 96));
	actor_limit(STORM_TICKS);
	write_cr0(read_cr0() | CR0_TS);
	run_code(code, &r);
}
