/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QMP on standard input and output: serve [all|LINE]. The VM r alone is there, or all of machine.h,
 * or r as this line of the configuration says, with a ramdisk that has /d/f32 and /d/f8.
 */
#include <poll.h>
#include <sys/mman.h>

#include "hv/backends/backend_open.h"
#include "hv/config/dimm_place.h"
#include "hv/config/layout.h"
#include "hv/config/read.h"
#include "hv/monitor/hotplug_job.h"
#include "tests/qmp/machine.h"

static bool is_closed;

/* Wait so many ms for input. */
static bool has_input(int ms)
{
	return poll(&(struct pollfd){.fd = fileno(stdin), .events = POLLIN}, 1, ms) == 1;
}

int serial_receive(const struct serial_port *port)
{
	int byte;

	if (is_closed || !has_input(0))
		return -1;
	byte = getchar();
	is_closed = byte == EOF;
	return is_closed ? -1 : byte;
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	putchar(byte);
	if (byte == '\n')
		fflush(stdout);
}

/* A machine that has not used its memory yet. */
static void make_large_memory(void)
{
	const size_t size = GIB(4);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	phys_offset = (uintptr_t)memory - FRAME_LOWEST;
	frame_add_range(FRAME_LOWEST, size);
}

static struct image *make_file(struct image *file, const char *path, uint64_t size)
{
	*file = (struct image){.path = path,
			       .type = IMAGE_FILE,
			       .mode = 0644,
			       .base = frame_alloc_run(size / PAGE_SIZE, MIB(2)),
			       .size = size,
			       .aligned = true};
	return file;
}

static struct vm_config *read_line(const char *line, struct image_list *images)
{
	static struct config read;
	struct diag diag = {.file = "line"};

	if (config_parse(line, strlen(line), images->arena, &diag, &read) != OK)
		exit(1);
	for (struct backend *b = read.vms->backends; b != NULL; b = b->next)
		if (backend_open(b, images, &diag) != OK)
			exit(1);
	if (config_place_memory(read.vms, read.phys_bits, &diag) != OK)
		exit(1);
	return read.vms;
}

/* Let r be what the line says, with devices and a tree that has no memory yet. */
static void make_running(const char *line)
{
	static char memory[MIB(1)] __attribute__((aligned(16)));
	static struct arena arena = {.base = memory, .size = sizeof(memory)};
	static struct image files[2];
	static struct image_list images = {.first = files, .arena = &arena};
	static struct platform_wiring wiring;
	static struct mem_map map;
	struct platform_extras extras = {0};
	struct vm_config *of;
	struct vm *vm;

	files[0].next = make_file(&files[1], "/d/f8", MIB(8));
	make_file(&files[0], "/d/f32", MIB(32))->next = &files[1];
	of = read_line(line, &images);
	extras.n_slots = of->dimm_slots & 0x1ff;
	vm = calloc(1, offsetof(struct vm, platform) + platform_size(1, extras));
	memcpy(vm, &running, offsetof(struct vm, platform));
	vm->config = of;
	vm->mem = &map;
	if (memory_layout(of, &map) != OK || ept_setup() != OK ||
	    ept_init(&vm->ept, 2, EPT_UNLIMITED) != OK ||
	    platform_init(&vm->platform, &wiring,
			  &(struct platform_config){.topology = &of->topology,
						    .phys_bits = 46,
						    .tsc_hz = tsc_hz,
						    .extras = extras}) != OK)
		exit(1);
	hotplug_job_setup(&images);
	vm->next = NULL;
	vms = vm;
}

int main(int n_arguments, char **arguments)
{
	bool is_line = n_arguments > 1 && strcmp(arguments[1], "all") != 0;

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() knows what has come */
	make_vms();
	if (is_line)
		make_large_memory();
	else
		make_memory();
	if (n_arguments == 1)
		running.next = NULL;
	if (is_line)
		make_running(arguments[1]);
	if (qmp_begin(&SERIAL_COM2) != OK)
		return 1;
	/* After the end of the input an answer may have any number of pieces. */
	for (unsigned left = 1000; left > 0; left -= is_closed) {
		job_work();
		qmp_poll();
		if (!is_closed)
			(void)has_input(1);
	}
	return 0;
}
