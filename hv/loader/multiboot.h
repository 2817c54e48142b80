/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/* The rest of loader_load() for a Multiboot 1 kernel. */
enum status multiboot_load(struct loader *loader);
