/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ACPI tables say about memory beyond the e820 map: its nodes (SRAT, SLIT), the addresses
 * of DIMMs (memory devices in an SSDT), and the NVDIMMs (NFIT, and devices in an SSDT). DIMMs are
 * not plugged or pulled at run time, so devices have no _EJ0. Numbers that namespace labels depend
 * on are QEMU's, so that labels written under QEMU are valid here.
 */
#include "hv/loader/acpi_memory.h"

#include "hv/lib/string.h"
#include "hv/loader/acpi_nvdimm.h"

#define CPU_ENABLED 1

struct ACPI_PACKED srat {
	struct acpi_header header;
	uint32_t reserved1; /* must be 1 */
	uint64_t reserved2;
};

enum { SRAT_LAPIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2 };

struct ACPI_PACKED srat_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t node_low;
	uint8_t apic_id;
	uint32_t flags;
	uint8_t sapic_eid;
	uint8_t node_high[3];
	uint32_t clock_domain;
};
_Static_assert(sizeof(struct srat_lapic) == 16, "ACPI 6.0, Processor Local APIC Affinity");

struct ACPI_PACKED srat_memory {
	uint8_t type;
	uint8_t length;
	uint32_t node;
	uint16_t reserved1;
	uint64_t base;
	uint64_t len;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
};
_Static_assert(sizeof(struct srat_memory) == 40, "ACPI 6.0, Memory Affinity Structure");

struct ACPI_PACKED srat_x2apic {
	uint8_t type;
	uint8_t length;
	uint16_t reserved1;
	uint32_t node;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t clock_domain;
	uint32_t reserved2;
};
_Static_assert(sizeof(struct srat_x2apic) == 24, "ACPI 6.0, Local x2APIC Affinity Structure");

struct ACPI_PACKED slit {
	struct acpi_header header;
	uint64_t n_nodes;
};

struct ACPI_PACKED nfit {
	struct acpi_header header;
	uint32_t reserved;
};

enum { NFIT_SPA = 0, NFIT_MAPPING = 1, NFIT_CONTROL = 4 };

#define SPA_CONTROL_FOR_HOT_ADD BIT(0) /* the control region is for management only */
#define SPA_NODE_VALID		BIT(1)
#define MEMORY_WRITE_BACK	BIT(3) /* UEFI's attributes */
#define MEMORY_NON_VOLATILE	BIT(15)

struct ACPI_PACKED nfit_spa {
	uint16_t type;
	uint16_t length;
	uint16_t index;
	uint16_t flags;
	uint32_t reserved;
	uint32_t node;
	uint8_t guid[16];
	uint64_t base;
	uint64_t len;
	uint64_t attributes;
};
_Static_assert(sizeof(struct nfit_spa) == 56, "ACPI 6.0, System Physical Address Range Structure");

#define MAPPING_NOT_ARMED BIT(3)

struct ACPI_PACKED nfit_mapping {
	uint16_t type;
	uint16_t length;
	uint32_t handle;
	uint16_t physical_id;
	uint16_t region_id;
	uint16_t spa_index;
	uint16_t control_index;
	uint64_t region_len;
	uint64_t region_offset;
	uint64_t dimm_address;
	uint16_t interleave_index;
	uint16_t interleave_ways;
	uint16_t flags;
	uint16_t reserved;
};
_Static_assert(sizeof(struct nfit_mapping) == 48, "ACPI 6.0, NVDIMM Region Mapping Structure");

#define VENDOR_ID	   0x8086
#define DEVICE_ID	   1
#define REVISION_ID	   1
#define FORMAT_BYTE_ACCESS 0x301 /* byte addressable, without energy of its own */

struct ACPI_PACKED nfit_control {
	uint16_t type;
	uint16_t length;
	uint16_t index;
	uint16_t vendor_id;
	uint16_t device_id;
	uint16_t revision_id;
	uint16_t subsystem_ids[3];
	uint8_t valid_fields;
	uint8_t manufacturing[5];
	uint32_t serial;
	uint16_t format;
	uint16_t n_windows; /* 0: the fields about windows have no meaning */
	uint64_t windows[5];
	uint16_t flags;
	uint8_t reserved[6];
};
_Static_assert(sizeof(struct nfit_control) == 80, "ACPI 6.0, NVDIMM Control Region Structure");

#define AML_DEVICE_OP	   0x5b, 0x82
#define AML_NAME_OP	   0x08
#define AML_BYTE_OP	   0x0a
#define AML_DWORD_OP	   0x0c
#define AML_BUFFER_OP	   0x11
#define AML_METHOD_OP	   0x14
#define AML_RETURN_OP	   0xa4
#define AML_ARG0_OP	   0x68
#define AML_END_TAG	   0x79
#define STA_PRESENT	   0x0f /* present, enabled, shown, working */
#define QWORD_TAG	   0x8a
#define QWORD_FIXED	   0x0c /* both ends are fixed */
#define QWORD_CACHEABLE_RW 3

/* Name (xxxx, n) */
struct ACPI_PACKED aml_dword {
	uint8_t op;
	char name[4];
	uint8_t dword_op;
	uint32_t value;
};

/* Name (_CRS, ResourceTemplate () { QWordMemory (...) }) */
struct ACPI_PACKED aml_crs {
	uint8_t op;
	char name[4];
	uint8_t buffer_op;
	uint8_t buffer_length; /* counted from here */
	uint8_t byte_op;
	uint8_t n_bytes; /* counted from the tag */
	uint8_t tag;
	uint16_t length; /* counted from the type to the end tag */
	uint8_t type;
	uint8_t flags;
	uint8_t memory_flags;
	uint64_t granularity;
	uint64_t min;
	uint64_t max;
	uint64_t translation;
	uint64_t len;
	uint8_t end_tag;
	uint8_t checksum; /* 0: not used */
};
_Static_assert(sizeof(struct aml_crs) - 6 < 64, "the short form of a package length");

/* Device (MPxx) { _HID: PNP0C80; _UID: the slot; _STA; _PXM: the node; _CRS } */
struct ACPI_PACKED aml_memory {
	uint8_t op[2];
	uint8_t length[2]; /* counted from here */
	char name[4];
	struct aml_dword hid, uid, sta, pxm;
	struct aml_crs crs;
};

/* Device (NVxx) { _ADR: the handle; Method (_DSM, 4) { Return (NCAL (Arg0 ... Arg3, _ADR)) } } */
struct ACPI_PACKED aml_nvdimm {
	uint8_t op[2];
	uint8_t length; /* counted from here */
	char name[4];
	struct aml_dword adr;
	uint8_t method_op;
	uint8_t method_length; /* counted from here */
	char method_name[4];
	uint8_t method_flags;
	uint8_t return_op;
	char callee[4];
	uint8_t args[4];
	char last_arg[4];
};
_Static_assert(sizeof(struct aml_nvdimm) - 2 < 64, "the short form of a package length");

static struct aml_dword make_dword(const char name[4], uint32_t value)
{
	struct aml_dword aml = {.op = AML_NAME_OP, .dword_op = AML_DWORD_OP, .value = value};

	memcpy(aml.name, name, sizeof(aml.name));
	return aml;
}

static struct aml_crs make_crs(const struct acpi_memory *memory)
{
	struct aml_crs aml = {
		.op = AML_NAME_OP,
		.name = {'_', 'C', 'R', 'S'},
		.buffer_op = AML_BUFFER_OP,
		.buffer_length = sizeof(aml) - offsetof(struct aml_crs, buffer_length),
		.byte_op = AML_BYTE_OP,
		.n_bytes = sizeof(aml) - offsetof(struct aml_crs, tag),
		.tag = QWORD_TAG,
		.length = offsetof(struct aml_crs, end_tag) - offsetof(struct aml_crs, type),
		.flags = QWORD_FIXED,
		.memory_flags = QWORD_CACHEABLE_RW,
		.min = memory->gpa,
		.max = memory->gpa + memory->len - 1,
		.len = memory->len,
		.end_tag = AML_END_TAG,
	};

	return aml;
}

/* The EISA identifier is the compressed text, in the order of its bytes. */
static struct aml_memory make_memory_device(const struct acpi_memory *memory)
{
	static const uint8_t pnp0c80[4] = {0x41, 0xd0, 0x0c, 0x80};
	struct aml_memory aml = {
		.op = {AML_DEVICE_OP},
		.name = {'M', 'P'},
		.hid = make_dword("_HID", 0),
		.uid = make_dword("_UID", memory->slot),
		.sta = make_dword("_STA", STA_PRESENT),
		.pxm = make_dword("_PXM", memory->node),
		.crs = make_crs(memory),
	};
	size_t length = sizeof(aml) - sizeof(aml.op);

	/* A package length of two bytes: 4 bits, then 8; the top bits mean "one more". */
	aml.length[0] = 0x40 | (length & 15);
	aml.length[1] = (uint8_t)(length >> 4);
	acpi_put_digits(aml.name + 2, 2, memory->slot);
	memcpy(&aml.hid.value, pnp0c80, sizeof(pnp0c80));
	return aml;
}

enum status acpi_add_memory_devices(struct acpi_image *image, const struct acpi_config *config)
{
	struct acpi_header header = acpi_make_header("SSDT", 2);
	size_t start = image->used, n = 0;

	for (unsigned i = 0; i < config->n_memory; i++)
		n += (config->memory[i].flags & ACPI_MEMORY_HOTPLUG) != 0;
	if (n == 0)
		return OK;
	TRY(acpi_append(image, &header, sizeof(header)));
	TRY(acpi_append_scope(image, "\\_SB_", 5, n * sizeof(struct aml_memory)));
	for (unsigned i = 0; i < config->n_memory; i++) {
		struct aml_memory device = make_memory_device(&config->memory[i]);

		if (config->memory[i].flags & ACPI_MEMORY_HOTPLUG)
			TRY(acpi_append(image, &device, sizeof(device)));
	}
	return acpi_list_table(image, start);
}

static struct aml_nvdimm make_nvdimm_device(const struct acpi_nvdimm *nvdimm)
{
	struct aml_nvdimm aml = {
		.op = {AML_DEVICE_OP},
		.length = sizeof(aml) - sizeof(aml.op),
		.name = {'N', 'V'},
		.adr = make_dword("_ADR", acpi_nvdimm_handle(nvdimm->slot)),
		.method_op = AML_METHOD_OP,
		.method_length = sizeof(aml) - offsetof(struct aml_nvdimm, method_length),
		.method_name = {'_', 'D', 'S', 'M'},
		.method_flags = 4, /* arguments */
		.return_op = AML_RETURN_OP,
		.callee = {'N', 'C', 'A', 'L'},
		.args = {AML_ARG0_OP, AML_ARG0_OP + 1, AML_ARG0_OP + 2, AML_ARG0_OP + 3},
		.last_arg = {'_', 'A', 'D', 'R'},
	};

	acpi_put_digits(aml.name + 2, 2, nvdimm->slot);
	return aml;
}

enum status acpi_add_nvdimm_devices(struct acpi_image *image, const struct acpi_config *config)
{
	static const char scope[] = "\\\x2e_SB_NVDR"; /* 0x2e: two names follow */
	struct acpi_header header = acpi_make_header("SSDT", 2);
	size_t start = image->used;

	if (config->n_nvdimms == 0)
		return OK;
	TRY(acpi_append(image, acpi_nvdimm, sizeof(acpi_nvdimm)));
	TRY(acpi_list_table(image, start));
	start = image->used;
	TRY(acpi_append(image, &header, sizeof(header)));
	TRY(acpi_append_scope(image, scope, sizeof(scope) - 1,
			      config->n_nvdimms * sizeof(struct aml_nvdimm)));
	for (unsigned i = 0; i < config->n_nvdimms; i++) {
		struct aml_nvdimm device = make_nvdimm_device(&config->nvdimms[i]);

		TRY(acpi_append(image, &device, sizeof(device)));
	}
	return acpi_list_table(image, start);
}

static enum status add_cpu_affinity(struct acpi_image *image, uint32_t id, uint32_t node)
{
	struct srat_lapic lapic = {
		.type = SRAT_LAPIC,
		.length = sizeof(lapic),
		.node_low = (uint8_t)node,
		.apic_id = (uint8_t)id,
		.flags = CPU_ENABLED,
		.node_high = {(uint8_t)(node >> 8), (uint8_t)(node >> 16), (uint8_t)(node >> 24)},
	};
	struct srat_x2apic x2apic = {
		.type = SRAT_X2APIC,
		.length = sizeof(x2apic),
		.node = node,
		.apic_id = id,
		.flags = CPU_ENABLED,
	};

	if (id <= ACPI_MAX_XAPIC_ID)
		return acpi_append(image, &lapic, sizeof(lapic));
	return acpi_append(image, &x2apic, sizeof(x2apic));
}

static enum status add_memory_affinity(struct acpi_image *image, uint64_t base, uint64_t len,
				       uint32_t node, uint64_t flags)
{
	struct srat_memory memory = {
		.type = SRAT_MEMORY,
		.length = sizeof(memory),
		.node = node,
		.base = base,
		.len = len,
		.flags = (uint32_t)flags,
	};

	return acpi_append(image, &memory, sizeof(memory));
}

enum status acpi_add_srat(struct acpi_image *image, const struct acpi_config *config)
{
	struct srat srat = {.header = acpi_make_header("SRAT", 3), .reserved1 = 1};
	size_t start = image->used;

	if (config->n_memory == 0)
		return OK;
	TRY(acpi_append(image, &srat, sizeof(srat)));
	for (unsigned i = 0; i < config->n_cpus; i++)
		TRY(add_cpu_affinity(image, acpi_apic_id(config, i),
				     config->cpu_node ? config->cpu_node[i] : 0));
	for (unsigned i = 0; i < config->n_memory; i++)
		TRY(add_memory_affinity(image, config->memory[i].gpa, config->memory[i].len,
					config->memory[i].node, config->memory[i].flags));
	for (unsigned i = 0; i < config->n_nvdimms; i++)
		TRY(add_memory_affinity(image, config->nvdimms[i].gpa, config->nvdimms[i].len,
					config->nvdimms[i].node,
					ACPI_MEMORY_ENABLED | ACPI_MEMORY_NON_VOLATILE));
	return acpi_list_table(image, start);
}

enum status acpi_add_slit(struct acpi_image *image, const struct acpi_config *config)
{
	struct slit slit = {acpi_make_header("SLIT", 1), config->n_nodes};
	size_t start = image->used;

	if (config->distance == NULL)
		return OK;
	TRY(acpi_append(image, &slit, sizeof(slit)));
	TRY(acpi_append(image, config->distance, (size_t)config->n_nodes * config->n_nodes));
	return acpi_list_table(image, start);
}

/* Indices are never 0, which means "none". */
static uint16_t spa_index(const struct acpi_nvdimm *nvdimm)
{
	return (uint16_t)(2 * (nvdimm->slot + 1));
}

static uint16_t control_index(const struct acpi_nvdimm *nvdimm)
{
	return (uint16_t)(spa_index(nvdimm) + 1);
}

static enum status add_nfit_nvdimm(struct acpi_image *image, const struct acpi_nvdimm *nvdimm)
{
	/* 66F0D379-B4F3-4074-AC43-0D3318B78CDB: a region of persistent memory. */
	struct nfit_spa spa = {
		.type = NFIT_SPA,
		.length = sizeof(spa),
		.index = spa_index(nvdimm),
		.flags = SPA_CONTROL_FOR_HOT_ADD | SPA_NODE_VALID,
		.node = nvdimm->node,
		.guid = {0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40, 0xac, 0x43, 0x0d, 0x33,
			 0x18, 0xb7, 0x8c, 0xdb},
		.base = nvdimm->gpa,
		.len = nvdimm->len,
		.attributes = MEMORY_WRITE_BACK | MEMORY_NON_VOLATILE,
	};
	struct nfit_mapping mapping = {
		.type = NFIT_MAPPING,
		.length = sizeof(mapping),
		.handle = acpi_nvdimm_handle(nvdimm->slot),
		.spa_index = spa_index(nvdimm),
		.control_index = control_index(nvdimm),
		.region_len = nvdimm->len,
		.interleave_ways = 1,
		.flags = nvdimm->unarmed ? MAPPING_NOT_ARMED : 0,
	};
	struct nfit_control control = {
		.type = NFIT_CONTROL,
		.length = sizeof(control),
		.index = control_index(nvdimm),
		.vendor_id = VENDOR_ID,
		.device_id = DEVICE_ID,
		.revision_id = REVISION_ID,
		.serial = nvdimm->serial,
		.format = FORMAT_BYTE_ACCESS,
	};

	TRY(acpi_append(image, &spa, sizeof(spa)));
	TRY(acpi_append(image, &mapping, sizeof(mapping)));
	return acpi_append(image, &control, sizeof(control));
}

enum status acpi_add_nfit(struct acpi_image *image, const struct acpi_config *config)
{
	struct nfit nfit = {.header = acpi_make_header("NFIT", 1)};
	size_t start = image->used;

	if (config->n_nvdimms == 0)
		return OK;
	TRY(acpi_append(image, &nfit, sizeof(nfit)));
	for (unsigned i = 0; i < config->n_nvdimms; i++)
		TRY(add_nfit_nvdimm(image, &config->nvdimms[i]));
	return acpi_list_table(image, start);
}
