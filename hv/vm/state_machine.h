/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/state_file.h"
#include "hv/vm/vm.h"

void state_put_machine(struct state_writer *writer, const struct vm *vm);
/* Errors name the first option that differs. */
enum status state_check_machine(struct state_reader *reader, const struct vm *vm);
