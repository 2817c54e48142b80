/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/platform.h"

#include <string.h>

#include "hv/devices/lapic_regs.h"
#include "hv/devices/lapic_timer.h"
#include "hv/virtio/virtio_rng.h"
#include "tests/unit/support.h"

#include "tests/unit/irqchip_room.h"

#define HZ UINT64_C(1000000)

static char out[64];
static unsigned n_out;
static uint32_t wish; /* of all writes to ports since start() */

static union platform_room room;
static struct platform_wiring wiring;

static struct platform_config plain(void)
{
	return (struct platform_config){
		.topology = sockets(2), .phys_bits = 40, .tsc_hz = HZ, .unix_time = 946684800};
}

static void start(struct platform_config config)
{
	n_out = 0;
	wish = 0;
	platform_place_parts(&room.platform, config.topology->n_cpus, config.extras);
	assert_int_equal(platform_init(&room.platform, &wiring, &config), OK);
}

static uint64_t port_read(struct platform *of, uint16_t port, unsigned size, uint64_t now)
{
	struct io_access access = {.addr = port, .size = size, .now = now};

	return platform_port_read(of, &access);
}

static uint32_t port_write(struct platform *of, uint16_t port, unsigned size, uint64_t value,
			   uint64_t now)
{
	struct io_access access = {.addr = port, .size = size, .value = value, .now = now};

	return platform_port_write(of, &access);
}

static uint64_t in(uint16_t port, unsigned size)
{
	return port_read(&room.platform, port, size, 0);
}

static void outp(uint16_t port, unsigned size, uint64_t value)
{
	uint32_t new = port_write(&room.platform, port, size, value, 0);

	wish |= new;
	if (new &WISH_SERIAL) {
		assert_true(n_out < sizeof(out));
		out[n_out++] = (char)new;
	}
}

static uint64_t mmio_read(unsigned cpu, uint64_t addr, unsigned size)
{
	struct io_access access = {.addr = addr, .size = size};

	return platform_mmio_read(&room.platform, cpu, &access);
}

static void mmio_write(struct platform *to, unsigned cpu, struct io_access access)
{
	assert_int_equal(platform_mmio_write(to, cpu, &access), 0);
}

static uint64_t mmio_get(unsigned cpu, uint64_t addr)
{
	return mmio_read(cpu, addr, 4);
}

static void mmio_set(unsigned cpu, uint64_t addr, uint32_t value)
{
	mmio_write(&room.platform, cpu,
		   (struct io_access){.addr = addr, .size = 4, .value = value});
}

static void route_uart(uint8_t vector)
{
	mmio_set(0, APIC_BASE_ADDR + 0xf0, 0x1ff);
	mmio_set(0, IOAPIC_BASE, 0x10 + 2 * PLATFORM_UART_GSI);
	mmio_set(0, IOAPIC_BASE + 0x10, vector);
}

static void the_uarts_line_reaches_its_pin(void **state)
{
	struct lapic *lapic = room.platform.irqchip.lapic;

	start(plain());
	route_uart(0x34);
	outp(0x3f9, 1, 1);
	assert_true(platform_uart_receive(&room.platform, 'x'));
	assert_int_equal(lapic_pending_vector(lapic), 0x34);
	assert_int_equal(take_kicks(&room.platform.irqchip), 1);
	lapic_accept(lapic, 0x34);
	assert_int_equal(in(0x3f8, 1), 'x'); /* the line falls with the read */
	mmio_set(0, APIC_BASE_ADDR + 0xb0, 0);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	outp(0x3f9, 1, 3); /* and rises with a write */
	assert_int_equal(lapic_pending_vector(lapic), 0x34);
	outp(0x3f8, 1, '!');
	assert_int_equal(n_out, 1);
}

static void a_held_line_that_is_let_go_interrupts(void **state)
{
	struct lapic *lapic = room.platform.irqchip.lapic;

	start(plain());
	route_uart(0x34);
	platform_uart_hold(&room.platform, true);
	outp(0x3f9, 1, 2);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	platform_uart_hold(&room.platform, false);
	assert_int_equal(lapic_pending_vector(lapic), 0x34);
}

static void wide_accesses_to_byte_ports_are_split(void **state)
{
	start(plain());
	outp(0x3f8, 2, 0x0141); /* THR, then IER */
	assert_int_equal(n_out, 1);
	assert_int_equal(in(0x3f9, 1), 1);
	outp(0x70, 2, 0x5a20); /* index and data at once */
	assert_int_equal(in(0x71, 1), 0x5a);
	assert_int_equal(in(0x3fd, 4), 0xff00b060);
}

static void the_clock_is_at_its_ports(void **state)
{
	start(plain());
	(void)port_write(&room.platform, 0x70, 1, 0, 3 * HZ);
	assert_int_equal(port_read(&room.platform, 0x71, 1, 3 * HZ), 3);
	assert_int_equal(in(0x70, 1), 0xff);
}

static void a_vm_without_a_clock_has_no_ports_of_one(void **state)
{
	struct platform_config config = plain();
	size_t row = 0;

	config.no_rtc = true;
	start(config);
	for (unsigned i = 0; i < 2; i++) {
		outp(0x70, 1, 0x0d);
		assert_int_equal(in(0x70, 1), 0xff);
		assert_int_equal(in(0x71, 1), 0xff);
		platform_reset(&room.platform);
	}
	while (platform_devices[row].class != &rtc_class)
		row++;
	assert_null(platform_device(&room.platform, &platform_devices[row], 0));
}

static void power_ports_are_wired(void **state)
{
	static const struct {
		uint16_t port;
		uint8_t value;
		bool off;
	} table[] = {{0x600, 0x34, true},
		     {0x602, 0x42, false},
		     {0x64, 0xfe, false},
		     {0x92, 1, false},
		     {0xcf9, 6, false}};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		start(plain());
		outp(table[i].port, 1, table[i].value);
		assert_int_equal(wish, table[i].off ? WISH_POWER_OFF : WISH_RESET);
	}
	start(plain());
	outp(0xcf8, 4, 0x8000ff00);
	assert_int_equal(wish, 0);
	assert_int_equal(in(0xcfc, 4), 0xffffffff);
	outp(0x80, 1, 0x77);
	assert_int_equal(room.platform.pm.post_code, 0x77);
	assert_int_equal(in(0x61, 1) & 0xc0, 0);
}

/* Read and write every port in every size: no port except those above has an effect. */
static void every_port_can_be_touched(void **state)
{
	struct platform_config config = plain();

	config.has_debugcon = true;
	config.debugcon_base = 0xe9;
	for (unsigned size = 1; size <= 4; size *= 2) {
		start(config);
		for (unsigned port = 0; port < 0x10000; port++) {
			assert_true(in((uint16_t)port, size) <= UINT64_MAX >> (64 - 8 * size));
			n_out = 0;
			outp((uint16_t)port, size, 0);
		}
		assert_int_equal(wish, WISH_SERIAL | WISH_DEBUGCON | (size == 4 ? WISH_FW_CFG : 0));
	}
	/* A test guest masks the PICs that it expects. */
	outp(0x21, 1, 0xff);
	outp(0xa1, 1, 0xff);
	assert_int_equal(in(0x21, 1), 0xff);
}

static void debug_ports_are_there_only_when_asked_for(void **state)
{
	struct platform_config config = plain();

	start(config);
	outp(0xf4, 4, 0);
	assert_int_equal(wish, 0);
	assert_int_equal(in(0xe9, 1), 0xff);
	assert_int_equal(in(0xf4, 1), 0xff);
	config.has_debug_exit = true;
	config.debug_exit_base = 0xf4;
	config.debug_exit_size = 4;
	config.has_debugcon = true;
	config.debugcon_base = 0xe9;
	start(config);
	assert_int_equal(in(0xe9, 1), 0xe9);
	outp(0xe9, 1, 'd');
	assert_int_equal(wish, WISH_DEBUGCON | 'd' << 8);
	assert_int_equal(in(0xf4, 4), 0);
	outp(0xf4, 4, 0x10);
	assert_true(wish & WISH_DEBUG_EXIT);
	assert_int_equal(room.platform.debug_exit.status, 0x21);
}

static void a_configuration_that_cannot_be_is_refused(void **state)
{
	struct platform_config config = plain();

	config.topology = sockets(0);
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.topology = sockets(TOPOLOGY_MAX_CPUS + 1);
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.topology = sockets(TOPOLOGY_MAX_CPUS);
	config.phys_bits = 31;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.phys_bits = 53;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.phys_bits = 52;
	config.tsc_hz = 0;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.tsc_hz = 1;
	platform_place_parts(&room.platform, TOPOLOGY_MAX_CPUS, config.extras);
	assert_int_equal(platform_init(&room.platform, &wiring, &config), OK);
	config.topology = sockets(1);
	config.phys_bits = 32;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), OK);
	config.has_debug_exit = true;
	config.debug_exit_base = 0xfffe;
	config.debug_exit_size = 0;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.debug_exit_size = 5;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.debug_exit_size = 3;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_RANGE);
	config.debug_exit_size = 2;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), OK);
	config.debug_exit_base = 0x3f7;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_OVERLAP);
	config.debug_exit_base = 0xf4;
	config.has_debugcon = true;
	config.debugcon_base = 0xf5;
	assert_int_equal(platform_init(&room.platform, &wiring, &config), ERR_OVERLAP);
}

static void each_processor_has_its_own_apic_page(void **state)
{
	start(plain());
	assert_int_equal(mmio_get(0, APIC_BASE_ADDR + 0x20), 0);
	assert_int_equal(mmio_get(1, APIC_BASE_ADDR + 0x20), 1 << 24);
	mmio_set(1, APIC_BASE_ADDR + 0x80, 0x55);
	assert_int_equal(mmio_get(0, APIC_BASE_ADDR + 0x80), 0);
	assert_int_equal(mmio_get(1, APIC_BASE_ADDR + 0x80), 0x55);
	assert_true(irqchip_msr_write(&room.platform.irqchip, &room.platform.irqchip.lapic[1],
				      MSR_IA32_APIC_BASE, 0xfed40000 | APIC_BASE_EN, 0));
	assert_int_equal(mmio_get(1, APIC_BASE_ADDR + 0x80), 0xffffffff);
	assert_int_equal(mmio_get(1, 0xfed40080), 0x55);
	assert_int_equal(mmio_get(0, 0xfed40080), 0xffffffff);
	assert_true(irqchip_msr_write(&room.platform.irqchip, &room.platform.irqchip.lapic[1],
				      MSR_IA32_APIC_BASE, 0, 0));
	assert_int_equal(mmio_get(1, 0xfed40080), 0xffffffff);
	mmio_set(1, 0xfed40080, 1);
	assert_int_equal(room.platform.irqchip.lapic[1].tpr, 0);
}

static void the_ioapic_is_at_its_address(void **state)
{
	start(plain());
	mmio_set(0, IOAPIC_BASE, 1);
	assert_int_equal(mmio_get(1, IOAPIC_BASE + 0x10), 0x170020);
	assert_true(mmio_read(0, IOAPIC_BASE + 0x10, 8) == 0x170020);
	assert_true(mmio_read(0, IOAPIC_BASE + 0x1000, 8) == UINT64_MAX);
}

static void nvdimms_are_there_only_when_asked_for(void **state)
{
	static uint8_t bytes[4096];
	static const struct nvdimm_labels labels = {
		.handle = 3, .size = sizeof(bytes), .bytes = bytes, .writable = bytes};
	struct platform_config config = plain();

	start(config);
	assert_int_equal(mmio_get(0, NVDIMM_MMIO_BASE + NVDIMM_REG_MAX), 0xffffffff);
	config.extras.has_nvdimms = true;
	start(config);
	assert_int_equal(mmio_get(0, NVDIMM_MMIO_BASE + NVDIMM_REG_SIZE), 0);
	config.labels = &labels;
	config.n_labels = 1;
	start(config);
	mmio_set(0, NVDIMM_MMIO_BASE + NVDIMM_REG_HANDLE, 3);
	assert_int_equal(mmio_get(1, NVDIMM_MMIO_BASE + NVDIMM_REG_SIZE), sizeof(bytes));
	mmio_write(&room.platform, 0,
		   (struct io_access){.addr = NVDIMM_MMIO_BASE + NVDIMM_WINDOW,
				      .size = 8,
				      .value = UINT64_C(0x0102030405060708)});
	mmio_set(0, NVDIMM_MMIO_BASE + NVDIMM_REG_LENGTH, 8);
	mmio_set(0, NVDIMM_MMIO_BASE + NVDIMM_REG_GO, NVDIMM_SET_LABELS);
	assert_int_equal(mmio_get(0, NVDIMM_MMIO_BASE + NVDIMM_REG_GO), NVDIMM_SUCCESS);
	assert_int_equal(bytes[0], 8);
	assert_int_equal(bytes[7], 1);
	platform_reset(&room.platform);
	assert_int_equal(mmio_get(0, NVDIMM_MMIO_BASE + NVDIMM_REG_HANDLE), 0);
	assert_int_equal(bytes[0], 8);
}

static const struct virtio_config virtio_configs[] = {
	{.kind = &virtio_rng, .next = &virtio_configs[1]}, {.kind = &virtio_rng}};

static uint64_t slot_register(unsigned slot, uint64_t off)
{
	return VIRTIO_MMIO_BASE + slot * VIRTIO_MMIO_SIZE + off;
}

/* The first device is in the highest slot, as on QEMU's microvm, and so is its interrupt. */
static void virtio_devices_are_in_the_highest_slots(void **state)
{
	struct lapic *lapic = room.platform.irqchip.lapic;
	struct platform_config config = plain();
	struct virtio *first;

	start(config);
	assert_int_equal(mmio_get(0, slot_register(7, 0)), 0xffffffff);
	config.virtio = virtio_configs;
	config.extras.n_virtio = 2;
	start(config);
	assert_int_equal(mmio_get(0, slot_register(7, 0)), VIRTIO_MMIO_MAGIC);
	assert_int_equal(mmio_get(0, slot_register(6, 0)), VIRTIO_MMIO_MAGIC);
	for (unsigned slot = 1; slot < 8; slot++)
		assert_int_equal(mmio_get(0, slot_register(slot, VIRTIO_MMIO_DEVICE_ID)),
				 slot >= 6 ? 4 : 0);
	assert_int_equal(mmio_get(0, slot_register(1, 0)), VIRTIO_MMIO_MAGIC);
	mmio_set(0, slot_register(1, VIRTIO_MMIO_STATUS), 1);
	assert_int_equal(mmio_get(0, slot_register(1, VIRTIO_MMIO_STATUS)), 0);
	assert_int_equal(mmio_get(0, slot_register(0, 0)), 0xffffffff);
	first = platform_virtio(&room.platform);
	assert_ptr_equal(first->config, &virtio_configs[0]);
	mmio_set(0, APIC_BASE_ADDR + 0xf0, 0x1ff);
	mmio_set(0, IOAPIC_BASE, 0x10 + 2 * (virtio_mmio_gsi(7)));
	mmio_set(0, IOAPIC_BASE + 0x10, 0x35 | REDIR_LEVEL);
	first->interrupts = VIRTIO_CHANGED;
	platform_update_virtio(&room.platform);
	assert_int_equal(lapic_pending_vector(lapic), 0x35);
	lapic_accept(lapic, 0x35);
	wish = platform_mmio_write(
		&room.platform, 0,
		&(struct io_access){.addr = slot_register(7, VIRTIO_MMIO_INTERRUPT_ACK),
				    .size = 4,
				    .value = VIRTIO_CHANGED});
	assert_int_equal(wish, WISH_VIRTIO);
	platform_update_virtio(&room.platform);
	mmio_set(0, APIC_BASE_ADDR + 0xb0, 0);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	assert_null(platform_busy_virtio(&room.platform));
	first->notified = 1;
	assert_ptr_equal(platform_busy_virtio(&room.platform), first);
	platform_reset(&room.platform);
	assert_null(platform_busy_virtio(&room.platform));
	assert_ptr_equal(first->config, &virtio_configs[0]);
}

static void reset_brings_back_power_on_but_not_the_past(void **state)
{
	struct platform_config config = plain();

	config.has_debug_exit = true;
	config.debug_exit_base = 0xf4;
	config.debug_exit_size = 4;
	start(config);
	route_uart(0x34);
	outp(0x3f9, 1, 3);
	outp(0x70, 2, 0x5a20);
	outp(0xf4, 1, 1);
	outp(0x64, 1, 0xfe);
	outp(0x600, 1, 0x34);
	platform_reset(&room.platform);
	assert_false(room.platform.debug_exit.requested);
	assert_int_equal(in(0x3f9, 1), 0);
	assert_int_equal(lapic_pending_vector(room.platform.irqchip.lapic), -1);
	assert_int_equal(room.platform.irqchip.n, 2);
	assert_int_equal(room.platform.irqchip.lapic[1].phys_bits, 40);
	assert_int_equal(room.platform.irqchip.ioapic.redir[4], REDIR_MASKED);
	assert_int_equal(room.platform.irqchip.ioapic.asserted, 0);
	outp(0x70, 1, 0x20);
	assert_int_equal(in(0x71, 1), 0x5a);
	assert_int_equal(rtc_time(&room.platform.rtc, 5 * HZ), 946684805);
}

static void a_clone_is_the_same_and_apart(void **state)
{
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;

	start(plain());
	outp(0x3ff, 1, 0x11);
	platform_copy(clone, &room.platform);
	assert_int_equal(port_read(clone, 0x3ff, 1, 0), 0x11);
	(void)port_write(clone, 0x3ff, 1, 0x22, 0);
	(void)port_write(clone, 0x70, 2, 0x3320, 0);
	(void)port_write(clone, 0x92, 1, 0, 0);
	mmio_write(clone, 0, (struct io_access){.addr = IOAPIC_BASE, .size = 4, .value = 1});
	assert_int_equal(in(0x3ff, 1), 0x11);
	assert_int_equal(room.platform.rtc.cmos[0x20], 0);
	assert_int_equal(room.platform.pm.port_92, 2);
	assert_int_equal(room.platform.irqchip.ioapic.select, 0);
	assert_int_equal(clone->pm.port_92, 0);
}

/* Clock and I/O APIC are the template's until their first use, whatever that is. */
static void a_clone_borrows_what_it_does_not_use(void **state)
{
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;
	const struct io_range *row = platform_devices;

	start(plain());
	outp(0x70, 1, 0x20);
	outp(0x71, 1, 0x5a);
	mmio_write(&room.platform, 0,
		   (struct io_access){.addr = IOAPIC_BASE, .size = 4, .value = 0x14});
	mmio_write(&room.platform, 0,
		   (struct io_access){.addr = IOAPIC_BASE + 0x10, .size = 4, .value = 0x31});
	memset(&clone_room, 0xee, sizeof(clone_room));
	clone->irqchip.n = 1;
	platform_copy(clone, &room.platform);
	assert_true(clone->rtc_is_lent && clone->irqchip.ioapic.is_lent);
	(void)port_write(clone, 0x3ff, 1, 0x22, 0);
	assert_true(clone->rtc_is_lent && clone->irqchip.ioapic.is_lent);
	assert_int_equal(port_read(clone, 0x71, 1, 0), 0x5a);
	assert_false(clone->rtc_is_lent);
	irqchip_set_irq(&clone->irqchip, 5, true);
	assert_false(clone->irqchip.ioapic.is_lent);
	assert_int_equal(clone->irqchip.ioapic.redir[2], room.platform.irqchip.ioapic.redir[2]);
	assert_int_equal(clone->irqchip.ioapic.asserted, 1 << 5);

	platform_copy(clone, &room.platform);
	while (row->class != &ioapic_class)
		row++;
	assert_int_equal(((struct ioapic *)platform_device(clone, row, 0))->select, 0x14);
	assert_false(clone->rtc_is_lent || clone->irqchip.ioapic.is_lent);

	platform_copy(clone, &room.platform);
	platform_reset(clone);
	assert_int_equal(clone->rtc.cmos[0x20], 0x5a);
	assert_true(clone->irqchip.ioapic.redir[2] & REDIR_MASKED);
	assert_false(room.platform.irqchip.ioapic.redir[2] & REDIR_MASKED);
}

enum { MANY = 64 }; /* processors, more than fit beside a VM's struct */

static struct platform_config with_all_parts(void)
{
	struct platform_config config = plain();

	config.topology = sockets(MANY);
	config.virtio = virtio_configs;
	config.legacy = (struct legacy_parts){.pic = true, .hpet = true};
	config.extras = (struct platform_extras){.has_legacy = true,
						 .has_nvdimms = true,
						 .n_slots = PLATFORM_ROOM_SLOTS,
						 .n_virtio = 2};
	return config;
}

/* Something in each part that lies elsewhere, which differs by 'value'. */
static void mark_parts(struct platform *of, uint8_t value)
{
	irqchip_lapic(&of->irqchip, MANY - 1)->tpr = value;
	platform_virtio(of)[1].driver_features = value;
	platform_nvdimm(of)->window[NVDIMM_WINDOW_SIZE - 1] = value;
	platform_nvdimm(of)->offset = value;
	memory_slots_at(platform_slots(of), PLATFORM_ROOM_SLOTS - 1)->node = value;
	platform_slots(of)->selected = value;
	platform_legacy(of)->speaker = value;
}

static void check_parts(struct platform *of, uint8_t value)
{
	assert_int_equal(irqchip_lapic(&of->irqchip, MANY - 1)->tpr, value);
	assert_int_equal(platform_virtio(of)[1].driver_features, value);
	assert_int_equal(platform_nvdimm(of)->window[NVDIMM_WINDOW_SIZE - 1], value);
	assert_int_equal(platform_nvdimm(of)->offset, value);
	assert_int_equal(memory_slots_at(platform_slots(of), PLATFORM_ROOM_SLOTS - 1)->node, value);
	assert_int_equal(platform_slots(of)->selected, value);
	assert_int_equal(platform_legacy(of)->speaker, value);
}

static void a_clone_has_parts_of_its_own(void **state)
{
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;
	struct platform_config config = with_all_parts();

	start(config);
	platform_place_parts(clone, MANY, config.extras);
	mark_parts(&room.platform, 3);
	platform_copy(clone, &room.platform);
	check_parts(clone, 3);
	mark_parts(clone, 5);
	check_parts(&room.platform, 3);
	check_parts(clone, 5);
	platform_copy(clone, &room.platform); /* a revert */
	check_parts(clone, 3);
	assert_int_equal(platform_slots(clone)->n, PLATFORM_ROOM_SLOTS);
}

static void an_ipi_reaches_each_of_many_processors(void **state)
{
	struct irqchip *chip = &room.platform.irqchip;

	start(with_all_parts());
	for (unsigned i = 0; i < MANY; i++)
		mmio_set(i, APIC_BASE_ADDR + 0xf0, 0x1ff);
	for (unsigned i = 1; i < MANY; i++) {
		mmio_set(0, APIC_BASE_ADDR + 0x310, i << 24);
		mmio_set(0, APIC_BASE_ADDR + 0x300, 0x4041);
		assert_int_equal(irqchip_take_kick(chip), (int)i);
		assert_int_equal(lapic_pending_vector(irqchip_lapic(chip, i)), 0x41);
	}
	mmio_set(0, APIC_BASE_ADDR + 0x300, 0xc4042); /* to all others */
	for (unsigned i = 1; i < MANY; i++)
		assert_int_equal(irqchip_take_kick(chip), (int)i);
	assert_int_equal(irqchip_take_kick(chip), -1);
}

static void a_copy_keeps_its_identity(void **state)
{
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;

	start(plain());
	room.platform.fw_cfg.identity =
		(struct identity){.name = "t", .number = 1, .has_guid = true};
	clone->fw_cfg.identity = (struct identity){.name = "t-5", .number = 5, .guid = {7}};
	platform_copy(clone, &room.platform);
	assert_string_equal(clone->fw_cfg.identity.name, "t-5");
	assert_int_equal(clone->fw_cfg.identity.number, 5);
	assert_int_equal(clone->fw_cfg.identity.guid[0], 7);
	assert_false(clone->fw_cfg.identity.has_guid);
	assert_int_equal(clone->phys_bits, room.platform.phys_bits);
	assert_int_equal(clone->fw_cfg.n_cpus, room.platform.fw_cfg.n_cpus);
}

static void fw_cfg_is_at_its_ports(void **state)
{
	static const struct fw_cfg_file file = {.name = "opt/f", .data = "text", .len = 4};
	struct platform_config config = plain();
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;

	config.ram_size = MIB(5);
	config.fw_cfg_files = &file;
	start(config);
	outp(0x510, 2, 3);
	assert_int_equal(in(0x511, 1), 0x00);
	assert_int_equal(in(0x511, 1), 0x00);
	assert_int_equal(in(0x511, 1), 0x50);
	outp(0x510, 2, 5);
	assert_int_equal(in(0x511, 1), 2);
	outp(0x510, 2, FW_CFG_FIRST_FILE + FW_CFG_OWN_FILES);
	assert_int_equal(in(0x511, 1), 't');
	assert_int_equal(in(0x514, 4), 0x554d4551);
	assert_int_equal(in(0x518, 4), 0x47464320);
	assert_int_equal(in(0x513, 4), 0x4d4551ff);
	outp(0x514, 4, 0x01000000);
	outp(0x518, 4, 0x00100000);
	assert_int_equal(wish, WISH_FW_CFG);
	assert_true(room.platform.fw_cfg.dma_address == 0x100001000);
	/* A clone continues independently where its template was. */
	platform_copy(clone, &room.platform);
	assert_int_equal(port_read(clone, 0x511, 1, 0), 'e');
	assert_int_equal(port_read(clone, 0x511, 1, 0), 'x');
	assert_int_equal(in(0x511, 1), 'e');
	platform_reset(&room.platform);
	assert_int_equal(in(0x511, 1), 'Q');
}

/* However long ago the template was made, the clone's clock has the current time. */
static void a_clones_clock_is_right_after_years(void **state)
{
	const uint64_t frozen = 1000 * HZ, later = frozen + UINT64_C(5) * 365 * 86400 * HZ;
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;

	start(plain());
	(void)rtc_time(&room.platform.rtc, frozen);
	/* The guest was reading the time when it became a template, with the registers latched. */
	(void)port_write(&room.platform, 0x70, 1, 0, frozen);
	(void)port_read(&room.platform, 0x71, 1, frozen);
	platform_copy(clone, &room.platform);
	platform_keep(clone);
	assert_int_equal(rtc_time(&clone->rtc, later), 946684800 + (int64_t)(later / HZ));
	/* From 1 January 2000: five years, two of them leap years, and 16 minutes 40 seconds. */
	static const uint8_t want[][2] = {{4, 0x00}, {2, 0x16}, {0, 0x40},   {7, 0x30},
					  {8, 0x12}, {9, 0x04}, {0x32, 0x20}};

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		(void)port_write(clone, 0x70, 1, want[i][0], later);
		assert_int_equal(port_read(clone, 0x71, 1, later), want[i][1]);
	}
	/* The template's clock does not move. */
	assert_int_equal(room.platform.rtc.base_time, 946684800 + 1000);
}

/*
 * A timer that expired meanwhile interrupts immediately, and once; a periodic timer keeps its
 * phase.
 */
static void a_clones_timer_fires_after_years(void **state)
{
	const uint64_t frozen = 1000, later = UINT64_C(5) * 365 * 86400 * HZ;
	static const uint32_t lvts[] = {0x40, 0x20040, 0x40040};
	static union platform_room clone_room;
	struct platform *clone = &clone_room.platform;

	for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++) {
		struct lapic *lapic = &clone->irqchip.lapic[0];

		start(plain());
		mmio_set(0, APIC_BASE_ADDR + 0xf0, 0x1ff);
		mmio_set(0, APIC_BASE_ADDR + 0x3e0, 0xb);
		mmio_set(0, APIC_BASE_ADDR + 0x320, lvts[i]);
		if (i == 2)
			lapic_timer_set_tsc_deadline(&room.platform.irqchip.lapic[0], frozen + 100,
						     frozen);
		else
			mmio_write(&room.platform, 0,
				   (struct io_access){.addr = APIC_BASE_ADDR + 0x380,
						      .size = 4,
						      .value = 100,
						      .now = frozen});
		platform_copy(clone, &room.platform);
		assert_int_equal(lapic_next_deadline(lapic), frozen + 100);
		lapic_update_timer(lapic, later);
		assert_int_equal(lapic_pending_vector(lapic), 0x40);
		lapic_accept(lapic, 0x40);
		lapic_eoi(lapic);
		lapic_update_timer(lapic, later);
		assert_int_equal(lapic_pending_vector(lapic), -1);
		assert_int_equal(lapic_next_deadline(lapic), i == 1 ? later + 100 : UINT64_MAX);
		assert_int_equal(lapic_pending_vector(&room.platform.irqchip.lapic[0]), -1);
	}
}

static void check_ranges(const struct device_range *range, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert_true(range[i].len > 0 && *range[i].name != '\0');
		assert_true(i == 0 || range[i - 1].start + range[i - 1].len <= range[i].start);
	}
}

static void what_devices_answer_to_is_listed(void **state)
{
	struct platform_config config = plain();
	static struct device_list list;

	config.extras.has_nvdimms = true;
	config.has_debug_exit = true;
	config.debug_exit_base = 0xf4;
	config.debug_exit_size = 4;
	start(config);
	platform_list(&room.platform, &list);
	assert_int_equal(list.n_memory, 3);
	assert_string_equal(list.memory[0].name, "ioapic");
	assert_string_equal(list.memory[1].name, "apic-msi");
	assert_int_equal(list.memory[1].start, APIC_BASE_ADDR);
	assert_string_equal(list.memory[2].name, "nvdimm-acpi-io");
	assert_int_equal(list.n_ports, wiring.pio.n);
	check_ranges(list.memory, list.n_memory);
	check_ranges(list.port, list.n_ports);
	for (unsigned i = 0; i < list.n_ports; i++)
		if (list.port[i].start == 0xf4)
			assert_string_equal(list.port[i].name, "isa-debug-exit");
}

static void a_press_of_the_power_button_waits_for_its_guest(void **state)
{
	struct lapic *lapic = &room.platform.irqchip.lapic[0];

	start(plain());
	lapic->svr |= SVR_ENABLE;
	platform_press_power_button(&room.platform);
	platform_press_power_button(&room.platform);
	assert_int_equal(lapic_pending_vector(lapic), -1);
	assert_int_equal(room.platform.irqchip.ioapic.waiting, BIT(PM_POWER_BUTTON_GSI));
	mmio_set(0, IOAPIC_BASE, 0x10 + 2 * PM_POWER_BUTTON_GSI);
	mmio_set(0, IOAPIC_BASE + 0x10, 0x51);
	assert_int_equal(lapic_pending_vector(lapic), 0x51);
	assert_int_equal(room.platform.irqchip.ioapic.waiting, 0);
	/* A guest that never listened does not find it after a reset. */
	platform_press_power_button(&room.platform);
	platform_reset(&room.platform);
	assert_int_equal(room.platform.irqchip.ioapic.waiting, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_uarts_line_reaches_its_pin),
		cmocka_unit_test(a_held_line_that_is_let_go_interrupts),
		cmocka_unit_test(wide_accesses_to_byte_ports_are_split),
		cmocka_unit_test(the_clock_is_at_its_ports),
		cmocka_unit_test(a_vm_without_a_clock_has_no_ports_of_one),
		cmocka_unit_test(power_ports_are_wired),
		cmocka_unit_test(every_port_can_be_touched),
		cmocka_unit_test(debug_ports_are_there_only_when_asked_for),
		cmocka_unit_test(a_configuration_that_cannot_be_is_refused),
		cmocka_unit_test(each_processor_has_its_own_apic_page),
		cmocka_unit_test(the_ioapic_is_at_its_address),
		cmocka_unit_test(nvdimms_are_there_only_when_asked_for),
		cmocka_unit_test(virtio_devices_are_in_the_highest_slots),
		cmocka_unit_test(reset_brings_back_power_on_but_not_the_past),
		cmocka_unit_test(a_clone_is_the_same_and_apart),
		cmocka_unit_test(a_clone_borrows_what_it_does_not_use),
		cmocka_unit_test(a_clone_has_parts_of_its_own),
		cmocka_unit_test(an_ipi_reaches_each_of_many_processors),
		cmocka_unit_test(a_copy_keeps_its_identity),
		cmocka_unit_test(fw_cfg_is_at_its_ports),
		cmocka_unit_test(a_clones_clock_is_right_after_years),
		cmocka_unit_test(a_clones_timer_fires_after_years),
		cmocka_unit_test(what_devices_answer_to_is_listed),
		cmocka_unit_test(a_press_of_the_power_button_waits_for_its_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
