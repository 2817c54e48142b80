/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/word.h"
#include "hv/config/config.h"

/*
 * "-incoming file:PATH": the VM, or with the keyword "template" the template, goes on from a state
 * that was saved. ERR_INVAL: said.
 */
enum status incoming_read(struct vm_config *vm, const struct word *argument, struct diag *diag);
/* Of config_open(): find the file, and see whether it is whole. ERR_INVAL: said. */
enum status incoming_open(struct vm_config *vm, struct image_list *images, struct diag *diag);
