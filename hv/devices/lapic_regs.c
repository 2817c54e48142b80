/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's registers, by both interfaces: the xAPIC page and the x2APIC MSRs. The register
 * number, offset / 16 or MSR - 0x800, is the same for both. The page is lenient (bits that do not
 * exist are dropped, an access to a register that does not exist sets an error bit in ESR); the
 * MSRs raise #GP. SDM vol. 3, "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "hv/devices/lapic_regs.h"

#include "hv/devices/lapic_timer.h"

enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_APR = 0x09,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_RRD = 0x0c,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT = 0x32,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
};

#define SVR_BITS    0x3ffu
#define DIVIDE_BITS 0xbu
#define ICR_BUSY    BIT(12)
/* includes ICR_BUSY, which software may write without effect */
#define ICR_BITS  UINT64_C(0xcdfff)
#define BASE_MODE (APIC_BASE_EN | APIC_BASE_EXTD)

/* Writable bits of each LVT entry. Software cannot change bits 12 and 14. */
static const uint32_t lvt_bits[N_LVT] = {
	[LVT_TIMER] = 0x700ff, [LVT_THERMAL] = 0x107ff, [LVT_PERF] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff,	[LVT_ERROR] = 0x100ff,
};
#define LVT_OWN_BITS 0x5000u

uint32_t lapic_get_id(const struct lapic *lapic)
{
	return lapic_is_x2apic(lapic) ? lapic->id : lapic->xapic_id << 24;
}

uint32_t lapic_get_ldr(const struct lapic *lapic)
{
	uint32_t id = lapic->id;

	return lapic_is_x2apic(lapic) ? id >> 4 << 16 | 1u << (id & 15) : lapic->ldr;
}

/* 32 of a vector bitmap's 256 bits. */
static uint32_t map_part(const uint64_t map[4], unsigned part)
{
	return (uint32_t)(map[part / 2] >> (part % 2 * 32));
}

/* Registers that both interfaces have and that can be read. False: not one of them. */
static bool reg_read(struct lapic *lapic, unsigned reg, uint32_t *ret, uint64_t now)
{
	switch (reg) {
	case REG_ID:
		*ret = lapic_get_id(lapic);
		return true;
	case REG_VERSION:
		*ret = APIC_VERSION;
		return true;
	case REG_TPR:
		*ret = lapic->tpr;
		return true;
	case REG_PPR:
		*ret = lapic_ppr(lapic);
		return true;
	case REG_LDR:
		*ret = lapic_get_ldr(lapic);
		return true;
	case REG_SVR:
		*ret = lapic->svr;
		return true;
	case REG_ISR ... REG_ISR + 7:
		*ret = map_part(lapic->isr, reg - REG_ISR);
		return true;
	case REG_TMR ... REG_TMR + 7:
		*ret = map_part(lapic->tmr, reg - REG_TMR);
		return true;
	case REG_IRR ... REG_IRR + 7:
		*ret = map_part(lapic->irr, reg - REG_IRR);
		return true;
	case REG_ESR:
		*ret = lapic->esr;
		return true;
	case REG_ICR:
		*ret = (uint32_t)lapic->icr;
		return true;
	case REG_LVT ... REG_LVT + N_LVT - 1:
		*ret = lapic->lvt[reg - REG_LVT];
		return true;
	case REG_TIMER_INITIAL:
		*ret = lapic->timer_initial;
		return true;
	case REG_TIMER_CURRENT:
		*ret = lapic_timer_current(lapic, now);
		return true;
	case REG_TIMER_DIVIDE:
		*ret = lapic->divide;
		return true;
	default:
		return false;
	}
}

static uint32_t set_svr(struct lapic *lapic, uint32_t value)
{
	uint32_t old = lapic->svr;

	lapic->svr = value & SVR_BITS;
	if (lapic->svr & SVR_ENABLE)
		return old & SVR_ENABLE ? 0 : LAPIC_ENABLED;
	for (unsigned i = 0; i < N_LVT; i++)
		lapic->lvt[i] |= LVT_MASKED;
	return LAPIC_LINES;
}

static uint32_t set_lvt(struct lapic *lapic, unsigned i, uint32_t value, uint64_t now)
{
	value = (value & lvt_bits[i]) | (lapic->lvt[i] & LVT_OWN_BITS);
	/* SDM vol. 3, "Local APIC State After It Has Been Software Disabled". */
	if (!(lapic->svr & SVR_ENABLE))
		value |= LVT_MASKED;
	if (i == LVT_TIMER)
		lapic_timer_set_lvt(lapic, value, now);
	else
		lapic->lvt[i] = value;
	return i == LVT_LINT0 ? LAPIC_LINES : 0;
}

/*
 * Registers of 32 bits that both interfaces have and that can be written. LAPIC_REFUSED: not one of
 * them.
 */
static uint32_t reg_write(struct lapic *lapic, unsigned reg, uint32_t value, uint64_t now)
{
	switch (reg) {
	case REG_TPR:
		lapic_set_tpr(lapic, (uint8_t)value);
		return 0;
	case REG_EOI:
		return lapic_eoi(lapic);
	case REG_SVR:
		return set_svr(lapic, value);
	case REG_ESR:
		lapic->esr = lapic->esr_pending;
		lapic->esr_pending = 0;
		return 0;
	case REG_LVT ... REG_LVT + N_LVT - 1:
		return set_lvt(lapic, reg - REG_LVT, value, now);
	case REG_TIMER_INITIAL:
		lapic_timer_set_initial(lapic, value, now);
		return 0;
	case REG_TIMER_DIVIDE:
		lapic_timer_set_divide(lapic, value, now);
		return 0;
	default:
		return LAPIC_REFUSED;
	}
}

/* Registers that only the page has, or that only the page reads without an error. */
static bool page_read(const struct lapic *lapic, unsigned reg, uint32_t *ret)
{
	switch (reg) {
	case REG_DFR:
		*ret = lapic->dfr;
		return true;
	case REG_ICR_HIGH:
		*ret = (uint32_t)(lapic->icr >> 32);
		return true;
	case REG_APR:
	case REG_RRD:
	case REG_EOI:
		*ret = 0;
		return true;
	default:
		return false;
	}
}

uint64_t lapic_page_read(struct lapic *lapic, const struct io_access *access)
{
	unsigned off = access->addr & (PAGE_SIZE - 1), reg = off >> 4, byte = off & 15;
	uint32_t value = 0;

	if (byte + access->size > 4)
		return 0;
	if (!page_read(lapic, reg, &value) && !reg_read(lapic, reg, &value, access->now))
		lapic_error(lapic, ESR_REGISTER);
	return value >> (8 * byte);
}

static uint32_t page_write(struct lapic *lapic, unsigned reg, uint32_t value)
{
	switch (reg) {
	case REG_ID:
		lapic->xapic_id = value >> 24;
		return 0;
	case REG_LDR:
		lapic->ldr = value & 0xff000000;
		return 0;
	case REG_DFR:
		lapic->dfr = value | 0x0fffffff;
		return 0;
	case REG_ICR:
		lapic->icr = (lapic->icr & BITS(63, 32)) | (value & ICR_BITS & ~ICR_BUSY);
		return LAPIC_SEND_ICR;
	case REG_ICR_HIGH:
		lapic->icr = (uint32_t)lapic->icr | (uint64_t)(value & 0xff000000) << 32;
		return 0;
	default:
		return LAPIC_REFUSED;
	}
}

/* Whether the page has this register: writing a read-only register is not an error. */
static bool page_has(struct lapic *lapic, unsigned reg, uint64_t now)
{
	uint32_t ignored;

	return page_read(lapic, reg, &ignored) || reg_read(lapic, reg, &ignored, now);
}

uint32_t lapic_page_write(struct lapic *lapic, const struct io_access *access)
{
	unsigned off = access->addr & (PAGE_SIZE - 1), reg = off >> 4;
	uint32_t value = (uint32_t)access->value, effect;

	if (access->size != 4 || off & 15)
		return 0;
	effect = page_write(lapic, reg, value);
	if (effect == LAPIC_REFUSED)
		effect = reg_write(lapic, reg, value, access->now);
	if (effect != LAPIC_REFUSED)
		return effect;
	if (!page_has(lapic, reg, access->now))
		lapic_error(lapic, ESR_REGISTER);
	return 0;
}

/* SDM vol. 3, "x2APIC State Transitions". */
static uint32_t base_write(struct lapic *lapic, uint64_t value)
{
	uint64_t allowed = BITS(lapic->phys_bits - 1, 12) | APIC_BASE_BSP | BASE_MODE;
	uint64_t old = lapic->base & BASE_MODE, new = value &BASE_MODE;

	if (value & ~allowed || new == APIC_BASE_EXTD)
		return LAPIC_REFUSED;
	if (old == BASE_MODE && new == APIC_BASE_EN)
		return LAPIC_REFUSED;
	if (old == 0 && new == BASE_MODE)
		return LAPIC_REFUSED;
	lapic->base = value;
	if (new == 0 && old != 0)
		lapic_disable(lapic);
	return LAPIC_LINES;
}

/* Out of line, so that reading IA32_APIC_BASE needs no stack. */
static __attribute__((noinline)) bool register_msr_read(struct lapic *lapic, uint32_t msr,
							uint64_t *ret, uint64_t now)
{
	uint32_t value;

	if (msr == MSR_IA32_TSC_DEADLINE) {
		*ret = lapic_timer_tsc_deadline(lapic, now);
		return true;
	}
	if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !lapic_is_x2apic(lapic))
		return false;
	if (msr - MSR_X2APIC_FIRST == REG_ICR) {
		*ret = lapic->icr;
		return true;
	}
	if (!reg_read(lapic, msr - MSR_X2APIC_FIRST, &value, now))
		return false;
	*ret = value;
	return true;
}

bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *ret, uint64_t now)
{
	if (msr != MSR_IA32_APIC_BASE)
		return register_msr_read(lapic, msr, ret, now);
	*ret = lapic->base;
	return true;
}

/* Writable bits of a 32-bit register in WRMSR; other bits raise #GP. */
static uint32_t msr_writable(unsigned reg)
{
	switch (reg) {
	case REG_TPR:
	case REG_SELF_IPI:
		return 0xff;
	case REG_SVR:
		return SVR_BITS;
	case REG_LVT ... REG_LVT + N_LVT - 1:
		return lvt_bits[reg - REG_LVT] | LVT_OWN_BITS;
	case REG_TIMER_INITIAL:
		return UINT32_MAX;
	case REG_TIMER_DIVIDE:
		return DIVIDE_BITS;
	default:
		return 0;
	}
}

static uint32_t x2apic_write(struct lapic *lapic, unsigned reg, uint64_t value, uint64_t now)
{
	if (reg == REG_ICR) {
		if (value & BITS(31, 0) & ~ICR_BITS)
			return LAPIC_REFUSED;
		lapic->icr = value & ~ICR_BUSY;
		return LAPIC_SEND_ICR;
	}
	if (value & ~(uint64_t)msr_writable(reg))
		return LAPIC_REFUSED;
	if (reg == REG_SELF_IPI)
		return LAPIC_SELF_IPI | (uint32_t)value;
	return reg_write(lapic, reg, (uint32_t)value, now);
}

uint32_t lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value, uint64_t now)
{
	if (msr == MSR_IA32_APIC_BASE)
		return base_write(lapic, value);
	if (msr == MSR_IA32_TSC_DEADLINE) {
		lapic_timer_set_tsc_deadline(lapic, value, now);
		return 0;
	}
	if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !lapic_is_x2apic(lapic))
		return LAPIC_REFUSED;
	return x2apic_write(lapic, msr - MSR_X2APIC_FIRST, value, now);
}
