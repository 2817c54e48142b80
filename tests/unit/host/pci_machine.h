/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/pci.h"
#include "tests/unit/support.h"

/* A machine's PCI functions, for the seams pci_read() and pci_write(). */
struct pci_function {
	pci_place place;
	uint32_t config[16]; /* by double words */
};

#define PLACE(bus, device, function) ((bus) << 8 | (device) << 3 | (function))

static struct pci_function functions[16];
static unsigned n_functions;

static struct pci_function *find_function(pci_place place)
{
	for (unsigned i = 0; i < n_functions; i++)
		if (functions[i].place == place)
			return &functions[i];
	return NULL;
}

uint32_t pci_read(pci_place place, unsigned offset)
{
	struct pci_function *function = find_function(place);

	assert_int_equal(offset % 4, 0);
	assert_in_range(offset, 0, sizeof(function->config) - 1);
	return function != NULL ? function->config[offset / 4] : UINT32_MAX;
}

/* Add a function with that header type and class. */
static struct pci_function *add_function(pci_place place, uint8_t header, uint32_t class)
{
	struct pci_function *function = &functions[n_functions++];

	assert_in_range(n_functions, 1, ARRAY_SIZE(functions));
	*function = (struct pci_function){
		place, {[0] = 0x12348086, [2] = class << 8, [3] = (uint32_t)header << 16}};
	return function;
}
