/* SPDX-License-Identifier: BSD-2-Clause */
/* Describe the machine's nodes. */
#include "hv/frame/numa_text.h"

#include "hv/lib/print.h"

/* Where the text goes. What does not fit is counted and dropped. */
struct text {
	char *buf;
	size_t size, len;
};

static char *text_end(const struct text *text)
{
	return text->len < text->size ? text->buf + text->len : text->buf;
}

static size_t text_room(const struct text *text)
{
	return text->len < text->size ? text->size - text->len : 0;
}

static bool is_on(const struct numa *machine, unsigned node, uint32_t apic_id)
{
	return numa_node_of_cpu(machine, apic_id) == node;
}

/* List numbers, neighbors as ranges: "0,2-3". */
static void add_cpus(struct text *text, const struct numa *machine, unsigned node,
		     struct numa_cpus cpus)
{
	const char *before = " ";
	unsigned last;

	for (unsigned i = 0; i < cpus.n; i = last + 1) {
		last = i;
		if (!is_on(machine, node, cpus.apic_ids[i]))
			continue;
		while (last + 1 < cpus.n && is_on(machine, node, cpus.apic_ids[last + 1]))
			last++;
		text->len += format(text_end(text), text_room(text), "%s%u", before, i);
		if (last > i)
			text->len += format(text_end(text), text_room(text), "-%u", last);
		before = ",";
	}
	if (*before == ' ')
		text->len += format(text_end(text), text_room(text), " none");
}

size_t numa_describe(const struct numa *machine, unsigned node, struct numa_cpus cpus, char *buf,
		     size_t size)
{
	struct text text = {buf, size, 0};

	text.len = format(buf, size, "node %u: %lu MiB, processors", node,
			  machine->memory[node] / MIB(1));
	add_cpus(&text, machine, node, cpus);
	text.len += format(text_end(&text), text_room(&text), ", distances");
	for (unsigned i = 0; i < machine->n_nodes; i++)
		text.len += format(text_end(&text), text_room(&text), " %u",
				   machine->distance[node][i]);
	return text.len;
}
