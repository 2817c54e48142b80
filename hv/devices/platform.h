/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/bus.h"
#include "hv/devices/control.h"
#include "hv/devices/device.h"
#include "hv/devices/fw_cfg.h"
#include "hv/devices/irqchip.h"
#include "hv/devices/nvdimm.h"
#include "hv/devices/pm.h"
#include "hv/devices/rtc.h"
#include "hv/devices/uart.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

#define PLATFORM_UART_PORT 0x3f8
#define PLATFORM_UART_GSI  4
#define PLATFORM_RTC_PORT  0x70

struct platform_config {
	const struct cpu_topology *topology; /* copied */
	unsigned phys_bits;		     /* guest's physical address width, 32 to 52 */
	uint64_t tsc_hz;		     /* guest's TSC frequency, not 0 */
	uint64_t now;			     /* guest's TSC at the moment of ... */
	int64_t unix_time;		     /* ... this time of day, seconds since 1970 UTC */

	bool has_debug_exit;
	bool has_debugcon;
	uint16_t debug_exit_base; /* QEMU's iobase, 0x501 by default there */
	uint16_t debug_exit_size; /* QEMU's iosize, 2 by default there */
	uint16_t debugcon_base;	  /* QEMU's iobase, 0xe9 by default there */

	uint64_t ram_size;			/* bytes, for fw_cfg */
	const struct fw_cfg_file *fw_cfg_files; /* used as long as the platform is */

	bool has_nvdimms;
	/* Of those NVDIMMs that have any; not copied, and used as long as the platform is. */
	const struct nvdimm_labels *labels;
	unsigned n_labels;
};

/*
 * Who sits at which port and address: two buses whose devices are a struct platform. Constant once
 * a VM runs, and the same for all its clones.
 */
struct platform_wiring {
	struct io_bus pio;
	struct io_bus mmio;
};

/*
 * All of a VM's devices, platform_size() bytes. NVDIMMs' registers, if there are any, are behind
 * the local APICs.
 *
 * Locking: none here; a VM with several vCPUs calls with its device lock held,
 * from before the access until irqchip_take_kick() after it.
 */
struct platform {
	const struct platform_wiring *wiring; /* not owned */
	struct uart uart;
	struct rtc rtc;
	struct pm pm;
	struct debug_exit debug_exit;
	bool has_nvdimms;
	struct control control;
	struct fw_cfg fw_cfg; /* its identity is for the caller to fill in */
	unsigned phys_bits;
	struct cpu_topology topology;
	struct irqchip irqchip; /* last: it grows with the vCPUs */
};

static inline size_t platform_nvdimm_offset(unsigned n_cpus)
{
	return offsetof(struct platform, irqchip) + irqchip_size(n_cpus);
}

static inline size_t platform_size(unsigned n_cpus, bool has_nvdimms)
{
	return platform_nvdimm_offset(n_cpus) + (has_nvdimms ? sizeof(struct nvdimm) : 0);
}

/* Only if there are any. */
static inline struct nvdimm *platform_nvdimm(struct platform *platform)
{
	return (struct nvdimm *)((char *)platform + platform_nvdimm_offset(platform->irqchip.n));
}

/*
 * Wire everything: 'wiring' is filled, 'platform' has room for the topology's processors and
 * NVDIMMs. ERR_RANGE: a number outside what its comment says;
 * ERR_OVERLAP: a configured port range collides with another device.
 */
enum status platform_init(struct platform *platform, struct platform_wiring *wiring,
			  const struct platform_config *config);
/* What devices answer to, for those who ask. Each list ascends, and nothing in it overlaps. */
struct device_range {
	uint64_t start, len; /* guest-physical bytes, or ports */
	const char *name;    /* QEMU's for the device, where there is one; constant */
	unsigned priority;   /* QEMU's for the region */
};

#define DEVICE_RANGES_MAX 33 /* a bus, and the local APIC */
struct device_list {
	struct device_range memory[DEVICE_RANGES_MAX], port[DEVICE_RANGES_MAX];
	unsigned n_memory, n_ports;
};

/* What the devices answer to; the local APICs where they are after a reset. */
void platform_list(const struct platform *platform, struct device_list *ret);
/* All devices as after power-on, but for time, CMOS RAM, identity and output buffers. */
void platform_reset(struct platform *platform);
/*
 * Make 'to', which has the same size, the same as 'from': a clone, or one that goes back. NVDIMM
 * labels are the same bytes in both: whoever wants them apart gives the clone others.
 */
void platform_copy(struct platform *to, const struct platform *from);

/*
 * The devices and where they are, in the order of a saved state: a device with several ranges has
 * several rows, one after the other. In a row of a device that is on no bus, or where the
 * configuration says, 'len' is 0.
 */
extern const struct io_range platform_devices[];
extern const size_t platform_n_devices;
/* The row's device of that number, from 0 on; NULL: the VM has fewer. */
void *platform_device(struct platform *platform, const struct io_range *row, unsigned number);

/* Take over to the interrupt controllers the lines that an access may have changed. */
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
 * MMIO by vCPU 'cpu': its own local APIC page where IA32_APIC_BASE says, then
 * the mmio bus. The APIC page is a different device for each vCPU and can move,
 * so it is not on the bus.
 */
uint64_t platform_mmio_read(struct platform *platform, unsigned cpu, struct io_access *access);
/* Returns a set of enum device_wish. */
uint32_t platform_mmio_write(struct platform *platform, unsigned cpu, struct io_access *access);

/* A byte for the guest's serial console; false: full, bring it again later. */
bool platform_uart_receive(struct platform *platform, uint8_t byte);
