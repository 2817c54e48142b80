/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -drive, -blockdev and -device virtio-blk-device. The words of messages are QEMU's where it has
 * them. There is one format, raw, and one protocol, the files of the ramdisk: nothing is probed.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/drive.h"
#include "hv/lib/string.h"

#define DRIVE_PROPERTIES "file format id if media offset read-only readonly size snapshot"
#define BLOCKDEV_PROPERTIES \
	"discard driver file file.driver file.filename filename node-name offset read-only size"

static enum status add_drive(struct vm_reader *reader, const struct drive_config *drive)
{
	struct drive_config **tail = &reader->vm->drives;

	for (; *tail != NULL; tail = &(*tail)->next) {
		if (strcmp((*tail)->backend.id, drive->backend.id) != 0)
			continue;
		diag_error(reader->diag, drive->place, "Duplicate ID '%s' for drive",
			   drive->backend.id);
		return ERR_INVAL;
	}
	*tail = arena_alloc(reader->arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	**tail = *drive;
	return OK;
}

/* The window of raw's offset= and size=. */
static enum status get_window(struct vm_reader *reader, struct options *options,
			      struct drive_config *drive)
{
	TRY(options_get_size(options, "offset", reader->diag, &drive->backend.offset));
	TRY(options_get_size(options, "size", reader->diag, &drive->backend.size));
	if (!is_aligned(drive->backend.offset, PAGE_SIZE)) {
		diag_error(reader->diag, options_place(options, "offset"),
			   "a drive's offset must be a multiple of %lu", PAGE_SIZE);
		return ERR_INVAL;
	}
	if (!is_aligned(drive->backend.size, VIRTIO_BLK_SECTOR)) {
		diag_error(reader->diag, options_place(options, "size"),
			   "Specified size is not multiple of %u", VIRTIO_BLK_SECTOR);
		return ERR_INVAL;
	}
	return OK;
}

/* Refuse every value but one. */
static enum status check_only(struct vm_reader *reader, struct options *options, const char *key,
			      const char *only, const char *advice)
{
	const struct option *option = options_find(options, key);

	if (option == NULL || strcmp(option->value, only) == 0)
		return OK;
	diag_error(reader->diag, option_value_place(options, option),
		   "'%s=%s' is not supported, only '%s=%s'", key, option->value, key, only);
	diag_advice(reader->diag, "%s", advice);
	return ERR_INVAL;
}

static enum status check_interface(struct vm_reader *reader, struct options *options)
{
	static const char advice[] = "write if=none,id=ID, and -device virtio-blk-device,drive=ID";

	if (options_find(options, "if") != NULL)
		return check_only(reader, options, "if", "none", advice);
	diag_error(reader->diag, word_place(options->word, 0),
		   "a drive without 'if=none' is not supported");
	diag_advice(reader->diag, "%s", advice);
	return ERR_INVAL;
}

/* 'name': of the option that gives the drive its name. */
static enum status check_name(struct vm_reader *reader, struct options *options, const char *key,
			      struct drive_config *drive)
{
	if (drive->backend.id == NULL) {
		diag_error(reader->diag, word_place(options->word, 0),
			   "'%s' must be specified: a -device names the drive by it", key);
		return ERR_INVAL;
	}
	if (is_identifier(drive->backend.id))
		return OK;
	diag_error(reader->diag, options_place(options, key),
		   "Parameter '%s' expects an identifier", key);
	diag_hint(reader->diag, "Identifiers consist of letters, digits, '-', '.', '_', "
				"starting with a letter.");
	return ERR_INVAL;
}

static struct drive_config new_drive(struct vm_reader *reader, const struct options *options)
{
	struct diag_place place = word_place(options->word, 0);

	return (struct drive_config){
		.place = place,
		.file_place = place,
		.backend = {.type = BACKEND_FILE, .place = place, .merge = reader->vm->mem_merge},
	};
}

static enum status check_file(struct vm_reader *reader, const struct drive_config *drive,
			      const char *key)
{
	if (drive->backend.mem_path != NULL && *drive->backend.mem_path != '\0')
		return OK;
	diag_error(reader->diag, drive->place, "a drive needs '%s', a file of the ramdisk", key);
	return ERR_INVAL;
}

enum status vm_read_drive(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {0};
	struct drive_config drive;
	struct options options;
	struct diag *diag = reader->diag;

	TRY(options_split(argument, &syntax, reader->arena, diag, &options));
	drive = new_drive(reader, &options);
	TRY(check_interface(reader, &options));
	TRY(check_only(reader, &options, "format", "raw", "convert it: qemu-img convert -O raw"));
	TRY(check_only(reader, &options, "media", "disk", "disks are the only media"));
	TRY(options_get_string(&options, "id", diag, &drive.backend.id));
	TRY(options_get_string(&options, "file", diag, &drive.backend.mem_path));
	TRY(options_get_bool(&options, "readonly", diag, &drive.readonly));
	TRY(options_get_bool(&options, "read-only", diag, &drive.readonly));
	TRY(options_get_bool(&options, "snapshot", diag, &drive.snapshot));
	TRY(get_window(reader, &options, &drive));
	TRY(options_check_known(&options, DRIVE_PROPERTIES, diag));
	TRY(check_name(reader, &options, "id", &drive));
	TRY(check_file(reader, &drive, "file"));
	drive.file_place = options_place(&options, "file");
	return add_drive(reader, &drive);
}

/* The member 'name' of JSON's "file": {...}; NULL: there is none. */
static const char *json_member(const struct option *file, const char *name)
{
	const struct json *member = file->json->first;

	while (member != NULL && (strcmp(member->key, name) != 0 || member->type != JSON_STRING))
		member = member->next;
	return member != NULL ? member->text : NULL;
}

/* The protocol below format raw: file.driver=file,file.filename=, or the same as JSON. */
static enum status get_protocol(struct vm_reader *reader, struct options *options,
				const char **driver, const char **filename)
{
	const struct option *file = options_find(options, "file");

	TRY(options_get_string(options, "file.driver", reader->diag, driver));
	TRY(options_get_string(options, "file.filename", reader->diag, filename));
	if (file == NULL)
		return OK;
	if (file->json != NULL && file->json->type == JSON_OBJECT) {
		*driver = json_member(file, "driver");
		*filename = json_member(file, "filename");
		return OK;
	}
	diag_error(reader->diag, option_value_place(options, file),
		   "a node below another one is not supported");
	diag_advice(reader->diag, "write file.driver=file,file.filename=PATH");
	return ERR_INVAL;
}

static enum status refuse_driver(struct vm_reader *reader, struct options *options,
				 const char *driver)
{
	diag_error(reader->diag, options_place(options, "driver"),
		   driver != NULL ? "block driver '%s' is not supported, only 'raw' over 'file', "
				    "and 'file'"
				  : "Parameter 'driver' is missing",
		   driver);
	return ERR_INVAL;
}

/* driver=file,filename=PATH, or driver=raw with such a file below. */
static enum status get_node(struct vm_reader *reader, struct options *options,
			    struct drive_config *drive)
{
	const char *driver = NULL, *protocol = NULL, **filename = &drive->backend.mem_path;

	TRY(options_get_string(options, "driver", reader->diag, &driver));
	if (driver != NULL && strcmp(driver, "file") == 0)
		return options_get_string(options, "filename", reader->diag, filename);
	if (driver == NULL || strcmp(driver, "raw") != 0)
		return refuse_driver(reader, options, driver);
	TRY(get_protocol(reader, options, &protocol, filename));
	if (protocol == NULL || strcmp(protocol, "file") != 0)
		return refuse_driver(reader, options, protocol != NULL ? protocol : "raw");
	return get_window(reader, options, drive);
}

enum status vm_read_blockdev(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {
		.implied = "driver", .no_flags = true, .is_keyval = true};
	struct drive_config drive;
	struct options options;
	struct diag *diag = reader->diag;

	TRY(options_read(argument, &syntax, reader->arena, diag, &options));
	drive = new_drive(reader, &options);
	TRY(options_get_string(&options, "node-name", diag, &drive.backend.id));
	TRY(get_node(reader, &options, &drive));
	TRY(options_get_bool(&options, "read-only", diag, &drive.readonly));
	TRY(check_only(reader, &options, "discard", "unmap",
		       "a device with discard=off offers none"));
	TRY(options_check_known(&options, BLOCKDEV_PROPERTIES, diag));
	TRY(check_name(reader, &options, "node-name", &drive));
	TRY(check_file(reader, &drive, "filename"));
	return add_drive(reader, &drive);
}

static enum status get_block_size(struct vm_reader *reader, struct options *options, uint32_t *ret)
{
	uint64_t size = VIRTIO_BLK_SECTOR;

	TRY(options_get_size(options, "logical_block_size", reader->diag, &size));
	if (size < VIRTIO_BLK_SECTOR || size > VIRTIO_BLK_BLOCK_MAX || (size & (size - 1)) != 0) {
		diag_error(reader->diag, options_place(options, "logical_block_size"),
			   "logical_block_size must be a power of 2 between %u and %lu",
			   VIRTIO_BLK_SECTOR, VIRTIO_BLK_BLOCK_MAX);
		return ERR_INVAL;
	}
	*ret = (uint32_t)size;
	return OK;
}

static enum status get_serial(struct vm_reader *reader, struct options *options,
			      char serial[VIRTIO_BLK_ID_BYTES])
{
	const char *text = "";

	TRY(options_get_string(options, "serial", reader->diag, &text));
	if (strlen(text) > VIRTIO_BLK_ID_BYTES) {
		diag_error(reader->diag, options_place(options, "serial"),
			   "the serial number '%s' is longer than %u characters", text,
			   VIRTIO_BLK_ID_BYTES);
		return ERR_INVAL;
	}
	memcpy(serial, text, strlen(text));
	return OK;
}

static enum status get_device(struct vm_reader *reader, struct options *options,
			      struct virtio_blk_config *ret, struct drive_use *use)
{
	bool discard = true, write_zeroes = true;
	struct diag *diag = reader->diag;

	TRY(options_get_string(options, "drive", diag, &use->drive));
	TRY(options_get_bool(options, "share-rw", diag, &use->share_rw));
	TRY(options_get_bool(options, "discard", diag, &discard));
	TRY(options_get_bool(options, "write-zeroes", diag, &write_zeroes));
	TRY(vm_read_virtio_features(reader, options, &ret->base));
	TRY(get_block_size(reader, options, &ret->block_size));
	TRY(get_serial(reader, options, ret->serial));
	ret->base.features |= VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH;
	if (discard)
		ret->base.features |= VIRTIO_BLK_F_DISCARD;
	if (write_zeroes)
		ret->base.features |= VIRTIO_BLK_F_WRITE_ZEROES;
	return options_check_properties(options, virtio_blk.driver, VIRTIO_BLK_PROPERTIES, diag);
}

enum status vm_read_virtio_blk(struct vm_reader *reader, struct options *options)
{
	struct virtio_blk_config *device = arena_alloc(reader->arena, sizeof(*device));
	struct drive_use *use = arena_alloc(reader->arena, sizeof(*use));

	if (device == NULL || use == NULL)
		return ERR_NOMEM;
	device->base.kind = &virtio_blk;
	*use = (struct drive_use){.next = reader->drive_uses,
				  .device = device,
				  .place = word_place(options->word, 0)};
	TRY(get_device(reader, options, device, use));
	if (use->drive == NULL || *use->drive == '\0') {
		diag_error(reader->diag, use->place, "drive property not set");
		diag_advice(reader->diag,
			    "write -drive file=PATH,if=none,id=ID, and here drive=ID");
		return ERR_INVAL;
	}
	use->place = options_place(options, "drive");
	reader->drive_uses = use;
	return vm_link_virtio(reader, options, &device->base);
}

static struct drive_config *find_drive(struct vm_reader *reader, const struct drive_use *use)
{
	struct suggestion near = suggest(use->drive, strlen(use->drive));

	for (struct drive_config *drive = reader->vm->drives; drive != NULL; drive = drive->next) {
		if (strcmp(drive->backend.id, use->drive) == 0)
			return drive;
		suggest_name(&near, drive->backend.id);
	}
	diag_error(reader->diag, use->place, "Property '%s.drive' can't find value '%s'",
		   virtio_blk.driver, use->drive);
	suggest_tell(&near, "", reader->diag);
	return NULL;
}

void vm_resolve_drives(struct vm_reader *reader)
{
	for (const struct drive_use *use = reader->drive_uses; use != NULL; use = use->next) {
		struct drive_config *drive = find_drive(reader, use);

		if (drive == NULL)
			continue;
		if (drive->device != NULL) {
			diag_error(reader->diag, use->place,
				   "Drive '%s' is already in use by another block device",
				   use->drive);
			continue;
		}
		drive->device = use->device;
		drive->share_rw = use->share_rw;
	}
}
