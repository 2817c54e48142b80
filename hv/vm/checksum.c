/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/checksum.h"

#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/hold.h"
#include "hv/vm/output.h"

static bool takes_checksums; /* constant after start */
static unsigned n_unsummed;  /* templates without a checksum; atomic */

/* One processor works at a time: the one that has set 'is_adding' owns 'summed'. */
static bool is_adding; /* atomic */
static struct vm *summed;

void checksum_set(bool on)
{
	takes_checksums = on;
}

void checksum_note(struct vm *template)
{
	if (!takes_checksums)
		return;
	template->awaits_checksum = true;
	template_hold(template);
	__atomic_fetch_add(&n_unsummed, 1, __ATOMIC_RELAXED);
}

bool checksum_has_work(void)
{
	return __atomic_load_n(&n_unsummed, __ATOMIC_RELAXED) > 0;
}

static struct vm *find_unsummed(void)
{
	struct vm *vm;

	vms_acquire();
	vm = vms;
	while (!vm->awaits_checksum)
		vm = vm->next;
	lock_release(&vms_lock);
	return vm;
}

static void end_sum(void)
{
	lock_acquire(&vms_lock);
	summed->awaits_checksum = false;
	template_put(summed);
	lock_release(&vms_lock);
	summed = NULL;
	__atomic_fetch_sub(&n_unsummed, 1, __ATOMIC_RELAXED);
}

bool checksum_work(void)
{
	uint64_t start = rdtsc();
	bool is_other = false, more;

	if (!checksum_has_work() ||
	    !__atomic_compare_exchange_n(&is_adding, &is_other, true, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	if (summed == NULL)
		summed = find_unsummed();
	/* A clone that has changed nothing has its template's layer, whose checksum is complete. */
	more = ept_layer_sum_some(summed->layer, &summed->layer->sum, CHECKSUM_AT_ONCE);
	sched_charge_work(&summed->share, rdtsc() - start);
	if (!more)
		end_sum();
	/* Release pairs with the acquire above: the next processor sees how far this one got. */
	__atomic_store_n(&is_adding, false, __ATOMIC_RELEASE);
	return true;
}

bool checksum_compare_some(struct vm *buried, struct ept_layer_sum *now, unsigned n)
{
	const struct ept_layer_sum *sum = &buried->layer->sum;

	if (!sum->is_complete)
		return false;
	if (ept_layer_sum_some(buried->layer, now, n < CHECKSUM_AT_ONCE ? n : CHECKSUM_AT_ONCE))
		return true;
	if (now->value != sum->value)
		panic("template %s has changed: checksum %016lx", vm_name(buried), now->value);
	vm_output_pays(buried);
	log_info("template %s: unchanged, checksum %016lx", vm_name(buried), now->value);
	return false;
}
