/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints accepted objects, with QEMU's names for their properties. */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "guest-tools/lint/lint.h"

/* cJSON's own numbers are floating point. False: no memory. */
static bool add_number(cJSON *object, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	return cJSON_AddRawToObject(object, name, text) != NULL;
}

static bool add_bool(cJSON *object, const char *name, bool value)
{
	return cJSON_AddBoolToObject(object, name, value) != NULL;
}

static bool add_text(cJSON *object, const char *name, const char *value)
{
	return cJSON_AddStringToObject(object, name, value) != NULL;
}

static bool add_host_nodes(cJSON *object, const struct backend *backend)
{
	cJSON *list = cJSON_AddArrayToObject(object, "host-nodes");

	for (unsigned node = 0; node < 128; node++) {
		if ((backend->host_nodes[node / 64] & BIT(node % 64)) == 0)
			continue;
		if (!cJSON_AddItemToArray(list, cJSON_CreateNumber(node)))
			return false;
	}
	return list != NULL;
}

static bool add_file(cJSON *object, const struct backend *backend)
{
	return add_bool(object, "readonly", backend->readonly) &&
	       add_text(object, "rom", backend->rom == ON_OFF_AUTO_ON ? "on" : "off") &&
	       add_number(object, "offset", backend->offset) &&
	       add_number(object, "align", backend->align) &&
	       add_text(object, "mem-path", backend->mem_path) &&
	       add_bool(object, "discard-data", backend->discard_data);
}

static bool add_prealloc(cJSON *object, const struct backend *backend)
{
	if (!add_bool(object, "prealloc", backend->prealloc) ||
	    !add_number(object, "prealloc-threads", backend->prealloc_threads))
		return false;
	return backend->prealloc_context == NULL ||
	       add_text(object, "prealloc-context", backend->prealloc_context);
}

static bool add_properties(cJSON *object, const struct backend *backend)
{
	static const char *const policies[] = {
		[POLICY_DEFAULT] = "default",
		[POLICY_PREFERRED] = "preferred",
		[POLICY_BIND] = "bind",
		[POLICY_INTERLEAVE] = "interleave",
	};
	static const char *const kinds[] = {
		[MEM_ROM] = "rom",
		[MEM_COW] = "cow",
		[MEM_SHARED] = "shared",
	};

	return add_number(object, "size", backend->size) &&
	       add_bool(object, "share", backend->share) &&
	       (backend->type == BACKEND_RAM || add_file(object, backend)) &&
	       add_bool(object, "merge", backend->merge) &&
	       add_bool(object, "dump", backend->dump) && add_prealloc(object, backend) &&
	       add_bool(object, "reserve", backend->reserve) && add_host_nodes(object, backend) &&
	       add_text(object, "policy", policies[backend->policy]) &&
	       add_text(object, "kind", kinds[backend->kind]);
}

static bool add_objects(cJSON *all, const struct vm_config *vm)
{
	for (const struct backend *b = vm->backends; b != NULL; b = b->next) {
		bool is_qemus_own = b->options.word == NULL;
		cJSON *object;

		if (b->broken || is_qemus_own)
			continue;
		object = cJSON_AddObjectToObject(all, b->id);
		if (object == NULL || !add_properties(object, b))
			return false;
	}
	return true;
}

static bool print_vm(const struct vm_config *vm)
{
	cJSON *all = cJSON_CreateObject();
	char *text = NULL;

	if (all != NULL && add_objects(all, vm))
		text = cJSON_PrintUnformatted(all);
	if (text != NULL)
		puts(text);
	cJSON_free(text);
	cJSON_Delete(all);
	return text != NULL;
}

bool lint_print_json(const struct config *config)
{
	for (const struct vm_config *vm = config->vms; vm != NULL; vm = vm->next) {
		if (!print_vm(vm))
			return false;
	}
	return true;
}
