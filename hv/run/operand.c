/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Find the bytes of an instruction's operand. What the processor has translated before the exit is
 * taken from the exit; other pages are looked up in the guest's page tables.
 */
#include "hv/run/operand.h"

static enum status find_place(struct operand_space *space, uint64_t linear, unsigned rights,
			      struct operand_part *ret)
{
	if (operand_is_known(space, linear, 1, rights)) {
		ret->gpa =
			(gpa_t){align_down(space->known_gpa.raw, PAGE_SIZE) | linear % PAGE_SIZE};
		ret->is_memory = space->known_is_memory;
		return OK;
	}
	TRY(guest_translate(&space->paging, linear, rights, &ret->gpa));
	ret->is_memory = guest_byte(space->paging.memory, ret->gpa) != NULL;
	return OK;
}

/* Memory that will be written gets its frame now: a device that is read first is read once. */
static enum status find_part(struct operand_space *space, uint64_t linear, unsigned rights,
			     struct operand_part *ret)
{
	enum status status;

	TRY(find_place(space, linear, rights, ret));
	if (!(rights & ACCESS_WRITE) || !ret->is_memory)
		return OK;
	status = guest_prepare_write(space->paging.memory, ret->gpa);
	if (status == ERR_NOMEM)
		space->paging.fault.gpa = ret->gpa;
	return status;
}

enum status operand_find(struct operand_space *space, uint64_t linear, size_t size, unsigned rights,
			 struct operand *ret)
{
	uint64_t first = part_in_page(linear, size);

	ret->n_parts = 1;
	ret->part[0].len = (uint8_t)first;
	TRY(find_part(space, linear, rights, &ret->part[0]));
	if (first == size)
		return OK;
	ret->n_parts = 2;
	ret->part[1].len = (uint8_t)(size - first);
	return find_part(space, (linear + first) & space->linear_mask, rights, &ret->part[1]);
}
