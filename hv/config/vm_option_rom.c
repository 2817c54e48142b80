/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -option-rom: code that firmware finds in fw_cfg, below "genroms/", and starts. Checks and their
 * words are QEMU's, which has its own ROM for -kernel; here that one is named, too.
 */
#include "hv/config/vm_option_rom.h"

#include "hv/config/vm_files.h"
#include "hv/config/vm_reader.h"
#include "hv/frame/phys.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"

#define ROMS_MAX      16 /* as in QEMU */
#define ROM_FOLDER    "genroms/"
#define ROM_SIGNATURE 0xaa55

/* A line of "bootorder", without the name: '/rom@' and a newline. */
#define ORDER_EXTRA 6

static const struct integer_type type_int32 = {"int32_t", -1, INT32_MAX};

static const char *base_name(const char *path)
{
	const char *base = path;

	for (; *path != '\0'; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

/* NULL: it can be added. */
static const char *why_not(const struct vm_config *vm, const struct option_rom *rom)
{
	unsigned n = 0;

	if (rom->path == NULL || base_name(rom->path)[0] == '\0')
		return "Option ROM file is not specified";
	if (strlen(ROM_FOLDER) + strlen(base_name(rom->path)) > FW_CFG_NAME_MAX)
		return "the file's name is too long for fw_cfg";
	for (const struct option_rom *one = vm->option_roms; one != NULL; one = one->next, n++) {
		if (strcmp(base_name(one->path), base_name(rom->path)) == 0)
			return "two option ROMs of the same name";
		if (rom->bootindex >= 0 && one->bootindex == rom->bootindex)
			return "The bootindex has already been used";
	}
	return n < ROMS_MAX ? NULL : "Too many option ROMs";
}

static char *make_name(struct arena *arena, const char *path)
{
	size_t size = strlen(ROM_FOLDER) + strlen(base_name(path)) + 1;
	char *name = arena_alloc(arena, size);

	if (name != NULL)
		format(name, size, ROM_FOLDER "%s", base_name(path));
	return name;
}

static enum status add(struct vm_reader *reader, const struct option_rom *rom)
{
	struct option_rom **tail = &reader->vm->option_roms;
	struct option_rom *one = arena_alloc(reader->arena, sizeof(*one));
	char *name = make_name(reader->arena, rom->path);

	if (one == NULL || name == NULL)
		return ERR_NOMEM;
	*one = *rom;
	one->name = name;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = one;
	return OK;
}

enum status vm_read_option_rom(struct vm_reader *reader, const struct word *word)
{
	struct option_rom rom = {.bootindex = -1, .place = word_place(word, 0)};
	struct options options;
	const char *why;

	TRY(options_split(word, &(struct option_syntax){.implied = "romfile"}, reader->arena,
			  reader->diag, &options));
	TRY(options_get_integer(&options, "bootindex", &type_int32, reader->diag, &rom.bootindex));
	TRY(options_get_string(&options, "romfile", reader->diag, &rom.path));
	TRY(options_check_known(&options, "bootindex romfile", reader->diag));
	why = why_not(reader->vm, &rom);
	if (why == NULL)
		return add(reader, &rom);
	diag_error(reader->diag, rom.place, "%s", why);
	return ERR_INVAL;
}

static const char *find_rom(struct option_rom *rom, struct image_list *images)
{
	struct image *image = NULL;
	const char *why = vm_find_file(images, rom->path, &image);

	if (why != NULL)
		return why;
	if (image->size < 3 || loader_get_u16(phys_to_virt(image->base)) != ROM_SIGNATURE)
		return "an option ROM begins with the bytes 0x55 0xaa";
	rom->image = image;
	return image->size > UINT32_MAX ? "File too large" : NULL;
}

void vm_open_option_roms(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	if (vm->kernel_kind != LOADER_BIOS)
		return; /* vm_resolve_bios() has refused them */
	for (struct option_rom *rom = vm->option_roms; rom != NULL; rom = rom->next) {
		const char *why = find_rom(rom, images);

		if (why != NULL)
			diag_error(diag, rom->place, "Could not load option rom '%s': %s",
				   rom->path, why);
	}
}

/* The next one after 'index'; NULL: there is none. */
static const struct option_rom *next_rom(const struct vm_config *vm, int64_t index)
{
	const struct option_rom *next = NULL;

	for (const struct option_rom *rom = vm->option_roms; rom != NULL; rom = rom->next)
		if (rom->bootindex > index && (next == NULL || rom->bootindex < next->bootindex))
			next = rom;
	return next;
}

const char *vm_boot_order(const struct vm_config *vm, struct arena *arena)
{
	size_t size = 1, used = 0;
	char *text;

	for (const struct option_rom *rom = vm->option_roms; rom != NULL; rom = rom->next)
		size += strlen(rom->name) + ORDER_EXTRA;
	text = arena_alloc(arena, size);
	if (text == NULL)
		return NULL;
	for (const struct option_rom *rom = next_rom(vm, -1); rom != NULL;
	     rom = next_rom(vm, rom->bootindex)) {
		format(text + used, size - used, "/rom@%s\n", rom->name);
		used += strlen(rom->name) + ORDER_EXTRA;
	}
	return text;
}
