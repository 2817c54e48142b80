/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of actions, and those that concern the VM as a whole. */
#include "tests/guest/hostile/hostile.h"
#include "tests/guest/hostile/log.h"

#define CONTROL	   0x5354
#define FREEZE	   1
#define REVERT	   2
#define MAX_RESETS 6
#define ACPI_RESET 0x602

/* name, step, weight, steps, what it leaves */
const struct action actions[] = {
	{"ports", do_ports, 20, 60, DIRTY_DEVICES},
	{"strings", do_strings, 20, 20, DIRTY_DEVICES},
	{"strings_mmio", do_strings_mmio, 5, 10, DIRTY_DEVICES},
	{"console", do_console, 1, 4, DIRTY_DEVICES},
	{"fw_cfg", do_fw_cfg, 10, 20, 0},
	{"cpuid", do_cpuid, 5, 10, 0},
	{"msrs", do_msrs, 20, 60, DIRTY_APIC},
	{"control", do_control, 20, 40, 0},
	{"debug", do_debug, 20, 40, 0},
	{"db_storm", do_db_storm, 1, 1, 0},
	{"ac_storm", do_ac_storm, 2, 4, DIRTY_APIC},
	{"ac_delivery", do_ac_delivery, 1, 1, 0},
	{"fault_storm", do_fault_storm, 4, 4, DIRTY_APIC},
	{"tables", do_tables, 20, 30, 0},
	{"forms", do_forms, 40, 60, DIRTY_DEVICES},
	{"forms_mmio", do_forms_mmio, 3, 20, DIRTY_DEVICES | DIRTY_APIC},
	{"code", do_code, 20, 40, 0},
	{"user", do_user, 40, 40, DIRTY_APIC},
	{"user_mmio", do_user_mmio, 10, 20, DIRTY_APIC},
	{"apic", do_apic, 10, 20, DIRTY_APIC},
	{"ipi", do_ipi, 10, 10, DIRTY_APIC},
	{"sipi", do_sipi, 3, 5, 0},
	{"real_mode", do_real_mode, 5, 10, 0},
	{"vectors", do_vectors, 10, 30, DIRTY_APIC},
	{"vectors_mmio", do_vectors_mmio, 1, 10, DIRTY_APIC},
	{"walks", do_walks, 10, 40, 0},
	{"ioapic", do_ioapic, 6, 10, DIRTY_APIC | DIRTY_IOAPIC | DIRTY_DEVICES},
	{"timer", do_timer, 10, 10, DIRTY_APIC},
	{"rings", do_rings, 20, 20, DIRTY_APIC | DIRTY_RINGS},
	{"freeze", do_freeze, 1, 1, 0},
	{"revert", do_revert, 2, 1, 0},
	{"reset", do_reset, 1, 1, 0},
	{"triple", do_triple, 1, 1, 0},
};
const unsigned n_actions = sizeof(actions) / sizeof(actions[0]);

/* The VM becomes a template. A clone of it continues from here. */
void do_freeze(struct actor *a)
{
	(void)a;
	if (the_log->n_freezes >= param_number("freezes", 0))
		return;
	the_log->n_freezes++;
	the_log->is_frozen = true;
	outl(FREEZE, CONTROL);
}

void do_revert(struct actor *a)
{
	(void)a;
	outl(REVERT, CONTROL);
}

void do_reset(struct actor *a)
{
	if (the_log->n_resets >= MAX_RESETS)
		return;
	switch (random_below(&a->random, 4)) {
	case 0:
		outb(0xfe, 0x64);
		break;
	case 1:
		outb(1, 0x92);
		break;
	case 2:
		outb(6, 0xcf9);
		break;
	default:
		outb(0x42, ACPI_RESET);
	}
}

/* An exception whose handler cannot be found. */
void do_triple(struct actor *a)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing;

	(void)a;
	if (the_log->n_resets >= MAX_RESETS)
		return;
	asm volatile("lidt %0; int3" : : "m"(nothing));
}
