/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "-object memory-backend-...": from text to a checked struct backend. The order in which
 * things are looked at is QEMU's, since it decides which of several errors is
 * said; so are the words. Files are looked at in backend_open.c.
 */
#include "hv/backends/backend.h"

#include "hv/backends/backend_text.h"
#include "hv/backends/parse.h"
#include "hv/string.h"

#define HOST_NODES_MAX 128

const char *backend_type_name(enum backend_type type)
{
	return type == BACKEND_FILE ? "memory-backend-file" : "memory-backend-ram";
}

struct diag_place backend_option_place(struct backend *backend, const char *key)
{
	const struct option *option = options_find(&backend->options, key);

	return option != NULL ? option_value_place(&backend->options, option) : backend->place;
}

/* A boolean that works only at its default. */
static enum status get_default_bool(struct backend *backend, const char *key, bool normal,
				    struct diag *diag, bool *ret)
{
	struct option *option = options_find(&backend->options, key);

	*ret = normal;
	TRY(options_get_bool(&backend->options, key, diag, ret));
	if (option != NULL && *ret != normal)
		option->refused = true;
	return OK;
}

static enum status say_value(struct backend *backend, const struct option *option, const char *name,
			     const char *expected, struct diag *diag)
{
	diag_error(diag, option_value_place(&backend->options, option), "Parameter '%s' expects %s",
		   name, expected);
	return ERR_INVAL;
}

/* Unlike others, this option adds up. The lowest node that QEMU refuses is in '*ret_bad'. */
static enum status get_host_nodes(struct backend *backend, struct diag *diag, uint64_t *ret_bad)
{
	uint64_t first, last;

	options_find(&backend->options, "host-nodes"); /* marks them seen */
	for (struct option *o = backend->options.first; o != NULL; o = o->next) {
		if (strcmp(o->key, "host-nodes") != 0)
			continue;
		if (parse_range(o->value, &first, &last) != OK)
			return say_value(backend, o, o->key, "a uint64 value or range", diag);
		if (last > UINT16_MAX)
			return say_value(backend, o, "null", "uint16_t", diag);
		if (last >= HOST_NODES_MAX && *ret_bad == 0)
			*ret_bad = first > HOST_NODES_MAX ? first : HOST_NODES_MAX;
		backend->has_host_nodes = true;
		o->refused = true;
	}
	return OK;
}

static enum status get_policy(struct backend *backend, struct diag *diag)
{
	static const char *const names[] = {"default", "preferred", "bind", "interleave", NULL};
	struct option *option = options_find(&backend->options, "policy");
	unsigned policy = POLICY_DEFAULT;

	TRY(options_get_enum(&backend->options, "policy", names, diag, &policy));
	backend->policy = policy;
	if (policy != POLICY_DEFAULT)
		option->refused = true;
	return OK;
}

static enum status get_prealloc_threads(struct backend *backend, struct diag *diag, uint64_t *ret)
{
	struct option *option = options_find(&backend->options, "prealloc-threads");
	bool negative;

	*ret = 1;
	if (option == NULL)
		return OK;
	if (parse_integer(option->value, ret, &negative) != OK || negative)
		return say_value(backend, option, option->key, "a uint64 value", diag);
	if (*ret > UINT32_MAX)
		return say_value(backend, option, option->key, "uint32_t", diag);
	option->refused = *ret != 1;
	return OK;
}

static enum status get_needed(struct backend *backend, const char *key, struct diag *diag)
{
	if (options_find(&backend->options, key) != NULL)
		return OK;
	diag_error(diag, backend->place, "Parameter '%s' is missing", key);
	return ERR_INVAL;
}

/* What only matters until the object is made. */
struct settings {
	bool prealloc, reserve;
	uint64_t prealloc_threads;
	uint64_t bad_host_node; /* 0: none */
	const struct option *prealloc_context;
};

static enum status get_common(struct backend *backend, struct settings *settings, struct diag *diag)
{
	struct options *options = &backend->options;
	bool ignored;

	TRY(get_default_bool(backend, "dump", true, diag, &ignored));
	TRY(get_host_nodes(backend, diag, &settings->bad_host_node));
	TRY(get_default_bool(backend, "merge", true, diag, &ignored));
	TRY(get_policy(backend, diag));
	TRY(get_default_bool(backend, "prealloc", false, diag, &settings->prealloc));
	TRY(get_prealloc_threads(backend, diag, &settings->prealloc_threads));
	settings->prealloc_context = options_find(options, "prealloc-context");
	TRY(options_get_bool(options, "share", diag, &backend->share));
	TRY(get_default_bool(backend, "reserve", true, diag, &settings->reserve));
	TRY(get_needed(backend, "size", diag));
	TRY(options_get_size(options, "size", diag, &backend->size));
	return get_default_bool(backend, "x-use-canonical-path-for-ramblock-id", false, diag,
				&ignored);
}

static enum status get_file(struct backend *backend, struct diag *diag)
{
	static const char *const on_off_auto[] = {"auto", "on", "off", NULL};
	struct options *options = &backend->options;
	unsigned rom = ON_OFF_AUTO_AUTO;
	bool ignored;

	TRY(options_get_size(options, "align", diag, &backend->align));
	TRY(options_get_size(options, "offset", diag, &backend->offset));
	TRY(get_default_bool(backend, "discard-data", false, diag, &ignored));
	TRY(get_needed(backend, "mem-path", diag));
	backend->mem_path = options_find(options, "mem-path")->value;
	backend->mem_path_place = backend_option_place(backend, "mem-path");
	TRY(options_get_bool(options, "readonly", diag, &backend->readonly));
	TRY(options_get_enum(options, "rom", on_off_auto, diag, &rom));
	backend->rom = rom;
	return OK;
}

static enum status check_unknown(const struct backend *backend, struct diag *diag)
{
	const struct option *option = options_first_unseen(&backend->options);

	if (option == NULL)
		return OK;
	diag_error(diag, option_key_place(&backend->options, option), "Invalid parameter '%s'",
		   option->key);
	return ERR_INVAL;
}

static enum status say_zero(struct backend *backend, const char *key, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, key),
		   "property '%s' of %s doesn't take value '0'", key,
		   backend_type_name(backend->type));
	return ERR_INVAL;
}

/* What QEMU's property setters refuse, once everything was understood. */
static enum status check_settings(struct backend *backend, const struct settings *settings,
				  struct diag *diag)
{
	const struct option *context = settings->prealloc_context;

	if (backend->size == 0)
		return say_zero(backend, "size", diag);
	if (settings->prealloc && !settings->reserve) {
		diag_error(diag, backend_option_place(backend, "prealloc"),
			   "'prealloc=on' and 'reserve=off' are incompatible");
		return ERR_INVAL;
	}
	if (settings->prealloc_threads == 0)
		return say_zero(backend, "prealloc-threads", diag);
	if (context != NULL && *context->value != '\0') {
		diag_error(diag, option_value_place(&backend->options, context),
			   "Device '%s' not found", context->value);
		return ERR_INVAL;
	}
	if (settings->bad_host_node != 0) {
		diag_error(diag, backend_option_place(backend, "host-nodes"),
			   "Invalid host-nodes value: %llu",
			   (unsigned long long)settings->bad_host_node);
		return ERR_INVAL;
	}
	return OK;
}

/* Objects that QEMU has and this version has not. */
static bool is_other_object(const char *name)
{
	static const char *const names[] = {
		"acpi-generic-initiator",
		"acpi-generic-port",
		"authz-list",
		"authz-list-file",
		"authz-pam",
		"authz-simple",
		"can-bus",
		"can-host-socketcan",
		"colo-compare",
		"cryptodev-backend",
		"cryptodev-backend-builtin",
		"cryptodev-backend-lkcf",
		"cryptodev-vhost-user",
		"dbus-vmstate",
		"filter-buffer",
		"filter-dump",
		"filter-mirror",
		"filter-redirector",
		"filter-replay",
		"filter-rewriter",
		"input-barrier",
		"input-linux",
		"iommufd",
		"iothread",
		"main-loop",
		"memory-backend-epc",
		"memory-backend-memfd",
		"memory-backend-shm",
		"pr-manager-helper",
		"qtest",
		"rng-builtin",
		"rng-egd",
		"rng-random",
		"secret",
		"secret_keyring",
		"sev-guest",
		"sev-snp-guest",
		"tdx-guest",
		"thread-context",
		"throttle-group",
		"tls-cipher-suites",
		"tls-creds-anon",
		"tls-creds-psk",
		"tls-creds-x509",
		"vfio-user-server",
		"x-remote-object",
		"x-vfio-user-server",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static enum status get_type(struct backend *backend, struct diag *diag)
{
	static const char *const names[] = {"memory-backend-file", "memory-backend-ram", NULL};
	const struct option *option;
	unsigned type = BACKEND_RAM;

	TRY(get_needed(backend, "qom-type", diag));
	option = options_find(&backend->options, "qom-type");
	if (is_other_object(option->value)) {
		diag_error(diag, option_value_place(&backend->options, option),
			   "object type '%s' is not supported yet", option->value);
		return ERR_INVAL;
	}
	TRY(options_get_enum(&backend->options, "qom-type", names, diag, &type));
	backend->type = type;
	return OK;
}

static enum status parse_properties(struct backend *backend, struct diag *diag)
{
	struct settings settings = {0};

	TRY(get_type(backend, diag));
	TRY(get_needed(backend, "id", diag));
	TRY(get_common(backend, &settings, diag));
	if (backend->type == BACKEND_FILE)
		TRY(get_file(backend, diag));
	TRY(check_unknown(backend, diag));
	return check_settings(backend, &settings, diag);
}

static enum status check_duplicate(const struct backend *backend, const struct backend *others,
				   struct diag *diag)
{
	for (; backend->id != NULL && others != NULL; others = others->next) {
		if (strcmp(others->id, backend->id) != 0)
			continue;
		diag_error(diag, backend->options.id_place, "Duplicate ID '%s' for object",
			   backend->id);
		return ERR_INVAL;
	}
	return OK;
}

enum status backend_parse(const struct word *argument, const struct backend *others,
			  struct arena *arena, struct diag *diag, struct backend **ret)
{
	struct backend *backend = arena_alloc(arena, sizeof(*backend));
	enum status status;

	*ret = NULL;
	if (backend == NULL)
		return ERR_NOMEM;
	backend->place = word_place(argument, 0);
	if (argument->text[0] == '{') {
		diag_error(diag, backend->place, "JSON syntax is not supported yet");
		return ERR_INVAL;
	}
	TRY(options_split(argument, "qom-type", OPTION_WARN_FLAG, arena, diag, &backend->options));
	TRY(options_check_id(&backend->options, diag));
	backend->id = backend->options.id;
	TRY(check_duplicate(backend, others, diag));
	status = parse_properties(backend, diag);
	backend->broken = status != OK;
	if (backend->id != NULL)
		*ret = backend;
	return status;
}

static enum status refuse_rom(struct backend *backend, const char *message, struct diag *diag)
{
	diag_error(diag, backend_option_place(backend, "rom"), "%s", message);
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
				  diag);
	if (rom == ON_OFF_AUTO_OFF && backend->readonly && backend->share)
		return refuse_rom(backend,
				  "property 'rom' = 'off' is incompatible with 'readonly' = 'on' "
				  "and 'share' = 'on'",
				  diag);
	backend->rom = rom;
	if (rom == ON_OFF_AUTO_ON)
		backend->kind = MEM_ROM;
	else
		backend->kind = backend->share ? MEM_SHARED : MEM_COW;
	return OK;
}
