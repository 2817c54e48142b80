/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"

/* Freeze the whole tree, in small pieces. */
static inline enum status freeze_tree(struct ept *ept, struct ept_layer **ret)
{
	enum status status = ept_freeze(ept, ret);

	while (status == OK && ept_layer_freeze_some(*ret, 3))
		;
	return status;
}
