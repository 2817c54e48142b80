/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard at the i8042 controller, by polling: that of most laptops, and what firmware
 * of servers emulates. USB keyboards are not found. Source: IBM Personal System/2 Hardware
 * Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 */
#include "hv/host/keyboard.h"

#include "hv/host/io.h"
#include "hv/host/scan_code.h"

enum {
	PORT_DATA = 0x60,
	PORT_STATUS = 0x64, /* written: commands to the controller */
	STATUS_HAS_BYTE = 0x01,
	STATUS_IS_BUSY = 0x02,
	STATUS_FROM_MOUSE = 0x20,
	NO_DEVICE = 0xff,
	COMMAND_READ_CONFIG = 0x20,
	COMMAND_WRITE_CONFIG = 0x60,
	CONFIG_INTERRUPTS = 0x03,
	CONFIG_KEYBOARD_OFF = 0x10,
	CONFIG_TRANSLATE = 0x40, /* the controller translates to set 1 */
	KEYBOARD_ENABLE = 0xf4,
	KEYBOARD_ACK = 0xfa,
	READS_MAX = 100000, /* of a port, at about a microsecond each */
	BYTES_MAX = 32,	    /* in a row: more than the controller and a keyboard keep */
};

static bool present; /* constant after keyboard_init() */
static struct scan_decoder decoder;

/* The next byte for us, or -1 if there is none. */
static int take_byte(void)
{
	for (unsigned i = 0; i < BYTES_MAX; i++) {
		uint8_t status = inb(PORT_STATUS);

		if (!(status & STATUS_HAS_BYTE))
			return -1;
		uint8_t byte = inb(PORT_DATA);

		if (!(status & STATUS_FROM_MOUSE))
			return byte;
	}
	return -1;
}

static int wait_for_byte(void)
{
	int byte = take_byte();

	for (unsigned i = 0; byte < 0 && i < READS_MAX; i++)
		byte = take_byte();
	return byte;
}

/* False if the controller stays busy, which one that is not there may seem to be. */
static bool send(uint16_t port, uint8_t byte)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		if (!(inb(PORT_STATUS) & STATUS_IS_BUSY)) {
			outb(port, byte);
			return true;
		}
	}
	return false;
}

/* Switch the keyboard's line on, without interrupts; learn whether codes are translated. */
static bool set_up_controller(void)
{
	int config;

	for (unsigned i = 0; i < BYTES_MAX && take_byte() >= 0;)
		i++;
	if (!send(PORT_STATUS, COMMAND_READ_CONFIG))
		return false;
	config = wait_for_byte();
	if (config < 0)
		return false;
	decoder.is_set_2 = !(config & CONFIG_TRANSLATE);
	config &= ~(CONFIG_INTERRUPTS | CONFIG_KEYBOARD_OFF);
	return send(PORT_STATUS, COMMAND_WRITE_CONFIG) && send(PORT_DATA, (uint8_t)config);
}

/* A key that is pressed meanwhile may come before the answer. */
static bool enable_keyboard(void)
{
	int byte = send(PORT_DATA, KEYBOARD_ENABLE) ? wait_for_byte() : -1;

	for (unsigned i = 0; i < BYTES_MAX && byte >= 0 && byte != KEYBOARD_ACK; i++)
		byte = wait_for_byte();
	return byte == KEYBOARD_ACK;
}

bool keyboard_init(void)
{
	present = inb(PORT_STATUS) != NO_DEVICE && set_up_controller() && enable_keyboard();
	return present;
}

int keyboard_read(void)
{
	int byte = 0, character = scan_rest(&decoder);

	for (unsigned i = 0; present && i < BYTES_MAX && byte >= 0 && character < 0; i++) {
		byte = take_byte();
		if (byte >= 0)
			character = scan_decode(&decoder, (uint8_t)byte);
	}
	return character;
}
