/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * A 16550A at its eight ports. Bytes leave immediately, also while the line is held: the caller
 * keeps those of a guest that does not wait for an empty transmitter. Bytes arrive when the caller
 * delivers them. Not locked.
 */
#define UART_FIFO_SIZE 16
#define UART_N_PORTS   8

struct uart {
	uint8_t ier;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
	uint8_t fcr;	   /* bit 0 and trigger level */
	uint8_t msr_delta; /* bits 3:0 of MSR, cleared by reading it */
	uint8_t lsr_error; /* bits 4:1 of LSR, cleared by reading it */
	uint8_t rx_head;
	uint8_t rx_count;
	uint8_t rx[UART_FIFO_SIZE];
	uint16_t divisor;
	/* The "transmitter empty" interrupt has not been acknowledged, or is due after a hold. */
	bool thre_pending;
	bool is_held; /* the line takes no byte: the transmitter is not empty */
	/* interrupt line; valid after each access and call. OUT2 does not gate the line. */
	bool irq;
};

/* UART_N_PORTS ports, in accesses of one byte. */
extern const struct device_class uart_class;

/* Power-on state. */
void uart_reset(struct uart *uart);
/* Deliver a byte to the guest. False: no room, nothing changed; try again later. */
bool uart_receive(struct uart *uart, uint8_t byte);
/*
 * Hold the line: LSR says that the transmitter is not empty, and there is no interrupt that says it
 * is, unless it was raised before. Or let it go: the transmitter is empty.
 */
void uart_hold(struct uart *uart, bool on);
