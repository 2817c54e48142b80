/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/loader/loader.h"

#define KERNEL_E820_MAX 4

/*
 * What loader_load() needs for the kernel of a VM whose files config_open() has found: the files,
 * the command line and the memory map, which goes to 'e820' of KERNEL_E820_MAX entries. The result
 * points to 'config' and 'e820'. It has no random seed.
 */
struct loader_input kernel_input(const struct vm_config *config, struct e820_entry *e820);
