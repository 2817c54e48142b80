/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550A. The line has no speed: a byte has left before the write returns, so THR is empty unless
 * the line is held, and the "character time-out" is raised immediately when fewer bytes than the
 * trigger level wait.
 * Modem inputs report a connected peer. OUT2 does not gate the interrupt line, as in QEMU. Received
 * bytes are never lost: uart_receive() refuses them instead; overruns happen in loopback only.
 */
#include "hv/devices/uart.h"

enum {
	REG_DATA = 0, /* RBR, THR; DLL with DLAB */
	REG_IER = 1,  /* DLM with DLAB */
	REG_IIR = 2,  /* FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RX	 0x01
#define IER_THRE 0x02
#define IER_LINE 0x04
#define IER_MSR	 0x08
#define IER_BITS 0x0f

#define IIR_NONE    0x01
#define IIR_LINE    0x06
#define IIR_RX	    0x04
#define IIR_TIMEOUT 0x0c
#define IIR_THRE    0x02
#define IIR_MSR	    0x00
#define IIR_FIFO    0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_TRIGGER  0xc0

#define LCR_BREAK 0x40
#define LCR_DLAB  0x80

#define MCR_DTR	 0x01
#define MCR_RTS	 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_BITS 0x1f

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_FRAMING 0x08
#define LSR_BREAK   0x10
#define LSR_EMPTY   0x60 /* THR and shift register */
#define LSR_IN_FIFO 0x80 /* a byte in the FIFO has an error */

#define MSR_CTS		 0x10
#define MSR_DSR		 0x20
#define MSR_RI		 0x40
#define MSR_DCD		 0x80
#define MSR_INPUTS_DELTA 4 /* distance of an input's delta bit below the input */

static unsigned rx_capacity(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO_SIZE : 1;
}

static unsigned rx_trigger(const struct uart *uart)
{
	static const uint8_t level[4] = {1, 4, 8, 14};

	return uart->fcr & FCR_ENABLE ? level[uart->fcr >> 6] : 1;
}

/* THR and shift register. In loopback the transmitter is not connected to the line. */
static bool is_empty(const struct uart *uart)
{
	return !uart->is_held || uart->mcr & MCR_LOOP;
}

/* In each access of a guest: a call costs as much as what it does. */
static inline __attribute__((always_inline)) uint8_t pending_source(const struct uart *uart)
{
	if (uart->ier & IER_LINE && uart->lsr_error)
		return IIR_LINE;
	if (uart->ier & IER_RX && uart->rx_count != 0)
		return uart->rx_count >= rx_trigger(uart) ? IIR_RX : IIR_TIMEOUT;
	if (uart->ier & IER_THRE && uart->thre_pending && is_empty(uart))
		return IIR_THRE;
	if (uart->ier & IER_MSR && uart->msr_delta)
		return IIR_MSR;
	return IIR_NONE;
}

static inline __attribute__((always_inline)) void update_irq(struct uart *uart)
{
	uart->irq = pending_source(uart) != IIR_NONE;
}

static void rx_clear(struct uart *uart)
{
	uart->rx_head = 0;
	uart->rx_count = 0;
}

static bool rx_put(struct uart *uart, uint8_t byte)
{
	if (uart->rx_count >= rx_capacity(uart)) /* more only from a state of a file */
		return false;
	uart->rx[(uart->rx_head + uart->rx_count) % UART_FIFO_SIZE] = byte;
	uart->rx_count++;
	return true;
}

static uint8_t rx_get(struct uart *uart)
{
	uint8_t byte = uart->rx[uart->rx_head];

	if (uart->rx_count == 0)
		return 0;
	uart->rx_head = (uart->rx_head + 1) % UART_FIFO_SIZE;
	uart->rx_count--;
	return byte;
}

/* In loopback the outputs are connected to the inputs. */
static uint8_t modem_inputs(uint8_t mcr)
{
	uint8_t msr = 0;

	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (mcr & MCR_RTS)
		msr |= MSR_CTS;
	if (mcr & MCR_DTR)
		msr |= MSR_DSR;
	if (mcr & MCR_OUT1)
		msr |= MSR_RI;
	if (mcr & MCR_OUT2)
		msr |= MSR_DCD;
	return msr;
}

static void set_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = modem_inputs(uart->mcr);
	uint8_t after, changed;

	uart->mcr = value & MCR_BITS;
	after = modem_inputs(uart->mcr);
	changed = before ^ after;
	/* The ring indicator sets its delta bit only when it ends. */
	if (after & MSR_RI)
		changed &= (uint8_t)~MSR_RI;
	uart->msr_delta |= changed >> MSR_INPUTS_DELTA;
}

static void set_fcr(struct uart *uart, uint8_t value)
{
	if ((value ^ uart->fcr) & FCR_ENABLE)
		value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
	if (value & FCR_CLEAR_RX)
		rx_clear(uart);
	if (value & FCR_CLEAR_TX)
		uart->thre_pending = true;
	/* The other bits only have an effect together with the enable bit. */
	uart->fcr = value & FCR_ENABLE ? value & (FCR_ENABLE | FCR_TRIGGER) : 0;
}

static void set_ier(struct uart *uart, uint8_t value)
{
	/* THR is empty, or will be, so enabling its interrupt always raises it. */
	if (value & ~uart->ier & IER_THRE)
		uart->thre_pending = true;
	uart->ier = value & IER_BITS;
}

static void receive_looped(struct uart *uart, uint8_t byte, uint8_t error)
{
	uart->lsr_error |= rx_put(uart, byte) ? error : LSR_OVERRUN;
}

static uint32_t transmit(struct uart *uart, uint8_t byte)
{
	uart->thre_pending = true;
	if (!(uart->mcr & MCR_LOOP))
		return WISH_SERIAL | byte;
	receive_looped(uart, byte, 0);
	return 0;
}

/* A break on the line is not passed on; in loopback, it is received as a zero. */
static void set_lcr(struct uart *uart, uint8_t value)
{
	bool begins = value & ~uart->lcr & LCR_BREAK;

	uart->lcr = value;
	if (begins && uart->mcr & MCR_LOOP)
		receive_looped(uart, 0, LSR_BREAK | LSR_FRAMING);
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t source = pending_source(uart);

	if (source == IIR_THRE)
		uart->thre_pending = false;
	return source | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static __attribute__((noinline)) uint8_t take_errors(struct uart *uart)
{
	uint8_t lsr = uart->lsr_error;

	if (uart->fcr & FCR_ENABLE && lsr & (LSR_FRAMING | LSR_BREAK))
		lsr |= LSR_IN_FIFO;
	uart->lsr_error = 0;
	return lsr;
}

/* Guests wait in a loop that reads this register. */
static uint8_t read_lsr(struct uart *uart)
{
	uint8_t lsr = uart->rx_count != 0 ? LSR_DATA : 0;

	if (is_empty(uart))
		lsr |= LSR_EMPTY;
	if (uart->lsr_error)
		lsr |= take_errors(uart);
	return lsr;
}

static uint8_t read_msr(struct uart *uart)
{
	uint8_t msr = modem_inputs(uart->mcr) | uart->msr_delta;

	uart->msr_delta = 0;
	return msr;
}

static uint8_t read_register(struct uart *uart, unsigned off)
{
	bool dlab = (uart->lcr & LCR_DLAB) != 0;

	switch (off) {
	case REG_DATA:
		return dlab ? (uint8_t)uart->divisor : rx_get(uart);
	case REG_IER:
		return dlab ? (uint8_t)(uart->divisor >> 8) : uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	default:
		return uart->scr;
	}
}

static uint64_t uart_read(void *dev, const struct io_access *access)
{
	struct uart *uart = dev;
	uint8_t value = read_register(uart, (unsigned)access->off);

	update_irq(uart);
	return value;
}

static uint32_t write_data(struct uart *uart, uint8_t value)
{
	if (!(uart->lcr & LCR_DLAB))
		return transmit(uart, value);
	uart->divisor = (uart->divisor & 0xff00) | value;
	return 0;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	if (uart->lcr & LCR_DLAB)
		uart->divisor = (uint16_t)((uart->divisor & 0xff) | value << 8);
	else
		set_ier(uart, value);
}

static uint32_t uart_write(void *dev, const struct io_access *access)
{
	struct uart *uart = dev;
	uint8_t value = (uint8_t)access->value;
	uint32_t wish = 0;

	switch (access->off) {
	case REG_DATA:
		wish = write_data(uart, value);
		break;
	case REG_IER:
		write_ier(uart, value);
		break;
	case REG_IIR:
		set_fcr(uart, value);
		break;
	case REG_LCR:
		set_lcr(uart, value);
		break;
	case REG_MCR:
		set_mcr(uart, value);
		break;
	case REG_SCR: /* has no part in interrupts */
		uart->scr = value;
		return 0;
	default: /* LSR and MSR are read-only */
		return 0;
	}
	update_irq(uart);
	return wish;
}

bool uart_receive(struct uart *uart, uint8_t byte)
{
	/* In loopback the receiver is disconnected from the line. */
	if (uart->mcr & MCR_LOOP || !rx_put(uart, byte))
		return false;
	update_irq(uart);
	return true;
}

void uart_hold(struct uart *uart, bool on)
{
	uart->is_held = on;
	update_irq(uart);
}

void uart_reset(struct uart *uart)
{
	*uart = (struct uart){0};
}

static enum status uart_check(void *dev, struct state_reader *reader)
{
	const struct uart *uart = dev;

	if (uart->rx_count > UART_FIFO_SIZE)
		return state_refuse(reader, "rx_count cannot be %u", uart->rx_count);
	return OK;
}

static const struct state_field uart_fields[] = {
	STATE_FIELD(struct uart, ier, IER_BITS),
	STATE_FIELD(struct uart, lcr, 0xff),
	STATE_FIELD(struct uart, mcr, MCR_BITS),
	STATE_FIELD(struct uart, scr, 0xff),
	STATE_FIELD(struct uart, fcr, FCR_ENABLE | FCR_TRIGGER),
	STATE_FIELD(struct uart, msr_delta, 0x0f),
	STATE_FIELD(struct uart, lsr_error, 0x1e),
	STATE_FIELD(struct uart, rx_head, UART_FIFO_SIZE - 1),
	STATE_FIELD(struct uart, rx_count, 0x1f),
	STATE_ARRAY(struct uart, rx, 0xff),
	STATE_FIELD(struct uart, divisor, 0xffff),
	STATE_FIELD(struct uart, thre_pending, 1),
	STATE_FIELD(struct uart, irq, 1),
};

const struct device_class uart_class = {
	.name = "uart",
	.read = uart_read,
	.write = uart_write,
	.fields = uart_fields,
	.n_fields = ARRAY_SIZE(uart_fields),
	.check = uart_check,
};
