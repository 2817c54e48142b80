/* SPDX-License-Identifier: BSD-2-Clause */
/* -device pc-dimm and nvdimm: their options. dimm_place.c gives them their places. */
#include "hv/config/vm_reader.h"

#include "hv/backends/parse.h"
#include "hv/devices/identity.h"
#include "hv/lib/string.h"

#define LABEL_SIZE_MIN KIB(128)

static const struct integer_type type_uint32 = {"uint32_t", 0, UINT32_MAX};
static const struct integer_type type_uint64 = {"uint64_t", 0, UINT64_MAX};
static const struct integer_type type_int32 = {"int32_t", INT32_MIN, INT32_MAX};

static enum status get_label_size(struct vm_reader *reader, struct options *options,
				  uint64_t *label_size)
{
	const struct option *option = options_find(options, "label-size");

	if (option == NULL)
		return OK;
	if (options->is_json) {
		TRY(options_get_size(options, "label-size", reader->diag, label_size));
	} else if (parse_size(option->value, label_size) != OK) {
		diag_error(reader->diag, option_value_place(options, option),
			   "Parameter 'label-size' expects size");
		return ERR_INVAL;
	}
	if (*label_size >= LABEL_SIZE_MIN)
		return OK;
	diag_error(reader->diag, option_value_place(options, option),
		   "Property 'nvdimm.label-size' (0x%lx) is required at least 0x%lx", *label_size,
		   LABEL_SIZE_MIN);
	return ERR_INVAL;
}

/* QEMU shows the UUID only to guests of other architectures. */
static enum status check_uuid(struct vm_reader *reader, struct options *options)
{
	const char *uuid = NULL;
	uint8_t guid[16];

	TRY(options_get_string(options, "uuid", reader->diag, &uuid));
	if (uuid == NULL || identity_parse_guid(uuid, guid))
		return OK;
	diag_error(reader->diag, options_place(options, "uuid"),
		   "Property 'nvdimm.uuid' has invalid value");
	return ERR_INVAL;
}

static enum status read_properties(struct vm_reader *reader, struct options *options,
				   struct dimm_config *dimm)
{
	TRY(get_label_size(reader, options, &dimm->label_size));
	TRY(options_get_bool(options, "unarmed", reader->diag, &dimm->unarmed));
	return check_uuid(reader, options);
}

static enum status check_properties(const struct options *options, bool is_nvdimm,
				    struct diag *diag)
{
	if (is_nvdimm)
		return options_check_properties(options, "nvdimm", NVDIMM_PROPERTIES, diag);
	return options_check_properties(options, "pc-dimm", PC_DIMM_PROPERTIES, diag);
}

enum status vm_add_dimm(struct vm_reader *reader, const struct dimm_config *dimm)
{
	struct dimm_config **tail = &reader->vm->dimms;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(reader->arena, sizeof(*dimm));
	if (*tail == NULL)
		return ERR_NOMEM;
	**tail = *dimm;
	return OK;
}

static enum status read_dimm(struct vm_reader *reader, struct options *options, bool is_nvdimm)
{
	struct dimm_config dimm = {
		.is_nvdimm = is_nvdimm,
		.id = options->id,
		.place = word_place(options->word, 0),
	};
	int64_t addr = 0, slot = -1, node = 0;
	const char *memdev = "";

	TRY(options_get_integer(options, "addr", &type_uint64, reader->diag, &addr));
	TRY(options_get_integer(options, "node", &type_uint32, reader->diag, &node));
	TRY(options_get_integer(options, "slot", &type_int32, reader->diag, &slot));
	TRY(options_get_string(options, "memdev", reader->diag, &memdev));
	if (is_nvdimm)
		TRY(read_properties(reader, options, &dimm));
	TRY(check_properties(options, is_nvdimm, reader->diag));
	dimm.memdev = *memdev != '\0' ? memdev : NULL;
	dimm.addr = (uint64_t)addr;
	dimm.slot = (int32_t)slot;
	dimm.node = (uint32_t)node;
	return vm_add_dimm(reader, &dimm);
}

enum status vm_read_pc_dimm(struct vm_reader *reader, struct options *options)
{
	return read_dimm(reader, options, false);
}

enum status vm_read_nvdimm(struct vm_reader *reader, struct options *options)
{
	return read_dimm(reader, options, true);
}
