/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

#define ACPI_CPU_MAX	 1024
#define ACPI_IO_APIC_MAX 128
#define ACPI_LINT_MAX	 2048
#define ACPI_LINT_ALL	 UINT32_MAX

/* The address space of a register. Source: ACPI, "Generic Address Structure". */
enum acpi_space {
	ACPI_SPACE_NONE = -1,
	ACPI_SPACE_MEMORY = 0,
	ACPI_SPACE_IO = 1,
	ACPI_SPACE_PCI = 2,
};

struct acpi_register {
	enum acpi_space space;
	uint64_t address;
};

/* A local interrupt pin that an NMI comes in at. */
struct acpi_lint {
	uint32_t uid; /* the processor's, or ACPI_LINT_ALL */
	uint8_t pin;
	bool active_low;
};

/* A whole table; len 0: none. */
struct acpi_table {
	phys_t start;
	uint64_t len;
};

/* The information of the firmware's tables that Stencil uses. */
struct acpi {
	uint32_t n_cpus;	  /* enabled processors, in the order of the MADT */
	uint32_t n_cpus_left_out; /* processors that do not fit */
	uint32_t cpu_apic_id[ACPI_CPU_MAX];
	uint32_t cpu_uid[ACPI_CPU_MAX]; /* of the same processors */
	uint32_t n_lints;
	struct acpi_lint lint[ACPI_LINT_MAX];
	uint32_t n_io_apics;
	phys_t io_apic[ACPI_IO_APIC_MAX];

	bool x2apic_opt_out;	/* the firmware asks to leave x2APIC mode off */
	phys_t hpet;		/* its registers; 0: none */
	uint16_t pm_timer_port; /* 0: none */
	bool pm_timer_32bit;	/* otherwise 24 bits */

	bool has_s5;
	uint8_t s5_type_a, s5_type_b;	    /* SLP_TYP values */
	struct acpi_register pm1a_control;  /* fixed hardware */
	struct acpi_register pm1b_control;  /* its second half, if any */
	struct acpi_register sleep_control; /* replaces them on hardware-reduced machines */

	/* The fixed events. The second half is missing on most machines. */
	struct acpi_register pm1_status[2], pm1_enable[2];
	bool has_power_button;	   /* among them */
	uint16_t smi_command_port; /* takes enable_value to enter ACPI mode; 0: always in it */
	uint8_t enable_value;

	struct acpi_register reset;
	uint8_t reset_value;

	struct acpi_table hest;	      /* hv/host/hest.h reads it */
	struct acpi_table wdat;	      /* hv/host/wdat_parse.h reads it */
	struct acpi_table spcr;	      /* hv/host/serial_find.h reads it */
	struct acpi_table srat, slit; /* hv/frame/numa_parse.h reads them */
};

/* The machine's tables; without them empty, with spaces ACPI_SPACE_NONE. Constant after
 * acpi_init(). */
extern struct acpi acpi;

/* Fill 'acpi' from the tables at rsdp (0: none). A damaged table is reported and not used. */
void acpi_init(phys_t rsdp);

/*
 * The parser of acpi_init(): reads only through acpi_memory(), and never beyond the length that
 * a table declares. ERR_NOTFOUND if there is no valid RSDP, ERR_CORRUPT if the table of tables is
 * damaged; *ret is then empty.
 */
enum status acpi_parse(phys_t rsdp, struct acpi *ret);
