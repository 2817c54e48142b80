/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Replace code of the image, at start. No other processor may run it before its next
 * paging_sync(). Its pages are writable meanwhile, and at no other time.
 */
void patch_code(const void *at, const void *bytes, size_t len);
