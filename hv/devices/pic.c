/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two 8259As (the 8259A datasheet, and the edge/level control registers of the PC's south bridges).
 * An edge is a request until it is acknowledged, even if its line falls before. The MCS-80 mode,
 * buffered mode and ICW3 have no effect: the wiring of the pair is constant.
 */
#include "hv/devices/pic.h"

#include "hv/lib/assert.h"

#define INPUTS	     8
#define SPURIOUS     7
#define CASCADE_BIT  BIT(PIC_CASCADE)
#define ICW1_IS_ICW1 0x10
#define ICW1_SINGLE  0x02
#define ICW1_ICW4    0x01
#define ICW4_NESTED  0x10
#define ICW4_AEOI    0x02
#define OCW3_IS_OCW3 0x08
#define OCW3_POLL    0x04
#define OCW3_READS   0x02 /* bit 0 chooses what is read */
#define OCW3_SMM     0x40 /* bit 5 switches the special mask mode */
#define POLL_PENDING 0x80

/* Timer, keyboard and cascade are edges, and so are clock and coprocessor. */
static const uint8_t elcr_bits[PIC_N_CHIPS] = {0xf8, 0xde};

/* The input of highest priority in 'map', as a distance from the first; INPUTS: none. */
static unsigned highest(const struct pic_chip *chip, uint8_t map)
{
	unsigned rotated = (unsigned)map << 8 | map;

	rotated = rotated >> chip->first & 0xff;
	return rotated == 0 ? INPUTS : (unsigned)__builtin_ctz(rotated);
}

static unsigned input_at(const struct pic_chip *chip, unsigned distance)
{
	return (chip->first + distance) % INPUTS;
}

/* The input that may interrupt now; -1: none. 'nested' are inputs that do not block themselves. */
static int pending(const struct pic_chip *chip, uint8_t nested)
{
	uint8_t in_service = chip->isr;
	unsigned request = highest(chip, chip->irr & (uint8_t)~chip->imr), limit;

	if (chip->special_mask)
		in_service &= (uint8_t)~chip->imr;
	limit = highest(chip, in_service);
	if (request > limit || request == INPUTS)
		return -1;
	if (request == limit && !(nested & BIT(input_at(chip, request))))
		return -1;
	return (int)input_at(chip, request);
}

static int pending_second(const struct pic *pic)
{
	return pending(&pic->chip[1], 0);
}

static int pending_first(const struct pic *pic)
{
	return pending(&pic->chip[0], pic->chip[0].special_nested ? CASCADE_BIT : 0);
}

/* The second chip's output is the first one's input. */
static void update_cascade(struct pic *pic)
{
	if (pending_second(pic) >= 0)
		pic->chip[0].irr |= CASCADE_BIT;
	else
		pic->chip[0].irr &= (uint8_t)~CASCADE_BIT;
}

void pic_reset(struct pic *pic)
{
	*pic = (struct pic){.chip = {{.vector = PIC_VECTOR, .imr = 0xff},
				     {.vector = PIC_VECTOR_2, .imr = 0xff}}};
}

void pic_set_line(struct pic *pic, unsigned irq, bool level)
{
	struct pic_chip *chip = &pic->chip[irq / INPUTS];
	uint8_t bit = (uint8_t)BIT(irq % INPUTS);

	assert(irq < PIC_N_LINES && irq != PIC_CASCADE);
	if (level && (chip->elcr & bit || !(chip->line & bit)))
		chip->irr |= bit;
	else if (!level && chip->elcr & bit)
		chip->irr &= (uint8_t)~bit;
	chip->line = level ? chip->line | bit : chip->line & (uint8_t)~bit;
	update_cascade(pic);
}

bool pic_has_interrupt(const struct pic *pic)
{
	return pending_first(pic) >= 0;
}

bool pic_is_open(const struct pic *pic, unsigned irq)
{
	const struct pic_chip *chip = &pic->chip[irq / INPUTS];

	return !((chip->imr | chip->irr) & BIT(irq % INPUTS)) &&
	       (irq < INPUTS || !(pic->chip[0].imr & CASCADE_BIT));
}

/* Returns the input's number. */
static unsigned acknowledge(struct pic_chip *chip, int input)
{
	uint8_t bit;

	if (input < 0)
		return SPURIOUS;
	bit = (uint8_t)BIT(input);
	if (!(chip->elcr & bit))
		chip->irr &= (uint8_t)~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotates)
		chip->first = (uint8_t)((input + 1) % INPUTS);
	return (unsigned)input;
}

uint8_t pic_acknowledge(struct pic *pic)
{
	struct pic_chip *chip = &pic->chip[0];
	unsigned input = acknowledge(chip, pending_first(pic));

	if (input == PIC_CASCADE) {
		chip = &pic->chip[1];
		input = acknowledge(chip, pending_second(pic));
	}
	update_cascade(pic);
	return (uint8_t)(chip->vector + input);
}

/* Whether the input was in service, or has ended by itself. */
static bool request_again(struct pic_chip *chip, uint8_t bit)
{
	if (!(chip->isr & bit) && !chip->auto_eoi)
		return false;
	chip->isr &= (uint8_t)~bit;
	chip->irr |= bit;
	return true;
}

void pic_take_back(struct pic *pic, uint8_t vector)
{
	uint8_t bit = (uint8_t)BIT(vector % INPUTS);

	if (vector - vector % INPUTS == pic->chip[0].vector)
		request_again(&pic->chip[0], bit);
	else if (vector - vector % INPUTS == pic->chip[1].vector &&
		 request_again(&pic->chip[1], bit))
		pic->chip[0].isr &= (uint8_t)~CASCADE_BIT;
	update_cascade(pic);
}

static uint8_t poll(struct pic *pic, struct pic_chip *chip)
{
	int input = chip == pic->chip ? pending_first(pic) : pending_second(pic);

	chip->polls = false;
	if (input < 0)
		return 0;
	acknowledge(chip, input);
	update_cascade(pic);
	return (uint8_t)(POLL_PENDING | input);
}

uint8_t pic_read(struct pic *pic, uint64_t port)
{
	struct pic_chip *chip;

	if (port >= PIC_ELCR)
		return pic->chip[port - PIC_ELCR].elcr;
	chip = &pic->chip[port >= PIC_PORT_2];
	if (chip->polls)
		return poll(pic, chip);
	if (port & 1)
		return chip->imr;
	return chip->reads_isr ? chip->isr : chip->irr;
}

/* Requests by edges are lost; levels are still there. */
static void begin_initialization(struct pic_chip *chip, uint8_t icw1)
{
	*chip = (struct pic_chip){
		.line = chip->line,
		.irr = chip->line & chip->elcr,
		.elcr = chip->elcr,
		.vector = chip->vector,
		.phase = PIC_WANTS_ICW2,
		.icw1 = icw1,
	};
}

static uint8_t phase_after(const struct pic_chip *chip)
{
	if (chip->phase == PIC_WANTS_ICW2 && !(chip->icw1 & ICW1_SINGLE))
		return PIC_WANTS_ICW3;
	if (chip->phase != PIC_WANTS_ICW4 && chip->icw1 & ICW1_ICW4)
		return PIC_WANTS_ICW4;
	return PIC_READY;
}

/* The second port: the next initialization word, or the mask. */
static void write_second(struct pic_chip *chip, uint8_t value)
{
	switch (chip->phase) {
	case PIC_READY:
		chip->imr = value;
		return;
	case PIC_WANTS_ICW2:
		chip->vector = value & 0xf8;
		break;
	case PIC_WANTS_ICW4:
		chip->special_nested = (value & ICW4_NESTED) != 0;
		chip->auto_eoi = (value & ICW4_AEOI) != 0;
		break;
	default:
		break;
	}
	chip->phase = phase_after(chip);
}

/* In the special mask mode, an interrupt whose input is masked must be ended by its number. */
static void end_highest(struct pic_chip *chip, bool rotate)
{
	uint8_t map = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;
	unsigned distance = highest(chip, map), input = input_at(chip, distance);

	if (distance == INPUTS)
		return;
	chip->isr &= (uint8_t)~BIT(input);
	if (rotate)
		chip->first = (uint8_t)((input + 1) % INPUTS);
}

/* Bits 7:5 are R, SL and EOI. */
static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	uint8_t input = value % INPUTS, next = (uint8_t)((input + 1) % INPUTS);

	switch (value >> 5) {
	case 0:
	case 4:
		chip->rotates = value >> 5 == 4;
		break;
	case 1:
	case 5:
		end_highest(chip, value >> 5 == 5);
		break;
	case 7:
		chip->first = next;
		chip->isr &= (uint8_t)~BIT(input);
		break;
	case 3:
		chip->isr &= (uint8_t)~BIT(input);
		break;
	case 6:
		chip->first = next;
		break;
	default:
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_POLL)
		chip->polls = true;
	if (value & OCW3_READS)
		chip->reads_isr = value & 1;
	if (value & OCW3_SMM)
		chip->special_mask = (value & 0x20) != 0;
}

static void write_first(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1_IS_ICW1)
		begin_initialization(chip, value);
	else if (value & OCW3_IS_OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_elcr(struct pic *pic, unsigned n, uint8_t value)
{
	struct pic_chip *chip = &pic->chip[n];

	chip->elcr = value & elcr_bits[n];
	chip->irr = (chip->irr & (uint8_t)~chip->elcr) | (chip->line & chip->elcr);
}

void pic_write(struct pic *pic, uint64_t port, uint8_t value)
{
	struct pic_chip *chip = &pic->chip[port >= PIC_PORT_2];

	if (port >= PIC_ELCR)
		write_elcr(pic, (unsigned)(port - PIC_ELCR), value);
	else if (port & 1)
		write_second(chip, value);
	else
		write_first(chip, value);
	update_cascade(pic);
}

static const struct state_field pic_chip_fields[] = {
	STATE_FIELD(struct pic_chip, line, 0xff),
	STATE_FIELD(struct pic_chip, irr, 0xff),
	STATE_FIELD(struct pic_chip, isr, 0xff),
	STATE_FIELD(struct pic_chip, imr, 0xff),
	STATE_FIELD(struct pic_chip, elcr, 0xfe), /* of either */
	STATE_FIELD(struct pic_chip, first, 7),
	STATE_FIELD(struct pic_chip, vector, 0xf8),
	STATE_FIELD(struct pic_chip, phase, 3),
	STATE_FIELD(struct pic_chip, icw1, 0xff),
	STATE_FIELD(struct pic_chip, auto_eoi, 1),
	STATE_FIELD(struct pic_chip, rotates, 1),
	STATE_FIELD(struct pic_chip, special_mask, 1),
	STATE_FIELD(struct pic_chip, special_nested, 1),
	STATE_FIELD(struct pic_chip, reads_isr, 1),
	STATE_FIELD(struct pic_chip, polls, 1),
};

const struct device_class pic_chip_class = {
	.name = "pic",
	.fields = pic_chip_fields,
	.n_fields = ARRAY_SIZE(pic_chip_fields),
	.since = 5,
};
