/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's life. hv_main() and run_machine() list the steps of start-up in order. The
 * configuration is read, opened and checked as a whole before the first VM starts. After the
 * last VM has ended, the outcome is printed and the machine switched off.
 */
#include "boot/boot_info.h"
#include "boot/parcel.h"
#include "hv/backends/cpio.h"
#include "hv/config/drive.h"
#include "hv/config/read.h"
#include "hv/frame/frame.h"
#include "hv/frame/numa_parse.h"
#include "hv/frame/numa_text.h"
#include "hv/frame/phys.h"
#include "hv/gdb/gdb.h"
#include "hv/host/acpi.h"
#include "hv/host/acpi_memory.h"
#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/debug_port.h"
#include "hv/host/facts.h"
#include "hv/host/hest.h"
#include "hv/host/idt.h"
#include "hv/host/io.h"
#include "hv/host/keyboard.h"
#include "hv/host/known_state.h"
#include "hv/host/last_words.h"
#include "hv/host/log.h"
#include "hv/host/machine_check.h"
#include "hv/host/msr.h"
#include "hv/host/paging.h"
#include "hv/host/panic.h"
#include "hv/host/pci_quiet.h"
#include "hv/host/policy_text.h"
#include "hv/host/power.h"
#include "hv/host/power_button.h"
#include "hv/host/processor_name.h"
#include "hv/host/serial.h"
#include "hv/host/serial_find.h"
#include "hv/host/smp.h"
#include "hv/host/stop.h"
#include "hv/host/symbols.h"
#include "hv/host/tsc.h"
#include "hv/host/tsc_calibrate.h"
#include "hv/host/watchdog.h"
#include "hv/host/watchdog_find.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/lib/version.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/hotplug_job.h"
#include "hv/monitor/info.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/output.h"
#include "hv/monitor/parcel.h"
#include "hv/monitor/status.h"
#include "hv/processor.h"
#include "hv/qmp/qmp.h"
#include "hv/vcpu/cpuid_model.h"
#include "hv/vcpu/setup.h"
#include "hv/vm/added.h"
#include "hv/vm/audit.h"
#include "hv/vm/build.h"
#include "hv/vm/bury.h"
#include "hv/vm/checksum.h"
#include "hv/vm/debug.h"
#include "hv/vm/hold.h"
#include "hv/vm/map.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/output.h"
#include "hv/vm/protect.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/serial.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"
#include "hv/vm/vm_prealloc.h"
#include "hv/vmx/guard.h"
#include "hv/vmx/mask.h"

#define ARENA_STEP KIB(64)

static const struct boot_info *boot;

/* What the processors do together. Each waits for a phase to begin, and arrives when it is done. */
enum phase {
	PHASE_BEFORE,
	PHASE_REPORT, /* what it can do */
	PHASE_VMX_ON, /* VMX on, or halt if left out */
	PHASE_RUN,    /* guests */
};
static enum phase phase;   /* set by the boot processor, atomically */
static unsigned n_arrived; /* processors that are done with the phase, atomic */

static uint64_t tsc_init_ticks; /* spent to find the TSC's frequency */

static struct processor_report *reports; /* by cpu->index; NULL in PHASE_RUN */
static uint32_t masked_features;	 /* of vmx_mask() */
static struct config config;
static struct image_list images;
static struct parcel *parcel_head; /* NULL: the firmware keeps its frame */
static bool hands_over;		   /* there is a parcel, and the machine must reset */

/* How a run can end; scripts/run reads the names. */
enum end { END_OK, END_VM_FAILED, END_CONFIG_REFUSED, END_NO_VMX };

static struct power_plan plan_after(enum host_after after, enum power_cause cause)
{
	static const enum power_wish wishes[] = {
		[HOST_AFTER_UNSET] = POWER_WISH_NONE,
		[HOST_AFTER_POWEROFF] = POWER_WISH_OFF,
		[HOST_AFTER_WAIT] = POWER_WISH_STAY,
		[HOST_AFTER_REBOOT] = POWER_WISH_RESET,
	};

	return power_plan(wishes[after], cause);
}

static _Noreturn void end(enum end how)
{
	static const struct {
		const char *words, *advice;
	} ends[] = {
		[END_OK] = {"ok", NULL},
		[END_VM_FAILED] = {"vm failed", "the lines above name the VM and the reason"},
		[END_CONFIG_REFUSED] =
			{"config refused",
			 "correct the lines of the configuration that are named above"},
		[END_NO_VMX] = {"no vmx", NULL}, /* the error says what to do */
	};

	struct power_plan plan;

	if (ends[how].advice != NULL)
		console_print("%s", ends[how].advice);
	power_print_end(ends[how].words);
	plan = plan_after(config.host.on_end, how == END_OK ? POWER_GOOD_END : POWER_BAD_END);
	if (hands_over)
		plan.goal = POWER_RESET;
	power_end(plan);
}

/* Frames that no VM gets, because the next start looks for something in them. */
#define KEPT_START PARCEL_FRAME
#define KEPT_END   (LAST_WORDS_FRAME + PAGE_SIZE)
_Static_assert(LAST_WORDS_FRAME == PARCEL_FRAME + PAGE_SIZE, "kept frames are adjacent");

static bool has_kept_frames(const struct boot_range *range)
{
	return range->use == BOOT_MEM_FREE && range->start <= KEPT_START &&
	       KEPT_END <= range->start + range->len;
}

static void add_frames(void)
{
	for (uint32_t i = 0; i < boot->n_ranges; i++) {
		const struct boot_range *range = &boot->range[i];
		uint64_t end = range->start + range->len;

		if (range->use == BOOT_MEM_HV)
			frame_note_used(end);
		if (range->use == BOOT_MEM_FREE && !has_kept_frames(range))
			frame_add_range(range->start, range->len);
		if (!has_kept_frames(range))
			continue;
		frame_add_range(range->start, KEPT_START - range->start);
		frame_add_range(KEPT_END, end - KEPT_END);
	}
}

/*
 * What the last run has left, and where this one leaves something. The firmware's own memory has no
 * place for it.
 */
static void show_last_words(void)
{
	void *frame = NULL;

	for (uint32_t i = 0; i < boot->n_ranges; i++)
		if (has_kept_frames(&boot->range[i])) {
			frame = phys_to_virt(LAST_WORDS_FRAME);
			parcel_head = phys_to_virt(PARCEL_FRAME);
		}
	last_words_init(frame);
}

static const void *table_bytes(struct acpi_table table)
{
	return table.len > 0 ? acpi_memory(table.start, table.len) : NULL;
}

/* Set the boot processor's node only; the others look up theirs when they start. */
static void find_nodes(void)
{
	struct numa_tables tables = {table_bytes(acpi.srat), table_bytes(acpi.slit), acpi.srat.len,
				     acpi.slit.len};

	/* Damaged tables are reported, and the machine has one node. */
	(void)numa_parse(&tables, &numa);
	for (uint32_t i = 0; i < boot->n_ranges; i++)
		if (boot->range[i].use < BOOT_MEM_MMIO)
			numa_add_memory(&numa, boot->range[i].start, boot->range[i].len);
	this_cpu()->frames.node = numa_home_of_cpu(&numa, this_cpu()->apic_id);
	frame_sort_by_node();
}

static void log_nodes(void)
{
	uint32_t apic_ids[CPU_MAX];
	char text[200];

	for (unsigned i = 0; i < n_cpus; i++)
		apic_ids[i] = cpus[i]->apic_id;
	for (unsigned node = 0; numa.n_nodes > 1 && node < numa.n_nodes; node++) {
		numa_describe(&numa, node, (struct numa_cpus){apic_ids, n_cpus}, text,
			      sizeof(text));
		log_info("%s, %lu MiB free", text, frame_available_on(node) * PAGE_SIZE / MIB(1));
	}
}

/* Hide features as the configuration says, before any processor reports. */
static void read_mask(const struct host_config *host, struct diag *diag)
{
	const char *unknown;

	if (host->mask == NULL)
		return;
	if (vmx_mask_read(host->mask, &masked_features, &unknown))
		log_warning("features hidden by host -mask: %s", host->mask);
	else
		diag_error(diag, host->mask_place, "unknown feature: '%s'", unknown);
}

static void start_watchdog(const struct host_config *host, struct diag *diag)
{
	const char *missing = host->watchdog != 0 ? watchdog_start(host->watchdog) : NULL;

	if (missing != NULL)
		diag_error(diag, host->watchdog_place, "-watchdog: %s", missing);
}

static void check_info(const struct info_config *info, struct diag *diag)
{
	for (; info != NULL; info = info->next)
		if (!info_is_command(info->command))
			diag_error(diag, info->place, "unknown command: '%s'", info->command);
}

/* Of all choices except auto. */
static const struct serial_port ports[] = {[CONSOLE_COM1] = SERIAL_COM1,
					   [CONSOLE_COM2] = SERIAL_COM2,
					   [CONSOLE_NONE] = {.space = ACPI_SPACE_NONE},
					   [CONSOLE_COM3] = SERIAL_COM3,
					   [CONSOLE_COM4] = SERIAL_COM4};

static void set_console_port(enum console_port choice)
{
	if (choice == CONSOLE_AUTO || console_has_port(&ports[choice]))
		return; /* at its speed */
	if (choice == CONSOLE_NONE || serial_is_present(&ports[choice]))
		console_set_serial(&ports[choice]);
	else
		log_warning("host -serial: this machine has no %s", ports[choice].name);
}

/* Once the console has its port. */
static void set_baud(const struct host_config *host, struct diag *diag)
{
	if (host->baud_divisor == 0 || console_set_divisor(host->baud_divisor))
		return;
	diag_error(diag, host->baud_place,
		   "-baud: the clock of the console's port is not known, or there is no port");
}

static void set_where_files_go(const struct host_config *host, struct diag *diag)
{
	if (!host->sends_to_debugcon)
		return;
	if (debug_port_is_present())
		output_use_debug_port(true);
	else
		diag_error(diag, host->send_place,
			   "-send: this machine has no debug port 0xe9, which emulators have");
}

/* Once the console has its port. */
static void check_qmp_port(const struct host_config *host, struct diag *diag)
{
	const struct serial_port *port = &ports[host->qmp];

	if (host->qmp == CONSOLE_NONE)
		return;
	if (console_has_port(port))
		diag_error(diag, host->qmp_place,
			   "-qmp: %s is the console's port: choose another one here or for -serial",
			   port->name);
	else if (!serial_is_present(port))
		diag_error(diag, host->qmp_place, "-qmp: this machine has no %s", port->name);
}

/* The EFI file has read the configuration, and did not find in it what it could fetch. */
static void refuse_fetch(const struct host_config *host, struct diag *diag)
{
	if (host->fetch != NULL)
		diag_error(
			diag, host->fetch_place,
			"-fetch is not possible here: only the configuration on the medium or in "
			"the EFI file may fetch another one, by a line 'host -fetch URL' without "
			"quotes");
}

/* Once console and QMP have their ports. */
static void check_gdb_ports(struct diag *diag)
{
	enum console_port first = CONSOLE_NONE;
	const char *why;

	if (config.host.qmp != CONSOLE_NONE)
		gdb_forbid(&ports[config.host.qmp]);
	for (const struct vm_config *vm = config.vms; vm; vm = vm->next) {
		if (vm->gdb == CONSOLE_NONE)
			continue;
		first = first == CONSOLE_NONE ? vm->gdb : first;
		why = first == vm->gdb ? gdb_refuses(&ports[vm->gdb])
				       : "is not the other VMs' port: there is one for all VMs";
		if (why != NULL)
			diag_error(diag, vm->gdb_place, "-gdb: %s %s", ports[vm->gdb].name, why);
	}
}

static void begin_gdb(void)
{
	for (const struct vm_config *vm = config.vms; vm; vm = vm->next) {
		if (vm->gdb == CONSOLE_NONE || gdb_is_on())
			continue;
		if (gdb_begin(&ports[vm->gdb]) != OK)
			panic("no memory for gdb");
		log_info("gdb: %s", ports[vm->gdb].name);
	}
}

static void begin_qmp(enum console_port choice)
{
	if (choice == CONSOLE_NONE)
		return;
	if (qmp_begin(&ports[choice]) != OK)
		panic("no memory for QMP");
	log_info("QMP: %s", ports[choice].name);
}

static void read_configuration(struct arena *arena)
{
	struct diag diag = {
		.file = boot->config_name, .text = boot->config, .len = boot->config_len};
	enum status status;
	uint64_t ticks;

	object_machine_cpus = n_cpus;
	ticks = rdtsc();
	status = config_parse(boot->config, boot->config_len, arena, &diag, &config);
	ticks = rdtsc() - ticks;
	check_info(config.host.info, &diag);
	read_mask(&config.host, &diag);
	set_console_port(config.host.console);
	set_baud(&config.host, &diag);
	set_where_files_go(&config.host, &diag);
	vm_serial_use_colors(config.host.has_colors);
	check_qmp_port(&config.host, &diag);
	refuse_fetch(&config.host, &diag);
	check_gdb_ports(&diag);
	log_set_level((enum log_level)config.host.log_level);
	log_debug("bench parse_config %lu", ticks);
	panic_set_plan(plan_after(config.host.on_panic, POWER_PANIC));
	start_watchdog(&config.host, &diag);
	if (ramdisk_open(boot->ramdisk, boot->ramdisk_len, arena, &diag, &images.first) == OK &&
	    status != ERR_NOMEM) {
		images.arena = arena;
		if (cpuid_phys_bits(cpuid) < config.phys_bits)
			config.phys_bits = cpuid_phys_bits(cpuid);
		status = config_open(&config, &images, &diag);
	}
	if (status == OK && diag.n_errors == 0)
		return;
	log_error("%s: %u error%s, no VM is started", boot->config_name, diag.n_errors,
		  diag.n_errors == 1 ? "" : "s");
	end(END_CONFIG_REFUSED);
}

static int64_t time_now(void)
{
	return (int64_t)(tsc_unix_ns(rdtsc()) / 1000000000);
}

static bool is_backing(const struct image *image)
{
	for (const struct vm_config *vm = config.vms; vm; vm = vm->next)
		for (const struct backend *backend = vm->backends; backend; backend = backend->next)
			if (backend->image == image)
				return true;
	for (const struct vm_config *vm = config.vms; vm; vm = vm->next)
		for (const struct drive_config *drive = vm->drives; drive; drive = drive->next)
			if (drive->backend.image == image)
				return true;
	return false;
}

/* The next image that backs memory or a drive and that no VM may write, starting with 'image'. */
static struct image *next_guarded(struct image *image)
{
	while (image && (!is_backing(image) || image->is_written))
		image = image->next;
	return image;
}

static void take_checksums(void)
{
	for (struct image *i = next_guarded(images.first); i; i = next_guarded(i->next)) {
		i->checksum = image_checksum(i);
		watchdog_feed();
	}
}

/* Panic if the bytes of a private file or of ROM have changed, which is our bug. */
static void compare_checksums(void)
{
	for (struct image *i = next_guarded(images.first); i; i = next_guarded(i->next)) {
		uint64_t now = image_checksum(i);

		watchdog_feed();
		if (now != i->checksum)
			panic("image %s has changed: checksum %016lx", i->path, now);
		log_info("image %s: unchanged, checksum %016lx", i->path, now);
	}
}

static void say_fault(const char *name, const char *what)
{
	log_error("check: %s: %s", name, what);
}

/* Templates are still there. */
static void check_memory(void)
{
	struct vm_audit audit;

	if (vm_audit(say_fault, &audit) != OK)
		log_warning("host -check: no memory for a byte a frame, nothing is checked");
	else if (audit.n_faults > 0)
		panic("the check of all memory has found %lu faults", audit.n_faults);
	else
		log_info("check: templates: %u, frames: %lu, faults: 0", audit.n_vms,
			 audit.n_pages);
}

/* Map the frames of read-only images, which are theirs alone, and the zeros read-only here, too. */
static void protect_frames(void)
{
	for (struct image *i = next_guarded(images.first); i; i = next_guarded(i->next)) {
		if (paging_protect(i->base, align_up(i->size, PAGE_SIZE), false) != OK)
			panic("no memory to protect image %s", i->path);
		i->is_guarded = true;
	}
	for (unsigned level = 0; level < EPT_ZERO_LEVELS; level++)
		if (paging_protect(ept_zero_table(level), PAGE_SIZE, false) != OK)
			panic("no memory to protect the zeros that all VMs share");
	if (!config.host.protects_all)
		return;
	if (paging_split_ram(boot) != OK)
		panic("host -protect all: no memory for the page tables");
	protect_begin();
}

static void print_info(const struct vm *vm)
{
	static struct device_list devices;
	struct info_vm about = {vm->config, vm->mem, &devices};

	platform_list(&vm->platform, &devices);
	info_print(&about, config.host.info);
}

/* Withhold the frames beyond the budget. */
static void set_budget(uint64_t n_free)
{
	uint64_t budget = config.host.max_private / PAGE_SIZE;

	if (budget == 0)
		return;
	if (budget < n_free)
		frame_keep_back(n_free - budget);
	else
		log_warning("host -max-private: this machine has only %lu KiB",
			    (n_free * PAGE_SIZE / KIB(1)));
}

static void offer_to_gdb(const struct vm *vm)
{
	enum status status;

	vms_acquire();
	status = gdb_offer(vm->index);
	lock_release(&vms_lock);
	if (status != OK)
		log_warning("VM %s: gdb finds at most %u VMs when it connects", vm_name(vm),
			    DEBUG_VMS_MAX);
}

static void start_vm(struct vm *vm)
{
	if (vm->config->gdb != CONSOLE_NONE)
		offer_to_gdb(vm);
	if (vm->config->starts_stopped)
		vm_pause(vm, true);
	vm_start(vm);
}

/* Start the VMs that were made. No processor runs them yet. */
static void start_made(struct vm *made)
{
	while (made) {
		struct vm *vm = made;

		made = vm->next;
		if (vm->config->is_template)
			template_adopt(vm);
		else
			start_vm(vm);
	}
}

static void start_vms(void)
{
	struct vm *made = NULL, **link = &made;

	template_set_config(config.clones);
	checksum_set(config.host.checksum);
	map_set_config(&images);
	save_queue_set_config(config.saves);
	for (struct vm_config *vm = config.vms; vm; vm = vm->next) {
		if (vm->saved.below != 0) { /* its template must be one */
			start_made(made);
			made = NULL;
			link = &made;
		}
		if (vm_create(vm, time_now(), link) == OK) {
			print_info(*link);
			link = &(*link)->next;
			watchdog_feed();
		}
	}
	start_made(made);
}

static enum end outcome(void)
{
	const struct vm_totals *totals = &vm_totals;
	bool is_well = totals->n_ended_well == totals->n_made;

	log_info("%u of %u VMs ended well", totals->n_ended_well, totals->n_made);
	is_well &= save_queue_end();
	is_well &= template_lines_are_done();
	is_well &= map_all_are_well();
	return is_well ? END_OK : END_VM_FAILED;
}

/* Leave the files of this run to the next start. False: that failed, and an error says why. */
static bool hand_over(void)
{
	unsigned n;

	if (parcel_head == NULL) {
		log_error("hand-over: this machine's firmware keeps the memory at %#lx to itself",
			  PARCEL_FRAME);
		return false;
	}
	if (parcel_make(images.first,
			config.host.on_end == HOST_AFTER_REBOOT ? PARCEL_BOOT : PARCEL_SWITCH_OFF,
			parcel_head, &n) != OK)
		return false;
	hands_over = n > 0;
	return true;
}

/* Without the time in which the firmware read files, lines were sent, or the TSC was measured. */
static void log_start_cost(uint64_t waited_tsc)
{
	if (vcpu_shared.first_entry_tsc)
		log_info("bench entry_to_guest %lu", vcpu_shared.first_entry_tsc -
							     boot->efi_entry_tsc -
							     boot->firmware_io_tsc - waited_tsc);
}

/* Image, stacks, tables and allocated memory, without the ramdisk, which belongs to the VMs. */
static void log_own_memory(uint64_t n_free, uint64_t n_released)
{
	uint64_t bytes = (frame_total() - n_free) * PAGE_SIZE - n_released;

	for (uint32_t i = 0; i < boot->n_ranges; i++)
		if (boot->range[i].use == BOOT_MEM_HV)
			bytes += boot->range[i].len;
	log_debug("bench hypervisor_bytes %lu", bytes - boot->ramdisk_capacity);
	log_debug("bench unpack %lu", boot->unpack_tsc);
}

/* Release pairs with the acquire in wait_for_phase(): what was prepared for the phase is seen. */
static void begin_phase(enum phase next)
{
	n_arrived = 0;
	__atomic_store_n(&phase, next, __ATOMIC_RELEASE);
}

static void wait_for_phase(enum phase wanted)
{
	while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) < wanted)
		pause();
}

/* Release pairs with the acquire in wait_for_all(): the phase's work is seen. */
static void arrive(void)
{
	__atomic_fetch_add(&n_arrived, 1, __ATOMIC_RELEASE);
}

static void wait_for_all(void)
{
	while (__atomic_load_n(&n_arrived, __ATOMIC_ACQUIRE) < n_cpus)
		pause();
}

static void report_here(const struct cpu *cpu)
{
	vmx_read_capability(&reports[cpu->index].vmx);
	vmx_mask(&reports[cpu->index].vmx, masked_features);
	facts_read(&reports[cpu->index].facts);
	arrive();
}

static uint64_t n_report_frames(unsigned n)
{
	return align_up(n * sizeof(*reports), PAGE_SIZE) / PAGE_SIZE;
}

/* Let all processors say what they can do. Report a feature that the boot processor lacks. */
static void collect_reports(const struct cpu *cpu)
{
	phys_t memory = frame_alloc_run(n_report_frames(n_cpus), PAGE_SIZE);
	const char *missing;

	if (memory == 0)
		panic("no memory for what %u processors report", n_cpus);
	reports = phys_to_virt(memory);
	memset(reports, 0, n_cpus * sizeof(*reports));
	begin_phase(PHASE_REPORT);
	report_here(cpu);
	wait_for_all();
	missing = paging_has_nx()
			  ? vmx_missing(&reports[0].vmx)
			  : "no NX: switch \"Execute Disable\" (XD, NX) on in the firmware's "
			    "set-up";
	if (missing == NULL)
		return;
	log_error("%s", missing);
	end(END_NO_VMX);
}

/* Take the processors that are left out from the list, and number the others again. */
static void leave_out(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_cpus; i++) {
		if (reports[i].left_out != NULL) {
			log_warning("processor with APIC ID %u is left out: %s",
				    (unsigned)cpus[i]->apic_id, reports[i].left_out);
			cpus[i]->left_out = true;
			continue;
		}
		reports[n] = reports[i];
		cpus[n] = cpus[i];
		cpus[n]->index = n;
		n++;
	}
	n_cpus = n;
}

/* What all processors that stay have in common. */
static void choose_processors(struct processor_report *ret)
{
	processors_choose(reports, n_cpus, config.host.smt, ret);
	leave_out();
}

static void log_policy_line(const char *line)
{
	log_info("%s", line);
}

/* Decide what is done about the processors' weaknesses, and do what all processors share. */
static void obey_policy(struct processor_report *common)
{
	processors_policy(reports, n_cpus, common, (enum mitigations)config.host.mitigations,
			  &host_policy);
	policy_describe(&host_policy, log_policy_line);
	vmx_guard(&host_policy);
	if (host_policy.measures & MEASURE_NX_LARGE_PAGES)
		ept_keep_code_small();
}

static phys_t take_frame(void)
{
	phys_t frame = frame_alloc_zeroed();

	if (frame == 0)
		panic("no memory for a processor's VMX structures");
	return frame;
}

static void vmx_on_here(struct cpu *cpu)
{
	const struct vmx_capability *cap = &reports[cpu->index].vmx;

	cpu->vmxon_region = take_frame();
	cpu->vmcs = take_frame();
	cpu->ept_root = take_frame();
	if (vcpu_has_control2(PROC2_VIRTUAL_INTERRUPTS))
		cpu->virtual_apic = take_frame();
	/* Guests need XSAVE and XSETBV. */
	write_cr4(read_cr4() | CR4_OSXSAVE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	known_state_set(&reports[cpu->index].facts, &host_policy);
	cpu->spec_ctrl = host_policy.spec_ctrl;
	vmx_write_revision(cap, cpu->vmcs);
	vmx_on(cap, cpu->vmxon_region);
	arrive();
}

/* Afterwards the count of free frames is final: all processors have what they need. */
static void turn_vmx_on(struct cpu *cpu)
{
	unsigned n_reports = n_cpus;
	struct processor_report common;

	collect_reports(cpu);
	choose_processors(&common);
	obey_policy(&common);
	if (vcpu_setup(&common) != OK || ept_setup() != OK)
		panic("no memory for what all VMs share");
	begin_phase(PHASE_VMX_ON);
	vmx_on_here(cpu);
	wait_for_all();
	frame_free_run(virt_to_phys(reports), n_report_frames(n_reports));
	reports = NULL;
}

/*
 * Make code and constants that only start needs free memory; returns bytes. The other processors
 * wait until this is done, and drop their translations in cpu_main().
 */
static uint64_t release_start_only(void)
{
	phys_t start = virt_to_phys(init_start);
	uint64_t len = virt_to_phys(init_end) - start;

	if (paging_make_data(start, len) != OK)
		panic("no memory to release what only start needs");
	frame_add_range(start, len);
	return len;
}

/* Frames for configuration and ramdisk, which grow with the number of VMs, words and files. */
static void *more_for_arena(size_t size, size_t *ret_size)
{
	uint64_t n_frames = (align_up(size, ARENA_STEP)) / PAGE_SIZE;
	phys_t memory = n_frames > frame_available() ? 0 : frame_alloc_run(n_frames, PAGE_SIZE);

	*ret_size = n_frames * PAGE_SIZE;
	return memory ? phys_to_virt(memory) : NULL;
}

/* The boot processor's work, on its own stack, from the configuration to the end. */
static _Noreturn void run_machine(struct cpu *cpu)
{
	struct arena arena = {.more = more_for_arena};
	uint64_t n_free, n_released, waited_tsc;
	enum end how;

	read_configuration(&arena);
	log_nodes();
	console_begin_step("VMX");
	turn_vmx_on(cpu);
	n_released = release_start_only();
	begin_phase(PHASE_RUN);
	console_end_step("on");
	if (config.host.checksum) {
		console_begin_step("checksums");
		take_checksums();
		console_end_step("taken");
	}
	protect_frames();
	file_job_setup(&images);
	map_job_setup(&images);
	hotplug_job_setup(&images);
	n_free = frame_available();
	log_own_memory(n_free, n_released);
	vm_merge_setup(config.host.merge);
	set_budget(frame_available());
	begin_qmp(config.host.qmp);
	begin_gdb();
	log_info("VMs: %u", config.n_vms);
	start_vms();
	vm_prealloc_end();
	waited_tsc = console_waited_tsc() + tsc_init_ticks;
	/* Sending a line takes milliseconds: processor_run() sends while guests run. */
	console_set_buffered(true);
	if (config.host.shows_status && !status_show(true, false))
		log_warning("host -screen status: this machine has no screen");
	processor_run(cpu);
	console_set_buffered(false);
	vm_output_flush();
	qmp_end();
	gdb_end();
	(void)status_show(false, false);
	if (config.host.check)
		check_memory();
	template_give_up_all();
	template_bury_all();
	while (added_clean_up())
		continue;
	vm_merge_end();
	log_info("memory: %lu frames free before the first VM, %lu after the last", n_free,
		 frame_available());
	if (config.host.checksum)
		compare_checksums();
	log_start_cost(waited_tsc);
	how = outcome();
	if (config.host.hands_over && !hand_over())
		how = END_VM_FAILED;
	end(how);
}

static _Noreturn void cpu_main(struct cpu *cpu)
{
	if (cpu->index == 0)
		run_machine(cpu);
	wait_for_phase(PHASE_REPORT);
	report_here(cpu);
	wait_for_phase(PHASE_VMX_ON);
	if (cpu->left_out)
		cpu_park();
	vmx_on_here(cpu);
	wait_for_phase(PHASE_RUN);
	paging_sync();
	vm_prealloc_serve(cpu);
	processor_run(cpu);
	panic("processor %u returned from processor_run()", (unsigned)cpu->index);
}

static void start_paging(const struct boot_info *info)
{
	if (paging_init(info) != OK)
		panic("no memory for the page tables");
}

static void describe_processor(void)
{
	char name[PROCESSOR_NAME_SIZE];

	processor_name(name, cpuid);
	log_info("processor: %s, microcode 0x%x", name, facts_read_microcode());
}

/*
 * Before free memory is used. A machine with several host bridges has ACPI tables; nested, where
 * each access takes long, one bridge is enough.
 */
static void silence_devices(const struct boot_info *info)
{
	enum { HYPERVISOR_PRESENT = 1u << 31 /* leaf 1, ecx */ };
	struct cpuid_regs features;

	cpuid(1, 0, &features);
	log_info(
		"PCI: bus mastering taken from %u functions",
		pci_stop_bus_masters(info->acpi_rsdp != 0 && !(features.ecx & HYPERVISOR_PRESENT)));
}

static void take_memory(const struct boot_info *info)
{
	console_begin_step("memory");
	add_frames();
	start_paging(info);
	console_end_step("%lu MiB, and a ramdisk of %lu KiB", frame_total() * PAGE_SIZE / MIB(1),
			 info->ramdisk_len / KIB(1));
}

static void leave_banks(const void *hest, uint64_t len)
{
	uint64_t banks = hest != NULL ? hest_firmware_banks(hest, len) : 0;

	machine_check_leave_banks(banks);
	if (banks != 0)
		log_info("machine checks: the firmware handles corrected errors of banks %#lx",
			 banks);
}

static void read_tables(const struct boot_info *info)
{
	console_begin_step("ACPI");
	acpi_init(info->acpi_rsdp);
	power_init(info);
	if (host_apic_init() != OK)
		panic("cannot map the local APIC or an I/O APIC");
	find_nodes();
	if (acpi.n_cpus > 0)
		console_end_step("processors %u, I/O APICs %u, memory nodes %u", acpi.n_cpus,
				 acpi.n_io_apics, numa.n_nodes);
	else
		console_end_step("no processors in the tables");
	leave_banks(table_bytes(acpi.hest), acpi.hest.len);
	watchdog_find(table_bytes(acpi.wdat), acpi.wdat.len);
}

static bool find_serial_port(void)
{
	struct serial_port port = serial_find(table_bytes(acpi.spcr), acpi.spcr.len);

	console_set_serial(&port);
	if (port.space == ACPI_SPACE_NONE)
		log_info("serial port: none");
	else
		log_info("serial port: %s, %s %#lx", port.name,
			 port.space == ACPI_SPACE_IO ? "I/O port" : "address", port.address);
	return port.space != ACPI_SPACE_NONE;
}

static bool find_keyboard(void)
{
	bool found;

	console_begin_step("keyboard");
	found = keyboard_init();
	console_end_step(found ? "i8042" : "none");
	return found;
}

static void find_console(void)
{
	bool has_serial = find_serial_port(), has_keyboard = find_keyboard();

	if (!has_serial && !has_keyboard)
		log_warning("this machine has no serial port and no keyboard that Stencil knows: "
			    "the monitor and the guests cannot be reached");
}

static void find_clock(const struct boot_info *info)
{
	uint64_t begin, khz;
	const char *source;

	console_begin_step("TSC");
	begin = rdtsc();
	if (tsc_init(&source) != OK)
		panic("no clock");
	tsc_init_ticks = rdtsc() - begin;
	khz = (tsc_hz + 500) / 1000;
	if (host_apic_calibrate() != OK)
		panic("the local APIC's timer does not count");
	tsc_set_time(info->unix_time, info->unix_time_tsc);
	console_end_step("%lu.%03lu MHz, from %s%s", khz / 1000, khz % 1000, source,
			 tsc_is_invariant() ? "" : "; not invariant");
}

static void start_processors(const struct boot_info *info)
{
	/* Nested in another hypervisor, or with firmware in SMM, a processor may take seconds. */
	static const struct smp_times times = {
		.init_us = 10000,
		.sipi_us = 300,
		.arrive_us = {1000000, 3000000, 6000000},
	};
	uint32_t n = smp_n_listed(info);

	console_begin_step("processors");
	if (smp_init(info, &times, cpu_main) != OK)
		panic("no memory for stacks or for the start of other processors");
	console_end_step("%u of %u", n_cpus, n > 0 ? n : 1);
}

/* In system management mode the firmware may take a while to let go of it. */
static void find_power_button(void)
{
	console_begin_step("power button");
	console_end_step(power_button_init() ? "ACPI" : "none");
}

void hv_main(const struct boot_info *info)
{
	boot = info;
	cpu_init_boot();
	console_init(info);
	log_info("Stencil, a hypervisor for VM templates");
	log_info("version: %s", stencil_version);
	idt_init();
	describe_processor();
	silence_devices(info);
	take_memory(info);
	show_last_words();
	read_tables(info);
	machine_check_init();
	find_console();
	find_clock(info);
	start_processors(info);
	find_power_button();
	cpu_enter(cpus[0], cpu_main);
}
