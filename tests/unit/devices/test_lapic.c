/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/lapic.h"

#include <stdlib.h>
#include <string.h>

#include "hv/devices/irqchip.h"
#include "hv/devices/lapic_regs.h"
#include "hv/devices/lapic_timer.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define BASE_BSP (APIC_BASE_ADDR | APIC_BASE_EN | APIC_BASE_BSP)
#define X2APIC	 (BASE_BSP | APIC_BASE_EXTD)

static union irqchip_room room;
#define chip room.chip
static struct lapic *const lapic = chip.lapic;

static uint32_t page_get(unsigned off)
{
	return (uint32_t)page_read(&chip, lapic, (struct io_access){.off = off, .size = 4});
}

static void page_set(unsigned off, uint32_t value)
{
	page_write(&chip, lapic, (struct io_access){.off = off, .size = 4, .value = value});
}

static uint64_t msr_get(uint32_t msr)
{
	uint64_t value;

	assert_true(irqchip_msr_read(&chip, lapic, msr, &value, 0));
	return value;
}

static void msr_set(uint32_t msr, uint64_t value)
{
	assert_true(irqchip_msr_write(&chip, lapic, msr, value, 0));
}

static void power_on(void)
{
	irqchip_reset(&chip, sockets(3), 40);
}

/* The state in which an operating system leaves the APIC. */
static void enable(void)
{
	power_on();
	page_set(0xf0, 0x1ff);
}

static void enable_x2apic(void)
{
	enable();
	msr_set(MSR_IA32_APIC_BASE, X2APIC);
}

static void check_fresh_registers(void)
{
	static const struct {
		unsigned off;
		uint32_t value;
	} table[] = {{0x20, 0},	       {0x30, 0x50014},	 {0x80, 0},	   {0x90, 0},
		     {0xa0, 0},	       {0xb0, 0},	 {0xc0, 0},	   {0xd0, 0},
		     {0xe0, ~0u},      {0xf0, 0xff},	 {0x100, 0},	   {0x170, 0},
		     {0x180, 0},       {0x1f0, 0},	 {0x200, 0},	   {0x270, 0},
		     {0x280, 0},       {0x300, 0},	 {0x310, 0},	   {0x320, 0x10000},
		     {0x330, 0x10000}, {0x340, 0x10000}, {0x350, 0x10000}, {0x360, 0x10000},
		     {0x370, 0x10000}, {0x380, 0},	 {0x390, 0},	   {0x3e0, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		assert_true(page_get(table[i].off) == table[i].value);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	assert_false(lapic_has_event(lapic));
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
	assert_true(msr_get(MSR_IA32_APIC_BASE) == BASE_BSP);
}

static void registers_after_power_on(void **state)
{
	power_on();
	check_fresh_registers();
	assert_true(chip.lapic[1].base == (APIC_BASE_ADDR | APIC_BASE_EN));
	assert_int_equal(
		page_read(&chip, &chip.lapic[2], (struct io_access){.off = 0x20, .size = 4}),
		2u << 24);
}

/* Which bits of each register of the page stick. */
static void registers_keep_the_bits_they_have(void **state)
{
	static const struct {
		unsigned off;
		uint32_t ones, zeros;
	} table[] = {{0x20, 0xff000000, 0},
		     {0x30, 0x50014, 0x50014},
		     {0x80, 0xff, 0},
		     {0xd0, 0xff000000, 0},
		     {0xe0, ~0u, 0x0fffffff},
		     {0x310, 0xff000000, 0},
		     {0x320, 0x700ff, 0},
		     {0x330, 0x107ff, 0},
		     {0x340, 0x107ff, 0},
		     {0x350, 0x1a7ff, 0},
		     {0x360, 0x1a7ff, 0},
		     {0x370, 0x100ff, 0},
		     {0x3e0, 0xb, 0},
		     {0x90, 0, 0},
		     {0xa0, 0xff, 0},
		     {0xc0, 0, 0},
		     {0x390, 0, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		enable();
		page_set(table[i].off, ~0u);
		if (table[i].off == 0xa0) /* PPR follows TPR only */
			page_set(0x80, ~0u);
		assert_true(page_get(table[i].off) == table[i].ones);
		page_set(table[i].off, 0);
		if (table[i].off == 0xa0)
			page_set(0x80, 0);
		assert_true(page_get(table[i].off) == table[i].zeros);
		assert_int_equal(lapic->esr_pending, 0);
	}
	enable();
	page_set(0xf0, ~0u);
	assert_int_equal(page_get(0xf0), 0x3ff);
	page_set(0x380, 0x12345678);
	assert_int_equal(page_get(0x380), 0x12345678);
}

static bool page_has(unsigned off)
{
	return off == 0x20 || off == 0x30 || (off >= 0x80 && off <= 0x280) ||
	       (off >= 0x300 && off <= 0x390) || off == 0x3e0;
}

static void registers_that_do_not_exist_are_errors(void **state)
{
	for (unsigned off = 0; off < 0x1000; off += 16) {
		uint32_t value;

		enable();
		value = page_get(off);
		assert_true(page_has(off) || value == 0);
		assert_int_equal(lapic->esr_pending, page_has(off) ? 0 : ESR_REGISTER);
		enable();
		if (off == 0x300)
			page_set(off, 0x40); /* a vector that may be sent */
		else
			page_set(off, 0);
		assert_int_equal(lapic->esr_pending, page_has(off) ? 0 : ESR_REGISTER);
	}
}

static void parts_of_a_register_can_be_read_but_not_written(void **state)
{
	enable();
	page_set(0x380, 0x44332211);
	for (unsigned byte = 0; byte < 16; byte++) {
		for (unsigned size = 1; size <= 8; size *= 2) {
			uint64_t expect = UINT64_C(0x44332211) >> (8 * (byte & 3));
			uint64_t value =
				page_read(&chip, lapic,
					  (struct io_access){.off = 0x380 + byte, .size = size});

			if (byte + size > 4)
				expect = 0;
			assert_true((value & (UINT64_MAX >> (64 - 8 * size))) ==
				    (expect & (UINT64_MAX >> (64 - 8 * size))));
			if (size == 4 && byte == 0)
				continue;
			page_write(&chip, lapic,
				   (struct io_access){.off = 0x380 + byte, .size = size});
			assert_int_equal(page_get(0x380), 0x44332211);
		}
	}
}

/* IRR, ISR and TPR as arrays of bool: slow and simple. */
struct model {
	bool irr[256], isr[256];
	unsigned tpr;
};

static int highest(const bool map[256])
{
	for (int i = 255; i >= 0; i--)
		if (map[i])
			return i;
	return -1;
}

static unsigned model_ppr(const struct model *model)
{
	int isr = highest(model->isr);
	unsigned served = isr < 0 ? 0 : (unsigned)isr & 0xf0;

	return (model->tpr & 0xf0) >= served ? model->tpr : served;
}

static int model_pending(const struct model *model)
{
	int irr = highest(model->irr);

	return irr >= 0 && irr >> 4 > (int)(model_ppr(model) >> 4) ? irr : -1;
}

static void check_against(const struct model *model)
{
	assert_int_equal(lapic_pending_vector(lapic), model_pending(model));
	assert_int_equal(page_get(0xa0), model_ppr(model));
	assert_int_equal(lapic_get_cr8(lapic), model->tpr >> 4);
	for (unsigned v = 0; v < 256; v++) {
		unsigned part = v / 32 * 16, bit = v % 32;

		assert_int_equal(page_get(0x100 + part) >> bit & 1, model->isr[v]);
		assert_int_equal(page_get(0x200 + part) >> bit & 1, model->irr[v]);
	}
}

static void priorities_are_those_of_a_plain_model(void **state)
{
	struct model model = {0};

	enable();
	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t vector = (uint8_t)(16 + rand() % 240);

		switch (rand() % 5) {
		case 0:
		case 1:
			assert_true(lapic_deliver(lapic, rand() % 2, vector, false));
			model.irr[vector] = true;
			break;
		case 2:
			page_set(0xb0, 0);
			if (highest(model.isr) >= 0)
				model.isr[highest(model.isr)] = false;
			break;
		case 3:
			if (rand() % 2) {
				page_set(0x80, model.tpr = rand() % 256);
			} else {
				lapic_set_cr8(lapic, (uint64_t)rand() % 4);
				model.tpr = lapic->tpr;
			}
			break;
		default:
			if (model_pending(&model) < 0)
				break;
			vector = (uint8_t)model_pending(&model);
			lapic_accept(lapic, vector);
			model.irr[vector] = false;
			model.isr[vector] = true;
		}
		assert_int_equal(lapic_pending_vector(lapic), model_pending(&model));
		if (i % 64 == 0)
			check_against(&model);
	}
}

static void what_could_not_be_delivered_waits_again(void **state)
{
	for (unsigned level = 0; level < 2; level++) {
		enable();
		lapic_deliver(lapic, DELIVER_FIXED, 0x61, level);
		lapic_accept(lapic, 0x61);
		lapic_deliver(lapic, DELIVER_FIXED, 0x65, false);
		assert_int_equal(lapic_pending_vector(lapic), -1);
		lapic_take_back(lapic, 0x61);
		assert_int_equal(lapic_pending_vector(lapic), 0x65);
		lapic_accept(lapic, 0x65);
		lapic_eoi(lapic);
		assert_int_equal(lapic_pending_vector(lapic), 0x61);
		lapic_accept(lapic, 0x61);
		assert_int_equal(lapic_eoi(lapic), level ? LAPIC_EOI | 0x61 : 0);
		/* Not in service: only a damaged state says so. */
		lapic_take_back(lapic, 0x61);
		assert_int_equal(lapic_pending_vector(lapic), -1);
	}
}

static void cr8_is_the_upper_half_of_tpr(void **state)
{
	enable();
	for (uint64_t cr8 = 0; cr8 < 16; cr8++) {
		page_set(0x80, 0x3f);
		lapic_set_cr8(lapic, cr8);
		assert_int_equal(page_get(0x80), cr8 << 4);
		assert_int_equal(lapic_get_cr8(lapic), cr8);
	}
}

static void illegal_vectors_are_received_as_errors(void **state)
{
	for (unsigned vector = 0; vector < 32; vector++) {
		enable();
		page_set(0x370, 0xfe);
		assert_int_equal(lapic_deliver(lapic, DELIVER_FIXED, (uint8_t)vector, false),
				 vector >= 16);
		assert_int_equal(lapic_pending_vector(lapic), vector >= 16 ? (int)vector : 0xfe);
		page_set(0x280, 0);
		assert_int_equal(page_get(0x280), vector >= 16 ? 0 : 0x40);
		page_set(0x280, 0);
		assert_int_equal(page_get(0x280), 0);
	}
}

static void an_error_entry_with_an_illegal_vector_does_not_loop(void **state)
{
	enable();
	page_set(0x370, 3);
	page_get(0x3f0);
	page_set(0x280, 0);
	assert_int_equal(page_get(0x280), 0xc0);
	assert_int_equal(lapic_pending_vector(lapic), -1);
}

static void an_error_interrupts_once_until_esr_is_written(void **state)
{
	enable();
	page_set(0x370, 0xfe);
	page_get(0x10);
	assert_int_equal(lapic_pending_vector(lapic), 0xfe);
	lapic_accept(lapic, 0xfe);
	page_get(0x10);
	assert_int_equal(lapic->irr[3], 0);
	assert_int_equal(page_get(0x280), 0); /* nothing latched yet */
	page_set(0x280, 0x55);
	assert_int_equal(page_get(0x280), 0x80);
	page_get(0x10);
	assert_int_not_equal(lapic->irr[3], 0);
}

static void software_disable_masks_everything_local(void **state)
{
	enable();
	for (unsigned off = 0x320; off <= 0x370; off += 16)
		page_set(off, 0x40);
	page_set(0xf0, 0xff);
	for (unsigned off = 0x320; off <= 0x370; off += 16) {
		assert_int_equal(page_get(off), 0x10040);
		page_set(off, 0x41);
		assert_int_equal(page_get(off), 0x10041);
	}
	assert_false(lapic_deliver(lapic, DELIVER_FIXED, 0x40, false));
	assert_false(lapic_deliver(lapic, DELIVER_LOWEST, 0x40, false));
	assert_true(lapic_deliver(lapic, DELIVER_NMI, 0, false));
	assert_true(lapic->nmis_pending);
	page_set(0xf0, 0x1ff);
	assert_int_equal(page_get(0x320), 0x10041); /* stays until it is written */
	page_set(0x320, 0x41);
	assert_int_equal(page_get(0x320), 0x41);
}

static void what_was_pending_stays_so_when_disabled(void **state)
{
	enable();
	assert_true(lapic_deliver(lapic, DELIVER_FIXED, 0x40, false));
	page_set(0xf0, 0xff);
	assert_int_equal(lapic_pending_vector(lapic), 0x40);
}

static void local_sources_do_as_their_entry_says(void **state)
{
	for (unsigned source = LVT_THERMAL; source <= LVT_LINT1; source++)
		for (uint32_t mode = 0; mode < 8; mode++)
			for (unsigned masked = 0; masked < 2; masked++) {
				enable();
				page_set(0x320 + 16 * source, masked << 16 | mode << 8 | 0x77);
				lapic_local_interrupt(lapic, source);
				assert_int_equal(lapic_pending_vector(lapic),
						 !masked && mode == DELIVER_FIXED ? 0x77 : -1);
				assert_int_equal(lapic->nmis_pending,
						 !masked && mode == DELIVER_NMI);
				assert_int_equal(lapic->init_pending,
						 !masked && mode == DELIVER_INIT);
				assert_false(lapic->sipi_pending);
			}
	enable();
	page_set(0x340, 0x77);
	lapic_local_interrupt(lapic, LVT_PERF);
	assert_int_equal(page_get(0x340), 0x10077); /* masks itself */
}

static void init_and_sipi_are_flags_in_order(void **state)
{
	power_on();
	assert_true(lapic_deliver(lapic, DELIVER_SIPI, 0x11, false));
	assert_true(lapic_deliver(lapic, DELIVER_INIT, 0, false));
	assert_true(lapic->init_pending);
	assert_false(lapic->sipi_pending); /* it came before the INIT */
	assert_true(lapic_deliver(lapic, DELIVER_SIPI, 0x9a, false));
	assert_true(lapic_deliver(lapic, DELIVER_SIPI, 0x9b, false));
	assert_true(lapic_has_event(lapic));
	lapic_init(lapic);
	assert_false(lapic->init_pending);
	assert_true(lapic->sipi_pending);
	assert_int_equal(lapic->sipi_vector, 0x9a);
	assert_false(lapic_deliver(lapic, DELIVER_SMI, 0x20, false));
	assert_false(lapic_deliver(lapic, DELIVER_EXTINT, 0x20, false));
	assert_false(lapic_deliver(lapic, 3, 0x20, false));
}

static void init_resets_all_but_id_and_base(void **state)
{
	struct lapic before;

	enable_x2apic();
	lapic->xapic_id = 9;
	msr_set(0x808, 0x40);
	msr_set(0x832, 0x20040);
	msr_set(0x838, 1000);
	lapic_deliver(lapic, DELIVER_FIXED, 0x40, true);
	lapic_deliver(lapic, DELIVER_NMI, 0, false);
	before = *lapic;
	lapic_init(lapic);
	assert_int_equal(lapic->xapic_id, 9);
	assert_true(lapic->base == before.base);
	assert_int_equal(lapic->phys_bits, 40);
	assert_false(lapic_has_event(lapic));
	assert_int_equal(msr_get(0x808), 0);
	assert_int_equal(msr_get(0x80f), 0xff);
	assert_int_equal(msr_get(0x832), 0x10000);
	assert_int_equal(msr_get(0x838), 0);
	assert_int_equal(msr_get(0x822), 0);
	assert_int_equal(msr_get(0x81a), 0);
	assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
}

/* Every pair of modes, and bits beside the mode bits. */
static void apic_base_goes_only_where_it_may(void **state)
{
	enum { OFF, X1, BAD, X2 }; /* EN is bit 0, EXTD bit 1, with the two bits swapped */
	static const uint64_t mode[4] = {0, APIC_BASE_EN, APIC_BASE_EXTD,
					 APIC_BASE_EN | APIC_BASE_EXTD};
	static const bool legal[4][4] = {
		[OFF] = {[OFF] = true, [X1] = true},
		[X1] = {[OFF] = true, [X1] = true, [X2] = true},
		[X2] = {[OFF] = true, [X2] = true},
	};

	for (unsigned from = 0; from < 4; from++)
		for (unsigned to = 0; to < 4; to++) {
			if (from == BAD)
				continue;
			power_on();
			msr_set(MSR_IA32_APIC_BASE, APIC_BASE_ADDR | (from == OFF ? 0 : mode[X1]));
			msr_set(MSR_IA32_APIC_BASE, APIC_BASE_ADDR | mode[from]);
			assert_int_equal(irqchip_msr_write(&chip, lapic, MSR_IA32_APIC_BASE,
							   APIC_BASE_ADDR | mode[to], 0),
					 legal[from][to]);
			assert_true(msr_get(MSR_IA32_APIC_BASE) ==
				    (APIC_BASE_ADDR | mode[legal[from][to] ? to : from]));
		}
	for (unsigned bit = 0; bit < 64; bit++) {
		bool reserved = bit < 8 || bit == 9 || bit >= 40;

		power_on();
		if (bit == 10 || bit == 11)
			continue;
		assert_int_equal(
			irqchip_msr_write(&chip, lapic, MSR_IA32_APIC_BASE, BASE_BSP ^ BIT(bit), 0),
			!reserved);
	}
}

/* The steps with which a test guest resets its APIC. */
static void disable_and_enable_again_is_a_fresh_apic(void **state)
{
	for (unsigned x2 = 0; x2 < 2; x2++) {
		enable();
		page_set(0x20, 0x55u << 24);
		page_set(0x80, 0x20);
		page_set(0x320, 0x40);
		page_set(0x380, 100);
		lapic_deliver(lapic, DELIVER_FIXED, 0x80, false);
		if (x2)
			msr_set(MSR_IA32_APIC_BASE, X2APIC);
		msr_set(MSR_IA32_APIC_BASE, APIC_BASE_ADDR | APIC_BASE_BSP);
		assert_false(lapic_is_enabled(lapic));
		assert_false(lapic_claims(lapic, APIC_BASE_ADDR));
		assert_int_equal(lapic_pending_vector(lapic), -1);
		assert_true(lapic_next_deadline(lapic) == UINT64_MAX);
		assert_false(lapic_deliver(lapic, DELIVER_FIXED, 0x40, false));
		assert_false(lapic_deliver(lapic, DELIVER_NMI, 0x40, false));
		lapic_local_interrupt(lapic, LVT_LINT1);
		assert_false(lapic_has_event(lapic));
		msr_set(MSR_IA32_APIC_BASE, BASE_BSP);
		check_fresh_registers();
	}
}

static void the_page_moves_with_its_base(void **state)
{
	power_on();
	assert_true(lapic_claims(lapic, APIC_BASE_ADDR));
	assert_true(lapic_claims(lapic, APIC_BASE_ADDR + 0xfff));
	assert_false(lapic_claims(lapic, APIC_BASE_ADDR + 0x1000));
	assert_false(lapic_claims(lapic, APIC_BASE_ADDR - 1));
	msr_set(MSR_IA32_APIC_BASE, 0xfed40000 | APIC_BASE_EN);
	assert_true(lapic_claims(lapic, 0xfed40ff0));
	assert_false(lapic_claims(lapic, APIC_BASE_ADDR));
	msr_set(MSR_IA32_APIC_BASE, 0xfed40000 | APIC_BASE_EN | APIC_BASE_EXTD);
	assert_false(lapic_claims(lapic, 0xfed40ff0));
}

static void the_id_is_writable_only_in_the_page(void **state)
{
	enable();
	page_set(0x20, 0x55u << 24);
	assert_true(page_get(0x20) == 0x55u << 24);
	msr_set(MSR_IA32_APIC_BASE, X2APIC);
	assert_int_equal(msr_get(0x802), 0);
	assert_false(irqchip_msr_write(&chip, lapic, 0x802, 1, 0));
	assert_int_equal(lapic_get_id(&chip.lapic[2]), 2u << 24);
}

/* All of 0x800 to 0x8ff: readable, writable with 0, and the bits that may be ones. */
static void every_x2apic_msr_is_known_or_faults(void **state)
{
	static const struct {
		uint8_t first, last;
		bool read, write;
		uint64_t bits;
	} table[] = {
		{0x02, 0x03, true, false, 0},
		{0x08, 0x08, true, true, 0xff},
		{0x0a, 0x0a, true, false, 0},
		{0x0b, 0x0b, false, true, 0},
		{0x0d, 0x0d, true, false, 0},
		{0x0f, 0x0f, true, true, 0x3ff},
		{0x10, 0x27, true, false, 0},
		{0x28, 0x28, true, true, 0},
		{0x30, 0x30, true, true, 0xffffffff000cdfff & ~0x1000ull},
		{0x32, 0x32, true, true, 0x750ff},
		{0x33, 0x34, true, true, 0x157ff},
		{0x35, 0x36, true, true, 0x1f7ff},
		{0x37, 0x37, true, true, 0x150ff},
		{0x38, 0x38, true, true, 0xffffffff},
		{0x39, 0x39, true, false, 0},
		{0x3e, 0x3e, true, true, 0xb},
		{0x3f, 0x3f, false, true, 0xff},
	};

	for (uint32_t reg = 0; reg < 0x100; reg++) {
		bool read = false, write = false;
		uint64_t bits = 0, value = 0x1234;

		for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
			if (reg >= table[i].first && reg <= table[i].last) {
				read = table[i].read;
				write = table[i].write;
				bits = table[i].bits;
			}
		enable_x2apic();
		assert_int_equal(irqchip_msr_read(&chip, lapic, 0x800 + reg, &value, 0), read);
		assert_true(read || value == 0x1234);
		/* An IPI with vector 0 sets a bit in ESR; nothing else may happen. */
		assert_int_equal(irqchip_msr_write(&chip, lapic, 0x800 + reg, 0, 0), write);
		for (unsigned bit = 0; bit < 64; bit++) {
			bool busy = reg == 0x30 && bit == 12;

			enable_x2apic();
			assert_int_equal(irqchip_msr_write(&chip, lapic, 0x800 + reg, BIT(bit), 0),
					 write && ((bits & BIT(bit)) != 0 || busy));
		}
	}
}

static void x2apic_msrs_fault_in_other_modes(void **state)
{
	uint64_t value = 0x77;

	for (unsigned mode = 0; mode < 2; mode++) {
		power_on();
		msr_set(MSR_IA32_APIC_BASE, mode ? BASE_BSP : APIC_BASE_ADDR);
		for (uint32_t msr = 0x800; msr <= 0x8ff; msr++) {
			assert_false(irqchip_msr_read(&chip, lapic, msr, &value, 0));
			assert_false(irqchip_msr_write(&chip, lapic, msr, 0, 0));
		}
	}
	enable_x2apic();
	assert_false(irqchip_msr_read(&chip, lapic, 0x900, &value, 0));
	assert_false(irqchip_msr_write(&chip, lapic, 0x7ff, 0, 0));
	assert_int_equal(value, 0x77);
}

static void x2apic_registers_read_what_was_written(void **state)
{
	enable_x2apic();
	msr_set(0x808, 0x35);
	assert_int_equal(msr_get(0x808), 0x35);
	assert_int_equal(msr_get(0x80a), 0x35);
	msr_set(0x835, 0x5400);
	assert_int_equal(msr_get(0x835), 0x400); /* software cannot write status bits */
	msr_set(0x830, UINT64_C(0x0000000700001041));
	assert_true(msr_get(0x830) == UINT64_C(0x0000000700000041));
	assert_int_equal(msr_get(0x80d), 1);
	assert_int_equal(lapic_get_ldr(lapic), 1);
	msr_set(0x83f, 0x61);
	assert_int_equal(lapic_pending_vector(lapic), 0x61);
	assert_int_equal(msr_get(0x823), 2);
	lapic_accept(lapic, 0x61);
	assert_int_equal(msr_get(0x813), 2);
	msr_set(0x80b, 0);
	assert_int_equal(msr_get(0x813), 0);
	assert_false(irqchip_msr_write(&chip, lapic, 0x80b, 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_after_power_on),
		cmocka_unit_test(registers_keep_the_bits_they_have),
		cmocka_unit_test(registers_that_do_not_exist_are_errors),
		cmocka_unit_test(parts_of_a_register_can_be_read_but_not_written),
		cmocka_unit_test(priorities_are_those_of_a_plain_model),
		cmocka_unit_test(what_could_not_be_delivered_waits_again),
		cmocka_unit_test(cr8_is_the_upper_half_of_tpr),
		cmocka_unit_test(illegal_vectors_are_received_as_errors),
		cmocka_unit_test(an_error_entry_with_an_illegal_vector_does_not_loop),
		cmocka_unit_test(an_error_interrupts_once_until_esr_is_written),
		cmocka_unit_test(software_disable_masks_everything_local),
		cmocka_unit_test(what_was_pending_stays_so_when_disabled),
		cmocka_unit_test(local_sources_do_as_their_entry_says),
		cmocka_unit_test(init_and_sipi_are_flags_in_order),
		cmocka_unit_test(init_resets_all_but_id_and_base),
		cmocka_unit_test(apic_base_goes_only_where_it_may),
		cmocka_unit_test(disable_and_enable_again_is_a_fresh_apic),
		cmocka_unit_test(the_page_moves_with_its_base),
		cmocka_unit_test(the_id_is_writable_only_in_the_page),
		cmocka_unit_test(every_x2apic_msr_is_known_or_faults),
		cmocka_unit_test(x2apic_msrs_fault_in_other_modes),
		cmocka_unit_test(x2apic_registers_read_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
