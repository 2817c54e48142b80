/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/config.h"
#include "hv/backends/word.h"

/* What the parsing of one "vm" line knows beside its result. For config*.c and vm_*.c only. */
struct device_id {
	struct device_id *next;
	const char *id;
};

struct vm_reader {
	struct vm_config *vm;
	struct arena *arena;
	struct diag *diag;
	const char *machine; /* QEMU's name of the machine type, for messages */
	const char *default_ram_id;
	struct device_id *device_ids;
	bool has_serial, nodefaults;
	bool bad_memory; /* -m has an error, which was said */
	bool has_slots;
	uint64_t slots; /* as QEMU compares them: any number */
};

/*
 * The words of a "vm" line behind its name. Each error is said, and the next option looked at.
 * ERR_NOMEM: the arena is full, not said; else OK.
 */
enum status vm_read_options(struct vm_reader *reader, const struct word *words);

/*
 * The argument of one option. ERR_INVAL: said.
 */
enum status vm_read_memory(struct vm_reader *reader, const struct word *argument);
enum status vm_read_machine(struct vm_reader *reader, const struct word *argument);
enum status vm_read_smp(struct vm_reader *reader, const struct word *argument);
enum status vm_read_name(struct vm_reader *reader, const struct word *argument);
enum status vm_read_device(struct vm_reader *reader, const struct word *argument);
enum status vm_read_chardev(struct vm_reader *reader, const struct word *argument);
enum status vm_read_serial(struct vm_reader *reader, const struct word *argument);
enum status vm_read_debugcon(struct vm_reader *reader, const struct word *argument);

/* What can only be told at the end of the line: sizes that must fit, names that must exist. */
void vm_resolve(struct vm_reader *reader);
