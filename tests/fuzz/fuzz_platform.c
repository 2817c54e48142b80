/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does anything to its devices: 12 bytes for each access to a port, a register in
 * memory or an MSR, an interrupt line, or the passing of time. An input of odd length is a machine
 * without legacy devices. Halfway a template and its clone are made: from then on the first machine
 * and the clone get the same accesses and must answer the same, while the template stays as it is.
 */
#include <string.h>

#include "hv/devices/platform.h"
#include "hv/lib/assert.h"
#include "tests/unit/irqchip_room.h"

enum { N_CPUS = 3, STEP = 12 };

static void fill(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union platform_room room[2], template_room;
static struct platform_wiring wiring;
static uint8_t label_bytes[4096];
static const struct nvdimm_labels labels = {
	.handle = 1, .size = sizeof(label_bytes), .bytes = label_bytes, .writable = label_bytes};
static const struct memory_slot dimm = {.base = GIB(4), .len = MIB(128), .node = 1};
static uint64_t now;

/* One access, taken from the input. */
struct step {
	uint8_t kind, cpu;
	uint16_t address;
	uint64_t value;
};

/* What came of it. */
struct result {
	uint64_t value;
	uint32_t wish;
	uint32_t kicks;
	uint64_t deadline;
};

/* Mostly an address that a device claims. */
static uint64_t address_of(const struct io_bus *bus, const struct step *step)
{
	const struct io_range *range = &bus->range[(step->address >> 8) % bus->n];

	return (step->value >> 56) < 0xf0 ? range->start + (step->address & 0xff) % range->len
					  : step->value;
}

static uint64_t apic_address(const struct step *step)
{
	return APIC_BASE_ADDR + (step->address & 0xfff);
}

/* A port, a register in memory, or the APIC's page: by the lowest bits of the kind. */
static void touch(struct platform *platform, const struct step *step, struct result *ret)
{
	struct io_access access = {
		.size = 1u << (step->cpu >> 6), .value = step->value, .now = now};
	unsigned cpu = step->cpu % N_CPUS;

	if (access.size < 8)
		access.value &= BIT(access.size * 8) - 1;
	if (step->kind % 12 < 2)
		access.addr = address_of(&wiring.pio, step);
	else if (step->kind % 12 < 4)
		access.addr = address_of(&wiring.mmio, step);
	else
		access.addr = apic_address(step);
	switch (step->kind % 12) {
	case 0:
		ret->value = platform_port_read(platform, &access);
		break;
	case 1:
		ret->wish = platform_port_write(platform, &access);
		break;
	case 2:
	case 4:
		ret->value = platform_mmio_read(platform, cpu, &access);
		break;
	default:
		ret->wish = platform_mmio_write(platform, cpu, &access);
		break;
	}
}

/* The vCPU takes its interrupt, and ends it later; or it cannot take it yet. */
static void take_interrupt(struct irqchip *chip, struct lapic *lapic, const struct step *step,
			   struct result *ret)
{
	if (lapic_pending_vector(lapic) < 0)
		return;
	ret->value = irqchip_accept(chip, lapic);
	if (step->value & 1)
		irqchip_take_back(chip, lapic, (uint8_t)ret->value);
}

static uint32_t msr_of(const struct step *step)
{
	return step->address & 0x100 ? 0x800u + step->address % 0x40 : 0x1b;
}

static void act(struct platform *platform, const struct step *step, struct result *ret)
{
	struct irqchip *chip = &platform->irqchip;
	struct lapic *lapic = &chip->lapic[step->cpu % N_CPUS];

	switch (step->kind % 12) {
	default:
		touch(platform, step, ret);
		break;
	case 6:
		ret->wish = irqchip_msr_read(chip, lapic, msr_of(step), &ret->value, now);
		break;
	case 7:
		ret->wish = irqchip_msr_write(chip, lapic, msr_of(step), step->value, now);
		break;
	case 8:
		irqchip_set_irq(chip, step->address % 24, step->value & 1);
		break;
	case 9:
		take_interrupt(chip, lapic, step, ret);
		break;
	case 10:
		ret->wish = platform_uart_receive(platform, (uint8_t)step->value);
		break;
	case 11:
		if (step->address == 0)
			platform_reset(platform);
		else if (step->address == 1)
			platform_move_tsc(platform, lapic, step->value, now);
		else
			platform_update_timers(platform, lapic, now);
		break;
	}
	ret->kicks = take_kicks(chip);
	ret->deadline = irqchip_next_deadline(lapic);
}

static void take(struct step *step, const uint8_t *data)
{
	*step = (struct step){.kind = data[0], .cpu = data[1]};
	memcpy(&step->address, data + 2, sizeof(step->address));
	memcpy(&step->value, data + 4, sizeof(step->value));
	if (step->kind & 0x80)
		now += step->value & 0xffffff;
}

/* Equal to 'from', except for what each clone gets of its own. */
static struct platform *make_copy(union platform_room *to, struct platform *from)
{
	memset(to, 0xa5, sizeof(*to));
	platform_place_parts(&to->platform, N_CPUS, from->extras);
	platform_copy(&to->platform, from);
	to->platform.fw_cfg.identity = from->fw_cfg.identity;
	to->platform.control = from->control;
	return &to->platform;
}

static void make_clone(void)
{
	struct platform *template = make_copy(&template_room, &room[0].platform);

	platform_keep(template);
	make_copy(&room[1], template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct platform_config config = {
		.topology = sockets(N_CPUS),
		.phys_bits = 40,
		.tsc_hz = 1000000000,
		.has_debug_exit = true,
		.debug_exit_base = 0x501,
		.debug_exit_size = 2,
		.has_debugcon = true,
		.debugcon_base = 0xe9,
		.has_pvpanic = true,
		.fill_random = fill,
		.legacy = {true, true, true, true, true},
		.extras = {.has_legacy = size % 2 == 0, .has_nvdimms = true, .n_slots = 2},
		.labels = &labels,
		.n_labels = 1,
	};
	size_t n = size / STEP;
	bool has_clone = false;

	now = 0;
	platform_place_parts(&room[0].platform, N_CPUS, config.extras);
	assert(platform_init(&room[0].platform, &wiring, &config) == OK);
	memory_slots_insert(platform_slots(&room[0].platform), 1, &dimm, true);
	for (size_t i = 0; i < n; i++) {
		struct result result[2] = {0};
		struct step step;

		take(&step, data + i * STEP);
		if (!has_clone && i >= n / 2) {
			make_clone();
			has_clone = true;
		}
		act(&room[0].platform, &step, &result[0]);
		if (!has_clone)
			continue;
		act(&room[1].platform, &step, &result[1]);
		assert(memcmp(&result[0], &result[1], sizeof(result[0])) == 0);
	}
	return 0;
}
