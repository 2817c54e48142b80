/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/option.h"
#include "hv/config/config.h"

/*
 * Note the id of a device, if it has one. ERR_INVAL: reported; it is none, or another device has
 * it. ERR_NOMEM: the arena is full, not reported.
 */
enum status device_id_note(struct vm_config *vm, struct options *options, struct arena *arena,
			   struct diag *diag);
