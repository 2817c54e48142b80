/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For WP: for all values of -m, the window for DIMMs ends below 2^47, and what
 * lies in the window ends in it in numbers, not only modulo 2^64.
 */
#include "tests/prove/numbers.h"

#include "hv/config/dimm_place.h"

#define diag_error(...) ((void)0)

/*@ requires \valid_read(vm);
    ensures \result <==> (vm->dimm_window <= addr &&
		addr + size <= vm->dimm_window + vm->dimm_window_len);
    assigns \nothing; */
static bool is_in_window(const struct vm_config *vm, uint64_t addr, uint64_t size);

/* -m allows at most 256 slots. */
/*@ requires \valid(vm) && vm->dimm_slots <= 256;
    ensures \result == OK && vm->maxmem > vm->ram_size ==>
		vm->dimm_window + vm->dimm_window_len <= 0x800000000000;
    assigns vm->dimm_window, vm->dimm_window_len; */
static enum status make_window(struct vm_config *vm, struct diag *diag);

#include "hv/config/dimm_place.c"
