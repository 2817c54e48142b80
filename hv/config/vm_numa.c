/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -numa: the guest's nodes, their memory and the distances between them. As in QEMU, whose order
 * and words these are, -numa is read after all other options. The nodes of the machine itself have
 * nothing to do with these.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/object.h"
#include "hv/backends/parse.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

/* The first item of -numa, in the order of type_names. */
enum numa_type { NUMA_NODE, NUMA_DIST, NUMA_CPU, NUMA_HMAT_LB, NUMA_HMAT_CACHE };

static const char *const type_names[] = {"node", "dist", "cpu", "hmat-lb", "hmat-cache", NULL};

static const struct integer_type type_uint8 = {"uint8_t", 0, UINT8_MAX};
static const struct integer_type type_uint16 = {"uint16_t", 0, UINT16_MAX};

/* One -numa argument that is being read. */
struct numa_reader {
	struct vm_reader *vm_reader;
	struct vm_config *vm;
	struct diag *diag;
	struct options options;
};

enum status vm_read_numa(struct vm_reader *reader, const struct word *argument)
{
	struct numa_argument **tail = &reader->numa_arguments;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = arena_alloc(reader->arena, sizeof(**tail));
	if (*tail == NULL)
		return ERR_NOMEM;
	(*tail)->word = argument;
	return OK;
}

static struct diag_place whole_place(const struct numa_reader *numa)
{
	return word_place(numa->options.word, 0);
}

static struct numa_node_config *find_node(const struct vm_config *vm, uint64_t nodeid)
{
	struct numa_node_config *node = vm->numa_nodes;

	while (node != NULL && node->nodeid != nodeid)
		node = node->next;
	return node;
}

static enum status report_value(struct numa_reader *numa, const char *key, const char *expected)
{
	diag_error(numa->diag, options_place(&numa->options, key), "Parameter '%s' expects %s", key,
		   expected);
	return ERR_INVAL;
}

/* '*ret_has': the key was given; else '*ret' does not change. */
static enum status get_uint(struct numa_reader *numa, const char *key,
			    const struct integer_type *type, bool *ret_has, uint64_t *ret)
{
	const struct option *option = options_find(&numa->options, key);
	bool negative;
	uint64_t value;

	*ret_has = option != NULL;
	if (option == NULL)
		return OK;
	if (parse_integer(option->value, &value, &negative) != OK || negative)
		return report_value(numa, key, "a uint64 value");
	if (value > type->max)
		return report_value(numa, key, type->name);
	*ret = value;
	return OK;
}

static enum status get_needed_uint(struct numa_reader *numa, const char *key,
				   const struct integer_type *type, uint64_t *ret)
{
	bool has;

	TRY(get_uint(numa, key, type, &has, ret));
	if (has)
		return OK;
	diag_error(numa->diag, whole_place(numa), "Parameter '%s' is missing", key);
	return ERR_INVAL;
}

static enum status get_int(struct numa_reader *numa, const char *key, bool *ret_has, int64_t *ret)
{
	const struct option *option = options_find(&numa->options, key);
	bool negative;
	uint64_t bits;

	*ret_has = option != NULL;
	if (option == NULL)
		return OK;
	if (parse_integer(option->value, &bits, &negative) != OK || (!negative && bits > INT64_MAX))
		return report_value(numa, key, "an int64 value");
	*ret = (int64_t)bits;
	return OK;
}

/* Check that each 'cpus' is a number or a range. All of them count. */
static enum status check_cpus_syntax(struct numa_reader *numa)
{
	uint64_t first, last;

	(void)options_find(&numa->options, "cpus"); /* marks all of them as seen */
	for (const struct option *o = numa->options.first; o != NULL; o = o->next) {
		const char *wrong = NULL;

		if (strcmp(o->key, "cpus") != 0)
			continue;
		if (parse_range(o->value, &first, &last) != OK)
			wrong = "Parameter 'cpus' expects a uint64 value or range";
		else if (last > UINT16_MAX)
			wrong = "Parameter 'null' expects uint16_t";
		if (wrong != NULL) {
			diag_error(numa->diag, option_value_place(&numa->options, o), "%s", wrong);
			return ERR_INVAL;
		}
	}
	return OK;
}

static enum status assign_cpu(struct numa_reader *numa, unsigned cpu, uint32_t nodeid)
{
	struct vm_reader *reader = numa->vm_reader;

	if (reader->has_cpu_node[cpu] && reader->cpu_node[cpu] != nodeid) {
		diag_error(numa->diag, whole_place(numa), "CPU is already assigned to node-id: %u",
			   (unsigned)reader->cpu_node[cpu]);
		return ERR_INVAL;
	}
	reader->has_cpu_node[cpu] = true;
	reader->cpu_node[cpu] = (uint8_t)nodeid;
	return OK;
}

static enum status report_hmat(struct numa_reader *numa, struct diag_place place)
{
	diag_error(numa->diag, place,
		   "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with "
		   "-machine hmat=on before using any of hmat specific options");
	return ERR_INVAL;
}

static enum status check_nodeid(struct numa_reader *numa, const struct numa_node_config *node,
				bool has_initiator)
{
	if (node->nodeid >= NUMA_NODES_MAX)
		diag_error(numa->diag, node->place, "Max number of NUMA nodes reached: %u",
			   node->nodeid);
	else if (find_node(numa->vm, node->nodeid) != NULL)
		diag_error(numa->diag, node->place, "Duplicate NUMA nodeid: %u", node->nodeid);
	else
		return has_initiator ? report_hmat(numa, node->place) : OK;
	return ERR_INVAL;
}

static enum status assign_range(struct numa_reader *numa, const struct numa_node_config *node,
				uint64_t first, uint64_t last)
{
	unsigned n_places = topology_places(&numa->vm->topology);

	for (uint64_t cpu = first; cpu <= last; cpu++) {
		if (cpu < n_places) {
			TRY(assign_cpu(numa, (unsigned)cpu, node->nodeid));
			continue;
		}
		diag_error(numa->diag, node->place,
			   "CPU index (%lu) should be smaller than maxcpus (%u)", cpu, n_places);
		return ERR_INVAL;
	}
	return OK;
}

static enum status assign_cpus(struct numa_reader *numa, const struct numa_node_config *node)
{
	uint64_t first, last;

	if (numa->vm_reader->bad_smp)
		return OK;
	for (const struct option *o = numa->options.first; o != NULL; o = o->next)
		if (strcmp(o->key, "cpus") == 0 && parse_range(o->value, &first, &last) == OK)
			TRY(assign_range(numa, node, first, last));
	return OK;
}

static enum status check_memory(struct numa_reader *numa, struct numa_node_config *node,
				bool has_mem)
{
	struct vm_reader *reader = numa->vm_reader;

	reader->has_numa_memdev = reader->has_numa_memdev || node->memdev != NULL;
	if (has_mem && reader->has_numa_memdev) {
		diag_error(numa->diag, node->place,
			   "numa configuration should use either mem= or memdev=,mixing both is "
			   "not allowed");
		return ERR_INVAL;
	}
	if (has_mem) {
		diag_error(numa->diag, node->place,
			   "Parameter -numa node,mem is not supported by this machine type");
		diag_hint(numa->diag, "Use -numa node,memdev instead");
		return ERR_INVAL;
	}
	if (node->memdev == NULL)
		return OK;
	node->backend = backend_find(numa->vm->backends, node->memdev);
	if (node->backend != NULL) {
		node->size = node->backend->size;
		return OK;
	}
	diag_error(numa->diag, node->place, "memdev=%s is ambiguous", node->memdev);
	return ERR_INVAL;
}

static void insert_node(struct vm_config *vm, struct numa_node_config *node)
{
	struct numa_node_config **link = &vm->numa_nodes;

	while (*link != NULL && (*link)->nodeid < node->nodeid)
		link = &(*link)->next;
	node->next = *link;
	*link = node;
	vm->n_numa_nodes++;
}

static enum status read_node(struct numa_reader *numa)
{
	struct numa_node_config *node = arena_alloc(numa->vm_reader->arena, sizeof(*node));
	uint64_t nodeid = numa->vm->n_numa_nodes, mem, initiator;
	bool has_nodeid, has_initiator, has_mem;
	const struct option *memdev;

	if (node == NULL)
		return ERR_NOMEM;
	TRY(get_uint(numa, "nodeid", &type_uint16, &has_nodeid, &nodeid));
	TRY(check_cpus_syntax(numa));
	has_mem = options_find(&numa->options, "mem") != NULL;
	TRY(options_get_size(&numa->options, "mem", numa->diag, &mem));
	memdev = options_find(&numa->options, "memdev");
	TRY(get_uint(numa, "initiator", &type_uint16, &has_initiator, &initiator));
	TRY(options_check_known(&numa->options, "cpus initiator mem memdev nodeid type",
				numa->diag));
	*node = (struct numa_node_config){
		.nodeid = (uint32_t)nodeid,
		.memdev = memdev != NULL ? memdev->value : NULL,
		.place = whole_place(numa),
	};
	TRY(check_nodeid(numa, node, has_initiator));
	TRY(assign_cpus(numa, node));
	TRY(check_memory(numa, node, has_mem));
	insert_node(numa->vm, node);
	return OK;
}

static enum status check_distance(struct numa_reader *numa, const struct numa_distance *distance)
{
	struct diag_place place = whole_place(numa);
	uint64_t src = distance->src, dst = distance->dst;

	if (src >= NUMA_NODES_MAX || dst >= NUMA_NODES_MAX)
		diag_error(numa->diag, place, "Parameter '%s' expects an integer between 0 and %d",
			   src >= NUMA_NODES_MAX ? "src" : "dst", NUMA_NODES_MAX - 1);
	else if (find_node(numa->vm, src) == NULL || find_node(numa->vm, dst) == NULL)
		diag_error(numa->diag, place,
			   "Source/Destination NUMA node is missing. Please use '-numa node' "
			   "option to declare it first.");
	else if (distance->val < NUMA_DISTANCE_LOCAL)
		diag_error(numa->diag, place,
			   "NUMA distance (%lu) is invalid, it shouldn't be less than %d.",
			   distance->val, NUMA_DISTANCE_LOCAL);
	else if (src == dst && distance->val != NUMA_DISTANCE_LOCAL)
		diag_error(numa->diag, place, "Local distance of node %lu should be %d.", src,
			   NUMA_DISTANCE_LOCAL);
	else
		return OK;
	return ERR_INVAL;
}

static enum status read_distance(struct numa_reader *numa)
{
	struct numa_distance **tail = &numa->vm_reader->numa_distances, *distance;

	distance = arena_alloc(numa->vm_reader->arena, sizeof(*distance));
	if (distance == NULL)
		return ERR_NOMEM;
	TRY(get_needed_uint(numa, "src", &type_uint16, &distance->src));
	TRY(get_needed_uint(numa, "dst", &type_uint16, &distance->dst));
	TRY(get_needed_uint(numa, "val", &type_uint8, &distance->val));
	TRY(options_check_known(&numa->options, "dst src type val", numa->diag));
	TRY(check_distance(numa, distance));
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = distance;
	return OK;
}

/* The properties that select CPUs, in the order in which QEMU reads them. */
enum {
	CPU_NODE,
	CPU_DRAWER,
	CPU_BOOK,
	CPU_SOCKET,
	CPU_DIE,
	CPU_CLUSTER,
	CPU_MODULE,
	CPU_CORE,
	CPU_THREAD,
	N_CPU_KEYS
};

static const char *const cpu_keys[N_CPU_KEYS] = {
	[CPU_NODE] = "node-id",	    [CPU_DRAWER] = "drawer-id", [CPU_BOOK] = "book-id",
	[CPU_SOCKET] = "socket-id", [CPU_DIE] = "die-id",	[CPU_CLUSTER] = "cluster-id",
	[CPU_MODULE] = "module-id", [CPU_CORE] = "core-id",	[CPU_THREAD] = "thread-id",
};

/* The levels of the topology by key. */
static const struct {
	unsigned key;
	enum topology_level level;
} cpu_levels[] = {
	{CPU_SOCKET, TOPOLOGY_SOCKET}, {CPU_DIE, TOPOLOGY_DIE},	      {CPU_MODULE, TOPOLOGY_MODULE},
	{CPU_CORE, TOPOLOGY_CORE},     {CPU_THREAD, TOPOLOGY_THREAD},
};

struct cpu_keys {
	bool has[N_CPU_KEYS];
	int64_t value[N_CPU_KEYS];
};

/* Refuse levels that the board does not have, or of which it has only one. */
static enum status check_cpu_keys(struct numa_reader *numa, const struct cpu_keys *keys)
{
	static const unsigned missing[] = {CPU_MODULE, CPU_CLUSTER, CPU_DIE, CPU_BOOK, CPU_DRAWER};
	const uint16_t *count = numa->vm->topology.count;

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		if (!keys->has[missing[i]] ||
		    (missing[i] == CPU_MODULE && count[TOPOLOGY_MODULE] > 1) ||
		    (missing[i] == CPU_DIE && count[TOPOLOGY_DIE] > 1))
			continue;
		diag_error(numa->diag, whole_place(numa), "%s is not supported",
			   cpu_keys[missing[i]]);
		return ERR_INVAL;
	}
	return OK;
}

static bool has_keys(const struct cpu_topology *topology, unsigned cpu, const struct cpu_keys *keys)
{
	for (size_t i = 0; i < ARRAY_SIZE(cpu_levels); i++) {
		unsigned part = topology_part(topology, cpu, cpu_levels[i].level);

		if (keys->has[cpu_levels[i].key] && keys->value[cpu_levels[i].key] != part)
			return false;
	}
	return true;
}

static enum status assign_matching(struct numa_reader *numa, const struct cpu_keys *keys,
				   uint32_t nodeid)
{
	const struct cpu_topology *topology = &numa->vm->topology;
	bool matches = false;

	for (unsigned cpu = 0; cpu < topology_places(topology); cpu++) {
		if (!has_keys(topology, cpu, keys))
			continue;
		TRY(assign_cpu(numa, cpu, nodeid));
		matches = true;
	}
	if (matches)
		return OK;
	diag_error(numa->diag, whole_place(numa), "no match found");
	return ERR_INVAL;
}

static enum status read_cpu(struct numa_reader *numa)
{
	struct numa_node_config *node;
	struct cpu_keys keys;

	for (size_t i = 0; i < N_CPU_KEYS; i++)
		TRY(get_int(numa, cpu_keys[i], &keys.has[i], &keys.value[i]));
	TRY(options_check_known(&numa->options,
				"book-id cluster-id core-id die-id drawer-id module-id node-id "
				"socket-id thread-id type",
				numa->diag));
	if (!keys.has[CPU_NODE]) {
		diag_error(numa->diag, whole_place(numa), "Missing mandatory node-id property");
		return ERR_INVAL;
	}
	node = find_node(numa->vm, (uint64_t)keys.value[CPU_NODE]);
	if (node == NULL) {
		diag_error(numa->diag, whole_place(numa),
			   "Invalid node-id=%ld, NUMA node must be defined with -numa "
			   "node,nodeid=ID before it's used with -numa cpu,node-id=ID",
			   keys.value[CPU_NODE]);
		return ERR_INVAL;
	}
	if (numa->vm_reader->bad_smp)
		return OK;
	TRY(check_cpu_keys(numa, &keys));
	return assign_matching(numa, &keys, node->nodeid);
}

static enum status read_argument(struct vm_reader *reader, const struct word *argument)
{
	struct numa_reader numa = {reader, reader->vm, reader->diag, {0}};
	unsigned type = NUMA_NODE;

	TRY(options_split(argument, &(struct option_syntax){.implied = "type"}, reader->arena,
			  reader->diag, &numa.options));
	TRY(options_check_id(&numa.options, reader->diag));
	if (options_find(&numa.options, "type") == NULL) {
		diag_error(reader->diag, whole_place(&numa), "Parameter 'type' is missing");
		return ERR_INVAL;
	}
	TRY(options_get_enum(&numa.options, "type", type_names, reader->diag, &type));
	switch ((enum numa_type)type) {
	case NUMA_NODE:
		return read_node(&numa);
	case NUMA_DIST:
		return read_distance(&numa);
	case NUMA_CPU:
		return read_cpu(&numa);
	case NUMA_HMAT_LB:
	case NUMA_HMAT_CACHE:
		return report_hmat(&numa, whole_place(&numa));
	}
	return OK;
}

enum status vm_read_numa_arguments(struct vm_reader *reader)
{
	for (const struct numa_argument *a = reader->numa_arguments; a != NULL; a = a->next) {
		enum status status = read_argument(reader, a->word);

		if (status == ERR_NOMEM)
			return ERR_NOMEM;
		reader->bad_numa = reader->bad_numa || status != OK;
	}
	return OK;
}

/* Memory devices need a node: without -numa QEMU makes one of all RAM and CPUs. */
static enum status make_only_node(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	struct numa_node_config *node;

	if (vm->n_numa_nodes != 0 || (vm->dimm_slots == 0 && vm->maxmem <= vm->ram_size))
		return OK;
	node = arena_alloc(reader->arena, sizeof(*node));
	if (node == NULL)
		return ERR_NOMEM;
	node->size = vm->ram_size;
	node->place = vm->memory_place;
	insert_node(vm, node);
	return OK;
}

/* Report the highest missing number, as QEMU does. */
static enum status check_gaps(struct vm_reader *reader)
{
	const struct numa_node_config *node = reader->vm->numa_nodes;
	uint32_t next = 0, missing = 0;
	bool gap = false;

	for (; node != NULL; next = node->nodeid + 1, node = node->next) {
		if (node->nodeid == next)
			continue;
		gap = true;
		missing = node->nodeid - 1;
	}
	if (!gap)
		return OK;
	diag_error(reader->diag, reader->vm->numa_nodes->place, "numa: Node ID missing: %u",
		   missing);
	return ERR_INVAL;
}

static enum status check_total(struct vm_reader *reader)
{
	const struct vm_config *vm = reader->vm;
	bool wraps = false;
	uint64_t total = 0;

	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL; node = node->next)
		wraps |= __builtin_add_overflow(total, node->size, &total);
	if (total == vm->ram_size && !wraps)
		return OK;
	diag_error(reader->diag, vm->numa_nodes->place,
		   "total memory for NUMA nodes (0x%lx) should equal RAM size (0x%lx)", total,
		   vm->ram_size);
	return ERR_INVAL;
}

/* The nodes' backends become the machine's memory. */
static enum status use_backends(struct vm_reader *reader)
{
	const struct vm_config *vm = reader->vm;

	if (vm->memory_backend != NULL && reader->has_numa_memdev) {
		diag_error(reader->diag, vm->memory_backend_place,
			   "'-machine memory-backend' and '-numa memdev' properties are mutually "
			   "exclusive");
		return ERR_INVAL;
	}
	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL;
	     node = node->next) {
		if (node->backend == NULL)
			continue;
		if (node->backend->busy) {
			diag_error(reader->diag, node->place,
				   "memory backend %s can't be used multiple times.",
				   node->backend->id);
			return ERR_INVAL;
		}
		node->backend->busy = true;
		if (is_aligned(node->size, PAGE_SIZE))
			continue;
		diag_error(reader->diag, node->place,
			   "memory of 0x%lx bytes for a NUMA node is not supported: not a multiple "
			   "of 4 KiB",
			   node->size);
		return ERR_INVAL;
	}
	return OK;
}

static enum status check_distances(struct vm_reader *reader, const uint8_t *table, unsigned n)
{
	struct diag_place place = reader->vm->numa_nodes->place;
	bool asymmetrical = false, complete = true;

	for (unsigned src = 0; src < n; src++) {
		for (unsigned dst = src + 1; dst < n; dst++) {
			uint8_t there = table[src * n + dst], back = table[dst * n + src];

			if (there == 0 && back == 0) {
				diag_error(reader->diag, place,
					   "The distance between node %u and %u is missing, at "
					   "least one distance value between each nodes should be "
					   "provided.",
					   src, dst);
				return ERR_INVAL;
			}
			complete = complete && there != 0 && back != 0;
			asymmetrical |= there != 0 && back != 0 && there != back;
		}
	}
	if (!asymmetrical || complete)
		return OK;
	diag_error(reader->diag, place,
		   "At least one asymmetrical pair of distances is given, please provide distances "
		   "for both directions of all node pairs.");
	return ERR_INVAL;
}

static enum status fill_distances(struct vm_reader *reader)
{
	unsigned n = reader->vm->n_numa_nodes;
	uint8_t *table;

	if (reader->numa_distances == NULL)
		return OK;
	table = arena_alloc(reader->arena, (size_t)n * n);
	if (table == NULL)
		return ERR_NOMEM;
	for (const struct numa_distance *d = reader->numa_distances; d != NULL; d = d->next)
		table[d->src * n + d->dst] = (uint8_t)d->val;
	TRY(check_distances(reader, table, n));
	for (unsigned src = 0; src < n; src++) {
		for (unsigned dst = 0; dst < n; dst++) {
			uint8_t *distance = &table[src * n + dst];

			if (src == dst)
				*distance = NUMA_DISTANCE_LOCAL;
			else if (*distance == 0)
				*distance = table[dst * n + src];
		}
	}
	reader->vm->numa_distance = table;
	return OK;
}

static bool is_size_known(const struct vm_reader *reader)
{
	const struct vm_config *vm = reader->vm;

	if (reader->bad_memory)
		return false;
	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL;
	     node = node->next) {
		if (node->backend != NULL && node->backend->broken)
			return false;
	}
	return true;
}

/* "CPU 3 [socket-id: 0, core-id: 1, thread-id: 1]", as QEMU names a place. */
static size_t name_place(const struct cpu_topology *topology, unsigned cpu, char *buf, size_t size)
{
	size_t n = format(buf, size, "CPU %u [", cpu);
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_SIZE(cpu_levels) && n < size; i++) {
		enum topology_level level = cpu_levels[i].level;

		if ((level == TOPOLOGY_DIE || level == TOPOLOGY_MODULE) &&
		    topology->count[level] == 1)
			continue;
		n += format(buf + n, size - n, "%s%s: %u", is_first ? "" : ", ",
			    cpu_keys[cpu_levels[i].key], topology_part(topology, cpu, level));
		is_first = false;
	}
	return n < size ? n + format(buf + n, size - n, "]") : n;
}

static void warn_of_unplaced(const struct vm_reader *reader)
{
	const struct cpu_topology *topology = &reader->vm->topology;
	struct diag_place place = reader->vm->numa_nodes->place;
	char text[DIAG_MESSAGE_MAX] = ""; /* cut off where the message is */
	size_t n = 0;

	for (unsigned cpu = 0; cpu < topology_places(topology) && n < sizeof(text); cpu++) {
		if (reader->has_cpu_node[cpu])
			continue;
		n += format(text + n, sizeof(text) - n, "%s", n > 0 ? ", " : "");
		if (n < sizeof(text))
			n += name_place(topology, cpu, text + n, sizeof(text) - n);
	}
	if (n == 0)
		return;
	diag_warning(reader->diag, place, "CPU(s) not present in any NUMA nodes: %s", text);
	diag_warning(reader->diag, place,
		     "All CPU(s) up to maxcpus should be described in NUMA config, ability to "
		     "start up with partial NUMA mappings is obsoleted and will be removed in "
		     "future");
}

/*
 * Put processors without a node into node 0; if none has one, each socket goes to the next node in
 * turn.
 */
static enum status place_cpus(struct vm_reader *reader)
{
	struct vm_config *vm = reader->vm;
	unsigned n_places = topology_places(&vm->topology);
	bool any_placed = false;
	uint8_t *nodes = arena_alloc(reader->arena, n_places);

	if (nodes == NULL)
		return ERR_NOMEM;
	for (unsigned cpu = 0; cpu < n_places; cpu++)
		any_placed |= reader->has_cpu_node[cpu];
	for (unsigned cpu = 0; cpu < n_places; cpu++) {
		unsigned socket = topology_part(&vm->topology, cpu, TOPOLOGY_SOCKET);

		if (reader->has_cpu_node[cpu])
			nodes[cpu] = reader->cpu_node[cpu];
		else
			nodes[cpu] = any_placed ? 0 : (uint8_t)(socket % vm->n_numa_nodes);
	}
	if (any_placed)
		warn_of_unplaced(reader);
	vm->cpu_node = nodes;
	return OK;
}

static enum status complete(struct vm_reader *reader)
{
	TRY(make_only_node(reader));
	if (reader->vm->numa_nodes == NULL)
		return OK;
	TRY(check_gaps(reader));
	if (is_size_known(reader))
		TRY(check_total(reader));
	TRY(use_backends(reader));
	TRY(fill_distances(reader));
	return place_cpus(reader);
}

enum status vm_complete_numa(struct vm_reader *reader)
{
	bool bad = reader->bad_numa || reader->bad_memory_backend;
	enum status status = bad ? OK : complete(reader);

	return status == ERR_NOMEM ? ERR_NOMEM : OK;
}
