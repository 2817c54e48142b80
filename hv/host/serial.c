/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550, in I/O ports or in memory. Source: data sheet of the National Semiconductor PC16550D. */
#include "hv/host/serial.h"

#include "hv/frame/phys.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"

enum {
	UART_DATA = 0,
	UART_INTERRUPT_ENABLE = 1,
	UART_DIVISOR_LOW = 0,
	UART_DIVISOR_HIGH = 1,
	UART_FIFO_CONTROL = 2,
	UART_LINE_CONTROL = 3,
	UART_MODEM_CONTROL = 4,
	UART_LINE_STATUS = 5,
	UART_SCRATCH = 7,
	UART_REGISTERS = 8,
	LINE_8N1 = 0x03,
	LINE_DIVISOR_ACCESS = 0x80,
	FIFO_ENABLE_AND_CLEAR = 0x07,
	MODEM_DTR_RTS = 0x03,
	STATUS_DATA = 0x01,
	STATUS_SEND_EMPTY = 0x20, /* the FIFO is empty */
	STATUS_ALL_SENT = 0x40,	  /* and the last bit is on the line */
};

static volatile void *register_in_memory(const struct serial_port *port, unsigned reg)
{
	return phys_to_virt(port->address + (uint64_t)reg * port->width);
}

static uint8_t read_register(const struct serial_port *port, unsigned reg)
{
	if (port->space == ACPI_SPACE_IO)
		return inb((uint16_t)(port->address + reg));
	switch (port->width) {
	case 4:
		return (uint8_t) * (volatile uint32_t *)register_in_memory(port, reg);
	case 2:
		return (uint8_t) * (volatile uint16_t *)register_in_memory(port, reg);
	default:
		return *(volatile uint8_t *)register_in_memory(port, reg);
	}
}

static void write_register(const struct serial_port *port, unsigned reg, uint8_t value)
{
	if (port->space == ACPI_SPACE_IO) {
		outb((uint16_t)(port->address + reg), value);
		return;
	}
	switch (port->width) {
	case 4:
		*(volatile uint32_t *)register_in_memory(port, reg) = value;
		break;
	case 2:
		*(volatile uint16_t *)register_in_memory(port, reg) = value;
		break;
	default:
		*(volatile uint8_t *)register_in_memory(port, reg) = value;
	}
}

static bool scratch_keeps(const struct serial_port *port, uint8_t value)
{
	write_register(port, UART_SCRATCH, value);
	return read_register(port, UART_SCRATCH) == value;
}

/* A place without a device reads as all ones. */
bool serial_is_present(const struct serial_port *port)
{
	if (port->space == ACPI_SPACE_NONE)
		return false;
	if (port->space == ACPI_SPACE_MEMORY &&
	    paging_map_device(port->address, (uint64_t)UART_REGISTERS * port->width, PAGING_UC) !=
		    OK)
		return false;
	return scratch_keeps(port, 0x5a) && scratch_keeps(port, 0xa5);
}

void serial_init(const struct serial_port *port)
{
	write_register(port, UART_INTERRUPT_ENABLE, 0);
	if (port->divisor != 0) {
		write_register(port, UART_LINE_CONTROL, LINE_DIVISOR_ACCESS);
		write_register(port, UART_DIVISOR_LOW, (uint8_t)port->divisor);
		write_register(port, UART_DIVISOR_HIGH, (uint8_t)(port->divisor >> 8));
	}
	write_register(port, UART_LINE_CONTROL, LINE_8N1);
	write_register(port, UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
	write_register(port, UART_MODEM_CONTROL, MODEM_DTR_RTS);
}

bool serial_can_send(const struct serial_port *port)
{
	return read_register(port, UART_LINE_STATUS) & STATUS_SEND_EMPTY;
}

bool serial_all_sent(const struct serial_port *port)
{
	return read_register(port, UART_LINE_STATUS) & STATUS_ALL_SENT;
}

void serial_send(const struct serial_port *port, uint8_t byte)
{
	write_register(port, UART_DATA, byte);
}

int serial_receive(const struct serial_port *port)
{
	uint8_t status = read_register(port, UART_LINE_STATUS);

	/* All ones: the UART is gone, and would deliver bytes for ever. */
	if (!(status & STATUS_DATA) || status == 0xff)
		return -1;
	return read_register(port, UART_DATA);
}
