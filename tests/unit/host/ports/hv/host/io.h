/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of hv/host/io.h, for tests of files that use ports: the test is the device. */
#pragma once

#include "hv/lib/types.h"

uint8_t inb(uint16_t port);
void outb(uint16_t port, uint8_t value);
