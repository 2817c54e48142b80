/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power off, reset and a few legacy ports. There is no 8042, no PIT, no PIC
 * and no PCI behind them; they answer what ends a guest's waiting loops:
 * the keyboard controller is never busy, timer 2 has always run out, no NMI reason stands.
 */
#include "hv/devices/pm.h"

enum {
	PORT_SPEAKER = 0x61,
	PORT_KEYBOARD = 0x64,
	PORT_POST = 0x80,
	PORT_FAST_RESET = 0x92,
	PORT_PCI_RESET = 0xcf9,
};

#define SLEEP_ENABLE  0x20
#define SLEEP_TYPE(v) ((v) >> 2 & 7)
#define WAKE_STATUS   0x80

#define SPEAKER_BITS	0x0f
#define SPEAKER_REFRESH 0x10
#define SPEAKER_TIMER2	0x20

#define FAST_RESET_A20	 0x02
#define FAST_RESET_RESET 0x01
#define PCI_RESET_BITS	 0x0a
#define PCI_RESET_CPU	 0x04

void pm_reset(struct pm *pm)
{
	*pm = (struct pm){.port_92 = FAST_RESET_A20};
}

/* Some guests wait for refresh cycles to pass: each look sees another one. */
static uint8_t read_speaker(struct pm *pm)
{
	pm->refresh = !pm->refresh;
	return pm->speaker | SPEAKER_TIMER2 | (pm->refresh ? SPEAKER_REFRESH : 0);
}

uint64_t pm_read(struct pm *pm, uint16_t port, unsigned size)
{
	switch (port) {
	case PM_SLEEP_STATUS_PORT:
		return pm->sleep_status;
	case PM_SLEEP_CONTROL_PORT:
	case PM_RESET_PORT:
	case PORT_KEYBOARD:
		return 0;
	case PORT_SPEAKER:
		return read_speaker(pm);
	case PORT_POST:
		return pm->post_code;
	case PORT_FAST_RESET:
		return pm->port_92;
	case PORT_PCI_RESET:
		return size == 1 ? pm->reset_cf9 : UINT64_MAX;
	default:
		return UINT64_MAX;
	}
}

static void write_sleep_control(struct pm *pm, uint8_t value)
{
	if (value & SLEEP_ENABLE && SLEEP_TYPE(value) == PM_SLEEP_TYPE_S5)
		pm->poweroff_requested = true;
}

void pm_write(struct pm *pm, uint16_t port, unsigned size, uint64_t value)
{
	switch (port) {
	case PM_SLEEP_CONTROL_PORT:
		write_sleep_control(pm, (uint8_t)value);
		break;
	case PM_SLEEP_STATUS_PORT:
		pm->sleep_status &= (uint8_t) ~(value & WAKE_STATUS);
		break;
	case PM_RESET_PORT:
		pm->reset_requested |= value == PM_RESET_VALUE;
		break;
	case PORT_KEYBOARD:
		/* "Pulse output port": bit 0 low is the processor's reset line. */
		pm->reset_requested |= (value & 0xf1) == 0xf0;
		break;
	case PORT_SPEAKER:
		pm->speaker = value & SPEAKER_BITS;
		break;
	case PORT_POST:
		pm->post_code = (uint8_t)value;
		break;
	case PORT_FAST_RESET:
		pm->port_92 = value & FAST_RESET_A20;
		pm->reset_requested |= (value & FAST_RESET_RESET) != 0;
		break;
	case PORT_PCI_RESET:
		/* A wider access is one to the PCI address port at 0xcf8. */
		if (size != 1)
			break;
		pm->reset_cf9 = value & PCI_RESET_BITS;
		pm->reset_requested |= (value & PCI_RESET_CPU) != 0;
		break;
	default:
		break;
	}
}
