/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/serial.h"

/*
 * Find the serial port for the console: that of the firmware's SPCR table (spcr_len 0: none),
 * otherwise a PCI serial controller, COM1 or COM2. A port is taken if it is present. Without any,
 * space is NONE. During start-up, on our page tables; may switch a controller's decoding on.
 */
struct serial_port serial_find(const uint8_t *spcr, size_t spcr_len);
