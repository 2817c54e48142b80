/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

#define CLONE_NAME_SIZE 64

/*
 * The name of a template's n-th clone: TEMPLATE-NUMBER, or, if that is too long, the beginning of
 * the template's name and ~INDEX. 'index' is the clone's number among all VMs, so that no two
 * clones have one name, to any depth. Other names contain no '~', except for clones of such clones.
 */
void clone_name(char name[CLONE_NAME_SIZE], const char *template, uint32_t number, uint32_t index);
