/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/wdat.h"
#include "hv/lib/status.h"

/*
 * Read a WDAT of 'len' bytes, which is not trusted. ERR_NOTFOUND: the firmware has switched the
 * timer off, or it is a PCI device of old. ERR_UNSUPPORTED: it lacks an action, or uses a register
 * that cannot be its own. ERR_CORRUPT: the table contradicts itself. *ret is usable if OK only.
 */
enum status wdat_parse(const void *table, uint64_t len, struct wdat *ret);
