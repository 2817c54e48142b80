/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's devices, wired: who sits at which port or address, and which line goes
 * to which pin. Ports in between (PIC, PIT, 8042 data, DMA, ...) are claimed by
 * nobody: they read as all ones and swallow writes.
 */
#include "hv/devices/platform.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

static void update_uart_line(struct platform *platform)
{
	irqchip_set_irq(&platform->irqchip, PLATFORM_UART_GSI, platform->uart.irq);
}

static uint64_t uart_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	struct platform *platform = dev;
	uint8_t value = uart_read(&platform->uart, (unsigned)off);

	(void)size;
	(void)now;
	update_uart_line(platform);
	return value;
}

static void uart_port_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	struct platform *platform = dev;

	(void)size;
	(void)now;
	uart_write(&platform->uart, (unsigned)off, (uint8_t)value);
	update_uart_line(platform);
}

static uint64_t rtc_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)size;
	return rtc_read(dev, (unsigned)off, now);
}

static void rtc_port_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	(void)size;
	rtc_write(dev, (unsigned)off, (uint8_t)value, now);
}

static uint64_t pm_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)now;
	return pm_read(dev, (uint16_t)off, size);
}

static void pm_port_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	(void)now;
	pm_write(dev, (uint16_t)off, size, value);
}

static uint64_t debug_exit_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)dev;
	(void)off;
	(void)size;
	(void)now;
	return 0;
}

static void debug_exit_port_write(void *dev, uint64_t off, unsigned size, uint64_t value,
				  uint64_t now)
{
	(void)off;
	(void)size;
	(void)now;
	debug_exit_write(dev, value);
}

static uint64_t debugcon_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)dev;
	(void)off;
	(void)size;
	(void)now;
	return DEBUGCON_READBACK;
}

static void debugcon_port_write(void *dev, uint64_t off, unsigned size, uint64_t value,
				uint64_t now)
{
	(void)off;
	(void)size;
	(void)now;
	debugcon_output(dev, (uint8_t)value);
}

static uint64_t ioapic_page_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	struct irqchip *chip = dev;

	(void)now;
	return ioapic_mmio_read(&chip->ioapic, off, size);
}

static void ioapic_page_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	(void)now;
	ioapic_mmio_write(dev, off, size, value);
}

static uint64_t nvdimm_page_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)now;
	return nvdimm_mmio_read(dev, off, size);
}

static void nvdimm_page_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	(void)now;
	nvdimm_mmio_write(dev, off, size, value);
}

static uint64_t control_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)now;
	return control_read(dev, off, size);
}

static void control_port_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	control_write(dev, off, size, value, now);
}

static uint64_t fw_cfg_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)now;
	return fw_cfg_read(dev, off, size);
}

static void fw_cfg_port_write(void *dev, uint64_t off, unsigned size, uint64_t value, uint64_t now)
{
	(void)now;
	fw_cfg_write(dev, off, size, value);
}

static uint64_t fw_cfg_dma_port_read(void *dev, uint64_t off, unsigned size, uint64_t now)
{
	(void)dev;
	(void)now;
	return fw_cfg_dma_read(off, size);
}

static void fw_cfg_dma_port_write(void *dev, uint64_t off, unsigned size, uint64_t value,
				  uint64_t now)
{
	(void)now;
	fw_cfg_dma_write(dev, off, size, value);
}

static const struct io_ops uart_ops = {uart_port_read, uart_port_write};
static const struct io_ops rtc_ops = {rtc_port_read, rtc_port_write};
static const struct io_ops pm_ops = {pm_port_read, pm_port_write};
static const struct io_ops debug_exit_ops = {debug_exit_port_read, debug_exit_port_write};
static const struct io_ops debugcon_ops = {debugcon_port_read, debugcon_port_write};
static const struct io_ops ioapic_ops = {ioapic_page_read, ioapic_page_write};
static const struct io_ops control_ops = {control_port_read, control_port_write};
static const struct io_ops nvdimm_ops = {nvdimm_page_read, nvdimm_page_write};
static const struct io_ops fw_cfg_ops = {fw_cfg_port_read, fw_cfg_port_write};
static const struct io_ops fw_cfg_dma_ops = {fw_cfg_dma_port_read, fw_cfg_dma_port_write};

/* 'first' is the port itself: pm.c goes by absolute ports. */
static enum status add_pm_ports(struct io_bus *pio)
{
	static const struct {
		uint16_t start;
		uint8_t len;
		uint8_t width;
	} ports[] = {
		{0x61, 1, 1}, {0x64, 1, 1},  {0x80, 1, 1},
		{0x92, 1, 1}, {0xcf8, 8, 4}, {PM_SLEEP_CONTROL_PORT, 3, 1},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		TRY(io_bus_add(pio, &(struct io_range){.start = ports[i].start,
						       .len = ports[i].len,
						       .width = ports[i].width,
						       .first = ports[i].start,
						       .ops = &pm_ops,
						       .dev = offsetof(struct platform, pm)}));
	return OK;
}

static enum status add_debug_ports(struct platform_wiring *wiring,
				   const struct platform_config *config)
{
	if (config->has_debug_exit)
		TRY(io_bus_add(&wiring->pio,
			       &(struct io_range){.start = config->debug_exit_base,
						  .len = config->debug_exit_size,
						  .width = 4,
						  .ops = &debug_exit_ops,
						  .dev = offsetof(struct platform, debug_exit)}));
	if (config->has_debugcon)
		TRY(io_bus_add(&wiring->pio, &(struct io_range){.start = config->debugcon_base,
								.len = 1,
								.width = 1,
								.ops = &debugcon_ops,
								.dev = 0}));
	return OK;
}

static enum status add_fw_cfg(struct platform_wiring *wiring)
{
	TRY(io_bus_add(&wiring->pio, &(struct io_range){.start = FW_CFG_PORT,
							.len = FW_CFG_N_PORTS,
							.width = 2,
							.ops = &fw_cfg_ops,
							.dev = offsetof(struct platform, fw_cfg)}));
	return io_bus_add(&wiring->pio,
			  &(struct io_range){.start = FW_CFG_DMA_PORT,
					     .len = FW_CFG_DMA_N_PORTS,
					     .width = 4,
					     .ops = &fw_cfg_dma_ops,
					     .dev = offsetof(struct platform, fw_cfg)});
}

static enum status add_nvdimms(struct platform_wiring *wiring, const struct platform_config *config)
{
	if (!config->has_nvdimms)
		return OK;
	return io_bus_add(&wiring->mmio, &(struct io_range){.start = NVDIMM_MMIO_BASE,
							    .len = NVDIMM_MMIO_SIZE,
							    .width = 8,
							    .ops = &nvdimm_ops,
							    .dev = platform_nvdimm_offset(
								    config->topology->n_cpus)});
}

static enum status add_ranges(struct platform_wiring *wiring, const struct platform_config *config)
{
	TRY(io_bus_add(&wiring->pio, &(struct io_range){.start = PLATFORM_UART_PORT,
							.len = UART_N_PORTS,
							.width = 1,
							.ops = &uart_ops,
							.dev = 0}));
	TRY(io_bus_add(&wiring->pio, &(struct io_range){.start = PLATFORM_RTC_PORT,
							.len = 2,
							.width = 1,
							.ops = &rtc_ops,
							.dev = offsetof(struct platform, rtc)}));
	TRY(io_bus_add(&wiring->mmio,
		       &(struct io_range){.start = IOAPIC_BASE,
					  .len = IOAPIC_SIZE,
					  .width = 4,
					  .ops = &ioapic_ops,
					  .dev = offsetof(struct platform, irqchip)}));
	TRY(io_bus_add(&wiring->pio,
		       &(struct io_range){.start = CONTROL_PORT,
					  .len = CONTROL_N_PORTS,
					  .width = 4,
					  .ops = &control_ops,
					  .dev = offsetof(struct platform, control)}));
	TRY(add_fw_cfg(wiring));
	TRY(add_nvdimms(wiring, config));
	TRY(add_pm_ports(&wiring->pio));
	return add_debug_ports(wiring, config);
}

/* Its ports are too many for a table by operations. */
static const char *pm_name(uint64_t port)
{
	switch (port) {
	case 0x61:
		return "pcspk";
	case 0x64:
		return "i8042-cmd";
	case 0x80:
		return "ioport80";
	case 0x92:
		return "port92";
	case 0xcf8:
		return "pci-conf-idx";
	default:
		return "acpi-sleep";
	}
}

static const char *range_name(const struct io_range *range)
{
	static const struct {
		const struct io_ops *ops;
		const char *name;
	} names[] = {
		{&uart_ops, "serial"},
		{&rtc_ops, "rtc"},
		{&debug_exit_ops, "isa-debug-exit"},
		{&debugcon_ops, "isa-debugcon"},
		{&ioapic_ops, "ioapic"},
		{&nvdimm_ops, "nvdimm-acpi-io"},
		{&fw_cfg_ops, "fwcfg"},
		{&fw_cfg_dma_ops, "fwcfg.dma"},
		{&control_ops, "stencil-control"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].ops == range->ops)
			return names[i].name;
	return pm_name(range->start);
}

static unsigned list_bus(const struct io_bus *bus, struct device_range *list)
{
	for (unsigned i = 0; i < bus->n; i++)
		list[i] = (struct device_range){
			.start = bus->range[i].start,
			.len = bus->range[i].len,
			.name = range_name(&bus->range[i]),
		};
	return bus->n;
}

void platform_list(const struct platform *platform, struct device_list *ret)
{
	unsigned i = list_bus(&platform->wiring->mmio, ret->memory);

	_Static_assert(IO_BUS_MAX_RANGES < DEVICE_RANGES_MAX);
	ret->n_ports = list_bus(&platform->wiring->pio, ret->port);
	ret->n_memory = i + 1;
	for (; i > 0 && ret->memory[i - 1].start > APIC_BASE_ADDR; i--)
		ret->memory[i] = ret->memory[i - 1];
	ret->memory[i] = (struct device_range){
		.start = APIC_BASE_ADDR, .len = PAGE_SIZE, .name = "apic-msi", .priority = 4096};
}

static bool config_is_valid(const struct platform_config *config)
{
	if (config->has_debug_exit &&
	    (config->debug_exit_size == 0 || config->debug_exit_size > 4 ||
	     config->debug_exit_base > UINT16_MAX - config->debug_exit_size + 1))
		return false;
	return config->topology->n_cpus >= 1 && config->topology->n_cpus <= TOPOLOGY_MAX_CPUS &&
	       config->phys_bits >= 32 && config->phys_bits <= 52 && config->tsc_hz != 0;
}

static void init_fw_cfg(struct fw_cfg *fw_cfg, const struct platform_config *config)
{
	fw_cfg->files = config->fw_cfg_files;
	fw_cfg->ram_size = config->ram_size;
	fw_cfg->n_cpus = config->topology->n_cpus;
}

static void init_nvdimms(struct platform *platform, const struct platform_config *config)
{
	platform->has_nvdimms = config->has_nvdimms;
	if (config->has_nvdimms)
		*platform_nvdimm(platform) = (struct nvdimm){
			.labels = config->labels,
			.n_labels = config->n_labels,
		};
}

enum status platform_init(struct platform *platform, struct platform_wiring *wiring,
			  const struct platform_config *config)
{
	if (!config_is_valid(config))
		return ERR_RANGE;
	memset(platform, 0, sizeof(*platform));
	memset(wiring, 0, sizeof(*wiring));
	platform->wiring = wiring;
	platform->phys_bits = config->phys_bits;
	platform->topology = *config->topology;
	irqchip_reset(&platform->irqchip, config->topology, config->phys_bits);
	uart_reset(&platform->uart);
	rtc_init(&platform->rtc, config->unix_time, config->now, config->tsc_hz);
	pm_reset(&platform->pm);
	init_fw_cfg(&platform->fw_cfg, config);
	init_nvdimms(platform, config);
	return add_ranges(wiring, config);
}

void platform_reset(struct platform *platform)
{
	irqchip_reset(&platform->irqchip, &platform->topology, platform->phys_bits);
	uart_reset(&platform->uart);
	rtc_reset(&platform->rtc);
	pm_reset(&platform->pm);
	if (platform->has_nvdimms)
		nvdimm_reset(platform_nvdimm(platform));
	fw_cfg_reset(&platform->fw_cfg);
	platform->debug_exit = (struct debug_exit){0};
}

void platform_copy(struct platform *to, const struct platform *from)
{
	size_t size = platform_size(from->irqchip.n, from->has_nvdimms);

	_Static_assert(_Alignof(struct platform) == 8 && sizeof(struct lapic) % 8 == 0 &&
			       sizeof(struct nvdimm) % 8 == 0,
		       "words");
	copy_words(to, from, size / 8);
}

uint64_t platform_mmio_read(struct platform *platform, unsigned cpu, uint64_t addr, unsigned size,
			    uint64_t now)
{
	struct lapic *lapic;
	uint64_t off = addr & (PAGE_SIZE - 1);

	assert(cpu < platform->irqchip.n);
	lapic = &platform->irqchip.lapic[cpu];
	if (!lapic_claims(lapic, addr))
		return io_bus_read(&platform->wiring->mmio, platform, addr, size, now);
	return lapic_mmio_read(lapic, off, size, now);
}

void platform_mmio_write(struct platform *platform, unsigned cpu, uint64_t addr, unsigned size,
			 uint64_t value, uint64_t now)
{
	struct lapic *lapic;

	assert(cpu < platform->irqchip.n);
	lapic = &platform->irqchip.lapic[cpu];
	if (!lapic_claims(lapic, addr))
		io_bus_write(&platform->wiring->mmio, platform, addr, size, value, now);
	else
		lapic_mmio_write(lapic, addr & (PAGE_SIZE - 1), size, value, now);
}

bool platform_uart_receive(struct platform *platform, uint8_t byte)
{
	bool taken = uart_receive(&platform->uart, byte);

	update_uart_line(platform);
	return taken;
}
