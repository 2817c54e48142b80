/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the top: four rows of the machine, the tree or one VM, a line, the newest lines of the
 * console, the keys. A screen that is too low for all has no lines of the console, then no tree.
 */
#include "hv/monitor/status_page.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/lib/version.h"
#include "hv/vm/usage.h"

enum {
	HEAD_ROWS = 4,
	FOOT_ROWS = 1,
	TEXT_SHARE = 5, /* of the rows, one in so many is the console's */
	TEXT_ROWS_MAX = 10,
	FIGURES = 51, /* columns after the name */
	NAME_MIN = 12,
	NAME_MAX = 72,
	BAR_SHARE = 4, /* of the columns */
	BAR_MAX = 60,
	SIZE_TEXT = 16,
};

unsigned status_text_rows(unsigned rows)
{
	unsigned n = rows / TEXT_SHARE;

	if (n < 2)
		return 0;
	return n < TEXT_ROWS_MAX ? n : TEXT_ROWS_MAX;
}

/* The line above the text counts, if there is text. */
unsigned status_tree_rows(unsigned rows)
{
	unsigned n_text = status_text_rows(rows);
	unsigned n_others = HEAD_ROWS + FOOT_ROWS + n_text + (n_text > 0);

	return rows > n_others ? rows - n_others : 0;
}

/* Begin with a blank row. */
static void clear(struct screen_row *row, enum screen_color color)
{
	memset(row->text, ' ', sizeof(row->text));
	row->color = color;
}

/* Put text at a column. What is beyond the screen is cut; what is not printable becomes '?'. */
static void put_at(struct screen_row *row, unsigned columns, unsigned at, const char *text)
{
	for (; *text != '\0' && at < columns; text++, at++)
		row->text[at] = *text >= ' ' && *text <= '~' ? *text : '?';
}

__attribute__((format(printf, 4, 5))) static void put(struct screen_row *row, unsigned columns,
						      unsigned at, const char *fmt, ...)
{
	char text[SCREEN_COLUMNS_MAX + 1];
	va_list args;

	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	put_at(row, columns, at, text);
}

/* "812 KiB", "37 MiB": at most four digits, as far as there are units. */
static void size_text(char text[SIZE_TEXT], uint64_t bytes)
{
	if (bytes < MIB(10))
		format(text, SIZE_TEXT, "%lu KiB", bytes / KIB(1));
	else if (bytes < GIB(10))
		format(text, SIZE_TEXT, "%lu MiB", bytes / MIB(1));
	else
		format(text, SIZE_TEXT, "%lu GiB", bytes / GIB(1));
}

static void rate_text(char text[SIZE_TEXT], uint64_t per_second)
{
	if (per_second == STATUS_NONE)
		format(text, SIZE_TEXT, "-");
	else
		format(text, SIZE_TEXT, "%lu", per_second);
}

static void share_text(char text[SIZE_TEXT], uint64_t thousandths)
{
	if (thousandths == STATUS_NONE)
		format(text, SIZE_TEXT, "-");
	else
		format(text, SIZE_TEXT, "%lu.%lu %%", thousandths / 10, thousandths % 10);
}

static const char *state_text(enum status_state state)
{
	static const char *const texts[] = {
		[STATUS_RUNNING] = "running",
		[STATUS_PAUSED] = "paused",
		[STATUS_TEMPLATE] = "template",
		[STATUS_GIVEN_UP] = "given up",
	};

	return texts[state];
}

static enum screen_color state_color(enum status_state state)
{
	return state == STATUS_PAUSED ? SCREEN_WARNING : SCREEN_PLAIN;
}

static void put_title(const struct status_view *status, unsigned columns, struct screen_row *ret)
{
	char up[48];
	size_t len = format(up, sizeof(up), "up %lu d %02lu:%02lu:%02lu", status->up_s / 86400,
			    status->up_s / 3600 % 24, status->up_s / 60 % 60, status->up_s % 60);

	clear(ret, SCREEN_HEADING);
	put(ret, columns, 1, "Stencil %s", stencil_version);
	if (columns > len)
		put(ret, columns, columns - (unsigned)len - 1, " %s", up);
}

static void put_counts(const struct status_view *status, unsigned columns, struct screen_row *ret)
{
	clear(ret, status->n_failed > 0 ? SCREEN_WARNING : SCREEN_PLAIN);
	put(ret, columns, 1,
	    "VMs: %u running, %u paused, %u templates; %u made, %u ended well, %u failed",
	    status->counts.n_running, status->counts.n_paused, status->counts.n_templates,
	    status->n_made, status->n_ended, status->n_failed);
}

/* '#' is private, '=' is shared, '-' is used otherwise, '.' is free. */
static void put_bar(const struct status_view *status, unsigned width, char *bar)
{
	uint64_t unit = status->memory / width + 1;
	uint64_t n_private = status->counts.n_private / unit;
	uint64_t n_shared = n_private + status->counts.n_shared / unit;
	uint64_t n_used = (status->memory - status->memory_free) / unit;

	for (unsigned i = 0; i < width; i++)
		*bar++ =
			"#=-."[(i >= n_private) + (i >= n_shared) + (i >= n_used && i >= n_shared)];
	*bar = '\0';
}

static void put_memory(const struct status_view *status, unsigned columns, struct screen_row *ret)
{
	unsigned width = columns / BAR_SHARE < BAR_MAX ? columns / BAR_SHARE : BAR_MAX;
	char bar[BAR_MAX + 1], all[SIZE_TEXT], private[SIZE_TEXT], shared[SIZE_TEXT],
		free[SIZE_TEXT];
	/* Less than a sixteenth is left. */
	bool is_scarce = status->memory_free < status->memory / 16;

	put_bar(status, width > 0 ? width : 1, bar);
	size_text(all, status->memory);
	size_text(private, status->counts.n_private);
	size_text(shared, status->counts.n_shared);
	size_text(free, status->memory_free);
	clear(ret, is_scarce ? SCREEN_ERROR : SCREEN_PLAIN);
	put(ret, columns, 1, "Memory [%s] %s: # private %s, = shared %s, . free %s", bar, all,
	    private, shared, free);
}

/* The column where the figures begin, unless the screen ends before. */
static unsigned figures_at(unsigned columns)
{
	unsigned at = columns > FIGURES + NAME_MIN ? columns - FIGURES : NAME_MIN;

	if (at > NAME_MAX)
		at = NAME_MAX;
	return at < columns ? at : columns;
}

static void put_heading(const struct status_view *status, unsigned columns, struct screen_row *ret)
{
	clear(ret, SCREEN_HEADING);
	put(ret, columns, figures_at(columns), "%-9s%8s%11s%11s%11s", "state", "CPU", "private",
	    "shared", "exits/s");
	if (status->counts.n_unlisted > 0)
		put(ret, figures_at(columns), 1, "VM %u of %u, %u not listed ",
		    status->selected + 1, status->n_vms, status->counts.n_unlisted);
	else if (status->n_vms > 0)
		put(ret, figures_at(columns), 1, "VM %u of %u ", status->selected + 1,
		    status->n_vms);
	else
		put(ret, figures_at(columns), 1, "VM ");
}

static void put_vm(const struct status_vm *vm, bool is_selected, unsigned columns,
		   struct screen_row *ret)
{
	char cpu[SIZE_TEXT], private[SIZE_TEXT], shared[SIZE_TEXT], exits[SIZE_TEXT];
	unsigned at = figures_at(columns), deepest = at > NAME_MIN ? (at - NAME_MIN) / 2 : 0;

	share_text(cpu, vm->cpu);
	size_text(private, vm->n_private);
	size_text(shared, vm->shares);
	rate_text(exits, vm->exits);
	clear(ret, is_selected ? SCREEN_NEWEST : state_color(vm->state));
	if (is_selected)
		put_at(ret, columns, 0, ">");
	put_at(ret, at - 1, 2 + 2 * (vm->depth < deepest ? vm->depth : deepest), vm->name);
	put(ret, columns, at, "%-9s%8s%11s%11s%11s", state_text(vm->state), cpu, private, shared,
	    exits);
}

static void put_tree(const struct status_view *status, unsigned columns, unsigned at,
		     struct screen_row *ret)
{
	clear(ret, SCREEN_PLAIN);
	if (at < status->n_rows)
		put_vm(&status->row[at], status->top + at == status->selected, columns, ret);
	else if (status->n_vms == 0 && at == 0)
		put_at(ret, columns, 2, "There are no VMs.");
}

static void put_clones(const struct status_detail *vm, unsigned columns, struct screen_row *ret)
{
	if (vm->vm.state == STATUS_TEMPLATE || vm->vm.state == STATUS_GIVEN_UP)
		put(ret, columns, 2, "clones     %u made, %u ended, %u of them failed",
		    vm->n_clones, vm->n_clones_ended, vm->n_clones_failed);
	else
		put(ret, columns, 2, "template   %s", *vm->template ? vm->template : "none");
}

static void put_limit(const struct status_detail *vm, unsigned columns, struct screen_row *ret)
{
	char private[SIZE_TEXT], shared[SIZE_TEXT], limit[SIZE_TEXT] = "none";

	size_text(private, vm->vm.n_private);
	size_text(shared, vm->vm.shares);
	if (vm->limit > 0)
		size_text(limit, vm->limit);
	put(ret, columns, 2, "private    %s, limit %s; shared %s", private, limit, shared);
}

static void put_time(const struct status_detail *vm, unsigned columns, struct screen_row *ret)
{
	char share[SIZE_TEXT];

	share_text(share, vm->vm.cpu);
	put(ret, columns, 2, "CPU time   %lu.%03lu s, now %s of a processor; weight %u",
	    vm->cpu_ms / 1000, vm->cpu_ms % 1000, share, vm->weight);
}

static void put_exits(const struct status_detail *vm, unsigned columns, struct screen_row *ret)
{
	char rate[SIZE_TEXT];
	uint64_t n = 0;

	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		n += vm->n_exits[kind];
	rate_text(rate, vm->vm.exits);
	put(ret, columns, 2, "exits      %lu, now %s a second:", n, rate);
}

static void put_detail(const struct status_detail *vm, unsigned columns, unsigned at,
		       struct screen_row *ret)
{
	enum { FACTS = 7 };
	char memory[SIZE_TEXT];

	size_text(memory, vm->memory);
	clear(ret, at == 0 ? SCREEN_NEWEST : SCREEN_PLAIN);
	switch (at) {
	case 0:
		put(ret, columns, 1, "%s: %s", vm->vm.name, state_text(vm->vm.state));
		return;
	case 1:
		put_clones(vm, columns, ret);
		return;
	case 2:
		put(ret, columns, 2, "vCPUs      %u", vm->n_vcpus);
		return;
	case 3:
		put(ret, columns, 2, "memory     %s", memory);
		return;
	case 4:
		put_limit(vm, columns, ret);
		return;
	case 5:
		put_time(vm, columns, ret);
		return;
	case 6:
		put_exits(vm, columns, ret);
		return;
	}
	if (at - FACTS < N_EXIT_KINDS)
		put(ret, columns, 4, "%-18s %12lu", usage_exit_name((enum exit_kind)(at - FACTS)),
		    vm->n_exits[at - FACTS]);
}

static void put_head(const struct status_view *status, unsigned columns, unsigned row,
		     struct screen_row *ret)
{
	switch (row) {
	case 0:
		put_title(status, columns, ret);
		return;
	case 1:
		put_counts(status, columns, ret);
		return;
	case 2:
		put_memory(status, columns, ret);
		return;
	default:
		if (status->has_detail)
			clear(ret, SCREEN_PLAIN);
		else
			put_heading(status, columns, ret);
	}
}

static void put_keys(const struct status_view *status, unsigned columns, struct screen_row *ret)
{
	clear(ret, SCREEN_HEADING);
	put_at(ret, columns, 1,
	       status->has_detail
		       ? "Esc: back  F2: console"
		       : "Up Down PgUp PgDn Home End: move  Enter: show  Esc, F2: console");
}

static void put_rule(unsigned columns, struct screen_row *ret)
{
	clear(ret, SCREEN_HEADING);
	memset(ret->text, '-', columns);
	put_at(ret, columns, 1, " Console ");
}

bool status_page_row(const struct status_view *status, struct status_size size, unsigned row,
		     struct screen_row *ret, unsigned *ret_back)
{
	unsigned n_tree = status_tree_rows(size.rows), n_text = status_text_rows(size.rows);
	unsigned at = row - HEAD_ROWS;

	if (row + 1 == size.rows)
		put_keys(status, size.columns, ret);
	else if (row < HEAD_ROWS)
		put_head(status, size.columns, row, ret);
	else if (at < n_tree && status->has_detail)
		put_detail(&status->detail, size.columns, at, ret);
	else if (at < n_tree)
		put_tree(status, size.columns, at, ret);
	else if (at == n_tree)
		put_rule(size.columns, ret);
	else {
		*ret_back = n_text - (at - n_tree);
		return false;
	}
	return true;
}
