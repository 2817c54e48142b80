/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* The rest of loader_load() for a Linux bzImage. */
enum status linux_load(struct loader *loader);
