/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * QEMU's vmgenid: a GUID in the guest's memory that changes whenever a VM becomes another one, so
 * that its random numbers do, too ("Virtual Machine Generation ID"). hv/loader/vmgenid.dsl
 * tells the guest where, and has a generic event device whose interrupt says that it has changed.
 */
#define VMGENID_GPA UINT64_C(0xdf000) /* reserved in the memory map, nothing else in this page */
#define VMGENID_GSI 16
