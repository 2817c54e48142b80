/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which serial port people look at. The firmware knows it best and says so in the table SPCR
 * (Microsoft, "Serial Port Console Redirection Table"). A PCI controller is a card that was
 * plugged in for this, or the serial line over the network of a management engine; a COM port
 * exists in many machines without a plug.
 */
#include "hv/host/serial_find.h"

#include "hv/host/pci.h"
#include "hv/lib/string.h"

/* Offsets in SPCR, and its numbers. */
enum {
	SPCR_TYPE = 36,
	SPCR_SPACE = 40, /* a Generic Address Structure */
	SPCR_BIT_WIDTH = 41,
	SPCR_ACCESS = 43, /* 1: bytes, 2: words, 3: double words */
	SPCR_ADDRESS = 44,
	SPCR_SPEED = 58,
	SPCR_LEN_MIN = 76,
	SPCR_CLOCK = 76, /* of later revisions, in Hz; 0: the usual one */
	TYPE_16550 = 0,
	TYPE_16450 = 1,
	TYPE_16550_BY_ADDRESS = 0x12,
	CLOCK_HZ = 1843200,
};

enum { CLASS_SERIAL = 0x0700, BAR_IS_IO = BIT(0), BAR_TYPE = 3 << 1, BAR_IS_64BIT = 2 << 1 };

static uint64_t read_int(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/* The divisor for the speed in SPCR; 0, the firmware's, if it is not known. */
static uint16_t spcr_divisor(const uint8_t *spcr, size_t len)
{
	static const uint8_t divisors[] = {[3] = 12, [4] = 6, [6] = 2, [7] = 1};
	uint64_t clock = len >= SPCR_CLOCK + 4 ? read_int(spcr + SPCR_CLOCK, 4) : 0;
	uint8_t speed = spcr[SPCR_SPEED];

	if (speed >= sizeof(divisors) || (clock != 0 && clock != CLOCK_HZ))
		return 0;
	return divisors[speed];
}

static uint8_t spcr_width(const uint8_t *spcr)
{
	uint8_t access = spcr[SPCR_ACCESS], bits = spcr[SPCR_BIT_WIDTH];

	if (spcr[SPCR_SPACE] == ACPI_SPACE_IO)
		return 1;
	if (access >= 1 && access <= 3)
		return (uint8_t)(1 << (access - 1));
	return bits == 32 ? 4 : bits == 16 ? 2 : 1;
}

/* False if the table names no port, or one of another kind. */
static bool parse_spcr(const uint8_t *spcr, size_t len, struct serial_port *ret)
{
	if (len < SPCR_LEN_MIN)
		return false;
	uint8_t type = spcr[SPCR_TYPE], space = spcr[SPCR_SPACE];
	uint64_t address = read_int(spcr + SPCR_ADDRESS, 8);

	if (type != TYPE_16550 && type != TYPE_16450 && type != TYPE_16550_BY_ADDRESS)
		return false;
	if (address == 0 || space > ACPI_SPACE_IO || (space == ACPI_SPACE_IO && address > 0xfff8))
		return false;
	*ret = (struct serial_port){.space = (enum acpi_space)space,
				    .address = address,
				    .width = spcr_width(spcr),
				    .divisor = spcr_divisor(spcr, len),
				    .name = "SPCR"};
	return true;
}

/* The address in BAR 'i', 0 if it has none that can be used. */
static uint64_t bar_address(pci_place place, unsigned i, uint32_t bar)
{
	if (bar & BAR_IS_IO)
		return (bar & ~UINT32_C(3)) <= 0xfff8 ? bar & ~UINT32_C(3) : 0;
	if ((bar & BAR_TYPE) != BAR_IS_64BIT)
		return bar & ~UINT32_C(0xf);
	if (i + 1 == PCI_N_BARS)
		return 0;
	return (bar & ~UINT32_C(0xf)) | (uint64_t)pci_read(place, PCI_BAR_0 + 4 * (i + 1)) << 32;
}

static void switch_decoding_on(pci_place place, enum acpi_space space)
{
	uint32_t decoding = space == ACPI_SPACE_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	/* The status register is the upper half: writing zeros changes nothing there. */
	uint32_t command = pci_read(place, PCI_COMMAND) & 0xffff;

	if ((command & decoding) == 0)
		pci_write(place, PCI_COMMAND, command | decoding);
}

static bool is_serial_function(pci_place place, void *context)
{
	struct serial_port *port = context;

	if (pci_read(place, PCI_CLASS) >> 16 != CLASS_SERIAL)
		return false;
	for (unsigned i = 0; i < PCI_N_BARS; i++) {
		uint32_t bar = pci_read(place, PCI_BAR_0 + 4 * i);

		*port = (struct serial_port){.space = bar & BAR_IS_IO ? ACPI_SPACE_IO
								      : ACPI_SPACE_MEMORY,
					     .address = bar_address(place, i, bar),
					     .width = 1,
					     .divisor = 1,
					     .name = "PCI"};
		i += !(bar & BAR_IS_IO) && (bar & BAR_TYPE) == BAR_IS_64BIT;
		if (port->address == 0)
			continue;
		switch_decoding_on(place, port->space);
		if (serial_is_present(port))
			return true;
	}
	return false;
}

struct serial_port serial_find(const uint8_t *spcr, size_t spcr_len)
{
	const struct serial_port com[] = {SERIAL_COM1, SERIAL_COM2};
	struct serial_port port;

	if (parse_spcr(spcr, spcr_len, &port) && serial_is_present(&port))
		return port;
	if (pci_find(is_serial_function, &port))
		return port;
	for (unsigned i = 0; i < ARRAY_SIZE(com); i++)
		if (serial_is_present(&com[i]))
			return com[i];
	return (struct serial_port){.space = ACPI_SPACE_NONE};
}
