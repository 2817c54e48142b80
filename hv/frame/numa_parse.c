/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads which memory and which processors are near each other: ACPI's SRAT and SLIT,
 * read as Linux reads them, so that node numbers mean the same. The tables are
 * not trusted. Hot-pluggable ranges count as their node's memory if there is
 * memory in them. Sources: ACPI specification, "System Resource Affinity Table
 * (SRAT)", "System Locality Information Table (SLIT)".
 */
#include "hv/frame/numa_parse.h"

#include "hv/lib/assert.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum {
	SRAT_HEADER_LEN = 48,
	SRAT_REVISION = 8, /* offset in the header */
	SRAT_LOCAL_APIC = 0,
	SRAT_MEMORY = 1,
	SRAT_X2APIC = 2,
	SRAT_INITIATOR = 5,
	SRAT_ENABLED = 1,
	SLIT_HEADER_LEN = 44,
};

/* A range that the SRAT assigns to a node. The array is sorted. */
struct range {
	phys_t start, end;
	uint32_t node;
};

struct parser {
	const uint8_t *srat;
	uint64_t len;
	struct numa *numa;
	struct range range[NUMA_SPAN_MAX];
	unsigned n_ranges;
};

static uint64_t read_int(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, from, size);
	return value;
}

static void set_one_node(struct numa *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->n_nodes = machine->n_spans = 1;
	machine->distance[0][0] = NUMA_LOCAL;
}

/* NUMA_NODE_MAX: no node has the domain. */
static unsigned find_node(const struct numa *machine, uint32_t domain)
{
	for (unsigned i = 0; i < machine->n_nodes; i++)
		if (machine->domain[i] == domain)
			return i;
	return NUMA_NODE_MAX;
}

static enum status get_node(struct numa *machine, uint32_t domain, uint32_t *ret)
{
	unsigned node = find_node(machine, domain);

	if (node == NUMA_NODE_MAX) {
		if (machine->n_nodes == NUMA_NODE_MAX)
			return ERR_RANGE;
		node = machine->n_nodes++;
		machine->domain[node] = domain;
	}
	*ret = node;
	return OK;
}

static enum status add_cpu(struct numa *machine, uint32_t apic_id, uint32_t domain)
{
	uint32_t node;

	TRY(get_node(machine, domain, &node));
	if (machine->n_cpus == NUMA_CPU_MAX)
		return ERR_RANGE;
	machine->cpu[machine->n_cpus++] = (struct numa_cpu){apic_id, node};
	return OK;
}

/* In early revisions domains have 8 bits, and the other bytes are undefined. */
static uint32_t clip_domain(const struct parser *parser, uint64_t domain)
{
	return parser->srat[SRAT_REVISION] < 2 ? (uint8_t)domain : (uint32_t)domain;
}

static enum status parse_local_apic(struct parser *parser, const uint8_t *entry)
{
	uint64_t domain = entry[2] | read_int(entry + 9, 3) << 8;

	if (!(read_int(entry + 4, 4) & SRAT_ENABLED))
		return OK;
	return add_cpu(parser->numa, entry[3], clip_domain(parser, domain));
}

static enum status parse_x2apic(struct parser *parser, const uint8_t *entry)
{
	if (!(read_int(entry + 12, 4) & SRAT_ENABLED))
		return OK;
	return add_cpu(parser->numa, (uint32_t)read_int(entry + 8, 4),
		       clip_domain(parser, read_int(entry + 4, 4)));
}

static enum status parse_initiator(struct parser *parser, const uint8_t *entry)
{
	uint32_t node;

	if (!(read_int(entry + 24, 4) & SRAT_ENABLED))
		return OK;
	return get_node(parser->numa, (uint32_t)read_int(entry + 4, 4), &node);
}

/* Ranges of the same node may overlap, ranges of different nodes may not. */
static enum status add_range(struct parser *parser, struct range range)
{
	unsigned i = parser->n_ranges;

	for (unsigned k = 0; k < parser->n_ranges; k++)
		if (parser->range[k].node != range.node && parser->range[k].start < range.end &&
		    range.start < parser->range[k].end)
			return ERR_CORRUPT;
	if (parser->n_ranges == NUMA_SPAN_MAX)
		return ERR_RANGE;
	for (; i > 0 && parser->range[i - 1].start > range.start; i--)
		parser->range[i] = parser->range[i - 1];
	parser->range[i] = range;
	parser->n_ranges++;
	return OK;
}

static enum status parse_memory(struct parser *parser, const uint8_t *entry)
{
	struct range range = {.start = read_int(entry + 8, 8)};
	uint64_t len = read_int(entry + 16, 8);

	if (!(read_int(entry + 28, 4) & SRAT_ENABLED))
		return OK;
	TRY(get_node(parser->numa, clip_domain(parser, read_int(entry + 2, 4)), &range.node));
	if (len == 0)
		return OK;
	if (__builtin_add_overflow(range.start, len, &range.end))
		return ERR_CORRUPT;
	return add_range(parser, range);
}

static enum status parse_entry(struct parser *parser, const uint8_t *entry, bool memory)
{
	static const uint8_t need[] = {[SRAT_LOCAL_APIC] = 16,
				       [SRAT_MEMORY] = 32,
				       [SRAT_X2APIC] = 16,
				       [SRAT_INITIATOR] = 28};
	uint8_t type = entry[0];

	if (type >= sizeof(need) || need[type] == 0 || (type == SRAT_MEMORY) != memory)
		return OK;
	if (entry[1] < need[type])
		return ERR_CORRUPT;
	switch (type) {
	case SRAT_LOCAL_APIC:
		return parse_local_apic(parser, entry);
	case SRAT_X2APIC:
		return parse_x2apic(parser, entry);
	case SRAT_INITIATOR:
		return parse_initiator(parser, entry);
	default:
		return parse_memory(parser, entry);
	}
}

/* Called once for the processors, and then once for the memory. */
static enum status parse_entries(struct parser *parser, bool memory)
{
	for (uint64_t at = SRAT_HEADER_LEN; at < parser->len;) {
		const uint8_t *entry = parser->srat + at;

		if (parser->len - at < 2 || entry[1] < 2 || entry[1] > parser->len - at)
			return ERR_CORRUPT;
		TRY(parse_entry(parser, entry, memory));
		at += entry[1];
	}
	return OK;
}

static enum status parse_srat(struct parser *parser)
{
	parser->numa->n_nodes = 0;
	if (parser->len < SRAT_HEADER_LEN)
		return ERR_CORRUPT;
	TRY(parse_entries(parser, false));
	TRY(parse_entries(parser, true));
	return parser->n_ranges > 0 ? OK : ERR_NOTFOUND;
}

static void make_spans(const struct parser *parser)
{
	struct numa *machine = parser->numa;

	machine->n_spans = 0;
	for (unsigned i = 0; i < parser->n_ranges; i++) {
		const struct range *range = &parser->range[i];
		unsigned n = machine->n_spans;

		if (n > 0 && machine->span[n - 1].node == range->node)
			continue;
		machine->span[n] = (struct numa_span){n == 0 ? 0 : range->start, range->node};
		machine->n_spans++;
	}
}

static void set_default_distances(struct numa *machine)
{
	for (unsigned i = 0; i < machine->n_nodes; i++)
		for (unsigned k = 0; k < machine->n_nodes; k++)
			machine->distance[i][k] = i == k ? NUMA_LOCAL : NUMA_REMOTE;
}

/* Check the square matrix of domains: NUMA_LOCAL on the diagonal, more elsewhere. */
static bool is_slit_sound(const uint8_t *matrix, uint64_t n)
{
	for (uint64_t i = 0; i < n * n; i++)
		if (i % (n + 1) == 0 ? matrix[i] != NUMA_LOCAL : matrix[i] <= NUMA_LOCAL)
			return false;
	return true;
}

static void parse_slit(const uint8_t *slit, uint64_t len, struct numa *machine)
{
	uint64_t n = len < SLIT_HEADER_LEN ? 0 : read_int(slit + SLIT_HEADER_LEN - 8, 8);
	const uint8_t *matrix = slit + SLIT_HEADER_LEN;

	/* At most 2^16 domains: the product does not wrap. */
	if (n == 0 || n > UINT16_MAX || n * n > len - SLIT_HEADER_LEN ||
	    !is_slit_sound(matrix, n)) {
		log_warning("ACPI table SLIT contradicts itself and is not used");
		return;
	}
	for (unsigned i = 0; i < machine->n_nodes; i++)
		for (unsigned k = 0; k < machine->n_nodes; k++)
			if (machine->domain[i] < n && machine->domain[k] < n)
				machine->distance[i][k] =
					matrix[machine->domain[i] * n + machine->domain[k]];
}

enum status numa_parse(const struct numa_tables *tables, struct numa *ret)
{
	/* 12 KiB are too much for the stack. Only one processor runs at start-up. */
	static struct parser parser;
	enum status status;

	set_one_node(ret);
	if (tables->srat == NULL)
		return ERR_NOTFOUND;
	parser.srat = tables->srat;
	parser.len = tables->srat_len;
	parser.numa = ret;
	parser.n_ranges = 0;
	status = parse_srat(&parser);
	if (status != OK) {
		set_one_node(ret);
		if (status != ERR_NOTFOUND)
			log_warning("ACPI table SRAT %s: all memory counts as one node",
				    status == ERR_RANGE ? "names more than there is room for"
							: "is damaged");
		return status;
	}
	make_spans(&parser);
	set_default_distances(ret);
	if (tables->slit != NULL)
		parse_slit(tables->slit, tables->slit_len, ret);
	return OK;
}

void numa_add_memory(struct numa *machine, phys_t start, uint64_t len)
{
	phys_t end = start + len;

	assert(end >= start);
	while (start < end) {
		unsigned node = numa_node_of(machine, start);
		phys_t next = numa_span_end(machine, start);

		next = next < end ? next : end;
		machine->memory[node] += next - start;
		numa_set_add(machine->with_memory, node);
		start = next;
	}
}
