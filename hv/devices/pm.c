/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power off, reset and a few legacy ports. There is no 8042 and no PCI. The ports return values
 * that end a guest's waiting loops: the keyboard controller is never busy, there is no NMI reason,
 * and timer 2, of a VM that has none, has always expired.
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

/* Some guests wait for refresh cycles: the bit toggles with every read. */
static uint8_t read_speaker(struct pm *pm)
{
	pm->refresh = !pm->refresh;
	return pm->speaker | SPEAKER_TIMER2 | (pm->refresh ? SPEAKER_REFRESH : 0);
}

static uint64_t pm_read(void *dev, const struct io_access *access)
{
	struct pm *pm = dev;

	switch (access->addr) {
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
		return access->size == 1 ? pm->reset_cf9 : UINT64_MAX;
	default:
		return UINT64_MAX;
	}
}

static uint32_t wish_if(bool wished, enum device_wish wish)
{
	return wished ? wish : 0;
}

/* A wider access belongs to the PCI address port at 0xcf8. */
static uint32_t write_pci_reset(struct pm *pm, const struct io_access *access)
{
	if (access->size != 1)
		return 0;
	pm->reset_cf9 = access->value & PCI_RESET_BITS;
	return wish_if(access->value & PCI_RESET_CPU, WISH_RESET);
}

static uint32_t pm_write(void *dev, const struct io_access *access)
{
	uint64_t value = access->value;
	struct pm *pm = dev;

	switch (access->addr) {
	case PM_SLEEP_CONTROL_PORT:
		return wish_if(value & SLEEP_ENABLE && SLEEP_TYPE(value) == PM_SLEEP_TYPE_S5,
			       WISH_POWER_OFF);
	case PM_SLEEP_STATUS_PORT:
		pm->sleep_status &= (uint8_t) ~(value & WAKE_STATUS);
		return 0;
	case PM_RESET_PORT:
		return wish_if(value == PM_RESET_VALUE, WISH_RESET);
	case PORT_KEYBOARD:
		/* "Pulse output port": bit 0 low is the processor's reset line. */
		return wish_if((value & 0xf1) == 0xf0, WISH_RESET);
	case PORT_SPEAKER:
		pm->speaker = value & SPEAKER_BITS;
		return 0;
	case PORT_POST:
		pm->post_code = (uint8_t)value;
		return 0;
	case PORT_FAST_RESET:
		pm->port_92 = value & FAST_RESET_A20;
		return wish_if(value & FAST_RESET_RESET, WISH_RESET);
	case PORT_PCI_RESET:
		return write_pci_reset(pm, access);
	default:
		return 0;
	}
}

static const struct state_field pm_fields[] = {
	STATE_ARRAY(struct pm, reserved, 0),	    STATE_FIELD(struct pm, refresh, 1),
	STATE_FIELD(struct pm, sleep_status, 0xff), STATE_FIELD(struct pm, speaker, SPEAKER_BITS),
	STATE_FIELD(struct pm, port_92, 0xff),	    STATE_FIELD(struct pm, reset_cf9, 0xff),
	STATE_FIELD(struct pm, post_code, 0xff),
};

const struct device_class pm_class = {
	.name = "pm",
	.read = pm_read,
	.write = pm_write,
	.fields = pm_fields,
	.n_fields = ARRAY_SIZE(pm_fields),
};
