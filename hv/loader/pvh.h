/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/*
 * Whether the file is an ELF kernel with a PVH entry point, and the rest of loader_load() for it.
 */
bool pvh_detect(const uint8_t *file, uint64_t len);
enum status pvh_load(struct loader *loader);
