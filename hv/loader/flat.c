/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels that are not ELF files: a Multiboot header, of version 1 or 2, says where they go. */
#include "hv/loader/flat.h"

#include "hv/loader/kernel_file.h"

/* Offsets among the fields. */
#define HEADER_ADDR 0
#define LOAD_ADDR   4
#define LOAD_END    8
#define BSS_END	    12

#define LOAD_WHOLE UINT32_MAX

static enum status check_file(struct loader *loader, const struct flat_header *header,
			      const struct flat *flat)
{
	if (flat->offset > loader->input->kernel_len ||
	    flat->len > loader->input->kernel_len - flat->offset)
		return loader_refuse_at(loader, ERR_CORRUPT, header->fields + LOAD_END,
					"0x%lx bytes to load from 0x%lx are not in the file",
					flat->len, flat->offset);
	if (flat->entry < flat->load || flat->entry >= flat->end)
		return loader_refuse_at(loader, ERR_CORRUPT, header->entry,
					"the entry point 0x%lx is outside the kernel", flat->entry);
	return OK;
}

/* The address at which the file's first loaded byte goes. */
static enum status read_load_addr(struct loader *loader, const struct flat_header *header,
				  uint64_t *ret)
{
	const uint8_t *fields = (const uint8_t *)loader->input->kernel + header->fields;
	uint64_t addr = loader_get_u32(fields + HEADER_ADDR);
	uint64_t load = loader_get_u32(fields + LOAD_ADDR);

	if (header->may_be_whole && load == LOAD_WHOLE)
		load = addr - header->header;
	if (load > addr || addr - load > header->header)
		return loader_refuse_at(loader, ERR_CORRUPT, header->fields + LOAD_ADDR,
					"the load address 0x%lx does not fit the header's 0x%lx",
					load, addr);
	*ret = load;
	return OK;
}

enum status flat_read(struct loader *loader, const struct flat_header *header, struct flat *ret)
{
	const uint8_t *file = loader->input->kernel, *fields = file + header->fields;
	uint64_t load = 0, load_end = loader_get_u32(fields + LOAD_END);
	uint64_t bss_end = loader_get_u32(fields + BSS_END);

	TRY(read_load_addr(loader, header, &load));
	uint64_t offset = header->header - (loader_get_u32(fields + HEADER_ADDR) - load);

	if (load_end == 0)
		load_end = load + (loader->input->kernel_len - offset);
	if (load_end < load || (bss_end != 0 && bss_end < load_end))
		return loader_refuse_at(loader, ERR_CORRUPT, header->fields + LOAD_END,
					"0x%lx, 0x%lx and 0x%lx are not in order", load, load_end,
					bss_end);
	*ret = (struct flat){
		.fields = header->fields,
		.offset = offset,
		.load = load,
		.len = load_end - load,
		.end = bss_end != 0 ? bss_end : load_end,
		.entry = loader_get_u32(file + header->entry),
	};
	return check_file(loader, header, ret);
}

enum status flat_load(struct loader *loader, const struct flat *flat, uint64_t delta)
{
	struct loader_state *state = loader->state;
	const uint8_t *text = (const uint8_t *)loader->input->kernel + flat->offset;
	uint64_t load = flat->load + delta, size = flat->end - flat->load;

	if (load < LOADER_SEGMENT_MIN)
		return loader_refuse_at(loader, ERR_RANGE, flat->fields + LOAD_ADDR,
					"the load address 0x%lx is below 0x%x, in the BIOS data "
					"area",
					load, LOADER_SEGMENT_MIN);
	if (loader_ram_end(loader, load) < load + size)
		return loader_refuse_size(loader, "kernel", load, size);
	state->kernel_start = (gpa_t){load};
	state->kernel_end = (gpa_t){load + size};
	state->rip = flat->entry + delta;
	TRY(loader_write(loader, load, text, flat->len));
	return size == flat->len ? OK : loader_zero(loader, load + flat->len, size - flat->len);
}
