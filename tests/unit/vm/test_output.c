/* SPDX-License-Identifier: BSD-2-Clause */
/* Who pays for the console. The test plays the console, with room for n_room lines. */
#include "hv/vm/output.c"
#include "hv/vm/output_queue.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

static struct vm one, two;
static unsigned n_room, n_unsent;
static const struct share *paid; /* by whom the last charge was; NULL: by one that has ended */
static uint16_t paid_weight;
static unsigned n_charges;

bool console_offer(const char *data, size_t len)
{
	if (n_room == 0)
		return false;
	n_room--;
	n_unsent++;
	return true;
}

bool console_offer_part(const char *data, size_t len)
{
	return console_offer(data, len);
}

bool console_poll(void)
{
	return n_unsent > 0;
}

void sched_request(struct vcpu *of, uint32_t requests)
{
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
	paid = share;
	n_charges++;
}

void sched_charge_ended(uint16_t weight, uint64_t ticks)
{
	paid = NULL;
	paid_weight = weight;
	n_charges++;
}

static int begin(void **state)
{
	machine_frames_add(MIB(1));
	one = (struct vm){.name = "one", .share.weight = 100};
	two = (struct vm){.name = "two", .share.weight = 300};
	n_room = 100;
	n_unsent = 0;
	(void)vm_output_work();
	n_charges = 0;
	return 0;
}

static int end(void **state)
{
	n_room = UINT32_MAX;
	vm_output_flush();
	return 0;
}

static void put(struct vm *vm)
{
	vm_output_put(vm, "line\n", 5);
}

/* One VM's line at a time is on its way. */
static void the_vm_whose_line_is_sent_pays(void **state)
{
	(void)vm_output_work();
	assert_int_equal(n_charges, 0);
	put(&one);
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &one.share);
	put(&two);
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &two.share);
	assert_int_equal(n_charges, 2);
}

static void nobody_pays_when_all_is_sent(void **state)
{
	put(&one);
	n_unsent = 0;
	assert_false(vm_output_work());
	assert_int_equal(n_charges, 1);
	n_unsent = 1; /* the operator's */
	assert_true(vm_output_work());
	assert_int_equal(n_charges, 1);
}

/* The lines wait in queues, and the last one that leaves decides. */
static void the_vm_whose_line_has_waited_pays(void **state)
{
	n_room = 0;
	put(&one);
	put(&two);
	n_room = 1;
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &two.share); /* its line is next */
	n_room = 1;
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &two.share);
	assert_int_equal(n_charges, 2);
}

/* By its weight, until all is sent: VMs that come and go pay for the lines they leave. */
static void a_vm_that_has_ended_pays(void **state)
{
	put(&one);
	vm_output_leave(&one);
	paid = &one.share;
	assert_true(vm_output_work());
	assert_null(paid);
	assert_int_equal(paid_weight, 100);
	n_room = 0;
	put(&two);
	vm_output_leave(&two);
	put(&one);
	n_room = 2;
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &one.share); /* the line after the one that was left */
	assert_int_equal(n_charges, 2);
}

static void a_line_that_a_vm_has_left_is_paid_by_its_weight(void **state)
{
	n_room = 0;
	put(&two);
	vm_output_leave(&two);
	vm_output_leave(&one); /* leaves nothing */
	n_room = 1;
	assert_true(vm_output_work());
	assert_null(paid);
	assert_int_equal(paid_weight, 300);
	n_unsent = 0;
	assert_false(vm_output_work());
	assert_int_equal(n_charges, 2);
	assert_false(vm_output_work());
	assert_int_equal(n_charges, 2);
}

/* The log's lines do not go through a queue. */
static void a_vm_pays_for_the_lines_about_it(void **state)
{
	n_unsent = 1;
	assert_true(vm_output_work());
	assert_int_equal(n_charges, 0);
	vm_output_pays(&one);
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &one.share);
	vm_output_leave(&one);
	assert_true(vm_output_work());
	assert_null(paid);
	assert_int_equal(paid_weight, 100);
	assert_int_equal(n_charges, 2);
}

/* Bytes of the VM to which the console is attached count, too. */
static void the_attached_vm_pays(void **state)
{
	vm_output_attach(&two, "two", 0);
	assert_true(vm_output_put_raw(&two, 'x'));
	put(&one); /* waits */
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &two.share);
	assert_true(vm_output_detach(&two));
	assert_true(vm_output_work());
	assert_ptr_equal(paid, &one.share);
}

/* So that many processors can pass, and many VMs come and go. */
static void no_lock_is_taken_for_what_is_not_there(void **state)
{
	uint32_t n_holds, n_tries = sending.next;

	n_unsent = 0;
	assert_false(vm_output_work());
	n_holds = output_lock.next;
	assert_false(vm_output_work());
	assert_false(vm_output_detach(&one));
	assert_int_equal(output_lock.next, n_holds);
	assert_int_equal(sending.next, n_tries);
	vm_output_leave(&one);
	assert_int_equal(output_lock.next, n_holds);
	/* Of these, something may be there. */
	put(&one);
	n_holds = output_lock.next;
	vm_output_leave(&one);
	assert_int_equal(output_lock.next, n_holds + 1);
	vm_output_attach(&two, "two", 0);
	n_holds = output_lock.next;
	vm_output_leave(&two);
	assert_int_equal(output_lock.next, n_holds + 1);
}

/* Lines that came while the console was attached, and nothing was there for it. */
static void lines_follow_the_end_of_raw_output(void **state)
{
	vm_output_attach(&two, "two", 0);
	(void)vm_output_work();
	put(&one);
	(void)vm_output_work();
	assert_int_equal(n_unsent, 0);
	assert_true(vm_output_detach(&two));
	(void)vm_output_work();
	assert_int_equal(n_unsent, 2); /* the line about the end is one */
	vm_output_attach(&two, "two", 0);
	(void)vm_output_work();
	assert_true(vm_output_put_raw(&two, 'x'));
	(void)vm_output_work();
	assert_int_equal(n_unsent, 3);
	assert_true(vm_output_detach(NULL));
	(void)vm_output_work();
	assert_int_equal(n_unsent, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vm_whose_line_is_sent_pays),
		TEST(nobody_pays_when_all_is_sent),
		TEST(the_vm_whose_line_has_waited_pays),
		TEST(a_vm_that_has_ended_pays),
		TEST(a_line_that_a_vm_has_left_is_paid_by_its_weight),
		TEST(a_vm_pays_for_the_lines_about_it),
		TEST(the_attached_vm_pays),
		TEST(no_lock_is_taken_for_what_is_not_there),
		TEST(lines_follow_the_end_of_raw_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
