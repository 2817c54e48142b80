/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions on a device, on the array of tests/unit/run/vmcs/ in place of a VMCS. */
#include <string.h>

#include "hv/host/io.h"

static uint64_t now; /* TSC */

static uint64_t time_now(void)
{
	return now;
}

#define rdtsc time_now
#include "hv/run/emulate.c"
#undef rdtsc

#include "tests/unit/run/flat_guest.h"
#include "tests/unit/support.h"

#define DEVICE UINT64_C(0xfee00000) /* linear and guest-physical address */
#define RIP    UINT64_C(0x1000)
#define RFLAGS UINT64_C(0x202)

static struct vm vm = {.n_vcpus = 1};
static struct vcpu vcpu = {.vm = &vm, .until = UINT64_MAX};
static uint64_t last_written;
static unsigned n_stops;
static unsigned n_faults;
static uint32_t requests;				 /* that a write to the device makes */
static uint64_t ticks;					 /* that an access to the device takes */
struct vcpu_shared vcpu_shared = {.clock_grain = 50000}; /* 50 us of ticks of 1 ns */

void access_read(struct vcpu *for_vcpu, const struct operand *operand, struct access_value *ret)
{
	ret->word[0] = 7;
	now += ticks;
}

bool access_write(struct vcpu *for_vcpu, const struct operand *operand,
		  const struct access_value *value)
{
	last_written = value->word[0];
	vcpu.regs.requests |= requests;
	now += ticks;
	return true;
}

/* Of operands beyond the device's page. */
enum status operand_find(struct operand_space *space, uint64_t linear, size_t size, unsigned rights,
			 struct operand *ret)
{
	return ERR_NOMEM;
}

void stop_for_memory(struct vcpu *stopped, gpa_t gpa)
{
	n_stops++;
}

void vcpu_inject_exception_error(struct vcpu *into, unsigned vector, uint32_t error)
{
	n_faults++;
}

/* Returns what emulate_run() did. As EPT violations do, the exit has saved RF set. */
static bool execute(const uint8_t *bytes, size_t n, uint64_t flags)
{
	struct insn insn;
	struct emulation emulation = {
		.space = {.linear_mask = UINT64_MAX,
			  .known_linear = DEVICE,
			  .known_gpa = {DEVICE},
			  .known_rights = ACCESS_READ | ACCESS_WRITE},
		.insn = &insn,
	};

	assert_int_equal(insn_decode(bytes, n, INSN_64, &insn), OK);
	memset(test_vmcs, 0, sizeof(test_vmcs));
	test_vmcs[VMCS_GUEST_RIP] = RIP;
	test_vmcs[VMCS_GUEST_RFLAGS] = flags | RFLAGS_RF;
	test_vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKING_STI;
	vcpu.regs.requests = 0;
	n_faults = 0;
	return emulate_run(&vcpu, &emulation);
}

static void expect(uint64_t rip, uint64_t flags)
{
	assert_int_equal(test_vmcs[VMCS_GUEST_RIP], rip);
	assert_int_equal(test_vmcs[VMCS_GUEST_RFLAGS], flags);
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPTIBILITY], 0);
	assert_int_equal(n_faults, 0);
}

/* A breakpoint on the next instruction must strike. */
static void rf_ends_with_the_instruction(void **state)
{
	static const uint8_t store[] = {0x89, 0x07}; /* mov [rdi], eax */

	vcpu.regs.gpr[RDI] = DEVICE;
	vcpu.regs.gpr[RAX] = 0x1234;
	assert_true(execute(store, sizeof(store), RFLAGS));
	assert_int_equal(last_written, 0x1234);
	expect(RIP + sizeof(store), RFLAGS);
}

static const uint8_t rep_stosd[] = {0xf3, 0xab};

/* A breakpoint on the string must not strike again, nor after an interrupt that comes in between.
 */
static void rf_stays_between_iterations(void **state)
{
	requests = VCPU_REQUEST_EVENT;
	vcpu.regs.gpr[RDI] = DEVICE;
	vcpu.regs.gpr[RCX] = 2;
	assert_true(execute(rep_stosd, sizeof(rep_stosd), RFLAGS));
	expect(RIP, RFLAGS | RFLAGS_RF);
	assert_int_equal(vcpu.regs.gpr[RCX], 1);
	assert_true(execute(rep_stosd, sizeof(rep_stosd), RFLAGS));
	expect(RIP + sizeof(rep_stosd), RFLAGS);
	assert_int_equal(vcpu.regs.gpr[RCX], 0);
	requests = 0;
}

static void a_single_step_is_one_iteration(void **state)
{
	vcpu.regs.gpr[RDI] = DEVICE;
	vcpu.regs.gpr[RCX] = 2;
	assert_true(execute(rep_stosd, sizeof(rep_stosd), RFLAGS | RFLAGS_TF));
	expect(RIP, RFLAGS | RFLAGS_TF | RFLAGS_RF);
	assert_int_equal(test_vmcs[VMCS_GUEST_PENDING_DEBUG], PENDING_BS);
	assert_int_equal(vcpu.regs.gpr[RCX], 1);
}

/* However dear the device is: an exit ends in time, and takes an iteration at least. */
static void an_exit_takes_iterations_for_a_time(void **state)
{
	enum { COUNT = PAGE_SIZE / 4 };

	for (ticks = 1; ticks <= 20000; ticks *= 2) {
		uint64_t began = now, n;

		vcpu.regs.gpr[RDI] = DEVICE;
		vcpu.regs.gpr[RCX] = COUNT;
		assert_true(execute(rep_stosd, sizeof(rep_stosd), RFLAGS));
		n = COUNT - vcpu.regs.gpr[RCX];
		assert_int_equal(now - began, n * ticks);
		assert_in_range(now - began, ticks, vcpu_shared.clock_grain);
		if (ticks <= 1000)
			assert_true(n >= 20);
	}
	ticks = 0;
}

/* There is no frame for its page table: the VM waits for one. Nothing was done. */
static void an_operand_without_a_frame_stops_the_vm(void **state)
{
	static const uint8_t movsd[] = {0xa5};
	vcpu.regs.gpr[RSI] = DEVICE;
	vcpu.regs.gpr[RDI] = DEVICE + 2 * PAGE_SIZE;
	assert_true(execute(movsd, sizeof(movsd), RFLAGS));
	assert_int_equal(n_stops, 1);
	assert_int_equal(test_vmcs[VMCS_GUEST_RIP], RIP);
	assert_int_equal(vcpu.regs.gpr[RSI], DEVICE);
	assert_int_equal(n_faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rf_ends_with_the_instruction),
		cmocka_unit_test(rf_stays_between_iterations),
		cmocka_unit_test(a_single_step_is_one_iteration),
		cmocka_unit_test(an_exit_takes_iterations_for_a_time),
		cmocka_unit_test(an_operand_without_a_frame_stops_the_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
