/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's answers about memory, in QEMU's format. Backends are listed in the order of the
 * configuration; QEMU's order is that of a hash table. A backend's id is an identifier, a device's
 * id may be any string.
 */
#include "hv/monitor/info.h"

#include "hv/backends/json_escape.h"
#include "hv/config/drive.h"
#include "hv/config/layout.h"
#include "hv/guest/region.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* The unfinished line, and the receiver of finished ones. */
struct out {
	info_emit *emit;
	void *context;
	struct info_part part; /* the lines that are wanted */
	unsigned n_ended;      /* lines so far */
	char line[INFO_LINE_MAX + 1];
	size_t len;
};

/* Whether the line that is being made is. */
static bool is_wanted(const struct out *out)
{
	return out->n_ended - out->part.first < out->part.n;
}

static void put_v(struct out *out, const char *fmt, va_list args)
{
	size_t room = sizeof(out->line) - out->len, len;

	if (!is_wanted(out))
		return;
	len = format_v(out->line + out->len, room, fmt, args);
	out->len += len < room ? len : room - 1;
}

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_v(out, fmt, args);
	va_end(args);
}

static void end_line(struct out *out)
{
	out->line[out->len] = '\0';
	if (is_wanted(out))
		out->emit(out->context, out->line);
	out->n_ended++;
	out->len = 0;
}

/* Add the rest of the line and end it. */
__attribute__((format(printf, 2, 3))) static void put_line(struct out *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_v(out, fmt, args);
	va_end(args);
	end_line(out);
}

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

const char *info_policy(enum backend_policy policy)
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

/* In QEMU's notation for lists of numbers: "0,2-3". */
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

static void info_memdev(struct out *out, const struct info_vm *vm)
{
	for (const struct backend *b = vm->config->backends; b != NULL; b = b->next) {
		put_line(out, "memory backend: %s", b->id);
		put_line(out, "  size:  %lu", b->size);
		put_line(out, "  merge: %s", bool_text(b->merge));
		put_line(out, "  dump: %s", bool_text(b->dump));
		put_line(out, "  prealloc: %s", bool_text(b->prealloc));
		put_line(out, "  share: %s", bool_text(b->share));
		put_line(out, "  reserve: %s", bool_text(b->reserve));
		put_line(out, "  policy: %s", info_policy(b->policy));
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

static void query_memdev(struct out *out, const struct info_vm *vm)
{
	put(out, "{\"return\": [");
	for (const struct backend *b = vm->config->backends; b != NULL; b = b->next) {
		end_line(out);
		put(out,
		    "{\"id\": \"%s\", \"size\": %lu, \"merge\": %s, \"dump\": %s, "
		    "\"prealloc\": %s, \"share\": %s, \"reserve\": %s, \"host-nodes\": [",
		    b->id, b->size, bool_text(b->merge), bool_text(b->dump), bool_text(b->prealloc),
		    bool_text(b->share), bool_text(b->reserve));
		put_node_list(out, b);
		put(out, "], \"policy\": \"%s\"}%s", info_policy(b->policy),
		    b->next != NULL ? "," : "");
	}
	put_line(out, "]}");
}

/* The module with the next higher address than 'last', the lowest for NULL. NULL: there is none. */
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
	if (dimm->pmem != NULL)
		return "virtio-pmem";
	return dimm->is_nvdimm ? "nvdimm" : "dimm";
}

static void info_dimm(struct out *out, const struct dimm_config *d)
{
	put_line(out, "  addr: 0x%lx", d->addr);
	put_line(out, "  slot: %d", d->slot);
	put_line(out, "  node: %u", d->node);
	put_line(out, "  size: %lu", d->size);
	put_line(out, "  memdev: /objects/%s", d->backend->id);
	put_line(out, "  hotplugged: %s", bool_text(d->is_added));
	put_line(out, "  hotpluggable: true");
}

static void info_pmem(struct out *out, const struct dimm_config *d)
{
	put_line(out, "  memaddr: 0x%lx", d->addr);
	put_line(out, "  size: %lu", d->size);
	put_line(out, "  memdev: /objects/%s", d->backend->id);
}

static void info_memory_devices(struct out *out, const struct info_vm *vm)
{
	const struct dimm_config *d = NULL;

	while ((d = next_dimm(vm->config, d)) != NULL) {
		put_line(out, "Memory device [%s]: \"%s\"", dimm_kind(d),
			 d->id != NULL ? d->id : "");
		if (d->pmem)
			info_pmem(out, d);
		else
			info_dimm(out, d);
	}
}

static void put_json_string(struct out *out, const char *text)
{
	size_t len = strlen(text);
	char escaped[JSON_ESCAPED_SIZE];

	put(out, "\"");
	for (size_t i = 0; i < len;) {
		i += json_escape(text + i, len - i, escaped);
		put(out, "%s", escaped);
	}
	put(out, "\"");
}

static void query_dimm(struct out *out, const struct dimm_config *d)
{
	put(out,
	    "\"addr\": %lu, \"slot\": %d, \"node\": %u, \"size\": %lu, "
	    "\"memdev\": \"/objects/%s\", \"hotplugged\": %s, \"hotpluggable\": true",
	    d->addr, d->slot, d->node, d->size, d->backend->id, bool_text(d->is_added));
}

static void query_pmem(struct out *out, const struct dimm_config *d)
{
	put(out, "\"memaddr\": %lu, \"size\": %lu, \"memdev\": \"/objects/%s\"", d->addr, d->size,
	    d->backend->id);
}

static void query_memory_devices(struct out *out, const struct info_vm *vm)
{
	const struct dimm_config *d = next_dimm(vm->config, NULL), *next;

	put(out, "{\"return\": [");
	for (; d != NULL; d = next) {
		next = next_dimm(vm->config, d);
		end_line(out);
		put(out, "{\"type\": \"%s\", \"data\": {", dimm_kind(d));
		if (d->id != NULL) {
			put(out, "\"id\": ");
			put_json_string(out, d->id);
			put(out, ", ");
		}
		if (d->pmem)
			query_pmem(out, d);
		else
			query_dimm(out, d);
		put(out, "}}%s", next != NULL ? "," : "");
	}
	put_line(out, "]}");
}

static void info_memory_size_summary(struct out *out, const struct info_vm *vm)
{
	put_line(out, "base memory: %lu", vm->config->ram_size);
	put_line(out, "plugged memory: %lu", memory_plugged(vm->config));
}

static void query_memory_size_summary(struct out *out, const struct info_vm *vm)
{
	put_line(out, "{\"return\": {\"base-memory\": %lu, \"plugged-memory\": %lu}}",
		 vm->config->ram_size, memory_plugged(vm->config));
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
	put_line(out, "node %u size: %lu MB", node->nodeid, (node->size + plugged) / MIB(1));
	put_line(out, "node %u plugged: %lu MB", node->nodeid, plugged / MIB(1));
}

static void info_numa(struct out *out, const struct info_vm *vm)
{
	put_line(out, "%u nodes", vm->config->n_numa_nodes);
	for (const struct numa_node_config *node = vm->config->numa_nodes; node != NULL;
	     node = node->next)
		info_numa_node(out, vm->config, node);
}

/* NULL: the region is main memory. */
static const struct dimm_config *find_dimm(const struct vm_config *vm,
					   const struct mem_region *region)
{
	const struct dimm_config *dimm = vm->dimms;

	while (dimm != NULL && dimm->addr != region->gpa.raw)
		dimm = dimm->next;
	return dimm;
}

static bool is_nvdimm(const struct vm_config *vm, const struct mem_region *region)
{
	const struct dimm_config *dimm = find_dimm(vm, region);

	return dimm != NULL && dimm->is_nvdimm;
}

static void put_region(struct out *out, const struct vm_config *vm, const struct mem_region *region)
{
	uint64_t offset = memory_backend_offset(region);

	put(out, "  %016lx-%016lx (prio 0, %s%s): %s", region->gpa.raw,
	    region->gpa.raw + region->len - 1, is_nvdimm(vm, region) ? "nv-" : "",
	    region->kind == MEM_ROM ? "rom" : "ram", region->backend->id);
	if (offset != 0)
		put(out, " @%016lx", offset);
	end_line(out);
}

static void put_device(struct out *out, const char *indent, const struct device_range *range)
{
	put_line(out, "%s%016lx-%016lx (prio %u, i/o): %s", indent, range->start,
		 range->start + range->len - 1, range->priority, range->name);
}

static void put_memory_head(struct out *out, unsigned n_cpus)
{
	put_line(out, "FlatView #0");
	put_line(out, " AS \"memory\", root: system");
	for (unsigned cpu = 0; cpu < n_cpus; cpu++)
		put_line(out, " AS \"cpu-memory-%u\", root: system", cpu);
	put_line(out, " Root memory region: system");
}

typedef void region_line(struct out *out, const struct vm_config *vm,
			 const struct mem_region *region);

/* Memory and devices, sorted by address. */
static void put_memory(struct out *out, const struct info_vm *vm, const char *indent,
		       region_line *put_line_of)
{
	const struct device_list *devices = vm->devices;
	const struct mem_map *memory = vm->memory;
	unsigned n = 0;

	for (size_t i = 0; i < memory->n; i++) {
		const struct mem_region *region = &memory->region[i];

		while (n < devices->n_memory && devices->memory[n].start < region->gpa.raw)
			put_device(out, indent, &devices->memory[n++]);
		put_line_of(out, vm->config, region);
	}
	while (n < devices->n_memory)
		put_device(out, indent, &devices->memory[n++]);
	end_line(out);
}

static void put_ports(struct out *out, const char *indent, const struct device_list *devices)
{
	for (unsigned i = 0; i < devices->n_ports; i++)
		put_device(out, indent, &devices->port[i]);
	end_line(out);
}

static void put_port_view(struct out *out, const struct device_list *devices)
{
	put_line(out, "FlatView #1");
	put_line(out, " AS \"I/O\", root: io");
	put_line(out, " Root memory region: io");
	put_ports(out, "  ", devices);
}

static void info_mtree_flat(struct out *out, const struct info_vm *vm)
{
	put_memory_head(out, vm->config->topology.n_cpus);
	put_memory(out, vm, "  ", put_region);
	put_port_view(out, vm->devices);
}

/* QEMU's main memory is an alias of its backend, or two, below and above 4 GiB. */
static void put_tree_region(struct out *out, const struct vm_config *vm,
			    const struct mem_region *region)
{
	uint64_t offset = memory_backend_offset(region);
	bool is_dimm = find_dimm(vm, region) != NULL;

	put(out, "    %016lx-%016lx (prio 0, %s%s): ", region->gpa.raw,
	    region->gpa.raw + region->len - 1, is_nvdimm(vm, region) ? "nv-" : "",
	    region->kind == MEM_ROM ? "rom" : "ram");
	if (is_dimm)
		put_line(out, "%s", region->backend->id);
	else
		put_line(out, "alias ram-%s-4g @%s %016lx-%016lx",
			 region->gpa.raw < GIB(4) ? "below" : "above", region->backend->id, offset,
			 offset + region->len - 1);
}

static void info_mtree(struct out *out, const struct info_vm *vm)
{
	for (unsigned cpu = 0; cpu < vm->config->topology.n_cpus; cpu++)
		put_line(out, "address-space: cpu-memory-%u", cpu);
	put_line(out, "address-space: memory");
	put_line(out, "  %016lx-%016lx (prio 0, i/o): system", 0ul, UINT64_MAX);
	put_memory(out, vm, "    ", put_tree_region);
	put_line(out, "address-space: I/O");
	put_line(out, "  %016lx-%016lx (prio 0, i/o): io", 0ul, 0xfffful);
	put_ports(out, "    ", vm->devices);
}

/* The number of the disk's device among all virtio devices of the VM. */
static unsigned virtio_number(const struct vm_config *vm, const struct virtio_config *device)
{
	unsigned n = 0;

	for (const struct virtio_config *one = vm->virtio; one != device; one = one->next)
		n++;
	return n;
}

/* In the words of QEMU's "info block". Where the guest's writes go is not among these. */
static void put_drive(struct out *out, const struct vm_config *vm, const struct drive_config *drive)
{
	put_line(out, "%s: %s (raw%s)", drive->backend.id, drive->backend.mem_path,
		 drive->readonly ? ", read-only" : "");
	if (drive->device != NULL)
		put_line(out, "    Attached to:      virtio-blk-device.%u",
			 virtio_number(vm, &drive->device->base));
	put_line(out, "    Cache mode:       writeback");
	if (!drive->readonly)
		put_line(out, "    Writes go to:     %s",
			 drive->snapshot ? "the VM's own copy" : "the file");
}

static void info_block(struct out *out, const struct info_vm *vm)
{
	for (const struct drive_config *drive = vm->config->drives; drive != NULL;
	     drive = drive->next) {
		if (drive != vm->config->drives)
			end_line(out);
		put_drive(out, vm->config, drive);
	}
}

typedef void answer(struct out *out, const struct info_vm *vm);

static const struct {
	const char *command;
	answer *answer;
} answers[] = {
	{"info block", info_block},
	{"info memdev", info_memdev},
	{"info memory-devices", info_memory_devices},
	{"info memory_size_summary", info_memory_size_summary},
	{"info mtree", info_mtree},
	{"info mtree -f", info_mtree_flat},
	{"info numa", info_numa},
	{"query-memdev", query_memdev},
	{"query-memory-devices", query_memory_devices},
	{"query-memory-size-summary", query_memory_size_summary},
};

/* NULL: there is no such command. */
static answer *find(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (strcmp(answers[i].command, command) == 0)
			return answers[i].answer;
	return NULL;
}

bool info_is_command(const char *command)
{
	return find(command) != NULL;
}

enum status info_run_part(const struct info_vm *vm, const char *command, struct info_part *part,
			  info_emit *emit, void *context)
{
	struct out out = {.emit = emit, .context = context, .part = *part};
	answer *run = find(command);

	if (run == NULL)
		return ERR_NOTFOUND;
	run(&out, vm);
	if (out.n_ended < part->first + part->n)
		part->n = out.n_ended > part->first ? out.n_ended - part->first : 0;
	return OK;
}

enum status info_run(const struct info_vm *vm, const char *command, info_emit *emit, void *context)
{
	struct info_part all = {.n = INT32_MAX};

	return info_run_part(vm, command, &all, emit, context);
}

static void log_answer(void *context, const char *line)
{
	const struct info_vm *vm = context;

	log_info("%s: %s", vm->config->name, line);
}

void info_print(struct info_vm *vm, const struct info_config *commands)
{
	const char *name = vm->config->name;

	for (; commands != NULL; commands = commands->next) {
		log_info("%s: (qemu) %s", name, commands->command);
		/* Always OK: the commands are known. */
		(void)info_run(vm, commands->command, log_answer, vm);
	}
}
