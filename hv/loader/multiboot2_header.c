/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tags of a Multiboot 2 header. A tag that asks for what this machine lacks is refused, or
 * ignored if the kernel calls it optional. Tags for EFI are for loaders that run under EFI.
 */
#include "hv/loader/multiboot2_header.h"

#include "hv/loader/kernel_file.h"

#define HEADER_LEN    8 /* offset of the header's length */
#define HEADER_TAGS   16
#define TAG_ALIGN     8
#define TAG_HEADER    8 /* type, flags, size */
#define FLAG_OPTIONAL BIT(0)
#define CONSOLE_MUST  BIT(0)

enum {
	TAG_END,
	TAG_REQUEST,
	TAG_ADDRESS,
	TAG_ENTRY,
	TAG_CONSOLE,
	TAG_FRAMEBUFFER,
	TAG_MODULE_ALIGN, /* modules are on pages of their own in any case */
	TAG_EFI_SERVICES,
	TAG_EFI32_ENTRY,
	TAG_EFI64_ENTRY,
	TAG_RELOCATABLE,
};

struct tag {
	uint64_t at;
	uint32_t size;
	uint16_t type;
	bool is_optional;
	const uint8_t *content;
};

static bool can_tell(uint32_t type)
{
	switch (type) {
	case MB2_END:
	case MB2_CMDLINE:
	case MB2_LOADER_NAME:
	case MB2_MODULE:
	case MB2_MEMORY:
	case MB2_MEMORY_MAP:
	case MB2_SECTIONS:
	case MB2_ACPI_NEW:
	case MB2_LOAD_BASE:
		return true;
	default:
		return false;
	}
}

static enum status read_request(struct loader *loader, const struct tag *tag,
				struct multiboot2_header *header)
{
	for (uint32_t i = 0; i + 4 <= tag->size - TAG_HEADER; i += 4) {
		uint32_t type = loader_get_u32(tag->content + i);

		if (type == MB2_SECTIONS)
			header->wants_sections = true;
		if (!can_tell(type) && !tag->is_optional)
			return loader_refuse_at(loader, ERR_UNSUPPORTED, tag->at + TAG_HEADER + i,
						"the kernel requires information of type %u, which "
						"this machine lacks",
						type);
	}
	return OK;
}

/* 'what' the machine does not have. */
static enum status refuse_missing(struct loader *loader, const struct tag *tag, const char *what)
{
	if (tag->is_optional)
		return OK;
	return loader_refuse_at(loader, ERR_UNSUPPORTED, tag->at,
				"the kernel requires %s, which this machine lacks", what);
}

static enum status read_console(struct loader *loader, const struct tag *tag)
{
	if ((loader_get_u32(tag->content) & CONSOLE_MUST) == 0)
		return OK;
	return refuse_missing(loader, tag, "a text console");
}

static enum status read_relocatable(struct loader *loader, const struct tag *tag,
				    struct multiboot2_header *header)
{
	uint32_t align = loader_get_u32(tag->content + 8);
	uint32_t preference = loader_get_u32(tag->content + 12);

	if (align == 0 || !is_aligned(align, align))
		return loader_refuse_at(loader, ERR_CORRUPT, tag->at + TAG_HEADER + 8,
					"the alignment 0x%x is not a power of two", align);
	if (preference > MB2_HIGHEST)
		return loader_refuse_at(loader, ERR_CORRUPT, tag->at + TAG_HEADER + 12,
					"the kernel's preferred place is %u, which is none of 0 to "
					"2",
					preference);
	header->is_relocatable = true;
	header->place.min = loader_get_u32(tag->content);
	header->place.max = loader_get_u32(tag->content + 4);
	header->place.align = align;
	header->place.preference = preference;
	return OK;
}

/* By type. */
static const uint32_t least_size[] = {
	[TAG_END] = TAG_HEADER,
	[TAG_REQUEST] = TAG_HEADER,
	[TAG_ADDRESS] = TAG_HEADER + 16,
	[TAG_ENTRY] = TAG_HEADER + 4,
	[TAG_CONSOLE] = TAG_HEADER + 4,
	[TAG_FRAMEBUFFER] = TAG_HEADER + 12,
	[TAG_MODULE_ALIGN] = TAG_HEADER,
	[TAG_EFI_SERVICES] = TAG_HEADER,
	[TAG_EFI32_ENTRY] = TAG_HEADER + 4,
	[TAG_EFI64_ENTRY] = TAG_HEADER + 4,
	[TAG_RELOCATABLE] = TAG_HEADER + 16,
};

static enum status read_content(struct loader *loader, const struct tag *tag,
				struct multiboot2_header *header)
{
	switch (tag->type) {
	case TAG_REQUEST:
		return read_request(loader, tag, header);
	case TAG_ADDRESS:
		header->addresses = tag->at + TAG_HEADER;
		return OK;
	case TAG_ENTRY:
		header->entry = tag->at + TAG_HEADER;
		return OK;
	case TAG_CONSOLE:
		return read_console(loader, tag);
	case TAG_FRAMEBUFFER:
		return refuse_missing(loader, tag, "a framebuffer");
	case TAG_RELOCATABLE:
		return read_relocatable(loader, tag, header);
	default:
		return OK;
	}
}

static enum status read_tag(struct loader *loader, const struct tag *tag,
			    struct multiboot2_header *header)
{
	if (tag->type >= ARRAY_SIZE(least_size)) {
		if (tag->is_optional)
			return OK;
		return loader_refuse_at(loader, ERR_UNSUPPORTED, tag->at,
					"the kernel requires what the unknown tag %u means",
					tag->type);
	}
	if (tag->size < least_size[tag->type])
		return loader_refuse_at(loader, ERR_CORRUPT, tag->at,
					"a tag of type %u has %u bytes, not %u", tag->type,
					tag->size, least_size[tag->type]);
	return read_content(loader, tag, header);
}

/* The tag at 'at' of a header that ends at 'end'. */
static enum status get_tag(struct loader *loader, uint64_t at, uint64_t end, struct tag *ret)
{
	const uint8_t *p = (const uint8_t *)loader->input->kernel + at;

	if (at + TAG_HEADER > end)
		return loader_refuse_at(loader, ERR_CORRUPT, at,
					"the Multiboot 2 header ends here, without an end tag");
	*ret = (struct tag){
		.at = at,
		.size = loader_get_u32(p + 4),
		.type = loader_get_u16(p),
		.is_optional = loader_get_u16(p + 2) & FLAG_OPTIONAL,
		.content = p + TAG_HEADER,
	};
	if (ret->size < TAG_HEADER || ret->size > end - at)
		return loader_refuse_at(loader, ERR_CORRUPT, at,
					"a tag of 0x%x bytes does not fit the Multiboot 2 header, "
					"which ends at 0x%lx",
					ret->size, end);
	return OK;
}

enum status multiboot2_read_header(struct loader *loader, struct multiboot2_header *ret)
{
	const uint8_t *file = loader->input->kernel;
	uint64_t at = multiboot2_find_header(file, loader->input->kernel_len);
	uint64_t end = at + loader_get_u32(file + at + HEADER_LEN);
	struct tag tag = {0};

	*ret = (struct multiboot2_header){.at = at};
	if (end > loader->input->kernel_len || end > MULTIBOOT2_SEARCH_LEN)
		return loader_refuse_at(loader, ERR_CORRUPT, at + HEADER_LEN,
					"the Multiboot 2 header ends at 0x%lx, outside the file or "
					"its first %d KiB",
					end, MULTIBOOT2_SEARCH_LEN >> 10);
	at += HEADER_TAGS;
	for (;;) {
		TRY(get_tag(loader, at, end, &tag));
		if (tag.type == TAG_END)
			break;
		TRY(read_tag(loader, &tag, ret));
		at = align_up(at + tag.size, TAG_ALIGN);
	}
	if (ret->addresses != 0 && ret->entry == 0)
		return loader_refuse_at(loader, ERR_CORRUPT, ret->at,
					"the header gives the kernel's addresses, but no entry "
					"point");
	return OK;
}
