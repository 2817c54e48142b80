/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "hv/devices/acpi_tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/devices/ioapic.h"
#include "hv/devices/lapic.h"
#include "hv/devices/platform.h"
#include "hv/devices/pm.h"
#include "tests/unit/support.h"

#define GPA ACPI_AREA_START

static uint8_t image[ACPI_TABLES_SIZE];

/* The tables as a guest would find them: from the RSDP on. */
struct found {
	const uint8_t *dsdt, *fadt, *madt, *ssdt, *xsdt;
	size_t len;
};

static uint64_t get(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, p, size);
	return value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t total = 0;

	while (len-- > 0)
		total += *p++;
	return total;
}

static const uint8_t *at(uint64_t gpa, const char *signature, size_t len)
{
	const uint8_t *table = image + (gpa - GPA);

	assert_in_range(gpa, GPA, GPA + len - 36);
	assert_int_equal(gpa % 16, 0);
	assert_memory_equal(table, signature, 4);
	assert_in_range(get(table + 4, 4), 36, len - (gpa - GPA));
	assert_int_equal(sum(table, get(table + 4, 4)), 0);
	return table;
}

static struct found build(unsigned n_cpus)
{
	struct acpi_config config = {.n_cpus = n_cpus, .rsdp_gpa = GPA};
	struct found found;

	memset(image, 0xcc, sizeof(image));
	assert_int_equal(acpi_tables_build(&config, image, sizeof(image), &found.len), OK);
	assert_memory_equal(image, "RSD PTR ", 8);
	assert_int_equal(sum(image, 20), 0);
	assert_int_equal(sum(image, 36), 0);
	assert_int_equal(image[15], 2);
	assert_int_equal(get(image + 20, 4), 36);
	found.xsdt = at(get(image + 24, 8), "XSDT", found.len);
	assert_int_equal(get(found.xsdt + 4, 4), 36 + 3 * 8);
	found.fadt = at(get(found.xsdt + 36, 8), "FACP", found.len);
	found.madt = at(get(found.xsdt + 44, 8), "APIC", found.len);
	found.ssdt = at(get(found.xsdt + 52, 8), "SSDT", found.len);
	found.dsdt = at(get(found.fadt + 140, 8), "DSDT", found.len);
	assert_int_equal(get(found.fadt + 40, 4), get(found.fadt + 140, 8));
	return found;
}

static void check_register(const uint8_t *gas, uint64_t port)
{
	assert_int_equal(gas[0], 1); /* I/O */
	assert_int_equal(gas[1], 8);
	assert_int_equal(gas[2], 0);
	assert_int_equal(gas[3], 1);
	assert_int_equal(get(gas + 4, 8), port);
}

static void the_fadt_describes_a_hardware_reduced_machine(void **state)
{
	const uint8_t *fadt = build(1).fadt;
	uint64_t flags = get(fadt + 112, 4), boot_arch = get(fadt + 109, 2);

	assert_int_equal(get(fadt + 4, 4), 276);
	assert_int_equal(fadt[8], 6);
	assert_true(flags & BIT(20));
	assert_true(flags & BIT(10));
	assert_int_equal(flags & (BIT(4) | BIT(5)), BIT(4) | BIT(5));
	assert_false(boot_arch & BIT(0)); /* legacy devices */
	assert_false(boot_arch & BIT(1)); /* 8042 */
	assert_true(boot_arch & BIT(2));  /* no VGA */
	assert_false(boot_arch & BIT(5)); /* the clock is there */
	assert_int_equal(fadt[108], 0x32);
	check_register(fadt + 116, PM_RESET_PORT);
	assert_int_equal(fadt[128], PM_RESET_VALUE);
	check_register(fadt + 244, PM_SLEEP_CONTROL_PORT);
	check_register(fadt + 256, PM_SLEEP_STATUS_PORT);
	assert_string_equal((const char *)fadt + 268, "STENCIL");
}

static void check_cpu_entry(const uint8_t *entry, uint32_t id)
{
	if (id < 255) {
		assert_int_equal(entry[0], 0);
		assert_int_equal(entry[1], 8);
		assert_int_equal(entry[2], id);
		assert_int_equal(entry[3], id);
		assert_int_equal(get(entry + 4, 4), 1);
		return;
	}
	assert_int_equal(entry[0], 9);
	assert_int_equal(entry[1], 16);
	assert_int_equal(get(entry + 4, 4), id);
	assert_int_equal(get(entry + 8, 4), 1);
	assert_int_equal(get(entry + 12, 4), id);
}

static void the_madt_lists_every_processor_and_one_ioapic(void **state)
{
	static const unsigned counts[] = {1, 2, 16, 254, 255, 256, ACPI_MAX_CPUS};

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		const uint8_t *madt = build(counts[i]).madt;
		const uint8_t *entry = madt + 44, *end = madt + get(madt + 4, 4);

		assert_int_equal(get(madt + 36, 4), APIC_BASE_ADDR);
		assert_int_equal(get(madt + 40, 4), 0); /* no PIC */
		for (uint32_t id = 0; id < counts[i]; id++, entry += entry[1])
			check_cpu_entry(entry, id);
		assert_int_equal(entry[0], 1);
		assert_int_equal(get(entry + 4, 4), IOAPIC_BASE);
		assert_int_equal(get(entry + 8, 4), 0);
		entry += entry[1];
		assert_int_equal(entry[0], 4); /* NMI on LINT1 of all */
		assert_int_equal(entry[2], 0xff);
		assert_int_equal(entry[5], 1);
		entry += entry[1];
		if (counts[i] > 255) {
			assert_int_equal(entry[0], 10);
			assert_int_equal(get(entry + 4, 4), UINT32_MAX);
			entry += entry[1];
		}
		assert_ptr_equal(entry, end);
	}
}

/* The DSDT source repeats numbers of the headers; here they meet. */
static void the_dsdt_has_the_devices_ports(void **state)
{
	static const uint8_t uart[] = {0x47,
				       1,
				       PLATFORM_UART_PORT & 0xff,
				       PLATFORM_UART_PORT >> 8,
				       PLATFORM_UART_PORT & 0xff,
				       PLATFORM_UART_PORT >> 8,
				       0,
				       UART_N_PORTS};
	static const uint8_t irq[] = {0x23, 1 << PLATFORM_UART_GSI, 0, 1};
	static const uint8_t rtc[] = {0x47, 1, PLATFORM_RTC_PORT, 0, PLATFORM_RTC_PORT, 0, 0, 2};
	static const uint8_t s5[] = {'_', 'S', '5', '_', 0x12, 7, 4, 0x0a, PM_SLEEP_TYPE_S5};
	const uint8_t *dsdt = build(1).dsdt;
	size_t len = get(dsdt + 4, 4);

	assert_non_null(memmem(dsdt, len, uart, sizeof(uart)));
	assert_non_null(memmem(dsdt, len, irq, sizeof(irq)));
	assert_non_null(memmem(dsdt, len, rtc, sizeof(rtc)));
	assert_non_null(memmem(dsdt, len, s5, sizeof(s5)));
	assert_int_equal(dsdt[8], 2);
}

static void too_small_a_buffer_is_refused_and_not_overrun(void **state)
{
	struct acpi_config config = {.n_cpus = 3, .rsdp_gpa = GPA};
	size_t need = build(3).len, len = 12345;

	for (size_t size = 0; size < need; size++) {
		uint8_t *buf = malloc(size == 0 ? 1 : size); /* the sanitizer watches its end */

		assert_int_equal(acpi_tables_build(&config, buf, size, &len), ERR_RANGE);
		assert_int_equal(len, 12345);
		free(buf);
	}
	assert_int_equal(acpi_tables_build(&config, image, need, &len), OK);
	assert_int_equal(len, need);
	assert_true(need < ACPI_AREA_END - ACPI_AREA_START);
}

static void what_cannot_be_described_is_refused(void **state)
{
	static const struct {
		struct acpi_config config;
		enum status status;
	} table[] = {
		{{.n_cpus = 0, .rsdp_gpa = GPA}, ERR_INVAL},
		{{.n_cpus = 1, .rsdp_gpa = GPA + 8}, ERR_INVAL},
		{{.n_cpus = ACPI_MAX_CPUS + 1, .rsdp_gpa = GPA}, ERR_RANGE},
		{{.n_cpus = 1, .rsdp_gpa = GIB(4) - 16}, ERR_RANGE},
		{{.n_cpus = 1, .rsdp_gpa = UINT64_MAX - 15}, ERR_RANGE},
		{{.n_cpus = 1, .rsdp_gpa = GIB(4) - KIB(64)}, OK},
	};
	size_t len;

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(acpi_tables_build(&table[i].config, image, sizeof(image), &len),
				 table[i].status);
}

/* Run iasl's disassembler on one table; its text must say each of 'needles' (NULL-terminated). */
static void disassemble(const uint8_t *table, const char *const *needles)
{
	char dir[] = "/tmp/acpiXXXXXX", command[256], name[64];
	static char text[1 << 20];
	size_t len;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/t.aml", dir);
	file = fopen(name, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(table, 1, get(table + 4, 4), file), get(table + 4, 4));
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command), "cd %s && iasl -d t.aml >log 2>&1 && cat t.dsl log",
		 dir);
	file = popen(command, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	assert_int_equal(pclose(file), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	for (; *needles != NULL; needles++)
		if (strstr(text, *needles) == NULL)
			fail_msg("iasl does not say \"%s\" but:\n%s", *needles, text);
	for (const char *const *bad = (const char *const[]){"Invalid", "ncorrect", "Unknown",
							    "Error", "Warning", NULL};
	     *bad != NULL; bad++)
		if (strstr(text, *bad) != NULL)
			fail_msg("iasl says \"%s\":\n%s", *bad, text);
}

static void iasl_reads_them_as_meant(void **state)
{
	struct found found;

	if (system("command -v iasl >/dev/null 2>&1") != 0)
		skip();
	found = build(300);
	disassemble(found.fadt,
		    (const char *const[]){"Hardware Reduced (V5) : 1", "VGA Not Present (V4) : 1",
					  "8042 Present on ports 60/64 (V2) : 0",
					  "CMOS RTC Not Present (V5) : 0",
					  "Reset Register Supported (V2) : 1", NULL});
	disassemble(found.madt, (const char *const[]){"[I/O APIC]", "[Local APIC NMI]",
						      "[Processor Local x2APIC]",
						      "PC-AT Compatibility : 0", NULL});
	disassemble(found.xsdt, (const char *const[]){"ACPI Table Address   2", NULL});
	disassemble(found.dsdt, (const char *const[]){"PNP0501", "PNP0B00", "0x03F8", NULL});
	disassemble(found.ssdt,
		    (const char *const[]){"Scope (\\_SB)", "Device (C000)", "Device (C12B)",
					  "\"ACPI0007\"", "0x012B", NULL});
	disassemble(build(ACPI_MAX_CPUS).ssdt, (const char *const[]){"Device (C3FF)", NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fadt_describes_a_hardware_reduced_machine),
		cmocka_unit_test(the_madt_lists_every_processor_and_one_ioapic),
		cmocka_unit_test(the_dsdt_has_the_devices_ports),
		cmocka_unit_test(too_small_a_buffer_is_refused_and_not_overrun),
		cmocka_unit_test(what_cannot_be_described_is_refused),
		cmocka_unit_test(iasl_reads_them_as_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
