/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/screen.h"
#include "hv/vcpu/vcpu.h"

/*
 * The status page: what it shows, and where. Pure: from numbers to rows of text. Names are a
 * guest's or the configuration's choice, so only printable ASCII of them is shown.
 */
#define STATUS_NAME_SIZE 64
#define STATUS_ROWS_MAX	 SCREEN_ROWS_MAX

enum status_state { STATUS_RUNNING, STATUS_PAUSED, STATUS_TEMPLATE, STATUS_GIVEN_UP };

/* A rate that is not known yet. */
#define STATUS_NONE UINT64_MAX

struct status_vm {
	unsigned index;
	unsigned depth; /* below VMs without a template */
	enum status_state state;
	/* A template's cpu and exits are those of all VMs below it. */
	uint64_t cpu;		    /* thousandths of a processor, or STATUS_NONE */
	uint64_t n_private, shares; /* bytes; what a template has is shared */
	uint64_t exits;		    /* a second, or STATUS_NONE */
	char name[STATUS_NAME_SIZE];
};

/* More of one VM. */
struct status_detail {
	struct status_vm vm;
	char template[STATUS_NAME_SIZE]; /* empty: it has none */
	unsigned n_vcpus, weight;
	uint64_t memory, limit; /* bytes of the guest; of private memory, 0: no limit */
	uint64_t cpu_ms;	/* a template's: its own, and those of clones that have ended */
	unsigned n_clones, n_clones_ended, n_clones_failed; /* of a template: all that were made */
	uint64_t n_exits[N_EXIT_KINDS];
};

/* Of all VMs. */
struct status_counts {
	unsigned n_running, n_paused, n_templates;
	unsigned n_unlisted;	      /* those for which the tree has no room */
	uint64_t n_private, n_shared; /* bytes */
};

struct status_view {
	uint64_t up_s;
	struct status_counts counts;
	unsigned n_made, n_ended, n_failed;
	uint64_t memory, memory_free; /* bytes */
	unsigned n_vms;		      /* rows of the whole tree */
	unsigned top, selected;	      /* rows of the tree, from 0 */
	unsigned n_rows;	      /* of 'row', from 'top' on */
	struct status_vm row[STATUS_ROWS_MAX];
	bool has_detail; /* it is shown instead of the tree */
	struct status_detail detail;
};

/* Rows of the tree, and lines of the console's text, that a screen of so many rows shows. */
unsigned status_tree_rows(unsigned rows);
unsigned status_text_rows(unsigned rows);

/*
 * Make a row of a screen of this size. False: it is a line of the console's text, '*ret_back' lines
 * before the newest, and 'ret' is not changed.
 */
struct status_size {
	unsigned columns, rows;
};
bool status_page_row(const struct status_view *status, struct status_size size, unsigned row,
		     struct screen_row *ret, unsigned *ret_back);
