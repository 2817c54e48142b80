/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Take the right to write memory from all PCI functions except bridges and displays: network and
 * USB controllers may still have the firmware's buffers, in memory that is free now. The hypervisor
 * uses no device that needs it. 'all_buses': also where no bridge leads from bus 0, as on machines
 * with several host bridges; 8192 accesses. Returns how many functions had it.
 */
unsigned pci_stop_bus_masters(bool all_buses);
