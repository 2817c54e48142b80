/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices in a VM's saved state: the fields of each device class, in the order of
 * platform_devices[]. The fields exclude what belongs to the VM's own identity or wiring: fw_cfg's
 * files and identity, the control port, labels, unfinished lines of output.
 */
#include "hv/vm/state_device.h"

/* A device with several ranges has several rows. */
static bool is_saved(size_t row)
{
	const struct device_class *class = platform_devices[row].class;

	return class->n_fields > 0 && (row == 0 || platform_devices[row - 1].class != class);
}

static void put(struct state_writer *writer, struct platform *platform, const struct io_range *row)
{
	const struct device_class *class = row->class;
	const void *dev;

	for (unsigned n = 0; (dev = platform_device(platform, row, n)) != NULL; n++) {
		state_begin_section(writer, class->name, n);
		state_put_fields(writer, class->fields, class->n_fields, dev);
		state_end_section(writer);
	}
}

void state_put_devices(struct state_writer *writer, const struct platform *platform)
{
	for (size_t row = 0; row < platform_n_devices; row++)
		if (is_saved(row))
			put(writer, (struct platform *)platform, &platform_devices[row]);
}

static enum status get(struct state_reader *reader, struct platform *platform,
		       const struct io_range *row)
{
	const struct device_class *class = row->class;
	void *dev;

	if (class->since > reader->version)
		return OK;
	for (unsigned n = 0; (dev = platform_device(platform, row, n)) != NULL; n++) {
		TRY(state_read_section(reader, class->name, n));
		TRY(state_get_fields(reader, class->fields, class->n_fields, dev));
		if (class->check)
			TRY(class->check(dev, reader));
	}
	return OK;
}

/* Up to 'then', time passed at the other machine's frequency. */
static void catch_up(struct rtc *rtc, uint64_t tsc_hz, uint64_t then)
{
	uint64_t hz = rtc->tsc_hz;

	rtc->tsc_hz = tsc_hz;
	(void)rtc_time(rtc, then);
	rtc->tsc_hz = hz;
}

enum status state_get_devices(struct state_reader *reader, struct platform *platform,
			      uint64_t tsc_hz, uint64_t then)
{
	for (size_t row = 0; row < platform_n_devices; row++)
		if (is_saved(row))
			TRY(get(reader, platform, &platform_devices[row]));
	catch_up(&platform->rtc, tsc_hz, then);
	if (platform->extras.has_legacy)
		legacy_loaded(&platform->irqchip, tsc_hz, then);
	return OK;
}
