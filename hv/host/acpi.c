/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the firmware's ACPI tables: processors and APICs, the PM timer, how to switch off and to
 * reset, and the places of the tables that hv/frame/numa_parse.c reads. The tables are not trusted:
 * each must be readable in its whole length. One that does not sum up to zero is used with a
 * warning, because much firmware patches its tables and forgets the checksum. In AML it only looks
 * for the bytes of the package _S5_, and does not find names that are built at run time. Source:
 * ACPI specification, "ACPI Software Programming Model".
 */
#include "hv/host/acpi.h"

#include "hv/host/acpi_memory.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	RSDP_LEN_1 = 20, /* the part that all revisions have, with its own checksum */
	RSDP_LEN_2 = 36,
	HEADER_LEN = 36,
	TABLE_LEN_MAX = 16 << 20,
	MADT_HEADER_LEN = 44,
	MADT_LOCAL_APIC = 0,
	MADT_IO_APIC = 1,
	MADT_LOCAL_APIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
	MADT_ALL_UIDS = 0xff, /* in an entry MADT_LOCAL_APIC_NMI */
	LINT_POLARITY = 3,
	LINT_ACTIVE_LOW = 3,
	CPU_ENABLED = 1,
	LOCAL_APIC_ALL = 0xff, /* no ID, but all processors */
	DMAR_X2APIC_OPT_OUT = 1 << 1,
	FADT_BUTTON_IN_AML = 1 << 4,
	FADT_RESET_SUPPORTED = 1 << 10,
	FADT_TIMER_32BIT = 1 << 8,
	FADT_HARDWARE_REDUCED = 1 << 20,
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
};

struct acpi acpi;

/* A part of a table; reads beyond its end give 0. */
struct bytes {
	const uint8_t *data;
	uint64_t len;
};

static uint64_t read_int(struct bytes bytes, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset > bytes.len || size > bytes.len - offset)
		return 0;
	memcpy(&value, bytes.data + offset, size);
	return value;
}

static uint8_t sum(struct bytes bytes)
{
	uint8_t total = 0;

	for (uint64_t i = 0; i < bytes.len; i++)
		total = (uint8_t)(total + bytes.data[i]);
	return total;
}

static bool map_bytes(phys_t start, uint64_t len, struct bytes *ret)
{
	const void *data = start == 0 ? NULL : acpi_memory(start, len);

	if (data == NULL)
		return false;
	*ret = (struct bytes){data, len};
	return true;
}

/* The printable form of a signature, which may have any bytes. */
static const char *signature_text(const char *signature, char text[5])
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)(signature[i] >= ' ' && signature[i] <= '~' ? signature[i] : '?');
	text[4] = '\0';
	return text;
}

/* The whole table at 'start'; false, and a warning, if it cannot be read. */
static bool map_table(phys_t start, struct bytes *ret)
{
	struct bytes header, table;
	char text[5];

	if (!map_bytes(start, HEADER_LEN, &header)) {
		log_warning("ACPI table at %#lx cannot be read", start);
		return false;
	}
	uint64_t len = read_int(header, 4, 4);

	signature_text((const char *)header.data, text);
	if (len < HEADER_LEN || len > TABLE_LEN_MAX || !map_bytes(start, len, &table)) {
		log_warning("ACPI table %s at %#lx: bad length %#lx", text, start, len);
		return false;
	}
	if (sum(table) != 0)
		log_warning("ACPI table %s at %#lx: bad checksum", text, start);
	*ret = table;
	return true;
}

static bool has_signature(struct bytes table, const char *signature)
{
	return memcmp(table.data, signature, 4) == 0;
}

static void add_cpu(struct acpi *acpi, uint32_t apic_id, uint32_t uid, uint64_t flags)
{
	if (!(flags & CPU_ENABLED) || apic_id == UINT32_MAX)
		return;
	for (unsigned i = 0; i < acpi->n_cpus; i++) {
		if (acpi->cpu_apic_id[i] == apic_id)
			return;
	}
	if (acpi->n_cpus == ACPI_CPU_MAX) {
		acpi->n_cpus_left_out++;
		return;
	}
	acpi->cpu_uid[acpi->n_cpus] = uid;
	acpi->cpu_apic_id[acpi->n_cpus++] = apic_id;
}

static void add_lint(struct acpi *acpi, uint32_t uid, uint64_t flags, uint64_t pin)
{
	if (acpi->n_lints < ACPI_LINT_MAX)
		acpi->lint[acpi->n_lints++] = (struct acpi_lint){
			uid, (uint8_t)pin, (flags & LINT_POLARITY) == LINT_ACTIVE_LOW};
}

static void parse_madt_entry(struct bytes entry, struct acpi *acpi)
{
	uint32_t uid;

	switch (entry.data[0]) {
	case MADT_LOCAL_APIC:
		if (read_int(entry, 3, 1) != LOCAL_APIC_ALL)
			add_cpu(acpi, (uint32_t)read_int(entry, 3, 1),
				(uint32_t)read_int(entry, 2, 1), read_int(entry, 4, 4));
		break;
	case MADT_X2APIC:
		add_cpu(acpi, (uint32_t)read_int(entry, 4, 4), (uint32_t)read_int(entry, 12, 4),
			read_int(entry, 8, 4));
		break;
	case MADT_LOCAL_APIC_NMI:
		uid = (uint32_t)read_int(entry, 2, 1);
		if (entry.len >= 6)
			add_lint(acpi, uid == MADT_ALL_UIDS ? ACPI_LINT_ALL : uid,
				 read_int(entry, 3, 2), read_int(entry, 5, 1));
		break;
	case MADT_X2APIC_NMI:
		if (entry.len >= 12)
			add_lint(acpi, (uint32_t)read_int(entry, 4, 4), read_int(entry, 2, 2),
				 read_int(entry, 8, 1));
		break;
	case MADT_IO_APIC:
		if (acpi->n_io_apics < ACPI_IO_APIC_MAX && entry.len >= 12)
			acpi->io_apic[acpi->n_io_apics++] = read_int(entry, 4, 4);
		break;
	default:
		break;
	}
}

static void parse_madt(struct bytes madt, struct acpi *acpi)
{
	for (uint64_t offset = MADT_HEADER_LEN; offset + 2 <= madt.len;) {
		uint8_t len = madt.data[offset + 1];

		if (len < 2 || len > madt.len - offset) {
			log_warning("ACPI table APIC: bad entry at offset %#lx", offset);
			return;
		}
		parse_madt_entry((struct bytes){madt.data + offset, len}, acpi);
		offset += len;
	}
}

/* The package length at 'offset'; returns the length of its encoding in bytes. */
static unsigned package_length_size(struct bytes aml, uint64_t offset)
{
	return 1 + (unsigned)(read_int(aml, offset, 1) >> 6);
}

/* Read one small integer and move *offset past it. False if it is something else. */
static bool read_aml_int(struct bytes aml, uint64_t *offset, uint8_t *ret)
{
	static const uint8_t sizes[] = {[AML_BYTE] = 1, [AML_WORD] = 2, [AML_DWORD] = 4};
	uint64_t at = *offset;

	if (at >= aml.len)
		return false;
	uint8_t op = aml.data[at];

	if (op == AML_ZERO || op == AML_ONE) {
		*ret = op;
		*offset = at + 1;
		return true;
	}
	if (op >= sizeof(sizes) || sizes[op] == 0 || aml.len - at - 1 < sizes[op])
		return false;
	*ret = aml.data[at + 1];
	*offset = at + 1 + sizes[op];
	return true;
}

/* After the name: a package of at least two integers, SLP_TYPa and SLP_TYPb. */
static bool parse_s5_package(struct bytes aml, uint64_t offset, struct acpi *acpi)
{
	uint8_t type_a, type_b;

	if (read_int(aml, offset, 1) != AML_PACKAGE)
		return false;
	offset += 1 + package_length_size(aml, offset + 1);
	if (read_int(aml, offset, 1) < 2)
		return false;
	offset++;
	if (!read_aml_int(aml, &offset, &type_a) || !read_aml_int(aml, &offset, &type_b))
		return false;
	acpi->s5_type_a = type_a & 7;
	acpi->s5_type_b = type_b & 7;
	return true;
}

static void parse_aml(struct bytes aml, struct acpi *acpi)
{
	for (uint64_t i = HEADER_LEN; !acpi->has_s5 && i + 5 <= aml.len; i++) {
		bool is_name = aml.data[i - 1] == AML_NAME ||
			       (aml.data[i - 1] == '\\' && aml.data[i - 2] == AML_NAME);

		if (is_name && memcmp(aml.data + i, "_S5_", 4) == 0)
			acpi->has_s5 = parse_s5_package(aml, i + 4, acpi);
	}
}

/* The Generic Address Structure at 'offset', or NONE if it is zero or missing. */
static struct acpi_register read_register(struct bytes table, uint64_t offset)
{
	uint64_t space = read_int(table, offset, 1), address = read_int(table, offset + 4, 8);

	if (address == 0 || space > ACPI_SPACE_PCI)
		return (struct acpi_register){.space = ACPI_SPACE_NONE};
	return (struct acpi_register){.space = (enum acpi_space)space, .address = address};
}

/* The extended form at 'wide' if it exists, otherwise the port number at 'narrow'. */
static struct acpi_register read_block(struct bytes fadt, uint64_t narrow, uint64_t wide)
{
	struct acpi_register result = read_register(fadt, wide);
	uint64_t port = read_int(fadt, narrow, 4);

	if (result.space != ACPI_SPACE_NONE || port == 0)
		return result;
	return (struct acpi_register){.space = ACPI_SPACE_IO, .address = port};
}

static bool is_port(struct acpi_register reg)
{
	return reg.space == ACPI_SPACE_IO && reg.address <= UINT16_MAX;
}

static void parse_dsdt(struct bytes fadt, struct acpi *acpi)
{
	uint64_t address = read_int(fadt, 140, 8);
	struct bytes dsdt;

	if (address == 0)
		address = read_int(fadt, 40, 4);
	if (address != 0 && map_table(address, &dsdt) && has_signature(dsdt, "DSDT"))
		parse_aml(dsdt, acpi);
}

/* Each event block is a status register and an enable register of the same length. */
static void add_events(struct bytes fadt, struct acpi_register block, unsigned n, struct acpi *acpi)
{
	uint64_t len = read_int(fadt, 88, 1) / 2;

	if (block.space == ACPI_SPACE_NONE || len < 2)
		return;
	acpi->pm1_status[n] = acpi->pm1_enable[n] = block;
	acpi->pm1_enable[n].address += len;
}

static void parse_events(struct bytes fadt, uint64_t flags, struct acpi *acpi)
{
	uint64_t port = read_int(fadt, 48, 4);

	add_events(fadt, read_block(fadt, 56, 148), 0, acpi);
	add_events(fadt, read_block(fadt, 60, 160), 1, acpi);
	acpi->has_power_button =
		!(flags & FADT_BUTTON_IN_AML) && acpi->pm1_status[0].space != ACPI_SPACE_NONE;
	acpi->smi_command_port = port <= UINT16_MAX ? (uint16_t)port : 0;
	acpi->enable_value = (uint8_t)read_int(fadt, 52, 1);
}

static void parse_fadt(struct bytes fadt, struct acpi *acpi)
{
	uint64_t flags = read_int(fadt, 112, 4);
	struct acpi_register timer = read_block(fadt, 76, 208);

	if (flags & FADT_RESET_SUPPORTED) {
		acpi->reset = read_register(fadt, 116);
		acpi->reset_value = (uint8_t)read_int(fadt, 128, 1);
	}
	if (flags & FADT_HARDWARE_REDUCED) {
		acpi->sleep_control = read_register(fadt, 244);
	} else {
		acpi->pm1a_control = read_block(fadt, 64, 172);
		acpi->pm1b_control = read_block(fadt, 68, 184);
		acpi->pm_timer_port = is_port(timer) ? (uint16_t)timer.address : 0;
		acpi->pm_timer_32bit = flags & FADT_TIMER_32BIT;
		parse_events(fadt, flags, acpi);
	}
	parse_dsdt(fadt, acpi);
}

static void parse_hpet(struct bytes hpet, struct acpi *acpi)
{
	struct acpi_register reg = read_register(hpet, 40);

	if (reg.space == ACPI_SPACE_MEMORY)
		acpi->hpet = reg.address;
}

/* Source: Intel Virtualization Technology for Directed I/O, "DMA Remapping Reporting Structure". */
static void parse_dmar(struct bytes dmar, struct acpi *acpi)
{
	acpi->x2apic_opt_out = read_int(dmar, 37, 1) & DMAR_X2APIC_OPT_OUT;
}

static void parse_table(phys_t address, struct acpi *acpi)
{
	struct bytes table;

	/* Some firmware leaves entries empty. */
	if (address == 0 || !map_table(address, &table))
		return;
	if (has_signature(table, "APIC"))
		parse_madt(table, acpi);
	else if (has_signature(table, "FACP"))
		parse_fadt(table, acpi);
	else if (has_signature(table, "DMAR"))
		parse_dmar(table, acpi);
	else if (has_signature(table, "HPET"))
		parse_hpet(table, acpi);
	else if (has_signature(table, "SPCR"))
		acpi->spcr = (struct acpi_table){address, table.len};
	else if (has_signature(table, "HEST"))
		acpi->hest = (struct acpi_table){address, table.len};
	else if (has_signature(table, "WDAT"))
		acpi->wdat = (struct acpi_table){address, table.len};
	else if (has_signature(table, "SRAT"))
		acpi->srat = (struct acpi_table){address, table.len};
	else if (has_signature(table, "SLIT"))
		acpi->slit = (struct acpi_table){address, table.len};
}

/* The table of tables: addresses of 8 bytes in an XSDT, of 4 in an RSDT. */
static enum status parse_root(phys_t address, const char *signature, unsigned size,
			      struct acpi *acpi)
{
	struct bytes root;

	if (!map_table(address, &root) || !has_signature(root, signature))
		return ERR_CORRUPT;
	for (uint64_t offset = HEADER_LEN; offset + size <= root.len; offset += size)
		parse_table(read_int(root, offset, size), acpi);
	return OK;
}

static bool is_rsdp(struct bytes rsdp)
{
	return memcmp(rsdp.data, "RSD PTR ", 8) == 0 &&
	       sum((struct bytes){rsdp.data, RSDP_LEN_1}) == 0;
}

enum status acpi_parse(phys_t rsdp, struct acpi *ret)
{
	static const struct acpi_register none = {.space = ACPI_SPACE_NONE};
	struct bytes bytes;

	*ret = (struct acpi){
		.pm1a_control = none,
		.pm1b_control = none,
		.sleep_control = none,
		.pm1_status = {none, none},
		.pm1_enable = {none, none},
		.reset = none,
	};
	if (!map_bytes(rsdp, RSDP_LEN_1, &bytes) || !is_rsdp(bytes))
		return ERR_NOTFOUND;
	if (bytes.data[15] >= 2 && map_bytes(rsdp, RSDP_LEN_2, &bytes) &&
	    read_int(bytes, 24, 8) != 0) {
		if (sum(bytes) != 0)
			log_warning("ACPI RSDP at %#lx: bad checksum", rsdp);
		if (parse_root(read_int(bytes, 24, 8), "XSDT", 8, ret) == OK)
			return OK;
	}
	return parse_root(read_int(bytes, 16, 4), "RSDT", 4, ret);
}

void acpi_init(phys_t rsdp)
{
	enum status status = acpi_parse(rsdp, &acpi);

	if (rsdp != 0 && status != OK)
		log_warning("ACPI tables at %#lx are damaged and not used", rsdp);
	if (acpi.n_cpus_left_out > 0)
		log_warning("%u processors more than the supported %u are left out",
			    acpi.n_cpus_left_out, ACPI_CPU_MAX);
}
