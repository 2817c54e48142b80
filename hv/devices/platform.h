/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/bus.h"
#include "hv/devices/control.h"
#include "hv/devices/debug_ports.h"
#include "hv/devices/fw_cfg.h"
#include "hv/devices/irqchip.h"
#include "hv/devices/nvdimm.h"
#include "hv/devices/pm.h"
#include "hv/devices/rtc.h"
#include "hv/devices/uart.h"
#include "hv/status.h"
#include "hv/types.h"

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
 * All of a VM's devices and its two buses, platform_size() bytes. The buses point into
 * the struct: it must not be moved or copied but by platform_clone().
 *
 * Locking: none here; a VM with several vCPUs calls with its device lock held,
 * from before the access until irqchip_take_kick() after it.
 */
struct platform {
	struct uart uart;
	struct rtc rtc;
	struct pm pm;
	struct debug_exit debug_exit;
	struct debugcon debugcon;
	bool has_nvdimms;
	struct nvdimm nvdimm; /* if there are any */
	struct control control;
	struct fw_cfg fw_cfg; /* its identity is for the caller to fill in */
	unsigned phys_bits;
	struct cpu_topology topology;
	struct io_bus pio;
	struct io_bus mmio;
	struct irqchip irqchip; /* last: it grows with the vCPUs */
};

static inline size_t platform_size(unsigned n_cpus)
{
	return offsetof(struct platform, irqchip) + irqchip_size(n_cpus);
}

/*
 * Wire everything; 'platform' has room for the topology's processors. Further ranges may be added
 * to pio and mmio until the VM runs. ERR_RANGE: a number outside what its comment says;
 * ERR_OVERLAP: a configured port range collides with another device.
 */
enum status platform_init(struct platform *platform, const struct platform_config *config);
/* All devices as after power-on, but for time, CMOS RAM, identity and output buffers. */
void platform_reset(struct platform *platform);
/*
 * Make 'clone', which has room for as many processors, a copy of 'platform' with buses of its own:
 * a 'dev' inside the original becomes the same inside the clone, others are kept. NVDIMM labels are
 * the same bytes in both: whoever wants them apart gives the clone others.
 */
void platform_clone(struct platform *clone, const struct platform *platform);
/* The state of all devices alone, between a platform and its clone. */
void platform_copy_state(struct platform *to, const struct platform *from);

/*
 * MMIO by vCPU 'cpu': its own local APIC page where IA32_APIC_BASE says, then
 * the mmio bus. The APIC page is a different device for each vCPU and can move,
 * so it is not on the bus. Ports need no such door: io_bus_read(&platform->pio, ...).
 */
uint64_t platform_mmio_read(struct platform *platform, unsigned cpu, uint64_t addr, unsigned size,
			    uint64_t now);
void platform_mmio_write(struct platform *platform, unsigned cpu, uint64_t addr, unsigned size,
			 uint64_t value, uint64_t now);

/* A byte for the guest's serial console; false: full, bring it again later. */
bool platform_uart_receive(struct platform *platform, uint8_t byte);
