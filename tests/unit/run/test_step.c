/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps, on a tree of the test's own and on the array of tests/unit/run/vmcs/ in place of a VMCS.
 */
#include "hv/run/step.c"

#include "tests/unit/support.h"

#define IMAGE	 UINT64_C(0x200000) /* a page, then frames */
#define ROM	 ((gpa_t){UINT64_C(0x100000000)})
#define HOLE	 ((gpa_t){UINT64_C(0x140000000)})
#define RX	 (EPT_R | EPT_X | EPT_TYPE(MEMORY_TYPE_WB))
#define N_FRAMES 512

uint64_t test_vmcs[TEST_VMCS_FIELDS];

static struct vm vm = {.n_vcpus = 1};
static struct vcpu vcpu;
static uint64_t n_free;

void sync_let_others_go(struct vcpu *only)
{
	fail();
}

static int set_up(void **state)
{
	frame_reset();
	phys_arena(IMAGE, N_FRAMES * PAGE_SIZE);
	frame_add_range(IMAGE + PAGE_SIZE, (N_FRAMES - 1) * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	n_free = frame_available();
	assert_int_equal(ept_init(&vm.ept, 1, EPT_UNLIMITED), OK);
	memset(phys_to_virt(IMAGE), 0x1d, PAGE_SIZE);
	assert_int_equal(ept_map(&vm.ept, ROM, IMAGE, PAGE_SIZE, RX), OK);
	vcpu = (struct vcpu){.vm = &vm, .ept = &vm.ept};
	memset(test_vmcs, 0, sizeof(test_vmcs));
	test_vmcs[VMCS_GUEST_RIP] = 0x1000;
	return 0;
}

/* As vcpu_free_scratch(), whose file is not built hosted. */
static int tear_down(void **state)
{
	for (unsigned i = 0; vcpu.step_pages != NULL && i < STEP_PAGES_MAX; i++)
		if (vcpu.step_pages->scratch[i] != 0)
			frame_free(vcpu.step_pages->scratch[i]);
	if (vcpu.step_pages != NULL)
		frame_free(virt_to_phys(vcpu.step_pages));
	ept_destroy(&vm.ept);
	assert_int_equal(frame_available(), n_free);
	return 0;
}

/* What the guest sees at gpa, which is mapped. */
static uint8_t *seen(gpa_t gpa)
{
	unsigned level;
	uint64_t entry = ept_lookup(&vm.ept, gpa, &level);

	assert_true((entry & (EPT_R | EPT_W)) == (EPT_R | EPT_W));
	return (uint8_t *)phys_to_virt(entry & EPT_ADDR) + gpa.raw % PAGE_SIZE;
}

static uint64_t entry_at(gpa_t gpa)
{
	unsigned level;

	return ept_lookup(&vm.ept, gpa, &level);
}

static void step_over_rom_page(void)
{
	unsigned level;
	uint64_t entry = ept_lookup(&vm.ept, ROM, &level);

	assert_int_equal(step_over_rom(&vcpu, ROM, entry, level), OK);
}

/* The instruction has run, or has become the delivery of an event. */
static void end(void)
{
	assert_true(step_is_done(&vcpu));
	step_end(&vcpu);
	assert_int_equal(vcpu.n_steps, 0);
	assert_int_equal(entry_at(ROM), IMAGE | RX);
	assert_int_equal(entry_at(HOLE), 0);
}

static void run_instruction(void)
{
	test_vmcs[VMCS_GUEST_RIP] += 4;
	test_vmcs[VMCS_GUEST_INTERRUPTIBILITY] = 0;
}

static void a_write_to_rom_goes_to_a_copy(void **state)
{
	step_over_rom_page();
	assert_int_equal(*seen(ROM), 0x1d);
	*seen(ROM) = 1;
	assert_false(step_is_done(&vcpu));
	run_instruction();
	end();
	assert_int_equal(*(uint8_t *)phys_to_virt(IMAGE), 0x1d);
}

static void a_hole_reads_as_ones_around_the_register(void **state)
{
	const uint32_t value = 0x12345678;
	gpa_t at = gpa_add(HOLE, 0x3a2); /* in the register at 0x3a0 */
	uint8_t *page;

	assert_int_equal(step_over_hole(&vcpu, at, value), OK);
	page = seen(HOLE);
	assert_memory_equal(page + 0x3a0, &value, sizeof(value));
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		if (i / 4 != 0x3a0 / 4)
			assert_int_equal(page[i], 0xff);
	memset(page, 0, PAGE_SIZE);
	run_instruction();
	end();
	/* The next instruction finds nothing of what this one has written. */
	assert_int_equal(step_over_hole(&vcpu, HOLE, UINT32_MAX), OK);
	assert_int_equal(seen(HOLE)[0x3a0], 0xff);
	run_instruction();
	end();
}

static void an_instruction_may_need_both(void **state)
{
	assert_int_equal(step_over_hole(&vcpu, HOLE, UINT32_MAX), OK);
	step_over_rom_page();
	assert_int_equal(*seen(ROM), 0x1d);
	assert_int_equal(*seen(HOLE), 0xff);
	run_instruction();
	end();
}

/*
 * An instruction that exits in its step, for example XSETBV by way of page tables in ROM: the
 * handler of its fault must not run on the scratch pages.
 */
static void a_fault_that_an_exit_raises_ends_the_step(void **state)
{
	test_vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKING_STI;
	step_over_rom_page();
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKING_MOV_SS);
	assert_false(step_is_done(&vcpu));
	vcpu.guest.event = 13 | INTR_TYPE_HARDWARE | INTR_VALID; /* RIP stays */
	end();
	/* As if there had been no step: the delivery ends the shadow of STI. */
	assert_int_equal(test_vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKING_STI);
}

static void without_a_frame_nothing_is_mapped(void **state)
{
	vm.ept.max_owned = vm.ept.n_owned;
	assert_int_equal(step_over_hole(&vcpu, HOLE, UINT32_MAX), ERR_NOMEM);
	assert_int_equal(entry_at(HOLE), 0);
	assert_int_equal(vcpu.n_steps, 0);
	vm.ept.max_owned = EPT_UNLIMITED;
}

static void an_address_beyond_the_ept_has_no_step(void **state)
{
	assert_int_equal(step_over_hole(&vcpu, (gpa_t){BIT(EPT_GPA_BITS)}, UINT32_MAX), ERR_RANGE);
	assert_int_equal(vcpu.n_steps, 0);
}

static void an_instruction_that_needs_ever_more_pages_ends(void **state)
{
	enum status status = OK;
	unsigned n = 0;

	while (status == OK && n < 1000)
		status = step_over_hole(&vcpu, gpa_add(HOLE, PAGE_SIZE * n++), UINT32_MAX);
	assert_int_equal(status, ERR_RANGE);
	assert_int_equal(n, STEP_PAGES_MAX + STEP_REUSED_MAX + 1);
	run_instruction();
	end();
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(entry_at(gpa_add(HOLE, PAGE_SIZE * i)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_write_to_rom_goes_to_a_copy),
		TEST(a_hole_reads_as_ones_around_the_register),
		TEST(an_instruction_may_need_both),
		TEST(a_fault_that_an_exit_raises_ends_the_step),
		TEST(without_a_frame_nothing_is_mapped),
		TEST(an_address_beyond_the_ept_has_no_step),
		TEST(an_instruction_that_needs_ever_more_pages_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
