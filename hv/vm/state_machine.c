/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options whose effects the guest has seen, as lines of text, so that a message can show which
 * one differs. The files behind memory are not among them: they may be others each time.
 */
#include "hv/vm/state_machine.h"

#include "hv/config/drive.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/virtio/virtio_console.h"

#define LINE_SIZE 200 /* bytes; the rest of a longer line is ignored */

/* Lines to write, or to compare with those of a file. */
struct lines {
	struct state_writer *writer; /* NULL: compare */
	struct state_reader *reader;
	enum status status;
};

/* Replace what a terminal could not show. */
static void make_printable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}

/* The next line of the file, without its newline; false: there is none. */
static bool next_line(struct state_reader *reader, char text[LINE_SIZE])
{
	const char *from = (const char *)reader->data + reader->at;
	size_t len = reader->end - reader->at;
	const char *newline = memchr(from, '\n', len);
	size_t n = newline ? (size_t)(newline - from) : len;

	reader->at += newline ? n + 1 : n;
	if (len == 0)
		return false;
	n = n < LINE_SIZE ? n : LINE_SIZE - 1;
	memcpy(text, from, n);
	text[n] = '\0';
	make_printable(text, n);
	return true;
}

static enum status compare(struct state_reader *reader, char mine[LINE_SIZE])
{
	char theirs[LINE_SIZE];

	make_printable(mine, strlen(mine));
	if (!next_line(reader, theirs)) {
		format(reader->why, sizeof(reader->why), "is of a VM without '%.100s'", mine);
		return ERR_INVAL;
	}
	if (strcmp(mine, theirs) == 0)
		return OK;
	format(reader->why, sizeof(reader->why),
	       "is of a VM with '%.100s', where this one has '%.100s'", theirs, mine);
	return ERR_INVAL;
}

__attribute__((format(printf, 2, 3))) static void line(struct lines *lines, const char *fmt, ...)
{
	char text[LINE_SIZE];
	va_list args;

	if (lines->status != OK)
		return;
	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	if (lines->writer == NULL) {
		lines->status = compare(lines->reader, text);
		return;
	}
	state_put(lines->writer, text, strlen(text));
	state_put(lines->writer, "\n", 1);
}

static void memory_lines(struct lines *lines, const struct mem_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct mem_region *region = &map->region[i];

		line(lines, "%s %s of %lu bytes at 0x%lx",
		     region->kind == MEM_ROM ? "ROM" : "memory", region->backend->id, region->len,
		     region->gpa.raw);
	}
}

/* What a guest is shown by default is in the section about CPUID only: older states have less. */
static void cpu_lines(struct lines *lines, const struct vm_config *config)
{
	if (config->kvm_is_off)
		line(lines, "-cpu host,kvm=off");
	if (config->kvmclock_is_off)
		line(lines, "-cpu host,kvmclock=off");
	if (config->steal_time_is_off)
		line(lines, "-cpu host,kvm-steal-time=off");
	if (config->pv_eoi_is_off)
		line(lines, "-cpu host,kvm-pv-eoi=off");
}

static void virtio_lines(struct lines *lines, const struct virtio_config *virtio)
{
	const struct virtio_console_config *console = (const struct virtio_console_config *)virtio;

	line(lines, "-device %s", virtio->kind->driver);
	if (virtio->kind != &virtio_console)
		return;
	for (unsigned nr = 0; nr < console->n_ports; nr++)
		if (console->port[nr].is_there)
			line(lines, "-device %s,nr=%u,name=%s",
			     console->port[nr].is_console ? "virtconsole" : "virtserialport", nr,
			     console->port[nr].name ? console->port[nr].name : "");
}

static void device_lines(struct lines *lines, const struct vm_config *config)
{
	for (const struct dimm_config *dimm = config->dimms; dimm != NULL; dimm = dimm->next)
		if (dimm->pmem == NULL)
			line(lines, "-device %s,slot=%d", dimm->is_nvdimm ? "nvdimm" : "pc-dimm",
			     (int)dimm->slot);
	if (config->has_vmgenid)
		line(lines, "-device vmgenid");
	if (config->has_debug_exit)
		line(lines, "-device isa-debug-exit,iobase=0x%x,iosize=0x%x",
		     config->debug_exit_iobase, config->debug_exit_iosize);
	if (config->has_debugcon)
		line(lines, "-device isa-debugcon,iobase=0x%x", config->debugcon_iobase);
	if (config->has_pvpanic)
		line(lines, "-device pvpanic,events=%u", config->pvpanic_events);
	if (config->has_watchdog)
		line(lines, "-device acpi-watchdog");
	for (const struct virtio_config *one = config->virtio; one != NULL; one = one->next)
		virtio_lines(lines, one);
	for (const struct drive_config *drive = config->drives; drive != NULL; drive = drive->next)
		if (drive->device != NULL)
			line(lines, "drive %s of %lu sectors%s", drive->backend.id,
			     drive->device->n_sectors, drive->readonly ? ", read-only" : "");
	if (config->has_pic)
		line(lines, "-machine pic=on");
	if (config->has_pit)
		line(lines, "-machine pit=on");
	if (config->has_hpet)
		line(lines, "-machine hpet=on");
	if (config->has_pm_timer)
		line(lines, "-machine pm-timer=on");
	if (config->no_rtc)
		line(lines, "-machine rtc=off");
	for (const struct fw_cfg_config *one = config->fw_cfg; one != NULL; one = one->next)
		line(lines, "-fw_cfg name=%s of %u bytes", one->file.name, (unsigned)one->file.len);
}

static void all_lines(struct lines *lines, const struct vm *vm)
{
	const struct cpu_topology *topology = &vm->config->topology;

	line(lines, "-smp %u,sockets=%u,dies=%u,modules=%u,cores=%u,threads=%u", topology->n_cpus,
	     topology->count[TOPOLOGY_SOCKET], topology->count[TOPOLOGY_DIE],
	     topology->count[TOPOLOGY_MODULE], topology->count[TOPOLOGY_CORE],
	     topology->count[TOPOLOGY_THREAD]);
	cpu_lines(lines, vm->config);
	line(lines, "-m %luk", vm->config->ram_size / 1024);
	memory_lines(lines, vm->mem);
	device_lines(lines, vm->config);
}

void state_put_machine(struct state_writer *writer, const struct vm *vm)
{
	struct lines lines = {.writer = writer, .status = OK};

	state_begin_section(writer, "machine", 0);
	all_lines(&lines, vm);
	state_end_section(writer);
}

enum status state_check_machine(struct state_reader *reader, const struct vm *vm)
{
	struct lines lines = {.reader = reader, .status = OK};
	char more[LINE_SIZE];

	TRY(state_read_section(reader, "machine", 0));
	all_lines(&lines, vm);
	if (lines.status != OK || !next_line(reader, more))
		return lines.status;
	format(reader->why, sizeof(reader->why), "is of a VM with '%.100s', which this one lacks",
	       more);
	return ERR_INVAL;
}
