/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bank of machine-check registers says, as text. SDM vol. 3, "Interpreting the MCA Error
 * Codes".
 */
#include "hv/host/mce_text.h"

#include "hv/lib/print.h"

/* The first row whose bits match. "F" bits of compound codes are left out of the masks. */
static const struct {
	uint16_t mask, value;
	const char *name;
} errors[] = {
	{0xffff, 0x0000, "unnamed"},
	{0xffff, 0x0001, "unclassified"},
	{0xffff, 0x0002, "microcode ROM parity"},
	{0xffff, 0x0003, "external"},
	{0xffff, 0x0004, "functional redundancy check"},
	{0xffff, 0x0005, "internal parity"},
	{0xffff, 0x0006, "SMM handler"},
	{0xffff, 0x0400, "internal timer"},
	{0xffff, 0x0e0b, "I/O"},
	{0xfc00, 0x0400, "internal"},
	{0xeffc, 0x000c, "cache hierarchy"},
	{0xeff0, 0x0010, "TLB"},
	{0xef80, 0x0080, "memory controller"},
	{0xef00, 0x0100, "cache"},
	{0xef80, 0x0280, "memory used as cache"},
	{0xe800, 0x0800, "bus or interconnect"},
};

static const char *error_name(uint64_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if ((status & errors[i].mask) == errors[i].value)
			return errors[i].name;
	return "unknown";
}

void mce_describe(const struct mce_bank *bank, char text[MCE_TEXT_MAX])
{
	uint64_t status = bank->status;
	size_t len = format(text, MCE_TEXT_MAX,
			    "machine check: processor %u, bank %u: %s error, %scorrected%s%s, "
			    "status %016lx",
			    (unsigned)bank->cpu, (unsigned)bank->bank, error_name(status),
			    status & MCE_STATUS_UNCORRECTED ? "un" : "",
			    status & MCE_STATUS_CORRUPT ? ", the processor's state is corrupt" : "",
			    status & MCE_STATUS_OVERFLOW ? ", others were lost" : "", status);

	if (status & MCE_STATUS_ADDRESS_VALID)
		len += format(text + len, MCE_TEXT_MAX - len, ", address %#lx", bank->address);
	if (status & MCE_STATUS_MISC_VALID)
		len += format(text + len, MCE_TEXT_MAX - len, ", misc %#lx", bank->misc);
	if (bank->count > 1)
		len += format(text + len, MCE_TEXT_MAX - len, ", %u times", bank->count);
	format(text + len, MCE_TEXT_MAX - len, ", MCG_STATUS %#lx", bank->mcg_status);
}
