/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/protect.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/paging.h"

static bool is_on; /* constant after start */

/* How far protect_lift() has got: through the log, and then what all processors wait for. */
static struct ept_layer_cursor lifting;
static uint64_t awaited; /* 0: nothing */

static void set_frame(void *write, phys_t frame)
{
	paging_protect_frame(frame, *(const bool *)write);
}

void protect_begin(void)
{
	is_on = true;
}

bool protect_is_on(void)
{
	return is_on;
}

bool protect_some(struct ept_layer *layer, unsigned n)
{
	bool write = false;

	if (!is_on || layer->is_protected)
		return false;
	if (ept_layer_each(layer, &layer->protecting, n, set_frame, &write))
		return true;
	(void)paging_renew();
	layer->is_protected = true;
	return false;
}

static void wake_others(void)
{
	for (unsigned i = 0; i < n_cpus; i++)
		if (cpus[i] != this_cpu())
			host_apic_send_wake(cpus[i]->apic_id);
}

/* A processor that writes with an old translation would take a fault, and lose its guest's CR2. */
bool protect_lift(struct ept_layer *layer, unsigned n)
{
	bool write = true;

	if (!is_on || ept_layer_is_shared(layer))
		return true;
	if (awaited == 0) {
		if (ept_layer_each(layer, &lifting, n, set_frame, &write))
			return false;
		awaited = paging_renew();
		wake_others();
	}
	if (!paging_is_everywhere(awaited))
		return false;
	lifting = (struct ept_layer_cursor){0};
	awaited = 0;
	return true;
}
