/* SPDX-License-Identifier: BSD-2-Clause */
/* What was saved is loaded, no member is forgotten, and anything else in a file is refused. */
#include "hv/vm/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/config/drive.h"
#include "hv/host/msr.h"
#include "hv/lib/crc32.h"
#include "hv/virtio/virtio_console.h"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"
#include "tests/unit/vm_state_vm.h"

#define HZ   UINT64_C(1000000000)
#define THEN (UINT64_C(1700000000) * 1000000000)

#define SAVED_SECTION_SIZE (STATE_NAME_SIZE + 8 + 4 * 8 + SAVED_NAME_SIZE)
#define TABLES_CRC	   0xd9dbec55 /* of version 6 */

static struct state_vm from, to;
static uint8_t *file;
static size_t len;
static char why[STATE_WHY_MAX];
static struct cpuid_model host_cpuid; /* of the machine that loads */
static const struct saved_head head = {.id = 0x1234, .size = GIB(5)};
static struct vm_state_host host;

static int setup(void **state)
{
	host_cpuid = *state_host_cpuid();
	host = (struct vm_state_host){&host_cpuid, HZ, 1000, THEN, "0.3.0 (abc)"};
	state_vm_make(&from, state_host_cpuid());
	state_vm_make(&to, &host_cpuid);
	state_vm_fill(&from);
	len = vm_state_size(from.vm);
	file = calloc(1, len + 64);
	vm_state_write(from.vm, &host, &head, file);
	why[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	free(file);
	state_vm_free(&from);
	state_vm_free(&to);
	return 0;
}

static enum status load(size_t size)
{
	/* A copy of this size, so that the sanitizer finds a read beyond the end. */
	uint8_t *copy = malloc(size ? size : 1);
	struct vm_state_file in = {.data = copy, .len = size, .model = &to.model};
	enum status status;

	memcpy(copy, file, size);
	status = vm_state_read(to.vm, &host, &in);
	memcpy(why, in.why, sizeof(why));
	free(copy);
	return status;
}

/* Give the file the right length and checksum. */
static void seal(size_t size)
{
	uint64_t length = size;
	uint32_t crc;

	memcpy(file + 16, &length, 8);
	crc = crc32_add(0, file + 16, size - 16);
	memcpy(file + 12, &crc, 4);
}

static void refused(const char *text)
{
	why[0] = '\0';
	assert_int_not_equal(load(len), OK);
	if (strstr(why, text) == NULL)
		fail_msg("'%s' instead of '%s'", why, text);
}

static void same(const struct state_table *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct state_field *field = &table->fields[i];

		if (memcmp(state_field_at(field, a), state_field_at(field, b),
			   (size_t)field->count * field->size) != 0)
			fail_msg("%s.%s differs", table->section, field->name);
	}
}

static void what_was_saved_is_loaded(void **state)
{
	const struct platform *a = &from.vm->platform, *b = &to.vm->platform;
	const struct state_table *table = state_device_tables();

	assert_int_equal(load(len), OK);
	for (unsigned i = 0; i < STATE_VM_CPUS; i++) {
		const struct vcpu *x = &from.vm->vcpu[i], *y = &to.vm->vcpu[i];

		same(&state_vcpu_table, x, y);
		for (size_t k = 0; k < state_n_vmcs_fields; k++)
			assert_int_equal(
				vmcs_guest_field(&x->saved.vmcs, state_vmcs_fields[k].field),
				vmcs_guest_field(&y->saved.vmcs, state_vmcs_fields[k].field));
		assert_memory_equal(x->xsave_area, y->xsave_area, PAGE_SIZE);
		assert_int_equal(x->guest.tsc_offset, y->guest.tsc_offset);
		assert_int_equal(y->regs.requests, x->regs.requests | VCPU_REQUEST_EVENT |
							   VCPU_REQUEST_TIMER | VCPU_REQUEST_UART |
							   VCPU_REQUEST_VIRTIO |
							   VCPU_REQUEST_RESUMED);
		assert_ptr_equal(y->cpuid, &to.model);
		assert_memory_equal(&a->irqchip.lapic[i], &b->irqchip.lapic[i],
				    sizeof(struct lapic));
	}
	assert_memory_equal(&to.model, &host_cpuid, sizeof(host_cpuid));
	same(&table[0], &a->irqchip, &b->irqchip);
	same(&table[1], &a->irqchip.ioapic, &b->irqchip.ioapic);
	same(&table[3], &a->uart, &b->uart);
	same(&table[4], &a->rtc, &b->rtc);
	same(&table[5], &a->pm, &b->pm);
	same(&table[6], &a->debug_exit, &b->debug_exit);
	same(&table[7], &a->fw_cfg, &b->fw_cfg);
	same(&table[8], platform_nvdimm((struct platform *)a),
	     platform_nvdimm((struct platform *)b));
	same(&table[9], platform_slots((struct platform *)a), platform_slots((struct platform *)b));
	same(&table[10], memory_slots_at(platform_slots((struct platform *)a), 0),
	     memory_slots_at(platform_slots((struct platform *)b), 0));
	same(&table[11], platform_virtio((struct platform *)a),
	     platform_virtio((struct platform *)b));
	for (unsigned i = 0; i < PIC_N_CHIPS; i++)
		same(&table[12], &platform_legacy((struct platform *)a)->irqs.pic.chip[i],
		     &platform_legacy((struct platform *)b)->irqs.pic.chip[i]);
	for (unsigned i = 0; i < PIT_N_CHANNELS; i++)
		same(&table[13], &platform_legacy((struct platform *)a)->pit.channel[i],
		     &platform_legacy((struct platform *)b)->pit.channel[i]);
	same(&table[14], platform_legacy((struct platform *)a),
	     platform_legacy((struct platform *)b));
	same(&table[15], &platform_legacy((struct platform *)a)->hpet,
	     &platform_legacy((struct platform *)b)->hpet);
	same(&table[16], &platform_legacy((struct platform *)a)->watchdog,
	     &platform_legacy((struct platform *)b)->watchdog);
}

/* They may be another VM's: a clone's area is memory that was used before. */
static void bytes_that_xsave_leaves_are_not_saved(void **state)
{
	uint8_t *area = from.vm->vcpu[1].xsave_area, *copy = to.vm->vcpu[1].xsave_area;
	uint32_t size = from.vm->vcpu[1].cpuid->basic[0xd].ecx;

	memset(area + 416, 0xaa, 96);
	area[528] = 0xaa;
	vm_state_write(from.vm, &host, &head, file);
	memset(area + 416, 0, 96);
	area[528] = 0;
	assert_int_equal(load(len), OK);
	for (uint32_t i = 416; i < 512; i++)
		assert_int_equal(copy[i], 0);
	assert_memory_equal(area, copy, size);
}

static void saving_again_gives_the_same_file(void **state)
{
	uint8_t *again = calloc(1, len);

	assert_int_equal(load(len), OK);
	assert_int_equal(vm_state_size(to.vm), len);
	to.vm->platform.irqchip.kicked = from.vm->platform.irqchip.kicked;
	vm_state_write(to.vm, &host, &head, again);
	assert_memory_equal(again, file, len);
	free(again);
}

/* A member of a struct that is not saved. */
struct left_out {
	const char *name;
	size_t offset, size;
};
#define OUT(type, member) \
	{ \
#member, offsetof(struct type, member), STATE_SIZE(struct type, member) \
	}

static void mark(uint8_t *marks, size_t offset, size_t size, size_t struct_size, const char *name)
{
	for (size_t i = offset; i < offset + size; i++) {
		if (i >= struct_size || marks[i])
			fail_msg("%s is there twice, or beyond the struct", name);
		marks[i] = 1;
	}
}

/* All bytes of the struct are in the table or left out, except gaps made by alignment. */
static void covers(const struct state_table *table, size_t size, const struct left_out *out)
{
	uint8_t *marks = calloc(1, size + 8);
	size_t gap = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct state_field *field = &table->fields[i];
		size_t len = (size_t)field->size * field->count;

		mark(marks, field->offset, field->is_pointer ? sizeof(void *) : len, size,
		     field->name);
	}
	for (; out->name; out++)
		mark(marks, out->offset, out->size, size, out->name);
	for (size_t i = 0; i <= size; i++) {
		bool is_gap = i < size && !marks[i];

		if (!is_gap && gap && (gap > 7 || i % (gap < 2 ? 2 : gap < 4 ? 4 : 8) != 0))
			fail_msg("%s: %zu bytes before %zu are forgotten", table->section, gap, i);
		gap = is_gap ? gap + 1 : 0;
	}
	free(marks);
}

static void no_member_is_forgotten(void **state)
{
	/* Links, the VM, what belongs to the loading machine, and what is computed. */
	static const struct left_out irqchip[] = {OUT(irqchip, n),
						  OUT(irqchip, has_legacy),
						  OUT(irqchip, intr),
						  OUT(irqchip, ioapic),
						  {0}};
	static const struct left_out none[] = {{0}};
	static const struct left_out lapic[] = {OUT(lapic, pending), OUT(lapic, extint),
						OUT(lapic, index),   OUT(lapic, phys_bits),
						OUT(lapic, id),	     {0}};
	static const struct left_out rtc[] = {OUT(rtc, tsc_hz), OUT(rtc, is_absent), {0}};
	static const struct left_out fw_cfg[] = {OUT(fw_cfg, files),
						 OUT(fw_cfg, ram_size),
						 OUT(fw_cfg, n_cpus),
						 OUT(fw_cfg, fill_random),
						 OUT(fw_cfg, machine),
						 OUT(fw_cfg, identity),
						 {0}};
	static const struct left_out nvdimm[] = {OUT(nvdimm, labels), OUT(nvdimm, n_labels), {0}};
	static const struct left_out slots[] = {OUT(memory_slots, n), OUT(memory_slots, half), {0}};
	static const struct left_out slot[] = {
		OUT(memory_slot, base), OUT(memory_slot, len), OUT(memory_slot, node), {0}};
	static const struct left_out virtio[] = {OUT(virtio, config), OUT(virtio, port), {0}};
	static const struct left_out legacy[] = {OUT(legacy, irqs), /* PIC, and a deadline */
						 OUT(legacy, pit.channel),
						 OUT(legacy, pit.tsc_hz),
						 OUT(legacy, hpet),
						 OUT(legacy, watchdog),
						 OUT(legacy, has),
						 OUT(legacy, clock_deadline),
						 {0}};
	static const struct left_out hpet[] = {OUT(hpet, tsc_hz), {0}};
	static const struct left_out watchdog[] = {OUT(acpi_watchdog, tsc_hz), {0}};
	static const struct left_out vcpu[] = {
		OUT(vcpu, regs.requests), /* of which HALT is saved */
		OUT(vcpu, regs.launched),
		OUT(vcpu, vm),
		OUT(vcpu, guest.owns_msrs),
		OUT(vcpu, ept),
		OUT(vcpu, lapic),
		OUT(vcpu, number),
		OUT(vcpu, vpid),
		OUT(vcpu, ept_generation),
		OUT(vcpu, runs),
		OUT(vcpu, has_moved_on),
		OUT(vcpu, last_cpu),
		OUT(vcpu, guest.proc_controls),
		OUT(vcpu, guest.tsc_offset), /* as the guest's TSC */
		OUT(vcpu, halted_on),
		OUT(vcpu, until), /* and ready_since */
		OUT(vcpu, stolen),
		OUT(vcpu, look_at),
		OUT(vcpu, cpuid),      /* a section of its own */
		OUT(vcpu, saved.vmcs), /* looked at below */
		OUT(vcpu, saved_in),
		OUT(vcpu, xsave_area), /* a section of its own */
		OUT(vcpu, step_pages),
		OUT(vcpu, n_steps),
		OUT(vcpu, n_reused),
		OUT(vcpu, n_pauses),
		OUT(vcpu, steps_instruction),
		OUT(vcpu, n_exits),
		OUT(vcpu, next),
		OUT(vcpu, is_ready),
		OUT(vcpu, is_halted),
		OUT(vcpu, is_paused),
		OUT(vcpu, is_aside),
		OUT(vcpu, wake),
		{0},
	};
	static const struct left_out uart[] = {OUT(uart, is_held),
					       {0}}; /* by this machine's line */
	static const struct left_out cpuid[] = {OUT(cpuid_model, cr4_allowed),
						OUT(cpuid_model, efer_allowed),
						OUT(cpuid_model, xcr0_allowed),
						OUT(cpuid_model, spec_ctrl_allowed),
						{0}};
	const struct state_table *table = state_device_tables();

	covers(&table[0], offsetof(struct irqchip, lapic), irqchip);
	covers(&table[1], sizeof(struct ioapic), none);
	covers(&table[2], sizeof(struct lapic), lapic);
	covers(&table[3], sizeof(struct uart), uart);
	covers(&table[4], sizeof(struct rtc), rtc);
	covers(&table[5], sizeof(struct pm), none);
	covers(&table[6], sizeof(struct debug_exit), none);
	covers(&table[7], sizeof(struct fw_cfg), fw_cfg);
	covers(&table[8], sizeof(struct nvdimm), nvdimm);
	covers(&table[9], sizeof(struct memory_slots), slots);
	covers(&table[10], sizeof(struct memory_slot), slot);
	covers(&table[11], sizeof(struct virtio), virtio);
	covers(&table[12], sizeof(struct pic_chip), none);
	covers(&table[13], sizeof(struct pit_channel), none);
	covers(&table[14], sizeof(struct legacy), legacy);
	covers(&table[15], sizeof(struct hpet), hpet);
	covers(&table[16], sizeof(struct acpi_watchdog), watchdog);
	covers(&state_vcpu_table, sizeof(struct vcpu), vcpu);
	covers(&state_cpuid_table, sizeof(struct cpuid_model), cpuid);
}

/* A new device must be saved, or listed here. */
static void no_device_is_forgotten(void **state)
{
	static const struct state_field members[] = {
		STATE_FIELD(struct platform, uart, 0),
		STATE_FIELD(struct platform, rtc, 0),
		STATE_FIELD(struct platform, pm, 0),
		STATE_FIELD(struct platform, debug_exit, 0),
		STATE_FIELD(struct platform, fw_cfg, 0),
	};
	static const struct state_table table = {"platform", members, ARRAY_SIZE(members)};
	static const struct left_out out[] = {
		OUT(platform, wiring), OUT(platform, control), /* new in each VM */
		OUT(platform, extras), OUT(platform, phys_bits), OUT(platform, topology), {0}};

	covers(&table, offsetof(struct platform, irqchip), out);
}

static void each_field_of_the_vmcs_is_saved_or_a_control(void **state)
{
	static const enum vmcs_field controls[] = {VMCS_ENTRY_CONTROLS, VMCS_PROC_CONTROLS,
						   VMCS_EXCEPTION_BITMAP, VMCS_TSC_OFFSET};

	assert_int_equal(state_n_vmcs_fields + ARRAY_SIZE(controls), VMCS_GUEST_FIELDS);
	for (size_t i = 0; i < VMCS_GUEST_FIELDS; i++) {
		unsigned n = 0;

		for (size_t k = 0; k < state_n_vmcs_fields; k++)
			n += state_vmcs_fields[k].field == vmcs_guest_fields[i];
		for (size_t k = 0; k < ARRAY_SIZE(controls); k++)
			n += controls[k] == vmcs_guest_fields[i];
		assert_int_equal(n, 1);
	}
}

static uint32_t add_table(uint32_t crc, const struct state_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct state_field *field = &table->fields[i];

		crc = crc32_add(crc, field->name, strlen(field->name));
		crc = crc32_add(crc, &field->count, sizeof(field->count));
		crc = crc32_add(crc, &field->size, sizeof(field->size));
	}
	return crc;
}

/*
 * Different tables are a different format: raise STATE_VERSION, and put the new number here. A
 * device that the VMs of a version could not have may come without a new one.
 */
static void the_tables_are_those_of_the_version(void **state)
{
	uint32_t crc = add_table(add_table(0, &state_cpuid_table), &state_vcpu_table);

	for (size_t i = 0; i < STATE_DEVICES; i++)
		crc = add_table(crc, &state_device_tables()[i]);
	for (size_t i = 0; i < state_n_vmcs_fields; i++)
		crc = crc32_add(crc, &state_vmcs_fields[i].field,
				sizeof(state_vmcs_fields[i].field));
	assert_int_equal(STATE_VERSION, 6);
	assert_int_equal(crc, TABLES_CRC);
}

/* Take 'n' bytes out of a section, from its end or, if 'field' is not 0, from that offset. */
static void take_out(const char *name, uint32_t number, size_t field, uint32_t n)
{
	uint8_t *head = file + STATE_HEAD_SIZE, *from;
	uint32_t head_number, size;

	for (;;) {
		memcpy(&head_number, head + STATE_NAME_SIZE, 4);
		memcpy(&size, head + STATE_NAME_SIZE + 4, 4);
		if (strcmp((const char *)head, name) == 0 && head_number == number)
			break;
		head += STATE_NAME_SIZE + 8 + size;
	}
	from = head + STATE_NAME_SIZE + 8 + (field ? field : size - n);
	size -= n;
	memcpy(head + STATE_NAME_SIZE + 4, &size, 4);
	memmove(from, from + n, (size_t)(file + len - from) - n);
	len -= n;
}

/* Bytes of the fields that a vCPU's section has had since 'first' to 'last'. */
static size_t vcpu_bytes(uint32_t first, uint32_t last)
{
	size_t bytes = 0;

	for (size_t i = 0; i < state_vcpu_table.n; i++) {
		const struct state_field *field = &state_vcpu_table.fields[i];

		if (field->since >= first && field->since <= last)
			bytes += (size_t)field->count * field->size;
	}
	return bytes;
}

/* Who wrote the file. */
static void take_out_release(void)
{
	memmove(file + STATE_HEAD_SIZE_3, file + STATE_HEAD_SIZE, len - STATE_HEAD_SIZE);
	len -= STATE_RELEASE_SIZE;
}

/* The offset of what the n-th section of this name holds. */
static size_t find_section(const char *name, unsigned number)
{
	for (size_t at = STATE_HEAD_SIZE; at < len;) {
		uint32_t n, size;

		memcpy(&n, file + at + 16, 4);
		memcpy(&size, file + at + 20, 4);
		if (strncmp((char *)file + at, name, 16) == 0 && n == number)
			return at + 24;
		at += 24 + size;
	}
	fail_msg("no section %s", name);
	return 0;
}

/* What version 6 has added: where the memory is. */
static void take_out_version_6(void)
{
	size_t at = find_section("memory", 0), n = SAVED_SECTION_SIZE;

	assert_int_equal(at, STATE_HEAD_SIZE + STATE_NAME_SIZE + 8);
	memmove(file + STATE_HEAD_SIZE, file + STATE_HEAD_SIZE + n, len - STATE_HEAD_SIZE - n);
	len -= n;
}

/* What version 5 has added: devices, which are the last ones, and what KVM's guests have. */
static void take_out_version_5(void)
{
	len = find_section("memory-slots", 0) - (STATE_NAME_SIZE + 8);
	take_out("cpuid", 0, 0, 16);
	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		take_out("vcpu", i, vcpu_bytes(0, 4), (uint32_t)vcpu_bytes(5, 5));
}

static void make_older(uint32_t version)
{
	take_out_version_6();
	take_out_version_5();
	for (unsigned i = 0; i < STATE_VM_CPUS; i++)
		take_out("vcpu", i, vcpu_bytes(0, version), (uint32_t)vcpu_bytes(version + 1, 4));
	/* After select, id and asserted: the edges that wait. */
	take_out("ioapic", 0, 9, 4);
	/* After selected, offset and dma_address: what a request has done. */
	take_out("fw_cfg", 0, 14, 4);
	take_out_release();
	file[8] = (uint8_t)version;
	seal(len);
}

/* Version 2: without IA32_TSC_ADJUST, and without edges that wait. */
static void a_file_of_the_second_version_is_loaded(void **state)
{
	const struct ioapic *saved = &from.vm->platform.irqchip.ioapic;
	struct ioapic *ioapic = &to.vm->platform.irqchip.ioapic;

	make_older(2);
	to.vm->vcpu[1].guest.tsc_adjust = 1;
	ioapic->waiting = 1;
	if (load(len) != OK)
		fail_msg("%s", why);
	assert_int_equal(to.vm->vcpu[1].guest.tsc_adjust, 0);
	assert_int_equal(ioapic->waiting, 0);
	assert_int_equal(ioapic->asserted, saved->asserted);
	assert_memory_equal(ioapic->redir, saved->redir, sizeof(saved->redir));
	assert_int_equal(to.vm->vcpu[1].regs.spec_ctrl, from.vm->vcpu[1].regs.spec_ctrl);
	file[8] = 3;
	seal(len);
	assert_int_equal(load(len), ERR_CORRUPT);
}

/* Version 1: without IA32_ARCH_CAPABILITIES and IA32_SPEC_CTRL, too. */
static void a_file_of_the_first_version_is_loaded(void **state)
{
	take_out("cpuid", 0, 0, 8);
	make_older(1);
	to.vm->vcpu[1].regs.spec_ctrl = 1;
	if (load(len) != OK)
		fail_msg("%s", why);
	assert_int_equal(to.vm->vcpu[1].regs.spec_ctrl, 0);
	assert_int_equal(to.model.arch_capabilities, 0);
	assert_int_equal(to.vm->vcpu[1].guest.xcr0, from.vm->vcpu[1].guest.xcr0);
	file[8] = 2;
	seal(len);
	assert_int_equal(load(len), ERR_CORRUPT);
}

/* Version 3: without the version of Stencil. */
static void a_file_of_the_third_version_is_loaded(void **state)
{
	char release[STATE_RELEASE_SIZE + 1];

	take_out_version_6();
	take_out_version_5();
	take_out_release();
	file[8] = 3;
	seal(len);
	if (load(len) != OK)
		fail_msg("%s", why);
	state_get_release(file, len, release);
	assert_string_equal(release, "");
	file[8] = 4;
	seal(len);
	assert_int_equal(load(len), ERR_CORRUPT);
}

/*
 * Version 4: without slots for DIMMs and virtio, which stay as they were made, and without KVM's
 * clock and stolen time.
 */
static void a_file_of_the_fourth_version_is_loaded(void **state)
{
	struct memory_slots *slots = platform_slots(&to.vm->platform);

	take_out_version_6();
	take_out_version_5();
	file[8] = 4;
	seal(len);
	memory_slots_at(slots, 0)->flags = SLOT_ENABLED;
	slots->selected = 7;
	if (load(len) != OK)
		fail_msg("%s", why);
	assert_true(memory_slots_at(slots, 0)->flags == SLOT_ENABLED && slots->selected == 7);
	assert_int_equal(to.vm->vcpu[1].guest.kvm.system_time, 0);
	assert_int_equal(to.vm->vcpu[1].guest.kvm.steal_time, 0);
	file[8] = 5;
	seal(len);
	assert_int_equal(load(len), ERR_CORRUPT);
}

/* Version 5: without a head that says where the memory is. */
static void a_file_of_the_fifth_version_is_loaded(void **state)
{
	struct saved_head read;

	assert_int_equal(saved_head_read(file, len, &read, why), OK);
	assert_true(read.id == head.id && read.size == GIB(5));
	take_out_version_6();
	file[8] = 5;
	seal(len);
	if (load(len) != OK)
		fail_msg("%s", why);
	assert_int_equal(saved_head_read(file, len, &read, why), OK);
	assert_true(read.id == 0 && read.below == 0 && !read.has_parts);
	file[8] = 6;
	seal(len);
	assert_int_equal(load(len), ERR_CORRUPT);
}

static void the_version_of_stencil_is_in_the_file(void **state)
{
	char release[STATE_RELEASE_SIZE + 1];

	state_get_release(file, len, release);
	assert_string_equal(release, "0.3.0 (abc)");
	state_get_release(file, STATE_HEAD_SIZE - 1, release);
	assert_string_equal(release, "");
	memset(file + STATE_HEAD_SIZE_3, 'x', STATE_RELEASE_SIZE);
	file[STATE_HEAD_SIZE_3] = '\033';
	state_get_release(file, len, release);
	assert_int_equal(strlen(release), STATE_RELEASE_SIZE);
	assert_int_equal(release[0], '?');
	host.release = "a version with a name that is longer than the 48 bytes for it";
	vm_state_write(from.vm, &host, &head, file);
	assert_int_equal(load(len), OK);
	state_get_release(file, len, release);
	assert_int_equal(strncmp(release, host.release, STATE_RELEASE_SIZE), 0);
}

static void a_head_that_is_incomplete_is_refused(void **state)
{
	seal(STATE_HEAD_SIZE - 1);
	assert_int_equal(load(STATE_HEAD_SIZE - 1), ERR_CORRUPT);
	assert_string_equal(why, "is too short: it has 71 bytes");
}

static void each_length_that_is_too_short_is_refused(void **state)
{
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(load(n), OK);
	assert_non_null(strstr(why, "is cut off: it has"));
}

static void what_is_cut_off_and_sealed_is_refused_too(void **state)
{
	for (size_t n = STATE_HEAD_SIZE; n < len; n++) {
		seal(n);
		assert_int_not_equal(load(n), OK);
	}
}

static void each_byte_that_is_changed_is_noticed(void **state)
{
	for (size_t i = 0; i < len; i++) {
		file[i] ^= 0x10;
		assert_int_not_equal(load(len), OK);
		file[i] ^= 0x10;
	}
	assert_int_equal(load(len), OK);
}

/* Any bytes may have a right checksum. The sanitizers find what they would break. */
static void each_byte_that_is_changed_and_sealed_is_harmless(void **state)
{
	unsigned n_refused = 0;

	for (size_t i = STATE_HEAD_SIZE; i < len; i++) {
		uint8_t was = file[i];

		file[i] = was ^ (uint8_t)(1 << i % 8);
		seal(len);
		n_refused += load(len) != OK;
		file[i] = was;
	}
	assert_in_range(n_refused, 500, len - 1000);
}

static void the_head_is_looked_at(void **state)
{
	file[0] = 's';
	refused("is not a file of a VM's state");
	file[0] = 'S';
	file[8] = 7;
	refused("has version 7 of the format (Stencil 0.3.0 (abc)), only 1 to 6 are supported");
	file[8] = 0;
	refused("has version 0 of the format, only 1 to 6 are supported");
	file[8] = 6;
	file[16]--;
	refused("has 1 bytes after its end");
	file[16]++;
	file[len - 1] ^= 1;
	refused("is damaged: its checksum is ");
}

static size_t find_field(const struct state_table *table, const char *name)
{
	size_t offset = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (strcmp(table->fields[i].name, name) == 0)
			return offset;
		offset += (size_t)table->fields[i].count * table->fields[i].size;
	}
	fail_msg("no field %s", name);
	return 0;
}

static void change(size_t at, uint64_t value, size_t size, const char *text)
{
	uint64_t was = 0;

	memcpy(&was, file + at, size);
	memcpy(file + at, &value, size);
	seal(len);
	refused(text);
	memcpy(file + at, &was, size);
	seal(len);
	assert_int_equal(load(len), OK);
}

static void sections_are_where_they_belong(void **state)
{
	size_t uart = find_section("uart", 0);

	change(uart - 24, 'x', 1, "section 'uart' 0: is not where it should be");
	change(find_section("lapic", 1) - 8, 7, 4, "section 'lapic' 1: is not where it should be");
	change(uart - 4, 1, 4, "section 'uart' 0: is too short");
	change(uart - 4, UINT32_MAX, 4, "section 'uart' 0: is longer than the file");
	change(uart - 4, len - uart, 4, "section 'uart' 0: ");
	len += 5;
	seal(len);
	refused("section 'acpi-watchdog' 0: 5 unknown bytes follow");
}

/* Every bit that a field must not have, one at a time. */
static void a_head_that_is_impossible_is_refused(void **state)
{
	size_t at = find_section("memory", 0), name = at + 16, parts = name + SAVED_NAME_SIZE + 8;
	struct saved_head read;
	char text[STATE_WHY_MAX];

	change(at, 0, 8, "section 'memory' 0: has an impossible value");
	change(parts, 2, 8, "section 'memory' 0: has an impossible value");
	change(name, '\033', 1, "section 'memory' 0: has an impossible value");
	change(name, 0x7f, 1, "section 'memory' 0: has an impossible value");
	change(name + SAVED_NAME_SIZE - 1, 'x', 1, "section 'memory' 0: has an impossible value");
	change(at + 8, 1, 8, "section 'memory' 0: lacks the pages that have changed");
	file[at + 8] = file[parts] = 1;
	memcpy(file + name, "t-0", 3);
	seal(len);
	assert_int_equal(saved_head_read(file, len, &read, text), OK);
	assert_true(read.below == 1 && read.has_parts && strcmp(read.template, "t-0") == 0);
	file[0] = 'x';
	assert_int_equal(saved_head_read(file, len, &read, text), ERR_CORRUPT);
	assert_string_equal(text, "is not a file of a VM's state");
}

static void bits_that_cannot_be_are_refused(void **state)
{
	for (size_t t = 0; t < STATE_DEVICES; t++) {
		const struct state_table *table = &state_device_tables()[t];
		size_t at = find_section(table->section, 0);

		for (size_t i = 0; i < table->n; i++) {
			const struct state_field *field = &table->fields[i];

			for (unsigned bit = 0; bit < 8 * field->size; bit++)
				if (!(field->allowed & BIT(bit)))
					change(at, BIT(bit), field->size, field->name);
			at += (size_t)field->count * field->size;
		}
	}
}

static void devices_are_possible(void **state)
{
	const struct state_table *table = state_device_tables();
	size_t lapic = find_section("lapic", 1), rtc = find_section("rtc", 0);
	size_t timer = lapic + find_field(&table[2], "lvt[LVT_TIMER]");
	size_t deadline = lapic + find_field(&table[2], "deadline");
	size_t pit = find_section("pit", 2);

	change(find_section("irqchip", 0), STATE_VM_CPUS, 4, "next_lowest cannot be 2");
	change(lapic + find_field(&table[2], "base"), 0xfee00000 | APIC_BASE_EXTD, 8,
	       "is an x2APIC but disabled");
	change(lapic + find_field(&table[2], "base"), BIT(51), 8, "is at an impossible address");
	change(lapic + find_field(&table[2], "nmis_pending"), 3, 1, "cannot hold 3 NMIs");
	change(lapic + find_field(&table[2], "irr"), BIT(15), 8, "has an illegal vector");
	change(find_section("uart", 0) + find_field(&table[3], "rx_count"), 17, 1,
	       "rx_count cannot be 17");
	change(rtc + find_field(&table[4], "base_time"), INT64_MAX, 8, "base_time cannot be");
	change(rtc + find_field(&table[4], "base_time"), (uint64_t)INT64_MIN, 8,
	       "base_time cannot be");
	change(pit + find_field(&table[13], "count"), 0x1ffff, 4, "cannot count 131071");
	change(pit + find_field(&table[13], "count"), 0, 4, "cannot count 0");
	change(pit + find_field(&table[13], "mode"), 6, 1, "has an impossible mode");
	change(pit + find_field(&table[13], "access"), 0, 1, "has an impossible mode");
	memset(file + lapic + find_field(&table[2], "timer_initial"), 0, 4);
	memcpy(file + timer, &(uint32_t){0x20020}, 4);
	memset(file + deadline, 0, 8);
	seal(len);
	refused("has a timer without a period");
}

static size_t vmcs_offset(enum vmcs_field field)
{
	size_t at = 0;

	for (size_t i = 0; i < state_vcpu_table.n; i++)
		at += (size_t)state_vcpu_table.fields[i].count * state_vcpu_table.fields[i].size;
	for (size_t i = 0; state_vmcs_fields[i].field != field; i++)
		at += 8;
	return at;
}

/* What a processor would refuse, or would harm the host. */
static void processors_are_possible(void **state)
{
	size_t vcpu = find_section("vcpu", 1), xsave = find_section("xsave", 1);
	size_t msr = vcpu + find_field(&state_vcpu_table, "saved.switched_msr");

	for (unsigned i = 1; i < N_SWITCHED; i++)
		change(msr + 8 * i, BIT(47), 8, "has an impossible MSR value");
	change(vcpu + find_field(&state_vcpu_table, "guest.msrs.mtrr_fixed"), 2, 8,
	       "has an impossible MSR value");
	change(vcpu + find_field(&state_vcpu_table, "guest.msrs.misc_enable"), BIT(63), 8,
	       "has an impossible MSR value");
	change(vcpu + find_field(&state_vcpu_table, "guest.kvm.steal_time"), BIT(2), 8,
	       "has an impossible MSR value");
	change(vcpu + find_field(&state_vcpu_table, "saved.dr6"), BIT(32), 8,
	       "saved.dr6 cannot be");
	change(vcpu + find_field(&state_vcpu_table, "guest.xcr0"), 4, 8, "XCR0 cannot be 0x4");
	change(vcpu + find_field(&state_vcpu_table, "guest.xcr0"), 0x207, 8,
	       "XCR0 cannot be 0x207");
	change(vcpu + vmcs_offset(VMCS_GUEST_CR4), CR4_SMXE, 8, "CR4 cannot be 0x4000");
	change(vcpu + vmcs_offset(VMCS_GUEST_EFER), BIT(14), 8, "EFER cannot be 0x4000");
	change(vcpu + vmcs_offset(VMCS_GUEST_CR0), CR0_CD, 8, "VMCS field 0x6800 cannot be");
	change(vcpu + vmcs_offset(VMCS_GUEST_ACTIVITY), 3, 8, "VMCS field 0x4826 cannot be 0x3");
	change(vcpu + vmcs_offset(VMCS_GUEST_DEBUGCTL), 1, 8, "VMCS field 0x2802 cannot be 0x1");
	change(vcpu + vmcs_offset(VMCS_GUEST_ACTIVITY) + 16, 2, 8, "cannot be halted 2 times");
	change(xsave + 512, BIT(9), 8, "cannot hold components 0x200");
	for (unsigned i = 520; i < 576; i++)
		change(xsave + i, 1, 1, "is not in the standard format");
	change(xsave + 24, 0x10000, 4, "MXCSR cannot be 0x10000");
}

/* SDM vol. 3, "VM-Entry Control Fields". */
static void only_events_that_can_be_delivered_are_taken(void **state)
{
	size_t vcpu = find_section("vcpu", 0);
	size_t event = vcpu + find_field(&state_vcpu_table, "guest.event");
	uint64_t errors = BIT(8) | BITS(14, 10) | BIT(17);

	for (unsigned has_pe = 0; has_pe < 2; has_pe++) {
		for (uint64_t low = 0; low < BIT(13); low++) {
			uint64_t info = INTR_VALID | low;
			unsigned type = low >> 8 & 7, vector = low & 0xff;
			bool has_error = low & INTR_HAS_ERROR_CODE;
			bool good = !(low & BIT(12)) && type != 1 && type != 7 &&
				    (type != 2 || vector == 2) && (type != 3 || vector < 32) &&
				    has_error == (type == 3 && has_pe && vector < 32 &&
						  (errors >> vector & 1));

			memcpy(file + vcpu + vmcs_offset(VMCS_GUEST_CR0), &(uint64_t){has_pe}, 8);
			memcpy(file + event, &info, 8);
			memset(file + event + 8, 0, 4);
			seal(len);
			assert_int_equal(load(len) == OK, good);
		}
	}
	memcpy(file + event, &(uint64_t){INTR_VALID | INTR_TYPE_EXTERNAL | 0x20}, 8);
	change(event, 0x123, 8, "has an impossible event");
	memcpy(file + event, &(uint64_t){INTR_VALID | INTR_TYPE_HARDWARE | 6}, 8);
	change(event + 8, INT16_MAX + 1, 4, "has an impossible event"); /* error code */
	memcpy(file + event, &(uint64_t){INTR_VALID | INTR_TYPE_SOFTWARE | 0x20}, 8);
	change(event + 12, 0, 4, "has an impossible event"); /* no length */
}

static void a_fresh_processor_has_nothing_yet(void **state)
{
	size_t vcpu = find_section("vcpu", 1);
	size_t fresh = vcpu + find_field(&state_vcpu_table, "guest.is_fresh");
	size_t waits = vcpu + find_field(&state_vcpu_table, "guest.waits_for_sipi");

	file[waits] = 0;
	change(fresh, 1, 1, "runs without a SIPI");
	file[waits] = file[fresh] = 1;
	memset(file + vcpu + find_field(&state_vcpu_table, "guest.msrs.misc_enable"), 0, 8);
	seal(len);
	assert_int_equal(load(len), OK);
}

static void clocks_go_on(void **state)
{
	int64_t time = from.vm->platform.rtc.base_time;

	host.unix_ns += 3000500000000; /* 3000.5 seconds */
	host.now = 77;
	assert_int_equal(load(len), OK);
	assert_int_equal(host.now + to.vm->vcpu->guest.tsc_offset,
			 1000 + from.vm->vcpu->guest.tsc_offset + 3000500000000);
	assert_int_equal(rtc_time(&to.vm->platform.rtc, 77 + to.vm->vcpu->guest.tsc_offset),
			 time + 3000);
	assert_int_equal(to.vm->platform.rtc.tsc_hz, HZ);
}

static void a_clock_that_is_behind_holds_nothing_up(void **state)
{
	host.unix_ns -= 5000000000;
	assert_int_equal(load(len), OK);
	assert_int_equal(to.vm->vcpu->guest.tsc_offset, from.vm->vcpu->guest.tsc_offset);
}

/* Neither of the two may know what time it is. */
static void without_a_clock_the_guests_stands_still(void **state)
{
	memset(file + find_section("clock", 0) + 8, 0, 8);
	seal(len);
	assert_int_equal(load(len), OK);
	assert_int_equal(to.vm->vcpu->guest.tsc_offset, from.vm->vcpu->guest.tsc_offset);
	host.unix_ns = 0;
	assert_int_equal(load(len), OK);
	assert_int_equal(to.vm->vcpu->guest.tsc_offset, from.vm->vcpu->guest.tsc_offset);
}

static void another_frequency_is_refused(void **state)
{
	host.tsc_hz = HZ + HZ / 200;
	to.vm->platform.rtc.tsc_hz = host.tsc_hz;
	host.unix_ns += 1000000000;
	assert_int_equal(load(len), OK);
	assert_int_equal(to.vm->vcpu->guest.tsc_offset,
			 from.vm->vcpu->guest.tsc_offset + host.tsc_hz);
	assert_int_equal(to.vm->platform.rtc.tsc_hz, host.tsc_hz);
	host.tsc_hz = HZ + HZ / 50;
	refused("was saved with a TSC of 1000000 kHz; this machine's has 1020000 kHz");
	host.tsc_hz = HZ;
	change(find_section("clock", 0), 0, 8, "the TSC's frequency is 0");
}

/* With the TSC's new frequency, and the ticks of the old one behind it. */
static void the_clock_of_kvm_continues(void **state)
{
	uint64_t tsc = host.now + from.vm->vcpu->guest.tsc_offset - from.vm->vcpu->guest.tsc_adjust;
	const struct kvm_msrs *msrs = &to.vm->vcpu[1].guest.kvm;

	assert_int_equal(load(len), OK);
	assert_int_equal(to.model.clock_tsc, 0);
	assert_false(msrs->system_time & KVM_CLOCK_IS_BEHIND);
	host.tsc_hz = HZ + HZ / 200;
	to.vm->platform.rtc.tsc_hz = host.tsc_hz;
	assert_int_equal(load(len), OK);
	assert_int_equal(to.model.clock_tsc, tsc);
	assert_int_equal(to.model.clock_ns, tsc & BITS(62, 0)); /* a tick was a nanosecond */
	assert_true(msrs->system_time & KVM_CLOCK_IS_BEHIND);
	assert_true(msrs->system_time & KVM_MSR_ENABLED);
}

static void what_cpu_hides_is_compared(void **state)
{
	to.config.kvmclock_is_off = true;
	refused("is of a VM with '-m 16384k', where this one has '-cpu host,kvmclock=off'");
	to.config.kvmclock_is_off = false;
	to.config.steal_time_is_off = true;
	refused("where this one has '-cpu host,kvm-steal-time=off'");
	to.config.steal_time_is_off = false;
	to.config.kvm_is_off = true;
	refused("where this one has '-cpu host,kvm=off'");
	to.config.kvm_is_off = false;
	host_cpuid.kvm[1].eax = 0;
	refused("needs a processor with 'kvmclock'");
}

static void other_ports_are_refused(void **state)
{
	static const struct virtio_console_config console = {
		.base = {.kind = &virtio_console},
		.n_ports = 2,
		.port = {{.is_there = true, .is_console = true},
			 {.is_there = true, .name = "agent"}},
	};
	struct virtio_console_config other = console;

	from.config.virtio = &console.base;
	to.config.virtio = &other.base;
	free(file);
	len = vm_state_size(from.vm);
	file = calloc(1, len + 64);
	vm_state_write(from.vm, &host, &head, file);
	other.port[0].is_there = false;
	refused("is of a VM with '-device virtconsole,nr=0,name=', where this one has '-device "
		"virtserialport,nr=1,name=agent'");
	other.port[0].is_there = true;
	other.port[1].name = NULL;
	refused("where this one has '-device virtserialport,nr=1,name='");
	other.port[1].name = "agent";
	assert_int_equal(load(len), OK);
}

static void another_machine_is_refused(void **state)
{
	struct virtio_blk_config disk = {.n_sectors = 8};
	struct drive_config drive = {.backend.id = "d", .readonly = true, .device = &disk};

	to.config.ram_size = MIB(32);
	refused("is of a VM with '-m 16384k', where this one has '-m 32768k'");
	to.config.ram_size = MIB(16);
	to.config.topology.n_cpus = 4;
	refused("is of a VM with '-smp 2,sockets=1,dies=1,modules=1,cores=1,threads=2', where this "
		"one has '-smp 4,");
	to.config.topology.n_cpus = 2;
	to.map.region[0].len = MIB(8);
	refused("is of a VM with 'memory ram of 16777216 bytes at 0x0', where this one has 'memory "
		"ram of 8388608 bytes at 0x0'");
	to.map.region[0].len = MIB(16);
	to.ram.id = "other";
	refused("where this one has 'memory other of");
	to.ram.id = "ram";
	to.map.region[0].kind = MEM_SHARED; /* where it comes from does not matter */
	assert_int_equal(load(len), OK);
	to.map.region[0].kind = MEM_ROM;
	refused("where this one has 'ROM ram of");
	to.map.region[0].kind = MEM_COW;
	to.config.has_vmgenid = false;
	refused("is of a VM with '-device vmgenid', where this one has '-device isa-debug-exit");
	to.config.has_vmgenid = true;
	to.config.pvpanic_events = 1;
	refused("is of a VM with '-device pvpanic,events=3', where this one has '-device "
		"pvpanic,events=1'");
	to.config.pvpanic_events = 3;
	to.config.has_pvpanic = false;
	refused("is of a VM with '-device pvpanic,events=3', where this one has '-device acpi-wat");
	to.config.has_pvpanic = true;
	to.config.has_watchdog = false;
	refused("is of a VM with '-device acpi-watchdog', where this one has '-device virtio");
	to.config.has_watchdog = true;
	to.config.virtio = NULL;
	refused("is of a VM with '-device virtio-rng-device', where this one has '-machine "
		"pic=on'");
	to.config.virtio = &state_virtio;
	to.config.drives = &drive;
	refused("where this one has 'drive d of 8 sectors, read-only'");
	to.config.drives = NULL;
	to.config.has_pit = false;
	refused("is of a VM with '-machine pit=on', where this one has '-machine hpet=on'");
	to.config.has_pit = true;
	to.config.has_hpet = false;
	refused("is of a VM with '-machine hpet=on', where this one has '-machine pm-timer=on'");
	to.config.has_hpet = true;
	to.config.has_pm_timer = false;
	refused("is of a VM with '-machine pm-timer=on', where this one has '-fw_cfg ");
	to.config.has_pm_timer = true;
	to.config.has_pic = false;
	refused("is of a VM with '-machine pic=on', where this one has '-machine pit=on'");
	to.config.has_pic = true;
	to.config.no_rtc = true;
	refused("is of a VM with '-fw_cfg name=opt/x of 4 bytes', where this one has '-machine "
		"rtc=off'");
	to.config.no_rtc = false;
	to.config.has_debugcon = false;
	refused("is of a VM with '-device isa-debugcon,iobase=0xe9', where this one has '-device "
		"pvpanic");
	to.config.has_debugcon = true;
	to.config.has_debug_exit = false;
	refused("is of a VM with '-device isa-debug-exit,iobase=0xf4,iosize=0x4', where this one "
		"has '-device isa-debugcon");
	to.config.has_debug_exit = true;
	to.dimm.is_nvdimm = false;
	refused("is of a VM with '-device nvdimm,slot=0', where this one has '-device "
		"pc-dimm,slot=0'");
	to.dimm.is_nvdimm = true;
	to.fw_cfg.file.len = 5;
	refused("is of a VM with '-fw_cfg name=opt/x of 4 bytes', where this one has");
	to.config.fw_cfg = NULL;
	refused("is of a VM with '-fw_cfg name=opt/x of 4 bytes', which this one lacks");
	to.config.fw_cfg = &to.fw_cfg;
	to.fw_cfg.file.len = 4;
	to.fw_cfg.next = &(struct fw_cfg_config){.file = {.name = "opt/y", .len = 1}};
	refused("is of a VM without '-fw_cfg name=opt/y of 1 bytes'");
}

static void what_a_file_says_is_shown_with_care(void **state)
{
	size_t machine = find_section("machine", 0);

	file[machine + 1] = 27;
	file[machine + 2] = 0;
	file[machine + 3] = 127;
	file[machine + 4] = 0xe4;
	seal(len);
	refused("is of a VM with '-????2,");
	memset(file + machine, 'x', find_section("cpuid", 0) - 24 - machine);
	seal(len);
	refused("xxxxxxxx', where this one has '-smp");
	assert_true(strlen(why) < sizeof(why));
}

static void a_feature_that_is_missing_is_named(void **state)
{
	host_cpuid.basic[7].ebx &= ~(uint32_t)BIT(5);
	refused("needs a processor with 'avx2', which this one has not");
	host_cpuid = *state_host_cpuid();
	host_cpuid.extended[8].eax--;
	refused("needs a processor with physical addresses of 46 bits, this one has 45");
	host_cpuid = *state_host_cpuid();
	change(find_section("cpuid", 0) + find_field(&state_cpuid_table, "n_sub"), 81, 8,
	       "has a processor with too many leaves");
}

/* Features that the saving processor lacked stay hidden from the guest. */
static void a_better_processor_is_as_good(void **state)
{
	free(file);
	state_vm_free(&from);
	host_cpuid.basic[7].ebx &= ~(uint32_t)BIT(20); /* no SMAP */
	cpuid_model_derive(&host_cpuid);
	state_vm_make(&from, &host_cpuid);
	state_vm_fill(&from);
	len = vm_state_size(from.vm);
	file = calloc(1, len + 64);
	vm_state_write(from.vm, &host, &head, file);
	host.cpuid = state_host_cpuid();
	assert_int_equal(load(len), OK);
	assert_int_equal(to.model.basic[7].ebx & BIT(20), 0);
	assert_int_equal(to.model.cr4_allowed & CR4_SMAP, 0);
	assert_int_equal(to.vm->platform.irqchip.lapic[1].phys_bits, 46);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_is_loaded),
		TEST(bytes_that_xsave_leaves_are_not_saved),
		TEST(saving_again_gives_the_same_file),
		TEST(no_member_is_forgotten),
		TEST(no_device_is_forgotten),
		TEST(each_field_of_the_vmcs_is_saved_or_a_control),
		TEST(the_tables_are_those_of_the_version),
		TEST(a_file_of_the_first_version_is_loaded),
		TEST(a_file_of_the_second_version_is_loaded),
		TEST(a_file_of_the_third_version_is_loaded),
		TEST(a_file_of_the_fourth_version_is_loaded),
		TEST(a_file_of_the_fifth_version_is_loaded),
		TEST(the_version_of_stencil_is_in_the_file),
		TEST(a_head_that_is_incomplete_is_refused),
		TEST(each_length_that_is_too_short_is_refused),
		TEST(what_is_cut_off_and_sealed_is_refused_too),
		TEST(each_byte_that_is_changed_is_noticed),
		TEST(each_byte_that_is_changed_and_sealed_is_harmless),
		TEST(the_head_is_looked_at),
		TEST(sections_are_where_they_belong),
		TEST(a_head_that_is_impossible_is_refused),
		TEST(bits_that_cannot_be_are_refused),
		TEST(devices_are_possible),
		TEST(processors_are_possible),
		TEST(only_events_that_can_be_delivered_are_taken),
		TEST(a_fresh_processor_has_nothing_yet),
		TEST(clocks_go_on),
		TEST(a_clock_that_is_behind_holds_nothing_up),
		TEST(without_a_clock_the_guests_stands_still),
		TEST(another_frequency_is_refused),
		TEST(the_clock_of_kvm_continues),
		TEST(what_cpu_hides_is_compared),
		TEST(other_ports_are_refused),
		TEST(another_machine_is_refused),
		TEST(what_a_file_says_is_shown_with_care),
		TEST(a_feature_that_is_missing_is_named),
		TEST(a_better_processor_is_as_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
