/* SPDX-License-Identifier: BSD-2-Clause */
/* -m, -machine and -name. The words of messages are QEMU's where QEMU has them. */
#include "hv/config/vm_reader.h"

#include "hv/backends/parse.h"
#include "hv/backends/suggest.h"
#include "hv/lib/string.h"

/* QEMU rounds -m up to this. */
#define RAM_GRANULE UINT64_C(8192)

/*
 * For the sizes of -m QEMU has messages of their own. '*ret_option' is NULL if the key was not
 * given.
 */
static enum status get_memory_size(struct vm_reader *reader, struct options *options,
				   const char *key, struct option **ret_option, uint64_t *ret)
{
	struct option *option = options_find(options, key);
	enum status status = option != NULL ? parse_size(option->value, ret) : OK;

	*ret_option = option;
	if (status == OK)
		return OK;
	if (status == ERR_RANGE) {
		diag_error(reader->diag, option_value_place(options, option),
			   "Value '%s' is out of range for parameter '%s'", option->value, key);
		return ERR_INVAL;
	}
	diag_error(reader->diag, option_value_place(options, option),
		   "Parameter '%s' expects a non-negative number below 2^64", key);
	diag_hint(reader->diag, "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, "
				"tera-, peta-");
	diag_hint(reader->diag, "and exabytes, respectively.");
	parse_advise_size(option->value, reader->diag);
	return ERR_INVAL;
}

/* A size that ends in a digit is in MiB. */
static enum status set_ram_size(struct vm_reader *reader, struct options *options,
				const struct option *option, uint64_t size)
{
	size_t len = strlen(option->value);
	bool in_mib = option->value[len - 1] >= '0' && option->value[len - 1] <= '9';
	bool hex = strchr(option->value, 'x') != NULL || strchr(option->value, 'X') != NULL;

	if (size == 0)
		return OK;
	if (in_mib && (hex || __builtin_mul_overflow(size, MIB(1), &size))) {
		diag_error(reader->diag, option_value_place(options, option),
			   "Parameter 'memory.size' expects size");
		return ERR_INVAL;
	}
	if (size > UINT64_MAX - RAM_GRANULE) {
		diag_error(reader->diag, option_value_place(options, option), "ram size too large");
		return ERR_INVAL;
	}
	reader->vm->ram_size = align_up(size, RAM_GRANULE);
	reader->vm->has_ram_size = true;
	return OK;
}

static enum status get_slots(struct vm_reader *reader, struct options *options)
{
	const struct option *option = options_find(options, "slots");
	enum status status;
	bool negative;

	if (option == NULL)
		return OK;
	status = parse_integer(option->value, &reader->slots, &negative);
	if (status == OK) {
		reader->has_slots = true;
		return OK;
	}
	if (status == ERR_RANGE)
		diag_error(reader->diag, option_value_place(options, option),
			   "Value '%s' is too large for parameter 'slots'", option->value);
	else
		diag_error(reader->diag, option_value_place(options, option),
			   "Parameter 'slots' expects a number");
	return ERR_INVAL;
}

static enum status read_memory(struct vm_reader *reader, const struct word *argument)
{
	struct option *size_option, *maxmem_option;
	uint64_t size = 0, maxmem = 0;
	struct options options;

	reader->vm->memory_place = word_place(argument, 0);
	TRY(options_split(argument, &(struct option_syntax){.implied = "size"}, reader->arena,
			  reader->diag, &options));
	TRY(get_memory_size(reader, &options, "size", &size_option, &size));
	TRY(get_slots(reader, &options));
	TRY(get_memory_size(reader, &options, "maxmem", &maxmem_option, &maxmem));
	TRY(options_check_known(&options, "maxmem size slots", reader->diag));
	if (maxmem_option != NULL)
		reader->vm->maxmem = maxmem;
	return size_option != NULL ? set_ram_size(reader, &options, size_option, size) : OK;
}

enum status vm_read_memory(struct vm_reader *reader, const struct word *argument)
{
	enum status status = read_memory(reader, argument);

	if (status != OK)
		reader->bad_memory = true;
	return status;
}

static enum status read_machine_type(struct vm_reader *reader, struct options *options)
{
	static const struct {
		const char *type, *name, *ram_id;
	} types[] = {
		{"microvm", "microvm", "microvm.ram"},
		{"pc", "pc-i440fx-10.2", "pc.ram"},
		{"q35", "pc-q35-10.2", "pc.ram"},
	};
	const struct option *option = options_find(options, "type");

	if (option == NULL)
		return OK;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(option->value, types[i].type) != 0)
			continue;
		reader->machine = types[i].name;
		reader->default_ram_id = types[i].ram_id;
		return OK;
	}
	diag_error(reader->diag, option_value_place(options, option),
		   "unsupported machine type: \"%s\"", option->value);
	diag_hint(reader->diag,
		  "Machine types microvm, pc and q35 all mean Stencil's only machine");
	return ERR_INVAL;
}

/* What vm_read_machine() asks for. */
static const char properties[] = "accel dump-guest-core graphics hmat hpet mem-merge "
				 "memory-backend nvdimm pic pit pm-timer rtc type usb";

/* The other properties of QEMU's machine types. */
static const char other_properties[] =
	"acpi aux-ram-share auto-kernel-cmdline boot bus-lock-ratelimit "
	"confidential-guest-support cxl default-bus-bypass-iommu dt-compatible dtb dumpdtb "
	"fd-bootchk firmware i8042 igvm-cfg initrd ioapic2 isa-serial kernel "
	"kernel-irqchip max-fw-size max-ram-below-4g memory memory-encryption "
	"nvdimm-persistence option-roms pcie pcspk-audiodev phandle-start sata "
	"sgx-epc shim smbios-entry-point-type smbus smm smp smp-cache suppress-vmdesc vmport "
	"x-option-roms x-south-bridge";

static enum status check_machine_unknown(struct vm_reader *reader, const struct options *options)
{
	const struct option *option = options_first_unseen(options);

	if (option == NULL)
		return OK;
	if (is_listed(other_properties, option->key))
		diag_error(reader->diag, option_key_place(options, option),
			   "option '%s' of -machine is not supported yet", option->key);
	else
		diag_error(reader->diag, option_key_place(options, option),
			   "Property '%s-machine.%s' not found", reader->machine, option->key);
	suggest_from(properties, option->key, reader->diag);
	return ERR_INVAL;
}

/* Booleans that are only supported with QEMU's default. */
static enum status check_machine_defaults(struct vm_reader *reader, struct options *options)
{
	static const struct {
		const char *name;
		bool normal;
	} defaults[] = {{"graphics", true}, {"hmat", false}, {"usb", false}};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		const char *name = defaults[i].name;
		bool value = defaults[i].normal;

		TRY(options_get_bool(options, name, reader->diag, &value));
		if (value == defaults[i].normal)
			continue;
		diag_error(reader->diag, options_place(options, name),
			   "option '%s' of -machine is not supported yet", name);
		return ERR_INVAL;
	}
	return OK;
}

static enum status read_machine_memory(struct vm_reader *reader, struct options *options)
{
	struct vm_config *vm = reader->vm;

	TRY(options_get_bool(options, "dump-guest-core", reader->diag, &vm->dump_guest_core));
	TRY(options_get_bool(options, "mem-merge", reader->diag, &vm->mem_merge));
	return options_get_bool(options, "nvdimm", reader->diag, &vm->nvdimm);
}

/*
 * A clone of a VM with one of these costs a frame more, so "auto" is "off" without -bios; but not
 * one with the clock, which is in any VM's devices.
 */
static enum status read_machine_legacy(struct vm_reader *reader, struct options *options)
{
	static const char *const values[] = {"auto", "on", "off", NULL};
	struct vm_config *vm = reader->vm;
	unsigned pic = reader->pic, pit = reader->pit;
	unsigned rtc = vm->no_rtc ? ON_OFF_AUTO_OFF : ON_OFF_AUTO_AUTO;

	TRY(options_get_enum(options, "pic", values, reader->diag, &pic));
	TRY(options_get_enum(options, "pit", values, reader->diag, &pit));
	TRY(options_get_enum(options, "rtc", values, reader->diag, &rtc));
	TRY(options_get_bool(options, "hpet", reader->diag, &vm->has_hpet));
	TRY(options_get_bool(options, "pm-timer", reader->diag, &vm->has_pm_timer));
	reader->pic = pic;
	reader->pit = pit;
	vm->no_rtc = rtc == ON_OFF_AUTO_OFF;
	return OK;
}

static enum status check_machine_accel(struct vm_reader *reader, struct options *options)
{
	const struct option *option = options_find(options, "accel");

	if (option == NULL || strcmp(option->value, "kvm") == 0)
		return OK;
	diag_error(reader->diag, option_value_place(options, option),
		   "accelerator '%s' is not supported, only 'kvm'", option->value);
	return ERR_INVAL;
}

static const char *properties_of(const char *type)
{
	(void)type; /* all types have the same */
	return properties;
}

enum status vm_read_machine(struct vm_reader *reader, const struct word *argument)
{
	static const struct option_syntax syntax = {
		.implied = "type", .no_flags = true, .properties = properties_of};
	const struct option *backend;
	struct options options;

	TRY(options_split(argument, &syntax, reader->arena, reader->diag, &options));
	backend = options_find(&options, "memory-backend");
	if (backend != NULL) {
		reader->vm->memory_backend_id = backend->value;
		reader->vm->memory_backend_place = option_value_place(&options, backend);
	}
	TRY(read_machine_type(reader, &options));
	TRY(check_machine_accel(reader, &options));
	TRY(read_machine_memory(reader, &options));
	TRY(read_machine_legacy(reader, &options));
	TRY(check_machine_defaults(reader, &options));
	return check_machine_unknown(reader, &options);
}

enum status vm_read_name(struct vm_reader *reader, const struct word *argument)
{
	const struct option *option;
	bool debug_threads = false;
	struct options options;

	TRY(options_split(argument, &(struct option_syntax){.implied = "guest"}, reader->arena,
			  reader->diag, &options));
	TRY(options_get_bool(&options, "debug-threads", reader->diag, &debug_threads));
	option = options_find(&options, "process");
	if (option == NULL && debug_threads)
		option = options_find(&options, "debug-threads");
	if (option != NULL) {
		diag_error(reader->diag, option_key_place(&options, option),
			   "option '%s' of -name is not supported", option->key);
		return ERR_INVAL;
	}
	option = options_find(&options, "guest");
	if (option != NULL)
		reader->vm->guest_name = option->value;
	return options_check_known(&options, "guest", reader->diag);
}
