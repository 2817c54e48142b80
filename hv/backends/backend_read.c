/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "-object memory-backend-...": from options to a checked struct backend. The checks have QEMU's
 * order, which decides which of several errors is reported, and QEMU's words. object.c has what all
 * objects have in common, backend_open.c looks at the files.
 */
#include "hv/backends/backend_read.h"

#define HOST_NODES_MAX 128

const char *backend_type_name(enum backend_type type)
{
	return type == BACKEND_FILE ? "memory-backend-file" : "memory-backend-ram";
}

struct diag_place backend_option_place(struct backend *backend, const char *key)
{
	return backend->options.word != NULL ? options_place(&backend->options, key)
					     : backend->place;
}

static enum status get_host_nodes(struct backend *backend, struct diag *diag)
{
	struct option_set set = {.limit = HOST_NODES_MAX};

	TRY(options_get_set(&backend->options, "host-nodes", diag, &set));
	backend->has_host_nodes = !set.is_empty;
	backend->host_nodes[0] = set.bits[0];
	backend->host_nodes[1] = set.bits[1];
	return OK;
}

static enum status get_policy(struct backend *backend, struct diag *diag)
{
	static const char *const names[] = {"default", "preferred", "bind", "interleave", NULL};
	unsigned policy = POLICY_DEFAULT;

	TRY(options_get_enum(&backend->options, "policy", names, diag, &policy));
	backend->policy = policy;
	return OK;
}

static enum status get_prealloc_context(struct backend *backend, struct diag *diag)
{
	const char *id = NULL;

	TRY(options_get_string(&backend->options, "prealloc-context", diag, &id));
	if (id != NULL && *id != '\0')
		backend->prealloc_context = id;
	return OK;
}

static enum status get_common(struct backend *backend, struct diag *diag)
{
	struct options *options = &backend->options;

	backend->reserve = true;
	TRY(options_get_bool(options, "dump", diag, &backend->dump));
	TRY(get_host_nodes(backend, diag));
	TRY(options_get_bool(options, "merge", diag, &backend->merge));
	TRY(get_policy(backend, diag));
	TRY(options_get_bool(options, "prealloc", diag, &backend->prealloc));
	TRY(options_get_uint32(options, "prealloc-threads", diag, &backend->prealloc_threads));
	TRY(get_prealloc_context(backend, diag));
	TRY(options_get_bool(options, "share", diag, &backend->share));
	TRY(options_get_bool(options, "reserve", diag, &backend->reserve));
	TRY(options_check_given(options, "size", diag));
	TRY(options_get_size(options, "size", diag, &backend->size));
	backend->has_dump = options_find(options, "dump") != NULL;
	backend->has_merge = options_find(options, "merge") != NULL;
	backend->has_prealloc = options_find(options, "prealloc") != NULL;
	backend->has_reserve = options_find(options, "reserve") != NULL;
	return options_get_bool(options, "x-use-canonical-path-for-ramblock-id", diag,
				&backend->canonical_name);
}

static enum status get_file(struct backend *backend, struct diag *diag)
{
	static const char *const on_off_auto[] = {"auto", "on", "off", NULL};
	struct options *options = &backend->options;
	unsigned rom = ON_OFF_AUTO_AUTO;

	TRY(options_get_size(options, "align", diag, &backend->align));
	TRY(options_get_size(options, "offset", diag, &backend->offset));
	TRY(options_get_bool(options, "discard-data", diag, &backend->discard_data));
	TRY(options_check_given(options, "mem-path", diag));
	TRY(options_get_string(options, "mem-path", diag, &backend->mem_path));
	TRY(options_get_bool(options, "readonly", diag, &backend->readonly));
	TRY(options_get_enum(options, "rom", on_off_auto, diag, &rom));
	backend->rom = rom;
	return OK;
}

/* What get_common() and get_file() ask for. */
#define COMMON_PROPERTIES \
	"dump host-nodes id merge policy prealloc prealloc-context prealloc-threads reserve " \
	"share size x-use-canonical-path-for-ramblock-id"
#define FILE_PROPERTIES "align discard-data mem-path offset readonly rom"

const char *backend_properties(enum backend_type type)
{
	return type == BACKEND_FILE ? COMMON_PROPERTIES " " FILE_PROPERTIES : COMMON_PROPERTIES;
}

enum status backend_read_options(struct backend *backend, struct diag *diag)
{
	TRY(get_common(backend, diag));
	if (backend->type == BACKEND_FILE)
		TRY(get_file(backend, diag));
	return options_check_known(&backend->options, backend_properties(backend->type), diag);
}

static enum status report_zero(struct backend *backend, const char *key, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, key),
		   "property '%s' of %s doesn't take value '0'", key,
		   backend_type_name(backend->type));
	return ERR_INVAL;
}

static enum status check_host_nodes(struct backend *backend, struct diag *diag)
{
	struct option_set set = {.limit = HOST_NODES_MAX};

	TRY(options_get_set(&backend->options, "host-nodes", diag, &set));
	if (!set.has_more)
		return OK;
	diag_error(diag, backend_option_place(backend, "host-nodes"),
		   "Invalid host-nodes value: %lu", set.more);
	return ERR_INVAL;
}

enum status backend_check_settings(struct backend *backend, const struct backend_defaults *defaults,
				   struct diag *diag)
{
	if (backend->size == 0)
		return report_zero(backend, "size", diag);
	/*
	 * -mem-prealloc conflicts even if prealloc=off follows: QEMU applies it before it reads
	 * reserve=.
	 */
	if ((backend->prealloc || defaults->prealloc) && !backend->reserve) {
		diag_error(diag, backend_option_place(backend, "prealloc"),
			   "'prealloc=on' and 'reserve=off' are incompatible");
		return ERR_INVAL;
	}
	if (backend->prealloc_threads == 0 &&
	    options_find(&backend->options, "prealloc-threads") != NULL)
		return report_zero(backend, "prealloc-threads", diag);
	return check_host_nodes(backend, diag);
}

static enum status refuse_rom(struct backend *backend, const char *message, const char *advice,
			      struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, "rom"), "%s", message);
	diag_advice(diag, "%s", advice);
	backend->broken = true;
	return ERR_INVAL;
}

enum status backend_resolve(struct backend *backend, struct diag *diag)
{
	enum on_off_auto rom = backend->rom;

	if (backend->type == BACKEND_RAM) {
		backend->kind = backend->share ? MEM_SHARED : MEM_COW;
		return OK;
	}
	if (rom == ON_OFF_AUTO_AUTO)
		rom = backend->readonly ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
	if (rom == ON_OFF_AUTO_ON && !backend->readonly)
		return refuse_rom(backend,
				  "property 'rom' = 'on' is not supported with 'readonly' = 'off'",
				  "for ROM write readonly=on", diag);
	if (rom == ON_OFF_AUTO_OFF && backend->readonly && backend->share)
		return refuse_rom(backend,
				  "property 'rom' = 'off' is incompatible with 'readonly' = 'on' "
				  "and 'share' = 'on'",
				  "for private memory that begins as the file write share=off",
				  diag);
	backend->rom = rom;
	if (rom == ON_OFF_AUTO_ON)
		backend->kind = MEM_ROM;
	else
		backend->kind = backend->share ? MEM_SHARED : MEM_COW;
	return OK;
}
