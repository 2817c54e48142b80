/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of a "vm" line, which are QEMU's. QEMU's whole set is known by name: what does
 * not work here is refused, never ignored. Accepted without effect is only what asks for
 * the machine that there is anyway.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/object.h"
#include "hv/backends/parse.h"
#include "hv/config/template_lines.h"
#include "hv/lib/string.h"

enum vm_option_id {
	OPT_REFUSED,  /* known, does not work */
	OPT_ACCEPTED, /* asks for what is so anyway */
	OPT_ONLY,     /* accepted with one value, see only_value() */
	OPT_APPEND,
	OPT_CHARDEV,
	OPT_CPU,
	OPT_DEBUGCON,
	OPT_DEVICE,
	OPT_FW_CFG,
	OPT_GLOBAL,
	OPT_INCOMING,
	OPT_INITRD,
	OPT_KERNEL,
	OPT_MACHINE,
	OPT_MAX_PRIVATE,
	OPT_MEMORY,
	OPT_MEM_PATH,
	OPT_MEM_PREALLOC,
	OPT_NAME,
	OPT_NODEFAULTS,
	OPT_NO_REBOOT,
	OPT_NUMA,
	OPT_OBJECT,
	OPT_ON_FULL,
	OPT_SERIAL,
	OPT_SET,
	OPT_SMP,
};

struct vm_option {
	const char *name;
	enum vm_option_id id;
	bool has_argument;
};

static const struct vm_option vm_options[] = {
	{"append", OPT_APPEND, true},
	{"chardev", OPT_CHARDEV, true},
	{"cpu", OPT_CPU, true},
	{"debugcon", OPT_DEBUGCON, true},
	{"device", OPT_DEVICE, true},
	{"fw_cfg", OPT_FW_CFG, true},
	{"global", OPT_GLOBAL, true},
	{"incoming", OPT_INCOMING, true},
	{"initrd", OPT_INITRD, true},
	{"kernel", OPT_KERNEL, true},
	{"machine", OPT_MACHINE, true},
	{"M", OPT_MACHINE, true},
	{"m", OPT_MEMORY, true},
	{"mem-path", OPT_MEM_PATH, true},
	{"mem-prealloc", OPT_MEM_PREALLOC, false},
	{"name", OPT_NAME, true},
	{"nodefaults", OPT_NODEFAULTS, false},
	{"no-reboot", OPT_NO_REBOOT, false},
	{"numa", OPT_NUMA, true},
	{"object", OPT_OBJECT, true},
	{"serial", OPT_SERIAL, true},
	{"set", OPT_SET, true},
	{"smp", OPT_SMP, true},

	/* Ours, not QEMU's. */
	{"max-private", OPT_MAX_PRIVATE, true},
	{"on-full", OPT_ON_FULL, true},

	{"enable-kvm", OPT_ACCEPTED, false},
	{"nographic", OPT_ACCEPTED, false},
	{"no-user-config", OPT_ACCEPTED, false},

	{"accel", OPT_ONLY, true},
	{"display", OPT_ONLY, true},
	{"monitor", OPT_ONLY, true},
	{"net", OPT_ONLY, true},
	{"nic", OPT_ONLY, true},
	{"parallel", OPT_ONLY, true},
	{"vga", OPT_ONLY, true},

	{"acpitable", OPT_REFUSED, true},
	{"action", OPT_REFUSED, true},
	{"add-fd", OPT_REFUSED, true},
	{"async-teardown", OPT_REFUSED, false},
	{"audio", OPT_REFUSED, true},
	{"audio-help", OPT_REFUSED, false},
	{"audiodev", OPT_REFUSED, true},
	{"bios", OPT_REFUSED, true},
	{"blockdev", OPT_REFUSED, true},
	{"boot", OPT_REFUSED, true},
	{"cdrom", OPT_REFUSED, true},
	{"chroot", OPT_REFUSED, true},
	{"compat", OPT_REFUSED, true},
	{"d", OPT_REFUSED, true},
	{"D", OPT_REFUSED, true},
	{"daemonize", OPT_REFUSED, false},
	{"dfilter", OPT_REFUSED, true},
	{"drive", OPT_REFUSED, true},
	{"dtb", OPT_REFUSED, true},
	{"dump-vmstate", OPT_REFUSED, true},
	{"echr", OPT_REFUSED, true},
	{"enable-sync-profile", OPT_REFUSED, false},
	{"fda", OPT_REFUSED, true},
	{"fdb", OPT_REFUSED, true},
	{"fsdev", OPT_REFUSED, true},
	{"full-screen", OPT_REFUSED, false},
	{"gdb", OPT_REFUSED, true},
	{"h", OPT_REFUSED, false},
	{"hda", OPT_REFUSED, true},
	{"hdb", OPT_REFUSED, true},
	{"hdc", OPT_REFUSED, true},
	{"hdd", OPT_REFUSED, true},
	{"help", OPT_REFUSED, false},
	{"icount", OPT_REFUSED, true},
	{"iscsi", OPT_REFUSED, true},
	{"k", OPT_REFUSED, true},
	{"L", OPT_REFUSED, true},
	{"loadvm", OPT_REFUSED, true},
	{"mon", OPT_REFUSED, true},
	{"msg", OPT_REFUSED, true},
	{"mtdblock", OPT_REFUSED, true},
	{"netdev", OPT_REFUSED, true},
	{"no-acpi", OPT_REFUSED, false},
	{"no-fd-bootchk", OPT_REFUSED, false},
	{"no-hpet", OPT_REFUSED, false},
	{"no-shutdown", OPT_REFUSED, false},
	{"only-migratable", OPT_REFUSED, false},
	{"option-rom", OPT_REFUSED, true},
	{"overcommit", OPT_REFUSED, true},
	{"perfmap", OPT_REFUSED, false},
	{"pflash", OPT_REFUSED, true},
	{"pidfile", OPT_REFUSED, true},
	{"plugin", OPT_REFUSED, true},
	{"preconfig", OPT_REFUSED, false},
	{"qmp", OPT_REFUSED, true},
	{"qmp-pretty", OPT_REFUSED, true},
	{"readconfig", OPT_REFUSED, true},
	{"rtc", OPT_REFUSED, true},
	{"run-with", OPT_REFUSED, true},
	{"runas", OPT_REFUSED, true},
	{"s", OPT_REFUSED, false},
	{"S", OPT_REFUSED, false},
	{"sandbox", OPT_REFUSED, true},
	{"sd", OPT_REFUSED, true},
	{"seed", OPT_REFUSED, true},
	{"shim", OPT_REFUSED, true},
	{"singlestep", OPT_REFUSED, false},
	{"smbios", OPT_REFUSED, true},
	{"snapshot", OPT_REFUSED, false},
	{"spice", OPT_REFUSED, true},
	{"tpmdev", OPT_REFUSED, true},
	{"trace", OPT_REFUSED, true},
	{"usb", OPT_REFUSED, false},
	{"usbdevice", OPT_REFUSED, true},
	{"uuid", OPT_REFUSED, true},
	{"version", OPT_REFUSED, false},
	{"virtfs", OPT_REFUSED, true},
	{"vnc", OPT_REFUSED, true},
	{"watchdog-action", OPT_REFUSED, true},
	{"win2k-hack", OPT_REFUSED, false},
	{"xen-attach", OPT_REFUSED, false},
	{"xen-domid", OPT_REFUSED, true},
	{"xen-domid-restrict", OPT_REFUSED, false},
};

/* The value of an OPT_ONLY option that is accepted. */
static const char *only_value(const char *name)
{
	return strcmp(name, "accel") == 0 ? "kvm" : "none";
}

static const struct vm_option *find_option(const struct word *word)
{
	const char *name = word->text;

	if (*name++ != '-')
		return NULL;
	name += *name == '-';
	for (size_t i = 0; i < ARRAY_SIZE(vm_options); i++) {
		if (strcmp(vm_options[i].name, name) == 0)
			return &vm_options[i];
	}
	return NULL;
}

static enum status read_only_value(struct vm_reader *reader, const struct vm_option *option,
				   const struct word *argument)
{
	if (strcmp(argument->text, only_value(option->name)) == 0)
		return OK;
	diag_error(reader->diag, word_place(argument, 0),
		   "option '-%s %s' is not supported, only '-%s %s'", option->name, argument->text,
		   option->name, only_value(option->name));
	return ERR_INVAL;
}

static enum status read_cpu(struct vm_reader *reader, const struct word *argument)
{
	if (strcmp(argument->text, "host") == 0 || strcmp(argument->text, "max") == 0)
		return OK;
	diag_error(reader->diag, word_place(argument, 0),
		   "CPU model '%s' is not supported, only 'host' and 'max'", argument->text);
	return ERR_INVAL;
}

static enum status read_object(struct vm_reader *reader, const struct word *argument)
{
	struct vm_config *vm = reader->vm;

	return object_read(argument, &vm->backends, &vm->thread_contexts, reader->arena,
			   reader->diag);
}

/* Properties of objects cannot be set this way: QEMU warns, and forgets about it. */
static enum status read_global(struct vm_reader *reader, const struct word *argument)
{
	const char *value = strchr(argument->text, '=');
	struct diag_place place = word_place(argument, 0);

	if (value != NULL && strncmp(argument->text, "memory-backend", 14) == 0) {
		diag_warning(reader->diag, place, "global %.*s has invalid class name",
			     (int)(value - argument->text), argument->text);
		return OK;
	}
	diag_error(reader->diag, place, "option '-global %s' is not supported", argument->text);
	return ERR_INVAL;
}

static enum status read_set(struct vm_reader *reader, const struct word *argument)
{
	if (strncmp(argument->text, "object.", 7) == 0)
		diag_error(reader->diag, word_place(argument, 0),
			   "-set is not supported with object");
	else
		diag_error(reader->diag, word_place(argument, 0),
			   "option '-set %s' is not supported", argument->text);
	return ERR_INVAL;
}

static enum status read_on_full(struct vm_reader *reader, const struct word *argument)
{
	reader->vm->pauses_when_full = strcmp(argument->text, "pause") == 0;
	if (reader->vm->pauses_when_full || strcmp(argument->text, "end") == 0)
		return OK;
	diag_error(reader->diag, word_place(argument, 0),
		   "Parameter '-on-full' does not accept value '%s', only 'end' and 'pause'",
		   argument->text);
	return ERR_INVAL;
}

static enum status read_text(const struct word *argument, const char **text,
			     struct diag_place *place)
{
	*text = argument->text;
	*place = word_place(argument, 0);
	return OK;
}

/* -max-private and -on-full. */
static enum status read_limits(struct vm_reader *reader, enum vm_option_id id,
			       const struct word *argument)
{
	if (id == OPT_ON_FULL)
		return read_on_full(reader, argument);
	return parse_limit(argument, 0, "-max-private", reader->diag, &reader->vm->max_private);
}

static enum status set_flag(struct vm_reader *reader, enum vm_option_id id)
{
	if (id == OPT_MEM_PREALLOC)
		reader->vm->mem_prealloc = true;
	else if (id == OPT_NODEFAULTS)
		reader->nodefaults = true;
	else
		reader->vm->no_reboot = true;
	return OK;
}

/* 'argument' is NULL for options without one. */
static enum status read_option(struct vm_reader *reader, const struct vm_option *option,
			       const struct word *argument)
{
	struct vm_config *vm = reader->vm;

	switch (option->id) {
	case OPT_REFUSED:
	case OPT_ACCEPTED:
		return OK;
	case OPT_ONLY:
		return read_only_value(reader, option, argument);
	case OPT_APPEND:
		return read_text(argument, &vm->append, &vm->append_place);
	case OPT_CHARDEV:
		return vm_read_chardev(reader, argument);
	case OPT_CPU:
		return read_cpu(reader, argument);
	case OPT_DEBUGCON:
		return vm_read_debugcon(reader, argument);
	case OPT_DEVICE:
		return vm_read_device(reader, argument);
	case OPT_FW_CFG:
		return vm_read_fw_cfg(reader, argument);
	case OPT_GLOBAL:
		return read_global(reader, argument);
	case OPT_INCOMING:
		return incoming_read(vm, argument, reader->diag);
	case OPT_INITRD:
		return read_text(argument, &vm->initrd, &vm->initrd_place);
	case OPT_KERNEL:
		return read_text(argument, &vm->kernel, &vm->kernel_place);
	case OPT_MACHINE:
		return vm_read_machine(reader, argument);
	case OPT_MEMORY:
		return vm_read_memory(reader, argument);
	case OPT_MEM_PATH:
		reader->mem_path = argument;
		return OK;
	case OPT_NAME:
		return vm_read_name(reader, argument);
	case OPT_MEM_PREALLOC:
	case OPT_NODEFAULTS:
	case OPT_NO_REBOOT:
		return set_flag(reader, option->id);
	case OPT_NUMA:
		return vm_read_numa(reader, argument);
	case OPT_OBJECT:
		return read_object(reader, argument);
	case OPT_MAX_PRIVATE:
	case OPT_ON_FULL:
		return read_limits(reader, option->id, argument);
	case OPT_SERIAL:
		return vm_read_serial(reader, argument);
	case OPT_SET:
		return read_set(reader, argument);
	case OPT_SMP:
		return vm_read_smp(reader, argument);
	}
	return OK;
}

/* False: said. 'option' is NULL if there is none of that name. */
static bool check_option(struct vm_reader *reader, const struct vm_option *option,
			 const struct word *word)
{
	struct diag_place place = word_place(word, 0);

	if (word->text[0] != '-')
		diag_error(reader->diag, place, "'%s' is no option; disk images are not supported",
			   word->text);
	else if (option == NULL)
		diag_error(reader->diag, place, "%s: invalid option", word->text);
	else if (option->has_argument && word->next == NULL)
		diag_error(reader->diag, place, "%s: requires an argument", word->text);
	else if (option->id == OPT_REFUSED)
		diag_error(reader->diag, place, "option '%s' is not supported", word->text);
	else
		return true;
	return false;
}

enum status vm_read_options(struct vm_reader *reader, const struct word *words)
{
	for (; words != NULL; words = words->next) {
		const struct word *word = words;
		const struct vm_option *option = find_option(word);
		bool usable = check_option(reader, option, word);

		if (option != NULL && option->has_argument && word->next != NULL)
			words = word->next;
		if (usable && read_option(reader, option, words) == ERR_NOMEM)
			return ERR_NOMEM;
	}
	return vm_read_json_devices(reader);
}
