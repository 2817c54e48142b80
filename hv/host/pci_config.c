/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space by the two I/O ports that every machine with PCI has. */
#include "hv/host/io.h"
#include "hv/host/pci.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };

#define CONFIG_ENABLE (UINT32_C(1) << 31)

uint32_t pci_read(pci_place place, unsigned offset)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)place << 8 | offset);
	return inl(CONFIG_DATA);
}

void pci_write(pci_place place, unsigned offset, uint32_t value)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)place << 8 | offset);
	outl(CONFIG_DATA, value);
}
