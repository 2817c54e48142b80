/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "hv/loader/acpi_tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/devices/acpi_watchdog.h"
#include "hv/devices/identity.h"
#include "hv/devices/ioapic.h"
#include "hv/devices/lapic.h"
#include "hv/devices/nvdimm.h"
#include "hv/devices/platform.h"
#include "hv/devices/pm.h"
#include "hv/devices/pvpanic.h"
#include "hv/devices/virtio_mmio.h"
#include "tests/unit/support.h"

#define GPA ACPI_AREA_START

static uint8_t image[ACPI_TABLES_SIZE];

/* The tables as a guest finds them, starting at the RSDP. */
struct found {
	const uint8_t *dsdt, *fadt, *madt, *ssdt, *xsdt;
	unsigned n;
	const uint8_t *table[16]; /* the tables listed in the XSDT */
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

static struct found build_from(const struct acpi_config *config)
{
	struct found found;

	memset(image, 0xcc, sizeof(image));
	assert_int_equal(acpi_tables_build(config, image, sizeof(image), &found.len), OK);
	assert_memory_equal(image, "RSD PTR ", 8);
	assert_int_equal(sum(image, 20), 0);
	assert_int_equal(sum(image, 36), 0);
	assert_int_equal(image[15], 2);
	assert_int_equal(get(image + 20, 4), 36);
	found.xsdt = at(get(image + 24, 8), "XSDT", found.len);
	found.n = (unsigned)(get(found.xsdt + 4, 4) - 36) / 8;
	assert_in_range(found.n, 3, ARRAY_SIZE(found.table));
	for (unsigned i = 0; i < found.n; i++) {
		uint64_t gpa = get(found.xsdt + 36 + 8 * i, 8);

		assert_in_range(gpa, GPA, GPA + found.len - 36);
		found.table[i] = at(gpa, (const char *)image + (gpa - GPA), found.len);
	}
	found.fadt = at(get(found.xsdt + 36, 8), "FACP", found.len);
	found.madt = at(get(found.xsdt + 44, 8), "APIC", found.len);
	found.ssdt = at(get(found.xsdt + 52, 8), "SSDT", found.len);
	found.dsdt = at(get(found.fadt + 140, 8), "DSDT", found.len);
	assert_int_equal(get(found.fadt + 40, 4), get(found.fadt + 140, 8));
	return found;
}

static struct found build(unsigned n_cpus)
{
	struct acpi_config config = {.n_cpus = n_cpus, .rsdp_gpa = GPA};
	struct found found = build_from(&config);

	assert_int_equal(found.n, 3);
	return found;
}

/* The n-th table with that signature; NULL: there is none. */
static const uint8_t *find(const struct found *found, const char *signature, unsigned n)
{
	for (unsigned i = 0; i < found->n; i++)
		if (memcmp(found->table[i], signature, 4) == 0 && n-- == 0)
			return found->table[i];
	return NULL;
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

static void the_tables_may_say_that_there_is_no_clock(void **state)
{
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .no_rtc = true};
	static const uint8_t clock[] = {0x41, 0xd0, 0x0b, 0x00}; /* EisaId ("PNP0B00") */
	struct found with = build(1), without;
	size_t len = get(with.dsdt + 4, 4);

	assert_non_null(memmem(with.dsdt, len, clock, sizeof(clock)));
	without = build_from(&config);
	assert_true(get(without.fadt + 109, 2) & BIT(5));
	assert_int_equal(without.fadt[108], 0);
	assert_true(get(without.dsdt + 4, 4) < len);
	assert_null(memmem(without.dsdt, get(without.dsdt + 4, 4), clock, sizeof(clock)));
	assert_non_null(memmem(without.dsdt, get(without.dsdt + 4, 4), "ACPI0013", 8));
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

/* The DSDT's source repeats numbers of the headers; this test compares them. */
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
	static const uint8_t fw_cfg[] = {0x47,
					 1,
					 FW_CFG_PORT & 0xff,
					 FW_CFG_PORT >> 8,
					 FW_CFG_PORT & 0xff,
					 FW_CFG_PORT >> 8,
					 1,
					 FW_CFG_DMA_PORT + FW_CFG_DMA_N_PORTS - FW_CFG_PORT};
	static const uint8_t button[] = {0x41, 0xd0, 0x0c, 0x0c}; /* EisaId ("PNP0C0C") */
	static const uint8_t press[] = {0x89, 6, 0, 3, 1, PM_POWER_BUTTON_GSI, 0, 0, 0};
	static const uint8_t s5[] = {'_', 'S', '5', '_', 0x12, 7, 4, 0x0a, PM_SLEEP_TYPE_S5};
	const uint8_t *dsdt = build(1).dsdt;
	size_t len = get(dsdt + 4, 4);

	assert_non_null(memmem(dsdt, len, uart, sizeof(uart)));
	assert_non_null(memmem(dsdt, len, irq, sizeof(irq)));
	assert_non_null(memmem(dsdt, len, rtc, sizeof(rtc)));
	assert_non_null(memmem(dsdt, len, fw_cfg, sizeof(fw_cfg)));
	assert_non_null(memmem(dsdt, len, button, sizeof(button)));
	assert_non_null(memmem(dsdt, len, press, sizeof(press)));
	assert_non_null(memmem(dsdt, len, s5, sizeof(s5)));
	assert_int_equal(dsdt[8], 2);
}

static void virtio_devices_are_in_the_dsdt(void **state)
{
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .n_virtio = 2};
	struct found found = build_from(&config);
	const uint8_t *dsdt = found.dsdt, *device;
	size_t len = get(dsdt + 4, 4);

	assert_int_equal(found.n, 3);
	for (unsigned slot = 6; slot < 8; slot++) {
		const uint8_t name[] = {'V', 'R', '0', (uint8_t)('0' + slot)};

		device = memmem(dsdt, len, name, sizeof(name));
		assert_non_null(device);
		assert_memory_equal(device + 4,
				    "\x08_HID\x0d"
				    "LNRO0005",
				    15);
		assert_int_equal(device[25], slot);
		device = memmem(device, len, "\x86\x09\x00\x01", 4);
		assert_int_equal(get(device + 4, 4), VIRTIO_MMIO_BASE + slot * VIRTIO_MMIO_SIZE);
		assert_int_equal(get(device + 8, 4), VIRTIO_MMIO_SIZE);
		assert_memory_equal(device + 12, "\x89\x06\x00\x01\x01", 5);
		assert_int_equal(get(device + 17, 4), virtio_mmio_gsi(slot));
	}
	config.n_virtio = VIRTIO_DEVICES_MAX + 1;
	assert_int_equal(acpi_tables_build(&config, image, sizeof(image), &found.len), ERR_RANGE);
}

/* Two nodes of RAM, a DIMM in each, two NVDIMMs; distances. */
static const struct acpi_memory ram_and_dimms[] = {
	{.len = GIB(1), .node = 0, .flags = ACPI_MEMORY_ENABLED},
	{.gpa = GIB(1), .len = MIB(512), .node = 1, .flags = ACPI_MEMORY_ENABLED},
	{.gpa = GIB(5),
	 .len = MIB(128),
	 .node = 0,
	 .flags = ACPI_MEMORY_ENABLED | ACPI_MEMORY_HOTPLUG,
	 .slot = 3},
	{.gpa = UINT64_C(0x123456789000),
	 .len = KIB(4),
	 .node = 1,
	 .flags = ACPI_MEMORY_ENABLED | ACPI_MEMORY_HOTPLUG,
	 .slot = 255},
};
static const struct acpi_nvdimm two_nvdimms[] = {
	{.gpa = GIB(6), .len = MIB(2), .node = 1, .slot = 0, .serial = 0x123456, .unarmed = true},
	{.gpa = GIB(7), .len = MIB(32), .node = 0, .slot = 10, .serial = 0xfedcba98},
};
static const uint8_t distances[] = {10, 21, 22, 10};
static const uint32_t cpu_nodes[] = {1, 0, 0x12345678};
static const struct acpi_config full = {
	.n_cpus = 3,
	.rsdp_gpa = GPA,
	.cpu_node = cpu_nodes,
	.memory = ram_and_dimms,
	.n_memory = ARRAY_SIZE(ram_and_dimms),
	.n_nodes = 2,
	.distance = distances,
	.nvdimms = two_nvdimms,
	.n_nvdimms = ARRAY_SIZE(two_nvdimms),
};

static void only_what_there_is_gets_a_table(void **state)
{
	struct acpi_config config = full;
	struct found found = build_from(&config);

	assert_int_equal(found.n, 9);
	assert_non_null(find(&found, "SSDT", 3));
	assert_null(find(&found, "SSDT", 4));
	assert_non_null(find(&found, "SRAT", 0));
	assert_non_null(find(&found, "SLIT", 0));
	assert_non_null(find(&found, "NFIT", 0));
	config.distance = NULL;
	found = build_from(&config);
	assert_int_equal(found.n, 8);
	assert_null(find(&found, "SLIT", 0));
	config.n_nvdimms = 0;
	found = build_from(&config);
	assert_int_equal(found.n, 5);
	assert_null(find(&found, "NFIT", 0));
	config.n_memory = 2; /* no DIMM */
	found = build_from(&config);
	assert_int_equal(found.n, 4);
	assert_null(find(&found, "SSDT", 1));
	config.n_memory = 0;
	found = build_from(&config);
	assert_int_equal(found.n, 3);
}

static void check_cpu_affinity(const uint8_t *entry, uint32_t id, uint32_t node)
{
	if (id < 255) {
		assert_int_equal(entry[0], 0);
		assert_int_equal(entry[1], 16);
		assert_int_equal(entry[2] | get(entry + 9, 3) << 8, node);
		assert_int_equal(entry[3], id);
		assert_int_equal(get(entry + 4, 4), 1);
		assert_int_equal(entry[8], 0);
		return;
	}
	assert_int_equal(entry[0], 2);
	assert_int_equal(entry[1], 24);
	assert_int_equal(get(entry + 4, 4), node);
	assert_int_equal(get(entry + 8, 4), id);
	assert_int_equal(get(entry + 12, 4), 1);
}

static void check_memory_affinity(const uint8_t *entry, const struct acpi_memory *memory)
{
	assert_int_equal(entry[0], 1);
	assert_int_equal(entry[1], 40);
	assert_int_equal(get(entry + 2, 4), memory->node);
	assert_int_equal(get(entry + 8, 8), memory->gpa);
	assert_int_equal(get(entry + 16, 8), memory->len);
	assert_int_equal(get(entry + 28, 4), memory->flags);
	assert_int_equal(get(entry + 6, 2) | get(entry + 24, 4) | get(entry + 32, 8), 0);
}

static void the_srat_says_which_node_has_what(void **state)
{
	struct found found = build_from(&full);
	const uint8_t *srat = find(&found, "SRAT", 0), *entry = srat + 48;

	assert_int_equal(srat[8], 3);
	assert_int_equal(get(srat + 36, 4), 1);
	assert_int_equal(get(srat + 40, 8), 0);
	for (uint32_t id = 0; id < full.n_cpus; id++, entry += entry[1])
		check_cpu_affinity(entry, id, cpu_nodes[id]);
	for (unsigned i = 0; i < full.n_memory; i++, entry += entry[1])
		check_memory_affinity(entry, &full.memory[i]);
	for (unsigned i = 0; i < full.n_nvdimms; i++, entry += entry[1])
		check_memory_affinity(entry,
				      &(struct acpi_memory){.gpa = two_nvdimms[i].gpa,
							    .len = two_nvdimms[i].len,
							    .node = two_nvdimms[i].node,
							    .flags = ACPI_MEMORY_ENABLED |
								     ACPI_MEMORY_NON_VOLATILE});
	assert_ptr_equal(entry, srat + get(srat + 4, 4));
}

static void processors_beyond_254_have_the_long_form_and_node_0(void **state)
{
	struct acpi_config config = {
		.n_cpus = ACPI_MAX_CPUS, .rsdp_gpa = GPA, .memory = ram_and_dimms, .n_memory = 1};
	struct found found = build_from(&config);
	const uint8_t *srat = find(&found, "SRAT", 0), *entry = srat + 48;

	for (uint32_t id = 0; id < ACPI_MAX_CPUS; id++, entry += entry[1])
		check_cpu_affinity(entry, id, 0);
	check_memory_affinity(entry, ram_and_dimms);
	assert_ptr_equal(entry + entry[1], srat + get(srat + 4, 4));
}

static void the_slit_has_the_distances(void **state)
{
	struct found found = build_from(&full);
	const uint8_t *slit = find(&found, "SLIT", 0);

	assert_int_equal(get(slit + 4, 4), 36 + 8 + 4);
	assert_int_equal(slit[8], 1);
	assert_int_equal(get(slit + 36, 8), 2);
	assert_memory_equal(slit + 44, distances, 4);
}

static void check_spa(const uint8_t *spa, const struct acpi_nvdimm *nvdimm)
{
	static const uint8_t persistent[16] = {0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
					       0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb};

	assert_int_equal(get(spa, 2), 0);
	assert_int_equal(get(spa + 2, 2), 56);
	assert_int_not_equal(get(spa + 4, 2), 0);
	assert_int_equal(get(spa + 6, 2), 3);
	assert_int_equal(get(spa + 8, 4), 0);
	assert_int_equal(get(spa + 12, 4), nvdimm->node);
	assert_memory_equal(spa + 16, persistent, 16);
	assert_int_equal(get(spa + 32, 8), nvdimm->gpa);
	assert_int_equal(get(spa + 40, 8), nvdimm->len);
	assert_int_equal(get(spa + 48, 8), 0x8008);
}

static void check_mapping(const uint8_t *mapping, const struct acpi_nvdimm *nvdimm)
{
	assert_int_equal(get(mapping, 2), 1);
	assert_int_equal(get(mapping + 2, 2), 48);
	assert_int_equal(get(mapping + 4, 4), nvdimm->slot + 1);
	assert_int_equal(get(mapping + 8, 4), 0);
	assert_int_equal(get(mapping + 16, 8), nvdimm->len);
	assert_int_equal(get(mapping + 24, 8) | get(mapping + 32, 8), 0);
	assert_int_equal(get(mapping + 40, 2), 0);
	assert_int_equal(get(mapping + 42, 2), 1);
	assert_int_equal(get(mapping + 44, 2), nvdimm->unarmed ? 8 : 0);
}

static void check_control(const uint8_t *control, const struct acpi_nvdimm *nvdimm)
{
	assert_int_equal(get(control, 2), 4);
	assert_int_equal(get(control + 2, 2), 80);
	assert_int_not_equal(get(control + 4, 2), 0);
	assert_int_equal(get(control + 6, 2), 0x8086);
	assert_int_equal(get(control + 8, 2), 1);
	assert_int_equal(get(control + 10, 2), 1);
	assert_int_equal(control[18], 0);
	assert_int_equal(get(control + 24, 4), nvdimm->serial);
	assert_int_equal(get(control + 28, 2), 0x301);
	for (unsigned i = 30; i < 80; i++)
		assert_int_equal(control[i], 0);
}

static void the_nfit_has_three_structures_an_nvdimm(void **state)
{
	struct found found = build_from(&full);
	const uint8_t *nfit = find(&found, "NFIT", 0), *spa = nfit + 40;
	uint64_t indices[4], n = 0;

	assert_int_equal(nfit[8], 1);
	assert_int_equal(get(nfit + 4, 4), 40 + 2 * (56 + 48 + 80));
	for (unsigned i = 0; i < full.n_nvdimms; i++, spa += 56 + 48 + 80) {
		const uint8_t *mapping = spa + 56, *control = mapping + 48;

		check_spa(spa, &two_nvdimms[i]);
		check_mapping(mapping, &two_nvdimms[i]);
		check_control(control, &two_nvdimms[i]);
		assert_int_equal(get(mapping + 12, 2), get(spa + 4, 2));
		assert_int_equal(get(mapping + 14, 2), get(control + 4, 2));
		indices[n++] = get(spa + 4, 2);
		indices[n++] = get(control + 4, 2);
	}
	assert_int_not_equal(indices[0], indices[2]);
	assert_int_not_equal(indices[1], indices[3]);
}

static void check_need(const struct acpi_config *config)
{
	size_t need = build_from(config).len, len = 12345;

	for (size_t size = 0; size < need; size++) {
		uint8_t *buf = malloc(size == 0 ? 1 : size); /* the sanitizer checks its end */

		assert_int_equal(acpi_tables_build(config, buf, size, &len), ERR_RANGE);
		assert_int_equal(len, 12345);
		free(buf);
	}
	assert_int_equal(acpi_tables_build(config, image, need, &len), OK);
	assert_int_equal(len, need);
}

static void too_small_a_buffer_is_refused_and_not_overrun(void **state)
{
	check_need(&(struct acpi_config){.n_cpus = 3, .rsdp_gpa = GPA});
	check_need(&full);
}

static void the_largest_machine_fits(void **state)
{
	static struct acpi_memory memory[ACPI_MAX_SLOTS];
	static struct acpi_nvdimm nvdimms[ACPI_MAX_SLOTS];
	static uint8_t distance[128 * 128];
	struct acpi_config config = {.n_cpus = ACPI_MAX_CPUS,
				     .rsdp_gpa = GPA,
				     .memory = memory,
				     .n_memory = 130, /* nodes, the 4 GiB hole, a DIMM */
				     .n_nodes = 128,
				     .distance = distance};

	memory[129].flags = ACPI_MEMORY_HOTPLUG;
	assert_true(build_from(&config).len <= ACPI_AREA_END - ACPI_AREA_START);
	config = (struct acpi_config){.n_cpus = TOPOLOGY_MAX_CPUS,
				      .rsdp_gpa = GPA,
				      .memory = memory,
				      .n_memory = ACPI_MAX_SLOTS,
				      .n_nodes = 128,
				      .distance = distance};
	for (uint32_t i = 0; i < ACPI_MAX_SLOTS; i++) {
		memory[i].flags = ACPI_MEMORY_HOTPLUG;
		memory[i].slot = i;
		nvdimms[i].slot = i;
	}
	assert_true(build_from(&config).len <= ACPI_AREA_END - ACPI_AREA_START);
	config.n_memory = 1;
	config.nvdimms = nvdimms;
	config.n_nvdimms = ACPI_MAX_SLOTS;
	assert_true(build_from(&config).len <= ACPI_AREA_END - ACPI_AREA_START);
}

static void what_cannot_be_described_is_refused(void **state)
{
	static const struct acpi_memory bad_dimm = {.flags = ACPI_MEMORY_HOTPLUG,
						    .slot = ACPI_MAX_SLOTS},
					odd_slot = {.slot = ACPI_MAX_SLOTS};
	static const struct acpi_nvdimm bad_nvdimm = {.slot = ACPI_MAX_SLOTS};
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
		{{.n_cpus = 1, .rsdp_gpa = GPA, .memory = &bad_dimm, .n_memory = 1}, ERR_RANGE},
		{{.n_cpus = 1, .rsdp_gpa = GPA, .memory = &odd_slot, .n_memory = 1}, OK},
		{{.n_cpus = 1, .rsdp_gpa = GPA, .nvdimms = &bad_nvdimm, .n_nvdimms = 1}, ERR_RANGE},
	};
	size_t len;

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(acpi_tables_build(&table[i].config, image, sizeof(image), &len),
				 table[i].status);
}

static char text[1 << 20]; /* what the last run() printed */

static void write_table(const char *dir, const char *name, const uint8_t *table)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(table, 1, get(table + 4, 4), file), get(table + 4, 4));
	assert_int_equal(fclose(file), 0);
}

/* Run a command in a directory that holds one table as t.aml and the others as 0.aml and so on. */
static void run(const struct found *found, const uint8_t *table, const char *command)
{
	char dir[] = "/tmp/acpiXXXXXX", line[1300], name[16];
	size_t len;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	for (unsigned i = 0; i < found->n; i++) {
		snprintf(name, sizeof(name), "%u.aml", i);
		if (found->table[i] != table)
			write_table(dir, name, found->table[i]);
	}
	write_table(dir, "t.aml", table);
	snprintf(line, sizeof(line), "cd %s && %s", dir, command);
	file = popen(line, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	assert_int_equal(pclose(file), 0);
	snprintf(line, sizeof(line), "rm -r %s", dir);
	assert_int_equal(system(line), 0);
}

/* Check that the last output contains each of 'needles' (NULL-terminated), and no complaint. */
static void says(const char *const *needles)
{
	for (; *needles != NULL; needles++)
		if (strstr(text, *needles) == NULL)
			fail_msg("not said: \"%s\" but:\n%s", *needles, text);
	for (const char *const *bad = (const char *const[]){"Invalid", "ncorrect", "Unknown",
							    "Error", "Warning", NULL};
	     *bad != NULL; bad++)
		if (strstr(text, *bad) != NULL)
			fail_msg("said: \"%s\":\n%s", *bad, text);
}

/* Disassemble one table; iasl takes external methods from the others. */
static void disassemble(const struct found *found, const uint8_t *table, const char *const *needles)
{
	bool has_methods = memcmp(table, "SSDT", 4) == 0 && table != found->ssdt;

	run(found, table,
	    has_methods ? "iasl -e [2-9].aml -d t.aml >log 2>&1 && cat t.dsl log"
			: "iasl -d t.aml >log 2>&1 && cat t.dsl log");
	says(needles);
}

static void iasl_reads_them_as_meant(void **state)
{
	struct found found;

	if (system("command -v iasl >/dev/null 2>&1") != 0)
		skip();
	found = build(300);
	disassemble(&found, found.fadt,
		    (const char *const[]){"Hardware Reduced (V5) : 1", "VGA Not Present (V4) : 1",
					  "8042 Present on ports 60/64 (V2) : 0",
					  "CMOS RTC Not Present (V5) : 0",
					  "Reset Register Supported (V2) : 1", NULL});
	disassemble(&found, found.madt,
		    (const char *const[]){"[I/O APIC]", "[Local APIC NMI]",
					  "[Processor Local x2APIC]", "PC-AT Compatibility : 0",
					  NULL});
	disassemble(&found, found.xsdt, (const char *const[]){"ACPI Table Address   2", NULL});
	found = build_from(&(struct acpi_config){
		.n_cpus = 1, .rsdp_gpa = GPA, .has_hpet = true, .has_pm_timer = true});
	disassemble(&found, find(&found, "HPET", 0),
		    (const char *const[]){"Hardware Block ID : 8086A201",
					  "Address : 00000000FED00000", NULL});
	disassemble(&found, found.fadt,
		    (const char *const[]){"PM Timer Block Address : 00000608",
					  "32-bit PM Timer (V1) : 0", NULL});
	found = build(300);
	disassemble(
		&found, found.dsdt,
		(const char *const[]){"PNP0501", "PNP0B00", "0x03F8", "Notify (PWRB, 0x80)", NULL});
	disassemble(&found, found.ssdt,
		    (const char *const[]){"Scope (\\_SB)", "Device (C000)", "Device (C12B)",
					  "\"ACPI0007\"", "0x012B", NULL});
	found = build(ACPI_MAX_CPUS);
	disassemble(&found, found.ssdt, (const char *const[]){"Device (C3FF)", NULL});
}

static void iasl_reads_the_memory_tables_as_meant(void **state)
{
	struct found found;

	if (system("command -v iasl >/dev/null 2>&1") != 0)
		skip();
	found = build_from(&full);
	disassemble(&found, find(&found, "SRAT", 0),
		    (const char *const[]){"[Memory Affinity]", "Hot Pluggable : 1",
					  "Non-Volatile : 1", "Base Address : 0000123456789000",
					  NULL});
	disassemble(&found, find(&found, "SLIT", 0),
		    (const char *const[]){"Locality   0 : 0A 15", "Locality   1 : 16 0A", NULL});
	disassemble(&found, find(&found, "NFIT", 0),
		    (const char *const[]){"66F0D379-B4F3-4074-AC43-0D3318B78CDB",
					  "Device not armed : 1", "Device not armed : 0",
					  "Memory Map Attribute : 0000000000008008", NULL});
	disassemble(&found, find(&found, "SSDT", 1),
		    (const char *const[]){"Scope (\\_SB)", "Device (MP03)", "Device (MPFF)",
					  "EisaId (\"PNP0C80\")", "(_UID, 0x000000FF)",
					  "(_STA, 0x0000000F)", "(_PXM, 0x00000001)",
					  "QWordMemory (ResourceProducer, PosDecode, MinFixed, "
					  "MaxFixed, Cacheable, ReadWrite",
					  "0x0000123456789000, // Range Minimum",
					  "0x0000123456789FFF, // Range Maximum",
					  "0x0000000000001000, // Length", NULL});
	disassemble(&found, find(&found, "SSDT", 3),
		    (const char *const[]){"Scope (\\_SB.NVDR)", "Device (NV00)", "Device (NV0A)",
					  "(_ADR, 0x0000000B)", "(_DSM, 4, NotSerialized)",
					  "Return (NCAL (Arg0, Arg1, Arg2, Arg3, _ADR))", NULL});
}

/* The NVDIMMs' source repeats numbers of hv/devices/nvdimm.h; this test compares them. */
static void the_nvdimm_registers_are_where_the_device_has_them(void **state)
{
	static const uint8_t region[] = {0x5b,
					 0x80,
					 'L',
					 'R',
					 'E',
					 'G',
					 0,
					 0x0c,
					 NVDIMM_MMIO_BASE & 0xff,
					 NVDIMM_MMIO_BASE >> 8 & 0xff,
					 NVDIMM_MMIO_BASE >> 16 & 0xff,
					 NVDIMM_MMIO_BASE >> 24 & 0xff,
					 0x0b,
					 NVDIMM_MMIO_SIZE & 0xff,
					 NVDIMM_MMIO_SIZE >> 8};
	static const char *const names[] = {
		[NVDIMM_REG_HANDLE / 4] = "HNDL", [NVDIMM_REG_SIZE / 4] = "LSIZ",
		[NVDIMM_REG_MAX / 4] = "LMAX",	  [NVDIMM_REG_OFFSET / 4] = "LOFF",
		[NVDIMM_REG_LENGTH / 4] = "LLEN", [NVDIMM_REG_GO / 4] = "LCMD"};
	struct found found = build_from(&full);
	const uint8_t *ssdt = find(&found, "SSDT", 2), *field;
	size_t len = get(ssdt + 4, 4);

	assert_non_null(memmem(ssdt, len, region, sizeof(region)));
	field = memmem(ssdt, len, "LREG\x03HNDL", 9);
	assert_non_null(field);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		assert_memory_equal(field + 5 + 5 * i, names[i], 4);
		assert_int_equal(field[5 + 5 * i + 4], 32);
	}
	/*
	 * 0x1000 bytes of padding, then the window of the same size: lengths in bits, 12 + 4 at a
	 * time.
	 */
	assert_non_null(memmem(ssdt, len, "LREG\x04\x00\x80\x00\x08LWIN\x80\x00\x08", 16));
	assert_int_equal(NVDIMM_WINDOW * 8, 0x8000);
	assert_int_equal(NVDIMM_WINDOW_SIZE * 8, 0x8000);
}

/*
 * Let ACPICA's interpreter perform the calls, separated by semicolons, in one run: a run for each
 * would take a second. Fills 'text'. The registers are plain memory to the interpreter, all bytes
 * 0x40 at first.
 */
static void evaluate(const struct found *found, const char *option, const char *calls)
{
	char command[1200];
	int len = snprintf(command, sizeof(command),
			   "acpiexec -fv 0x40 %s -b '%s' t.aml [2-9].aml </dev/null 2>&1", option,
			   calls);

	assert_in_range(len, 1, sizeof(command) - 1);
	run(found, found->dsdt, command);
}

/* Check that the pairs' second strings appear in this order. */
static void says_in_order(const char *const (*pairs)[2], unsigned n)
{
	const char *at = text;

	for (unsigned i = 0; i < n; i++) {
		at = strstr(at, "\nEvaluating ");
		if (at == NULL)
			fail_msg("not run: \"%s\" but:\n%s", pairs[i][0], text);
		const char *found = strstr(++at, pairs[i][1]), *next = strstr(at, "\nEvaluating ");

		if (found == NULL || (next != NULL && found > next))
			fail_msg("not said: \"%s\" by \"%s\" but:\n%s", pairs[i][1], pairs[i][0],
				 at);
	}
}

static void the_dsm_runs(void **state)
{
#define DIMM  "(30 AC 09 43 11 0D E4 11 91 91 08 00 20 0C 9A 66)"
#define OTHER "(30 AC 09 43 11 0D E4 11 91 91 08 00 20 0C 9A 67)"
	static const char *const calls[][2] = {
		{"NV00._DSM " DIMM " 1 0 [0]", "Length 01 =     0000: 71"},
		{"NV00._DSM " DIMM " 2 0 [0]", "Length 01 =     0000: 00"},
		{"NV00._DSM " OTHER " 1 0 [0]", "Length 01 =     0000: 00"},
		{"NV00._DSM " OTHER " 1 4 [0]", "Length 04 =     0000: 01 00 00 00"},
		{"NV0A._DSM " DIMM " 1 4 [0]",
		 "Length 0C =     0000: 00 00 00 00 40 40 40 40 40 40 40 40"},
		{"NV0A._DSM " DIMM " 1 5 [(08 00 00 00 08 00 00 00)]",
		 "Length 04 =     0000: 05 00 00 00"}, /* the command itself, read back */
		{"NV0A._DSM " DIMM " 1 6 [(08 00 00 00 02 00 00 00 AA BB)]",
		 "Length 04 =     0000: 06 00 00 00"},
		{"NV0A._DSM " DIMM " 1 6 [(08 00 00 00 03 00 00 00 AA BB)]",
		 "Length 04 =     0000: 03 00 00 00"},
		{"NV0A._DSM " DIMM " 1 6 [(08 00 00 00 FF FF FF FF AA BB)]",
		 "Length 04 =     0000: 03 00 00 00"},
		{"NV0A._DSM " DIMM " 1 5 [(08 00 00 00 02 00 00)]",
		 "Length 04 =     0000: 03 00 00 00"},
		{"NV0A._DSM " DIMM " 1 7 [0]", "Length 04 =     0000: 01 00 00 00"},
		{"_DSM " DIMM " 1 0 [0]", "Length 01 =     0000: 00"},
		{"_DSM " DIMM " 1 1 [0]", "Length 04 =     0000: 01 00 00 00"},
	};
	struct found found = build_from(&full);
	char line[1000]; /* acpiexec's limit */

	if (system("command -v acpiexec >/dev/null 2>&1") != 0)
		skip();
	for (unsigned first = 0, n; first < ARRAY_SIZE(calls); first += n) {
		size_t len = 0;

		for (n = 0; n < 7 && first + n < ARRAY_SIZE(calls); n++)
			len += (size_t)snprintf(line + len, sizeof(line) - len,
						"%sevaluate \\_SB.NVDR.%s", n > 0 ? ";" : "",
						calls[first + n][0]);
		assert_in_range(len, 1, sizeof(line) - 1);
		evaluate(&found, "", line);
		says_in_order(&calls[first], n);
		says((const char *const[]){NULL});
	}
}

/* The source repeats numbers of hv/devices/identity.h; this test compares them. */
static void the_generation_counter_is_where_the_guid_goes(void **state)
{
	static const uint8_t address[] = {
		0x12, 8, 2, 0x0c, VMGENID_GPA & 0xff, VMGENID_GPA >> 8 & 0xff, VMGENID_GPA >> 16,
		0,    0};
	static const uint8_t interrupt[] = {0x89, 6, 0, 3, 1, VMGENID_GSI, 0, 0, 0};
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .has_vmgenid = true};
	struct found found = build_from(&config);
	const uint8_t *ssdt = find(&found, "SSDT", 1);
	size_t len;

	assert_int_equal(found.n, 4);
	assert_non_null(ssdt);
	len = get(ssdt + 4, 4);
	assert_non_null(memmem(ssdt, len, address, sizeof(address)));
	assert_non_null(memmem(ssdt, len, interrupt, sizeof(interrupt)));
	assert_non_null(memmem(ssdt, len, "QEMUVGID", 8));
	assert_non_null(memmem(ssdt, len, "ACPI0013", 8));
	assert_true(VMGENID_GPA + PAGE_SIZE <= ACPI_AREA_START);
	/* With all other tables present, it is the last SSDT except those of NVDIMMs. */
	config = full;
	config.has_vmgenid = true;
	found = build_from(&config);
	assert_int_equal(found.n, 10);
	assert_non_null(find(&found, "SSDT", 4));
}

static void the_timers_are_described(void **state)
{
	static const uint8_t window[] = {0x86, 9, 0, 0, 0, 0, 0xd0, 0xfe, 0, 4, 0, 0};
	static const uint8_t where[] = {0, 64, 0, 0, 0, 0, 0xd0, 0xfe, 0, 0, 0, 0};
	struct acpi_config config = {
		.n_cpus = 1, .rsdp_gpa = GPA, .has_hpet = true, .has_pm_timer = true};
	struct found found = build_from(&config);
	const uint8_t *hpet = find(&found, "HPET", 0), *ssdt = find(&found, "SSDT", 1);

	assert_int_equal(found.n, 5);
	assert_int_equal(get(hpet + 4, 4), 56);
	assert_int_equal(get(hpet + 36, 4), HPET_ID);
	assert_memory_equal(hpet + 40, where, sizeof(where));
	assert_int_equal(get(hpet + 52, 4), 0);
	assert_non_null(memmem(ssdt, get(ssdt + 4, 4), window, sizeof(window)));
	assert_int_equal(get(found.fadt + 76, 4), PM_TIMER_PORT);
	assert_int_equal(found.fadt[91], 4);
	assert_int_equal(get(found.fadt + 208, 4), 0x03002001);
	assert_int_equal(get(found.fadt + 212, 8), PM_TIMER_PORT);
	assert_false(get(found.fadt + 112, 4) & BIT(8)); /* 24 bits */
	/* The other machine has nothing there. */
	found = build(1);
	assert_int_equal(get(found.fadt + 76, 4), 0);
	assert_int_equal(found.fadt[91], 0);
	assert_int_equal(get(found.fadt + 208, 8), 0);
}

static void the_watchdog_is_described(void **state)
{
	static const uint8_t ping[] = {1, 2, 0, 0, 1, 32, 0, 3, 0x24, 6, 0, 0,
				       0, 0, 0, 0, 2, 0,  0, 0, 3,    0, 0, 0};
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .has_watchdog = true};
	struct found found = build_from(&config);
	const uint8_t *wdat = find(&found, "WDAT", 0);

	assert_int_equal(found.n, 4);
	assert_int_equal(get(wdat + 4, 4), 68 + 24 * get(wdat + 64, 4));
	assert_int_equal(get(wdat + 36, 4), 32);
	assert_int_equal(get(wdat + 40, 4), 0xffff00ff); /* not on PCI */
	assert_int_equal(wdat[44], 0xff);
	assert_int_equal(get(wdat + 48, 4), 100);
	assert_int_equal(get(wdat + 52, 4), ACPI_WATCHDOG_MAX_COUNT);
	assert_int_equal(wdat[60], 1);
	assert_memory_equal(wdat + 68, ping, sizeof(ping));
}

static void there_is_room_for_all_tables(void **state)
{
	struct acpi_config config = full;
	struct found found;

	config.has_vmgenid = config.has_pvpanic = config.has_hpet = config.has_watchdog = true;
	config.n_virtio = 1;
	found = build_from(&config);
	assert_int_equal(found.n, ACPI_TABLES_MAX);
}

static void the_panic_device_is_at_its_port(void **state)
{
	static const uint8_t port[] = {0x47,
				       1,
				       PVPANIC_PORT & 0xff,
				       PVPANIC_PORT >> 8,
				       PVPANIC_PORT & 0xff,
				       PVPANIC_PORT >> 8,
				       1,
				       1};
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .has_pvpanic = true};
	struct found found = build_from(&config);
	const uint8_t *ssdt = find(&found, "SSDT", 1);
	size_t len;

	assert_non_null(ssdt);
	len = get(ssdt + 4, 4);
	assert_non_null(memmem(ssdt, len, port, sizeof(port)));
	assert_non_null(memmem(ssdt, len, "QEMU0001", 8));
	config.has_pvpanic = false;
	found = build_from(&config);
	assert_null(find(&found, "SSDT", 1));
}

/* An interrupt source override: bus, line, GSI, flags. */
static const uint8_t timer_override[] = {2, 10, 0, 0, 2, 0, 0, 0, 0, 0};

static void the_madt_tells_of_pic_and_timer(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		struct acpi_config config = {.n_cpus = 2,
					     .rsdp_gpa = GPA,
					     .has_pic = i & 1,
					     .has_pit = i & 2,
					     .has_hpet = i & 4};
		struct found found = build_from(&config);
		size_t len = get(found.madt + 4, 4);
		const void *entry = memmem(found.madt, len, timer_override, sizeof(timer_override));

		assert_int_equal(get(found.madt + 40, 4), i & 1);
		assert_int_equal(entry != NULL, i != 0);
	}
}

/*
 * What handles the event prints in a thread of its own, in the midst of other lines: the trace
 * (level 4) says before that what is notified, and the call comes last.
 */
static void an_event_device_notifies_the_button(void **state)
{
	static const char *const calls[][2] = {
		{"_SB.PWRB._UID", "0000000000000000"},
		{"_SB.GEDP._EVT 9", "Dispatching Notify on [PWRB] (Device) Value 0x80"},
	};
	struct found found = build(1);

	if (system("command -v acpiexec >/dev/null 2>&1") != 0)
		skip();
	evaluate(&found, "-x 4", "evaluate \\_SB.PWRB._UID;evaluate \\_SB.GEDP._EVT 9");
	says_in_order(calls, ARRAY_SIZE(calls));
}

static void the_event_device_notifies_the_counter(void **state)
{
	static const char *const calls[][2] = {
		{"_SB.VGEN._HID", "QEMUVGID"},
		{"_SB.VGEN.ADDR", "00000000000DF000"},
		{"_SB.GED._EVT 16", "Dispatching Notify on [VGEN] (Device) Value 0x80"},
	};
	struct acpi_config config = {.n_cpus = 1, .rsdp_gpa = GPA, .has_vmgenid = true};
	struct found found = build_from(&config);

	if (system("command -v acpiexec >/dev/null 2>&1") != 0)
		skip();
	evaluate(&found, "-x 4",
		 "evaluate \\_SB.VGEN._HID;evaluate \\_SB.VGEN.ADDR;"
		 "evaluate \\_SB.GED._EVT 16");
	says_in_order(calls, ARRAY_SIZE(calls));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fadt_describes_a_hardware_reduced_machine),
		cmocka_unit_test(the_tables_may_say_that_there_is_no_clock),
		cmocka_unit_test(the_madt_lists_every_processor_and_one_ioapic),
		cmocka_unit_test(the_madt_tells_of_pic_and_timer),
		cmocka_unit_test(the_dsdt_has_the_devices_ports),
		cmocka_unit_test(virtio_devices_are_in_the_dsdt),
		cmocka_unit_test(only_what_there_is_gets_a_table),
		cmocka_unit_test(the_srat_says_which_node_has_what),
		cmocka_unit_test(processors_beyond_254_have_the_long_form_and_node_0),
		cmocka_unit_test(the_slit_has_the_distances),
		cmocka_unit_test(the_nfit_has_three_structures_an_nvdimm),
		cmocka_unit_test(too_small_a_buffer_is_refused_and_not_overrun),
		cmocka_unit_test(what_cannot_be_described_is_refused),
		cmocka_unit_test(iasl_reads_them_as_meant),
		cmocka_unit_test(the_largest_machine_fits),
		cmocka_unit_test(iasl_reads_the_memory_tables_as_meant),
		cmocka_unit_test(the_nvdimm_registers_are_where_the_device_has_them),
		cmocka_unit_test(the_dsm_runs),
		cmocka_unit_test(the_timers_are_described),
		cmocka_unit_test(the_watchdog_is_described),
		cmocka_unit_test(there_is_room_for_all_tables),
		cmocka_unit_test(the_panic_device_is_at_its_port),
		cmocka_unit_test(the_generation_counter_is_where_the_guid_goes),
		cmocka_unit_test(an_event_device_notifies_the_button),
		cmocka_unit_test(the_event_device_notifies_the_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
