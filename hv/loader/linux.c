/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of Linux by the 64-bit boot protocol or, if a kernel has no 64-bit entry point, by the
 * 32-bit one: the protected-mode part of a bzImage is copied unchanged and entered in that mode; it
 * unpacks itself.
 *
 * Source: Linux, Documentation/x86/boot.rst and zero-page.rst. Takes protocol 2.10 or later. The
 * real-mode part is not run, so of all that a BIOS would report the zero page has only the memory
 * map.
 */
#include "hv/loader/linux.h"

#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"
#include "hv/loader/page_tables.h"

/* The setup header, as offsets from the start of the file and of the zero page. */
#define HDR_SETUP_SECTS	     0x1f1
#define HDR_SYSSIZE	     0x1f4
#define HDR_VID_MODE	     0x1fa
#define HDR_BOOT_FLAG	     0x1fe
#define HDR_JUMP_LENGTH	     0x201 /* the header ends this many bytes after 0x202 */
#define HDR_MAGIC	     0x202
#define HDR_VERSION	     0x206
#define HDR_TYPE_OF_LOADER   0x210
#define HDR_LOADFLAGS	     0x211
#define HDR_CODE32_START     0x214
#define HDR_RAMDISK_IMAGE    0x218
#define HDR_RAMDISK_SIZE     0x21c
#define HDR_CMD_LINE_PTR     0x228
#define HDR_INITRD_ADDR_MAX  0x22c
#define HDR_KERNEL_ALIGNMENT 0x230
#define HDR_RELOCATABLE	     0x234
#define HDR_XLOADFLAGS	     0x236
#define HDR_CMDLINE_SIZE     0x238
#define HDR_SETUP_DATA	     0x250
#define HDR_PREF_ADDRESS     0x258
#define HDR_INIT_SIZE	     0x260
#define HDR_END_2_10	     0x264
#define HDR_END_2_12	     0x268
#define HDR_END_MAX	     0x290 /* other fields of the zero page begin here */

#define BOOT_FLAG	    0xaa55
#define VERSION_NEEDED	    0x20a
#define VERSION_XLOADFLAGS  0x20c
#define LOADFLAG_HIGH	    BIT(0)
#define XLOADFLAG_KERNEL_64 BIT(0)
#define LOADER_UNDEFINED    0xff
#define VID_MODE_NORMAL	    0xffff
#define SECTOR_SIZE	    512
#define ENTRY_64	    0x200 /* after the start of the protected-mode part */

/* The zero page outside the setup header. */
#define ZERO_ACPI_RSDP	  0x070
#define ZERO_E820_ENTRIES 0x1e8
#define ZERO_E820_TABLE	  0x2d0
#define E820_ENTRY_SIZE	  20

#define SETUP_RNG_SEED 9

/* The header's content, checked. */
struct header {
	const uint8_t *file;
	uint64_t end;	  /* of the setup header */
	uint64_t payload; /* offset of the protected-mode part */
	uint64_t payload_len;
	uint32_t cmdline_size;
	uint32_t initrd_addr_max;
	uint64_t alignment;
	bool relocatable;
	uint64_t pref_address;
	uint64_t init_size;
	bool is64; /* it has a 64-bit entry point */
};

static bool has_entry64(const uint8_t *file)
{
	return loader_get_u16(file + HDR_VERSION) >= VERSION_XLOADFLAGS &&
	       (loader_get_u16(file + HDR_XLOADFLAGS) & XLOADFLAG_KERNEL_64) != 0;
}

static enum status check_version(struct loader *loader)
{
	const uint8_t *file = loader->input->kernel;

	if (loader->input->kernel_len < HDR_END_2_12)
		return loader_refuse_at(loader, ERR_CORRUPT, loader->input->kernel_len,
					"the file ends within the setup header");
	if (loader_get_u16(file + HDR_BOOT_FLAG) != BOOT_FLAG)
		return loader_refuse_at(loader, ERR_CORRUPT, HDR_BOOT_FLAG,
					"the boot flag is 0x%x, not 0x%x",
					loader_get_u16(file + HDR_BOOT_FLAG), BOOT_FLAG);
	if (!has_entry64(file) && loader_get_u32(file + HDR_CODE32_START) == 0)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, HDR_CODE32_START,
					"the kernel has only a 16-bit entry point, which needs a "
					"BIOS");
	uint16_t version = loader_get_u16(file + HDR_VERSION);

	if (version < VERSION_NEEDED)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, HDR_VERSION,
					"boot protocol %u.%02u is too old, %u.%02u is needed",
					version >> 8, version & 0xff, VERSION_NEEDED >> 8,
					VERSION_NEEDED & 0xff);
	if ((file[HDR_LOADFLAGS] & LOADFLAG_HIGH) == 0)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, HDR_LOADFLAGS,
					"the kernel wants to be loaded below 1 MiB");
	return OK;
}

/* Find the protected-mode part. A signature may follow it in the file. */
static enum status find_payload(struct loader *loader, struct header *header)
{
	uint64_t len = loader->input->kernel_len;
	unsigned sects = header->file[HDR_SETUP_SECTS];

	header->payload = (uint64_t)((sects == 0 ? 4 : sects) + 1) * SECTOR_SIZE;
	header->payload_len = (uint64_t)loader_get_u32(header->file + HDR_SYSSIZE) * 16;
	if (header->payload_len <= (header->is64 ? ENTRY_64 : 0))
		return loader_refuse_at(loader, ERR_CORRUPT, HDR_SYSSIZE,
					"%lu bytes of kernel do not reach the entry point",
					header->payload_len);
	/* The size is rounded up to 16 bytes; the file may be shorter. */
	if (len < header->payload || align_up(len - header->payload, 16) < header->payload_len)
		return loader_refuse_at(
			loader, ERR_CORRUPT, len,
			"the file ends here, but the header declares %lu setup bytes "
			"and %lu bytes of kernel",
			header->payload, header->payload_len);
	if (header->payload_len > len - header->payload)
		header->payload_len = len - header->payload;
	return OK;
}

static enum status check_placement(struct loader *loader, struct header *header)
{
	header->alignment = loader_get_u32(header->file + HDR_KERNEL_ALIGNMENT);
	header->relocatable = header->file[HDR_RELOCATABLE] != 0;
	header->pref_address = loader_get_u64(header->file + HDR_PREF_ADDRESS);
	header->init_size = loader_get_u32(header->file + HDR_INIT_SIZE);
	if (header->alignment == 0 || !is_aligned(header->alignment, header->alignment))
		return loader_refuse_at(loader, ERR_CORRUPT, HDR_KERNEL_ALIGNMENT,
					"the alignment 0x%lx is not a power of two",
					header->alignment);
	if (header->pref_address < LOADER_KERNEL_MIN || header->pref_address >= GIB(4) ||
	    !is_aligned(header->pref_address, PAGE_SIZE))
		return loader_refuse_at(loader, ERR_CORRUPT, HDR_PREF_ADDRESS,
					"a kernel cannot be loaded at 0x%lx", header->pref_address);
	if (header->init_size < header->payload_len)
		return loader_refuse_at(
			loader, ERR_CORRUPT, HDR_INIT_SIZE,
			"the kernel asks for 0x%lx bytes of memory but is 0x%lx bytes long",
			header->init_size, header->payload_len);
	return OK;
}

static enum status read_header(struct loader *loader, struct header *header)
{
	TRY(check_version(loader));
	header->file = loader->input->kernel;
	header->is64 = has_entry64(header->file);
	header->end = HDR_MAGIC + header->file[HDR_JUMP_LENGTH];
	if (header->end < HDR_END_2_10 || header->end > HDR_END_MAX)
		return loader_refuse_at(loader, ERR_CORRUPT, HDR_JUMP_LENGTH,
					"a setup header cannot end at 0x%lx", header->end);
	TRY(find_payload(loader, header));
	TRY(check_placement(loader, header));
	header->cmdline_size = loader_get_u32(header->file + HDR_CMDLINE_SIZE);
	header->initrd_addr_max = loader_get_u32(header->file + HDR_INITRD_ADDR_MAX);
	return OK;
}

/*
 * Place the kernel at its preferred address or, if it can be relocated, at any aligned address
 * above. Lower addresses are useless: the kernel moves itself up to the preferred address.
 */
static enum status copy_kernel(struct loader *loader, const struct header *header)
{
	struct loader_state *state = loader->state;
	uint64_t start = header->pref_address, end;

	if (header->relocatable)
		start = loader_place_low(loader, start, header->init_size, header->alignment);
	else if (loader_ram_end(loader, start) - start < header->init_size)
		start = 0;
	if (start == 0 || __builtin_add_overflow(start, header->init_size, &end))
		return loader_refuse_size(loader, "kernel", header->pref_address,
					  header->init_size);
	state->kernel_start = (gpa_t){start};
	state->kernel_end = (gpa_t){end};
	state->rip = start + (header->is64 ? ENTRY_64 : 0);
	return loader_write(loader, start, header->file + header->payload, header->payload_len);
}

static enum status write_cmdline(struct loader *loader, const struct header *header,
				 uint64_t *ret_addr)
{
	const char *append = loader->input->append != NULL ? loader->input->append : "";
	size_t len = strlen(append);

	if (len > header->cmdline_size)
		return loader_refuse(loader, ERR_RANGE,
				     "the command line has %zu characters, the kernel takes %u",
				     len, header->cmdline_size);
	return loader_write_string(loader, append, "command line", ret_addr);
}

/* A list with one element: the seed for the kernel's random numbers, so that clones differ. */
static enum status write_setup_data(struct loader *loader, uint64_t *ret_addr)
{
	const struct loader_field fields[] = {
		{0, 8, 0},
		{8, 4, SETUP_RNG_SEED},
		{12, 4, LOADER_RNG_SEED_LEN},
	};

	*ret_addr = 0;
	if (loader->input->rng_seed == NULL)
		return OK;
	TRY(loader_write_fields(loader, LOADER_SETUP_DATA, fields, ARRAY_SIZE(fields)));
	TRY(loader_write(loader, LOADER_SETUP_DATA + 16, loader->input->rng_seed,
			 LOADER_RNG_SEED_LEN));
	*ret_addr = LOADER_SETUP_DATA;
	return OK;
}

static enum status write_e820(struct loader *loader)
{
	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];
		const struct loader_field fields[] = {
			{0, 8, entry->addr},
			{8, 8, entry->len},
			{16, 4, entry->type},
		};

		TRY(loader_write_fields(loader, LOADER_INFO + ZERO_E820_TABLE + i * E820_ENTRY_SIZE,
					fields, ARRAY_SIZE(fields)));
	}
	return OK;
}

/* '*ret_addr' is 0 without an initrd. */
static enum status copy_initrd(struct loader *loader, const struct header *header,
			       uint64_t *ret_addr)
{
	const struct loader_module initrd = {
		.data = loader->input->initrd,
		.len = loader->input->initrd_len,
	};

	*ret_addr = 0;
	if (initrd.len > 0)
		TRY(loader_copy_high(loader, &initrd, (uint64_t)header->initrd_addr_max + 1,
				     "initrd", ret_addr));
	loader->state->initrd_start = (gpa_t){*ret_addr};
	return OK;
}

static enum status write_zero_page(struct loader *loader, const struct header *header)
{
	uint64_t cmdline, setup_data, initrd;

	TRY(write_cmdline(loader, header, &cmdline));
	TRY(write_setup_data(loader, &setup_data));
	TRY(copy_initrd(loader, header, &initrd));

	const struct loader_field fields[] = {
		{ZERO_ACPI_RSDP, 8, loader->input->acpi_rsdp.raw},
		{ZERO_E820_ENTRIES, 1, loader->input->n_e820},
		{HDR_VID_MODE, 2, VID_MODE_NORMAL},
		{HDR_TYPE_OF_LOADER, 1, LOADER_UNDEFINED},
		{HDR_CODE32_START, 4, loader->state->kernel_start.raw},
		{HDR_RAMDISK_IMAGE, 4, initrd},
		{HDR_RAMDISK_SIZE, 4, loader->input->initrd_len},
		{HDR_CMD_LINE_PTR, 4, cmdline},
		{HDR_SETUP_DATA, 8, setup_data},
	};

	TRY(loader_zero(loader, LOADER_INFO, PAGE_SIZE));
	TRY(loader_write(loader, LOADER_INFO + HDR_SETUP_SECTS, header->file + HDR_SETUP_SECTS,
			 header->end - HDR_SETUP_SECTS));
	TRY(loader_write_fields(loader, LOADER_INFO, fields, ARRAY_SIZE(fields)));
	return write_e820(loader);
}

enum status linux_load(struct loader *loader)
{
	struct header header = {0};

	loader->state->rsi = LOADER_INFO;
	TRY(read_header(loader, &header));
	loader->state->mode = header.is64 ? ENTRY_LONG64 : ENTRY_PROTECTED32;
	TRY(copy_kernel(loader, &header));
	TRY(write_zero_page(loader, &header));
	return header.is64 ? loader_write_page_tables(loader) : OK;
}
