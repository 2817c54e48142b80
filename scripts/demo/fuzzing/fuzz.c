/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzzing loop without a fuzzer outside: the guest prepares and becomes a template, and each
 * clone tries one input after the other. After an input the clone reverts, so that the next one
 * finds everything as it was. Only the count of reverts, which Stencil keeps, tells the rounds
 * apart: it is the seed of the input, so that a find can be repeated.
 *	rounds=N   inputs of each clone (2000)
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	   0x5354 /* docs/guest-interface.md */
#define N_REVERTS  (CONTROL + 12)
#define FREEZE	   1
#define REVERT	   2
#define INPUT_SIZE 16

struct input {
	uint8_t byte[INPUT_SIZE];
};

/* What the inputs are made from: three records, each 'S', a kind, and a position of two bytes. */
static const struct input sample = {{'S', 1, 0, 3, 'S', 2, 0, 5, 'S', 1, 0, 7, 'S', 0}};

static uint64_t table[256];
static uint64_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_state >> 33);
}

static void make_input(struct input *input, uint32_t clone, uint32_t round)
{
	random_state = (uint64_t)clone << 32 | round;
	*input = sample;
	for (unsigned n = 0; n < 3; n++) {
		uint8_t *byte = &input->byte[next_random() % INPUT_SIZE];

		*byte = (uint8_t)next_random();
	}
}

/* The program that is tested. For records of kind 7 it forgets to look at the position. */
static void parse(void *arg)
{
	const uint8_t *byte = ((const struct input *)arg)->byte;

	for (unsigned i = 0; i + 4 <= INPUT_SIZE && byte[i] == 'S'; i += 4) {
		uint64_t position = (uint64_t)byte[i + 2] << 32 | byte[i + 3];

		if (byte[i + 1] != 7 && (byte[i + 1] > 2 || position >= 256))
			return;
		table[position]++;
	}
}

static void show(const struct input *input)
{
	for (unsigned i = 0; i < INPUT_SIZE; i++)
		print(" %02x", input->byte[i]);
	print("\n");
}

void payload(void)
{
	uint32_t clone, round;
	struct input input;

	outl(FREEZE, CONTROL);
	clone = inl(CONTROL);
	round = inl(N_REVERTS);
	if (round == param_number("rounds", 2000)) {
		print("clone %u: %u rounds, nothing found\n", clone, round);
		exit_vm(0);
	}
	make_input(&input, clone, round);
	if (catch_fault(parse, &input) == NO_FAULT)
		outl(REVERT, CONTROL);
	print("clone %u: round %u: exception %u with", clone, round, last_fault.vector);
	show(&input);
	exit_vm(1);
}
