/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * Give each DIMM of 'vm' its slot and address, or refuse it as QEMU does. The window starts at the
 * first GiB boundary at or above 4 GiB and the end of RAM (3 GiB of RAM are below 4 GiB at most);
 * its length is maxmem - RAM + slots x 1 GiB. config_open() calls this for every VM. ERR_INVAL:
 * reported.
 */
enum status config_place_dimms(struct vm_config *vm, struct diag *diag);
