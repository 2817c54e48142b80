/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/monitor/status_page.h"

/*
 * A copy of the tree of templates and clones, made in small steps while VMs come and go. First all
 * VMs are added, a template before its clones; then the tree is built. All steps together are
 * linear in the number of VMs. It belongs to the boot processor.
 */
struct status_node {
	struct status_vm vm;	 /* cpu and exits are not set */
	uint64_t ticks, n_exits; /* with those of all VMs below it, when the tree is built */
	uint32_t row;		 /* in the whole tree */
	/* Of the table: numbers of nodes. */
	uint32_t parent, first_child, next; /* of the tree */
	uint32_t older;			    /* template with the same hash */
	uint32_t in_row;		    /* the node in the row with this one's number */
};

/* How many VMs there is room for, if there is memory. */
#define STATUS_TABLE_MAX 13000

/* Begin with no VM. What was returned before is invalid. */
void status_table_begin(void);
/*
 * Add a VM, the clone of the VM with the number 'template' or of none. Its depth, and what it
 * shares with its templates, are set; the caller sets the rest. NULL: there is no room.
 */
struct status_node *status_table_add(const struct status_vm *vm, unsigned template);
/* Do a little for the tree. True: it is complete, and no VM can be added. */
bool status_table_build(void);
unsigned status_table_rows(void);
/* The VM in a row of the complete tree. */
const struct status_node *status_table_row(unsigned row);
/* Free its memory. */
void status_table_end(void);
