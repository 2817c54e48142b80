/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of a "vm" line, which are QEMU's. All options of QEMU are known by name; those that
 * do not work here are refused, never ignored. An option is accepted without effect only if it asks
 * for what every VM has.
 */
#include "hv/config/vm_reader.h"

#include "hv/backends/object.h"
#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/config/template_lines.h"
#include "hv/lib/string.h"

static enum status read_object(struct vm_reader *reader, const struct word *argument)
{
	struct vm_config *vm = reader->vm;

	return object_read(argument,
			   &(struct object_lists){&vm->backends, &vm->thread_contexts, &vm->rngs},
			   reader->arena, reader->diag);
}

/* -global cannot set properties of objects: QEMU warns and ignores it. */
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

static enum status set_watchdog_action(struct vm_reader *reader, const char *text,
				       struct diag_place place)
{
	for (unsigned i = 0; watchdog_action_names[i] != NULL; i++) {
		if (strcmp(text, watchdog_action_names[i]) != 0)
			continue;
		reader->vm->watchdog_action = (enum watchdog_action)i;
		return OK;
	}
	diag_error(reader->diag, place, "Parameter 'watchdog' does not accept value '%s'", text);
	suggest_value(watchdog_action_names, text, reader->diag);
	return ERR_INVAL;
}

static enum status read_watchdog_action(struct vm_reader *reader, const struct word *argument)
{
	return set_watchdog_action(reader, argument->text, word_place(argument, 0));
}

/* The other events have options of their own, or one action. */
static enum status read_action(struct vm_reader *reader, const struct word *argument)
{
	const struct option *watchdog;
	struct options options;

	TRY(options_split(argument, &(struct option_syntax){.no_flags = true}, reader->arena,
			  reader->diag, &options));
	watchdog = options_find(&options, "watchdog");
	TRY(options_check_known(&options, "watchdog", reader->diag));
	if (watchdog == NULL)
		return OK;
	return set_watchdog_action(reader, watchdog->value, option_value_place(&options, watchdog));
}

static enum status read_append(struct vm_reader *reader, const struct word *argument)
{
	reader->vm->append = argument->text;
	reader->vm->append_place = word_place(argument, 0);
	return OK;
}

static enum status read_initrd(struct vm_reader *reader, const struct word *argument)
{
	reader->vm->initrd = argument->text;
	reader->vm->initrd_place = word_place(argument, 0);
	return OK;
}

static enum status read_bios(struct vm_reader *reader, const struct word *argument)
{
	reader->bios = argument;
	return OK;
}

static enum status read_kernel(struct vm_reader *reader, const struct word *argument)
{
	reader->vm->kernel = argument->text;
	reader->vm->kernel_place = word_place(argument, 0);
	return OK;
}

static enum status read_incoming(struct vm_reader *reader, const struct word *argument)
{
	return incoming_read(reader->vm, argument, reader->diag);
}

/* What a template would never do. */
static enum status refuse_for_template(struct vm_reader *reader, const struct word *word)
{
	diag_error(reader->diag, word_place(word, 0),
		   "a template never runs: '-%s' is for a vm, not for a template", reader->option);
	return ERR_INVAL;
}

static enum status read_gdb(struct vm_reader *reader, const struct word *argument)
{
	static const char *const names[] = {"com1", "com2", "com3", "com4", "none", NULL};
	static const enum console_port ports[] = {CONSOLE_COM1, CONSOLE_COM2, CONSOLE_COM3,
						  CONSOLE_COM4, CONSOLE_NONE};

	if (reader->vm->is_template)
		return refuse_for_template(reader, argument);
	for (unsigned i = 0; names[i] != NULL; i++) {
		if (strcmp(argument->text, names[i]) != 0)
			continue;
		reader->vm->gdb = ports[i];
		reader->vm->gdb_place = word_place(argument, 0);
		return OK;
	}
	diag_error(reader->diag, word_place(argument, 0),
		   "Parameter '-gdb' does not accept value '%s', only a serial port of the machine",
		   argument->text);
	suggest_value(names, argument->text, reader->diag);
	return ERR_INVAL;
}

static enum status read_max_private(struct vm_reader *reader, const struct word *argument)
{
	return parse_limit(argument, 0, "-max-private", reader->diag, &reader->vm->max_private);
}

static enum status read_weight(struct vm_reader *reader, const struct word *argument)
{
	bool negative;
	uint64_t weight;

	if (parse_integer(argument->text, &weight, &negative) == OK && !negative && weight >= 1 &&
	    weight <= VM_WEIGHT_MAX) {
		reader->vm->weight = (uint16_t)weight;
		return OK;
	}
	diag_error(reader->diag, word_place(argument, 0),
		   "Parameter '-weight' does not accept value '%s', only a number from 1 to %u",
		   argument->text, VM_WEIGHT_MAX);
	return ERR_INVAL;
}

static enum status read_mem_path(struct vm_reader *reader, const struct word *argument)
{
	reader->mem_path = argument;
	return OK;
}

/* Refuse every argument except the one that asks for what every VM has. */
static enum status check_only(struct vm_reader *reader, const struct word *argument,
			      const char *only)
{
	if (strcmp(argument->text, only) == 0)
		return OK;
	diag_error(reader->diag, word_place(argument, 0),
		   "option '-%s %s' is not supported, only '-%s %s'", reader->option,
		   argument->text, reader->option, only);
	return ERR_INVAL;
}

static enum status read_accel(struct vm_reader *reader, const struct word *argument)
{
	return check_only(reader, argument, "kvm");
}

static enum status read_none(struct vm_reader *reader, const struct word *argument)
{
	return check_only(reader, argument, "none");
}

/* An option with an argument. To add one, add a row and its reader. */
struct vm_option {
	const char *name;
	enum status (*read)(struct vm_reader *reader, const struct word *argument);
};

static const struct vm_option vm_options[] = {
	{"append", read_append},
	{"bios", read_bios},
	{"blockdev", vm_read_blockdev},
	{"chardev", vm_read_chardev},
	{"cpu", vm_read_cpu},
	{"debugcon", vm_read_debugcon},
	{"device", vm_read_device},
	{"drive", vm_read_drive},
	{"fw_cfg", vm_read_fw_cfg},
	{"gdb", read_gdb},
	{"global", read_global},
	{"incoming", read_incoming},
	{"initrd", read_initrd},
	{"kernel", read_kernel},
	{"machine", vm_read_machine},
	{"M", vm_read_machine},
	{"m", vm_read_memory},
	{"mem-path", read_mem_path},
	{"name", vm_read_name},
	{"netdev", vm_read_netdev},
	{"numa", vm_read_numa},
	{"object", read_object},
	{"option-rom", vm_read_option_rom},
	{"serial", vm_read_serial},
	{"set", read_set},
	{"smp", vm_read_smp},

	{"accel", read_accel},
	{"display", read_none},
	{"monitor", read_none},
	{"net", read_none},
	{"nic", read_none},
	{"parallel", read_none},
	{"vga", read_none},

	/* Not QEMU's. */
	{"max-private", read_max_private},
	{"on-full", read_on_full},
	{"action", read_action},
	{"watchdog-action", read_watchdog_action},
	{"weight", read_weight},
};

/* The other options of QEMU that have an argument. */
static const char refused_options[] =
	"acpitable action add-fd audio audiodev boot cdrom chroot compat d D "
	"dfilter dtb dump-vmstate echr fda fdb fsdev hda hdb hdc hdd icount iscsi k L "
	"loadvm mon msg mtdblock overcommit pflash pidfile plugin qmp "
	"qmp-pretty readconfig rtc run-with runas sandbox sd seed shim smbios spice tpmdev "
	"trace usbdevice uuid virtfs vnc xen-domid";

/* Those that are flags. */
static const char refused_flags[] =
	"async-teardown audio-help daemonize enable-sync-profile full-screen h help no-acpi "
	"no-fd-bootchk no-hpet no-shutdown only-migratable perfmap preconfig s singlestep "
	"snapshot usb version win2k-hack xen-attach xen-domid-restrict";

/* Flags that ask for what every VM has. */
static const char accepted_flags[] = "enable-kvm nographic no-user-config";

static enum status refuse(struct vm_reader *reader, const struct word *option)
{
	diag_error(reader->diag, word_place(option, 0), "option '%s' is not supported",
		   option->text);
	return ERR_INVAL;
}

/* False: there is no such flag. */
static bool read_flag(struct vm_reader *reader, const struct word *option)
{
	if (strcmp(reader->option, "mem-prealloc") == 0)
		reader->vm->mem_prealloc = true;
	else if (strcmp(reader->option, "nodefaults") == 0)
		reader->nodefaults = true;
	else if (strcmp(reader->option, "no-reboot") == 0)
		reader->vm->no_reboot = true;
	else if (strcmp(reader->option, "S") == 0 && reader->vm->is_template)
		(void)refuse_for_template(reader, option);
	else if (strcmp(reader->option, "S") == 0)
		reader->vm->starts_stopped = true;
	else if (is_listed(refused_flags, reader->option))
		(void)refuse(reader, option);
	else
		return is_listed(accepted_flags, reader->option);
	return true;
}

/* NULL: there is no such option with an argument. */
static const struct vm_option *find_option(const char *name)
{
	static const struct vm_option refused = {NULL, NULL};

	for (size_t i = 0; i < ARRAY_SIZE(vm_options); i++) {
		if (strcmp(vm_options[i].name, name) == 0)
			return &vm_options[i];
	}
	return is_listed(refused_options, name) ? &refused : NULL;
}

/* '*words' moves to the last word that may be the option's argument. */
static void refuse_unknown(struct vm_reader *reader, const struct word **words)
{
	struct suggestion near = suggest(reader->option, strlen(reader->option));

	diag_error(reader->diag, word_place(*words, 0), "%s: invalid option", (*words)->text);
	for (size_t i = 0; i < ARRAY_SIZE(vm_options); i++)
		suggest_name(&near, vm_options[i].name);
	suggest_list(&near, "mem-prealloc no-reboot nodefaults");
	suggest_tell(&near, "-", reader->diag);
	reader->bad_kernel = reader->bad_kernel || suggest_is(&near, "kernel");
	while ((*words)->next != NULL && (*words)->next->text[0] != '-')
		*words = (*words)->next;
}

/* '*words' is the option, and moves to its argument if the option has one. */
static enum status read_option(struct vm_reader *reader, const struct word **words)
{
	const struct word *word = *words;
	const struct vm_option *option = find_option(reader->option);

	if (option == NULL) {
		if (!read_flag(reader, word))
			refuse_unknown(reader, words);
		return OK;
	}
	if (word->next == NULL) {
		diag_error(reader->diag, word_place(word, 0), "%s: requires an argument",
			   word->text);
		reader->bad_kernel = reader->bad_kernel || option->read == read_kernel;
		return OK;
	}
	*words = word->next;
	return option->read != NULL ? option->read(reader, word->next) : refuse(reader, word);
}

/* "name" of "-name" and "--name"; NULL: the word is not an option. */
static const char *option_name(const struct word *word)
{
	if (word->text[0] != '-')
		return NULL;
	return word->text + (word->text[1] == '-' ? 2 : 1);
}

/* 'last' is the option before, or NULL. */
static void refuse_word(struct vm_reader *reader, const struct word *word, const char *last)
{
	diag_error(reader->diag, word_place(word, 0),
		   "'%s' is not an option; a disk is given by '-drive'", word->text);
	if (last != NULL && strcmp(last, "append") == 0)
		diag_advice(reader->diag, "a text with blanks needs quotes: -append '%s %s'",
			    reader->vm->append, word->text);
}

enum status vm_read_options(struct vm_reader *reader, const struct word *words)
{
	const char *last = NULL;

	for (; words != NULL; last = reader->option, words = words->next) {
		reader->option = option_name(words);
		if (reader->option == NULL)
			refuse_word(reader, words, last);
		else if (read_option(reader, &words) == ERR_NOMEM)
			return ERR_NOMEM;
	}
	return vm_read_json_devices(reader);
}
