/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A guest that does whatever a guest can do to harm its host. Processor 0 is the keeper: it only
 * watches. All others are actors. An actor performs actions of a table, chosen and driven by random
 * numbers that depend on nothing but the seed, the actor and the action's number, so that any of
 * them can be repeated alone. An action is a series of steps. Each step starts from a known state,
 * and whatever ends it leads back there:
 *
 *	it returns, or faults		attempt() returns
 *	it spins with interrupts on	the actor's timer ends it
 *	it spins with interrupts off	the keeper sends an NMI
 *	nothing of that helps		the keeper starts the actor again by INIT and SIPI
 *	the VM is reset, or reverts	the log in shared memory says what is next
 */

#include "tests/guest/lib/smp.h"

/* ---- random numbers ---- */

struct random {
	uint64_t state;
};

struct random random_of(uint64_t seed, uint64_t actor, uint64_t action);
uint64_t random_next(struct random *r);
/* Less than 'n', which is not 0. */
uint64_t random_below(struct random *r, uint64_t n);
/* True once in 'n'. */
bool random_once_in(struct random *r, uint64_t n);
/* Zeros, ones, powers of two and their neighbours, addresses, or anything. */
uint64_t random_value(struct random *r);
#define random_of_list(r, list) ((list)[random_below((r), sizeof(list) / sizeof((list)[0]))])

/* ---- actors ---- */

#define N_ACTORS_MAX 3
#define ACTOR_SIZE   0x10000 /* also its alignment: a stack's address leads to its actor */
#define STACK_SIZE   4096
#define N_IST	     5

#define VECTOR_TIMER 0xe0
#define VECTOR_FIRST 32 /* of the interrupts */
#define N_PINS	     24 /* of the I/O APIC */

/* What ended a step, besides an exception's vector and NO_FAULT. */
enum outcome {
	OUTCOME_TIMER = 256,
	OUTCOME_NMI,
	OUTCOME_STORM, /* too many interrupts */
};

/* What an action leaves for actor_restore() to mend, besides the processor's own state. */
enum dirt {
	DIRTY_APIC = 1,
	DIRTY_IOAPIC = 2,
	DIRTY_DEVICES = 4,
	DIRTY_RINGS = 8,
};

struct actor {
	uint64_t catch_rsp; /* entry.asm knows the first two */
	uint64_t is_trying;
	volatile uint64_t beats; /* steps begun */
	volatile bool is_overdue, is_done, has_ticked;
	unsigned cpu;
	uint32_t n_interrupts; /* of this step, or of the keeper's nap */
	uint64_t apic_base;
	uint32_t pins;	      /* of the I/O APIC that the action has changed */
	struct random random; /* of this action */
	uint64_t address;     /* for the step: see its action */
	uint64_t gdt[10];
	uint8_t tss[104];
	uint8_t idt[4096] __attribute__((aligned(4096)));
	uint64_t pml4[512] __attribute__((aligned(4096)));
	uint64_t pdpt[512], pd[512], window[512];
	uint8_t stacks[N_IST][STACK_SIZE];
} __attribute__((aligned(ACTOR_SIZE)));

extern struct actor actors[N_ACTORS_MAX];

/* Make this processor, which has just started, the actor's. */
void actor_begin(struct actor *a);
/* Return to the known state. Mends what 'dirt' lists. */
void actor_restore(struct actor *a, unsigned dirt);
/* Perform one step. Returns NO_FAULT, a vector, or an enum outcome. */
int actor_try(struct actor *a, void (*step)(struct actor *));

/*
 * A page of the actor's window, a mapping of 512 pages of 4 KiB from WINDOW. Page tables and pages
 * of the window may be accessible to user code.
 */
void actor_map(struct actor *a, unsigned page, uint64_t pte);
#define PTE_U BIT(2)

/* What the entry after the window's maps: nothing, until an action puts a table there. */
#define WALKS	    (WINDOW + UINT64_C(0x200000))
#define WALKS_ENTRY (WALKS / 0x200000 % 512)

/* Let 'vector' lead to 'entry' with RSP from entry 'ist' of the table of stacks. */
void actor_set_gate(struct actor *a, unsigned vector, const void *entry, unsigned ist);
void actor_set_stack(struct actor *a, unsigned ist, uint64_t rsp);
#define IST_FREE 5 /* no vector uses it */

/* Arm the timer that ends a step which runs with interrupts on. */
void actor_limit(uint32_t ticks);

/* ---- memory of every kind ---- */

enum kind {
	KIND_PRIVATE,
	KIND_UNTOUCHED,
	KIND_ROM,
	KIND_COW,
	KIND_SHARED,
	KIND_NONE, /* from here on: no memory */
	KIND_LAPIC,
	KIND_IOAPIC,
	N_KINDS,
};

/* A random page of the kind: its guest-physical address. Nothing else is in that page. */
uint64_t kind_page(struct actor *a, enum kind kind);
/* An address at a random edge or inside of a random page of one of the first 'n' kinds. */
uint64_t kind_address(struct actor *a, unsigned n);
/* Map two neighbouring pages of the first 'n' kinds, perhaps one of them absent; returns the edge.
 */
uint64_t kind_edge(struct actor *a, unsigned n, uint64_t extra_bits);
#define N_MEMORY KIND_NONE

/*
 * Compare a random part of ROM with what the end-to-end test has put there; a difference ends the
 * VM. Returns how many instructions that took, for which reason it is a loop in assembly.
 */
uint64_t check_rom(struct actor *a);

/* ---- code from tables ---- */

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rflags;
};

/* Call 'code' with these registers; it may change all of them except the stack. */
void run_code(const void *code, const struct registers *r);
/* Enter user code, which returns only by a fault or an interrupt. */
void run_user(uint64_t rip, uint64_t rsp, const struct registers *r);
void registers_fill(struct actor *a, struct registers *ret);
/* Bytes of an instruction of the table of forms, or any bytes. */
void put_code(struct actor *a, uint8_t *at, unsigned n);

/* Reset all virtio devices. */
void reset_rings(void);

/* ---- the table of actions ---- */

struct action {
	const char *name;
	void (*step)(struct actor *a);
	uint16_t weight, n_steps;
	unsigned dirt;
};

extern const struct action actions[];
extern const unsigned n_actions;

void do_ports(struct actor *a);
void do_strings(struct actor *a);
void do_strings_mmio(struct actor *a);
void do_msrs(struct actor *a);
void do_control(struct actor *a);
void do_debug(struct actor *a);
void do_db_storm(struct actor *a);
void do_ac_storm(struct actor *a);
void do_ac_delivery(struct actor *a);
void do_fault_storm(struct actor *a);
void do_tables(struct actor *a);
void do_forms(struct actor *a);
void do_forms_mmio(struct actor *a);
void do_code(struct actor *a);
void do_user(struct actor *a);
void do_user_mmio(struct actor *a);
void do_apic(struct actor *a);
void do_ioapic(struct actor *a);
void do_ipi(struct actor *a);
void do_sipi(struct actor *a);
void do_real_mode(struct actor *a);
void do_vectors(struct actor *a);
void do_vectors_mmio(struct actor *a);
void do_walks(struct actor *a);
void do_timer(struct actor *a);
void do_fw_cfg(struct actor *a);
void do_console(struct actor *a);
void do_rings(struct actor *a);
void do_cpuid(struct actor *a);
void do_freeze(struct actor *a);
void do_revert(struct actor *a);
void do_reset(struct actor *a);
void do_triple(struct actor *a);
