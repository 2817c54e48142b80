/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -device loader: bytes or a number at an address, or an ELF file without a boot protocol. Checks,
 * their order and words are QEMU's, except that the file that starts must be an ELF file, and any
 * other file must not.
 */
#include "hv/config/vm_loader.h"

#include "hv/config/vm_files.h"
#include "hv/config/vm_reader.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"
#include "hv/loader/kernel_file.h"

static const struct integer_type type_uint64 = {"uint64_t", 0, UINT64_MAX};
static const struct integer_type type_uint32 = {"uint32_t", 0, UINT32_MAX};
static const struct integer_type type_uint8 = {"uint8_t", 0, UINT8_MAX};

struct arguments {
	const char *file; /* NULL: none */
	int64_t addr, data, data_len, cpu_num;
	bool data_be, force_raw, has_cpu;
};

static enum status read_arguments(struct vm_reader *reader, struct options *options,
				  struct arguments *ret)
{
	struct diag *diag = reader->diag;

	*ret = (struct arguments){.has_cpu = options_find(options, "cpu-num") != NULL};
	TRY(options_get_integer(options, "addr", &type_uint64, diag, &ret->addr));
	TRY(options_get_integer(options, "cpu-num", &type_uint32, diag, &ret->cpu_num));
	TRY(options_get_integer(options, "data", &type_uint64, diag, &ret->data));
	TRY(options_get_bool(options, "data-be", diag, &ret->data_be));
	TRY(options_get_integer(options, "data-len", &type_uint8, diag, &ret->data_len));
	TRY(options_get_string(options, "file", diag, &ret->file));
	TRY(options_get_bool(options, "force-raw", diag, &ret->force_raw));
	return options_check_properties(options, "loader", LOADER_PROPERTIES, diag);
}

static bool has_data(const struct arguments *arguments)
{
	return arguments->data != 0 || arguments->data_len != 0 || arguments->data_be;
}

static const char *why_not_data(const struct arguments *arguments)
{
	if (arguments->file != NULL)
		return "Specifying a file is not supported when loading memory values";
	if (arguments->force_raw)
		return "Specifying force-raw is not supported when loading memory values";
	if (arguments->data_len == 0)
		return "Both data and data-len must be specified";
	if (arguments->data_len > 8)
		return "data-len cannot be greater then 8 bytes";
	return arguments->has_cpu ? "cpu-num needs a file to start" : NULL;
}

/* NULL: they can be followed. */
static const char *why_not(const struct arguments *arguments)
{
	if (has_data(arguments))
		return why_not_data(arguments);
	if (arguments->file == NULL && arguments->force_raw)
		return "force-raw needs a file";
	if (arguments->file == NULL && arguments->addr == 0)
		return "please include valid arguments";
	if (arguments->file == NULL && !arguments->has_cpu)
		return "cpu_num must be specified when setting a program counter";
	if (arguments->file == NULL)
		return "a program counter without a file is not supported: name an ELF file";
	if (arguments->has_cpu && arguments->force_raw)
		return "only an ELF file can be started: force-raw and cpu-num exclude each other";
	if (arguments->has_cpu && arguments->addr != 0)
		return "an ELF file has its own addresses: addr and cpu-num exclude each other";
	return NULL;
}

static enum status add_blob(struct vm_reader *reader, const struct arguments *arguments,
			    struct diag_place place)
{
	struct blob_config *one = arena_alloc(reader->arena, sizeof(*one));

	if (one == NULL)
		return ERR_NOMEM;
	*one = (struct blob_config){
		.next = reader->vm->blobs,
		.path = arguments->file,
		.place = place,
		.is_raw = arguments->force_raw,
		.blob = {.name = arguments->file != NULL ? arguments->file : "data",
			 .addr = (uint64_t)arguments->addr,
			 .len = (uint64_t)arguments->data_len},
	};
	one->blob.data = one->number;
	one->blob.next = one->next != NULL ? &one->next->blob : NULL;
	for (unsigned i = 0; i < (unsigned)arguments->data_len; i++) {
		unsigned byte = arguments->data_be ? (unsigned)arguments->data_len - 1 - i : i;

		one->number[i] = (uint8_t)((uint64_t)arguments->data >> (8 * byte));
	}
	reader->vm->blobs = one;
	return OK;
}

enum status vm_read_loader(struct vm_reader *reader, struct options *options)
{
	struct diag_place place = word_place(options->word, 0);
	struct arguments arguments;
	const char *why;

	TRY(read_arguments(reader, options, &arguments));
	why = why_not(&arguments);
	if (why == NULL && arguments.has_cpu && reader->plain != NULL)
		why = "a second file to start is not possible";
	if (why != NULL) {
		diag_error(reader->diag, place, "%s", why);
		return ERR_INVAL;
	}
	if (!arguments.has_cpu)
		return add_blob(reader, &arguments, place);
	reader->plain = arguments.file;
	reader->plain_place = place;
	reader->plain_cpu = (uint32_t)arguments.cpu_num;
	return OK;
}

void vm_resolve_loader(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;

	if (reader->plain == NULL)
		return;
	if (reader->plain_cpu >= vm->topology.n_cpus)
		diag_error(reader->diag, reader->plain_place,
			   "Specified boot CPU#%u is nonexistent", reader->plain_cpu);
	else if (reader->plain_cpu != 0)
		diag_error(reader->diag, reader->plain_place,
			   "CPU#%u waits until CPU#0 starts it: only cpu-num=0 is possible",
			   reader->plain_cpu);
	else if (vm->kernel != NULL)
		diag_error(reader->diag, reader->plain_place,
			   "-kernel and cpu-num of -device loader exclude each other");
	vm->kernel = reader->plain;
	vm->kernel_place = reader->plain_place;
	vm->kernel_kind = LOADER_PLAIN;
}

static const char *find_blob(struct blob_config *one, struct image_list *images)
{
	struct image *image = NULL;
	const char *why = vm_find_file(images, one->path, &image);

	if (why != NULL)
		return why;
	one->blob.data = phys_to_virt(image->base);
	one->blob.len = image->size;
	if (!one->is_raw && elf_detect(one->blob.data, one->blob.len))
		return "an ELF file needs cpu-num=0, to be started, or force-raw=on";
	return NULL;
}

enum status vm_open_blobs(struct vm_config *vm, struct image_list *images, struct diag *diag)
{
	enum status status = OK;

	for (struct blob_config *one = vm->blobs; one != NULL; one = one->next) {
		const char *why = one->path != NULL ? find_blob(one, images) : NULL;

		if (why == NULL)
			continue;
		diag_error(diag, one->place, "Cannot load specified image %s: %s", one->path, why);
		status = ERR_INVAL;
	}
	return status;
}
