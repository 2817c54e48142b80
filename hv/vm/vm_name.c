/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/vm.h"

/* Two processors may do this at the same time: they write the same bytes. */
static const char *make_name(struct vm *clone)
{
	clone_name(clone->own_name, vm_name(clone->template), clone->number, clone->index);
	/* Release: the name is written before its address. Pairs with vm_name(). */
	__atomic_store_n(&clone->name, clone->own_name, __ATOMIC_RELEASE);
	return clone->own_name;
}

const char *vm_name(const struct vm *vm)
{
	const char *name = __atomic_load_n(&vm->name, __ATOMIC_ACQUIRE);

	return name != NULL ? name : make_name((struct vm *)vm);
}
