/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/tco.h"

#include "hv/host/acpi_register.h"

enum {
	RELOAD = 0x00, /* ports */
	STATUS_1 = 0x04,
	STATUS_2 = 0x06,
	CONTROL_1 = 0x08,
	COUNT = 0x12,
	STATUS_1_TIMEOUT = 1 << 3, /* cleared by a one, as the next */
	STATUS_2_SECOND_TIMEOUT = 1 << 1,
	CONTROL_1_HALT = 1 << 11,
	GCS_NO_REBOOT = 1 << 5,
};

static uint32_t read_port(const struct tco *tco, uint16_t offset)
{
	return acpi_register_read(
		(struct acpi_register){ACPI_SPACE_IO, (uint16_t)(tco->base + offset)}, 2);
}

static void write_port(const struct tco *tco, uint16_t offset, uint32_t value)
{
	acpi_register_write((struct acpi_register){ACPI_SPACE_IO, (uint16_t)(tco->base + offset)},
			    2, value);
}

static bool forbid_reset(const struct tco *tco, bool on)
{
	uint32_t gcs = acpi_register_read(tco->gcs, 4) & ~(uint32_t)GCS_NO_REBOOT;

	acpi_register_write(tco->gcs, 4, gcs | (on ? GCS_NO_REBOOT : 0));
	return acpi_register_read(tco->gcs, 4) & GCS_NO_REBOOT;
}

bool tco_is_running(const struct tco *tco)
{
	return !(read_port(tco, CONTROL_1) & CONTROL_1_HALT) &&
	       !(acpi_register_read(tco->gcs, 4) & GCS_NO_REBOOT);
}

void tco_stop(const struct tco *tco)
{
	write_port(tco, CONTROL_1, read_port(tco, CONTROL_1) | CONTROL_1_HALT);
	(void)forbid_reset(tco, true);
}

bool tco_start(const struct tco *tco, unsigned ticks)
{
	uint32_t others = read_port(tco, COUNT) & ~(uint32_t)TCO_TICKS_MAX;

	tco_stop(tco);
	write_port(tco, STATUS_1, STATUS_1_TIMEOUT);
	write_port(tco, COUNT, others | ticks);
	if (forbid_reset(tco, false))
		return false;
	write_port(tco, CONTROL_1, read_port(tco, CONTROL_1) & ~(uint32_t)CONTROL_1_HALT);
	tco_feed(tco);
	return true;
}

void tco_feed(const struct tco *tco)
{
	write_port(tco, RELOAD, 1);
}

bool tco_take_status(const struct tco *tco)
{
	if (!(read_port(tco, STATUS_2) & STATUS_2_SECOND_TIMEOUT))
		return false;
	write_port(tco, STATUS_2, STATUS_2_SECOND_TIMEOUT);
	return true;
}
