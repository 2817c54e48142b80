/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's answers about memory, in QEMU's format. Backends come in the order in which they
 * were made, where QEMU's order is a hash table's. Their names are identifiers; those of devices
 * may be anything.
 */
#include "hv/monitor/info.h"

#include "hv/backends/utf8.h"
#include "hv/guest/region.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum info_command {
	INFO_MEMDEV,
	INFO_MEMORY_DEVICES,
	INFO_MEMORY_SIZE_SUMMARY,
	INFO_MTREE,
	INFO_NUMA,
	QUERY_MEMDEV,
	QUERY_MEMORY_DEVICES,
	QUERY_MEMORY_SIZE_SUMMARY,
};

static const char *const commands[] = {
	[INFO_MEMDEV] = "info memdev",
	[INFO_MEMORY_DEVICES] = "info memory-devices",
	[INFO_MEMORY_SIZE_SUMMARY] = "info memory_size_summary",
	[INFO_MTREE] = "info mtree -f",
	[INFO_NUMA] = "info numa",
	[QUERY_MEMDEV] = "query-memdev",
	[QUERY_MEMORY_DEVICES] = "query-memory-devices",
	[QUERY_MEMORY_SIZE_SUMMARY] = "query-memory-size-summary",
};

/* The line at work, and where finished ones go. */
struct out {
	info_emit *emit;
	void *context;
	char line[INFO_LINE_MAX + 1];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *fmt, ...)
{
	size_t room = sizeof(out->line) - out->len, len;
	va_list args;

	va_start(args, fmt);
	len = format_v(out->line + out->len, room, fmt, args);
	va_end(args);
	out->len += len < room ? len : room - 1;
}

static void end_line(struct out *out)
{
	out->line[out->len] = '\0';
	out->emit(out->context, out->line);
	out->len = 0;
}

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

static const char *policy_text(enum backend_policy policy)
{
	static const char *const names[] = {
		[POLICY_DEFAULT] = "default",
		[POLICY_PREFERRED] = "preferred",
		[POLICY_BIND] = "bind",
		[POLICY_INTERLEAVE] = "interleave",
	};

	return names[policy];
}

static bool has_host_node(const struct backend *backend, unsigned node)
{
	return node < 128 && (backend->host_nodes[node / 64] & BIT(node % 64)) != 0;
}

/* As QEMU writes lists of numbers: "0,2-3". */
static void put_node_ranges(struct out *out, const struct backend *backend)
{
	const char *comma = "";

	for (unsigned first = 0; first < 128; first++) {
		unsigned last = first;

		if (!has_host_node(backend, first))
			continue;
		while (has_host_node(backend, last + 1))
			last++;
		put(out, "%s%u", comma, first);
		if (last > first)
			put(out, "-%u", last);
		comma = ",";
		first = last;
	}
}

static void info_memdev(struct out *out, const struct vm_config *vm)
{
	for (const struct backend *b = vm->backends; b != NULL; b = b->next) {
		put(out, "memory backend: %s", b->id);
		end_line(out);
		put(out, "  size:  %llu", (unsigned long long)b->size);
		end_line(out);
		put(out, "  merge: %s", bool_text(b->merge));
		end_line(out);
		put(out, "  dump: %s", bool_text(b->dump));
		end_line(out);
		put(out, "  prealloc: %s", bool_text(b->prealloc));
		end_line(out);
		put(out, "  share: %s", bool_text(b->share));
		end_line(out);
		put(out, "  reserve: %s", bool_text(b->reserve));
		end_line(out);
		put(out, "  policy: %s", policy_text(b->policy));
		end_line(out);
		put(out, "  host nodes: ");
		put_node_ranges(out, b);
		end_line(out);
	}
	end_line(out);
}

static void put_node_list(struct out *out, const struct backend *backend)
{
	const char *comma = "";

	for (unsigned node = 0; node < 128; node++) {
		if (!has_host_node(backend, node))
			continue;
		put(out, "%s%u", comma, node);
		comma = ", ";
	}
}

static void query_memdev(struct out *out, const struct vm_config *vm)
{
	put(out, "{\"return\": [");
	for (const struct backend *b = vm->backends; b != NULL; b = b->next) {
		end_line(out);
		put(out,
		    "{\"id\": \"%s\", \"size\": %llu, \"merge\": %s, \"dump\": %s, "
		    "\"prealloc\": %s, \"share\": %s, \"reserve\": %s, \"host-nodes\": [",
		    b->id, (unsigned long long)b->size, bool_text(b->merge), bool_text(b->dump),
		    bool_text(b->prealloc), bool_text(b->share), bool_text(b->reserve));
		put_node_list(out, b);
		put(out, "], \"policy\": \"%s\"}%s", policy_text(b->policy),
		    b->next != NULL ? "," : "");
	}
	put(out, "]}");
	end_line(out);
}

/* The next one by address; the first for NULL. NULL: there is none. */
static const struct dimm_config *next_dimm(const struct vm_config *vm,
					   const struct dimm_config *last)
{
	const struct dimm_config *next = NULL;

	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next) {
		if (last != NULL && dimm->addr <= last->addr)
			continue;
		if (next == NULL || dimm->addr < next->addr)
			next = dimm;
	}
	return next;
}

static const char *dimm_kind(const struct dimm_config *dimm)
{
	return dimm->is_nvdimm ? "nvdimm" : "dimm";
}

static void info_memory_devices(struct out *out, const struct vm_config *vm)
{
	const struct dimm_config *d = NULL;

	while ((d = next_dimm(vm, d)) != NULL) {
		put(out, "Memory device [%s]: \"%s\"", dimm_kind(d), d->id != NULL ? d->id : "");
		end_line(out);
		put(out, "  addr: 0x%llx", (unsigned long long)d->addr);
		end_line(out);
		put(out, "  slot: %d", d->slot);
		end_line(out);
		put(out, "  node: %u", d->node);
		end_line(out);
		put(out, "  size: %llu", (unsigned long long)d->size);
		end_line(out);
		put(out, "  memdev: /objects/%s", d->backend->id);
		end_line(out);
		put(out, "  hotplugged: false");
		end_line(out);
		put(out, "  hotpluggable: true");
		end_line(out);
	}
}

static void put_json_string(struct out *out, const char *text)
{
	size_t len = strlen(text);

	put(out, "\"");
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_printable(text + i, len - i);
		if (n == 0)
			put(out, "\\u%04x", (unsigned char)text[i]);
		else
			put(out, "%s%.*s", text[i] == '"' || text[i] == '\\' ? "\\" : "", (int)n,
			    text + i);
		n += n == 0;
	}
	put(out, "\"");
}

static void query_memory_devices(struct out *out, const struct vm_config *vm)
{
	const struct dimm_config *d = next_dimm(vm, NULL), *next;

	put(out, "{\"return\": [");
	for (; d != NULL; d = next) {
		next = next_dimm(vm, d);
		end_line(out);
		put(out, "{\"type\": \"%s\", \"data\": {", dimm_kind(d));
		if (d->id != NULL) {
			put(out, "\"id\": ");
			put_json_string(out, d->id);
			put(out, ", ");
		}
		put(out,
		    "\"addr\": %llu, \"slot\": %d, \"node\": %u, \"size\": %llu, "
		    "\"memdev\": \"/objects/%s\", \"hotplugged\": false, "
		    "\"hotpluggable\": true}}%s",
		    (unsigned long long)d->addr, d->slot, d->node, (unsigned long long)d->size,
		    d->backend->id, next != NULL ? "," : "");
	}
	put(out, "]}");
	end_line(out);
}

/* NVDIMMs are no memory that was plugged, to QEMU. */
static uint64_t plugged_size(const struct vm_config *vm)
{
	uint64_t size = 0;

	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next)
		size += dimm->is_nvdimm ? 0 : dimm->size;
	return size;
}

static void info_memory_size_summary(struct out *out, const struct vm_config *vm)
{
	put(out, "base memory: %llu", (unsigned long long)vm->ram_size);
	end_line(out);
	put(out, "plugged memory: %llu", (unsigned long long)plugged_size(vm));
	end_line(out);
}

static void query_memory_size_summary(struct out *out, const struct vm_config *vm)
{
	put(out, "{\"return\": {\"base-memory\": %llu, \"plugged-memory\": %llu}}",
	    (unsigned long long)vm->ram_size, (unsigned long long)plugged_size(vm));
	end_line(out);
}

static void info_numa_node(struct out *out, const struct vm_config *vm,
			   const struct numa_node_config *node)
{
	uint64_t plugged = 0;

	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next)
		plugged += dimm->node == node->nodeid ? dimm->size : 0;
	put(out, "node %u cpus:", node->nodeid);
	for (unsigned cpu = 0; cpu < vm->topology.n_cpus; cpu++)
		if (vm->cpu_node[cpu] == node->nodeid)
			put(out, " %u", cpu);
	end_line(out);
	put(out, "node %u size: %llu MB", node->nodeid,
	    (unsigned long long)((node->size + plugged) / MIB(1)));
	end_line(out);
	put(out, "node %u plugged: %llu MB", node->nodeid, (unsigned long long)(plugged / MIB(1)));
	end_line(out);
}

static void info_numa(struct out *out, const struct vm_config *vm)
{
	put(out, "%u nodes", vm->n_numa_nodes);
	end_line(out);
	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL; node = node->next)
		info_numa_node(out, vm, node);
}

static bool is_nvdimm(const struct vm_config *vm, const struct mem_region *region)
{
	const struct dimm_config *dimm = vm->dimms;

	while (dimm != NULL && dimm->addr != region->gpa.raw)
		dimm = dimm->next;
	return dimm != NULL && dimm->is_nvdimm;
}

static void put_region(struct out *out, const struct vm_config *vm, const struct mem_region *region)
{
	uint64_t offset = memory_backend_offset(region);

	put(out, "  %016llx-%016llx (prio 0, %s%s): %s", (unsigned long long)region->gpa.raw,
	    (unsigned long long)(region->gpa.raw + region->len - 1),
	    is_nvdimm(vm, region) ? "nv-" : "", region->kind == MEM_ROM ? "rom" : "ram",
	    region->backend->id);
	if (offset != 0)
		put(out, " @%016llx", (unsigned long long)offset);
	end_line(out);
}

static void put_device(struct out *out, const struct device_range *range)
{
	put(out, "  %016llx-%016llx (prio %u, i/o): %s", (unsigned long long)range->start,
	    (unsigned long long)(range->start + range->len - 1), range->priority, range->name);
	end_line(out);
}

/* Memory and devices in the order of their addresses. */
static void put_memory_view(struct out *out, const struct vm_config *vm, const struct mem_map *mem,
			    const struct device_list *devices)
{
	unsigned n = 0;

	put(out, "FlatView #0");
	end_line(out);
	put(out, " AS \"memory\", root: system");
	end_line(out);
	for (unsigned cpu = 0; cpu < vm->topology.n_cpus; cpu++) {
		put(out, " AS \"cpu-memory-%u\", root: system", cpu);
		end_line(out);
	}
	put(out, " Root memory region: system");
	end_line(out);
	for (size_t i = 0; i < mem->n; i++) {
		while (n < devices->n_memory && devices->memory[n].start < mem->region[i].gpa.raw)
			put_device(out, &devices->memory[n++]);
		put_region(out, vm, &mem->region[i]);
	}
	while (n < devices->n_memory)
		put_device(out, &devices->memory[n++]);
	end_line(out);
}

static void put_port_view(struct out *out, const struct device_list *devices)
{
	static const char *const head[] = {
		"FlatView #1",
		" AS \"I/O\", root: io",
		" Root memory region: io",
	};

	for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
		put(out, "%s", head[i]);
		end_line(out);
	}
	for (unsigned i = 0; i < devices->n_ports; i++)
		put_device(out, &devices->port[i]);
	end_line(out);
}

/* ARRAY_SIZE(commands) if there is none of that name. */
static unsigned find_command(const char *command)
{
	unsigned i = 0;

	while (i < ARRAY_SIZE(commands) && strcmp(commands[i], command) != 0)
		i++;
	return i;
}

bool info_is_command(const char *command)
{
	return find_command(command) < ARRAY_SIZE(commands);
}

enum status info_run(const struct vm_config *vm, const struct mem_map *mem,
		     const struct device_list *devices, const char *command, info_emit *emit,
		     void *context)
{
	struct out out = {.emit = emit, .context = context};

	if (!info_is_command(command))
		return ERR_NOTFOUND;
	switch ((enum info_command)find_command(command)) {
	case INFO_MEMDEV:
		info_memdev(&out, vm);
		break;
	case INFO_MEMORY_DEVICES:
		info_memory_devices(&out, vm);
		break;
	case INFO_MEMORY_SIZE_SUMMARY:
		info_memory_size_summary(&out, vm);
		break;
	case INFO_MTREE:
		put_memory_view(&out, vm, mem, devices);
		put_port_view(&out, devices);
		break;
	case INFO_NUMA:
		info_numa(&out, vm);
		break;
	case QUERY_MEMDEV:
		query_memdev(&out, vm);
		break;
	case QUERY_MEMORY_DEVICES:
		query_memory_devices(&out, vm);
		break;
	case QUERY_MEMORY_SIZE_SUMMARY:
		query_memory_size_summary(&out, vm);
		break;
	}
	return OK;
}
