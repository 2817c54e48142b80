/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes are in the order of the list of VMs, in frames. From the last node to the first, each one
 * becomes the first child of its parent, and adds its counts to it: children come after their
 * parents, so theirs are complete. Then the tree is walked to number the rows.
 */
#include "hv/monitor/status_table.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"

#define NONE UINT32_MAX

enum {
	PER_FRAME = PAGE_SIZE / sizeof(struct status_node),
	FRAMES = STATUS_TABLE_MAX / PER_FRAME + 1,
	BUCKETS = 256,
	NODES_AT_ONCE = 16,
};

static struct status_node *frames[FRAMES]; /* NULL: not allocated */
static uint32_t n_nodes, n_unlinked, n_rows;
static uint32_t first_root, walk;   /* 'walk': the node in the next row; NONE: that was the last */
static uint32_t templates[BUCKETS]; /* the newest with each hash */

static struct status_node *node_at(uint32_t i)
{
	return &frames[i / PER_FRAME][i % PER_FRAME];
}

void status_table_begin(void)
{
	n_nodes = n_unlinked = n_rows = 0;
	first_root = walk = NONE;
	for (unsigned i = 0; i < BUCKETS; i++)
		templates[i] = NONE;
}

/* False: there is no room for another node. */
static bool make_room(void)
{
	struct status_node **frame = &frames[n_nodes / PER_FRAME];
	phys_t memory;

	if (n_nodes == STATUS_TABLE_MAX)
		return false;
	if (*frame != NULL)
		return true;
	memory = frame_alloc();
	if (memory == 0)
		return false;
	*frame = phys_to_virt(memory);
	return true;
}

static uint32_t find_template(unsigned index)
{
	uint32_t i = templates[index % BUCKETS];

	while (i != NONE && node_at(i)->vm.index != index)
		i = node_at(i)->older;
	return i;
}

struct status_node *status_table_add(const struct status_vm *vm, unsigned template)
{
	uint32_t *bucket = &templates[vm->index % BUCKETS];
	struct status_node *node;

	if (!make_room())
		return NULL;
	node = node_at(n_nodes);
	*node = (struct status_node){
		.vm = *vm, .parent = find_template(template), .first_child = NONE, .next = NONE};
	if (node->parent != NONE) {
		node->vm.depth = node_at(node->parent)->vm.depth + 1;
		node->vm.shares += node_at(node->parent)->vm.shares;
	}
	if (vm->state == STATUS_TEMPLATE || vm->state == STATUS_GIVEN_UP) {
		node->older = *bucket;
		*bucket = n_nodes;
	}
	n_unlinked = ++n_nodes;
	return node;
}

static void link(uint32_t i)
{
	struct status_node *node = node_at(i), *parent;
	uint32_t *first = &first_root;

	if (node->parent != NONE) {
		parent = node_at(node->parent);
		parent->ticks += node->ticks;
		parent->n_exits += node->n_exits;
		first = &parent->first_child;
	}
	node->next = *first;
	*first = i;
	walk = first_root;
}

static uint32_t next_in_tree(uint32_t i)
{
	uint32_t next = node_at(i)->first_child;

	while (next == NONE && i != NONE) {
		next = node_at(i)->next;
		i = node_at(i)->parent;
	}
	return next;
}

static void number(uint32_t i)
{
	node_at(i)->row = n_rows;
	node_at(n_rows)->in_row = i;
	n_rows++;
	walk = next_in_tree(i);
}

bool status_table_build(void)
{
	for (unsigned n = 0; n < NODES_AT_ONCE; n++)
		if (n_unlinked > 0)
			link(--n_unlinked);
		else if (walk != NONE)
			number(walk);
	return n_unlinked == 0 && walk == NONE;
}

unsigned status_table_rows(void)
{
	return n_rows;
}

const struct status_node *status_table_row(unsigned row)
{
	return node_at(node_at(row)->in_row);
}

void status_table_end(void)
{
	status_table_begin();
	for (unsigned i = 0; i < FRAMES && frames[i] != NULL; i++) {
		frame_free(virt_to_phys(frames[i]));
		frames[i] = NULL;
	}
}
