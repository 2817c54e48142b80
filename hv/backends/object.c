/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "-object": what objects of all types have in common, thread-context, and the sources of entropy.
 * QEMU reads all arguments first; then it makes the other objects, last the memory backends, each
 * kind in the order given. A duplicate id is found while reading if its argument is
 * "key=value,...", and while making the object if it is JSON.
 */
#include "hv/backends/object.h"

#include "hv/backends/backend_read.h"
#include "hv/backends/parse.h"
#include "hv/frame/numa.h"
#include "hv/lib/string.h"

uint32_t object_machine_cpus;

/* The other objects of QEMU. */
static const char other_objects[] =
	"acpi-generic-initiator acpi-generic-port authz-list authz-list-file authz-pam "
	"authz-simple can-bus can-host-socketcan colo-compare cryptodev-backend "
	"cryptodev-backend-builtin cryptodev-backend-lkcf cryptodev-vhost-user dbus-vmstate "
	"filter-buffer filter-dump filter-mirror filter-redirector filter-replay "
	"filter-rewriter input-barrier input-linux iommufd iothread main-loop "
	"memory-backend-epc memory-backend-memfd memory-backend-shm pr-manager-helper qtest "
	"rng-egd secret secret_keyring sev-guest sev-snp-guest tdx-guest "
	"throttle-group tls-cipher-suites tls-creds-anon tls-creds-psk tls-creds-x509 "
	"vfio-user-server x-remote-object x-vfio-user-server";

enum object_type { OBJECT_FILE, OBJECT_RAM, OBJECT_BUILTIN, OBJECT_RANDOM, OBJECT_CONTEXT };

static const char *const type_names[] = {"memory-backend-file", "memory-backend-ram", "rng-builtin",
					 "rng-random",		"thread-context",     NULL};
static const char context_properties[] = "cpu-affinity id node-affinity";
static const char builtin_properties[] = "id";
static const char random_properties[] = "filename id";

static bool find_type(const char *name, enum object_type *ret)
{
	for (unsigned i = 0; type_names[i] != NULL; i++) {
		if (strcmp(name, type_names[i]) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* NULL: no type has this name. */
static const char *properties_of(const char *name)
{
	enum object_type type;

	if (!find_type(name, &type))
		return NULL;
	if (type == OBJECT_CONTEXT)
		return context_properties;
	if (type == OBJECT_BUILTIN)
		return builtin_properties;
	if (type == OBJECT_RANDOM)
		return random_properties;
	return backend_properties(type == OBJECT_FILE ? BACKEND_FILE : BACKEND_RAM);
}

static enum status get_type(struct options *options, struct diag *diag, enum object_type *ret)
{
	const char *name = NULL;
	unsigned type = OBJECT_RAM;

	TRY(options_check_given(options, "qom-type", diag));
	TRY(options_get_string(options, "qom-type", diag, &name));
	if (find_type(name, ret))
		return OK;
	if (is_listed(other_objects, name)) {
		diag_error(diag, options_place(options, "qom-type"),
			   "object type '%s' is not supported yet", name);
		return ERR_INVAL;
	}
	return options_get_enum(options, "qom-type", type_names, diag, &type);
}

static enum status get_id(struct options *options, struct diag *diag)
{
	const char *id;

	TRY(options_check_given(options, "id", diag));
	return options_get_string(options, "id", diag, &id);
}

static void copy_bits(uint64_t *to, const struct option_set *set)
{
	memcpy(to, set->bits, set->limit / 8);
}

static enum status read_context(struct thread_context *context, struct diag *diag)
{
	struct option_set cpus = {.limit = CONTEXT_CPUS_MAX}, nodes = {.limit = CONTEXT_NODES_MAX};
	struct options *options = &context->options;

	TRY(get_id(options, diag));
	TRY(options_get_set(options, "cpu-affinity", diag, &cpus));
	TRY(options_get_set(options, "node-affinity", diag, &nodes));
	context->has_cpus = cpus.is_given;
	context->has_nodes = nodes.is_given;
	copy_bits(context->cpus, &cpus);
	copy_bits(context->nodes, &nodes);
	return options_check_known(options, context_properties, diag);
}

static enum status add_context(const struct options *options, struct thread_context **tail,
			       struct arena *arena, struct diag *diag)
{
	struct thread_context *context = arena_alloc(arena, sizeof(*context));
	enum status status;

	if (context == NULL)
		return ERR_NOMEM;
	context->place = word_place(options->word, 0);
	context->options = *options;
	context->id = options->id;
	status = read_context(context, diag);
	context->broken = status != OK;
	if (context->id == NULL)
		return status;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = context;
	return status;
}

/* Linux' names of the one source that there is. */
static enum status read_filename(struct options *options, struct diag *diag)
{
	const char *name = "/dev/urandom";

	TRY(options_get_string(options, "filename", diag, &name));
	if (is_listed("/dev/hwrng /dev/random /dev/urandom", name))
		return OK;
	diag_error(diag, options_place(options, "filename"),
		   "rng-random cannot read '%s': there is no file but the machine's own source",
		   name);
	diag_advice(diag, "write filename=/dev/urandom");
	return ERR_INVAL;
}

static enum status add_rng(struct options *options, bool is_random, struct rng_object **tail,
			   struct arena *arena, struct diag *diag)
{
	struct rng_object *rng;

	TRY(get_id(options, diag));
	if (is_random)
		TRY(read_filename(options, diag));
	TRY(options_check_known(options, is_random ? random_properties : builtin_properties, diag));
	rng = arena_alloc(arena, sizeof(*rng));
	if (rng == NULL)
		return ERR_NOMEM;
	rng->id = options->id;
	rng->is_json = options->is_json;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = rng;
	return OK;
}

/* NULL: the arena is full. A backend without an id is not appended. */
static struct backend *add_backend(const struct options *options, struct backend **tail,
				   struct arena *arena)
{
	struct backend *backend = arena_alloc(arena, sizeof(*backend));

	if (backend == NULL)
		return NULL;
	backend->place = word_place(options->word, 0);
	backend->options = *options;
	backend->id = options->id;
	if (backend->id == NULL)
		return backend;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = backend;
	return backend;
}

static enum status read_backend(struct backend *backend, enum object_type type, struct diag *diag)
{
	backend->type = type == OBJECT_FILE ? BACKEND_FILE : BACKEND_RAM;
	TRY(get_id(&backend->options, diag));
	return backend_read_options(backend, diag);
}

static bool has_id(const struct object_lists *lists, const char *id)
{
	const struct thread_context *contexts = *lists->contexts;
	const struct backend *backends = *lists->backends;

	for (const struct rng_object *rng = *lists->rngs; rng != NULL; rng = rng->next) {
		if (!rng->is_json && strcmp(rng->id, id) == 0)
			return true;
	}
	for (; backends != NULL; backends = backends->next) {
		if (!backends->options.is_json && strcmp(backends->id, id) == 0)
			return true;
	}
	for (; contexts != NULL; contexts = contexts->next) {
		if (!contexts->options.is_json && strcmp(contexts->id, id) == 0)
			return true;
	}
	return false;
}

/* QEMU checks this before anything else, except in JSON. */
static enum status check_id(const struct options *options, const struct object_lists *lists,
			    struct diag *diag)
{
	if (options->is_json)
		return OK;
	TRY(options_check_id(options, diag));
	if (options->id == NULL || !has_id(lists, options->id))
		return OK;
	diag_error(diag, options_id_place(options), "Duplicate ID '%s' for object", options->id);
	return ERR_INVAL;
}

enum status object_read(const struct word *argument, const struct object_lists *lists,
			struct arena *arena, struct diag *diag)
{
	static const struct option_syntax syntax = {.implied = "qom-type",
						    .properties = properties_of};
	enum object_type type = OBJECT_RAM;
	struct backend *backend;
	struct options options;
	enum status status;

	TRY(options_read(argument, &syntax, arena, diag, &options));
	TRY(check_id(&options, lists, diag));
	status = get_type(&options, diag, &type);
	if (status == OK && type == OBJECT_CONTEXT)
		return add_context(&options, lists->contexts, arena, diag);
	if (status == OK && (type == OBJECT_BUILTIN || type == OBJECT_RANDOM))
		return add_rng(&options, type == OBJECT_RANDOM, lists->rngs, arena, diag);
	backend = add_backend(&options, lists->backends, arena);
	if (backend == NULL)
		return ERR_NOMEM;
	if (status == OK)
		status = read_backend(backend, type, diag);
	backend->broken = status != OK;
	return status;
}

enum status object_read_added(const struct word *argument, struct arena *arena, struct diag *diag,
			      struct backend **ret)
{
	static const struct option_syntax syntax = {.implied = "qom-type",
						    .no_flags = true,
						    .is_keyval = true,
						    .properties = properties_of};
	enum object_type type = OBJECT_RAM;
	struct backend *unlisted = NULL;
	struct options options;

	TRY(options_read(argument, &syntax, arena, diag, &options));
	(void)options_find(&options, "vm"); /* marks it seen: QMP's, not the object's */
	TRY(get_type(&options, diag, &type));
	if (type == OBJECT_CONTEXT) {
		diag_error(diag, options_place(&options, "qom-type"),
			   "a thread-context cannot be added to a running VM");
		return ERR_INVAL;
	}
	*ret = add_backend(&options, &unlisted, arena);
	return *ret != NULL ? read_backend(*ret, type, diag) : ERR_NOMEM;
}

static enum status refuse_context(struct thread_context *context, const char *key,
				  const char *message, struct diag *diag)
{
	diag_error(diag, options_place(&context->options, key), "%s", message);
	return ERR_INVAL;
}

/* Whether a list was given that is empty, which only JSON can express. */
static bool is_empty_list(struct options *options, const char *key)
{
	const struct option *option = options_find(options, key);

	return option->json != NULL && option->json->first == NULL;
}

/* Whether a processor of the machine is on one of the nodes. */
static bool nodes_have_cpus(const uint64_t *nodes)
{
	for (uint32_t i = 0; i < numa.n_cpus; i++) {
		if (numa_set_has(nodes, numa.cpu[i].node))
			return true;
	}
	return numa.n_cpus == 0 && (nodes[0] & 1);
}

static bool machine_has_cpus(const uint64_t *cpus)
{
	if (object_machine_cpus == 0)
		return true;
	for (uint32_t n = 0; n < object_machine_cpus && n < CONTEXT_CPUS_MAX; n++) {
		if (cpus[n / 64] & BIT(n % 64))
			return true;
	}
	return false;
}

static enum status check_context(struct thread_context *context, struct diag *diag)
{
	struct options *options = &context->options;

	if (context->has_cpus && is_empty_list(options, "cpu-affinity"))
		return refuse_context(context, "cpu-affinity", "CPU list is empty", diag);
	if (context->has_cpus && context->has_nodes)
		return refuse_context(context, "node-affinity",
				      "Mixing CPU and node affinity not supported", diag);
	if (context->has_nodes && is_empty_list(options, "node-affinity"))
		return refuse_context(context, "node-affinity", "Node list is empty", diag);
	if (context->has_nodes && !nodes_have_cpus(context->nodes))
		return refuse_context(context, "node-affinity", "The nodes select no CPUs", diag);
	return OK;
}

/* QEMU takes "/objects/ID" and "objects/ID" wherever it takes the id of an object. */
static const char *strip_object_path(const char *id)
{
	const char *path = id[0] == '/' ? id + 1 : id;

	return strncmp(path, "objects/", 8) == 0 ? path + 8 : id;
}

struct backend *backend_find(struct backend *list, const char *id)
{
	if (*id == '\0')
		return list != NULL && list->next == NULL ? list : NULL;
	id = strip_object_path(id);
	while (list != NULL && strcmp(list->id, id) != 0)
		list = list->next;
	return list;
}

/* For ids given in JSON: another object already has the id. */
static enum status report_duplicate(const struct options *options, struct diag *diag)
{
	diag_error(diag, options_id_place(options),
		   "attempt to add duplicate property '%s' to object (type 'container')",
		   options->id);
	return ERR_INVAL;
}

static enum status check_context_id(const struct thread_context *context,
				    const struct thread_context *contexts, struct diag *diag)
{
	for (; contexts != context; contexts = contexts->next) {
		if (strcmp(contexts->id, context->id) == 0)
			return report_duplicate(&context->options, diag);
	}
	return OK;
}

static enum status make_context(struct thread_context *context,
				const struct thread_context *contexts, struct diag *diag)
{
	TRY(options_check_id(&context->options, diag));
	TRY(check_context(context, diag));
	TRY(check_context_id(context, contexts, diag));
	if (context->has_cpus && !machine_has_cpus(context->cpus))
		return refuse_context(context, "cpu-affinity",
				      "Setting CPU affinity failed: Invalid argument", diag);
	return OK;
}

static enum status check_backend_id(const struct backend *backend, const struct backend *backends,
				    const struct thread_context *contexts, struct diag *diag)
{
	for (; contexts != NULL; contexts = contexts->next) {
		if (strcmp(contexts->id, backend->id) == 0)
			return report_duplicate(&backend->options, diag);
	}
	for (; backends != NULL && backends != backend; backends = backends->next) {
		if (strcmp(backends->id, backend->id) == 0)
			return report_duplicate(&backend->options, diag);
	}
	return OK;
}

/* prealloc-context= is the id of an object, or a path to it. */
static enum status find_context(struct backend *backend, const struct backend *backends,
				const struct thread_context *contexts, struct diag *diag)
{
	const char *path = backend->prealloc_context, *id = strip_object_path(path);
	struct diag_place place = backend_option_place(backend, "prealloc-context");

	while (contexts != NULL && strcmp(contexts->id, id) != 0)
		contexts = contexts->next;
	backend->context = contexts;
	if (contexts != NULL)
		return OK;
	while (backends != NULL && backends != backend && strcmp(backends->id, id) != 0)
		backends = backends->next;
	if (backends == NULL || backends == backend)
		diag_error(diag, place, "Device '%s' not found", path);
	else
		diag_error(diag, place,
			   "Invalid parameter type for 'prealloc-context', expected: "
			   "thread-context");
	return ERR_INVAL;
}

static enum status make_backend(struct backend *backend, const struct backend *backends,
				const struct thread_context *contexts,
				const struct backend_defaults *defaults, struct diag *diag)
{
	TRY(options_check_id(&backend->options, diag));
	TRY(backend_check_settings(backend, defaults, diag));
	if (backend->prealloc_context != NULL)
		TRY(find_context(backend, backends, contexts, diag));
	TRY(check_backend_id(backend, backends, contexts, diag));
	return backend_resolve(backend, diag);
}

static void fill_in(struct backend *backend, const struct backend_defaults *defaults)
{
	if (!backend->has_merge)
		backend->merge = defaults->merge;
	if (!backend->has_dump)
		backend->dump = defaults->dump;
	if (!backend->has_prealloc)
		backend->prealloc = defaults->prealloc;
}

/* QEMU sets this default before it reads the object's options; a 0 among them was refused. */
static void fill_in_threads(struct backend *backend, const struct backend_defaults *defaults)
{
	if (backend->prealloc_threads == 0)
		backend->prealloc_threads = defaults->prealloc_threads;
}

enum status object_resolve_added(struct backend *backend, const struct backend *backends,
				 const struct thread_context *contexts,
				 const struct backend_defaults *defaults, struct diag *diag)
{
	fill_in(backend, defaults);
	TRY(make_backend(backend, backends, contexts, defaults, diag));
	fill_in_threads(backend, defaults);
	return OK;
}

void objects_resolve(struct backend *backends, struct thread_context *contexts,
		     const struct backend_defaults *defaults, struct diag *diag)
{
	for (struct thread_context *c = contexts; c != NULL; c = c->next) {
		if (!c->broken)
			c->broken = make_context(c, contexts, diag) != OK;
	}
	for (struct backend *b = backends; b != NULL; b = b->next) {
		if (b->broken)
			continue;
		fill_in(b, defaults);
		b->broken = make_backend(b, backends, contexts, defaults, diag) != OK;
		fill_in_threads(b, defaults);
	}
}
