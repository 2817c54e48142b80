/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices in a VM's state. What belongs to the VM's own identity or wiring is not in the tables:
 * fw_cfg's files and identity, the control port, labels, lines of output that are not full.
 */
#include "hv/vm/state_part.h"

#include "hv/lib/string.h"

#define BOOL 1

static const struct state_field irqchip_fields[] = {
	STATE_FIELD(struct irqchip, next_lowest, 0xff),
	STATE_FIELD(struct irqchip, kicked, BOOL),
};

static const struct state_field ioapic_fields[] = {
	STATE_FIELD(struct ioapic, select, 0xff),
	STATE_FIELD(struct ioapic, id, 0x0f000000),
	STATE_FIELD(struct ioapic, asserted, BITS(IOAPIC_N_PINS - 1, 0)),
	STATE_ARRAY(struct ioapic, redir, BITS(63, 56) | BITS(16, 13) | BITS(11, 0)),
};

/* 'pending' follows from these. */
static const struct state_field lapic_fields[] = {
	STATE_FIELD(struct lapic, nmi_pending, BOOL),
	STATE_FIELD(struct lapic, init_pending, BOOL),
	STATE_FIELD(struct lapic, sipi_pending, BOOL),
	STATE_FIELD(struct lapic, sipi_vector, 0xff),
	STATE_FIELD(struct lapic, kicked, BOOL),
	STATE_FIELD(struct lapic, tpr, 0xff),
	STATE_FIELD(struct lapic, divide, 0xb),
	STATE_FIELD(struct lapic, divide_shift, 7),
	STATE_FIELD(struct lapic, base,
		    BITS(51, 12) | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN),
	STATE_FIELD(struct lapic, deadline, UINT64_MAX),
	STATE_ARRAY(struct lapic, irr, UINT64_MAX),
	STATE_ARRAY(struct lapic, isr, UINT64_MAX),
	STATE_ARRAY(struct lapic, tmr, UINT64_MAX),
	STATE_FIELD(struct lapic, icr, UINT64_MAX),
	STATE_FIELD(struct lapic, xapic_id, 0xff),
	STATE_FIELD(struct lapic, ldr, 0xff000000),
	STATE_FIELD(struct lapic, dfr, UINT32_MAX),
	STATE_FIELD(struct lapic, svr, 0x3ff),
	STATE_FIELD(struct lapic, esr, 0xff),
	STATE_FIELD(struct lapic, esr_pending, 0xff),
	STATE_FIELD(struct lapic, timer_initial, UINT32_MAX),
	STATE_FIELD(struct lapic, lvt[LVT_TIMER], 0x700ff),
	STATE_FIELD(struct lapic, lvt[LVT_THERMAL], 0x107ff),
	STATE_FIELD(struct lapic, lvt[LVT_PERF], 0x107ff),
	STATE_FIELD(struct lapic, lvt[LVT_LINT0], 0x1a7ff),
	STATE_FIELD(struct lapic, lvt[LVT_LINT1], 0x1a7ff),
	STATE_FIELD(struct lapic, lvt[LVT_ERROR], 0x100ff),
};

static const struct state_field uart_fields[] = {
	STATE_FIELD(struct uart, ier, 0x0f),	   STATE_FIELD(struct uart, lcr, 0xff),
	STATE_FIELD(struct uart, mcr, 0x1f),	   STATE_FIELD(struct uart, scr, 0xff),
	STATE_FIELD(struct uart, fcr, 0xc1),	   STATE_FIELD(struct uart, msr_delta, 0x0f),
	STATE_FIELD(struct uart, lsr_error, 0x1e), STATE_FIELD(struct uart, rx_head, 0x0f),
	STATE_FIELD(struct uart, rx_count, 0x1f),  STATE_ARRAY(struct uart, rx, 0xff),
	STATE_FIELD(struct uart, divisor, 0xffff), STATE_FIELD(struct uart, thre_pending, BOOL),
	STATE_FIELD(struct uart, irq, BOOL),
};

static const struct state_field rtc_fields[] = {
	STATE_FIELD(struct rtc, index, 0x7f),
	STATE_FIELD(struct rtc, nmi_masked, BOOL),
	STATE_FIELD(struct rtc, latched, BOOL),
	STATE_FIELD(struct rtc, latched_tsc, UINT64_MAX),
	STATE_FIELD(struct rtc, base_time, UINT64_MAX),
	STATE_FIELD(struct rtc, base_tsc, UINT64_MAX),
	STATE_ARRAY(struct rtc, cmos, 0xff),
};

static const struct state_field pm_fields[] = {
	STATE_FIELD(struct pm, poweroff_requested, BOOL),
	STATE_FIELD(struct pm, reset_requested, BOOL),
	STATE_FIELD(struct pm, refresh, BOOL),
	STATE_FIELD(struct pm, sleep_status, 0xff),
	STATE_FIELD(struct pm, speaker, 0x0f),
	STATE_FIELD(struct pm, port_92, 0xff),
	STATE_FIELD(struct pm, reset_cf9, 0xff),
	STATE_FIELD(struct pm, post_code, 0xff),
};

static const struct state_field debug_exit_fields[] = {
	STATE_FIELD(struct debug_exit, requested, BOOL),
	STATE_FIELD(struct debug_exit, status, UINT32_MAX),
};

static const struct state_field fw_cfg_fields[] = {
	STATE_FIELD(struct fw_cfg, selected, 0xffff),
	STATE_FIELD(struct fw_cfg, offset, UINT32_MAX),
	STATE_FIELD(struct fw_cfg, dma_address, UINT64_MAX),
	STATE_FIELD(struct fw_cfg, dma_requested, BOOL),
};

static const struct state_field nvdimm_fields[] = {
	STATE_FIELD(struct nvdimm, handle, UINT32_MAX),
	STATE_FIELD(struct nvdimm, offset, UINT32_MAX),
	STATE_FIELD(struct nvdimm, length, UINT32_MAX),
	STATE_FIELD(struct nvdimm, status, UINT32_MAX),
	STATE_ARRAY(struct nvdimm, window, 0xff),
};

enum { IRQCHIP, IOAPIC, LAPIC, UART, RTC, PM, DEBUG_EXIT, FW_CFG, NVDIMM };

#define TABLE(name, fields) \
	{ \
		name, fields, ARRAY_SIZE(fields) \
	}

const struct state_table state_device_tables[] = {
	[IRQCHIP] = TABLE("irqchip", irqchip_fields),
	[IOAPIC] = TABLE("ioapic", ioapic_fields),
	[LAPIC] = TABLE("lapic", lapic_fields),
	[UART] = TABLE("uart", uart_fields),
	[RTC] = TABLE("rtc", rtc_fields),
	[PM] = TABLE("pm", pm_fields),
	[DEBUG_EXIT] = TABLE("debug-exit", debug_exit_fields),
	[FW_CFG] = TABLE("fw_cfg", fw_cfg_fields),
	[NVDIMM] = TABLE("nvdimm", nvdimm_fields),
};
const size_t state_n_device_tables = ARRAY_SIZE(state_device_tables);

static void put(struct state_writer *writer, unsigned device, unsigned number, const void *object)
{
	const struct state_table *table = &state_device_tables[device];

	state_begin_section(writer, table->section, number);
	state_put_fields(writer, table->fields, table->n, object);
	state_end_section(writer);
}

void state_put_devices(struct state_writer *writer, const struct platform *platform)
{
	const struct irqchip *chip = &platform->irqchip;

	put(writer, IRQCHIP, 0, chip);
	put(writer, IOAPIC, 0, &chip->ioapic);
	for (unsigned i = 0; i < chip->n; i++)
		put(writer, LAPIC, i, &chip->lapic[i]);
	put(writer, UART, 0, &platform->uart);
	put(writer, RTC, 0, &platform->rtc);
	put(writer, PM, 0, &platform->pm);
	put(writer, DEBUG_EXIT, 0, &platform->debug_exit);
	put(writer, FW_CFG, 0, &platform->fw_cfg);
	if (platform->has_nvdimms)
		put(writer, NVDIMM, 0, platform_nvdimm((struct platform *)platform));
}

static enum status get(struct state_reader *reader, unsigned device, unsigned number, void *object)
{
	const struct state_table *table = &state_device_tables[device];

	TRY(state_read_section(reader, table->section, number));
	return state_get_fields(reader, table->fields, table->n, object);
}

/* SDM vol. 3, "APIC Timer": a periodic timer without a count does not run. */
static bool timer_is_possible(const struct lapic *lapic)
{
	bool is_periodic = (lapic->lvt[LVT_TIMER] >> 17 & 3) == 1;

	return !is_periodic || lapic->timer_initial != 0 || lapic->deadline == LAPIC_NO_DEADLINE;
}

static enum status get_lapic(struct state_reader *reader, unsigned number, struct lapic *lapic)
{
	enum { FIRST_LEGAL_VECTOR = 16 };

	TRY(get(reader, LAPIC, number, lapic));
	if (lapic_is_x2apic(lapic) && !lapic_is_enabled(lapic))
		return state_refuse(reader, "is an x2APIC that is off");
	if (lapic->base >> lapic->phys_bits)
		return state_refuse(reader, "is where no address leads");
	if (lapic->irr[0] & (BIT(FIRST_LEGAL_VECTOR) - 1))
		return state_refuse(reader, "has a vector that is none");
	if (!timer_is_possible(lapic))
		return state_refuse(reader, "has a timer without a period");
	lapic_set_tpr(lapic, lapic->tpr); /* computes what may be injected */
	return OK;
}

static enum status get_irqchip(struct state_reader *reader, struct irqchip *chip)
{
	TRY(get(reader, IRQCHIP, 0, chip));
	if (chip->next_lowest >= chip->n)
		return state_refuse(reader, "next_lowest cannot be %u", chip->next_lowest);
	TRY(get(reader, IOAPIC, 0, &chip->ioapic));
	for (unsigned i = 0; i < chip->n; i++)
		TRY(get_lapic(reader, i, &chip->lapic[i]));
	return OK;
}

static enum status get_uart(struct state_reader *reader, struct uart *uart)
{
	TRY(get(reader, UART, 0, uart));
	if (uart->rx_count > UART_FIFO_SIZE)
		return state_refuse(reader, "rx_count cannot be %u", uart->rx_count);
	return OK;
}

/* Years from the Roman empire to far from now, which registers of the clock can be set to. */
#define TIME_MIN (-(INT64_C(1) << 36))
#define TIME_MAX (INT64_C(1) << 40)

static enum status get_rtc(struct state_reader *reader, struct rtc *rtc, uint64_t tsc_hz,
			   uint64_t then)
{
	uint64_t hz = rtc->tsc_hz;

	TRY(get(reader, RTC, 0, rtc));
	if (rtc->base_time < TIME_MIN || rtc->base_time > TIME_MAX)
		return state_refuse(reader, "base_time cannot be %lld", (long long)rtc->base_time);
	/* Until then time went by the other machine's frequency. */
	rtc->tsc_hz = tsc_hz;
	(void)rtc_time(rtc, then);
	rtc->tsc_hz = hz;
	return OK;
}

enum status state_get_devices(struct state_reader *reader, struct platform *platform,
			      uint64_t tsc_hz, uint64_t then)
{
	TRY(get_irqchip(reader, &platform->irqchip));
	TRY(get_uart(reader, &platform->uart));
	TRY(get_rtc(reader, &platform->rtc, tsc_hz, then));
	TRY(get(reader, PM, 0, &platform->pm));
	TRY(get(reader, DEBUG_EXIT, 0, &platform->debug_exit));
	TRY(get(reader, FW_CFG, 0, &platform->fw_cfg));
	return platform->has_nvdimms ? get(reader, NVDIMM, 0, platform_nvdimm(platform)) : OK;
}
