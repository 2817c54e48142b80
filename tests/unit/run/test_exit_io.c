/* SPDX-License-Identifier: BSD-2-Clause */
/* Strings to and from ports, on the array of tests/unit/run/vmcs/ in place of a VMCS. */
#include <string.h>

#include "hv/host/io.h"

static uint64_t now; /* TSC */

static uint64_t time_now(void)
{
	return now;
}

#define rdtsc time_now
#include "hv/run/exit_io.c"
#undef rdtsc

#include "tests/unit/run/flat_guest.h"
#include "tests/unit/support.h"

#define PORT   0xe9
#define OUTSB  (PORT << 16 | IO_STRING)
#define RFLAGS 0x202

static struct platform_wiring wiring;
static struct vm vm = {.n_vcpus = 1, .platform.wiring = &wiring};
static struct lapic lapic;
static struct vcpu vcpu = {.vm = &vm, .lapic = &lapic};
static unsigned n_written, n_kicks, n_locked;
static bool kicks;	   /* the device, with an interrupt */
static bool asks_for_more; /* the device, for another exit with the same output */
static uint64_t ticks;	   /* that an access to the device takes, or a page of a job */
static uint32_t requests;  /* that the device's output makes */
static unsigned n_walks;   /* of the guest's page tables */
static uint32_t wish;	   /* of the device's output */
static bool can_revert;	   /* at once */
static unsigned n_reverts, n_granted;

/* A slice ends within 100 us of its end: two exits are in that time. */
#define TICKS_PER_US UINT64_C(1000)
#define EXIT_MAX     (50 * TICKS_PER_US)

struct vcpu_shared vcpu_shared = {.clock_grain = 50 * TICKS_PER_US};

#define JOB_OUTSB    ((JOB_PORT + 4) << 16 | IO_STRING | IO_REPEAT)
#define DEVICE_START KIB(200)

static char memory_bytes[KIB(256)];
static uint64_t n_kept;	  /* bytes of a job */
static unsigned n_writes; /* calls that kept them */
static bool is_locked(void);

void access_read(struct vcpu *for_vcpu, const struct operand *operand, struct access_value *ret)
{
	ret->word[0] = 0x55;
}

bool access_write(struct vcpu *for_vcpu, const struct operand *operand,
		  const struct access_value *value)
{
	return true;
}

enum status operand_find(struct operand_space *space, uint64_t linear, size_t size, unsigned rights,
			 struct operand *ret)
{
	n_walks += !operand_is_known(space, linear, size, rights);
	*ret = (struct operand){.n_parts = 1,
				.part[0] = {{linear}, (uint8_t)size, linear < DEVICE_START}};
	return OK;
}

const void *guest_byte(struct guest_memory *memory, gpa_t gpa)
{
	return memory_bytes + gpa.raw;
}

void map_write(struct vm *of, enum job_channel channel, const char *bytes, size_t len)
{
	assert_ptr_equal(of, &vm);
	assert_ptr_equal(bytes, memory_bytes + n_kept);
	assert_true(n_kept % PAGE_SIZE + len <= PAGE_SIZE);
	assert_int_equal(channel, JOB_STDERR);
	assert_int_equal(is_locked(), vm.n_vcpus > 1);
	n_kept += len;
	n_writes++;
	now += ticks;
}

uint64_t vcpu_now(const struct vcpu *for_vcpu)
{
	return 0;
}

void vcpu_inject_exception_error(struct vcpu *into, unsigned vector, uint32_t error)
{
	fail();
}

bool vm_crash(struct vm *crashed, const char *fmt, ...)
{
	fail();
	return true;
}

void stop_for_memory(struct vcpu *stopped, gpa_t gpa)
{
	fail();
}

static bool is_locked(void)
{
	if (!lock_try(&vm.devices_lock))
		return true;
	lock_release(&vm.devices_lock);
	return false;
}

void vm_kick_receivers(struct vm *kicked)
{
	assert_int_equal(is_locked(), vm.n_vcpus > 1);
	vm.platform.irqchip.kicked = false;
	n_kicks++;
}

void virtual_apic_take_back(struct lapic *of)
{
	of->is_lent = false;
}

void pv_eoi_take_back(struct vcpu *of)
{
	of->lapic->is_lent = false;
}

void vcpu_begin_again(struct vcpu *of)
{
	assert_true(n_reverts > 0);
}

bool vm_revert_at_once(struct vcpu *of)
{
	assert_false(of->lapic->is_lent);
	n_reverts += can_revert;
	return can_revert;
}

void wish_grant(struct vcpu *for_vcpu, uint32_t wishes)
{
	n_granted++;
	vm.platform.fw_cfg.dma_done = asks_for_more;
}

static uint64_t read_device(void *device, const struct io_access *access)
{
	now += ticks;
	return 0;
}

static uint32_t write_device(void *device, const struct io_access *access)
{
	n_written++;
	n_locked += is_locked();
	now += ticks;
	vcpu.regs.requests |= requests;
	vm.platform.irqchip.kicked = kicks;
	return asks_for_more ? WISH_FW_CFG : wish;
}

static int set_up(void **state)
{
	static const struct device_class class = {.read = read_device, .write = write_device};
	const struct io_range range = {
		.start = PORT, .len = 1, .class = &class, .name = "device", .width = 1};

	wiring.pio = (struct io_bus){0};
	assert_int_equal(io_bus_add(&wiring.pio, &range), OK);
	memset(test_vmcs, 0, sizeof(test_vmcs));
	vcpu.regs.requests = 0;
	n_written = n_kicks = n_locked = n_writes = 0;
	n_kept = 0;
	vm.platform.job_port.is_there = true;
	vcpu.regs.gpr[RSI] = 0;
	vm.n_vcpus = 1;
	asks_for_more = kicks = false;
	vcpu.until = UINT64_MAX;
	ticks = requests = n_walks = 0;
	n_reverts = n_granted = wish = 0;
	can_revert = true;
	return 0;
}

/* One exit, which the processor makes with RF clear. Returns whether the instruction is complete.
 */
static bool leave_guest(uint64_t qualification, uint64_t flags)
{
	enum exit_action action;

	test_vmcs[VMCS_EXIT_QUAL] = qualification;
	test_vmcs[VMCS_EXIT_INST_INFO] = 2 << 7 | INSN_DS << 15; /* addresses of 64 bits */
	test_vmcs[VMCS_GUEST_RFLAGS] = flags;
	test_vmcs[VMCS_GUEST_PENDING_DEBUG] = 0;
	action = exit_io(&vcpu);
	assert_true(action == EXIT_AGAIN || action == EXIT_NEXT);
	return action == EXIT_NEXT;
}

/* SDM vol. 3, "Instruction-Breakpoint Exception Condition". */
static void expect_rf(bool is_set)
{
	assert_int_equal((test_vmcs[VMCS_GUEST_RFLAGS] & RFLAGS_RF) != 0, is_set);
}

static void a_breakpoint_is_not_taken_again_between_iterations(void **state)
{
	requests = VCPU_REQUEST_EVENT;
	vcpu.regs.gpr[RCX] = 2;
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 1);
	expect_rf(true);
	assert_true(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 0);
	expect_rf(false);
	assert_int_equal(n_written, 2);
}

/* However dear the device is: an exit ends in time, and takes an element at least. */
static void an_exit_takes_elements_for_a_time(void **state)
{
	static const uint64_t strings[] = {OUTSB | IO_REPEAT, OUTSB | IO_REPEAT | IO_IN, JOB_OUTSB};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		for (ticks = 1; ticks <= 20 * TICKS_PER_US; ticks *= 2) {
			uint64_t began = now;

			vcpu.regs.gpr[RSI] = vcpu.regs.gpr[RDI] = n_kept = 0;
			vcpu.regs.gpr[RCX] = DEVICE_START;
			(void)leave_guest(strings[i], RFLAGS);
			assert_in_range(now - began, ticks, EXIT_MAX);
			/* What costs little is not made dear by an exit for each element. */
			if (ticks <= TICKS_PER_US && strings[i] != JOB_OUTSB)
				assert_true(vcpu.regs.gpr[RCX] <= DEVICE_START - 20);
		}
}

/* The slice is over, or a timer of the guest is due. */
static void an_exit_takes_one_element_after_the_slice(void **state)
{
	vcpu.until = now + 3;
	ticks = 1;
	vcpu.regs.gpr[RCX] = 10;
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 7);
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 6);
}

/* An interrupt between two elements is delivered there, and what others ask for does not wait. */
static void a_request_comes_after_the_element(void **state)
{
	vcpu.regs.gpr[RCX] = 10;
	requests = VCPU_REQUEST_EVENT;
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 9);
	assert_int_equal(vcpu.regs.requests, requests);
	vcpu.regs.gpr[RSI] = 0;
	vcpu.regs.gpr[RCX] = 3 * PAGE_SIZE;
	assert_false(leave_guest(JOB_OUTSB, RFLAGS));
	assert_int_equal(n_kept, PAGE_SIZE);
}

static void a_trap_pushes_rf_except_after_the_last_iteration(void **state)
{
	vcpu.regs.gpr[RCX] = 2;
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS | RFLAGS_TF));
	assert_int_equal(vcpu.regs.gpr[RCX], 1);
	assert_int_equal(test_vmcs[VMCS_GUEST_PENDING_DEBUG], PENDING_BS);
	expect_rf(true);
	assert_true(leave_guest(OUTSB | IO_REPEAT, RFLAGS | RFLAGS_TF));
	expect_rf(false);
}

static void an_output_that_is_made_again_takes_no_breakpoint_again(void **state)
{
	asks_for_more = true;
	assert_false(leave_guest(PORT << 16, RFLAGS));
	expect_rf(true);
	vcpu.regs.gpr[RCX] = 1;
	assert_false(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RCX], 1);
	expect_rf(true);
	asks_for_more = false;
	assert_true(leave_guest(PORT << 16, RFLAGS));
	expect_rf(false);
	assert_true(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	expect_rf(false);
}

/* The guest is in another place: no trap of the output that brought it there is due. */
static void a_revert_is_at_once_or_after_the_exit(void **state)
{
	wish = WISH_REVERT;
	lapic.is_lent = true;
	assert_false(leave_guest(PORT << 16, RFLAGS));
	expect_rf(false);
	assert_int_equal(n_reverts, 1);
	assert_int_equal(n_granted, 0);
	can_revert = false;
	assert_true(leave_guest(PORT << 16, RFLAGS));
	assert_int_equal(n_granted, 1);
}

/* The exit writes the registers of an OUTS, and grants all wishes in order. */
static void a_string_or_another_wish_reverts_after_the_exit(void **state)
{
	wish = WISH_REVERT;
	assert_true(leave_guest(OUTSB, RFLAGS));
	wish |= WISH_SERIAL;
	assert_true(leave_guest(PORT << 16, RFLAGS));
	assert_int_equal(n_reverts, 0);
	assert_int_equal(n_granted, 2);
}

/* A VM with one vCPU pays for no lock. An interrupt kicks, while the devices stay as they are. */
static void several_vcpus_use_a_device_one_at_a_time(void **state)
{
	for (unsigned n = 1; n < 4; n++)
		for (unsigned interrupts = 0; interrupts < 2; interrupts++) {
			set_up(state);
			vm.n_vcpus = n;
			kicks = interrupts;
			assert_true(leave_guest(PORT << 16, RFLAGS));
			assert_int_equal(n_written, 1);
			assert_int_equal(n_locked, n > 1);
			assert_int_equal(n_kicks, interrupts);
			assert_false(is_locked());
		}
}

/* Only then would the processor have forgotten the translation. */
static void a_page_is_translated_once_in_an_exit(void **state)
{
	for (uint64_t in = 0; in <= IO_IN; in += IO_IN) {
		n_walks = 0;
		vcpu.regs.gpr[RSI] = vcpu.regs.gpr[RDI] = 0;
		vcpu.regs.gpr[RCX] = 2 * PAGE_SIZE + 1;
		assert_true(leave_guest(OUTSB | IO_REPEAT | in, RFLAGS));
		assert_int_equal(n_walks, 3);
	}
	vcpu.regs.gpr[RSI] = 0;
	vcpu.regs.gpr[RCX] = 1;
	assert_true(leave_guest(OUTSB | IO_REPEAT, RFLAGS));
	assert_int_equal(n_walks, 4);
}

/* As many at a time as there is time for. */
static void a_jobs_output_is_taken_in_pages(void **state)
{
	enum { PAGES = 4, MORE = 100 };

	for (vm.n_vcpus = 1; vm.n_vcpus < 3; vm.n_vcpus++) {
		n_kept = n_writes = 0;
		vcpu.regs.gpr[RSI] = 0;
		vcpu.regs.gpr[RCX] = PAGES * PAGE_SIZE + MORE;
		ticks = vcpu_shared.clock_grain / 2 / PAGES;
		assert_false(leave_guest(JOB_OUTSB, RFLAGS));
		expect_rf(true);
		assert_int_equal(vcpu.regs.gpr[RCX], MORE);
		assert_int_equal(vcpu.regs.gpr[RSI], PAGES * PAGE_SIZE);
		assert_int_equal(n_writes, PAGES);
		assert_true(leave_guest(JOB_OUTSB, RFLAGS));
		expect_rf(false);
		assert_int_equal(n_kept, PAGES * PAGE_SIZE + MORE);
		assert_int_equal(vcpu.regs.gpr[RCX], 0);
	}
}

/* Byte by byte: from a device, backwards, with a trap or a breakpoint, or without a job. */
static void other_strings_to_a_job_are_taken_in_bytes(void **state)
{
	static const uint64_t flags[] = {RFLAGS | RFLAGS_DF, RFLAGS | RFLAGS_TF};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		vcpu.regs.gpr[RCX] = 3;
		(void)leave_guest(JOB_OUTSB, flags[i]);
		assert_true(vcpu.regs.gpr[RCX] < 3);
	}
	test_vmcs[VMCS_GUEST_DR7] = 1;
	vcpu.regs.gpr[RCX] = 1;
	assert_true(leave_guest(JOB_OUTSB, RFLAGS));
	test_vmcs[VMCS_GUEST_DR7] = 0;
	vcpu.regs.gpr[RCX] = 1;
	vcpu.regs.gpr[RSI] = DEVICE_START;
	assert_true(leave_guest(JOB_OUTSB, RFLAGS));
	assert_int_equal(vcpu.regs.gpr[RSI], DEVICE_START + 1);
	vm.platform.job_port.is_there = false;
	vcpu.regs.gpr[RCX] = 1;
	assert_true(leave_guest(JOB_OUTSB, RFLAGS));
	assert_int_equal(n_writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_breakpoint_is_not_taken_again_between_iterations, set_up),
		cmocka_unit_test_setup(an_exit_takes_elements_for_a_time, set_up),
		cmocka_unit_test_setup(an_exit_takes_one_element_after_the_slice, set_up),
		cmocka_unit_test_setup(a_page_is_translated_once_in_an_exit, set_up),
		cmocka_unit_test_setup(a_request_comes_after_the_element, set_up),
		cmocka_unit_test_setup(a_trap_pushes_rf_except_after_the_last_iteration, set_up),
		cmocka_unit_test_setup(an_output_that_is_made_again_takes_no_breakpoint_again,
				       set_up),
		cmocka_unit_test_setup(a_revert_is_at_once_or_after_the_exit, set_up),
		cmocka_unit_test_setup(a_string_or_another_wish_reverts_after_the_exit, set_up),
		cmocka_unit_test_setup(several_vcpus_use_a_device_one_at_a_time, set_up),
		cmocka_unit_test_setup(a_jobs_output_is_taken_in_pages, set_up),
		cmocka_unit_test_setup(other_strings_to_a_job_are_taken_in_bytes, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
