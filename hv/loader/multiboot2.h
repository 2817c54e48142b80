/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

enum status multiboot2_load(struct loader *loader);
