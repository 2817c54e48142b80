/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's devices and how they are wired: which device is at which port or address, and which line
 * leads to which pin. Other ports (8042 data, DMA, ...) are unclaimed: they read as all
 * ones, and writes are dropped.
 */
#include "hv/devices/platform.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"

#define PLACE(member) offsetof(struct platform, member)

const struct io_range platform_devices[] = {
	{IOAPIC_BASE, IOAPIC_SIZE, &irqchip_class, PLACE(irqchip), "ioapic", 4},
	{.class = &ioapic_class, .dev = PLACE(irqchip.ioapic)},
	{.class = &lapic_class, .dev = PLACE(irqchip.lapic)},
	{PLATFORM_UART_PORT, UART_N_PORTS, &uart_class, PLACE(uart), "serial", 1},
	{PLATFORM_RTC_PORT, 2, &rtc_class, PLACE(rtc), "rtc", 1},
	{0x64, 1, &pm_class, PLACE(pm), "i8042-cmd", 1},
	{LEGACY_SPEAKER_PORT, 1, &pm_class, PLACE(pm), "pcspk", 1},
	{0x80, 1, &pm_class, PLACE(pm), "ioport80", 1},
	{0x92, 1, &pm_class, PLACE(pm), "port92", 1},
	{0xcf8, 8, &pm_class, PLACE(pm), "pci-conf-idx", 4},
	{PM_SLEEP_CONTROL_PORT, 3, &pm_class, PLACE(pm), "acpi-sleep", 1},
	{.class = &debug_exit_class, .dev = PLACE(debug_exit)},
	{FW_CFG_PORT, FW_CFG_N_PORTS, &fw_cfg_class, PLACE(fw_cfg), "fwcfg", 2},
	{FW_CFG_DMA_PORT, FW_CFG_DMA_N_PORTS, &fw_cfg_class, PLACE(fw_cfg), "fwcfg.dma", 4},
	{CONTROL_PORT, CONTROL_N_PORTS, &control_class, PLACE(control), "stencil-control", 4},
	{JOB_PORT, JOB_N_PORTS, &job_port_class, PLACE(job_port), "stencil-job", 4},
	{NVDIMM_MMIO_BASE, NVDIMM_MMIO_SIZE, &nvdimm_class, 0, "nvdimm-acpi-io", 8},
	{MEMORY_SLOTS_PORT, MEMORY_SLOTS_N_PORTS, &memory_slots_class, 0, "acpi-mem-hotplug", 4},
	{.class = &memory_slot_class},
	{VIRTIO_MMIO_START, VIRTIO_MMIO_LENGTH, &virtio_mmio_class, 0, "virtio-mmio", 4},
	{PIC_PORT, PIC_N_PORTS, &legacy_pic_class, PLACE(irqchip), "pic", 1},
	{PIC_PORT_2, PIC_N_PORTS, &legacy_pic_class, PLACE(irqchip), "pic", 1},
	{PIC_ELCR, PIC_N_ELCR, &legacy_pic_class, PLACE(irqchip), "elcr", 1},
	{.class = &pic_chip_class},
	{PIT_PORT, PIT_N_PORTS, &legacy_pit_class, PLACE(irqchip), "pit", 1},
	{LEGACY_SPEAKER_PORT, 1, &legacy_speaker_class, PLACE(irqchip), "pcspk", 1},
	{.class = &pit_channel_class},
	{.class = &legacy_class},
	{HPET_BASE, HPET_SIZE, &legacy_hpet_class, PLACE(irqchip), "hpet", 8},
	{.class = &hpet_class},
	{PM_TIMER_PORT, PM_TIMER_N_PORTS, &legacy_pm_timer_class, PLACE(irqchip), "acpi-tmr", 4},
	{ACPI_WATCHDOG_PORT, ACPI_WATCHDOG_N_PORTS, &legacy_watchdog_class, PLACE(irqchip),
	 "acpi-watchdog", 4},
	{.class = &acpi_watchdog_class},
};
const size_t platform_n_devices = ARRAY_SIZE(platform_devices);

static struct legacy_parts legacy_parts(struct platform *platform)
{
	if (platform->extras.has_legacy)
		return platform_legacy(platform)->has;
	return (struct legacy_parts){0};
}

static struct rtc *own_rtc(struct platform *platform)
{
	if (platform->rtc_is_lent)
		platform->rtc = *platform->lent_rtc;
	platform->rtc_is_lent = false;
	return &platform->rtc;
}

void platform_keep(struct platform *platform)
{
	(void)own_rtc(platform);
	ioapic_own(&platform->irqchip.ioapic);
}

/* Whether the VM has the device. With a PIT, another device is at the speaker's port. */
static bool is_present(struct platform *platform, const struct io_range *row)
{
	const struct device_class *class = row->class;
	struct legacy_parts legacy = legacy_parts(platform);

	if (class == &legacy_pic_class || class == &pic_chip_class)
		return legacy.pic;
	if (class == &legacy_pit_class || class == &legacy_speaker_class ||
	    class == &pit_channel_class)
		return legacy.pit;
	if (class == &legacy_hpet_class || class == &hpet_class)
		return legacy.hpet;
	if (class == &legacy_pm_timer_class)
		return legacy.pm_timer;
	if (class == &legacy_watchdog_class || class == &acpi_watchdog_class)
		return legacy.watchdog;
	if (class == &legacy_class)
		return platform->extras.has_legacy;
	if (class == &rtc_class)
		return !platform->rtc.is_absent;
	if (class == &nvdimm_class)
		return platform->extras.has_nvdimms;
	if (class == &memory_slots_class)
		return platform->extras.n_slots > 0;
	return row->start != LEGACY_SPEAKER_PORT || !legacy.pit;
}

/* A device of which there may be several. */
static void *numbered_device(struct platform *platform, const struct io_range *row, unsigned number)
{
	const struct device_class *class = row->class;

	if (class == &lapic_class && number < platform->irqchip.n)
		return irqchip_lapic(&platform->irqchip, number);
	if (class == &memory_slot_class && number < platform->extras.n_slots)
		return memory_slots_at(platform_slots(platform), number);
	if (class == &virtio_mmio_class && number < platform->extras.n_virtio)
		return &platform_virtio(platform)[number];
	if (class == &pic_chip_class && number < PIC_N_CHIPS)
		return &platform_legacy(platform)->irqs.pic.chip[number];
	if (class == &pit_channel_class && number < PIT_N_CHANNELS)
		return &platform_legacy(platform)->pit.channel[number];
	return NULL;
}

static bool is_numbered(const struct device_class *class)
{
	return class == &lapic_class || class == &memory_slot_class ||
	       class == &virtio_mmio_class || class == &pic_chip_class ||
	       class == &pit_channel_class;
}

void *platform_device(struct platform *platform, const struct io_range *row, unsigned number)
{
	platform_keep(platform);
	if (!is_present(platform, row))
		return NULL;
	if (is_numbered(row->class))
		return numbered_device(platform, row, number);
	if (number > 0)
		return NULL;
	if (row->class == &legacy_class)
		return platform_legacy(platform);
	if (row->class == &hpet_class)
		return &platform_legacy(platform)->hpet;
	if (row->class == &acpi_watchdog_class)
		return &platform_legacy(platform)->watchdog;
	if (row->class == &nvdimm_class)
		return platform_nvdimm(platform);
	if (row->class == &memory_slots_class)
		return platform_slots(platform);
	return (char *)platform + row->dev;
}

/* What happens to the clock's line. */
static void update_clock(struct platform *platform, uint64_t now)
{
	struct legacy *legacy = platform_legacy(platform);
	bool line = rtc_take_events(&platform->rtc, legacy->clock_seen, now);

	legacy_set_clock(&platform->irqchip, line, rtc_next_event(&platform->rtc, now), now);
}

static uint64_t read_clock(void *dev, const struct io_access *access)
{
	struct platform *platform = dev;
	uint64_t value;

	if (!platform->extras.has_legacy)
		return rtc_class.read(own_rtc(platform), access);
	update_clock(platform, access->now);
	value = rtc_class.read(&platform->rtc, access);
	update_clock(platform, access->now);
	return value;
}

static uint32_t write_clock(void *dev, const struct io_access *access)
{
	struct platform *platform = dev;
	uint32_t wish;

	if (!platform->extras.has_legacy)
		return rtc_class.write(own_rtc(platform), access);
	update_clock(platform, access->now);
	wish = rtc_class.write(&platform->rtc, access);
	update_clock(platform, access->now);
	return wish;
}

/* The clock, which has a line where there is one for it. */
static const struct device_class clock_class = {
	.name = "clock", .read = read_clock, .write = write_clock};

/* The virtio devices lie elsewhere. */
static uint64_t read_virtio(void *dev, const struct io_access *access)
{
	return virtio_mmio_class.read(platform_virtio(dev), access);
}

static uint32_t write_virtio(void *dev, const struct io_access *access)
{
	return virtio_mmio_class.write(platform_virtio(dev), access);
}

static const struct device_class virtio_class = {
	.name = "virtio-mmio", .read = read_virtio, .write = write_virtio};

void platform_update_legacy(struct platform *platform, uint64_t now)
{
	if (now >= platform_legacy(platform)->clock_deadline)
		update_clock(platform, now);
	legacy_update(&platform->irqchip, now);
}

static enum status add_debug_ports(struct io_bus *pio, const struct platform_config *config)
{
	if (config->has_debug_exit)
		TRY(io_bus_add(pio, &(struct io_range){.start = config->debug_exit_base,
						       .len = config->debug_exit_size,
						       .class = &debug_exit_class,
						       .dev = PLACE(debug_exit),
						       .name = "isa-debug-exit",
						       .width = 4}));
	if (config->has_debugcon)
		TRY(io_bus_add(pio, &(struct io_range){.start = config->debugcon_base,
						       .len = 1,
						       .class = &debugcon_class,
						       .name = "isa-debugcon",
						       .width = 1}));
	if (config->has_pvpanic)
		TRY(io_bus_add(pio, &(struct io_range){.start = PVPANIC_PORT,
						       .len = 1,
						       .class = &pvpanic_class,
						       .dev = PLACE(pvpanic),
						       .name = "pvpanic",
						       .width = 1}));
	return OK;
}

static enum status add_ranges(struct platform *platform, struct platform_wiring *wiring)
{
	for (size_t i = 0; i < ARRAY_SIZE(platform_devices); i++) {
		struct io_range range = platform_devices[i];
		char *dev = platform_device(platform, &range, 0);

		if (range.len == 0 || dev == NULL)
			continue;
		range.dev = (size_t)(dev - (char *)platform);
		if (range.class == &virtio_mmio_class) {
			range.class = &virtio_class;
			range.dev = 0;
		}
		if (range.class == &rtc_class) {
			range.class = &clock_class;
			range.dev = 0;
		}
		TRY(io_bus_add(range.start > UINT16_MAX ? &wiring->mmio : &wiring->pio, &range));
	}
	return OK;
}

static unsigned list_bus(const struct io_bus *bus, struct device_range *list)
{
	for (unsigned i = 0; i < bus->n; i++)
		list[i] = (struct device_range){
			.start = bus->range[i].start,
			.len = bus->range[i].len,
			.name = bus->range[i].name,
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
	fw_cfg->fill_random = config->fill_random;
	fw_cfg->machine = config->machine;
	fw_cfg->ram_size = config->ram_size;
	fw_cfg->n_cpus = config->topology->n_cpus;
}

static void init_nvdimms(struct platform *platform, const struct platform_config *config)
{
	struct nvdimm *nvdimm = platform_nvdimm(platform);

	if (!config->extras.has_nvdimms)
		return;
	nvdimm_reset(nvdimm);
	nvdimm->labels = config->labels;
	nvdimm->n_labels = config->n_labels;
}

static void init_slots(struct platform *platform)
{
	struct memory_slots *slots = platform_slots(platform);

	if (platform->extras.n_slots == 0)
		return;
	slots->n = platform->extras.n_slots;
	slots->selected = 0;
	slots->has_ejected = false;
	for (unsigned i = 0; i < slots->n; i++)
		*memory_slots_at(slots, i) = (struct memory_slot){0};
}

static void init_virtio(struct platform *platform, const struct virtio_config *config)
{
	struct virtio *device = platform_virtio(platform);

	for (; config != NULL; config = config->next)
		virtio_init(device++, config);
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
	platform->extras = config->extras;
	irqchip_reset(&platform->irqchip, config->topology, config->phys_bits);
	if (config->extras.has_legacy) {
		memset(platform_legacy(platform), 0, sizeof(struct legacy));
		legacy_reset(&platform->irqchip, &config->legacy, config->tsc_hz);
	}
	uart_reset(&platform->uart);
	rtc_init(&platform->rtc, config->unix_time, config->now, config->tsc_hz);
	platform->rtc.is_absent = config->no_rtc;
	rtc_set_memory(&platform->rtc, config->ram_size - config->ram_high, config->ram_high);
	pm_reset(&platform->pm);
	init_fw_cfg(&platform->fw_cfg, config);
	init_nvdimms(platform, config);
	init_slots(platform);
	init_virtio(platform, config->virtio);
	platform->pvpanic.events = config->pvpanic_events;
	TRY(add_ranges(platform, wiring));
	return add_debug_ports(&wiring->pio, config);
}

void platform_reset(struct platform *platform)
{
	struct legacy_parts legacy = legacy_parts(platform);

	platform_keep(platform);
	irqchip_reset(&platform->irqchip, &platform->topology, platform->phys_bits);
	if (platform->extras.has_legacy)
		legacy_reset(&platform->irqchip, &legacy, platform->rtc.tsc_hz);
	uart_reset(&platform->uart);
	rtc_reset(&platform->rtc);
	pm_reset(&platform->pm);
	if (platform->extras.has_nvdimms)
		nvdimm_reset(platform_nvdimm(platform));
	for (unsigned i = 0; i < platform->extras.n_virtio; i++)
		virtio_reset(&platform_virtio(platform)[i]);
	fw_cfg_reset(&platform->fw_cfg);
	platform->debug_exit = (struct debug_exit){0};
}

/* The places of the parts stay. */
static void copy_more(struct platform_more *to, const struct platform_more *from)
{
	struct platform_more old = *to;

	*to = *from;
	to->virtio = old.virtio;
	to->nvdimm.window = old.nvdimm.window;
	memcpy(to->slots.half, old.slots.half, sizeof(to->slots.half));
}

/* What only some VMs have. */
static __attribute__((noinline)) void copy_rest(struct platform *to, struct platform *from)
{
	size_t size;
	void **part;

	for (unsigned i = 0; (part = platform_part(to, i, &size)) != NULL; i++)
		memcpy(*part, *platform_part(from, i, &size), size);
	if (from->extras.has_legacy) {
		*platform_legacy(to) = *platform_legacy(from);
		platform_keep(to); /* their lines are looked at all the time */
	}
	if (platform_has_more(from->extras))
		copy_more(platform_more(to), platform_more(from));
}

void platform_copy(struct platform *to, const struct platform *from)
{
	enum {
		N_WORDS = offsetof(struct platform, fw_cfg.identity) / 8,
		LAPIC_WORDS = sizeof(struct lapic) / 8
	};
	unsigned n_near = irqchip_n_near(from->irqchip.n);

	_Static_assert(_Alignof(struct platform) == 8 && sizeof(struct lapic) % 8 == 0 &&
			       offsetof(struct platform, fw_cfg.identity) % 8 == 0,
		       "words");
	copy_words(to, from, N_WORDS);
	to->rtc_is_lent = true;
	to->lent_rtc = &from->rtc;
	irqchip_lend(&to->irqchip, &from->irqchip);
	copy_words(to->irqchip.lapic, from->irqchip.lapic, n_near * LAPIC_WORDS);
	if (from->irqchip.n > n_near || from->extras.has_legacy || platform_has_more(from->extras))
		copy_rest(to, (struct platform *)from);
}

void platform_move_tsc(struct platform *platform, struct lapic *lapic, uint64_t by, uint64_t now)
{
	lapic_timer_move(lapic, by);
	if (!platform->extras.has_legacy || lapic->index != 0)
		return;
	legacy_move(&platform->irqchip, by, now);
	update_clock(platform, now);
}

/* The local APIC of vCPU 'cpu', if the APIC's page holds the address; otherwise NULL. */
static struct lapic *claiming_lapic(struct platform *platform, unsigned cpu, uint64_t addr)
{
	struct lapic *lapic;

	assert(cpu < platform->irqchip.n);
	lapic = irqchip_lapic(&platform->irqchip, cpu);
	return lapic_claims(lapic, addr) ? lapic : NULL;
}

uint64_t platform_mmio_read(struct platform *platform, unsigned cpu, struct io_access *access)
{
	struct lapic *lapic = claiming_lapic(platform, cpu, access->addr);

	if (lapic == NULL)
		return io_bus_read(&platform->wiring->mmio, platform, access);
	return irqchip_page_read(&platform->irqchip, lapic, access);
}

uint32_t platform_mmio_write(struct platform *platform, unsigned cpu, struct io_access *access)
{
	struct lapic *lapic = claiming_lapic(platform, cpu, access->addr);

	if (lapic == NULL)
		return io_bus_write(&platform->wiring->mmio, platform, access);
	irqchip_page_write(&platform->irqchip, lapic, access);
	return 0;
}

void platform_update_virtio(struct platform *platform)
{
	const struct virtio *devices = platform_virtio(platform);

	for (unsigned i = 0; i < platform->extras.n_virtio; i++)
		irqchip_set_irq(&platform->irqchip, virtio_mmio_gsi(virtio_mmio_slot(i)),
				devices[i].interrupts != 0);
}

struct virtio *platform_busy_virtio(struct platform *platform)
{
	struct virtio *devices = platform_virtio(platform);

	for (unsigned i = 0; i < platform->extras.n_virtio; i++)
		if (virtio_has_work(&devices[i]))
			return &devices[i];
	return NULL;
}

void platform_uart_hold(struct platform *platform, bool on)
{
	uart_hold(&platform->uart, on);
	platform_update_lines(platform);
}

bool platform_uart_receive(struct platform *platform, uint8_t byte)
{
	bool taken = uart_receive(&platform->uart, byte);

	platform_update_lines(platform);
	return taken;
}
