/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/acpi.h"
#include "hv/lib/types.h"

/* A UART with the registers of a 16550, and how to reach them. */
struct serial_port {
	enum acpi_space space; /* IO, MEMORY, or NONE: no port */
	uint64_t address;
	uint8_t width;	  /* bytes of a register and of its place: 1, 2 or 4; of I/O ports 1 */
	uint16_t divisor; /* of the UART's clock, for the speed; 0: the firmware has set it */
	const char *name; /* of the place where it was found */
};

#define SERIAL_COM1 \
	((struct serial_port){ACPI_SPACE_IO, .address = 0x3f8, .width = 1, .divisor = 1, "COM1"})
#define SERIAL_COM2 \
	((struct serial_port){ACPI_SPACE_IO, .address = 0x2f8, .width = 1, .divisor = 1, "COM2"})
#define SERIAL_COM3 \
	((struct serial_port){ACPI_SPACE_IO, .address = 0x3e8, .width = 1, .divisor = 1, "COM3"})
#define SERIAL_COM4 \
	((struct serial_port){ACPI_SPACE_IO, .address = 0x2e8, .width = 1, .divisor = 1, "COM4"})

/* Bytes that an empty UART takes at once. */
enum { SERIAL_FIFO_SIZE = 16 };

/*
 * True if there is a UART: its scratch register keeps what is written. Registers in memory are
 * mapped, and so need our page tables. The other functions need a port that is present.
 */
bool serial_is_present(const struct serial_port *port);

/* 8N1, no interrupts, empty FIFOs. */
void serial_init(const struct serial_port *port);

bool serial_can_send(const struct serial_port *port); /* SERIAL_FIFO_SIZE bytes */
bool serial_all_sent(const struct serial_port *port); /* the last bit has left */
void serial_send(const struct serial_port *port, uint8_t byte);

/* The next byte received, or -1. */
int serial_receive(const struct serial_port *port);
