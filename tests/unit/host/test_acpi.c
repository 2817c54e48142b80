/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/acpi.h"
#include "hv/host/acpi_memory.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

/* Physical memory of the test: a window that ends where acpi_memory() says so. */
#define BASE 0x7f000000

enum {
	SIZE = 0xa000,
	RSDP = 0,
	RSDT = 0x100,
	XSDT = 0x200,
	MADT = 0x400,
	FADT = 0x7800,
	DSDT = 0x8000
};

static uint8_t memory[SIZE];

/* Each answer is a copy of exact size, so that the sanitizer sees a read beyond it. */
static void *copies[64];
static unsigned n_copies;

const void *acpi_memory(phys_t start, uint64_t len)
{
	if (start < BASE || start - BASE > SIZE || len > SIZE - (start - BASE))
		return NULL;
	assert_in_range(n_copies, 0, ARRAY_SIZE(copies) - 1);
	copies[n_copies] = malloc(len);
	return memcpy(copies[n_copies++], memory + (start - BASE), len);
}

static void free_copies(void)
{
	while (n_copies > 0)
		free(copies[--n_copies]);
}

static enum status parse(struct acpi *ret)
{
	enum status status = acpi_parse(BASE + RSDP, ret);

	free_copies();
	return status;
}

static void put(unsigned offset, uint64_t value, unsigned size)
{
	memcpy(memory + offset, &value, size);
}

static void put_checksum(unsigned start, unsigned len, unsigned at)
{
	uint8_t sum = 0;

	memory[start + at] = 0;
	for (unsigned i = 0; i < len; i++)
		sum = (uint8_t)(sum + memory[start + i]);
	memory[start + at] = (uint8_t)-sum;
}

static void put_table(unsigned start, const char *signature, unsigned len)
{
	memcpy(memory + start, signature, 4);
	put(start + 4, len, 4);
	put_checksum(start, len, 9);
}

static void reseal(unsigned start)
{
	unsigned len;

	memcpy(&len, memory + start + 4, 4);
	put_checksum(start, len, 9);
}

static unsigned put_cpu(unsigned offset, uint8_t id, uint32_t flags)
{
	memory[offset] = 0;
	memory[offset + 1] = 8;
	memory[offset + 3] = id;
	put(offset + 4, flags, 4);
	return offset + 8;
}

static unsigned put_x2apic(unsigned offset, uint32_t id, uint32_t flags)
{
	memory[offset] = 9;
	memory[offset + 1] = 16;
	put(offset + 4, id, 4);
	put(offset + 8, flags, 4);
	return offset + 16;
}

static unsigned put_io_apic(unsigned offset, uint32_t address)
{
	memory[offset] = 1;
	memory[offset + 1] = 12;
	put(offset + 4, address, 4);
	return offset + 12;
}

static void put_register(unsigned offset, uint8_t space, uint64_t address)
{
	memory[offset] = space;
	put(offset + 4, address, 8);
}

static void put_fadt(void)
{
	put(FADT + 40, BASE + DSDT, 4);
	put(FADT + 64, 0x604, 4);
	put(FADT + 76, 0x608, 4);
	put(FADT + 112, 1 << 10 | 1 << 8, 4);
	put_register(FADT + 116, 1, 0xcf9);
	memory[FADT + 128] = 6;
	put_table(FADT, "FACP", 276);
}

static void put_dsdt(const void *aml, unsigned len)
{
	memset(memory + DSDT, 0, SIZE - DSDT);
	memcpy(memory + DSDT + 36, aml, len);
	put_table(DSDT, "DSDT", 36 + len);
}

static const uint8_t s5[] = {0x10, 0x01, 8, '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 5, 0x0a, 6, 0, 0};

static void put_all(void)
{
	unsigned end = MADT + 44;

	memset(memory, 0, SIZE);
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 16, BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + XSDT, 8);
	put_checksum(RSDP, 20, 8);
	put_checksum(RSDP, 36, 32);
	put(RSDT + 36, BASE + MADT, 4);
	put_table(RSDT, "RSDT", 40);
	put(XSDT + 36, BASE + FADT, 8);
	put(XSDT + 44, BASE + MADT, 8);
	put_table(XSDT, "XSDT", 52);
	put(MADT + 36, 0xfee00000, 4);
	end = put_cpu(end, 0, 1);
	end = put_cpu(end, 2, 0); /* disabled */
	end = put_cpu(end, 4, 3);
	end = put_io_apic(end, 0xfec00000);
	end = put_x2apic(end, 4, 1); /* the same one again */
	end = put_x2apic(end, 0x1234, 1);
	put_table(MADT, "APIC", end - MADT);
	put_fadt();
	put_dsdt(s5, sizeof(s5));
}

static void sound_tables_are_read(void **state)
{
	struct acpi acpi;

	put_all();
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, 3);
	assert_int_equal(acpi.cpu_apic_id[0], 0);
	assert_int_equal(acpi.cpu_apic_id[1], 4);
	assert_int_equal(acpi.cpu_apic_id[2], 0x1234);
	assert_int_equal(acpi.n_io_apics, 1);
	assert_int_equal(acpi.io_apic[0], 0xfec00000);
	assert_int_equal(acpi.pm_timer_port, 0x608);
	assert_true(acpi.pm_timer_32bit);
	assert_true(acpi.has_s5);
	assert_int_equal(acpi.s5_type_a, 5);
	assert_int_equal(acpi.s5_type_b, 6);
	assert_int_equal(acpi.pm1a_control.space, ACPI_SPACE_IO);
	assert_int_equal(acpi.pm1a_control.address, 0x604);
	assert_int_equal(acpi.pm1b_control.space, ACPI_SPACE_NONE);
	assert_int_equal(acpi.sleep_control.space, ACPI_SPACE_NONE);
	assert_int_equal(acpi.reset.space, ACPI_SPACE_IO);
	assert_int_equal(acpi.reset.address, 0xcf9);
	assert_int_equal(acpi.reset_value, 6);
}

static void tables_for_others_are_found(void **state)
{
	static const char *const names[] = {"SPCR", "HEST", "WDAT"};
	enum { OTHER = 0x9000 };
	struct acpi acpi;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		put_all();
		put_table(OTHER, names[i], 48);
		put(XSDT + 52, BASE + OTHER, 8);
		put_table(XSDT, "XSDT", 60);
		assert_int_equal(parse(&acpi), OK);
		const struct acpi_table *const found[] = {&acpi.spcr, &acpi.hest, &acpi.wdat};

		for (size_t k = 0; k < ARRAY_SIZE(found); k++) {
			assert_int_equal(found[k]->start, k == i ? BASE + OTHER : 0);
			assert_int_equal(found[k]->len, k == i ? 48 : 0);
		}
	}
}

static void tables_about_nodes_are_found(void **state)
{
	enum { SRAT = 0x9000, SLIT = 0x9100 };
	struct acpi acpi;

	put_all();
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.srat.len, 0);
	assert_int_equal(acpi.slit.len, 0);
	put_table(SRAT, "SRAT", 48);
	put_table(SLIT, "SLIT", 44);
	put(XSDT + 52, BASE + SLIT, 8);
	put(XSDT + 60, BASE + SRAT, 8);
	put_table(XSDT, "XSDT", 68);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.srat.start, BASE + SRAT);
	assert_int_equal(acpi.srat.len, 48);
	assert_int_equal(acpi.slit.start, BASE + SLIT);
	assert_int_equal(acpi.slit.len, 44);
}

static void a_revision_0_rsdp_leads_to_the_rsdt(void **state)
{
	struct acpi acpi;

	put_all();
	memory[RSDP + 15] = 0;
	put_checksum(RSDP, 20, 8);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, 3);
	assert_int_equal(acpi.reset.space, ACPI_SPACE_NONE); /* no FADT in the RSDT here */
}

static void extended_fields_win_over_the_old_ones(void **state)
{
	struct acpi acpi;

	put_all();
	put_register(FADT + 172, 1, 0x1804);
	put_register(FADT + 208, 0, 0xfed00000); /* a PM timer in memory is not used */
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.pm1a_control.address, 0x1804);
	assert_int_equal(acpi.pm_timer_port, 0);
}

static void hardware_reduced_machines_have_a_sleep_control_register(void **state)
{
	struct acpi acpi;

	put_all();
	put(FADT + 112, 1 << 20, 4);
	put_register(FADT + 244, 1, 0x604);
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.sleep_control.address, 0x604);
	assert_int_equal(acpi.pm1a_control.space, ACPI_SPACE_NONE);
	assert_int_equal(acpi.pm_timer_port, 0);
	assert_int_equal(acpi.reset.space, ACPI_SPACE_NONE);
}

static void put_events(void)
{
	put(FADT + 48, 0xb2, 4);
	memory[FADT + 52] = 0xf0;
	put(FADT + 56, 0x600, 4);
	memory[FADT + 88] = 4;
	reseal(FADT);
}

static void the_power_button_is_a_fixed_event(void **state)
{
	struct acpi acpi;

	put_all();
	put_events();
	assert_int_equal(parse(&acpi), OK);
	assert_true(acpi.has_power_button);
	assert_int_equal(acpi.pm1_status[0].space, ACPI_SPACE_IO);
	assert_int_equal(acpi.pm1_status[0].address, 0x600);
	assert_int_equal(acpi.pm1_enable[0].address, 0x602);
	assert_int_equal(acpi.pm1_status[1].space, ACPI_SPACE_NONE);
	assert_int_equal(acpi.pm1_enable[1].space, ACPI_SPACE_NONE);
	assert_int_equal(acpi.smi_command_port, 0xb2);
	assert_int_equal(acpi.enable_value, 0xf0);
	put(FADT + 60, 0x700, 4);
	put_register(FADT + 160, 0, 0xfed80000);
	memory[FADT + 88] = 8;
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.pm1_enable[0].address, 0x604);
	assert_int_equal(acpi.pm1_status[1].address, 0xfed80000);
	assert_int_equal(acpi.pm1_enable[1].address, 0xfed80004);
}

static void a_power_button_that_only_aml_knows_is_none(void **state)
{
	struct acpi acpi;

	put_all();
	put_events();
	put(FADT + 112, 1 << 4, 4);
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.has_power_button);
	put(FADT + 112, 1 << 20, 4); /* hardware-reduced */
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.has_power_button);
	put_all();
	put_events();
	memory[FADT + 88] = 3; /* no room for two registers */
	reseal(FADT);
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.has_power_button);
	put_all();
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.has_power_button);
}

static void a_short_fadt_of_old_is_enough(void **state)
{
	struct acpi acpi;

	put_all();
	put_table(FADT, "FACP", 116);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.pm1a_control.address, 0x604);
	assert_int_equal(acpi.reset.space, ACPI_SPACE_NONE);
}

static void s5_is_found_in_all_its_spellings_and_only_there(void **state)
{
	static const struct {
		uint8_t aml[24];
		unsigned len;
		bool found;
		uint8_t a, b;
	} cases[] = {
		{{8, '_', 'S', '5', '_', 0x12, 6, 4, 0, 1, 0, 0}, 12, true, 0, 1},
		{{8, '\\', '_', 'S', '5', '_', 0x12, 6, 2, 1, 0x0a, 7}, 12, true, 1, 7},
		{{8, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0x0a, 5, 0x0b, 6, 0}, 14, true, 5, 6},
		{{8, '_', 'S', '5', '_', 0x12, 0x86, 0, 0, 2, 0x0c, 3, 0, 0, 0, 1}, 16, true, 3, 1},
		{{9, '_', 'S', '5', '_', 0x12, 6, 4, 0, 1, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '4', '_', 0x12, 6, 4, 0, 1, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x11, 6, 4, 0, 1, 0, 0}, 12, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 1, 5}, 9, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0d, 1}, 10, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a}, 9, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5}, 10, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12, 6, 2, 0x0a, 5, 0x0c, 1, 2}, 13, false, 0, 0},
		{{8, '_', 'S', '5', '_', 0x12}, 6, false, 0, 0},
		{{8, '_', 'S', '5', '_'}, 5, false, 0, 0},
		{{9, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 0, 1, 0}, 12, false, 0, 0},
		{{0}, 0, false, 0, 0},
	};
	struct acpi acpi;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		put_all();
		put_dsdt(cases[i].aml, cases[i].len);
		assert_int_equal(parse(&acpi), OK);
		assert_int_equal(acpi.has_s5, cases[i].found);
		if (!cases[i].found)
			continue;
		assert_int_equal(acpi.s5_type_a, cases[i].a);
		assert_int_equal(acpi.s5_type_b, cases[i].b);
	}
}

static void a_damaged_rsdp_or_root_gives_nothing(void **state)
{
	struct acpi acpi;

	assert_int_equal(acpi_parse(0, &acpi), ERR_NOTFOUND);
	assert_int_equal(acpi_parse(BASE + SIZE - 8, &acpi), ERR_NOTFOUND);
	put_all();
	memory[RSDP + 3] ^= 1;
	assert_int_equal(parse(&acpi), ERR_NOTFOUND);
	put_all();
	memory[RSDP + 14] ^= 1; /* checksum */
	assert_int_equal(parse(&acpi), ERR_NOTFOUND);
	put_all();
	put(XSDT, 'Y', 1); /* then the RSDT counts, which has no FADT */
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, 3);
	assert_false(acpi.has_s5);
	put(RSDT, 'Y', 1);
	assert_int_equal(parse(&acpi), ERR_CORRUPT);
}

/* The first 20 bytes of an RSDP are enough, and an RSDP may name no XSDT. */
static void without_an_xsdt_the_rsdt_counts(void **state)
{
	struct acpi acpi;

	put_all();
	put(RSDP + 24, 0, 8);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, 3);
	put_all();
	memcpy(memory + SIZE - 20, memory + RSDP, 20);
	assert_int_equal(acpi_parse(BASE + SIZE - 20, &acpi), OK);
	assert_int_equal(acpi.n_cpus, 3);
	free_copies();
}

static void a_machine_without_a_dsdt_has_no_s5(void **state)
{
	struct acpi acpi;

	put_all();
	put(FADT + 40, 0, 4);
	reseal(FADT);
	log_reset();
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.has_s5);
	assert_string_equal(logged, "");
}

static void damaged_tables_are_told_at_start_up(void **state)
{
	log_reset();
	acpi_init(0); /* a machine without ACPI */
	assert_string_equal(logged, "");
	put_all();
	acpi_init(BASE + RSDP);
	assert_string_equal(logged, "");
	assert_int_equal(acpi.n_cpus, 3);
	memory[RSDP] = 'r';
	acpi_init(BASE + RSDP);
	assert_string_equal(logged,
			    "warning: ACPI tables at 0x7f000000 are damaged and not used\n");
	assert_int_equal(acpi.n_cpus, 0);
	free_copies();
}

/* Any bytes may be there; none of them goes to a terminal. */
static void a_signature_is_printed_with_question_marks(void **state)
{
	struct acpi acpi;

	put_all();
	memcpy(memory + FADT, "F\x7f\033P", 4);
	log_reset();
	assert_int_equal(parse(&acpi), OK);
	assert_string_equal(logged, "warning: ACPI table F??P at 0x7f007800: bad checksum\n");
}

/* Much firmware changes tables and forgets the sum. */
static void a_bad_checksum_is_said_and_the_table_is_used(void **state)
{
	static const struct {
		unsigned byte;
		const char *said;
	} cases[] = {
		{RSDP + 33, "ACPI RSDP at 0x7f000000: bad checksum"},
		{XSDT + 20, "ACPI table XSDT at 0x7f000200: bad checksum"},
		{MADT + 20, "ACPI table APIC at 0x7f000400: bad checksum"},
		{FADT + 20, "ACPI table FACP at 0x7f007800: bad checksum"},
		{DSDT + 20, "ACPI table DSDT at 0x7f008000: bad checksum"},
	};
	struct acpi acpi;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		put_all();
		memory[cases[i].byte] ^= 1;
		log_reset();
		assert_int_equal(parse(&acpi), OK);
		assert_non_null(strstr(logged, cases[i].said));
		assert_int_equal(acpi.n_cpus, 3);
		assert_true(acpi.has_s5);
		assert_int_equal(acpi.pm1a_control.address, 0x604);
	}
}

static void empty_entries_of_the_root_are_passed_over(void **state)
{
	struct acpi acpi;

	put_all();
	put(XSDT + 52, 0, 8);
	put(XSDT + 60, BASE + FADT, 8);
	put_table(XSDT, "XSDT", 68);
	log_reset();
	assert_int_equal(parse(&acpi), OK);
	assert_string_equal(logged, "");
	assert_true(acpi.has_s5);
}

/* 255 and 2^32 - 1 are all processors. */
static void entries_without_an_id_are_no_processors(void **state)
{
	unsigned end = MADT + 44;
	struct acpi acpi;

	put_all();
	end = put_cpu(end, 0xfe, 1);
	end = put_cpu(end, 0xff, 1);
	end = put_x2apic(end, 0xff, 1);
	end = put_x2apic(end, UINT32_MAX, 1);
	put_table(MADT, "APIC", end - MADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, 2);
	assert_int_equal(acpi.cpu_apic_id[0], 0xfe);
	assert_int_equal(acpi.cpu_apic_id[1], 0xff);
}

static void dmar_and_hpet_are_read(void **state)
{
	enum { DMAR = 0x9000, HPET = 0x9100 };
	struct acpi acpi;

	put_all();
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.x2apic_opt_out);
	assert_int_equal(acpi.hpet, 0);
	put(XSDT + 52, BASE + DMAR, 8);
	put(XSDT + 60, BASE + HPET, 8);
	put_table(XSDT, "XSDT", 68);
	put_register(HPET + 40, ACPI_SPACE_MEMORY, 0xfed00000);
	put_table(HPET, "HPET", 56);
	for (unsigned flags = 0; flags < 8; flags++) {
		memory[DMAR + 37] = (uint8_t)flags;
		put_table(DMAR, "DMAR", 48);
		assert_int_equal(parse(&acpi), OK);
		assert_int_equal(acpi.x2apic_opt_out, flags >> 1 & 1);
	}
	assert_int_equal(acpi.hpet, 0xfed00000);
	put_register(HPET + 40, ACPI_SPACE_IO, 0x70);
	put_table(HPET, "HPET", 56);
	put_table(DMAR, "DMAR", 36); /* without its flags */
	assert_int_equal(parse(&acpi), OK);
	assert_false(acpi.x2apic_opt_out);
	assert_int_equal(acpi.hpet, 0);
}

static void a_table_of_bad_length_is_said_and_the_others_are_used(void **state)
{
	static const uint32_t lengths[] = {0, 35, 0x5000, 0x7fffffff, 0xffffffff};
	struct acpi acpi;

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		put_all();
		put(FADT + 4, lengths[i], 4);
		log_reset();
		assert_int_equal(parse(&acpi), OK);
		assert_non_null(strstr(logged, "bad length"));
		assert_int_equal(acpi.n_cpus, 3);
	}
	put_all();
	put(XSDT + 36, 0x1000, 8);
	reseal(XSDT);
	log_reset();
	assert_int_equal(parse(&acpi), OK);
	assert_non_null(strstr(logged, "0x1000 cannot be read"));
}

static void madt_entries_that_stick_out_end_the_list(void **state)
{
	static const uint8_t lengths[] = {0, 1, 200};
	struct acpi acpi;

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		put_all();
		memory[MADT + 44 + 8 + 1] = lengths[i];
		reseal(MADT);
		log_reset();
		assert_int_equal(parse(&acpi), OK);
		assert_int_equal(acpi.n_cpus, 1);
		assert_non_null(strstr(logged, "bad entry at offset 0x34"));
	}
	/* Entries too short for their type give nothing. */
	for (unsigned type = 0; type < 12; type++) {
		put_all();
		memory[MADT + 44] = (uint8_t)type;
		memory[MADT + 45] = 2;
		put_table(MADT, "APIC", 46);
		assert_int_equal(parse(&acpi), OK);
		assert_int_equal(acpi.n_cpus, 0);
		assert_int_equal(acpi.n_io_apics, 0);
		assert_int_equal(acpi.n_lints, 0);
	}
}

static void nmi_pins_are_read(void **state)
{
	unsigned end = MADT + 44;
	struct acpi acpi;

	put_all();
	memset(memory + MADT + 44, 0, 64);
	end = put_x2apic(end, 0x1234, 1);
	put(end - 4, 77, 4);					      /* its UID */
	memcpy(memory + end, (uint8_t[]){4, 6, 0xff, 0x0f, 0, 1}, 6); /* all, active low, level */
	memcpy(memory + end + 6, (uint8_t[]){4, 6, 3, 0, 0, 0}, 6);
	memcpy(memory + end + 12, (uint8_t[]){10, 12, 1, 0, 77, 0, 0, 0, 1, 0, 0, 0}, 12);
	put_table(MADT, "APIC", end + 24 - MADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.cpu_uid[0], 77);
	assert_int_equal(acpi.n_lints, 3);
	assert_int_equal(acpi.lint[0].uid, ACPI_LINT_ALL);
	assert_int_equal(acpi.lint[0].pin, 1);
	assert_true(acpi.lint[0].active_low);
	assert_int_equal(acpi.lint[1].uid, 3);
	assert_int_equal(acpi.lint[1].pin, 0);
	assert_false(acpi.lint[1].active_low);
	assert_int_equal(acpi.lint[2].uid, 77);
	assert_int_equal(acpi.lint[2].pin, 1);
	assert_false(acpi.lint[2].active_low);
}

static void nmi_pins_beyond_the_limit_are_left_out(void **state)
{
	unsigned end = MADT + 44;
	struct acpi acpi;

	put_all();
	for (unsigned i = 0; i < ACPI_LINT_MAX + 1; i++, end += 6)
		memcpy(memory + end, (uint8_t[]){4, 6, (uint8_t)(i % 64), 0, 0, 1}, 6);
	assert_in_range(end, 0, FADT);
	put_table(MADT, "APIC", end - MADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_lints, ACPI_LINT_MAX);
	assert_int_equal(acpi.lint[ACPI_LINT_MAX - 1].uid, (ACPI_LINT_MAX - 1) % 64);
}

static void processors_beyond_the_limit_are_counted(void **state)
{
	unsigned end = MADT + 44;
	struct acpi acpi;

	put_all();
	memset(memory + FADT, 0, SIZE - FADT);
	for (unsigned i = 0; i < ACPI_CPU_MAX + 3; i++)
		end = put_x2apic(end, 1000 + i, 1);
	for (unsigned i = 0; i < ACPI_IO_APIC_MAX + 1; i++)
		end = put_io_apic(end, 0xfec00000);
	assert_in_range(end, 0, FADT + 0x800);
	put_table(MADT, "APIC", end - MADT);
	assert_int_equal(parse(&acpi), OK);
	assert_int_equal(acpi.n_cpus, ACPI_CPU_MAX);
	assert_int_equal(acpi.n_cpus_left_out, 3);
	log_reset();
	acpi_init(BASE + RSDP);
	assert_non_null(strstr(logged, "warning: 3 processors more than the supported "));
	free_copies();
	assert_int_equal(acpi.n_io_apics, ACPI_IO_APIC_MAX);
}

/* Every byte flipped, checksums mended so that the parser sees it: the sanitizer judges. */
static void no_single_wrong_byte_leads_out_of_bounds(void **state)
{
	static const unsigned tables[] = {XSDT, MADT, FADT, DSDT};
	struct acpi acpi;

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		for (unsigned offset = 0; offset < 300; offset++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				unsigned len;

				put_all();
				memory[tables[i] + offset] ^= (uint8_t)(1 << bit);
				memcpy(&len, memory + tables[i] + 4, 4);
				if (len >= 36 && len <= SIZE - tables[i])
					reseal(tables[i]);
				log_reset();
				(void)parse(&acpi);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_tables_are_read),
		cmocka_unit_test(tables_for_others_are_found),
		cmocka_unit_test(tables_about_nodes_are_found),
		cmocka_unit_test(a_revision_0_rsdp_leads_to_the_rsdt),
		cmocka_unit_test(extended_fields_win_over_the_old_ones),
		cmocka_unit_test(hardware_reduced_machines_have_a_sleep_control_register),
		cmocka_unit_test(a_short_fadt_of_old_is_enough),
		cmocka_unit_test(s5_is_found_in_all_its_spellings_and_only_there),
		cmocka_unit_test(a_damaged_rsdp_or_root_gives_nothing),
		cmocka_unit_test(without_an_xsdt_the_rsdt_counts),
		cmocka_unit_test(a_machine_without_a_dsdt_has_no_s5),
		cmocka_unit_test(damaged_tables_are_told_at_start_up),
		cmocka_unit_test(a_signature_is_printed_with_question_marks),
		cmocka_unit_test(a_bad_checksum_is_said_and_the_table_is_used),
		cmocka_unit_test(empty_entries_of_the_root_are_passed_over),
		cmocka_unit_test(entries_without_an_id_are_no_processors),
		cmocka_unit_test(dmar_and_hpet_are_read),
		cmocka_unit_test(a_table_of_bad_length_is_said_and_the_others_are_used),
		cmocka_unit_test(the_power_button_is_a_fixed_event),
		cmocka_unit_test(a_power_button_that_only_aml_knows_is_none),
		cmocka_unit_test(nmi_pins_are_read),
		cmocka_unit_test(madt_entries_that_stick_out_end_the_list),
		cmocka_unit_test(nmi_pins_beyond_the_limit_are_left_out),
		cmocka_unit_test(processors_beyond_the_limit_are_counted),
		cmocka_unit_test(no_single_wrong_byte_leads_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
