/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/bury.h"

#include "hv/guest/working_set.h"
#include "hv/host/io.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/build.h"
#include "hv/vm/checksum.h"
#include "hv/vm/hold.h"
#include "hv/vm/output.h"
#include "hv/vm/protect.h"
#include "hv/vm/tell.h"
#include "hv/vm/template.h"

/* One processor buries at a time: the one that has set 'is_digging' owns 'buried'. */
static bool is_digging;		 /* atomic */
static struct vm *buried;	 /* its layer is being freed */
static struct ept_layer_sum sum; /* of its layer */
static uint16_t weight;		 /* its weight: it pays, although it has ended */
/* The VM is; the layer is, with its checksum; its frames can be written. */
static bool is_released, is_compared, can_free;

/* Its tree holds the layer, too: release that first. False: a piece of its memory was discarded. */
static bool release(void)
{
	if (vm_discard_some(buried))
		return false;
	vm_release(buried);
	return true;
}

static void begin_burial(void)
{
	vms_acquire();
	buried = template_take_unheld();
	lock_release(&vms_lock);
	if (buried == NULL)
		return;
	is_compared = can_free = false;
	sum = (struct ept_layer_sum){0};
	weight = buried->share.weight;
	vm_tell_clones(buried);
	working_set_free(buried->working_set);
	is_released = release();
}

/* The machine stays on as long as there is a grave: clones that waited start before. */
static void end_burial(void)
{
	struct vm *parent = template_held_by(buried);

	ept_layer_put(buried->layer);
	vm_output_leave(buried);
	vm_free(buried);
	buried = NULL;
	vms_acquire();
	template_put(parent);
	lock_release(&vms_lock);
	template_retry_lines();
	template_end_grave();
}

bool template_bury(unsigned n)
{
	uint64_t start = rdtsc();
	bool is_other = false;

	if (!template_has_graves() ||
	    !__atomic_compare_exchange_n(&is_digging, &is_other, true, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	if (buried == NULL)
		begin_burial();
	else if (!is_released)
		is_released = release();
	else if (!is_compared)
		is_compared = !checksum_compare_some(buried, &sum, n);
	else if (!can_free)
		can_free = protect_lift(buried->layer, n);
	else if (!ept_layer_free_some(buried->layer, n))
		end_burial();
	sched_charge_ended(weight, rdtsc() - start);
	/* Release pairs with the acquire above: the next processor sees how far this one got. */
	__atomic_store_n(&is_digging, false, __ATOMIC_RELEASE);
	return true;
}

void template_bury_all(void)
{
	while (template_has_graves())
		(void)template_bury(UINT32_MAX);
}
