/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem() */
/*
 * Templates over the real tree: freezing, cloning by lines of the configuration, and burial. vCPUs
 * and devices are played by this test.
 */
#include <asm/prctl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hv/vm/bury.c"
#include "hv/vm/checksum.c"
#include "hv/vm/hold.c"
#include "hv/vm/map.c"
#include "hv/vm/others.c"
#include "hv/vm/protect.c"
#include "hv/vm/template.c"
#include "hv/vm/vm.c"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MEMORY MIB(64)
#define WEIGHT 300

static struct vm_config config = {.topology.n_cpus = 1};
static unsigned n_started; /* vCPUs of VMs that have started */
static phys_t taken;	   /* all free frames, chained */
static uint64_t n_free;
static unsigned n_protected; /* frames that the hypervisor cannot write */
static bool is_everywhere;   /* no processor has an old translation */
static unsigned n_charges;
static unsigned n_copied; /* vCPUs that were made for clones */
static unsigned n_copied_when_paused;
static bool others_would_halt;
static uint64_t charged; /* ticks, to VMs that have ended */
unsigned n_cpus;
struct cpu *cpus[CPU_MAX];

struct vcpu_shared vcpu_shared;
uint64_t tsc_hz = 1000000;

void panic(const char *fmt, ...)
{
	abort();
}

void host_apic_send_wake(uint32_t apic_id)
{
}

/*
 * Work that takes the longer the larger a template is. No processor may wait for it: whenever it is
 * done, in any test, neither the list of VMs nor that of this processor's new ones is locked.
 */
enum long_work {
	RELEASES_TREE = 1,
	SUMS_LAYER = 2,
	LIFTS_PROTECTION = 4,
	FREES_LAYER = 8,
	PUTS_LAYER = 16,
	FREES_WORKING_SET = 32,
	FREES_FRAME = 64,
	ALL_LONG_WORK = 127
};
static unsigned long_work; /* enum long_work */

static void note_work(enum long_work work)
{
	const struct lock *mine = &this_cpu()->new_vms.lock;

	assert_int_equal(vms_lock.next, vms_lock.serving);
	assert_int_equal(mine->next, mine->serving);
	long_work |= work;
}

void __real_ept_destroy(struct ept *ept);
void __wrap_ept_destroy(struct ept *ept);
void __wrap_ept_destroy(struct ept *ept)
{
	note_work(RELEASES_TREE);
	__real_ept_destroy(ept);
}

bool __real_ept_layer_sum_some(struct ept_layer *layer, struct ept_layer_sum *ret, unsigned n);
bool __wrap_ept_layer_sum_some(struct ept_layer *layer, struct ept_layer_sum *ret, unsigned n);
bool __wrap_ept_layer_sum_some(struct ept_layer *layer, struct ept_layer_sum *ret, unsigned n)
{
	note_work(SUMS_LAYER);
	return __real_ept_layer_sum_some(layer, ret, n);
}

bool __real_ept_layer_free_some(struct ept_layer *layer, unsigned n);
bool __wrap_ept_layer_free_some(struct ept_layer *layer, unsigned n);
bool __wrap_ept_layer_free_some(struct ept_layer *layer, unsigned n)
{
	note_work(FREES_LAYER);
	return __real_ept_layer_free_some(layer, n);
}

void __real_ept_layer_put(struct ept_layer *layer);
void __wrap_ept_layer_put(struct ept_layer *layer);
void __wrap_ept_layer_put(struct ept_layer *layer)
{
	note_work(PUTS_LAYER);
	__real_ept_layer_put(layer);
}

void __real_working_set_free(phys_t set);
void __wrap_working_set_free(phys_t set);
void __wrap_working_set_free(phys_t set)
{
	note_work(FREES_WORKING_SET);
	__real_working_set_free(set);
}

void __real_frame_free(phys_t frame);
void __wrap_frame_free(phys_t frame);
void __wrap_frame_free(phys_t frame)
{
	note_work(FREES_FRAME);
	__real_frame_free(frame);
}

void paging_protect_frame(phys_t frame, bool write)
{
	note_work(LIFTS_PROTECTION);
	n_protected += write ? -1U : 1;
}

uint64_t paging_renew(void)
{
	return 1;
}

bool paging_is_everywhere(uint64_t wanted)
{
	return is_everywhere;
}

static unsigned n_platform_copies;

void platform_copy(struct platform *to, const struct platform *from)
{
	n_platform_copies++;
}

void platform_keep(struct platform *platform)
{
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
	n_started += n;
}

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
	charged += ticks;
}

void sched_charge_ended(uint16_t weight, uint64_t ticks)
{
	assert_int_equal(weight, WEIGHT);
	n_charges++;
	charged += ticks;
}

void sched_pause(struct vcpu *vcpus, unsigned n, bool on)
{
	n_copied_when_paused = n_copied;
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	return true;
}

void sched_request(struct vcpu *of, uint32_t requests)
{
	vcpu_request(of, requests);
}

void vcpu_create_copy(struct vcpu *to, struct vm *vm, struct ept *ept, struct lapic *lapic,
		      const struct vcpu *from)
{
	to->vm = vm;
	to->regs.requests = 0;
	n_copied++;
}

bool sched_would_halt(const struct vcpu *of)
{
	return others_would_halt;
}

static unsigned n_loaded_copies;

void vcpu_copy(struct vcpu *to, const struct vcpu *from)
{
}

void vcpu_copy_loaded(struct vcpu *to, const struct vcpu *from)
{
	assert_ptr_equal(from, to->vm->template->vcpu);
	n_loaded_copies++;
}

void vcpu_keep(struct vcpu *of)
{
	assert_non_null(of->xsave_area);
}

void vcpu_free_scratch(struct vcpu *of)
{
}

void vm_flush_output(struct vm *of)
{
}

void vm_identity_make(struct vm *of)
{
}

void vm_identity_renew(struct vm *of)
{
}

enum status vm_identity_hide(struct vm *of)
{
	return OK;
}

void vm_net_leave(struct vm *of)
{
}

void vm_net_renew(struct vm *of)
{
}

void vm_merge_pause(struct vm *of)
{
}

void vm_output_put(struct vm *of, const char *line, size_t len)
{
}

void vm_output_pays(struct vm *of)
{
}

bool vm_output_detach(const struct vm *of)
{
	return false;
}

void vm_output_leave(struct vm *of)
{
}

static unsigned n_discards; /* pieces that are left */

bool vm_discard_some(struct vm *of)
{
	return n_discards > 0 && --n_discards > 0;
}

void vm_release(struct vm *of)
{
	assert_int_equal(n_discards, 0);
	ept_destroy(&of->ept);
}

void save_queue_note(struct vm *of)
{
}

/* A VM that is listed and has written n pages. */
static struct vm *make_vm(const char *name, unsigned n_pages)
{
	struct vm_shared *shared;
	struct vm *vm = vm_allocate(&config, &shared);
	phys_t frame;

	assert_non_null(vm);
	vm->name = name;
	vm->config = &config;
	vm->share.weight = WEIGHT;
	vm->vcpu->vm = vm;
	assert_int_equal(ept_init(&vm->ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(ept_map_zero(&vm->ept, (gpa_t){0}, GIB(1)), OK);
	for (unsigned i = 0; i < n_pages; i++)
		assert_int_equal(ept_copy(&vm->ept, (gpa_t){i * PAGE_SIZE}, &frame), OK);
	vm_list(vm);
	return vm;
}

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

static int be_a_processor(void **state)
{
	static struct cpu cpu = {.self = &cpu};

	cpus[0] = &cpu;
	n_cpus = 1;
	return arch_prctl(ARCH_SET_GS, &cpu);
}

static void destroy(struct vm *template)
{
	vms_acquire();
	template_give_up(template);
	lock_release(&vms_lock);
}

static void take_all_frames(void)
{
	phys_t frame;

	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = taken;
		taken = frame;
	}
}

static void give_one_back(void)
{
	phys_t frame = taken;

	taken = *(phys_t *)phys_to_virt(frame);
	frame_free(frame);
}

static char entries[4096] __attribute__((aligned(16)));
static struct arena arena;
static struct image_list ramdisk;

static void set_line(struct clone_config *line)
{
	template_set_config(line);
	arena = (struct arena){.base = entries, .size = sizeof(entries)};
	ramdisk = (struct image_list){.arena = &arena};
	map_set_config(&ramdisk);
	template_lines_wait = false;
}

static int begin(void **state)
{
	machine_frames_add(MEMORY);
	vms = NULL;
	vms_end = &vms;
	assert_int_equal(ept_setup(), OK);
	set_line(NULL);
	n_started = n_copied = 0;
	config.topology.n_cpus = 1;
	n_free = frame_available();
	log_reset();
	return 0;
}

static struct vm *find_clone(void)
{
	struct vm *vm;

	vms_gather();
	vm = vms;

	while (vm && vm->outcome == VM_FROZEN)
		vm = vm->next;
	return vm;
}

/* After the last VM, all memory is free again. */
static int end(void **state)
{
	struct vm *clone;

	is_everywhere = true;
	while (taken != 0)
		give_one_back();
	template_give_up_all();
	while ((clone = find_clone()) != NULL) {
		ept_destroy(&clone->ept);
		template_vm_gone(clone);
	}
	while (checksum_work())
		;
	checksum_set(false);
	template_bury_all();
	is_on = false;
	assert_int_equal(frame_available(), n_free);
	return 0;
}

static void a_burial_lets_clones_start_that_have_waited(void **state)
{
	static struct clone_config line = {.template = "t", .count = 1, .parallel = 1};
	struct vm *big = make_vm("big", 500), *vm = make_vm("t", 1);

	set_line(&line);
	assert_true(template_freeze(big));
	take_all_frames();
	give_one_back(); /* for the layer */
	assert_true(template_freeze(vm));
	assert_true(clone_line_waits(&line));
	assert_int_equal(n_started, 0);

	destroy(big);
	while (template_bury(100))
		;
	assert_false(template_has_graves());
	assert_int_equal(n_started, 1);
	assert_false(clone_line_waits(&line));
}

/* The next clone needs no memory besides. */
static void a_clone_takes_the_place_of_the_one_that_ended(void **state)
{
	static struct clone_config line;
	struct vm *vm = make_vm("t", 1), *clone;

	line = (struct clone_config){.template = "t", .count = 2, .parallel = 1};
	set_line(&line);
	assert_true(template_freeze(vm));
	take_all_frames();
	clone = find_clone();
	assert_string_equal(vm_name(clone), "t-0");
	vm_release(clone);
	template_vm_gone(clone);
	assert_string_equal(vm_name(find_clone()), "t-1");
	assert_false(clone_line_waits(&line));
}

#define JOBS "one\n\ntwo\nthree"

static void end_job_of(const char *name, uint16_t wait_status)
{
	struct vm *vm = vms;

	while (strcmp(vm_name(vm), name) != 0)
		vm = vm->next;
	map_job_ends(vm, wait_status);
	map_report(vm, 3);
	vm_release(vm);
	template_vm_gone(vm);
	while (map_finish_some())
		;
}

/* Without the time it took. */
static bool has_reported(const char *text)
{
	return strstr(logged, text) != NULL;
}

static struct vm *running(const char *name)
{
	struct vm *vm;

	vms_acquire();
	vm = vms;
	lock_release(&vms_lock);
	while (vm && strcmp(vm_name(vm), name) != 0)
		vm = vm->next;
	return vm;
}

/* A page for the jobs: their memory counts in end(). */
static uint64_t timeout_ms; /* of the next map */

static struct clone_config *set_map_with(unsigned parallel, const char *out)
{
	static struct map_config map;
	static struct clone_config line;
	static struct image jobs;
	static _Alignas(PAGE_SIZE) char text[PAGE_SIZE];

	memcpy(text, JOBS, sizeof(JOBS) - 1);
	jobs = (struct image){.base = virt_to_phys(text), .size = sizeof(JOBS) - 1};
	map = (struct map_config){
		.first = 7, .jobs_image = &jobs, .out = out, .timeout_ms = timeout_ms};
	timeout_ms = 0;
	line = (struct clone_config){
		.template = "t", .count = 3, .parallel = parallel, .map = &map};
	has_failed = false;
	set_line(&line);
	return &line;
}

static struct clone_config *set_map(unsigned parallel)
{
	return set_map_with(parallel, NULL);
}

static void each_job_of_a_map_has_a_clone(void **state)
{
	struct vm *vm = make_vm("t", 1);

	(void)set_map(2);
	assert_true(template_freeze(vm));
	assert_int_equal(n_started, 2);
	assert_string_equal(running("t-7")->platform.fw_cfg.identity.job, "one");
	assert_string_equal(running("t-8")->platform.fw_cfg.identity.job, "two");
	assert_true(running("t-8")->platform.job_port.is_there);
	assert_null(running("t-9"));

	end_job_of("t-8", 0);
	assert_true(
		has_reported("map: {\"job\": 8, \"name\": \"t-8\", \"end\": \"exit\", \"status\": "
			     "0, \"signal\": 0, \"ms\": "));
	assert_string_equal(running("t-9")->platform.fw_cfg.identity.job, "three");
	end_job_of("t-9", 0);
	assert_false(has_reported("3 jobs"));
	end_job_of("t-7", 0);
	assert_true(has_reported("map: t: 3 jobs: 3 exit 0, 0 others\n"));
	assert_true(map_all_are_well());
}

/* Other clones are numbered after the jobs. */
static void clones_without_a_job_have_other_numbers(void **state)
{
	struct vm *vm = make_vm("t", 1), *clone;

	(void)set_map(1);
	assert_true(template_freeze(vm));
	clone = template_clone(vm, NULL);
	assert_string_equal(vm_name(clone), "t-10");
	assert_null(clone->platform.fw_cfg.identity.job);
	assert_false(clone->platform.job_port.is_there);
	vm_list(clone);
	end_job_of("t-7", 0);
	end_job_of("t-8", 0);
	end_job_of("t-9", 0);
}

static void a_job_that_does_not_exit_with_0_fails_the_run(void **state)
{
	struct vm *vm = make_vm("t", 1);

	(void)set_map(1);
	assert_true(template_freeze(vm));
	end_job_of("t-7", 0);
	end_job_of("t-8", 0x0300);
	assert_true(has_reported("\"end\": \"exit\", \"status\": 3, \"signal\": 0"));
	end_job_of("t-9", 0x8b);
	assert_true(has_reported("\"end\": \"signal\", \"status\": 0, \"signal\": 11"));
	assert_true(has_reported("map: t: 3 jobs: 1 exit 0, 2 others\n"));
	assert_false(map_all_are_well());
}

/* The clone has ended before its job wrote a status. */
static void who_ends_a_clone_decides_how_its_job_ended(void **state)
{
	struct vm *vm = make_vm("t", 1);

	(void)set_map(3);
	assert_true(template_freeze(vm));
	vm_end(running("t-7"), VM_FAILED, "a \"mishap\"");
	end_job_of("t-7", 0);
	assert_true(has_reported("\"end\": \"crash\", \"status\": 0, \"signal\": 0"));
	assert_true(has_reported("\"reason\": \"a \\\"mishap\\\"\"}"));
	running("t-8")->by_operator = VM_BY_NAME;
	vm_end(running("t-8"), VM_ENDED_WELL, "ended by the operator");
	end_job_of("t-8", 0);
	assert_true(has_reported("\"end\": \"ended\", \"status\": 0, \"signal\": 0"));
	end_job_of("t-9", 0);
}

static void wait_ms(unsigned ms)
{
	uint64_t begin = rdtsc();

	while (rdtsc() - begin <= ms * tsc_hz / 1000)
		;
}

/* A millisecond of this test has 1000 ticks: it is over at once. */
static void a_job_that_takes_too_long_is_ended(void **state)
{
	struct vm *vm = make_vm("t", 1);

	timeout_ms = 1;
	(void)set_map(2);
	assert_true(template_freeze(vm));
	map_job_ends(running("t-8"), 0);
	wait_ms(1);
	map_end_late();
	assert_true(running("t-7")->is_ending);
	end_job_of("t-7", 0);
	assert_true(has_reported("\"job\": 7, \"name\": \"t-7\", \"end\": \"timeout\", "
				 "\"status\": 0, \"signal\": 0, "));
	end_job_of("t-8", 0x100); /* has ended before, with 0 */
	assert_true(
		has_reported("\"job\": 8, \"name\": \"t-8\", \"end\": \"exit\", \"status\": 0"));
	map_end_late();
	end_job_of("t-9", 0);
}

static void a_job_in_time_goes_on(void **state)
{
	struct vm *vm = make_vm("t", 1);

	timeout_ms = 1000000000;
	(void)set_map(3);
	assert_true(template_freeze(vm));
	map_end_late();
	look_at = 0;
	map_end_late();
	assert_true(look_at > rdtsc() && look_at < UINT64_MAX);
	assert_false(running("t-7")->is_ending);
	end_job_of("t-7", 0);
	end_job_of("t-8", 0);
	end_job_of("t-9", 0);
}

static void a_job_may_use_up_its_memory(void **state)
{
	struct vm *vm = make_vm("t", 1);

	map_note_memory(vm); /* has no job */
	(void)set_map(1);
	assert_true(template_freeze(vm));
	assert_true(vm_end(running("t-7"), VM_FAILED, "its max-private is used up, at 0x1000"));
	map_note_memory(running("t-7"));
	end_job_of("t-7", 0);
	assert_true(has_reported("\"end\": \"memory\", \"status\": 0, \"signal\": 0"));
	assert_true(has_reported("\"reason\": \"its max-private is used up, at 0x1000\"}"));
	end_job_of("t-8", 0);
	end_job_of("t-9", 0);
}

/* The same job is tried again, not the next one. */
static void a_job_without_memory_is_run_later(void **state)
{
	struct vm *vm = make_vm("t", 1);
	struct clone_config *line = set_map(1);

	take_all_frames();
	give_one_back(); /* for the layer */
	assert_true(template_freeze(vm));
	assert_true(clone_line_waits(line));
	while (taken != 0)
		give_one_back();
	template_retry_lines();
	assert_string_equal(running("t-7")->platform.fw_cfg.identity.job, "one");
	end_job_of("t-7", 0);
	end_job_of("t-8", 0);
	end_job_of("t-9", 0);
	assert_true(has_reported("map: t: 3 jobs: 3 exit 0, 0 others\n"));
}

static void jobs_that_were_not_run_are_said(void **state)
{
	struct vm *vm = make_vm("t", 1);

	(void)set_map(1);
	assert_true(template_freeze(vm));
	destroy(vm);
	end_job_of("t-7", 0);
	assert_false(map_all_are_well());
	assert_true(has_reported("map: t: 2 of 3 jobs were not run\n"));
}

static void write_result(const char *name, const char *text)
{
	map_write(running(name), JOB_STDOUT, text, strlen(text));
}

static void put_file(const char *name)
{
	static const char file[] = "n\0contents";

	map_write(running(name), JOB_FILE, file, sizeof(file) - 1);
	map_put(running(name));
}

static void the_archive_does_not_depend_on_the_order(void **state)
{
	static const char *const orders[2][3] = {{"t-7", "t-8", "t-9"}, {"t-9", "t-7", "t-8"}};
	static char first[KIB(8)];
	uint64_t size = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct vm *vm = make_vm("t", 1);
		const struct image *image;

		(void)set_map_with(3, "/results");
		assert_true(template_freeze(vm));
		write_result("t-8", "lost");
		map_begin_again(running("t-8"));
		for (unsigned n = 0; n < 3; n++) {
			write_result(orders[i][n], orders[i][n]);
			put_file(orders[i][n]);
			assert_false(running(orders[i][n])->platform.job_port.is_refused);
			put_file(orders[i][n]);
			assert_true(running(orders[i][n])->platform.job_port.is_refused);
			assert_int_equal(ramdisk.first->size, 0);
			end_job_of(orders[i][n], 0);
		}
		image = ramdisk.first;
		assert_string_equal(image->path, "/results");
		assert_int_equal(image->size % 512, 0);
		assert_true(image->grown && image->size < sizeof(first));
		if (i == 0) {
			size = image->size;
			memcpy(first, phys_to_virt(image->base), size);
		}
		assert_int_equal(image->size, size);
		assert_memory_equal(phys_to_virt(image->base), first, size);
		image_remove(&ramdisk, ramdisk.first);
		destroy(vm);
		template_bury_all();
	}
	assert_non_null(memmem(first, size, "t-8/stdout\0\0\0\0t-8", 17));
}

/* Nothing is left of a map whose template was not made. */
static void without_a_template_there_is_no_archive(void **state)
{
	(void)set_map_with(3, "/results");
	assert_non_null(ramdisk.first);
	assert_false(map_all_are_well());
	assert_true(has_reported("map: t: 3 of 3 jobs were not run\n"));
	assert_null(ramdisk.first);
}

static void results_need_memory(void **state)
{
	struct clone_config *line;

	take_all_frames();
	for (unsigned i = 0; i < 3; i++)
		give_one_back();
	line = set_map_with(3, "/results");
	assert_int_equal(line->count, 0);
	assert_null(ramdisk.first);
	assert_true(has_reported("map: t: no memory for the results of 3 jobs: "));
	assert_false(map_all_are_well());
}

/* It would have no end. */
static void a_clone_with_a_job_does_not_become_a_template(void **state)
{
	struct vm *vm = make_vm("t", 1);

	(void)set_map(1);
	assert_true(template_freeze(vm));
	assert_false(template_freeze(running("t-7")));
	assert_true(running("t-7")->platform.control.answer == CONTROL_REFUSED);
	end_job_of("t-7", 0);
	end_job_of("t-8", 0);
	end_job_of("t-9", 0);
}

/* Its vCPU has run nowhere, and has no place for its registers yet, which its clones need. */
static void a_clone_that_has_not_run_needs_memory_to_freeze(void **state)
{
	struct vm *vm = make_vm("t", 1), *clone;

	assert_true(template_freeze(vm));
	clone = template_clone(vm, "c");
	vm_list(clone);
	clone->vcpu->xsave_area = NULL;
	vcpu_shared.cpuid.basic[0xd].ecx = 832;
	take_all_frames();
	assert_false(template_freeze(clone));
	assert_false(template_is_freezing(clone));
	assert_int_equal(clone->platform.control.answer, CONTROL_REFUSED);
	for (unsigned i = 0; !template_freeze(clone); i++) {
		assert_in_range(i, 0, 3);
		give_one_back();
	}
	assert_true(is_aligned((uintptr_t)clone->vcpu->xsave_area, PAGE_SIZE));
	vcpu_shared.cpuid.basic[0xd].ecx = 0;
	destroy(clone);
	destroy(vm);
}

static void a_disk_that_all_clones_would_write_is_refused(void **state)
{
	struct virtio_blk_config device = {0};
	struct drive_config drive = {.device = &device};
	struct vm *vm = make_vm("t", 1);

	config.drives = &drive;
	assert_false(template_freeze(vm));
	assert_false(template_is_freezing(vm));
	assert_int_equal(vm->platform.control.answer, CONTROL_REFUSED);
	drive.share_rw = true;
	assert_true(template_freeze(vm));
	config.drives = NULL;
	destroy(vm);
}

/* Private memory from address 0 on. */
static void give_memory(struct vm *vm)
{
	const struct mem_region region = {.len = MIB(64), .kind = MEM_COW};

	assert_int_equal(mem_map_add(vm->mem, &region), OK);
}

/* How many of its first pages the clone owns. */
static unsigned count_copies(const struct vm *clone)
{
	unsigned n = 0, level;

	while (ept_lookup(&clone->ept, (gpa_t){n * PAGE_SIZE}, &level) & EPT_OWN)
		n++;
	return n;
}

static void write_pages(struct vm *clone, unsigned n)
{
	phys_t frame;

	while (n-- > 0) {
		assert_int_equal(ept_copy(&clone->ept, (gpa_t){n * PAGE_SIZE}, &frame), OK);
		*(uint64_t *)phys_to_virt(frame) = 4711;
	}
}

/* With copies of the template's bytes. */
static void expect_copies(struct vm *clone, unsigned n)
{
	assert_int_equal(count_copies(clone), n);
	while (n-- > 0) {
		unsigned level;
		uint64_t entry = ept_lookup(&clone->ept, (gpa_t){n * PAGE_SIZE}, &level);

		assert_int_equal(*(uint64_t *)phys_to_virt(entry & EPT_ADDR), 0);
	}
}

static struct vm *clone_at_the_prompt(struct vm *template)
{
	struct vm *clone = template_clone(template, NULL);

	assert_non_null(clone);
	vm_list(clone);
	return clone;
}

static void copies_in_advance_are_for_reverts_and_the_operators_clones_too(void **state)
{
	static struct clone_config line, other;
	struct vm *vm = make_vm("t", 1), *clone, *early, *late;

	line = (struct clone_config){.template = "t", .count = 2, .parallel = 1, .precopy = true};
	set_line(&line);
	give_memory(vm);
	assert_true(template_freeze(vm));
	clone = running("t-0");
	early = clone_at_the_prompt(vm);
	expect_copies(clone, 0);
	expect_copies(early, 0);
	write_pages(clone, 20);
	template_revert(clone);
	expect_copies(clone, 20); /* the list is its own */
	late = clone_at_the_prompt(vm);
	expect_copies(late, 20);
	write_pages(early, 30);
	template_revert(early);
	expect_copies(early, 30); /* what it has stays */
	write_pages(early, 2 * 20 + RESTORE_MIN);
	template_revert(early);
	expect_copies(early, 20); /* too many: those of the list */
	template_revert(clone);
	expect_copies(clone, 20);
	/* Half of the limit. */
	clone->ept.max_owned = 20;
	template_revert(clone);
	assert_in_range(count_copies(clone), 1, 10);
	assert_true(clone->ept.n_owned <= 10);
	/* Another line has not asked for it. */
	other = (struct clone_config){.template = "t", .count = 1, .parallel = 1, .n_running = 1};
	late->made_for = &other;
	template_revert(late);
	expect_copies(late, 0);
	/* The next one of the line. */
	vm_release(clone);
	template_vm_gone(clone);
	expect_copies(running("t-3"), 20);
}

/* A clone keeps what its rounds change, and not for ever what an earlier one has. */
static void reverts_trim_what_is_not_changed(void **state)
{
	static struct clone_config line;
	struct vm *vm = make_vm("t", 1), *clone;

	line = (struct clone_config){.template = "t", .count = 1, .parallel = 1, .precopy = true};
	set_line(&line);
	give_memory(vm);
	assert_true(template_freeze(vm));
	clone = running("t-0");
	write_pages(clone, 20);
	for (unsigned i = 1; i < TRIM_EVERY; i++) {
		template_revert(clone);
		expect_copies(clone, 20);
		write_pages(clone, 5);
	}
	template_revert(clone);
	expect_copies(clone, 5);
}

static void a_revert_copies_devices_that_have_changed(void **state)
{
	static struct clone_config line;
	struct vm *vm = make_vm("t", 1), *clone;
	const struct control *control;
	unsigned n;

	line = (struct clone_config){.template = "t", .count = 1, .parallel = 1};
	set_line(&line);
	give_memory(vm);
	assert_true(template_freeze(vm));
	clone = running("t-0");
	control = &clone->platform.control;
	assert_false(clone->devices_changed);
	n = n_platform_copies;
	template_revert(clone);
	vm_lock_devices(clone);
	vm_unlock_devices_unchanged(clone);
	template_revert(clone);
	assert_int_equal(n_platform_copies, n);
	vm_lock_devices(clone);
	vm_unlock_devices(clone);
	template_revert(clone);
	assert_int_equal(n_platform_copies, n + 1);
	assert_false(clone->devices_changed);
	assert_int_equal(control->n_reverts, 3);
	assert_int_equal(control->answer, clone->number);
	assert_true(control->is_clone);
	n_loaded_copies = 0;
	template_revert_loaded(clone);
	assert_int_equal(n_loaded_copies, 1);
	assert_int_equal(control->n_reverts, 4);
	assert_int_equal(n_platform_copies, n + 1);
}

/* However long the list is. */
static void a_clone_keeps_no_more_than_is_copied_soon(void **state)
{
	enum { IN_A_FRAME = 510 };
	phys_t set = 0;

	assert_int_equal(restore_max(0), RESTORE_MIN);
	for (unsigned n = 1; n <= WORKING_SET_FRAMES_MAX; n++) {
		uint64_t expected = 2 * n * IN_A_FRAME + RESTORE_MIN;
		phys_t frame = frame_alloc();
		uint64_t *words = phys_to_virt(frame);

		words[0] = set;
		words[1] = IN_A_FRAME;
		set = frame;
		assert_int_equal(restore_max(set), expected < RESTORE_MAX ? expected : RESTORE_MAX);
	}
	assert_int_equal(restore_max(set), RESTORE_MAX);
	working_set_free(set);
}

static void no_copies_are_made_while_frames_are_scarce(void **state)
{
	static struct clone_config line;
	struct vm *vm = make_vm("t", 1), *clone;

	line = (struct clone_config){.template = "t", .count = 1, .parallel = 1, .precopy = true};
	set_line(&line);
	give_memory(vm);
	assert_true(template_freeze(vm));
	clone = running("t-0");
	write_pages(clone, 5);
	take_all_frames();
	for (unsigned i = 0; i < 100; i++)
		give_one_back();
	assert_true(frame_is_scarce());
	template_revert(clone);
	expect_copies(clone, 0);
	expect_copies(clone_at_the_prompt(vm), 0);
}

static void a_large_vm_freezes_in_pieces(void **state)
{
	struct vm *vm = make_vm("v", 3 * FREEZE_AT_ONCE);
	uint64_t n_owned = vm->ept.n_owned;
	unsigned n_pieces = 1;

	while (!template_freeze(vm)) {
		n_pieces++;
		assert_true(template_is_changing());
		assert_int_equal(vm->outcome, VM_RUNNING);
	}
	assert_true(n_pieces > 3);
	assert_false(template_is_changing());
	assert_int_equal(vm->outcome, VM_FROZEN);
	assert_int_equal(vm->layer->n_owned, n_owned);
}

static void freeze(struct vm *vm)
{
	while (!template_freeze(vm))
		;
}

/* It becomes a template, is given up, and is freed like any other one, in pieces. */
static void a_vm_may_be_ended_while_it_freezes(void **state)
{
	static struct clone_config line = {.template = "v", .count = 1, .parallel = 1};
	struct vm *vm = make_vm("v", 3 * FREEZE_AT_ONCE);
	unsigned n_pieces = 0;

	set_line(&line);
	assert_false(template_freeze(vm));
	assert_true(template_is_freezing(vm));
	vm_end(vm, VM_ENDED_WELL, "ended by the operator");
	freeze(vm);
	assert_int_equal(vm->outcome, VM_FROZEN);
	assert_int_equal(n_started, 0);
	assert_null(vms);
	while (template_has_graves()) {
		uint64_t n_before = frame_available();

		(void)template_bury(FREEZE_AT_ONCE);
		assert_true(frame_available() <= n_before + FREEZE_AT_ONCE);
		n_pieces++;
	}
	assert_true(n_pieces > 3);
	assert_int_equal(frame_available(), n_free);
}

/* A template needs no frames: what is left of its reserve is free again, a thousand at a time. */
static void a_template_returns_its_reserve_in_pieces(void **state)
{
	const struct frame_policy local = {.mode = FRAME_LOCAL};
	struct vm *vm = make_vm("v", 1);
	struct mem_region region = {.len = MIB(16), .kind = MEM_COW};
	unsigned n_pieces = 1;
	uint64_t n_free;

	region.reserve = frame_reserve_make(&local, 2500);
	assert_non_null(region.reserve);
	assert_int_equal(mem_map_add(vm->mem, &region), OK);
	for (n_free = frame_available(); !template_freeze(vm); n_free = frame_available()) {
		assert_in_range(frame_available(), n_free, n_free + 1001);
		n_pieces++;
	}
	assert_true(n_pieces >= 3);
	assert_null(vm->mem->region[0].reserve);
}

static void take_checksum(void)
{
	while (checksum_work())
		;
}

/* Clones start before. Other VMs have their turn in between, after the freeze and at the end. */
static void a_checksum_is_taken_in_pieces(void **state)
{
	enum { N_PAGES = 10 * CHECKSUM_AT_ONCE };
	static struct clone_config line = {.template = "v", .count = 1, .parallel = 1};
	struct vm *vm = make_vm("v", N_PAGES), *clone;
	unsigned n_pieces = 0;

	checksum_set(true);
	set_line(&line);
	freeze(vm);
	assert_int_equal(n_started, 1);
	assert_false(vm->layer->sum.is_complete);
	for (charged = 0; checksum_work(); n_pieces++)
		assert_true(charged > 0);
	assert_true(n_pieces >= 10 && vm->layer->sum.is_complete);
	assert_false(checksum_has_work());

	clone = find_clone();
	ept_destroy(&clone->ept);
	template_vm_gone(clone);
	destroy(vm);
	for (n_pieces = 0; strstr(logged, "template v: unchanged, checksum ") == NULL; n_pieces++)
		assert_true(template_bury(UINT32_MAX));
	assert_true(n_pieces >= 10);
}

/* If the operator destroys it meanwhile, it is freed later. */
static void a_template_is_held_until_its_checksum_is_taken(void **state)
{
	struct vm *vm = make_vm("v", 2 * CHECKSUM_AT_ONCE);

	checksum_set(true);
	freeze(vm);
	assert_true(checksum_work());
	destroy(vm);
	assert_false(template_has_graves());
	take_checksum();
	assert_true(template_has_graves());
	template_bury_all();
	assert_non_null(strstr(logged, "template v: unchanged, checksum "));
}

static void templates_get_their_checksums_one_after_the_other(void **state)
{
	struct vm *vms_of[3];

	checksum_set(true);
	for (unsigned i = 0; i < 3; i++) {
		vms_of[i] = make_vm("v", 10 + i);
		freeze(vms_of[i]);
	}
	take_checksum();
	for (unsigned i = 0; i < 3; i++)
		assert_true(vms_of[i]->layer->sum.is_complete);
}

/* Its checksum is its template's. */
static void a_clone_that_has_changed_nothing_may_freeze(void **state)
{
	struct vm *vm = make_vm("v", 10), *clone;

	checksum_set(true);
	freeze(vm);
	clone = template_clone(vm, "c");
	assert_non_null(clone);
	vm_start(clone);
	freeze(clone);
	assert_ptr_equal(clone->layer, vm->layer);
	take_checksum();
	destroy(clone);
	template_bury_all();
	assert_non_null(strstr(logged, "template c: unchanged, checksum "));
}

static void no_checksum_is_taken_unless_asked_for(void **state)
{
	struct vm *vm = make_vm("v", 10);

	freeze(vm);
	assert_false(checksum_has_work() || checksum_work());
	destroy(vm);
	template_bury_all();
	assert_null(strstr(logged, "checksum"));
}

static struct vm *changed;

static void bury_changed(void)
{
	uint64_t *words;
	unsigned level;

	words = phys_to_virt(ept_lookup(&changed->ept, (gpa_t){0x5000}, &level) & EPT_ADDR);
	words[7]++;
	destroy(changed);
	template_bury_all();
}

/* What only templates use is undefined before. */
static void a_clone_becomes_a_template_like_any(void **state)
{
	struct vm *vm = make_vm("v", 10), *clone;

	freeze(vm);
	clone = template_clone(vm, "c");
	vm_start(clone);
	memset(&clone->working_set, 0xee,
	       offsetof(struct vm, n_vcpus) - offsetof(struct vm, working_set));
	memset(&clone->labels, 0xee, sizeof(clone->labels));
	freeze(clone);
	assert_int_equal(clone->working_set, 0);
	assert_int_equal(clone->next_number, 0);
	assert_int_equal(clone->n_holds, 1);
	assert_int_equal(clone->n_clones_ended + clone->n_clones_failed, 0);
	for (unsigned i = 0; i < VM_N_TOLD; i++)
		assert_int_equal(clone->n_told[i], 0);
	vms_acquire();
	assert_ptr_equal(template_find("c"), clone);
	lock_release(&vms_lock);
}

/* Of a template with so many vCPUs, of which only the first one has something to do. */
static struct vm *clone_of_many(unsigned n_vcpus)
{
	struct vm *vm;

	config.topology.n_cpus = (uint16_t)n_vcpus;
	vcpu_shared.cpuid.basic[0xd].ecx = 832; /* with AVX */
	vm = make_vm("v", 1);
	others_would_halt = true;
	freeze(vm);
	return template_clone(vm, "c");
}

static void a_clone_begins_with_the_vcpu_that_has_something_to_do(void **state)
{
	struct vm *clone = clone_of_many(5);

	assert_int_equal(n_copied, 1);
	vm_start(clone);
	assert_int_equal(n_started, 1);
	assert_int_equal(vm_n_made(clone), 1);
	assert_ptr_equal(vm_vcpu(clone, 0), clone->vcpu);
	assert_int_equal(n_copied, 1);

	assert_ptr_equal(vm_vcpu(clone, 4)->vm, clone);
	assert_int_equal(n_copied, 5);
	assert_int_equal(n_started, 5);
	assert_int_equal(vm_n_made(clone), 5);
	assert_ptr_equal(vm_vcpu(clone, 1)->vm, clone);
	vm_make_others(clone);
	assert_int_equal(n_copied, 5);
	assert_int_equal(n_started, 5);
}

static void others_that_are_made_early_start_with_the_clone(void **state)
{
	struct vm *clone = clone_of_many(5);

	vm_pause(clone, true);
	assert_int_equal(n_copied, 5);
	assert_int_equal(n_started, 0);
	vm_start(clone);
	assert_int_equal(n_started, 5);
}

/* Also if they lie together with the first one. */
static void a_stopped_clone_has_all_vcpus(void **state)
{
	struct vm *clone = clone_of_many(2);

	vm_start(clone);
	assert_false(vm_is_aside(clone));
	vm_pause(clone, true);
	assert_int_equal(n_copied_when_paused, 2);
	assert_true(vm_is_aside(clone));
	assert_int_equal(n_started, 2);
}

static void others_that_have_something_to_do_are_made_at_once(void **state)
{
	struct vm *clone = clone_of_many(4), *next;

	others_would_halt = false;
	vm_start(clone);
	vm_make_others(clone);
	freeze(clone);
	assert_int_equal(n_started, 4);
	n_copied = n_started = 0;
	next = template_clone(clone, "d");
	assert_int_equal(n_copied, 4);
	vm_start(next);
	assert_int_equal(n_started, 4);
}

static void an_action_is_for_all_vcpus(void **state)
{
	struct vm *clone = clone_of_many(4);

	vm_start(clone);
	vm_gather(clone, VM_END);
	assert_int_equal(n_started, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(vm_place_of_vcpu(clone, i)->regs.requests & VCPU_REQUEST_GATHER);
}

static void an_interrupt_makes_the_vcpu_that_gets_it(void **state)
{
	struct vm *clone = clone_of_many(4);

	vm_start(clone);
	memset(clone->platform.irqchip.lapic, 0, 4 * sizeof(struct lapic));
	irqchip_lapic(&clone->platform.irqchip, 2)->kicked = true;
	clone->platform.irqchip.kicked = true;
	vm_lock_devices(clone);
	vm_unlock_devices(clone);
	assert_int_equal(n_started, 4);
	assert_int_equal(vm_place_of_vcpu(clone, 2)->regs.requests, VCPU_REQUEST_EVENT);
}

static bool is_waited_for;

static void *give_up(void *clone)
{
	while (!__atomic_load_n(&is_waited_for, __ATOMIC_ACQUIRE))
		;
	__atomic_store_n(&((struct vm *)clone)->others, VM_OTHERS_STARTED, __ATOMIC_RELEASE);
	return NULL;
}

/* The other one gives up here, so that it shows that this one has waited. */
static void two_processors_do_not_make_the_same_vcpus(void **state)
{
	struct vm *clone = clone_of_many(3);
	pthread_t other;

	vm_start(clone);
	clone->others = VM_OTHERS_MAKING;
	assert_int_equal(pthread_create(&other, NULL, give_up, clone), 0);
	__atomic_store_n(&is_waited_for, true, __ATOMIC_RELEASE);
	assert_ptr_equal(vm_vcpu(clone, 2)->vm, clone);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(n_copied, 3);
}

/* A generation counter tells whichever vCPU runs first. */
static void others_ask_for_the_identity(void **state)
{
	struct vm *clone = clone_of_many(2);

	config.has_vmgenid = true;
	assert_int_equal(vm_vcpu(clone, 1)->regs.requests, VCPU_REQUEST_IDENTITY);
	config.has_vmgenid = false;
	vm_start(clone);
}

/* Only the vCPU that runs gets room for its registers. */
static void others_take_their_areas_later(void **state)
{
	struct vm *clone = clone_of_many(4);

	vm_start(clone);
	assert_true(vm_take_area(clone->vcpu));
	assert_null(vm_place_of_vcpu(clone, 1)->xsave_area);
	assert_true(vm_take_area(vm_vcpu(clone, 1)));
	assert_non_null(vm_vcpu(clone, 3)->xsave_area);
}

static void a_template_that_has_changed_stops_the_machine(void **state)
{
	changed = make_vm("v", 100);
	checksum_set(true);
	freeze(changed);
	take_checksum();
	assert_true(aborts(bury_changed));
}

static void a_template_changes_until_it_is_buried(void **state)
{
	struct vm *vm = make_vm("v", 3000);
	unsigned n_pieces = 0;

	while (!template_freeze(vm))
		;
	destroy(vm);
	while (template_is_changing()) {
		assert_true(template_bury(1000));
		n_pieces++;
	}
	assert_true(n_pieces > 6); /* twice through the log */
	assert_int_equal(frame_available(), n_free);
}

static void bury_all(void)
{
	while (template_is_changing())
		assert_true(template_bury(1000));
}

/* The last hold is given up under the lock of the list, and the burial does all the work. */
static void no_lock_of_a_list_is_held_during_a_burial(void **state)
{
	struct vm *vm = make_vm("v", 3000);
	uint64_t n_left;

	protect_begin();
	checksum_set(true);
	freeze(vm);
	take_checksum();
	is_everywhere = true;
	n_left = frame_available();
	long_work = 0;
	destroy(vm);
	assert_true(template_has_graves());
	assert_int_equal(long_work, 0);
	assert_int_equal(frame_available(), n_left);
	bury_all();
	assert_int_equal(long_work, ALL_LONG_WORK);
	assert_int_equal(frame_available(), n_free);
}

/* And then it is released, in the same piece as the last bytes. */
static void a_template_discards_its_memory_in_pieces(void **state)
{
	struct vm *vm = make_vm("v", 10);

	freeze(vm);
	destroy(vm);
	n_discards = 3;
	long_work = 0;
	assert_true(template_bury(1000));
	assert_true(template_bury(1000));
	assert_int_equal(n_discards, 1);
	assert_false(long_work & RELEASES_TREE);
	assert_true(template_bury(1000));
	assert_true(long_work & RELEASES_TREE);
	bury_all();
	assert_int_equal(frame_available(), n_free);
}

/* By the template's weight, on any processor, for each piece. */
static void a_burial_is_charged(void **state)
{
	struct vm *vm = make_vm("v", 3000);
	unsigned n_pieces = 0;
	uint64_t start;

	freeze(vm);
	destroy(vm);
	n_charges = 0;
	charged = 0;
	start = rdtsc();
	for (; template_bury(1000); n_pieces++)
		;
	assert_int_equal(n_charges, n_pieces);
	assert_in_range(charged, (rdtsc() - start) / 2, rdtsc() - start);
	assert_false(template_bury(1000));
	assert_int_equal(n_charges, n_pieces);
}

/* host -protect all: from the freeze until no processor can have an old translation. */
static void a_protected_layer_is_freed_when_all_can_write_to_it(void **state)
{
	struct vm *vm = make_vm("t", 20);
	struct ept_layer *layer;
	uint64_t n_layer, n_left;

	protect_begin();
	freeze(vm);
	layer = vm->layer;
	n_layer = layer->n_owned;
	assert_int_equal(n_protected, n_layer);

	is_everywhere = false;
	destroy(vm);
	assert_true(template_bury(3)); /* the VM, not the layer */
	n_left = frame_available();
	for (unsigned i = 0; i < 30; i++)
		assert_true(template_bury(3));
	assert_int_equal(n_protected, 0);
	assert_int_equal(frame_available(), n_left);

	is_everywhere = true;
	bury_all();
	assert_int_equal(n_protected, 0);
	assert_true(frame_available() >= n_left + n_layer);
}

/* Other VMs have their turn in between. */
static void a_layer_is_protected_in_pieces(void **state)
{
	struct vm *vm = make_vm("t", 10 * PROTECT_AT_ONCE);
	unsigned before = 0, n_pieces = 0;

	protect_begin();
	for (bool is_template = false; !is_template; before = n_protected) {
		is_template = template_freeze(vm);
		assert_in_range(n_protected, before, before + PROTECT_AT_ONCE + 3);
		n_pieces += n_protected > before;
	}
	assert_true(n_pieces >= 10);
	assert_int_equal(n_protected, vm->layer->n_owned);
	destroy(vm);
	is_everywhere = true;
	bury_all();
	assert_int_equal(n_protected, 0);
}

/* What is read-only is freed like a template: the operator ends the VM in the middle. */
static void a_vm_that_is_protected_becomes_a_template_and_is_given_up(void **state)
{
	static struct clone_config line = {.template = "t", .count = 1, .parallel = 1};
	struct vm *vm = make_vm("t", 3 * PROTECT_AT_ONCE);

	set_line(&line);
	protect_begin();
	while (n_protected == 0)
		assert_false(template_freeze(vm));
	vm_end(vm, VM_ENDED_WELL, "ended by the operator");
	freeze(vm);
	assert_int_equal(vm->outcome, VM_FROZEN);
	assert_true(vm->is_given_up);
	assert_int_equal(n_started, 0);
	assert_null(vms);
	is_everywhere = true;
	bury_all();
	assert_int_equal(n_protected, 0);
	assert_int_equal(frame_available(), n_free);
}

/* By default nothing is protected, and nothing is waited for. */
static void an_unprotected_layer_is_freed_at_once(void **state)
{
	struct vm *vm = make_vm("t", 20);

	assert_false(protect_is_on());
	freeze(vm);
	assert_int_equal(n_protected, 0);
	is_everywhere = false;
	destroy(vm);
	bury_all();
	assert_int_equal(frame_available(), n_free);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_disk_that_all_clones_would_write_is_refused),
		TEST(copies_in_advance_are_for_reverts_and_the_operators_clones_too),
		TEST(reverts_trim_what_is_not_changed),
		TEST(a_revert_copies_devices_that_have_changed),
		TEST(a_clone_keeps_no_more_than_is_copied_soon),
		TEST(no_copies_are_made_while_frames_are_scarce),
		TEST(a_clone_that_has_not_run_needs_memory_to_freeze),
		TEST(a_large_vm_freezes_in_pieces),
		TEST(a_template_returns_its_reserve_in_pieces),
		TEST(a_vm_may_be_ended_while_it_freezes),
		TEST(a_template_changes_until_it_is_buried),
		TEST(no_lock_of_a_list_is_held_during_a_burial),
		TEST(a_template_discards_its_memory_in_pieces),
		TEST(a_burial_is_charged),
		TEST(a_burial_lets_clones_start_that_have_waited),
		TEST(a_clone_takes_the_place_of_the_one_that_ended),
		TEST(a_clone_becomes_a_template_like_any),
		TEST(a_clone_begins_with_the_vcpu_that_has_something_to_do),
		TEST(others_that_are_made_early_start_with_the_clone),
		TEST(a_stopped_clone_has_all_vcpus),
		TEST(others_that_have_something_to_do_are_made_at_once),
		TEST(an_action_is_for_all_vcpus),
		TEST(an_interrupt_makes_the_vcpu_that_gets_it),
		TEST(two_processors_do_not_make_the_same_vcpus),
		TEST(others_ask_for_the_identity),
		TEST(others_take_their_areas_later),
		TEST(a_checksum_is_taken_in_pieces),
		TEST(a_template_is_held_until_its_checksum_is_taken),
		TEST(templates_get_their_checksums_one_after_the_other),
		TEST(a_clone_that_has_changed_nothing_may_freeze),
		TEST(no_checksum_is_taken_unless_asked_for),
		TEST(a_template_that_has_changed_stops_the_machine),
		TEST(a_layer_is_protected_in_pieces),
		TEST(a_vm_that_is_protected_becomes_a_template_and_is_given_up),
		TEST(a_protected_layer_is_freed_when_all_can_write_to_it),
		TEST(an_unprotected_layer_is_freed_at_once),
		TEST(each_job_of_a_map_has_a_clone),
		TEST(clones_without_a_job_have_other_numbers),
		TEST(a_job_that_does_not_exit_with_0_fails_the_run),
		TEST(who_ends_a_clone_decides_how_its_job_ended),
		TEST(a_job_that_takes_too_long_is_ended),
		TEST(a_job_in_time_goes_on),
		TEST(a_job_may_use_up_its_memory),
		TEST(a_job_without_memory_is_run_later),
		TEST(jobs_that_were_not_run_are_said),
		TEST(the_archive_does_not_depend_on_the_order),
		TEST(without_a_template_there_is_no_archive),
		TEST(results_need_memory),
		TEST(a_clone_with_a_job_does_not_become_a_template),
	};

	return cmocka_run_group_tests(tests, be_a_processor, NULL);
}
