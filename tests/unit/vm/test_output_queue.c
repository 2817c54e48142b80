/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/output_queue.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

static struct output_turns turns;
static struct output_queue one, two, left;
static char line[OUTPUT_LINE_MAX + 1];

static int begin(void **state)
{
	machine_frames_add(MIB(1));
	turns = (struct output_turns){};
	one = (struct output_queue){.name = "one"};
	two = (struct output_queue){.name = "two"};
	left = (struct output_queue){.name = "left"};
	return 0;
}

static void put(struct output_queue *queue, unsigned n)
{
	char text[64];

	output_queue_put(&turns, queue, text,
			 (size_t)snprintf(text, sizeof(text), "%s: line %08u\n", queue->name, n));
}

static const char *take(void)
{
	line[output_queue_take(&turns, line)] = '\0';
	return line;
}

static void lines_leave_in_order(void **state)
{
	uint64_t n_free = frame_available();

	assert_string_equal(take(), "");
	put(&one, 1);
	put(&one, 2);
	assert_string_equal(take(), "one: line 00000001\n");
	put(&one, 3);
	assert_string_equal(take(), "one: line 00000002\n");
	assert_string_equal(take(), "one: line 00000003\n");
	assert_string_equal(take(), "");
	assert_int_equal(frame_available(), n_free);
}

/* However much one VM prints, a line of another waits for no more than a turn. */
static void each_vm_has_its_turn(void **state)
{
	size_t before = 0;

	for (unsigned i = 0; i < 1000; i++)
		put(&one, i);
	put(&two, 7);
	while (strcmp(take(), "two: line 00000007\n") != 0)
		before += strlen(line);
	assert_in_range(before, 1, OUTPUT_TURN + OUTPUT_LINE_MAX);
}

static void the_oldest_lines_are_lost_and_counted(void **state)
{
	unsigned n = 10000, n_lost = 0, first = 0, n_taken = 1;

	for (unsigned i = 0; i < n; i++)
		put(&one, i);
	assert_int_equal(one.n_pages, OUTPUT_PAGES_MAX);
	assert_int_equal(sscanf(take(), "stencil: warning: one: %u lines lost", &n_lost), 1);
	assert_int_equal(sscanf(take(), "one: line %u", &first), 1);
	assert_int_equal(first, n_lost);
	while (*take())
		n_taken++;
	assert_int_equal(n_lost + n_taken, n);
	assert_int_equal(turns.n_lost, n_lost);
	put(&one, n);
	assert_string_equal(take(), "one: line 00010000\n");
}

static void without_memory_new_lines_are_lost(void **state)
{
	phys_t frame, frames = 0;

	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = frames;
		frames = frame;
	}
	put(&one, 1);
	put(&one, 2);
	assert_string_equal(take(), "stencil: warning: one: 2 lines lost\n");
	assert_string_equal(take(), "");
	frame_free(frames);
	put(&one, 3);
	assert_string_equal(take(), "one: line 00000003\n");
}

static void lines_of_an_ended_vm_stay(void **state)
{
	output_queue_move(&turns, &two, &left);
	assert_string_equal(take(), "");
	for (unsigned i = 0; i < 3; i++) {
		put(&one, i);
		put(&two, i);
	}
	output_queue_move(&turns, &two, &left);
	output_queue_move(&turns, &one, &left);
	memset(&one, 0xff, sizeof(one));
	assert_string_equal(take(), "two: line 00000000\n");
	for (unsigned i = 0; i < 5; i++)
		assert_string_not_equal(take(), "");
	assert_string_equal(line, "one: line 00000002\n");
	assert_string_equal(take(), "");
}

/* A clone that prints its result and ends leaves a line, and a frame of which it needs little. */
static void many_ended_vms_leave_a_line_each(void **state)
{
	enum { N_VMS = 1000, N_IN_A_PAGE = 190 };
	uint64_t n_free = frame_available();

	for (unsigned i = 0; i < N_VMS; i++) {
		put(&one, i);
		output_queue_move(&turns, &one, &left);
		assert_in_range(left.n_pages, 1, 1 + i / N_IN_A_PAGE);
	}
	for (unsigned i = 0; i < N_VMS; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "one: line %08u\n", i);
		assert_string_equal(take(), expected);
	}
	assert_string_equal(take(), "");
	assert_int_equal(frame_available(), n_free);
}

/* VMs that print, and end, without end do not fill the memory. */
static void lines_of_ended_vms_are_limited(void **state)
{
	for (unsigned vm = 0; vm < 10; vm++) {
		for (unsigned i = 0; i < 1000; i++)
			put(&two, i);
		output_queue_move(&turns, &two, &left);
		assert_in_range(left.n_pages, 1, OUTPUT_PAGES_MAX);
	}
	assert_memory_equal(take(), "stencil: warning: left: ", 24);
}

static void the_longest_line_is_kept(void **state)
{
	char text[OUTPUT_LINE_MAX];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (unsigned i = 0; i < 7; i++)
		output_queue_put(&turns, &one, text, sizeof(text));
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(output_queue_take(&turns, line), sizeof(text));
	assert_int_equal(output_queue_take(&turns, line), 0);
}

/* A VM that lost all its lines, and ended: its number is added to what the others left. */
static void lost_lines_of_an_ended_vm_are_counted(void **state)
{
	phys_t frame, frames = 0;

	put(&two, 1);
	output_queue_move(&turns, &two, &left);
	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = frames;
		frames = frame;
	}
	for (unsigned i = 0; i < 3; i++)
		put(&one, i);
	output_queue_move(&turns, &one, &left);
	assert_string_equal(take(), "stencil: warning: left: 3 lines lost\n");
	assert_string_equal(take(), "two: line 00000001\n");
	assert_string_equal(take(), "");
	/* The queue is as if it were new. */
	frame_free(frames);
	put(&left, 7);
	put(&one, 8);
	assert_string_equal(take(), "left: line 00000007\n");
	assert_string_equal(take(), "one: line 00000008\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_leave_in_order, begin),
		cmocka_unit_test_setup(each_vm_has_its_turn, begin),
		cmocka_unit_test_setup(the_oldest_lines_are_lost_and_counted, begin),
		cmocka_unit_test_setup(without_memory_new_lines_are_lost, begin),
		cmocka_unit_test_setup(lines_of_an_ended_vm_stay, begin),
		cmocka_unit_test_setup(lost_lines_of_an_ended_vm_are_counted, begin),
		cmocka_unit_test_setup(many_ended_vms_leave_a_line_each, begin),
		cmocka_unit_test_setup(lines_of_ended_vms_are_limited, begin),
		cmocka_unit_test_setup(the_longest_line_is_kept, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
