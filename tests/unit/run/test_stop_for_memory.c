/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that are executed in place of the processor, while there is no memory: the VM stops
 * before the instruction has had an effect. On the array of tests/unit/run/vmcs/ in place of a
 * VMCS.
 */
#include "hv/run/access.c"
#include "hv/run/emulate.c"
#include "hv/run/exit_ept.c"
#include "hv/run/stop_for_memory.c"

#include "tests/unit/ept_freeze.h"
#include "tests/unit/guest_regions.h"
#include "tests/unit/support.h"

#include <asm/prctl.h>

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

#define DEVICE	    GIB(3)
#define CODE	    RAM
#define TABLES	    (RAM + MIB(1)) /* levels 0 to 3 */
#define TO	    (RAM + KIB(1536))
#define RIGHTS_READ (QUAL_HAS_LINEAR | QUAL_TRANSLATED | ACCESS_READ)

uint64_t test_vmcs[TEST_VMCS_FIELDS];
struct vcpu_shared vcpu_shared;

static struct cpu cpu = {.self = &cpu};
static struct vm_config config;
static struct vm vm = {.config = &config};
static struct vcpu vcpu = {.vm = &vm, .ept = &vm.ept};
static bool has_paging;
static unsigned n_reads, n_crashes, n_pauses, n_ends, n_notes;
static char why[160];

uint64_t platform_mmio_read(struct platform *platform, unsigned number, struct io_access *access)
{
	assert_in_range(access->addr, DEVICE, DEVICE + PAGE_SIZE - 1);
	n_reads++;
	return UINT64_C(0x1122334455667788);
}

uint32_t platform_mmio_write(struct platform *platform, unsigned number, struct io_access *access)
{
	return 0;
}

void wish_grant(struct vcpu *wisher, uint32_t wish)
{
}

void vm_kick_receivers(struct vm *kicked)
{
}

uint64_t vcpu_now(const struct vcpu *reader)
{
	return 0;
}

void vcpu_owe_single_step(void)
{
}

void vcpu_distrust(struct vcpu *late)
{
}

enum status vm_identity_show(struct vm *of)
{
	return ERR_NOMEM;
}

void vcpu_inject_exception(struct vcpu *into, unsigned vector)
{
	fail();
}

void vcpu_inject_exception_error(struct vcpu *into, unsigned vector, uint32_t error)
{
	fail();
}

void vcpu_reinject_vectored(struct vcpu *into)
{
	fail();
}

void step_deliver(struct vcpu *stepping)
{
	fail();
}

void step_end(struct vcpu *stepping)
{
	fail();
}

/* No instruction here needs a step: what it writes to the device would be lost. */
enum status step_over_hole(struct vcpu *stepping, gpa_t gpa, uint32_t value)
{
	fail();
	return OK;
}

enum status step_over_rom(struct vcpu *stepping, gpa_t gpa, uint64_t entry, unsigned level)
{
	fail();
	return OK;
}

bool sync_stop_others(struct vcpu *only)
{
	return true;
}

void sync_let_others_go(struct vcpu *only)
{
}

void vm_tell(struct vm *of, enum vm_told what, enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format_v(why, sizeof(why), fmt, args);
	va_end(args);
}

void vcpu_read_paging(struct guest_memory *from, struct guest_paging *ret)
{
	*ret = (struct guest_paging){.memory = from, .efer = 0xd00}; /* NXE, LMA, LME */
	if (has_paging) {
		ret->cr0 = UINT64_C(0x80010001); /* PG, WP, PE */
		ret->cr3 = TABLES + 3 * PAGE_SIZE;
		ret->cr4 = 0x20;
	}
}

bool vm_crash(struct vm *crashed, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format_v(why, sizeof(why), fmt, args);
	va_end(args);
	n_crashes++;
	return true;
}

bool vm_end(struct vm *ended, enum vm_outcome outcome, const char *fmt, ...)
{
	va_list args;

	assert_int_equal(outcome, VM_FAILED);
	va_start(args, fmt);
	format_v(why, sizeof(why), fmt, args);
	va_end(args);
	n_ends++;
	return n_ends == 1;
}

void map_note_memory(struct vm *clone)
{
	n_notes++;
}

void vm_pause(struct vm *paused, bool on)
{
	assert_true(on);
	assert_ptr_equal(paused, &vm);
	n_pauses++;
	vcpu.is_paused = true;
}

static void put(uint64_t gpa, const void *bytes, size_t n)
{
	assert_int_equal(guest_write(&vm.memory, at(gpa), bytes, n), OK);
}

/* The guest's own page, or another's: its tables map all of RAM, and the device, at their place. */
static void build_tables(void)
{
	for (unsigned level = 1; level < 4; level++) {
		uint64_t entry = (TABLES + (level - 1) * PAGE_SIZE) | 7;

		put(TABLES + level * PAGE_SIZE + 8 * (RAM >> (12 + 9 * level) & 511), &entry, 8);
	}
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t entry = (RAM + i * PAGE_SIZE) | 0x27;

		put(TABLES + 8 * i, &entry, 8);
	}
}

static uint64_t word_at(uint64_t gpa)
{
	uint64_t word;

	assert_int_equal(guest_read(&vm.memory, at(gpa), &word, 8), OK);
	return word;
}

/* What was written before is the VM's own; from now on it gets no frame. */
static void fill_up(void)
{
	vm.ept.max_owned = vm.ept.n_owned;
}

static int setup_vm(void **state)
{
	setup(state);
	vm.ept = ept;
	vm.memory = (struct guest_memory){.ept = &vm.ept, .map = &map};
	vm.mem = &map;
	vm.n_vcpus = 1;
	vm.vcpu = &vcpu;
	vcpu = (struct vcpu){.vm = &vm, .ept = &vm.ept};
	config.pauses_when_full = true;
	has_paging = false;
	n_reads = n_crashes = n_pauses = n_ends = n_notes = 0;
	vm.platform.job_port.is_there = false;
	cpu.n_loads++;
	test_vmcs[VMCS_GUEST_RIP] = CODE;
	test_vmcs[VMCS_GUEST_RFLAGS] = 2;
	test_vmcs[VMCS_GUEST_CS_AR] = BIT(13); /* 64-bit code */
	test_vmcs[VMCS_EXIT_QUAL] = RIGHTS_READ;
	test_vmcs[VMCS_GUEST_LINEAR_ADDR] = DEVICE;
	test_vmcs[VMCS_GUEST_PHYS_ADDR] = DEVICE;
	why[0] = '\0';
	return 0;
}

static int teardown_vm(void **state)
{
	vm.ept.max_owned = EPT_UNLIMITED;
	ept = vm.ept;
	return teardown(state);
}

/* movsq, from the device to a page of memory that is not the VM's own. */
static void begin_movs(void)
{
	put(CODE, "\x48\xa5", 2);
	vcpu.regs.gpr[RSI] = DEVICE;
	vcpu.regs.gpr[RDI] = TO;
	fill_up();
}

static void a_device_is_not_read_for_a_page_without_frame(void **state)
{
	begin_movs();
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 1);
	assert_int_equal(n_crashes, 0);
	assert_int_equal(n_reads, 0);
	assert_int_equal(test_vmcs[VMCS_GUEST_RIP], CODE);
	assert_int_equal(vcpu.regs.gpr[RSI], DEVICE);
	assert_int_equal(word_at(TO), 0);
	assert_non_null(strstr(why, "at 0x380000; "));

	/* With a frame, the instruction is executed: once. */
	vm.ept.max_owned = EPT_UNLIMITED;
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_reads, 1);
	assert_int_equal(word_at(TO), 0x1122334455667788);
	assert_int_equal(test_vmcs[VMCS_GUEST_RIP], CODE + 2);
	assert_int_equal(vcpu.regs.gpr[RDI], TO + 8);
	assert_int_equal(n_pauses, 1);
}

/* The second half has no frame: nothing is written to the first. */
static void half_an_operand_is_not_written(void **state)
{
	begin_movs();
	vm.ept.max_owned = EPT_UNLIMITED;
	put(TO + PAGE_SIZE - 1, "x", 1);
	vcpu.regs.gpr[RDI] = TO + PAGE_SIZE - 4;
	fill_up();
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 1);
	assert_int_equal(n_reads, 0);
	assert_int_equal(word_at(TO + PAGE_SIZE - 8), (uint64_t)'x' << 56);
	assert_non_null(strstr(why, "at 0x381000; "));
}

/* Whatever -on-full says. Another reason may have come first. */
static void a_job_does_not_wait(void **state)
{
	vm.platform.job_port.is_there = true;
	begin_movs();
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 0);
	assert_int_equal(n_crashes, 0);
	assert_int_equal(n_ends, 2);
	assert_int_equal(n_notes, 1);
	assert_string_equal(why, "its max-private is used up");
}

static void a_vm_that_does_not_wait_ends(void **state)
{
	config.pauses_when_full = false;
	begin_movs();
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 0);
	assert_int_equal(n_crashes, 1);
	assert_int_equal(n_reads, 0);
	assert_string_equal(why, "its max-private is used up, at 0x380000");
}

/* The machine has no frame, although the VM may have more: others can make room for it. */
static void a_machine_without_memory_is_told_apart(void **state)
{
	phys_t frame, frames = 0;

	begin_movs();
	vm.ept.max_owned = EPT_UNLIMITED;
	while ((frame = frame_alloc()) != 0) {
		*(phys_t *)phys_to_virt(frame) = frames;
		frames = frame;
	}
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 1);
	assert_string_equal(why, "paused: no memory left for private pages, at 0x380000; "
				 "'destroy' a VM, then 'cont' this one");
	config.pauses_when_full = false;
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_crashes, 1);
	assert_string_equal(why, "no memory left for private pages, at 0x380000");
	assert_int_equal(n_reads, 0);
	while (frames != 0) {
		frame = frames;
		frames = *(phys_t *)phys_to_virt(frame);
		frame_free(frame);
	}
}

static void a_vcpu_that_has_not_run_stops_alike(void **state)
{
	begin_movs();
	stop_for_registers(&vcpu);
	assert_int_equal(n_pauses, 1);
	assert_string_equal(why, "paused: no memory left for the registers of a vCPU; "
				 "'destroy' a VM, then 'cont' this one");
	config.pauses_when_full = false;
	stop_for_registers(&vcpu);
	assert_int_equal(n_crashes, 1);
	assert_string_equal(why, "no memory left for the registers of a vCPU");
	vm.platform.job_port.is_there = true;
	stop_for_registers(&vcpu);
	vm.platform.job_port.is_there = false;
	assert_int_equal(n_ends, 1);
	assert_int_equal(n_notes, 1);
	assert_string_equal(why, "no memory left for the registers of a vCPU");
}

/* Two vCPUs need a page at the same time: the operator reads one line. */
static void a_vm_that_is_paused_is_not_told_again(void **state)
{
	begin_movs();
	vcpu.is_paused = true;
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 0);
	assert_int_equal(n_crashes, 0);
	assert_string_equal(why, "");
}

/* The page was merged after operand_find(). */
static void a_page_that_was_merged_is_waited_for(void **state)
{
	struct operand operand = {.n_parts = 1, .part[0] = {at(TO), 8, true}};
	struct access_value value = {{5}};

	fill_up();
	assert_false(access_write(&vcpu, &operand, &value));
	assert_int_equal(n_pauses, 1);
	assert_int_equal(n_crashes, 0);
	vm.ept.max_owned = EPT_UNLIMITED;
	assert_true(access_write(&vcpu, &operand, &value));
	assert_int_equal(word_at(TO), 5);
}

/* The tables belong to a layer: accessed flags need a copy. */
static void freeze(struct ept_layer **ret)
{
	assert_int_equal(freeze_tree(&vm.ept, ret), OK);
	fill_up();
}

static void accessed_flags_of_code_are_waited_for(void **state)
{
	struct ept_layer *layer;

	has_paging = true;
	build_tables();
	begin_movs();
	vm.ept.max_owned = EPT_UNLIMITED;
	freeze(&layer);
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_pauses, 1);
	assert_int_equal(n_crashes, 0);
	vm.ept.max_owned = EPT_UNLIMITED;
	assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
	assert_int_equal(n_reads, 1);
	assert_int_equal(word_at(TO), 0x1122334455667788);
	ept_layer_put(layer);
}

/* The instruction continues in a page whose entry cannot get its flag, or ends before that page. */
static void code_in_the_next_page_is_waited_for_if_it_is_needed(void **state)
{
	static const struct {
		uint64_t start;
		bool waits;
	} cases[] = {{CODE + PAGE_SIZE - 1, true}, {CODE + PAGE_SIZE - 2, false}};

	has_paging = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ept_layer *layer;
		uint64_t entry = (RAM + PAGE_SIZE) | 7; /* not accessed */
		uint64_t word = 1;

		build_tables();
		put(TABLES + 8, &entry, 8);
		put(cases[i].start, "\x48\xa5", 2);
		put(TO, &word, 8);
		test_vmcs[VMCS_GUEST_RIP] = cases[i].start;
		vcpu.regs.gpr[RSI] = DEVICE;
		vcpu.regs.gpr[RDI] = TO;
		cpu.n_loads++;
		n_pauses = n_reads = 0;
		vcpu.is_paused = false;
		/* Tables above are accessed already, and the destination is the VM's own. */
		for (unsigned level = 1; level < 4; level++) {
			uint64_t above = (TABLES + (level - 1) * PAGE_SIZE) | 0x27;

			put(TABLES + level * PAGE_SIZE + 8 * (RAM >> (12 + 9 * level) & 511),
			    &above, 8);
		}
		entry = (TO - RAM) / PAGE_SIZE;
		word = TO | 0x67; /* dirty, too */
		put(TABLES + 8 * entry, &word, 8);
		assert_int_equal(freeze_tree(&vm.ept, &layer), OK);
		word = 0;
		put(TO, &word, 8);
		fill_up();
		assert_int_equal(exit_ept_violation(&vcpu), EXIT_AGAIN);
		assert_int_equal(n_pauses, cases[i].waits);
		assert_int_equal(n_reads, !cases[i].waits);
		assert_int_equal(n_crashes, 0);
		vm.ept.max_owned = EPT_UNLIMITED;
		ept_layer_put(layer);
	}
}

/* SDM vol. 3, "Code-Segment Descriptors": L counts in IA-32e mode only, and goes before D. */
static void the_mode_of_code_is_that_of_efer_and_cs(void **state)
{
	enum { LMA = 1 << 10, L = 1 << 13, D = 1 << 14 };
	static const struct {
		uint64_t efer, rights;
		enum insn_mode mode;
	} cases[] = {
		{0, 0, INSN_16},   {0, D, INSN_32},   {0, L, INSN_16},	 {0, L | D, INSN_32},
		{LMA, 0, INSN_16}, {LMA, D, INSN_32}, {LMA, L, INSN_64},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		test_vmcs[VMCS_GUEST_CS_AR] = cases[i].rights;
		assert_int_equal(access_code_mode(cases[i].efer), cases[i].mode);
	}
}

#define TEST_VM(f) cmocka_unit_test_setup_teardown(f, setup_vm, teardown_vm)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_VM(a_device_is_not_read_for_a_page_without_frame),
		TEST_VM(half_an_operand_is_not_written),
		TEST_VM(a_vm_that_does_not_wait_ends),
		TEST_VM(a_job_does_not_wait),
		TEST_VM(a_machine_without_memory_is_told_apart),
		TEST_VM(a_vcpu_that_has_not_run_stops_alike),
		TEST_VM(a_vm_that_is_paused_is_not_told_again),
		TEST_VM(a_page_that_was_merged_is_waited_for),
		TEST_VM(accessed_flags_of_code_are_waited_for),
		TEST_VM(code_in_the_next_page_is_waited_for_if_it_is_needed),
		cmocka_unit_test(the_mode_of_code_is_that_of_efer_and_cs),
	};

	arch_prctl(ARCH_SET_GS, &cpu);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
