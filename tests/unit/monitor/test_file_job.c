/* SPDX-License-Identifier: BSD-2-Clause */
/* Dumps, saves and sent files step by step: what is there in the middle, and after an interruption.
 */
#include "hv/monitor/file_job.h"

#include <stdio.h>
#include <string.h>

#include "hv/guest/region_map.h"
#include "hv/guest/saved_memory.h"
#include "hv/host/tsc.h"
#include "hv/monitor/job.h"
#include "hv/monitor/output.h"
#include "hv/monitor/pack_file.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/send.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/state.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"

#define MEMORY	    MIB(2)
#define STATE_BYTES (PAGE_SIZE + 100)

uint64_t tsc_hz = 1000000;
struct vcpu_shared vcpu_shared;
struct vm *vms, *vms_cursor[N_VMS_WALKS];
struct lock vms_lock;

void vms_gather(void)
{
}

static const struct backend ram = {.id = "ram", .size = MEMORY, .dump = true};
static struct vm_config config;
static struct mem_map map;
static struct vcpu vcpu;
static struct vm vm;
static char said[1 << 16], at_debug_port[1 << 16];
static char entries[4096] __attribute__((aligned(16)));
static struct arena arena;
static struct image_list images = {.first = NULL, .arena = &arena};
static struct save_config *due; /* the save of the configuration */
static bool saved_well;
static struct saved_head saved; /* what a state was given */
static const struct save_how written, sent = {.is_sent = true}, packed = {.is_packed = true},
				      layered = {.is_packed = true, .is_layer = true};
static struct ept_layer layer; /* of the VM when it is a template */
static uint64_t n_free;

size_t console_waiting(void)
{
	return 0;
}

void console_write_raw(const char *text, size_t len)
{
	size_t n = strlen(said);

	assert_true(n + len < sizeof(said));
	memcpy(said + n, text, len);
	said[n + len] = '\0';
}

void debug_port_write(const char *text, size_t len)
{
	size_t n = strlen(at_debug_port);

	assert_true(n + len < sizeof(at_debug_port));
	memcpy(at_debug_port + n, text, len);
	at_debug_port[n + len] = '\0';
}

struct vm *vm_find(unsigned index)
{
	return vms && vms->index == index ? vms : NULL;
}

void vm_pause(struct vm *of, bool on)
{
	of->vcpu->is_paused = on;
}

static unsigned n_presses; /* of the power button, which a saved state has to hold */

void vm_deliver_press(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	n_presses++;
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	return vcpus->is_aside;
}

void registers_read(const struct vcpu *of, struct dump_cpu *ret)
{
	*ret = (struct dump_cpu){.rip = 0x1234};
}

static bool has_areas = true;

bool vm_take_areas(struct vm *of)
{
	return has_areas;
}

static bool is_kept;

void platform_keep(struct platform *platform)
{
	is_kept = true;
}

void vcpu_keep(struct vcpu *of)
{
}

uint64_t tsc_unix_ns(uint64_t tsc)
{
	return tsc;
}

/* A state that is the template's in part has no size. */
size_t vm_state_size(const struct vm *of)
{
	assert_true(is_kept);
	return STATE_BYTES;
}

void vm_state_write(const struct vm *of, const struct vm_state_host *host,
		    const struct saved_head *head, void *to)
{
	saved = *head;
	memset(to, 's', STATE_BYTES);
}

struct save_config *save_queue_next(void)
{
	return due;
}

void save_queue_done(struct save_config *save, bool well)
{
	assert_ptr_equal(save, due);
	due = NULL;
	saved_well = well;
}

/* A running VM whose second page is full of 'm'. Its vCPU stops at once. */
static int set_up(void **state)
{
	const struct mem_region region = {.len = MEMORY, .kind = MEM_COW, .backend = &ram};
	phys_t page;

	machine_frames_add(MIB(64));
	arena = (struct arena){.base = entries, .size = sizeof(entries)};
	images.first = NULL;
	is_kept = false;
	file_job_setup(&images);
	map.n = 0;
	vcpu = (struct vcpu){.is_aside = true};
	vm = (struct vm){.name = "v",
			 .config = &config,
			 .mem = &map,
			 .memory = {.ept = &vm.ept, .map = &map},
			 .vcpu = &vcpu,
			 .n_vcpus = 1,
			 .layer = &layer};
	layer = (struct ept_layer){0};
	vms = &vm;
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&vm.ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&vm.ept, &map.region[0]), OK);
	assert_int_equal(ept_copy(&vm.ept, (gpa_t){PAGE_SIZE}, &page), OK);
	memset(phys_to_virt(page), 'm', PAGE_SIZE);
	n_free = frame_available();
	*said = '\0';
	saved_well = false;
	log_reset();
	return 0;
}

/* Of the machine's free frames so many remain. */
static void leave_frames(uint64_t n)
{
	while (frame_available() > n)
		assert_true(frame_alloc() != 0);
}

static void finish(void)
{
	while (job_is_running())
		job_work();
}

static struct image *find(const char *path)
{
	struct image *image;

	return image_lookup(images.first, path, &image) == IMAGE_OK ? image : NULL;
}

static const char *bytes_of(const struct image *image)
{
	return phys_to_virt(image->base);
}

static void a_dump_holds_the_memory_and_the_vm_goes_on(void **state)
{
	const char *bytes;

	file_job_dump(&vm, "core", false);
	assert_true(vcpu.is_paused);
	job_work();
	assert_true(job_is_running());
	finish();
	assert_false(vcpu.is_paused);
	assert_string_equal(said, "");
	assert_int_equal(find("core")->size, MEMORY + PAGE_SIZE);
	bytes = bytes_of(find("core"));
	assert_memory_equal(bytes,
			    "\x7f"
			    "ELF",
			    4);
	assert_int_equal(bytes[2 * PAGE_SIZE], 'm');
	assert_int_equal(bytes[3 * PAGE_SIZE - 1], 'm');
	assert_int_equal(bytes[3 * PAGE_SIZE], 0);
}

static void nothing_is_left_of_an_interrupted_dump(void **state)
{
	file_job_dump(&vm, "core", false);
	job_work();
	job_work();
	assert_non_null(find("core"));
	assert_true(job_interrupt());
	assert_null(find("core"));
	assert_false(job_is_running());
	assert_false(vcpu.is_paused);
	assert_string_equal(said, "Interrupted\n");
	assert_int_equal(frame_available(), n_free);
}

static void a_vm_that_the_operator_has_stopped_stays_so(void **state)
{
	vcpu.is_paused = true;
	file_job_dump(&vm, "core", false);
	job_work();
	assert_true(job_interrupt());
	assert_true(vcpu.is_paused);
}

static void a_file_that_exists_stays(void **state)
{
	file_job_dump(&vm, "core", false);
	finish();
	file_job_dump(&vm, "core", false);
	finish();
	assert_string_equal(said, "Error: dump: failed to open 'core': File exists\n");
	assert_int_equal(bytes_of(find("core"))[2 * PAGE_SIZE], 'm');
	assert_false(vcpu.is_paused);
}

/* Of two files the second exists: the first is not created. */
static void a_save_has_both_files_or_none(void **state)
{
	struct image *other;

	vcpu.is_paused = true;
	assert_int_equal(image_create(&images, "x.state", &other), IMAGE_OK);
	file_job_save(&vm, "x", written);
	finish();
	assert_string_equal(said, "Error: save: failed to open 'x.state': File exists\n");
	assert_null(find("x.mem"));
	assert_ptr_equal(find("x.state"), other);
	file_job_save(&vm, "y", written);
	finish();
	assert_int_equal(find("y.mem")->size, MEMORY);
	assert_int_equal(bytes_of(find("y.mem"))[PAGE_SIZE], 'm');
	assert_int_equal(find("y.state")->size, STATE_BYTES);
	assert_int_equal(bytes_of(find("y.state"))[STATE_BYTES - 1], 's');
}

static void a_file_that_is_sent_ends_at_a_line(void **state)
{
	file_job_dump(&vm, "core", true);
	job_work();
	job_work();
	job_work();
	assert_true(job_interrupt());
	assert_memory_equal(said, "stencil~B 2 ", 12);
	assert_null(strstr(said, "stencil~E"));
	assert_non_null(strstr(said, "\nInterrupted\n"));
	*said = '\0';
	file_job_dump(&vm, "core", true);
	finish();
	assert_non_null(strstr(said, "stencil~E"));
	assert_null(find("core"));
}

static void a_vm_that_ends_before_it_has_stopped_is_missed(void **state)
{
	vcpu.is_aside = false;
	file_job_dump(&vm, "core", false);
	job_work();
	assert_true(job_is_running());
	vms = NULL;
	finish();
	assert_string_equal(said, "Error: the VM has ended\n");
	assert_null(find("core"));
}

static void a_template_that_is_given_up_is_missed(void **state)
{
	vm.outcome = VM_FROZEN;
	file_job_dump(&vm, "core", false);
	assert_false(vcpu.is_paused);
	vm.is_given_up = true;
	finish();
	assert_string_equal(said, "Error: the VM has ended\n");
	assert_null(find("core"));
	*said = '\0';
	vm.is_given_up = false;
	file_job_dump(&vm, "core", false);
	finish();
	assert_string_equal(said, "");
	assert_int_equal(find("core")->size, MEMORY + PAGE_SIZE);
}

/* Its struct is in the list until its last processor has left it. */
static void a_vm_that_has_ended_is_missed(void **state)
{
	file_job_dump(&vm, "core", false);
	vm.outcome = VM_ENDED_WELL;
	finish();
	assert_string_equal(said, "Error: the VM has ended\n");
	assert_true(vcpu.is_paused);
}

static void what_is_sent_is_what_is_written(void **state)
{
	static char sent[sizeof(said)];
	phys_t page;

	assert_int_equal(ept_copy(&vm.ept, (gpa_t){5 * PAGE_SIZE}, &page), OK);
	for (uint32_t i = 0; i < PAGE_SIZE; i++) /* nothing to compress */
		((uint8_t *)phys_to_virt(page))[i] = (uint8_t)(i * i * UINT32_C(2654435761) >> 24);
	file_job_dump(&vm, "/core", true);
	finish();
	memcpy(sent, said, sizeof(sent));
	*said = '\0';
	file_job_dump(&vm, "/core", false);
	finish();
	file_job_send("/core");
	assert_true(job_is_running());
	finish();
	assert_true(strlen(said) > PAGE_SIZE);
	assert_string_equal(said, sent);
	assert_non_null(find("/core"));
}

static void only_a_file_is_sent(void **state)
{
	struct image *folder;

	assert_int_equal(image_create(&images, "folder", &folder), IMAGE_OK);
	folder->type = IMAGE_DIRECTORY;
	file_job_send("x");
	file_job_send("folder");
	file_job_send("/");
	assert_false(job_is_running());
	assert_string_equal(said, "Error: send: could not open 'x': No such file or directory\n"
				  "Error: send: could not open 'folder': Is a directory\n"
				  "Error: send: could not open '/': Is a directory\n");
}

static void both_files_of_a_save_are_sent(void **state)
{
	const char *memory, *end, *head;

	n_presses = 0;
	vcpu.is_paused = true;
	file_job_save(&vm, "x", sent);
	finish();
	memory = strstr(said, "stencil~B 2 2097152 x.mem\n");
	assert_ptr_equal(memory, said);
	assert_int_equal(n_presses, 1);
	end = strstr(memory, "stencil~E");
	head = strstr(memory, "stencil~B 2 4196 x.state\n");
	assert_true(end && head && end < head && strstr(head, "stencil~E"));
	assert_string_equal(logged, "VM v: saved: x.state\n"
				    "VM v: memory of 'ram': mem-path=x.mem,offset=0\n");
	assert_null(find("x.mem"));
}

static void files_may_go_to_the_debug_port(void **state)
{
	const char *at;

	vcpu.is_paused = true;
	*at_debug_port = '\0';
	output_use_debug_port(true);
	file_job_save(&vm, "x", sent);
	finish();
	output_use_debug_port(false);
	at = strstr(at_debug_port, "stencil~B 2 2097152 x.mem\n");
	assert_ptr_equal(at, at_debug_port);
	assert_non_null(strstr(at_debug_port, "stencil~B 2 4196 x.state\n"));
	assert_string_equal(said, "");
	assert_string_equal(logged, "'x.mem' was sent to the debug port: 2097152 bytes\n"
				    "'x.state' was sent to the debug port: 4196 bytes\n"
				    "VM v: saved: x.state\n"
				    "VM v: memory of 'ram': mem-path=x.mem,offset=0\n");
}

static void memory_that_files_hold_is_not_saved(void **state)
{
	map.region[0].kind = MEM_ROM;
	vcpu.is_paused = true;
	file_job_save(&vm, "x", written);
	finish();
	assert_non_null(find("x.state"));
	assert_null(find("x.mem"));
	assert_string_equal(logged, "VM v: saved: x.state\n");
}

/* RAM that continues above 4 GiB has two regions and one line. */
static void each_backend_is_named_once(void **state)
{
	static const struct backend two = {.id = "two", .size = 2 * PAGE_SIZE, .dump = true};
	struct mem_region low = {
		.gpa = {MEMORY}, .len = PAGE_SIZE, .kind = MEM_COW, .backend = &two};
	struct mem_region high = low;

	high.gpa = (gpa_t){GIB(4)};
	high.offset = PAGE_SIZE;
	assert_int_equal(mem_map_add(&map, &low), OK);
	assert_int_equal(mem_map_add(&map, &high), OK);
	assert_int_equal(region_map(&vm.ept, &map.region[1]), OK);
	assert_int_equal(region_map(&vm.ept, &map.region[2]), OK);
	vcpu.is_paused = true;
	file_job_save(&vm, "x", written);
	finish();
	assert_string_equal(logged, "VM v: saved: x.state\n"
				    "VM v: memory of 'ram': mem-path=x.mem,offset=0\n"
				    "VM v: memory of 'two': mem-path=x.mem,offset=2097152\n");
}

static void what_cannot_be_saved_is_refused(void **state)
{
	static struct nvdimm_labels labels;

	file_job_save(&vm, "x", written);
	finish();
	assert_false(vcpu.is_paused);
	vcpu.is_paused = true;
	vcpu.regs.requests = VCPU_REQUEST_START;
	file_job_save(&vm, "x", written);
	finish();
	vm.labels.labels = &labels;
	file_job_save(&vm, "x", written);
	finish();
	assert_string_equal(said,
			    "Error: save: the VM is running: stop it or make it a template first\n"
			    "Error: save: the VM has not started yet\n"
			    "Error: save: NVDIMM labels cannot be saved\n");
	assert_true(vcpu.is_paused);
	assert_null(images.first);
	assert_int_equal(frame_available(), n_free);
}

/* A clone runs on what the template shares with it. */
static void memory_that_clones_change_is_not_saved(void **state)
{
	vm.outcome = VM_FROZEN;
	vm.n_holds = 2;
	file_job_save(&vm, "private", written);
	finish();
	assert_non_null(find("private.mem"));
	map.region[0].kind = MEM_SHARED;
	file_job_save(&vm, "x", written);
	finish();
	assert_string_equal(said,
			    "Error: save: its clones may change its shared memory that is not "
			    "a file: end them first\n");
	assert_null(find("x.state"));
	vm.n_holds = 1;
	file_job_save(&vm, "x", written);
	finish();
	assert_non_null(find("x.state"));
}

/* No frame for the registers, none for the head, too few for the memory. */
static void a_job_without_memory_leaves_nothing(void **state)
{
	static const uint64_t n_frames[] = {0, 1, 100};

	for (size_t i = 0; i < ARRAY_SIZE(n_frames); i++) {
		set_up(state);
		leave_frames(n_frames[i]);
		file_job_dump(&vm, "core", false);
		finish();
		assert_string_equal(said,
				    "Error: dump: failed to write 'core': not enough memory in "
				    "this machine\n");
		assert_false(vcpu.is_paused);
		*said = '\0';
		vcpu.is_paused = true;
		file_job_save(&vm, "x", written);
		finish();
		assert_non_null(strstr(said, "Error: save: failed to write 'x"));
		assert_null(find("core"));
		assert_null(find("x.state"));
		assert_null(find("x.mem"));
		assert_int_equal(frame_available(), n_frames[i]);
	}
}

static void sending_without_memory_is_an_error(void **state)
{
	vcpu.is_paused = true;
	file_job_dump(&vm, "/core", false);
	finish();
	*said = '\0';
	leave_frames(sizeof(struct send_work) / PAGE_SIZE);
	file_job_send("/core");
	finish();
	assert_string_equal(said, "Error: send: failed to write '/core': not enough memory in "
				  "this machine\n");
	assert_non_null(find("/core"));
}

static void a_file_in_the_place_of_a_folder_is_an_error(void **state)
{
	struct image *file;

	assert_int_equal(image_create(&images, "file", &file), IMAGE_OK);
	file_job_dump(&vm, "file/core", false);
	finish();
	assert_string_equal(said, "Error: dump: failed to open 'file/core': Not a directory\n");
}

static void an_error_of_the_configurations_save_is_logged(void **state)
{
	static struct nvdimm_labels labels;
	struct save_config line = {.path = "x", .vm = &vm};

	vm.outcome = VM_FROZEN;
	vm.labels.labels = &labels;
	due = &line;
	saved_well = true;
	file_job_begin_due();
	finish();
	assert_false(saved_well);
	assert_null(due);
	assert_string_equal(logged, "error: VM v: save: NVDIMM labels cannot be saved\n");
	assert_string_equal(said, "");
}

static void a_save_of_the_configuration_is_completed(void **state)
{
	struct save_config line = {.path = "x", .vm = &vm};

	vm.outcome = VM_FROZEN;
	vm.is_given_up = true; /* the line holds it */
	due = &line;
	file_job_begin_due();
	job_work();
	assert_false(job_interrupt());
	finish();
	assert_true(saved_well);
	assert_non_null(find("x.state"));
	file_job_begin_due();
	assert_false(job_is_running());
}

/* The page of 'm' is all that there is, in parts as small as a test says. */
static uint64_t part_max;

enum status __wrap_pack_file_begin(struct pack_file *file, struct guest_memory *memory, uint64_t id,
				   phys_t below);
enum status __real_pack_file_begin(struct pack_file *file, struct guest_memory *memory, uint64_t id,
				   phys_t below);

enum status __wrap_pack_file_begin(struct pack_file *file, struct guest_memory *memory, uint64_t id,
				   phys_t below)
{
	enum status status = __real_pack_file_begin(file, memory, id, below);

	if (part_max > 0)
		file->pack.part_max = file->start.part_max = part_max;
	return status;
}

static enum status unpack_part(struct memory_unpack *to, const void *data, size_t len)
{
	enum status status = memory_unpack_open(to, data, len);

	while (status == OK && !to->reader.is_at_end)
		status = memory_unpack_some(to);
	return status;
}

/* Read all parts of "x.mem.", and compare the memory with the VM's. */
static void check_parts(unsigned n)
{
	static struct ept ept;
	static uint8_t pages[BLOCK_MAX];
	struct guest_memory memory = {.ept = &ept, .map = &map};
	struct memory_unpack unpack = {.memory = &memory, .pages = pages, .id = saved.id};
	uint8_t mine[PAGE_SIZE], theirs[PAGE_SIZE];
	char name[20];

	assert_int_equal(ept_init(&ept, 1, EPT_UNLIMITED), OK);
	assert_int_equal(region_map(&ept, &map.region[0]), OK);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "x.mem.%u", i);
		assert_int_equal(unpack_part(&unpack, bytes_of(find(name)), find(name)->size), OK);
	}
	assert_true(unpack.reader.is_last);
	for (uint64_t at = 0; at < MEMORY; at += PAGE_SIZE) {
		saved_memory_read(&memory, at, mine);
		saved_memory_read(&vm.memory, at, theirs);
		assert_memory_equal(mine, theirs, PAGE_SIZE);
	}
	ept_destroy(&ept);
}

static void memory_is_saved_in_compressed_parts(void **state)
{
	vcpu.is_paused = true;
	part_max = 0;
	file_job_save(&vm, "x", packed);
	finish();
	assert_string_equal(said, "");
	assert_string_equal(logged, "VM v: saved: x.state\n"
				    "VM v: 2048 KiB of memory are 1 KiB in 1 compressed parts, "
				    "x.mem.0 and on\n");
	assert_int_equal(find("x.state")->size, STATE_BYTES);
	assert_null(find("x.mem"));
	assert_true(saved.id != 0 && saved.below == 0 && saved.has_parts && saved.size == MEMORY);
	check_parts(1);
}

/* More pages, which cannot be compressed; each block is a part of its own. */
static void fill_pages(void)
{
	phys_t page;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ept_copy(&vm.ept, (gpa_t){(10 + 2 * i) * PAGE_SIZE}, &page), OK);
		for (uint32_t k = 0; k < PAGE_SIZE; k++)
			((uint8_t *)phys_to_virt(page))[k] =
				(uint8_t)((k + i) * (k + 7) * UINT32_C(2654435761) >> 24);
	}
	part_max = PART_HEAD_SIZE + PART_PUT_SIZE_MAX + 2 * BLOCK_HEAD_SIZE;
}

static void parts_follow_one_another(void **state)
{
	fill_pages();
	vcpu.is_paused = true;
	file_job_save(&vm, "x", packed);
	finish();
	assert_non_null(find("x.mem.3"));
	assert_null(find("x.mem.4"));
	assert_non_null(strstr(logged, " KiB in 4 compressed parts"));
	check_parts(4);
}

static void parts_are_sent_one_after_the_other(void **state)
{
	const char *last, *head;

	fill_pages();
	vcpu.is_paused = true;
	file_job_save(&vm, "x", (struct save_how){.is_sent = true, .is_packed = true});
	finish();
	assert_non_null(strstr(said, " x.mem.0\n"));
	last = strstr(said, " x.mem.3\n");
	head = strstr(said, "stencil~B 2 4196 x.state\n");
	assert_true(last && head && last < head);
	assert_null(find("x.mem.0"));
}

static void nothing_is_left_of_an_interrupted_part(void **state)
{
	fill_pages();
	vcpu.is_paused = true;
	vm.outcome = VM_RUNNING;
	n_free = frame_available();
	file_job_save(&vm, "x", packed);
	while (find("x.mem.2") == NULL)
		job_work();
	assert_true(job_interrupt());
	assert_null(images.first);
	assert_int_equal(frame_available(), n_free);
}

/* The third part's name is taken. */
static void a_part_that_exists_stays(void **state)
{
	struct image *other;

	fill_pages();
	assert_int_equal(image_create(&images, "x.mem.2", &other), IMAGE_OK);
	vcpu.is_paused = true;
	file_job_save(&vm, "x", packed);
	finish();
	assert_string_equal(said, "Error: save: failed to open 'x.mem.2': File exists\n");
	assert_ptr_equal(find("x.mem.2"), other);
	assert_ptr_equal(images.first, other);
	assert_null(other->next);
}

static void memory_that_changes_meanwhile_is_not_saved(void **state)
{
	fill_pages();
	part_max = 0;
	vcpu.is_paused = true;
	file_job_save(&vm, "x", packed);
	while (find("x.mem.0") == NULL)
		job_work();
	assert_int_equal(guest_zero(&vm.memory, (gpa_t){14 * PAGE_SIZE}, PAGE_SIZE), OK);
	finish();
	assert_string_equal(said, "Error: save: the memory has changed meanwhile\n");
	assert_null(images.first);
}

static void no_memory_to_compress_in_is_an_error(void **state)
{
	vcpu.is_paused = true;
	leave_frames(3);
	file_job_save(&vm, "x", packed);
	finish();
	assert_string_equal(said, "Error: save: failed to write 'x': not enough memory in this "
				  "machine\n");
	assert_null(images.first);
	assert_int_equal(frame_available(), 3);
}

static void a_clone_that_has_not_run_needs_memory_for_a_save(void **state)
{
	vcpu.is_paused = true;
	has_areas = false;
	file_job_save(&vm, "x", written);
	finish();
	has_areas = true;
	assert_string_equal(said, "Error: save: failed to write 'x': not enough memory in this "
				  "machine\n");
	assert_null(images.first);
}

static void saves_of_a_template_have_one_id(void **state)
{
	uint64_t id;

	vm.outcome = VM_FROZEN;
	vm.n_holds = 1;
	part_max = 0;
	file_job_save(&vm, "a", written);
	finish();
	id = saved.id;
	assert_true(id != 0 && layer.saved_id == id && !saved.has_parts);
	file_job_save(&vm, "b", packed);
	finish();
	assert_int_equal(saved.id, id);
	vm.outcome = VM_RUNNING; /* a VM that runs again has other memory each time */
	vcpu.is_paused = true;
	file_job_save(&vm, "c", packed);
	finish();
	assert_int_not_equal(saved.id, id);
}

/* The VM becomes a clone of what it was. */
static void a_layer_is_what_a_clone_has_changed(void **state)
{
	static struct vm template;
	struct ept_layer *below;
	char *name;

	part_max = 0;
	fill_pages();
	assert_int_equal(ept_freeze(&vm.ept, &below), OK);
	while (ept_layer_freeze_some(below, 1000))
		;
	below->saved_id = 5;
	template = (struct vm){.name = "t", .outcome = VM_FROZEN, .layer = below};
	vm.next = &template;
	assert_int_equal(guest_write(&vm.memory, (gpa_t){10 * PAGE_SIZE}, "new", 3), OK);
	vcpu.is_paused = true;
	part_max = 0;
	file_job_save(&vm, "x", layered);
	finish();
	assert_true(saved.below == 5 && saved.has_parts);
	assert_string_equal(saved.template, "t");
	name = strstr(logged, "2048 KiB of memory are 5 KiB in 1 compressed parts");
	assert_non_null(name);
	vm.next = NULL; /* the template is gone, its memory is not */
	file_job_save(&vm, "y", layered);
	finish();
	assert_string_equal(saved.template, "");
	below->saved_id = 0;
	file_job_save(&vm, "z", layered);
	finish();
	below->saved_id = 5;
	map.region[0].kind = MEM_SHARED;
	file_job_save(&vm, "z", layered);
	finish();
	assert_string_equal(said, "Error: save: -i: its template was not saved: save that first\n"
				  "Error: save: -i: it has shared memory that is not a file\n");
	/* A template that was cloned. */
	*said = '\0';
	vm.outcome = VM_FROZEN;
	layer.parent = below;
	map.region[0].kind = MEM_COW;
	file_job_save(&vm, "z", layered);
	finish();
	assert_string_equal(said, "");
	assert_int_equal(saved.below, 5);
}

static void a_vm_that_is_no_clone_is_no_layer(void **state)
{
	vcpu.is_paused = true;
	file_job_save(&vm, "x", layered);
	finish();
	assert_string_equal(said, "Error: save: -i: the VM is not a clone\n");
	assert_null(images.first);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

/* 512 GiB from 4 GiB on, with a word at their end. */
static void add_large_region(void)
{
	static const struct backend large = {.id = "large", .size = GIB(512)};
	const struct mem_region region = {
		.gpa = {GIB(4)}, .len = GIB(512), .kind = MEM_COW, .backend = &large};
	phys_t page;

	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&vm.ept, &map.region[1]), OK);
	assert_int_equal(ept_copy(&vm.ept, (gpa_t){GIB(516) - PAGE_SIZE}, &page), OK);
	memset(phys_to_virt(page), 'e', PAGE_SIZE);
}

/* Memory without frames takes no time, however much it is. */
static void a_large_vm_that_has_written_little_is_sent_in_few_steps(void **state)
{
	unsigned n = 0;

	vcpu.is_paused = true;
	add_large_region();
	file_job_save(&vm, "x", sent);
	for (; job_is_running() && n < 200; n++)
		job_work();
	assert_false(job_is_running());
	assert_non_null(strstr(said, "stencil~B 2 549757911040 x.mem\n"));
	assert_non_null(strstr(said, "stencil~E"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dump_holds_the_memory_and_the_vm_goes_on),
		TEST(nothing_is_left_of_an_interrupted_dump),
		TEST(a_vm_that_the_operator_has_stopped_stays_so),
		TEST(a_file_that_exists_stays),
		TEST(a_save_has_both_files_or_none),
		TEST(a_file_that_is_sent_ends_at_a_line),
		TEST(a_vm_that_ends_before_it_has_stopped_is_missed),
		TEST(a_template_that_is_given_up_is_missed),
		TEST(a_vm_that_has_ended_is_missed),
		TEST(what_is_sent_is_what_is_written),
		TEST(only_a_file_is_sent),
		TEST(both_files_of_a_save_are_sent),
		TEST(files_may_go_to_the_debug_port),
		TEST(memory_that_files_hold_is_not_saved),
		TEST(each_backend_is_named_once),
		TEST(what_cannot_be_saved_is_refused),
		TEST(memory_that_clones_change_is_not_saved),
		TEST(a_job_without_memory_leaves_nothing),
		TEST(sending_without_memory_is_an_error),
		TEST(a_file_in_the_place_of_a_folder_is_an_error),
		TEST(an_error_of_the_configurations_save_is_logged),
		TEST(a_save_of_the_configuration_is_completed),
		TEST(memory_is_saved_in_compressed_parts),
		TEST(parts_follow_one_another),
		TEST(parts_are_sent_one_after_the_other),
		TEST(nothing_is_left_of_an_interrupted_part),
		TEST(a_part_that_exists_stays),
		TEST(memory_that_changes_meanwhile_is_not_saved),
		TEST(a_clone_that_has_not_run_needs_memory_for_a_save),
		TEST(no_memory_to_compress_in_is_an_error),
		TEST(saves_of_a_template_have_one_id),
		TEST(a_layer_is_what_a_clone_has_changed),
		TEST(a_vm_that_is_no_clone_is_no_layer),
		TEST(a_large_vm_that_has_written_little_is_sent_in_few_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
