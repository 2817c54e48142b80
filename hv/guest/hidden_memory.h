/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"

/*
 * Hidden regions of a VM's map (hv/guest/region.h): what only devices reach, such as the blocks of
 * a disk. These functions are the only way to their bytes, and lead to no others; those of
 * guest_memory.h do not lead there. Call them with the VM's lock held.
 *
 * ERR_RANGE: a part of the range is not in a hidden region, or may not be written; nothing has
 * changed.
 */

/* As guest_byte(): for reading, to the end of the page. NULL: gpa is not in a hidden region. */
const void *hidden_byte(struct guest_memory *memory, gpa_t gpa);

/* As guest_write() and guest_zero(), ERR_NOMEM included. A range lies in one region. */
enum status hidden_write(struct guest_memory *memory, gpa_t gpa, const void *buf, uint64_t len);
enum status hidden_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len);

/*
 * Give whole pages of private memory back, which read as zeros from then on: one page at gpa, or
 * more. '*ret_done': how many bytes; the rest of 'len', if any, is for further calls. ERR_RANGE
 * also if the memory is not private. ERR_NOMEM: nothing has changed.
 */
enum status hidden_discard(struct guest_memory *memory, gpa_t gpa, uint64_t len,
			   uint64_t *ret_done);
