/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's EOI by a flag in the guest's memory. */
#include "hv/run/pv_eoi.h"

#include "hv/host/msr.h"
#include "hv/run/sync.h"
#include "hv/vm/vm.h"
#include "tests/unit/ept_freeze.h"
#include "tests/unit/guest_regions.h"

#define FLAG	   (RAM + 0x2004)
#define OTHER_FLAG (RAM + 0x5008)

struct vcpu_shared vcpu_shared;

static struct lapic *lapic;
static struct vcpu vcpu;
static struct vm vm = {.vcpu = &vcpu, .n_vcpus = 1};

bool sync_enter(struct vcpu *entering)
{
	fail();
	return false;
}

void sync_leave(struct vcpu *leaving)
{
	fail();
}

void vcpu_flush(struct vcpu *flushed, uint64_t generation)
{
	flushed->ept_generation = generation;
}

void vm_kick_receivers(struct vm *of)
{
	fail();
}

/* The vCPU runs, and is about to enter its guest with the vector in service. */
static void begin(uint8_t vector)
{
	lapic->isr[vector / 64] |= BIT(vector % 64);
	lapic->pending = -1;
}

static int make(void **state)
{
	static struct lapic room;

	setup(state);
	lapic = &room;
	memset(lapic, 0, sizeof(*lapic));
	lapic_init(lapic);
	lapic->base = APIC_BASE_ADDR | APIC_BASE_EN | APIC_BASE_EXTD;
	lapic->svr = 0x1ff;
	vm.memory = memory;
	vm.memory.ept = &vm.ept;
	vm.ept = ept;
	vm.mem = &map;
	vcpu = (struct vcpu){
		.vm = &vm, .ept = &vm.ept, .lapic = lapic, .saved_in = &vcpu, .runs = true};
	vcpu.guest.kvm.eoi = FLAG | KVM_MSR_ENABLED;
	vcpu_shared.msr_bitmap_eoi = 0;
	begin(0x51);
	return 0;
}

static int unmake(void **state)
{
	ept = vm.ept;
	return teardown(state);
}

static uint8_t flag_at(uint64_t gpa)
{
	uint8_t flag = 0xff;

	assert_int_equal(guest_read(&vm.memory, at(gpa), &flag, 1), OK);
	return flag;
}

static void set_flag(uint64_t gpa, uint8_t flag)
{
	assert_int_equal(guest_write(&vm.memory, at(gpa), &flag, 1), OK);
}

static void who_clears_the_flag_ends_the_highest_interrupt(void **state)
{
	begin(0x31);
	pv_eoi_lend(&vcpu);
	assert_true(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 1);
	set_flag(FLAG, 0);
	pv_eoi_take_back(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(lapic_ppr(lapic), 0x30);
	assert_int_equal(flag_at(FLAG), 0);
}

static void who_does_not_has_it_in_service(void **state)
{
	pv_eoi_lend(&vcpu);
	pv_eoi_take_back(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 0);
	assert_int_equal(lapic_ppr(lapic), 0x50);
}

static void an_eoi_that_does_more_exits(void **state)
{
	/* Another one waits. */
	lapic->irr[0] = BIT(0x31);
	pv_eoi_lend(&vcpu);
	lapic->irr[0] = 0;
	assert_false(lapic->is_lent);
	/* The I/O APIC waits for it. */
	lapic->tmr[1] = BIT(0x51 - 64);
	pv_eoi_lend(&vcpu);
	lapic->tmr[1] = 0;
	assert_false(lapic->is_lent);
	/* An xAPIC's registers are memory. */
	lapic->base &= ~(uint64_t)APIC_BASE_EXTD;
	pv_eoi_lend(&vcpu);
	lapic->base |= APIC_BASE_EXTD;
	assert_false(lapic->is_lent);
	/* There is none. */
	lapic->isr[1] = 0;
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 0);
}

static void no_flag_was_asked_for(void **state)
{
	vcpu.guest.kvm.eoi = FLAG;
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	vcpu.guest.kvm.eoi = FLAG | KVM_MSR_ENABLED;
	vcpu_shared.msr_bitmap_eoi = 1; /* the processor does it */
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 0);
}

static void without_a_frame_the_eoi_exits(void **state)
{
	uint64_t n = frame_available();
	phys_t frames[N_FRAMES];

	for (uint64_t i = 0; i < n; i++)
		frames[i] = frame_alloc();
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	for (uint64_t i = 0; i < n; i++)
		frame_free(frames[i]);
	pv_eoi_lend(&vcpu);
	assert_true(lapic->is_lent);
}

/* The page became a template's, and no frame is free for a copy: the guest may still use it. */
static void a_flag_that_cannot_be_cleared_stays(void **state)
{
	uint64_t n;
	phys_t frames[N_FRAMES];
	struct ept_layer *layer;

	pv_eoi_lend(&vcpu);
	assert_int_equal(freeze_tree(&vm.ept, &layer), OK);
	n = frame_available();
	for (uint64_t i = 0; i < n; i++)
		frames[i] = frame_alloc();
	pv_eoi_take_back(&vcpu);
	assert_true(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 1);
	assert_int_equal(lapic_ppr(lapic), 0x50);
	pv_eoi_lend(&vcpu); /* it is */
	for (uint64_t i = 0; i < n; i++)
		frame_free(frames[i]);
	set_flag(FLAG, 0);
	pv_eoi_take_back(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(lapic_ppr(lapic), 0);
	ept_destroy(&vm.ept);
	ept_layer_put(layer);
	assert_int_equal(ept_init(&vm.ept, 1, EPT_UNLIMITED), OK);
}

/* Its owner has removed it: nothing says that the interrupt has ended. */
static void memory_that_is_gone_has_no_flag(void **state)
{
	vcpu.guest.kvm.eoi = GIB(1) | KVM_MSR_ENABLED;
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	lapic->is_lent = true; /* it was there at the entry */
	pv_eoi_take_back(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(lapic_ppr(lapic), 0x50);
}

static void the_flag_moves(void **state)
{
	pv_eoi_lend(&vcpu);
	pv_eoi_move(&vcpu, OTHER_FLAG | KVM_MSR_ENABLED);
	assert_false(lapic->is_lent);
	assert_int_equal(flag_at(FLAG), 0);
	assert_true(vcpu.regs.requests & VCPU_REQUEST_EVENT);
	pv_eoi_lend(&vcpu);
	assert_int_equal(flag_at(FLAG), 0);
	assert_int_equal(flag_at(OTHER_FLAG), 1);
	pv_eoi_move(&vcpu, 0);
	assert_int_equal(flag_at(OTHER_FLAG), 0);
	pv_eoi_lend(&vcpu);
	assert_false(lapic->is_lent);
	assert_int_equal(lapic_ppr(lapic), 0x50);
}

#define FLAG_TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAG_TEST(who_clears_the_flag_ends_the_highest_interrupt),
		FLAG_TEST(who_does_not_has_it_in_service),
		FLAG_TEST(an_eoi_that_does_more_exits),
		FLAG_TEST(no_flag_was_asked_for),
		FLAG_TEST(without_a_frame_the_eoi_exits),
		FLAG_TEST(a_flag_that_cannot_be_cleared_stays),
		FLAG_TEST(memory_that_is_gone_has_no_flag),
		FLAG_TEST(the_flag_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
