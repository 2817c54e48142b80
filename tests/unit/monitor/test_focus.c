/* SPDX-License-Identifier: BSD-2-Clause */
/* Which VM reads the console while VMs come and go. The test plays the list of VMs. */
#include <string.h>

#include "hv/monitor/focus.c"
#include "tests/unit/support.h"

enum { N_VMS = 3 };

uint64_t tsc_hz;
struct vm *vms;
struct lock vms_lock;

void vms_gather(void)
{
}

static struct vm_config reads = {.serial = SERIAL_STDIO}, silent = {.serial = SERIAL_NONE};
static struct vcpu vcpu[N_VMS];
static struct vm vm[N_VMS];
static bool has_room, has_input;
static char typed[100];
static unsigned n_requests;
static const struct vm *attached;
static bool is_raw, ends_while_printing, freezes_while_printing;

struct vm *vm_find(unsigned index)
{
	assert_int_equal(vms_lock.next, vms_lock.serving + 1);
	for (struct vm *found = vms; found; found = found->next)
		if (found->index == index)
			return found;
	return NULL;
}

bool vm_has_input_room(const struct vm *of)
{
	return has_room;
}

bool vm_has_input(const struct vm *of)
{
	return has_input;
}

void vm_put_input(struct vm *of, uint8_t byte)
{
	size_t len = strlen(typed);

	typed[len] = *of->name;
	typed[len + 1] = (char)byte;
}

void sched_request(struct vcpu *of, uint32_t requests)
{
	assert_int_equal(requests, VCPU_REQUEST_UART);
	n_requests++;
}

bool vm_output_detach(const struct vm *of)
{
	bool was = is_raw && attached != NULL;

	if (was)
		is_raw = false;
	return was;
}

bool vm_output_is_raw(void)
{
	return is_raw;
}

void vm_output_attach(struct vm *to, const char *name, uint64_t code)
{
	attached = to;
	is_raw = true;
}

/* No lock is held at the speed of a line. */
void console_print(const char *fmt, ...)
{
	assert_int_equal(vms_lock.next, vms_lock.serving);
	if (ends_while_printing)
		vms = NULL;
	if (freezes_while_printing)
		vms->outcome = VM_FROZEN;
}

void random_fill(void *buf, size_t len)
{
	memset(buf, 1, len);
}

/* a, b and c, which all read the console; none is in focus. */
static int setup(void **state)
{
	static char names[N_VMS][2] = {"a", "b", "c"};

	memset(vm, 0, sizeof(vm));
	for (unsigned i = 0; i < N_VMS; i++) {
		vm[i].name = names[i];
		vm[i].index = i + 1;
		vm[i].vcpu = &vcpu[i];
		vm[i].config = &reads;
		vm[i].next = i + 1 < N_VMS ? &vm[i + 1] : NULL;
	}
	vms = vm;
	focus_set(NULL);
	memset(typed, 0, sizeof(typed));
	attached = NULL;
	has_room = has_input = is_raw = false;
	ends_while_printing = freezes_while_printing = false;
	n_requests = 0;
	log_reset();
	return 0;
}

static const struct vm *focused(void)
{
	vms_acquire();
	const struct vm *found = focus_vm();
	lock_release(&vms_lock);
	return found;
}

static void each_vm_has_its_turn(void **state)
{
	focus_next();
	assert_string_equal(logged, "console: input goes to VM b\n");
	focus_next();
	focus_next();
	assert_ptr_equal(focused(), &vm[0]);
	focus_set(&vm[2]);
	vm[0].config = &silent;
	vm[1].outcome = VM_FROZEN;
	focus_next();
	assert_ptr_equal(focused(), &vm[2]);
}

/* After the last VM comes the first, although VMs that do not read are between them. */
static void vms_that_do_not_read_are_passed(void **state)
{
	vm[0].config = vm[2].config = &silent;
	focus_set(&vm[1]);
	focus_next();
	assert_ptr_equal(focused(), &vm[1]);
	vm[0].config = &reads;
	focus_next();
	assert_ptr_equal(focused(), &vm[0]);
}

static void the_focus_leaves_a_vm_that_becomes_a_template(void **state)
{
	focus_set(&vm[1]);
	assert_ptr_equal(focused(), &vm[1]);
	vm[1].outcome = VM_FROZEN;
	vm[0].config = &silent;
	assert_ptr_equal(focused(), &vm[2]); /* the first that reads the console */
	vm[0].config = &reads;
	assert_ptr_equal(focused(), &vm[2]); /* and stays there */
	focus_set(&vm[1]);		     /* the operator chooses the template */
	assert_ptr_equal(focused(), &vm[1]);
	focus_type('x');
	assert_string_equal(typed, "ax");
	assert_ptr_equal(focused(), &vm[0]);
}

static void without_another_reader_the_focus_stays(void **state)
{
	focus_set(&vm[1]);
	vm[1].outcome = VM_FROZEN;
	vm[0].config = vm[2].config = &silent;
	assert_ptr_equal(focused(), &vm[1]);
	vms = &vm[2];
	assert_ptr_equal(focused(), &vm[2]);
	focus_set(&vm[2]); /* it runs, and need not read */
	vms = vm;
	vm[0].config = &reads;
	assert_ptr_equal(focused(), &vm[2]);
}

static void the_console_is_attached_when_it_is_free(void **state)
{
	assert_false(focus_take_wanted());
	focus_want_attach(&vm[1]);
	is_raw = true; /* the last bytes of another VM are still shown */
	assert_false(focus_take_wanted());
	is_raw = false;
	assert_true(focus_take_wanted());
	assert_false(focus_take_wanted());
	focus_attach();
	assert_ptr_equal(attached, &vm[1]);
}

static void the_console_is_not_attached_to_another_vm(void **state)
{
	focus_want_attach(&vm[1]);
	vm[1].outcome = VM_FAILED;
	assert_false(focus_take_wanted());
	vm[1].outcome = VM_RUNNING;
	assert_false(focus_take_wanted());
}

static void a_vcpu_is_chosen_until_the_focus_moves(void **state)
{
	vm[0].n_vcpus = 4;
	vm[1].n_vcpus = 1;
	assert_int_equal(focus_cpu(&vm[0]), 0);
	focus_set_cpu(3);
	assert_int_equal(focus_cpu(&vm[0]), 3);
	assert_int_equal(focus_cpu(&vm[1]), 0); /* the VM in focus has ended, this is the first */
	focus_set(&vm[0]);
	assert_int_equal(focus_cpu(&vm[0]), 0);
}

static void without_a_reader_nothing_is_said(void **state)
{
	for (unsigned i = 0; i < N_VMS; i++)
		vm[i].config = &silent;
	log_reset();
	focus_next();
	focus_type('x');
	focus_attach();
	assert_string_equal(logged, "");
	assert_string_equal(typed, "");
	assert_false(is_raw);
	assert_ptr_equal(focused(), &vm[0]);
	vms = NULL;
	focus_next();
	assert_null(focused());
}

static void bytes_go_to_the_vm_in_focus_or_the_first_reader(void **state)
{
	focus_set(&vm[1]);
	focus_type('1');
	vm[1].outcome = VM_ENDED_WELL;
	focus_type('2');
	focus_set(&vm[2]);
	vm[1].next = NULL; /* c has ended */
	focus_type('3');
	assert_string_equal(typed, "b1a2a3");
}

/* A guest that takes nothing for a second does not keep the operator out. */
static void a_full_fifo_holds_the_keyboard_for_a_second(void **state)
{
	focus_set(&vm[0]);
	has_room = true;
	assert_true(focus_has_room());
	has_room = false;
	tsc_hz = UINT64_MAX;
	assert_false(focus_has_room());
	assert_false(focus_has_room());
	tsc_hz = 0;
	assert_true(focus_has_room());
	vm[0].config = &silent;
	assert_true(focus_has_room());
	vms = NULL;
	assert_true(focus_has_room());
}

static void a_vm_is_woken_while_bytes_wait(void **state)
{
	focus_set(&vm[0]);
	has_input = true;
	focus_wake();
	focus_wake();
	assert_int_equal(n_requests, 2);
	has_input = false;
	focus_wake();
	has_input = true;
	focus_wake(); /* nothing was typed since */
	assert_int_equal(n_requests, 2);
	assert_true(focus_has_room());
	focus_set(&vm[0]);
	vm[0].config = &silent;
	focus_wake();
	focus_set(&vm[0]);
	vms = NULL;
	focus_wake();
	assert_int_equal(n_requests, 2);
}

static void the_console_is_attached_to_one_vm(void **state)
{
	focus_set(&vm[1]);
	focus_attach();
	assert_ptr_equal(attached, &vm[1]);
	assert_true(is_raw);
	focus_attach();
	assert_false(is_raw);
	attached = NULL;
	is_raw = true; /* the last bytes of the one before are still shown */
	focus_attach();
	assert_null(attached);
}

static void a_vm_may_end_before_it_is_attached(void **state)
{
	freezes_while_printing = true;
	attached = &vm[0];
	focus_attach();
	assert_null(attached);
	is_raw = freezes_while_printing = false;
	ends_while_printing = true;
	attached = &vm[1];
	focus_attach();
	assert_null(attached);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_vm_has_its_turn),
		TEST(vms_that_do_not_read_are_passed),
		TEST(the_focus_leaves_a_vm_that_becomes_a_template),
		TEST(without_another_reader_the_focus_stays),
		TEST(the_console_is_attached_when_it_is_free),
		TEST(the_console_is_not_attached_to_another_vm),
		TEST(a_vcpu_is_chosen_until_the_focus_moves),
		TEST(without_a_reader_nothing_is_said),
		TEST(bytes_go_to_the_vm_in_focus_or_the_first_reader),
		TEST(a_full_fifo_holds_the_keyboard_for_a_second),
		TEST(a_vm_is_woken_while_bytes_wait),
		TEST(the_console_is_attached_to_one_vm),
		TEST(a_vm_may_end_before_it_is_attached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
