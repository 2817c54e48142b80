/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects and DIMMs for a running VM, step by step: what is there after each end, in each step. */
#include "hv/monitor/hotplug_job.h"

#include <stdio.h>
#include <string.h>

#include "hv/config/hotplug.h"
#include "hv/guest/reserve.h"
#include "hv/monitor/job.h"
#include "hv/vm/added.h"
#include "hv/vm/hotplug.h"
#include "hv/vm/news.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "tests/unit/hotplug_vms.h"
#include "tests/unit/machine_frames.h"
#include "tests/unit/running_vm.h"

#define LINE "vm v -m 16M,slots=2,maxmem=1G -kernel /k"
#define RAM  "qom-type=memory-backend-ram,id=m,size=2M"
#define DIMM "driver=pc-dimm,id=d,memdev=m"

uint64_t tsc_hz = 1000000000;

static struct vcpu vcpu;
static struct vm *vm;
static char said[4096];
static uint64_t n_free;

static void hear(const char *text, size_t len)
{
	size_t n = strlen(said);

	assert_true(n + len < sizeof(said));
	memcpy(said + n, text, len);
	said[n + len] = '\0';
}

static unsigned steps_left; /* of a job */

static bool has_room(void)
{
	return steps_left > 0 && steps_left-- > 0;
}

static const struct listener listener = {hear, has_room};

struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}

struct vm *vm_find(unsigned index)
{
	return vms;
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	return true;
}

void vm_kick_receivers(struct vm *of)
{
	of->platform.irqchip.kicked = false;
}

size_t console_waiting(void)
{
	return 0;
}

void console_write_raw(const char *text, size_t len)
{
}

void vm_pause(struct vm *of, bool on)
{
	of->vcpu->is_paused = on;
}

static void vm_begins_again(void)
{
	vms = vm;
	vcpu.is_paused = false;
	vm->mem->n = 0;
	vm->memory.last = NULL;
	hotplug_clear_slot(vm, 0);
	assert_int_equal(memory_layout(vm->config, vm->mem), OK);
	assert_int_equal(ept_init(&vm->ept, 2, EPT_UNLIMITED), OK);
}

/* It runs, and has no tables yet. */
static int set_up(void **state)
{
	const struct vm like = {.name = "v", .vcpu = &vcpu, .n_vcpus = 1};

	if (vm == NULL) {
		machine_frames_add(MIB(128));
		vm = running_make(&like, LINE);
		hotplug_job_setup(&running_images);
		say_to(&listener);
	}
	ept_destroy(&vm->ept);
	vm_begins_again();
	vm->outcome = VM_RUNNING;
	vm->actions = 0;
	*said = '\0';
	n_free = frame_available();
	return 0;
}

static void work_some(unsigned n_steps)
{
	steps_left = n_steps;
	while (job_is_running() && steps_left > 0)
		job_work();
}

static void work(void)
{
	while (job_is_running())
		work_some(1000);
}

static const char *answer(void)
{
	static char text[sizeof(said)];

	work();
	strcpy(text, said);
	*said = '\0';
	return text;
}

static const char *add_object(const char *text)
{
	hotplug_job_object_add(vm, text, strlen(text));
	return answer();
}

static const char *del_object(const char *id)
{
	hotplug_job_object_del(vm, id);
	return answer();
}

static const char *add_device(const char *text)
{
	hotplug_job_device_add(vm, text, strlen(text));
	return answer();
}

/* The guest gives up what is in a slot. */
static void eject(unsigned slot)
{
	const struct io_access access = {.off = MEMORY_SLOTS_FLAGS, .size = 1, .value = SLOT_EJECT};

	platform_slots(&vm->platform)->selected = slot;
	assert_int_equal(memory_slots_class.write(platform_slots(&vm->platform), &access),
			 WISH_EJECT);
	hotplug_note_eject();
}

/* The VM has ended and is buried: what was added is left to the boot processor. */
static void vm_ends(void)
{
	vms = NULL;
	added_leave(vm);
	reserve_end(vm->mem);
	ept_destroy(&vm->ept);
}

static void clean_up(void)
{
	while (hotplug_job_begin_due(), job_is_running() || added_clean_up())
		work();
}

/* A table of the VM's tree may stay for the next DIMM. */
static void is_as_before(void)
{
	assert_in_range(frame_available(), n_free - 8, n_free);
	assert_null(vm->config->dimms);
	assert_null(hotplug_find_object(vm->config, "m"));
	assert_false(vcpu.is_paused);
}

static void take_out(void)
{
	hotplug_device_del(vm, "d");
	eject(0);
	hotplug_job_begin_due();
	assert_string_equal(answer(), "");
	assert_string_equal(del_object("m"), "");
	is_as_before();
}

static void memory_comes_and_goes(void **state)
{
	static const char *const more[] = {"", ",reserve=on", ",prealloc=on", ",share=on"};
	char object[128];

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		snprintf(object, sizeof(object), "%s%s", RAM, more[i]);
		assert_string_equal(add_object(object), "");
		assert_string_equal(add_device(DIMM), "");
		assert_int_equal(hotplug_last_dimm(vm->config)->slot, 0);
		assert_true(hotplug_find_object(vm->config, "m")->busy);
		assert_string_equal(del_object("m"),
				    "Error: object 'm' is in use, can not be deleted\n");
		take_out();
	}
}

/* A file's bytes wait for the VM's own copy; a read-only one needs none. */
static void a_file_comes_and_goes(void **state)
{
	assert_string_equal(add_object("qom-type=memory-backend-file,id=m,size=8M,mem-path=/d/f8,"
				       "share=on"),
			    "");
	assert_string_equal(add_device(DIMM), "");
	take_out();
	assert_string_equal(add_object("qom-type=memory-backend-file,id=m,size=8M,mem-path=/d/f8,"
				       "share=on,discard-data=on"),
			    "");
	assert_string_equal(del_object("m"), "");
	is_as_before();
}

static void what_cannot_be_is_refused(void **state)
{
	assert_non_null(strstr(add_object("qom-type=x,id=m"), "Error: "));
	assert_string_equal(del_object("m"), "Error: object 'm' not found\n");
	assert_string_equal(add_device("driver=pc-dimm,id=d,memdev=m"),
			    "Error: Device 'm' not found\n");
	hotplug_device_del(vm, "d");
	assert_string_equal(answer(), "Error: Device 'd' not found\n");
	assert_string_equal(add_object(RAM), "");
	vm->is_debugged = true;
	assert_non_null(strstr(add_object(RAM), "gdb"));
	assert_non_null(strstr(del_object("m"), "gdb"));
	assert_non_null(strstr(add_device(DIMM), "gdb"));
	vm->is_debugged = false;
	hotplug_job_device_add(vm, DIMM, strlen(DIMM));
	vm->is_debugged = true; /* a debugger has come in between */
	assert_non_null(strstr(answer(), "gdb"));
	vm->is_debugged = false;
	assert_string_equal(del_object("m"), "");
	is_as_before();
}

/* Its vCPUs stop, or an action is carried out: the job waits. */
static void a_vm_that_is_busy_is_waited_for(void **state)
{
	assert_string_equal(add_object(RAM), "");
	hotplug_job_device_add(vm, DIMM, strlen(DIMM));
	vm->actions = 1;
	work_some(3);
	assert_true(job_is_running() && vcpu.is_paused);
	assert_null(vm->config->dimms);
	vm->actions = 0;
	assert_string_equal(answer(), "");
	eject(0);
	hotplug_job_begin_due();
	vm->actions = 1;
	work_some(3);
	assert_true(job_is_running());
	vm->actions = 0;
	work();
	assert_null(vm->config->dimms);
	assert_string_equal(del_object("m"), "");
	is_as_before();
}

/* The only command that needs frames beyond the DIMM's says what is missing, and undoes the rest.
 */
static void without_frames_nothing_stays(void **state)
{
	static const char *const more[] = {",reserve=on", ",prealloc=on"};
	char object[128];
	phys_t taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		snprintf(object, sizeof(object), "%s%s", RAM, more[i]);
		assert_string_equal(add_object(object), "");
		while (frame_available() > 300) {
			phys_t frame = frame_alloc();

			*(phys_t *)phys_to_virt(frame) = taken;
			taken = frame;
		}
		assert_non_null(strstr(add_device(DIMM),
				       i ? "Cannot allocate memory" : "not enough memory"));
		assert_null(vm->config->dimms);
		while (taken) {
			phys_t frame = taken;

			taken = *(phys_t *)phys_to_virt(frame);
			frame_free(frame);
		}
		assert_string_equal(del_object("m"), "");
		is_as_before();
	}
}

static void begin_add_object(void)
{
	hotplug_job_object_add(vm, RAM, strlen(RAM));
}

static void begin_del_object(void)
{
	assert_string_equal(add_object(RAM), "");
	hotplug_job_object_del(vm, "m");
}

static void begin_add_device(void)
{
	assert_string_equal(add_object(RAM ",reserve=on"), "");
	hotplug_job_device_add(vm, DIMM, strlen(DIMM));
}

static void begin_eject(void)
{
	assert_string_equal(add_object(RAM ",reserve=on"), "");
	assert_string_equal(add_device(DIMM), "");
	eject(0);
	hotplug_job_begin_due();
}

/* In each step of each command: nothing is lost, and nothing freed twice. */
static void the_vm_may_end_at_any_time(void **state)
{
	void (*const begin[])(void) = {begin_add_object, begin_del_object, begin_add_device,
				       begin_eject};

	for (size_t i = 0; i < ARRAY_SIZE(begin); i++) {
		unsigned n = 0;

		for (bool goes_on = true; goes_on; n++) {
			begin[i]();
			work_some(n);
			goes_on = job_is_running();
			vm_ends();
			work();
			assert_string_equal(said, goes_on && begin[i] != begin_eject
							  ? "Error: the VM has ended\n"
							  : "");
			*said = '\0';
			clean_up();
			vm_begins_again();
			is_as_before();
		}
		assert_true(n > 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_comes_and_goes, set_up),
		cmocka_unit_test_setup(a_file_comes_and_goes, set_up),
		cmocka_unit_test_setup(what_cannot_be_is_refused, set_up),
		cmocka_unit_test_setup(a_vm_that_is_busy_is_waited_for, set_up),
		cmocka_unit_test_setup(without_frames_nothing_stays, set_up),
		cmocka_unit_test_setup(the_vm_may_end_at_any_time, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
