/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the TCO timer: the LPC bridge of the chipset has the base of its power-management ports,
 * and of the memory with its general control register. From Skylake on both lie elsewhere, in
 * functions that firmware hides. Source: Intel I/O Controller Hub 9 datasheet, "LPC Interface
 * Bridge Registers", and those of its successors.
 */
#include "hv/host/tco_find.h"

#include "hv/host/pci.h"

enum {
	LPC_BRIDGE = 31 << 3, /* function 0 of device 31 on bus 0 */
	VENDOR_INTEL = 0x8086,
	LPC_PM_BASE = 0x40,
	LPC_PM_BASE_MASK = 0xff80,
	LPC_PM_CONTROL = 0x44,
	LPC_PM_ENABLE = 1 << 7,
	LPC_ROOT_BASE = 0xf0,
	LPC_ROOT_ENABLE = 1 << 0,
	PM_TCO = 0x60,
	ROOT_GCS = 0x3410,
};

#define LPC_ROOT_BASE_MASK UINT32_C(0xffffc000)

static const struct {
	uint16_t first, last; /* device IDs */
	const char *name;
} chipsets[] = {
	{0x2912, 0x2919, "Intel ICH9"},	       {0x3a14, 0x3a1a, "Intel ICH10"},
	{0x3b00, 0x3b1f, "Intel 5 series"},    {0x1c40, 0x1c5f, "Intel 6 series"},
	{0x1d40, 0x1d41, "Intel C600"},	       {0x2310, 0x2310, "Intel DH89xxCC"},
	{0x1e40, 0x1e5f, "Intel 7 series"},    {0x8c40, 0x8c5f, "Intel 8 series"},
	{0x9c40, 0x9c47, "Intel 8 series LP"}, {0x8d40, 0x8d5f, "Intel C610"},
	{0x8cc1, 0x8cc6, "Intel 9 series"},    {0x9cc1, 0x9cc9, "Intel 9 series LP"},
};

uint32_t tco_chipset_id(void)
{
	return pci_read(LPC_BRIDGE, 0);
}

/* NULL: none of them. */
static const char *chipset_name(uint32_t id)
{
	unsigned device = id >> 16;

	for (unsigned i = 0; (uint16_t)id == VENDOR_INTEL && i < ARRAY_SIZE(chipsets); i++)
		if (device >= chipsets[i].first && device <= chipsets[i].last)
			return chipsets[i].name;
	return NULL;
}

enum status tco_find(struct tco *ret)
{
	const char *name = chipset_name(tco_chipset_id());
	uint32_t ports, root;

	if (name == NULL)
		return ERR_NOTFOUND;
	ports = pci_read(LPC_BRIDGE, LPC_PM_BASE) & LPC_PM_BASE_MASK;
	root = pci_read(LPC_BRIDGE, LPC_ROOT_BASE);
	if (ports == 0 || !(pci_read(LPC_BRIDGE, LPC_PM_CONTROL) & LPC_PM_ENABLE) ||
	    !(root & LPC_ROOT_ENABLE))
		return ERR_UNSUPPORTED;
	*ret = (struct tco){
		.chipset = name,
		.base = (uint16_t)(ports + PM_TCO),
		.gcs = {ACPI_SPACE_MEMORY, (root & LPC_ROOT_BASE_MASK) + ROOT_GCS},
	};
	return OK;
}
