/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decoder for LZMA with fixed parameters, after the specification of the LZMA SDK. Before
 * relocations are applied it must already work: it has no tables of pointers.
 *
 * Bytes that the stream lacks count as zeros, and are noticed after the symbol that needed them: a
 * symbol gives a byte at least or ends the loop, so that no input makes it run forever.
 */
#include "boot/lzma.h"

enum {
	BITS_PROBABILITY = 11, /* of the probability that a bit is 0 */
	BITS_ADAPT = 5,	       /* a 32nd of the way to what was seen */
	BITS_LITERAL = 8,
	BITS_CONTEXT = 3, /* lc */
	BITS_SLOT = 6,
	BITS_ALIGN = 4,
	BITS_LOW = 3, /* of lengths: 8, then 8 more, then 256 */
	BITS_HIGH = 8,
	LEN_MIN = 2,
	N_LEN_KINDS = 4,	/* lengths 2, 3, 4, and all others */
	SLOT_FIRST_TREE = 4,	/* slots below are distances; those up to */
	SLOT_FIRST_DIRECT = 14, /* here have a tree of their own */
	N_SLOT_TREES = 115,
	N_STATES = 12,
	STATE_FIRST_MATCH = 7, /* states below: the last symbol was a literal */
	N_LITERAL = 0x300,     /* a tree, and one for each value of a bit to be compared with */
};

#define RANGE_MIN (UINT32_C(1) << 24)
#define END_MARK  UINT32_MAX /* as a distance */

struct len_model {
	uint16_t is_longer[2];
	uint16_t low[1 << BITS_LOW], middle[1 << BITS_LOW], high[1 << BITS_HIGH];
};

/* Probabilities only. */
struct model {
	uint16_t is_match[N_STATES], is_repeat[N_STATES], is_older[3][N_STATES], is_long[N_STATES];
	struct len_model match_len, repeat_len;
	uint16_t slot[N_LEN_KINDS][1 << BITS_SLOT];
	uint16_t slot_tree[N_SLOT_TREES];
	uint16_t align[1 << BITS_ALIGN];
	uint16_t literal[1 << BITS_CONTEXT][N_LITERAL];
};

struct decoder {
	const uint8_t *in, *in_end;
	uint32_t range, code; /* code < range */
	bool is_short;	      /* the stream lacks bytes that were needed */
	unsigned state;
	uint32_t distance[4]; /* minus 1, the latest first */
	uint8_t *out;
	size_t at, size;
	struct model *model;
};

static inline void refill(struct decoder *d)
{
	if (d->range >= RANGE_MIN)
		return;
	d->range <<= 8;
	d->code <<= 8;
	if (d->in < d->in_end)
		d->code |= *d->in++;
	else
		d->is_short = true;
}

static inline unsigned decode_bit(struct decoder *d, uint16_t *probability)
{
	uint32_t p = *probability, bound;

	refill(d);
	bound = (d->range >> BITS_PROBABILITY) * p;
	if (d->code < bound) {
		d->range = bound;
		*probability = (uint16_t)(p + (((1u << BITS_PROBABILITY) - p) >> BITS_ADAPT));
		return 0;
	}
	d->range -= bound;
	d->code -= bound;
	*probability = (uint16_t)(p - (p >> BITS_ADAPT));
	return 1;
}

/* Each bit of a tree, the highest first, is decoded with a probability that those before choose. */
static unsigned decode_tree(struct decoder *d, uint16_t *tree, unsigned n_bits)
{
	unsigned node = 1;

	for (unsigned i = 0; i < n_bits; i++)
		node = node << 1 | decode_bit(d, &tree[node]);
	return node - (1u << n_bits);
}

/* The lowest bit first. */
static unsigned decode_reverse_tree(struct decoder *d, uint16_t *tree, unsigned n_bits)
{
	unsigned node = 1, value = 0;

	for (unsigned i = 0; i < n_bits; i++) {
		unsigned bit = decode_bit(d, &tree[node]);

		node = node << 1 | bit;
		value |= bit << i;
	}
	return value;
}

/* Bits that are as likely 0 as 1. */
static uint32_t decode_direct(struct decoder *d, unsigned n_bits)
{
	uint32_t value = 0;

	while (n_bits-- > 0) {
		uint32_t bit;

		refill(d);
		d->range >>= 1;
		bit = d->code >= d->range;
		if (bit)
			d->code -= d->range;
		value = value << 1 | bit;
	}
	return value;
}

/* False: no room. */
static bool put(struct decoder *d, unsigned byte)
{
	if (d->at == d->size)
		return false;
	d->out[d->at++] = (uint8_t)byte;
	return true;
}

/*
 * After a match, the byte at its distance is likely to differ: the bits compared so far choose the
 * tree, until one differs.
 */
static bool decode_literal(struct decoder *d)
{
	unsigned before = d->at > 0 ? d->out[d->at - 1] : 0, node = 1;
	uint16_t *tree = d->model->literal[before >> (BITS_LITERAL - BITS_CONTEXT)];

	if (d->state >= STATE_FIRST_MATCH) {
		unsigned other = d->out[d->at - d->distance[0] - 1], bit, other_bit;

		do {
			other_bit = other >> (BITS_LITERAL - 1) & 1;
			other <<= 1;
			bit = decode_bit(d, &tree[((1 + other_bit) << BITS_LITERAL) + node]);
			node = node << 1 | bit;
		} while (bit == other_bit && node < 1u << BITS_LITERAL);
	}
	while (node < 1u << BITS_LITERAL)
		node = node << 1 | decode_bit(d, &tree[node]);
	d->state -= d->state < 4 ? d->state : d->state < 10 ? 3 : 6;
	return put(d, node & 0xff);
}

/* The length minus 2. */
static unsigned decode_len(struct decoder *d, struct len_model *model)
{
	if (!decode_bit(d, &model->is_longer[0]))
		return decode_tree(d, model->low, BITS_LOW);
	if (!decode_bit(d, &model->is_longer[1]))
		return (1 << BITS_LOW) + decode_tree(d, model->middle, BITS_LOW);
	return (2 << BITS_LOW) + decode_tree(d, model->high, BITS_HIGH);
}

/* The distance minus 1. A slot is its two highest bits and their place. */
static uint32_t decode_distance(struct decoder *d, unsigned len)
{
	struct model *model = d->model;
	unsigned kind = len < N_LEN_KINDS - 1 ? len : N_LEN_KINDS - 1, n_bits;
	uint32_t slot = decode_tree(d, model->slot[kind], BITS_SLOT), distance;

	if (slot < SLOT_FIRST_TREE)
		return slot;
	n_bits = (slot >> 1) - 1;
	distance = (2 | (slot & 1)) << n_bits;
	if (slot < SLOT_FIRST_DIRECT)
		return distance +
		       decode_reverse_tree(d, &model->slot_tree[distance - slot], n_bits);
	distance += decode_direct(d, n_bits - BITS_ALIGN) << BITS_ALIGN;
	return distance + decode_reverse_tree(d, model->align, BITS_ALIGN);
}

/* Copy from the latest distance, byte by byte: source and target may overlap. False: impossible. */
static bool copy(struct decoder *d, size_t len)
{
	uint8_t *to = d->out + d->at;
	const uint8_t *from;

	if (d->distance[0] >= d->at || len > d->size - d->at)
		return false;
	from = to - d->distance[0] - 1;
	d->at += len;
	for (const uint8_t *end = to + len; to < end; to++, from++)
		*to = *from;
	return true;
}

/*
 * Make an older distance the latest. Not as a loop: the compiler would replace it by a call of
 * memmove(), which is packed.
 */
static void use_again(struct decoder *d, unsigned i)
{
	uint32_t distance = d->distance[i];

	if (i > 2)
		d->distance[3] = d->distance[2];
	if (i > 1)
		d->distance[2] = d->distance[1];
	d->distance[1] = d->distance[0];
	d->distance[0] = distance;
}

/* A distance of before: with a length, or the latest for one byte. */
static bool decode_repeat(struct decoder *d)
{
	struct model *model = d->model;
	unsigned state = d->state, len;

	d->state = state < STATE_FIRST_MATCH ? 8 : 11;
	if (decode_bit(d, &model->is_older[0][state])) {
		unsigned i = 1;

		while (i < 3 && decode_bit(d, &model->is_older[i][state]))
			i++;
		use_again(d, i);
	} else if (!decode_bit(d, &model->is_long[state])) {
		d->state = state < STATE_FIRST_MATCH ? 9 : 11;
		return copy(d, 1);
	}
	len = LEN_MIN + decode_len(d, &model->repeat_len);
	return copy(d, len);
}

/* Whether the end mark is where it must be, and the encoder's last bytes were zeros. */
static bool is_whole(struct decoder *d)
{
	refill(d);
	return !d->is_short && d->in == d->in_end && d->code == 0 && d->at == d->size;
}

static bool decode_symbols(struct decoder *d)
{
	struct model *model = d->model;

	while (!d->is_short) {
		bool is_possible;

		if (!decode_bit(d, &model->is_match[d->state])) {
			is_possible = decode_literal(d);
		} else if (decode_bit(d, &model->is_repeat[d->state])) {
			is_possible = decode_repeat(d);
		} else {
			unsigned len = decode_len(d, &model->match_len);

			use_again(d, 3);
			d->distance[0] = decode_distance(d, len);
			d->state = d->state < STATE_FIRST_MATCH ? 7 : 10;
			if (d->distance[0] == END_MARK)
				return is_whole(d);
			is_possible = copy(d, LEN_MIN + len);
		}
		if (!is_possible)
			return false;
	}
	return false;
}

bool lzma_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t size)
{
	struct model model;
	struct decoder d = {.in_end = in + len, .range = UINT32_MAX, .out = out, .size = size};

	if (len < 5 || in[0] != 0)
		return false;
	d.in = in + 5;
	d.code = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4];
	if (d.code == d.range)
		return false;
	for (size_t i = 0; i < sizeof(model) / sizeof(uint16_t); i++)
		((uint16_t *)&model)[i] = 1u << (BITS_PROBABILITY - 1);
	d.model = &model;
	return decode_symbols(&d);
}
