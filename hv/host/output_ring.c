/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/output_ring.h"

#include "hv/lib/assert.h"

size_t output_ring_len(const struct output_ring *ring)
{
	return ring->head - ring->tail;
}

void output_ring_put(struct output_ring *ring, char c)
{
	assert(output_ring_len(ring) < OUTPUT_RING_SIZE);
	ring->data[ring->head++ % OUTPUT_RING_SIZE] = c;
}

char output_ring_take(struct output_ring *ring)
{
	assert(output_ring_len(ring) > 0);
	return ring->data[ring->tail++ % OUTPUT_RING_SIZE];
}

void output_ring_rewind(struct output_ring *ring)
{
	ring->tail = ring->head > OUTPUT_RING_SIZE ? ring->head - OUTPUT_RING_SIZE : 0;
}
