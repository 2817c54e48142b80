/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status page of made-up machines, from the VMs to the screen, compared as text with
 * tests/unit/monitor/pages/. With the name of a folder as its argument this writes text and
 * pictures (PPM) there instead, to be looked at.
 */
#include "hv/host/io.h"

static uint64_t now = 3000000; /* ms */

static uint64_t time_now(void)
{
	return now;
}
#define rdtsc time_now

#include "hv/monitor/status.c"
#include "hv/monitor/status_look.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/monitor/status_table.h"
#include "hv/vcpu/sched.h"

enum { VMS_MAX = 1000, TEMPLATES_MAX = VMS_MAX };

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}
struct vm_totals vm_totals;
uint64_t tsc_hz = 1000;

static struct vm vm[VMS_MAX];
static struct vcpu vcpu[VMS_MAX];
static char names[VMS_MAX][STATUS_NAME_SIZE];
static unsigned n_vms;
static struct ept_layer layers[TEMPLATES_MAX];
static struct vm_config config = {.ram_size = MIB(512)};
static uint64_t n_free;		      /* frames */
static unsigned n_tables, tables_max; /* frames of the tree */

/* The screen. */
asm(".pushsection .rodata\n.globl font\nfont: .incbin \"font.psf\", 4, 2048\n.popsection");
static uint32_t *pixels;
static struct screen screen;
static bool has_screen, shows_page, is_busy;
static const char *folder; /* NULL: compare */

uint64_t frame_total(void)
{
	return MIB(2048) / PAGE_SIZE;
}

uint64_t frame_available(void)
{
	return n_free;
}

void sched_move_used(struct share *from, uint64_t *to)
{
}

unsigned vm_n_indices;

phys_t frame_alloc(void)
{
	if (n_tables == tables_max)
		return 0;
	n_tables++;
	return virt_to_phys(aligned_alloc(PAGE_SIZE, PAGE_SIZE));
}

void frame_free(phys_t frame)
{
	n_tables--;
	free(phys_to_virt(frame));
}

bool console_show_page(bool on)
{
	shows_page = on && has_screen;
	return has_screen;
}

void console_get_size(unsigned *ret_columns, unsigned *ret_rows)
{
	*ret_columns = screen.columns;
	*ret_rows = screen.rows;
}

void console_copy_row(unsigned back, struct screen_row *ret)
{
	memset(ret->text, ' ', sizeof(ret->text));
	ret->color = back == 0 ? SCREEN_NEWEST : SCREEN_PLAIN;
	memcpy(ret->text, "stencil: line - from the newest", 31);
	ret->text[14] = (char)('0' + back);
}

bool console_paint_page(unsigned row, const struct screen_row *row_now)
{
	if (!is_busy)
		screen_paint(&screen, row, row_now);
	return !is_busy;
}

static void set_screen(unsigned width, unsigned height)
{
	free(pixels);
	pixels = calloc((size_t)width * height, sizeof(*pixels));
	assert_non_null(pixels);
	screen_init(&screen);
	screen_add(&screen, &(struct screen_display){.base = pixels,
						     .width = width,
						     .height = height,
						     .pitch = width * 4,
						     .red_shift = 16,
						     .green_shift = 8});
}

static void begin(unsigned width, unsigned height)
{
	vms = NULL;
	n_vms = 0;
	has_screen = true;
	is_busy = false;
	n_free = frame_total();
	tables_max = UINT32_MAX;
	vm_totals = (struct vm_totals){0};
	(void)status_show(false, false);
	status = (struct status_view){0};
	selected = opened = NO_VM;
	n_samples = 0;
	memset(layers, 0, sizeof(layers));
	set_screen(width, height);
}

/* Add a VM at the end of the list; 'private' and 'shared' are MiB. */
static struct vm *add_vm(const char *name, struct vm *template, unsigned private)
{
	struct vm *new = &vm[n_vms], **end = &vms;

	while (*end)
		end = &(*end)->next;
	snprintf(names[n_vms], sizeof(names[0]), "%s", name);
	vcpu[n_vms] = (struct vcpu){0};
	*new = (struct vm){.name = names[n_vms],
			   .index = n_vms,
			   .config = &config,
			   .template = template,
			   .vcpu = &vcpu[n_vms],
			   .n_vcpus = 1,
			   .ept = {.max_owned = EPT_UNLIMITED, .n_owned = MIB(private) / PAGE_SIZE},
			   .share = {.weight = 100}};
	*end = new;
	vm_n_indices = ++n_vms;
	n_free -= MIB(private) / PAGE_SIZE;
	vm_totals.n_made++;
	return new;
}

static struct vm *add_template(const char *name, struct vm *template, unsigned shared)
{
	static unsigned next;
	struct vm *new = add_vm(name, template, 0);

	new->outcome = VM_FROZEN;
	new->layer = &layers[next++ % TEMPLATES_MAX];
	new->layer->n_owned = MIB(shared) / PAGE_SIZE;
	n_free -= new->layer->n_owned;
	vm_totals.n_ended_well++;
	return new;
}

static void add_clones(struct vm *template, unsigned n)
{
	char name[STATUS_NAME_SIZE];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s-%u", template->name, i);
		(void)add_vm(name, template, 1 + i % 3);
		template->next_number++;
	}
}

static void run_vms(unsigned ms)
{
	now += ms;
	for (unsigned i = 0; i < n_vms; i++) {
		vm[i].share.used += vm[i].outcome == VM_RUNNING ? ms * (i % 10) / 10 : 0;
		vcpu[i].n_exits[EXITS_HLT] += vm[i].outcome == VM_RUNNING ? ms * i : 0;
		vcpu[i].n_exits[EXITS_IO] += 5;
	}
}

static void make_three(void)
{
	struct vm *t = add_template("t", NULL, 80);

	add_clones(t, 2);
	vm[2].vcpu->is_paused = true;
}

/* Two templates, one the clone of the other, and VMs between them; names of all kinds. */
static void make_forty(void)
{
	struct vm *base, *deep;

	(void)add_vm("router", NULL, 64);
	base = add_template("linux", NULL, 120);
	(void)add_vm("\033[31mred\033[0m \xc3\xbc\n", NULL, 3);
	deep = add_template("linux-0", base, 12);
	add_clones(deep, 20);
	add_clones(base, 15);
	(void)add_vm("a-name-that-is-so-long-that-it-does-not-fit-into-its-column-1234", NULL, 12);
	vm[2].vcpu->is_paused = true;
	vm_totals.n_failed = 2;
	vm_totals.n_ended_well += 7;
}

static void make_thousand(void)
{
	add_clones(add_template("t", NULL, 80), VMS_MAX - 1);
	n_free = MIB(40) / PAGE_SIZE;
}

static void make_none(void)
{
}

/* Look, and paint all rows. */
static void show(void)
{
	due = 0;
	do
		status_poll();
	while (status_is_waiting());
}

static void type(const char *text)
{
	for (; *text; text++)
		status_type((uint8_t)*text);
}

static const char *page_text(void)
{
	static char text[SCREEN_ROWS_MAX * (SCREEN_COLUMNS_MAX + 1) + 1];
	char *at = text;

	for (unsigned row = 0; row < screen.rows; row++) {
		at += sprintf(at, "%.*s", (int)screen.columns, screen.shown[row].text);
		while (at > text && at[-1] == ' ')
			at--;
		*at++ = '\n';
	}
	*at = '\0';
	return text;
}

static void write_picture(const char *name)
{
	const struct screen_display *display = &screen.displays[0];
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.ppm", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "P6\n%u %u\n255\n", display->width, display->height);
	for (size_t i = 0; i < (size_t)display->width * display->height; i++)
		fwrite((uint8_t[]){(uint8_t)(pixels[i] >> 16), (uint8_t)(pixels[i] >> 8),
				   (uint8_t)pixels[i]},
		       3, 1, file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/%s.txt", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(page_text(), file);
	fclose(file);
}

static void compare(const char *name)
{
	static char text[sizeof(struct screen)];
	char path[4096];
	FILE *file;
	size_t len;

	if (folder) {
		write_picture(name);
		return;
	}
	snprintf(path, sizeof(path), "%.*s/pages/%s.txt",
		 (int)(sizeof(__FILE__) - sizeof("/test_status.c")), __FILE__, name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	assert_string_equal(page_text(), text);
}

static void pages_are_as_they_were_looked_at(void **state)
{
	static const struct {
		const char *name;
		unsigned width, height;
	} sizes[] = {{"800x600", 800, 600}, {"1920x1080", 1920, 1080}, {"3840x2160", 3840, 2160}};
	static const struct {
		const char *name;
		void (*make)(void);
	} machines[] = {
		{"0", make_none}, {"3", make_three}, {"40", make_forty}, {"1000", make_thousand}};
	char name[64];

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(machines); j++) {
			begin(sizes[i].width, sizes[i].height);
			now = 3000000;
			machines[j].make();
			assert_true(status_show(true, false));
			show();
			run_vms(500);
			show();
			snprintf(name, sizeof(name), "%s-%s", sizes[i].name, machines[j].name);
			compare(name);
		}
}

static void one_vm_is_shown_alone(void **state)
{
	begin(800, 600);
	now = 3000000;
	make_forty();
	assert_true(status_show(true, false));
	show();
	type("\033[B\033[B\033[B\r");
	run_vms(500);
	show();
	compare("detail");
	type("\033[B\r"); /* moves nothing now, and opens what is open */
	type("q");
	show();
	assert_true(status_takes(false));
	assert_int_equal(status.selected, 3);
	type("\r");
	show();
	assert_true(status.has_detail);
	vm[opened].outcome = VM_FAILED;
	show();
	assert_false(status.has_detail);
}

static unsigned selected_row(void)
{
	show();
	for (unsigned row = 0; row < screen.rows; row++)
		if (screen.shown[row].text[0] == '>')
			return row;
	return UINT32_MAX;
}

static void keys_move_through_the_tree(void **state)
{
	unsigned n_rows;

	begin(800, 600);
	make_thousand();
	assert_true(status_show(true, false));
	n_rows = status_tree_rows(screen.rows);
	assert_int_equal(selected_row(), 4);
	type("\033[A"); /* there is no row above */
	assert_int_equal(selected_row(), 4);
	type("\033OB\033[B");
	assert_int_equal(selected_row(), 6);
	type("\033[6~");
	assert_int_equal(selected_row(), 4 + n_rows - 1);
	assert_int_equal(status.top, 3);
	type("\033[F");
	assert_int_equal(selected_row(), 4 + n_rows - 1);
	assert_int_equal(status.selected, 999);
	type("\033[6~\033[B");
	show();
	assert_int_equal(status.selected, 999);
	type("\033[5~");
	show();
	assert_int_equal(status.selected, 999 - n_rows);
	type("\033[1~");
	assert_int_equal(selected_row(), 4);
}

static void the_selected_vm_stays_selected(void **state)
{
	begin(800, 600);
	make_three();
	assert_true(status_show(true, false));
	show();
	type("\033[F");
	show();
	assert_string_equal(status.row[status.selected].name, "t-1");
	vm[0].next = &vm[2]; /* t-0 has ended */
	show();
	assert_int_equal(status.selected, 1);
	vm[2].outcome = VM_FAILED; /* and so has t-1, which is still listed */
	show();
	assert_int_equal(status.selected, 0);
	assert_int_equal(status.n_vms, 1);
	vm[0].outcome = VM_FAILED;
	show();
	assert_int_equal(status.n_vms, 0);
	type("\033[B\r");
	show();
	assert_false(status.has_detail);
}

static void rates_need_two_looks(void **state)
{
	begin(800, 600);
	make_three();
	assert_true(status_show(true, false));
	show();
	for (unsigned row = 0; row < 3; row++)
		assert_true(status.row[row].cpu == STATUS_NONE &&
			    status.row[row].exits == STATUS_NONE);
	now += 500;
	vm[1].share.used = 250;
	vcpu[1].n_exits[EXITS_CPUID] = 50;
	show();
	assert_int_equal(status.row[1].cpu, 500);
	assert_int_equal(status.row[1].exits, 100);
	assert_int_equal(status.row[2].cpu, 0);
}

/* Also of clones of its clones, of those that have ended, and of those that are not on the screen.
 */
static void a_templates_rates_are_those_of_all_below_it(void **state)
{
	struct vm *base, *deep;
	unsigned last;

	begin(800, 600);
	base = add_template("base", NULL, 80);
	deep = add_template("deep", base, 8);
	add_clones(deep, 100);
	(void)add_vm("other", NULL, 1);
	assert_true(status_show(true, false));
	show();
	now += 500;
	last = n_vms - 2;
	vm[last].share.used = 300;
	vcpu[last].n_exits[EXITS_IO] = 70;
	deep->share.used = 100; /* of a clone that has ended */
	base->vcpu->n_exits[EXITS_HLT] = 5;
	vm[n_vms - 1].share.used = 500;
	show();
	assert_int_equal(status.row[0].cpu, 800);
	assert_int_equal(status.row[0].exits, 150);
	assert_int_equal(status.row[1].cpu, 800);
	assert_int_equal(status.row[1].exits, 140);
	base->is_given_up = true;
	show();
	assert_int_equal(status.row[0].state, STATUS_GIVEN_UP);
	type("\033[B\r");
	now += 500;
	deep->share.used += 50;
	show();
	assert_int_equal(status.detail.vm.cpu, 100);
}

/* A clone ends after its template was read: its counts are missing in this look. */
static void what_was_used_does_not_shrink(void **state)
{
	begin(800, 600);
	make_three();
	vm[1].share.used = 100;
	vcpu[1].n_exits[EXITS_IO] = 100;
	assert_true(status_show(true, false));
	show();
	now += 500;
	due = 0;
	status_poll(); /* reads the template */
	vm[1].outcome = VM_ENDED_WELL;
	vm[0].share.used = 100;
	vcpu[0].n_exits[EXITS_IO] = 100;
	while (status_is_waiting())
		status_poll();
	assert_int_equal(status.n_vms, 2);
	assert_int_equal(status.row[0].cpu, 0);
	assert_int_equal(status.row[0].exits, 0);
	now += 500;
	vm[0].share.used = 150;
	show();
	assert_int_equal(status.row[0].cpu, 100);
	assert_int_equal(status.row[0].exits, 0);
}

/* Between two VMs the lock is free, and the VM that is next may end. */
static void a_look_reads_one_vm_at_a_time(void **state)
{
	unsigned n = 0;

	begin(800, 600);
	make_thousand();
	assert_true(status_show(true, false));
	do {
		const struct vm *before = vms_cursor[VMS_WALK_STATUS];

		status_poll();
		n++;
		if (n > 1 && before)
			assert_ptr_equal(vms_cursor[VMS_WALK_STATUS], before->next);
		assert_true(lock_try(&vms_lock));
		lock_release(&vms_lock);
		if (n == 500) { /* as vm_unlist() does */
			vm[499].next = vms_cursor[VMS_WALK_STATUS] = &vm[501];
		}
	} while (status_is_waiting());
	assert_int_equal(status.n_vms, VMS_MAX - 1);
	assert_int_equal(status.counts.n_running, VMS_MAX - 2);
}

/* Else a look might have no end. */
static void what_comes_during_a_look_is_in_the_next(void **state)
{
	begin(800, 600);
	make_three();
	assert_true(status_show(true, false));
	status_poll();
	(void)add_vm("late", NULL, 1);
	(void)add_vm("later", NULL, 1);
	while (status_is_waiting())
		status_poll();
	assert_int_equal(status.n_vms, 3);
	show();
	assert_int_equal(status.n_vms, 5);
}

static unsigned steps_of(unsigned n_templates, unsigned n_clones)
{
	struct vm *template = NULL;
	unsigned n = 0;

	begin(800, 600);
	for (unsigned i = 0; i < n_templates; i++)
		template = add_template("t", i % 2 ? template : NULL, 1);
	add_clones(template, n_clones);
	assert_true(status_show(true, false));
	status_look_begin();
	do
		n++;
	while (!status_look_step(&status, 10));
	assert_int_equal(status.n_vms, n_vms);
	return n;
}

/* Whatever the tree is like: a step for each VM, and one for each sixteen in what follows. */
static void a_look_is_linear(void **state)
{
	static const unsigned templates[] = {1, 2, 10, 500, 999};

	for (unsigned i = 0; i < ARRAY_SIZE(templates); i++)
		assert_in_range(steps_of(templates[i], VMS_MAX - templates[i]), VMS_MAX,
				VMS_MAX + VMS_MAX / 8 + 3);
}

/* Without memory for all, the first ones are listed; the counts are those of all. */
static void what_has_no_room_is_counted(void **state)
{
	const unsigned in_a_frame = PAGE_SIZE / sizeof(struct status_node);

	begin(800, 600);
	make_thousand();
	tables_max = 2;
	assert_true(status_show(true, false));
	show();
	assert_int_equal(status.n_vms, 2 * in_a_frame);
	assert_int_equal(status.counts.n_running, VMS_MAX - 1);
	assert_int_equal(status.counts.n_unlisted, VMS_MAX - 2 * in_a_frame);
	assert_non_null(strstr(page_text(), " not listed "));
	tables_max = 0;
	assert_true(status_show(false, false));
	assert_int_equal(n_tables, 0);
	assert_true(status_show(true, false));
	show();
	assert_int_equal(status.n_vms, 0);
}

/* A key that comes while a look is made is not lost. */
static void keys_may_come_during_a_look(void **state)
{
	static const struct {
		const char *keys, *name;
		bool has_detail;
	} cases[] = {{"\r", "t", true},
		     {"\033[B\r", "t-0", true},
		     {"\033[F\r", "t-1", true},
		     {"\033[B", "t-0", false}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned n = 0; n < 8; n++) {
			begin(800, 600);
			make_three();
			assert_true(status_show(true, false));
			show();
			due = 0;
			for (unsigned poll = 0; poll < n; poll++)
				status_poll();
			type(cases[i].keys);
			show();
			assert_int_equal(status.has_detail, cases[i].has_detail);
			assert_string_equal(cases[i].has_detail ? status.detail.vm.name
								: status.row[status.selected].name,
					    cases[i].name);
			if (!cases[i].has_detail)
				continue;
			due = 0;
			for (unsigned poll = 0; poll < n; poll++)
				status_poll();
			type("q");
			show();
			assert_false(status.has_detail || status_is_open());
		}
}

static void a_poll_does_little(void **state)
{
	unsigned n = 0;

	begin(800, 600);
	make_three();
	assert_true(status_show(true, false));
	do {
		status_poll();
		n++;
	} while (status_is_waiting());
	/* A step for each VM and the end of the list, two for the tree, then a row each time. */
	assert_in_range(n, screen.rows, screen.rows + n_vms + 3);
	memset(pixels, 0xee, 800 * 600 * 4);
	now += 499;
	status_poll(); /* not due */
	assert_false(status_is_waiting());
	is_busy = true;
	now += 1;
	for (unsigned i = 0; i < 2 * n_vms; i++)
		status_poll(); /* another processor has the screen */
	assert_false(is_looking);
	assert_int_equal(to_paint, 0);
	is_busy = false;
	show();
	for (unsigned i = 16 * 800; i < 32 * 800; i++) /* the counts have not changed */
		assert_int_equal(pixels[i], 0xeeeeeeee);
}

static void escape_goes_back_to_the_console(void **state)
{
	begin(800, 600);
	assert_false(status_takes(false));
	status_switch(true);
	assert_true(shows_page && status_takes(false) && status_takes(true));
	status_type('\033');
	status_poll();
	assert_true(shows_page); /* a sequence may follow */
	now += 50;
	status_poll();
	assert_false(shows_page || status_takes(false) || status_takes(true));
	status_poll();
	assert_false(status_is_waiting());
	status_switch(false);
	assert_true(shows_page && status_takes(false));
	assert_false(status_takes(true));
	status_switch(true); /* the line wants to take part */
	assert_true(shows_page && status_takes(true));
	status_switch(false);
	assert_false(shows_page);
}

static void without_a_screen_there_is_no_page(void **state)
{
	begin(800, 600);
	has_screen = false;
	assert_false(status_show(true, true));
	assert_false(status_takes(true));
}

/* Whatever its size, a screen has rows of that size only. */
static void small_screens_show_what_fits(void **state)
{
	for (unsigned rows = 1; rows < 30; rows++)
		for (unsigned columns = 1; columns < 100; columns += 7) {
			begin(columns * 8, rows * 16);
			make_forty();
			assert_true(status_show(true, false));
			show();
			type("\r");
			show();
			for (unsigned row = 0; row < rows; row++)
				for (unsigned i = columns; i < SCREEN_COLUMNS_MAX; i++)
					if (status_text_rows(rows) == 0)
						assert_int_equal(screen.shown[row].text[i], ' ');
		}
}

static void letters_are_keys_where_no_sequence_is(void **state)
{
	static const struct {
		const char *bytes;
		enum status_key last;
	} cases[] = {{"q", STATUS_KEY_BACK},	    {"x", STATUS_KEY_NONE},
		     {"\n", STATUS_KEY_ENTER},	    {"\033[4~", STATUS_KEY_END},
		     {"\033[7~", STATUS_KEY_HOME},  {"\033[8~", STATUS_KEY_END},
		     {"\033[H", STATUS_KEY_HOME},   {"\033[9~", STATUS_KEY_NONE},
		     {"\033[1;5A", STATUS_KEY_UP},  {"\033\033", STATUS_KEY_BACK},
		     {"\033x", STATUS_KEY_BACK},    {"\033[C", STATUS_KEY_NONE},
		     {"\033[C\r", STATUS_KEY_ENTER}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status_keys typed = {0};
		enum status_key key = STATUS_KEY_NONE;

		for (const char *at = cases[i].bytes; *at; at++)
			key = status_keys_type(&typed, (uint8_t)*at, 0);
		assert_int_equal(key, cases[i].last);
	}
}

int main(int n_arguments, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_as_they_were_looked_at),
		cmocka_unit_test(one_vm_is_shown_alone),
		cmocka_unit_test(keys_move_through_the_tree),
		cmocka_unit_test(the_selected_vm_stays_selected),
		cmocka_unit_test(rates_need_two_looks),
		cmocka_unit_test(a_templates_rates_are_those_of_all_below_it),
		cmocka_unit_test(what_was_used_does_not_shrink),
		cmocka_unit_test(a_look_reads_one_vm_at_a_time),
		cmocka_unit_test(what_comes_during_a_look_is_in_the_next),
		cmocka_unit_test(a_look_is_linear),
		cmocka_unit_test(what_has_no_room_is_counted),
		cmocka_unit_test(keys_may_come_during_a_look),
		cmocka_unit_test(a_poll_does_little),
		cmocka_unit_test(escape_goes_back_to_the_console),
		cmocka_unit_test(without_a_screen_there_is_no_page),
		cmocka_unit_test(small_screens_show_what_fits),
		cmocka_unit_test(letters_are_keys_where_no_sequence_is),
	};

	if (n_arguments > 1)
		folder = arguments[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
