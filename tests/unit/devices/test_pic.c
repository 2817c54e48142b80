/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/pic.h"

#include <string.h>

#include "tests/unit/support.h"

enum { EOI = 0x20, READ_IRR = 0x0a, READ_ISR = 0x0b, POLL = 0x0c, SMM_ON = 0x68, SMM_OFF = 0x48 };

static struct pic pic;

/* As most guests do: vectors 0x20 and 0x28, nothing masked. */
static void begin(uint8_t icw4)
{
	static const uint8_t words[2][3] = {{0x20, 4}, {0x28, 2}};

	pic_reset(&pic);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t port = i ? PIC_PORT_2 : PIC_PORT;

		pic_write(&pic, port, 0x11);
		pic_write(&pic, port + 1, words[i][0]);
		pic_write(&pic, port + 1, words[i][1]);
		pic_write(&pic, port + 1, icw4);
		pic_write(&pic, port + 1, 0);
	}
}

static void pulse(unsigned irq)
{
	pic_set_line(&pic, irq, true);
	pic_set_line(&pic, irq, false);
}

static void expect(uint8_t vector)
{
	assert_true(pic_has_interrupt(&pic));
	assert_int_equal(pic_acknowledge(&pic), vector);
}

static void expect_none(void)
{
	assert_false(pic_has_interrupt(&pic));
}

static uint8_t status(uint64_t port, uint8_t which)
{
	pic_write(&pic, port, which);
	return pic_read(&pic, port);
}

static void after_power_on_it_is_as_firmware_leaves_it(void **state)
{
	pic_reset(&pic);
	pulse(0);
	pulse(8);
	expect_none();
	assert_int_equal(pic_read(&pic, PIC_PORT + 1), 0xff);
	pic_write(&pic, PIC_PORT + 1, 0xfe);
	expect(PIC_VECTOR);
	pic_write(&pic, PIC_PORT, EOI);
	pic_write(&pic, PIC_PORT + 1, 0xfb);
	pic_write(&pic, PIC_PORT_2 + 1, 0xfe);
	expect(PIC_VECTOR_2);
}

static void each_line_has_its_vector(void **state)
{
	for (unsigned irq = 0; irq < PIC_N_LINES; irq++) {
		if (irq == PIC_CASCADE)
			continue;
		begin(1);
		pulse(irq);
		expect((uint8_t)(0x20 + irq));
		expect_none();
		assert_int_equal(status(irq < 8 ? PIC_PORT : PIC_PORT_2, READ_ISR), BIT(irq % 8));
		assert_int_equal(status(PIC_PORT, READ_ISR), irq < 8 ? BIT(irq) : 4);
		if (irq >= 8)
			pic_write(&pic, PIC_PORT_2, EOI);
		pic_write(&pic, PIC_PORT, EOI);
		assert_int_equal(status(PIC_PORT, READ_ISR) | status(PIC_PORT_2, READ_ISR), 0);
	}
}

static void an_edge_is_one_request(void **state)
{
	begin(1);
	pic_set_line(&pic, 3, true);
	expect(0x23);
	pic_write(&pic, PIC_PORT, EOI);
	pic_set_line(&pic, 3, true);
	expect_none();
	pic_set_line(&pic, 3, false);
	pic_set_line(&pic, 3, true);
	expect(0x23);
}

static void a_level_requests_until_it_falls(void **state)
{
	begin(1);
	pic_write(&pic, PIC_ELCR, 0xff);
	pic_write(&pic, PIC_ELCR + 1, 0xff);
	assert_int_equal(pic_read(&pic, PIC_ELCR), 0xf8);
	assert_int_equal(pic_read(&pic, PIC_ELCR + 1), 0xde);
	pic_set_line(&pic, 11, true);
	for (unsigned i = 0; i < 2; i++) {
		expect(0x2b);
		expect_none();
		pic_write(&pic, PIC_PORT_2, EOI);
		pic_write(&pic, PIC_PORT, EOI);
	}
	pic_set_line(&pic, 11, false);
	expect_none();
	/* A line that is asserted becomes a level, and an initialization does not lose it. */
	pic_write(&pic, PIC_ELCR, 0);
	pic_set_line(&pic, 5, true);
	expect(0x25);
	pic_write(&pic, PIC_ELCR, BIT(5));
	assert_int_equal(status(PIC_PORT, READ_IRR), BIT(5));
	pic_write(&pic, PIC_PORT, 0x12);
	pic_write(&pic, PIC_PORT + 1, 0x40);
	expect(0x45);
}

static void an_initialization_forgets_edges_and_masks(void **state)
{
	begin(1);
	pulse(1);
	pic_write(&pic, PIC_PORT + 1, 0xff);
	pic_write(&pic, PIC_PORT, 0x13); /* alone: no ICW3 */
	assert_int_equal(status(PIC_PORT, READ_IRR), 0);
	pic_write(&pic, PIC_PORT + 1, 0x67);
	pic_write(&pic, PIC_PORT + 1, 1);
	assert_int_equal(pic_read(&pic, PIC_PORT + 1), 0);
	pulse(1);
	expect(0x61);
}

static void the_lower_number_goes_first(void **state)
{
	begin(1);
	pulse(4);
	pulse(1);
	pulse(9);
	expect(0x21);
	pulse(0);
	expect(0x20);
	expect_none();
	pic_write(&pic, PIC_PORT, EOI);
	expect_none();
	pic_write(&pic, PIC_PORT, EOI);
	expect(0x29);
	pulse(14);
	expect_none();
	pulse(8); /* higher, but the first chip does not see a difference */
	expect_none();
	pic_write(&pic, PIC_PORT_2, EOI);
	pic_write(&pic, PIC_PORT, EOI);
	expect(0x28);
}

static void in_the_special_nested_mode_the_second_chip_nests(void **state)
{
	begin(0x11);
	pulse(9);
	expect(0x29);
	pulse(8);
	expect(0x28);
	pulse(3);
	expect_none();
}

static void a_masked_request_waits(void **state)
{
	begin(1);
	pic_write(&pic, PIC_PORT + 1, BIT(4));
	assert_false(pic_is_open(&pic, 4));
	pulse(4);
	expect_none();
	pic_write(&pic, PIC_PORT + 1, 0);
	assert_false(pic_is_open(&pic, 4));
	expect(0x24);
	assert_true(pic_is_open(&pic, 4));
	assert_true(pic_is_open(&pic, 8));
	pic_write(&pic, PIC_PORT + 1, BIT(PIC_CASCADE));
	assert_false(pic_is_open(&pic, 8));
}

static void priorities_rotate(void **state)
{
	begin(1);
	pic_write(&pic, PIC_PORT, 0xc3); /* 3 is the lowest */
	pulse(3);
	pulse(4);
	expect(0x24);
	pic_write(&pic, PIC_PORT, 0xa0); /* the highest in service ends, and becomes the lowest */
	pulse(4);
	pulse(5);
	expect(0x25);
	pic_write(&pic, PIC_PORT, 0xe5);
	expect(0x23);
	pic_write(&pic, PIC_PORT, 0x63); /* specific end */
	expect(0x24);
	pic_write(&pic, PIC_PORT, EOI);
	assert_int_equal(status(PIC_PORT, READ_ISR), 0);
	pic_write(&pic, PIC_PORT, EOI);	 /* nothing is in service */
	pic_write(&pic, PIC_PORT, 0x40); /* no operation */
}

static void an_automatic_end_leaves_nothing_in_service(void **state)
{
	begin(3);
	pulse(0);
	expect(0x20);
	assert_int_equal(status(PIC_PORT, READ_ISR), 0);
	pic_write(&pic, PIC_PORT, 0x80); /* rotate on each */
	pulse(0);
	expect(0x20);
	pulse(0);
	pulse(1);
	expect(0x21);
	pic_write(&pic, PIC_PORT, 0); /* do not rotate */
	pulse(1);
	expect(0x20);
	expect(0x21);
}

static void in_the_special_mask_mode_masked_inputs_block_nobody(void **state)
{
	begin(1);
	pulse(2 + 1);
	expect(0x23);
	pulse(5);
	expect_none();
	pic_write(&pic, PIC_PORT + 1, BIT(3));
	expect_none();
	pic_write(&pic, PIC_PORT, SMM_ON);
	expect(0x25);
	pic_write(&pic, PIC_PORT, EOI);
	assert_int_equal(status(PIC_PORT, READ_ISR), BIT(3));
	pic_write(&pic, PIC_PORT, EOI); /* does not end a masked one */
	assert_int_equal(status(PIC_PORT, READ_ISR), BIT(3));
	pic_write(&pic, PIC_PORT, SMM_OFF);
	pic_write(&pic, PIC_PORT, EOI);
	assert_int_equal(status(PIC_PORT, READ_ISR), 0);
}

static void what_is_gone_is_spurious(void **state)
{
	begin(1);
	assert_int_equal(pic_acknowledge(&pic), 0x27);
	assert_int_equal(status(PIC_PORT, READ_ISR), 0);
	pic_write(&pic, PIC_ELCR + 1, BIT(3));
	pic_set_line(&pic, 11, true);
	pic.chip[1].irr = 0; /* the line falls while the first chip acknowledges */
	assert_int_equal(pic_acknowledge(&pic), 0x2f);
	assert_int_equal(status(PIC_PORT, READ_ISR), BIT(PIC_CASCADE));
	assert_int_equal(status(PIC_PORT_2, READ_ISR), 0);
}

static void a_poll_acknowledges(void **state)
{
	begin(1);
	assert_int_equal(status(PIC_PORT, POLL), 0);
	pulse(6);
	pulse(12);
	assert_int_equal(status(PIC_PORT, POLL), 0x80 | PIC_CASCADE);
	assert_int_equal(status(PIC_PORT_2, POLL), 0x84);
	assert_int_equal(pic_read(&pic, PIC_PORT_2 + 1), 0);
	assert_int_equal(status(PIC_PORT_2, READ_ISR), BIT(4));
	pic_write(&pic, PIC_PORT_2, EOI);
	pic_write(&pic, PIC_PORT, EOI);
	expect(0x26);
}

static void what_was_not_delivered_is_requested_again(void **state)
{
	for (unsigned icw4 = 1; icw4 <= 3; icw4 += 2)
		for (unsigned irq = 0; irq < PIC_N_LINES; irq += 5) {
			uint8_t vector = (uint8_t)(0x20 + irq);

			begin((uint8_t)icw4);
			pulse(irq);
			expect(vector);
			expect_none();
			pic_take_back(&pic, vector);
			assert_int_equal(status(PIC_PORT, READ_ISR), 0);
			expect(vector);
		}
	begin(1);
	pic_take_back(&pic, 0x27); /* a spurious one */
	pic_take_back(&pic, 0x2f);
	pic_take_back(&pic, 0x50); /* another's */
	expect_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_power_on_it_is_as_firmware_leaves_it),
		cmocka_unit_test(each_line_has_its_vector),
		cmocka_unit_test(an_edge_is_one_request),
		cmocka_unit_test(a_level_requests_until_it_falls),
		cmocka_unit_test(an_initialization_forgets_edges_and_masks),
		cmocka_unit_test(the_lower_number_goes_first),
		cmocka_unit_test(in_the_special_nested_mode_the_second_chip_nests),
		cmocka_unit_test(a_masked_request_waits),
		cmocka_unit_test(priorities_rotate),
		cmocka_unit_test(an_automatic_end_leaves_nothing_in_service),
		cmocka_unit_test(in_the_special_mask_mode_masked_inputs_block_nobody),
		cmocka_unit_test(what_is_gone_is_spurious),
		cmocka_unit_test(a_poll_acknowledges),
		cmocka_unit_test(what_was_not_delivered_is_requested_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
