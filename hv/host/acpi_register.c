/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to ACPI's registers. Source: ACPI specification, "Generic Address Structure". */
#include "hv/host/acpi_register.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"

enum { PCI_ADDRESS_PORT = 0xcf8, PCI_DATA_PORT = 0xcfc };

bool acpi_register_map(struct acpi_register reg)
{
	if (reg.space == ACPI_SPACE_MEMORY)
		return paging_map_device(align_down(reg.address, PAGE_SIZE), PAGE_SIZE,
					 PAGING_UC) == OK;
	return reg.space != ACPI_SPACE_NONE;
}

static uint32_t read_memory(uint64_t address, unsigned size)
{
	const volatile void *p = phys_to_virt(address);

	if (size == 1)
		return *(const volatile uint8_t *)p;
	if (size == 2)
		return *(const volatile uint16_t *)p;
	return *(const volatile uint32_t *)p;
}

static void write_memory(uint64_t address, unsigned size, uint32_t value)
{
	volatile void *p = phys_to_virt(address);

	if (size == 1)
		*(volatile uint8_t *)p = (uint8_t)value;
	else if (size == 2)
		*(volatile uint16_t *)p = (uint16_t)value;
	else
		*(volatile uint32_t *)p = value;
}

static uint32_t read_port(uint16_t port, unsigned size)
{
	if (size == 1)
		return inb(port);
	return size == 2 ? inw(port) : inl(port);
}

static void write_port(uint16_t port, unsigned size, uint32_t value)
{
	if (size == 1)
		outb(port, (uint8_t)value);
	else if (size == 2)
		outw(port, (uint16_t)value);
	else
		outl(port, value);
}

static void write_configuration(uint64_t address, uint8_t value)
{
	/* ACPI, "Address Space Format": words of offset, function, device, all on bus 0. */
	uint32_t offset = address & 0xff, function = address >> 16 & 7, device = address >> 32 & 31;

	outl(PCI_ADDRESS_PORT,
	     UINT32_C(0x80000000) | device << 11 | function << 8 | (offset & ~UINT32_C(3)));
	outb((uint16_t)(PCI_DATA_PORT + (offset & 3)), value);
}

uint32_t acpi_register_read(struct acpi_register reg, unsigned size)
{
	if (reg.space == ACPI_SPACE_IO)
		return read_port((uint16_t)reg.address, size);
	return reg.space == ACPI_SPACE_MEMORY ? read_memory(reg.address, size) : 0;
}

void acpi_register_write(struct acpi_register reg, unsigned size, uint32_t value)
{
	if (reg.space == ACPI_SPACE_IO)
		write_port((uint16_t)reg.address, size, value);
	else if (reg.space == ACPI_SPACE_MEMORY)
		write_memory(reg.address, size, value);
	else if (reg.space == ACPI_SPACE_PCI)
		write_configuration(reg.address, (uint8_t)value);
}
