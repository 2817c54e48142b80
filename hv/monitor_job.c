/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's long jobs, a piece at each call: guests run meanwhile, and the console's
 * buffer never fills up. What is dumped does not run: nobody but the monitor lets go a VM
 * that is stopped, and a template with a name stays.
 */
#include "hv/monitor_job.h"

#include "hv/console.h"
#include "hv/cpu_text.h"
#include "hv/phys.h"
#include "hv/print.h"
#include "hv/sched.h"
#include "hv/send.h"
#include "hv/string.h"
#include "hv/vcpu_dump.h"

enum {
	PAGES_AT_ONCE = 64,
	WAITING_MAX = 4096, /* bytes on their way to the console */
};

enum job_kind { JOB_NONE, JOB_REGISTERS, JOB_DUMP, JOB_SEND };

static struct {
	enum job_kind kind;
	bool has_begun;	   /* the VM has stopped */
	unsigned index;	   /* of the VM, which may go until it has stopped */
	struct vm *vm;	   /* from then on */
	bool has_to_go_on; /* it ran before */

	char path[SEND_NAME_MAX + 1];
	bool is_sent;
	struct image_list *images;
	struct image *image; /* written to, or sent */
	struct dump dump;
	char *head; /* of the dump */
	size_t head_size;

	uint64_t at, size;    /* of the file: what has been done, bytes */
	char page[PAGE_SIZE]; /* the dump's at 'at' */
	bool has_page;
	struct send send;
} job;

static void emit(void *context, const char *line)
{
	char text[INFO_LINE_MAX + 2];
	size_t len = format(text, sizeof(text), "%s\n", line);

	(void)context;
	console_write_raw(text, len < sizeof(text) ? len : sizeof(text) - 1);
}

static void fail(const char *what, const char *why)
{
	char line[300];

	format(line, sizeof(line), "Error: dump: %s '%s': %s", what, job.path, why);
	emit(NULL, line);
}

static void begin(enum job_kind kind, struct vm *vm)
{
	bool runs = vm->outcome == VM_RUNNING;

	job.kind = kind;
	job.has_begun = false;
	job.index = vm->index;
	job.has_to_go_on = runs && !vm->is_paused;
	if (job.has_to_go_on)
		sched_pause(vm, true);
}

static void end(void)
{
	if (job.has_begun && job.has_to_go_on)
		sched_pause(job.vm, false);
	if (job.head)
		frame_free_run(virt_to_phys(job.head), job.head_size / PAGE_SIZE);
	job.head = NULL;
	job.kind = JOB_NONE;
}

void monitor_job_registers(struct vm *vm)
{
	begin(JOB_REGISTERS, vm);
}

void monitor_job_dump(struct vm *vm, struct image_list *images, const char *path, bool is_sent)
{
	job.images = images;
	job.is_sent = is_sent;
	format(job.path, sizeof(job.path), "%s", path);
	begin(JOB_DUMP, vm);
}

static void write_line(const char *text, size_t len)
{
	if (len > 0)
		console_write_raw(text, len);
}

static void begin_sending(const char *name)
{
	char text[SEND_LINE_MAX];

	write_line(text, send_begin(&job.send, name, job.size, text));
}

void monitor_job_send(const struct image *image)
{
	job.kind = JOB_SEND;
	job.has_begun = true;
	job.has_to_go_on = false;
	job.is_sent = true;
	job.image = (struct image *)image;
	job.at = 0;
	job.size = image->size;
	begin_sending(image->path);
}

/* A file of that name must not be there: some VM's memory may be in it. */
static bool make_file(void)
{
	struct frame_policy anywhere = {.mode = FRAME_LOCAL};
	enum image_error error = image_lookup(job.images->first, job.path, &job.image);

	if (error == IMAGE_OK) {
		fail("failed to open", "File exists");
		return false;
	}
	if (error == IMAGE_NOT_FOUND)
		error = image_create(job.images, job.path, &job.image);
	if (error != IMAGE_OK) {
		fail("failed to open", image_error_text(error));
		return false;
	}
	if (image_grow(job.image, job.size, &anywhere) == OK)
		return true;
	image_remove(job.images, job.image);
	fail("failed to write", "not enough memory in this machine");
	return false;
}

/* The processors' registers are needed for the head alone. */
static bool make_head(void)
{
	const struct vm *vm = job.vm;
	uint64_t n_frames = align_up(vm->n_vcpus * sizeof(struct dump_cpu), PAGE_SIZE) / PAGE_SIZE;
	phys_t registers = frame_alloc_run(n_frames, PAGE_SIZE);
	phys_t head = frame_alloc_run(job.head_size / PAGE_SIZE, PAGE_SIZE);
	struct dump_cpu *cpus = phys_to_virt(registers);

	job.head = head ? phys_to_virt(head) : NULL;
	if (registers && head) {
		for (unsigned i = 0; i < vm->n_vcpus; i++)
			vcpu_dump(&vm->vcpu[i], &cpus[i]);
		job.dump.cpus = cpus;
		dump_write_head(&job.dump, job.head);
		job.dump.cpus = NULL;
	}
	if (registers)
		frame_free_run(registers, n_frames);
	return registers && head;
}

static bool begin_dump(void)
{
	job.dump = (struct dump){.memory = &job.vm->memory, .n_cpus = job.vm->n_vcpus};
	job.at = 0;
	job.size = dump_size(&job.dump);
	job.has_page = false;
	job.head_size = dump_head_size(&job.dump);
	if (!make_head()) {
		fail("failed to write", "not enough memory in this machine");
		return false;
	}
	if (job.is_sent)
		begin_sending(job.path);
	return job.is_sent || make_file();
}

/* The VM as it is now; vms_lock is held. */
static struct vm *find_vm(void)
{
	struct vm *vm = vms;

	while (vm && vm->index != job.index)
		vm = vm->next;
	if (vm && (vm->outcome == VM_RUNNING || (vm->outcome == VM_FROZEN && !vm->unnamed)))
		return vm;
	return NULL;
}

/* Wait until the VM has stopped; false: it has ended instead. */
static bool wait_for_vm(void)
{
	lock_acquire(&vms_lock);
	job.vm = find_vm();
	job.has_begun = job.vm && (job.vm->outcome == VM_FROZEN || sched_has_paused(job.vm));
	if (job.has_begun && job.vm->outcome == VM_FROZEN)
		job.has_to_go_on = false;
	lock_release(&vms_lock);
	if (job.vm == NULL)
		emit(NULL, "Error: the VM has ended");
	return job.vm != NULL;
}

/* The bytes of the file from job.at to the end of the page. */
static const char *next_bytes(size_t *ret_len)
{
	uint64_t offset = job.at % PAGE_SIZE;

	*ret_len = PAGE_SIZE - offset;
	if (*ret_len > job.size - job.at)
		*ret_len = job.size - job.at;
	if (job.kind == JOB_SEND)
		return (char *)phys_to_virt(job.image->base) + job.at;
	if (job.at < job.head_size)
		return job.head + job.at;
	if (!job.has_page) {
		lock_acquire(&job.vm->lock);
		dump_read_page(&job.dump, job.at - offset, job.page);
		lock_release(&job.vm->lock);
		job.has_page = true;
	}
	return job.page + offset;
}

/* Send, or write, what the bytes hold; returns how many were taken. */
static size_t take(const char *bytes, size_t len)
{
	char text[SEND_LINE_MAX];
	size_t text_len, taken;

	if (!job.is_sent) {
		memcpy((char *)phys_to_virt(job.image->base) + job.at, bytes, len);
		return len;
	}
	taken = send_data(&job.send, bytes, len, text, &text_len);
	write_line(text, text_len);
	return taken;
}

static void copy_some(void)
{
	char text[SEND_LINE_MAX];
	uint64_t until = job.at + PAGES_AT_ONCE * PAGE_SIZE;
	size_t len;

	while (job.at < until && job.at < job.size && console_waiting() < WAITING_MAX) {
		const char *bytes = next_bytes(&len);

		job.at += take(bytes, len);
		if (job.at % PAGE_SIZE == 0)
			job.has_page = false;
	}
	if (job.at < job.size)
		return;
	while (job.is_sent && (len = send_end(&job.send, text)) > 0)
		write_line(text, len);
	end();
}

static void show_registers(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		const struct vcpu *vcpu = &vm->vcpu[i];
		struct dump_cpu cpu;

		vcpu_dump(vcpu, &cpu);
		cpu_text(&cpu, i, vcpu->regs.requests & VCPU_REQUEST_HALT, emit, NULL);
	}
}

static void begin_with_vm(void)
{
	if (job.kind == JOB_DUMP) {
		if (!begin_dump())
			end();
		return;
	}
	show_registers(job.vm);
	end();
}

bool monitor_job_work(void)
{
	if (job.kind == JOB_NONE)
		return false;
	if (job.has_begun)
		copy_some();
	else if (!wait_for_vm())
		end();
	else if (job.has_begun)
		begin_with_vm();
	return true;
}
