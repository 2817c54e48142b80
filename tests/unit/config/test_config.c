/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file: what it means, and the place of each error. */
#include "hv/config/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/host/policy.h"
#include "hv/lib/print.h"
#include "tests/unit/support.h"

#include "tests/unit/machine_frames.h"
#include "tests/unit/ramdisk_files.h"

static char memory[1 << 18] __attribute__((aligned(16)));
static char created[1 << 16] __attribute__((aligned(16))); /* entries of the ramdisk */
static struct config config;
static struct diag diag;

static enum status parse_in(struct arena arena, const char *text)
{
	diag = (struct diag){.file = "c"};
	log_reset();
	return config_parse(text, strlen(text), &arena, &diag, &config);
}

static enum status parse(const char *text)
{
	return parse_in((struct arena){.base = memory, .size = sizeof(memory)}, text);
}

static struct vm_config *parse_vm(const char *text)
{
	assert_int_equal(parse(text), OK);
	assert_string_equal(logged, "");
	assert_int_equal(config.n_vms, 1);
	return config.vms;
}

/* Parse and open; exactly these lines are logged, without "error: ". */
static void expect_logged(const char *text, const char *lines)
{
	char want[4000] = "", *out = want;
	enum status parsed = parse(text);
	struct arena arena = {.base = created, .size = sizeof(created)};
	struct image_list images = {.first = ramdisk_list(), .arena = &arena};
	enum status opened = config_open(&config, &images, &diag);

	for (const char *end; *lines != '\0'; lines = end + 1) {
		end = strchr(lines, '\n');
		out += sprintf(out, "%s%.*s\n", strncmp(lines, "warning:", 8) == 0 ? "" : "error: ",
			       (int)(end - lines), lines);
	}
	assert_string_equal(logged, want);
	assert_int_equal(parsed != OK || opened != OK, diag.n_errors > 0);
}

static void a_vm_has_sensible_defaults(void **state)
{
	struct vm_config *vm = parse_vm("vm a -kernel /vmlinuz");

	assert_string_equal(vm->name, "a");
	assert_string_equal(vm->kernel, "/vmlinuz");
	assert_int_equal(vm->kernel_place.column, 14);
	assert_int_equal(vm->ram_size, MIB(128));
	assert_int_equal(vm->maxmem, 0);
	assert_ptr_equal(vm->memory_backend, vm->backends); /* as QEMU's */
	assert_string_equal(vm->memory_backend->id, "pc.ram");
	assert_int_equal(vm->memory_backend->size, MIB(128));
	assert_int_equal(vm->memory_backend->type, BACKEND_RAM);
	assert_int_equal(vm->memory_backend->kind, MEM_COW);
	assert_true(vm->memory_backend->merge && vm->memory_backend->dump);
	assert_true(vm->memory_backend->reserve && !vm->memory_backend->prealloc);
	assert_null(vm->backends->next);
	assert_int_equal(vm->n_numa_nodes, 0);
	assert_false(vm->nvdimm);
	assert_null(config.host.info);
	assert_null(vm->initrd);
	assert_null(vm->append);
	assert_int_equal(vm->serial, SERIAL_STDIO);
	assert_false(vm->no_reboot || vm->has_debug_exit || vm->has_debugcon);
	assert_int_equal(config.host.console, CONSOLE_AUTO);
	assert_int_equal(config.host.on_end, HOST_AFTER_UNSET);
	assert_false(config.host.protects_all);
	assert_int_equal(config.host.on_panic, HOST_AFTER_UNSET);
	assert_int_equal(config.host.log_level, LOG_INFO);
	assert_false(config.host.checksum);
	assert_false(config.host.check);
	assert_true(config.host.smt);
	assert_int_equal(config.host.mitigations, MITIGATIONS_AUTO);
	assert_int_equal(config.host.merge, MERGE_OWN);
}

static void all_options_of_a_vm_are_taken(void **state)
{
	struct vm_config *vm = parse_vm(
		"vm a -m 1G,slots=2,maxmem=4G --kernel k -initrd 'i j' -append \"x=1  y\" \\\n"
		" -object memory-backend-ram,id=r,size=1G -machine q35,memory-backend=r \\\n"
		" -serial null -no-reboot -debugcon stdio -device isa-debug-exit,id=e -smp 1 \\\n"
		" -cpu max -name guest=g -nographic -display none -enable-kvm -accel kvm \\\n"
		" -object memory-backend-file,id=f,size=4K,mem-path=p -net none\\\n"
		" -device pc-dimm,id=d,memdev=f,slot=1,addr=0x100000000\n");

	assert_int_equal(vm->ram_size, GIB(1));
	assert_true(vm->has_ram_size);
	assert_int_equal(vm->maxmem, GIB(4));
	assert_int_equal(vm->dimm_slots, 2);
	assert_string_equal(vm->initrd, "i j");
	assert_string_equal(vm->append, "x=1  y");
	assert_string_equal(vm->guest_name, "g");
	assert_ptr_equal(vm->memory_backend, vm->backends);
	assert_string_equal(vm->backends->id, "r");
	assert_string_equal(vm->backends->next->id, "f");
	assert_int_equal(vm->serial, SERIAL_NULL);
	assert_true(vm->no_reboot);
	assert_true(vm->has_debug_exit);
	assert_int_equal(vm->debug_exit_iobase, 0x501);
	assert_int_equal(vm->debug_exit_iosize, 2);
	assert_true(vm->has_debugcon);
	assert_int_equal(vm->debugcon, SERIAL_STDIO);
	assert_int_equal(vm->debugcon_iobase, 0xe9);
	assert_string_equal(vm->dimms->id, "d");
	assert_ptr_equal(vm->dimms->backend, vm->backends->next);
	assert_int_equal(vm->dimms->slot, 1);
}

static void the_last_of_repeated_options_counts(void **state)
{
	struct vm_config *vm =
		parse_vm("vm a -kernel a -kernel b -m 1G -m slots=1 -m maxmem=2G -m "
			 "512 -machine memory-backend=x -machine q35 -machine "
			 "memory-backend=m -object memory-backend-ram,id=m,size=512M");

	assert_string_equal(vm->kernel, "b");
	assert_int_equal(vm->ram_size, MIB(512));
	assert_int_equal(vm->maxmem, GIB(2));
	assert_int_equal(vm->dimm_slots, 1);
	assert_string_equal(vm->memory_backend->id, "m");
}

static void devices_may_have_values_of_their_own(void **state)
{
	struct vm_config *vm =
		parse_vm("vm a -kernel k -chardev stdio,id=s -chardev null,id=n "
			 "-device isa-debugcon,iobase=0x402,chardev=n -serial chardev:s "
			 "-device isa-debug-exit,iobase=0xf4,iosize=0x4");

	assert_int_equal(vm->debugcon_iobase, 0x402);
	assert_int_equal(vm->debugcon, SERIAL_NULL);
	assert_int_equal(vm->serial, SERIAL_STDIO);
	assert_int_equal(vm->debug_exit_iobase, 0xf4);
	assert_int_equal(vm->debug_exit_iosize, 4);
	assert_int_equal(parse_vm("vm a -kernel k -nodefaults")->serial, SERIAL_NONE);
	assert_int_equal(parse_vm("vm a -kernel k -nodefaults -serial mon:stdio")->serial,
			 SERIAL_STDIO);
	assert_int_equal(parse_vm("vm a -kernel k -serial none")->serial, SERIAL_NONE);
	assert_false(parse_vm("vm a -kernel k -serial stdio")->serial_backpressure);
	assert_false(parse_vm("vm a -kernel k -serial null,backpressure=off")->serial_backpressure);
	assert_true(parse_vm("vm a -kernel k -chardev stdio,id=s -serial chardev:s,backpressure=on")
			    ->serial_backpressure);
	assert_int_equal(parse_vm("vm a -kernel k -debugcon none")->debugcon, SERIAL_NONE);
}

static void memory_is_counted_as_by_qemu(void **state)
{
	static const struct {
		const char *m;
		uint64_t ram_size;
	} rows[] = {
		{"64", MIB(64)},     {"64M", MIB(64)},	   {"2G", GIB(2)},
		{"65536K", MIB(64)}, {"size=96", MIB(96)}, {"0", MIB(128)},
		{"1B", 8192},	     {"8193B", 16384},	   {"slots=0,maxmem=128M", MIB(128)},
		{"0.5G", MIB(512)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[100];

		sprintf(text, "vm a -kernel k -m %s", rows[i].m);
		assert_int_equal(parse_vm(text)->ram_size, rows[i].ram_size);
	}
	assert_int_equal(parse_vm("vm a -kernel k -object memory-backend-ram,id=m,size=12K "
				  "-machine memory-backend=m")
				 ->ram_size,
			 12288);
}

static void the_host_is_told_its_part(void **state)
{
	assert_int_equal(
		parse("host -serial com2 -on-end wait -on-panic reboot\nhost --log debug "
		      "-checksum on -check on -smt off -mitigations all -merge all -protect all "
		      "-watchdog 60 -qmp com1 -screen status -baud 57600 -send debugcon -color on\n"
		      "host -mask vmx-ple,vmx-vpid\nvm a -kernel k"),
		OK);
	assert_int_equal(config.host.console, CONSOLE_COM2);
	assert_int_equal(config.host.on_end, HOST_AFTER_WAIT);
	assert_true(config.host.protects_all);
	assert_int_equal(config.host.on_panic, HOST_AFTER_REBOOT);
	assert_int_equal(config.host.log_level, LOG_DEBUG);
	assert_true(config.host.checksum);
	assert_true(config.host.check);
	assert_false(config.host.smt);
	assert_string_equal(config.host.mask, "vmx-ple,vmx-vpid");
	assert_int_equal(config.host.mask_place.line, 3);
	assert_int_equal(config.host.mitigations, MITIGATIONS_ALL);
	assert_int_equal(config.host.merge, MERGE_ALL);
	assert_int_equal(config.host.watchdog, 60);
	assert_int_equal(config.host.watchdog_place.line, 2);
	assert_int_equal(config.host.baud_divisor, 2);
	assert_int_equal(config.host.baud_place.line, 2);
	assert_true(config.host.sends_to_debugcon);
	assert_true(config.host.has_colors);
	assert_int_equal(config.host.send_place.column, 147);
	assert_int_equal(config.host.qmp, CONSOLE_COM1);
	assert_int_equal(config.host.qmp_place.column, 109);
	assert_true(config.host.shows_status);
	assert_int_equal(parse("host -serial com1 -serial none -log error -log warning -merge off "
			       "-protect all -protect images\n"
			       "host -checksum on -checksum off -on-end poweroff\nvm a -kernel k"),
			 OK);
	assert_int_equal(config.host.merge, MERGE_OFF);
	assert_int_equal(config.host.qmp, CONSOLE_NONE);
	assert_false(config.host.shows_status);
	assert_int_equal(config.host.baud_divisor, 0);
	assert_false(config.host.sends_to_debugcon);
	assert_false(config.host.has_colors);
	assert_int_equal(config.host.console, CONSOLE_NONE);
	assert_int_equal(config.host.on_end, HOST_AFTER_POWEROFF);
	assert_false(config.host.protects_all);
	assert_int_equal(config.host.log_level, LOG_WARNING);
	assert_false(config.host.checksum);
	assert_false(config.host.hands_over);
	assert_int_equal(parse("host -handover on -on-end reboot\nvm a -kernel k"), OK);
	assert_true(config.host.hands_over);
	assert_int_equal(parse("# there\nhost -fetch http://a/b"), OK);
	assert_string_equal(config.host.fetch, "http://a/b");
	assert_int_equal(parse("host -on-end wait -handover on -handover off\nvm a -kernel k"), OK);
	assert_false(config.host.hands_over);
}

static void vms_keep_the_order_of_the_text(void **state)
{
	assert_int_equal(parse("\xef\xbb\xbf# three\r\nvm b -kernel k\r\n\r\n  vm a -kernel \\\r\n"
			       "k # no\r\n\tvm c.-_9 -kernel k"),
			 OK);
	assert_int_equal(config.n_vms, 3);
	assert_string_equal(config.vms->name, "b");
	assert_string_equal(config.vms->next->name, "a");
	assert_string_equal(config.vms->next->kernel, "k");
	assert_int_equal(config.vms->next->kernel_place.line, 5);
	assert_int_equal(config.vms->next->kernel_place.column, 1);
	assert_string_equal(config.vms->next->next->name, "c.-_9");
}

static void lines_that_define_nothing_are_errors(void **state)
{
	/* 1 baud would need a divisor of 17 bits. */
	static const char *const no_rates[] = {"0",	 "1",	  "-9600", "9601",
					       "230400", "9600x", "x",	   "100000"};

	expect_logged("", "c:1:1: no vm is defined\n");
	expect_logged("host -log info\n# vm\n", "c:1:1: no vm is defined\n");
	expect_logged("VM a", "c:1:1: a line begins with 'vm', 'template', 'clone', 'map', 'save' "
			      "or 'host', not with "
			      "'VM'\n"
			      "      = did you mean 'vm'?\n");
	expect_logged(" vm", "c:1:2: 'vm' needs a name\n");
	expect_logged("vm -kernel k", "c:1:1: 'vm' needs a name\n");
	expect_logged("vm 9 -kernel k",
		      "c:1:4: '9' is not a name for a vm\n"
		      "Names consist of letters, digits, '-', '.', '_', starting with a letter.\n");
	expect_logged("vm '' -kernel k",
		      "c:1:6: '' is not a name for a vm\n"
		      "Names consist of letters, digits, '-', '.', '_', starting with a letter.\n");
	expect_logged("vm stencil -kernel k",
		      "c:1:4: a vm cannot have the name 'stencil', with which Stencil's own lines "
		      "begin: choose another one\n");
	expect_logged("template a2345678901234567890123456789012345678901234567xy -kernel k",
		      "c:1:10: the name 'a2345678901234567890123456789012345678901234567xy' is "
		      "longer than 48 characters\n");
	expect_logged("vm a -kernel k\n\nvm  a -kernel k",
		      "c:3:5: vm 'a' is already defined in line 1\n");
	expect_logged("vm a", "c:1:4: vm 'a' has no -kernel, and no -bios\n");
	expect_logged("vm a -initrd i -append x",
		      "c:1:14: -initrd only allowed with -kernel option\n"
		      "c:1:24: -append only allowed with -kernel option\n"
		      "c:1:4: vm 'a' has no -kernel, and no -bios\n");
	expect_logged("host -smt 1\nvm a -kernel k",
		      "c:1:11: Parameter '-smt' does not accept value '1'\n"
		      "      = possible values: 'on', 'off'\n");
	expect_logged("host -screen text\nvm a -kernel k",
		      "c:1:14: Parameter '-screen' does not accept value 'text'\n"
		      "      = possible values: 'console', 'status'\n");
	expect_logged("host -qmp auto\nvm a -kernel k",
		      "c:1:11: Parameter '-qmp' does not accept value 'auto'\n"
		      "      = possible values: 'com1', 'com2', 'none'\n");
	expect_logged("host -watchdog 9\nvm a -kernel k",
		      "c:1:16: Parameter '-watchdog' expects a number of seconds, at least 10\n");
	expect_logged("host -watchdog -30\nvm a -kernel k",
		      "c:1:16: Parameter '-watchdog' expects a number of seconds, at least 10\n");
	expect_logged("host -watchdog 1m\nvm a -kernel k",
		      "c:1:16: Parameter '-watchdog' expects a number of seconds, at least 10\n");
	expect_logged("host -watchdog 4294967296\nvm a -kernel k",
		      "c:1:16: Parameter '-watchdog' expects a number of seconds, at least 10\n");
	expect_logged("host -send tty\nvm a -kernel k",
		      "c:1:12: Parameter '-send' does not accept value 'tty'\n"
		      "      = possible values: 'console', 'debugcon'\n");
	for (size_t i = 0; i < ARRAY_SIZE(no_rates); i++) {
		char line[60];

		snprintf(line, sizeof(line), "host -baud %s\nvm a -kernel k", no_rates[i]);
		expect_logged(line, "c:1:12: Parameter '-baud' expects a rate that divides 115200, "
				    "such as 9600, 19200, 38400, 57600 or 115200\n");
	}
	expect_logged("host -mitigations on\nvm a -kernel k",
		      "c:1:19: Parameter '-mitigations' does not accept value 'on'\n"
		      "      = possible values: 'auto', 'off', 'all'\n");
	expect_logged("host -protect on\nvm a -kernel k",
		      "c:1:15: Parameter '-protect' does not accept value 'on'\n"
		      "      = possible values: 'images', 'all'\n");
	expect_logged("host -handover\nvm a -kernel k", "c:1:6: -handover: requires an argument\n");
	expect_logged("host -handover on\nvm a -kernel k\nhost -on-end wait",
		      "c:1:16: -handover on needs a reset at the end, and -on-end wait has none: "
		      "remove one of the two\n");
	expect_logged("host -fetch", "c:1:6: -fetch: requires an argument\n");
	expect_logged("host -fetch http://a/b\nvm a -kernel k",
		      "c:1:13: -fetch must be alone: the configuration at its URL replaces this "
		      "one, and holds all other lines and options\n");
	expect_logged("host -fetch http://a/b -fetch http://a/b",
		      "c:1:31: -fetch must be alone: the configuration at its URL replaces this "
		      "one, and holds all other lines and options\n");
	expect_logged("host -protect\nvm a -kernel k", "c:1:6: -protect: requires an argument\n");
	expect_logged("host -merge on\nvm a -kernel k",
		      "c:1:13: Parameter '-merge' does not accept value 'on'\n"
		      "      = did you mean 'own'?\n"
		      "      = possible values: 'off', 'own', 'all'\n");
	expect_logged("host -on-panic halt\nvm a -kernel k",
		      "c:1:16: Parameter '-on-panic' does not accept value 'halt'\n"
		      "      = possible values: 'poweroff', 'wait', 'reboot'\n");
	expect_logged("host -log\nhost serial -foo -log com1 --on-end x",
		      "c:1:6: -log: requires an argument\n"
		      "c:2:6: serial: invalid option\n"
		      "      = did you mean '-serial'?\n"
		      "c:2:13: -foo: invalid option\n"
		      "c:2:23: Parameter '-log' does not accept value 'com1'\n"
		      "      = possible values: 'error', 'warning', 'info', 'debug'\n"
		      "c:2:37: Parameter '-on-end' does not accept value 'x'\n"
		      "      = possible values: 'poweroff', 'wait', 'reboot'\n");
}

static void all_errors_of_a_file_are_reported_in_one_go(void **state)
{
	expect_logged(
		"vm a -kernel k -foo \\\n"
		"  -object 'memory-backend-file,id=m,mem-path=\"x\",size=\"1\"' -m zz\n"
		"host -log loud\n"
		"vm b 'x\n"
		"vm c -kernel k -object memory-backend-ram,id=m,size=0,prealloc=on \\\n"
		"   -object memory-backend-file,id=f,size=4K,mem-path=/d/f\\\n"
		"32 -object memory-backend-file,id=g,size=4K,mem-path=/n,readonly=on",
		"c:1:16: -foo: invalid option\n"
		"c:2:55: Parameter 'size' expects a size value\n"
		"c:2:63: Parameter 'size' expects a non-negative number below 2^64\n"
		"Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
		"and exabytes, respectively.\n"
		"c:3:11: Parameter '-log' does not accept value 'loud'\n"
		"      = possible values: 'error', 'warning', 'info', 'debug'\n"
		"c:4:6: unterminated ' quote\n"
		"c:5:53: property 'size' of memory-backend-ram doesn't take value '0'\n"
		"c:7:54: can't open backing store /n for guest RAM: No such file or directory\n"
		"      = paths are names in the ramdisk\n");
}

/* A mistake does not cause messages about what follows from it. */
static void one_mistake_is_one_message(void **state)
{
	expect_logged("vm a -kernel k -apend console=ttyS0 root=x -smp 1 y",
		      "c:1:16: -apend: invalid option\n"
		      "      = did you mean '-append'?\n"
		      "c:1:51: 'y' is not an option; a disk is given by '-drive'\n");
	expect_logged("vm a -kernal k -append x", "c:1:6: -kernal: invalid option\n"
						  "      = did you mean '-kernel'?\n");
	expect_logged("vm a -append x -kernel", "c:1:16: -kernel: requires an argument\n");
	expect_logged("vm a -kernal k -append x -kernel",
		      "c:1:6: -kernal: invalid option\n"
		      "      = did you mean '-kernel'?\n"
		      "c:1:26: -kernel: requires an argument\n");
	expect_logged("vm a -kernal k -kernl k", "c:1:6: -kernal: invalid option\n"
						 "      = did you mean '-kernel'?\n"
						 "c:1:16: -kernl: invalid option\n"
						 "      = did you mean '-kernel'?\n");
	expect_logged("host -foo bar baz -log\nhost -foo", "c:1:6: -foo: invalid option\n"
							   "c:1:19: -log: requires an argument\n"
							   "c:2:6: -foo: invalid option\n");
	expect_logged(
		"vm a -kernel k \\ \n-m 1G\n-foo\nhost -log loud",
		"c:1:16: a blank follows the backslash at the end of the line: remove it\n"
		"c:3:1: a line begins with 'vm', 'template', 'clone', 'map', 'save' or 'host', not "
		"with '-foo'\n"
		"c:4:11: Parameter '-log' does not accept value 'loud'\n"
		"      = possible values: 'error', 'warning', 'info', 'debug'\n");
	expect_logged("vm a -kernel k\\\t \r\n-m 1G",
		      "c:1:15: a blank follows the backslash at the end of the line: remove it\n");
	expect_logged("vm a -kernel k -append 'k\\ '", "");
	expect_logged("vm a -kernel k -append k\\\\ ", "");
	expect_logged("vm a -kernel k -append k\\ b ", "");
}

static void options_are_refused_by_name(void **state)
{
	expect_logged("vm a -kernel k -vnc 0.0.0.0:1,to --no-shutdown  -snapshot x.img -s '' - -m",
		      "c:1:16: option '-vnc' is not supported\n"
		      "c:1:34: option '--no-shutdown' is not supported\n"
		      "c:1:49: option '-snapshot' is not supported\n"
		      "c:1:59: 'x.img' is not an option; a disk is given by '-drive'\n"
		      "c:1:65: option '-s' is not supported\n"
		      "c:1:70: '' is not an option; a disk is given by '-drive'\n"
		      "c:1:71: -: invalid option\n"
		      "c:1:73: -m: requires an argument\n");
	expect_logged("vm a -kernel k -display sdl -vga std -cpu qemu64 -accel tcg -monitor stdio",
		      "c:1:25: option '-display sdl' is not supported, only '-display none'\n"
		      "c:1:34: option '-vga std' is not supported, only '-vga none'\n"
		      "c:1:43: CPU model 'qemu64' is not supported, only 'host' and 'max'\n"
		      "c:1:57: option '-accel tcg' is not supported, only '-accel kvm'\n"
		      "c:1:70: option '-monitor stdio' is not supported, only '-monitor none'\n");
}

static void cpu_chooses_features_of_kvm(void **state)
{
	const struct vm_config *vm = parse_vm("vm a -kernel k -cpu host");

	assert_false(vm->kvm_is_off || vm->kvmclock_is_off || vm->steal_time_is_off);
	vm = parse_vm("vm a -kernel k -cpu max,-kvmclock,kvm-steal-time=off,+kvm");
	assert_true(!vm->kvm_is_off && vm->kvmclock_is_off && vm->steal_time_is_off);
	assert_false(vm->pv_eoi_is_off);
	assert_true(parse_vm("vm a -kernel k -cpu host,kvm-pv-eoi=off")->pv_eoi_is_off);
	/* The last one counts. */
	vm = parse_vm("vm a -kernel k -cpu host,kvm=no,kvmclock=off,kvmclock,-kvm-steal-time,"
		      "kvm-steal-time=on");
	assert_true(vm->kvm_is_off && !vm->kvmclock_is_off && !vm->steal_time_is_off);
}

static void cpu_refuses_what_is_not_here(void **state)
{
	expect_logged("vm a -kernel k -cpu Haswell,kvm=off",
		      "c:1:21: CPU model 'Haswell' is not supported, only 'host' and 'max'\n");
	expect_logged("vm a -kernel k -cpu hos",
		      "c:1:21: CPU model 'hos' is not supported, only 'host' and 'max'\n");
	expect_logged("vm a -kernel k -cpu host,kvm-pv-unhalt=off",
		      "c:1:26: feature 'kvm-pv-unhalt' of -cpu is not supported\n"
		      "      = possible names: kvm kvm-pv-eoi kvm-steal-time kvmclock\n");
	expect_logged("vm a -kernel k -cpu host,+kvm-msi-ext-dest-id",
		      "c:1:27: feature 'kvm-msi-ext-dest-id' of -cpu is not supported\n"
		      "      = possible names: kvm kvm-pv-eoi kvm-steal-time kvmclock\n");
	expect_logged("vm a -kernel k -cpu host,kvm=maybe",
		      "c:1:30: Parameter 'kvm' expects 'on' or 'off'\n");
	expect_logged("vm a -kernel k -cpu host,kvm=onononononon",
		      "c:1:30: Parameter 'kvm' expects 'on' or 'off'\n");
}

static void m_has_qemus_errors(void **state)
{
	static const char hint[] =
		"Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
		"and exabytes, respectively.\n";
	static const struct {
		const char *m, *reported;
		bool hint;
	} rows[] = {
		{"x", "Parameter 'size' expects a non-negative number below 2^64", true},
		{"size=", "Parameter 'size' expects a non-negative number below 2^64", true},
		{"''", NULL, false},
		{"20E", "Value '20E' is out of range for parameter 'size'", false},
		{"0x100", "Parameter 'memory.size' expects size", false},
		{"18446744073709551615", "Parameter 'memory.size' expects size", false},
		{"18446744073709551615B", "ram size too large", false},
		{"64M,slots=2", "slots specified but no max-size", false},
		{"64M,slots=0", "slots specified but no max-size", false},
		{"64M,maxmem=32M",
		 "invalid value of maxmem: maximum memory size (0x2000000) must be at least the "
		 "initial memory size (0x4000000)",
		 false},
		{"64M,slots=2,maxmem=64M",
		 "invalid value of maxmem: memory slots were specified but maximum memory size "
		 "(0x4000000) is equal to the initial memory size (0x4000000)",
		 false},
		{"64M,slots=257,maxmem=1G", "unsupported amount of memory slots: 257", false},
		{"64M,slots=-1,maxmem=1G",
		 "unsupported amount of memory slots: 18446744073709551615", false},
		{"16M,maxmem=100000001",
		 "maximum memory size must by aligned to multiple of 4096 bytes", false},
		{"1M,maxmem=32T", NULL, false},
		{"1M,maxmem=33T", "maxmem 0x210000000000 is not supported: too large", false},
	};
	char text[200], want[400];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* An error in a value is placed at the value, one of a whole -m at its start. */
		unsigned column = strcmp(rows[i].m, "size=") == 0 ? 24 : 19;

		sprintf(text, "vm a -kernel k -m %s", rows[i].m);
		*want = '\0';
		if (rows[i].reported != NULL)
			sprintf(want, "c:1:%u: %s\n%s", column, rows[i].reported,
				rows[i].hint ? hint : "");
		expect_logged(text, want);
	}
	expect_logged("vm a -kernel k -m 1M,maxmem=z",
		      "c:1:29: Parameter 'maxmem' expects a non-negative number below 2^64\n"
		      "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
		      "and exabytes, respectively.\n");
	expect_logged("vm a -kernel k -m slots=z -m slots=99999999999999999999 -m 1M,foo=1",
		      "c:1:25: Parameter 'slots' expects a number\n"
		      "c:1:36: Value '99999999999999999999' is too large for parameter 'slots'\n"
		      "c:1:63: Invalid parameter 'foo'\n"
		      "      = possible names: maxmem size slots\n");
	/* An error in -m is not reported again for its DIMMs. */
	expect_logged("vm a -kernel k -m z,slots=1,maxmem=1G -device pc-dimm,memdev=m -object "
		      "memory-backend-ram,id=m,size=2M",
		      "c:1:19: Parameter 'size' expects a non-negative number below 2^64\n"
		      "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
		      "and exabytes, respectively.\n");
}

static void machine_and_name_are_checked(void **state)
{
	expect_logged("vm a -kernel k -M isapc",
		      "c:1:19: unsupported machine type: \"isapc\"\n"
		      "Machine types microvm, pc and q35 all mean Stencil's only machine\n");
	expect_logged("vm a -kernel k -machine q35,smm=off -machine microvm,foo=1 -machine x=1 "
		      "-machine pc,accel=tcg -machine usb=zz -machine hmat=on -machine pc,usb",
		      "c:1:29: option 'smm' of -machine is not supported yet\n"
		      "      = possible names: accel dump-guest-core graphics hmat hpet mem-merge "
		      "memory-backend nvdimm pic pit pm-timer rtc type usb\n"
		      "c:1:54: Property 'microvm-machine.foo' not found\n"
		      "      = possible names: accel dump-guest-core graphics hmat hpet mem-merge "
		      "memory-backend nvdimm pic pit pm-timer rtc type usb\n"
		      "c:1:69: Property 'microvm-machine.x' not found\n"
		      "      = possible names: accel dump-guest-core graphics hmat hpet mem-merge "
		      "memory-backend nvdimm pic pit pm-timer rtc type usb\n"
		      "c:1:91: accelerator 'tcg' is not supported, only 'kvm'\n"
		      "c:1:108: Parameter 'usb' expects 'on' or 'off'\n"
		      "c:1:125: option 'hmat' of -machine is not supported yet\n"
		      "c:1:140: Expected '=' after parameter 'usb'\n");
	assert_int_equal(parse("vm a -kernel k -machine type=pc,accel=kvm,usb=off,mem-merge=on"),
			 OK);
	expect_logged("vm a -kernel k -machine pic=maybe -machine microvm,pit=1 -machine rtc=no",
		      "c:1:29: Parameter 'pic' does not accept value 'maybe'\n"
		      "      = possible values: 'auto', 'on', 'off'\n"
		      "c:1:56: Parameter 'pit' does not accept value '1'\n"
		      "      = possible values: 'auto', 'on', 'off'\n"
		      "c:1:71: Parameter 'rtc' does not accept value 'no'\n"
		      "      = possible values: 'auto', 'on', 'off'\n");
	expect_logged("vm a -kernel k -name g,process=p -name g,debug-threads=on -name a=b",
		      "c:1:24: option 'process' of -name is not supported\n"
		      "c:1:42: option 'debug-threads' of -name is not supported\n"
		      "c:1:65: Invalid parameter 'a'\n"
		      "      = possible names: guest\n");
}

static void the_old_devices_are_chosen(void **state)
{
	static const struct {
		const char *line;
		bool has_pic, has_pit, no_rtc;
	} cases[] = {
		{"vm a -kernel k", false, false, false},
		{"vm a -kernel k -machine microvm,pic=auto,pit=auto", false, false, false},
		{"vm a -kernel k -machine microvm,pic=on", true, false, false},
		{"vm a -kernel k -M q35,pit=on,pic=off", false, true, false},
		{"vm a -kernel k -machine pc,pic=on,pit=on -machine pc,pit=auto", true, false,
		 false},
		{"vm a -kernel k -machine microvm,rtc=off -machine pc", false, false, true},
		{"vm a -kernel k -machine microvm,rtc=off -machine rtc=auto", false, false, false},
		{"vm a -kernel k -machine rtc=on", false, false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].line), OK);
		assert_int_equal(config.vms->has_pic, cases[i].has_pic);
		assert_int_equal(config.vms->has_pit, cases[i].has_pit);
		assert_int_equal(config.vms->no_rtc, cases[i].no_rtc);
	}
}

static void later_timers_are_chosen(void **state)
{
	assert_int_equal(parse("vm a -kernel k -machine pc"), OK);
	assert_false(config.vms->has_hpet || config.vms->has_pm_timer);
	assert_int_equal(parse("vm a -kernel k -machine q35,hpet=on"), OK);
	assert_true(config.vms->has_hpet && !config.vms->has_pm_timer);
	assert_int_equal(parse("vm a -kernel k -machine hpet=on,pm-timer=on -machine hpet=off"),
			 OK);
	assert_true(!config.vms->has_hpet && config.vms->has_pm_timer);
	expect_logged("vm a -kernel k -machine hpet=auto -machine pm-timer=1",
		      "c:1:30: Parameter 'hpet' expects 'on' or 'off'\n"
		      "c:1:53: Parameter 'pm-timer' expects 'on' or 'off'\n");
}

static void a_watchdog_has_an_action(void **state)
{
	assert_int_equal(parse("vm a -kernel k"), OK);
	assert_false(config.vms->has_watchdog);
	assert_int_equal(config.vms->watchdog_action, WATCHDOG_ACTION_RESET);
	assert_int_equal(parse("vm a -kernel k -device acpi-watchdog -action watchdog=pause"), OK);
	assert_true(config.vms->has_watchdog);
	assert_int_equal(config.vms->watchdog_action, WATCHDOG_ACTION_PAUSE);
	assert_int_equal(parse("vm a -kernel k -watchdog-action inject-nmi"), OK);
	assert_int_equal(config.vms->watchdog_action, WATCHDOG_ACTION_INJECT_NMI);
	expect_logged("vm a -kernel k -device i6300esb -device acpi-watchdog -device acpi-watchdog",
		      "c:1:24: device 'i6300esb' is not supported yet\n"
		      "      = the watchdog of this machine is -device acpi-watchdog\n"
		      "c:1:63: a second acpi-watchdog is not possible\n");
	expect_logged("vm a -kernel k -watchdog-action debug -action panic=none",
		      "c:1:33: Parameter 'watchdog' does not accept value 'debug'\n"
		      "      = possible values: 'reset', 'shutdown', 'poweroff', 'pause', "
		      "'inject-nmi', 'none'\n"
		      "c:1:47: Invalid parameter 'panic'\n"
		      "      = possible names: watchdog\n");
	expect_logged("vm a -kernel k -action watchdog=rest -device acpi-watchdog,id=w",
		      "c:1:33: Parameter 'watchdog' does not accept value 'rest'\n"
		      "      = did you mean 'reset'?\n"
		      "      = possible values: 'reset', 'shutdown', 'poweroff', 'pause', "
		      "'inject-nmi', 'none'\n");
}

static void devices_have_qemus_errors(void **state)
{
	expect_logged("vm a -kernel k -device foo -device virtio-blk-pci,drive=d -device foo=1 "
		      "-device '{}' -device isa-debug-exit,id=0 -device '{\"driver\":'",
		      "c:1:24: 'foo' is not a valid device model name\n"
		      "      = possible values: 'acpi-watchdog', 'isa-debug-exit', 'isa-debugcon', "
		      "'loader', 'nvdimm', "
		      "'pc-dimm', 'pvpanic', 'vhost-vsock-device', 'virtconsole', "
		      "'virtio-balloon-device', "
		      "'virtio-blk-device', "
		      "'virtio-net-device', 'virtio-pmem-device', 'virtio-rng-device', "
		      "'virtio-serial-device', "
		      "'virtserialport', 'vmgenid'\n"
		      "c:1:36: device 'virtio-blk-pci' is not supported yet\n"
		      "c:1:67: Parameter 'driver' is missing\n"
		      "c:1:112: Parameter 'id' expects an identifier\n"
		      "Identifiers consist of letters, digits, '-', '.', '_', starting with a "
		      "letter.\n"
		      "c:1:134: JSON parse error, premature EOI\n"
		      "c:1:82: Parameter 'driver' is missing\n");
	expect_logged("vm a -kernel k -device isa-debug-exit,iobase=x "
		      "-device isa-debug-exit,iobase=0x100000000 -device isa-debug-exit,foo=1 "
		      "-device isa-debug-exit,iobase=0xffff -device isa-debug-exit,iosize=0",
		      "c:1:46: Parameter 'iobase' expects integer\n"
		      "c:1:78: Parameter 'iobase' expects uint32_t\n"
		      "c:1:113: Property 'isa-debug-exit.foo' not found\n"
		      "      = possible names: id iobase iosize\n"
		      "c:1:149: 2 ports from 0xffff on are not possible\n"
		      "c:1:186: 0 ports from 0x501 on are not possible\n");
	expect_logged("vm a -kernel k -device isa-debug-exit,iosize=70000",
		      "c:1:24: 70000 ports from 0x501 on are not possible\n");
	expect_logged("vm a -kernel k -device isa-debug-exit,id=e -device isa-debug-exit,id=e "
		      "-device isa-debug-exit",
		      "c:1:70: Duplicate ID 'e' for device\n"
		      "c:1:80: a second isa-debug-exit is not supported yet\n");
	expect_logged("vm a -kernel k -device isa-debugcon -device isa-debugcon,chardev=z "
		      "-chardev null,id=c -device isa-debugcon,chardev=c,iobase=65536 "
		      "-device isa-debugcon,chardev=c,foo=1 -debugcon null -debugcon stdio",
		      "c:1:24: Can't create debugcon device, empty char device\n"
		      "      = write -chardev stdio,id=ID, and here chardev=ID\n"
		      "c:1:66: Property 'isa-debugcon.chardev' can't find value 'z'\n"
		      "c:1:125: 1 ports from 0x10000 on are not possible\n"
		      "c:1:162: Property 'isa-debugcon.foo' not found\n"
		      "      = possible names: chardev id iobase\n"
		      "c:1:193: a second debugcon is not supported yet\n");
	expect_logged("vm a -kernel k -chardev stdio -chardev id=a -chardev file,id=f -chardev "
		      "null,id=b,foo=1 -chardev null,id=b -chardev null,id=b",
		      "c:1:25: chardev: no id specified\n"
		      "c:1:40: chardev: \"a\" missing backend\n"
		      "c:1:54: character backend 'file' is not supported, only 'stdio' and 'null'\n"
		      "c:1:83: Invalid parameter 'foo'\n"
		      "      = possible names: backend id\n"
		      "c:1:125: Duplicate ID 'b' for chardev\n");
	expect_logged("vm a -kernel k -serial pty -debugcon chardev:z -serial null -serial stdio",
		      "c:1:24: could not connect serial device to character backend 'pty'\n"
		      "Character backends are stdio, mon:stdio, null and none\n"
		      "c:1:38: invalid character backend 'chardev:z'\n"
		      "Character backends are stdio, mon:stdio, null and none\n"
		      "c:1:69: a second -serial is not supported yet\n");
	expect_logged("vm a -kernel k -serial stdio,backpressure=maybe",
		      "c:1:43: Parameter 'backpressure' expects 'on' or 'off'\n");
	expect_logged("vm a -kernel k -serial stdio,pressure=on",
		      "c:1:30: Invalid parameter 'pressure'\n"
		      "      = possible names: backend backpressure\n");
	expect_logged("vm a -kernel k -serial null,backpressure=on",
		      "c:1:42: backpressure=on needs the backend 'stdio'\n");
	expect_logged("vm a -kernel k -serial backpressure=on",
		      "c:1:24: could not connect serial device to character backend ''\n"
		      "Character backends are stdio, mon:stdio, null and none\n");
}

static void the_machine_says_what_backends_do_not(void **state)
{
	struct vm_config *vm =
		parse_vm("vm a -kernel k -object memory-backend-ram,id=m,size=1M,merge=on "
			 "-machine mem-merge=off,dump-guest-core=off -mem-prealloc "
			 "-object memory-backend-ram,id=n,size=1M,prealloc=off,dump=on");
	const struct backend *m = vm->backends, *n = m->next, *ram = n->next;

	assert_true(m->merge && !m->dump && m->prealloc);
	assert_true(!n->merge && n->dump && !n->prealloc);
	assert_true(!ram->merge && !ram->dump && ram->prealloc);
	assert_null(ram->next);
}

static void mem_path_is_where_the_memory_begins(void **state)
{
	const struct backend *ram;

	expect_logged("vm a -kernel k -m 32M -machine q35 -mem-path /d/f32", "");
	ram = config.vms->memory_backend;
	assert_string_equal(ram->id, "pc.ram");
	assert_int_equal(ram->type, BACKEND_FILE);
	assert_int_equal(ram->kind, MEM_COW);
	assert_string_equal(ram->image->path, "/d/f32");
	expect_logged("vm a -kernel k -m 33M -mem-path /d/f32",
		      "c:1:19: pc.ram backing store size 0x2000000 is too small for 'size' option "
		      "0x2100000 plus 'offset' option 0x0\n");
	expect_logged("vm a -kernel k -mem-path /d/f32/x",
		      "c:1:26: can't open backing store /d/f32/x for guest RAM: Not a directory\n");
	expect_logged("vm a -kernel k -m 2M -object memory-backend-ram,id=m,size=2M "
		      "-numa node,memdev=m -mem-path /n",
		      "warning: c:1:92: warning: '-mem-path' has no effect with '-numa "
		      "node,memdev='\n");
	expect_logged(
		"vm a -kernel k -machine microvm -object memory-backend-ram,id=microvm.ram,"
		"size=4K",
		"c:1:63: object's id 'microvm.ram' is reserved for the default RAM backend, it "
		"can't be used for any other purposes\n"
		"Change the object's 'id' to something else or disable automatic creation of "
		"the default RAM backend by setting 'memory-backend=microvm.ram' with "
		"'-machine'.\n");
	expect_logged("vm a -kernel k -m 65G",
		      "c:1:19: cannot set up guest memory 'pc.ram': Cannot allocate memory\n"
		      "      = it takes 68157440 KiB, this machine has 67108864 KiB\n");
}

static void globals_and_set_do_not_reach_objects(void **state)
{
	expect_logged("vm a -kernel k -global memory-backend-file.rom=off -global a.b=c -global "
		      "memory-backend -set "
		      "object.m.size=1 -set device.d.x=1",
		      "warning: c:1:24: warning: global memory-backend-file.rom has invalid class "
		      "name\n"
		      "c:1:60: option '-global a.b=c' is not supported\n"
		      "c:1:74: option '-global memory-backend' is not supported\n"
		      "c:1:94: -set is not supported with object\n"
		      "c:1:115: option '-set device.d.x=1' is not supported\n");
}

static void the_host_is_asked_for_information(void **state)
{
	expect_logged("host -info 'info memdev' --info query-memdev -info 'info memdev'\n"
		      "vm a -kernel k",
		      "");
	assert_string_equal(config.host.info->command, "info memdev");
	assert_string_equal(config.host.info->next->command, "query-memdev");
	assert_string_equal(config.host.info->next->next->command, "info memdev");
	assert_null(config.host.info->next->next->next);
	assert_int_equal(config.host.info->next->place.line, 1);
	assert_int_equal(config.host.info->next->place.column, 33);
}

static void a_broken_backend_is_blamed_once(void **state)
{
	expect_logged(
		"vm a -kernel k -m 1G,slots=1,maxmem=2G -object memory-backend-ram,id=m,size=z "
		"-machine memory-backend=m -device pc-dimm,memdev=m",
		"c:1:77: Parameter 'size' expects a size value\n");
	expect_logged(
		"vm a -kernel k -object memory-backend-file,id=m,size=4K,mem-path=/d/f32,rom=on "
		"-machine memory-backend=m",
		"c:1:77: property 'rom' = 'on' is not supported with 'readonly' = 'off'\n"
		"      = for ROM write readonly=on\n");
}

/* Backends r0..r2 of 64 MiB, f0 and f1 of 4 KiB, g of 2 GiB at 2 GiB, in a VM whose -m is 'm'. */
static void place(const char *m, const char *devices, const char *reported)
{
	char text[2000];

	sprintf(text,
		"vm a -kernel k \\\n-m %s \\\n %s \\\n"
		"-object memory-backend-ram,id=r0,size=64M "
		"-object memory-backend-ram,id=r1,size=64M "
		"-object memory-backend-ram,id=r2,size=64M "
		"-object memory-backend-file,id=f0,size=4K,mem-path=/d/f32 "
		"-object memory-backend-file,id=f1,size=4K,mem-path=/d/f32 "
		"-object memory-backend-file,id=g,size=2G,align=2G,mem-path=/d/f2g",
		m, devices);
	expect_logged(text, reported);
}

static void dimms_take_the_first_place_that_fits(void **state)
{
	struct dimm_config *d;

	place("1G,slots=8,maxmem=4G",
	      "-device pc-dimm,memdev=r0,addr=0x104000000,slot=3 -device pc-dimm,memdev=f0 "
	      "-device pc-dimm,memdev=r1 -device pc-dimm,memdev=f1 -device pc-dimm,memdev=r2 ",
	      "");
	assert_int_equal(config.vms->dimm_window, GIB(4));
	assert_int_equal(config.vms->dimm_window_len, GIB(3) + GIB(8));
	d = config.vms->dimms;
	assert_int_equal(d->addr, GIB(4) + MIB(64));
	assert_int_equal(d->slot, 3);
	d = d->next;
	assert_int_equal(d->addr, GIB(4));
	assert_int_equal(d->slot, 0);
	d = d->next; /* not between f0 and r0: 64 MiB less a page is too small */
	assert_int_equal(d->addr, GIB(4) + MIB(128));
	assert_int_equal(d->slot, 1);
	d = d->next;
	assert_int_equal(d->addr, GIB(4) + PAGE_SIZE);
	assert_int_equal(d->slot, 2);
	d = d->next;
	assert_int_equal(d->addr, GIB(4) + MIB(192));
	assert_int_equal(d->slot, 4);
	assert_true(d->backend->busy);
}

static void the_window_lies_behind_the_memory(void **state)
{
	static const struct {
		const char *m;
		uint64_t start, len;
	} rows[] = {
		{"128M,slots=1,maxmem=256M", GIB(4), GIB(1) + MIB(128)},
		{"3G,slots=2,maxmem=4G", GIB(4), GIB(3)},
		{"3073M,slots=1,maxmem=4G", GIB(5), GIB(2) - MIB(1)},
		{"4G,slots=1,maxmem=8G", GIB(5), GIB(5)},
		{"4097M,maxmem=8G", GIB(6), GIB(4) - MIB(1)},
		{"1G,maxmem=1G", 0, 0},
		{"1G", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		place(rows[i].m, "", "");
		assert_int_equal(config.vms->dimm_window, rows[i].start);
		assert_int_equal(config.vms->dimm_window_len, rows[i].len);
	}
}

static void dimms_have_qemus_errors(void **state)
{
	place("1G,slots=2,maxmem=2G",
	      "-device pc-dimm,slot=x -device pc-dimm,memdev=zz "
	      "-device pc-dimm,foo=1 -device pc-dimm,slot=2147483648",
	      "c:3:23: Parameter 'slot' expects integer\n"
	      "c:3:67: Property 'pc-dimm.foo' not found\n"
	      "      = possible names: addr id memdev node slot\n"
	      "c:3:94: Parameter 'slot' expects int32_t\n"
	      "c:3:33: Device 'zz' not found\n");
	place("1G", "-device pc-dimm,memdev=r0 ",
	      "c:3:10: no slots where allocated, please specify the 'slots' option\n"
	      "      = add to -m: slots=1,maxmem=SIZE, where SIZE is more than all memory "
	      "together\n");
	place("1G,slots=1,maxmem=2G",
	      "-device pc-dimm,memdev=r0,slot=1 -device pc-dimm,memdev=r0,slot=-2 "
	      "-device pc-dimm -device pc-dimm,memdev=r0 -device pc-dimm,memdev=r1 "
	      "-device pc-dimm,memdev=r1,slot=0 ",
	      "c:3:10: invalid slot number 1, valid range is [0-0]\n"
	      "c:3:43: invalid slot number -2, valid range is [0-0]\n"
	      "c:3:77: 'memdev' property must be set\n"
	      "c:3:119: no free slots available\n"
	      "      = -m has slots=1\n"
	      "c:3:145: slot 0 is busy\n");
	place("1G,slots=9,maxmem=1100M",
	      "-device pc-dimm,memdev=r0,id=x -device pc-dimm,memdev=r1 "
	      "-device pc-dimm,memdev=f0,addr=0x100000000 "
	      "-device pc-dimm,memdev=f0,addr=0x1000 "
	      "-device pc-dimm,memdev=f0,addr=0x1fffff000 "
	      "-device pc-dimm,memdev=f0,addr=-4096 "
	      "-device pc-dimm,memdev=f1,addr=0x340000000,node=1 "
	      "-device pc-dimm,memdev=f0,addr=0x341000000 "
	      "-device pc-dimm,memdev=f0,addr=0x341001000 "
	      "-device pc-dimm,memdev=f1,addr=0x341000000 ",
	      "c:3:41: not enough space, currently 0x4000000 in use of total space for memory "
	      "devices 0x4c00000\n"
	      "c:3:67: address range conflicts with memory device id='x'\n"
	      "c:3:110: can't add memory device [0x1000:0x1000], usable range for memory devices "
	      "[0x100000000:0x244c00000]\n"
	      "c:3:191: can't add memory device [0xfffffffffffff000:0x1000], usable range for "
	      "memory devices [0x100000000:0x244c00000]\n"
	      "c:3:228: 'DIMM property node has value 1' which exceeds the number of numa nodes: "
	      "1\n"
	      "c:3:278: can't use already busy memdev: f0\n"
	      "c:3:321: can't use already busy memdev: f0\n");
}

static void alignment_can_leave_no_place(void **state)
{
	place("1G,slots=3,maxmem=3073M",
	      "-device pc-dimm,memdev=f0,addr=0x140000000 "
	      "-device pc-dimm,memdev=f1,addr=0x180000000 -device pc-dimm,memdev=g ",
	      "c:3:96: could not find position in guest address space for memory device - memory "
	      "fragmented due to alignments\n");
	place("1G,slots=3,maxmem=3073M",
	      "-device pc-dimm,memdev=f0,addr=0x140000000 -device pc-dimm,memdev=g ", "");
	assert_int_equal(config.vms->dimms->next->addr, GIB(6));
	place("1G,slots=3,maxmem=3073M", "-device pc-dimm,memdev=g,addr=0x140000000 ",
	      "c:3:10: address must be aligned to 0x80000000 bytes\n");
}

static void memory_beyond_maxmem_leaves_no_window(void **state)
{
	expect_logged(
		"vm a -kernel k -m slots=1,maxmem=1G -object memory-backend-ram,id=m,size=2G "
		"-machine memory-backend=m -object memory-backend-ram,id=n,size=2M "
		"-device pc-dimm,memdev=n",
		"c:1:151: the configuration is not prepared for memory devices (e.g., for memory "
		"hotplug), consider specifying the maxmem option\n");
}

static void fw_cfg_has_qemus_errors(void **state)
{
#define NEEDED "name, plus exactly one of file, string and gen_id, are needed"
#define NAME55 "opt/5678901234567890123456789012345678901234567890123456"
	static const struct {
		const char *argument, *reported;
	} rows[] = {
		{"''", NEEDED},
		{"opt/x", NEEDED},
		{"name=opt/x", NEEDED},
		{"string=a", NEEDED},
		{"opt/x,string=", NEEDED},
		{"opt/x,string=a,file=/d/f8", NEEDED},
		{"opt/x,file=/d/f8,gen_id=b", NEEDED},
		{NAME55 ",string=a", "name too long (max. 55 char)"},
		{"opt/x,gen_id=a", "gen_id is not supported, only file and string"},
		{"opt/stencil/seed,string=a",
		 "fw_cfg file names below \"opt/stencil/\" are reserved for Stencil"},
		{"opt/y,string=a", "duplicate fw_cfg file name: opt/y"},
		{"opt/x,file=/none",
		 "can't load /none: Failed to open file \"/none\": No such file or directory"},
		{"opt/x,file=/d", "can't load /d: Failed to open file \"/d\": Is a directory"},
		{"opt/x,file=/d/fifo",
		 "can't load /d/fifo: Failed to open file \"/d/fifo\": Not a regular file"},
		{"opt/x,file=/d/no0000",
		 "can't load /d/no0000: Failed to open file \"/d/no0000\": Permission denied"},
		{"opt/x,file=/d/f8", NULL},
		{"opt/x,file=/d/link", NULL},
		{"file=/d/empty,name=opt/x", NULL},
	};
	char text[200], want[300];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "vm a -kernel k -fw_cfg opt/y,string=1 -fw_cfg %s",
			 rows[i].argument);
		*want = '\0';
		if (rows[i].reported != NULL)
			snprintf(want, sizeof(want), "c:1:%u: %s\n",
				 47 + 2 * (*rows[i].argument == '\''), rows[i].reported);
		expect_logged(text, want);
	}
	expect_logged("vm a -kernel k -fw_cfg opt/x,strin=a", "c:1:30: Invalid parameter 'strin'\n"
							      "      = did you mean 'string'?\n");
	expect_logged("vm a -kernel k -fw_cfg foo,string=a",
		      "warning: c:1:24: warning: externally provided fw_cfg item names should be "
		      "prefixed "
		      "with \"opt/\"\n");
}

static void fw_cfg_files_are_in_the_order_of_the_text(void **state)
{
	const struct fw_cfg_file *file;

	expect_logged("vm a -kernel k -fw_cfg opt/t,string=text -fw_cfg opt/f,file=/d/odd5000 "
		      "-fw_cfg name=opt/e,file=/d/empty",
		      "");
	file = &config.vms->fw_cfg->file;
	assert_string_equal(file->name, "opt/t");
	assert_int_equal(file->len, 4);
	assert_memory_equal(file->data, "text", 4);
	file = file->next;
	assert_string_equal(file->name, "opt/f");
	assert_int_equal(file->len, 5000);
	assert_ptr_equal(file->data, phys_to_virt(GIB(3)));
	file = file->next;
	assert_string_equal(file->name, "opt/e");
	assert_int_equal(file->len, 0);
	assert_null(file->next);
}

static void fw_cfg_has_so_many_files(void **state)
{
	char text[4000] = "vm a -kernel k";

	for (unsigned i = 0; i < 27; i++)
		sprintf(text + strlen(text), " -fw_cfg opt/%02u,string=s", i);
	expect_logged(text, "");
	sprintf(text + strlen(text), " \\\n-fw_cfg opt/27,string=s");
	expect_logged(text, "c:2:9: more than 27 fw_cfg files are not possible\n");
}

static void vmgenid_has_qemus_errors(void **state)
{
	static const uint8_t guid[16] = {0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b,
					 0xbf, 0x41, 0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87};

	expect_logged("vm a -kernel k", "");
	assert_false(config.vms->has_vmgenid);
	expect_logged("vm a -kernel k -device vmgenid", "");
	assert_true(config.vms->has_vmgenid);
	assert_false(config.vms->has_guid);
	expect_logged("vm a -kernel k -device vmgenid,guid=auto,id=g", "");
	assert_false(config.vms->has_guid);
	expect_logged("vm a -kernel k -device vmgenid,guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
		      "");
	assert_true(config.vms->has_guid);
	assert_memory_equal(config.vms->guid, guid, 16);
	expect_logged("vm a -kernel k -device vmgenid,guid=AUTO -device vmgenid,foo=1",
		      "c:1:37: Property 'vmgenid.guid' doesn't take value 'AUTO'\n"
		      "c:1:58: Property 'vmgenid.foo' not found\n"
		      "      = possible names: guid id\n");
	expect_logged("vm a -kernel k -device vmgenid -device vmgenid,id=b",
		      "c:1:40: at most one vmgenid device is permitted\n");
}

static void pvpanic_is_at_qemus_port(void **state)
{
	expect_logged("vm a -kernel k", "");
	assert_false(config.vms->has_pvpanic);
	expect_logged("vm a -kernel k -device pvpanic", "");
	assert_true(config.vms->has_pvpanic);
	assert_int_equal(config.vms->pvpanic_events, 3);
	expect_logged("vm a -kernel k -device pvpanic,ioport=0x505,events=1,id=p", "");
	assert_int_equal(config.vms->pvpanic_events, 1);
	expect_logged("vm a -kernel k -device pvpanic,ioport=0x506 -device pvpanic,events=7",
		      "c:1:39: pvpanic at port 0x506 is not supported yet, only at 0x505\n"
		      "c:1:68: pvpanic has no events 0x4, only 1 (panicked) and 2 (crash "
		      "loaded)\n");
	expect_logged("vm a -kernel k -device pvpanic,foo=1 -device pvpanic,events=256",
		      "c:1:32: Property 'pvpanic.foo' not found\n"
		      "      = possible names: events id ioport\n"
		      "c:1:61: Parameter 'events' expects uint8_t\n");
	expect_logged("vm a -kernel k -device pvpanic -device pvpanic,id=b",
		      "c:1:40: a second pvpanic is not possible\n");
	expect_logged("vm a -kernel k -device pvpanic-pci",
		      "c:1:24: device 'pvpanic-pci' is not supported yet\n");
}

static void a_full_arena_is_reported_wherever_it_happens(void **state)
{
	static const char text[] =
		"host -log info -info 'info numa'\nvm a -m 1G,slots=2,maxmem=4G -kernel k -name g "
		"-object memory-backend-ram,id=m,size=1G -machine memory-backend=m -smp 1 "
		"-chardev null,id=c -device isa-debugcon,chardev=c -device pc-dimm,id=d,memdev=n "
		"-object memory-backend-ram,id=n,size=2M\nvm b -kernel 'k' -m 4M "
		"-object memory-backend-ram,id=n,size=2M -object memory-backend-ram,id=m,size=2M "
		"-numa node,memdev=n -numa node,memdev=m,nodeid=1 -numa dist,src=0,dst=1,val=20 "
		"-numa cpu,node-id=1 -mem-prealloc\nvm c -m 1G,slots=1,maxmem=2G -kernel k "
		"-machine nvdimm=on "
		"-device "
		"'{\"driver\":\"nvdimm\",\"id\":\"d\",\"memdev\":\"n\",\"label-size\":131072}' "
		"-object memory-backend-ram,id=n,size=32M -fw_cfg name=opt/a,string=b\n"
		"clone a count=2\nvm d -incoming template:a\nsave a /x\n";
	size_t size = 0;
	enum status status;

	do {
		struct arena arena = {.base = memory, .size = size};

		status = parse_in(arena, text);
		if (status == OK)
			break;
		assert_int_equal(status, ERR_NOMEM);
		assert_int_equal(diag.n_errors, 1);
		assert_non_null(strstr(logged, ": no memory left for the configuration\n"));
	} while (++size < 40000);
	assert_int_equal(status, OK);
	assert_true(size > 2000);
}

static void a_full_arena_is_reported_while_objects_are_read(void **state)
{
	static const char *const arguments[] = {"memory-backend-ram,id=a,size=1M",
						"thread-context,id=t"};
	size_t size = 0;
	enum status status;

	do {
		struct arena arena = {.base = memory, .size = size};

		diag = (struct diag){.file = "c"};
		log_reset();
		status = config_parse_objects(arguments, ARRAY_SIZE(arguments), &arena, &diag,
					      &config);
		if (status == OK)
			break;
		assert_int_equal(status, ERR_NOMEM);
		assert_string_equal(logged, "error: no memory left for the configuration\n");
	} while (++size < 10000);
	assert_int_equal(status, OK);
	assert_true(size > 500);
	assert_string_equal(config.vms->backends->id, "a");
}

static char *chunks[64];
static size_t n_chunks;

static void *another_chunk(size_t size, size_t *ret_size)
{
	assert_true(size <= MIB(1) && n_chunks < ARRAY_SIZE(chunks));
	*ret_size = MIB(1);
	return chunks[n_chunks++] = malloc(MIB(1));
}

static void thousands_of_vms_are_read(void **state)
{
	static char text[300000];
	size_t len = 0;

	for (unsigned i = 0; i < 5000; i++)
		len += (size_t)sprintf(text + len, "vm v%u -m 4M -kernel k -append 'n=%u'\n", i, i);
	assert_int_equal(parse_in((struct arena){.more = another_chunk}, text), OK);
	assert_int_equal(config.n_vms, 5000);
	while (n_chunks > 0)
		free(chunks[--n_chunks]);
}

static void shares_have_weights(void **state)
{
	assert_int_equal(parse("vm a -kernel k\nvm b -kernel k -weight 1\n"
			       "vm c -kernel k -weight 5 -weight 10000"),
			 OK);
	assert_int_equal(config.vms->weight, 100);
	assert_int_equal(config.vms->next->weight, 1);
	assert_int_equal(config.vms->next->next->weight, 10000);
	expect_logged("vm a -kernel k -weight 0 -weight 10001 -weight -1 -weight much",
		      "c:1:24: Parameter '-weight' does not accept value '0', only a number from 1 "
		      "to 10000\n"
		      "c:1:34: Parameter '-weight' does not accept value '10001', only a number "
		      "from 1 to 10000\n"
		      "c:1:48: Parameter '-weight' does not accept value '-1', only a number from "
		      "1 to 10000\n"
		      "c:1:59: Parameter '-weight' does not accept value 'much', only a number "
		      "from 1 to 10000\n");
}

static void private_memory_has_limits(void **state)
{
	const struct clone_config *clone;

	assert_int_equal(parse("host -max-private 1G\n"
			       "vm a -kernel k -max-private 8193 -on-full pause\nvm b -kernel k\n"
			       "vm c -kernel k -on-full pause -on-full end -max-private 4K\n"
			       "clone a count=2 max-private=1.5M precopy=on\nclone a precopy=off"),
			 OK);
	assert_string_equal(logged, "");
	assert_int_equal(config.host.max_private, GIB(1));
	assert_int_equal(config.vms->max_private, 8192);
	assert_true(config.vms->pauses_when_full);
	assert_int_equal(config.vms->next->max_private, 0);
	assert_false(config.vms->next->pauses_when_full);
	assert_int_equal(config.vms->next->next->max_private, 4096);
	assert_false(config.vms->next->next->pauses_when_full);
	clone = config.clones;
	assert_int_equal(clone->max_private, MIB(3) / 2);
	assert_true(clone->precopy);
	assert_int_equal(clone->next->max_private, 0);
	assert_false(clone->next->precopy);
	assert_int_equal(parse("vm a -kernel k"), OK);
	assert_int_equal(config.host.max_private, 0);
	expect_logged(
		"host -max-private 4095\nvm a -kernel k -max-private x\n"
		"vm b -kernel k -on-full wait\nclone b max-private=-1\nclone b max-private\n"
		"clone b precopy=2",
		"c:1:19: Parameter '-max-private' expects a size of at least 4 KiB\n"
		"c:2:29: Parameter '-max-private' expects a size of at least 4 KiB\n"
		"c:3:25: Parameter '-on-full' does not accept value 'wait', only 'end' and "
		"'pause'\n"
		"c:4:21: Parameter 'max-private' expects a size of at least 4 KiB\n"
		"c:5:9: clone: Invalid parameter 'max-private'\n"
		"      = parameters: count=N parallel=N paused=on max-private=SIZE precopy=on\n"
		"c:6:17: Parameter 'precopy' expects 'on' or 'off'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_arena_is_reported_while_objects_are_read),
		cmocka_unit_test(thousands_of_vms_are_read),
		cmocka_unit_test(shares_have_weights),
		cmocka_unit_test(private_memory_has_limits),
		cmocka_unit_test(a_vm_has_sensible_defaults),
		cmocka_unit_test(all_options_of_a_vm_are_taken),
		cmocka_unit_test(the_last_of_repeated_options_counts),
		cmocka_unit_test(devices_may_have_values_of_their_own),
		cmocka_unit_test(memory_is_counted_as_by_qemu),
		cmocka_unit_test(the_host_is_told_its_part),
		cmocka_unit_test(vms_keep_the_order_of_the_text),
		cmocka_unit_test(lines_that_define_nothing_are_errors),
		cmocka_unit_test(all_errors_of_a_file_are_reported_in_one_go),
		cmocka_unit_test(one_mistake_is_one_message),
		cmocka_unit_test(options_are_refused_by_name),
		cmocka_unit_test(cpu_chooses_features_of_kvm),
		cmocka_unit_test(cpu_refuses_what_is_not_here),
		cmocka_unit_test(m_has_qemus_errors),
		cmocka_unit_test(machine_and_name_are_checked),
		cmocka_unit_test(the_old_devices_are_chosen),
		cmocka_unit_test(later_timers_are_chosen),
		cmocka_unit_test(a_watchdog_has_an_action),
		cmocka_unit_test(devices_have_qemus_errors),
		cmocka_unit_test(the_machine_says_what_backends_do_not),
		cmocka_unit_test(mem_path_is_where_the_memory_begins),
		cmocka_unit_test(globals_and_set_do_not_reach_objects),
		cmocka_unit_test(the_host_is_asked_for_information),
		cmocka_unit_test(a_broken_backend_is_blamed_once),
		cmocka_unit_test(dimms_take_the_first_place_that_fits),
		cmocka_unit_test(the_window_lies_behind_the_memory),
		cmocka_unit_test(dimms_have_qemus_errors),
		cmocka_unit_test(alignment_can_leave_no_place),
		cmocka_unit_test(memory_beyond_maxmem_leaves_no_window),
		cmocka_unit_test(fw_cfg_has_qemus_errors),
		cmocka_unit_test(fw_cfg_files_are_in_the_order_of_the_text),
		cmocka_unit_test(fw_cfg_has_so_many_files),
		cmocka_unit_test(vmgenid_has_qemus_errors),
		cmocka_unit_test(pvpanic_is_at_qemus_port),
		cmocka_unit_test(a_full_arena_is_reported_wherever_it_happens),
	};

	machine_frames_add(GIB(64));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
