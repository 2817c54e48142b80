/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Check that the RAM of 'vm' lies below 2^phys_bits, and give each DIMM of 'vm' its slot and
 * address, or refuse it as QEMU does. The window starts at the first GiB boundary at or above the
 * end of the RAM above 4 GiB, without such RAM at 4 GiB; its length is maxmem - RAM + slots x 1
 * GiB. config_open() calls this for every VM. ERR_INVAL: reported.
 */
enum status config_place_memory(struct vm_config *vm, unsigned phys_bits, struct diag *diag);

/* The same for one DIMM, the last of the VM's list. Marks its backend as busy. */
enum status config_place_dimm(const struct vm_config *vm, struct dimm_config *dimm,
			      unsigned phys_bits, struct diag *diag);
