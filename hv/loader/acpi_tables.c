/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's ACPI tables, as ACPI 6.0 defines them, one after the other from the RSDP on. The
 * machine is hardware-reduced: no SCI, and no PIC unless the MADT says so. Power off and reset are
 * registers of hv/devices/pm.c. The DSDT is compiled from dsdt.dsl, and has an object for each
 * virtio device added. This file writes an SSDT with one object for each processor; acpi_memory.c
 * writes the tables about memory.
 */
#include "hv/loader/acpi_tables.h"

#include "hv/devices/acpi_watchdog.h"
#include "hv/devices/hpet.h"
#include "hv/devices/ioapic.h"
#include "hv/devices/irqchip.h"
#include "hv/devices/lapic.h"
#include "hv/devices/legacy.h"
#include "hv/devices/pm.h"
#include "hv/devices/virtio_mmio.h"
#include "hv/lib/string.h"
#include "hv/loader/acpi_dsdt.h"
#include "hv/loader/acpi_dsdt_no_rtc.h"
#include "hv/loader/acpi_hpet.h"
#include "hv/loader/acpi_memory.h"
#include "hv/loader/acpi_pvpanic.h"
#include "hv/loader/acpi_vmgenid.h"

#define ALL_UIDS     UINT32_MAX
#define CMOS_CENTURY 0x32
#define NMI_LINT     1
#define CPU_ENABLED  1
#define GAS_MEMORY   0
#define GAS_IO	     1
#define ACCESS_BYTE  1
#define ACCESS_DWORD 3

/* In the FADT's lists of blocks and of their lengths. */
#define PM_TIMER_BLOCK	0x5
#define PM_TIMER_LENGTH 0x3

#define FADT_WBINVD	  BIT(0)
#define FADT_PROC_C1	  BIT(2)
#define FADT_NO_PWR_BTN	  BIT(4) /* no fixed power button */
#define FADT_NO_SLP_BTN	  BIT(5)
#define FADT_NO_FIXED_RTC BIT(6) /* no wake-up by a fixed RTC register */
#define FADT_RESET	  BIT(10)
#define FADT_HW_REDUCED	  BIT(20)
#define BOOT_ARCH_NO_VGA  BIT(2) /* 8042 (bit 1) stays clear */
#define BOOT_ARCH_NO_RTC  BIT(5)

struct ACPI_PACKED address {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
};

struct ACPI_PACKED fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t profile;
	uint16_t sci_interrupt;
	uint32_t smi_command;
	uint8_t smi_values[4];
	uint32_t fixed_blocks[8]; /* PM1a event to GPE1: absent */
	uint8_t fixed_lengths[6];
	uint8_t gpe1_base;
	uint8_t cstate_control;
	uint16_t c2_latency;
	uint16_t c3_latency;
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset_register;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct address x_fixed_blocks[8]; /* in the same order */
	struct address sleep_control;
	struct address sleep_status;
	char hypervisor[8];
};
_Static_assert(sizeof(struct fadt) == 276, "ACPI 6.0, Fixed ACPI Description Table");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI 6.0, Fixed ACPI Description Table");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "the same");

/* IA-PC HPET specification 1.0a, "HPET Description Table". */
struct ACPI_PACKED hpet_table {
	struct acpi_header header;
	uint32_t id;
	struct address address;
	uint8_t number;
	uint16_t min_period; /* in ticks; 0: as the guest likes */
	uint8_t protection;
};
_Static_assert(sizeof(struct hpet_table) == 56, "HPET Description Table");

/* Microsoft, "Hardware Watchdog Timers Design Specification". */
struct ACPI_PACKED wdat {
	struct acpi_header header;
	uint32_t length; /* from here to the entries */
	uint16_t segment;
	uint8_t bus, device, function; /* all ones: it is not on PCI */
	uint8_t reserved[3];
	uint32_t period_ms;
	uint32_t max_count, min_count;
	uint8_t flags;
	uint8_t reserved2[3];
	uint32_t n_entries;
};
_Static_assert(sizeof(struct wdat) == 68, "Watchdog Action Table");

#define WDAT_ENABLED 0x01

enum { WDAT_READS = 0, WDAT_READS_COUNT = 1, WDAT_WRITES = 2, WDAT_WRITES_COUNT = 3 };

struct ACPI_PACKED wdat_entry {
	uint8_t action, instruction;
	uint16_t reserved;
	struct address where;
	uint32_t value, mask;
};
_Static_assert(sizeof(struct wdat_entry) == 24, "Watchdog Instruction Entry");

struct ACPI_PACKED madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags; /* bit 0: there is a PIC */
};

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
};

struct ACPI_PACKED madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
};

struct ACPI_PACKED madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
};

struct ACPI_PACKED madt_override {
	uint8_t type;
	uint8_t length;
	uint8_t bus; /* 0: ISA */
	uint8_t irq;
	uint32_t gsi;
	uint16_t flags; /* 0: as usual on the bus */
};

struct ACPI_PACKED madt_lapic_nmi {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint16_t flags;
	uint8_t lint;
};

struct ACPI_PACKED madt_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t uid;
};

struct ACPI_PACKED madt_x2apic_nmi {
	uint8_t type;
	uint8_t length;
	uint16_t flags;
	uint32_t uid;
	uint8_t lint;
	uint8_t reserved[3];
};

/* Device (Cxxx) { Name (_HID, "ACPI0007") Name (_UID, n) } */
struct ACPI_PACKED aml_processor {
	uint8_t op[2];
	uint8_t length; /* counted from here, below 64 */
	char name[4];
	char hid[15];
	char uid_name[6];
	uint16_t uid;
};
_Static_assert(sizeof(struct aml_processor) - 2 < 64, "the short form of a package length");

/* ResourceTemplate () { Memory32Fixed (...) Interrupt (...) {...} }: ACPI 6.0, section "Resource
 * Data Types". */
struct ACPI_PACKED aml_virtio_resources {
	uint8_t memory_tag;
	uint16_t memory_length;
	uint8_t memory_flags; /* bit 0: writable */
	uint32_t base;
	uint32_t size;
	uint8_t interrupt_tag;
	uint16_t interrupt_length;
	uint8_t interrupt_flags; /* bit 0: consumer; level, active high, exclusive are zeros */
	uint8_t n_interrupts;
	uint32_t gsi;
	uint8_t end_tag[2];
};

/* Device (VRxx) { Name (_HID, "LNRO0005") Name (_UID, n) Name (_CRS, ...) } */
struct ACPI_PACKED aml_virtio {
	uint8_t op[2];
	uint8_t length[2]; /* counted from here: 4 bits, then 8 */
	char name[4];
	char hid[15];
	char uid_name[6];
	uint8_t uid;
	char crs_name[5];
	uint8_t buffer_op;
	uint8_t buffer_length; /* counted from here, below 64 */
	uint8_t buffer_size[2];
	struct aml_virtio_resources resources;
};

static struct address io_register(uint64_t port)
{
	return (struct address){
		.space = GAS_IO, .bit_width = 8, .access_size = ACCESS_BYTE, .address = port};
}

/* The machine has no other block; who knows hardware-reduced machines may not look for this one. */
static void describe_pm_timer(struct fadt *fadt)
{
	fadt->fixed_blocks[PM_TIMER_BLOCK] = PM_TIMER_PORT;
	fadt->fixed_lengths[PM_TIMER_LENGTH] = PM_TIMER_N_PORTS;
	fadt->x_fixed_blocks[PM_TIMER_BLOCK] = (struct address){.space = GAS_IO,
								.bit_width = 32,
								.access_size = ACCESS_DWORD,
								.address = PM_TIMER_PORT};
}

static enum status add_fadt(struct acpi_image *image, const struct acpi_config *config,
			    uint64_t dsdt)
{
	struct fadt fadt = {
		.header = acpi_make_header("FACP", 6),
		.dsdt = (uint32_t)dsdt,
		.x_dsdt = dsdt,
		.century = config->no_rtc ? 0 : CMOS_CENTURY,
		.boot_arch = BOOT_ARCH_NO_VGA | (config->no_rtc ? BOOT_ARCH_NO_RTC : 0),
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_PWR_BTN | FADT_NO_SLP_BTN |
			 FADT_NO_FIXED_RTC | FADT_RESET | FADT_HW_REDUCED,
		.reset_register = io_register(PM_RESET_PORT),
		.reset_value = PM_RESET_VALUE,
		.sleep_control = io_register(PM_SLEEP_CONTROL_PORT),
		.sleep_status = io_register(PM_SLEEP_STATUS_PORT),
		.hypervisor = "STENCIL",
	};
	size_t start = image->used;

	if (config->has_pm_timer)
		describe_pm_timer(&fadt);
	TRY(acpi_append(image, &fadt, sizeof(fadt)));
	return acpi_list_table(image, start);
}

static enum status add_madt_cpu(struct acpi_image *image, unsigned uid, uint32_t id)
{
	struct madt_lapic lapic = {MADT_LAPIC, sizeof(lapic), (uint8_t)uid, (uint8_t)id,
				   CPU_ENABLED};
	struct madt_x2apic x2apic = {MADT_X2APIC, sizeof(x2apic), 0, id, CPU_ENABLED, uid};

	/* A UID never exceeds the APIC ID: IDs have gaps, UIDs have none. */
	if (id <= ACPI_MAX_XAPIC_ID)
		return acpi_append(image, &lapic, sizeof(lapic));
	return acpi_append(image, &x2apic, sizeof(x2apic));
}

static enum status add_madt(struct acpi_image *image, const struct acpi_config *config)
{
	struct madt madt = {acpi_make_header("APIC", 4), (uint32_t)APIC_BASE_ADDR, config->has_pic};
	struct madt_ioapic ioapic = {MADT_IOAPIC, sizeof(ioapic), 0, 0, (uint32_t)IOAPIC_BASE, 0};
	struct madt_lapic_nmi nmi = {MADT_LAPIC_NMI, sizeof(nmi), (uint8_t)ALL_UIDS, 0, NMI_LINT};
	struct madt_x2apic_nmi x2apic_nmi = {MADT_X2APIC_NMI, sizeof(x2apic_nmi), 0,
					     ALL_UIDS,	      NMI_LINT,		  {0}};
	struct madt_override timer = {MADT_OVERRIDE, sizeof(timer), 0, 0, IRQCHIP_TIMER_GSI, 0};
	size_t start = image->used;

	TRY(acpi_append(image, &madt, sizeof(madt)));
	for (unsigned i = 0; i < config->n_cpus; i++)
		TRY(add_madt_cpu(image, i, acpi_apic_id(config, i)));
	TRY(acpi_append(image, &ioapic, sizeof(ioapic)));
	if (config->has_pic || config->has_pit || config->has_hpet)
		TRY(acpi_append(image, &timer, sizeof(timer)));
	TRY(acpi_append(image, &nmi, sizeof(nmi)));
	if (acpi_apic_id(config, config->n_cpus - 1) > ACPI_MAX_XAPIC_ID)
		TRY(acpi_append(image, &x2apic_nmi, sizeof(x2apic_nmi)));
	return acpi_list_table(image, start);
}

static struct aml_processor make_processor(unsigned uid)
{
	struct aml_processor aml = {
		.op = {0x5b, 0x82},
		.length = sizeof(aml) - sizeof(aml.op),
		.name = {'C'},
		.uid = (uint16_t)uid,
	};

	acpi_put_digits(aml.name + 1, 3, uid);
	memcpy(aml.hid,
	       "\x08_HID\x0d"
	       "ACPI0007",
	       sizeof(aml.hid));
	memcpy(aml.uid_name, "\x08_UID\x0b", sizeof(aml.uid_name));
	return aml;
}

static enum status add_processors(struct acpi_image *image, unsigned n_cpus)
{
	struct acpi_header header = acpi_make_header("SSDT", 2);
	size_t start = image->used;

	TRY(acpi_append(image, &header, sizeof(header)));
	TRY(acpi_append_scope(image, "\\_SB_", 5, n_cpus * sizeof(struct aml_processor)));
	for (unsigned i = 0; i < n_cpus; i++) {
		struct aml_processor processor = make_processor(i);

		TRY(acpi_append(image, &processor, sizeof(processor)));
	}
	return acpi_list_table(image, start);
}

static struct aml_virtio make_virtio(unsigned slot)
{
	size_t length = sizeof(struct aml_virtio) - 2;
	struct aml_virtio aml = {
		.op = {0x5b, 0x82},
		.length = {(uint8_t)(0x40 | length % 16), (uint8_t)(length / 16)},
		.name = {'V', 'R'},
		.uid = (uint8_t)slot,
		.buffer_op = 0x11,
		.buffer_length = 3 + sizeof(aml.resources),
		.buffer_size = {0x0a, sizeof(aml.resources)},
		.resources = {.memory_tag = 0x86,
			      .memory_length = 9,
			      .memory_flags = 1,
			      .base = (uint32_t)(VIRTIO_MMIO_BASE + slot * VIRTIO_MMIO_SIZE),
			      .size = VIRTIO_MMIO_SIZE,
			      .interrupt_tag = 0x89,
			      .interrupt_length = 6,
			      .interrupt_flags = 1,
			      .n_interrupts = 1,
			      .gsi = virtio_mmio_gsi(slot),
			      .end_tag = {0x79, 0}},
	};

	acpi_put_digits(aml.name + 2, 2, slot);
	memcpy(aml.hid,
	       "\x08_HID\x0d"
	       "LNRO0005",
	       sizeof(aml.hid));
	memcpy(aml.uid_name, "\x08_UID\x0a", sizeof(aml.uid_name));
	memcpy(aml.crs_name, "\x08_CRS", sizeof(aml.crs_name));
	return aml;
}

static enum status add_virtio(struct acpi_image *image, unsigned n)
{
	if (n == 0)
		return OK;
	TRY(acpi_append_scope(image, "\\_SB_", 5, n * sizeof(struct aml_virtio)));
	for (unsigned i = 0; i < n; i++) {
		struct aml_virtio device = make_virtio(virtio_mmio_slot(i));

		TRY(acpi_append(image, &device, sizeof(device)));
	}
	return OK;
}

static enum status add_dsdt(struct acpi_image *image, const struct acpi_config *config,
			    uint64_t *ret_gpa)
{
	size_t start = image->used;

	if (config->no_rtc)
		TRY(acpi_append(image, acpi_dsdt_no_rtc, sizeof(acpi_dsdt_no_rtc)));
	else
		TRY(acpi_append(image, acpi_dsdt, sizeof(acpi_dsdt)));
	TRY(add_virtio(image, config->n_virtio));
	return acpi_finish_table(image, start, ret_gpa);
}

/* Tables that iasl has made. */
static enum status add_compiled(struct acpi_image *image, const uint8_t *table, size_t len)
{
	size_t start = image->used;

	TRY(acpi_append(image, table, len));
	return acpi_list_table(image, start);
}

static enum status add_hpet(struct acpi_image *image)
{
	struct hpet_table hpet = {
		.header = acpi_make_header("HPET", 1),
		.id = HPET_ID,
		.address = {.space = GAS_MEMORY, .bit_width = 64, .address = HPET_BASE},
	};
	size_t start = image->used;

	TRY(acpi_append(image, &hpet, sizeof(hpet)));
	TRY(acpi_list_table(image, start));
	return add_compiled(image, acpi_hpet, sizeof(acpi_hpet));
}

#define WATCHDOG_ENTRY(number, what, register, wanted, bits) \
	{ \
		.action = (number), .instruction = (what), \
		.where = {.space = GAS_IO, \
			  .bit_width = 32, \
			  .access_size = ACCESS_DWORD, \
			  .address = ACPI_WATCHDOG_PORT + (register)}, \
		.value = (wanted), .mask = (bits) \
	}

/* The numbers of the actions are the specification's. */
static const struct wdat_entry watchdog_entries[] = {
	WATCHDOG_ENTRY(1, WDAT_WRITES, ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RESET, 3),
	WATCHDOG_ENTRY(4, WDAT_READS_COUNT, ACPI_WATCHDOG_COUNT, 0, ACPI_WATCHDOG_MAX_COUNT),
	WATCHDOG_ENTRY(6, WDAT_WRITES_COUNT, ACPI_WATCHDOG_COUNT, 0, ACPI_WATCHDOG_MAX_COUNT),
	WATCHDOG_ENTRY(8, WDAT_READS, ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RUN, 3),
	WATCHDOG_ENTRY(9, WDAT_WRITES, ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RUN, 3),
	WATCHDOG_ENTRY(10, WDAT_READS, ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_STOP, 3),
	WATCHDOG_ENTRY(11, WDAT_WRITES, ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_STOP, 3),
	WATCHDOG_ENTRY(32, WDAT_READS, ACPI_WATCHDOG_STATUS, 1, 1),
	WATCHDOG_ENTRY(33, WDAT_WRITES, ACPI_WATCHDOG_STATUS, 1, 1),
};

static enum status add_watchdog(struct acpi_image *image)
{
	struct wdat wdat = {
		.header = acpi_make_header("WDAT", 1),
		.length = sizeof(wdat) - sizeof(wdat.header),
		.segment = 0xff,
		.bus = 0xff,
		.device = 0xff,
		.function = 0xff,
		.period_ms = 1000 / ACPI_WATCHDOG_HZ,
		.max_count = ACPI_WATCHDOG_MAX_COUNT,
		.min_count = ACPI_WATCHDOG_MIN_COUNT,
		.flags = WDAT_ENABLED,
		.n_entries = ARRAY_SIZE(watchdog_entries),
	};
	size_t start = image->used;

	TRY(acpi_append(image, &wdat, sizeof(wdat)));
	TRY(acpi_append(image, watchdog_entries, sizeof(watchdog_entries)));
	return acpi_list_table(image, start);
}

static enum status add_devices(struct acpi_image *image, const struct acpi_config *config)
{
	if (config->has_pvpanic)
		TRY(add_compiled(image, acpi_pvpanic, sizeof(acpi_pvpanic)));
	if (config->has_vmgenid)
		TRY(add_compiled(image, acpi_vmgenid, sizeof(acpi_vmgenid)));
	if (config->has_hpet)
		TRY(add_hpet(image));
	if (config->has_watchdog)
		TRY(add_watchdog(image));
	return OK;
}

/* The XSDT lies after the RSDP, before all that it lists: see acpi_make_rsdp(). */
static void write_xsdt(struct acpi_image *image)
{
	const size_t len = image->n_tables * sizeof(image->tables[0]);
	struct acpi_header header = acpi_make_header("XSDT", 1);
	uint8_t *xsdt = image->buf + ACPI_XSDT_OFFSET;

	header.length = (uint32_t)(sizeof(header) + len);
	memcpy(xsdt, &header, sizeof(header));
	memcpy(xsdt + sizeof(header), image->tables, len);
	xsdt[offsetof(struct acpi_header, checksum)] = acpi_checksum(xsdt, header.length);
}

static enum status check_config(const struct acpi_config *config)
{
	if (config->n_cpus == 0 || !is_aligned(config->rsdp_gpa, ACPI_TABLE_ALIGN))
		return ERR_INVAL;
	if (config->n_cpus > ACPI_MAX_CPUS || config->n_virtio > VIRTIO_DEVICES_MAX)
		return ERR_RANGE;
	for (unsigned i = 0; i < config->n_memory; i++)
		if (config->memory[i].flags & ACPI_MEMORY_HOTPLUG &&
		    config->memory[i].slot >= ACPI_MAX_SLOTS)
			return ERR_RANGE;
	for (unsigned i = 0; i < config->n_nvdimms; i++)
		if (config->nvdimms[i].slot >= ACPI_MAX_SLOTS)
			return ERR_RANGE;
	return OK;
}

enum status acpi_tables_build(const struct acpi_config *config, uint8_t *buf, size_t size,
			      size_t *ret_len)
{
	struct acpi_image image = {.buf = buf, .size = size, .gpa = config->rsdp_gpa};
	static const uint8_t placeholder[ACPI_XSDT_OFFSET + ACPI_XSDT_SIZE_MAX];
	uint64_t dsdt;

	TRY(check_config(config));
	TRY(acpi_append(&image, placeholder, sizeof(placeholder)));
	TRY(acpi_align(&image));
	TRY(add_dsdt(&image, config, &dsdt));
	TRY(add_fadt(&image, config, dsdt));
	TRY(add_madt(&image, config));
	TRY(add_processors(&image, config->n_cpus));
	TRY(acpi_add_memory_devices(&image, config));
	TRY(add_devices(&image, config));
	TRY(acpi_add_nvdimm_devices(&image, config));
	TRY(acpi_add_srat(&image, config));
	TRY(acpi_add_slit(&image, config));
	TRY(acpi_add_nfit(&image, config));
	write_xsdt(&image);
	acpi_make_rsdp(config->rsdp_gpa, buf);
	if (config->rsdp_gpa > GIB(4) - image.used)
		return ERR_RANGE;
	*ret_len = image.used;
	return OK;
}
