/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN and OUT of 1, 2 and 4 bytes at every port give a value and have no other effect. The
 * exit port is left out, and for writes (outs) also the ports that end or reset the machine.
 */
#include "tests/guest/exits/exits.h"

struct range {
	uint32_t first, last;
};

static const struct range never[] = {{0xf4, 0xf7}};

static struct range not_written[] = {
	{0x3f8, 0x3ff}, /* our own output */
	{0x64, 0x64},	/* keyboard controller: pulses the reset line */
	{0x92, 0x92},	/* fast reset, A20 */
	{0xcf8, 0xcff}, /* reset control; PCI configuration */
	{0xb2, 0xb3},	/* SMI */
	{0, 0},		/* the ACPI registers, found at run time */
	{0, 0},		{0, 0},
};
#define ACPI_RANGES 5

#define UNCLAIMED 0x5650

static bool hits(const struct range *r, size_t n, uint32_t port, uint32_t size)
{
	for (size_t i = 0; i < n; i++) {
		if (r[i].last != 0 && port <= r[i].last && port + size > r[i].first)
			return true;
	}
	return false;
}

static void find_acpi_ports(void)
{
	struct acpi_fadt fadt;

	if (!acpi_read_fadt(&fadt))
		return;
	not_written[ACPI_RANGES] =
		(struct range){(uint32_t)fadt.pm1_control, (uint32_t)fadt.pm1_control + 3};
	if (!fadt.sleep_control.in_memory)
		not_written[ACPI_RANGES + 1] = (struct range){(uint32_t)fadt.sleep_control.address,
							      (uint32_t)fadt.sleep_control.address};
	if (!fadt.reset.in_memory)
		not_written[ACPI_RANGES + 2] =
			(struct range){(uint32_t)fadt.reset.address, (uint32_t)fadt.reset.address};
}

/* QEMU 7.2 aborts on wide accesses that reach into a UART. */
static bool wide_read_allowed(uint32_t port, uint32_t size)
{
	static const struct range uart = {0x3f8, 0x3ff};

	return !hits(never, 1, port, size) &&
	       (param_given("strict") || !hits(&uart, 1, port, size));
}

static void read_all(void)
{
	for (uint32_t port = 0; port <= 0xffff; port++) {
		if (!hits(never, 1, port, 1))
			(void)inb((uint16_t)port);
		if (wide_read_allowed(port, 2))
			(void)inw((uint16_t)port);
		if (wide_read_allowed(port, 4))
			(void)inl((uint16_t)port);
	}
	report(true, "ports: read all, 1, 2 and 4 bytes");
}

static void write_all(uint32_t value)
{
	size_t n = sizeof(not_written) / sizeof(not_written[0]);

	for (uint32_t port = 0; port <= 0xffff; port++) {
		if (!hits(never, 1, port, 1) && !hits(not_written, n, port, 1))
			outb((uint8_t)value, (uint16_t)port);
		if (!hits(never, 1, port, 2) && !hits(not_written, n, port, 2))
			outw((uint16_t)value, (uint16_t)port);
		if (!hits(never, 1, port, 4) && !hits(not_written, n, port, 4))
			outl(value, (uint16_t)port);
	}
	report(true, "ports: wrote %#x to all, 1, 2 and 4 bytes", value);
}

/* Only a 4-byte IN clears the upper half of RAX. */
static void check_widths(void)
{
	uint64_t rax = UINT64_MAX;

	report(inb(UNCLAIMED) == 0xff && inw(UNCLAIMED) == 0xffff && inl(UNCLAIMED) == 0xffffffff,
	       "ports: an unused port reads as ones");
	outb(0x5a, 0x3ff);
	asm volatile("inb %w1, %b0" : "+a"(rax) : "d"(0x3ff));
	report(rax == UINT64_C(0xffffffffffffff5a), "ports: 1 byte into %#lx", rax);
	rax = UINT64_MAX;
	asm volatile("inl %w1, %k0" : "+a"(rax) : "d"(UNCLAIMED));
	report(rax == 0xffffffff, "ports: 4 bytes into %#lx", rax);
}

void ports_check(void)
{
	check_widths();
	find_acpi_ports();
	read_all();
	if (!param_given("outs"))
		return;
	write_all(0);
	if (param_given("strict"))
		write_all(0xffffffff);
	outb(0xff, 0x21); /* silence a PC's interrupt controllers again, if there are any */
	outb(0xff, 0xa1);
	apic_enable();
	check_widths();
}
