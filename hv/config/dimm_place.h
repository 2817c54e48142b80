/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Give each DIMM of 'vm' its slot and address, with QEMU's refusals. The window starts at the
 * first GiB boundary at or above both 4 GiB and the RAM above 4 GiB (RAM below is at most
 * 3 GiB), and is maxmem - RAM + slots x 1 GiB long. config_open() does it for every VM.
 */
enum status config_place_dimms(struct vm_config *vm, struct diag *diag);
