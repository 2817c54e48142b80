/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers that depend on the seed alone: SplitMix64. */
#include "tests/guest/hostile/hostile.h"

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

struct random random_of(uint64_t seed, uint64_t actor, uint64_t action)
{
	struct random r = {seed};

	r.state = random_next(&r) + actor;
	r.state = random_next(&r) + action;
	return r;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

bool random_once_in(struct random *r, uint64_t n)
{
	return random_below(r, n) == 0;
}

uint64_t random_value(struct random *r)
{
	uint64_t bit = BIT(random_below(r, 64));

	switch (random_below(r, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return bit;
	case 3:
		return bit - 1;
	case 4:
		return ~bit;
	case 5:
		return bit | BIT(random_below(r, 64));
	case 6:
		return random_next(r) >> random_below(r, 64);
	default:
		return random_next(r);
	}
}
