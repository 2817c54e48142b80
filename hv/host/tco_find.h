/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/tco.h"
#include "hv/lib/status.h"

/*
 * Find the TCO timer by the chipset's PCI functions. ERR_NOTFOUND: the chipset is not known;
 * ERR_UNSUPPORTED: the firmware has hidden its registers.
 */
enum status tco_find(struct tco *ret);

/* Vendor in the low half and device in the high half of the function that tco_find() looks at. */
uint32_t tco_chipset_id(void);
