/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* A function: bus in bits 15:8, device in 7:3, function in 2:0. */
typedef uint16_t pci_place;

enum { PCI_COMMAND = 0x04, PCI_CLASS = 0x08, PCI_BAR_0 = 0x10 };
enum { PCI_COMMAND_IO = BIT(0), PCI_COMMAND_MEMORY = BIT(1), PCI_COMMAND_BUS_MASTER = BIT(2) };
enum { PCI_N_BARS = 6 };

/*
 * Four bytes of a function's configuration space, at an offset below 256 that is a multiple of 4;
 * all ones if there is no function. Not locked: for the boot processor during start-up.
 */
uint32_t pci_read(pci_place place, unsigned offset);
void pci_write(pci_place place, unsigned offset, uint32_t value);

/*
 * Call visit() for each function on bus 0 and on the buses behind bridges, until it returns true.
 * Returns whether it did.
 */
bool pci_find(bool (*visit)(pci_place place, void *context), void *context);
/* The same for each function on all 256 buses. */
bool pci_find_on_all_buses(bool (*visit)(pci_place place, void *context), void *context);
