/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/balloon.h"

/* What hv/vm/balloon.c does, for VMs without devices: one of them has a balloon. */
static const struct vm *balloon_owner;
static uint64_t balloon_size = MIB(128);

bool vm_has_balloon(struct vm *vm)
{
	return vm == balloon_owner;
}

uint64_t vm_balloon_size(struct vm *vm)
{
	return balloon_size;
}

void vm_balloon_ask(struct vm *vm, uint64_t size)
{
	balloon_size = size;
}
