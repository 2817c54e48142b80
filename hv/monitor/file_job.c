/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A job has one or two files, one after the other: a step copies or sends a piece of one. Of the
 * parts of compressed memory, which come one after the other in the place of a file, each is
 * measured first.
 */
#include "hv/monitor/file_job.h"

#include "hv/frame/phys.h"
#include "hv/guest/saved_memory.h"
#include "hv/host/io.h"
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/lib/version.h"
#include "hv/monitor/dump.h"
#include "hv/monitor/job.h"
#include "hv/monitor/output.h"
#include "hv/monitor/pack_file.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/say.h"
#include "hv/monitor/still.h"
#include "hv/vm/hold.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/state.h"

enum kind { KIND_DUMP, KIND_SEND, KIND_SAVE };

/* Entries of a VM's tables that are looked at before other work has its turn. */
#define ENTRIES_AT_ONCE 256

#define WORK_FRAMES (align_up(sizeof(struct send_work), PAGE_SIZE) / PAGE_SIZE)

/* The origin of a file's bytes. */
enum source { FROM_IMAGE, FROM_DUMP, FROM_MEMORY, FROM_PACK, FROM_HEAD };

struct part {
	enum source source;
	struct output output;
};

static struct {
	enum kind kind;
	struct still still;	  /* the VM; none for KIND_SEND */
	struct save_config *line; /* KIND_SAVE: of the configuration; NULL: the operator's */
	bool is_complete;

	char path[SEND_NAME_MAX + 1];
	struct save_how how;	/* 'is_sent' for all kinds */
	struct send_work *work; /* is_sent */
	struct pack_file pack;	/* is_packed */
	unsigned n_packs;	/* its files in the ramdisk, or sent, */
	uint64_t packed_size;	/* and their bytes together */
	struct image_list *images;
	const struct image *image; /* KIND_SEND */
	struct dump dump;
	char *head; /* of the dump, or the whole state */
	size_t head_size;

	struct part part[2]; /* one after the other */
	unsigned n_parts, at_part;
	char page[PAGE_SIZE]; /* of memory, where the part's 'at' is */
	bool has_page;
} job;

static void fail(const char *why)
{
	static const char *const commands[] = {
		[KIND_DUMP] = "dump", [KIND_SEND] = "send", [KIND_SAVE] = "save"};

	if (job.line)
		log_error("VM %s: save: %s", vm_name(job.still.vm), why);
	else
		say("Error: %s: %s", commands[job.kind], why);
}

static void fail_memory(void)
{
	char why[OUTPUT_WHY_MAX];

	format(why, sizeof(why), "failed to write '%s': not enough memory in this machine",
	       job.path);
	fail(why);
}

static enum job_state step(void);

static void pack_name(unsigned number, char ret[SEND_NAME_MAX + 1])
{
	format(ret, SEND_NAME_MAX + 1, "%s.mem.%u", job.path, number);
}

/* Remove what was not completed from the ramdisk. */
static void remove_parts(void)
{
	char name[SEND_NAME_MAX + 1];
	struct image *image;

	for (unsigned i = 0; i < job.n_parts; i++)
		if (job.part[i].output.image && job.part[i].source != FROM_PACK)
			output_remove(&job.part[i].output, job.images);
	for (unsigned i = 0; !job.how.is_sent && i < job.n_packs; i++) {
		pack_name(i, name);
		if (image_lookup(job.images->first, name, &image) == IMAGE_OK)
			image_remove(job.images, image);
	}
}

static void end(void)
{
	if (!job.is_complete)
		remove_parts();
	if (job.kind != KIND_SEND)
		still_end(&job.still);
	if (job.head)
		frame_free_run(virt_to_phys(job.head),
			       align_up(job.head_size, PAGE_SIZE) / PAGE_SIZE);
	job.head = NULL;
	if (job.work)
		frame_free_run(virt_to_phys(job.work), WORK_FRAMES);
	job.work = NULL;
	pack_file_end(&job.pack);
	if (job.line)
		save_queue_done(job.line, job.is_complete);
}

static void begin(enum kind kind, struct save_config *line)
{
	static const struct job operators = {.step = step, .end = end};
	static const struct job configured = {.step = step, .end = end, .is_configured = true};

	job.kind = kind;
	job.line = line;
	job.is_complete = false;
	job.n_parts = job.at_part = job.n_packs = 0;
	job.packed_size = 0;
	job_begin(line ? &configured : &operators);
}

void file_job_setup(struct image_list *images)
{
	job.images = images;
}

static void note_path(const char *path, struct save_how how)
{
	job.how = how;
	format(job.path, sizeof(job.path), "%s", path);
}

void file_job_dump(struct vm *vm, const char *path, bool is_sent)
{
	note_path(path, (struct save_how){.is_sent = is_sent});
	still_begin(&job.still, vm);
	begin(KIND_DUMP, NULL);
}

void file_job_save(struct vm *vm, const char *path, struct save_how how)
{
	note_path(path, how);
	still_begin(&job.still, vm);
	begin(KIND_SAVE, NULL);
}

static void add_part(enum source source, const char *name, const char *suffix, uint64_t size)
{
	struct part *part = &job.part[job.n_parts++];

	*part = (struct part){.source = source, .output.size = size};
	format(part->output.name, sizeof(part->output.name), "%s%s", name, suffix);
}

/* The current file's size is not known yet. */
static bool is_being_measured(void)
{
	return job.part[job.at_part].source == FROM_PACK && !job.pack.is_measured;
}

/* Begin to send the current file, once its size is known. */
static void begin_sending(void)
{
	if (job.how.is_sent && !is_being_measured())
		output_begin_sending(&job.part[job.at_part].output, job.work);
}

static bool get_work(void)
{
	phys_t work = frame_alloc_run(WORK_FRAMES, PAGE_SIZE);

	if (work == 0) {
		fail_memory();
		return false;
	}
	job.work = phys_to_virt(work);
	begin_sending();
	return true;
}

static bool create(struct output *output)
{
	char why[OUTPUT_WHY_MAX];

	if (output_create(output, job.images, why) == OK)
		return true;
	fail(why);
	return false;
}

/* Begin to send the first file, or create all files in the ramdisk whose size is known. */
static bool open_parts(void)
{
	job.at_part = 0;
	job.has_page = false;
	if (job.how.is_sent)
		return get_work();
	for (unsigned i = 0; i < job.n_parts; i++)
		if (job.part[i].source != FROM_PACK && !create(&job.part[i].output))
			return false;
	return true;
}

void file_job_send(const char *path)
{
	struct image *image = NULL;
	enum image_error error = image_lookup(job.images->first, path, &image);

	if (error == IMAGE_OK && (image == NULL || image->type != IMAGE_FILE))
		error = IMAGE_IS_DIRECTORY;
	if (error == IMAGE_OK) {
		note_path(image->path, (struct save_how){.is_sent = true});
		job.image = image;
		begin(KIND_SEND, NULL);
	} else {
		say("Error: send: could not open '%s': %s", path, image_error_text(error));
	}
}

static bool make_head(size_t size)
{
	phys_t head = frame_alloc_run(align_up(size, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);

	if (head == 0)
		return false;
	job.head = phys_to_virt(head);
	job.head_size = size;
	return true;
}

/* Only the head needs the processors' registers. */
static bool make_dump_head(void)
{
	const struct vm *vm = job.still.vm;
	uint64_t n_frames = align_up(vm->n_vcpus * sizeof(struct dump_cpu), PAGE_SIZE) / PAGE_SIZE;
	phys_t registers = frame_alloc_run(n_frames, PAGE_SIZE);
	struct dump_cpu *cpus = phys_to_virt(registers);

	if (registers == 0)
		return false;
	if (make_head(dump_head_size(&job.dump))) {
		for (unsigned i = 0; i < vm->n_vcpus; i++)
			registers_read(vm_vcpu(vm, i), &cpus[i]);
		job.dump.cpus = cpus;
		dump_write_head(&job.dump, job.head);
		job.dump.cpus = NULL;
	}
	frame_free_run(registers, n_frames);
	return job.head != NULL;
}

static bool begin_dump(void)
{
	job.dump = (struct dump){.memory = &job.still.vm->memory, .n_cpus = job.still.vm->n_vcpus};
	if (!make_dump_head()) {
		fail_memory();
		return false;
	}
	add_part(FROM_DUMP, job.path, "", dump_size(&job.dump));
	return open_parts();
}

/* What the VM's memory was when it was cloned; NULL: it is not a clone. */
static struct ept_layer *layer_below(const struct vm *vm)
{
	return vm_outcome(vm) == VM_FROZEN ? vm->layer->parent : vm->ept.base;
}

static const char *cannot_be_layer(const struct vm *vm)
{
	const struct ept_layer *below = layer_below(vm);

	if (below == NULL)
		return "-i: the VM is not a clone";
	if (below->saved_id == 0)
		return "-i: its template was not saved: save that first";
	return saved_memory_is_shared(vm->mem) ? "-i: it has shared memory that is not a file"
					       : NULL;
}

/* NULL: the VM can be saved. */
static const char *cannot_save(const struct vm *vm)
{
	if (vm->template == NULL && vm->labels.labels)
		return "NVDIMM labels cannot be saved";
	if (vm->vcpu->regs.requests & VCPU_REQUEST_START)
		return "the VM has not started yet";
	if (vm_outcome(vm) != VM_FROZEN && job.still.has_to_resume)
		return "the VM is running: stop it or make it a template first";
	if (template_n_holds(vm) > 1 && saved_memory_is_shared(vm->mem))
		return "its clones may change its shared memory that is not a file: end them first";
	return job.how.is_layer ? cannot_be_layer(vm) : NULL;
}

/* All saves of a template have one id, because its memory is the same. */
static uint64_t id_of(struct vm *vm)
{
	uint64_t id = vm_outcome(vm) == VM_FROZEN ? vm->layer->saved_id : 0;

	while (id == 0)
		random_fill(&id, sizeof(id));
	if (vm_outcome(vm) == VM_FROZEN)
		vm->layer->saved_id = id;
	return id;
}

/* The name of the template that has this memory; "" if it is gone. */
static void name_template(const struct ept_layer *layer, char ret[SAVED_NAME_SIZE])
{
	ret[0] = '\0';
	vms_acquire();
	for (const struct vm *vm = vms; vm; vm = vm->next)
		if (vm_outcome(vm) == VM_FROZEN && vm->layer == layer)
			format(ret, SAVED_NAME_SIZE, "%s", vm_name(vm));
	lock_release(&vms_lock);
}

/* Begin to compress the memory, all of it or a layer. */
static bool begin_pack(const struct vm *vm, struct saved_head *head)
{
	const struct ept_layer *below = job.how.is_layer ? layer_below(vm) : NULL;

	if (below) {
		head->below = below->saved_id;
		name_template(below, head->template);
	}
	head->has_parts = true;
	if (pack_file_begin(&job.pack, &job.still.vm->memory, head->id, below ? below->root : 0) ==
	    OK)
		return true;
	fail_memory();
	return false;
}

/* Before the size of its state is known. False: no frame is left for a vCPU's registers. */
static bool keep_whole(struct vm *vm)
{
	if (!vm_take_areas(vm))
		return false;
	vm_keep(vm);
	return true;
}

/* Keep what the processors have, and write the state. */
static bool make_state(struct vm *vm, const struct saved_head *head)
{
	uint64_t now = rdtsc();
	struct vm_state_host host = {&vcpu_shared.cpuid, tsc_hz, now, tsc_unix_ns(now),
				     stencil_version};

	if (!keep_whole(vm) || !make_head(vm_state_size(vm))) {
		fail_memory();
		return false;
	}
	vm_deliver_press(vm);
	vm_state_write(vm, &host, head, job.head);
	return true;
}

static bool begin_save(void)
{
	struct vm *vm = job.still.vm;
	uint64_t memory = saved_memory_size(vm->mem);
	struct saved_head head = {.size = memory};
	const char *why = cannot_save(vm);

	if (why) {
		fail(why);
		return false;
	}
	head.id = id_of(vm);
	if ((job.how.is_packed && !begin_pack(vm, &head)) || !make_state(vm, &head))
		return false;
	if (job.how.is_packed)
		add_part(FROM_PACK, job.path, ".mem.0", 0);
	else if (memory > 0)
		add_part(FROM_MEMORY, job.path, ".mem", memory);
	add_part(FROM_HEAD, job.path, ".state", job.head_size);
	return open_parts();
}

/* Read the page of memory that the part's 'at' is in. */
static void read_page(const struct part *part)
{
	uint64_t offset = align_down(part->output.at, PAGE_SIZE);

	lock_acquire(&job.still.vm->lock);
	if (part->source == FROM_DUMP)
		dump_read_page(&job.dump, offset, job.page);
	else
		saved_memory_read(&job.still.vm->memory, offset, job.page);
	lock_release(&job.still.vm->lock);
	job.has_page = true;
}

/* The bytes of the file from the part's 'at' to the end of the page. */
static const char *next_bytes(const struct part *part, size_t *ret_len)
{
	uint64_t at = part->output.at, offset = at % PAGE_SIZE;

	*ret_len = PAGE_SIZE - offset;
	if (*ret_len > part->output.size - at)
		*ret_len = part->output.size - at;
	if (part->source == FROM_IMAGE)
		return (char *)phys_to_virt(job.image->base) + at;
	if (part->source == FROM_HEAD || (part->source == FROM_DUMP && at < job.head_size))
		return job.head + at;
	if (!job.has_page)
		read_page(part);
	return job.page + offset;
}

/* How small the memory has become. */
static void say_packed(void)
{
	log_info("VM %s: %lu KiB of memory are %lu KiB in %u compressed parts, %s.mem.0 and on",
		 vm_name(job.still.vm), saved_memory_size(job.still.vm->mem) / KIB(1),
		 align_up(job.packed_size, KIB(1)) / KIB(1), job.n_packs, job.path);
}

static void say_saved(void)
{
	const struct mem_map *map = job.still.vm->mem;

	log_info("VM %s: saved: %s.state", vm_name(job.still.vm), job.path);
	if (job.how.is_packed) {
		say_packed();
		return;
	}
	for (size_t i = 0; i < mem_map_all(map); i++) {
		const struct mem_region *region = &map->region[i];
		uint64_t place;

		if (!saved_memory_place(map, region, &place) || memory_backend_offset(region) != 0)
			continue;
		if (mem_region_is_hidden(region))
			log_info("VM %s: drive '%s': file=%s.mem,offset=%lu,size=%lu",
				 vm_name(job.still.vm), region->backend->id, job.path, place,
				 region->backend->size);
		else
			log_info("VM %s: memory of '%s': mem-path=%s.mem,offset=%lu",
				 vm_name(job.still.vm), region->backend->id, job.path, place);
	}
}

static enum job_state end_part(void)
{
	struct part *part = &job.part[job.at_part];

	output_end(&part->output);
	job.has_page = false;
	if (part->source == FROM_PACK && pack_file_next(&job.pack)) {
		part->output.at = 0;
		pack_name(job.pack.pack.number, part->output.name);
		return JOB_GOES_ON;
	}
	if (++job.at_part < job.n_parts) {
		begin_sending();
		return JOB_GOES_ON;
	}
	if (job.kind == KIND_SAVE)
		say_saved();
	job.is_complete = true;
	return JOB_IS_DONE;
}

/* When the size of a part is known, create it, or begin to send it. */
static enum job_state measure_some(struct output *output)
{
	lock_acquire(&job.still.vm->lock);
	pack_file_measure(&job.pack);
	lock_release(&job.still.vm->lock);
	if (!job.pack.is_measured)
		return JOB_GOES_ON;
	output->size = job.pack.size;
	begin_sending();
	if (!job.how.is_sent && !create(output))
		return JOB_IS_DONE;
	job.n_packs++;
	job.packed_size += output->size;
	return JOB_GOES_ON;
}

static enum job_state pack_some(struct output *output)
{
	const void *bytes;
	size_t len;
	enum status status;

	lock_acquire(&job.still.vm->lock);
	status = pack_file_bytes(&job.pack, &bytes, &len);
	lock_release(&job.still.vm->lock);
	if (status != OK) {
		fail("the memory has changed meanwhile");
		return JOB_IS_DONE;
	}
	if (len > 0)
		pack_file_took(&job.pack, output_take(output, bytes, len));
	return JOB_GOES_ON;
}

/*
 * Take the zeros that the VM's tables tell of: no page of memory without a frame is read. False:
 * the next page has to be.
 */
static bool take_zeros(struct output *output)
{
	unsigned budget = ENTRIES_AT_ONCE;
	uint64_t next;

	lock_acquire(&job.still.vm->lock);
	next = saved_memory_next(&job.still.vm->memory, 0, output->at, &budget);
	lock_release(&job.still.vm->lock);
	if (next == output->at)
		return false;
	output_take_zeros(output, next - output->at);
	return true;
}

/* Up to the end of a page or a block, or of a line that is sent. */
static enum job_state copy_some(void)
{
	struct part *part = &job.part[job.at_part];
	struct output *output = &part->output;
	const char *bytes;
	size_t len;

	if (is_being_measured())
		return measure_some(output);
	if (output->at == output->size)
		return end_part();
	if (part->source == FROM_PACK)
		return pack_some(output);
	if (part->source == FROM_MEMORY && is_aligned(output->at, PAGE_SIZE) && take_zeros(output))
		return JOB_GOES_ON;
	bytes = next_bytes(part, &len);
	(void)output_take(output, bytes, len);
	if (output->at % PAGE_SIZE == 0)
		job.has_page = false;
	return JOB_GOES_ON;
}

static enum job_state begin_with_vm(void)
{
	bool has_begun;

	if (!still_look(&job.still)) {
		say("Error: the VM has ended");
		return JOB_IS_DONE;
	}
	if (job.still.vm == NULL)
		return JOB_WAITS;
	has_begun = job.kind == KIND_DUMP ? begin_dump() : begin_save();
	return has_begun ? JOB_GOES_ON : JOB_IS_DONE;
}

static enum job_state begin_send(void)
{
	add_part(FROM_IMAGE, job.path, "", job.image->size);
	return open_parts() ? JOB_GOES_ON : JOB_IS_DONE;
}

static enum job_state step(void)
{
	if (job.n_parts > 0)
		return copy_some();
	return job.kind == KIND_SEND ? begin_send() : begin_with_vm();
}

void file_job_begin_due(void)
{
	struct save_config *line = save_queue_next();

	if (line == NULL)
		return;
	note_path(line->path, line->how);
	vms_acquire();
	still_begin(&job.still, line->vm);
	lock_release(&vms_lock);
	job.still.is_held = true;
	begin(KIND_SAVE, line);
}
