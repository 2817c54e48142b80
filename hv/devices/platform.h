/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/bus.h"
#include "hv/devices/control.h"
#include "hv/devices/device.h"
#include "hv/devices/fw_cfg.h"
#include "hv/devices/irqchip.h"
#include "hv/devices/job_port.h"
#include "hv/devices/legacy.h"
#include "hv/devices/memory_slots.h"
#include "hv/devices/nvdimm.h"
#include "hv/devices/pm.h"
#include "hv/devices/pvpanic.h"
#include "hv/devices/rtc.h"
#include "hv/devices/uart.h"
#include "hv/devices/virtio_mmio.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

#define PLATFORM_UART_PORT 0x3f8
#define PLATFORM_UART_GSI  4
#define PLATFORM_RTC_PORT  0x70

/* The devices that only some VMs have. */
struct platform_extras {
	uint16_t has_legacy : 1;
	uint16_t has_nvdimms : 1;
	uint16_t n_slots : 9;  /* for DIMMs, up to 256 */
	uint16_t n_virtio : 3; /* up to VIRTIO_DEVICES_MAX */
};
_Static_assert(sizeof(struct platform_extras) == 2, "two bytes of each clone");

struct platform_config {
	const struct cpu_topology *topology; /* copied */
	unsigned phys_bits;		     /* guest's physical address width in bits, 32 to 52 */
	uint64_t tsc_hz;		     /* guest's TSC frequency, not 0 */
	uint64_t now;			     /* guest's TSC at ... */
	int64_t unix_time;		     /* ... this time of day, seconds since 1970 UTC */

	bool has_debug_exit;
	bool has_debugcon;
	bool has_pvpanic;
	uint8_t pvpanic_events;	  /* QEMU's events, PVPANIC_EVENTS by default there */
	uint16_t debug_exit_base; /* QEMU's iobase, 0x501 by default there */
	uint16_t debug_exit_size; /* QEMU's iosize, 2 by default there */
	uint16_t debugcon_base;	  /* QEMU's iobase, 0xe9 by default there */

	uint64_t ram_size;			/* bytes, for fw_cfg */
	uint64_t ram_high;			/* those above 4 GiB, for the clock's CMOS RAM */
	const struct fw_cfg_file *fw_cfg_files; /* must live as long as the platform */
	void (*fill_random)(void *buf, size_t len);
	uint16_t machine; /* its number, for MAC addresses */

	struct platform_extras extras;
	/* extras.n_virtio of them. Not copied; must live as long as the platform. */
	const struct virtio_config *virtio;
	struct legacy_parts legacy; /* extras.has_legacy: at least one */
	bool no_rtc;
	/* Of the NVDIMMs that have labels. Not copied; must live as long as the platform. */
	const struct nvdimm_labels *labels;
	unsigned n_labels;
};

/*
 * Which device is at which port and address: two buses whose devices are a struct platform.
 * Constant after the VM has started, and shared by all its clones.
 */
struct platform_wiring {
	struct io_bus pio;
	struct io_bus mmio;
};

/*
 * All of a VM's devices, platform_size() bytes, and the parts that it points to: platform_part().
 *
 * Locking: none here. A VM with several vCPUs calls with its device lock held, from before the
 * access until after irqchip_take_kick().
 */
struct platform {
	const struct platform_wiring *wiring; /* not owned */
	struct uart uart;
	struct pm pm;
	struct debug_exit debug_exit;
	struct platform_extras extras;
	struct pvpanic pvpanic;
	struct job_port job_port;
	bool rtc_is_lent; /* in a clone, before its first use: 'rtc' becomes a copy then */
	unsigned phys_bits;
	struct cpu_topology topology;
	struct fw_cfg fw_cfg; /* the caller fills in its identity, which is last */
	struct control control;
	union {
		struct rtc rtc;
		const struct rtc *lent_rtc; /* if rtc_is_lent */
	};
	struct irqchip irqchip; /* last, because its size depends on the vCPUs */
};

/* What follows the irqchip and its struct legacy, if the VM has one of these. */
struct platform_more {
	struct virtio *virtio; /* extras.n_virtio of them */
	struct nvdimm nvdimm;
	struct memory_slots slots;
};

static inline bool platform_has_more(struct platform_extras extras)
{
	return extras.has_nvdimms || extras.n_slots || extras.n_virtio;
}

static inline size_t platform_more_offset(unsigned n_cpus, struct platform_extras extras)
{
	return offsetof(struct platform, irqchip) + irqchip_size(n_cpus) +
	       (extras.has_legacy ? sizeof(struct legacy) : 0);
}

/* At most PLATFORM_SIZE_MAX. */
static inline size_t platform_size(unsigned n_cpus, struct platform_extras extras)
{
	return platform_more_offset(n_cpus, extras) +
	       (platform_has_more(extras) ? sizeof(struct platform_more) : 0);
}

#define PLATFORM_SIZE_MAX \
	(sizeof(struct platform) + IRQCHIP_NEAR * sizeof(struct lapic) + \
	 (TOPOLOGY_MAX_CPUS / IRQCHIP_FAR_TOGETHER + 1) * sizeof(struct lapic *) + \
	 sizeof(struct legacy) + sizeof(struct platform_more))

/* Only if extras.has_legacy. */
static inline struct legacy *platform_legacy(struct platform *platform)
{
	return legacy_of(&platform->irqchip);
}

/* Only if platform_has_more(). */
static inline struct platform_more *platform_more(struct platform *platform)
{
	return (struct platform_more *)((char *)platform + platform_more_offset(platform->irqchip.n,
										platform->extras));
}

/* Only if extras.has_nvdimms. */
static inline struct nvdimm *platform_nvdimm(struct platform *platform)
{
	return &platform_more(platform)->nvdimm;
}

/* Only if extras.n_slots is not 0. */
static inline struct memory_slots *platform_slots(struct platform *platform)
{
	return &platform_more(platform)->slots;
}

/* extras.n_virtio devices, in the order of the configuration. */
static inline struct virtio *platform_virtio(struct platform *platform)
{
	return platform->extras.n_virtio > 0 ? platform_more(platform)->virtio : NULL;
}

/*
 * A part of the platform that lies elsewhere, in 'size' bytes, at most a frame: where its address
 * is. Part 0 is the first one; NULL: there are no more. irqchip.n and extras are set.
 */
void **platform_part(struct platform *platform, unsigned number, size_t *ret_size);

/*
 * Fill 'wiring' and initialise 'platform', which has room for the topology's processors and
 * the extras, and whose parts are placed. ERR_RANGE: a number outside its documented range;
 * ERR_OVERLAP: a configured port range overlaps another device.
 */
enum status platform_init(struct platform *platform, struct platform_wiring *wiring,
			  const struct platform_config *config);
/* The addresses that devices claim, for reports. Each list is ascending, without overlaps. */
struct device_range {
	uint64_t start, len; /* guest-physical bytes, or ports */
	const char *name;    /* QEMU's name of the device, if it has one; constant */
	unsigned priority;   /* QEMU's priority of the region */
};

#define DEVICE_RANGES_MAX 33 /* a bus, and the local APIC */
struct device_list {
	struct device_range memory[DEVICE_RANGES_MAX], port[DEVICE_RANGES_MAX];
	unsigned n_memory, n_ports;
};

/*
 * List the addresses that the devices claim; the local APICs are listed at their address after a
 * reset.
 */
void platform_list(const struct platform *platform, struct device_list *ret);
/*
 * Reset all devices to their power-on state, except for time, CMOS RAM, identity and output
 * buffers.
 */
void platform_reset(struct platform *platform);
/*
 * Make 'to', which has the same size and parts of its own, equal to 'from', except for its identity
 * and its control port: for a new clone, which gets its own, or a clone that is reverted, which
 * keeps them. Both then share the bytes of NVDIMM labels; a caller who wants separate labels
 * replaces them in the clone. 'from' is a template's after platform_keep(), does not change, and
 * stays as long as 'to': clock and I/O APIC are copied when 'to' first uses them.
 */
void platform_copy(struct platform *to, const struct platform *from);
/* Copy what is not copied yet. */
void platform_keep(struct platform *platform);

/*
 * All devices and their addresses, in the order of a saved state. A device with several ranges has
 * several adjacent rows. 'len' is 0 for a device that is on no bus, or whose ports the
 * configuration chooses.
 */
extern const struct io_range platform_devices[];
extern const size_t platform_n_devices;
/* The device of that number, from 0 on, for a row; NULL: the VM has fewer. */
void *platform_device(struct platform *platform, const struct io_range *row, unsigned number);

/* Only if extras.has_legacy: look at the timers that the vCPUs share. */
void platform_update_legacy(struct platform *platform, uint64_t now);

/* Look at a vCPU's timers, and at those that the VM's vCPUs share. 'now' is the vCPU's TSC. */
static inline void platform_update_timers(struct platform *platform, struct lapic *lapic,
					  uint64_t now)
{
	irqchip_update_timer(&platform->irqchip, lapic, now);
	if (platform->extras.has_legacy)
		platform_update_legacy(platform, now);
}

/* The guest has moved the TSC of a vCPU by this much, to 'now'. */
void platform_move_tsc(struct platform *platform, struct lapic *lapic, uint64_t by, uint64_t now);

/* Pass interrupt lines that an access may have changed on to the interrupt controllers. */
static inline void platform_update_lines(struct platform *platform)
{
	struct irqchip *chip = &platform->irqchip;

	if (platform->uart.irq || chip->ioapic.asserted & BIT(PLATFORM_UART_GSI))
		irqchip_set_irq(chip, PLATFORM_UART_GSI, platform->uart.irq);
}

/* A port; see io_bus_read(). */
static inline uint64_t platform_port_read(struct platform *platform, struct io_access *access)
{
	uint64_t value = io_bus_read(&platform->wiring->pio, platform, access);

	platform_update_lines(platform);
	return value;
}

static inline uint32_t platform_port_write(struct platform *platform, struct io_access *access)
{
	uint32_t wish = io_bus_write(&platform->wiring->pio, platform, access);

	platform_update_lines(platform);
	return wish;
}

/*
 * MMIO by vCPU 'cpu': first its own local APIC page at the address in IA32_APIC_BASE, then the MMIO
 * bus. The APIC page is not on the bus, because it is a different device for each vCPU and can
 * move.
 */
uint64_t platform_mmio_read(struct platform *platform, unsigned cpu, struct io_access *access);
/* Returns a set of enum device_wish. */
uint32_t platform_mmio_write(struct platform *platform, unsigned cpu, struct io_access *access);

/*
 * After a write returned WISH_VIRTIO, and after virtio_serve(): pass the lines of the virtio
 * devices on to the I/O APIC.
 */
void platform_update_virtio(struct platform *platform);
/* The first virtio device that has work; NULL: none. */
struct virtio *platform_busy_virtio(struct platform *platform);

/* Whether the watchdog's countdown has ended since the last call. */
static inline bool platform_take_watchdog(struct platform *platform)
{
	struct acpi_watchdog *watchdog = &platform_legacy(platform)->watchdog;
	bool is_news = platform->extras.has_legacy && watchdog->is_news;

	if (is_news)
		watchdog->is_news = false;
	return is_news;
}

/* Press the power button. A guest that does not listen yet finds the press when it does. */
static inline void platform_press_power_button(struct platform *platform)
{
	irqchip_signal(&platform->irqchip, PM_POWER_BUTTON_GSI);
}

/* Give the guest's serial port a byte; false: the port is full, try again later. */
bool platform_uart_receive(struct platform *platform, uint8_t byte);
/* Hold the serial port's line, or let it go: uart_hold(). */
void platform_uart_hold(struct platform *platform, bool on);
